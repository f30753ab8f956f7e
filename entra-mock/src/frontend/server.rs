//! The frontend of a standalone server: TLS or plain HTTP directly to the engine.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::{
    connection::{self, Serve},
    progress::Limits,
    reset::Resettable,
    responder::{self, Responder},
};
use crate::engine::Engine;

/// A bound port that is not served yet.
#[derive(Debug)]
pub(crate) struct Listener {
    /// One socket for IPv4 and, where the system has IPv6, one for IPv6: `localhost` can mean
    /// either.
    sockets: Vec<TcpListener>,
    port: u16,
}

/// A port that is served until it is told to stop.
#[derive(Debug)]
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Listener {
    /// Binds a port of an address; 0 binds a free one. For loopback it listens on both of its addresses.
    pub(crate) async fn bind(address: IpAddr, port: u16) -> io::Result<Self> {
        let first = TcpListener::bind(SocketAddr::new(address, port)).await?;
        let port = first.local_addr()?.port();
        if address != IpAddr::V4(Ipv4Addr::LOCALHOST) {
            let sockets = vec![first];
            return Ok(Self { sockets, port });
        }
        let second =
            TcpListener::bind(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port)).await;
        Ok(Self {
            sockets: std::iter::once(first).chain(second).collect(),
            port,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Serves a tenant, and a responder at the paths that it takes.
    pub(crate) fn serve(
        self,
        engine: &Arc<Engine>,
        tls: Option<&TlsAcceptor>,
        responder: Option<&Arc<dyn Responder>>,
    ) -> Running {
        let (stop, stopped) = watch::channel(false);
        let serve = |socket| {
            let service = Service {
                engine: Arc::clone(engine),
                tls: tls.cloned(),
                responder: responder.cloned(),
            };
            tokio::spawn(connection::accept(socket, service, stopped.clone()))
        };
        Running {
            stop,
            tasks: self.sockets.into_iter().map(serve).collect(),
        }
    }
}

impl Running {
    /// Stops accepting connections, waits a few seconds for running requests, then returns.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // The tasks end on their own and do not panic.
            let _ = task.await;
        }
    }
}

#[derive(Clone)]
struct Service {
    engine: Arc<Engine>,
    tls: Option<TlsAcceptor>,
    responder: Option<Arc<dyn Responder>>,
}

impl Serve for Service {
    async fn serve(self, stream: TcpStream, stop: watch::Receiver<bool>) {
        let Self {
            engine,
            tls,
            responder,
        } = self;
        let Ok(peer) = stream.peer_addr() else {
            return;
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (stream, reset) = Resettable::new(stream);
        let respond = move |request| {
            let (engine, responder) = (Arc::clone(&engine), responder.clone());
            let reset = reset.clone();
            async move {
                responder::respond(engine, responder, scheme, peer.ip(), &reset, request).await
            }
        };
        match tls {
            None => connection::serve_requests(stream, stop, Limits::DEFAULT, respond).await,
            Some(tls) => {
                let handshake = tokio::time::timeout(connection::HANDSHAKE, tls.accept(stream));
                if let Ok(Ok(stream)) = handshake.await {
                    connection::serve_requests(stream, stop, Limits::DEFAULT, respond).await;
                }
            }
        }
    }
}
