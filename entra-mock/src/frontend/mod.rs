//! The two frontends of the engine: inside of a test process, and as a server.

mod connection;
mod http;
#[cfg(feature = "wiremock")]
mod in_process;
#[cfg(feature = "wiremock")]
mod overrides;
mod progress;
mod reset;
#[cfg(feature = "server")]
mod responder;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod tls;

#[cfg(feature = "wiremock")]
pub(crate) use in_process::InProcess;
#[cfg(feature = "server")]
pub(crate) use {
    responder::Responder,
    server::{Listener, Running},
    tls::Authority,
};
