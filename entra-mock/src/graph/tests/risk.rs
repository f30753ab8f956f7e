//! Provisioning logs, risky users and risk detections.

use super::*;

fn insert(fixture: &mut Fixture, kind: Kind, object: Value) {
    let object: serde_json::Map<String, Value> = serde_json::from_value(object).unwrap();
    assert_eq!(
        crate::schema::mismatches(
            kind.entity(),
            object.iter().map(|(name, value)| (name.as_str(), value))
        ),
        []
    );
    fixture.state().store.insert(kind, object).unwrap();
}

fn with_provisioning() -> Fixture {
    let mut fixture = Fixture::new();
    for (name, time, status, duration) in [
        ("p1", "2026-11-20T01:00:00Z", "success", 900),
        ("p2", "2026-11-20T02:00:00Z", "failure", 1_500),
        ("p3", "2026-10-01T02:00:00Z", "success", 10),
    ] {
        let event = json!({
            "id": name, "activityDateTime": time, "durationInMilliseconds": duration, "jobId": "Contoso.1",
            "provisioningAction": "create", "provisioningStatusInfo": {"status": status},
            "servicePrincipal": {"id": id(DESK), "displayName": "Expense Desk"},
            "sourceIdentity": {"id": id(ADELE), "displayName": "Adele", "identityType": "User", "details": {"a": 1}},
            "targetSystem": {"id": "t", "displayName": "Contoso", "details": {"ApplicationId": "x"}}
        });
        insert(&mut fixture, Kind::ProvisioningObjectSummary, event);
    }
    fixture
}

#[test]
fn provisioning_events_are_listed_newest_first_within_retention_and_filtered() {
    let fixture = with_provisioning();
    let ids = |query: &str| {
        fixture
            .get(&format!("/auditLogs/provisioning{query}"))
            .all("id")
            .join(" ")
    };
    assert_eq!(ids(""), "p2 p1");
    for (filter, expected) in [
        ("provisioningStatusInfo/status eq 'failure'", "p2"),
        ("contains(sourceIdentity/displayName,'del')", "p2 p1"),
        ("durationInMilliseconds gt 900", "p2"),
        ("activityDateTime lt 2026-11-20T02:00:00Z", "p1"),
        (
            "servicePrincipal/id eq '00000000-0000-4000-8000-000000000021'",
            "p2 p1",
        ),
    ] {
        assert_eq!(ids(&format!("?$filter={filter}")), expected, "{filter}");
    }
    assert_eq!(ids("?$orderby=activityDateTime"), "p1 p2");
    for rejected in [
        "activityDateTime ge 2026-11-20T02:00:00Z",
        "contains(servicePrincipal/displayName,'x')",
        "startswith(jobId,'C')",
    ] {
        let response = fixture.get(&format!("/auditLogs/provisioning?$filter={rejected}"));
        assert_eq!(response.status, 400, "{rejected}");
    }
    assert_eq!(
        fixture.get("/auditLogs/provisioning?$select=id").status,
        400
    );
    assert_eq!(fixture.get("/auditLogs/provisioning/p1").error().0, 501);
}

#[test]
fn provisioning_events_take_their_own_permission() {
    let mut fixture = with_provisioning();
    for (permission, status) in [
        ("ProvisioningLog.Read.All", 200),
        ("AuditLog.Read.All", 200),
        ("User.Read.All", 403),
    ] {
        fixture.application(&[permission]);
        assert_eq!(
            fixture.get("/auditLogs/provisioning").status,
            status,
            "{permission}"
        );
    }
}

fn with_risk() -> Fixture {
    let mut fixture = Fixture::new();
    for (user, level, state) in [(ADELE, "high", "atRisk"), (BO, "low", "dismissed")] {
        insert(
            &mut fixture,
            Kind::RiskyUser,
            json!({
                "id": id(user), "riskLevel": level, "riskState": state, "riskDetail": "none", "isDeleted": false,
                "riskLastUpdatedDateTime": "2026-11-20T01:00:00Z", "userDisplayName": "x", "userPrincipalName": "x@contoso.com"
            }),
        );
        insert(
            &mut fixture,
            Kind::RiskDetection,
            json!({
                "id": format!("d-{user}"), "userId": id(user), "riskEventType": "anonymizedIPAddress", "riskLevel": level,
                "riskState": state, "detectedDateTime": format!("2026-11-20T0{user}:00:00Z"), "activity": "signin",
                "location": {"city": "Munich", "countryOrRegion": "DE"}
            }),
        );
    }
    fixture.application(&["IdentityRiskyUser.Read.All", "IdentityRiskEvent.Read.All"]);
    fixture
}

#[test]
fn risky_users_have_the_id_of_the_user_and_are_filtered_and_selected() {
    let mut fixture = with_risk();
    let users = "/identityProtection/riskyUsers";
    let found = fixture.get(&format!(
        "{users}?$filter=riskState eq 'atRisk'&$select=id,riskLevel&$top=500"
    ));
    assert_eq!(
        found.body["value"],
        json!([{"id": id(ADELE), "riskLevel": "high"}])
    );
    let one = fixture.get(&format!("{users}/{}", id(BO)));
    assert_eq!(one.body["riskState"], "dismissed");
    assert_eq!(
        fixture.get(&format!("{users}/{}", id(CLEO))).status,
        404,
        "a user without risk"
    );
    assert_eq!(fixture.get(&format!("{users}?$top=501")).status, 400);
    assert_eq!(
        fixture.get(&format!("{users}?$orderby=riskLevel")).status,
        400
    );
    let history = fixture.get(&format!("{users}/{}/history", id(BO)));
    assert_eq!(history.all("id"), [""; 0]);
    // The user of that id is still found by it, and deleting one leaves the other.
    fixture.application(&["User.Read.All"]);
    assert_eq!(
        fixture.get(&format!("/users/{}", id(ADELE))).body["displayName"],
        "Adele"
    );
    assert!(fixture.state().store.remove(Kind::RiskyUser, &id(ADELE)));
    assert_eq!(fixture.get(&format!("/users/{}", id(ADELE))).status, 200);
}

#[test]
fn risk_detections_are_listed_newest_first_and_filtered() {
    let fixture = with_risk();
    let list = "/identityProtection/riskDetections";
    assert_eq!(fixture.get(list).all("id"), ["d-2", "d-1"]);
    let filter = "detectedDateTime lt 2026-11-20T02:00:00Z and riskLevel eq 'high'";
    assert_eq!(
        fixture.get(&format!("{list}?$filter={filter}")).all("id"),
        ["d-1"]
    );
    let one = fixture.get(&format!("{list}/d-2?$select=userId"));
    assert_eq!(one.body["userId"], id(BO));
    assert_eq!(fixture.get(&format!("{list}/unknown")).status, 404);
}

#[test]
fn risk_takes_its_own_permissions_and_a_premium_licence() {
    let mut fixture = with_risk();
    let targets = [
        "/identityProtection/riskyUsers",
        "/identityProtection/riskDetections",
    ];
    for (permission, statuses) in [
        ("IdentityRiskyUser.Read.All", [200, 403]),
        ("IdentityRiskEvent.Read.All", [403, 200]),
        ("Directory.Read.All", [403, 403]),
    ] {
        fixture.application(&[permission]);
        assert_eq!(
            targets.map(|target| fixture.get(target).status),
            statuses,
            "{permission}"
        );
        fixture.adele(&[permission]);
        assert_eq!(
            targets.map(|target| fixture.get(target).status),
            statuses,
            "delegated {permission}"
        );
    }
    fixture.application(&["IdentityRiskyUser.Read.All"]);
    fixture.state().license = License::Free;
    assert_eq!(fixture.get(targets[0]).status, 403);
}

#[test]
fn risk_is_dismissed_and_confirmed_with_a_history() {
    let mut fixture = with_risk();
    fixture.application(&[
        "IdentityRiskyUser.Read.All",
        "IdentityRiskyUser.ReadWrite.All",
    ]);
    let users = "/identityProtection/riskyUsers";
    let body = json!({"userIds": [id(ADELE), id(ADELE)]});
    assert_eq!(fixture.post(&format!("{users}/dismiss"), &body).status, 204);
    let adele = fixture.get(&format!("{users}/{}", id(ADELE)));
    assert_eq!(
        (
            &adele.body["riskState"],
            &adele.body["riskLevel"],
            &adele.body["riskDetail"]
        ),
        (
            &json!("dismissed"),
            &json!("none"),
            &json!("adminDismissedAllRiskForUser")
        )
    );
    // A user without risk so far becomes one at risk.
    let body = json!({"userIds": [id(ADELE), id(CLEO)]});
    assert_eq!(
        fixture
            .post(&format!("{users}/confirmCompromised"), &body)
            .status,
        204
    );
    for user in [ADELE, CLEO] {
        let read = fixture.get(&format!("{users}/{}", id(user)));
        assert_eq!(read.body["riskState"], "confirmedCompromised");
        assert_eq!(read.body["riskLevel"], "high");
    }
    let history = fixture.get(&format!("{users}/{}/history", id(ADELE)));
    assert_eq!(
        history.all("riskState"),
        ["dismissed", "confirmedCompromised"]
    );
    let item = &history.body["value"][1];
    assert_eq!(item["userId"], id(ADELE));
    assert_eq!(item["activity"]["detail"], "adminConfirmedUserCompromised");
    let one = format!(
        "{users}/{}/history/{}",
        id(ADELE),
        item["id"].as_str().unwrap()
    );
    assert_eq!(fixture.get(&one).body["riskState"], "confirmedCompromised");
    assert_eq!(
        fixture.post(&format!("{users}/confirmSafe"), &body).status,
        204
    );
    let safe = format!("{users}?$filter=riskState eq 'confirmedSafe'");
    assert_eq!(fixture.get(&safe).all("id"), [id(ADELE), id(CLEO)]);
}

#[test]
fn risk_actions_are_audited_for_each_user_and_sign_in() {
    let mut fixture = with_risk();
    for name in ["s-1", "s-2"] {
        let sign_in =
            json!({"id": name, "createdDateTime": "2026-11-20T01:00:00Z", "userId": id(ADELE)});
        insert(&mut fixture, Kind::SignIn, sign_in);
    }
    fixture.application(&[
        "AuditLog.Read.All",
        "IdentityRiskEvent.ReadWrite.All",
        "IdentityRiskyUser.ReadWrite.All",
    ]);
    let users = json!({"userIds": [id(ADELE), id(CLEO)]});
    let sign_ins = json!({"requestIds": ["s-1", "s-2"]});
    for (action, body) in [
        ("/identityProtection/riskyUsers/dismiss", &users),
        ("/identityProtection/riskyUsers/confirmCompromised", &users),
        ("/identityProtection/riskyUsers/confirmSafe", &users),
        ("/auditLogs/signIns/confirmCompromised", &sign_ins),
        ("/auditLogs/signIns/confirmSafe", &sign_ins),
        // Without a documented activity.
        ("/auditLogs/signIns/dismiss", &sign_ins),
    ] {
        assert_eq!(fixture.post(action, body).status, 204, "{action}");
    }
    let log = fixture.get("/auditLogs/directoryAudits");
    let mut entries = Vec::new();
    let all = log.body["value"].as_array().unwrap();
    for entry in all.iter().filter(|entry| entry["category"] == "Other") {
        let target = &entry["targetResources"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        entries.push((
            text(&entry["activityDisplayName"]),
            text(&target["type"]),
            text(&target["id"]),
        ));
    }
    entries.sort();
    let entry =
        |name: &str, kind: &str, id: &str| (name.to_owned(), kind.to_owned(), id.to_owned());
    let (adele, cleo) = (id(ADELE), id(CLEO));
    assert_eq!(
        entries,
        [
            entry("ConfirmAccountCompromised", "User", &adele),
            entry("ConfirmAccountCompromised", "User", &cleo),
            entry("ConfirmCompromised", "SignIn", "s-1"),
            entry("ConfirmCompromised", "SignIn", "s-2"),
            entry("ConfirmSafe", "SignIn", "s-1"),
            entry("ConfirmSafe", "SignIn", "s-2"),
            entry("ConfirmSafe", "User", &adele),
            entry("ConfirmSafe", "User", &cleo),
            entry("DismissUser", "User", &adele),
            entry("DismissUser", "User", &cleo),
        ]
    );
}

#[test]
fn invalid_risk_actions_change_nothing() {
    let mut fixture = with_risk();
    fixture.application(&["IdentityRiskyUser.ReadWrite.All"]);
    let dismiss = "/identityProtection/riskyUsers/dismiss";
    let before = fixture.snapshot();
    for (body, status) in [
        (json!({}), 400),
        (json!({"userIds": []}), 400),
        (json!({"userIds": id(ADELE)}), 400),
        (json!({"userIds": [1]}), 400),
        (json!({"userIds": [id(ADELE)], "reason": "x"}), 400),
        (json!({"userIds": [id(ADELE), id(999)]}), 404),
    ] {
        assert_eq!(fixture.post(dismiss, &body).status, status, "{body}");
    }
    assert_eq!(fixture.snapshot(), before);
    let body = json!({"userIds": [id(ADELE)]});
    fixture.application(&["IdentityRiskyUser.Read.All"]);
    assert_eq!(fixture.post(dismiss, &body).status, 403);
    fixture.adele(&["IdentityRiskyUser.ReadWrite.All"]);
    assert_eq!(
        fixture.post(dismiss, &body).status,
        403,
        "not an administrator"
    );
    fixture.application(&["IdentityRiskyUser.ReadWrite.All"]);
    fixture.state().license = License::P1;
    assert_eq!(
        fixture.post(dismiss, &body).status,
        403,
        "a P2 licence is needed"
    );
    assert_eq!(
        fixture
            .post("/identityProtection/riskyUsers/forget", &body)
            .status,
        405
    );
}
