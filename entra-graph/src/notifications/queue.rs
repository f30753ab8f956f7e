//! The queue between the web server, which must respond at once, and the program, which can take its time.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use entra_core::{
    bytes::Bytes,
    http::{HeaderValue, Method, Response, StatusCode, header},
};
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    mpsc::{self, error::TrySendError},
};

use super::{
    event::NotificationEvent,
    handshake::plain,
    receiver::{Delivery, Receiver, too_large},
};

/// What a web server calls with each request to the notification URL. Clones share the queue.
///
/// The response is there at once. If the queue is full, it is `503`, and Graph sends the notifications again.
#[derive(Clone)]
pub struct NotificationEndpoint {
    receiver: Arc<Receiver>,
    sender: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    counts: Arc<Counts>,
}

/// The accepted notifications of an endpoint, in the order of their requests.
pub struct Notifications {
    receiver: Arc<Receiver>,
    queue: mpsc::Receiver<Queued>,
    /// The delivery that is being verified. It stays until that is done, so that a dropped future loses nothing.
    current: Option<Current>,
    ready: VecDeque<NotificationEvent>,
    counts: Arc<Counts>,
}

/// How many notifications and requests an endpoint has seen, since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotificationCounts {
    /// Accepted notifications.
    pub accepted: u64,
    /// Rejected notifications.
    pub rejected: u64,
    /// Requests that were sent back with `503`, because the queue was full.
    pub overloaded: u64,
    /// Requests that were sent back with `413`, because their body was larger than
    /// [`body_limit`](super::ReceiverBuilder::body_limit). Graph sends genuine ones again for four hours, and then drops them
    /// without a word. Since anyone can send such a request, it causes no event.
    pub too_large: u64,
    /// Requests whose validation tokens could not be verified in time.
    pub lost: u64,
}

struct Current {
    queued: Queued,
    tries: u32,
    /// When to try again.
    retry_at: Option<Instant>,
}

struct Queued {
    delivery: Delivery,
    /// Its share of the memory of the queue.
    _room: OwnedSemaphorePermit,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    rejected: AtomicU64,
    overloaded: AtomicU64,
    too_large: AtomicU64,
    lost: AtomicU64,
}

impl Receiver {
    /// The receiver behind a bounded queue: an endpoint for the web server, and a stream of what it accepts.
    #[must_use]
    pub fn into_queue(self) -> (NotificationEndpoint, Notifications) {
        let (sender, queue) = mpsc::channel(MOST_REQUESTS);
        let receiver = Arc::new(self);
        let counts = Arc::new(Counts::default());
        let room = MOST_BYTES.max(receiver.body_limit());
        let room = room.min(Semaphore::MAX_PERMITS);
        let endpoint = NotificationEndpoint {
            receiver: Arc::clone(&receiver),
            sender,
            room: Arc::new(Semaphore::new(room)),
            counts: Arc::clone(&counts),
        };
        let notifications = Notifications {
            receiver,
            queue,
            current: None,
            ready: VecDeque::new(),
            counts,
        };
        (endpoint, notifications)
    }
}

impl NotificationEndpoint {
    /// The response to a request, whose notifications are queued: as [`Receiver::respond`], and `503` if the queue is full
    /// or the program has dropped its [`Notifications`].
    #[must_use]
    pub fn respond(&self, method: &Method, query: Option<&str>, body: Bytes) -> Response<Bytes> {
        let received = self.receiver.respond(method, query, body);
        let Some(delivery) = received.delivery else {
            if received.response.status() == StatusCode::PAYLOAD_TOO_LARGE {
                self.count_too_large();
            }
            return received.response;
        };
        match self.enqueue(delivery) {
            true => received.response,
            false => {
                self.counts.overloaded.fetch_add(1, Ordering::Relaxed);
                let mut response = plain(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Bytes::from_static(b"the queue of notifications is full"),
                );
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
                response
            }
        }
    }

    /// The most bytes of one request body. Stop reading there, and respond with [`too_large`](Self::too_large).
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.receiver.body_limit()
    }

    /// The response to a request with a larger body, `413`. It counts the request.
    #[must_use]
    pub fn too_large(&self) -> Response<Bytes> {
        self.count_too_large();
        too_large()
    }

    fn count_too_large(&self) {
        self.counts.too_large.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            limit = self.body_limit(),
            "a request to the notification URL was too large, and rejected"
        );
    }

    /// What was received so far.
    #[must_use]
    pub fn counts(&self) -> NotificationCounts {
        self.counts.read()
    }

    fn enqueue(&self, delivery: Delivery) -> bool {
        let Ok(size) = u32::try_from(delivery.size()) else {
            return false;
        };
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(size) else {
            return false;
        };
        let queued = Queued {
            delivery,
            _room: room,
        };
        match self.sender.try_send(queued) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => false,
        }
    }
}

impl Notifications {
    /// The next accepted notification; `None` when all clones of the endpoint are dropped.
    ///
    /// Requests are verified here, one after the other. While signing keys cannot be fetched, it tries again with growing
    /// waits, and after eight and a half minutes returns [`NotificationEvent::Lost`]. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<NotificationEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.current.is_none() {
                // `recv` alone would yield after some items, and they would seem to be all that are there.
                let queued = match self.queue.try_recv() {
                    Ok(queued) => queued,
                    Err(_) => self.queue.recv().await?,
                };
                self.current = Some(Current {
                    queued,
                    tries: 0,
                    retry_at: None,
                });
            }
            self.verify_current().await;
        }
    }

    async fn verify_current(&mut self) {
        let Some(current) = &mut self.current else {
            return;
        };
        let clock = self.receiver.clock();
        if let Some(at) = current.retry_at {
            let wait = at.saturating_duration_since(clock.monotonic());
            if !wait.is_zero() {
                clock.sleep(wait).await;
            }
            current.retry_at = None;
        }
        match self.receiver.verify(&current.queued.delivery).await {
            Ok(verified) => {
                self.current = None;
                let rejected = verified.rejected_count();
                if rejected > 0 {
                    self.counts
                        .rejected
                        .fetch_add(rejected as u64, Ordering::Relaxed);
                    tracing::warn!(
                        rejected,
                        reasons = %Reasons(&verified),
                        "change notifications were rejected"
                    );
                }
                let accepted = verified.accepted.len() as u64;
                self.counts.accepted.fetch_add(accepted, Ordering::Relaxed);
                self.ready.extend(verified.accepted);
            }
            Err(error) if current.tries < MOST_TRIES => {
                tracing::warn!(%error, "validation tokens cannot be verified now");
                let wait = FIRST_WAIT.saturating_mul(1 << current.tries);
                current.tries += 1;
                current.retry_at = clock.monotonic().checked_add(wait);
            }
            Err(error) => {
                tracing::error!(%error, "change notifications are lost: their validation tokens cannot be verified");
                self.current = None;
                self.counts.lost.fetch_add(1, Ordering::Relaxed);
                self.ready.push_back(NotificationEvent::Lost);
            }
        }
    }

    /// What was received so far.
    #[must_use]
    pub fn counts(&self) -> NotificationCounts {
        self.counts.read()
    }
}

impl Counts {
    fn read(&self) -> NotificationCounts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        NotificationCounts {
            accepted: of(&self.accepted),
            rejected: of(&self.rejected),
            overloaded: of(&self.overloaded),
            too_large: of(&self.too_large),
            lost: of(&self.lost),
        }
    }
}

struct Reasons<'a>(&'a super::receiver::Verified);

impl fmt::Display for Reasons<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (reason, count)) in self.0.rejected.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{reason}: {count}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for NotificationEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotificationEndpoint")
            .field("receiver", &self.receiver)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications")
            .field("receiver", &self.receiver)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// The most requests in the queue.
const MOST_REQUESTS: usize = 4_096;
/// The most bytes in the queue, unless one body may be larger.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Waits of 1, 2, 4 … 256 seconds: 511 in all.
const MOST_TRIES: u32 = 9;
const FIRST_WAIT: Duration = Duration::from_secs(1);
