//! A log in parts by time, to be read at once.

use entra_core::Timestamp;

use super::List;
use crate::{
    model::{Entity, Filterable},
    objects::{DirectoryAudit, ProvisioningObjectSummary, SignIn, beta},
    odata::Filter,
};

/// An entry of a log, such as a [`SignIn`]: entries have a time and never change.
#[diagnostic::on_unimplemented(
    message = "lists of `{Self}` cannot be partitioned by time",
    note = "logs can: sign-ins, directory audits, provisioning events, risk detections"
)]
pub trait LogEntry: Entity + Filterable {
    /// Matches entries from the first tick up to and with the last.
    #[doc(hidden)]
    fn within(first: Ticks, last: Ticks) -> Filter<Self>
    where
        Self: Sized;
}

/// Steps of 100 nanoseconds since 1970, the precision of times in Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[doc(hidden)]
pub struct Ticks(i128);

impl Ticks {
    pub(super) const fn of_second(second: i128) -> Self {
        Self(second * PER_SECOND)
    }

    /// The start of its second.
    pub(super) const fn whole_second(self) -> Self {
        Self::of_second(self.0.div_euclid(PER_SECOND))
    }

    pub(super) const fn plus_seconds(self, seconds: i128) -> Self {
        self.plus(seconds * PER_SECOND)
    }

    /// Whole seconds up to a later one.
    pub(super) const fn seconds_to(self, end: Self) -> i128 {
        (end.0 - self.0) / PER_SECOND
    }

    #[inline]
    pub(super) fn of(time: Timestamp) -> Self {
        Self(time.unix_timestamp_nanos().div_euclid(NANOSECONDS))
    }

    pub(super) const fn plus(self, ticks: i128) -> Self {
        Self(self.0 + ticks)
    }

    #[inline]
    pub(super) fn time(self) -> Timestamp {
        // Both ends are between two times, so this one is valid.
        Timestamp::from_unix_timestamp_nanos(self.0 * NANOSECONDS).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

const NANOSECONDS: i128 = 100;
const PER_SECOND: i128 = 10_000_000;

impl<E: LogEntry> List<E> {
    /// The list in parts of equal time from one time up to another, exclusive: every entry is in exactly one part,
    /// and entries written meanwhile are in none if `end` is not in the future.
    ///
    /// The parts are in the order of time and can be read at once. Graph allows five requests in ten seconds on the
    /// logs, so more parts than that gain little. A filter on the entry's time is not needed; other filters stay.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let (tenant, credential) = support::start().await;
    /// # let graph = entra_graph::GraphClient::builder(credential).cloud(tenant.cloud()).clock(tenant.clock()).build()?;
    /// use entra_core::{Clock, time::Duration};
    /// use futures_util::future::try_join_all;
    /// let now = tenant.clock().now();
    /// let parts = graph.audit_logs().sign_ins().list().partitioned(now - Duration::days(30), now, 4);
    /// let parts = parts.into_iter().map(|part| part.items().try_collect::<Vec<_>>());
    /// let entries: Vec<_> = try_join_all(parts).await?.into_iter().flatten().collect();
    /// assert!(!entries.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn partitioned(self, start: Timestamp, end: Timestamp, parts: usize) -> Vec<Self> {
        windows(Ticks::of(start), Ticks::of(end), parts)
            .map(|(first, last)| self.clone().filter(E::within(first, last)))
            .collect()
    }
}

/// The first and last tick of each part that is not empty.
#[inline]
fn windows(start: Ticks, end: Ticks, parts: usize) -> impl Iterator<Item = (Ticks, Ticks)> {
    let count = i128::try_from(parts.max(1)).unwrap_or(i128::MAX);
    let length = (end.0 - start.0).max(0);
    let bound = move |part: i128| start.plus(length * part / count);
    (0..count)
        .map(move |part| (bound(part), bound(part + 1).plus(-1)))
        .filter(|(first, last)| first <= last)
}

/// Which operators Graph documents for the time of a log.
macro_rules! log_entries {
    ($($(#[$meta:meta])* $entity:ty: $time:ident $kind:ident;)*) => {$(
        $(#[$meta])*
        impl LogEntry for $entity {
            #[inline]
            fn within(first: Ticks, last: Ticks) -> Filter<Self> {
                log_entries!(@$kind <$entity>::$time, first, last)
            }
        }
    )*};
    (@inclusive $time:expr, $first:ident, $last:ident) => {
        $time.ge($first.time()).and($time.le($last.time()))
    };
    (@exclusive $time:expr, $first:ident, $last:ident) => {
        $time
            .gt($first.plus(-1).time())
            .and($time.lt($last.plus(1).time()))
    };
}

log_entries! {
    SignIn: CREATED_DATE_TIME inclusive;
    beta::SignIn: CREATED_DATE_TIME inclusive;
    DirectoryAudit: ACTIVITY_DATE_TIME inclusive;
    ProvisioningObjectSummary: ACTIVITY_DATE_TIME exclusive;
    #[cfg(feature = "identity-protection")]
    crate::objects::RiskDetection: DETECTED_DATE_TIME inclusive;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_is_within_the_operators_of_its_log() {
        let time = |seconds| Timestamp::from_unix_timestamp(seconds).unwrap();
        let (first, last) = (Ticks::of(time(0)), Ticks::of(time(10)).plus(-1));
        assert_eq!(
            SignIn::within(first, last).to_string(),
            "createdDateTime ge 1970-01-01T00:00:00Z and createdDateTime le 1970-01-01T00:00:09.9999999Z"
        );
        assert_eq!(
            ProvisioningObjectSummary::within(first, last).to_string(),
            "activityDateTime gt 1969-12-31T23:59:59.9999999Z and activityDateTime lt 1970-01-01T00:00:10Z"
        );
    }

    proptest! {
        #[test]
        fn every_tick_is_in_exactly_one_part(start in -1_000_i128..1_000, length in 0_i128..500, parts in 0_usize..20) {
            let (start, end) = (Ticks(start), Ticks(start + length));
            let windows: Vec<_> = windows(start, end, parts).collect();
            prop_assert!(windows.len() <= parts.max(1));
            let mut next = start;
            for (first, last) in windows {
                prop_assert_eq!(first, next);
                prop_assert!(last >= first);
                next = last.plus(1);
            }
            prop_assert_eq!(next, end);
        }
    }
}
