use entra_core::{GroupMembership, InvalidId, ObjectId};

use super::{
    error::SignInError,
    identity::{Groups, Identity},
};
use crate::user::{Account, UserCredential};

/// A person who has just signed in.
///
/// The identity belongs into the session; with the account,
/// [`resume`](super::SignInClient::resume) gives the person's tokens at any later request.
#[derive(Clone, Debug)]
pub struct SignedIn {
    identity: Identity,
    credential: UserCredential,
    session_state: Option<String>,
}

impl SignedIn {
    pub(super) const fn new(
        identity: Identity,
        credential: UserCredential,
        session_state: Option<String>,
    ) -> Self {
        Self {
            identity,
            credential,
            session_state,
        }
    }

    /// Who it is.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Who it is, to keep.
    #[must_use]
    pub fn into_identity(self) -> Identity {
        self.identity
    }

    /// What tokens and caches are keyed by, for the session.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.credential.account()
    }

    /// The person's tokens, such as for a Graph client.
    #[must_use]
    pub const fn credential(&self) -> &UserCredential {
        &self.credential
    }

    /// The service's word for the browser's session (OpenID Connect Session Management).
    #[must_use]
    pub fn session_state(&self) -> Option<&str> {
        self.session_state.as_deref()
    }

    /// Whether the person is in any of these groups, directly or by other groups.
    ///
    /// The token's list decides where there is one; the directory is asked when the token has too
    /// many groups, none, or names in place of ids. A list holds what the registration asks for
    /// only, such as security groups. With no groups, the answer is no.
    ///
    /// # Errors
    /// [`Configuration`](super::SignInErrorKind::Configuration) for an id that is none,
    /// [`GroupsUnavailable`](super::SignInErrorKind::GroupsUnavailable) when the directory could not
    /// be asked. Nobody may enter then.
    pub async fn is_member_of_any<D, I>(
        &self,
        directory: &D,
        groups: I,
    ) -> Result<bool, SignInError>
    where
        D: GroupMembership + ?Sized,
        I: IntoIterator,
        I::Item: TryInto<ObjectId, Error: Into<InvalidId>>,
    {
        let wanted = ids(groups)?;
        self.identity.is_member_of_any(directory, &wanted).await
    }

    /// Every group of the person: the token's where they are listed by id, else the directory's.
    ///
    /// # Errors
    /// [`GroupsUnavailable`](super::SignInErrorKind::GroupsUnavailable) when the directory could not
    /// be asked.
    pub async fn group_ids<D>(&self, directory: &D) -> Result<Vec<ObjectId>, SignInError>
    where
        D: GroupMembership + ?Sized,
    {
        if let Some(listed) = self.identity.listed_groups() {
            return Ok(listed);
        }
        directory
            .all_member_groups(self.identity.oid)
            .await
            .map_err(SignInError::directory)
    }
}

impl Identity {
    /// As [`SignedIn::is_member_of_any`], for an identity that was kept in a session.
    ///
    /// # Errors
    /// [`GroupsUnavailable`](super::SignInErrorKind::GroupsUnavailable) when the directory could not
    /// be asked.
    pub async fn is_member_of_any<D>(
        &self,
        directory: &D,
        groups: &[ObjectId],
    ) -> Result<bool, SignInError>
    where
        D: GroupMembership + ?Sized,
    {
        if groups.is_empty() {
            return Ok(false);
        }
        if let Some(listed) = self.listed_groups() {
            return Ok(groups.iter().any(|group| listed.contains(group)));
        }
        let found = directory
            .member_groups_among(self.oid, groups)
            .await
            .map_err(SignInError::directory)?;
        // What was not asked for does not count, whatever a directory answers.
        Ok(found.iter().any(|group| groups.contains(group)))
    }

    /// The groups of the token, if it lists them all and by id.
    fn listed_groups(&self) -> Option<Vec<ObjectId>> {
        match &self.groups {
            Groups::Listed(groups) => groups.iter().map(|group| group.parse().ok()).collect(),
            Groups::Overage | Groups::Absent => None,
        }
    }
}

fn ids<I>(groups: I) -> Result<Vec<ObjectId>, SignInError>
where
    I: IntoIterator,
    I::Item: TryInto<ObjectId, Error: Into<InvalidId>>,
{
    groups
        .into_iter()
        .map(|group| {
            group.try_into().map_err(|_| {
                SignInError::configuration("a group is named by its object id, a GUID")
            })
        })
        .collect()
}
