//! The two frontends of the engine: inside of a test process, and as a server.

mod connection;
mod content_encoding;
mod delivery;
mod http;
#[cfg(feature = "wiremock")]
mod in_process;
#[cfg(feature = "wiremock")]
mod overrides;
mod progress;
#[cfg(feature = "server")]
mod receiver_tls;
mod reset;
#[cfg(feature = "server")]
mod responder;
mod self_wake;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod tls;

pub(crate) use delivery::deliver_due;
#[cfg(feature = "server")]
pub(crate) use delivery::deliver_forever;
#[cfg(feature = "wiremock")]
pub(crate) use delivery::handle;
#[cfg(feature = "wiremock")]
pub(crate) use in_process::{InProcess, runtime};
#[cfg(feature = "server")]
pub(crate) use {
    responder::Responder,
    server::{Listener, Running},
    tls::{Authority, REAL_NAMES},
};
