//! Publishes change notifications: from the change log to the requests to receivers.
//!
//! Nothing here uses the network or real time. [`take_due`] returns the requests that are due on the tenant's clock,
//! and [`report`] takes their outcome. A frontend sends them.

mod lifecycle;
mod payload;
mod subscriber;

use std::collections::HashSet;

use entra_core::{Timestamp, time::Duration};
use serde_json::{Value, json};

use crate::{
    directory::later,
    notifications::{DeliveryReport, DeliveryState, Pending, internal},
    state::State,
    store::{Change, Kind},
    time::{TICKS, ticks_of},
};
use lifecycle::next_challenge;
use subscriber::Subscriber;

/// A request with notifications.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) url: String,
    pub(crate) body: Vec<u8>,
    numbers: Vec<u64>,
}

/// How a receiver responded to a request with notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Whether it accepted them.
    pub(crate) accepted: bool,
    /// Whether it took longer than 2.9 seconds.
    pub(crate) slow: bool,
}

/// Whether there is nothing to do until the next request.
pub(crate) fn is_idle(state: &State) -> bool {
    state.notifications.queue.is_empty() && state.store.len(Kind::Subscription) == 0
}

/// Notifies every subscription of the changes from now on: the log of changes is new.
#[cfg(feature = "server")]
pub(crate) fn start_again(state: &mut State) {
    for subscriber in Subscriber::all(state) {
        state
            .store
            .update(Kind::Subscription, &subscriber.id, |object| {
                object.insert(internal::SINCE.to_owned(), 0.into());
            });
    }
}

/// The number of notifications that were not accepted yet, those of changes that were not looked at included.
pub(crate) fn pending(state: &mut State, now: Timestamp) -> usize {
    collect(state, now);
    state.notifications.queue.len()
}

/// Returns the requests that are due, and how many notifications were dropped.
pub(crate) fn take_due(state: &mut State, now: Timestamp) -> (Vec<Post>, usize) {
    let mut dropped = collect(state, now);
    let active: HashSet<String> = Subscriber::all(state)
        .into_iter()
        .filter(|subscriber| subscriber.expires > ticks_of(now))
        .map(|subscriber| subscriber.id)
        .collect();
    let mut due: Vec<Pending> = Vec::new();
    let mut removed: HashSet<u64> = HashSet::new();
    let mut missed: Vec<String> = Vec::new();
    let mut queue = std::mem::take(&mut state.notifications.queue);
    for pending in &mut queue {
        if pending.due > now {
            continue;
        }
        if !pending.lifecycle && !active.contains(&pending.subscription) {
            removed.insert(pending.number);
            continue;
        }
        match state
            .notifications
            .endpoints
            .delivery_state(now, host(&pending.url))
        {
            DeliveryState::Dropped => {
                dropped += 1;
                removed.insert(pending.number);
                missed.push(pending.subscription.clone());
            }
            DeliveryState::Delayed if !pending.delayed => {
                pending.delayed = true;
                pending.due = now + RETRY;
            }
            _ => due.push(pending.clone()),
        }
    }
    queue.retain(|pending| !removed.contains(&pending.number));
    state.notifications.queue = queue;
    for subscription in missed {
        push_missed(state, now, &subscription);
    }
    if state.notifications.options.reordered {
        due.reverse();
    }
    (posts(state, now, due), dropped)
}

/// Groups notifications by their URL.
fn posts(state: &State, now: Timestamp, due: Vec<Pending>) -> Vec<Post> {
    let mut groups: Vec<(String, Vec<Pending>)> = Vec::new();
    for pending in due {
        let open = groups
            .iter_mut()
            .find(|(url, items)| *url == pending.url && items.len() < MAX_BATCH);
        match open {
            Some((_, items)) => items.push(pending),
            None => groups.push((pending.url.clone(), vec![pending])),
        }
    }
    let post = |(url, items): (String, Vec<Pending>)| {
        let mut tokens: Vec<&(String, String)> = Vec::new();
        for token in items.iter().filter_map(|pending| pending.token.as_ref()) {
            if !tokens.iter().any(|(_, audience)| *audience == token.1) {
                tokens.push(token);
            }
        }
        let tokens: Vec<String> = tokens
            .into_iter()
            .filter_map(|(base, audience)| payload::validation_token(state, now, base, audience))
            .collect();
        let values: Vec<&Value> = items.iter().map(|pending| &pending.item).collect();
        let mut body = json!({ "value": values });
        if !tokens.is_empty() {
            body["validationTokens"] = tokens.into();
        }
        Post {
            url,
            body: body.to_string().into_bytes(),
            numbers: items.iter().map(|pending| pending.number).collect(),
        }
    };
    groups.into_iter().map(post).collect()
}

/// Removes the notifications of a request from the queue, or plans the next attempt.
pub(crate) fn report(
    state: &mut State,
    now: Timestamp,
    post: &Post,
    outcome: Outcome,
) -> DeliveryReport {
    let mut report = DeliveryReport::default();
    let sent = post.numbers.len();
    let endpoints = &mut state.notifications.endpoints;
    endpoints.record(now, host(&post.url), sent as u64, outcome.slow);
    if outcome.accepted {
        let queue = &mut state.notifications.queue;
        queue.retain(|pending| !post.numbers.contains(&pending.number));
        report.delivered = sent;
        return report;
    }
    let mut missed = Vec::new();
    state.notifications.queue.retain_mut(|pending| {
        if !post.numbers.contains(&pending.number) {
            return true;
        }
        let first = *pending.first_attempt.get_or_insert(now);
        pending.due = now + RETRY;
        let kept = pending.due <= first + RETRIED_FOR;
        if kept {
            report.failed += 1;
        } else {
            report.dropped += 1;
            if !pending.lifecycle {
                missed.push(pending.subscription.clone());
            }
        }
        kept
    });
    for subscription in missed {
        push_missed(state, now, &subscription);
    }
    report
}

/// When the next notification is due, as far as known.
pub(crate) fn next_due(state: &State) -> Option<Timestamp> {
    let queued = state.notifications.queue.iter().map(|pending| pending.due);
    let subscribers = Subscriber::all(state);
    let challenges = subscribers
        .iter()
        .filter(|subscriber| subscriber.lifecycle_url.is_some())
        .map(|subscriber| (next_challenge_of(subscriber), subscriber.expires))
        .filter(|(due, expires)| due < expires)
        // The next whole second: at this time it is due.
        .filter_map(|(due, _)| Timestamp::from_unix_timestamp((due + TICKS - 1) / TICKS).ok());
    queued.chain(challenges).min()
}

/// Removes a subscription as the service does it. Returns whether it existed.
pub(crate) fn remove_subscription(state: &mut State, now: Timestamp, id: &str) -> bool {
    collect(state, now);
    let subscriber = state
        .store
        .get(Kind::Subscription, id)
        .and_then(Subscriber::read);
    let removed = state.store.remove(Kind::Subscription, id);
    // Users and groups do not have the event.
    if let Some(subscriber) = subscriber.filter(|subscriber| subscriber.resource.is_rich()) {
        push_lifecycle(state, now, &subscriber, "subscriptionRemoved");
    }
    removed
}

/// Looks at all changes since the last call, and at what is due for each subscription. Returns how many
/// notifications were dropped.
fn collect(state: &mut State, now: Timestamp) -> usize {
    let next = state.store.changes.next();
    let from = std::mem::replace(&mut state.notifications.cursor, next);
    remove_long_expired(state, now);
    let subscribers: Vec<(Subscriber, bool)> = Subscriber::all(state)
        .into_iter()
        .map(|subscriber| {
            let permitted = subscriber.is_permitted(state);
            (subscriber, permitted)
        })
        .collect();
    let mut dropped = 0;
    if !subscribers.is_empty() {
        let changes: Vec<Change> = state.store.changes.range(from, next).cloned().collect();
        for change in &changes {
            for (subscriber, _) in subscribers.iter().filter(|(_, permitted)| *permitted) {
                dropped += usize::from(notify(state, now, subscriber, change));
            }
        }
    }
    for (subscriber, permitted) in &subscribers {
        challenge(state, now, subscriber, *permitted);
    }
    let excess = state.notifications.queue.len().saturating_sub(MAX_PENDING);
    state.notifications.queue.drain(..excess);
    dropped + excess
}

/// Queues the notification of a change for a subscription. Returns whether a switch dropped it.
fn notify(state: &mut State, now: Timestamp, subscriber: &Subscriber, change: &Change) -> bool {
    if subscriber.paused
        || change.sequence < subscriber.since
        || ticks_of(change.at) >= subscriber.expires
    {
        return false;
    }
    let resource = &subscriber.resource;
    let Some(change_type) = resource.change_type(change, &subscriber.change_types) else {
        return false;
    };
    state.notifications.counted += 1;
    let options = state.notifications.options;
    let every = u64::from(options.dropped_every);
    if every > 0 && state.notifications.counted.is_multiple_of(every) {
        push_missed(state, now, &subscriber.id);
        return true;
    }
    let item = payload::of_change(state, subscriber, change, change_type);
    let due = later(change.at, options.late);
    for _ in 0..1 + usize::from(options.duplicated) {
        push(state, subscriber, &subscriber.url, item.clone(), due, false);
    }
    false
}

/// Asks for a reauthorization if it is due, and pauses a subscription whose application ignored the last one or lost
/// its permission.
fn challenge(state: &mut State, now: Timestamp, subscriber: &Subscriber, permitted: bool) {
    let ticks = ticks_of(now);
    if ticks >= subscriber.expires {
        return;
    }
    let lost = !permitted && !subscriber.paused;
    let due = subscriber.lifecycle_url.is_some() && next_challenge_of(subscriber) <= ticks;
    if !lost && !due {
        return;
    }
    push_lifecycle(state, now, subscriber, "reauthorizationRequired");
    let ignored = subscriber.challenged.is_some();
    state
        .store
        .update(Kind::Subscription, &subscriber.id, |object| {
            object.insert(internal::CHALLENGED.to_owned(), ticks.into());
            if !permitted || ignored {
                object.insert(internal::PAUSED.to_owned(), true.into());
            }
        });
}

fn next_challenge_of(subscriber: &Subscriber) -> i64 {
    let last = subscriber.challenged.unwrap_or(subscriber.authorized);
    next_challenge(last, subscriber.expires)
}

/// Tells a receiver that it missed notifications, if its resource has that event.
fn push_missed(state: &mut State, now: Timestamp, subscription: &str) {
    let subscriber = state
        .store
        .get(Kind::Subscription, subscription)
        .and_then(Subscriber::read)
        .filter(|subscriber| subscriber.resource.is_rich());
    let Some(subscriber) = subscriber else { return };
    let waiting = state.notifications.queue.iter().any(|pending| {
        pending.subscription == subscription && pending.item["lifecycleEvent"] == "missed"
    });
    if !waiting {
        push_lifecycle(state, now, &subscriber, "missed");
    }
}

fn push_lifecycle(state: &mut State, now: Timestamp, subscriber: &Subscriber, event: &str) {
    if let Some(url) = &subscriber.lifecycle_url {
        let item = payload::of_lifecycle(state, subscriber, event);
        push(state, subscriber, url, item, now, true);
    }
}

fn push(
    state: &mut State,
    subscriber: &Subscriber,
    url: &str,
    item: Value,
    due: Timestamp,
    lifecycle: bool,
) {
    let notifications = &mut state.notifications;
    let audience = subscriber.audience.as_ref();
    notifications.queue.push_back(Pending {
        number: notifications.next_number,
        subscription: subscriber.id.clone(),
        url: url.to_owned(),
        item,
        token: audience.map(|audience| (subscriber.base.clone(), audience.clone())),
        due,
        first_attempt: None,
        delayed: false,
        lifecycle,
    });
    notifications.next_number += 1;
}

/// Expired subscriptions are stored for a week, for the switch that lists them.
fn remove_long_expired(state: &mut State, now: Timestamp) {
    let oldest = ticks_of(now - Duration::WEEK);
    let expired: Vec<String> = Subscriber::all(state)
        .into_iter()
        .filter(|subscriber| subscriber.expires < oldest)
        .map(|subscriber| subscriber.id)
        .collect();
    for id in expired {
        state.store.remove(Kind::Subscription, &id);
    }
}

/// Scheme, host and port of a URL.
fn host(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[after_scheme..].find(['/', '?', '#']);
    end.map_or(url, |end| &url[..after_scheme + end])
}

/// Failed notifications go to workers that retry every ten minutes. The first retries of the service are quicker; how
/// quick is not published.
const RETRY: Duration = Duration::minutes(10);
const RETRIED_FOR: Duration = Duration::hours(4);
/// How many notifications one request has at most. The number is not published.
const MAX_BATCH: usize = 100;
/// A tenant whose notifications are never delivered stays bounded.
const MAX_PENDING: usize = 100_000;
