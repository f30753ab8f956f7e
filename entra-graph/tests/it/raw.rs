//! Raw requests use the same send path as all others.

use entra_core::{
    ScriptedTransport, TransportError,
    http::{HeaderValue, Method, header},
};
use entra_graph::{ErrorKind, IntoRequest, User};
use serde_json::{Value, json};

use crate::scripts::{ROOT, client, client_with_token, is_advanced};

#[tokio::test]
async fn raw_requests_go_to_the_clients_host_only() {
    let table = [
        ("/users", "/v1.0/users"),
        ("users?$top=1", "/v1.0/users?$top=1"),
        ("/beta/users", "/beta/users"),
        ("/v1.0/me", "/v1.0/me"),
        ("https://graph.example.com/beta/x?a=b", "/beta/x?a=b"),
        ("//evil.example/x", "/v1.0/evil.example/x"),
    ];
    for (path, expected) in table {
        let script = ScriptedTransport::new().then(200, &[], "{}");
        client(script.clone())
            .raw(Method::GET, path)
            .bytes()
            .await
            .unwrap();
        let requests = script.requests();
        assert_eq!(requests[0].uri().host(), Some("graph.example.com"));
        assert_eq!(
            requests[0].uri().path_and_query().unwrap().as_str(),
            expected,
            "{path}"
        );
        assert!(requests[0].headers().contains_key("authorization"));
    }
    for path in [
        "https://evil.example/v1.0/users",
        "http://graph.example.com/v1.0/users",
    ] {
        let script = ScriptedTransport::new();
        let error = client(script.clone())
            .raw(Method::GET, path)
            .bytes()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy, "{path}");
        assert!(script.requests().is_empty());
    }
}

#[tokio::test]
async fn options_headers_and_bodies_are_sent_as_given() {
    let script = ScriptedTransport::new()
        .then(201, &[], r#"{"id":"1"}"#)
        .then(200, &[], "{}");
    let graph = client(script.clone());
    let created: Value = graph
        .raw(Method::POST, "/invitations")
        .beta()
        .query("$select", "a b&c")
        .header(header::IF_MATCH, HeaderValue::from_static("*"))
        .advanced()
        .body_json(&json!({ "x": 1 }))
        .json()
        .await
        .unwrap();
    assert_eq!(created["id"], "1");
    let request = &script.requests()[0];
    assert_eq!(
        request.uri().path_and_query().unwrap().as_str(),
        "/beta/invitations?$select=a%20b%26c"
    );
    assert_eq!(request.headers()["if-match"], "*");
    assert!(is_advanced(request));
    assert_eq!(&request.body()[..], br#"{"x":1}"#);
    let put = graph.raw(Method::PUT, "/me/photo/$value");
    put.body(HeaderValue::from_static("image/png"), &b"\x89PNG"[..])
        .send()
        .await
        .unwrap();
    assert_eq!(script.requests()[1].headers()["content-type"], "image/png");
}

#[tokio::test]
async fn a_list_is_paged_and_resumed() {
    let first = format!(r#"{{"value":[1,2],"@odata.nextLink":"{ROOT}/things?page=2"}}"#);
    let script = ScriptedTransport::new()
        .then(200, &[], first)
        .then(200, &[], r#"{"value":[3]}"#)
        .then(200, &[], r#"{"value":[3]}"#);
    let graph = client(script);
    let mut items = graph.raw(Method::GET, "/things").items::<i64>();
    let mut seen = Vec::new();
    seen.extend(items.try_next().await.unwrap());
    seen.extend(items.try_next().await.unwrap());
    let token = items.resume_token().unwrap();
    seen.extend(items.try_collect::<Vec<_>>().await.unwrap());
    assert_eq!(seen, [1, 2, 3]);
    let rest: Vec<i64> = graph
        .resume_raw::<i64>(&token)
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(rest, [3]);
    assert!(graph.resume::<entra_graph::User>(&token).is_err());
}

#[tokio::test]
async fn errors_are_those_of_every_request() {
    let denied = r#"{"error":{"code":"Authorization_RequestDenied","message":"m"}}"#;
    let inside = r#"{"value":[],"error":{"code":"UnknownError"}}"#;
    let script = ScriptedTransport::new()
        .then(403, &[("request-id", "r-1")], denied)
        .then(200, &[], inside)
        .then(200, &[], r#"{"a":{"b":"x"}}"#)
        .then_fail(TransportError::interrupted("reset"));
    let graph = client(script.clone());
    let error = graph
        .raw(Method::POST, "/beta/things")
        .bytes()
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("403 Authorization_RequestDenied on POST /beta/things"),
        "{error}"
    );
    assert_eq!(error.request_id(), Some("r-1"));
    let error = graph
        .raw(Method::GET, "/things")
        .json::<Value>()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("UnknownError"));
    #[derive(Debug, serde::Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "decoding it fails")]
        a: std::collections::HashMap<String, i64>,
    }
    let error = graph
        .raw(Method::GET, "/things")
        .json::<Outer>()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("a.b"), "{error}");
    // A POST that may have been processed is not sent again.
    graph
        .raw(Method::POST, "/things")
        .bytes()
        .await
        .unwrap_err();
    assert_eq!(script.requests().len(), 4);
}

/// roles: `Group.Read.All`
const READS_GROUPS: &str = "e30.eyJyb2xlcyI6WyJHcm91cC5SZWFkLkFsbCJdfQ.sig";
const DENIED: &str = r#"{"error":{"code":"Authorization_RequestDenied","message":"m"}}"#;

#[tokio::test]
async fn a_403_names_the_permissions_of_the_operation_with_that_method_and_path() {
    let page = format!(r#"{{"value":[{{}}],"@odata.nextLink":"{ROOT}/users?$skiptoken=2"}}"#);
    let parts = format!(
        r#"{{"responses":[{{"id":"0","status":403,"body":{DENIED}}},{{"id":"1","status":204}}]}}"#
    );
    let script = ScriptedTransport::new()
        .then(403, &[], DENIED)
        .then(403, &[], DENIED)
        .then(200, &[], page)
        .then(403, &[], DENIED)
        .then(403, &[], DENIED)
        .then(200, &[], parts);
    let graph = client_with_token(script, READS_GROUPS);
    let get = |path: &str| graph.raw(Method::GET, path);
    let mut errors = vec![
        get("/users").send().await.unwrap_err(),
        get("/beta/Users/$count").bytes().await.unwrap_err(),
    ];
    let mut items = get("/users").items::<Value>();
    items.try_next().await.unwrap();
    let token = items.resume_token().unwrap();
    errors.push(items.try_next().await.unwrap_err());
    let mut rest = graph.resume_raw::<Value>(&token).unwrap();
    errors.push(rest.try_next().await.unwrap_err());
    let mut batch = graph.batch();
    let entry = batch.add(get("/users"));
    batch.add(get("/things"));
    let responses = batch.send().await.unwrap();
    errors.push(responses.get(entry).unwrap_err());
    for error in errors {
        assert_eq!(
            error.needed_permissions(),
            ["User.Read.All", "Directory.Read.All"]
        );
        let lines = "the token has roles: Group.Read.All; \
            needs one of (application): User.Read.All, Directory.Read.All";
        assert!(error.to_string().contains(lines), "{error}");
    }
}

#[tokio::test]
async fn a_403_of_a_body_names_the_permission_of_its_properties() {
    let script = ScriptedTransport::new()
        .then(403, &[], DENIED)
        .then(403, &[], DENIED)
        .then(403, &[], DENIED);
    let graph = client_with_token(script, READS_GROUPS);
    let cases: [(&str, Value, &[&str]); 3] = [
        (
            "/users/1",
            json!({ "passwordProfile": {} }),
            &["User-PasswordProfile.ReadWrite.All"],
        ),
        (
            "/groups/1",
            json!({ "members@odata.bind": [] }),
            &[
                "GroupMember.ReadWrite.All",
                "Group.ReadWrite.All",
                "Directory.ReadWrite.All",
            ],
        ),
        // This crate knows no such operation.
        ("/things/1", json!({ "passwordProfile": {} }), &[]),
    ];
    for (path, body, expected) in cases {
        let patch = graph.raw(Method::PATCH, path).body_json(&body);
        let error = patch.send().await.unwrap_err();
        assert_eq!(error.needed_permissions(), expected, "{path}");
    }
}

#[tokio::test]
async fn raw_requests_go_into_a_batch() {
    let responses =
        r#"{"responses":[{"id":"0","status":200,"body":{"x":1}},{"id":"1","status":204}]}"#;
    let script = ScriptedTransport::new().then(200, &[], responses);
    let graph = client(script.clone());
    let mut batch = graph.batch();
    let typed = batch.add(graph.raw(Method::GET, "/beta/things?a=b").typed::<Value>());
    let raw = batch.add(graph.raw(Method::DELETE, "/beta/things/1"));
    let other = batch.add(graph.raw(Method::GET, "/things"));
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(typed).unwrap()["x"], 1);
    assert_eq!(responses.get(raw).unwrap().status, 204);
    assert_eq!(responses.get(other).unwrap_err().kind(), ErrorKind::Query);
    let sent = &script.requests()[0];
    assert_eq!(sent.uri().path(), "/beta/$batch");
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(body["requests"][0]["url"], "/things?a=b");
}

#[tokio::test]
async fn a_method_is_given_by_name_and_an_invalid_one_is_not_sent() {
    let script = ScriptedTransport::new().then(200, &[], "{}");
    let graph = client(script.clone());
    graph.raw("GET", "/users").send().await.unwrap();
    let error = graph.raw("GE T", "/users").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(error.to_string().contains("no such method"), "{error}");
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn the_last_consistency_level_counts() {
    let name = header::HeaderName::from_static("consistencylevel");
    for (levels, expected) in [
        (["session", "eventual"], "eventual"),
        (["eventual", "session"], "session"),
    ] {
        let script = ScriptedTransport::new().then(200, &[], r#"{"value":[]}"#);
        let mut raw = client(script.clone()).raw("GET", "/users");
        for level in levels {
            raw = raw.header(name.clone(), HeaderValue::from_static(level));
        }
        raw.send().await.unwrap();
        let requests = script.requests();
        let sent: Vec<_> = requests[0].headers().get_all(&name).iter().collect();
        assert_eq!(sent, [expected]);
    }
}

#[tokio::test]
async fn a_resumed_list_is_an_advanced_query_though_a_header_said_so() {
    let first = format!(r#"{{"value":[{{"id":"1"}}],"@odata.nextLink":"{ROOT}/users?page=2"}}"#);
    let name = header::HeaderName::from_static("consistencylevel");
    for level in ["eventual", "Eventual"] {
        let script = ScriptedTransport::new()
            .then(200, &[], first.clone())
            .then(200, &[], r#"{"value":[]}"#)
            .then(200, &[], first.clone())
            .then(200, &[], r#"{"value":[]}"#);
        let graph = client(script.clone());
        let value = HeaderValue::from_str(level).unwrap();
        let raw = graph
            .raw("GET", "/users")
            .header(name.clone(), value.clone());
        let mut items = raw.items::<Value>();
        items.try_next().await.unwrap();
        let token = items.resume_token().unwrap();
        let rest = graph.resume_raw::<Value>(&token).unwrap();
        rest.try_collect::<Vec<_>>().await.unwrap();

        let list = graph.users().list().into_request();
        let mut items = list.header(name.clone(), value).items();
        items.try_next().await.unwrap();
        let token = items.resume_token().unwrap();
        let rest = graph.resume::<User>(&token).unwrap();
        rest.try_collect::<Vec<_>>().await.unwrap();
        for request in script.requests() {
            assert!(is_advanced(&request), "{level} {}", request.uri());
            assert_eq!(request.headers().get_all(&name).iter().count(), 1);
        }
    }
}
