//! Tells a refresh token that the store has lost from one that was rejected or signed out elsewhere.

use entra_core::Secret;
#[cfg(feature = "sign-in")]
use entra_core::Timestamp;

#[cfg(feature = "sign-in")]
use super::last_sign_out::ends;
use super::refresh_tokens::RefreshToken;
use crate::store::{Budget, LoadResult, Rejection, SecondLevel, system_micros};

impl RefreshToken {
    /// Notes a rejection for replicas that do not have the token in memory: without a note, it may only
    /// have been lost. It is no sign-out, after which other tokens of the user would be dropped.
    #[inline]
    pub(super) async fn note_rejection(
        &self,
        persistent: &dyn SecondLevel,
        rejected: &Secret,
        budget: &mut Budget,
    ) {
        let note_id = Rejection::entry_id(&self.entry_id);
        // The first note tells best when it was, unless its clock was ahead: the user may have signed in
        // again since.
        let now = system_micros();
        let is_noted = |note: Rejection| note.is_of(rejected) && note.made <= now;
        if let LoadResult::Found(record) = persistent.load(&note_id, budget).await
            && Rejection::of(&record).is_some_and(is_noted)
        {
            return;
        }
        let note = Rejection::record(rejected);
        persistent.save(&note_id, &note, budget).await;
    }

    /// Whether a user without a refresh token may still be signed in: the store has none, and neither a mark
    /// of a sign-out nor a note of a rejection since this sign-in, so it may have lost the token, which
    /// another replica may have in memory. Without the time of the sign-in, each of them counts.
    #[cfg(feature = "sign-in")]
    #[inline]
    pub(crate) async fn may_be_lost(&self, signed_in: Option<Timestamp>) -> bool {
        let Some(persistent) = &self.cache.0.persistent else {
            return false;
        };
        if self.is_invalidated() {
            return false;
        }
        let since = signed_in.map(micros);
        let mut budget = persistent.budget();
        let partition = &self.entry_id.partition;
        if let Ok(Some(mark)) = persistent.last_sign_out(partition, &mut budget).await
            && ends(mark.made, since)
        {
            return false;
        }
        let note_id = Rejection::entry_id(&self.entry_id);
        match persistent.load(&note_id, &mut budget).await {
            LoadResult::Found(record) => {
                let note = Rejection::of(&record);
                !note.is_some_and(|note| ends(Some(note.made), since))
            }
            // It is there, and cannot be read here.
            LoadResult::Foreign | LoadResult::UnknownKey => false,
            LoadResult::Absent | LoadResult::Damaged | LoadResult::Unknown => true,
        }
    }
}

/// In microseconds since 1970.
#[cfg(feature = "sign-in")]
#[inline]
fn micros(time: Timestamp) -> u64 {
    u64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or_default()
}
