//! The fake tenant from outside: over HTTP, as any client sees it.

#[cfg(feature = "wiremock")]
mod discovery;
#[cfg(feature = "wiremock")]
mod faces;
#[cfg(feature = "wiremock")]
mod faults;
#[cfg(feature = "wiremock")]
mod handles;
#[cfg(feature = "wiremock")]
mod journal;
#[cfg(feature = "wiremock")]
mod login;
#[cfg(feature = "wiremock")]
mod overrides;
#[cfg(feature = "server")]
mod standalone;
mod support;
#[cfg(feature = "wiremock")]
mod tokens;
