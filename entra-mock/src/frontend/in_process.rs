//! The frontend of a test: plain HTTP on a loopback port of its own.
//!
//! wiremock keeps every request that a mock has matched until the mock server is dropped, several
//! kilobytes each, recording or not. So the engine is not behind a catch-all mock: this frontend
//! first asks the mocks of the test, if there are any, and sends all other requests to the engine.
//! Memory grows only with requests that the test's own mocks matched.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    sync::watch,
    task::AbortHandle,
};

use super::{
    connection::{self, Serve},
    overrides::{MockConnection, Overrides},
    progress::Limits,
    reset::Resettable,
};
use crate::engine::Engine;

/// A running frontend. Dropping it closes all its connections.
#[derive(Debug)]
pub(crate) struct InProcess {
    address: SocketAddr,
    overrides: Arc<Overrides>,
    task: AbortHandle,
    _stop: watch::Sender<bool>,
}

impl InProcess {
    /// Listens on a free loopback port.
    pub(crate) fn start(engine: Arc<Engine>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let overrides = Arc::new(Overrides::default());
        let service = Service {
            engine,
            overrides: Arc::clone(&overrides),
        };
        let (stop, stopped) = watch::channel(false);
        let runtime = runtime()?;
        let listener = {
            let _guard = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let task = runtime
            .spawn(connection::accept(listener, service, stopped))
            .abort_handle();
        Ok(Self {
            address,
            overrides,
            task,
            _stop: stop,
        })
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn mount(&self, mock: wiremock::Mock) {
        self.overrides.mount(mock).await;
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.task.abort();
        self.overrides.close();
    }
}

#[derive(Clone)]
struct Service {
    engine: Arc<Engine>,
    overrides: Arc<Overrides>,
}

impl Serve for Service {
    async fn serve(self, stream: TcpStream, stop: watch::Receiver<bool>) {
        let link = Arc::new(MockConnection::default());
        let (stream, reset) = Resettable::new(stream);
        connection::serve_requests(stream, stop, Limits::DEFAULT, move |request| {
            let Self { engine, overrides } = self.clone();
            let (link, reset) = (Arc::clone(&link), reset.clone());
            async move {
                match overrides.address() {
                    None => connection::from_engine(engine, "http", &reset, request).await,
                    Some(address) => {
                        link.respond(address, &overrides, &engine, &reset, request)
                            .await
                    }
                }
            }
        })
        .await;
    }
}

/// The threads that serve all tenants of the process. A tenant costs no thread, and a test that
/// blocks its own runtime still gets responses.
pub(crate) fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let threads =
        std::thread::available_parallelism().map_or(2, |threads| threads.get().clamp(2, 4));
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("entra-mock")
        .enable_all()
        .build()?;
    // If two threads build a runtime at once, one is used; the other has no work yet.
    if let Err(spare) = RUNTIME.set(runtime) {
        spare.shutdown_background();
    }
    RUNTIME.get().ok_or_else(|| io::Error::other("no runtime"))
}
