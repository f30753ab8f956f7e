use std::fmt;

use entra_core::{ClientId, Secret, TenantId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::client_application::ClientApplication;

/// What a web application keeps between the start of a sign-in and its callback.
///
/// It belongs to one browser: keep it in the browser's session, on the server or in a cookie that
/// is encrypted and signed, never in the address. It is used up by
/// [`finish`](super::AuthorizationCodeFlow::finish) and ends after an hour. `Debug` shows when.
///
/// ```
/// # use entra_auth::user::{AuthorizationCodeFlow, ClientAuthentication, PendingSignIn, StartOptions};
/// # let flow = AuthorizationCodeFlow::builder("contoso.com", "00000000-0000-0000-0000-000000000001", ClientAuthentication::public())
/// #     .redirect_uri("http://localhost").scopes(["User.Read"]).build()?;
/// let (url, state) = flow.start(&StartOptions::default())?;
/// let stored = serde_json::to_string(&state)?;
/// let restored: PendingSignIn = serde_json::from_str(&stored)?;
/// assert!(url.as_str().contains(restored.id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(PartialEq, Eq)]
pub struct PendingSignIn {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: Secret,
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) tenant: TenantId,
    pub(super) expires_on: Timestamp,
    /// The application that started it; none for one stored by an older version.
    pub(super) client: Option<ClientId>,
    /// The sign-in service that it was started at; see `Party::authority`.
    pub(super) authority: Option<String>,
    /// The connection that started it, where a product has several.
    pub(super) connection: Option<String>,
    /// How many seconds ago the user may have signed in at most.
    pub(super) max_age: Option<u64>,
}

impl PendingSignIn {
    /// The `state` parameter, by which a callback finds the flow it belongs to.
    #[must_use]
    #[inline]
    pub fn id(&self) -> &str {
        &self.state
    }

    /// When the flow can no longer be finished.
    #[must_use]
    pub const fn expires_on(&self) -> Timestamp {
        self.expires_on
    }

    /// The name of the connection that started it, if a `SignInClient` did: the one to finish it
    /// with.
    #[must_use]
    #[inline]
    pub fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    /// When the flow was started.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) fn started_on(&self) -> Timestamp {
        self.expires_on.saturating_sub(LIFETIME)
    }

    /// Whether this application started it, at this sign-in service.
    #[inline]
    pub(crate) fn is_of(&self, application: &ClientApplication) -> bool {
        self.client == Some(application.client)
            && self.tenant == application.tenant
            && self.authority.as_deref() == Some(&*application.authority())
    }

    #[cfg(feature = "sign-in")]
    pub(crate) const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) fn nonce(&self) -> &str {
        &self.nonce
    }

    #[cfg(feature = "sign-in")]
    pub(crate) const fn max_age(&self) -> Option<u64> {
        self.max_age
    }

    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) fn set_connection(&mut self, name: &str) {
        self.connection = Some(name.to_owned());
    }
}

/// A pending sign-in without what its application knows of itself: a browser holds many of them in
/// its cookies.
#[cfg(feature = "axum")]
#[derive(Serialize, Deserialize)]
pub(crate) struct ShortPendingSignIn(
    String,
    String,
    String,
    i64,
    Option<u64>,
    Vec<String>,
    /// A digest of the other fields.
    String,
);

#[cfg(feature = "axum")]
impl PendingSignIn {
    #[inline]
    pub(crate) fn short(&self) -> ShortPendingSignIn {
        ShortPendingSignIn(
            self.state.clone(),
            self.nonce.clone(),
            self.verifier.expose_secret().to_owned(),
            self.expires_on.unix_timestamp(),
            self.max_age,
            self.scopes.clone(),
            self.digest(),
        )
    }

    /// Restores the pending sign-in for the application that started it; `None` for any other application.
    #[inline]
    pub(crate) fn whole(
        short: ShortPendingSignIn,
        application: &ClientApplication,
        redirect_uri: &str,
        connection: &str,
    ) -> Option<Self> {
        let ShortPendingSignIn(state, nonce, verifier, expires_on, max_age, scopes, digest) = short;
        let whole = Self {
            state,
            nonce,
            verifier: Secret::from(verifier),
            redirect_uri: redirect_uri.to_owned(),
            scopes,
            tenant: application.tenant.clone(),
            expires_on: Timestamp::from_unix_timestamp(expires_on).ok()?,
            client: Some(application.client),
            authority: Some(application.authority()),
            connection: Some(connection.to_owned()),
            max_age,
        };
        (whole.digest() == digest).then_some(whole)
    }

    /// A digest of the application, service and connection that started it, and of its redirect URI.
    #[inline]
    fn digest(&self) -> String {
        let client = self.client.map(|client| client.to_string());
        let (redirect_uri, tenant) = (&self.redirect_uri, self.tenant.to_string());
        let (authority, connection) = (&self.authority, &self.connection);
        let mut digest = crate::store::hashed(
            &serde_json::json!([redirect_uri, tenant, client, authority, connection]).to_string(),
        );
        digest.truncate(DIGEST);
        digest
    }
}

impl fmt::Debug for PendingSignIn {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignIn")
            .field("tenant", &self.tenant)
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    state: std::borrow::Cow<'a, str>,
    nonce: std::borrow::Cow<'a, str>,
    verifier: std::borrow::Cow<'a, str>,
    redirect_uri: std::borrow::Cow<'a, str>,
    scopes: std::borrow::Cow<'a, [String]>,
    tenant: std::borrow::Cow<'a, str>,
    expires_on: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<ClientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authority: Option<std::borrow::Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<std::borrow::Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
}

impl Serialize for PendingSignIn {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored {
            state: (&*self.state).into(),
            nonce: (&*self.nonce).into(),
            verifier: self.verifier.expose_secret().into(),
            redirect_uri: (&*self.redirect_uri).into(),
            scopes: (&*self.scopes).into(),
            tenant: self.tenant.to_string().into(),
            expires_on: self.expires_on.unix_timestamp(),
            client: self.client,
            authority: self.authority.as_deref().map(Into::into),
            connection: self.connection.as_deref().map(Into::into),
            max_age: self.max_age,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PendingSignIn {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let stored = Stored::deserialize(deserializer)?;
        Ok(Self {
            state: stored.state.into_owned(),
            nonce: stored.nonce.into_owned(),
            verifier: Secret::from(stored.verifier.into_owned()),
            redirect_uri: stored.redirect_uri.into_owned(),
            scopes: stored.scopes.into_owned(),
            tenant: stored.tenant.parse().map_err(D::Error::custom)?,
            expires_on: Timestamp::from_unix_timestamp(stored.expires_on)
                .map_err(D::Error::custom)?,
            client: stored.client,
            authority: stored.authority.map(std::borrow::Cow::into_owned),
            connection: stored.connection.map(std::borrow::Cow::into_owned),
            max_age: stored.max_age,
        })
    }
}

/// 128 bits, in hexadecimal.
#[cfg(feature = "axum")]
const DIGEST: usize = 32;
/// Users look for their password and their telephone; the code itself is good for minutes only.
pub(super) const LIFETIME: entra_core::time::Duration = entra_core::time::Duration::minutes(60);
