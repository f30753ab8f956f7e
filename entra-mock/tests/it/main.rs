//! The fake tenant from outside: over HTTP, as any client sees it.

mod support;

#[cfg(feature = "wiremock")]
mod login;
