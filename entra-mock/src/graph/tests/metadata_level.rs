use super::*;

fn accepting(fixture: &Fixture, target: &str, accept: &str) -> Response {
    fixture.send(&request("GET", target, &[("accept", accept)]))
}

const NONE: &str = "application/json;odata.metadata=none";

#[test]
fn without_metadata_only_links_and_counts_of_odata_are_left() {
    let fixture = Fixture::new();
    let page = accepting(&fixture, "/users?$top=1", NONE);
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.body.get("@odata.context").is_none(), "{}", page.text);
    assert!(page.body["@odata.nextLink"].is_string(), "{}", page.text);
    assert!(
        page.header("content-type")
            .unwrap()
            .contains("odata.metadata=none")
    );
    let members = format!("/groups/{}/members", id(ENGINEERS));
    let typed = fixture.get(&members);
    assert!(typed.text.contains("@odata.type"), "{}", typed.text);
    let bare = accepting(&fixture, &members, "application/json; ODATA.metadata=NONE");
    assert!(!bare.text.contains("@odata"), "{}", bare.text);
    assert_eq!(bare.all("id").len(), typed.all("id").len());
    let counted = fixture.send(&request(
        "GET",
        "/users?$count=true",
        &[("accept", NONE), ("consistencylevel", "eventual")],
    ));
    assert_eq!(counted.body["@odata.count"], 3);
    let delta = accepting(&fixture, "/users/delta", NONE);
    assert!(delta.body["@odata.deltaLink"].is_string(), "{}", delta.text);
    let one = accepting(&fixture, "/users/adele@contoso.com", NONE);
    assert!(!one.text.contains("@odata"), "{}", one.text);
    assert_eq!(one.body["displayName"], "Adele");
}

#[test]
fn every_other_accept_header_gets_minimal_metadata() {
    let fixture = Fixture::new();
    for accept in [
        "",
        "*/*",
        "application/json",
        "application/json;odata.metadata=minimal",
        "text/odata.metadata=none",
    ] {
        let page = accepting(&fixture, "/users", accept);
        assert!(page.body["@odata.context"].is_string(), "{accept}");
        assert!(
            page.header("content-type")
                .unwrap()
                .contains("odata.metadata=minimal")
        );
    }
}

#[test]
fn json_of_graph_names_the_version_of_odata() {
    let mut fixture = Fixture::new();
    fixture.application(&["User.ReadWrite.All"]);
    for target in [
        "/users",
        "/users/adele@contoso.com",
        "/users/delta",
        "/nonsense",
    ] {
        let response = fixture.get(target);
        assert_eq!(response.header("odata-version"), Some("4.0"), "{target}");
    }
    let batch = fixture.post(
        "/$batch",
        &json!({"requests": [
            {"id": "1", "method": "GET", "url": "/users"},
            {"id": "2", "method": "DELETE", "url": "/users/adele@contoso.com"}
        ]}),
    );
    assert_eq!(batch.header("odata-version"), Some("4.0"));
    let items = batch.body["responses"].as_array().unwrap();
    assert_eq!(items[0]["headers"]["OData-Version"], "4.0");
    assert!(
        items[1]["headers"].get("OData-Version").is_none(),
        "no body"
    );
}
