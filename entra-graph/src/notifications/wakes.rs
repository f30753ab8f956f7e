//! When to look for changes: after notifications, after a gap, and after a silence.

use std::{
    fmt,
    future::{Future, poll_fn, ready},
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use super::{event::NotificationEvent, queue::Notifications, supervisor::Supervisor};
use crate::client::GraphClient;

/// Says when to run a delta query or a `sync::DirectorySync`: notifications are hints, the query has the truth.
///
/// It also keeps the subscriptions alive, as [`next`](Self::next) drives the [`Supervisor`].
///
/// ```
/// # #[cfg(feature = "sync")]
/// # async fn example<S: entra_graph::sync::SyncStore>(
/// #     graph: entra_graph::GraphClient, client_state: entra_core::Secret, mut sync: entra_graph::sync::DirectorySync, mut store: S,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use entra_graph::{NewSubscription, notifications::{Receiver, SubscriptionResource, Supervisor, Wakes}};
///
/// let (endpoint, notifications) = Receiver::builder(client_state.clone()).build()?.into_queue();
/// // ... the web server calls endpoint.respond(..) at https://app.example.com/notifications ...
/// let url = "https://app.example.com/notifications";
/// let users = NewSubscription::new(SubscriptionResource::users(), url, client_state.clone());
/// let groups = NewSubscription::new(SubscriptionResource::groups(), url, client_state);
/// let supervisor = Supervisor::new(&graph, [users, groups])?;
///
/// let mut wakes = Wakes::new(&graph, notifications).supervisor(supervisor);
/// while let Some(wake) = wakes.next().await {
///     match sync.run(&mut store).await {
///         Ok(summary) => println!("{:?}: {} objects changed", wake.cause, summary.upserts),
///         Err(error) => {
///             eprintln!("{error}");
///             wakes.again_in(Duration::from_secs(60));
///         }
///     }
/// }
/// # Ok(()) }
/// ```
pub struct Wakes {
    graph: GraphClient,
    notifications: Notifications,
    supervisor: Option<Supervisor>,
    coalesce: Duration,
    recheck: Option<Duration>,
    silence: Duration,
    /// When the supervisor has to run again.
    supervise_at: Option<Instant>,
    has_started: bool,
    /// Notifications since the last wake, and when the first of them came.
    pending: Option<(Instant, u64)>,
    has_gap: bool,
    last: Instant,
    again_at: Option<Instant>,
}

/// It is time to look for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wake {
    /// Why.
    pub cause: WakeCause,
    /// How many change notifications came since the last wake.
    pub notifications: u64,
}

/// Why it is time to look for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WakeCause {
    /// The process began, and changes before are unknown.
    Start,
    /// Notifications came.
    Changes,
    /// Notifications may be missing: a subscription is new, was paused, expired or was removed, or some were lost.
    Gap,
    /// A second look: a delta query can be later than a notification. Also after [`Wakes::again_in`].
    Again,
    /// No wake for a long time, which can also mean that no notification arrives.
    Silence,
}

impl Wakes {
    /// Wakes by the notifications of an endpoint. Waits are by the client's clock.
    ///
    /// Unless set: it waits 2 seconds for further notifications, looks a second time after 2 minutes, and after a silence of an
    /// hour.
    #[must_use]
    pub fn new(graph: &GraphClient, notifications: Notifications) -> Self {
        Self {
            graph: graph.clone(),
            notifications,
            supervisor: None,
            coalesce: Duration::from_secs(2),
            recheck: Some(Duration::from_secs(120)),
            silence: Duration::from_secs(3600),
            supervise_at: None,
            has_started: false,
            pending: None,
            has_gap: false,
            last: graph.monotonic(),
            again_at: None,
        }
    }

    /// Also keeps these subscriptions alive.
    #[must_use]
    pub fn supervisor(mut self, supervisor: Supervisor) -> Self {
        self.supervise_at = Some(self.graph.monotonic());
        self.supervisor = Some(supervisor);
        self
    }

    /// How long to wait for further notifications after one.
    #[must_use]
    pub const fn coalesce(mut self, window: Duration) -> Self {
        self.coalesce = window;
        self
    }

    /// After what time to look a second time after notifications; `None` for never.
    #[must_use]
    pub const fn recheck(mut self, after: Option<Duration>) -> Self {
        self.recheck = after;
        self
    }

    /// After what time without a wake to look for changes anyway.
    #[must_use]
    pub const fn silence(mut self, after: Duration) -> Self {
        self.silence = after;
        self
    }

    /// Wakes again after this time, such as when looking for changes failed.
    pub fn again_in(&mut self, after: Duration) {
        let at = later(self.graph.monotonic(), after);
        self.again_at = Some(self.again_at.map_or(at, |known| known.min(at)));
    }

    /// The subscriptions that it keeps alive.
    #[must_use]
    pub const fn supervised(&self) -> Option<&Supervisor> {
        self.supervisor.as_ref()
    }

    /// Waits until it is time to look for changes. The first wake is there once the subscriptions are created, or could not
    /// be. Returns `None` when all clones of the endpoint are dropped. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Wake> {
        loop {
            self.supervise().await;
            if !self.take_ready().await {
                return None;
            }
            let now = self.graph.monotonic();
            if let Some(wake) = self.due(now) {
                return Some(wake);
            }
            let wait = self.next_deadline(now).saturating_duration_since(now);
            let graph = self.graph.clone();
            match race(self.notifications.next(), graph.sleep(wait)).await {
                Some(Some(event)) => self.take(&event),
                Some(None) => return None,
                None => {}
            }
        }
    }

    async fn supervise(&mut self) {
        let now = self.graph.monotonic();
        if self.supervise_at.is_none_or(|at| at > now) {
            return;
        }
        if let Some(supervisor) = &mut self.supervisor {
            let wait = supervisor.run_due().await;
            self.has_gap |= supervisor.take_gap();
            self.supervise_at = Some(later(self.graph.monotonic(), wait));
        }
    }

    /// Takes the notifications that are there, so that many are one wake. Returns `false` if there will be no more.
    async fn take_ready(&mut self) -> bool {
        for _ in 0..MOST_TAKEN {
            match race(self.notifications.next(), ready(())).await {
                Some(Some(event)) => self.take(&event),
                Some(None) => return false,
                None => break,
            }
        }
        true
    }

    fn take(&mut self, event: &NotificationEvent) {
        let now = self.graph.monotonic();
        match event {
            NotificationEvent::Change(_) => {
                let (since, count) = self.pending.unwrap_or((now, 0));
                self.pending = Some((since, count + 1));
            }
            NotificationEvent::Lost => self.has_gap = true,
            NotificationEvent::Lifecycle(lifecycle) => {
                if let Some(supervisor) = &mut self.supervisor {
                    supervisor.handle(lifecycle);
                    self.has_gap |= supervisor.take_gap();
                    self.supervise_at = Some(now);
                } else {
                    self.has_gap = true;
                }
            }
        }
    }

    /// The wake that is due. One stands for all causes at this time.
    fn due(&mut self, now: Instant) -> Option<Wake> {
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let changes_at = self.pending.map(|(since, _)| later(since, self.coalesce));
        let cause = if !self.has_started {
            WakeCause::Start
        } else if self.has_gap {
            WakeCause::Gap
        } else if is_over(changes_at) {
            WakeCause::Changes
        } else if is_over(self.again_at) {
            WakeCause::Again
        } else if later(self.last, self.silence) <= now {
            WakeCause::Silence
        } else {
            return None;
        };
        let notifications = self.pending.take().map_or(0, |(_, count)| count);
        if is_over(self.again_at) {
            self.again_at = None;
        }
        self.has_started = true;
        self.has_gap = false;
        self.last = now;
        if let Some(recheck) = self.recheck.filter(|_| notifications > 0) {
            self.again_in(recheck);
        }
        Some(Wake {
            cause,
            notifications,
        })
    }

    fn next_deadline(&self, now: Instant) -> Instant {
        let changes_at = self.pending.map(|(since, _)| later(since, self.coalesce));
        [changes_at, self.again_at, self.supervise_at]
            .into_iter()
            .flatten()
            .fold(later(self.last, self.silence), Instant::min)
            .max(now)
    }
}

/// The result of the first, or `None` if the second was ready before.
async fn race<T>(first: impl Future<Output = T>, second: impl Future<Output = ()>) -> Option<T> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|context| {
        if let Poll::Ready(value) = first.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        second.as_mut().poll(context).map(|()| None)
    })
    .await
}

fn later(time: Instant, after: Duration) -> Instant {
    // A time that this platform cannot express is far enough in thirty years.
    time.checked_add(after)
        .or_else(|| time.checked_add(Duration::from_secs(30 * 365 * 24 * 3600)))
        .unwrap_or(time)
}

/// How many notifications are taken before it looks at the time again.
const MOST_TAKEN: usize = 10_000;

impl fmt::Debug for Wakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakes")
            .field("notifications", &self.notifications)
            .field("supervisor", &self.supervisor)
            .field("silence", &self.silence)
            .finish_non_exhaustive()
    }
}
