//! Why a request was rejected: what its error leaves out.

use super::token::Decoded;
use crate::{
    journal::RequestRecord,
    login::remedy,
    permissions::{TokenProblem, operation_of_request, split_version},
    schema::Operation,
    state::iso,
    wire::is_graph,
};

/// Sentences that explain a rejected request; none for a request that succeeded.
pub(super) fn explanation(record: &RequestRecord, tenant_id: &str) -> Vec<String> {
    if record.status < 400 && record.reason().is_none() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let injected = record
        .reason()
        .is_some_and(|reason| reason.contains("A fault was injected"));
    if injected {
        // Nothing is wrong with the request.
        lines.push("The response comes from an injected fault: see Clock and faults.".to_owned());
    } else if is_graph(&record.path) {
        match record.status {
            401 => lines.extend(token_problem(record, tenant_id)),
            403 => lines.extend(missing_permission(record)),
            _ => {}
        }
    } else if let Some(code) = aadsts(record.reason().unwrap_or_default()) {
        lines.push(remedy(code).to_owned());
    }
    if let Some(wait) = record.retry_after() {
        lines.push(format!(
            "The response requested a wait of {} seconds.",
            wait.as_secs_f64()
        ));
    }
    lines
}

/// What is wrong with the token of a Graph request, by the error that Graph returned.
fn token_problem(record: &RequestRecord, tenant_id: &str) -> Option<String> {
    let reason = record.reason().unwrap_or_default();
    let is = |problem: TokenProblem| reason.contains(problem.message());
    if is(TokenProblem::Missing) {
        return Some("The request has no bearer token.".to_owned());
    }
    let decoded = record.facts.token.as_deref().and_then(Decoded::of);
    let Some(decoded) = decoded else {
        return is(TokenProblem::Malformed).then(|| "The bearer token is not a JWT.".to_owned());
    };
    if is(TokenProblem::Malformed) {
        return Some("The token cannot be read: a part of it was cut off or changed.".to_owned());
    }
    if is(TokenProblem::Expired) {
        let expired = decoded.time("exp").map(iso).unwrap_or_default();
        return Some(format!(
            "The token expired at {expired}; the request arrived at {}.",
            iso(record.time)
        ));
    }
    if is(TokenProblem::WrongAudience) {
        let audience = decoded.text("aud").unwrap_or_default();
        return Some(format!(
            "The token is for {audience}, not for Microsoft Graph."
        ));
    }
    if is(TokenProblem::Revoked { since: 0 }) {
        return Some(
            "The account lost the access after the token was issued: it was disabled, its sessions were revoked, or a \
             policy blocks it. The client announced that it handles this (capability cp1): it requests a new token \
             with the claims in the header WWW-Authenticate."
                .to_owned(),
        );
    }
    if !is(TokenProblem::BadSignature) {
        return None;
    }
    Some(match decoded.text("tid") {
        Some(tid) if tid != tenant_id => {
            format!("The token is of the tenant {tid}, not of this one.")
        }
        _ => "The signature of the token is not of a published signing key.".to_owned(),
    })
}

/// Which permissions the token has, and which are enough.
fn missing_permission(record: &RequestRecord) -> Vec<String> {
    let Some(caller) = record
        .facts
        .token
        .as_ref()
        .and_then(|token| token.caller.as_ref())
    else {
        return Vec::new();
    };
    let held = match record.permissions() {
        [] => "no permission".to_owned(),
        held => held.join(", "),
    };
    let kind = if caller.is_delegated() {
        "delegated"
    } else {
        "application"
    };
    let mut lines = vec![format!("The token has {held} ({kind}).")];
    let (_, path) = split_version(&record.path);
    let Some(row) = operation_of_request(&record.method, path) else {
        return lines;
    };
    let enough = if caller.is_delegated() {
        row.delegated
    } else {
        row.application
    };
    lines.push(enough_permissions(row, enough));
    let has = |list: &[&str]| {
        list.is_empty()
            || record
                .permissions()
                .iter()
                .any(|name| list.contains(&name.as_str()))
    };
    let is_enough = has(enough) && row.additional.iter().all(|&names| has(names));
    lines.extend(
        beside_permissions(&record.method, caller.is_delegated(), is_enough).map(str::to_owned),
    );
    lines
}

/// What decides beside permissions. It is said together with a missing permission: who adds that one would meet the same
/// error again.
fn beside_permissions(method: &str, is_delegated: bool, is_enough: bool) -> Option<&'static str> {
    match (is_enough, is_delegated) {
        (true, true) => Some(
            "The permissions are enough; the user lacks a directory role or does not own the object, or a property of the \
             body needs a permission of its own.",
        ),
        (true, false) => Some(
            "The permissions are enough; the application does not own the object, a property of the body needs a permission \
             of its own, or a licence or a policy is in the way.",
        ),
        (false, true) if method != "GET" => Some(
            "To change something, the user also needs a directory role or must own the object.",
        ),
        (false, _) => None,
    }
}

fn enough_permissions(row: &Operation, enough: &[&str]) -> String {
    let name = format!("{} {}", row.method, row.path);
    let also: String = row
        .additional
        .iter()
        .map(|names| match names {
            [one] => format!(", together with {one}"),
            list => format!(", together with one of {}", list.join(", ")),
        })
        .collect();
    match enough {
        [] => format!("{name} is for signed-in users only."),
        [one] => format!("{name} needs {one}{also}."),
        list => format!("{name} needs one of {}{also}.", list.join(", ")),
    }
}

/// The number of an error of the sign-in service.
pub(super) fn aadsts(reason: &str) -> Option<u32> {
    let (_, rest) = reason.split_once("AADSTS")?;
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_does_not_hide_that_a_user_needs_a_role() {
        let change = beside_permissions("PATCH", true, false).unwrap();
        assert!(change.contains("also needs a directory role"), "{change}");
        assert_eq!(beside_permissions("GET", true, false), None);
        assert_eq!(beside_permissions("PATCH", false, false), None);
        for is_delegated in [true, false] {
            let text = beside_permissions("PATCH", is_delegated, true).unwrap();
            assert!(text.contains("a permission of its own"), "{text}");
        }
    }

    #[test]
    fn the_number_of_a_sign_in_error_is_found() {
        assert_eq!(
            aadsts("invalid_client: AADSTS7000215: Invalid"),
            Some(7_000_215)
        );
        assert_eq!(aadsts("AADSTS50011"), Some(50_011));
        assert_eq!(aadsts("invalid_client"), None);
    }
}
