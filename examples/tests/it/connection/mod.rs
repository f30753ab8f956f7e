//! The connection test against the fake tenant: 30 broken and 30 healthy set-ups, and pairs of faults.
//!
//! The states are made in the tenant; the test is then given the settings of the product only, and never
//! learns which case it is. What it must find is in `cases.tsv`.

#![expect(
    clippy::panic,
    reason = "a row of the table without a state fails its test"
)]

mod cases;
mod consents;
mod lagging;
mod settings;
mod states;
mod table;
mod world;

use std::time::Duration;

use entra_core::Clock as _;
use entra_graph::connection::{Check, ConnectionReport, Severity};
use entra_mock::Fault;

use crate::journal::assert_no_findings;
use cases::Case;
use world::World;

/// The report of the set-up that a case describes.
async fn report(case: &Case) -> ConnectionReport {
    let mut world = World::new().await;
    states::apply(&mut world, case.number);
    world.test().run().await
}

#[tokio::test]
async fn the_identifier_of_an_api_that_may_be_a_secret_is_not_repeated() {
    let mut world = World::new().await;
    world.apis.push(("canary~Zyx5e1fXyz".to_owned(), None));
    let report = world.test().run().await;
    let finding = report.of(Check::Api).next().unwrap();
    assert_eq!(finding.severity, Severity::Error, "{report}");
    let json = serde_json::to_string(&report).unwrap();
    let shown = format!("{report} {report:?} {json}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn thirty_broken_set_ups_are_named_with_cause_and_fix() {
    let mut failures = Vec::new();
    let broken: Vec<Case> = Case::all()
        .filter(|case| case.number.starts_with('B'))
        .collect();
    assert_eq!(broken.len(), 30);
    for case in &broken {
        let report = report(case).await;
        let found = report.errors().find(|finding| case.is_said_by(finding));
        let complete = found.is_some_and(|finding| {
            finding.fix.is_some() && (finding.why.is_some() || finding.code.is_some())
        });
        if !complete || report.exit_code() != 1 {
            failures.push(format!("{} wants {:?}:\n{report}", case.number, case.says));
        }
        // One fault is one finding.
        if report.errors().count() != 1 {
            failures.push(format!(
                "{} has more than one error:\n{report}",
                case.number
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test]
async fn thirty_healthy_set_ups_pass() {
    let mut failures = Vec::new();
    let healthy: Vec<Case> = Case::all()
        .filter(|case| case.number.starts_with('H'))
        .collect();
    assert_eq!(healthy.len(), 30);
    for case in &healthy {
        let report = report(case).await;
        let said = report
            .findings
            .iter()
            .any(|finding| case.is_said_by(finding));
        if !report.passed() || !said {
            failures.push(format!("{} wants {:?}:\n{report}", case.number, case.says));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test]
async fn twenty_pairs_of_faults_are_both_named() {
    let mut failures = Vec::new();
    assert_eq!(PAIRS.len(), 20);
    for (first, second) in PAIRS {
        let mut world = World::new().await;
        states::apply(&mut world, first);
        states::apply(&mut world, second);
        let report = world.test().run().await;
        for number in [first, second] {
            let case = Case::all().find(|case| case.number == number).unwrap();
            if !report.errors().any(|finding| case.is_said_by(finding)) {
                failures.push(format!(
                    "{first} with {second} does not name {number} ({:?}):\n{report}",
                    case.says
                ));
            }
        }
        // Two faults are two findings.
        if report.errors().count() != 2 {
            failures.push(format!(
                "{first} with {second} has more errors than two:\n{report}"
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Without a reader, and without rights of its own, the test knows less: and says so, never "ok".
#[tokio::test]
async fn what_cannot_be_found_out_is_unknown_and_never_ok() {
    for case in Case::all() {
        let with_reader = self::report(&case).await;
        let mut world = World::new().await;
        states::apply(&mut world, case.number);
        world.reader = None;
        let report = world.test().run().await;
        if case.number.starts_with('H') {
            assert!(report.passed(), "{}:\n{report}", case.number);
            continue;
        }
        // What is wrong with a reader is wrong or unknown without one, and the program does not succeed.
        for wrong in with_reader.errors() {
            let mut of_check = report.of(wrong.check);
            let is_said =
                of_check.any(|one| matches!(one.severity, Severity::Error | Severity::Unknown));
            assert!(is_said, "{} looks healthy:\n{report}", case.number);
        }
        let expected = if report.passed() { 2 } else { 1 };
        assert_eq!(report.exit_code(), expected, "{}:\n{report}", case.number);
    }
}

#[tokio::test]
async fn the_test_only_reads_and_sends_nothing_that_entra_calls_wrong() {
    for case in Case::all().filter(|case| case.number.starts_with('H')) {
        let mut world = World::new().await;
        states::apply(&mut world, case.number);
        world.tenant.forget_requests();
        let test = world.test();
        test.run().await;
        let alias = format!("/{}/", world.tenant_text);
        for request in world.tenant.requests().iter() {
            let line = format!(
                "{}: {} {} {}",
                case.number, request.method, request.path, request.status
            );
            let is_token = request.path.ends_with("/token");
            // A client of its own tenant requests `.default` there: other scopes and /common would be rejected.
            let scope = request.requested_scope();
            assert!(
                !is_token
                    || request.status != 200
                    || scope.is_some_and(|scope| scope.ends_with("/.default")),
                "{line}: {scope:?}"
            );
            let is_sign_in = is_token || request.path.ends_with("/authorize");
            let own = format!("/{}/", world.tenant.id());
            assert!(
                !is_sign_in || request.path.starts_with(&own) || request.path.starts_with(&alias),
                "{line}"
            );
            let only_reads = request.method == "GET" || request.path.ends_with("/getMemberGroups");
            assert!(only_reads || is_token, "{line}");
            // A 403 is the look-up of a reader without rights, a 404 one for an object that may be absent.
            let allowed =
                [200, 302, 403, 404].contains(&request.status) || world.injected || world.elsewhere;
            assert!(allowed, "{line}");
        }
        assert_no_findings(&world.tenant);
    }
}

#[tokio::test]
async fn no_report_has_a_secret_in_it() {
    for case in Case::all() {
        let mut world = World::new().await;
        states::apply(&mut world, case.number);
        let canary = world.secret_text();
        let test = world.test();
        let settings = format!("{test:?}");
        let report = test.run().await;
        let json = serde_json::to_string(&report).unwrap();
        for text in [settings, report.to_string(), format!("{report:?}"), json] {
            // A secret ID is public.
            if case.number != "B9" {
                assert!(!text.contains(canary.trim()), "{}", case.number);
            }
        }
    }
}

#[tokio::test]
async fn siblings_of_the_healthy_set_ups_pass() {
    for (name, change, check, says) in states::HEALTHY_SIBLINGS {
        let mut world = World::new().await;
        change(&mut world);
        let report = world.test().run().await;
        let said = report
            .of(*check)
            .any(|finding| format!("{finding:#}").contains(says));
        assert!(report.passed() && said, "{name} wants {says:?}:\n{report}");
    }
}

/// Who reads the logs decides whether the licence can be known.
#[tokio::test]
async fn the_licence_for_logs_is_named_or_unknown_also_for_delegated_permissions() {
    let table = [
        // The delegated need of an administrator, and a reader that may read the logs or not.
        ("H29", true, Severity::Warning),
        ("H2", true, Severity::Ok),
        ("H2", false, Severity::Unknown),
        // No token: the secret has expired.
        ("B11", false, Severity::Unknown),
    ];
    for (number, may_read_logs, severity) in table {
        let mut world = World::new().await;
        states::apply(&mut world, number);
        world.needs.retain(|need| *need != LOGS);
        world.delegated.push(LOGS);
        if may_read_logs {
            world.reader = Some(world::reader_with(&world.tenant, &[LOGS]).await);
        }
        let report = world.test().run().await;
        let found: Vec<Severity> = report.of(Check::License).map(|one| one.severity).collect();
        assert_eq!(found, [severity], "{number}:\n{report}");
    }
}

/// A secret of Entra's own record that is old is everywhere, so its rejection is final.
#[tokio::test]
async fn a_secret_that_cannot_be_too_new_is_not_waited_for() {
    let mut world = World::new().await;
    world.secret("not-a-secret-of-this-application-at-all");
    for (days, waits) in [(0, true), (30, false)] {
        world.days(days);
        let start = world.clock.now();
        let report = world.test().run().await;
        assert_eq!(report.of(Check::Credential).count(), 1, "{report}");
        assert_eq!(world.clock.now() > start, waits, "{days} days:\n{report}");
    }
}

/// Replicas that disagree until the time is over: neither accepted nor rejected.
#[tokio::test]
async fn a_credential_that_is_accepted_at_times_is_unknown() {
    for (rejected, wait) in [(&[1, 3, 5, 7][..], 120), (&[1, 3], 20)] {
        let world = World::new().await;
        for nth in rejected {
            let fault = Fault::on("/token").nth(*nth).sign_in_error(7_000_215);
            world.tenant.inject(fault);
        }
        let test = world.test().replication_wait(Duration::from_secs(wait));
        let report = test.run().await;
        let mut found = report.of(Check::Credential);
        let is_said = found.any(|one| {
            one.severity == Severity::Unknown
                && one.what.contains("accepts the credential at times")
        });
        assert!(is_said, "{wait} s:\n{report}");
    }
}

#[tokio::test]
async fn siblings_of_the_cases_are_named_too() {
    for (name, change, check, says) in states::SIBLINGS {
        let mut world = World::new().await;
        change(&mut world);
        let report = world.test().run().await;
        let found = report.of(*check).any(|finding| {
            finding.severity == Severity::Error && format!("{finding:#}").contains(says)
        });
        assert!(found, "{name} wants {says:?}:\n{report}");
    }
}

const LOGS: &str = "AuditLog.Read.All";

const PAIRS: [(&str, &str); 20] = [
    ("B9", "B19"),
    ("B9", "B23"),
    ("B10", "B25"),
    ("B11", "B19"),
    ("B11", "B24"),
    ("B12", "B20"),
    ("B12", "B26"),
    ("B13", "B19"),
    ("B13", "B23"),
    ("B14", "B25"),
    ("B15", "B19"),
    ("B16", "B26"),
    ("B17", "B23"),
    ("B18", "B19"),
    ("B19", "B23"),
    ("B20", "B25"),
    ("B22", "B24"),
    ("B26", "B28"),
    ("B29", "B19"),
    ("B30", "B25"),
];
