//! The callback of a sign-in. Its content is not trusted.

use std::fmt;

use entra_core::{
    Cloud, Guid, Secret, Timestamp,
    url::{Url, form_urlencoded},
};
use serde_json::json;

use super::pending_sign_in::{LIFETIME, PendingSignIn};
use crate::{
    Error, ErrorKind, moment::is_in_time, token_endpoint::service_error, wire::OAuthError,
};

/// The callback of a sign-in: its parameters, and the URL that it came to.
///
/// The address tells whose response it is: a provider could send the browser of one sign-in to
/// another one's callback, to get at its code (RFC 9700, 4.4). Only its path is compared with the
/// redirect URI that the sign-in was started with, because behind a proxy a server does not know
/// the host that browsers see.
///
/// A text is taken for an address with its query if it has one (`/callback?code=…`, with or without
/// scheme and host), and for the parameters alone otherwise. `Debug` shows nothing of it.
///
/// ```
/// use entra_auth::user::Callback;
/// // What a server has of the request: the path with the query ...
/// let by_query = Callback::from("/auth/callback/acme?code=c&state=s");
/// // ... or the path and the body of a form (`response_mode=form_post`).
/// let by_form = Callback::form("/auth/callback/acme", "code=c&state=s");
/// # let _ = (by_query, by_form);
/// ```
#[derive(Clone, Copy)]
pub struct Callback<'a> {
    address: Option<&'a str>,
    parameters: &'a str,
}

impl<'a> Callback<'a> {
    /// A form that was posted to this path or address.
    #[must_use]
    pub const fn form(address: &'a str, body: &'a str) -> Self {
        Self {
            address: Some(address),
            parameters: body,
        }
    }

    #[inline]
    fn is_too_long(&self) -> bool {
        self.address.is_some_and(|address| address.len() > LONGEST)
            || self.parameters.len() > LONGEST
    }

    /// Whether it came to this redirect URI, as far as a server can tell.
    #[inline]
    fn came_to(&self, redirect_uri: &str, needs_address: bool) -> Result<(), CallbackMismatch> {
        match self.address.map(path_of) {
            Some(Some(path)) if path_of(redirect_uri).as_ref() == Some(&path) => Ok(()),
            Some(_) => Err(CallbackMismatch::RedirectUriMismatch),
            None if needs_address => Err(CallbackMismatch::MissingRedirectUri),
            None => Ok(()),
        }
    }
}

impl<'a> From<&'a str> for Callback<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        match text.split_once('?') {
            // Within a query or a form, a question mark is a value's. A path may have any of these.
            Some((address, query)) if is_address(address) || !address.contains(['=', '&']) => {
                Self {
                    address: Some(address).filter(|address| !address.is_empty()),
                    parameters: query.split('#').next().unwrap_or_default(),
                }
            }
            _ => Self {
                address: None,
                parameters: text,
            },
        }
    }
}

impl<'a> From<&'a String> for Callback<'a> {
    #[inline]
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Debug for Callback<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

/// Whether a text begins as a path or with a scheme, which the parameters of a query or a form do not.
#[inline]
fn is_address(text: &str) -> bool {
    let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    text.starts_with('/') || has_scheme
}

/// The path of an address, or of a path, in one spelling: what callbacks are told apart by.
#[inline]
pub(crate) fn path_of(address: &str) -> Option<String> {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let address = address.get(..end)?;
    let url = match address.starts_with('/') {
        true => {
            let mut url = Url::parse("https://any.invalid").ok()?;
            url.set_path(address);
            url
        }
        false => Url::parse(address).ok()?,
    };
    Some(url.path().to_owned())
}

/// The authorization response of a pending sign-in.
pub(crate) struct AuthorizationResponse {
    /// The code, or the error of the service.
    pub(crate) outcome: Result<Secret, Error>,
    /// The issuer of the response (RFC 9207), if it has one.
    pub(crate) issuer: Option<String>,
    /// Whether it is known at which redirect URI it came.
    pub(crate) has_address: bool,
    /// The identifier of the browser's session at the service.
    #[cfg(feature = "sign-in")]
    pub(crate) session_state: Option<String>,
}

/// Why a callback does not belong to a pending sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallbackMismatch {
    TooLong,
    DuplicateParameter,
    MissingState,
    StateMismatch,
    Expired,
    MissingCode,
    /// It came to another redirect URI.
    RedirectUriMismatch,
    /// It does not say where it came to, and must.
    MissingRedirectUri,
    /// It names another issuer (RFC 9207).
    IssuerMismatch,
    /// It names no issuer, although the service promises to.
    MissingIssuer,
    /// The flow was started by another application, or at another service.
    ClientMismatch,
}

/// The parameters of a callback. Each may occur once.
pub(crate) struct Parameters(Vec<(String, String)>);

/// Reads a callback. It checks the state first, because an attacker can also send an error.
#[inline]
pub(crate) fn read(
    callback: Callback<'_>,
    flow: &PendingSignIn,
    now: Timestamp,
    needs_address: bool,
) -> Result<AuthorizationResponse, CallbackMismatch> {
    let parameters = Parameters::of(callback)?;
    parameters.check_state(&flow.state)?;
    callback.came_to(&flow.redirect_uri, needs_address)?;
    if !is_in_time(flow.expires_on, LIFETIME, now) {
        return Err(CallbackMismatch::Expired);
    }
    let get = |name: &str| parameters.get(name);
    let outcome = match (get("error")?, get("code")?) {
        (Some(error), _) => Err(authorization_error(
            error,
            get("error_description")?.unwrap_or_default(),
            get("error_subcode")?,
        )),
        (None, Some(code)) if !code.is_empty() => Ok(Secret::from(code)),
        _ => return Err(CallbackMismatch::MissingCode),
    };
    Ok(AuthorizationResponse {
        outcome,
        issuer: get("iss")?.map(str::to_owned),
        has_address: callback.address.is_some(),
        #[cfg(feature = "sign-in")]
        session_state: get("session_state")?.map(str::to_owned),
    })
}

impl AuthorizationResponse {
    /// Whether its code may be another service's, as nothing tells where it came from. An attacker who runs a provider
    /// can forward its users to Entra, and their codes must not come to it.
    pub(crate) fn is_of_unknown_origin(&self, cloud: &Cloud) -> bool {
        self.outcome.is_ok() && self.issuer.is_none() && !self.has_address && !cloud.is_entra()
    }
}

impl Parameters {
    /// Reads the parameters of a full address, of a query or of a form's body.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) fn read(callback: &str) -> Result<Self, CallbackMismatch> {
        Self::of(Callback::from(callback))
    }

    #[inline]
    fn of(callback: Callback<'_>) -> Result<Self, CallbackMismatch> {
        if callback.is_too_long() {
            return Err(CallbackMismatch::TooLong);
        }
        let parameters = form_urlencoded::parse(callback.parameters.as_bytes());
        Ok(Self(parameters.into_owned().collect()))
    }

    #[inline]
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, CallbackMismatch> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(CallbackMismatch::DuplicateParameter),
            (found, _) => Ok(found.map(|(_, value)| value.as_str())),
        }
    }

    /// Whether it has this `state`, compared in constant time.
    #[inline]
    pub(crate) fn check_state(&self, expected: &str) -> Result<(), CallbackMismatch> {
        let state = self.get("state")?.ok_or(CallbackMismatch::MissingState)?;
        if Secret::from(state) != Secret::from(expected) {
            return Err(CallbackMismatch::StateMismatch);
        }
        Ok(())
    }
}

impl CallbackMismatch {
    pub(crate) const fn cause(self) -> &'static str {
        match self {
            Self::TooLong => "it is longer than any response of the service",
            Self::DuplicateParameter => "it has a parameter twice",
            Self::MissingState => "it has no state",
            Self::StateMismatch => "its state is another one than that of this browser's sign-in",
            Self::Expired => "the sign-in took too long",
            Self::MissingCode => "it has neither a code nor an error",
            Self::RedirectUriMismatch => {
                "it came to another redirect URI than that of this sign-in"
            }
            Self::IssuerMismatch => "it names another issuer than the service of this sign-in",
            Self::MissingIssuer => "it names no issuer (iss), although the service promises to",
            Self::ClientMismatch => "its sign-in was started by another application or service",
            Self::MissingRedirectUri => {
                "it does not say to which callback it came: give the path with it"
            }
        }
    }
}

impl From<CallbackMismatch> for Error {
    #[inline]
    fn from(mismatch: CallbackMismatch) -> Self {
        if mismatch == CallbackMismatch::Expired {
            return Self::new(ErrorKind::InteractionRequired, mismatch.cause())
                .with(|inner| inner.fix = Some("restart the sign-in".into()));
        }
        Self::new(
            ErrorKind::Rejected,
            "the callback does not belong to this sign-in",
        )
        .with(|inner| {
            inner.cause = Some(mismatch.cause().into());
            inner.fix = Some(
                "restart the sign-in; if the error persists, check that the browser stores the session's cookie"
                    .into(),
            );
        })
    }
}

/// The error of an authorization response. Its text is not trusted.
#[inline]
pub(crate) fn authorization_error(error: &str, description: &str, subcode: Option<&str>) -> Error {
    let body = json!({
        "error": error,
        "error_description": description,
        "suberror": subcode,
        "correlation_id": id_in(description, "Correlation ID:"),
        "trace_id": id_in(description, "Trace ID:"),
    });
    let response = OAuthError::parse(body.to_string().as_bytes()).unwrap_or_default();
    let code = response.codes.first().copied();
    let declined = error == "access_denied" && code.is_none_or(|code| code == DECLINED);
    let error = service_error(response);
    if description.contains(FORGOTTEN_PASSWORD) {
        return error.with(|inner| {
            inner.summary = "the user asks to reset the password".into();
            inner.fix = Some("start the policy of Azure AD B2C that resets passwords".into());
        });
    }
    if !declined {
        return error;
    }
    let summary = match subcode {
        Some("cancel") => "the user cancelled the sign-in",
        _ => "the user or a policy declined the sign-in",
    };
    error.with(|inner| {
        inner.summary = summary.into();
        inner.fix = Some(
            "let the user try again, or ask an administrator to grant consent for all users".into(),
        );
    })
}

/// The id after a mark in a description, if it is valid.
#[inline]
fn id_in(description: &str, mark: &str) -> Option<String> {
    let (_, rest) = description.split_once(mark)?;
    let id: Guid = rest.split_whitespace().next()?.parse().ok()?;
    Some(id.to_string())
}

/// What Azure AD B2C says, with `access_denied`, when the user follows the link "forgot your password".
pub(crate) const FORGOTTEN_PASSWORD: &str = "AADB2C90118";
/// A callback with code, state and client information is far shorter.
const LONGEST: usize = 64 * 1024;
const DECLINED: u32 = 65_004;

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> PendingSignIn {
        PendingSignIn {
            state: "s-1".to_owned(),
            nonce: "n".to_owned(),
            verifier: Secret::from("v"),
            redirect_uri: "https://a.example/cb".to_owned(),
            scopes: Vec::new(),
            tenant: "contoso.com".parse().unwrap(),
            expires_on: Timestamp::UNIX_EPOCH + entra_core::time::Duration::seconds(600),
            client: None,
            authority: None,
            connection: None,
            max_age: None,
        }
    }

    fn code(callback: &str, now: Timestamp) -> Result<String, Error> {
        let response = super::read(callback.into(), &flow(), now, false)?;
        response.outcome.map(|code| code.expose_secret().to_owned())
    }

    fn read(callback: &str) -> Result<String, Error> {
        code(callback, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_code_is_found_in_an_address_a_query_and_a_form() {
        for callback in [
            "code=c%2B1&state=s-1&x=why?",
            "https://a.example/cb?code=c%2B1&state=s-1&session_state=x",
            "?state=s-1&code=c%2B1",
            "code=c%2B1&state=s-1",
            "https://a.example/cb?code=c%2B1&state=s-1#fragment",
        ] {
            assert_eq!(read(callback).unwrap(), "c+1", "{callback}");
        }
    }

    #[test]
    fn callback_with_another_state_is_rejected_before_it_is_read() {
        for callback in [
            "",
            "code=c",
            "code=c&state=",
            "code=c&state=s-2",
            "code=c&state=S-1",
            "code=c&state=s-1&state=s-1",
            "code=c&code=d&state=s-1",
            "error=access_denied&state=other",
            "code=c&state=s-2&x=?code=c&state=s-1",
            "state=s-1",
            "state=s-1&code=",
            &format!("state=s-1&code={}", "c".repeat(LONGEST)),
        ] {
            let error = read(callback).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Rejected, "{callback:.40}");
            assert!(error.to_string().contains("does not belong"), "{error}");
        }
    }

    #[test]
    fn a_callback_at_another_path_than_the_redirect_uri_is_rejected() {
        let at = |callback: Callback<'_>, needs_address| {
            super::read(callback, &flow(), Timestamp::UNIX_EPOCH, needs_address).err()
        };
        let body = "code=c&state=s-1";
        for good in [
            "/cb",
            "https://a.example/cb",
            // The address behind a proxy.
            "http://10.0.0.1:8080/cb",
            "/x/../cb",
        ] {
            assert_eq!(at(Callback::form(good, body), true), None, "{good}");
            let address = format!("{good}?{body}");
            assert_eq!(at(Callback::from(&address), true), None, "{good}");
        }
        for other in [
            "/cb/evil",
            "/cb/",
            "/CB",
            "/",
            "//cb",
            "/c%62",
            "cb",
            "https://a.example",
            "https://a.example/cb/evil",
            "nonsense://",
            "",
        ] {
            let found = at(Callback::form(other, body), false);
            assert_eq!(
                found,
                Some(CallbackMismatch::RedirectUriMismatch),
                "{other}"
            );
        }
        assert_eq!(at(body.into(), false), None);
        assert_eq!(
            at(body.into(), true),
            Some(CallbackMismatch::MissingRedirectUri)
        );
        let query = format!("?{body}");
        assert_eq!(
            at(Callback::from(&query), true),
            Some(CallbackMismatch::MissingRedirectUri)
        );
    }

    #[test]
    fn a_callback_path_may_have_what_separates_parameters() {
        for path in ["/cb/AT&T", "/cb;org=7", "/a=b&c/cb", "/&", "/="] {
            let mut flow = flow();
            flow.redirect_uri = format!("https://a.example{path}");
            for address in [path.to_owned(), format!("http://10.0.0.1:8080{path}")] {
                let callback = format!("{address}?code=c&state=s-1#f");
                let read = |callback: &str| {
                    super::read(callback.into(), &flow, Timestamp::UNIX_EPOCH, true)
                };
                let response = read(&callback).ok().unwrap();
                assert!(response.has_address, "{callback}");
                assert_eq!(response.outcome.unwrap().expose_secret(), "c");
                let other = format!("{address}x?code=c&state=s-1");
                let expected = CallbackMismatch::RedirectUriMismatch;
                assert_eq!(read(&other).err(), Some(expected), "{other}");
            }
        }
        // What only a value has makes no address.
        for form in [
            "code=c&state=s-1&to=https://a.example/cb?x",
            "to=//a?b&code=c&state=s-1",
            "state=s-1&code=c&to=/cb?x=y",
        ] {
            let response = super::read(form.into(), &flow(), Timestamp::UNIX_EPOCH, false);
            assert!(!response.ok().unwrap().has_address, "{form}");
        }
    }

    #[test]
    fn error_in_a_callback_keeps_number_and_message() {
        let response = "error=access_denied&error_subcode=cancel&state=s-1&error_description=AADSTS65004%3A+No.%0D%0ATrace+ID%3A+x";
        let error = read(response).unwrap_err();
        assert_eq!(error.aadsts_code(), Some(65_004));
        assert_eq!(error.service_message(), Some("AADSTS65004: No."));
        assert!(error.to_string().starts_with("the user cancelled"));
        let error =
            read("error=login_required&state=s-1&error_description=AADSTS50058%3A+x").unwrap_err();
        assert!(error.is_interaction_required());
        let odd = read("error=%1b%5B31m&state=s-1").unwrap_err();
        assert_eq!(odd.oauth_error(), None);
    }

    #[test]
    fn pending_sign_in_expires() {
        let late = flow().expires_on;
        let error = code("code=c&state=s-1", late).unwrap_err();
        assert!(error.is_interaction_required());
    }
}
