//! The note that a rejected refresh token leaves in a store, for replicas that never had the token.

use entra_core::{AccessToken, Clock, Secret, SystemClock, time::Duration};

use super::{EntryId, Record, key::hashed, system_micros};

/// The note that the service rejected a refresh token for good.
///
/// It is for one application in one tenant, beside the token's entry: a sign-out removes both, and the
/// user's other tokens stay valid.
#[derive(Debug)]
pub(crate) struct Rejection {
    /// When it was rejected, by the system clock of that replica in microseconds.
    pub(crate) made: u64,
    /// A digest of the token.
    rejected: String,
}

impl Rejection {
    /// Where the note about a refresh token is stored.
    #[inline]
    pub(crate) fn entry_id(refresh_token: &EntryId) -> EntryId {
        EntryId {
            partition: refresh_token.partition.clone(),
            entry: serde_json::json!(["rejected", refresh_token.entry]).to_string(),
        }
    }

    /// The content of a new note.
    #[inline]
    pub(crate) fn record(rejected: &Secret) -> Record {
        let text = format!("{}.{}", system_micros(), hashed(rejected.expose_secret()));
        let obtained = SystemClock.now();
        Record {
            token: AccessToken::new(text, obtained.saturating_add(KEPT)),
            obtained,
            seen: None,
            last_sign_out: None,
        }
    }

    /// The note in an entry.
    #[inline]
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let (made, rejected) = record.token.expose_secret().split_once('.')?;
        Some(Self {
            made: made.parse().ok()?,
            rejected: rejected.to_owned(),
        })
    }

    /// Whether it is about this token.
    #[inline]
    pub(crate) fn is_of(&self, token: &Secret) -> bool {
        self.rejected == hashed(token.expose_secret())
    }
}

/// As long as the mark of a sign-out.
const KEPT: Duration = Duration::days(90);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_names_its_token_by_a_digest_only() {
        let token = Secret::from("refresh-token-of-adele");
        let record = Rejection::record(&token);
        assert!(!record.token.expose_secret().contains("adele"));
        let note = Rejection::of(&record).unwrap();
        assert!(note.is_of(&token) && !note.is_of(&Secret::from("another")));
        assert!(note.made <= system_micros());
    }
}
