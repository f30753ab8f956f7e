//! The documented limits as data, and how much of one is left as a pure function of time.

use std::{collections::VecDeque, time::Duration};

/// A limit of Graph: so much in so much time, counted per application, per tenant or for both together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) scope: Scope,
    shape: Shape,
    amount: u32,
    per: Duration,
}

/// Whose requests a limit counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    ApplicationAndTenant,
    Application,
    Tenant,
}

/// How a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A token bucket, which refills all the time.
    Bucket,
    /// So many in any period of the length. What is on its way counts as long as it is, since Graph counts when a request arrives.
    Window,
}

/// The size of a tenant, which decides how many resource units it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TenantSize {
    /// Below 50 users: 3,500 resource units in 10 seconds.
    Small,
    /// 50 to 500 users: 5,000.
    Medium,
    /// More than 500 users: 8,000.
    Large,
}

impl TenantSize {
    const fn units(self) -> u32 {
        match self {
            Self::Small => 3_500,
            Self::Medium => 5_000,
            Self::Large => 8_000,
        }
    }

    pub(super) const fn larger(self) -> Option<Self> {
        match self {
            Self::Small => Some(Self::Medium),
            Self::Medium => Some(Self::Large),
            Self::Large => None,
        }
    }

    pub(super) const fn smaller(self) -> Self {
        match self {
            Self::Large => Self::Medium,
            _ => Self::Small,
        }
    }
}

/// Writes to the directory: of an application in a tenant, then of the tenant and of the application.
pub(super) const WRITES: usize = 0;
/// Sign-ins, audits, provisioning and reports.
pub(super) const LOGS: usize = 3;
/// Identity Protection and Conditional Access.
pub(super) const PROTECTION: usize = 4;
/// `provisionOnDemand` of synchronization jobs.
pub(super) const PROVISION: usize = 5;
/// Reads of the certificates of applications and service principals.
pub(super) const KEYS: usize = 6;
/// Writes of subscriptions to change notifications: of an application in a tenant, then of the tenant.
pub(super) const SUBSCRIPTION_WRITES: usize = 7;
/// All requests to subscriptions, likewise.
pub(super) const SUBSCRIPTIONS: usize = 9;
/// Resource units of the directory: of an application in a tenant, then of the application.
pub(super) const UNITS: usize = 11;
/// Every request.
pub(super) const REQUESTS: usize = 13;
pub(super) const COUNT: usize = 14;

/// The limits, in the order in which a request passes them: a write that waits for its limit does not hold up reads.
///
/// From "Microsoft Graph service-specific throttling limits", as of 2025; of subscriptions as of 2022; of
/// `provisionOnDemand` from its page, as of 2024. The size of the tenant decides about [`UNITS`].
pub(super) static LIMITS: [Limit; COUNT] = {
    use Scope::{Application, ApplicationAndTenant, Tenant};
    use Shape::{Bucket, Window};
    [
        limit(ApplicationAndTenant, Bucket, 3_000, 150),
        limit(Tenant, Bucket, 18_000, 300),
        limit(Application, Bucket, 35_000, 300),
        limit(ApplicationAndTenant, Window, 5, 10),
        limit(Tenant, Window, 1, 1),
        limit(ApplicationAndTenant, Window, 5, 10),
        limit(Tenant, Bucket, 150, 60),
        limit(ApplicationAndTenant, Bucket, 1_000, 20),
        limit(Tenant, Bucket, 2_000, 20),
        limit(ApplicationAndTenant, Bucket, 5_000, 20),
        limit(Tenant, Bucket, 10_000, 20),
        limit(ApplicationAndTenant, Bucket, TenantSize::Small.units(), 10),
        limit(Application, Bucket, 150_000, 20),
        limit(Application, Bucket, 130_000, 10),
    ]
};

const fn limit(scope: Scope, shape: Shape, amount: u32, seconds: u64) -> Limit {
    Limit {
        scope,
        shape,
        amount,
        per: Duration::from_secs(seconds),
    }
}

/// How much of a limit is left. Times are those since the governor began.
#[derive(Debug)]
pub(super) struct Meter {
    limit: Limit,
    /// What is left of a bucket, as of `at`.
    left: f64,
    at: Duration,
    /// When what a window still counts was responded to, oldest first.
    done: VecDeque<Duration>,
    /// What was sent and has no response yet, in a window.
    on_the_way: u32,
    /// Nothing is sent before: Graph throttled a request.
    closed_until: Duration,
}

impl Meter {
    pub(super) fn new(limit: Limit, now: Duration) -> Self {
        let mut meter = Self {
            limit,
            left: 0.0,
            at: now,
            done: VecDeque::new(),
            on_the_way: 0,
            closed_until: Duration::ZERO,
        };
        meter.left = meter.capacity();
        meter
    }

    /// What to wait for before something that costs so much may be sent.
    pub(super) fn wait(&mut self, now: Duration, cost: u32) -> Wait {
        self.advance(now);
        let closed = self.closed(now);
        let cost = cost.min(self.limit.amount);
        let empty = match self.limit.shape {
            Shape::Bucket => {
                let lacks = f64::from(cost).min(self.capacity()) - self.left;
                // A part of a nanosecond must not round to no wait.
                seconds(lacks / self.rate())
            }
            Shape::Window => {
                let room = (self.limit.amount - cost).saturating_sub(self.on_the_way);
                let over = self
                    .done
                    .len()
                    .saturating_sub(usize::try_from(room).unwrap_or(0));
                let full = over > 0 || self.on_the_way + cost > self.limit.amount;
                if full && self.on_the_way > 0 {
                    return Wait::ForResponse;
                }
                match over.checked_sub(1).and_then(|last| self.done.get(last)) {
                    Some(done) => (*done + self.span()).saturating_sub(now),
                    None => Duration::ZERO,
                }
            }
        };
        match closed.max(empty) {
            Duration::ZERO => Wait::None,
            wait => Wait::For(wait),
        }
    }

    /// Counts something that is sent now.
    #[inline]
    pub(super) fn take(&mut self, now: Duration, cost: u32) {
        self.advance(now);
        match self.limit.shape {
            Shape::Bucket => self.left -= f64::from(cost),
            Shape::Window => {
                self.on_the_way += cost.min(self.limit.amount);
            }
        }
    }

    /// Counts a response, or that there will be none, to something that was sent.
    #[inline]
    pub(super) fn finish(&mut self, now: Duration, cost: u32) {
        if self.limit.shape == Shape::Window {
            self.advance(now);
            let cost = cost.min(self.limit.amount);
            self.on_the_way = self.on_the_way.saturating_sub(cost);
            self.done.extend((0..cost).map(|_| now));
        }
    }

    /// Replaces an estimated cost by the actual one.
    pub(super) fn correct(&mut self, estimated: u32, actual: u32) {
        if self.limit.shape == Shape::Bucket {
            self.left = (self.left + f64::from(estimated) - f64::from(actual)).min(self.capacity());
        }
    }

    /// Takes over how much of the limit Graph says is used, by all programs together.
    #[inline]
    pub(super) fn set_used(&mut self, now: Duration, used: f64) {
        self.advance(now);
        if self.limit.shape == Shape::Bucket && used.is_finite() {
            let left = self.capacity() * (1.0 - used).clamp(0.0, 1.0);
            self.left = self.left.min(left);
        }
    }

    /// Nothing is sent for so long, as Graph throttled a request. Afterwards the limit refills from nothing.
    #[inline]
    pub(super) fn close(&mut self, now: Duration, wait: Duration) {
        self.advance(now);
        let until = now.saturating_add(wait);
        if until <= self.closed_until {
            return;
        }
        self.closed_until = until;
        if self.limit.shape == Shape::Bucket {
            // The limit refills during the wait that Graph requested.
            self.left = self.left.min(0.0);
        }
    }

    /// For how long nothing is sent because Graph throttled a request.
    pub(super) fn closed(&self, now: Duration) -> Duration {
        self.closed_until.saturating_sub(now)
    }

    /// The wait after a request was throttled, of which Graph says nothing or too little: a first wait below the period of
    /// a window is lost.
    pub(super) fn least_wait(&self, requested: bool) -> Duration {
        match self.limit.shape {
            Shape::Window if !requested => self.limit.per,
            _ => Duration::ZERO,
        }
    }

    /// Which part of the limit is used.
    #[inline]
    pub(super) fn used(&mut self, now: Duration) -> f64 {
        self.advance(now);
        match self.limit.shape {
            Shape::Bucket => 1.0 - self.left / self.capacity(),
            Shape::Window => {
                let done = u32::try_from(self.done.len()).unwrap_or(u32::MAX);
                f64::from(done.saturating_add(self.on_the_way)) / f64::from(self.limit.amount)
            }
        }
    }

    /// Whether nothing of it is used.
    #[inline]
    pub(super) fn is_idle(&mut self, now: Duration) -> bool {
        self.used(now) <= 0.0 && self.closed_until <= now
    }

    /// Changes the size of the tenant. What is used stays used.
    pub(super) fn resize(&mut self, now: Duration, size: TenantSize) {
        self.advance(now);
        let before = self.capacity();
        self.limit.amount = size.units();
        self.left += self.capacity() - before;
    }

    fn advance(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        match self.limit.shape {
            Shape::Bucket => {
                let refilled = self.left + passed.as_secs_f64() * self.rate();
                self.left = refilled.min(self.capacity());
            }
            Shape::Window => {
                let span = self.span();
                while self
                    .done
                    .front()
                    .is_some_and(|done| *done + span <= self.at)
                {
                    self.done.pop_front();
                }
            }
        }
    }

    /// The period of a window, and a little for clocks that differ.
    fn span(&self) -> Duration {
        self.limit.per + self.limit.per / 40
    }

    fn capacity(&self) -> f64 {
        f64::from(self.limit.amount)
    }

    /// A bucket is used a twentieth slower than it refills: requests may arrive closer together than they were sent.
    fn rate(&self) -> f64 {
        self.capacity() * 0.95 / self.limit.per.as_secs_f64()
    }
}

/// What to wait for before a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    None,
    For(Duration),
    /// A response to one of the requests on their way.
    ForResponse,
}

/// How many of these requests a limit allows at once.
pub(super) fn most_at_once(limit: usize) -> Option<u32> {
    let limit = LIMITS.get(limit)?;
    (limit.shape == Shape::Window).then_some(limit.amount)
}

fn seconds(seconds: f64) -> Duration {
    if seconds <= 0.0 {
        return Duration::ZERO;
    }
    let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    wait.saturating_add(Duration::from_nanos(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn meter(limit: usize) -> Meter {
        Meter::new(LIMITS[limit], Duration::ZERO)
    }

    /// Rounded to milliseconds, as a bucket counts in fractions.
    fn wait(meter: &mut Meter, now: f64, cost: u32) -> u64 {
        let wait = match meter.wait(at(now), cost) {
            Wait::None => Duration::ZERO,
            Wait::For(wait) => wait,
            Wait::ForResponse => panic!("waits for a response"),
        };
        u64::try_from((wait + Duration::from_micros(499)).as_millis()).unwrap()
    }

    #[test]
    fn the_limits_are_the_documented_ones() {
        use Scope::{Application, ApplicationAndTenant, Tenant};
        let both = ApplicationAndTenant;
        let documented = [
            // limit, whose requests, how much, in how many seconds
            (WRITES, both, 3_000, 150),
            (WRITES + 1, Tenant, 18_000, 300),
            (WRITES + 2, Application, 35_000, 300),
            (LOGS, both, 5, 10),
            (PROTECTION, Tenant, 1, 1),
            (PROVISION, both, 5, 10),
            (KEYS, Tenant, 150, 60),
            (SUBSCRIPTION_WRITES, both, 1_000, 20),
            (SUBSCRIPTION_WRITES + 1, Tenant, 2_000, 20),
            (SUBSCRIPTIONS, both, 5_000, 20),
            (SUBSCRIPTIONS + 1, Tenant, 10_000, 20),
            (UNITS, both, 3_500, 10),
            (UNITS + 1, Application, 150_000, 20),
            (REQUESTS, Application, 130_000, 10),
        ];
        assert_eq!(documented.len(), COUNT);
        for (limit, scope, amount, seconds) in documented {
            let row = LIMITS[limit];
            assert_eq!(
                (row.scope, row.amount, row.per),
                (scope, amount, Duration::from_secs(seconds)),
                "{limit}"
            );
        }
        let sizes = [TenantSize::Small, TenantSize::Medium, TenantSize::Large];
        assert_eq!(sizes.map(TenantSize::units), [3_500, 5_000, 8_000]);
    }

    #[test]
    fn a_bucket_gives_its_capacity_at_once_and_then_its_rate() {
        // 3,500 in 10 s: all at once, then 332.5 a second.
        let steps = [
            // time, cost, wait in ms
            (0.0, 3_000, 0),
            (0.0, 500, 0),
            (0.0, 1, 3),
            (0.0, 333, 1_002),
            (1.0, 332, 0),
            (1.0, 100, 299),
            (12.0, 3_500, 0),
            (12.0, 5_000, 10_526),
        ];
        let mut units = meter(UNITS);
        for (now, cost, expected) in steps {
            assert_eq!(wait(&mut units, now, cost), expected, "{cost} at {now}");
            if expected == 0 {
                units.take(at(now), cost);
            }
        }
    }

    #[test]
    fn a_window_gives_five_in_any_ten_seconds() {
        let steps = [
            (0.0, 3, 0),
            (4.0, 2, 0),
            (4.0, 1, 6_250),
            (4.0, 4, 10_250),
            (10.25, 3, 0),
            (10.25, 1, 4_000),
            (14.25, 1, 0),
            // More than the limit waits for all of it.
            (14.25, 20, 10_250),
        ];
        let mut logs = meter(LOGS);
        for (now, cost, expected) in steps {
            assert_eq!(wait(&mut logs, now, cost), expected, "{cost} at {now}");
            if expected == 0 {
                logs.take(at(now), cost);
                logs.finish(at(now), cost);
            }
        }
    }

    #[test]
    fn a_window_counts_requests_on_their_way_and_then_from_their_responses() {
        let mut logs = meter(LOGS);
        logs.take(at(0.0), 4);
        assert_eq!(logs.wait(at(0.0), 1), Wait::None);
        assert_eq!(logs.wait(at(30.0), 2), Wait::ForResponse);
        logs.finish(at(30.0), 3);
        assert_eq!(logs.wait(at(30.0), 1), Wait::None);
        assert_eq!(logs.wait(at(30.0), 2), Wait::ForResponse);
        logs.finish(at(31.0), 1);
        assert_eq!(wait(&mut logs, 31.0, 2), 9_250);
        assert_eq!(wait(&mut logs, 31.0, 5), 10_250);
        assert!(!logs.is_idle(at(41.0)));
        assert!(logs.is_idle(at(41.25)));
    }

    #[test]
    fn a_429_closes_the_limit_once_and_empties_it() {
        let mut units = meter(UNITS);
        units.close(at(1.0), at(7.0));
        assert_eq!(wait(&mut units, 1.0, 1), 7_000);
        // Later responses to the same burst change nothing.
        units.close(at(2.0), at(5.0));
        assert_eq!(wait(&mut units, 2.0, 1), 6_000);
        units.close(at(2.0), at(8.0));
        assert_eq!(wait(&mut units, 2.0, 1), 8_000);
        assert_eq!(wait(&mut units, 10.0, 1), 0);
        assert!(units.left < 3_000.0);
    }

    #[test]
    fn what_graph_says_of_costs_and_use_replaces_estimates() {
        let mut units = meter(UNITS);
        units.take(at(0.0), 100);
        units.correct(100, 40);
        assert_eq!(units.left.round(), 3_460.0);
        units.correct(0, 10);
        assert_eq!(units.left.round(), 3_450.0);
        units.set_used(at(0.0), 0.9);
        assert_eq!(units.left.round(), 350.0);
        units.set_used(at(0.0), 0.8);
        assert_eq!(units.left.round(), 350.0, "other programs do not give back");
        units.set_used(at(0.0), 1.4);
        assert_eq!(units.left, 0.0);
        units.set_used(at(0.0), f64::NAN);
        assert_eq!(units.left, 0.0);
    }

    #[test]
    fn a_larger_tenant_keeps_what_is_used() {
        let mut units = meter(UNITS);
        units.take(at(0.0), 3_500);
        units.resize(at(0.0), TenantSize::Large);
        assert_eq!(units.left.round(), 4_500.0);
        assert_eq!(wait(&mut units, 0.0, 4_500), 0);
        units.resize(at(0.0), TenantSize::Small);
        assert_eq!(units.left.round(), 0.0);
    }

    proptest! {
        #[test]
        fn no_window_of_graph_sees_more_than_it_allows(
            costs in prop::collection::vec(1_u32..6, 1..60),
            delays in prop::collection::vec(0_u64..20_000, 60),
        ) {
            let mut logs = meter(LOGS);
            let mut now = Duration::ZERO;
            let mut arrived = Vec::new();
            let mut on_the_way: VecDeque<(Duration, u32)> = VecDeque::new();
            for (cost, delay) in costs.iter().zip(delays) {
                loop {
                    match logs.wait(now, *cost) {
                        Wait::None => break,
                        Wait::For(wait) => now += wait,
                        Wait::ForResponse => {
                            let (at, cost) = on_the_way.pop_front().unwrap();
                            now = now.max(at);
                            logs.finish(now, cost);
                        }
                    }
                }
                logs.take(now, *cost);
                let arrives = now + Duration::from_millis(delay);
                arrived.extend((0..*cost).map(|_| arrives));
                on_the_way.push_back((arrives, *cost));
            }
            arrived.sort_unstable();
            for six in arrived.windows(6) {
                prop_assert!(six[5] - six[0] >= Duration::from_secs(10), "{:?}", six);
            }
        }

        #[test]
        fn a_wait_is_enough(costs in prop::collection::vec(1_u32..4_000, 1..40)) {
            let mut units = meter(UNITS);
            let mut now = Duration::ZERO;
            for cost in costs {
                if let Wait::For(wait) = units.wait(now, cost) {
                    now += wait;
                }
                prop_assert_eq!(units.wait(now, cost), Wait::None);
                units.take(now, cost.min(3_500));
            }
        }
    }
}
