use std::{error, fmt, sync::Arc};

use async_trait::async_trait;

use crate::ObjectId;

/// Something that knows which groups a person is in, directly or by other groups.
///
/// A sign-in asks it when the token does not say. `entra-graph`'s client is one; a test or a cache
/// of your own may be another. It must know the tenant that the person has signed in to.
#[async_trait]
pub trait GroupMembership: fmt::Debug + Send + Sync {
    /// Those of these groups that the person is in.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory could not be asked; then nothing is known.
    async fn member_groups_among(
        &self,
        person: ObjectId,
        groups: &[ObjectId],
    ) -> Result<Vec<ObjectId>, DirectoryError>;

    /// Every group that the person is in.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory could not be asked, or has more groups than it tells.
    async fn all_member_groups(&self, person: ObjectId) -> Result<Vec<ObjectId>, DirectoryError>;
}

#[async_trait]
impl<T: GroupMembership + ?Sized> GroupMembership for Arc<T> {
    async fn member_groups_among(
        &self,
        person: ObjectId,
        groups: &[ObjectId],
    ) -> Result<Vec<ObjectId>, DirectoryError> {
        (**self).member_groups_among(person, groups).await
    }

    async fn all_member_groups(&self, person: ObjectId) -> Result<Vec<ObjectId>, DirectoryError> {
        (**self).all_member_groups(person).await
    }
}

/// Why a directory did not say which groups a person is in.
///
/// The directory's own, more detailed error is its [`source`](error::Error::source).
#[derive(Clone)]
pub struct DirectoryError {
    message: String,
    transient: bool,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

impl DirectoryError {
    /// An error with one line that says what happened.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            transient: false,
            source: None,
        }
    }

    /// As one that may be gone at the next try.
    #[must_use]
    pub const fn with_transient(mut self, transient: bool) -> Self {
        self.transient = transient;
        self
    }

    /// With its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Whether the same question may be answered later without any change.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.transient
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryError")
            .field("message", &self.message)
            .field("transient", &self.transient)
            .field("source", &self.source)
            .finish()
    }
}

impl error::Error for DirectoryError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
