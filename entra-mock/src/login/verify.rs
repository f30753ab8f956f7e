//! Bearer tokens: verifies them as Graph and Azure Resource Manager do.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::Timestamp;
use serde_json::{Map, Value};

use super::continuous_access;
use crate::{
    directory::GRAPH_APP_ID,
    keys::TestKey,
    permissions::{Caller, TokenProblem, VerifiedToken},
    state::State,
    wire::WireRequest,
};

/// Returns the caller of Graph by the bearer token of a request.
pub(crate) fn caller(
    state: &State,
    now: Timestamp,
    request: &WireRequest,
) -> Result<Arc<Caller>, TokenProblem> {
    let audiences = [GRAPH_RESOURCE, GRAPH_APP_ID, request.base.as_str()];
    let verified = token_for(state, now, request, &audiences)?;
    if let Some(claims) = &verified.continuous {
        continuous_access::check(state, now, claims)?;
    }
    verified.caller.clone().ok_or(TokenProblem::Malformed)
}

/// Returns the bearer token of a request, if it is valid for one of these audiences.
pub(super) fn token_for(
    state: &State,
    now: Timestamp,
    request: &WireRequest,
    audiences: &[&str],
) -> Result<Arc<VerifiedToken>, TokenProblem> {
    let header = request
        .header("authorization")
        .ok_or(TokenProblem::Missing)?;
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(TokenProblem::Missing);
    }
    let verified = verified(state, token)?;
    if verified.tenant != Some(state.tenant_id) {
        return Err(TokenProblem::BadSignature);
    }
    if verified
        .expiry
        .is_none_or(|expiry| now.unix_timestamp() >= expiry)
    {
        return Err(TokenProblem::Expired);
    }
    match audiences.contains(&verified.audience.as_str()) {
        true => Ok(verified),
        false => Err(TokenProblem::WrongAudience),
    }
}

/// Returns a token that was signed with one of the keys that the tenant publishes now.
fn verified(state: &State, token: &str) -> Result<Arc<VerifiedToken>, TokenProblem> {
    if let Some(verified) = state.verified_tokens.get(token)
        && published(state, Some(&verified.kid)).is_some()
    {
        return Ok(verified);
    }
    let (kid, claims) = verify(state, token)?;
    let verified = Arc::new(VerifiedToken::new(token, kid, &claims));
    state.verified_tokens.insert(token, &verified);
    Ok(verified)
}

/// Returns the claims of a token that was signed with one of the tenant's keys.
pub(super) fn signed_claims(
    state: &State,
    token: &str,
) -> Result<Map<String, Value>, TokenProblem> {
    verify(state, token).map(|(_, claims)| claims)
}

/// Returns the id of the key that signed a token, and the claims.
fn verify(state: &State, token: &str) -> Result<(&'static str, Map<String, Value>), TokenProblem> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenProblem::Malformed);
    };
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| TokenProblem::Malformed)
    };
    let parse = |bytes: Vec<u8>| {
        serde_json::from_slice::<Map<String, Value>>(&bytes).map_err(|_| TokenProblem::Malformed)
    };
    let (header, message) = (
        parse(decode(header)?)?,
        &token[..header.len() + 1 + claims.len()],
    );
    let claims = parse(decode(claims)?)?;
    let signature = decode(signature)?;

    let kid = header.get("kid").and_then(Value::as_str);
    let key = published(state, kid).ok_or(TokenProblem::BadSignature)?;
    if header.get("alg").and_then(Value::as_str) != Some("RS256")
        || !key.verifies(message, &signature)
    {
        return Err(TokenProblem::BadSignature);
    }
    Ok((&key.kid, claims))
}

fn published(state: &State, kid: Option<&str>) -> Option<&'static TestKey> {
    state
        .keys
        .published()
        .find(|key| Some(key.kid.as_str()) == kid)
}

const GRAPH_RESOURCE: &str = "https://graph.microsoft.com";
