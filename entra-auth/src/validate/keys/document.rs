//! The metadata and the signing keys that a sign-in service publishes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::{Guid, url::Url};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::super::issuer::Issuer;
use crate::{
    Error,
    discovery::{check_named, fetch, unusable},
    jws,
    settings::Settings,
};

/// The metadata of a sign-in service: its issuer and the URL of its keys.
#[derive(Clone, Debug)]
pub(in super::super) struct MetadataLocation {
    pub(in super::super) metadata: Url,
    pub(in super::super) issuer: ExpectedIssuer,
}

/// The issuer that the metadata must have.
#[derive(Clone, Debug)]
pub(in super::super) enum ExpectedIssuer {
    /// This tenant's.
    Tenant(Guid),
    /// The tenant of a domain, whose GUID is not known.
    SomeTenant,
    /// Any tenant's, for the authorities of many tenants: `common` and `organizations`.
    EveryTenant,
    /// Another provider's than Entra.
    Provider(String),
}

/// The keys of one sign-in service as of one fetch, ready for use.
#[derive(Debug)]
pub(in super::super) struct KeySet {
    pub(in super::super) issuer: Issuer,
    /// Whether each authorization response has the parameter `iss` (RFC 9207).
    pub(in super::super) has_issuer_parameter: bool,
    keys: Vec<Key>,
}

#[derive(Debug)]
pub(in super::super) struct Key {
    kid: String,
    /// Some keys of Entra sign for one issuer only.
    pub(in super::super) issuer: Option<Issuer>,
    public: DecodingKey,
}

impl KeySet {
    pub(super) async fn fetch(
        location: &MetadataLocation,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let metadata: Metadata =
            fetch(settings, "OpenID discovery", location.metadata.clone()).await?;
        let issuer = location.issuer.check(&metadata.issuer)?;
        let address = check_named(&settings.cloud, "signing keys", &metadata.jwks_uri)?;
        let published: Published = fetch(settings, "signing keys", address).await?;
        let keys: Vec<Key> = published
            .keys
            .into_iter()
            .take(MAX_KEYS)
            .filter_map(|key| Key::read(key, &location.issuer))
            .collect();
        if keys.is_empty() {
            return Err(unusable(
                "the sign-in service has no RSA signing key",
                METADATA_FIX,
            ));
        }
        Ok(Self {
            issuer,
            has_issuer_parameter: metadata.authorization_response_iss_parameter_supported,
            keys,
        })
    }

    /// The index of the key with this id.
    pub(in super::super) fn position(&self, kid: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.kid == kid)
    }

    pub(in super::super) fn get(&self, position: usize) -> Option<&Key> {
        self.keys.get(position)
    }
}

impl Key {
    /// Whether this is a valid RS256 signature of the message.
    pub(in super::super) fn has_signed(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        jws::verifies(Algorithm::RS256, &self.public, message, signature)
    }

    /// A key for RS256 signatures, or `None` for other keys.
    fn read(key: Value, location: &ExpectedIssuer) -> Option<Self> {
        let key: PublishedKey = serde_json::from_value(key).ok()?;
        let is_rs256_key = key.kty == "RSA"
            && key.usage.is_none_or(|usage| usage == "sig")
            && key.alg.is_none_or(|alg| alg == "RS256")
            && key
                .key_ops
                .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !is_rs256_key {
            return None;
        }
        let issuer = match (key.issuer, location) {
            (None, _) => None,
            (Some(issuer), ExpectedIssuer::Provider(_)) => Some(Issuer::plain(&issuer)),
            (Some(issuer), _) => Some(Issuer::of_tenant(&issuer)?),
        };
        let (n, e) = (big_endian_number(&key.n)?, big_endian_number(&key.e)?);
        if n.len() < MIN_KEY_BYTES {
            return None;
        }
        Some(Self {
            kid: key.kid,
            issuer,
            public: DecodingKey::from_rsa_raw_components(&n, &e),
        })
    }
}

impl ExpectedIssuer {
    fn check(&self, issuer: &str) -> Result<Issuer, Error> {
        let found = match self {
            Self::Provider(expected) => (issuer.trim_end_matches('/')
                == expected.trim_end_matches('/'))
            .then(|| Issuer::plain(issuer)),
            Self::Tenant(tenant) => {
                Issuer::of_tenant(issuer).filter(|issuer| issuer.tenant() == Some(*tenant))
            }
            Self::SomeTenant => {
                Issuer::of_tenant(issuer).filter(|issuer| issuer.tenant().is_some())
            }
            Self::EveryTenant => Issuer::of_tenant(issuer).filter(Issuer::is_template),
        };
        found.ok_or_else(|| unusable("the discovery document is another issuer's", METADATA_FIX))
    }
}

/// A big-endian number without leading zeros, as the crypto library requires.
fn big_endian_number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes.get(zeros..)?.to_vec()).filter(|bytes| !bytes.is_empty())
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    kid: String,
    n: String,
    e: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    key_ops: Option<Vec<String>>,
    issuer: Option<String>,
}

const METADATA_FIX: &str =
    "check tenant and cloud, and that no proxy responds in place of the sign-in service";
/// Entra publishes about ten.
const MAX_KEYS: usize = 1_000;
/// 2048 bits.
const MIN_KEY_BYTES: usize = 256;
