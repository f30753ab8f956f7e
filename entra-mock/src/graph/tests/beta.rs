//! The paths of v1.0 in beta.

use super::*;

/// A request to beta.
fn beta(method: &str, target: &str, headers: &[(&str, &str)]) -> WireRequest {
    let mut request = request(method, target, headers);
    request.path = request.path.replacen("/v1.0", "/beta", 1);
    request
}

fn write(fixture: &Fixture, method: &str, target: &str, body: &Value) -> Response {
    let mut request = beta(method, target, &[("content-type", "application/json")]);
    request.body = body.to_string().into_bytes();
    fixture.send(&request)
}

fn get(fixture: &Fixture, target: &str) -> Response {
    fixture.send(&beta("GET", target, &[]))
}

#[test]
fn paths_of_v1_are_served_in_beta_with_links_of_beta() {
    let fixture = Fixture::new();
    let (adele, engineers) = (id(ADELE), id(ENGINEERS));
    for (target, context) in [
        ("/users".to_owned(), "users".to_owned()),
        (format!("/users/{adele}"), "users/$entity".to_owned()),
        (
            format!("/users/{adele}?$select=displayName"),
            "users(displayName)/$entity".to_owned(),
        ),
        (
            format!("/users/{adele}/manager"),
            "directoryObjects/$entity".to_owned(),
        ),
        ("/groups".to_owned(), "groups".to_owned()),
        (
            format!("/groups/{engineers}/members"),
            "directoryObjects".to_owned(),
        ),
        (
            format!("/directoryObjects/{adele}"),
            "directoryObjects/$entity".to_owned(),
        ),
        ("/organization".to_owned(), "organization".to_owned()),
        (
            "/auditLogs/directoryAudits".to_owned(),
            "auditLogs/directoryAudits".to_owned(),
        ),
    ] {
        let in_beta = get(&fixture, &target);
        assert_eq!(in_beta.status, 200, "{target}: {}", in_beta.text);
        assert_eq!(
            in_beta.body["@odata.context"],
            format!("https://tenant.test/beta/$metadata#{context}"),
            "{target}"
        );
        // Everything else is that of v1.0.
        let mut stable = fixture.get(&target).body;
        stable["@odata.context"] = in_beta.body["@odata.context"].clone();
        assert_eq!(in_beta.body, stable, "{target}");
    }
    let count = beta("GET", "/users/$count", &[("consistencylevel", "eventual")]);
    assert_eq!(fixture.send(&count).text, "3");
}

#[test]
fn pages_and_delta_links_of_beta_lead_to_beta() {
    let fixture = Fixture::new();
    let first = get(&fixture, "/users?$top=2");
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let next = next.strip_prefix("https://tenant.test/beta").unwrap();
    assert_eq!(get(&fixture, next).all("displayName").len(), 1);
    // A page token belongs to its version.
    assert_eq!(fixture.get(next).status, 400);

    let round = get(&fixture, "/users/delta");
    assert_eq!(round.all("id").len(), 3);
    let link = round.body["@odata.deltaLink"].as_str().unwrap();
    let link = link.strip_prefix("https://tenant.test/beta").unwrap();
    assert_eq!(get(&fixture, link).all("id").len(), 0);
}

#[test]
fn writes_in_beta_are_those_of_v1() {
    let mut fixture = Fixture::new();
    fixture.application(&["Group.ReadWrite.All"]);
    let group = json!({
        "displayName": "Writers", "mailEnabled": false, "mailNickname": "writers", "securityEnabled": true
    });
    let created = write(&fixture, "POST", "/groups", &group);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(
        created.body["@odata.context"],
        "https://tenant.test/beta/$metadata#groups/$entity"
    );
    let one = format!("/groups/{}", created.body["id"].as_str().unwrap());
    let change = json!({"description": "Authors"});
    assert_eq!(write(&fixture, "PATCH", &one, &change).status, 204);
    let reference =
        json!({"@odata.id": format!("https://graph.microsoft.com/beta/users/{}", id(ADELE))});
    let added = write(&fixture, "POST", &format!("{one}/members/$ref"), &reference);
    assert_eq!(added.status, 204, "{}", added.text);
    assert_eq!(fixture.get(&one).body["description"], "Authors");
    assert_eq!(fixture.send(&beta("DELETE", &one, &[])).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
}

#[test]
fn beta_takes_the_permissions_of_v1() {
    let mut fixture = Fixture::new();
    fixture.application(&["Device.Read.All"]);
    assert_eq!(get(&fixture, "/users").status, 403);
    assert_eq!(get(&fixture, "/devices").status, 200);
    let missing = fixture.reply(&beta("GET", "/users", &[]), Err(TokenProblem::Missing));
    assert_eq!(missing.status, 401);
}

#[test]
fn a_wrong_method_in_beta_is_405_with_the_right_ones() {
    let fixture = Fixture::new();
    for (method, target, allowed) in [
        ("DELETE", "/users", "GET, POST"),
        ("PUT", "/directoryObjects/getByIds", "POST"),
        ("POST", "/$metadata", "GET"),
    ] {
        let response = write(&fixture, method, target, &json!({}));
        assert_eq!(response.status, 405, "{method} {target}: {}", response.text);
        assert_eq!(response.header("allow"), Some(allowed), "{target}");
    }
}

#[test]
fn a_path_that_only_beta_has_is_not_supported() {
    let fixture = Fixture::new();
    for target in [
        "/colours",
        "/users/adele@contoso.com/colours",
        "/identityGovernance/privilegedAccess",
        "/auditLogs/signIns/$count",
    ] {
        let response = get(&fixture, target);
        let (status, code, message) = response.error();
        assert_eq!((status, code), (501, "NotImplemented"), "{target}");
        assert!(message.contains(&format!("GET /beta{target}")), "{message}");
    }
}
