//! Client assertions: JWTs signed with the key of a registered certificate.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use entra_core::{Guid, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use url::Url;

use super::{
    client::Client,
    client_assertion_certificate::{self as certificate, RegisteredCertificate},
    context::{Context, plain_text},
    error::LoginError,
    form::Form,
    token_error::TokenError,
};
use crate::{
    jws,
    state::{State, iso_with_space},
    store::Object,
};

/// Checks the type of an assertion of any kind: signed with a certificate, federated, or an exchange token.
pub(super) fn check_type(form: &Form) -> Result<(), TokenError> {
    match form.require("client_assertion_type")? {
        JWT_BEARER => Ok(()),
        JWT_POP => Err(TokenError::NotSupported(format!("POST with {JWT_POP}"))),
        other => {
            let text = format!(
                "The client_assertion_type '{}' is unknown.",
                plain_text(other)
            );
            Err(LoginError::new(50_027, text).into())
        }
    }
}

/// Returns the key id of the certificate that signed the form's assertion.
pub(super) fn check(
    state: &State,
    context: &Context<'_>,
    client: &Client,
    form: &Form,
) -> Result<String, TokenError> {
    let assertion = Assertion::read(form.require("client_assertion")?)?;
    let references = assertion.key_references()?;
    assertion.check_subject(client)?;
    assertion.check_audience(state, context)?;
    assertion.check_time(context)?;
    Ok(assertion.check_signature(state, context, client, &references)?)
}

struct Assertion<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// The signed message: header and claims as they were sent.
    message: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
}

impl<'a> Assertion<'a> {
    fn read(text: &'a str) -> Result<Self, LoginError> {
        let malformed = || {
            LoginError::new(
                50_027,
                "The client assertion is not a JWT: it must have three parts in base64url, of which the first two are JSON objects.",
            )
        };
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(malformed());
        };
        let decode = |part: &str| LENIENT.decode(part).map_err(|_| malformed());
        let object = |part| serde_json::from_slice(&decode(part)?).map_err(|_| malformed());
        let header: Map<String, Value> = object(header)?;
        let typ = header
            .get("typ")
            .map(|typ| typ.as_str().unwrap_or_default());
        if typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            let text = "The header of the client assertion must have the 'typ' JWT.";
            return Err(LoginError::new(5_002_727, text));
        }
        let algorithm = match header.get("alg").and_then(Value::as_str) {
            Some("PS256") => Algorithm::PS256,
            Some("RS256") => Algorithm::RS256,
            other => {
                let alg = plain_text(other.unwrap_or_default());
                let text = format!(
                    "The client assertion is signed with '{alg}'; PS256 and RS256 are accepted."
                );
                return Err(LoginError::new(5_002_738, text));
            }
        };
        Ok(Self {
            claims: object(claims)?,
            message: &text[..text.len() - signature.len() - 1],
            signature: decode(signature)?,
            header,
            algorithm,
        })
    }

    /// Returns the thumbprints in the header; clients spell them in several ways.
    fn key_references(&self) -> Result<Vec<Vec<u8>>, LoginError> {
        let named: Vec<&str> = ["x5t#S256", "x5t", "kid"]
            .iter()
            .filter_map(|name| self.header.get(*name)?.as_str())
            .collect();
        if named.is_empty() {
            let text =
                "The header of the client assertion must name its key: 'x5t#S256', 'x5t' or 'kid'.";
            return Err(LoginError::new(5_002_723, text));
        }
        Ok(named.into_iter().filter_map(thumbprint).collect())
    }

    fn check_subject(&self, client: &Client) -> Result<(), LoginError> {
        let (issuer, subject) = (self.text("iss")?, self.text("sub")?);
        if issuer != subject {
            let text = "The claims 'iss' and 'sub' of the client assertion differ; both must be the client id.";
            return Err(LoginError::new(50_048, text));
        }
        // GUIDs are compared as GUIDs, in any spelling.
        if issuer.parse::<Guid>().ok() != client.app_id.parse().ok() {
            let text = format!(
                "The client assertion is issued by '{}', but the client of the request is the application '{}'.",
                plain_text(issuer),
                client.app_id
            );
            return Err(LoginError::new(700_021, text));
        }
        Ok(())
    }

    /// Checks that the audience is a token endpoint of this tenant, under any of its names.
    fn check_audience(&self, state: &State, context: &Context<'_>) -> Result<(), LoginError> {
        let audience = self.text("aud")?;
        let requested = context
            .request
            .path
            .split('/')
            .find(|part| !part.is_empty());
        let is_tenant = |name: &str| {
            state.is_named(name)
                || requested.is_some_and(|requested| requested.eq_ignore_ascii_case(name))
        };
        let meant = Url::parse(audience).is_ok_and(|url| {
            let origin = url.origin().ascii_serialization();
            let path = url.path().to_ascii_lowercase();
            let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
            origin.eq_ignore_ascii_case(context.base().trim_end_matches('/'))
                && matches!(parts[..], [tenant, "oauth2", "v2.0", "token"] | [tenant, "oauth2", "token"] | [tenant, "v2.0"] if is_tenant(tenant))
        });
        if meant {
            return Ok(());
        }
        let text = format!(
            "The audience '{}' of the client assertion is not this token endpoint.",
            plain_text(audience)
        );
        Err(LoginError::new(50_027, text))
    }

    fn check_time(&self, context: &Context<'_>) -> Result<(), LoginError> {
        let now = context.now.unix_timestamp();
        let expiry = self.seconds("exp").ok_or_else(|| missing("exp"))?;
        let not_before = self.seconds("nbf");
        let begun = not_before.is_none_or(|not_before| not_before <= now.saturating_add(SKEW));
        if begun && now <= expiry.saturating_add(SKEW) {
            return Ok(());
        }
        let text = format!(
            "The client assertion is not within its valid time range: the current time is {}, the assertion is valid from {} to {expiry} (seconds since 1970).",
            iso_with_space(context.now),
            not_before.map_or_else(|| "any time".to_owned(), |seconds| seconds.to_string()),
        );
        Err(LoginError::new(700_024, text))
    }

    /// Checks that a valid certificate of the application made the signature.
    fn check_signature(
        &self,
        state: &State,
        context: &Context<'_>,
        client: &Client,
        references: &[Vec<u8>],
    ) -> Result<String, LoginError> {
        let invalid_signature = |reason: &str| {
            let text = format!(
                "The signature of the client assertion cannot be verified. Reason: {reason} Application: '{}'.",
                client.app_id
            );
            Err(LoginError::new(700_027, text))
        };
        let now = crate::odata::ticks_of(context.now);
        let registered = certificate::registered(state, &client.app_id);
        let named = || registered.iter().filter(|key| key.is_named(references));
        // A certificate can be registered again when its first entry has ended.
        let in_force = named().find(|key| key.is_in_force(now));
        let Some(key) = in_force.or_else(|| named().next()) else {
            return invalid_signature(
                "no certificate of the application has the thumbprint that the header names.",
            );
        };
        let RegisteredCertificate {
            key_id,
            certificate,
            starts,
            ends,
            revoked: _,
        } = key;
        if certificate.modulus_bits() < MIN_BITS {
            let text = "The RSA key of the certificate is shorter than 2048 bits.";
            return Err(LoginError::new(50_032, text));
        }
        let public_key = DecodingKey::from_rsa_der(&certificate.public_key);
        if !jws::verifies(self.algorithm, &public_key, self.message, &self.signature) {
            return invalid_signature(
                "the signature was not made with the key of the named certificate.",
            );
        }
        if key.is_revoked(&registered) {
            let text = format!("The certificate {key_id} has been revoked.");
            return Err(LoginError::new(7_000_214, text));
        }
        if now < certificate.not_before || now > certificate.not_after {
            let text = "The client certificate is not within its validity period.";
            return Err(LoginError::new(1_000_502, text));
        }
        if ends.is_some_and(|end| end <= now) {
            return invalid_signature("the key has expired on the application.");
        }
        if starts.is_some_and(|start| start > now) {
            return invalid_signature("the key is not valid yet on the application.");
        }
        Ok(key_id.clone())
    }

    fn text(&self, claim: &str) -> Result<&str, LoginError> {
        let value = self.claims.get(claim).and_then(Value::as_str);
        value
            .filter(|text| !text.is_empty())
            .ok_or_else(|| missing(claim))
    }

    /// Reads seconds since 1970; some clients send a fraction or a string.
    fn seconds(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        let number = value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok())?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, which is as wrong a time"
        )]
        let seconds = number as i64;
        Some(seconds)
    }
}

/// Whether a JWT proves possession of a valid certificate of an application: the `proof` of `addKey`
/// and `removeKey`.
pub(crate) fn proves_possession(now: Timestamp, application: &Object, proof: &str) -> bool {
    let Ok(proof) = Assertion::read(proof) else {
        return false;
    };
    let claim = |name: &str| proof.claims.get(name).and_then(Value::as_str);
    let (Some(start), Some(end)) = (proof.seconds("nbf"), proof.seconds("exp")) else {
        return false;
    };
    let seconds = now.unix_timestamp();
    let in_time = start <= seconds.saturating_add(SKEW) && seconds < end;
    if claim("aud") != Some(PROOF_AUDIENCE)
        || claim("iss") != application["id"].as_str()
        || !in_time
        || end.saturating_sub(start) > PROOF_LIFETIME
    {
        return false;
    }
    let now = crate::odata::ticks_of(now);
    certificate::registered_of(application).iter().any(|key| {
        let certificate = &key.certificate;
        let valid =
            (certificate.not_before..=certificate.not_after).contains(&now) && key.is_in_force(now);
        let public_key = DecodingKey::from_rsa_der(&certificate.public_key);
        valid
            && jws::verifies(
                proof.algorithm,
                &public_key,
                proof.message,
                &proof.signature,
            )
    })
}

fn missing(claim: &str) -> LoginError {
    let text = format!("The client assertion must have the claim '{claim}'.");
    LoginError::new(90_014, text)
}

/// Decodes a SHA-1 or SHA-256 thumbprint: base64 in either alphabet, padded or not, or hex.
fn thumbprint(text: &str) -> Option<Vec<u8>> {
    let is_one = |bytes: &Vec<u8>| matches!(bytes.len(), 20 | 32);
    let base64 = text.replace('+', "-").replace('/', "_");
    let decoded = LENIENT.decode(base64).ok();
    decoded.filter(is_one).or_else(|| {
        let digits: Option<Vec<u32>> = text
            .chars()
            .filter(|character| *character != ':')
            .map(|character| character.to_digit(16))
            .collect();
        let bytes = digits?
            .chunks_exact(2)
            .filter_map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok())
            .collect();
        Some(bytes).filter(is_one)
    })
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWT_POP: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-pop";
/// The accepted clock difference.
const SKEW: i64 = 300;
const MIN_BITS: usize = 2048;
/// The audience of a proof of possession: Azure AD Graph.
const PROOF_AUDIENCE: &str = "00000002-0000-0000-c000-000000000000";
/// The longest lifetime of a proof of possession, in seconds.
const PROOF_LIFETIME: i64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_decoded_in_every_spelling() {
        let bytes: Vec<u8> = (0..20).map(|byte| byte * 13).collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let colons: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let standard = base64::engine::general_purpose::STANDARD.encode(&bytes);
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes);
        for spelling in [hex, colons.join(":"), standard, url_safe] {
            assert_eq!(thumbprint(&spelling), Some(bytes.clone()), "{spelling}");
        }
        assert_eq!(thumbprint("AAAA"), None);
        assert_eq!(thumbprint("no thumbprint"), None);
    }
}
