//! A request as a value: everything that is sent, and how the response is read.

mod target;

use std::fmt;

use entra_core::{
    Idempotency, IntoId, InvalidId, ObjectId,
    bytes::Bytes,
    http::{HeaderName, HeaderValue, Method, header},
    url::Url,
};
use serde::Deserialize;

use crate::{
    client::{ANY, Call, GraphClient, Payload, Reply, TEXT},
    error::{Error, ServiceError},
    model::{Entity, without_bom},
    operation::Operation,
};
pub(crate) use target::Target;

/// A request whose response is a `T`.
///
/// Nothing is sent before [`send`](Self::send) or before a [`Batch`](crate::Batch) with it is sent.
///
/// ```
/// # fn example(graph: &entra_graph::GraphClient) {
/// use entra_graph::{IntoRequest, User};
/// let request = graph.user("adele@contoso.com").get().select(User::MAIL).into_request();
/// assert_eq!(request.method(), "GET");
/// assert_eq!(request.operation().unwrap().name(), "user-get");
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct Request<T> {
    client: GraphClient,
    call: Result<Call, Error>,
    read: Read<T>,
}

/// How a response is read.
pub(crate) type Read<T> = fn(&GraphClient, &Reply) -> Result<T, Error>;

/// What can be sent alone or in a batch: a [`Request`], or a builder of one.
pub trait IntoRequest {
    /// What the response holds.
    type Output: Send + 'static;

    /// The request.
    fn into_request(self) -> Request<Self::Output>;
}

impl<T: Send + 'static> Request<T> {
    pub(crate) const fn new(client: GraphClient, call: Result<Call, Error>, read: Read<T>) -> Self {
        Self { client, call, read }
    }

    /// With a header, such as `Prefer` or `If-Match`. Those that the client itself sets, such as
    /// `Authorization`, cannot be replaced.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Ok(call) = &mut self.call {
            call.set_header(name, value);
        }
        self
    }

    /// With another class than the operation's own, for when the caller knows better whether sending twice
    /// can do harm.
    pub fn idempotency(mut self, idempotency: Idempotency) -> Self {
        if let Ok(call) = &mut self.call {
            call.idempotency = idempotency;
        }
        self
    }

    /// For a caller that tells errors that are only lag from real ones: none counts as the effect of a lost attempt.
    #[cfg(feature = "registration")]
    pub(crate) fn judging_lag(mut self) -> Self {
        if let Ok(call) = &mut self.call {
            call.judges_lag = true;
        }
        self
    }

    /// The response.
    ///
    /// # Errors
    /// Every kind of [`Error`].
    pub async fn send(self) -> Result<T, Error> {
        let call = self.call?;
        let reply = self.client.execute(&call).await?;
        read(&self.client, &call, &reply, self.read)
    }

    /// The response, or `None` if Graph has no such object ([`Error::is_not_found`]).
    ///
    /// # Errors
    /// Every other kind of [`Error`].
    pub async fn send_opt(self) -> Result<Option<T>, Error> {
        match self.send().await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The operation; `None` when the request cannot be sent, which [`send`](Self::send) then says.
    #[must_use]
    pub fn operation(&self) -> Option<&'static Operation> {
        self.call.as_ref().ok().map(|call| call.operation)
    }

    /// The HTTP method; GET when the request cannot be sent.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.call.as_ref().map_or(&Method::GET, |call| &call.method)
    }

    /// The address; `None` when the request cannot be sent, which [`send`](Self::send) then says.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.call.as_ref().ok().map(|call| &call.url)
    }

    pub(crate) fn into_parts(self) -> (GraphClient, Result<Call, Error>, Read<T>) {
        (self.client, self.call, self.read)
    }
}

impl<T: Send + 'static> IntoRequest for Request<T> {
    type Output = T;

    fn into_request(self) -> Self {
        self
    }
}

impl<T> Clone for Request<T> {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            call: self.call.clone(),
            read: self.read,
        }
    }
}

/// Shows method and path, and neither query nor body.
impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.call {
            Ok(call) => write!(f, "Request({} {})", call.method, call.url.path()),
            Err(error) => write!(f, "Request({error})"),
        }
    }
}

/// Reads a response; a failure names the call.
pub(crate) fn read<T>(
    client: &GraphClient,
    call: &Call,
    reply: &Reply,
    read: Read<T>,
) -> Result<T, Error> {
    read(client, reply).map_err(|error| client.with_call(error.with_response(&reply.facts()), call))
}

pub(crate) fn read_entity<E: Entity>(_: &GraphClient, reply: &Reply) -> Result<E, Error> {
    E::read_one(&reply.body)
}

/// Reads a response whose body is ignored, unless it is an error.
#[inline]
pub(crate) fn read_nothing(_: &GraphClient, reply: &Reply) -> Result<(), Error> {
    without_error_inside(reply)
}

#[inline]
pub(crate) fn read_bytes(_: &GraphClient, reply: &Reply) -> Result<Bytes, Error> {
    without_error_inside(reply)?;
    Ok(reply.body.clone())
}

/// Fails for an error inside of a success, which Graph sends when it fails after it has begun to respond.
///
/// # Errors
/// `Service`
#[inline]
fn without_error_inside(reply: &Reply) -> Result<(), Error> {
    // Only a JSON object can be one; a photo is not read as text.
    let begins = without_bom(&reply.body).trim_ascii_start().first();
    if begins != Some(&b'{') {
        return Ok(());
    }
    match ServiceError::inside_of_success(&reply.body) {
        Some(error) => Err(Error::service_in_success(error)),
        None => Ok(()),
    }
}

/// A number as plain text.
#[inline]
pub(crate) fn read_number(_: &GraphClient, reply: &Reply) -> Result<u64, Error> {
    without_error_inside(reply)?;
    let text = String::from_utf8_lossy(without_bom(&reply.body));
    text.trim()
        .parse()
        .map_err(|source| Error::decode("the response is not a number", source))
}

/// One value that is not an entity.
#[cfg(any(
    feature = "application-templates",
    feature = "authentication-methods",
    feature = "domains",
    feature = "synchronization",
    feature = "tenant-relationships"
))]
pub(crate) fn read_value<T: serde::de::DeserializeOwned>(
    _: &GraphClient,
    reply: &Reply,
) -> Result<T, Error> {
    without_error_inside(reply)?;
    serde_json::from_slice(without_bom(&reply.body))
        .map_err(|source| Error::decode("the response is not the documented value", source))
}

/// A list of texts, such as ids.
pub(crate) fn read_values<T: serde::de::DeserializeOwned>(
    _: &GraphClient,
    reply: &Reply,
) -> Result<Vec<T>, Error> {
    #[derive(Deserialize)]
    struct Values<T> {
        value: Vec<T>,
        #[serde(rename = "@odata.nextLink")]
        next: Option<String>,
    }

    without_error_inside(reply)?;
    let values: Values<T> = serde_json::from_slice(without_bom(&reply.body))
        .map_err(|source| Error::decode("the response is not a list of ids", source))?;
    match values.next {
        // No such action is documented to have pages, so a partial result is an error.
        Some(_) => Err(Error::decode(
            "the response is only a part of the list",
            "it has a link to more",
        )),
        None => Ok(values.value),
    }
}

/// Requests the response as text.
#[inline]
pub(crate) fn as_text(mut call: Call) -> Call {
    call.accept = TEXT;
    call
}

/// Requests the response as bytes of any type.
#[inline]
pub(crate) fn as_bytes(mut call: Call) -> Call {
    call.accept = ANY;
    call
}

/// With a body of bytes.
#[inline]
pub(crate) fn with_bytes(mut call: Call, content_type: &'static str, bytes: Bytes) -> Call {
    call.headers
        .retain(|(name, _)| *name != header::CONTENT_TYPE);
    call.body = Some(Payload {
        content_type: HeaderValue::from_static(content_type),
        bytes,
    });
    call
}

/// The ids of a request, or why it cannot be sent.
pub(crate) fn object_ids(
    ids: impl IntoIterator<Item: IntoId<ObjectId>>,
) -> Result<Vec<ObjectId>, Error> {
    let ids = ids.into_iter().map(IntoId::into_id);
    Ok(ids.collect::<Result<_, InvalidId>>()?)
}
