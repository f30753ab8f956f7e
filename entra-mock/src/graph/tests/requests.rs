//! Requests in unusual forms: what is legal works, and what is not changes nothing.

use super::{groups::new_group, users::new_user, writes::reference, *};

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "User.ReadWrite.All",
        "User.DeleteRestore.All",
        "Group.ReadWrite.All",
        "Application.ReadWrite.All",
        "Directory.ReadWrite.All",
    ]);
    fixture
}

/// Sends bytes with these headers.
fn send(
    fixture: &Fixture,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let mut request = request(method, target, headers);
    request.body = body.as_bytes().to_vec();
    fixture.send(&request)
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn an_invalid_query_option_makes_the_whole_write_fail() {
    let fixture = fixture();
    let user = fixture.post("/users", &new_user());
    let user = user.body["id"].as_str().unwrap().to_owned();
    assert_eq!(fixture.delete(&format!("/users/{user}")).status, 204);
    let restore = format!("/directory/deletedItems/{user}/restore");
    let before = fixture.snapshot();
    let mut other = new_user();
    other["userPrincipalName"] = json!("other@contoso.com");
    for query in [
        "$select=bogus",
        "$expand=bogus",
        "$select=id&$select=id",
        "$top=1",
        "$filter=id eq 'x'",
    ] {
        for (target, body) in [
            ("/users", &other),
            ("/groups", &new_group()),
            ("/applications", &json!({"displayName": "Desk"})),
            (restore.as_str(), &json!({})),
        ] {
            let response = fixture.post(&format!("{target}?{query}"), body);
            assert_eq!(response.status, 400, "{target}?{query}: {}", response.text);
            assert_eq!(fixture.snapshot(), before, "{target}?{query}");
        }
    }
}

#[test]
fn the_response_to_a_write_shows_what_was_selected() {
    let fixture = fixture();
    let user = fixture.post("/users?$select=displayName", &new_user());
    assert_eq!(user.status, 201, "{}", user.text);
    assert!(user.body["displayName"].is_string());
    assert!(
        user.body.get("userPrincipalName").is_none(),
        "{}",
        user.text
    );
    let body = json!({"displayName": "Desk", "passwordCredentials": [{"displayName": "p"}]});
    let named = fixture.post("/applications?$select=displayName", &body);
    assert_eq!(named.status, 201, "{}", named.text);
    assert!(named.body.get("passwordCredentials").is_none());
    let with_secret = fixture.post("/applications?$select=passwordCredentials", &body);
    let secret = &with_secret.body["passwordCredentials"][0]["secretText"];
    assert!(secret.is_string(), "{}", with_secret.text);
}

#[test]
fn a_body_with_a_name_twice_is_rejected_in_writes_actions_and_batches() {
    let fixture = fixture();
    let user = format!("/users/{}", id(BO));
    let before = fixture.snapshot();
    for (method, target, body) in [
        ("PATCH", user.as_str(), r#"{"jobTitle":"A","jobTitle":"B"}"#),
        (
            "PATCH",
            user.as_str(),
            r#"{"employeeOrgData":{"division":"A","division":"B"}}"#,
        ),
        (
            "POST",
            "/directoryObjects/00000000-0000-4000-8000-000000000001/checkMemberGroups",
            r#"{"groupIds":[],"groupIds":["00000000-0000-4000-8000-000000000011"]}"#,
        ),
        (
            "POST",
            "/$batch",
            r#"{"requests":[],"requests":[{"id":"1","method":"GET","url":"/users"}]}"#,
        ),
        (
            "POST",
            "/$batch",
            r#"{"requests":[{"id":"1","method":"DELETE","url":"/users/00000000-0000-4000-8000-000000000002","url":"/users"}]}"#,
        ),
    ] {
        let response = send(&fixture, method, target, &[JSON], body);
        assert_eq!(response.error().0, 400, "{body}: {}", response.text);
        assert_eq!(response.error().1, "BadRequest", "{body}");
    }
    assert_eq!(fixture.snapshot(), before);
}

#[test]
fn names_that_look_like_types_address_their_objects() {
    let fixture = fixture();
    let mut user = new_user();
    for name in [
        "graph.admin@contoso.com",
        "microsoft.graph.user@contoso.com",
        "photograph.er@contoso.com",
    ] {
        user["userPrincipalName"] = json!(name);
        let created = fixture.post("/users", &user);
        assert_eq!(created.status, 201, "{}", created.text);
        let path = format!("/users/{name}");
        let found = fixture.get(&path);
        assert_eq!(found.body["id"], created.body["id"], "{}", found.text);
        assert_eq!(fixture.get(&format!("{path}/memberOf")).status, 200);
        assert_eq!(
            fixture.patch(&path, &json!({"jobTitle": "Lead"})).status,
            204
        );
        assert_eq!(fixture.delete(&path).status, 204);
    }
    let credentials = format!(
        "/applications/{}/federatedIdentityCredentials",
        id(DESK_APP)
    );
    for name in ["graph.deploy", "delta", "github-graph.actions"] {
        let body = json!({"name": name, "issuer": "https://issuer.example", "subject": name, "audiences": ["api://AzureADTokenExchange"]});
        let created = fixture.post(&credentials, &body);
        assert_eq!(created.status, 201, "{}", created.text);
        let path = format!("{credentials}/{name}");
        assert_eq!(fixture.get(&path).body["id"], created.body["id"]);
        assert_eq!(
            fixture.patch(&path, &json!({"description": "x"})).status,
            204
        );
        assert_eq!(fixture.delete(&path).status, 204);
    }
    // A cast of a relationship stays one.
    let members = format!("/groups/{}/members", id(ENGINEERS));
    for cast in ["microsoft.graph.user", "graph.user"] {
        let users = fixture.eventual(&format!("{members}/{cast}?$count=true"));
        assert_eq!(users.all("id"), [id(ADELE)]);
    }
}

#[test]
fn the_key_of_an_upsert_is_checked_like_a_property_of_the_body() {
    let fixture = fixture();
    let before = fixture.snapshot();
    let prefer = [JSON, ("prefer", "create-if-missing")];
    let application = r#"{"displayName":"Desk"}"#;
    let credential = r#"{"issuer":"https://issuer.example","subject":"s","audiences":["api://AzureADTokenExchange"]}"#;
    let long = "x".repeat(1_000);
    let target = "/applications(uniqueName='')";
    let response = send(&fixture, "PATCH", target, &prefer, application);
    assert_eq!(response.status, 400, "{}", response.text);
    for key in ["", long.as_str()] {
        let target = format!(
            "/applications/{}/federatedIdentityCredentials(name='{key}')",
            id(DESK_APP)
        );
        let response = send(&fixture, "PATCH", &target, &prefer, credential);
        assert_eq!(response.status, 400, "{}", response.text);
    }
    assert_eq!(fixture.snapshot(), before);
    let target = "/applications(uniqueName='desk')";
    let created = send(&fixture, "PATCH", target, &prefer, application);
    assert_eq!(created.status, 201, "{}", created.text);
}

#[test]
fn preferences_on_several_lines_are_one_list() {
    let fixture = fixture();
    for prefer in [
        vec![("prefer", "return=minimal, create-if-missing")],
        vec![
            ("prefer", "return=minimal"),
            ("prefer", "create-if-missing"),
        ],
    ] {
        let headers: Vec<(&str, &str)> = [JSON].into_iter().chain(prefer.iter().copied()).collect();
        let target = format!("/applications(uniqueName='desk-{}')", prefer.len());
        let created = send(
            &fixture,
            "PATCH",
            &target,
            &headers,
            r#"{"displayName":"Desk"}"#,
        );
        assert_eq!(created.status, 201, "{}", created.text);
    }
}

#[test]
fn a_reference_is_an_absolute_url() {
    let fixture = fixture();
    let members = format!("/groups/{}/members/$ref", id(TESTERS));
    let cleo = id(CLEO);
    let before = fixture.snapshot();
    for url in [
        cleo.clone(),
        format!("users/{cleo}"),
        format!("/users/{cleo}"),
        format!("directoryObjects('{cleo}')"),
    ] {
        let added = fixture.post(&members, &json!({"@odata.id": url}));
        assert_eq!(
            added.error(),
            (
                400,
                "BadRequest",
                "Invalid URL format specified in payload."
            ),
            "{url}"
        );
        let mut group = new_group();
        group["owners@odata.bind"] = json!([url]);
        assert_eq!(
            fixture.post("/groups", &group).error(),
            (
                400,
                "BadRequest",
                "Invalid URL format specified in @odata.bind for owners"
            ),
            "{url}"
        );
    }
    assert_eq!(fixture.snapshot(), before);
    assert_eq!(fixture.post(&members, &reference(&cleo)).status, 204);
}

#[test]
fn an_address_in_the_query_of_a_batch_item_is_part_of_the_query() {
    let fixture = fixture();
    let url = "/applications?$filter=identifierUris/any(u:u eq 'api://desk/x')&$select=id";
    let body = json!({"requests": [{"id": "1", "method": "GET", "url": url}]});
    let response = fixture.post("/$batch", &body);
    let item = &response.body["responses"][0];
    assert_eq!(item["status"], 200, "{}", response.text);
    assert_eq!(item["body"]["value"], json!([]));
}

#[test]
fn an_encoded_dollar_sign_names_a_batch_too_and_none_holds_another() {
    let fixture = fixture();
    let item = |url: &str| json!({"requests": [{"id": "1", "method": "POST", "url": url}]});
    let read = json!({"requests": [{"id": "1", "method": "GET", "url": "/users?$select=id"}]});
    for path in ["/$batch", "/%24batch", "/$batch/", "/%24Batch"] {
        let response = fixture.post(path, &read);
        assert_eq!(response.body["responses"][0]["status"], 200, "{path}");
        assert_eq!(
            fixture.post("/$batch", &item(path)).error().0,
            400,
            "{path}"
        );
    }
}

#[test]
fn a_write_to_a_report_changes_nothing() {
    let mut fixture = fixture();
    fixture.application(&["AuditLog.Read.All"]);
    let before = fixture.snapshot();
    let report = "/reports/authenticationMethods/userRegistrationDetails";
    assert_eq!(fixture.post(report, &json!({})).status, 405);
    assert_eq!(fixture.snapshot(), before);
    assert_eq!(fixture.get(report).status, 200);
}
