//! How lists are read page by page.

use super::Evidence;
use crate::findings::trace::{Call, Trace, groups};

pub(super) fn by_skip(trace: &Trace<'_>) -> Vec<Evidence> {
    let skipping = trace.calls.iter().filter(|call| {
        let computed = ["$skip", "skip", "page", "offset"];
        computed.iter().any(|name| call.option(name).is_some())
    });
    by_list(skipping, |call| {
        format!(
            "{} was paged by a position of the client's own",
            call.name()
        )
    })
}

pub(super) fn link_changed(trace: &Trace<'_>) -> Vec<Evidence> {
    let invalid = trace.calls.iter().filter(|call| {
        let has_token = ["$skiptoken", "$deltatoken"]
            .iter()
            .any(|name| call.option(name).is_some());
        let reason = call
            .record
            .reason()
            .unwrap_or_default()
            .to_ascii_lowercase();
        // A delta link expires with 410 after some time, whatever the client does.
        has_token
            && call.status == Some(400)
            && (reason.contains("token") || reason.contains("page"))
    });
    by_list(invalid, |call| {
        format!(
            "a page of {} was requested with an invalid token",
            call.name()
        )
    })
}

/// A list of so many pages is long.
const MANY_PAGES: usize = 10;
/// The default size of a page.
const SMALL: u32 = 100;

pub(super) fn small_pages(trace: &Trace<'_>) -> Vec<Evidence> {
    let pages = trace.calls.iter().filter(|call| {
        let top = call.option("$top").and_then(|top| top.parse::<u32>().ok());
        let is_delta = call.path.to_ascii_lowercase().contains("/delta");
        // Sizes of delta pages are not the client's choice, and those of `signInActivity` are limited.
        let query = call.raw_query.to_ascii_lowercase();
        let limited = is_delta || query.contains("signinactivity");
        call.option("$skiptoken").is_some()
            && call.succeeded()
            && !limited
            && top.is_none_or(|top| top <= SMALL)
    });
    let mut found = by_list(pages, |call| {
        format!("{} was read in pages of at most {SMALL}", call.name())
    });
    found.retain(|evidence| evidence.requests.len() >= MANY_PAGES);
    found
}

fn by_list<'t>(
    calls: impl Iterator<Item = &'t Call<'t>>,
    what: impl Fn(&Call<'_>) -> String,
) -> Vec<Evidence> {
    let groups = groups(calls, |call| (call.client.as_str(), call.path));
    groups
        .into_iter()
        .map(|(_, calls)| Evidence::new(what(calls[0]), calls.iter().map(|call| call.index)))
        .collect()
}
