//! A certificate authority for one run, and the server certificate that it signs.

use std::{sync::Arc, time::Duration};

use entra_core::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio_rustls::TlsAcceptor;

use crate::directory::{earlier, later};

/// The authority's certificate, and a TLS configuration with a certificate signed by it.
pub(crate) struct Authority {
    pub(crate) certificate_pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Authority {
    /// Creates new keys. They are never stored, so no one else can sign with them. `names` are further host names and
    /// addresses of the server.
    pub(crate) fn new(now: Timestamp, names: &[String]) -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = params(now, "entra-mock test authority", Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let certificate = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        Ok(Self {
            certificate_pem: certificate.pem(),
            acceptor: TlsAcceptor::from(Arc::new(server_config(now, &issuer, names)?)),
        })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

pub(crate) type TlsError = Box<dyn std::error::Error + Send + Sync>;

fn server_config(
    now: Timestamp,
    issuer: &Issuer<'_, KeyPair>,
    names: &[String],
) -> Result<ServerConfig, TlsError> {
    let key = KeyPair::generate()?;
    let mut params = params(
        now,
        "localhost",
        OWN_NAMES
            .iter()
            .chain(&REAL_NAMES)
            .map(ToString::to_string)
            .chain(names.iter().cloned())
            .collect(),
    )?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, issuer)?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // The provider is named here because the process can have another default, or none.
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn params(
    now: Timestamp,
    name: &str,
    subjects: Vec<String>,
) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(subjects)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = earlier(now, DAY);
    // Some clients reject a longer validity.
    params.not_after = later(now, 397 * DAY);
    Ok(params)
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The names of the address itself.
const OWN_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
/// The host names of Microsoft, which can be redirected here.
pub(crate) const REAL_NAMES: [&str; 7] = [
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "graph.microsoft.com",
    "management.azure.com",
    "management.core.windows.net",
];
