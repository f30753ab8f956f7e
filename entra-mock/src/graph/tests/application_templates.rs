use super::*;

const TEMPLATES: &str = "/applicationTemplates";
const CUSTOM: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
const TOOLKIT: &str = "229946b9-a9fb-45b8-9531-efa47453ac9e";

fn with(permission: &str) -> Fixture {
    let mut fixture = Fixture::new();
    fixture.application(&[permission]);
    fixture.caller.service_principal_id = Some(id(DESK));
    fixture
}

fn instantiate(fixture: &Fixture, template: &str) -> Response {
    fixture.post(
        &format!("{TEMPLATES}/{template}/instantiate"),
        &json!({"displayName": "Shop"}),
    )
}

#[test]
fn the_gallery_is_read_with_any_token() {
    let mut fixture = Fixture::new();
    fixture.application(&[]);
    let all = fixture.get(TEMPLATES);
    assert!(all.all("id").contains(&CUSTOM));
    let one = fixture.get(&format!("{TEMPLATES}/{TOOLKIT}"));
    assert_eq!(one.body["supportedSingleSignOnModes"], json!(["saml"]));
    for (query, expected) in [
        ("$filter=contains(displayName, 'SAML')", 1),
        ("$filter=categories/any(c:contains(c, 'crm'))", 1),
        ("$filter=displayName eq 'Custom'", 1),
        ("$filter=displayName eq 'None'", 0),
        ("$top=1&$orderby=displayName", 1),
    ] {
        let found = fixture.get(&format!("{TEMPLATES}?{query}"));
        assert_eq!(found.all("id").len(), expected, "{query}");
    }
    let unsupported = fixture.get(&format!("{TEMPLATES}?$filter=publisher eq 'x'"));
    assert_eq!(unsupported.status, 400);
    assert_eq!(fixture.get(&format!("{TEMPLATES}/{}", id(9))).status, 404);
    assert_eq!(fixture.post(TEMPLATES, &json!({})).status, 405);
    assert_eq!(instantiate(&fixture, CUSTOM).status, 403);
}

#[test]
fn an_instance_is_an_application_with_its_service_principal() {
    let fixture = with("Application.ReadWrite.All");
    let response = instantiate(&fixture, TOOLKIT);
    assert_eq!(response.status, 201, "{}", response.text);
    let context = response.body["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("#microsoft.graph.applicationServicePrincipal"));
    let (app, principal) = (
        &response.body["application"],
        &response.body["servicePrincipal"],
    );
    assert_eq!(app["displayName"], "Shop");
    assert_eq!(app["applicationTemplateId"], TOOLKIT);
    assert_eq!(principal["applicationTemplateId"], TOOLKIT);
    assert_eq!(principal["appId"], app["appId"]);
    assert_eq!(principal["appRoleAssignmentRequired"], true);
    assert!(app.get("@odata.context").is_none());
    for (set, part) in [("applications", app), ("servicePrincipals", principal)] {
        let read = fixture.get(&format!("/{set}/{}", part["id"].as_str().unwrap()));
        assert_eq!(read.body["displayName"], "Shop");
    }
    let custom = instantiate(&fixture, CUSTOM);
    let tags = &custom.body["servicePrincipal"]["tags"];
    assert!(tags.to_string().contains("CustomSingleSignOn"));
    // A display name does not have to be unique.
    assert_eq!(instantiate(&fixture, TOOLKIT).status, 201);
}

#[test]
fn an_application_that_may_write_its_own_owns_both_parts() {
    let fixture = with("Application.ReadWrite.OwnedBy");
    let response = instantiate(&fixture, CUSTOM);
    assert_eq!(response.status, 201, "{}", response.text);
    for (set, part) in [
        ("applications", "application"),
        ("servicePrincipals", "servicePrincipal"),
    ] {
        let one = format!("/{set}/{}", response.body[part]["id"].as_str().unwrap());
        assert_eq!(
            fixture.get(&format!("{one}/owners")).all("id"),
            [id(DESK).as_str()]
        );
        assert_eq!(fixture.patch(&one, &json!({"notes": "mine"})).status, 204);
    }
}

#[test]
fn an_instance_needs_a_name_and_a_template() {
    let fixture = with("Application.ReadWrite.All");
    let before = fixture.snapshot();
    let target = format!("{TEMPLATES}/{CUSTOM}/instantiate");
    for body in [
        json!({}),
        json!({"displayName": ""}),
        json!({"displayName": 5}),
        json!({"displayName": "Shop", "colour": "red"}),
    ] {
        assert_eq!(fixture.post(&target, &body).status, 400, "{body}");
    }
    assert_eq!(instantiate(&fixture, &id(9)).status, 404);
    assert_eq!(fixture.snapshot(), before);
}
