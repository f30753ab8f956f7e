//! What the journal knows of a request beside its head, for findings and for the portal. It holds no credential.

use std::{
    borrow::Cow,
    collections::VecDeque,
    hash::BuildHasher as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::{Guid, Timestamp, parse_retry_after};
use hashbrown::{DefaultHashBuilder, HashMap};
use serde::Deserialize;
use url::form_urlencoded;

use super::{
    bodies::{self, Bodies},
    properties,
    redact::without_secrets,
    token::{TokenFacts, unsigned},
};
use crate::{
    permissions::Caller,
    wire::{Reply, WireRequest, is_graph},
};

/// What is known of one request and of its response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Real time since the tenant was started: a client can wait in real time while the tenant's clock stands still.
    pub(crate) elapsed: Duration,
    /// The bearer token.
    pub(crate) token: Option<Arc<TokenFacts>>,
    /// Identifies the body. Only the bodies of Graph requests other than reads have one.
    pub(crate) body: Option<u64>,
    /// The wait that the response asked for.
    pub(crate) retry_after: Option<Duration>,
    /// The number of properties of the object in the response, or of the first object of a list. Counted for reads
    /// without `$select` only.
    pub(crate) properties: Option<usize>,
    /// The token request.
    pub(crate) grant: Option<Box<GrantFacts>>,
    /// The requests of a batch.
    pub(crate) parts: Vec<PartFacts>,
    /// The error of the response: its code and message.
    pub(crate) reason: Option<Box<str>>,
    /// Whether the client did not get the whole response.
    pub(crate) lost: bool,
    /// The bodies of request and response, if the journal keeps bodies.
    pub(super) bodies: Option<Box<Bodies>>,
}

/// What a request to the token endpoint asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GrantFacts {
    pub(crate) grant_type: String,
    /// The client id, if it is one and not a value that was pasted into the wrong field.
    pub(crate) client_id: Option<String>,
    /// The scopes that the request asked for, if it got a token. Otherwise they can be a secret in the wrong field.
    pub(crate) scope: Option<String>,
    /// Identifies all parameters of the request but the client assertion, which differs each time.
    pub(crate) form: u64,
    /// Whether the request has claims, as after a claims challenge: a new token was needed.
    pub(crate) has_claims: bool,
    /// Identifies the access token of the response.
    pub(crate) issued: Option<u64>,
    pub(crate) expires_in: Option<Duration>,
}

/// One request of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartFacts {
    pub(crate) method: String,
    /// Path with the version, still percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// Whether it has the header `ConsistencyLevel: eventual`.
    pub(crate) eventual: bool,
    /// Identifies the body, if it has one.
    pub(crate) body: Option<u64>,
    pub(crate) status: Option<u16>,
    /// The wait that its response asked for.
    pub(crate) retry_after: Option<Duration>,
}

/// Collects the facts of requests.
#[derive(Debug)]
pub(crate) struct Observer {
    hasher: DefaultHashBuilder,
    started: Instant,
    /// Whether the journal keeps requests at all.
    enabled: bool,
    /// Whether it keeps bodies.
    bodies: bool,
    /// The tokens of the newest requests, so that the requests of one client share what is known of its token.
    tokens: Mutex<VecDeque<Arc<TokenFacts>>>,
}

impl Observer {
    pub(crate) fn new(enabled: bool) -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            started: Instant::now(),
            enabled,
            bodies: false,
            tokens: Mutex::default(),
        }
    }

    /// Keeps the bodies of requests and responses from now on.
    pub(crate) fn keep_bodies(&mut self) {
        self.bodies = true;
    }

    /// Returns what is known of a request. `caller` is the caller of a valid bearer token.
    pub(crate) fn observe(
        &self,
        now: Timestamp,
        request: &WireRequest,
        reply: &Reply,
        caller: Option<Arc<Caller>>,
    ) -> Facts {
        if !self.enabled {
            return Facts::default();
        }
        let graph = is_graph(&request.path);
        let read = request.method == "GET";
        let failed = reply.status >= 300 && reply.status != 304;
        let header = |name: &str| {
            let mut headers = reply.headers.iter();
            headers
                .find(|(key, _)| *key == name)
                .map(|(_, value)| &**value)
        };
        Facts {
            elapsed: self.started.elapsed(),
            token: graph.then(|| self.token(request, caller)).flatten(),
            body: (graph && !read).then(|| self.hasher.hash_one(&request.body)),
            retry_after: header("retry-after").and_then(|value| parse_retry_after(value, now)),
            properties: (graph && read && reply.status == 200 && !selects(request))
                .then(|| properties::count(&reply.body))
                .flatten(),
            grant: self.grant(request, reply),
            parts: if graph && is_batch(request) {
                self.parts(now, request, reply)
            } else {
                Vec::new()
            },
            reason: failed
                .then(|| reason(&reply.body, header("location")))
                .flatten(),
            lost: !reply.delivery.is_complete(),
            bodies: self.bodies.then(|| {
                let short = reply.body.length() <= bodies::LONGEST;
                let response = short.then(|| bodies::kept(header("content-type"), &reply.body));
                Box::new(Bodies {
                    request: bodies::kept(request.header("content-type"), &request.body),
                    response: response.flatten(),
                })
            }),
        }
    }

    fn parts(&self, now: Timestamp, request: &WireRequest, reply: &Reply) -> Vec<PartFacts> {
        let Ok(sent) = serde_json::from_slice::<BatchRequest<'_>>(&request.body) else {
            return Vec::new();
        };
        let version = request.path.rsplit_once('/').map_or("", |(start, _)| start);
        let received = serde_json::from_slice::<BatchResponse<'_>>(&reply.body);
        let statuses: HashMap<String, (u16, Option<Duration>)> = received
            .into_iter()
            .flat_map(|batch| batch.responses)
            .map(|response| {
                let retry_after = response.retry_after(now);
                (response.id.into_owned(), (response.status, retry_after))
            })
            .collect();
        let items = sent.requests.into_iter().take(MAX_PARTS);
        items
            .map(|item| {
                let (path, query) = match item.url.split_once('?') {
                    Some((path, query)) => (path, Some(without_secrets(query))),
                    None => (item.url.as_ref(), None),
                };
                let is = |name: &str, value: &serde_json::Value| {
                    name.eq_ignore_ascii_case("consistencylevel")
                        && value
                            .as_str()
                            .is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
                };
                let status = statuses.get(item.id.as_ref());
                let body = item.body.as_ref();
                PartFacts {
                    method: item.method.to_ascii_uppercase(),
                    path: format!("{version}/{}", path.trim_start_matches('/')),
                    query,
                    eventual: item
                        .headers
                        .iter()
                        .flatten()
                        .any(|(name, value)| is(name, value)),
                    body: body.map(|body| self.hasher.hash_one(body.to_string())),
                    status: status.map(|(status, _)| *status),
                    retry_after: status.and_then(|(_, wait)| *wait),
                }
            })
            .collect()
    }

    fn token(&self, request: &WireRequest, caller: Option<Arc<Caller>>) -> Option<Arc<TokenFacts>> {
        let (_, token) = request.header("authorization")?.split_once(' ')?;
        let token = token.trim();
        if let Some(caller) = &caller {
            // The caller of a verified token is remembered with the token, so the same caller means the same token.
            let is_same = |known: &&Arc<TokenFacts>| {
                let other = known.caller.as_ref();
                other.is_some_and(|other| Arc::ptr_eq(other, caller))
            };
            let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = tokens.iter().find(is_same) {
                return Some(Arc::clone(known));
            }
        }
        Some(self.shared(TokenFacts {
            id: self.hasher.hash_one(token),
            caller,
            unsigned: unsigned(token).map(Into::into),
        }))
    }

    /// Returns what is known of the same token already, unless this request shows more.
    fn shared(&self, token: TokenFacts) -> Arc<TokenFacts> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tokens.iter_mut().find(|known| known.id == token.id) {
            if known.caller.is_none() && token.caller.is_some() {
                *known = Arc::new(token);
            }
            return Arc::clone(known);
        }
        if tokens.len() >= SHARED_TOKENS {
            tokens.pop_front();
        }
        let token = Arc::new(token);
        tokens.push_back(Arc::clone(&token));
        token
    }

    fn grant(&self, request: &WireRequest, reply: &Reply) -> Option<Box<GrantFacts>> {
        if request.method != "POST" || !is_token_path(&request.path) {
            return None;
        }
        let form: HashMap<Cow<'_, str>, Cow<'_, str>> =
            form_urlencoded::parse(&request.body).collect();
        let mut compared: Vec<_> = form
            .iter()
            .filter(|(name, _)| *name != "client_assertion")
            .collect();
        compared.sort_unstable();
        let text = |name: &str| form.get(name).map(|value| value.to_string());
        let client_id = text("client_id").or_else(|| basic_user(request));
        let response: TokenResponse<'_> = (reply.status == 200)
            .then(|| serde_json::from_slice(&reply.body).ok())
            .flatten()
            .unwrap_or_default();
        Some(Box::new(GrantFacts {
            grant_type: text("grant_type")
                .filter(|grant| GRANTS.contains(&grant.as_str()))
                .unwrap_or_default(),
            client_id: client_id.filter(|id| id.parse::<Guid>().is_ok()),
            scope: response
                .access_token
                .is_some()
                .then(|| text("scope"))
                .flatten(),
            form: self.hasher.hash_one(compared),
            has_claims: form.contains_key("claims"),
            issued: response
                .access_token
                .map(|token| self.hasher.hash_one(token.as_ref())),
            expires_in: response.expires_in.and_then(|seconds| seconds.duration()),
        }))
    }
}

#[derive(Default, Deserialize)]
struct TokenResponse<'a> {
    #[serde(borrow)]
    access_token: Option<Cow<'a, str>>,
    expires_in: Option<Seconds>,
}

/// A number, or a text as the v1.0 endpoint writes it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

impl Seconds {
    fn duration(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(seconds) => *seconds,
            Self::Text(text) => text.parse().ok()?,
        };
        Some(Duration::from_secs(seconds))
    }
}

/// How many tokens are shared between requests.
const SHARED_TOKENS: usize = 16;

/// The grants that have a name here. Any other value can be a secret in the wrong field.
const GRANTS: [&str; 7] = [
    "authorization_code",
    "client_credentials",
    "device_code",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];

/// The user name of an `Authorization: Basic` header, which is a client id.
fn basic_user(request: &WireRequest) -> Option<String> {
    let (scheme, encoded) = request.header("authorization")?.split_once(' ')?;
    let basic = scheme.eq_ignore_ascii_case("basic");
    let decoded = basic.then(|| STANDARD.decode(encoded.trim()).ok())??;
    let decoded = String::from_utf8(decoded).ok()?;
    decoded.split_once(':').map(|(user, _)| user.to_owned())
}

fn selects(request: &WireRequest) -> bool {
    let query = request.query.as_deref().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name.eq_ignore_ascii_case("$select"))
}

fn is_token_path(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with("/oauth2/v2.0/token") || path.ends_with("/oauth2/token")
}

fn is_batch(request: &WireRequest) -> bool {
    let is_path = |path: &str| {
        let path = path.to_ascii_lowercase();
        path.ends_with("/$batch") || path.ends_with("/%24batch")
    };
    request.method == "POST" && is_path(&request.path)
}

#[derive(Deserialize)]
struct BatchRequest<'a> {
    #[serde(borrow)]
    requests: Vec<BatchItem<'a>>,
}

#[derive(Deserialize)]
struct BatchItem<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
    headers: Option<serde_json::Map<String, serde_json::Value>>,
    body: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct BatchResponse<'a> {
    #[serde(borrow)]
    responses: Vec<BatchStatus<'a>>,
}

#[derive(Deserialize)]
struct BatchStatus<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    status: u16,
    headers: Option<serde_json::Map<String, serde_json::Value>>,
}

impl BatchStatus<'_> {
    fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let mut headers = self.headers.iter().flatten();
        let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
        parse_retry_after(value.as_str()?, now)
    }
}

/// The largest batch that Graph accepts.
const MAX_PARTS: usize = 20;

/// Code and message of an error, in the form of Graph, of a token endpoint, of a page or of a redirect.
fn reason(body: &[u8], location: Option<&str>) -> Option<Box<str>> {
    let text = location
        .and_then(error_of_redirect)
        .or_else(|| error_text(body))
        .or_else(|| number_of_page(body))?;
    let text = text.split(" Trace ID:").next().unwrap_or_default();
    let text: String = text.chars().take(MAX_REASON).collect();
    Some(text.into())
}

fn error_of_redirect(location: &str) -> Option<String> {
    let url = url::Url::parse(location).ok()?;
    let fragment = url.fragment().unwrap_or_default();
    let find = |name: &str| {
        let fragment = form_urlencoded::parse(fragment.as_bytes());
        let mut pairs = url.query_pairs().chain(fragment);
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let error = find("error")?;
    Some(match find("error_description") {
        Some(text) => format!("{error}: {text}"),
        None => error,
    })
}

fn error_text(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    match &body["error"] {
        serde_json::Value::String(error) => Some(match body["error_description"].as_str() {
            Some(text) => format!("{error}: {text}"),
            None => error.clone(),
        }),
        error => {
            let text = |name: &str| error[name].as_str();
            Some(format!(
                "{}: {}",
                text("code")?,
                text("message").unwrap_or_default()
            ))
        }
    }
}

/// The number on an error page, such as `AADSTS50011`.
fn number_of_page(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let start = text.find("AADSTS")?;
    let digits = text[start + 6..]
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(0);
    (digits > 0).then(|| text[start..start + 6 + digits].to_owned())
}

/// Error messages are longer only if they repeat what a client sent.
const MAX_REASON: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Delivery;

    fn request(method: &str, path: &str, body: &str) -> WireRequest {
        WireRequest {
            method: method.into(),
            path: path.into(),
            query: None,
            headers: vec![(
                "authorization".into(),
                "Bearer eyJhbGciOiJ9.eyJ0aWQiOiJ9.canary-signature".into(),
            )],
            body: body.as_bytes().to_vec(),
            base: "http://localhost".into(),
            handshakes: Vec::new(),
        }
    }

    fn observe(request: &WireRequest, reply: &Reply) -> Facts {
        Observer::new(true).observe(Timestamp::UNIX_EPOCH, request, reply, None)
    }

    #[test]
    fn a_token_is_kept_without_its_signature_and_a_secret_not_at_all() {
        let facts = observe(&request("GET", "/v1.0/users", ""), &Reply::new(401));
        let token = facts.token.as_ref().unwrap();
        assert_eq!(token.unsigned.as_deref(), Some("eyJhbGciOiJ9.eyJ0aWQiOiJ9"));
        assert!(!format!("{facts:?}").contains("eyJ"));
        for secret in [
            "canary",
            "a.b.c",
            "eyJhbGciOiJ9.canary.canary",
            "eyJhbGciOiJ9.eyJ0aWQiOiJ9.a.b.c",
        ] {
            assert_eq!(unsigned(secret), None, "{secret}");
        }
    }

    #[test]
    fn the_requests_with_one_token_share_what_is_known_of_it() {
        let observer = Observer::new(true);
        let (valid, other) = (Arc::new(Caller::default()), Arc::new(Caller::default()));
        let token = |name: &str, caller: Option<&Arc<Caller>>| {
            let mut request = request("GET", "/v1.0/users", "");
            request.headers[0].1 = format!("Bearer {name}");
            let caller = caller.map(Arc::clone);
            let facts = observer.observe(Timestamp::UNIX_EPOCH, &request, &Reply::new(200), caller);
            facts.token.unwrap()
        };
        let unknown = token("a", None);
        let known = token("a", Some(&valid));
        assert!(unknown.caller.is_none() && known.caller.is_some());
        assert_eq!(unknown.id, known.id);
        assert!(Arc::ptr_eq(&known, &token("a", Some(&valid))));
        assert!(Arc::ptr_eq(&known, &token("a", None)));
        assert_ne!(token("b", Some(&other)).id, known.id);
        for number in 0..SHARED_TOKENS {
            token(&number.to_string(), None);
        }
        assert_eq!(token("a", Some(&valid)).id, known.id);
        assert_eq!(observer.tokens.lock().unwrap().len(), SHARED_TOKENS);
    }

    #[test]
    fn a_token_request_is_described_without_its_secrets() {
        let id = "2f9c51f4-55a4-4a2c-8d2d-6d7e11d1c9aa";
        let body =
            format!("grant_type=client_credentials&client_id={id}&client_secret=canary&scope=x");
        let reply = Reply::json(
            200,
            &serde_json::json!({ "access_token": "canary-token", "expires_in": 3599 }),
        );
        let path = "/contoso.com/oauth2/v2.0/token";
        let facts = observe(&request("POST", path, &body), &reply);
        let grant = facts.grant.as_ref().unwrap();
        assert_eq!(grant.client_id.as_deref(), Some(id));
        assert_eq!(grant.expires_in, Some(Duration::from_secs(3599)));
        assert!(grant.issued.is_some() && !grant.has_claims);
        let swapped = observe(
            &request("POST", path, "client_id=canary&grant_type=canary"),
            &Reply::new(400),
        );
        assert!(!format!("{facts:?}{swapped:?}").contains("canary"));
    }

    #[test]
    fn the_same_form_is_recognized_whatever_its_order_and_assertion() {
        let observer = Observer::new(true);
        let form = |body: &str| {
            let request = request("POST", "/t/oauth2/v2.0/token", body);
            let facts = observer.observe(Timestamp::UNIX_EPOCH, &request, &Reply::new(400), None);
            facts.grant.unwrap().form
        };
        assert_eq!(
            form("a=1&b=2&client_assertion=x"),
            form("b=2&client_assertion=y&a=1")
        );
        assert_ne!(form("a=1&b=2"), form("a=1&b=3"));
    }

    #[test]
    fn the_requests_of_a_batch_have_their_own_paths_and_statuses() {
        let body = r#"{"requests":[{"id":"1","method":"get","url":"/users?$top=1&password=canary"},
            {"id":"2","method":"POST","url":"groups","headers":{"ConsistencyLevel":"Eventual"},"body":{}}]}"#;
        let reply = Reply::json(
            200,
            &serde_json::json!({ "responses": [{ "id": "2", "status": 201 }] }),
        );
        let facts = observe(&request("POST", "/v1.0/$batch", body), &reply);
        let [first, second] = facts.parts.as_slice() else {
            panic!("{facts:?}");
        };
        assert_eq!(
            (first.method.as_str(), first.path.as_str()),
            ("GET", "/v1.0/users")
        );
        assert_eq!(first.query.as_deref(), Some("$top=1&password=[redacted]"));
        assert_eq!((first.status, first.eventual), (None, false));
        assert_eq!(
            (second.path.as_str(), second.status, second.eventual),
            ("/v1.0/groups", Some(201), true)
        );
    }

    #[test]
    fn the_reason_of_an_error_is_found_in_every_form() {
        let graph = br#"{"error":{"code":"Request_BadRequest","message":"Invalid."}}"#;
        let oauth = br#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid. Trace ID: 1"}"#;
        for (body, location, expected) in [
            (&graph[..], None, Some("Request_BadRequest: Invalid.")),
            (
                &oauth[..],
                None,
                Some("invalid_client: AADSTS7000215: Invalid."),
            ),
            (b"<p>Error AADSTS50011.</p>", None, Some("AADSTS50011")),
            (
                b"",
                Some("https://shop.example/cb?error=access_denied&error_description=No"),
                Some("access_denied: No"),
            ),
            (
                b"",
                Some("https://shop.example/cb#error=access_denied"),
                Some("access_denied"),
            ),
            (b"", Some("https://shop.example/cb?code=canary"), None),
            (b"<p>AADSTS</p>", None, None),
        ] {
            assert_eq!(reason(body, location).as_deref(), expected);
        }
    }

    #[test]
    fn a_lost_response_and_the_requested_wait_are_recorded() {
        let mut reply = Reply::new(429).with_header("retry-after", "2.5");
        reply.delivery = Delivery::CutInBody;
        let facts = observe(&request("GET", "/v1.0/users", ""), &reply);
        assert_eq!(facts.retry_after, Some(Duration::from_millis(2500)));
        assert!(facts.lost);
        let off = Observer::new(false);
        let facts = off.observe(
            Timestamp::UNIX_EPOCH,
            &request("GET", "/v1.0/users", ""),
            &reply,
            None,
        );
        assert!(!facts.lost && facts.token.is_none());
    }
}
