//! What clients do after an error.

use std::{collections::HashMap, time::Duration};

use super::Evidence;
use crate::{
    findings::trace::{Call, Trace, groups, time_between},
    journal::RequestRecord,
    schema::Operation,
};

/// Clients and servers round differently.
const TOLERANCE: Duration = Duration::from_millis(50);
/// Requests that are closer together were under way at the same time, unless one repeats the other.
const UNDER_WAY: Duration = Duration::from_millis(20);

pub(super) fn retry_after_ignored(trace: &Trace<'_>) -> Vec<Evidence> {
    let mut early: Vec<usize> = Vec::new();
    let mut first = None;
    // The last throttled request of each target, and its wait.
    let mut throttled: HashMap<Target<'_>, (usize, Duration)> = HashMap::new();
    for (index, record) in trace.records.iter().enumerate() {
        let sent = requests_of(record);
        let mut again = None;
        for (target, _) in &sent {
            if let Some((earlier, wait)) = throttled.remove(target) {
                let earlier = &trace.records[earlier];
                if repeats(earlier, record) && time_between(earlier, record) + TOLERANCE < wait {
                    again = again.or(Some(*target));
                }
            }
        }
        if again.is_some() {
            first = first.or(again);
            early.push(index);
        }
        // After all of them: the same request twice in a batch is not sent again.
        for (target, wait) in sent {
            if let Some(wait) = wait {
                throttled.insert(target, (index, wait));
            }
        }
    }
    let Some((method, path, ..)) = first else {
        return Vec::new();
    };
    let what = format!("{method} {path} was sent again before the time in Retry-After");
    vec![Evidence::new(what, early)]
}

/// Method, path and query of a request, and the body of one in a batch.
type Target<'r> = (&'r str, &'r str, &'r str, Option<u64>);

/// A request and those in its batch, each with its wait if it was throttled.
fn requests_of(record: &RequestRecord) -> Vec<(Target<'_>, Option<Duration>)> {
    let throttled = |status: Option<u16>| matches!(status, Some(429 | 503));
    let own = (
        record.method.as_str(),
        record.path.as_str(),
        record.query.as_deref().unwrap_or_default(),
        None,
    );
    let wait = record.retry_after();
    let wait = wait.filter(|_| throttled(Some(record.status)));
    let parts = record.facts.parts.iter().map(|part| {
        let target = (
            part.method.as_str(),
            part.path.as_str(),
            part.query.as_deref().unwrap_or_default(),
            part.body,
        );
        (target, part.retry_after.filter(|_| throttled(part.status)))
    });
    std::iter::once((own, wait)).chain(parts).collect()
}

/// Whether a request is the same client's repetition of an earlier one, and not a parallel one.
fn repeats(earlier: &RequestRecord, later: &RequestRecord) -> bool {
    let token = |record: &RequestRecord| record.facts.token.as_ref().map(|token| token.id);
    let form = |record: &RequestRecord| record.facts.grant.as_ref().map(|grant| grant.form);
    let same_client = token(earlier) == token(later) && form(earlier) == form(later);
    let id = later.client_request_id.as_ref();
    let same_id = id.is_none() || id == earlier.client_request_id.as_ref();
    same_client && (same_id || time_between(earlier, later) >= UNDER_WAY)
}

pub(super) fn create_retried(trace: &Trace<'_>) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (_, calls) in trace.calls_by_client() {
        for (position, call) in calls.iter().enumerate() {
            let uncertain =
                call.record.facts.lost || matches!(call.status, Some(500 | 502 | 503 | 504));
            let creates = call.operation.is_some_and(Operation::creates);
            if call.batched || !creates || !uncertain {
                continue;
            }
            let later = calls[position + 1..].iter();
            // A client that looks for the object first does the right thing.
            let until_read = later.take_while(|later| !is_look_up(later, call));
            let repeated = until_read.filter(|later| {
                !later.batched
                    && later.method == call.method
                    && later.path == call.path
                    && later.record.facts.body == call.record.facts.body
            });
            let repeated: Vec<usize> = repeated.map(|later| later.index).collect();
            if let Some(&first) = repeated.first() {
                let what = format!("{} was repeated after {}", call.name(), how_it_ended(call));
                found.push(Evidence::new(what, [call.index, first]));
            }
        }
    }
    found
}

/// Whether a call reads the collection or the object below which another call creates something.
fn is_look_up(call: &Call<'_>, create: &Call<'_>) -> bool {
    let parent = match create.operation.map(|row| row.path.ends_with('s')) {
        Some(true) => create.path,
        // `addPassword` creates something in the object itself.
        _ => create
            .path
            .rsplit_once('/')
            .map_or(create.path, |(parent, _)| parent),
    };
    call.method == "GET" && call.path.starts_with(parent)
}

fn how_it_ended(call: &Call<'_>) -> String {
    match call.status {
        Some(status) if !call.record.facts.lost => format!("status {status}"),
        _ => "a lost response".to_owned(),
    }
}

/// So many times the same error are no coincidence.
const SAME_ERRORS: usize = 3;

pub(super) fn permanent_error_retried(trace: &Trace<'_>) -> Vec<Evidence> {
    let rejected = trace
        .calls
        .iter()
        .filter(|call| !call.batched && call.status == Some(400));
    let graph = groups(rejected, |call| {
        (
            call.client.as_str(),
            call.method,
            call.path,
            call.raw_query,
            call.record.facts.body,
        )
    });
    let graph = graph.into_iter().map(|(_, calls)| {
        (
            calls[0].name(),
            calls.iter().map(|call| call.index).collect::<Vec<_>>(),
        )
    });
    let rejected = trace.grants.iter().filter(|grant| {
        // A device code is polled until the user has signed in.
        !grant.facts.grant_type.contains("device_code") && matches!(grant.record.status, 400 | 401)
    });
    let tokens = groups(rejected, |grant| {
        (grant.record.path.as_str(), grant.facts.form)
    });
    let tokens = tokens.into_iter().map(|((path, _), grants)| {
        (
            format!("POST {path}"),
            grants.iter().map(|grant| grant.index).collect::<Vec<_>>(),
        )
    });
    graph
        .chain(tokens)
        .filter(|(_, indices)| indices.len() >= SAME_ERRORS)
        .map(|(name, indices)| {
            let what = format!(
                "{name} was sent {} times with the same error",
                indices.len()
            );
            Evidence::new(what, indices)
        })
        .collect()
}

pub(super) fn rejected_token_resent(trace: &Trace<'_>) -> Vec<Evidence> {
    let with_token = trace
        .calls
        .iter()
        .filter(|call| !call.batched && call.record.facts.token.is_some());
    let by_token = groups(with_token, |call| {
        call.record.facts.token.as_ref().map(|token| token.id)
    });
    let mut found = Vec::new();
    for (_, calls) in by_token {
        let mut rejected = calls.iter().filter(|call| call.status == Some(401));
        let Some(first) = rejected.next() else {
            continue;
        };
        // Requests that were on their way at the same time have the old token too.
        let later: Vec<usize> = rejected.map(|call| call.index).collect();
        if later.len() + 1 >= SAME_ERRORS {
            let what = format!(
                "the same token was sent {} times after its rejection",
                later.len()
            );
            found.push(Evidence::new(
                what,
                std::iter::once(first.index).chain(later),
            ));
        }
    }
    found
}
