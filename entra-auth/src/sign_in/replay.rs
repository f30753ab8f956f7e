use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use entra_core::Timestamp;

/// The flows that were finished here, for as long as they could be finished again.
#[derive(Debug, Default)]
pub(super) struct Finished(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    /// In the order they came.
    order: VecDeque<(Timestamp, Mark)>,
    known: HashSet<Mark>,
}

type Mark = [u8; 16];

impl Finished {
    /// Whether it is the first time for this flow.
    pub(super) fn claim(&self, state: &str, expires_on: Timestamp, now: Timestamp) -> bool {
        let mark = mark(state);
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { order, known } = &mut *memory;
        while let Some((until, old)) = order.front()
            && (*until <= now || order.len() >= MOST)
        {
            known.remove(old);
            order.pop_front();
        }
        let first = known.insert(mark);
        if first {
            order.push_back((expires_on, mark));
        }
        first
    }
}

/// A state is a secret of a browser: what is remembered of it tells it to nobody.
fn mark(state: &str) -> Mark {
    let mut mark = Mark::default();
    let digest = digest(&SHA256, state.as_bytes());
    for (to, from) in mark.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    mark
}

/// A thousand sign-ins a minute for an hour, in some megabytes.
const MOST: usize = 60_000;

#[cfg(test)]
mod tests {
    use entra_core::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(seconds: i64) -> Timestamp {
        START + Duration::seconds(seconds)
    }

    #[test]
    fn a_flow_is_finished_once_and_forgotten_when_it_has_ended() {
        let finished = Finished::default();
        assert!(finished.claim("a", after(60), START));
        assert!(!finished.claim("a", after(60), after(59)));
        assert!(finished.claim("b", after(120), after(59)));
        assert!(finished.claim("a", after(120), after(60)), "ended anyway");
        let memory = finished.0.lock().unwrap();
        assert_eq!(memory.order.len(), memory.known.len());
    }

    #[test]
    fn memory_is_bounded() {
        let finished = Finished::default();
        for number in 0..MOST + 10 {
            assert!(finished.claim(&number.to_string(), after(60), START));
        }
        let memory = finished.0.lock().unwrap();
        assert!(memory.order.len() <= MOST && memory.known.len() <= MOST);
    }
}
