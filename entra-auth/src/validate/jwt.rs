//! Parses a signed JWT (RFC 7519, in the compact serialization of RFC 7515) without trusting it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    error::{TokenValidationError, TokenValidationErrorKind},
    json,
};

/// A parsed token whose signature was not verified.
pub(super) struct Unverified<'a> {
    pub(super) kid: String,
    /// It is a Microsoft Graph token, which only Graph can validate.
    pub(super) is_graph_token: bool,
    /// RFC 9068 marks access tokens in the header.
    pub(super) is_typed_access_token: bool,
    pub(super) claims: Map<String, Value>,
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Parses a token.
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenValidationError> {
        if token.len() > MAX_BYTES {
            return Err(TokenValidationError::malformed("the token is too long"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or_else(not_a_jwt)?;
        let (header, payload) = message.split_once('.').ok_or_else(not_a_jwt)?;
        match payload.bytes().filter(|byte| *byte == b'.').count() {
            0 => {}
            2 => {
                return Err(TokenValidationError::new(
                    TokenValidationErrorKind::Malformed,
                    "the token is encrypted",
                    "turn token encryption off in the API's registration",
                ));
            }
            _ => return Err(not_a_jwt()),
        }
        if header.len() > MAX_HEADER_BYTES {
            return Err(TokenValidationError::malformed(
                "the token's header is too long",
            ));
        }
        let header = read(header).ok_or_else(|| {
            TokenValidationError::malformed(
                "the token's header is not a base64url-encoded JSON object",
            )
        })?;
        let (kid, is_graph_token, is_typed_access_token) = check_header(header)?;
        let claims = read(payload).ok_or_else(|| {
            TokenValidationError::malformed(
                "the token's claims are not a base64url-encoded JSON object",
            )
        })?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| {
            TokenValidationError::malformed("the token's signature is not base64url")
        })?;
        Ok(Self {
            kid,
            is_graph_token,
            is_typed_access_token,
            claims,
            message: message.as_bytes(),
            signature,
        })
    }
}

/// Checks the header. Keys and key URLs in it (`jwk`, `jku`, `x5c`, `x5u`) are ignored.
fn check_header(
    mut header: Map<String, Value>,
) -> Result<(String, bool, bool), TokenValidationError> {
    match header.get("alg") {
        Some(Value::String(alg)) if alg == "RS256" => {}
        Some(Value::String(_)) => {
            return Err(TokenValidationError::new(
                TokenValidationErrorKind::Algorithm,
                "the token is not signed with RS256",
                "only RS256 is accepted: if the token is not forged, have its issuer sign with RS256",
            ));
        }
        _ => {
            return Err(TokenValidationError::malformed(
                "the token's header has no `alg`",
            ));
        }
    }
    // A critical extension is not supported (RFC 7515, section 4.1.11).
    if header.contains_key("crit") {
        return Err(TokenValidationError::malformed(
            "the token's header has a critical extension, and none is supported",
        ));
    }
    let is_typed_access_token = match header.get("typ") {
        None => false,
        Some(Value::String(typ)) if typ.eq_ignore_ascii_case("JWT") => false,
        Some(Value::String(typ))
            if typ.eq_ignore_ascii_case("at+jwt")
                || typ.eq_ignore_ascii_case("application/at+jwt") =>
        {
            true
        }
        Some(_) => {
            return Err(TokenValidationError::malformed(
                "the token's header has another `typ`",
            ));
        }
    };
    let is_graph_token = header.contains_key("nonce");
    match header.remove("kid") {
        Some(Value::String(kid)) if !kid.is_empty() => {
            Ok((kid, is_graph_token, is_typed_access_token))
        }
        None => Err(TokenValidationError::new(
            TokenValidationErrorKind::UnknownKey,
            "the token has no key id (`kid`)",
            "have its issuer name the signing key with `kid`",
        )),
        Some(_) => Err(TokenValidationError::malformed(
            "the token's `kid` is not a string",
        )),
    }
}

fn read(part: &str) -> Option<Map<String, Value>> {
    json::object(&URL_SAFE_NO_PAD.decode(part).ok()?)
}

fn not_a_jwt() -> TokenValidationError {
    TokenValidationError::malformed("the token is not a JWT of three parts")
}

/// More than any server accepts in a header, and far more than 200 groups need.
const MAX_BYTES: usize = 64 * 1024;
const MAX_HEADER_BYTES: usize = 8 * 1024;
