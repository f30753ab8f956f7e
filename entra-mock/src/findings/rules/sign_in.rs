//! Sign-in in a browser, and the metadata of the sign-in service.

use std::{collections::BTreeSet, time::Duration};

use super::{Evidence, number::requests};
use crate::findings::trace::{Other, Trace, groups, time_between};

/// The requests that start a sign-in, each once: the pages that follow have the same URL.
fn starts<'t>(trace: &'t Trace<'_>) -> Vec<&'t Other<'t>> {
    let mut seen = BTreeSet::new();
    let starts = trace.others.iter().filter(|other| {
        let is_page = other.path.ends_with("/oauth2/v2.0/authorize")
            || other.path.ends_with("/oauth2/authorize");
        is_page && other.record.method == "GET"
    });
    starts
        .filter(|other| seen.insert(other.record.query.as_deref().unwrap_or_default()))
        .collect()
}

fn response_types<'t>(other: &'t Other<'_>) -> Vec<&'t str> {
    other
        .parameter("response_type")
        .unwrap_or_default()
        .split_whitespace()
        .collect()
}

fn evidence(starts: &[&Other<'_>], what: &str) -> Vec<Evidence> {
    let by_client = groups(starts.iter(), |other| {
        other.parameter("client_id").unwrap_or_default()
    });
    by_client
        .into_iter()
        .map(|(client, starts)| {
            let client: String = client.chars().take(36).collect();
            Evidence::new(
                format!("{} of application {client} {what}", sign_ins(starts.len())),
                starts.iter().map(|start| start.index),
            )
        })
        .collect()
}

fn sign_ins(count: usize) -> String {
    match count {
        1 => "1 sign-in".to_owned(),
        _ => format!("{count} sign-ins"),
    }
}

pub(super) fn without_pkce(trace: &Trace<'_>) -> Vec<Evidence> {
    let mut starts = starts(trace);
    starts.retain(|start| {
        let s256 = start.parameter("code_challenge").is_some()
            && start
                .parameter("code_challenge_method")
                .is_some_and(|method| method == "S256");
        response_types(start).contains(&"code") && !s256
    });
    evidence(&starts, "had no PKCE challenge with S256")
}

pub(super) fn without_state(trace: &Trace<'_>) -> Vec<Evidence> {
    let mut starts = starts(trace);
    starts.retain(|start| start.parameter("state").is_none() && start.parameter("nonce").is_none());
    evidence(&starts, "had neither state nor nonce")
}

pub(super) fn implicit_flow(trace: &Trace<'_>) -> Vec<Evidence> {
    let mut starts = starts(trace);
    starts.retain(|start| response_types(start).contains(&"token"));
    evidence(&starts, "requested an access token in the redirect")
}

/// A new permission is needed now and then, but not each time.
const CONSENTS: usize = 3;

pub(super) fn consent_forced(trace: &Trace<'_>) -> Vec<Evidence> {
    let mut starts = starts(trace);
    starts.retain(|start| {
        start
            .parameter("prompt")
            .is_some_and(|prompt| prompt.eq_ignore_ascii_case("consent"))
    });
    let mut found = evidence(&starts, "had prompt=consent");
    found.retain(|evidence| evidence.requests.len() >= CONSENTS);
    found
}

/// The finding shows the requests that wrote policies; one of a scenario has none.
pub(super) fn policy_not_enforced(trace: &Trace<'_>) -> Vec<Evidence> {
    let policies = trace.recorded_policies.iter();
    let named: Vec<String> = policies
        .map(|(name, part)| format!("{name:?} ({part})"))
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let writes = trace.calls.iter().filter(|call| {
        let path = call.path.trim_start_matches('/').to_ascii_lowercase();
        call.succeeded()
            && !call.method.eq_ignore_ascii_case("GET")
            && path.starts_with("identity/conditionalaccess/policies")
    });
    let what = format!(
        "these enabled conditional access policies are not enforced: {}",
        named.join(", ")
    );
    vec![Evidence::new(what, writes.map(|call| call.index))]
}

/// So many fetches within an hour are not cached. Several processes that start at once fetch a few times.
const FETCHES: usize = 10;
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn keys_fetched(trace: &Trace<'_>) -> Vec<Evidence> {
    let metadata = trace.others.iter().filter(|other| {
        let keys = other.path.ends_with("/keys") && other.path.contains("/discovery/");
        let document = other.path.ends_with("/.well-known/openid-configuration");
        other.record.method == "GET" && other.record.status == 200 && (keys || document)
    });
    let paths = groups(metadata, |other| other.record.path.as_str());
    let mut found = Vec::new();
    for (path, fetches) in paths {
        let within_hour = fetches
            .windows(FETCHES)
            .any(|some| time_between(some[0].record, some[FETCHES - 1].record) < HOUR);
        if within_hour {
            let what = format!(
                "{path} was fetched by {} within an hour",
                requests(fetches.len())
            );
            found.push(Evidence::new(what, fetches.iter().map(|fetch| fetch.index)));
        }
    }
    found
}
