use super::*;

/// Sends every documented GET of the supported areas. None may be rejected as malformed.
#[test]
fn documented_requests_are_understood() {
    let Some(folder) = std::env::var_os("ENTRA_FACTS") else {
        eprintln!("skipped: ENTRA_FACTS is not set");
        return;
    };
    let text =
        std::fs::read_to_string(std::path::Path::new(&folder).join("graph-examples.json")).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();
    let mut fixture = Fixture::new();
    let mut sent = 0;
    let mut rejected = Vec::new();
    for example in facts["examples"].as_array().unwrap() {
        let (Some("GET"), Some(target)) =
            (example["http_method"].as_str(), example["path"].as_str())
        else {
            continue;
        };
        let Some(target) = target.strip_prefix("/v1.0") else {
            continue;
        };
        let target = target
            .replace("{id}", &id(ENGINEERS))
            .replace("{object-id}", &id(ENGINEERS))
            .replace("{appId}", &id(220));
        if target.starts_with("/me") {
            fixture.adele(&["Directory.Read.All", "AuditLog.Read.All"]);
        } else {
            fixture.application(&["Directory.Read.All", "AuditLog.Read.All"]);
        }
        let headers: Vec<(String, &str)> = example["request_headers"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?)))
            .collect();
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        let response = fixture.send(&request("GET", &target, &headers));
        if response.status == 501 {
            continue;
        }
        sent += 1;
        if response.status == 400 && !SLIPS.iter().any(|slip| target.contains(slip)) {
            rejected.push(format!("{target} {headers:?}\n    {}", response.error().2));
        }
    }
    assert!(sent > 60, "{sent}");
    assert!(rejected.is_empty(), "{sent} sent\n{}", rejected.join("\n"));
}

/// Errors of the documentation itself: an option without its equals sign or with a blank, a missing header, and a
/// filter with the header with which Graph is reported to reject it (docs-contrib pull request
/// 9437).
const SLIPS: [&str; 4] = [
    "$filter = principalId",
    "$orderbydisplayName",
    "accountEnabled ne true",
    "hasMembersWithLicenseErrors",
];
