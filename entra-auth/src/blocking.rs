//! Work that blocks its thread: files, processes, and waiting without a timer.

use std::{
    fs::File,
    future::{Future, poll_fn},
    io,
    path::Path,
    pin::pin,
    sync::mpsc,
    task::Poll,
    thread,
    time::Duration,
};

use tokio::{runtime::Handle, sync::oneshot};

/// Runs it on a thread that drives no tasks: tokio's, or one of its own where there is no runtime of
/// tokio.
///
/// # Errors
/// When there is no thread to be had, or the work panics.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    if let Ok(handle) = Handle::try_current() {
        return handle.spawn_blocking(work).await.map_err(io::Error::other);
    }
    let (done, result) = oneshot::channel();
    thread::Builder::new()
        .name("entra-blocking".to_owned())
        .spawn(move || drop(done.send(work())))?;
    result.await.map_err(io::Error::other)
}

/// As [`run`], for work on a file: a file system that is gone can hold it up for ever. The work itself goes on.
///
/// # Errors
/// As [`run`], and [`io::ErrorKind::TimedOut`].
pub(crate) async fn run_within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    within(limit, run(work)).await.unwrap_or_else(|| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the file system did not respond in time",
        ))
    })
}

/// The outcome of the work if it is there in time, also without a runtime of tokio. It is polled first, and the
/// timer starts only if it has to wait. If no timer can be started, there is no limit: the work goes on, and to
/// give it up at once would be worse.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    before(timer(limit), work).await
}

/// The outcome of the work if it is there before the timer ends. One that fails does not end it.
async fn before<T>(
    timer: impl Future<Output = io::Result<()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let (mut work, mut timer) = (pin!(work), pin!(timer));
    let mut has_timer = true;
    poll_fn(|context| {
        if let Poll::Ready(outcome) = work.as_mut().poll(context) {
            return Poll::Ready(Some(outcome));
        }
        if has_timer {
            match timer.as_mut().poll(context) {
                Poll::Ready(Ok(())) => return Poll::Ready(None),
                // It must not be polled again.
                Poll::Ready(Err(_)) => has_timer = false,
                Poll::Pending => {}
            }
        }
        Poll::Pending
    })
    .await
}

/// Opens a regular file, or a link to one. The open of a named pipe would wait for its writer.
///
/// # Errors
/// As [`File::open`], and [`io::ErrorKind::InvalidInput`] if it is no regular file.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    match path.metadata()?.is_file() {
        true => File::open(path),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        )),
    }
}

/// How long the read of a small file may take.
pub(crate) const READ_LIMIT: Duration = Duration::from_secs(5);

/// As [`run`], without waiting for the work; it is dropped if no thread can be started.
#[cfg(feature = "file-cache")]
pub(crate) fn spawn(work: impl FnOnce() + Send + 'static) {
    match Handle::try_current() {
        Ok(handle) => drop(handle.spawn_blocking(work)),
        Err(_) => drop(
            thread::Builder::new()
                .name("entra-blocking".to_owned())
                .spawn(work),
        ),
    }
}

/// Waits in real time, for what happens in another process. If no thread can be started, this returns at once.
pub(crate) async fn sleep(duration: Duration) {
    drop(timer(duration).await);
}

/// Ends after this time.
///
/// # Errors
/// As [`run`], at once.
async fn timer(duration: Duration) -> io::Result<()> {
    if Handle::try_current().is_ok() {
        tokio::time::sleep(duration).await;
        return Ok(());
    }
    // The thread ends with this future: its sender is dropped then.
    let (sender, dropped) = mpsc::channel::<()>();
    let waited = run(move || dropped.recv_timeout(duration)).await;
    drop(sender);
    waited.map(|_| ())
}

/// Drives a future on this thread, without a runtime.
#[cfg(test)]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    use std::{
        sync::Arc,
        task::{Context, Wake, Waker},
    };

    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn work_has_no_limit_if_the_timer_cannot_start() {
        block_on(async {
            let failed = || ready(Err(io::Error::other("no thread")));
            let (sender, receiver) = oneshot::channel();
            let sending = thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                sender.send(1)
            });
            assert_eq!(before(failed(), receiver).await, Some(Ok(1)));
            assert_eq!(sending.join().unwrap(), Ok(()));
            assert_eq!(before(ready(Ok(())), pending::<()>()).await, None);
            assert_eq!(before(failed(), ready(2)).await, Some(2));
        });
    }
}
