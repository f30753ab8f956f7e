use super::*;

#[test]
fn users_have_exactly_their_default_properties() {
    let fixture = Fixture::new();
    let response = fixture.get("/users");
    assert_eq!(
        response.body["@odata.context"],
        "https://tenant.test/v1.0/$metadata#users"
    );
    let adele = response.body["value"][0].as_object().unwrap();
    assert_eq!(adele.len(), 11);
    assert_eq!(adele["businessPhones"], json!([]));
    assert_eq!(adele["officeLocation"], Value::Null);
    assert!(!response.text.contains("secret") && !response.text.contains("department"));
}

#[test]
fn select_returns_only_the_named_properties() {
    let fixture = Fixture::new();
    let response = fixture.get("/users?$select=displayName,department,manager,extension_0123456789abcdef0123456789abcdef_level");
    assert!(response.body["@odata.context"].as_str().unwrap().ends_with(
        "#users(displayName,department,manager,extension_0123456789abcdef0123456789abcdef_level)"
    ));
    let expected = json!({"displayName": "Adele", "department": "R&D", "extension_0123456789abcdef0123456789abcdef_level": "5"});
    assert_eq!(response.body["value"][0], expected);
}

#[test]
fn an_extension_is_selected_in_any_letter_case() {
    let fixture = Fixture::new();
    let name = "extension_0123456789abcdef0123456789abcdef_level";
    for spelling in [
        name.to_owned(),
        name.replace("level", "LEVEL"),
        name.replace("extension", "Extension"),
        name.to_ascii_uppercase(),
    ] {
        for target in [
            format!("/users/{}?$select={spelling}", id(ADELE)),
            format!("/users/{}?$select={spelling},{name}", id(ADELE)),
        ] {
            let response = fixture.get(&target);
            assert_eq!(response.body[&spelling], "5", "{target}: {}", response.text);
        }
        let found = fixture.get(&format!("/users?$filter={spelling} eq '5'"));
        assert_eq!(found.all("id"), [id(ADELE)], "{spelling}");
        let listed = fixture.get(&format!("/users?$select=id,{spelling}"));
        assert_eq!(listed.body["value"][0][&spelling], "5", "{}", listed.text);
    }
}

#[test]
fn advanced_filters_need_the_header_and_basic_ones_do_not() {
    let fixture = Fixture::new();
    for (filter, expected) in [
        ("displayName eq 'ADELE'", vec!["Adele"]),
        ("displayName eq 'Bo O''Neil'", vec!["Bo O'Neil"]),
        (
            "startswith(displayName,'c') or accountEnabled eq false",
            vec!["Bo O'Neil", "cleo"],
        ),
        (
            "createdDateTime ge 2025-02-01T00:00:00Z and accountEnabled eq true",
            vec!["cleo"],
        ),
        ("otherMails/any(m:m eq 'A@x.example')", vec!["Adele"]),
        (
            "userPrincipalName in ('cleo@contoso.com','ADELE@contoso.com','cleo@contoso.com')",
            vec!["cleo", "Adele"],
        ),
        (
            "id eq '00000000-0000-4000-8000-000000000002' and accountEnabled eq true",
            vec![],
        ),
        (
            "manager/id eq '00000000-0000-4000-8000-000000000002'",
            vec!["Adele"],
        ),
        (
            "signInActivity/lastSignInDateTime ge 2026-11-20T00:00:00Z",
            vec!["Adele"],
        ),
        (
            "extension_0123456789abcdef0123456789abcdef_level eq '5'",
            vec!["Adele"],
        ),
    ] {
        assert_eq!(
            fixture
                .get(&format!("/users?$filter={filter}"))
                .all("displayName"),
            expected,
            "{filter}"
        );
    }
    for (filter, expected) in [
        (
            "endswith(userPrincipalName,'contoso.com') and not startswith(displayName,'a')",
            vec!["Bo O'Neil", "cleo"],
        ),
        ("department ne 'R%26D'", vec!["Bo O'Neil", "cleo"]),
        ("mail eq null", vec!["Bo O'Neil", "cleo"]),
        ("assignedLicenses/$count ne 0", vec!["Adele"]),
    ] {
        let target = format!("/users?$count=true&$filter={filter}");
        let response = fixture.eventual(&target);
        assert_eq!(response.all("displayName"), expected, "{filter}");
        assert_eq!(response.body["@odata.count"], expected.len());
        assert_eq!(
            fixture.get(&target).error().1,
            "Request_UnsupportedQuery",
            "{filter}"
        );
        let uncounted = format!("/users?$filter={filter}");
        assert_eq!(
            fixture.eventual(&uncounted).error().1,
            "Request_UnsupportedQuery",
            "{filter}"
        );
    }
}

#[test]
fn the_count_is_on_the_first_page_and_needs_the_header() {
    let fixture = Fixture::new();
    let pages = fixture.walk("/users?$count=true&$top=2", true);
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[0].body["@odata.count"], 3);
    assert!(pages[1].body.get("@odata.count").is_none());
    assert!(
        fixture
            .get("/users?$count=true")
            .body
            .get("@odata.count")
            .is_none()
    );
    let count = fixture.eventual("/users/$count?$filter=startswith(displayName,'b')");
    assert_eq!(
        (count.text.as_str(), count.header("content-type")),
        ("1", Some("text/plain"))
    );
    assert_eq!(
        fixture
            .eventual(&format!("/groups/{}/members/$count", id(ENGINEERS)))
            .text,
        "3"
    );
    assert_eq!(
        fixture
            .eventual(&format!(
                "/groups/{}/members/microsoft.graph.user/$count",
                id(ENGINEERS)
            ))
            .text,
        "1"
    );
}

#[test]
fn pages_contain_every_item_once_in_any_order() {
    let fixture = Fixture::new();
    for (target, eventual, expected) in [
        ("/users?$top=1", false, vec!["Adele", "Bo O'Neil", "cleo"]),
        (
            "/users?$top=2&$orderby=displayName%20desc",
            false,
            vec!["cleo", "Bo O'Neil", "Adele"],
        ),
        (
            "/users?$top=1&$orderby=createdDateTime&$count=true&$filter=accountEnabled eq true",
            true,
            vec!["Adele", "cleo"],
        ),
        (
            "/users?$top=1&$search=\"displayName:o\" OR \"displayName:cl\"",
            true,
            vec!["Bo O'Neil", "cleo"],
        ),
        (
            "/users?$top=1&$filter=accountEnabled eq true",
            false,
            vec!["Adele", "cleo"],
        ),
        (
            "/users?$top=1&$filter=id in ('00000000-0000-4000-8000-000000000003','00000000-0000-4000-8000-000000000001')",
            false,
            vec!["cleo", "Adele"],
        ),
    ] {
        let pages = fixture.walk(target, eventual);
        let names: Vec<&str> = pages
            .iter()
            .flat_map(|page| page.all("displayName"))
            .collect();
        assert_eq!(names, expected, "{target}");
        let full = pages.len() - 1;
        assert!(
            pages[..full]
                .iter()
                .all(|page| !page.all("displayName").is_empty())
        );
    }
}

#[test]
fn an_advanced_query_needs_the_header_on_every_page() {
    let fixture = Fixture::new();
    let first = fixture.eventual("/users?$count=true&$top=1");
    let next = first.body["@odata.nextLink"]
        .as_str()
        .unwrap()
        .strip_prefix("https://tenant.test/v1.0")
        .unwrap()
        .to_owned();
    assert_eq!(fixture.get(&next).error().1, "Request_UnsupportedQuery");
    assert_eq!(fixture.eventual(&next).status, 200);
}

#[test]
fn members_have_types_and_support_casts() {
    let fixture = Fixture::new();
    let members = format!("/groups/{}/members", id(ENGINEERS));
    let response = fixture.get(&members);
    assert!(
        response.body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#directoryObjects")
    );
    assert_eq!(
        response.all("@odata.type"),
        [
            "#microsoft.graph.user",
            "#microsoft.graph.group",
            "#microsoft.graph.device"
        ]
    );
    assert_eq!(
        response.body["value"][0]["userPrincipalName"],
        "adele@contoso.com"
    );
    let cast = fixture.eventual(&format!(
        "{members}/microsoft.graph.user?$count=true&$select=id,displayName"
    ));
    assert_eq!(cast.all("displayName"), ["Adele"]);
    assert!(
        cast.body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#users(id,displayName)")
    );
    assert_eq!(
        fixture
            .get(&format!("{members}/microsoft.graph.user"))
            .error()
            .1,
        "Request_UnsupportedQuery"
    );
    // Each type shows the selected properties that it has.
    let selected = fixture.get(&format!("{members}?$select=displayName,userPrincipalName"));
    assert_eq!(
        selected.body["value"][1],
        json!({"@odata.type": "#microsoft.graph.group", "displayName": "Testers"})
    );
    let filtered = fixture.eventual(&format!(
        "{members}?$count=true&$filter=startswith(displayName,'a')"
    ));
    assert_eq!(filtered.all("displayName"), ["Adele"]);
    assert_eq!(
        fixture
            .get(&format!("{members}?$filter=startswith(displayName,'a')"))
            .error()
            .1,
        "Request_UnsupportedQuery"
    );
    let pages = fixture.walk(&format!("{members}?$top=1"), false);
    assert_eq!(pages.len(), 3);
}

#[test]
fn transitive_relationships_stop_at_cycles() {
    let fixture = Fixture::new();
    let down = fixture.get(&format!("/groups/{}/transitiveMembers", id(ENGINEERS)));
    assert_eq!(
        down.all("displayName"),
        ["Adele", "Testers", "LAPTOP", "Bo O'Neil"]
    );
    let up = fixture.get("/users/bo@contoso.com/transitiveMemberOf");
    assert_eq!(up.all("displayName"), ["Testers", "Engineers"]);
    assert_eq!(
        fixture
            .get("/users/bo@contoso.com/memberOf")
            .all("displayName"),
        ["Testers"]
    );
    assert_eq!(
        fixture
            .get(&format!("/groups/{}/transitiveMemberOf", id(ENGINEERS)))
            .all("displayName"),
        ["Testers"]
    );
}

#[test]
fn every_supported_relationship_returns_its_items() {
    let fixture = Fixture::new();
    let (adele, desk, laptop) = (id(ADELE), id(DESK), id(LAPTOP));
    for (target, property, expected) in [
        (
            format!("/users/{}/directReports", id(BO)),
            "displayName",
            vec!["Adele"],
        ),
        (
            format!("/users/{adele}/ownedObjects"),
            "displayName",
            vec!["Expense Desk"],
        ),
        (
            format!("/users/{adele}/ownedDevices"),
            "displayName",
            vec!["LAPTOP"],
        ),
        (
            format!("/users/{adele}/registeredDevices"),
            "displayName",
            vec!["LAPTOP"],
        ),
        (
            format!("/users/{adele}/appRoleAssignments"),
            "id",
            vec!["Aa-bB_1"],
        ),
        (
            format!("/users/{adele}/oauth2PermissionGrants"),
            "id",
            vec!["grant-1"],
        ),
        (
            format!("/groups/{}/owners", id(ENGINEERS)),
            "displayName",
            vec!["Bo O'Neil"],
        ),
        (
            format!("/groups/{}/appRoleAssignments", id(ENGINEERS)),
            "id",
            vec!["Aa-bB_2"],
        ),
        (
            format!("/groups/{}/memberOf", id(TESTERS)),
            "displayName",
            vec!["Engineers"],
        ),
        (
            format!("/servicePrincipals/{desk}/appRoleAssignedTo"),
            "id",
            vec!["Aa-bB_1", "Aa-bB_2"],
        ),
        (
            format!("/servicePrincipals(appId='{}')/owners", id(220)),
            "displayName",
            vec!["Adele"],
        ),
        (
            format!("/servicePrincipals/{desk}/appRoleAssignments"),
            "id",
            vec![],
        ),
        (
            format!("/servicePrincipals/{desk}/oauth2PermissionGrants"),
            "id",
            vec!["grant-1"],
        ),
        (
            format!("/applications/{}/owners", id(DESK_APP)),
            "id",
            vec![],
        ),
        (
            format!("/devices/{laptop}/registeredOwners"),
            "displayName",
            vec!["Adele"],
        ),
        (
            format!("/devices(deviceId='{}')/registeredUsers", id(310)),
            "displayName",
            vec!["Adele"],
        ),
        (
            format!("/devices/{laptop}/memberOf"),
            "displayName",
            vec!["Engineers"],
        ),
        ("/oauth2PermissionGrants".to_owned(), "id", vec!["grant-1"]),
        ("/organization".to_owned(), "displayName", vec!["Contoso"]),
        (
            "/subscribedSkus?$select=skuPartNumber".to_owned(),
            "skuPartNumber",
            vec!["AAD_PREMIUM_P2"],
        ),
        (
            "/applications".to_owned(),
            "displayName",
            vec!["Expense Desk"],
        ),
        ("/devices".to_owned(), "displayName", vec!["LAPTOP"]),
        (
            "/groups".to_owned(),
            "displayName",
            vec!["Engineers", "Testers"],
        ),
    ] {
        assert_eq!(fixture.get(&target).all(property), expected, "{target}");
    }
}

#[test]
fn assignments_are_filtered_by_resource_and_name() {
    let fixture = Fixture::new();
    let assigned = format!("/servicePrincipals/{}/appRoleAssignedTo", id(DESK));
    let named = fixture.get(&format!(
        "{assigned}?$filter=startswith(principalDisplayName,'Eng')"
    ));
    assert_eq!(named.all("principalId"), [id(ENGINEERS)]);
    let of = fixture.get(&format!(
        "/users/{}/appRoleAssignments?$filter=resourceId eq {}",
        id(ADELE),
        id(DESK)
    ));
    assert_eq!(of.all("id"), ["Aa-bB_1"]);
    assert!(
        of.body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("#appRoleAssignments")
    );
    let one = fixture.get(&format!("{assigned}/Aa-bB_2"));
    assert_eq!(one.body["principalType"], "Group");
    assert_eq!(fixture.get(&format!("{assigned}/unknown")).status, 404);
}

#[test]
fn the_sign_in_log_lists_interactive_ones_newest_first_within_retention() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture.get("/auditLogs/signIns").all("id"),
        ["s2", "s1", "s3"]
    );
    for (filter, expected) in [
        ("createdDateTime ge 2026-11-20T08:30:00Z", vec!["s2"]),
        (
            "createdDateTime ge 2026-11-19T00:00:00Z and createdDateTime le 2026-11-20T08:00:00Z",
            vec!["s1", "s3"],
        ),
        ("status/errorCode eq 0", vec!["s1", "s3"]),
        (
            "userId eq '00000000-0000-4000-8000-000000000002'",
            vec!["s3"],
        ),
        (
            "startswith(appDisplayName,'expense') and status/errorCode eq 50126",
            vec!["s2"],
        ),
        ("createdDateTime le 2026-10-02T00:00:00Z", vec![]),
    ] {
        assert_eq!(
            fixture
                .get(&format!("/auditLogs/signIns?$filter={filter}"))
                .all("id"),
            expected,
            "{filter}"
        );
    }
    let pages = fixture.walk("/auditLogs/signIns?$top=1", false);
    let ids: Vec<&str> = pages.iter().flat_map(|page| page.all("id")).collect();
    assert_eq!(ids, ["s2", "s1", "s3"]);
    assert_eq!(
        fixture.get("/auditLogs/signIns/s1").body["status"]["errorCode"],
        0
    );
    for hidden in ["silent", "old", "unknown"] {
        assert_eq!(
            fixture.get(&format!("/auditLogs/signIns/{hidden}")).status,
            404,
            "{hidden}"
        );
    }
}

#[test]
fn audits_are_filtered_and_ordered() {
    let mut fixture = Fixture::new();
    assert_eq!(
        fixture.get("/auditLogs/directoryAudits").all("id"),
        ["d1", "d2"]
    );
    assert_eq!(
        fixture
            .get("/auditLogs/directoryAudits?$orderby=activityDateTime&$top=5")
            .all("id"),
        ["d2", "d1"]
    );
    let target = format!(
        "/auditLogs/directoryAudits?$filter=initiatedBy/user/id eq '{}' and targetResources/any(t:t/id eq '{}')",
        id(BO),
        id(CLEO)
    );
    assert_eq!(fixture.get(&target).all("id"), ["d1"]);
    fixture.state().license = License::Free;
    assert_eq!(fixture.get("/auditLogs/directoryAudits").all("id"), ["d1"]);
    assert_eq!(fixture.get("/auditLogs/directoryAudits/d2").status, 404);
}

#[test]
fn names_and_keywords_are_case_insensitive() {
    let fixture = Fixture::new();
    let response =
        fixture.get("/users?$select=DISPLAYNAME,userprincipalname&$filter=DisplayName EQ 'adele'");
    assert_eq!(response.all("displayName"), ["Adele"]);
    assert_eq!(response.all("userPrincipalName"), ["adele@contoso.com"]);
    for filter in [
        "userprincipalname eq 'adele@contoso.com'",
        "ID In ('00000000-0000-4000-8000-000000000001')",
        "AssignedLicenses/Any(x:x/SKUID eq 00000000-0000-4000-8000-000000000090)",
        "assignedlicenses/ANY (x:x/skuId eq 00000000-0000-4000-8000-000000000090)",
        "STARTSWITH(DisplayName,'ade')",
        "Manager/ID eq '00000000-0000-4000-8000-000000000002'",
    ] {
        let response = fixture.get(&format!("/users?$filter={filter}"));
        assert_eq!(response.all("displayName"), ["Adele"], "{filter}");
    }
    assert_eq!(
        fixture
            .get("/users?$orderby=DisplayName")
            .all("displayName"),
        ["Adele", "Bo O'Neil", "cleo"]
    );
    let manager = fixture.get("/USERS/adele@contoso.com?$expand=Manager($select=ID)");
    assert_eq!(manager.body["manager"]["id"], id(BO), "{}", manager.text);
}

#[test]
fn group_types_are_filtered_without_the_advanced_pair_and_negated_with_it() {
    let mut fixture = Fixture::new();
    let group = json!({"id": id(13), "displayName": "Team", "groupTypes": ["Unified"]});
    fixture
        .state()
        .store
        .insert(Kind::Group, group.as_object().cloned().unwrap())
        .unwrap();
    let unified = "groupTypes/any(c:c eq 'Unified')";
    let response = fixture.get(&format!("/groups?$filter={unified}"));
    assert_eq!(response.all("displayName"), ["Team"]);
    let expanded = fixture.get(&format!("/groups?$filter={unified}&$expand=owners"));
    assert_eq!(expanded.all("displayName"), ["Team"]);
    let negated = format!("/groups?$filter=not {unified}&$count=true");
    assert_eq!(fixture.get(&negated).error().1, "Request_UnsupportedQuery");
    assert_eq!(
        fixture.eventual(&negated).all("displayName"),
        ["Engineers", "Testers"]
    );
}

#[test]
fn logs_support_the_documented_options_and_filters() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture
            .get("/auditLogs/signIns?$orderby=createdDateTime")
            .all("id"),
        ["s3", "s1", "s2"]
    );
    assert_eq!(
        fixture
            .get("/auditLogs/signIns?$orderby=createdDateTime desc")
            .all("id"),
        ["s2", "s1", "s3"]
    );
    for filter in [
        "id eq 'd1'",
        "targetResources/any(t:startswith(t/displayName,'CL'))",
        "targetResources/any(t:t/displayName eq 'cleo')",
    ] {
        let response = fixture.get(&format!("/auditLogs/directoryAudits?$filter={filter}"));
        assert_eq!(response.all("id"), ["d1"], "{filter}");
    }
    let none = fixture.get("/auditLogs/directoryAudits?$filter=correlationId eq 'other'");
    assert!(none.all("id").is_empty());
    let selected = fixture.get("/auditLogs/directoryAudits?$select=id");
    assert_eq!(selected.body["value"][0], json!({"id": "d1"}));
}
