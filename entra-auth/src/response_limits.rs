//! The most bytes that a response may have, by the kind of request.
//!
//! Each is far above what the service sends, and small enough that a foreign or broken one cannot
//! fill the memory.

/// Token responses and error responses.
pub(crate) const TOKENS: u64 = 1024 * 1024;
/// Discovery documents and signing keys, some 20 KiB at Entra.
pub(crate) const DISCOVERY: u64 = 1024 * 1024;
/// The metadata endpoint of a host, which sends one token.
#[cfg(feature = "managed-identity")]
pub(crate) const METADATA: u64 = 256 * 1024;
