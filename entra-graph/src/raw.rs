//! Raw requests for what this crate has no types for, over the same send path.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use entra_core::{
    Idempotency,
    bytes::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    url::Url,
};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{
    areas::operation_of,
    client::{ANY, Call, GraphClient, Payload, Reply},
    error::{Error, ServiceError},
    model::without_bom,
    operation::{Operation, Returns, Version},
    request::{IntoRequest, Request},
    stream::{Items, Page, Pages, ResumeToken, link},
};

static RAW: Operation = Operation {
    name: "raw",
    method: Method::GET,
    path: "/",
    version: Version::V1,
    idempotency: Idempotency::Safe,
    returns: Returns::Value,
    delegated: &[],
    application: &[],
    additional: &[],
    properties: &[],
};

/// A request for any path, version and body, with the same token, retries, errors and hosts as every other.
///
/// A 403 names the permissions of the [operation](crate::operations) that has its method and path, if this crate knows one.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
/// # support::block_on(async {
/// # let graph = support::graph().await;
/// use serde_json::Value;
/// let users = graph.raw("GET", "/users").query("$select", "displayName").items::<Value>();
/// let users: Vec<Value> = users.try_collect().await?;
/// assert!(users.iter().all(|user| user["displayName"].is_string()));
/// let tenant: Value = graph.raw("GET", "/organization").json().await?;
/// assert_eq!(tenant["value"].as_array().map(Vec::len), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a request does nothing until it is sent"]
#[derive(Clone)]
pub struct Raw {
    client: GraphClient,
    method: Method,
    path: String,
    version: Option<&'static str>,
    query: Vec<(String, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Payload>,
    idempotency: Option<Idempotency>,
    advanced: bool,
    problem: Option<String>,
}

/// A raw response with a success status.
///
/// `Debug` shows neither headers nor body.
#[derive(Clone)]
#[non_exhaustive]
pub struct RawResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl GraphClient {
    /// A request for a path below the version, such as `/users`, which may begin with `/beta` or `/v1.0` and
    /// have a query; or for a whole address of this client's host, such as a link from a response. The method
    /// is a [`Method`] or its name, such as `"GET"`.
    #[inline]
    pub fn raw<M>(&self, method: M, path: impl Into<String>) -> Raw
    where
        M: TryInto<Method, Error: fmt::Display>,
    {
        let (method, problem) = match method.try_into() {
            Ok(method) => (method, None),
            Err(error) => (Method::GET, Some(format!("no such method: {error}"))),
        };
        Raw {
            client: self.clone(),
            method,
            path: path.into(),
            version: None,
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            idempotency: None,
            advanced: false,
            problem,
        }
    }

    /// Resumes a raw list at a [`ResumeToken`], in this or another process.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) when the token is not of a raw list,
    /// [`ErrorKind::Policy`](crate::ErrorKind::Policy) when it points to another host than this client's.
    #[inline]
    pub fn resume_raw<T: DeserializeOwned + Send + 'static>(
        &self,
        token: &ResumeToken,
    ) -> Result<Items<T>, Error> {
        let mut call = token.call(self, &RAW, ITEM)?;
        call.find = Some(operations_for);
        let first = Request::new(self.clone(), Ok(call), read_page);
        Ok(Items::resumed(first, ITEM, token))
    }
}

impl Raw {
    /// On the beta version.
    pub const fn beta(mut self) -> Self {
        self.version = Some("beta");
        self
    }

    /// With a query option; its value is percent-encoded.
    #[inline]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// With a header, such as `Prefer`; a second one of the same name replaces the first. Those that the client itself
    /// sets, such as `Authorization`, cannot be replaced.
    #[inline]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
        self
    }

    /// As an advanced query: with `ConsistencyLevel: eventual`, on every page. It does not add `$count`.
    pub const fn advanced(mut self) -> Self {
        self.advanced = true;
        self
    }

    /// With a JSON body.
    #[inline]
    pub fn body_json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.body(HeaderValue::from_static("application/json"), json),
            Err(error) => {
                self.problem = Some(format!("the body cannot be written as JSON: {error}"));
                self
            }
        }
    }

    /// With a body of this media type.
    #[inline]
    pub fn body(mut self, content_type: HeaderValue, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(Payload {
            content_type,
            bytes: bytes.into(),
        });
        self
    }

    /// With another class than the method's own, for a POST that only reads or can be repeated.
    pub const fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = Some(idempotency);
        self
    }

    /// The raw response. The body of one with a status of success is not looked at: [`RawResponse::json`] and the typed calls
    /// find an error in it.
    ///
    /// # Errors
    /// Every kind of [`Error`], also for a response without a status of success.
    #[inline]
    pub async fn send(self) -> Result<RawResponse, Error> {
        self.into_request().send().await
    }

    /// The body of the response, which is not looked at, as by [`send`](Self::send).
    ///
    /// # Errors
    /// Every kind of [`Error`].
    #[inline]
    pub async fn bytes(self) -> Result<Bytes, Error> {
        Ok(self.send().await?.body)
    }

    /// The response decoded from JSON; an error inside of a success is an error.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    #[inline]
    pub async fn json<T: DeserializeOwned + Send + 'static>(self) -> Result<T, Error> {
        self.typed().send().await
    }

    /// The same request with its response decoded from JSON, for a batch.
    #[inline]
    pub fn typed<T: DeserializeOwned + Send + 'static>(self) -> Request<T> {
        let call = self.call();
        Request::new(self.client, call, |_, reply| decode(&reply.body))
    }

    /// The items of all pages of a list.
    #[inline]
    pub fn items<T: DeserializeOwned + Send + 'static>(self) -> Items<T> {
        Items::new(self.pages())
    }

    /// The pages of a list.
    #[inline]
    pub fn pages<T: DeserializeOwned + Send + 'static>(self) -> Pages<T> {
        let call = self.call();
        Pages::new(Request::new(self.client, call, read_page), ITEM)
    }

    #[inline]
    fn call(&self) -> Result<Call, Error> {
        if let Some(problem) = &self.problem {
            return Err(Error::query(problem.clone()));
        }
        let url = self.url()?;
        self.client.check(&url)?;
        let mut call = Call::new(&RAW, url);
        call.find = Some(operations_for);
        call.idempotency = self
            .idempotency
            .unwrap_or_else(|| Idempotency::of(&self.method));
        call.method = self.method.clone();
        call.advanced = self.advanced;
        for (name, value) in &self.headers {
            call.set_header(name.clone(), value.clone());
        }
        call.body.clone_from(&self.body);
        if let Some((_, accept)) = self
            .headers
            .iter()
            .find(|(name, _)| *name == header::ACCEPT)
        {
            call.accept = accept.clone();
        } else {
            call.accept = ANY;
        }
        Ok(call)
    }

    #[inline]
    fn url(&self) -> Result<Url, Error> {
        let shown = self.path.split('?').next().unwrap_or_default();
        let error = |why: &str| Error::query(format!("{shown:?} is not a path of Graph: {why}"));
        if let Some(problem) = problem(&self.path) {
            return Err(error(problem));
        }
        let invalid = |source: entra_core::url::ParseError| error(&source.to_string());
        let mut url = if is_whole_address(&self.path) {
            Url::parse(&self.path).map_err(invalid)?
        } else {
            let path = self.path.trim_start_matches('/');
            let (version, path) = match path.split_once('/') {
                Some((version @ ("beta" | "v1.0"), rest)) => (Cow::Borrowed(version), rest),
                _ => (Cow::Borrowed(self.version.unwrap_or("v1.0")), path),
            };
            let version = self.version.map_or(version, Cow::Borrowed);
            let text = format!("{}{version}/{path}", self.client.root_above_versions());
            Url::parse(&text).map_err(invalid)?
        };
        for (name, value) in &self.query {
            append(&mut url, name, value);
        }
        Ok(url)
    }
}

impl IntoRequest for Raw {
    type Output = RawResponse;

    #[inline]
    fn into_request(self) -> Request<RawResponse> {
        let call = self.call();
        Request::new(self.client, call, |_, reply| {
            Ok(RawResponse {
                status: reply.status,
                headers: reply.headers.clone(),
                body: reply.body.clone(),
            })
        })
    }
}

impl RawResponse {
    /// The body decoded from JSON; an error inside of a success is an error.
    ///
    /// # Errors
    /// `Decode` or `Service`.
    #[inline]
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        decode(&self.body)
    }
}

/// The operations whose permissions a request needs that has this method, path and body.
#[inline]
fn operations_for(method: &Method, path: &str, body: &[u8]) -> Vec<&'static Operation> {
    let Some(operation) = operation_of(method, path) else {
        return Vec::new();
    };
    let properties: BTreeMap<String, IgnoredAny> = serde_json::from_slice(body).unwrap_or_default();
    operation.needed_for(properties.keys().map(String::as_str))
}

/// Whether a path has a scheme and a host. An address in its query does not count.
#[inline]
fn is_whole_address(path: &str) -> bool {
    path.split_once("://")
        .is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// What a URL would drop or change in silence, so that the request would go to another object: a guest's
/// `adele_example.com#EXT#@contoso.com` would be the user `adele_example.com`.
#[inline]
fn problem(path: &str) -> Option<&'static str> {
    if path.contains('#') {
        return Some("a # in a path must be written as %23");
    }
    if path.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    let path = path.split('?').next().unwrap_or_default();
    if path.contains('\\') {
        return Some("a backslash in a path must be written as %5C");
    }
    let is_dots = |segment: &str| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        matches!(segment.as_str(), "." | "..")
    };
    if path.split('/').any(is_dots) {
        return Some("a segment of dots leads elsewhere");
    }
    None
}

/// Graph reads a plus sign in a query as itself, so a space is `%20`.
#[inline]
fn append(url: &mut Url, name: &str, value: &str) {
    let pair = entra_core::url::form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish()
        .replace('+', "%20")
        .replacen("%24", "$", usize::from(name.starts_with('$')));
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{pair}"),
        _ => pair,
    };
    url.set_query(Some(&query));
}

#[inline]
fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let body = without_bom(body);
    if let Some(error) = ServiceError::inside_of_success(body) {
        return Err(Error::service_in_success(error));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|source| {
        let path = source.path().to_string();
        Error::decode(
            format!("the response cannot be read at {path}"),
            source.into_inner(),
        )
    })
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct RawPage<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.count")]
    count: Option<i64>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[inline]
fn read_page<T: DeserializeOwned>(client: &GraphClient, reply: &Reply) -> Result<Page<T>, Error> {
    let page: RawPage<T> = decode(&reply.body)?;
    Ok(Page {
        next: link(client, page.next.as_deref())?,
        items: page.value,
        count: page.count.and_then(|count| count.try_into().ok()),
    })
}

/// Shows method and path, and neither query nor headers nor body.
impl fmt::Debug for Raw {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "Raw({} {path})", self.method)
    }
}

impl fmt::Debug for RawResponse {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawResponse")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

const ITEM: &str = "raw item";
