//! What requests to Graph say: options, headers, version.

use super::{Evidence, number::requests};
use crate::{
    findings::trace::{Call, Trace, groups},
    schema::Kind,
};

/// An object with at least this many properties is a large one. A user has 11 by default.
const MANY_PROPERTIES: usize = 20;

pub(super) fn select_missing(trace: &Trace<'_>) -> Vec<Evidence> {
    let large = trace.calls.iter().filter(|call| {
        let count = call.record.properties().unwrap_or_default();
        !call.batched && count >= MANY_PROPERTIES && takes_select(call)
    });
    let by_operation = groups(large, |call| call.operation.map(|row| row.path));
    by_operation
        .into_iter()
        .map(|(_, calls)| {
            let count = calls
                .iter()
                .filter_map(|call| call.record.properties())
                .max();
            let what = format!(
                "{} has no $select, and {} properties came",
                calls[0].name(),
                count.unwrap_or_default()
            );
            Evidence::new(what, calls.iter().map(|call| call.index))
        })
        .collect()
}

/// Whether the documentation has `$select` for the list or object at the start of a path.
fn takes_select(call: &Call<'_>) -> bool {
    // A page link repeats the options of the first page.
    let Some(kind) = kind(call) else {
        return false;
    };
    let entity = kind.entity();
    let is_set = call
        .path
        .trim_end_matches('/')
        .eq_ignore_ascii_case(entity.set);
    let options = if is_set {
        entity.list_options
    } else {
        entity.object_options
    };
    options.contains(&"$select")
}

/// The kind of the collection at the start of a path.
fn kind(call: &Call<'_>) -> Option<Kind> {
    let mut segments = call.path.split('/');
    let first = segments.next()?.split('(').next()?;
    if first.eq_ignore_ascii_case("me") {
        return Some(Kind::User);
    }
    let mut set = first.to_owned();
    for _ in 0..3 {
        if let Some(kind) = Kind::of_set(&set) {
            return Some(kind);
        }
        set = format!("{set}/{}", segments.next()?);
    }
    None
}

pub(super) fn consistency_level_missing(trace: &Trace<'_>) -> Vec<Evidence> {
    let advanced = trace.calls.iter().filter(|call| {
        let counts = call
            .option("$count")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let searches = call.option("$search").is_some();
        let is_count = call.path.to_ascii_lowercase().ends_with("/$count");
        let directory = kind(call).is_some_and(|kind| kind.entity().directory);
        call.method == "GET" && directory && !call.eventual && (counts || searches || is_count)
    });
    let by_operation = groups(advanced, |call| call.operation.map(|row| row.path));
    by_operation
        .into_iter()
        .map(|(_, calls)| {
            let what = format!(
                "{} is an advanced query without the header",
                calls[0].name()
            );
            Evidence::new(what, calls.iter().map(|call| call.index))
        })
        .collect()
}

pub(super) fn beta_endpoint(trace: &Trace<'_>) -> Vec<Evidence> {
    let beta = trace.calls.iter().filter(|call| {
        call.beta && !call.is_batch() && call.operation.is_some_and(|row| !row.richer_in_beta)
    });
    let by_operation = groups(beta, |call| call.operation.map(|row| row.path));
    by_operation
        .into_iter()
        .map(|(_, calls)| {
            let what = format!("{} is sent to /beta", calls[0].name());
            Evidence::new(what, calls.iter().map(|call| call.index))
        })
        .collect()
}

pub(super) fn client_request_id_missing(trace: &Trace<'_>) -> Vec<Evidence> {
    let without: Vec<usize> = trace
        .calls
        .iter()
        .filter(|call| !call.batched && call.record.client_request_id.is_none())
        .map(|call| call.index)
        .collect();
    if without.is_empty() {
        return Vec::new();
    }
    let what = format!(
        "{} to Graph had no client-request-id",
        requests(without.len())
    );
    vec![Evidence::new(what, without)]
}
