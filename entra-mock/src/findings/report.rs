//! Findings as text and as JSON.

use std::fmt;

use serde_json::{Value, json};

use super::{Finding, FindingRequest, Findings};
use crate::state::iso;

pub(super) fn text(findings: &Findings, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if findings.is_empty() {
        return writeln!(f, "no findings in {} requests", findings.requests);
    }
    let count = match findings.len() {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    writeln!(f, "{count} in {} requests", findings.requests)?;
    for finding in findings {
        writeln!(
            f,
            "\n{}: {} ({})",
            finding.severity.as_str(),
            finding.what,
            finding.rule
        )?;
        writeln!(f, "  why:  {}", finding.why)?;
        writeln!(f, "  fix:  {}", finding.fix)?;
        writeln!(f, "  see:  {}", finding.help)?;
        for request in &finding.requests {
            writeln!(f, "  #{} {request}", request.number)?;
        }
        if finding.occurrences > finding.requests.len() {
            writeln!(
                f,
                "  and {} more",
                finding.occurrences - finding.requests.len()
            )?;
        }
    }
    Ok(())
}

impl fmt::Display for FindingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.method, self.target, self.status)
    }
}

pub(super) fn json(findings: &Findings) -> Value {
    json!({
        "requests": findings.requests,
        "findings": findings.iter().map(one).collect::<Vec<_>>(),
    })
}

fn one(finding: &Finding) -> Value {
    let requests = finding.requests.iter().map(|request| {
        json!({
            "number": request.number,
            "time": iso(request.time),
            "method": request.method,
            "target": request.target,
            "status": request.status,
        })
    });
    json!({
        "rule": finding.rule,
        "severity": finding.severity.as_str(),
        "what": finding.what,
        "why": finding.why,
        "fix": finding.fix,
        "help": finding.help,
        "occurrences": finding.occurrences,
        "requests": requests.collect::<Vec<_>>(),
    })
}
