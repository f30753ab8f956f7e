//! What this program wrote a moment ago, which a replica of the directory may not show yet.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// When something was written, by a name that its writer chose.
#[derive(Debug, Default)]
pub(crate) struct OwnWrites(Mutex<Vec<(String, Instant)>>);

impl OwnWrites {
    /// Remembers a write at this time, and forgets those that are long visible everywhere.
    pub(crate) fn note(&self, name: &str, at: Instant) {
        let mut all = self.all();
        all.retain(|(known, time)| {
            known != name && at.saturating_duration_since(*time) < LONG_VISIBLE
        });
        all.push((name.to_owned(), at));
    }

    /// Forgets what was deleted.
    pub(crate) fn forget(&self, name: &str) {
        self.all().retain(|(known, _)| known != name);
    }

    /// When it was written last.
    pub(crate) fn last(&self, name: &str) -> Option<Instant> {
        let all = self.all();
        let found = all.iter().find(|(known, _)| known == name);
        found.map(|(_, at)| *at)
    }

    /// When anything was written last.
    #[cfg(feature = "connection")]
    pub(crate) fn newest(&self) -> Option<Instant> {
        self.all().iter().map(|(_, at)| *at).max()
    }

    fn all(&self) -> MutexGuard<'_, Vec<(String, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longer than any time in which lag was seen.
const LONG_VISIBLE: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_known_by_its_name_until_it_is_long_visible() {
        let start = Instant::now();
        let writes = OwnWrites::default();
        writes.note("one", start);
        writes.note("other", start + Duration::from_secs(60));
        writes.note("one", start + Duration::from_secs(120));
        assert_eq!(writes.last("one"), Some(start + Duration::from_secs(120)));
        assert_eq!(writes.last("absent"), None);
        writes.forget("one");
        assert_eq!(writes.last("one"), None);
        writes.note("third", start + Duration::from_secs(20 * 60));
        assert_eq!(writes.last("other"), None);
    }
}
