use std::fmt;

use entra_core::{Secret, url::Url};

use super::{
    client::{SignInClient, mismatch_error},
    error::SignInError,
    identity::Identity,
    kind::SignInErrorKind,
};
use crate::user::callback::{CallbackMismatch, Parameters};

/// The options of a sign-out at Entra.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignOutOptions {
    /// Where Entra redirects the browser afterwards. It must be registered as a redirect URI; otherwise
    /// Entra shows its own page.
    pub post_logout_redirect_uri: Option<String>,
    /// The account to sign out, so that Entra does not ask: [`Identity::login_hint`], not a user name.
    pub logout_hint: Option<String>,
    /// An opaque value that Entra returns with the redirect.
    pub state: Option<String>,
}

/// Entra's request, in a hidden frame, to end a session at this application as well
/// (OpenID Connect Front-Channel Logout 1.0).
///
/// Any client can send such a request, so only end the sessions whose identity it
/// [matches](Self::matches), and respond with 200.
#[derive(Clone, PartialEq, Eq)]
pub struct FrontChannelSignOut {
    /// Issuer and session.
    named: Option<(String, String)>,
}

impl fmt::Debug for SignOutOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hint names a user, and the state may be a secret.
        f.debug_struct("SignOutOptions")
            .field("post_logout_redirect_uri", &self.post_logout_redirect_uri)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FrontChannelSignOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = self.named.as_ref().map(|(issuer, _)| issuer);
        f.debug_struct("FrontChannelSignOut")
            .field("issuer", &issuer)
            .finish_non_exhaustive()
    }
}

impl SignInClient {
    /// The URL that signs a browser out of Entra, and so of every application that has a
    /// front-channel logout URL. Remove the user's tokens here as well: [`sign_out`](Self::sign_out).
    ///
    /// ```
    /// # use entra_auth::{SignInClient, sign_in::SignOutOptions, user::ClientAuthentication};
    /// # let client = SignInClient::builder("contoso.com", "22222222-2222-2222-2222-222222222222", ClientAuthentication::public())
    /// #     .redirect_uri("https://app.example.com/callback").build()?;
    /// let mut options = SignOutOptions::default();
    /// options.post_logout_redirect_uri = Some("https://app.example.com/bye".to_owned());
    /// let url = client.sign_out_url(&options)?;
    /// assert!(url.path().ends_with("/contoso.com/oauth2/v2.0/logout"));
    /// # Ok::<(), entra_auth::sign_in::SignInError>(())
    /// ```
    ///
    /// # Errors
    /// [`SignInErrorKind::Configuration`] if the service is not Entra, or the redirect URI is not
    /// an absolute URL.
    pub fn sign_out_url(&self, options: &SignOutOptions) -> Result<Url, SignInError> {
        let application = self.flow().application();
        let endpoint = application
            .settings
            .cloud
            .end_session_endpoint(&application.tenant);
        let Some(mut url) = endpoint else {
            return Err(SignInError::configuration(
                "sign-out URLs are supported for Entra only",
            ));
        };
        let redirect_uri = options.post_logout_redirect_uri.as_deref();
        if redirect_uri.is_some_and(|redirect_uri| Url::parse(redirect_uri).is_err()) {
            return Err(SignInError::configuration(
                "the post_logout_redirect_uri is not an absolute URL",
            ));
        }
        for (name, value) in [
            ("post_logout_redirect_uri", redirect_uri),
            ("logout_hint", options.logout_hint.as_deref()),
            ("state", options.state.as_deref()),
        ] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Ok(url)
    }
}

impl FrontChannelSignOut {
    /// Reads the URL or the query of the request.
    ///
    /// # Errors
    /// [`SignInErrorKind::CallbackMalformed`] for a request that is too long, has a repeated
    /// parameter, or only one of issuer and session.
    pub fn parse(request: &str) -> Result<Self, SignInError> {
        let parameters = Parameters::read(request).map_err(mismatch_error)?;
        let get = |name: &str| -> Result<Option<String>, SignInError> {
            let value = parameters.get(name).map_err(mismatch_error)?;
            if value.is_some_and(|value| value.is_empty() || value.len() > MAX_VALUE_BYTES) {
                return Err(mismatch_error(CallbackMismatch::TooLong));
            }
            Ok(value.map(str::to_owned))
        };
        match (get("iss")?, get("sid")?) {
            (Some(issuer), Some(session)) => Ok(Self {
                named: Some((issuer, session)),
            }),
            (None, None) => Ok(Self { named: None }),
            _ => Err(SignInError::with_detail(
                SignInErrorKind::CallbackMalformed,
                "it names an issuer or a session, but not both",
            )),
        }
    }

    /// Whether the session of this user is to be ended. It requires the optional claim `sid`.
    #[must_use]
    pub fn matches(&self, identity: &Identity) -> bool {
        let (Some((issuer, session)), Some(sid)) = (&self.named, &identity.sid) else {
            return false;
        };
        // A comparison in constant time does not reveal parts of the session id.
        *issuer == identity.issuer && Secret::from(session.as_str()) == Secret::from(sid.as_str())
    }

    /// Whether it names no session: then it is for the session of the browser's cookie.
    #[must_use]
    pub const fn is_for_this_browser(&self) -> bool {
        self.named.is_none()
    }

    /// The session to end.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.named.as_ref().map(|(_, session)| session.as_str())
    }

    /// The issuer of the session.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.named.as_ref().map(|(issuer, _)| issuer.as_str())
    }
}

/// The maximum length of an issuer or a session id.
const MAX_VALUE_BYTES: usize = 512;
