use super::*;

#[test]
fn an_object_is_found_by_each_of_its_keys() {
    let fixture = Fixture::new();
    for target in [
        format!("/users/{}", id(ADELE)),
        "/users/ADELE%40contoso.com".to_owned(),
        "/users('adele@contoso.com')".to_owned(),
        format!("/directoryObjects/{}", id(ADELE)),
    ] {
        let response = fixture.get(&target);
        assert_eq!(
            response.body["displayName"], "Adele",
            "{target}: {}",
            response.text
        );
    }
    let response = fixture.get(&format!(
        "/applications(appId='{}')?$select=displayName",
        id(220)
    ));
    assert_eq!(
        response.body,
        json!({"@odata.context": "https://tenant.test/v1.0/$metadata#applications(displayName)/$entity", "displayName": "Expense Desk"})
    );
    assert_eq!(
        fixture
            .get("/organization/00000000-0000-4000-8000-000000000099")
            .body["displayName"],
        "Contoso"
    );
    assert_eq!(
        fixture.get("/subscribedSkus/sku-1").body["skuPartNumber"],
        "AAD_PREMIUM_P2"
    );
}

#[test]
fn some_properties_are_for_a_single_object_only() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture.get("/users/adele@contoso.com?$select=aboutMe").body["aboutMe"],
        Value::Null
    );
    let rejected = fixture.get("/users?$select=aboutMe");
    assert_eq!(
        rejected.error(),
        (
            501,
            "NotImplemented",
            "This operation target is not yet supported."
        )
    );
}

#[test]
fn the_public_part_of_a_certificate_is_returned_only_if_selected_for_a_single_object() {
    let fixture = Fixture::new();
    let target = format!("/servicePrincipals/{}", id(DESK));
    let by_id = format!("/servicePrincipals?$filter=id eq '{}'&", id(DESK));
    let listed = || {
        let list = fixture.get(&format!("{by_id}$select=id,keyCredentials"));
        let key = &list.body["value"][0]["keyCredentials"][0];
        assert_eq!(
            (&key["keyId"], &key["key"]),
            (&json!(id(91)), &Value::Null),
            "{}",
            list.text
        );
    };
    listed();
    assert_eq!(
        fixture.get(&target).body["keyCredentials"][0]["key"],
        Value::Null
    );
    assert_eq!(
        fixture
            .get(&format!("{target}?$select=keyCredentials"))
            .body["keyCredentials"][0]["key"],
        "AAAA"
    );
    // The JSON of a list and of an object with the same properties differ here.
    let alone = fixture.get(&format!("{target}?$select=id,keyCredentials"));
    assert_eq!(alone.body["keyCredentials"][0]["key"], "AAAA");
    listed();
    let owned = fixture.get(&format!(
        "/users/{}?$select=id&$expand=ownedObjects($select=id,keyCredentials)",
        id(ADELE)
    ));
    assert!(owned.text.contains("keyCredentials"), "{}", owned.text);
    assert!(!owned.text.contains("AAAA"), "{}", owned.text);
}

#[test]
fn the_manager_is_one_object_or_404() {
    let fixture = Fixture::new();
    let manager = fixture.get("/users/adele@contoso.com/manager");
    assert_eq!(manager.body["@odata.type"], "#microsoft.graph.user");
    assert_eq!(manager.body["displayName"], "Bo O'Neil");
    assert!(
        manager.body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#directoryObjects/$entity")
    );
    assert_eq!(
        fixture.get("/users/cleo@contoso.com/manager").error().1,
        "Request_ResourceNotFound"
    );
}

#[test]
fn expansions_nest_related_objects() {
    let fixture = Fixture::new();
    let response =
        fixture.get("/users?$select=displayName&$expand=manager($select=id,displayName)");
    assert!(
        response.body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#users(displayName,manager(id,displayName))")
    );
    let manager = &response.body["value"][0]["manager"];
    assert_eq!(
        *manager,
        json!({"@odata.type": "#microsoft.graph.user", "id": id(BO), "displayName": "Bo O'Neil"})
    );
    assert!(response.body["value"][2].get("manager").is_none());

    let chain = fixture.eventual("/users/adele@contoso.com?$expand=manager($levels=max;$select=displayName)&$select=id&$count=true");
    assert_eq!(chain.body["manager"]["manager"]["displayName"], "cleo");
    assert!(chain.body["manager"]["manager"].get("manager").is_none());

    let members = fixture.get(&format!("/groups/{}?$expand=members", id(ENGINEERS)));
    assert_eq!(members.body["members"][1]["displayName"], "Testers");
    let assigned = fixture.get("/servicePrincipals?$expand=appRoleAssignedTo($select=principalId)");
    assert_eq!(
        assigned.body["value"][0]["appRoleAssignedTo"][0],
        json!({"principalId": id(ADELE)})
    );
}

#[test]
fn an_expanded_collection_is_truncated_at_20_without_a_link() {
    let mut fixture = Fixture::new();
    for number in 1_000..1_030 {
        let user = json!({"id": id(number), "displayName": "x", "userPrincipalName": format!("{number}@contoso.com")});
        fixture
            .state()
            .store
            .insert(Kind::User, user.as_object().cloned().unwrap())
            .unwrap();
        fixture
            .state()
            .store
            .link(Relation::Members, &id(TESTERS), &id(number));
    }
    let response = fixture.get(&format!(
        "/groups/{}?$expand=members($select=id)",
        id(TESTERS)
    ));
    assert_eq!(response.body["members"].as_array().unwrap().len(), 20);
    assert!(response.body.get("members@odata.nextLink").is_none());
    assert_eq!(
        fixture
            .eventual(&format!("/groups/{}/members/$count", id(TESTERS)))
            .text,
        "32"
    );
}

#[test]
fn sign_in_activity_is_returned_only_if_selected() {
    let fixture = Fixture::new();
    let response = fixture.get("/users?$select=displayName,signInActivity");
    let activity = &response.body["value"][0]["signInActivity"];
    assert_eq!(activity["lastSignInDateTime"], "2026-11-20T09:00:00Z");
    assert_eq!(activity["lastNonInteractiveSignInRequestId"], "silent");
    assert_eq!(
        activity["lastSuccessfulSignInDateTime"],
        "2026-11-20T10:00:00Z"
    );
    assert_eq!(response.body["value"][2]["signInActivity"], Value::Null);
}

#[test]
fn top_above_the_maximum_gives_pages_of_the_maximum_with_sign_in_activity() {
    let mut fixture = Fixture::new();
    for number in 0..500 {
        let user = json!({"id": id(1_000 + number), "userPrincipalName": format!("u{number}@contoso.com")});
        fixture
            .state()
            .store
            .insert(Kind::User, user.as_object().cloned().unwrap())
            .unwrap();
    }
    for top in ["501", "999", "5000"] {
        let response = fixture.get(&format!("/users?$select=signInActivity&$top={top}"));
        assert_eq!(response.all("id").len(), 500, "{top}");
        assert!(response.body["@odata.nextLink"].is_string(), "{top}");
    }
    assert_eq!(fixture.get("/users?$top=1000").error().0, 400);
}

#[test]
fn responses_have_request_ids_and_the_date() {
    let fixture = Fixture::new();
    let response = fixture.send(&request(
        "GET",
        "/users/unknown@contoso.com",
        &[("client-request-id", "mine")],
    ));
    assert_eq!(response.error().0, 404);
    assert_eq!(response.header("client-request-id"), Some("mine"));
    let inner = &response.body["error"]["innerError"];
    assert_eq!(inner["client-request-id"], "mine");
    assert_eq!(inner["request-id"].as_str(), response.header("request-id"));
    assert_eq!(inner["date"], "2026-11-21T02:08:02");
    assert_eq!(
        response.header("date"),
        Some("Sat, 21 Nov 2026 02:08:02 GMT")
    );
    let other = fixture.get("/users");
    assert_ne!(other.header("request-id"), response.header("request-id"));
    assert_eq!(
        other.header("client-request-id"),
        other.header("request-id")
    );
}

#[test]
fn a_batch_has_one_response_for_each_item() {
    let fixture = Fixture::new();
    let mut batch = request("POST", "/$batch", &[]);
    batch.body = json!({"requests": [
        {"id": "1", "method": "GET", "url": "/users?$top=1&$select=id"},
        {"id": "2", "method": "GET", "url": "https://graph.microsoft.com/v1.0//users/bo%40contoso.com", "depends_on": []},
        {"id": "3", "method": "GET", "url": "groups/$count", "headers": {"ConsistencyLevel": "eventual"}},
        {"id": "4", "method": "GET", "url": "/users/unknown@contoso.com"},
        {"id": "5", "method": "GET", "url": "/users", "dependsOn": ["4"]},
        {"id": "6", "method": "PATCH", "url": "/sites/root", "headers": {"content-type": "application/json"}, "body": {}},
    ]})
    .to_string()
    .into_bytes();
    let response = fixture.send(&batch);
    let responses = response.body["responses"].as_array().unwrap();
    let statuses: Vec<_> = responses
        .iter()
        .map(|item| item["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 200, 200, 404, 424, 501]);
    assert!(
        responses[0]["body"]["@odata.nextLink"]
            .as_str()
            .unwrap()
            .starts_with("https://tenant.test/v1.0/users?")
    );
    assert_eq!(responses[1]["body"]["displayName"], "Bo O'Neil");
    assert_eq!(responses[2]["body"], 2);
    assert!(
        responses[3]["headers"]["Content-Type"]
            .as_str()
            .unwrap()
            .starts_with("application/json")
    );
}

#[test]
fn a_malformed_batch_fails_as_a_whole() {
    let fixture = Fixture::new();
    let item = |id: &str| json!({"id": id, "method": "GET", "url": "/users"});
    let many: Vec<_> = (0..21).map(|number| item(&number.to_string())).collect();
    for body in [
        json!({}),
        json!({"requests": []}),
        json!({"requests": many}),
        json!({"requests": [item("a"), item("A")]}),
        json!({"requests": [{"id": "1", "method": "GET"}]}),
        json!({"requests": [{"id": "1", "method": "POST", "url": "/$batch"}]}),
    ] {
        let mut batch = request("POST", "/$batch", &[]);
        batch.body = body.to_string().into_bytes();
        assert_eq!(fixture.send(&batch).status, 400, "{body}");
    }
}
