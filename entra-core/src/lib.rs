#![cfg_attr(docsrs, feature(doc_cfg))]
// `.ci/outside.py` compiles and runs the programs of the README as printed.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]
// What few programs call is `#[inline]`, so that only programs that use it generate its code.

mod application_credential;
mod challenge;
mod clock;
mod cloud;
mod credential;
mod credential_error;
mod environment;
mod error;
mod ids;
mod jwt;
mod membership;
mod pacer;
mod pipeline;
mod random;
mod report;
mod request;
mod retry;
mod secret;
#[cfg(feature = "test-util")]
mod test_util;
mod text_file;
mod timestamp;
mod transport;

pub use application_credential::{
    CertificateOutline, CredentialDescription, CredentialMaterial, ProofSigner, SecretOutline,
    SignInMethod,
};
pub use clock::{BoxFuture, Clock, SystemClock, Timestamp};
pub use cloud::Cloud;
pub use credential::{AccessToken, CredentialFactory, TokenCredential, TokenRequest};
pub use credential_error::{CredentialError, CredentialErrorKind};
pub use environment::Environment;
pub use error::{Error, ErrorKind};
pub use ids::{ClientId, Guid, IntoId, InvalidId, ObjectId, TenantId};
pub use jwt::{JwtError, JwtErrorKind, JwtVerifier};
pub use membership::{GroupMembership, MembershipError, MembershipErrorKind};
pub use pacer::Pacer;
pub use pipeline::{Pipeline, PipelineBuilder};
pub use random::{SecureRandom, SystemRandom};
pub use request::{Bearer, Request, Response};
pub use retry::{
    Attempt, AttemptOutcome, Decision, Idempotency, ResponseClass, RetryPolicy, StopReason,
    parse_retry_after, retry_after,
};
pub use secret::Secret;
#[cfg(feature = "test-util")]
pub use test_util::{ManualClock, ScriptedTransport, SeededRandom, StaticCredential};
pub use text_file::{decode_text, read_text_file};
pub use timestamp::{format_rfc3339, parse_http_date, parse_rfc3339};
pub use transport::{HttpTransport, ResponseLimit, Timeout, TransportError, TransportErrorKind};
#[cfg(feature = "reqwest")]
pub use transport::{ReqwestTransport, ReqwestTransportBuilder, ServiceFabricTransport};

pub use {bytes, http, time, url};
