//! Findings: what a reviewer would say of the clients of a tenant, from the journal of their requests.
//!
//! A rule is a row of [`RULES`] and a pure function over the [`Trace`] of a journal.

mod report;
mod rules;
mod sarif;
mod trace;

use std::{cmp::Reverse, collections::BTreeSet, fmt, slice};

use entra_core::Timestamp;

use crate::journal::RequestRecord;
use rules::RULES;
use trace::Trace;

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Costs more than needed, or makes faults harder to find.
    Note,
    /// Fails under load, in another tenant, or when a policy changes.
    Warning,
    /// Wrong against the real service: loses data, is rejected, or exposes a secret.
    Error,
}

impl Severity {
    /// The name of the severity in SARIF: `note`, `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that a client does and should not, with the requests that show it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The id of the rule, such as `retry-after-ignored`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What the client did.
    pub what: String,
    /// Why that matters.
    pub why: &'static str,
    /// How to fix it.
    pub fix: &'static str,
    /// The page that documents the expected behaviour.
    pub help: &'static str,
    /// The first requests that show it, in the order of the journal.
    pub requests: Vec<FindingRequest>,
    /// How many requests show it.
    pub occurrences: usize,
}

/// A request that shows a [`Finding`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FindingRequest {
    /// Its number in the journal, from 1.
    pub number: u64,
    /// When it arrived, on the tenant's clock.
    pub time: Timestamp,
    /// Its method.
    pub method: String,
    /// Its path and query, without credentials.
    pub target: String,
    /// The status of the response.
    pub status: u16,
}

/// The findings about all clients of a tenant, the worst first.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tenant = entra_mock::FakeTenant::start().await;
/// let app = tenant.register_app("Report").public_client().delegated_permission("User.Read.All");
/// # let http = reqwest::Client::builder().tls_certs_only([]).build()?;
/// # let tokens = tenant.tokens_for(&app, "adele@contoso.com", ["User.Read.All"]);
/// # let token = tokens.access_token();
/// // The client under test pages with a number of its own.
/// let users = format!("{}/v1.0/users?$skip=100&$select=id", tenant.uri());
/// # http.get(users).bearer_auth(token.expose_secret()).header("client-request-id", "1").send().await?;
///
/// let findings = tenant.findings();
/// let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
/// assert_eq!(rules, ["paging-by-skip"]);
/// println!("{findings}");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Findings {
    findings: Vec<Finding>,
    requests: usize,
}

impl Findings {
    /// Applies all rules to the requests of a journal. `ignored_apps` have permissions that are not the client's choice;
    /// `recorded_policies` are not enforced, by name and by the part that is not supported.
    pub(crate) fn of(
        records: &[RequestRecord],
        ignored_apps: &BTreeSet<String>,
        recorded_policies: &[(String, String)],
    ) -> Self {
        let trace = Trace::new(records, ignored_apps, recorded_policies);
        let mut findings: Vec<Finding> = RULES
            .iter()
            .flat_map(|rule| {
                let evidence = (rule.find)(&trace);
                evidence
                    .into_iter()
                    .map(|found| found.finding(rule, records))
            })
            .collect();
        findings.sort_by_key(|finding| Reverse(finding.severity));
        Self {
            findings,
            requests: records.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// The number of findings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// The findings, the worst first.
    pub fn iter(&self) -> slice::Iter<'_, Finding> {
        self.findings.iter()
    }

    /// Keeps findings that are at least as bad.
    #[must_use]
    pub fn at_least(mut self, severity: Severity) -> Self {
        self.findings.retain(|finding| finding.severity >= severity);
        self
    }

    /// Removes the findings of a rule that a test accepts.
    #[must_use]
    pub fn without(mut self, rule: &str) -> Self {
        self.findings.retain(|finding| finding.rule != rule);
        self
    }

    /// Asserts that there are none.
    ///
    /// # Panics
    /// If there are findings; the message is the report.
    #[track_caller]
    #[expect(clippy::panic, reason = "a finding must fail the test at its line")]
    pub fn assert_none(&self) {
        if !self.is_empty() {
            panic!("{self}");
        }
    }

    /// Returns the findings as JSON, for programs.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        report::json(self)
    }

    /// Returns the findings as a SARIF 2.1.0 log, which code scanning services and editors read.
    ///
    /// The location of a result is a line of `entra-mock-journal.jsonl`: the number of a request in the journal.
    ///
    /// Source: [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
    #[must_use]
    pub fn to_sarif(&self) -> serde_json::Value {
        sarif::log(self)
    }
}

impl<'f> IntoIterator for &'f Findings {
    type Item = &'f Finding;
    type IntoIter = slice::Iter<'f, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report::text(self, f)
    }
}
