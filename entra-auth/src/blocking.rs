//! Work that blocks its thread: files, processes, and waiting without a timer.

use std::{io, thread, time::Duration};

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

/// Waits in real time, for what happens in another process.
pub(crate) async fn sleep(duration: Duration) {
    match Handle::try_current() {
        Ok(_) => tokio::time::sleep(duration).await,
        // If no thread can be started, this returns at once.
        Err(_) => drop(run(move || thread::sleep(duration)).await),
    }
}
