use std::{fmt, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};

/// The address of an entry in a store: a partition, and an entry in it.
///
/// Both parts are digests of 64 hexadecimal digits. They are safe as file names and key names, and
/// they do not reveal whose entry it is.
///
/// ```
/// use entra_auth::store::StoreKey;
/// let key = StoreKey::new("a user", "an entry");
/// assert_eq!(key.entry().len(), 64);
/// assert_eq!(key.partition(), StoreKey::new("a user", "another entry").partition());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreKey {
    partition: StorePartition,
    entry: Arc<str>,
}

/// The entries of a store that are removed together, such as the tokens of one user.
///
/// It comes from a [`StoreKey`] and is always a digest of 64 hexadecimal digits, so it is never
/// empty and never a path.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StorePartition(Arc<str>);

impl StoreKey {
    /// The key of an entry, from the texts that name its partition and the entry. Both are hashed.
    #[must_use]
    #[inline]
    pub fn new(partition: &str, entry: &str) -> Self {
        Self {
            partition: StorePartition(hashed(partition).into()),
            entry: hashed(entry).into(),
        }
    }

    /// The partition, which is removed as a whole.
    #[must_use]
    pub const fn partition(&self) -> &StorePartition {
        &self.partition
    }

    /// The entry within the partition: 64 hexadecimal digits.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }
}

impl StorePartition {
    /// The 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that this text names.
    #[inline]
    pub(crate) fn named(text: &str) -> Self {
        Self(hashed(text).into())
    }
}

impl fmt::Display for StorePartition {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StorePartition {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorePartition({})", short(&self.0))
    }
}

impl fmt::Debug for StoreKey {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreKey")
            .field("partition", &short(self.partition.as_str()))
            .field("entry", &short(&self.entry))
            .finish()
    }
}

/// Enough of a digest to tell two apart in a log.
fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}

/// The SHA-256 digest of a text in hexadecimal digits.
#[inline]
pub(crate) fn hashed(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| {
            [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]
        })
        .map(char::from)
        .collect()
}
