//! Receivers that are slow (page "Receive change notifications through webhooks").

use std::collections::HashMap;

use entra_core::{Timestamp, time::Duration};

/// How quickly each host accepted its notifications of the last ten minutes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints(HashMap<String, Window>);

#[derive(Clone, Copy, Debug)]
struct Window {
    started: Timestamp,
    sent: u64,
    slow: u64,
}

/// What happens to the notifications of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryState {
    Sent,
    /// They are sent ten minutes later.
    Delayed,
    /// They are not sent at all.
    Dropped,
}

impl Endpoints {
    /// Counts notifications that were sent to a host at once.
    pub(crate) fn record(&mut self, now: Timestamp, host: &str, notifications: u64, slow: bool) {
        let window = self.0.entry(host.to_owned()).or_insert(Window {
            started: now,
            sent: 0,
            slow: 0,
        });
        if now - window.started >= WINDOW {
            *window = Window {
                started: now,
                sent: 0,
                slow: 0,
            };
        }
        window.sent += notifications;
        window.slow += if slow { notifications } else { 0 };
    }

    /// The share of slow responses counts from 100 notifications on: a tenth delays, 15 percent drop.
    pub(crate) fn delivery_state(&self, now: Timestamp, host: &str) -> DeliveryState {
        match self.0.get(host) {
            Some(window) if now - window.started < WINDOW && window.sent >= ENOUGH => {
                match window.slow * 100 / window.sent {
                    ..10 => DeliveryState::Sent,
                    10..15 => DeliveryState::Delayed,
                    15.. => DeliveryState::Dropped,
                }
            }
            _ => DeliveryState::Sent,
        }
    }
}

const WINDOW: Duration = Duration::minutes(10);
/// The number of notifications from which on the share counts.
const ENOUGH: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_hosts_are_delayed_from_10_percent_and_dropped_from_15() {
        let now = Timestamp::UNIX_EPOCH;
        for (slow, expected) in [
            (0, DeliveryState::Sent),
            (9, DeliveryState::Sent),
            (10, DeliveryState::Delayed),
            (14, DeliveryState::Delayed),
            (15, DeliveryState::Dropped),
            (100, DeliveryState::Dropped),
        ] {
            let mut endpoints = Endpoints::default();
            endpoints.record(now, "a", slow, true);
            endpoints.record(now, "a", 100 - slow, false);
            assert_eq!(endpoints.delivery_state(now, "a"), expected, "{slow}");
            assert_eq!(endpoints.delivery_state(now, "b"), DeliveryState::Sent);
            assert_eq!(
                endpoints.delivery_state(now + WINDOW, "a"),
                DeliveryState::Sent
            );
        }
    }

    #[test]
    fn the_share_counts_from_100_notifications_on_and_starts_again_after_ten_minutes() {
        let now = Timestamp::UNIX_EPOCH;
        let mut endpoints = Endpoints::default();
        endpoints.record(now, "a", 99, true);
        assert_eq!(endpoints.delivery_state(now, "a"), DeliveryState::Sent);
        endpoints.record(now, "a", 1, true);
        assert_eq!(endpoints.delivery_state(now, "a"), DeliveryState::Dropped);
        let later = now + WINDOW;
        endpoints.record(later, "a", 100, false);
        assert_eq!(endpoints.delivery_state(later, "a"), DeliveryState::Sent);
    }
}
