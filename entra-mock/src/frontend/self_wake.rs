//! Polls a connection again at once if it woke itself, in place of a turn of the scheduler.
//!
//! hyper hands the body of a request from one half of a connection to the other, and wakes its own task for that.
//! tokio then puts the task behind all others and wakes another thread to take it: system calls, and a processor whose
//! caches hold nothing of the request.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

/// A future that is polled again if it woke itself.
pub(super) struct SelfWaking<F> {
    future: F,
    turn: Arc<Turn>,
    waker: Waker,
}

impl<F> SelfWaking<F> {
    pub(super) fn new(future: F) -> Self {
        let turn = Arc::new(Turn::default());
        Self {
            future,
            waker: Waker::from(Arc::clone(&turn)),
            turn,
        }
    }
}

impl<F: Future + Unpin> Future for SelfWaking<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self {
            future,
            turn,
            waker,
        } = &mut *self;
        turn.begin(context.waker());
        for _ in 0..POLLS {
            if let Poll::Ready(output) =
                Pin::new(&mut *future).poll(&mut Context::from_waker(waker))
            {
                return Poll::Ready(output);
            }
            if !turn.is_woken() {
                return Poll::Pending;
            }
        }
        // Other tasks get their turn.
        turn.end();
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Whether the future woke itself while it was polled, and the task that it wakes at other times.
#[derive(Default)]
struct Turn(Mutex<State>);

#[derive(Default)]
struct State {
    polling: bool,
    woken: bool,
    task: Option<Waker>,
}

impl Turn {
    fn begin(&self, task: &Waker) {
        let mut state = self.state();
        state.polling = true;
        state.woken = false;
        match &mut state.task {
            Some(known) => known.clone_from(task),
            none => *none = Some(task.clone()),
        }
    }

    /// Whether the future was woken while it was polled. If not, the turn has ended.
    fn is_woken(&self) -> bool {
        let mut state = self.state();
        state.polling = state.woken;
        std::mem::take(&mut state.woken)
    }

    fn end(&self) {
        self.state().polling = false;
    }

    // The state is valid after every step, so a panic elsewhere leaves it usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.state();
        if state.polling {
            state.woken = true;
            return;
        }
        let task = state.task.clone();
        drop(state);
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// How often a future is polled in one turn.
const POLLS: usize = 4;

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Counts how often a task is woken.
    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(wakes: &Wakes) -> usize {
        wakes.0.load(Ordering::Relaxed)
    }

    /// Polls a future that wakes itself so often. Returns whether it has completed, and how often the task was woken.
    fn polled(self_wakes: usize) -> (bool, usize) {
        let wakes = Arc::new(Wakes::default());
        let mut left = self_wakes;
        let mut future = SelfWaking::new(poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }));
        let waker = Waker::from(Arc::clone(&wakes));
        let outcome = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
        (outcome.is_ready(), count(&wakes))
    }

    #[test]
    fn a_future_that_wakes_itself_is_polled_again_without_its_task() {
        assert_eq!(polled(0), (true, 0));
        assert_eq!(polled(POLLS - 1), (true, 0));
    }

    #[test]
    fn a_future_that_keeps_waking_itself_leaves_a_turn_to_others() {
        assert_eq!(polled(POLLS), (false, 1));
    }

    #[test]
    fn a_wake_between_two_polls_reaches_the_task_that_polled_last() {
        let (first, second) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
        let mut inner = None;
        let mut future = SelfWaking::new(poll_fn(|context| {
            inner = Some(context.waker().clone());
            Poll::<()>::Pending
        }));
        for wakes in [&first, &second] {
            let waker = Waker::from(Arc::clone(wakes));
            let outcome = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
            assert!(outcome.is_pending());
        }
        drop(future);
        inner.unwrap().wake();
        assert_eq!((count(&first), count(&second)), (0, 1));
    }
}
