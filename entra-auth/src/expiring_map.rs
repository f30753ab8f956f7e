//! The one map behind everything that is remembered for a while: tokens, sessions, throttled keys,
//! discovery documents, finished sign-ins.
//!
//! It is ours because everything here expires by the caller's [`Clock`](entra_core::Clock), which a
//! test moves by hand. moka 0.12, mini-moka 0.10 and cached 0.56 read the time themselves, and so
//! does timed-map 1.7 with the standard library, which has no bound either; quick_cache 0.7 and lru
//! expire nothing. axess-cache 0.2 takes a clock, but one of a crate of its own, and cannot spare a
//! token that is being fetched.

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    fmt,
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

/// A map that holds up to `capacity` entries, each for its time on the monotonic clock.
///
/// An expired entry is not found, and the next insertion removes it. When the map is full, the least
/// recently used entry is removed.
pub(crate) struct ExpiringMap<K, V> {
    capacity: usize,
    entries: HashMap<Arc<K>, Item<V>>,
    /// The order in which entries make room.
    queue: Order,
    expiries: Order,
    next: u64,
}

/// Keys in an order. One type for all maps, so that its code is compiled once and not for each kind of key.
type Order = BTreeMap<Position, AnyKey>;

/// Where an entry is in an order: a number, below a time in the order of expiry.
type Position = (Option<Instant>, u64);

/// The key of an entry, an `Arc<K>`.
type AnyKey = Arc<dyn Any + Send + Sync>;

struct Item<V> {
    value: V,
    /// Its position in the queue.
    place: Position,
    /// When it expires.
    expiry: Option<Position>,
    /// What the owner of the map counted as its uses when it was queued.
    uses: u64,
}

impl<K: Eq + Hash + Send + Sync + 'static, V> ExpiringMap<K, V> {
    #[inline]
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            entries: HashMap::new(),
            queue: BTreeMap::new(),
            expiries: BTreeMap::new(),
            next: 0,
        }
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many there are, expired ones that have not gone yet included.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value of a key, unless it has expired.
    #[inline]
    pub(crate) fn get(&self, key: &K, now: Instant) -> Option<&V> {
        let held = self.entries.get(key)?;
        let is_over = held.expiry.is_some_and(|at| is_due(&at, now));
        (!is_over).then_some(&held.value)
    }

    /// The value of a key, whether or not it has expired.
    pub(crate) fn peek(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|held| &held.value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, held)| (&**key, &held.value))
    }

    /// Takes a value for `lifetime`, in place of an older one. What has expired goes, and then
    /// those that were put or touched least lately.
    #[inline]
    pub(crate) fn insert(&mut self, key: K, value: V, lifetime: Duration, now: Instant) {
        self.remove_expired(now, |_| true);
        if !self.entries.contains_key(&key) {
            while self.entries.len() >= self.capacity && self.remove_oldest() {}
        }
        let key = self.put(key, value);
        self.expire(&key, now.checked_add(lifetime));
    }

    /// Takes a value without an end, whatever there is already.
    pub(crate) fn put(&mut self, key: K, value: V) -> Arc<K> {
        self.put_used(key, value, 0)
    }

    /// As [`put`](Self::put), used so many times before.
    pub(crate) fn put_used(&mut self, key: K, value: V, uses: u64) -> Arc<K> {
        let key = Arc::new(key);
        self.remove(&key);
        let place = (None, self.number());
        self.queue.insert(place, Arc::<K>::clone(&key));
        let held = Item {
            value,
            place,
            expiry: None,
            uses,
        };
        self.entries.insert(Arc::clone(&key), held);
        key
    }

    /// Has an entry expire at another time, or never.
    pub(crate) fn expire(&mut self, key: &K, at: Option<Instant>) {
        let number = self.number();
        let Some((key, held)) = self.entries.get_key_value(key) else {
            return;
        };
        let (key, before) = (Arc::clone(key), held.expiry);
        if let Some(before) = before {
            self.expiries.remove(&before);
        }
        let expiry = at.map(|at| (Some(at), number));
        if let Some(expiry) = expiry {
            self.expiries.insert(expiry, Arc::<K>::clone(&key));
        }
        if let Some(held) = self.entries.get_mut(&key) {
            held.expiry = expiry;
        }
    }

    /// Lets others make room before this one.
    #[inline]
    pub(crate) fn touch(&mut self, key: &K) {
        let place = (None, self.number());
        if let Some(held) = self.entries.get_mut(key)
            && let Some(key) = self.queue.remove(&held.place)
        {
            held.place = place;
            self.queue.insert(place, key);
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let held = self.entries.remove(key)?;
        self.queue.remove(&held.place);
        if let Some(expiry) = held.expiry {
            self.expiries.remove(&expiry);
        }
        Some(held.value)
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        let Self {
            entries,
            queue,
            expiries,
            ..
        } = self;
        entries.retain(|key, held| {
            let keeps = keep(key, &held.value);
            if !keeps {
                queue.remove(&held.place);
                if let Some(expiry) = held.expiry {
                    expiries.remove(&expiry);
                }
            }
            keeps
        });
    }

    /// Removes what has expired, unless it must not go; that no longer expires by itself.
    pub(crate) fn remove_expired(&mut self, now: Instant, may_go: impl Fn(&V) -> bool) {
        while let Some(key) = take_due::<K>(&mut self.expiries, now) {
            if let Some(held) = self.entries.get_mut(&key) {
                held.expiry = None;
                if may_go(&held.value) {
                    self.remove(&key);
                }
            }
        }
    }

    /// Makes room for one entry, if the map is full: of the entries in the order of the queue the
    /// first one goes that `spare` does not send to its end.
    ///
    /// `spare` sees the number of each entry's uses that it kept there before, to spare what was used
    /// since. So many are looked at that each can be spared once; then
    /// the map grows.
    pub(crate) fn make_room(&mut self, spare: impl Fn(&V, &mut u64) -> bool) {
        let mut looks = 2 * self.entries.len();
        while self.entries.len() >= self.capacity && looks > 0 {
            looks -= 1;
            let Some(key) = first::<K>(&self.queue) else {
                return;
            };
            let spared = self
                .entries
                .get_mut(&key)
                .is_some_and(|held| spare(&held.value, &mut held.uses));
            if spared {
                self.touch(&key);
            } else {
                self.remove(&key);
            }
        }
    }

    /// Removes the first one of the queue; whether there was any.
    pub(crate) fn remove_oldest(&mut self) -> bool {
        first::<K>(&self.queue).is_some_and(|key| self.remove(&key).is_some())
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Whether an entry at this position has expired.
fn is_due(position: &Position, now: Instant) -> bool {
    position.0.is_some_and(|at| at <= now)
}

/// The first key of an order of `K`s.
fn first<K: Send + Sync + 'static>(order: &Order) -> Option<Arc<K>> {
    let (_, key) = order.first_key_value()?;
    Arc::clone(key).downcast().ok()
}

/// Takes the first key out of an order of `K`s, if it has expired.
fn take_due<K: Send + Sync + 'static>(order: &mut Order, now: Instant) -> Option<Arc<K>> {
    take_due_key(order, now)?.downcast().ok()
}

#[inline]
fn take_due_key(order: &mut Order, now: Instant) -> Option<AnyKey> {
    let first = order.first_entry()?;
    is_due(first.key(), now).then(|| first.remove())
}

impl<K, V> fmt::Debug for ExpiringMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpiringMap")
            .field("len", &self.entries.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn is_whole<K: Eq + Hash + Send + Sync + 'static, V>(map: &ExpiringMap<K, V>) -> bool {
        let expiring = map.entries.values().filter(|held| held.expiry.is_some());
        map.queue.len() == map.entries.len() && map.expiries.len() == expiring.count()
    }

    #[test]
    fn expired_entry_is_removed_at_the_next_insertion() {
        let (mut map, now) = (ExpiringMap::new(10), Instant::now());
        map.insert("a", 1, HOUR, now);
        map.insert("b", 2, 2 * HOUR, now);
        assert_eq!(map.get(&"a", now + HOUR / 2), Some(&1));
        assert_eq!(map.get(&"a", now + HOUR), None);
        assert_eq!((map.len(), map.peek(&"a")), (2, Some(&1)));
        map.insert("c", 3, Duration::MAX, now + HOUR);
        assert_eq!((map.len(), map.peek(&"a")), (2, None));
        assert_eq!(map.get(&"c", now + 1_000 * HOUR), Some(&3), "no end");
        // A newer value has a time of its own.
        map.insert("b", 4, 2 * HOUR, now + HOUR);
        assert_eq!(map.get(&"b", now + 2 * HOUR), Some(&4));
        assert!(is_whole(&map));
    }

    #[test]
    fn least_recently_used_entry_is_removed_first() {
        let (mut map, now) = (ExpiringMap::new(3), Instant::now());
        for key in ["a", "b", "c"] {
            map.insert(key, (), HOUR, now);
        }
        map.touch(&"a");
        map.insert("b", (), HOUR, now);
        assert_eq!(map.len(), 3, "the same key needs no room");
        map.insert("d", (), HOUR, now);
        let held = ["a", "b", "c", "d"].map(|key| map.get(&key, now).is_some());
        assert_eq!(held, [true, true, false, true]);
        assert!(is_whole(&map));
    }

    #[test]
    fn spared_entries_stay_even_above_the_capacity() {
        let mut map = ExpiringMap::new(2);
        map.put("busy", true);
        map.put("idle", false);
        map.make_room(|busy, _| *busy);
        assert_eq!((map.peek(&"busy"), map.peek(&"idle")), (Some(&true), None));
        map.put("also busy", true);
        map.make_room(|busy, _| *busy);
        assert_eq!(map.len(), 2);
        let now = Instant::now();
        map.expire(&"busy", Some(now));
        map.remove_expired(now, |busy| !busy);
        assert_eq!(map.get(&"busy", now), Some(&true));
        assert!(is_whole(&map));
    }

    #[test]
    fn an_entry_that_was_used_since_is_spared_once() {
        let mut map = ExpiringMap::new(2);
        map.put("a", 7_u64);
        map.put("b", 0);
        let spare = |used: &u64, seen: &mut u64| std::mem::replace(seen, *used) != *used;
        map.make_room(spare);
        assert_eq!((map.peek(&"a"), map.peek(&"b")), (Some(&7), None));
        map.put("c", 0);
        map.make_room(spare);
        assert_eq!((map.peek(&"a"), map.peek(&"c")), (None, Some(&0)));
    }

    proptest! {
        #[test]
        fn the_bound_and_the_indexes_hold_whatever_is_done(
            steps in proptest::collection::vec((0_u8..5, 0_u8..8, 0_u64..5), 0..200),
        ) {
            let mut map = ExpiringMap::new(4);
            let mut now = Instant::now();
            for (step, key, seconds) in steps {
                let time = Duration::from_secs(seconds);
                match step {
                    0 => map.insert(key, seconds, time, now),
                    1 => map.touch(&key),
                    2 => drop(map.remove(&key)),
                    3 => map.retain(|held, _| *held != key),
                    _ => now += time,
                }
                prop_assert!(map.len() <= 4 && is_whole(&map));
            }
        }
    }
}
