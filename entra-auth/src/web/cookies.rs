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
    store::{EncryptionKey, Seal, StoreErrorKind, StoreKey},
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

/// The flows of one kind and id that are pending in a browser.
pub(super) struct PendingFlows<T> {
    pub(super) values: Vec<T>,
    /// The names of their cookies.
    pub(super) names: Vec<String>,
    /// Whether there are more, which only replicas with another key or version can read.
    pub(super) has_unreadable: bool,
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
        // A cookie of the same name that another site has set cannot be decrypted.
        self.pending_pairs(kind, id, headers)
            .find_map(|(name, value)| {
                let encrypted = URL_SAFE_NO_PAD.decode(value).ok()?;
                let value = self.seal.open(&store_key(name), &encrypted).ok()?;
                let value = serde_json::from_slice(&value).ok()?;
                Some((value, self.removal(kind, name.to_owned())))
            })
    }

    /// All pending flows of the kind with this id: each key has a cookie of its own.
    pub(super) fn pending_flows<T: DeserializeOwned>(
        &self,
        kind: FlowCookie,
        id: &str,
        headers: &HeaderMap,
    ) -> PendingFlows<T> {
        let mut flows = PendingFlows {
            values: Vec::new(),
            names: Vec::new(),
            has_unreadable: false,
        };
        for (name, value) in self.pending_pairs(kind, id, headers) {
            let Ok(encrypted) = URL_SAFE_NO_PAD.decode(value) else {
                continue;
            };
            let value = match self.seal.open(&store_key(name), &encrypted) {
                Ok(value) => serde_json::from_slice(&value).ok(),
                Err(error) if error.kind() == StoreErrorKind::Unreadable => None,
                // It is damaged, or is not from this site.
                Err(_) => continue,
            };
            match value {
                Some(value) => {
                    flows.values.push(value);
                    flows.names.push(name.to_owned());
                }
                None => flows.has_unreadable = true,
            }
        }
        flows
    }

    /// The cookies of pending flows of the kind with this id.
    fn pending_pairs<'h>(
        &self,
        kind: FlowCookie,
        id: &str,
        headers: &'h HeaderMap,
    ) -> impl Iterator<Item = (&'h str, &'h str)> {
        let prefix = self.prefix(kind);
        let suffix = id_prefix(id).map(|id| format!("-{id}"));
        cookie_pairs(headers).filter(move |(name, _)| {
            let rest = name.strip_prefix(prefix.as_str());
            rest.zip(suffix.as_deref())
                .is_some_and(|(rest, suffix)| rest.ends_with(suffix))
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

    /// The header that removes the cookie of a pending flow.
    pub(super) fn removal(&self, kind: FlowCookie, name: String) -> HeaderValue {
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
    ///
    /// A sign-out has a cookie for each key instead, so that a replica does not replace one that it cannot
    /// read.
    fn name(&self, kind: FlowCookie, id: &str) -> Option<String> {
        let id = id_prefix(id)?;
        let part = match kind {
            FlowCookie::SignOut => self.seal.name_of_first_key(),
            _ => format!("{:010x}", self.clock.now().unix_timestamp().max(0)),
        };
        Some(format!("{}{part}-{id}", self.prefix(kind)))
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
mod tests;
