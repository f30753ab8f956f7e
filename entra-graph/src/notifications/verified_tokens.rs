//! Validation tokens that were verified before, in bounded memory.
//!
//! Graph sends a token that lives for about eight hours with each request. Its signature costs more than all other checks of
//! a notification without resource data, so a token is verified once.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{SHA256, digest as hash};
use entra_core::{Guid, Timestamp};

/// The SHA-256 of a token.
pub(super) type Digest = [u8; 32];

/// Digests of verified tokens, and the tenants they are of. Only tokens that Graph signed for this application enter.
#[derive(Debug, Default)]
pub(super) struct VerifiedTokens {
    known: HashMap<Digest, VerifiedToken>,
    order: VecDeque<Digest>,
}

#[derive(Clone, Copy, Debug)]
struct VerifiedToken {
    tenant: Guid,
    /// Its `exp`, in seconds.
    expires: i64,
    /// When it was verified.
    since: Instant,
    /// How long it counts from then on, by the monotonic clock.
    lifetime: Duration,
}

impl VerifiedTokens {
    /// The tenant of a token that was verified within the last hour and has not expired by either clock.
    pub(super) fn get(&self, digest: &Digest, now: Timestamp, monotonic: Instant) -> Option<Guid> {
        let token = self.known.get(digest)?;
        let is_fresh = now.unix_timestamp() < token.expires
            && monotonic.saturating_duration_since(token.since) < token.lifetime;
        is_fresh.then_some(token.tenant)
    }

    /// Adds a token that was verified at a time, by both clocks; the oldest one makes room for it.
    pub(super) fn insert(
        &mut self,
        digest: Digest,
        tenant: Guid,
        expires: i64,
        (now, since): (Timestamp, Instant),
    ) {
        let left = expires.saturating_sub(now.unix_timestamp());
        let token = VerifiedToken {
            tenant,
            expires,
            since,
            lifetime: LIFETIME.min(Duration::from_secs(u64::try_from(left).unwrap_or_default())),
        };
        if self.known.insert(digest, token).is_some() {
            return;
        }
        self.order.push_back(digest);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

pub(super) fn digest(token: &str) -> Digest {
    let mut digest = Digest::default();
    for (to, from) in digest
        .iter_mut()
        .zip(hash(&SHA256, token.as_bytes()).as_ref())
    {
        *to = *from;
    }
    digest
}

/// So that a signing key that Microsoft withdraws counts for an hour at most.
const LIFETIME: Duration = Duration::from_secs(3600);
/// Tokens of as many tenants and applications; at most 1 MB.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_796_083_200;

    fn tenant() -> Guid {
        "22222222-2222-2222-2222-222222222222".parse().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_timestamp(NOW + seconds).unwrap()
    }

    #[test]
    fn a_verified_token_is_known_until_it_expires() {
        let mut tokens = VerifiedTokens::default();
        let start = Instant::now();
        tokens.insert(digest("one"), tenant(), NOW + 60, (at(0), start));
        assert_eq!(tokens.get(&digest("one"), at(59), start), Some(tenant()));
        assert_eq!(tokens.get(&digest("one"), at(60), start), None);
        assert_eq!(tokens.get(&digest("two"), at(0), start), None);
        // The wall clock was set back, and the other one was not.
        let later = start + Duration::from_secs(60);
        assert_eq!(tokens.get(&digest("one"), at(0), later), None);
        // A verifier may accept a token a little after it expired.
        tokens.insert(digest("late"), tenant(), NOW - 1, (at(0), start));
        assert_eq!(tokens.get(&digest("late"), at(-2), start), None);
    }

    #[test]
    fn a_verified_token_is_verified_again_after_an_hour() {
        let mut tokens = VerifiedTokens::default();
        let start = Instant::now();
        tokens.insert(digest("one"), tenant(), NOW + 29_100, (at(0), start));
        let before = start + LIFETIME - Duration::from_secs(1);
        assert_eq!(tokens.get(&digest("one"), at(0), before), Some(tenant()));
        let after = start + LIFETIME;
        assert_eq!(tokens.get(&digest("one"), at(0), after), None);
        tokens.insert(digest("one"), tenant(), NOW + 29_100, (at(0), after));
        assert_eq!(tokens.get(&digest("one"), at(0), after), Some(tenant()));
        assert_eq!(tokens.order.len(), 1);
    }

    #[test]
    fn the_memory_of_verified_tokens_is_bounded() {
        let mut tokens = VerifiedTokens::default();
        let start = Instant::now();
        for number in 0..MOST + 100 {
            tokens.insert(
                digest(&number.to_string()),
                tenant(),
                NOW + 60,
                (at(0), start),
            );
            assert!(tokens.known.len() <= MOST && tokens.order.len() == tokens.known.len());
        }
        assert_eq!(tokens.get(&digest("0"), at(0), start), None);
        let last = digest(&(MOST + 99).to_string());
        assert_eq!(tokens.get(&last, at(0), start), Some(tenant()));
    }
}
