//! Closes connections on which a client makes no progress: half-open ones, and ones that are not used.
//!
//! hyper has one limit for the time between two requests and for the head of a request. Here they are
//! two, the body and the response have limits too, and no request sets a timer.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Between two requests, and before the first one.
    idle: Duration,
    /// From the first byte of a request to the end of its head.
    head: Duration,
    /// From the end of the head to the end of the body.
    body: Duration,
    /// Without taking a byte of the response.
    response: Duration,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        idle: Duration::from_secs(60),
        head: Duration::from_secs(20),
        body: Duration::from_secs(60),
        response: Duration::from_secs(60),
    };

    /// The same limit for everything.
    #[cfg(test)]
    pub(super) const fn of(limit: Duration) -> Self {
        Self {
            idle: limit,
            head: limit,
            body: limit,
            response: limit,
        }
    }

    fn shortest(self) -> Duration {
        self.idle.min(self.head).min(self.body).min(self.response)
    }
}

/// What happens on a connection, shared by its parts.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// The start of the phase, unless the phase has no limit.
    since: Instant,
    /// Since when the client has taken nothing, if there is something to take.
    blocked: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between two requests.
    Idle,
    Head,
    Body,
    /// The tenant responds; this may take any time.
    Responding,
    /// The whole response is with the connection, but perhaps not with the client.
    Responded,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            phase: Phase::Idle,
            since: Instant::now(),
            blocked: None,
        })))
    }

    /// Completes when the client has exceeded a limit.
    pub(super) async fn exceeded(&self, limits: Limits) {
        loop {
            let now = Instant::now();
            let deadline = self.state().deadline(limits);
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
            // A phase that begins while this sleeps lasts longer than the shortest limit.
            let next = now + limits.shortest();
            tokio::time::sleep_until(deadline.map_or(next, |deadline| deadline.min(next))).await;
        }
    }

    /// Records the end of the head of a request and follows its body.
    pub(super) fn request(&self, body: Incoming) -> RequestBody {
        self.enter(Phase::Body);
        RequestBody {
            body,
            progress: self.clone(),
        }
    }

    /// Follows the body of a response.
    pub(super) fn response<B>(&self, body: B) -> ResponseBody<B> {
        ResponseBody {
            body,
            progress: self.clone(),
        }
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        if matches!(phase, Phase::Idle | Phase::Head | Phase::Body) {
            state.since = Instant::now();
        }
    }

    fn received(&self) {
        let idle = self.state().phase == Phase::Idle;
        if idle {
            self.enter(Phase::Head);
        }
    }

    fn sent<T>(&self, outcome: &Poll<T>) {
        let mut state = self.state();
        if outcome.is_ready() {
            state.blocked = None;
        } else if state.blocked.is_none() {
            state.blocked = Some(Instant::now());
        }
    }

    fn flushed<T>(&self, outcome: &Poll<T>) {
        self.sent(outcome);
        let responded = outcome.is_ready() && self.state().phase == Phase::Responded;
        if responded {
            self.enter(Phase::Idle);
        }
    }

    // The state is valid after every step, so a panic elsewhere leaves it usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn deadline(&self, limits: Limits) -> Option<Instant> {
        let limit = match self.phase {
            Phase::Idle => Some(limits.idle),
            Phase::Head => Some(limits.head),
            Phase::Body => Some(limits.body),
            Phase::Responding | Phase::Responded => None,
        };
        let phase = limit.map(|limit| self.since + limit);
        let blocked = self.blocked.map(|since| since + limits.response);
        phase.into_iter().chain(blocked).min()
    }
}

/// A stream that records what passes through it.
pub(super) struct WatchedStream<S> {
    pub(super) stream: S,
    pub(super) progress: Progress,
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.progress.received();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.progress.sent(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.progress.sent(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.progress.flushed(&outcome);
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The body of a request. When it is dropped, the request is read.
pub(super) struct RequestBody {
    body: Incoming,
    progress: Progress,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.progress.enter(Phase::Responding);
    }
}

/// The body of a response. When it is dropped, all of it is with the connection.
pub(super) struct ResponseBody<B> {
    body: B,
    progress: Progress,
}

impl<B: Body + Unpin> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for ResponseBody<B> {
    fn drop(&mut self) {
        self.progress.enter(Phase::Responded);
    }
}

#[cfg(test)]
mod tests;
