//! The identity of a user from an ID token, at the sign-in and at later re-checks.

use entra_core::{Guid, Secret, TenantId, Timestamp};

use super::{
    client::{SignInClient, flow_error},
    error::SignInError,
    identity::Identity,
    kind::SignInErrorKind,
    kind_of,
    result::SignInResult,
};
use crate::{
    user::{Account, PendingSignIn, RedeemedCode, account},
    wire::UserTokenFields,
};

impl SignInClient {
    /// Checks a user who signed in earlier again, at the service and by the tenants of this connection, in
    /// one attempt. It is for re-checks of long sessions.
    ///
    /// The user's refresh token is used, which Entra rejects for a disabled or deleted account, a
    /// revoked session, a changed password or a policy. The identity is read from the new ID token,
    /// with the current roles and groups.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # use entra_auth::{SignInClient, sign_in::SignInErrorKind, user::{ClientAuthentication, StartOptions}};
    /// # let tenant = entra_mock::FakeTenant::start().await;
    /// # let app = tenant.register_app("Shop").redirect_uri("https://shop.example/callback").with_secret();
    /// # let contoso = SignInClient::builder(tenant.id(), app.client_id(), ClientAuthentication::secret(app.secret()))
    /// #     .redirect_uri("https://shop.example/callback").scopes(["User.Read"])
    /// #     .cloud(tenant.cloud()).clock(tenant.clock()).build()?;
    /// # let (url, flow) = contoso.start(&StartOptions::default())?;
    /// # let callback = tenant.sign_in_at(url.as_str(), "adele@contoso.com").query();
    /// # let session = contoso.finish(flow, &callback).await?;
    /// # session.commit().await;
    /// # let (account, identity) = (session.account().clone(), session.into_identity());
    /// // Some minutes later, with account and identity of the session:
    /// let identity = contoso.renew(&account, &identity).await?.into_identity();
    ///
    /// tenant.user("adele@contoso.com").disable();
    /// let error = contoso.renew(&account, &identity).await.unwrap_err();
    /// assert_eq!(error.kind(), SignInErrorKind::AccountDisabled);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If [`SignInError::ends_session`] is true, the user has no access any more: an account that is disabled
    /// or deleted, a policy, another tenant, or [`SignInErrorKind::SignInRequired`] if there are no tokens
    /// of the user. A store may also have lost them, see
    /// [`SignInError::may_have_lost_tokens`]. Every other error says nothing about the user, such as
    /// [`Unavailable`](SignInErrorKind::Unavailable) while the service or the token store fails, or
    /// [`ApplicationCredential`](SignInErrorKind::ApplicationCredential) for an expired secret: keep the
    /// session for a while, and check again later.
    pub async fn renew(
        &self,
        account: &Account,
        identity: &Identity,
    ) -> Result<SignInResult, SignInError> {
        self.renew_since(identity.auth_time, account, identity)
            .await
    }

    /// As [`renew`](Self::renew), for a session of a sign-in at this time.
    async fn renew_since(
        &self,
        signed_in: Option<Timestamp>,
        account: &Account,
        identity: &Identity,
    ) -> Result<SignInResult, SignInError> {
        let renewed = self.flow().renew(account).await.map_err(flow_error)?;
        let Some((credential, user_fields)) = renewed else {
            let may_be_lost = self.flow().may_have_lost_tokens(account, signed_in).await;
            return Err(match may_be_lost {
                true => SignInError::lost_tokens(),
                false => SignInError::with_detail(
                    SignInErrorKind::SignInRequired,
                    "there are no tokens of the user",
                ),
            });
        };
        let mut found = match &user_fields.id_token {
            Some(id_token) => {
                let found = self.validated(id_token, &user_fields, None).await?;
                if (found.oid, &found.tid, &found.sub)
                    != (identity.oid, &identity.tid, &identity.sub)
                {
                    return Err(SignInError::with_detail(
                        SignInErrorKind::SignInRequired,
                        "the refreshed ID token is of another user",
                    ));
                }
                found
            }
            // Another provider may leave it out (OpenID Connect 12.2).
            None => self.completed(identity.clone()),
        };
        if !self.admits(&found) {
            return Err(SignInError::new(SignInErrorKind::WrongTenant));
        }
        // The ID token of a refresh has no claims of the session.
        found.sid = found.sid.or_else(|| identity.sid.clone());
        found.login_hint = found.login_hint.or_else(|| identity.login_hint.clone());
        found.auth_time = found.auth_time.or(identity.auth_time);
        Ok(SignInResult::new(found, credential, None))
    }

    /// [`renew`](Self::renew) with a time limit, for a session of a sign-in at this time. A refresh that has begun goes on without the caller, as
    /// its response may have the only new refresh token.
    #[cfg(feature = "axum")]
    pub(crate) async fn renew_within(
        &self,
        limit: std::time::Duration,
        signed_in: Timestamp,
        account: &Account,
        identity: &Identity,
    ) -> Result<SignInResult, SignInError> {
        let renewal = self.renew_since(Some(signed_in), account, identity);
        let renewal = tokio::time::timeout(limit, renewal).await;
        renewal.unwrap_or_else(|_| {
            Err(SignInError::with_detail(
                SignInErrorKind::Unavailable,
                "there was no response in time",
            ))
        })
    }

    /// Whether this connection currently admits users of the identity's tenant.
    #[must_use]
    pub fn admits(&self, identity: &Identity) -> bool {
        self.admits_tenant(&identity.tid)
    }

    /// Whether this connection currently admits users of a tenant.
    pub(super) fn admits_tenant(&self, tenant: &TenantId) -> bool {
        let Some(tenant) = tenant.guid() else {
            return false;
        };
        let own = self.tenant().guid();
        let tenants = self.tenants();
        if self.flow().application().settings.cloud.is_entra() {
            return own.is_none_or(|own| own == tenant) && tenants.admit(tenant);
        }
        // Another provider can write any tenant into its tokens, so only tenants that were set for this
        // connection count.
        match own {
            Some(own) => own == tenant && tenants.admit(tenant),
            None => tenants.names(tenant),
        }
    }

    /// The identity in the token response, after validation.
    pub(super) async fn identity(
        &self,
        redeemed: &RedeemedCode,
        flow: &PendingSignIn,
    ) -> Result<Identity, SignInError> {
        let user_fields = &redeemed.user_fields;
        let Some(id_token) = &user_fields.id_token else {
            return Err(SignInError::with_detail(
                SignInErrorKind::TokenRejected,
                "the token response has no ID token",
            ));
        };
        let nonce = Some(flow.nonce());
        let identity = self.validated(id_token, user_fields, nonce).await?;
        if !self.admits(&identity) {
            return Err(SignInError::new(SignInErrorKind::WrongTenant));
        }
        check_age(&identity, flow)?;
        Ok(identity)
    }

    /// The identity of a valid ID token, of any tenant.
    async fn validated(
        &self,
        id_token: &Secret,
        user_fields: &UserTokenFields,
        nonce: Option<&str>,
    ) -> Result<Identity, SignInError> {
        let rejected = |what| SignInError::with_detail(SignInErrorKind::TokenRejected, what);
        let token = self
            .validator()
            .validate_id_token(id_token.expose_secret(), nonce)
            .await
            .map_err(|error| {
                let kind = kind_of::token_validation(&error);
                SignInError::invalid(kind, error, user_fields.clock_difference)
            })?;
        let home = match &user_fields.client_info {
            // It is unsigned and specific to Entra: another provider could name any user in it.
            Some(info) if self.flow().application().settings.cloud.is_entra() => {
                home(info).map_err(rejected)?
            }
            _ => None,
        };
        let identity = Identity::read(token.claims().clone(), home, self.groups())?;
        match token.tid() {
            // The tenant is the issuer's.
            Some(issuer) if identity.tid.guid() == Some(issuer) => Ok(identity),
            Some(_) => Err(SignInError::new(SignInErrorKind::WrongTenant)),
            // The provider of this connection is Entra all the same.
            None if identity.has_issuer_of_entra() => Ok(identity),
            None => Ok(identity.of_another_provider()),
        }
    }

    /// The identity of a stored session, with what an earlier version did not store.
    pub(crate) fn completed(&self, identity: Identity) -> Identity {
        match self.flow().application().settings.cloud.is_entra() {
            true => identity.completed_at_entra(),
            false => identity,
        }
    }
}

/// The ids of the account in its home tenant.
fn home(info: &entra_core::Secret) -> Result<Option<(Guid, Guid)>, &'static str> {
    let malformed = "the client information beside the ID token is malformed";
    let home = account::home(info).ok_or(malformed)?;
    let (uid, utid) = home.rsplit_once('.').ok_or(malformed)?;
    // Accounts of another provider have ids of another form.
    Ok(uid.parse().ok().zip(utid.parse().ok()))
}

/// Checks `max_age`, counted from the start of the sign-in, because a consent takes time.
fn check_age(identity: &Identity, flow: &PendingSignIn) -> Result<(), SignInError> {
    let Some(max_age) = flow.max_age() else {
        return Ok(());
    };
    let too_old = |what| Err(SignInError::with_detail(SignInErrorKind::TooOld, what));
    let Some(auth_time) = identity.auth_time else {
        return too_old("the ID token has no auth_time");
    };
    let max_age = entra_core::time::Duration::seconds(i64::try_from(max_age).unwrap_or(i64::MAX));
    let oldest = flow
        .started_on()
        .saturating_sub(max_age)
        .saturating_sub(CLOCK_SKEW);
    if auth_time < oldest {
        return too_old("the auth_time of the ID token is too old");
    }
    Ok(())
}

/// The allowed clock skew for `max_age`.
const CLOCK_SKEW: entra_core::time::Duration = entra_core::time::Duration::seconds(60);
