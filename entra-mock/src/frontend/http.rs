//! Converts between hyper's types and the engine's.

use std::{
    borrow::Cow,
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Frame, SizeHint},
    header::{HOST, HeaderMap, HeaderValue},
};

use tokio::time::Sleep;

use super::{content_encoding, progress::RequestBody, reset::ResetFlag};
use crate::wire::{self, Delivery, Reply, WireRequest};

/// Reads a whole request. Returns a response instead if the request is too large, incomplete or in an unknown encoding.
pub(super) async fn read(
    request: Request<RequestBody>,
    scheme: &str,
) -> Result<WireRequest, Reply> {
    let (head, body) = request.into_parts();
    let body = if body.is_end_stream() {
        drop(body);
        Vec::new()
    } else {
        match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(_) => return Err(Reply::new(413)),
        }
    };
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host
        .or_else(|| {
            head.uri
                .authority()
                .map(hyper::http::uri::Authority::as_str)
        })
        .unwrap_or("localhost");
    let mut request = WireRequest {
        method: head.method.as_str().to_ascii_uppercase(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        base: format!("{scheme}://{}", host.to_ascii_lowercase()),
        headers: header_list(&head.headers),
        body,
        handshakes: Vec::new(),
    };
    content_encoding::decode(&mut request, MAX_BODY).map_err(Reply::new)?;
    Ok(request)
}

/// Converts a reply for hyper, after its delay. An error closes the connection without a response.
pub(super) async fn response(
    reply: Reply,
    reset: &ResetFlag,
) -> Result<Response<ReplyBody>, ConnectionClosed> {
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    match reply.delivery {
        Delivery::NoResponse => return Err(ConnectionClosed),
        Delivery::Reset => {
            reset.request();
            return Err(ConnectionClosed);
        }
        _ => {}
    }
    let body = ReplyBody::new(reply.body, reply.delivery == Delivery::CutInBody);
    let mut response = Response::new(match reply.delivery {
        Delivery::Trickle(pause) => body.in_pieces(pause),
        _ => body,
    });
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().reserve(reply.headers.len());
    for (name, value) in reply.headers {
        if let Some(value) = header_value(value) {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

/// Converts a value without copying it. Returns `None` if it has characters that no header may have.
fn header_value(value: Cow<'static, str>) -> Option<HeaderValue> {
    if !value.is_ascii() {
        return None;
    }
    let bytes = match value {
        Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
        Cow::Owned(text) => Bytes::from(text),
    };
    HeaderValue::from_maybe_shared(bytes).ok()
}

fn header_list(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = match std::str::from_utf8(value.as_bytes()) {
                Ok(text) => text.to_owned(),
                Err(_) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            };
            (name.as_str().to_owned(), value)
        })
        .collect()
}

/// A body that is sent whole, or half of it before the connection closes.
pub(super) struct ReplyBody {
    rest: Bytes,
    /// What follows the rest.
    more: std::vec::IntoIter<Bytes>,
    /// The announced length, whatever is sent.
    announced: u64,
    cut: Truncation,
    pieces: Option<Pieces>,
}

/// A body that is sent slowly.
struct Pieces {
    size: usize,
    pause: Duration,
    wait: Pin<Box<Sleep>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Truncation {
    No,
    /// Half of the body is still to be sent.
    Pending,
    /// Half of the body is with the writer, which gets a turn to flush it.
    Flushing,
    Now,
}

impl ReplyBody {
    pub(super) fn new(body: wire::Body, cut: bool) -> Self {
        let announced = body.length() as u64;
        let (rest, more) = match cut {
            true => (body.into_whole(), Vec::new().into_iter()),
            false => body.into_pieces(),
        };
        Self {
            announced,
            rest,
            more,
            cut: if cut {
                Truncation::Pending
            } else {
                Truncation::No
            },
            pieces: None,
        }
    }

    /// Sends the body in sixteen pieces, each after this time.
    fn in_pieces(mut self, pause: Duration) -> Self {
        self.rest = wire::Body::of_pieces(std::iter::once(self.rest).chain(self.more)).into_whole();
        self.more = Vec::new().into_iter();
        self.pieces = Some(Pieces {
            size: self.rest.len().div_ceil(PIECES).max(1),
            pause,
            wait: Box::pin(tokio::time::sleep(pause)),
        });
        self
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = ConnectionClosed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionClosed>>> {
        match self.cut {
            Truncation::No if self.rest.is_empty() => Poll::Ready(None),
            Truncation::No => {
                let Self {
                    rest, more, pieces, ..
                } = &mut *self;
                let Some(pieces) = pieces else {
                    let piece = std::mem::replace(rest, more.next().unwrap_or_default());
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                };
                ready!(pieces.wait.as_mut().poll(context));
                pieces
                    .wait
                    .as_mut()
                    .reset(tokio::time::Instant::now() + pieces.pause);
                let piece = rest.split_to(pieces.size.min(rest.len()));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Truncation::Pending => {
                self.cut = Truncation::Flushing;
                let half = self.rest.len() / 2;
                let first = self.rest.split_to(half);
                Poll::Ready(Some(Ok(Frame::data(first))))
            }
            Truncation::Flushing => {
                self.cut = Truncation::Now;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Truncation::Now => Poll::Ready(Some(Err(ConnectionClosed))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.cut == Truncation::No && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

/// Closes the connection without the rest of the response.
#[derive(Debug)]
pub(super) struct ConnectionClosed;

impl fmt::Display for ConnectionClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed without a response")
    }
}

impl std::error::Error for ConnectionClosed {}

impl From<Infallible> for ConnectionClosed {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Far above the largest request that Graph accepts (a batch), and small enough to be harmless.
const MAX_BODY: usize = 16 * 1024 * 1024;
const PIECES: usize = 16;
