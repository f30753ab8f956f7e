//! How many requests a job takes.

use std::{collections::BTreeSet, time::Duration};

use super::Evidence;
use crate::{
    findings::trace::{Call, Trace, groups, time_between},
    permissions::operation_of_request,
};

/// So many full reads of one list are polling.
const POLLS: usize = 4;

pub(super) fn polling(trace: &Trace<'_>) -> Vec<Evidence> {
    let first_pages = trace.calls.iter().filter(|call| {
        let narrowed = ["$filter", "$search", "$skiptoken", "$orderby"];
        let list = call.path.trim_end_matches('/');
        call.method == "GET"
            && call.succeeded()
            && !narrowed.iter().any(|name| call.option(name).is_some())
            && operation_of_request("GET", &format!("{list}/delta"))
                .is_some_and(|row| row.path.ends_with("/delta"))
    });
    let lists = groups(first_pages, |call| {
        (call.client.as_str(), call.path, call.raw_query)
    });
    lists
        .into_iter()
        .filter(|(_, calls)| calls.len() >= POLLS)
        .map(|(_, calls)| {
            let what = format!(
                "{} was read {} times from its start",
                calls[0].name(),
                calls.len()
            );
            Evidence::new(what, calls.iter().map(|call| call.index))
        })
        .collect()
}

/// So many look-ups of one kind within a minute are a loop.
const LOOK_UPS: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);

fn in_a_row(calls: &[&Call<'_>]) -> bool {
    calls
        .windows(LOOK_UPS)
        .any(|some| time_between(some[0].record, some[LOOK_UPS - 1].record) < MINUTE)
}

pub(super) fn look_ups(trace: &Trace<'_>) -> Vec<Evidence> {
    let single = trace.calls.iter().filter(|call| {
        let keyed = call.operation.is_some_and(|row| row.path.contains("/{id}"));
        call.method == "GET" && !call.batched && keyed && call.option("$skiptoken").is_none()
    });
    let kinds = groups(single, |call| {
        (
            call.client.as_str(),
            call.operation.map(|row| row.path),
            call.raw_query,
        )
    });
    kinds
        .into_iter()
        .filter_map(|(_, calls)| {
            let paths: BTreeSet<&str> = calls.iter().map(|call| call.path).collect();
            let what = format!(
                "{} was sent for {} objects one by one",
                calls[0].name(),
                paths.len()
            );
            let many = paths.len() >= LOOK_UPS && in_a_row(&calls);
            many.then(|| Evidence::new(what, calls.iter().map(|call| call.index)))
        })
        .collect()
}

pub(super) fn members(trace: &Trace<'_>) -> Vec<Evidence> {
    let added = trace.calls.iter().filter(|call| {
        let row = call
            .operation
            .filter(|row| row.path == "/groups/{id}/members/$ref");
        call.method == "POST" && !call.batched && row.is_some() && call.succeeded()
    });
    let groups = groups(added, |call: &Call<'_>| (call.client.as_str(), call.path));
    groups
        .into_iter()
        .filter(|(_, calls)| in_a_row(calls))
        .map(|(_, calls)| {
            let what = format!("{} members were added to one group one by one", calls.len());
            Evidence::new(what, calls.iter().map(|call| call.index))
        })
        .collect()
}
