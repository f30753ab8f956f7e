//! Keeps a set of subscriptions alive.

mod machine;
mod state;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use entra_core::Timestamp;

use self::machine::{Action, Listed, Machine, Now, Outcome, Subject, Wanted};
pub use self::state::SupervisorState;
use super::event::LifecycleNotification;
use crate::{
    areas::subscriptions::{NewSubscription, is_same_resource},
    client::GraphClient,
    error::{Error, ErrorKind},
    objects::{Subscription, types::LifecycleEventType},
};

/// Keeps a set of subscriptions alive: creates and renews them, follows their lifecycle events, and deletes what is left of
/// earlier ones.
///
/// It renews at two thirds of the life, renews once however often Graph asks for it, and creates again what expired or was
/// removed. A subscription that Graph removes without an event is noticed within six hours, by a list. Failures of Graph are
/// tried again with growing waits, 30 seconds to an hour, or after the time that a response asks for, at most a day. Its own
/// are the subscriptions of its state, and all with one of its notification URLs: run one supervisor for a URL, and let
/// replicas share it.
///
/// [`Wakes`](super::Wakes) drives it together with the notifications. Alone:
///
/// ```
/// # async fn example(graph: entra_graph::GraphClient, client_state: entra_core::Secret, clock: entra_core::SystemClock) -> Result<(), entra_graph::Error> {
/// use entra_core::Clock as _;
/// use entra_graph::{NewSubscription, notifications::{SubscriptionResource, Supervisor}};
/// let url = "https://app.example.com/notifications";
/// let resources = [SubscriptionResource::users(), SubscriptionResource::groups()];
/// let mut supervisor = Supervisor::new(
///     &graph,
///     resources.map(|resource| NewSubscription::new(resource, url, client_state.clone())),
/// )?;
/// loop {
///     let wait = supervisor.run_due().await;      // store supervisor.state(), and after a gap read what changed
///     clock.sleep(wait).await;
/// }
/// # }
/// ```
pub struct Supervisor {
    graph: GraphClient,
    wanted: Vec<NewSubscription>,
    machine: Machine,
    saved: SupervisorState,
    on_change: Option<OnChange>,
    /// The last failures that were not made good yet, the latest last.
    failures: Vec<(Subject, Error)>,
}

type OnChange = Box<dyn FnMut(&SupervisorState) + Send>;

impl Supervisor {
    /// A supervisor of these subscriptions. Their lifecycle notifications go to the same URL unless they have one for these.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] for a subscription that Graph would reject.
    pub fn new(
        graph: &GraphClient,
        subscriptions: impl IntoIterator<Item = NewSubscription>,
    ) -> Result<Self, Error> {
        let wanted: Vec<NewSubscription> = subscriptions
            .into_iter()
            .map(NewSubscription::with_lifecycle)
            .collect();
        for new in &wanted {
            new.check()?;
        }
        let machine = Machine::new(wanted.iter().map(describe).collect(), Vec::new());
        Ok(Self {
            graph: graph.clone(),
            wanted,
            machine,
            saved: SupervisorState::of(Vec::new()),
            on_change: None,
            failures: Vec::new(),
        })
    }

    /// Continues with the subscriptions of an earlier process.
    #[must_use]
    pub fn with_state(mut self, state: SupervisorState) -> Self {
        self.saved = state.clone();
        let wanted = self.wanted.iter().map(describe).collect();
        self.machine = Machine::new(wanted, state.into_subscriptions());
        self
    }

    /// Calls this with the state whenever it changes, to store it.
    #[must_use]
    pub fn on_change(mut self, save: impl FnMut(&SupervisorState) + Send + 'static) -> Self {
        self.on_change = Some(Box::new(save));
        self
    }

    /// The subscriptions, to be stored.
    #[must_use]
    pub fn state(&self) -> SupervisorState {
        SupervisorState::of(self.machine.stored())
    }

    /// Does what is due, and returns after what time to call it again, at the latest.
    ///
    /// Failures of Graph are logged and tried again later; [`last_error`](Self::last_error) has the last one. Graph sends its
    /// handshake during this call, so the endpoint must be served by another task. Dropping the future is safe: what was
    /// created without a response is found in the list of subscriptions.
    pub async fn run_due(&mut self) -> Duration {
        loop {
            let action = self.machine.next(self.now());
            if let Action::Wait(wait) = action {
                return wait;
            }
            let outcome = self.run(&action).await;
            let now = self.now();
            self.machine.complete(&action, outcome, now);
            self.save();
        }
    }

    /// Follows a lifecycle event of one of its subscriptions; [`run_due`](Self::run_due) then does what it requires.
    pub fn handle(&mut self, notification: &LifecycleNotification) {
        let (id, now) = (&*notification.subscription_id, self.now());
        match notification.event {
            LifecycleEventType::ReauthorizationRequired => {
                let expires = notification.subscription_expires_on;
                self.machine.reauthorization_required(
                    id,
                    expires.map(Timestamp::unix_timestamp),
                    now,
                );
            }
            LifecycleEventType::SubscriptionRemoved => self.machine.removed(id),
            LifecycleEventType::Missed => self.machine.missed(id),
            LifecycleEventType::Other(_) => {}
        }
        self.save();
    }

    /// Whether changes may have been missed since the last call: a subscription is new, was paused, expired or was removed, or
    /// Graph lost notifications. Read what changed by a delta query then.
    pub const fn take_gap(&mut self) -> bool {
        self.machine.take_gap()
    }

    /// The last failure that was not made good yet: that of a subscription stays until it is created, renewed or deleted,
    /// and that of the list until one is read.
    #[must_use]
    pub fn last_error(&self) -> Option<&Error> {
        self.failures.last().map(|(_, error)| error)
    }

    fn now(&self) -> Now {
        Now {
            wall: self.graph.now().unix_timestamp(),
            monotonic: self.graph.monotonic(),
        }
    }

    fn save(&mut self) {
        let state = self.state();
        if state != self.saved {
            if let Some(save) = &mut self.on_change {
                save(&state);
            }
            self.saved = state;
        }
    }

    /// Remembers how a request has ended.
    fn note(&mut self, subject: Option<Subject>, error: Option<Error>) {
        let Some(subject) = subject else { return };
        self.failures.retain(|(of, _)| *of != subject);
        self.failures.extend(error.map(|error| (subject, error)));
    }

    async fn run(&mut self, action: &Action) -> Outcome {
        let result = match action {
            Action::List => self.list().await,
            Action::Create(index) => {
                let new = self.wanted[*index].clone();
                self.graph.subscribe(new).send().await.map(active)
            }
            Action::Renew {
                wanted,
                id,
                with_certificate,
            } => {
                let new = &self.wanted[*wanted];
                let subscription = self.graph.subscription(&**id);
                let lifetime = new.chosen_lifetime();
                let request = match new.certificate().filter(|_| *with_certificate) {
                    Some(certificate) => subscription.renew_with_certificate(lifetime, certificate),
                    None => subscription.renew(lifetime),
                };
                request.send().await.map(active)
            }
            Action::Delete { id } => {
                let request = self.graph.subscription(&**id).delete();
                request.send().await.map(|()| Outcome::Deleted)
            }
            Action::Wait(_) => return Outcome::Deleted,
        };
        match result {
            Ok(outcome) => {
                let now = self.now().wall;
                let is_expired =
                    matches!(outcome, Outcome::Active { expires_on, .. } if expires_on <= now);
                let error = is_expired.then(|| {
                    let source = "the response has no later expiry; if the clock of this machine is ahead, set it";
                    let error = Error::decode("a subscription is expired from its beginning", source);
                    tracing::warn!(%error, "a subscription to change notifications could not be kept");
                    error
                });
                self.note(action.subject(), error);
                outcome
            }
            // Graph has several codes for it. To a list or a creation it is a failure like any other.
            Err(error)
                if matches!(action, Action::Renew { .. } | Action::Delete { .. })
                    && error.status().is_some_and(|status| status.as_u16() == 404) =>
            {
                self.note(action.subject(), None);
                Outcome::NotFound
            }
            Err(error) => {
                tracing::warn!(%error, "a subscription to change notifications could not be kept");
                let outcome = Outcome::Failed {
                    retry_after: error.retry_after(),
                    is_uncertain: matches!(
                        error.kind(),
                        ErrorKind::Transport | ErrorKind::Decode | ErrorKind::ResponseTooLarge
                    ) || error
                        .status()
                        .is_some_and(|status| status.is_server_error()),
                };
                self.note(action.subject(), Some(error));
                outcome
            }
        }
    }

    async fn list(&self) -> Result<Outcome, Error> {
        let mut subscriptions = self.graph.subscriptions().list().items();
        let mut listed = Vec::new();
        while let Some(subscription) = subscriptions.try_next().await? {
            listed.push(self.listed(subscription));
        }
        Ok(Outcome::Listed(listed))
    }

    fn listed(&self, subscription: Subscription) -> Listed {
        let resource = subscription.resource.unwrap_or_default();
        let client_state_of = (0..self.wanted.len())
            .filter(|index| {
                let own = self.wanted[*index].client_state();
                subscription.client_state.as_ref() == Some(own)
            })
            .collect();
        // In the form of the wanted one, if it is the same resource.
        let known = self.wanted.iter().map(|new| new.resource().path());
        let resource = known
            .into_iter()
            .find(|path| is_same_resource(path, &resource))
            .map_or(resource.clone(), str::to_owned);
        Listed {
            id: subscription.id,
            resource,
            change_types: subscription.change_type.unwrap_or_default(),
            notification_url: subscription.notification_url.unwrap_or_default(),
            expires_on: seconds(subscription.expiration_date_time),
            client_state_of,
        }
    }
}

fn active(subscription: Subscription) -> Outcome {
    Outcome::Active {
        id: subscription.id,
        expires_on: seconds(subscription.expiration_date_time),
    }
}

fn seconds(time: Option<Timestamp>) -> i64 {
    time.map_or(0, Timestamp::unix_timestamp)
}

fn describe(new: &NewSubscription) -> Wanted {
    let mut text = Vec::new();
    for part in new.outline() {
        text.extend_from_slice(&part.len().to_le_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    // A subscription with another client state is another one.
    text.extend_from_slice(new.client_state().expose_secret().as_bytes());
    let fingerprint = hash(&text);
    zeroize::Zeroize::zeroize(&mut text);
    Wanted {
        fingerprint,
        resource: new.resource().path().to_owned(),
        change_types: new.joined_types(),
        notification_url: new.notification_url().to_owned(),
        certificate: new
            .certificate()
            .map(|certificate| format!("{} {}", hash(certificate.der()), certificate.id())),
    }
}

/// The SHA-256 of some bytes, in hexadecimal digits.
fn hash(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Shows the ids of the subscriptions.
impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("wanted", &self.wanted)
            .field("state", &self.saved)
            .finish_non_exhaustive()
    }
}
