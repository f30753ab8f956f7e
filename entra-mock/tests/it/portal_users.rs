//! The forms of the portal that add and change users.

use entra_mock::Server;
use serde_json::Value;

use crate::{
    portal::Browser,
    support::{GRAPH_SCOPE, Response, fetch, http},
};

/// The users as the control API lists them.
async fn users(browser: &Browser) -> Vec<Value> {
    let url = format!("{}/users", browser.server.control_uri());
    let token = browser.server.control_token().expose_secret();
    let listed = fetch(http().get(url).bearer_auth(token)).await;
    listed.body["value"].as_array().unwrap().clone()
}

async fn user(browser: &Browser, upn: &str) -> Value {
    let users = users(browser).await;
    let mut found = users
        .into_iter()
        .filter(|user| user["userPrincipalName"] == upn);
    found.next().unwrap_or_default()
}

/// A token request with the password of a user.
async fn sign_in(browser: &Browser, upn: &str, password: &str) -> Response {
    let server = &browser.server;
    let form = [
        ("grant_type", "password"),
        ("client_id", server.client_id()),
        ("client_secret", server.client_secret().expose_secret()),
        ("scope", GRAPH_SCOPE),
        ("username", upn),
        ("password", password),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", server.uri(), server.tenant_id());
    fetch(http().post(url).form(&form)).await
}

const ADELE: &str = "adele@contoso.com";

#[tokio::test]
async fn a_user_is_added_with_a_password_that_no_page_shows() {
    let browser = Browser::at(Server::builder().portal_write(true)).await;
    let list = browser.get("/directory").await;
    assert!(list.text.contains("Add the user"), "{}", list.text);
    let form = [
        ("change", "add"),
        ("displayName", "Ida <b>Example</b>"),
        ("password", "canary-81f2-Password"),
    ];
    let added = browser.post_to("/user", &form).await;
    assert_eq!(added.status, 200, "{}", added.text);
    assert!(added.text.contains("role=\"status\"") && !added.text.contains("<b>Example"));
    let users = users(&browser).await;
    let ida = users
        .iter()
        .find(|user| user["displayName"] == "Ida <b>Example</b>")
        .unwrap();
    let page = browser
        .get(&format!("/object?id={}", ida["id"].as_str().unwrap()))
        .await;
    for text in [added.text, page.text] {
        assert!(!text.contains("canary-81f2"), "{text}");
    }
    let upn = ida["userPrincipalName"].as_str().unwrap();
    let token = sign_in(&browser, upn, "canary-81f2-Password").await;
    assert_eq!(token.status, 200, "{}", token.text);

    for missing in ["displayName", "password"] {
        let form: Vec<_> = form
            .into_iter()
            .filter(|(name, _)| *name != missing)
            .collect();
        let rejected = browser.post_to("/user", &form).await;
        assert_eq!(rejected.status, 400, "{missing}");
        assert!(
            rejected.text.contains("role=\"alert\""),
            "{}",
            rejected.text
        );
    }
}

#[tokio::test]
async fn each_form_of_a_user_changes_that_user() {
    let browser = Browser::at(Server::builder().portal_write(true)).await;
    let adele = user(&browser, ADELE).await;
    let id = adele["id"].as_str().unwrap().to_owned();
    let send = async |change: &str, fields: &[(&str, &str)]| {
        let mut form = vec![("change", change), ("id", id.as_str())];
        form.extend_from_slice(fields);
        let page = browser.post_to("/user", &form).await;
        assert_eq!(page.status, 200, "{change}: {}", page.text);
        assert!(page.text.contains("role=\"status\""), "{change}");
        page.text
    };

    let page = send("disable", &[]).await;
    assert!(page.contains("Enable the account"), "{page}");
    assert_eq!(user(&browser, ADELE).await["accountEnabled"], false);
    send("enable", &[]).await;
    assert_eq!(user(&browser, ADELE).await["accountEnabled"], true);

    send("set", &[("jobTitle", "Director"), ("department", "")]).await;
    let changed = user(&browser, ADELE).await;
    assert_eq!(changed["jobTitle"], "Director");
    assert!(changed["department"].is_null());

    let page = send("password", &[("password", "canary-93bd-Password")]).await;
    assert!(!page.contains("canary-93bd"), "{page}");
    let token = sign_in(&browser, ADELE, "canary-93bd-Password").await;
    assert_eq!(token.status, 200, "{}", token.text);

    let hour = [("change", "advance"), ("hours", "1")];
    assert_eq!(browser.post_to("/settings", &hour).await.status, 200);
    let before = user(&browser, ADELE).await["signInSessionsValidFromDateTime"].clone();
    send("revoke", &[]).await;
    let after = user(&browser, ADELE).await["signInSessionsValidFromDateTime"].clone();
    assert_ne!(before, after);

    send("delete", &[]).await;
    assert!(user(&browser, ADELE).await.is_null());
    let gone = browser
        .post_to("/user", &[("change", "enable"), ("id", &id)])
        .await;
    assert_eq!(gone.status, 404, "{}", gone.text);
}

#[tokio::test]
async fn a_read_only_portal_changes_no_user() {
    let browser = Browser::at(Server::builder()).await;
    let before = users(&browser).await;
    let id = user(&browser, ADELE).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in ["/directory".to_owned(), format!("/object?id={id}")] {
        let page = browser.get(&path).await.text;
        assert!(!page.contains("method=\"post\""), "{page}");
    }
    for change in ["add", "set", "password", "disable", "revoke", "delete"] {
        let form = [
            ("change", change),
            ("id", id.as_str()),
            ("displayName", "Ida"),
            ("password", "canary-0c1d"),
        ];
        let rejected = browser.post_to("/user", &form).await;
        assert_eq!(rejected.status, 400, "{change}");
        assert!(
            rejected.text.contains("--portal-write"),
            "{}",
            rejected.text
        );
    }
    assert_eq!(users(&browser).await, before);
}

#[tokio::test]
async fn a_form_without_the_origin_of_the_server_changes_no_user() {
    let browser = Browser::at(Server::builder().portal_write(true)).await;
    let before = users(&browser).await;
    let form = [
        ("change", "add"),
        ("displayName", "Ida"),
        ("password", "canary-5e77"),
    ];
    let without = browser.post_without_origin("/user", &form).await;
    assert_eq!(without.status, 400, "{}", without.text);
    assert_eq!(users(&browser).await, before);
}
