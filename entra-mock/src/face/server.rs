//! The face of a server of its own: TLS or plain HTTP straight to the engine.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Serve};
use crate::engine::Engine;

/// A bound port that nobody serves yet.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

/// A port that is served until it is told to stop.
#[derive(Debug)]
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Binds a port, or a free one for 0.
    ///
    /// With TLS it is reachable from other machines and containers; without, on loopback only,
    /// since it hands out tokens in plain text.
    pub(crate) async fn bind(port: u16, tls: bool) -> io::Result<Self> {
        let host = if tls { [0, 0, 0, 0] } else { [127, 0, 0, 1] };
        let listener = TcpListener::bind(SocketAddr::from((host, port))).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn serve(self, engine: Arc<Engine>, tls: Option<TlsAcceptor>) -> Running {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(connection::accept(self.listener, Service { engine, tls }, stopped));
        Running { stop, task }
    }
}

impl Running {
    /// Accepts no more connections, lets running requests end for a few seconds, then returns.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        // The task ends on its own and does not panic.
        let _ = self.task.await;
    }
}

#[derive(Clone)]
struct Service {
    engine: Arc<Engine>,
    tls: Option<TlsAcceptor>,
}

impl Serve for Service {
    async fn serve(self, stream: TcpStream, stop: watch::Receiver<bool>) {
        let Self { engine, tls } = self;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let respond = move |request| connection::from_engine(Arc::clone(&engine), scheme, request);
        match tls {
            None => connection::answer(stream, stop, respond).await,
            Some(tls) => {
                let handshake = tokio::time::timeout(connection::HANDSHAKE, tls.accept(stream));
                if let Ok(Ok(stream)) = handshake.await {
                    connection::answer(stream, stop, respond).await;
                }
            }
        }
    }
}
