//! Which notifications were accepted already, in bounded memory.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest};

/// Digests of accepted notifications: the latest, for a day.
#[derive(Debug)]
pub(super) struct Seen {
    most: usize,
    order: VecDeque<(Instant, Digest)>,
    known: HashSet<Digest>,
}

pub(super) type Digest = [u8; 16];

impl Seen {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            order: VecDeque::new(),
            known: HashSet::new(),
        }
    }

    /// Adds a notification; returns `false` if it was added before.
    pub(super) fn insert(&mut self, digest: Digest, now: Instant) -> bool {
        while let Some((since, oldest)) = self.order.front().copied() {
            let is_old = now.saturating_duration_since(since) >= LIFETIME;
            if !is_old && self.order.len() < self.most {
                break;
            }
            self.order.pop_front();
            self.known.remove(&oldest);
        }
        if !self.known.insert(digest) {
            return false;
        }
        self.order.push_back((now, digest));
        true
    }
}

/// The digest of several parts.
pub(super) fn digest_of(parts: &[&[u8]]) -> Digest {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        joined.extend_from_slice(&part.len().to_le_bytes());
        joined.extend_from_slice(part);
    }
    let mut short = Digest::default();
    for (to, from) in short.iter_mut().zip(digest(&SHA256, &joined).as_ref()) {
        *to = *from;
    }
    short
}

/// Longer than a validation token lives, and than Graph retries.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_known_for_a_day() {
        let start = Instant::now();
        let mut seen = Seen::new(10);
        let one = digest_of(&[b"one"]);
        assert!(seen.insert(one, start));
        assert!(!seen.insert(one, start + LIFETIME - Duration::from_secs(1)));
        assert!(seen.insert(one, start + LIFETIME));
        assert_eq!(seen.order.len(), 1);
    }

    #[test]
    fn the_memory_is_bounded() {
        let now = Instant::now();
        let mut seen = Seen::new(3);
        for number in 0_u32..100 {
            assert!(seen.insert(digest_of(&[&number.to_le_bytes()]), now));
            assert!(seen.order.len() <= 3 && seen.known.len() <= 3);
        }
        assert!(
            !seen.insert(digest_of(&[&99_u32.to_le_bytes()]), now),
            "the latest are known"
        );
    }

    #[test]
    fn parts_cannot_be_moved_between_each_other() {
        assert_ne!(digest_of(&[b"ab", b"c"]), digest_of(&[b"a", b"bc"]));
    }
}
