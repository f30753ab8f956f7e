//! Token requests.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{Evidence, number::requests};
use crate::{
    findings::trace::{Grant, Trace, groups, time_between},
    journal::{REDACTED, RequestRecord, TokenFacts},
};

/// How long a change may take to reach every replica.
const REPLICATION: Duration = Duration::from_secs(15 * 60);
/// So many superfluous tokens are a missing cache, unless each was used for more than so many requests.
const TOKENS: usize = 3;
const CALLS_PER_TOKEN: usize = 5;

pub(super) fn per_call(trace: &Trace<'_>) -> Vec<Evidence> {
    let issued = trace
        .grants
        .iter()
        .filter(|grant| grant.facts.issued.is_some() && !grant.facts.has_claims);
    let same = groups(issued, |grant| {
        (grant.record.path.as_str(), grant.facts.form)
    });
    let mut found = Vec::new();
    for (_, grants) in same {
        let superfluous: Vec<usize> = grants
            .windows(2)
            .filter(|pair| is_fresh(trace, pair[0], pair[1]))
            .map(|pair| pair[1].index)
            .collect();
        let issued: BTreeSet<u64> = grants
            .iter()
            .filter_map(|grant| grant.facts.issued)
            .collect();
        let with_these = |token: &Arc<TokenFacts>| issued.contains(&token.id);
        let calls = trace
            .records
            .iter()
            .filter_map(|record| record.facts.token.as_ref());
        let calls = calls.filter(|token| with_these(token)).count();
        if superfluous.len() >= TOKENS && calls <= CALLS_PER_TOKEN * grants.len() {
            let what = format!(
                "{} requested a token while the last one had at least half of its lifetime left",
                requests(superfluous.len())
            );
            found.push(Evidence::new(what, superfluous));
        }
    }
    found
}

/// Whether the token of an earlier request was still good when the same one was requested again.
fn is_fresh(trace: &Trace<'_>, earlier: &Grant<'_>, later: &Grant<'_>) -> bool {
    let Some(lifetime) = earlier.facts.expires_in else {
        return false;
    };
    // A token that Graph rejected is of no use.
    let rejected = trace.records[earlier.index..later.index]
        .iter()
        .any(|record| {
            let token = record.facts.token.as_ref();
            record.status == 401 && token.map(|token| token.id) == earlier.facts.issued
        });
    // A new permission is in new tokens only.
    let denied = trace.records[earlier.index..later.index]
        .iter()
        .any(|record| record.status == 403);
    !rejected
        && !denied
        && !is_probe(trace, earlier, later)
        && time_between(earlier.record, later.record) < lifetime / 2
}

/// Whether a client looks whether a change has reached the token endpoint: soon after an application, a credential or a
/// grant was written, or after its own token request was rejected, it requests a token again without use of the last one.
/// A client without a cache uses each token.
fn is_probe(trace: &Trace<'_>, earlier: &Grant<'_>, later: &Grant<'_>) -> bool {
    let between = &trace.records[earlier.index..later.index];
    let is_used = between.iter().any(|record| {
        let token = record.facts.token.as_ref();
        token.is_some_and(|token| Some(token.id) == earlier.facts.issued)
    });
    if is_used {
        return false;
    }
    let is_recent = |index: usize, record: &RequestRecord| {
        index < later.index && time_between(record, later.record) < REPLICATION
    };
    let written = trace.calls.iter().any(|call| {
        is_recent(call.index, call.record)
            && call.succeeded()
            && !call.method.eq_ignore_ascii_case("GET")
            && changes_tokens(call.path)
    });
    let rejected = trace.grants.iter().any(|grant| {
        is_recent(grant.index, grant.record)
            && matches!(grant.record.status, 400 | 401)
            && grant.facts.client_id == later.facts.client_id
    });
    written || rejected
}

/// Whether what is below this path decides on tokens: applications with their credentials, and what they are granted.
fn changes_tokens(path: &str) -> bool {
    let first = path.trim_start_matches('/').split(['/', '(']).next();
    first.is_some_and(|first| {
        [
            "applications",
            "servicePrincipals",
            "oauth2PermissionGrants",
        ]
        .iter()
        .any(|kind| first.eq_ignore_ascii_case(kind))
    })
}

pub(super) fn without_tenant(trace: &Trace<'_>) -> Vec<Evidence> {
    let shared = trace.grants.iter().filter(|grant| {
        let first = grant.record.path.trim_start_matches('/').split('/').next();
        let alias = first.is_some_and(|tenant| {
            ["common", "organizations", "consumers"]
                .iter()
                .any(|alias| tenant.eq_ignore_ascii_case(alias))
        });
        alias && grant.facts.grant_type == "client_credentials"
    });
    let paths = groups(shared, |grant| grant.record.path.as_str());
    paths
        .into_iter()
        .map(|(path, grants)| {
            let what = format!("client credentials were sent to {path}");
            Evidence::new(what, grants.iter().map(|grant| grant.index))
        })
        .collect()
}

pub(super) fn v1_endpoint(trace: &Trace<'_>) -> Vec<Evidence> {
    let tokens = trace
        .grants
        .iter()
        .map(|grant| (grant.index, grant.record.path.to_ascii_lowercase()));
    let pages = trace
        .others
        .iter()
        .map(|other| (other.index, other.path.clone()));
    let v1 = |path: &str| {
        ["/oauth2/token", "/oauth2/authorize", "/oauth2/devicecode"]
            .iter()
            .any(|end| path.ends_with(end))
    };
    let mut indices: Vec<usize> = tokens
        .chain(pages)
        .filter(|(_, path)| v1(path))
        .map(|(index, _)| index)
        .collect();
    indices.sort_unstable();
    if indices.is_empty() {
        return Vec::new();
    }
    let what = format!("{} went to the v1.0 endpoints", requests(indices.len()));
    vec![Evidence::new(what, indices)]
}

pub(super) fn password_grant(trace: &Trace<'_>) -> Vec<Evidence> {
    let grants = trace
        .grants
        .iter()
        .filter(|grant| grant.facts.grant_type == "password");
    let indices: Vec<usize> = grants.map(|grant| grant.index).collect();
    if indices.is_empty() {
        return Vec::new();
    }
    let what = format!(
        "{} sent a user's password to the token endpoint",
        requests(indices.len())
    );
    vec![Evidence::new(what, indices)]
}

/// The `interval` of the tenant's device codes.
const INTERVAL: Duration = Duration::from_secs(5);
/// A client may poll early once, right after it got the code.
const EARLY_POLLS: usize = 2;

pub(super) fn device_code_polling(trace: &Trace<'_>) -> Vec<Evidence> {
    let polls = trace
        .grants
        .iter()
        .filter(|grant| grant.facts.grant_type.contains("device_code"));
    let codes = groups(polls, |grant| grant.facts.form);
    let mut found = Vec::new();
    for (_, polls) in codes {
        let early: Vec<usize> = polls
            .windows(2)
            .filter(|pair| time_between(pair[0].record, pair[1].record) + TOLERANCE < INTERVAL)
            .map(|pair| pair[1].index)
            .collect();
        if early.len() >= EARLY_POLLS {
            let what = format!(
                "{} for one device code came faster than every 5 seconds",
                requests(early.len())
            );
            found.push(Evidence::new(what, early));
        }
    }
    found
}

/// Timers are not exact.
const TOLERANCE: Duration = Duration::from_millis(100);

pub(super) fn secret_in_url(trace: &Trace<'_>) -> Vec<Evidence> {
    let exposing = trace.records.iter().enumerate().filter(|(_, record)| {
        let query = record.query.as_deref().unwrap_or_default();
        query.split('&').any(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // A sign-out request names its session by an ID token, and a verification link has a code.
            let documented = ["code", "id_token_hint"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known));
            value == REDACTED && !documented
        })
    });
    let indices: Vec<usize> = exposing.map(|(index, _)| index).collect();
    if indices.is_empty() {
        return Vec::new();
    }
    let what = format!("{} had a credential in the URL", requests(indices.len()));
    vec![Evidence::new(what, indices)]
}
