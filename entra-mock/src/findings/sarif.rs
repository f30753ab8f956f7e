//! Findings as a SARIF 2.1.0 log.

use serde_json::{Value, json};

use super::{Finding, Findings, rules::RULES};

pub(super) fn log(findings: &Findings) -> Value {
    let rules = RULES.iter().map(|rule| {
        json!({
            "id": rule.id,
            "name": name(rule.id),
            "shortDescription": { "text": rule.title },
            "fullDescription": { "text": rule.why },
            "help": { "text": rule.fix },
            "helpUri": rule.help,
            "defaultConfiguration": { "level": rule.severity.as_str() },
        })
    });
    let results = findings.iter().map(result);
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "entra-mock",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let locations = finding.requests.iter().map(|request| {
        json!({
            "physicalLocation": {
                "artifactLocation": { "uri": JOURNAL },
                "region": { "startLine": request.number },
            },
            "logicalLocations": [{
                "fullyQualifiedName": format!("{} {}", request.method, request.target),
                "kind": "resource",
            }],
            "message": { "text": request.to_string() },
        })
    });
    json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule),
        "level": finding.severity.as_str(),
        "message": { "text": format!("{}. {} {}", finding.what, finding.why, finding.fix) },
        "locations": locations.collect::<Vec<_>>(),
        "occurrenceCount": finding.occurrences.max(1),
    })
}

/// `RetryAfterIgnored` for `retry-after-ignored`: names of rules are in Pascal case.
fn name(id: &str) -> String {
    id.split('-')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// The file whose lines are the requests of the journal.
const JOURNAL: &str = "entra-mock-journal.jsonl";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_names_are_in_pascal_case() {
        assert_eq!(name("retry-after-ignored"), "RetryAfterIgnored");
    }
}
