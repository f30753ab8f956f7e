use std::fmt;

use entra_core::{GroupMembership, IntoId, MembershipError, MembershipErrorKind, ObjectId};

use super::{error::SignInError, groups::Groups, identity::Identity, kind::SignInErrorKind};
use crate::user::{Account, UserCredential};

/// A validated sign-in that the application has not accepted yet.
///
/// First decide whether the user has access, such as with
/// [`is_member_of_any`](Self::is_member_of_any), then call [`commit`](Self::commit) to cache the
/// tokens. Without it nothing of this sign-in is stored: a rejected sign-in cannot replace or remove the
/// tokens of a user who is signed in. Store the identity and the account in the session:
/// [`resume`](super::SignInClient::resume) returns the account's tokens at later requests.
#[derive(Clone)]
pub struct SignInResult {
    identity: Identity,
    credential: UserCredential,
    session_state: Option<String>,
}

impl SignInResult {
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

    /// The identity of the user.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The identity of the user, by value.
    #[must_use]
    pub fn into_identity(self) -> Identity {
        self.identity
    }

    /// The account, which is the key of the user's tokens, for the session.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.credential.account()
    }

    /// Stores the user's tokens in the connection's cache and its store, in place of those of an earlier
    /// sign-in. Call it after the application's own check has agreed. Clones of the credential use the
    /// stored tokens. A second call has no effect.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # use entra_auth::{SignInClient, user::{ClientAuthentication, StartOptions}};
    /// # let tenant = entra_mock::FakeTenant::start().await;
    /// # let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback").with_secret();
    /// # let contoso = SignInClient::builder(tenant.id(), app.client_id(), ClientAuthentication::secret(app.secret()))
    /// #     .redirect_uri("https://shop.example/callback").scopes(["User.Read"])
    /// #     .cloud(tenant.cloud()).clock(tenant.clock()).build()?;
    /// # let (url, flow) = contoso.start(&StartOptions::default())?;
    /// # let callback = tenant.sign_in_at(url.as_str(), "adele@contoso.com").query();
    /// let session = contoso.finish(flow, &callback).await?;
    /// let account = session.account().clone();
    /// assert!(contoso.resume(&account).await?.is_none());
    ///
    /// session.commit().await; // the application's own check agrees
    /// assert!(contoso.resume(&account).await?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn commit(&self) {
        self.credential.commit().await;
    }

    /// The user's tokens, such as for a Graph client that checks groups before
    /// [`commit`](Self::commit).
    #[must_use]
    pub const fn credential(&self) -> &UserCredential {
        &self.credential
    }

    /// The `session_state` of the response (OpenID Connect Session Management).
    #[must_use]
    pub fn session_state(&self) -> Option<&str> {
        self.session_state.as_deref()
    }

    /// Whether the user is in any of these groups, directly or through other groups.
    ///
    /// The directory decides, unless the connection's
    /// [`groups_claim`](super::SignInClientBuilder::groups_claim) says that tokens list object ids
    /// and this one does. Such a list holds what the registration asks for only, such as security
    /// groups. With no groups to look for, it returns `false`.
    ///
    /// A user of another provider than Entra, or of Azure AD B2C, is never looked up, since such a provider can
    /// write any object id into its tokens, and the ids of any groups; neither is a user of another tenant, if the directory
    /// knows its own ([`GroupMembership::tenant`]). With several tenants, ask the directory of the user's
    /// [`tid`](Identity::tid).
    ///
    /// **Hidden membership.** The directory does not tell members of a Microsoft 365 group with
    /// `visibility` `HiddenMembership` (nor of a hidden administrative unit) to an application
    /// without the permission `Member.Read.Hidden`: a true member then is reported as no member, and no error
    /// says so.
    ///
    /// # Errors
    /// [`Configuration`](super::SignInErrorKind::Configuration) for an invalid id;
    /// [`GroupsUnavailable`](super::SignInErrorKind::GroupsUnavailable) when the directory does not
    /// respond for now; [`GroupPermissionMissing`](super::SignInErrorKind::GroupPermissionMissing)
    /// and [`GroupsRejected`](super::SignInErrorKind::GroupsRejected) when it never will until an
    /// administrator acts, and for a user of another tenant;
    /// [`OtherProvider`](super::SignInErrorKind::OtherProvider) for a user of another provider. Reject the user
    /// then.
    pub async fn is_member_of_any<D, I>(
        &self,
        directory: &D,
        groups: I,
    ) -> Result<bool, SignInError>
    where
        D: GroupMembership + ?Sized,
        I: IntoIterator,
        I::Item: IntoId<ObjectId>,
    {
        self.identity.is_member_of_any(directory, groups).await
    }

    /// Every group of the user: those of the token if it lists object ids, otherwise those of the
    /// directory. Groups with hidden membership are missing as in
    /// [`is_member_of_any`](Self::is_member_of_any).
    ///
    /// # Errors
    /// As [`is_member_of_any`](Self::is_member_of_any).
    pub async fn group_ids<D>(&self, directory: &D) -> Result<Vec<ObjectId>, SignInError>
    where
        D: GroupMembership + ?Sized,
    {
        self.identity.check_provider()?;
        if let Groups::Ids(listed) = &self.identity.groups {
            return Ok(listed.clone());
        }
        self.identity.check_directory(directory)?;
        directory
            .all_member_groups(self.identity.oid)
            .await
            .map_err(SignInError::membership)
    }
}

impl fmt::Debug for SignInResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInResult")
            .field("identity", &self.identity)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// As [`SignInResult::is_member_of_any`], for an identity that was stored in a session.
    ///
    /// # Errors
    /// As [`SignInResult::is_member_of_any`].
    pub async fn is_member_of_any<D, I>(
        &self,
        directory: &D,
        groups: I,
    ) -> Result<bool, SignInError>
    where
        D: GroupMembership + ?Sized,
        I: IntoIterator,
        I::Item: IntoId<ObjectId>,
    {
        let groups = ids(groups)?;
        if groups.is_empty() {
            return Ok(false);
        }
        self.check_provider()?;
        if let Groups::Ids(listed) = &self.groups {
            return Ok(groups.iter().any(|group| listed.contains(group)));
        }
        self.check_directory(directory)?;
        let found = directory
            .member_groups_among(self.oid, &groups)
            .await
            .map_err(SignInError::membership)?;
        // Groups that were not requested do not count, whatever the directory returns.
        Ok(found.iter().any(|group| groups.contains(group)))
    }

    /// Checks that the ids of the user and of the groups are Entra's.
    fn check_provider(&self) -> Result<(), SignInError> {
        if self.is_of_entra() {
            return Ok(());
        }
        Err(SignInError::new(SignInErrorKind::OtherProvider))
    }

    /// Checks that the directory is of the user's tenant, if it knows its own.
    fn check_directory<D>(&self, directory: &D) -> Result<(), SignInError>
    where
        D: GroupMembership + ?Sized,
    {
        match directory.tenant() {
            Some(tenant) if self.tid.guid() != Some(tenant) => {
                let error = MembershipError::new(
                    MembershipErrorKind::Rejected,
                    "the directory is of another tenant than the one that the user signed in to",
                );
                Err(SignInError::membership(error.with_fix(
                    "Ask the directory of the user's tenant (Identity::tid).",
                )))
            }
            _ => Ok(()),
        }
    }
}

fn ids<I>(groups: I) -> Result<Vec<ObjectId>, SignInError>
where
    I: IntoIterator,
    I::Item: IntoId<ObjectId>,
{
    groups
        .into_iter()
        .map(|group| {
            group.into_id().map_err(|_| {
                SignInError::configuration("a group must be given by its object id, a GUID")
            })
        })
        .collect()
}
