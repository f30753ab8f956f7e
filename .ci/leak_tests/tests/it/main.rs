//! Formats every public type of the SDK, built with canary secrets, and looks for them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod auth;
mod core;
mod environment_proxy;
mod graph;
mod mock;
mod scan;
mod shown;

use std::collections::{BTreeMap, BTreeSet};

use scan::Kind;
use shown::{Shown, listen};

/// A type that has no case, and why it shows no secret.
type Reason = (&'static str, &'static str);

#[tokio::test]
async fn no_public_type_error_or_log_shows_a_secret() {
    let (log, _guard) = listen();
    let shown = Shown::default();
    core::cases(&shown).await;
    auth::cases(&shown).await;
    mock::cases(&shown).await;
    graph::cases(&shown).await;
    shown.check();
    shown.check_text("the log at TRACE", &log.text());
    for part in ["entra.request", "trying again"] {
        assert!(
            log.text().contains(part),
            "the log is there: {}",
            log.text()
        );
    }

    every_type_is_judged("entra-core", &shown.types(), core::WITHOUT_CASE, &[]);
    every_type_is_judged("entra-auth", &shown.types(), auth::WITHOUT_CASE, &[]);
    every_type_is_judged("entra-mock", &shown.types(), mock::WITHOUT_CASE, &[]);
    every_type_is_judged(
        "entra-graph",
        &shown.types(),
        graph::WITHOUT_CASE,
        graph::FIELDS,
    );
}

/// The types with a case, those with a reason, and those that hold nothing are all there are. What has only
/// fields of the types in `fields` holds nothing.
fn every_type_is_judged(
    name: &str,
    cases: &BTreeSet<String>,
    reasons: &[Reason],
    fields: &[Reason],
) {
    let judged: Vec<&str> = fields.iter().map(|(of, _)| *of).collect();
    let types: BTreeMap<String, Kind> = scan::public_types(name, &judged);
    let reason = |of: &str| reasons.iter().any(|(suffix, _)| ends_with(of, suffix));
    let missing: Vec<&String> = types
        .iter()
        .filter(|(of, kind)| **kind == Kind::Other && !cases.contains(*of) && !reason(of))
        .map(|(of, _)| of)
        .collect();
    assert!(
        missing.is_empty(),
        "{name}: no case formats {missing:#?}; add one to .ci/leak_tests/tests/it, or a reason to WITHOUT_CASE"
    );
    for (of, why) in fields {
        assert!(why.len() > 20, "{of}: {why}");
    }
    for (suffix, why) in reasons {
        let known = types.keys().find(|of| ends_with(of, suffix));
        let known = known.unwrap_or_else(|| panic!("{name} has no public type {suffix}"));
        assert!(!cases.contains(known), "{known} has a case and a reason");
        assert!(why.len() > 20, "{suffix}: {why}");
    }
}

fn ends_with(of: &str, suffix: &str) -> bool {
    of.strip_suffix(suffix)
        .is_some_and(|before| before.ends_with("::"))
}

#[test]
#[should_panic(expected = "no case formats")]
fn a_type_without_a_case_fails() {
    every_type_is_judged("entra-core", &BTreeSet::new(), core::WITHOUT_CASE, &[]);
}

#[test]
#[should_panic(expected = "has no public type")]
fn a_reason_for_a_type_that_is_gone_fails() {
    let all = scan::public_types("entra-core", &[]).into_keys().collect();
    let reasons = [("NoSuchType", "a reason that is long enough")];
    every_type_is_judged("entra-core", &all, &reasons, &[]);
}
