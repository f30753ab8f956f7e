use std::fmt;

use entra_core::{Secret, TenantId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a web application keeps between the start of a sign-in and its callback.
///
/// It belongs to one browser: keep it in the browser's session, on the server or in a cookie that
/// is encrypted and signed, never in the address. It is used up by
/// [`finish`](super::AuthorizationCodeFlow::finish) and ends after an hour. `Debug` shows when.
///
/// ```
/// # use entra_auth::user::{AuthorizationCodeFlow, ClientProof, FlowState, StartOptions};
/// # let flow = AuthorizationCodeFlow::builder("contoso.com", "00000000-0000-0000-0000-000000000001", ClientProof::public())
/// #     .redirect_uri("http://localhost").scopes(["User.Read"]).build()?;
/// let (url, state) = flow.start(&StartOptions::default())?;
/// let stored = serde_json::to_string(&state)?;
/// let restored: FlowState = serde_json::from_str(&stored)?;
/// assert!(url.as_str().contains(restored.id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(PartialEq, Eq)]
pub struct FlowState {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: Secret,
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) tenant: TenantId,
    pub(super) expires_on: Timestamp,
}

impl FlowState {
    /// The `state` parameter, by which a callback finds the flow it belongs to.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.state
    }

    /// When the flow can no longer be finished.
    #[must_use]
    pub const fn expires_on(&self) -> Timestamp {
        self.expires_on
    }
}

impl fmt::Debug for FlowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowState")
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
}

impl Serialize for FlowState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored {
            state: (&*self.state).into(),
            nonce: (&*self.nonce).into(),
            verifier: self.verifier.expose().into(),
            redirect_uri: (&*self.redirect_uri).into(),
            scopes: (&*self.scopes).into(),
            tenant: self.tenant.to_string().into(),
            expires_on: self.expires_on.unix_timestamp(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FlowState {
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
        })
    }
}
