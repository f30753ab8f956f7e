//! The cookies of a sign-in: one for the session, one for each sign-in that is pending.

use std::{fmt, sync::Arc};

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cookie::{Cookie, CookieBuilder, SameSite, time::Duration};
use entra_core::Clock;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{route_urls::RouteUrls, session_id::SessionId};
use crate::{
    sign_in::{AdminConsentState, ReturnPath},
    store::{EncryptionKey, Seal, StoreKey},
    user::{ResponseMode, ShortPendingSignIn},
};

/// Reads and writes the cookies of a site.
pub(super) struct Cookies {
    seal: Seal,
    /// A part of every name, so that sites on the same host have different cookies.
    site: String,
    secure: bool,
    /// Whether responses are posted by the sign-in service's page.
    form_post: bool,
    clock: Arc<dyn Clock>,
}

/// A pending sign-in, which is encrypted in a cookie.
#[derive(Serialize, Deserialize)]
pub(super) struct Flow {
    pub(super) state: ShortPendingSignIn,
    pub(super) connection: String,
    pub(super) return_path: ReturnPath,
    /// The session that the browser had at the start, if the response is posted without its cookie.
    pub(super) session_id: Option<String>,
    /// Whether the sign-in was restarted for a claims challenge.
    pub(super) challenged: bool,
    /// Whether the sign-in was restarted because another replica redeemed its code.
    pub(super) restarted: bool,
}

/// A pending admin consent.
#[derive(Serialize, Deserialize)]
pub(super) struct Consent {
    pub(super) state: AdminConsentState,
    pub(super) return_path: ReturnPath,
}

/// What a cookie of a pending flow is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlowCookie {
    SignIn,
    Consent,
    /// A sign-out that is not complete because the store failed.
    SignOut,
}

/// A cookie of a pending flow in a request.
struct PresentCookie {
    kind: FlowCookie,
    name: String,
    bytes: usize,
}

impl Cookies {
    pub(super) fn new(
        urls: &RouteUrls,
        mode: ResponseMode,
        keys: Vec<EncryptionKey>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            seal: Seal::new(keys),
            site: urls.site(),
            secure: urls.is_secure(),
            form_post: mode == ResponseMode::FormPost,
            clock,
        }
    }

    /// The session id of a request.
    pub(super) fn session_id(&self, headers: &HeaderMap) -> Option<SessionId> {
        let own = self.session_name();
        cookie_pairs(headers)
            .filter(|(name, _)| *name == own)
            .find_map(|(_, value)| SessionId::parse(value))
    }

    /// The header that stores the session's cookie until the browser is closed.
    pub(super) fn session_cookie(&self, session_id: &SessionId) -> HeaderValue {
        header(self.session_builder(session_id.to_text()))
    }

    pub(super) fn session_removal(&self) -> HeaderValue {
        header(self.session_builder(String::new()).max_age(Duration::ZERO))
    }

    /// The header that stores a pending flow under this id. `None` if it is too large for a cookie.
    pub(super) fn pending_cookie(
        &self,
        kind: FlowCookie,
        id: &str,
        value: &impl Serialize,
    ) -> Option<HeaderValue> {
        let name = self.name(kind, id)?;
        let value = Zeroizing::new(serde_json::to_vec(value).ok()?);
        let encrypted = self.seal.close(&store_key(&name), value).ok()?;
        let value = URL_SAFE_NO_PAD.encode(&*encrypted);
        let cookie = self.pending_builder(kind, name, value).max_age(LIFETIME);
        (cookie.inner().value().len() <= MAX_COOKIE_BYTES).then(|| header(cookie))
    }

    /// The pending flow with this id, and the header that removes its cookie.
    pub(super) fn take_pending<T: DeserializeOwned>(
        &self,
        kind: FlowCookie,
        id: &str,
        headers: &HeaderMap,
    ) -> Option<(T, HeaderValue)> {
        let prefix = self.prefix(kind);
        let suffix = format!("-{}", id_prefix(id)?);
        let has_id = |(name, _): &(&str, &str)| {
            name.strip_prefix(&prefix)
                .is_some_and(|rest| rest.ends_with(&suffix))
        };
        // A cookie of the same name that another site has set cannot be decrypted.
        cookie_pairs(headers)
            .filter(has_id)
            .find_map(|(name, value)| {
                let encrypted = URL_SAFE_NO_PAD.decode(value).ok()?;
                let value = self.seal.open(&store_key(name), &encrypted).ok()?;
                let value = serde_json::from_slice(&value).ok()?;
                Some((value, self.removal(kind, name.to_owned())))
            })
    }

    /// The headers that remove the oldest pending flows if, with the added one, their cookies would be too
    /// large for a request.
    pub(super) fn remove_oldest(
        &self,
        headers: &HeaderMap,
        added: &HeaderValue,
    ) -> Vec<HeaderValue> {
        let mut present: Vec<PresentCookie> = cookie_pairs(headers)
            .filter_map(|(name, value)| {
                let kinds = [FlowCookie::SignIn, FlowCookie::Consent];
                let of_kind = |kind: &FlowCookie| name.starts_with(&self.prefix(*kind));
                let kind = kinds.into_iter().find(of_kind)?;
                let bytes = name.len() + value.len() + SEPARATOR_BYTES;
                let name = name.to_owned();
                Some(PresentCookie { kind, name, bytes })
            })
            .collect();
        // The time precedes the id, in a fixed length. A time in the future is from a clock that was
        // ahead: its sign-in has expired, so it is removed first.
        let latest = self
            .clock
            .now()
            .unix_timestamp()
            .saturating_add(CLOCK_SKEW_SECONDS);
        let latest = format!("{latest:010x}~");
        present.sort_by_cached_key(|cookie| {
            let age = cookie.name.strip_prefix(&self.prefix(cookie.kind));
            let age = age.filter(|age| *age <= latest.as_str());
            age.map(str::to_owned)
        });
        let added = added.as_bytes().split(|byte| *byte == b';').next();
        let added = added.map_or(0, |pair| pair.len() + SEPARATOR_BYTES);
        let mut total = added + present.iter().map(|cookie| cookie.bytes).sum::<usize>();
        let mut removals = Vec::new();
        for cookie in present {
            if total <= MAX_TOTAL_BYTES {
                break;
            }
            total -= cookie.bytes;
            removals.push(self.removal(cookie.kind, cookie.name));
        }
        removals
    }

    fn removal(&self, kind: FlowCookie, name: String) -> HeaderValue {
        let cookie = self.pending_builder(kind, name, String::new());
        header(cookie.max_age(Duration::ZERO))
    }

    /// `__Host-` prevents other hosts of the same domain from setting the cookie.
    fn session_builder(&self, value: String) -> CookieBuilder<'static> {
        Cookie::build((self.session_name(), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
    }

    /// `__Host-` here as well: otherwise another host of the same domain could set a pending sign-in of
    /// its own and sign the user in with the wrong account (login CSRF).
    ///
    /// Browsers send cookies with a form that another site posts only if they have `SameSite=None`, which
    /// needs `Secure`. All browsers but Safari accept that on a loopback address without TLS, too.
    fn pending_builder(
        &self,
        kind: FlowCookie,
        name: String,
        value: String,
    ) -> CookieBuilder<'static> {
        let is_posted = self.form_post && kind == FlowCookie::SignIn;
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .same_site(if is_posted {
                SameSite::None
            } else {
                SameSite::Lax
            })
            .secure(self.secure || is_posted)
    }

    fn session_name(&self) -> String {
        format!("{}entra-session-{}", self.host(), self.site)
    }

    fn prefix(&self, kind: FlowCookie) -> String {
        let kind = match kind {
            FlowCookie::SignIn => "flow",
            FlowCookie::Consent => "consent",
            FlowCookie::SignOut => "sign-out",
        };
        format!("{}entra-{kind}-{}-", self.host(), self.site)
    }

    const fn host(&self) -> &'static str {
        match self.secure {
            true => "__Host-",
            false => "",
        }
    }

    /// The name of a cookie. Several tabs may sign in at once, so each sign-in has a cookie of its own. The
    /// name contains the time of its start, so that the oldest can be found.
    fn name(&self, kind: FlowCookie, id: &str) -> Option<String> {
        let id = id_prefix(id)?;
        let started = match kind {
            FlowCookie::SignOut => 0,
            _ => self.clock.now().unix_timestamp().max(0),
        };
        Some(format!("{}{started:010x}-{id}", self.prefix(kind)))
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookies")
            .field("site", &self.site)
            .field("secure", &self.secure)
            .finish_non_exhaustive()
    }
}

/// The part of an id that is in a cookie's name.
fn id_prefix(id: &str) -> Option<&str> {
    let id = id.get(..ID_CHARS)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    id.bytes().all(is_plain).then_some(id)
}

/// An encrypted value is bound to the name of its cookie.
fn store_key(name: &str) -> StoreKey {
    StoreKey::new("web cookie", name)
}

/// The cookies of a request. Another application on the host may have set a cookie that is not text,
/// which is skipped.
///
/// Only spaces and tabs around a name are removed (RFC 6265, 5.2). A parser that removes all of
/// Unicode's white space would read a name that has such a character before `__Host-` as a `__Host-`
/// name, and browsers let every site of the same domain set it.
fn cookie_pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
            Some((
                name.trim_matches(SPACE_OR_TAB),
                value.trim_matches(SPACE_OR_TAB),
            ))
        })
}

fn header(cookie: CookieBuilder<'static>) -> HeaderValue {
    // Names and values are generated here, in printable ASCII.
    HeaderValue::try_from(cookie.build().to_string()).unwrap_or(HeaderValue::from_static(""))
}

const SPACE_OR_TAB: [char; 2] = [' ', '\t'];
/// How many of a state's 43 characters are in a cookie's name: enough to distinguish tabs.
const ID_CHARS: usize = 16;
/// By how much the clocks of replicas may differ, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 300;
/// The lifetime of a pending flow.
const LIFETIME: Duration = Duration::hours(1);
/// Browsers store at least 4096 bytes, name and attributes included.
const MAX_COOKIE_BYTES: usize = 3800;
/// The separator of two cookies and the equals sign.
const SEPARATOR_BYTES: usize = 3;
/// For all pending flows of a browser: common servers accept a header line of 8 KiB, and the
/// application has cookies, too.
const MAX_TOTAL_BYTES: usize = 7 * 1024;

#[cfg(test)]
mod tests {
    use entra_core::{ManualClock, Timestamp};

    use super::*;

    fn cookies(address: &str, mode: ResponseMode) -> Cookies {
        let urls = RouteUrls::at(address).unwrap();
        let clock = ManualClock::at(Timestamp::from_unix_timestamp(0x6a00_0000).unwrap());
        Cookies::new(
            &urls,
            mode,
            vec![EncryptionKey::new([7; 32])],
            Arc::new(clock),
        )
    }

    fn text(header: &HeaderValue) -> &str {
        header.to_str().unwrap()
    }

    const ID: &str = "0123456789abcdefXYZ";

    #[test]
    fn the_session_cookie_is_bound_to_the_host_and_hidden_from_scripts() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let session_id = SessionId::parse("g.i.").unwrap();
        assert_eq!(
            text(&cookies.session_cookie(&session_id)),
            format!(
                "__Host-entra-session-{}=g.i.; HttpOnly; SameSite=Lax; Secure; Path=/",
                cookies.site
            )
        );
        assert!(text(&cookies.session_removal()).contains("Max-Age=0"));
        let local = super::tests::cookies("http://localhost:1/auth", ResponseMode::Query);
        assert_eq!(
            text(&local.session_cookie(&session_id)),
            format!(
                "entra-session-{}=g.i.; HttpOnly; SameSite=Lax; Path=/",
                local.site
            )
        );
    }

    #[test]
    fn only_a_posted_response_needs_a_cookie_with_same_site_none() {
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
                .pending_cookie(FlowCookie::SignIn, ID, &"x")
                .unwrap();
            assert!(text(&sent).ends_with(expected), "{sent:?}");
            assert!(text(&sent).contains("; HttpOnly"), "{sent:?}");
        }
    }

    #[test]
    fn a_pending_flow_is_encrypted_and_bound_to_the_name_of_its_cookie() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let sent = cookies
            .pending_cookie(FlowCookie::SignIn, ID, &"canary")
            .unwrap();
        let (pair, _) = text(&sent).split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let site = &cookies.site;
        let expected = format!("__Host-entra-flow-{site}-006a000000-0123456789abcdef");
        assert_eq!(name, expected);
        assert!(
            !String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(value).unwrap()).contains("canary")
        );
        let request = |pair: String| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, pair.try_into().unwrap());
            headers
        };
        let take_pending =
            |kind, headers: &HeaderMap| cookies.take_pending::<String>(kind, ID, headers);
        let (return_path, removal) =
            take_pending(FlowCookie::SignIn, &request(format!("a=b; {pair}"))).unwrap();
        assert!(return_path == "canary" && text(&removal).contains("Max-Age=0"));
        let moved = format!("__Host-entra-consent-{site}-006a000000-0123456789abcdef={value}");
        let later = format!("__Host-entra-flow-{site}-006a000001-0123456789abcdef={value}");
        let other = if &value[9..10] == "A" { "B" } else { "A" };
        let changed = format!("{name}={}{other}{}", &value[..9], &value[10..]);
        for other in [
            moved,
            later,
            changed,
            format!("{name}=!"),
            format!("{name}="),
        ] {
            let kind = if other.contains("consent") {
                FlowCookie::Consent
            } else {
                FlowCookie::SignIn
            };
            assert!(take_pending(kind, &request(other)).is_none());
        }
        for id in ["", "short", "0123456789;bcdefXYZ", "\u{e9}123456789abcdef"] {
            assert!(
                cookies
                    .pending_cookie(FlowCookie::SignIn, id, &"x")
                    .is_none(),
                "{id}"
            );
        }
        assert!(
            cookies
                .pending_cookie(FlowCookie::SignIn, ID, &"x".repeat(4000))
                .is_none()
        );
    }

    #[test]
    fn the_oldest_pending_sign_ins_are_removed_if_a_request_would_be_too_large() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let name = |time: usize, kind: &str| {
            format!(
                "__Host-entra-{kind}-{}-{time:010x}-{time:016}",
                cookies.site
            )
        };
        let with = |pairs: Vec<String>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, pairs.join("; ").try_into().unwrap());
            headers
        };
        let value = "x".repeat(900);
        let pair = |time: usize| format!("{}={value}", name(time, "flow"));
        let added = HeaderValue::try_from(format!("{}; HttpOnly; Path=/", pair(99))).unwrap();
        // In any order of the browser's.
        let six: Vec<_> = [3, 1, 6, 2, 5, 4].map(pair).to_vec();
        assert!(cookies.remove_oldest(&with(six.clone()), &added).is_empty());
        let mut seven = six.clone();
        seven.push(pair(7));
        let removal = cookies.remove_oldest(&with(seven.clone()), &added);
        assert_eq!(removal.len(), 1);
        assert!(text(&removal[0]).starts_with(&format!("{}=;", name(1, "flow"))));
        // A cookie from a clock that was ahead is removed first.
        let mut with_future = seven.clone();
        with_future.push(pair(0x6a00_0000 + 3600));
        let removal = cookies.remove_oldest(&with(with_future), &added);
        let names: Vec<_> = removal
            .iter()
            .map(|cookie| text(cookie).split('=').next().unwrap())
            .collect();
        assert_eq!(names, [name(0x6a00_0000 + 3600, "flow"), name(1, "flow")]);
        // A pending consent counts as well, and other cookies do not.
        seven.push(format!("{}={value}", name(0, "consent")));
        seven.push(format!("other={}", "y".repeat(9000)));
        seven.push(format!("__Host-entra-flow-othersite0-0000000000-x={value}"));
        let removal = cookies.remove_oldest(&with(seven), &added);
        let names: Vec<_> = removal
            .iter()
            .map(|cookie| text(cookie).split('=').next().unwrap())
            .collect();
        assert_eq!(names, [name(0, "consent"), name(1, "flow")]);
    }

    #[test]
    fn a_cookie_that_is_not_text_hides_no_other_cookie() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let id = SessionId::parse("g.i.").unwrap();
        let own = format!("__Host-entra-session-{}={}", cookies.site, id.to_text());
        for other in [
            &b"name=caf\xe9"[..],
            b"\xff\xfe=x",
            "n\u{e4}me=\u{1f36a}".as_bytes(),
            b"=",
            b";;",
            b"a",
            b"b=\"x",
        ] {
            for order in [[other, own.as_bytes()], [own.as_bytes(), other]] {
                let mut headers = HeaderMap::new();
                let header = HeaderValue::from_bytes(&order.join(&b"; "[..])).unwrap();
                headers.insert(header::COOKIE, header);
                assert!(
                    cookies.session_id(&headers) == Some(id.clone()),
                    "{other:?}"
                );
            }
        }
    }

    /// A subdomain may set any name without the prefix, such as one with a blank of Unicode before it.
    #[test]
    fn a_name_with_unicode_white_space_around_it_is_another_name() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let id = SessionId::parse("g.i.").unwrap();
        let session = format!("{}={}", cookies.session_name(), id.to_text());
        let sent = cookies
            .pending_cookie(FlowCookie::SignIn, ID, &"canary")
            .unwrap();
        let flow = text(&sent).split(';').next().unwrap();
        let request = |pair: &str| {
            let mut headers = HeaderMap::new();
            let pair = HeaderValue::from_bytes(pair.as_bytes()).unwrap();
            headers.insert(header::COOKIE, pair);
            headers
        };
        for white_space in [" ", "\t", ""] {
            let headers = request(&format!("a=b;{white_space}{session};{white_space}{flow}"));
            assert!(cookies.session_id(&headers) == Some(id.clone()));
            assert!(
                cookies
                    .take_pending::<String>(FlowCookie::SignIn, ID, &headers)
                    .is_some()
            );
        }
        for blank in [
            "\u{85}", "\u{a0}", "\u{1680}", "\u{2000}", "\u{2007}", "\u{200a}", "\u{2028}",
            "\u{2029}", "\u{202f}", "\u{205f}", "\u{3000}", "\u{feff}", "\u{200b}",
        ] {
            for (before, after) in [(blank, ""), ("", blank)] {
                let around = |pair: &str| {
                    let (name, value) = pair.split_once('=').unwrap();
                    format!("{before}{name}{after}={value}")
                };
                let headers = request(&format!("{}; {}", around(&session), around(flow)));
                assert!(cookies.session_id(&headers).is_none(), "{blank:?}");
                let pending = cookies.take_pending::<String>(FlowCookie::SignIn, ID, &headers);
                assert!(pending.is_none(), "{blank:?}");
                assert!(cookies.remove_oldest(&headers, &sent).is_empty());
            }
        }
    }

    /// Without TLS another path may have a cookie of the same name; so may an old browser.
    #[test]
    fn a_session_is_found_beside_a_malformed_cookie_of_its_name() {
        let cookies = cookies("http://localhost:1/auth", ResponseMode::Query);
        let id = SessionId::parse("g.i.").unwrap();
        let name = cookies.session_name();
        for other in ["", "g", "g.i", "g.i.x.y", "\"g.i.\"", "g.i.%41", "g!.i."] {
            let mut headers = HeaderMap::new();
            let pairs = format!("{name}={other}; {name}={}", id.to_text());
            headers.insert(header::COOKIE, pairs.try_into().unwrap());
            assert!(cookies.session_id(&headers) == Some(id.clone()), "{other}");
        }
    }

    #[test]
    fn sites_on_one_host_have_different_cookies() {
        let names = [
            "https://a.example/auth",
            "https://a.example/other",
            "https://a.example",
            "https://a.example:8443/auth",
        ]
        .map(|address| cookies(address, ResponseMode::Query).session_name());
        for (number, name) in names.iter().enumerate() {
            assert!(!names[number + 1..].contains(name), "{name}");
        }
        let same = cookies("https://A.example:443/auth/", ResponseMode::Query).session_name();
        assert_eq!(same, names[0]);
    }
}
