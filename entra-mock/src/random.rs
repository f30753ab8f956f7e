//! The randomness of the engine: the same values for the same seed.

use std::sync::Arc;

use entra_core::{Guid, SecureRandom, SeededRandom};

/// A stream of random values, the same for the same seed. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Random(Arc<SeededRandom>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(SeededRandom::new(seed)))
    }

    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        // A seeded generator cannot fail; zeros would be the worst case.
        let _ = self.0.fill(&mut bytes);
        bytes
    }

    /// Returns a version 4 GUID.
    pub(crate) fn guid(&self) -> Guid {
        let mut bytes = self.bytes::<16>();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Guid::from_bytes(bytes)
    }

    /// Returns a number below `limit`, or 0 if `limit` is 0.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        let number = u64::from_le_bytes(self.bytes());
        if limit.is_power_of_two() {
            // The same remainder without a division: tokens are made of dozens of characters of 64.
            return number & (limit - 1);
        }
        // The bias of the remainder does not matter for sample data.
        number.checked_rem(limit).unwrap_or(0)
    }

    pub(crate) fn index(&self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// Returns `true` in `percent` of all calls.
    pub(crate) fn percent(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.index(items.len()))
    }

    /// Returns one of the given texts, which must not be empty.
    pub(crate) fn word(&self, words: &[&'static str]) -> &'static str {
        self.pick(words).copied().unwrap_or_default()
    }

    /// Returns `length` characters of the base64url alphabet.
    pub(crate) fn token(&self, length: usize) -> String {
        self.text(
            length,
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        )
    }

    /// Returns `length` characters of the given ASCII alphabet.
    pub(crate) fn text(&self, length: usize, alphabet: &[u8]) -> String {
        (0..length)
            .map(|_| self.pick(alphabet).map_or('x', |&byte| char::from(byte)))
            .collect()
    }
}
