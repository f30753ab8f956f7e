//! The mark that a sign-out leaves in a store, so that the replicas can tell it from a loss of tokens.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use entra_core::{AccessToken, Clock, SystemClock, time::Duration};

use super::{EntryId, Record, StoreError, key::hex};

/// The mark of the last sign-out of a user.
///
/// It is in a partition of its own: it is written before the user's tokens are removed and is not
/// removed with them, so a replica that finds no token finds the mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignOutMark {
    /// A digest of the stored bytes, which a replica can compare without the key of the mark.
    pub(crate) id: String,
    /// When the user signed out, by the system clock of that replica in microseconds; `None` if the
    /// mark cannot be decrypted here.
    pub(crate) made: Option<u64>,
}

impl SignOutMark {
    /// Where the mark of a user's partition is stored.
    #[inline]
    pub(super) fn entry_id(partition: &str) -> EntryId {
        EntryId {
            partition: serde_json::json!(["sign-out", partition]).to_string(),
            entry: "mark".to_owned(),
        }
    }

    /// The content of a new mark. No two are equal, also without encryption.
    #[inline]
    pub(super) fn record() -> Result<Record, StoreError> {
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| StoreError::unavailable("the system gives no random bytes"))?;
        let text = format!("{}.{}", system_micros(), hex(&random));
        let obtained = SystemClock.now();
        Ok(Record {
            token: AccessToken::new(text, obtained.saturating_add(KEPT)),
            obtained,
            seen: None,
            last_sign_out: None,
        })
    }

    /// The mark in these stored bytes, with its content if it can be decrypted.
    #[inline]
    pub(super) fn of(stored: &[u8], content: Option<&Record>) -> Self {
        let time = |record: &Record| {
            let (micros, _) = record.token.expose_secret().split_once('.')?;
            micros.parse().ok()
        };
        Self {
            id: hex(digest(&SHA256, stored).as_ref()),
            made: content.and_then(time),
        }
    }
}

/// The system clock in microseconds since 1970.
#[inline]
pub(crate) fn system_micros() -> u64 {
    let passed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)
}

/// As long as Entra accepts an unused refresh token that is in the memory of a replica.
const KEPT: Duration = Duration::days(90);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_marks_of_one_moment_differ() {
        let id = SignOutMark::entry_id("adele");
        let marks = [(); 2].map(|()| {
            let record = SignOutMark::record().unwrap();
            let bytes = record.encode(&id).unwrap();
            SignOutMark::of(&bytes, Some(&record))
        });
        assert_ne!(marks[0].id, marks[1].id);
        let now = system_micros();
        assert!(marks.iter().all(|mark| mark.made.unwrap() <= now));
    }
}
