//! The order in which requests pass a limit: callers take turns, and each caller's requests go in the order of their
//! arrival.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// A task of tokio is one caller, however many requests it has at once; code outside of tasks is one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller(Option<tokio::task::Id>);

impl Caller {
    pub(super) fn current() -> Self {
        Self(tokio::task::try_id())
    }
}

/// Gives one request at a time the turn.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// Whether a request has the turn.
    taken: bool,
    /// The requests that wait, by caller; the first caller is next.
    callers: VecDeque<(Caller, VecDeque<oneshot::Sender<()>>)>,
}

/// The turn, which passes to the next request when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for the turn of a request of this caller.
    pub(super) async fn wait(&self, caller: Caller) -> Turn<'_> {
        let Some(wait) = self.enter(caller) else {
            return Turn(self);
        };
        let mut waiting = Waiting {
            turns: self,
            wait,
            has_turn: false,
        };
        // The sender is dropped only after it has sent.
        let _ = (&mut waiting.wait).await;
        waiting.has_turn = true;
        Turn(self)
    }

    /// Takes the turn if it is free, otherwise a place in the queue.
    fn enter(&self, caller: Caller) -> Option<oneshot::Receiver<()>> {
        let mut queue = self.lock();
        if !queue.taken {
            queue.taken = true;
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        match queue.callers.iter_mut().find(|(known, _)| *known == caller) {
            Some((_, requests)) => requests.push_back(sender),
            None => queue.callers.push_back((caller, VecDeque::from([sender]))),
        }
        Some(receiver)
    }

    /// Gives the turn to the next request that still waits for it.
    fn pass_on(&self) {
        let mut queue = self.lock();
        while let Some((caller, mut requests)) = queue.callers.pop_front() {
            let next = loop {
                match requests.pop_front() {
                    Some(request) if request.is_closed() => {}
                    request => break request,
                }
            };
            let Some(next) = next else {
                continue;
            };
            if !requests.is_empty() {
                queue.callers.push_back((caller, requests));
            }
            if next.send(()).is_ok() {
                return;
            }
        }
        queue.taken = false;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.pass_on();
    }
}

/// A request that waits, and may be given up in the moment in which it gets the turn.
struct Waiting<'a> {
    turns: &'a Turns,
    wait: oneshot::Receiver<()>,
    has_turn: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.has_turn {
            return;
        }
        self.wait.close();
        if self.wait.try_recv().is_ok() {
            self.turns.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    /// Callers of different tasks.
    fn callers() -> [Caller; 3] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let current = || tokio::spawn(async { Caller::current() });
            let callers = [current(), current(), current()];
            let mut ids = Vec::new();
            for caller in callers {
                ids.push(caller.await.unwrap());
            }
            [ids[0], ids[1], ids[2]]
        })
    }

    fn poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        match std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_caller_with_one_request_is_second_behind_one_with_many() {
        let [many, one, _] = callers();
        let turns = Turns::default();
        let holder = poll(&mut pin!(turns.wait(many))).unwrap();
        let mut waiting: Vec<_> = [many, many, many, one, many]
            .into_iter()
            .map(|caller| (caller, Box::pin(turns.wait(caller))))
            .collect();
        assert!(waiting.iter_mut().all(|(_, wait)| poll(wait).is_none()));
        drop(holder);
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let (at, turn) = waiting
                .iter_mut()
                .enumerate()
                .find_map(|(at, (_, wait))| Some((at, poll(wait)?)))
                .unwrap();
            order.push(waiting.remove(at).0);
            drop(turn);
        }
        assert_eq!(order, [many, one, many, many, many]);
        assert!(!turns.lock().taken);
    }

    #[test]
    fn the_turn_passes_a_request_that_is_given_up() {
        let [first, second, third] = callers();
        let turns = Turns::default();
        let holder = poll(&mut pin!(turns.wait(first))).unwrap();
        let mut given_up = Box::pin(turns.wait(second));
        let mut given_up_late = Box::pin(turns.wait(first));
        let mut last = Box::pin(turns.wait(third));
        assert!(poll(&mut given_up).is_none());
        assert!(poll(&mut given_up_late).is_none());
        assert!(poll(&mut last).is_none());
        drop(given_up);
        drop(holder);
        // It has the turn, and does not know yet.
        drop(given_up_late);
        drop(poll(&mut last).unwrap());
        assert!(!turns.lock().taken);
        assert!(poll(&mut pin!(turns.wait(first))).is_some());
    }
}
