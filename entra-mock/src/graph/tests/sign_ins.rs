//! The sign-in log of beta, which has every kind of sign-in.

use super::*;

fn beta(fixture: &Fixture, target: &str) -> Response {
    let mut request = request("GET", target, &[]);
    request.path = request.path.replacen("/v1.0", "/beta", 1);
    fixture.send(&request)
}

fn with_applications() -> Fixture {
    let mut fixture = Fixture::new();
    for (name, kind, time) in [
        ("app", "servicePrincipal", "2026-11-20T08:30:00Z"),
        ("msi", "managedIdentity", "2026-11-20T07:00:00Z"),
    ] {
        let record = json!({
            "id": name, "createdDateTime": time, "signInEventTypes": [kind], "appId": id(220),
            "servicePrincipalId": id(DESK), "servicePrincipalName": "Expense Desk",
            "status": {"errorCode": 0}, "isInteractive": false
        });
        let record = record.as_object().cloned().unwrap();
        fixture.state().store.insert(Kind::SignIn, record).unwrap();
    }
    fixture
}

#[test]
fn beta_lists_interactive_sign_ins_unless_the_filter_names_event_types() {
    let fixture = with_applications();
    let list = |filter: &str| beta(&fixture, &format!("/auditLogs/signIns{filter}"));
    let ids = |filter: &str| list(filter).all("id").join(" ");
    assert_eq!(ids(""), "s2 s1 s3");
    assert_eq!(ids("?$filter=status/errorCode eq 0"), "s1 s3");
    for (condition, expected) in [
        ("t eq 'servicePrincipal'", "app"),
        ("t eq 'managedIdentity'", "msi"),
        ("t eq 'nonInteractiveUser'", "silent"),
        ("t ne 'interactiveUser'", "silent app msi"),
        (
            "t eq 'servicePrincipal' or t eq 'interactiveUser'",
            "s2 app s1 s3",
        ),
    ] {
        let filter = format!("?$filter=signInEventTypes/any(t: {condition})");
        assert_eq!(ids(&filter), expected, "{condition}");
    }
    let by_id = format!(
        "?$filter=signInEventTypes/any(t: t eq 'servicePrincipal') and startswith(servicePrincipalId,'{}')",
        &id(DESK)[..20]
    );
    assert_eq!(ids(&by_id), "app");
}

#[test]
fn pages_of_beta_lead_to_beta_and_lose_no_record() {
    let fixture = with_applications();
    let filter = "$filter=signInEventTypes/any(t: t ne 'unknownFutureValue')";
    let mut target = format!("/auditLogs/signIns?$top=1&{filter}");
    let mut ids = Vec::new();
    loop {
        let page = beta(&fixture, &target);
        ids.extend(page.all("id").into_iter().map(str::to_owned));
        let context = page.body["@odata.context"].as_str().unwrap();
        assert_eq!(
            context,
            "https://tenant.test/beta/$metadata#auditLogs/signIns"
        );
        let Some(next) = page.body["@odata.nextLink"].as_str() else {
            break;
        };
        target = next
            .strip_prefix("https://tenant.test/beta")
            .unwrap()
            .to_owned();
    }
    assert_eq!(ids, ["silent", "s2", "app", "s1", "msi", "s3"]);
    // A page token of one version is not one of the other.
    let v1 = fixture.get(&target);
    assert_eq!(v1.status, 400, "{}", v1.text);
}

#[test]
fn properties_of_beta_do_not_exist_in_v1() {
    let fixture = with_applications();
    let one = beta(&fixture, "/auditLogs/signIns/app");
    assert_eq!(one.body["signInEventTypes"], json!(["servicePrincipal"]));
    assert!(
        one.body.get("clientCredentialType").is_some(),
        "{}",
        one.text
    );
    assert_eq!(fixture.get("/auditLogs/signIns/app").status, 404);
    let v1 = fixture.get("/auditLogs/signIns/s1");
    assert_eq!(v1.status, 200);
    assert!(v1.body.get("signInEventTypes").is_none(), "{}", v1.text);
    let filter = "signInEventTypes/any(t: t eq 'servicePrincipal')";
    let unknown = fixture.get(&format!("/auditLogs/signIns?$filter={filter}"));
    assert_eq!(unknown.status, 400);
    assert!(
        unknown.error().2.contains("signInEventTypes"),
        "{}",
        unknown.text
    );
    let support = fixture.get("/auditLogs/signIns?$filter=userAgent eq 'x'");
    assert_eq!(support.status, 400);
}

#[test]
fn beta_takes_the_permission_and_the_licence_of_v1() {
    let mut fixture = with_applications();
    fixture.application(&["Directory.Read.All"]);
    for target in ["/auditLogs/signIns", "/auditLogs/signIns/app"] {
        let denied = beta(&fixture, target);
        assert_eq!(denied.status, 403, "{}", denied.text);
    }
    fixture.application(&["AuditLog.Read.All"]);
    fixture.state().license = License::Free;
    let denied = beta(&fixture, "/auditLogs/signIns");
    assert_eq!(
        denied.error().1,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    );
}

#[test]
fn a_batch_of_beta_has_requests_of_beta() {
    let fixture = with_applications();
    let mut batch = request("POST", "/$batch", &[("content-type", "application/json")]);
    batch.path = "/beta/$batch".into();
    let items = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/auditLogs/signIns/app"},
        {"id": "2", "method": "GET", "url": "/users"},
        {"id": "3", "method": "GET", "url": "/auditLogs/signIns/$count"}
    ]});
    batch.body = items.to_string().into_bytes();
    let responses = fixture.send(&batch);
    let responses = &responses.body["responses"];
    assert_eq!(responses[0]["body"]["servicePrincipalId"], id(DESK));
    assert_eq!(
        responses[1]["body"]["@odata.context"],
        "https://tenant.test/beta/$metadata#users"
    );
    assert_eq!(responses[2]["status"], 501);
}
