use std::fmt;

use entra_core::{Guid, TenantId, Timestamp, time::Duration, url::Url};
use serde::{Deserialize, Serialize};

use super::{
    client::{SignInClient, flow_error, mismatch_error},
    error::SignInError,
    kind::SignInErrorKind,
};
use crate::{
    moment::is_in_time,
    user::callback::{CallbackMismatch, Parameters, authorization_error},
};

/// The options of an admin consent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminConsentOptions {
    /// The scopes to consent to.
    pub scopes: ConsentScopes,
    /// The tenant to consent in: unless set, the connection's, or for an alias the administrator's.
    pub tenant: Option<TenantId>,
    /// The redirect URI of the consent; the connection's unless set. It must be registered.
    pub redirect_uri: Option<String>,
}

/// The scopes of an admin consent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsentScopes {
    /// Every permission of the registration's list.
    #[default]
    Configured,
    /// These scopes; application permissions by `{resource}/.default` only.
    These(Vec<String>),
}

/// A pending admin consent, to be stored in the browser's session between the start and the callback.
/// It expires after an hour; `Debug` shows when.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminConsentState {
    state: String,
    connection: String,
    expires_on: i64,
}

/// The result of an admin consent.
///
/// It does not prove anything, because anyone can write such a callback: use the permissions to see
/// whether they were granted, and never sign a user in by it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminConsent {
    /// The tenant in the callback, which is not proven.
    pub tenant: Option<TenantId>,
    /// The scopes in the callback, if it has any.
    pub scopes: Vec<String>,
}

impl AdminConsentState {
    /// The `state` parameter, which identifies the pending consent of a callback.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.state
    }

    /// The name of the connection that started it.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.connection
    }
}

impl fmt::Debug for AdminConsentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminConsentState")
            .field("connection", &self.connection)
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

impl SignInClient {
    /// The URL where an administrator consents for the whole tenant, and the state to store until
    /// the callback. Sends no request.
    ///
    /// ```
    /// # use entra_auth::{SignInClient, sign_in::AdminConsentOptions, user::ClientAuthentication};
    /// # let client = SignInClient::builder("contoso.com", "22222222-2222-2222-2222-222222222222", ClientAuthentication::public())
    /// #     .redirect_uri("https://app.example.com/consented").build()?;
    /// let (url, state) = client.admin_consent(&AdminConsentOptions::default())?;
    /// assert!(url.path().ends_with("/contoso.com/adminconsent"));
    /// let callback = format!("admin_consent=True&tenant=11111111-1111-1111-1111-111111111111&state={}", state.id());
    /// let consent = client.finish_admin_consent(state, &callback)?;
    /// assert!(consent.tenant.is_some());
    /// # Ok::<(), entra_auth::sign_in::SignInError>(())
    /// ```
    ///
    /// # Errors
    /// [`SignInErrorKind::Configuration`] when there is no randomness, or the service is not Entra.
    pub fn admin_consent(
        &self,
        options: &AdminConsentOptions,
    ) -> Result<(Url, AdminConsentState), SignInError> {
        let application = self.flow().application();
        let cloud = &application.settings.cloud;
        if !cloud.is_entra() {
            return Err(SignInError::configuration(
                "admin consent is supported for Entra only",
            ));
        }
        let tenant = match options.tenant.as_ref().unwrap_or(&application.tenant) {
            // Personal accounts have no administrator.
            tenant if tenant.is_alias() => "organizations".to_owned(),
            tenant => tenant.to_string(),
        };
        let state = AdminConsentState {
            state: self.flow().random().map_err(flow_error)?,
            connection: self.name().to_owned(),
            expires_on: application
                .clock()
                .now()
                .saturating_add(LIFETIME)
                .unix_timestamp(),
        };
        let mut url = cloud.authority().clone();
        let root = cloud.authority().path();
        let version = match options.scopes {
            ConsentScopes::Configured => "",
            ConsentScopes::These(_) => "/v2.0",
        };
        url.set_path(&format!("{root}{tenant}{version}/adminconsent"));
        let redirect_uri = options.redirect_uri.as_deref();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", &application.client.to_string())
            .append_pair("redirect_uri", redirect_uri.unwrap_or(self.redirect_uri()))
            .append_pair("state", &state.state);
        if let ConsentScopes::These(scopes) = &options.scopes {
            query.append_pair("scope", &scopes.join(" "));
        }
        drop(query);
        Ok((url, state))
    }

    /// The result of an admin consent, from the callback's URL or query.
    ///
    /// # Errors
    /// [`SignInErrorKind::Declined`] if the administrator declined, and the kinds of a callback
    /// that belongs to another browser or has expired.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the state is used up, as that of a sign-in"
    )]
    pub fn finish_admin_consent(
        &self,
        state: AdminConsentState,
        callback: &str,
    ) -> Result<AdminConsent, SignInError> {
        let now = self.flow().application().clock().now();
        if state.connection != self.name() {
            return Err(SignInError::new(SignInErrorKind::OtherConnection));
        }
        let parameters = Parameters::read(callback).map_err(mismatch_error)?;
        parameters
            .check_state(&state.state)
            .map_err(mismatch_error)?;
        let expires_on =
            Timestamp::from_unix_timestamp(state.expires_on).unwrap_or(Timestamp::UNIX_EPOCH);
        if !is_in_time(expires_on, LIFETIME, now) {
            return Err(mismatch_error(CallbackMismatch::Expired));
        }
        if !self
            .finished()
            .claim(&state.state, self.flow().application().clock().monotonic())
        {
            return Err(SignInError::new(SignInErrorKind::Replayed));
        }
        let get = |name: &str| parameters.get(name).map_err(mismatch_error);
        if let Some(error) = get("error")? {
            let description = get("error_description")?.unwrap_or_default();
            let error = authorization_error(error, description, get("error_subcode")?);
            // Version 1 of the endpoint has another error code.
            let declined = error.oauth_error() == Some("permission_denied");
            return Err(match declined && error.codes().is_empty() {
                true => SignInError::of(SignInErrorKind::Declined, error),
                false => flow_error(error),
            });
        }
        let agreed = get("admin_consent")?.is_some_and(|word| word.eq_ignore_ascii_case("true"));
        if !agreed {
            return Err(mismatch_error(CallbackMismatch::MissingCode));
        }
        let tenant = get("tenant")?.and_then(|tenant| tenant.parse::<Guid>().ok());
        let scopes = get("scope")?.unwrap_or_default();
        Ok(AdminConsent {
            tenant: tenant.map(TenantId::from),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// An administrator needs time to read the request.
const LIFETIME: Duration = Duration::minutes(60);
