//! The transport to a Service Fabric node, which shows a self-signed certificate.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use reqwest::{Client, redirect};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use url::{Origin, Url};

use super::{
    HttpTransport, TransportError,
    reqwest::{BoxError, cached, exchange, outgoing},
};

/// The transport to the token endpoint of a Service Fabric node, and to nothing else.
///
/// The node shows a self-signed certificate and tells its own processes the SHA-1 thumbprint
/// (`IDENTITY_SERVER_THUMBPRINT`). The certificate with this thumbprint is trusted whatever its
/// names, dates and issuer are, and no other. Requests go to the one origin it was made for, over
/// TLS and without a proxy. For everything else use
/// [`ReqwestTransport`](super::ReqwestTransport), which knows no such exception.
#[derive(Debug)]
pub struct ServiceFabricTransport {
    origin: Origin,
    thumbprint: [u8; 20],
    client: OnceLock<Client>,
}

impl ServiceFabricTransport {
    /// A transport to the origin of this URL alone, which trusts the certificate with this SHA-1
    /// thumbprint alone.
    #[must_use]
    pub fn new(endpoint: &Url, thumbprint: [u8; 20]) -> Self {
        Self {
            origin: endpoint.origin(),
            thumbprint,
            client: OnceLock::new(),
        }
    }

    #[inline]
    fn build(&self) -> Result<Client, BoxError> {
        Ok(Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(true)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .tls_backend_preconfigured(config(self.thumbprint)?)
            .build()?)
    }
}

#[async_trait]
impl HttpTransport for ServiceFabricTransport {
    #[inline]
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let (request, most) = outgoing(request, TIMEOUT)?;
        if request.url().origin() != self.origin {
            return Err(TransportError::invalid_request(
                "this transport sends to the Service Fabric node's own endpoint only",
            ));
        }
        let client = cached(&self.client, || self.build())?;
        exchange(client, request, most).await
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(100);

/// A client configuration that trusts the certificate with this thumbprint and no other.
#[inline]
fn config(thumbprint: [u8; 20]) -> Result<ClientConfig, Error> {
    // Given explicitly: the process-wide provider is the application's choice.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Pinned {
        thumbprint,
        provider: Arc::clone(&provider),
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

#[derive(Debug)]
struct Pinned {
    thumbprint: [u8; 20],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    #[inline]
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if digest(&SHA1_FOR_LEGACY_USE_ONLY, end_entity).as_ref() == self.thumbprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    // The server must also hold the certificate's key.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
