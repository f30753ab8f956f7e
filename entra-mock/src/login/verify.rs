//! The caller of Graph: verifies the bearer token as Graph does.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::Timestamp;
use serde_json::Value;

use crate::{
    directory::GRAPH_APP_ID,
    permissions::{Caller, TokenProblem},
    state::State,
    wire::WireRequest,
};

/// Returns the caller of a request's bearer token.
pub(crate) fn caller(
    state: &State,
    now: Timestamp,
    request: &WireRequest,
) -> Result<Caller, TokenProblem> {
    let header = request
        .header("authorization")
        .ok_or(TokenProblem::Missing)?;
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(TokenProblem::Missing);
    }
    let claims = signed_claims(state, token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);

    if text("tid") != Some(state.tenant_id.to_string().as_str()) {
        return Err(TokenProblem::BadSignature);
    }
    let expiry = claims.get("exp").and_then(Value::as_i64);
    if expiry.is_none_or(|expiry| now.unix_timestamp() >= expiry) {
        return Err(TokenProblem::Expired);
    }
    let audience = text("aud").unwrap_or_default().trim_end_matches('/');
    if ![GRAPH_RESOURCE, GRAPH_APP_ID, request.base.as_str()].contains(&audience) {
        return Err(TokenProblem::WrongAudience);
    }
    let app_id = text("appid")
        .or_else(|| text("azp"))
        .ok_or(TokenProblem::Malformed)?
        .to_owned();
    let subject = text("oid").map(str::to_owned);
    let scopes: Vec<String> = text("scp")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let delegated = claims.contains_key("scp");
    let roles = claims
        .get("roles")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Ok(Caller {
        app_id,
        service_principal_id: subject.clone().filter(|_| !delegated),
        user_id: subject.filter(|_| delegated),
        // In a user's token these are the app roles of the user, which grant nothing in Graph.
        roles: roles
            .filter(|_| !delegated)
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        scopes,
    })
}

/// Returns the claims of a token that was signed with one of the tenant's keys.
pub(super) fn signed_claims(
    state: &State,
    token: &str,
) -> Result<serde_json::Map<String, Value>, TokenProblem> {
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
        serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes)
            .map_err(|_| TokenProblem::Malformed)
    };
    let (header, message) = (
        parse(decode(header)?)?,
        &token[..header.len() + 1 + claims.len()],
    );
    let claims = parse(decode(claims)?)?;
    let signature = decode(signature)?;

    let kid = header.get("kid").and_then(Value::as_str);
    let key = state
        .keys
        .published()
        .find(|key| Some(key.kid.as_str()) == kid)
        .ok_or(TokenProblem::BadSignature)?;
    if header.get("alg").and_then(Value::as_str) != Some("RS256")
        || !key.verifies(message, &signature)
    {
        return Err(TokenProblem::BadSignature);
    }
    Ok(claims)
}

const GRAPH_RESOURCE: &str = "https://graph.microsoft.com";
