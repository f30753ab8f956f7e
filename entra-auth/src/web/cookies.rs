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
    posted: bool,
    clock: Arc<dyn Clock>,
}

/// A pending sign-in, which is encrypted in a cookie.
#[derive(Serialize, Deserialize)]
pub(super) struct Flow {
    pub(super) state: ShortPendingSignIn,
    pub(super) connection: String,
    pub(super) back: ReturnPath,
    /// The session that the browser had at the start, if the response is posted without its cookie.
    pub(super) ticket: Option<String>,
    /// Whether the sign-in was restarted for a claims challenge.
    pub(super) challenged: bool,
    /// Whether the sign-in was restarted because another replica redeemed its code.
    pub(super) restarted: bool,
}

/// A pending admin consent.
#[derive(Serialize, Deserialize)]
pub(super) struct Consent {
    pub(super) state: AdminConsentState,
    pub(super) back: ReturnPath,
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
struct Carried {
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
            posted: mode == ResponseMode::FormPost,
            clock,
        }
    }

    /// The session id of a request.
    pub(super) fn ticket(&self, headers: &HeaderMap) -> Option<SessionId> {
        let own = self.session_name();
        all(headers)
            .filter(|(name, _)| *name == own)
            .find_map(|(_, value)| SessionId::parse(value))
    }

    /// The header that stores the session's cookie until the browser is closed.
    pub(super) fn keep(&self, ticket: &SessionId) -> HeaderValue {
        header(self.session(ticket.to_text()))
    }

    pub(super) fn drop_session(&self) -> HeaderValue {
        header(self.session(String::new()).max_age(Duration::ZERO))
    }

    /// The header that stores a pending flow under this id. `None` if it is too large for a cookie.
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

    /// The pending flow with this id, and the header that removes its cookie.
    pub(super) fn bring<T: DeserializeOwned>(
        &self,
        errand: FlowCookie,
        id: &str,
        headers: &HeaderMap,
    ) -> Option<(T, HeaderValue)> {
        let prefix = self.prefix(errand);
        let suffix = format!("-{}", short(id)?);
        let carried = |(name, _): &(&str, &str)| {
            name.strip_prefix(&prefix)
                .is_some_and(|rest| rest.ends_with(&suffix))
        };
        // A cookie of the same name that another site has set cannot be decrypted.
        all(headers).filter(carried).find_map(|(name, value)| {
            let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
            let value = self.seal.open(&place(name), &sealed).ok()?;
            let value = serde_json::from_slice(&value).ok()?;
            Some((value, self.take_back(errand, name.to_owned())))
        })
    }

    /// The headers that remove the oldest pending flows if, with the added one, their cookies would be too
    /// large for a request.
    pub(super) fn tidy(&self, headers: &HeaderMap, added: &HeaderValue) -> Vec<HeaderValue> {
        let mut carried: Vec<Carried> = all(headers)
            .filter_map(|(name, value)| {
                let kinds = [FlowCookie::SignIn, FlowCookie::Consent];
                let of_kind = |kind: &FlowCookie| name.starts_with(&self.prefix(*kind));
                let kind = kinds.into_iter().find(of_kind)?;
                let bytes = name.len() + value.len() + BETWEEN;
                let name = name.to_owned();
                Some(Carried { kind, name, bytes })
            })
            .collect();
        // The time precedes the id, in a fixed length. A time in the future is from a clock that was
        // ahead: its sign-in has expired, so it is removed first.
        let latest = self.clock.now().unix_timestamp().saturating_add(SKEW);
        let latest = format!("{latest:010x}~");
        carried.sort_by_cached_key(|one| {
            let age = one.name.strip_prefix(&self.prefix(one.kind));
            let age = age.filter(|age| *age <= latest.as_str());
            age.map(str::to_owned)
        });
        let added = added.as_bytes().split(|byte| *byte == b';').next();
        let added = added.map_or(0, |pair| pair.len() + BETWEEN);
        let mut total = added + carried.iter().map(|one| one.bytes).sum::<usize>();
        let mut gone = Vec::new();
        for one in carried {
            if total <= MOST_BYTES {
                break;
            }
            total -= one.bytes;
            gone.push(self.take_back(one.kind, one.name));
        }
        gone
    }

    fn take_back(&self, errand: FlowCookie, name: String) -> HeaderValue {
        let cookie = self.errand(errand, name, String::new());
        header(cookie.max_age(Duration::ZERO))
    }

    /// `__Host-` prevents other hosts of the same domain from setting the cookie.
    fn session(&self, value: String) -> CookieBuilder<'static> {
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

    fn session_name(&self) -> String {
        format!("{}entra-session-{}", self.host(), self.site)
    }

    fn prefix(&self, errand: FlowCookie) -> String {
        let kind = match errand {
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
    fn name(&self, errand: FlowCookie, id: &str) -> Option<String> {
        let id = short(id)?;
        let started = match errand {
            FlowCookie::SignOut => 0,
            _ => self.clock.now().unix_timestamp().max(0),
        };
        Some(format!("{}{started:010x}-{id}", self.prefix(errand)))
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
fn short(id: &str) -> Option<&str> {
    let id = id.get(..ID)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    id.bytes().all(plain).then_some(id)
}

/// An encrypted value is bound to the name of its cookie.
fn place(name: &str) -> StoreKey {
    StoreKey::new("web cookie", name)
}

/// The cookies of a request. Another application on the host may have set a cookie that is not text,
/// which is skipped.
///
/// Only blanks and tabs around a name are none of it (RFC 6265, 5.2). A parser that takes Unicode's
/// white space off makes a `__Host-` name of one that has such a character before it, which browsers
/// let every site of the same domain set.
fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
            Some((name.trim_matches(BLANK), value.trim_matches(BLANK)))
        })
}

fn header(cookie: CookieBuilder<'static>) -> HeaderValue {
    // Names and values are generated here, in printable ASCII.
    HeaderValue::try_from(cookie.build().to_string()).unwrap_or(HeaderValue::from_static(""))
}

const BLANK: [char; 2] = [' ', '\t'];
/// How many of a state's 43 characters are in a cookie's name: enough to distinguish tabs.
const ID: usize = 16;
/// By how much the clocks of replicas may differ, in seconds.
const SKEW: i64 = 300;
/// The lifetime of a pending flow.
const LIFETIME: Duration = Duration::hours(1);
/// Browsers store at least 4096 bytes, name and attributes included.
const LONGEST: usize = 3800;
/// The separator of two cookies and the equals sign.
const BETWEEN: usize = 3;
/// For all pending flows of a browser: common servers accept a header line of 8 KiB, and the
/// application has cookies, too.
const MOST_BYTES: usize = 7 * 1024;

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
    fn a_session_is_for_this_site_alone_and_for_no_script() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let ticket = SessionId::parse("g.i.").unwrap();
        assert_eq!(
            text(&cookies.keep(&ticket)),
            format!(
                "__Host-entra-session-{}=g.i.; HttpOnly; SameSite=Lax; Secure; Path=/",
                cookies.site
            )
        );
        assert!(text(&cookies.drop_session()).contains("Max-Age=0"));
        let local = super::tests::cookies("http://localhost:1/auth", ResponseMode::Query);
        assert_eq!(
            text(&local.keep(&ticket)),
            format!(
                "entra-session-{}=g.i.; HttpOnly; SameSite=Lax; Path=/",
                local.site
            )
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
        let bring = |errand, headers: &HeaderMap| cookies.bring::<String>(errand, ID, headers);
        let (back, gone) = bring(FlowCookie::SignIn, &request(format!("a=b; {pair}"))).unwrap();
        assert!(back == "canary" && text(&gone).contains("Max-Age=0"));
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
    fn only_the_oldest_sign_ins_are_taken_back_and_only_beyond_what_a_request_can_have() {
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
        assert!(cookies.tidy(&with(six.clone()), &added).is_empty());
        let mut seven = six.clone();
        seven.push(pair(7));
        let gone = cookies.tidy(&with(seven.clone()), &added);
        assert_eq!(gone.len(), 1);
        assert!(text(&gone[0]).starts_with(&format!("{}=;", name(1, "flow"))));
        // A cookie from a clock that was ahead is removed first.
        let mut with_future = seven.clone();
        with_future.push(pair(0x6a00_0000 + 3600));
        let gone = cookies.tidy(&with(with_future), &added);
        let names: Vec<_> = gone
            .iter()
            .map(|one| text(one).split('=').next().unwrap())
            .collect();
        assert_eq!(names, [name(0x6a00_0000 + 3600, "flow"), name(1, "flow")]);
        // A pending consent counts as well, and other cookies do not.
        seven.push(format!("{}={value}", name(0, "consent")));
        seven.push(format!("other={}", "y".repeat(9000)));
        seven.push(format!("__Host-entra-flow-othersite0-0000000000-x={value}"));
        let gone = cookies.tidy(&with(seven), &added);
        let names: Vec<_> = gone
            .iter()
            .map(|one| text(one).split('=').next().unwrap())
            .collect();
        assert_eq!(names, [name(0, "consent"), name(1, "flow")]);
    }

    #[test]
    fn a_cookie_that_is_no_text_hides_no_other() {
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
                assert!(cookies.ticket(&headers) == Some(id.clone()), "{other:?}");
            }
        }
    }

    /// A subdomain may set any name without the prefix, such as one with a blank of Unicode before it.
    #[test]
    fn a_name_with_white_space_of_unicode_around_it_is_another_name() {
        let cookies = cookies("https://a.example/auth", ResponseMode::Query);
        let id = SessionId::parse("g.i.").unwrap();
        let session = format!("{}={}", cookies.session_name(), id.to_text());
        let sent = cookies.send(FlowCookie::SignIn, ID, &"canary").unwrap();
        let flow = text(&sent).split(';').next().unwrap();
        let request = |pair: &str| {
            let mut headers = HeaderMap::new();
            let pair = HeaderValue::from_bytes(pair.as_bytes()).unwrap();
            headers.insert(header::COOKIE, pair);
            headers
        };
        for plain in [" ", "\t", ""] {
            let headers = request(&format!("a=b;{plain}{session};{plain}{flow}"));
            assert!(cookies.ticket(&headers) == Some(id.clone()));
            assert!(
                cookies
                    .bring::<String>(FlowCookie::SignIn, ID, &headers)
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
                assert!(cookies.ticket(&headers).is_none(), "{blank:?}");
                let brought = cookies.bring::<String>(FlowCookie::SignIn, ID, &headers);
                assert!(brought.is_none(), "{blank:?}");
                assert!(cookies.tidy(&headers, &sent).is_empty());
            }
        }
    }

    /// Without TLS another path may have a cookie of the same name; so may an old browser.
    #[test]
    fn a_session_is_found_beside_one_of_its_name_that_is_none() {
        let cookies = cookies("http://localhost:1/auth", ResponseMode::Query);
        let id = SessionId::parse("g.i.").unwrap();
        let name = cookies.session_name();
        for other in ["", "g", "g.i", "g.i.x.y", "\"g.i.\"", "g.i.%41", "g!.i."] {
            let mut headers = HeaderMap::new();
            let pairs = format!("{name}={other}; {name}={}", id.to_text());
            headers.insert(header::COOKIE, pairs.try_into().unwrap());
            assert!(cookies.ticket(&headers) == Some(id.clone()), "{other}");
        }
    }

    #[test]
    fn sites_on_one_host_have_cookies_of_their_own() {
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
