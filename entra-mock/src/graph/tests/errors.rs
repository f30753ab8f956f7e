use super::*;

#[test]
fn documented_400s_have_their_code_and_name_the_invalid_part() {
    let fixture = Fixture::new();
    let members = format!("/groups/{}/members", id(ENGINEERS));
    for (target, code, part) in [
        ("/users?$select=colour", "Request_BadRequest", "'colour'"),
        (
            "/users?$filter=colour eq 'x'",
            "Request_BadRequest",
            "'colour'",
        ),
        ("/users?$orderby=colour", "Request_BadRequest", "'colour'"),
        ("/users?$expand=colour", "Request_BadRequest", "'colour'"),
        (
            "/users?$filter=displayName eq",
            "Request_BadRequest",
            "Syntax",
        ),
        (
            "/users?$filter=accountEnabled eq 'true'",
            "Request_BadRequest",
            "incompatible types",
        ),
        (
            "/users?$filter=aboutMe eq 'x'",
            "Request_UnsupportedQuery",
            "'aboutMe' of resource 'User'",
        ),
        (
            "/users?$filter=endswith(mail,'x')",
            "Request_UnsupportedQuery",
            "Operator 'endsWith'",
        ),
        (
            "/users?$filter=displayName eq 'x'&$orderby=displayName",
            "Request_UnsupportedQuery",
            "Sorting",
        ),
        (
            "/users?$search=\"displayName:a\"",
            "Request_UnsupportedQuery",
            "ConsistencyLevel",
        ),
        (
            "/users?$top=1000",
            "Request_UnsupportedQuery",
            "between 1 and 999",
        ),
        ("/users?$top=0", "Request_UnsupportedQuery", "'0'"),
        ("/users?$top=ten", "Request_BadRequest", "$top"),
        ("/users?$skip=5", "Request_BadRequest", "$skip"),
        (
            "/users?$expand=manager,memberOf",
            "Request_BadRequest",
            "one relationship",
        ),
        (
            "/users?$skiptoken=made-up",
            "Request_BadRequest",
            "page token",
        ),
        (
            "/users/$count",
            "Request_BadRequest",
            "$count is not currently supported.",
        ),
        ("/groups/sales", "Request_BadRequest", "'sales'"),
        (
            "/subscribedSkus?$filter=skuPartNumber eq 'x'",
            "Request_BadRequest",
            "$filter",
        ),
        ("/subscribedSkus?$top=1", "Request_BadRequest", "$top"),
        (
            "/organization?$orderby=displayName",
            "Request_BadRequest",
            "$orderby",
        ),
        (
            "/auditLogs/signIns?$select=id",
            "Request_BadRequest",
            "$select",
        ),
        (
            "/auditLogs/signIns?$count=true",
            "Request_BadRequest",
            "$count",
        ),
        (
            "/auditLogs/signIns?$top=1001",
            "Request_UnsupportedQuery",
            "between 1 and 1000",
        ),
        (
            "/oauth2PermissionGrants?$orderby=clientId",
            "Request_BadRequest",
            "$orderby",
        ),
        (
            "/users/adele@contoso.com?$filter=x",
            "Request_BadRequest",
            "$filter",
        ),
        (
            "/users/adele@contoso.com?$select=colour",
            "Request_BadRequest",
            "'colour'",
        ),
        (
            &format!("{members}?$select=colour"),
            "Request_BadRequest",
            "'colour'",
        ),
        (
            &format!("{members}?$orderby=displayName"),
            "Request_UnsupportedQuery",
            "$orderby",
        ),
    ] {
        let response = fixture.get(target);
        let (status, actual, message) = response.error();
        assert_eq!((status, actual), (400, code), "{target}: {message}");
        assert!(message.contains(part), "{target}: {message}");
    }
    let advanced = fixture.eventual("/users?$count=true&$expand=manager");
    assert_eq!(advanced.error().1, "Request_UnsupportedQuery");
}

#[test]
fn a_page_token_is_valid_for_its_query_only() {
    let fixture = Fixture::new();
    let first = fixture.get("/users?$top=1");
    let token = first.body["@odata.nextLink"]
        .as_str()
        .unwrap()
        .split_once("$skiptoken=")
        .unwrap()
        .1
        .to_owned();
    assert_eq!(
        fixture
            .get(&format!("/users?$top=1&$skiptoken={token}"))
            .all("displayName"),
        ["Bo O'Neil"]
    );
    assert_eq!(
        fixture
            .get(&format!("/users?$top=2&$skiptoken={token}"))
            .error()
            .1,
        "Directory_ExpiredPageToken"
    );
    assert_eq!(
        fixture
            .get(&format!("/groups?$top=1&$skiptoken={token}"))
            .error()
            .1,
        "Directory_ExpiredPageToken"
    );
    assert_eq!(
        fixture
            .get(&format!(
                "/users?$top=1&$skiptoken={}",
                token.to_uppercase()
            ))
            .error()
            .1,
        "Request_BadRequest"
    );
}

#[test]
fn an_unsupported_request_returns_a_501_that_names_it() {
    let fixture = Fixture::new();
    for (method, path) in [
        ("GET", "/sites"),
        ("GET", "/me/messages"),
        ("GET", "/organization/delta"),
        ("GET", "/users/adele@contoso.com/messages"),
        ("GET", "/users/adele@contoso.com/displayName"),
        ("GET", "/auditLogs/signIns/$count"),
        ("GET", "/subscribedSkus/$count"),
        ("PATCH", "/sites/root"),
    ] {
        let response = fixture.send(&request(method, path, &[]));
        let (status, code, message) = response.error();
        assert_eq!((status, code), (501, "NotImplemented"), "{method} {path}");
        assert!(
            message.contains(&format!("{method} /v1.0{path}")),
            "{message}"
        );
    }
    let expand = fixture.get("/users?$expand=calendar");
    assert_eq!(expand.error().0, 501);
}

#[test]
fn a_path_that_graph_does_not_have_returns_400_with_the_segment() {
    let mut fixture = Fixture::new();
    fixture.adele(&["User.ReadWrite.All"]);
    for (method, path, segment) in [
        ("GET", "/colours", "colours"),
        ("POST", "/usres", "usres"),
        ("GET", "/users/adele@contoso.com/colour", "colour"),
        ("PUT", "/me/colour", "colour"),
        (
            "GET",
            "/auditLogs/customSecurityAttributeAudits",
            "customSecurityAttributeAudits",
        ),
        ("DELETE", "/groups('1')/member", "member"),
    ] {
        let response = fixture.write(method, path, &json!({}));
        let message = format!("Resource not found for the segment '{segment}'.");
        assert_eq!(
            response.error(),
            (400, "BadRequest", &*message),
            "{method} {path}"
        );
    }
    // A token comes first.
    let request = request("GET", "/colours", &[]);
    let reply = fixture.reply(&request, Err(TokenProblem::Missing));
    assert_eq!(reply.status, 401);
    // Beta has more than v1.0.
    let mut beta = request.clone();
    beta.path = "/beta/colours".into();
    assert_eq!(fixture.send(&beta).status, 501);
}

#[test]
fn a_method_that_a_known_path_does_not_have_returns_405() {
    let mut fixture = Fixture::new();
    fixture.adele(&["User.ReadWrite.All", "Group.ReadWrite.All"]);
    let user = format!("/users/{}", id(ADELE));
    let group = format!("/groups/{}", id(ENGINEERS));
    for (method, path, allow) in [
        ("PUT", "/users", "GET, POST"),
        ("PATCH", "/users", "GET, POST"),
        ("DELETE", "/groups", "GET, POST"),
        ("POST", user.as_str(), "DELETE, GET, PATCH"),
        ("PUT", "/users('adele@contoso.com')", "DELETE, GET, PATCH"),
        ("PUT", "/me", "DELETE, GET, PATCH"),
        ("POST", "/users/$count", "GET"),
        ("DELETE", "/users/delta", "GET"),
        ("POST", "/groups/delta()", "GET"),
        ("POST", &format!("{user}/memberOf"), "GET"),
        ("PATCH", &format!("{group}/members"), "GET"),
        ("PUT", &format!("{group}/members/$ref"), "POST"),
        ("DELETE", &format!("{group}/members/$ref"), "POST"),
        (
            "POST",
            &format!("{group}/members/{}/$ref", id(ADELE)),
            "DELETE",
        ),
        ("POST", &format!("{user}/manager/$ref"), "DELETE, PUT"),
        ("GET", &format!("{user}/revokeSignInSessions"), "POST"),
        ("DELETE", &format!("{user}/assignLicense"), "POST"),
        ("PUT", &format!("{user}/checkMemberGroups"), "POST"),
        ("PATCH", "/me/changePassword", "POST"),
        (
            "GET",
            &format!("/directory/deletedItems/{}/restore", id(ADELE)),
            "POST",
        ),
        (
            "PATCH",
            &format!("/directory/deletedItems/{}", id(ADELE)),
            "DELETE, GET",
        ),
        ("POST", "/auditLogs/signIns", "GET"),
        ("DELETE", "/organization", "GET"),
        ("POST", "/subscribedSkus", "GET"),
        ("GET", "/directoryObjects/getByIds", "POST"),
        ("GET", "/$batch", "POST"),
    ] {
        let before = fixture.snapshot();
        let response = fixture.write(method, path, &json!({}));
        assert_eq!(
            response.error(),
            (
                405,
                "Request_BadRequest",
                "Specified HTTP method is not allowed for the request target."
            ),
            "{method} {path}"
        );
        assert_eq!(response.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(fixture.snapshot(), before);
    }
    // Also as an item of a batch.
    let batch = fixture.post(
        "/$batch",
        &json!({"requests": [{"id": "1", "method": "PUT", "url": "/users"}]}),
    );
    assert_eq!(batch.body["responses"][0]["status"], 405, "{}", batch.text);
}
