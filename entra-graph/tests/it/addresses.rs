//! Where requests go: to the object that the caller named, or nowhere.

use entra_core::{ScriptedTransport, http::Method};
use entra_graph::{ErrorKind, Key, Reference};

use crate::scripts::{ROOT, client};

/// The only request of a script.
fn sent(script: &ScriptedTransport) -> String {
    let requests = script.requests();
    assert_eq!(requests.len(), 1);
    requests[0].uri().to_string()
}

/// Texts that a URL would read as another segment, as its parent, or as nothing.
const NO_SEGMENTS: [&str; 12] = [
    "", " ", ".", "..", "\t..", ".\t.", ".\n.", "\r", "a\tb", "a\n", "\0", "a\u{85}b",
];

#[tokio::test]
async fn an_id_that_a_url_would_change_is_an_error_before_sending() {
    for id in NO_SEGMENTS {
        let script = ScriptedTransport::new();
        let graph = client(script.clone());
        let members = graph.group("g").members();
        let errors = [
            graph.user(id).delete().send().await.unwrap_err(),
            graph
                .group(id)
                .members()
                .remove("a")
                .send()
                .await
                .unwrap_err(),
            members.add(id).send().await.unwrap_err(),
            members.remove(id).send().await.unwrap_err(),
            members
                .remove(Reference::user(id))
                .send()
                .await
                .unwrap_err(),
            members.add_all([id]).await.unwrap_err(),
            graph.user("a").manager().set(id).send().await.unwrap_err(),
            graph
                .application(Key::unique_name(id))
                .delete()
                .send()
                .await
                .unwrap_err(),
            graph
                .user("a")
                .app_role_assignments()
                .delete(id)
                .send()
                .await
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Query, "{id:?}: {error}");
        }
        assert!(script.requests().is_empty(), "{id:?}");
    }
}

#[tokio::test]
async fn every_other_character_of_an_id_is_sent_encoded() {
    for (id, expected) in [
        ("a/b", "a%2Fb"),
        ("a?b", "a%3Fb"),
        (
            "adele_example.com#EXT#@contoso.com",
            "adele_example.com%23EXT%23@contoso.com",
        ),
        ("100%", "100%25"),
        ("%2e%2e", "%252e%252e"),
        ("a\\b", "a%5Cb"),
        ("é", "%C3%A9"),
        ("...", "..."),
    ] {
        let script = ScriptedTransport::new().then(204, &[], "");
        client(script.clone())
            .user(id)
            .delete()
            .send()
            .await
            .unwrap();
        assert_eq!(sent(&script), format!("{ROOT}/users/{expected}"));
    }
}

#[tokio::test]
async fn a_raw_path_that_a_url_would_change_is_an_error_before_sending() {
    for path in [
        "/users/adele_example.com#EXT#@contoso.com",
        "/users?$filter=displayName eq '#1'",
        "/users/../groups/1",
        "/users/%2E%2e/groups/1",
        "/users/.",
        "/users/a/..?x=y",
        "/users/a\\..\\b",
        "/users/a\tb",
        "/users/a\n",
        "\t/users",
        "https://graph.example.com/v1.0/users/../groups",
        "https://graph.example.com/v1.0/users#x",
    ] {
        let script = ScriptedTransport::new();
        let raw = client(script.clone()).raw(Method::DELETE, path);
        let error = raw.bytes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{path:?}: {error}");
        assert!(!error.to_string().contains("displayName"), "{error}");
        assert!(script.requests().is_empty(), "{path:?}");
    }
}

#[tokio::test]
async fn an_address_in_a_raw_query_or_key_is_not_a_whole_address() {
    for (path, expected) in [
        (
            "/applications?$filter=identifierUris/any(u:u eq 'api://desk')",
            "/applications?$filter=identifierUris/any(u:u%20eq%20%27api://desk%27)",
        ),
        (
            "/x(url='https://a.example/b')",
            "/x(url='https://a.example/b')",
        ),
    ] {
        let script = ScriptedTransport::new().then(200, &[], "{}");
        client(script.clone())
            .raw(Method::GET, path)
            .bytes()
            .await
            .unwrap();
        assert_eq!(sent(&script), format!("{ROOT}{expected}"));
    }
}

#[tokio::test]
async fn a_link_with_a_user_name_or_password_is_not_followed() {
    for userinfo in ["user:password@", "user@", ":password@"] {
        let url = format!("https://{userinfo}graph.example.com/v1.0/users");
        let script = ScriptedTransport::new();
        let error = client(script.clone())
            .raw(Method::GET, url)
            .bytes()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy);
        assert!(
            !format!("{error:#} {error:?}").contains("password@"),
            "{error:?}"
        );
        let page = format!(
            r#"{{"value":[],"@odata.nextLink":"https://{userinfo}graph.example.com/v1.0/users"}}"#
        );
        let script = script.then(200, &[], page);
        let mut users = client(script.clone()).users().list().items();
        assert_eq!(
            users.try_next().await.unwrap_err().kind(),
            ErrorKind::Policy
        );
        assert_eq!(script.requests().len(), 1);
    }
}
