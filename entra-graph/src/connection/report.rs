//! The findings of a test as text, JSON and exit code.

use std::fmt;

use serde::Serialize;

use super::finding::{Check, Finding, Severity};

/// What a [`ConnectionTest`](super::ConnectionTest) found.
///
/// `Display` prints it for a terminal: one line for each finding, with cause and fix where something is
/// wrong. It serializes to JSON.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ConnectionReport {
    /// All findings, in the order of the checks.
    pub findings: Vec<Finding>,
}

impl ConnectionReport {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.check);
        Self { findings }
    }

    /// Whether nothing is wrong, as far as it could be found out: warnings and unknowns included.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.errors().next().is_none()
    }

    /// What does not work.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.with(Severity::Error)
    }

    /// What could not be found out.
    pub fn unknowns(&self) -> impl Iterator<Item = &Finding> {
        self.with(Severity::Unknown)
    }

    /// The findings of one check.
    pub fn of(&self, check: Check) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.check == check)
    }

    /// The exit code for a program: 0 if everything that the product needs works, 1 if something does not,
    /// 2 if that could not be found out.
    ///
    /// All checks count but [`Check::Expiry`]: a credential that Entra accepts works, also if its end is unknown.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if !self.passed() {
            1
        } else if self
            .unknowns()
            .any(|finding| finding.check != Check::Expiry)
        {
            2
        } else {
            0
        }
    }

    fn with(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.severity == severity)
    }
}

impl fmt::Display for ConnectionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, finding) in self.findings.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            match finding.severity {
                Severity::Ok => write!(f, "{finding}")?,
                _ => write!(f, "{finding:#}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_like_the_one_of_a_support_engineer() {
        let report = ConnectionReport::new(vec![
            Finding::error(Check::Permission, "Device.Read.All is not granted")
                .fix("API permissions > Grant admin consent"),
            Finding::ok(Check::Tenant, "tenant contoso.com reachable"),
        ]);
        assert_eq!(
            report.to_string(),
            "✔ tenant contoso.com reachable\n✘ Device.Read.All is not granted\n    fix: API permissions > Grant admin consent"
        );
        assert_eq!(report.exit_code(), 1);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["findings"][1]["check"], "permission");
        assert_eq!(json["findings"][1]["severity"], "error");
    }

    #[test]
    fn what_is_unknown_about_a_need_is_no_success() {
        let unknown = |check| ConnectionReport::new(vec![Finding::unknown(check, "not known")]);
        for check in [
            Check::Permission,
            Check::Consent,
            Check::RedirectUri,
            Check::Assignment,
            Check::Api,
            Check::License,
        ] {
            assert_eq!(unknown(check).exit_code(), 2, "{check}");
        }
        assert_eq!(unknown(Check::Expiry).exit_code(), 0);
        assert!(unknown(Check::Permission).passed());
    }
}
