//! The cookies of a sign-in: one for the session, one for each sign-in on its way.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cookie::{Cookie, CookieBuilder, SameSite, time::Duration};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{route_urls::RouteUrls, session::SessionId};
use crate::{
    sign_in::{AdminConsentState, ReturnPath},
    store::{EncryptionKey, Seal, StoreKey},
    user::{PendingSignIn, ResponseMode},
};

/// What a browser keeps for the site, and how.
#[derive(Debug)]
pub(super) struct Cookies {
    seal: Seal,
    secure: bool,
    /// Whether answers come as a form that another site posts.
    posted: bool,
}

/// A sign-in on its way, as the browser's cookie has it, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Flow {
    pub(super) state: PendingSignIn,
    pub(super) back: ReturnPath,
    /// The ticket that the browser had at the start, which a post from another site leaves out.
    pub(super) ticket: Option<String>,
    /// Whether it was started anew for a claims challenge.
    pub(super) challenged: bool,
}

/// An admin's consent on its way.
#[derive(Serialize, Deserialize)]
pub(super) struct Consent {
    pub(super) state: AdminConsentState,
    pub(super) back: ReturnPath,
}

/// What is on its way through the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlowCookie {
    SignIn,
    Consent,
}

impl Cookies {
    pub(super) fn new(urls: &RouteUrls, mode: ResponseMode, keys: Vec<EncryptionKey>) -> Self {
        Self {
            seal: Seal::new(keys),
            secure: urls.is_secure(),
            posted: mode == ResponseMode::FormPost,
        }
    }

    /// The session's ticket of a request.
    pub(super) fn ticket(&self, headers: &HeaderMap) -> Option<SessionId> {
        SessionId::parse(&find(headers, self.session_name())?)
    }

    /// Hands a session to the browser, for as long as it runs.
    pub(super) fn keep(&self, ticket: &SessionId) -> HeaderValue {
        header(self.session(ticket.to_text()))
    }

    pub(super) fn drop_session(&self) -> HeaderValue {
        header(self.session(String::new()).max_age(Duration::ZERO))
    }

    /// Hands something to the browser that it brings back with the answer of this id; none if it
    /// is more than a cookie can hold.
    pub(super) fn send(
        &self,
        errand: FlowCookie,
        id: &str,
        value: &impl Serialize,
    ) -> Option<HeaderValue> {
        let name = self.name(errand, id)?;
        let value = Zeroizing::new(serde_json::to_vec(value).ok()?);
        let sealed = self.seal.close(&place(&name), value).ok()?;
        let value = URL_SAFE_NO_PAD.encode(&*sealed);
        let cookie = self.errand(errand, name, value).max_age(LIFETIME);
        (cookie.inner().value().len() <= LONGEST).then(|| header(cookie))
    }

    /// What the browser was handed, and the header that takes it back: it is good once.
    pub(super) fn bring<T: DeserializeOwned>(
        &self,
        errand: FlowCookie,
        id: &str,
        headers: &HeaderMap,
    ) -> Option<(T, HeaderValue)> {
        let name = self.name(errand, id)?;
        let sealed = URL_SAFE_NO_PAD.decode(find(headers, &name)?).ok()?;
        let value = self.seal.open(&place(&name), &sealed).ok()?;
        let value = serde_json::from_slice(&value).ok()?;
        Some((value, self.take_back(errand, name)))
    }

    /// Takes back what never came to an end, once a browser has so much of it that its requests
    /// become too long.
    pub(super) fn tidy(&self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let kinds = [FlowCookie::SignIn, FlowCookie::Consent];
        let old: Vec<(FlowCookie, String)> = all(headers)
            .filter_map(|cookie| {
                let name = cookie.name().to_owned();
                let errand = kinds
                    .into_iter()
                    .find(|&errand| name.starts_with(self.prefix(errand)))?;
                Some((errand, name))
            })
            .collect();
        if old.len() < MOST_ERRANDS {
            return Vec::new();
        }
        old.into_iter()
            .map(|(errand, name)| self.take_back(errand, name))
            .collect()
    }

    fn take_back(&self, errand: FlowCookie, name: String) -> HeaderValue {
        let cookie = self.errand(errand, name, String::new());
        header(cookie.max_age(Duration::ZERO))
    }

    /// `__Host-` keeps other sites of the same domain from planting one.
    fn session(&self, value: String) -> CookieBuilder<'static> {
        Cookie::build((self.session_name(), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
    }

    /// `__Host-` here too: else a neighbour of the same domain could plant a sign-in of its own and
    /// have somebody enter under the wrong name.
    ///
    /// A form that another site posts brings cookies along only if they say `SameSite=None`, which
    /// needs `Secure`; browsers but Safari accept that on a loopback address without TLS too.
    fn errand(&self, errand: FlowCookie, name: String, value: String) -> CookieBuilder<'static> {
        let posted = self.posted && errand == FlowCookie::SignIn;
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .same_site(if posted {
                SameSite::None
            } else {
                SameSite::Lax
            })
            .secure(self.secure || posted)
    }

    const fn session_name(&self) -> &'static str {
        match self.secure {
            true => "__Host-entra-session",
            false => "entra-session",
        }
    }

    const fn prefix(&self, errand: FlowCookie) -> &'static str {
        match (self.secure, errand) {
            (true, FlowCookie::SignIn) => "__Host-entra-flow-",
            (false, FlowCookie::SignIn) => "entra-flow-",
            (true, FlowCookie::Consent) => "__Host-entra-consent-",
            (false, FlowCookie::Consent) => "entra-consent-",
        }
    }

    /// Several tabs may be on their way at once, so each has a cookie of its own.
    fn name(&self, errand: FlowCookie, id: &str) -> Option<String> {
        let id = id.get(..ID)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        id.bytes()
            .all(plain)
            .then(|| format!("{}{id}", self.prefix(errand)))
    }
}

/// A sealed value is bound to its cookie.
fn place(name: &str) -> StoreKey {
    StoreKey::new("web cookie", name)
}

fn find(headers: &HeaderMap, name: &str) -> Option<String> {
    all(headers)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

fn all(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
}

fn header(cookie: CookieBuilder<'static>) -> HeaderValue {
    // Names and values are of our own making, in printable ASCII.
    HeaderValue::try_from(cookie.build().to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// Of a state's 43 characters; enough to tell tabs apart.
const ID: usize = 16;
/// As long as a flow.
const LIFETIME: Duration = Duration::hours(1);
/// Of the 4096 bytes that every browser keeps, name and attributes included.
const LONGEST: usize = 3800;
const MOST_ERRANDS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(address: &str, mode: ResponseMode) -> Cookies {
        let urls = RouteUrls::at(address).unwrap();
        Cookies::new(&urls, mode, vec![EncryptionKey::new([7; 32])])
    }

    fn text(header: &HeaderValue) -> &str {
        header.to_str().unwrap()
    }

    const ID: &str = "0123456789abcdefXYZ";

    #[test]
    fn a_session_is_for_this_site_alone_and_for_no_script() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let ticket = SessionId::parse("g.i").unwrap();
        assert_eq!(
            text(&cookies.keep(&ticket)),
            "__Host-entra-session=g.i; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
        assert!(text(&cookies.drop_session()).contains("Max-Age=0"));
        let local = super::tests::cookies("http://localhost:1/auth", ResponseMode::Query);
        assert_eq!(
            text(&local.keep(&ticket)),
            "entra-session=g.i; HttpOnly; SameSite=Lax; Path=/"
        );
    }

    #[test]
    fn only_a_posted_answer_has_a_cookie_that_crosses_sites() {
        for (address, mode, expected) in [
            (
                "https://a.example/auth",
                ResponseMode::Query,
                "; SameSite=Lax; Secure; Path=/; Max-Age=3600",
            ),
            (
                "https://a.example/auth",
                ResponseMode::FormPost,
                "; SameSite=None; Secure; Path=/; Max-Age=3600",
            ),
            (
                "http://localhost:1/auth",
                ResponseMode::Query,
                "; SameSite=Lax; Path=/; Max-Age=3600",
            ),
            (
                "http://localhost:1/auth",
                ResponseMode::FormPost,
                "; SameSite=None; Secure; Path=/; Max-Age=3600",
            ),
        ] {
            let sent = cookies(address, mode)
                .send(FlowCookie::SignIn, ID, &"x")
                .unwrap();
            assert!(text(&sent).ends_with(expected), "{sent:?}");
            assert!(text(&sent).contains("; HttpOnly"), "{sent:?}");
        }
    }

    #[test]
    fn what_was_sent_comes_back_unread_unchanged_and_from_its_own_place_only() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let sent = cookies.send(FlowCookie::SignIn, ID, &"canary").unwrap();
        let (pair, _) = text(&sent).split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        assert!(name.starts_with("__Host-entra-flow-0123"));
        assert!(
            !String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(value).unwrap()).contains("canary")
        );
        let request = |pair: String| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, pair.try_into().unwrap());
            headers
        };
        let bring = |errand, headers: &HeaderMap| cookies.bring::<String>(errand, ID, headers);
        let (back, gone) = bring(FlowCookie::SignIn, &request(format!("a=b; {pair}"))).unwrap();
        assert!(back == "canary" && text(&gone).contains("Max-Age=0"));
        let moved = format!("__Host-entra-consent-0123456789abcdef={value}");
        let other = if &value[9..10] == "A" { "B" } else { "A" };
        let changed = format!("{name}={}{other}{}", &value[..9], &value[10..]);
        for other in [moved, changed, format!("{name}=!"), format!("{name}=")] {
            let errand = if other.contains("consent") {
                FlowCookie::Consent
            } else {
                FlowCookie::SignIn
            };
            assert!(bring(errand, &request(other)).is_none());
        }
        for id in ["", "short", "0123456789;bcdefXYZ", "\u{e9}123456789abcdef"] {
            assert!(cookies.send(FlowCookie::SignIn, id, &"x").is_none(), "{id}");
        }
        assert!(
            cookies
                .send(FlowCookie::SignIn, ID, &"x".repeat(4000))
                .is_none()
        );
    }

    #[test]
    fn many_abandoned_sign_ins_are_taken_back() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let pairs = |count: usize| {
            let pairs: Vec<String> = (0..count)
                .map(|number| format!("__Host-entra-flow-{number:016}=x"))
                .collect();
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, pairs.join("; ").try_into().unwrap());
            headers
        };
        assert!(cookies.tidy(&pairs(4)).is_empty());
        assert_eq!(cookies.tidy(&pairs(5)).len(), 5);
    }
}
