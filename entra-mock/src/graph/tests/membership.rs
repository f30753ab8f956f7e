use super::*;

fn post(fixture: &Fixture, target: &str, body: &Value) -> Response {
    send(fixture, target, Some("application/json"), &body.to_string())
}

fn send(fixture: &Fixture, target: &str, kind: Option<&str>, body: &str) -> Response {
    let headers: Vec<_> = kind
        .map(|kind| ("content-type", kind))
        .into_iter()
        .collect();
    let mut request = request("POST", target, &headers);
    request.body = body.as_bytes().to_vec();
    fixture.send(&request)
}

fn ids(response: &Response) -> Vec<&str> {
    assert_eq!(response.status, 200, "{}", response.text);
    let ids = response.body["value"].as_array().unwrap();
    ids.iter().map(|id| id.as_str().unwrap()).collect()
}

/// A mail-only group with the members of Testers in it.
const NEWS: u32 = 13;
/// A security group that contains the mail-only group.
const READERS: u32 = 14;

fn with_mail_groups() -> Fixture {
    let mut fixture = Fixture::new();
    for (number, security) in [(NEWS, false), (READERS, true)] {
        let group = json!({"id": id(number), "displayName": "x", "securityEnabled": security});
        let group = group.as_object().cloned().unwrap();
        fixture.state().store.insert(Kind::Group, group).unwrap();
    }
    for (group, member) in [(NEWS, CLEO), (READERS, NEWS)] {
        assert!(
            fixture
                .state()
                .store
                .link(Relation::Members, &id(group), &id(member))
        );
    }
    fixture
}

#[test]
fn memberships_are_transitive_and_stop_at_cycles() {
    let fixture = Fixture::new();
    for action in [
        "getMemberGroups",
        "getMemberObjects",
        "microsoft.graph.getMemberGroups",
    ] {
        let response = post(
            &fixture,
            &format!("/users/bo@contoso.com/{action}"),
            &json!({"securityEnabledOnly": false}),
        );
        assert_eq!(ids(&response), [id(TESTERS), id(ENGINEERS)]);
        assert_eq!(
            response.body["@odata.context"],
            "https://tenant.test/v1.0/$metadata#Collection(Edm.String)"
        );
    }
    for (target, expected) in [
        (format!("/groups/{}", id(ENGINEERS)), vec![id(TESTERS)]),
        (
            format!("/devices/{}", id(LAPTOP)),
            vec![id(ENGINEERS), id(TESTERS)],
        ),
        (
            format!("/devices(deviceId='{}')", id(310)),
            vec![id(ENGINEERS), id(TESTERS)],
        ),
        (format!("/servicePrincipals/{}", id(DESK)), vec![]),
        (
            format!("/directoryObjects/{}", id(ADELE)),
            vec![id(ENGINEERS), id(TESTERS)],
        ),
        (format!("/directoryObjects/{}", id(DESK_APP)), vec![]),
    ] {
        let response = post(&fixture, &format!("{target}/getMemberGroups"), &json!({}));
        assert_eq!(ids(&response), expected, "{target}");
    }
}

#[test]
fn a_check_returns_each_group_once_in_the_requested_order() {
    let fixture = Fixture::new();
    let requested = [
        id(TESTERS).to_uppercase(),
        id(77),
        id(ENGINEERS),
        id(TESTERS),
        id(DESK),
    ];
    for (action, parameter) in [
        ("checkMemberGroups", "groupIds"),
        ("checkMemberObjects", "ids"),
    ] {
        let response = post(
            &fixture,
            &format!("/users/{}/{action}", id(ADELE)),
            &json!({parameter: requested}),
        );
        assert_eq!(ids(&response), [id(TESTERS), id(ENGINEERS)]);
    }
}

#[test]
fn security_enabled_only_follows_security_groups_only() {
    let fixture = with_mail_groups();
    let groups = |only: bool| {
        let body = json!({"securityEnabledOnly": only});
        let response = post(&fixture, "/users/cleo@contoso.com/getMemberGroups", &body);
        ids(&response)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(groups(false), [id(NEWS), id(READERS)]);
    assert_eq!(groups(true), Vec::<String>::new());
    let of_group = post(
        &fixture,
        &format!("/groups/{}/getMemberGroups", id(NEWS)),
        &json!({"securityEnabledOnly": true}),
    );
    assert_eq!(
        of_group.error(),
        (
            400,
            "Request_BadRequest",
            "To get security groups, the member must be a user."
        )
    );
}

#[test]
fn limits_and_malformed_bodies_are_a_400() {
    let fixture = Fixture::new();
    let target = format!("/users/{}/checkMemberGroups", id(ADELE));
    let twenty: Vec<String> = (100..120).map(id).collect();
    assert_eq!(
        ids(&post(&fixture, &target, &json!({"groupIds": twenty}))),
        Vec::<&str>::new()
    );
    let many: Vec<String> = (100..121).map(id).collect();
    for (body, code) in [
        (json!({"groupIds": many}), "Request_BadRequest"),
        (json!({"groupIds": []}), "Request_BadRequest"),
        (json!({"groupIds": ["sales"]}), "Request_BadRequest"),
        (json!({}), "BadRequest"),
        (json!({"groupIds": null}), "BadRequest"),
        (json!({"groupIds": id(1)}), "BadRequest"),
        (json!({"groupIds": [1]}), "BadRequest"),
        (json!({"ids": [id(1)]}), "BadRequest"),
        (json!([id(1)]), "BadRequest"),
    ] {
        let response = post(&fixture, &target, &body);
        assert_eq!((response.status, response.error().1), (400, code), "{body}");
    }
    let text = json!({"groupIds": [id(1)]}).to_string();
    for kind in [None, Some("text/plain")] {
        assert_eq!(send(&fixture, &target, kind, &text).error().1, "BadRequest");
    }
    let listed = post(
        &fixture,
        &format!("/users/{}/getMemberGroups", id(ADELE)),
        &json!({"securityEnabledOnly": "yes"}),
    );
    assert_eq!(listed.error().1, "BadRequest");
}

#[test]
fn more_groups_than_the_maximum_return_400() {
    let mut fixture = Fixture::new();
    for number in 20_000..31_000 {
        let group = json!({"id": id(number), "displayName": "x", "securityEnabled": true});
        let group = group.as_object().cloned().unwrap();
        fixture.state().store.insert(Kind::Group, group).unwrap();
        fixture
            .state()
            .store
            .link(Relation::Members, &id(number), &id(CLEO));
    }
    let target = "/users/cleo@contoso.com/getMemberGroups";
    assert_eq!(ids(&post(&fixture, target, &json!({}))).len(), 11_000);
    fixture
        .state()
        .store
        .link(Relation::Members, &id(TESTERS), &id(CLEO));
    let over = post(&fixture, target, &json!({}));
    assert_eq!(
        (over.status, over.error().1),
        (400, "Directory_ResultSizeLimitExceeded")
    );
    // A check is not limited by groups that it does not name.
    let check = json!({"groupIds": [id(TESTERS)]});
    assert_eq!(
        ids(&post(
            &fixture,
            "/users/cleo@contoso.com/checkMemberGroups",
            &check
        )),
        [id(TESTERS)]
    );
}

#[test]
fn unknown_objects_are_a_404_and_malformed_ids_a_400() {
    let fixture = Fixture::new();
    for target in [
        "/users/unknown@contoso.com".to_owned(),
        format!("/groups/{}", id(77)),
        format!("/directoryObjects/{}", id(77)),
    ] {
        let response = post(&fixture, &format!("{target}/getMemberGroups"), &json!({}));
        assert_eq!(response.error().1, "Request_ResourceNotFound", "{target}");
        assert_eq!(response.status, 404);
    }
    for target in ["/groups/sales", "/directoryObjects/sales"] {
        let response = post(&fixture, &format!("{target}/getMemberGroups"), &json!({}));
        assert_eq!(
            response.error(),
            (
                400,
                "Request_BadRequest",
                "Invalid object identifier 'sales'."
            )
        );
    }
}

#[test]
fn membership_actions_accept_post_only() {
    let fixture = Fixture::new();
    let read = fixture.get("/users/adele@contoso.com/getMemberGroups");
    assert_eq!(
        read.error(),
        (
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target."
        )
    );
    for (target, status) in [
        ("/users/adele@contoso.com/memberOf", 405),
        ("/users/getMemberGroups", 405),
        ("/users/adele@contoso.com/getMemberGroups/x", 501),
        (
            &format!("/applications/{}/getMemberGroups", id(DESK_APP)),
            501,
        ),
    ] {
        let response = post(&fixture, target, &json!({}));
        assert_eq!(response.status, status, "{target}");
    }
}

#[test]
fn users_check_their_own_groups_with_a_group_permission() {
    let mut fixture = Fixture::new();
    let me = |fixture: &Fixture, action: &str| {
        post(fixture, &format!("/me/{action}"), &json!({})).status
    };
    fixture.adele(&["User.Read"]);
    assert_eq!(me(&fixture, "getMemberGroups"), 403);
    assert_eq!(me(&fixture, "getMemberObjects"), 200);
    let other = post(
        &fixture,
        "/users/bo@contoso.com/getMemberObjects",
        &json!({}),
    );
    assert_eq!(other.error().1, "Authorization_RequestDenied");
    fixture.adele(&["User.Read", "GroupMember.Read.All"]);
    let check = json!({"groupIds": [id(TESTERS), id(77)]});
    assert_eq!(
        ids(&post(&fixture, "/me/checkMemberGroups", &check)),
        [id(TESTERS)]
    );
    assert_eq!(me(&fixture, "getMemberGroups"), 200);
    fixture.application(&["GroupMember.Read.All"]);
    assert_eq!(me(&fixture, "getMemberGroups"), 400);
}

#[test]
fn each_kind_of_object_has_its_own_permissions() {
    let mut fixture = Fixture::new();
    let all = [
        ("/users/adele@contoso.com".to_owned(), "User.Read.All"),
        (format!("/groups/{}", id(ENGINEERS)), "GroupMember.Read.All"),
        (format!("/devices/{}", id(LAPTOP)), "Device.Read.All"),
        (
            format!("/servicePrincipals/{}", id(DESK)),
            "Application.Read.All",
        ),
        (
            format!("/directoryObjects/{}", id(ADELE)),
            "Directory.Read.All",
        ),
    ];
    for (target, permission) in &all {
        for action in ["getMemberGroups", "getMemberObjects"] {
            fixture.application(&[permission]);
            let target = format!("{target}/{action}");
            assert_eq!(post(&fixture, &target, &json!({})).status, 200, "{target}");
            fixture.application(&["AuditLog.Read.All", "Mail.Read"]);
            assert_eq!(post(&fixture, &target, &json!({})).status, 403, "{target}");
        }
    }
}

#[test]
fn devices_and_service_principals_list_the_groups_above_them() {
    let fixture = Fixture::new();
    let of_device = fixture.get(&format!("/devices/{}/transitiveMemberOf", id(LAPTOP)));
    assert_eq!(of_device.all("displayName"), ["Engineers", "Testers"]);
    let cast = fixture.eventual(&format!(
        "/devices/{}/transitiveMemberOf/microsoft.graph.group/$count",
        id(LAPTOP)
    ));
    assert_eq!(cast.text, "2");
    let none = fixture.get(&format!(
        "/servicePrincipals/{}/transitiveMemberOf",
        id(DESK)
    ));
    assert_eq!(none.all("displayName"), Vec::<&str>::new());
}

#[test]
fn a_batch_can_contain_actions() {
    let fixture = Fixture::new();
    let action = |name: &str, body: Value| {
        json!({"id": name, "method": "POST", "url": "/users/adele@contoso.com/checkMemberGroups",
            "headers": {"Content-Type": "application/json"}, "body": body})
    };
    let response = post(
        &fixture,
        "/$batch",
        &json!({"requests": [
            action("good", json!({"groupIds": [id(ENGINEERS)]})),
            action("bad", json!({})),
        ]}),
    );
    let responses = &response.body["responses"];
    assert_eq!(responses[0]["body"]["value"], json!([id(ENGINEERS)]));
    assert_eq!(responses[1]["status"], 400);
}
