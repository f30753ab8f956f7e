use super::*;

#[test]
fn a_member_whose_type_may_not_be_read_shows_id_type_and_nulls() {
    let mut fixture = Fixture::new();
    fixture.application(&["GroupMember.Read.All"]);
    let response = fixture.get(&format!("/groups/{}/members", id(ENGINEERS)));
    let adele = response.body["value"][0].as_object().unwrap();
    assert_eq!(adele["@odata.type"], "#microsoft.graph.user");
    assert_eq!(adele["id"], id(ADELE));
    assert!(
        adele
            .iter()
            .all(|(name, value)| name == "id" || name == "@odata.type" || value.is_null()),
        "{adele:?}"
    );
    assert_eq!(adele.len(), 12);
    assert_eq!(response.body["value"][1]["displayName"], "Testers");
    assert_eq!(response.body["value"][2]["displayName"], Value::Null);
    assert_eq!(
        fixture.get("/users").error().1,
        "Authorization_RequestDenied"
    );
    let expanded = fixture.get(&format!("/groups/{}?$expand=owners", id(ENGINEERS)));
    assert_eq!(expanded.body["owners"][0]["id"], id(BO));
    assert_eq!(expanded.body["owners"][0]["displayName"], Value::Null);
}

#[test]
fn user_read_basic_all_shows_only_the_basic_profile() {
    let mut fixture = Fixture::new();
    fixture.application(&["User.ReadBasic.All"]);
    let adele = &fixture.get("/users").body["value"][0];
    assert_eq!(
        (&adele["displayName"], &adele["mail"]),
        (&json!("Adele"), &json!("adele@contoso.com"))
    );
    assert_eq!(adele["jobTitle"], Value::Null);
    let selected = fixture.get("/users?$select=id,department,accountEnabled");
    assert_eq!(
        selected.body["value"][0],
        json!({"id": id(ADELE), "department": null, "accountEnabled": null})
    );
    assert_eq!(
        fixture
            .get("/users?$filter=startswith(displayName,'a')")
            .all("displayName"),
        ["Adele"]
    );
    for target in [
        "/users?$filter=department eq 'R%26D'",
        "/users?$expand=manager",
        "/users/adele@contoso.com/manager",
    ] {
        assert_eq!(
            fixture.get(target).error().1,
            "Authorization_RequestDenied",
            "{target}"
        );
    }
    assert_eq!(
        fixture
            .eventual("/users?$count=true&$orderby=createdDateTime")
            .status,
        403
    );
    assert_eq!(
        fixture.eventual("/users/$count?$filter=city eq 'x'").status,
        403
    );
}

#[test]
fn me_is_the_signed_in_user() {
    let mut fixture = Fixture::new();
    assert_eq!(
        fixture.get("/me").error(),
        (
            400,
            "BadRequest",
            "/me request is only valid with delegated authentication flow."
        )
    );
    fixture.adele(&["User.Read"]);
    assert_eq!(fixture.get("/me").body["jobTitle"], "Engineer");
    assert_eq!(fixture.get(&format!("/users/{}", id(ADELE))).status, 200);
    assert_eq!(fixture.get("/users/adele@contoso.com").status, 200);
    assert_eq!(fixture.get("/users/bo@contoso.com").status, 403);
    assert_eq!(fixture.get("/users").status, 403);
    // The user's own memberships, but not the properties of the groups.
    let groups = fixture.get("/me/memberOf");
    assert_eq!(groups.all("id"), [id(ENGINEERS)]);
    assert_eq!(groups.all("displayName"), ["null"]);
    assert_eq!(fixture.get("/me/manager").status, 403);
    assert_eq!(fixture.get("/organization").status, 200);
    fixture.adele(&["User.Read", "GroupMember.Read.All", "User.Read.All"]);
    assert_eq!(
        fixture.get("/me/memberOf").all("displayName"),
        ["Engineers"]
    );
    assert_eq!(fixture.get("/me/manager").body["displayName"], "Bo O'Neil");
    let me = fixture.get("/me?$expand=manager($select=id)&$select=id");
    assert_eq!(me.body["manager"]["id"], id(BO));
}

#[test]
fn logs_need_their_permission_and_sign_ins_a_licence() {
    let mut fixture = Fixture::new();
    fixture.application(&["User.Read.All"]);
    for target in [
        "/auditLogs/signIns",
        "/auditLogs/signIns/s1",
        "/auditLogs/directoryAudits",
    ] {
        let response = fixture.get(target);
        assert_eq!(response.status, 403);
        assert!(response.error().2.contains("AuditLog.Read.All"), "{target}");
    }
    assert_eq!(
        fixture.get("/users?$select=signInActivity").error().1,
        "Authorization_RequestDenied"
    );
    fixture.application(&["User.Read.All", "AuditLog.Read.All"]);
    fixture.state().license = License::Free;
    for target in [
        "/auditLogs/signIns",
        "/auditLogs/signIns/s1",
        "/users?$select=signInActivity",
        "/users/adele@contoso.com?$select=signInActivity",
        "/users?$filter=signInActivity/lastSignInDateTime le 2026-01-01T00:00:00Z",
        "/users?$filter=signinactivity/lastSignInDateTime le 2026-01-01T00:00:00Z",
        "/auditLogs/directoryAudits?$filter=activityDisplayName eq 'x'",
    ] {
        let response = fixture.get(target);
        let (status, code, message) = response.error();
        assert_eq!(
            (status, code),
            (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"),
            "{target}"
        );
        assert_eq!(
            message,
            "Neither tenant is B2C or tenant doesn't have premium license"
        );
    }
    fixture.state().license = License::P1;
    assert_eq!(fixture.get("/auditLogs/signIns").status, 200);
}

#[test]
fn a_filter_on_sign_in_activity_needs_its_permission_in_any_letter_case() {
    let mut fixture = Fixture::new();
    fixture.application(&["User.Read.All"]);
    for name in ["signInActivity", "signinactivity", "SIGNINACTIVITY"] {
        let filter = format!("$filter={name}/lastSignInDateTime ge 2026-01-01T00:00:00Z");
        for target in [
            format!("/users?{filter}"),
            format!("/users/$count?{filter}"),
        ] {
            let response = fixture.eventual(&target);
            assert_eq!(response.status, 403, "{target}");
            assert_eq!(response.error().1, "Authorization_RequestDenied");
        }
    }
    // A text is no property.
    let text = fixture.get("/users?$filter=displayName eq 'signInActivity'");
    assert_eq!(text.status, 200, "{}", text.text);
}

#[test]
fn expanded_sign_in_activity_needs_the_permission_and_the_licence_of_the_logs() {
    let mut fixture = Fixture::new();
    let targets = [
        "/users?$expand=manager($select=id,signInActivity)".to_owned(),
        "/users?$expand=directReports($select=SIGNINACTIVITY)".to_owned(),
        format!(
            "/users/{}?$expand=directReports($select=signInActivity)",
            id(BO)
        ),
        "/groups?$expand=members($select=signInActivity)".to_owned(),
        format!(
            "/groups/{}?$expand=owners($select=id,signInActivity)",
            id(ENGINEERS)
        ),
    ];
    // Directly, in beta, and in a batch.
    let responses = |fixture: &Fixture, target: &str| {
        let mut beta = request("GET", target, &[]);
        beta.path = beta.path.replacen("/v1.0", "/beta", 1);
        let item = json!({"id": "1", "method": "GET", "url": target});
        let batch = fixture.post("/$batch", &json!({"requests": [item]}));
        let batched = batch.body["responses"][0].clone();
        [
            (fixture.get(target).status, fixture.get(target).body),
            {
                let response = fixture.send(&beta);
                (response.status, response.body)
            },
            (
                u16::try_from(batched["status"].as_u64().unwrap()).unwrap(),
                batched["body"].clone(),
            ),
        ]
    };
    for target in &targets {
        fixture.application(&["Directory.Read.All"]);
        fixture.state().license = License::P1;
        for (status, body) in responses(&fixture, target) {
            assert_eq!(status, 403, "{target}: {body}");
            assert_eq!(body["error"]["code"], "Authorization_RequestDenied");
        }
        fixture.application(&["Directory.Read.All", "AuditLog.Read.All"]);
        for (status, body) in responses(&fixture, target) {
            assert_eq!(status, 200, "{target}: {body}");
            assert!(body.to_string().contains("lastSignInDateTime"), "{target}");
        }
        fixture.state().license = License::Free;
        for (status, body) in responses(&fixture, target) {
            assert_eq!(status, 403, "{target}: {body}");
            assert_eq!(
                body["error"]["code"],
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
            );
        }
    }
}

#[test]
fn a_bad_token_is_a_401_with_a_challenge() {
    let fixture = Fixture::new();
    for (problem, message) in [
        (TokenProblem::Missing, "Access token is empty."),
        (
            TokenProblem::Expired,
            "Lifetime validation failed, the token is expired.",
        ),
        (
            TokenProblem::WrongAudience,
            "Access token validation failure. Invalid audience.",
        ),
    ] {
        let reply = fixture.reply(&request("GET", "/users", &[]), Err(problem));
        let response = Response::of(reply);
        assert_eq!(
            response.error(),
            (401, "InvalidAuthenticationToken", message)
        );
        let challenge = response.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer realm=\"\", authorization_uri=\"https://tenant.test/"),
            "{challenge}"
        );
        assert!(challenge.ends_with("client_id=\"00000003-0000-0000-c000-000000000000\""));
        assert_eq!(
            response.body["error"]["innerError"]["request-id"].as_str(),
            response.header("request-id")
        );
    }
}

#[test]
fn permission_is_checked_before_existence() {
    let mut fixture = Fixture::new();
    fixture.application(&["Group.Read.All"]);
    assert_eq!(fixture.get("/users/unknown@contoso.com").status, 403);
    assert_eq!(
        fixture.get(&format!("/groups/{}", id(777))).error().1,
        "Request_ResourceNotFound"
    );
    assert_eq!(
        fixture
            .get(&format!("/groups/{}/appRoleAssignments", id(777)))
            .status,
        403
    );
}
