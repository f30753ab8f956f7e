//! Reading `$ref`, and casts with and without an advanced query.

use super::*;

fn addresses(response: &Response) -> Vec<String> {
    let items = response.body["value"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            assert_eq!(item.as_object().unwrap().len(), 1, "{item}");
            item["@odata.id"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn references_are_the_addresses_of_the_related_objects() {
    let mut fixture = Fixture::new();
    let tenant = fixture.state().tenant_id;
    let address = |number: u32, name: &str| {
        format!(
            "http://localhost/v2/{tenant}/directoryObjects/{}/Microsoft.DirectoryServices.{name}",
            id(number)
        )
    };
    let base = fixture.get("/users").body["@odata.context"].clone();
    let base = base
        .as_str()
        .unwrap()
        .split("/v1.0")
        .next()
        .unwrap()
        .to_owned();
    let address = |number, name: &str| address(number, name).replace("http://localhost", &base);
    let members = fixture.get(&format!("/groups/{}/members/$ref", id(ENGINEERS)));
    assert_eq!(members.status, 200, "{}", members.text);
    let mut found = addresses(&members);
    found.sort();
    let expected = [
        address(ADELE, "User"),
        address(TESTERS, "Group"),
        address(LAPTOP, "Device"),
    ];
    assert_eq!(found, expected);
    let context = members.body["@odata.context"].as_str().unwrap();
    assert!(
        context.ends_with("/$metadata#Collection($ref)"),
        "{context}"
    );

    let page = fixture.get(&format!("/groups/{}/members/$ref?$top=2", id(ENGINEERS)));
    assert_eq!(addresses(&page).len(), 2);
    let next = page.body["@odata.nextLink"].as_str().unwrap();
    let rest = next.split_once("/v1.0").unwrap().1;
    assert_eq!(addresses(&fixture.get(rest)).len(), 1);

    for (path, number) in [
        (format!("/groups/{}/owners/$ref", id(ENGINEERS)), BO),
        (
            format!("/devices/{}/registeredUsers/$ref", id(LAPTOP)),
            ADELE,
        ),
    ] {
        assert_eq!(
            addresses(&fixture.get(&path)),
            [address(number, "User")],
            "{path}"
        );
    }
    let manager = fixture.get(&format!("/users/{}/manager/$ref", id(ADELE)));
    assert_eq!(manager.body["@odata.id"], address(BO, "User"));
    let none = fixture.get(&format!("/users/{}/manager/$ref", id(CLEO)));
    assert_eq!(none.status, 404);
    fixture.application(&["AuditLog.Read.All"]);
    let denied = fixture.get(&format!("/groups/{}/members/$ref", id(ENGINEERS)));
    assert_eq!(denied.status, 403);
}

#[test]
fn a_cast_needs_an_advanced_query_unless_the_switch_is_on() {
    let mut fixture = Fixture::new();
    fixture.adele(&["Directory.Read.All"]);
    let cast = "/me/memberOf/microsoft.graph.group";
    assert_eq!(fixture.get(cast).status, 400);
    let advanced = fixture.eventual(&format!("{cast}?$count=true"));
    assert_eq!(advanced.all("displayName"), ["Engineers"]);
    fixture.state().plain_casts = true;
    assert_eq!(fixture.get(cast).all("displayName"), ["Engineers"]);
}

#[test]
fn the_policies_of_an_application_are_readable_below_it_and_by_expand() {
    let mut fixture = Fixture::new();
    for object in [
        format!("/applications/{}", id(DESK_APP)),
        format!("/servicePrincipals/{}", id(DESK)),
    ] {
        for (permissions, status) in [
            (&["Application.Read.All", "Policy.Read.All"][..], 200),
            (&["Application.Read.All"][..], 403),
        ] {
            fixture.application(permissions);
            let listed = fixture.get(&format!("{object}/appManagementPolicies"));
            assert_eq!(listed.status, status, "{}", listed.text);
            let expanded = fixture.get(&format!("{object}?$expand=appManagementPolicies"));
            assert_eq!(expanded.status, status, "{}", expanded.text);
        }
    }
}

#[test]
fn a_link_is_removed_by_the_id_in_the_query_too() {
    let mut fixture = Fixture::new();
    fixture.application(&[
        "Group.ReadWrite.All",
        "Device.ReadWrite.All",
        "AuditLog.Read.All",
    ]);
    let members = format!("/groups/{}/members/$ref", id(ENGINEERS));
    let url = |number: u32| {
        format!(
            "https%3A%2F%2Fgraph.microsoft.com%2Fv1.0%2FdirectoryObjects%2F{}",
            id(number)
        )
    };
    let before = fixture.snapshot();
    // Without an id, Graph has no such method there; a relative URL is invalid.
    assert_eq!(fixture.delete(&members).status, 405);
    assert_eq!(fixture.delete(&format!("{members}?@id=x")).status, 400);
    assert_eq!(fixture.snapshot(), before);
    for (number, option) in [(ADELE, "@id"), (TESTERS, "$id"), (LAPTOP, "%40id")] {
        let target = format!("{members}?{option}={}", url(number));
        let response = fixture.delete(&target);
        assert_eq!(response.status, 204, "{target}: {}", response.text);
        assert_eq!(fixture.delete(&target).status, 400, "{target}");
    }
    let left = fixture.get(&format!("/groups/{}/members", id(ENGINEERS)));
    assert_eq!(left.all("id"), [""; 0]);
    // The last owner stays, whichever form the request has.
    let owner = format!("/groups/{}/owners/$ref?@id={}", id(ENGINEERS), url(BO));
    let response = fixture.delete(&owner);
    assert!(
        response.error().2.contains("at least one owner"),
        "{}",
        response.text
    );
}
