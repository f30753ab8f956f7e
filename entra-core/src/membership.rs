use std::{error, fmt, sync::Arc};

use async_trait::async_trait;

use crate::{Guid, ObjectId};

/// A directory that knows which groups a user is in, directly or through other groups.
///
/// A sign-in asks it if the token has no groups. The client of `entra-graph` implements it; a test or a cache
/// may too. It must be the directory of the tenant that the user signed in to: an object id means nothing in
/// another one. One that knows its [`tenant`](Self::tenant) is not asked about users of others.
///
/// Microsoft Graph leaves groups with hidden membership (`visibility` `HiddenMembership`) out of its
/// response, without an error, unless the application has `Member.Read.Hidden`: a member of such a group
/// is then reported as not a member.
#[async_trait]
pub trait GroupMembership: fmt::Debug + Send + Sync {
    /// The tenant of the directory, if it is known without a request. Users of other tenants are then
    /// rejected before the directory is asked.
    fn tenant(&self) -> Option<Guid> {
        None
    }

    /// Returns those of the groups that the user is a member of.
    ///
    /// # Errors
    /// [`MembershipError`] if the directory returned no result; the membership is unknown then.
    async fn member_groups_among(
        &self,
        user: ObjectId,
        groups: &[ObjectId],
    ) -> Result<Vec<ObjectId>, MembershipError>;

    /// Returns all groups that the user is a member of.
    ///
    /// # Errors
    /// [`MembershipError`] if the directory returned no result or only some of the groups.
    async fn all_member_groups(&self, user: ObjectId) -> Result<Vec<ObjectId>, MembershipError>;
}

#[async_trait]
impl<T: GroupMembership + ?Sized> GroupMembership for Arc<T> {
    fn tenant(&self) -> Option<Guid> {
        (**self).tenant()
    }

    async fn member_groups_among(
        &self,
        user: ObjectId,
        groups: &[ObjectId],
    ) -> Result<Vec<ObjectId>, MembershipError> {
        (**self).member_groups_among(user, groups).await
    }

    async fn all_member_groups(&self, user: ObjectId) -> Result<Vec<ObjectId>, MembershipError> {
        (**self).all_member_groups(user).await
    }
}

/// Why a directory did not return the groups of a user.
///
/// The directory's own, more detailed error is its [`source`](error::Error::source).
#[derive(Clone)]
pub struct MembershipError {
    kind: MembershipErrorKind,
    message: String,
    fix: Option<String>,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// What kind of failure a [`MembershipError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MembershipErrorKind {
    /// The directory failed, asked to wait or could not be reached: the same request may succeed
    /// later.
    Unavailable,
    /// The application lacks a permission or the consent to it. An administrator has to grant it.
    PermissionMissing,
    /// The directory rejected the request for another reason, and will again.
    Rejected,
}

impl MembershipError {
    /// An error of a kind, with one line that says what happened.
    #[must_use]
    pub fn new(kind: MembershipErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            fix: None,
            source: None,
        }
    }

    /// With one sentence on what an administrator must do.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// With its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> MembershipErrorKind {
        self.kind
    }

    /// What an administrator must do.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        self.fix.as_deref()
    }

    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.kind == MembershipErrorKind::Unavailable
    }
}

impl fmt::Display for MembershipError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for MembershipError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MembershipError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("fix", &self.fix)
            .field("source", &self.source)
            .finish()
    }
}

impl error::Error for MembershipError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
