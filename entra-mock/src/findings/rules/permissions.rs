//! What tokens allow, beside what was done with them.

use std::collections::BTreeSet;

use super::Evidence;
use crate::{
    findings::trace::{Call, Trace, groups},
    permissions::{Caller, NeededPermissions},
};

/// Scopes that are about the sign-in itself, and the one that the portal adds to each registration.
const OF_SIGN_IN: [&str; 5] = ["openid", "profile", "email", "offline_access", "User.Read"];

/// What one application did with one kind of token.
struct Usage<'t> {
    app: &'t str,
    delegated: bool,
    held: Vec<&'t str>,
    needed: NeededPermissions,
    requests: Vec<usize>,
}

fn usages<'t>(trace: &'t Trace<'_>) -> Vec<Usage<'t>> {
    let valid = trace.calls.iter().filter(|call| caller(call).is_some());
    let by_app = groups(valid, |call| {
        caller(call).map(|caller| (caller.app_id.as_str(), caller.is_delegated()))
    });
    by_app
        .into_iter()
        .filter_map(|(key, calls)| {
            let (app, delegated) = key?;
            if trace.ignored_apps.contains(app) {
                return None;
            }
            let held: BTreeSet<&str> = calls
                .iter()
                .flat_map(|call| call.record.permissions())
                .map(String::as_str)
                .filter(|name| !OF_SIGN_IN.contains(name))
                .collect();
            Some(Usage {
                app,
                delegated,
                held: held.into_iter().collect(),
                needed: NeededPermissions::of_requests(
                    calls.iter().map(|call| (call.method, call.path)),
                ),
                requests: calls.iter().map(|call| call.index).collect(),
            })
        })
        .collect()
}

fn caller<'t>(call: &'t Call<'_>) -> Option<&'t Caller> {
    call.record.facts.token.as_ref()?.caller.as_deref()
}

pub(super) fn unused(trace: &Trace<'_>) -> Vec<Evidence> {
    let evidence = |usage: Usage<'_>| {
        // A permission of unknown use is not reported as unused.
        if usage.needed.unknown().next().is_some() {
            return None;
        }
        let unused = usage.needed.unused(&usage.held, usage.delegated);
        let unused: Vec<&str> = unused
            .into_iter()
            .filter(|name| !SHOWS_MORE.contains(name))
            .collect();
        let what = format!(
            "application {} did not use {}",
            usage.app,
            unused.join(", ")
        );
        (!unused.is_empty()).then(|| Evidence::new(what, usage.requests))
    };
    usages(trace).into_iter().filter_map(evidence).collect()
}

/// Permissions that no operation needs, and that show more in some responses.
const SHOWS_MORE: [&str; 1] = ["Member.Read.Hidden"];

pub(super) fn broad(trace: &Trace<'_>) -> Vec<Evidence> {
    usages(trace)
        .iter()
        .filter_map(|usage| {
            let mut instead: BTreeSet<&str> = BTreeSet::new();
            let mut broad: Vec<&str> = Vec::new();
            for &name in &usage.held {
                if let Some(smaller) = usage
                    .needed
                    .smaller_than(name, &usage.held, usage.delegated)
                {
                    broad.push(name);
                    instead.extend(smaller);
                }
            }
            if broad.is_empty() {
                return None;
            }
            let instead: Vec<&str> = instead.into_iter().collect();
            let what = format!(
                "application {} used {}; {} is enough for its requests",
                usage.app,
                broad.join(", "),
                instead.join(", ")
            );
            Some(Evidence::new(what, usage.requests.iter().copied()))
        })
        .collect()
}
