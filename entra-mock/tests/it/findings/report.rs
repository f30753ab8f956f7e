//! What findings look like.

use std::panic::AssertUnwindSafe;

use entra_mock::Severity;
use serde_json::json;

use super::{Client, READ_USERS};

#[tokio::test]
async fn a_report_names_what_why_fix_and_the_requests() {
    let client = Client::with(READ_USERS).await;
    client.get("/users?$select=id&$skip=5").await;
    for _ in 0..9 {
        client.get("/users?$select=id&$skip=6").await;
    }
    let findings = client.tenant.findings().without("permanent-error-retried");
    let text = findings.to_string();
    for part in [
        "1 finding in 11 requests",
        "error: GET /users was paged by a position of the client's own (paging-by-skip)",
        "  why:  Lists of the directory have no $skip",
        "  fix:  Request the @odata.nextLink",
        "  see:  https://learn.microsoft.com/graph/paging",
        "  #2 GET /v1.0/users?$select=id&$skip=5 -> ",
        "  and 5 more",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let panicked =
        std::panic::catch_unwind(AssertUnwindSafe(|| findings.assert_none())).unwrap_err();
    assert_eq!(panicked.downcast_ref::<String>(), Some(&text));
    assert!(
        findings.clone().at_least(Severity::Error).len() == 1
            && findings.without("paging-by-skip").is_empty()
    );

    client.forget();
    assert_eq!(
        client.tenant.findings().to_string(),
        "no findings in 0 requests\n"
    );
}

#[tokio::test]
async fn findings_are_a_sarif_log_and_json() {
    let client = Client::with(READ_USERS).await;
    client.get("/users?$select=id&$skip=5").await;
    let findings = client.tenant.findings();
    let log = findings.to_sarif();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(
        run["tool"]["driver"]["rules"][index]["id"],
        result["ruleId"]
    );
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&json!("paging-by-skip"), &json!("error"))
    );
    assert_eq!(
        result["locations"][0]["physicalLocation"]["region"]["startLine"],
        2
    );
    let json = findings.to_json();
    assert_eq!(
        (&json["requests"], &json["findings"][0]["rule"]),
        (&json!(2), &json!("paging-by-skip"))
    );
    assert_eq!(json["findings"][0]["requests"][0]["number"], 2);
}

#[tokio::test]
async fn the_journal_says_who_sent_a_request_and_why_it_was_rejected() {
    let client = Client::with(READ_USERS).await;
    client.get("/groups").await;
    client.get("/users/adele@contoso.com").await;
    let id = client.app.client_id().to_string();
    let all = client.tenant.requests();
    let records: Vec<_> = all.iter().collect();
    let [token, groups, adele] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!((token.app_id(), token.reason()), (Some(id.as_str()), None));
    assert_eq!(groups.app_id(), Some(id.as_str()));
    assert_eq!(groups.permissions(), ["User.Read.All"]);
    assert!(
        groups
            .reason()
            .unwrap()
            .starts_with("Authorization_RequestDenied: "),
        "{groups:?}"
    );
    assert_eq!((groups.properties(), adele.properties()), (None, Some(11)));
    assert_eq!((adele.retry_after(), adele.number), (None, 3));
    assert_eq!(adele.token_header().unwrap()["alg"], "RS256");
    assert_eq!(adele.token_claims().unwrap()["appid"], id);
    assert_eq!(token.token_claims(), None);
}
