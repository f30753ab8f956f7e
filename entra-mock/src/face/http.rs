//! Between hyper's types and the engine's.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Frame, Incoming, SizeHint},
    header::{HOST, HeaderMap, HeaderValue},
};

use crate::wire::{Delivery, Reply, WireRequest};

/// Reads a request whole; an answer instead if it is too big or breaks off.
pub(super) async fn read(request: Request<Incoming>, scheme: &str) -> Result<WireRequest, Reply> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(_) => return Err(Reply::new(413)),
    };
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host
        .or_else(|| {
            head.uri
                .authority()
                .map(hyper::http::uri::Authority::as_str)
        })
        .unwrap_or("localhost");
    Ok(WireRequest {
        method: head.method.as_str().to_ascii_uppercase(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        base: format!("{scheme}://{}", host.to_ascii_lowercase()),
        headers: header_list(&head.headers),
        body,
    })
}

/// The answer as hyper sends it; an error ends the connection without one.
pub(super) fn response(reply: Reply) -> Result<Response<ReplyBody>, Unanswered> {
    if reply.delivery == Delivery::NoAnswer {
        return Err(Unanswered);
    }
    let mut response = Response::new(ReplyBody::new(
        reply.body.into(),
        reply.delivery == Delivery::CutInBody,
    ));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

fn header_list(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

/// A body that is sent whole, or half of it before the connection ends.
pub(super) struct ReplyBody {
    rest: Bytes,
    /// What was announced, whatever will be sent.
    announced: u64,
    cut: Cut,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    No,
    /// Half of it is still to be sent.
    Pending,
    /// Half of it has been handed over; next the writer gets a turn to flush it.
    Flushing,
    Now,
}

impl ReplyBody {
    pub(super) fn new(body: Bytes, cut: bool) -> Self {
        Self {
            announced: body.len() as u64,
            rest: body,
            cut: if cut { Cut::Pending } else { Cut::No },
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Unanswered;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unanswered>>> {
        match self.cut {
            Cut::No if self.rest.is_empty() => Poll::Ready(None),
            Cut::No => Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest))))),
            Cut::Pending => {
                self.cut = Cut::Flushing;
                let half = self.rest.len() / 2;
                let first = self.rest.split_to(half);
                Poll::Ready(Some(Ok(Frame::data(first))))
            }
            Cut::Flushing => {
                self.cut = Cut::Now;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Cut::Now => Poll::Ready(Some(Err(Unanswered))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.cut == Cut::No && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

/// The connection shall end without (the rest of) an answer.
#[derive(Debug)]
pub(super) struct Unanswered;

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is ended without an answer")
    }
}

impl std::error::Error for Unanswered {}

impl From<Infallible> for Unanswered {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Far above the largest request Graph takes (a batch), far below what could hurt.
const MAX_BODY: usize = 16 * 1024 * 1024;
