//! What a sign-in service publishes: its metadata and its signing keys.

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
pub(in super::super) struct Place {
    pub(in super::super) metadata: Url,
    pub(in super::super) issuer: Expected,
}

/// Which issuer may be found there.
#[derive(Clone, Debug)]
pub(in super::super) enum Expected {
    /// This tenant's.
    Tenant(Guid),
    /// Some tenant's, asked for by one of its domains.
    SomeTenant,
    /// Any tenant's, for the authorities of many tenants: `common` and `organizations`.
    EveryTenant,
    /// Another provider's than Entra.
    Provider(String),
}

/// The keys of one sign-in service at one time, ready for use.
#[derive(Debug)]
pub(in super::super) struct KeySet {
    pub(in super::super) issuer: Issuer,
    /// Whether the service promises to name itself in every authorization response (RFC 9207).
    pub(in super::super) promises_issuer: bool,
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
    pub(super) async fn fetch(place: &Place, settings: &Settings) -> Result<Self, Error> {
        let metadata: Metadata =
            fetch(settings, "OpenID discovery", place.metadata.clone()).await?;
        let issuer = place.issuer.check(&metadata.issuer)?;
        let address = check_named(&settings.cloud, "signing keys", &metadata.jwks_uri)?;
        let published: Published = fetch(settings, "signing keys", address).await?;
        let keys: Vec<Key> = published
            .keys
            .into_iter()
            .take(MOST_KEYS)
            .filter_map(|key| Key::read(key, &place.issuer))
            .collect();
        if keys.is_empty() {
            return Err(unusable("the sign-in service has no RSA signing key", FIX));
        }
        Ok(Self {
            issuer,
            promises_issuer: metadata.authorization_response_iss_parameter_supported,
            keys,
        })
    }

    /// Where the key of this name is.
    pub(in super::super) fn position(&self, kid: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.kid == kid)
    }

    pub(in super::super) fn get(&self, position: usize) -> Option<&Key> {
        self.keys.get(position)
    }
}

impl Key {
    /// Whether it made this RS256 signature of the message.
    pub(in super::super) fn has_signed(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        jws::verifies(Algorithm::RS256, &self.public, message, signature)
    }

    /// A key that can have signed a token with RS256; none for all others.
    fn read(key: Value, place: &Expected) -> Option<Self> {
        let key: PublishedKey = serde_json::from_value(key).ok()?;
        let is_ours = key.kty == "RSA"
            && key.usage.is_none_or(|usage| usage == "sig")
            && key.alg.is_none_or(|alg| alg == "RS256")
            && key
                .key_ops
                .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !is_ours {
            return None;
        }
        let issuer = match (key.issuer, place) {
            (None, _) => None,
            (Some(issuer), Expected::Provider(_)) => Some(Issuer::plain(&issuer)),
            (Some(issuer), _) => Some(Issuer::of_tenant(&issuer)?),
        };
        let (n, e) = (number(&key.n)?, number(&key.e)?);
        if n.len() < LEAST_KEY_BYTES {
            return None;
        }
        Some(Self {
            kid: key.kid,
            issuer,
            public: DecodingKey::from_rsa_raw_components(&n, &e),
        })
    }
}

impl Expected {
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
        found.ok_or_else(|| unusable("the discovery document is another issuer's", FIX))
    }
}

/// A big number without leading zeros, as the crypto library wants it.
fn number(text: &str) -> Option<Vec<u8>> {
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

const FIX: &str =
    "check tenant and cloud, and that no proxy answers in the sign-in service's place";
/// Entra publishes about ten.
const MOST_KEYS: usize = 1_000;
/// 2048 bits.
const LEAST_KEY_BYTES: usize = 256;
