//! The service document and the metadata.

use super::*;

#[test]
fn the_service_document_lists_what_is_at_the_root_and_needs_no_token() {
    let fixture = Fixture::new();
    for (path, version) in [("/v1.0", "v1.0"), ("/v1.0/", "v1.0"), ("/beta/", "beta")] {
        let mut request = request("GET", "", &[]);
        request.path = path.into();
        let response = Response::of(fixture.reply(&request, Err(TokenProblem::Missing)));
        assert_eq!(response.status, 200, "{path}: {}", response.text);
        assert_eq!(
            response.body["@odata.context"],
            format!("https://tenant.test/{version}/$metadata")
        );
        let items = response.body["value"].as_array().unwrap();
        for expected in [
            json!({"name": "users", "kind": "EntitySet", "url": "users"}),
            json!({"name": "directoryObjects", "kind": "EntitySet", "url": "directoryObjects"}),
            json!({"name": "me", "kind": "Singleton", "url": "me"}),
            json!({"name": "auditLogs", "kind": "Singleton", "url": "auditLogs"}),
        ] {
            assert!(items.contains(&expected), "{expected}");
        }
    }
}

#[test]
fn the_metadata_is_xml_and_needs_no_token() {
    let fixture = Fixture::new();
    for path in ["/v1.0/$metadata", "/v1.0/%24metadata", "/beta/$Metadata"] {
        let mut request = request("GET", "", &[]);
        request.path = path.into();
        let response = Response::of(fixture.reply(&request, Err(TokenProblem::Missing)));
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.header("content-type"), Some("application/xml"));
        assert_eq!(response.header("odata-version"), Some("4.0"));
        assert!(response.text.starts_with("<?xml"), "{path}");
        let beta = response.text.contains("Name=\"signInEventTypes\"");
        assert_eq!(beta, path.starts_with("/beta"), "{path}");
    }
}

#[test]
fn the_documents_are_read_only() {
    let fixture = Fixture::new();
    for path in ["/", "/$metadata"] {
        let response = fixture.post(path, &json!({}));
        assert_eq!(response.status, 405, "{path}: {}", response.text);
        assert_eq!(response.header("allow"), Some("GET"), "{path}");
    }
}
