//! Subscriptions: who can have them, and what a receiver must do for one.

use std::time::Duration;

use entra_mock::NotificationOptions;
use serde_json::{Value, json};
use wiremock::{Mock, Request, Respond, ResponseTemplate};

use super::{Fixture, Receiver, send};
use crate::support::{fetch, http, token};

const WRONG_PLACE: &str = "Subscription validation request failed. Response must exactly match validationToken query parameter.";
const NOT_OK: &str = "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.";

#[tokio::test]
async fn a_subscription_is_created_once_the_receiver_returns_the_validation_token() {
    let fixture = Fixture::new().await;
    let created = fixture.subscribe(&fixture.body("/users", 60)).await;
    let tokens = fixture.receiver.tokens();
    assert_eq!(tokens.len(), 1);
    assert!(tokens[0].starts_with("Validation: Testing client application reachability"));
    assert_eq!(created["clientState"], "canary-9b1f-state");
    assert_eq!(
        created["applicationId"],
        fixture.app.client_id().to_string()
    );
    assert_eq!(created["resource"], "/users");
    assert_eq!(created["notificationContentType"], "application/json");
    assert_eq!(created["includeResourceData"], false);
    assert!(created["creatorId"].as_str().unwrap().len() == 36);
    // Reads do not show the client state.
    let path = format!("/subscriptions/{}", created["id"].as_str().unwrap());
    let read = fixture.send("GET", &path, None).await;
    assert_eq!(read.status, 200, "{}", read.text);
    assert_eq!(read.body["clientState"], Value::Null);
    assert_eq!(read.body["notificationUrl"], fixture.receiver.url());
    assert!(!read.text.contains("canary-9b1f-state"));
    assert!(!read.text.contains('~'), "{}", read.text);
    assert_eq!(fixture.listed().await.len(), 1);
}

#[tokio::test]
async fn both_urls_are_validated_with_a_token_each() {
    let fixture = Fixture::new().await;
    let mut body = fixture.body("users", 60);
    body["lifecycleNotificationUrl"] = body["notificationUrl"].clone();
    fixture.subscribe(&body).await;
    let tokens = fixture.receiver.tokens();
    assert_eq!(tokens.len(), 2);
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn a_receiver_that_fails_the_validation_gets_no_subscription() {
    let fixture = Fixture::new().await;
    let body = fixture.body("users", 60);
    let wrong = ResponseTemplate::new(200).set_body_raw("token", "text/plain");
    let html = ResponseTemplate::new(200).set_body_raw("<p>hello</p>", "text/html");
    let elsewhere =
        ResponseTemplate::new(302).insert_header("location", fixture.receiver.url().as_str());
    for (response, code, message) in [
        (ResponseTemplate::new(404), "ValidationError", NOT_OK),
        (ResponseTemplate::new(202), "ValidationError", NOT_OK),
        (elsewhere, "ValidationError", NOT_OK),
        (wrong, "ValidationError", WRONG_PLACE),
        (html, "ValidationError", WRONG_PLACE),
    ] {
        fixture.receiver.respond_to_validation(response);
        let rejected = fixture.rejected(&body).await;
        assert_eq!(rejected, (400, code.to_owned(), message.to_owned()));
    }
    let never = ResponseTemplate::new(200).set_delay(Duration::from_secs(600));
    fixture.receiver.respond_to_validation(never);
    let short = NotificationOptions::documented().handshake_timeout(Duration::from_millis(100));
    fixture.tenant.set_notification_options(short);
    let (status, code, message) = fixture.rejected(&body).await;
    assert_eq!((status, &*code), (400, "InvalidRequest"));
    assert_eq!(message, "Subscription validation request timed out.");
    fixture.set_options(NotificationOptions::documented());
    // No listener at all.
    let mut body = body;
    body["notificationUrl"] = "http://127.0.0.1:1/".into();
    assert_eq!(fixture.rejected(&body).await.2, NOT_OK);
    assert!(fixture.listed().await.is_empty());
}

#[tokio::test]
async fn the_token_alone_is_not_enough_without_plain_text() {
    let fixture = Fixture::new().await;
    let url = fixture.receiver.server.uri();
    // Echoes the token as JSON content.
    struct Echo;
    impl Respond for Echo {
        fn respond(&self, request: &Request) -> ResponseTemplate {
            let token = request.url.query_pairs().next().unwrap().1.into_owned();
            ResponseTemplate::new(200).set_body_raw(token, "application/json")
        }
    }
    let mock = Mock::given(wiremock::matchers::path("/json")).respond_with(Echo);
    mock.with_priority(1).mount(&fixture.receiver.server).await;
    let mut body = fixture.body("users", 60);
    body["notificationUrl"] = format!("{url}/json").into();
    assert_eq!(fixture.rejected(&body).await.2, WRONG_PLACE);
}

#[tokio::test]
async fn invalid_subscriptions_are_rejected_before_any_validation() {
    let fixture = Fixture::new().await;
    let body = fixture.body("users", 60);
    let with = |name: &str, value: Value| {
        let mut body = body.clone();
        body[name] = value;
        body
    };
    let unknown_user = "users/00000000-0000-4000-8000-0000000000aa";
    for (body, status, code) in [
        (with("resource", "planets".into()), 400, "InvalidRequest"),
        (
            with("resource", "users?$select=id".into()),
            400,
            "InvalidRequest",
        ),
        (
            with("resource", "synthetic/users".into()),
            400,
            "InvalidRequest",
        ),
        (with("resource", "me".into()), 400, "BadRequest"),
        (
            with("resource", "chats/getAllMessages".into()),
            501,
            "NotImplemented",
        ),
        (
            with("resource", unknown_user.into()),
            404,
            "Request_ResourceNotFound",
        ),
        (with("changeType", "renamed".into()), 400, "InvalidRequest"),
        (with("changeType", Value::Null), 400, "Request_BadRequest"),
        (
            with("notificationUrl", "ftp://localhost/".into()),
            400,
            "InvalidRequest",
        ),
        (
            with("notificationUrl", "localhost".into()),
            400,
            "InvalidRequest",
        ),
        (
            with("notificationUrl", "http://198.51.100.7/".into()),
            400,
            "InvalidRequest",
        ),
        (
            with("notificationUrl", "https://hooks.example/".into()),
            400,
            "InvalidRequest",
        ),
        (
            with("lifecycleNotificationUrl", "https://hooks.example/".into()),
            400,
            "InvalidRequest",
        ),
        (
            with("clientState", "x".repeat(129).into()),
            400,
            "Request_BadRequest",
        ),
        (
            with("expirationDateTime", fixture.in_minutes(-1).into()),
            400,
            "InvalidRequest",
        ),
        (
            with("expirationDateTime", "tomorrow".into()),
            400,
            "Request_BadRequest",
        ),
        (
            with("latestSupportedTlsVersion", "v2".into()),
            400,
            "Request_BadRequest",
        ),
        (with("applicationId", "x".into()), 400, "Request_BadRequest"),
        (with("colour", "x".into()), 400, "Request_BadRequest"),
        (
            with("includeResourceData", true.into()),
            400,
            "InvalidRequest",
        ),
    ] {
        let rejected = fixture.rejected(&body).await;
        assert_eq!(
            (rejected.0, &*rejected.1),
            (status, code),
            "{body} {}",
            rejected.2
        );
    }
    let long = with("expirationDateTime", fixture.in_minutes(41_761).into());
    assert_eq!(
        fixture.rejected(&long).await.2,
        "Subscription expiration can only be 41760 minutes in the future."
    );
    assert!(fixture.receiver.tokens().is_empty());
    fixture
        .subscribe(&with(
            "expirationDateTime",
            fixture.in_minutes(41_760).into(),
        ))
        .await;
}

#[tokio::test]
async fn a_switch_shortens_lifetimes_that_are_too_long() {
    let fixture = Fixture::with(NotificationOptions::documented().clamped_lifetime()).await;
    let created = fixture.subscribe(&fixture.body("users", 100_000)).await;
    assert_eq!(created["expirationDateTime"], fixture.in_minutes(41_760));
}

#[tokio::test]
async fn each_resource_needs_its_own_read_permission() {
    let fixture = Fixture::new().await;
    for (permission, allowed, denied) in [
        ("User.Read.All", "users", "groups"),
        ("Group.Read.All", "groups", "users"),
    ] {
        let app = fixture
            .tenant
            .register_app(permission)
            .application_permission(permission)
            .with_secret();
        let token = token(&fixture.tenant, &app).await;
        for (resource, status) in [(allowed, 201), (denied, 403)] {
            let body = fixture.body(resource, 60);
            let path = "/subscriptions";
            let sent = send(&fixture.tenant, &token, "POST", path, Some(&body)).await;
            assert_eq!(sent.status, status, "{permission} {resource} {}", sent.text);
        }
    }
    let writer = fixture
        .tenant
        .register_app("Writer")
        .application_permission("User.ReadWrite.All")
        .application_permission("Directory.Read.All")
        .with_secret();
    let token = token(&fixture.tenant, &writer).await;
    let body = fixture.body("users", 60);
    let sent = send(
        &fixture.tenant,
        &token,
        "POST",
        "/subscriptions",
        Some(&body),
    )
    .await;
    assert_eq!(sent.status, 403, "{}", sent.text);
}

#[tokio::test]
async fn a_user_can_be_named_by_the_user_principal_name() {
    let fixture = Fixture::new().await;
    fixture
        .subscribe(&fixture.body("users/adele@contoso.com", 60))
        .await;
    fixture.touch("adele@contoso.com", "Engineer");
    fixture.tenant.deliver_due_notifications().await;
    let adele = fixture.tenant.user("adele@contoso.com").id().to_string();
    let sent = fixture.receiver.take_items();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["resourceData"]["id"], adele);
}

#[tokio::test]
async fn an_application_sees_and_changes_its_own_subscriptions_only() {
    let fixture = Fixture::new().await;
    let created = fixture.subscribe(&fixture.body("users", 60)).await;
    let path = format!("/subscriptions/{}", created["id"].as_str().unwrap());
    let other = fixture
        .tenant
        .register_app("Other")
        .application_permission("User.Read.All")
        .with_secret();
    let token = token(&fixture.tenant, &other).await;
    let expiration = json!({"expirationDateTime": fixture.in_minutes(120)});
    for (method, path, body) in [
        ("GET", path.clone(), None),
        ("PATCH", path.clone(), Some(&expiration)),
        ("POST", format!("{path}/reauthorize"), None),
        ("DELETE", path.clone(), None),
    ] {
        let sent = send(&fixture.tenant, &token, method, &path, body).await;
        assert_eq!(sent.status, 404, "{method} {}", sent.text);
    }
    let listed = send(&fixture.tenant, &token, "GET", "/subscriptions", None).await;
    assert_eq!(listed.body["value"], json!([]));
    assert_eq!(fixture.listed().await.len(), 1);
}

#[tokio::test]
async fn subscriptions_are_renewed_deleted_and_expire() {
    let mut fixture = Fixture::new().await;
    let created = fixture.subscribe(&fixture.body("users", 30)).await;
    let path = format!("/subscriptions/{}", created["id"].as_str().unwrap());
    let later = json!({"expirationDateTime": fixture.in_minutes(90)});
    let renewed = fixture.send("PATCH", &path, Some(&later)).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    assert_eq!(
        renewed.body["expirationDateTime"],
        later["expirationDateTime"]
    );
    for (body, status) in [
        (json!({}), 400),
        (json!({"resource": "groups"}), 400),
        (
            json!({"lifecycleNotificationUrl": fixture.receiver.url()}),
            400,
        ),
        (json!({"expirationDateTime": null}), 400),
        (
            json!({"expirationDateTime": fixture.in_minutes(50_000)}),
            400,
        ),
    ] {
        let sent = fixture.send("PATCH", &path, Some(&body)).await;
        assert_eq!(sent.status, status, "{body} {}", sent.text);
    }
    let reauthorized = fixture
        .send("POST", &format!("{path}/reauthorize"), None)
        .await;
    assert_eq!((reauthorized.status, &*reauthorized.text), (204, ""));
    let read = fixture.send("GET", &path, None).await;
    assert_eq!(read.body["expirationDateTime"], later["expirationDateTime"]);
    // None of them was validated again.
    assert_eq!(fixture.receiver.tokens().len(), 1);

    fixture.advance_minutes(91);
    fixture.renew_token().await;
    let later = json!({"expirationDateTime": fixture.in_minutes(90)});
    assert_eq!(fixture.send("GET", &path, None).await.status, 404);
    assert_eq!(fixture.send("PATCH", &path, Some(&later)).await.status, 404);
    assert!(fixture.listed().await.is_empty());
    let expired_listed = NotificationOptions::documented().expired_listed();
    fixture.set_options(expired_listed);
    assert_eq!(fixture.listed().await.len(), 1);

    let created = fixture.subscribe(&fixture.body("users", 30)).await;
    let path = format!("/subscriptions/{}", created["id"].as_str().unwrap());
    assert_eq!(fixture.send("DELETE", &path, None).await.status, 204);
    assert_eq!(fixture.send("DELETE", &path, None).await.status, 404);
}

#[tokio::test]
async fn another_notification_url_is_validated_and_used() {
    let fixture = Fixture::new().await;
    let created = fixture.subscribe(&fixture.body("users", 60)).await;
    let path = format!("/subscriptions/{}", created["id"].as_str().unwrap());
    let other = Receiver::start().await;
    let body = json!({"notificationUrl": other.url()});
    other.respond_to_validation(ResponseTemplate::new(500));
    assert_eq!(fixture.send("PATCH", &path, Some(&body)).await.status, 400);
    other.seen.lock().unwrap().validation = None;
    assert_eq!(fixture.send("PATCH", &path, Some(&body)).await.status, 200);
    fixture.touch("adele@contoso.com", "one");
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(fixture.receiver.take().len(), 0);
    assert_eq!(other.take().len(), 1);
}

#[tokio::test]
async fn a_switch_validates_renewals_again() {
    let fixture = Fixture::with(NotificationOptions::documented().validates_renewals()).await;
    let created = fixture.subscribe(&fixture.body("users", 60)).await;
    let path = format!("/subscriptions/{}", created["id"].as_str().unwrap());
    let later = json!({"expirationDateTime": fixture.in_minutes(90)});
    assert_eq!(fixture.send("PATCH", &path, Some(&later)).await.status, 200);
    let reauthorize = format!("{path}/reauthorize");
    assert_eq!(fixture.send("POST", &reauthorize, None).await.status, 204);
    assert_eq!(fixture.receiver.tokens().len(), 3);
    fixture
        .receiver
        .respond_to_validation(ResponseTemplate::new(500));
    assert_eq!(fixture.send("POST", &reauthorize, None).await.status, 400);
}

#[tokio::test]
async fn a_batch_creates_subscriptions_after_their_validation() {
    let fixture = Fixture::new().await;
    let request = |id: &str, resource: &str| {
        json!({
            "id": id, "method": "POST", "url": "/subscriptions", "body": fixture.body(resource, 60),
            "headers": {"content-type": "application/json"},
        })
    };
    let batch = json!({"requests": [request("1", "users"), request("2", "groups")]});
    let sent = fixture.send("POST", "/$batch", Some(&batch)).await;
    let responses = sent.body["responses"].as_array().unwrap();
    assert_eq!(responses.len(), 2);
    assert!(
        responses.iter().all(|response| response["status"] == 201),
        "{}",
        sent.text
    );
    assert_eq!(fixture.receiver.tokens().len(), 2);
    fixture
        .receiver
        .respond_to_validation(ResponseTemplate::new(500));
    let sent = fixture.send("POST", "/$batch", Some(&batch)).await;
    assert_eq!(sent.body["responses"][0]["status"], 400, "{}", sent.text);
}

#[tokio::test]
async fn a_subscription_in_beta_is_validated_as_in_v1() {
    let fixture = Fixture::new().await;
    let url = |path: &str| format!("{}/beta{path}", fixture.tenant.uri());
    let send = |path: &str, body: &Value| {
        let request = http().post(url(path)).bearer_auth(&fixture.token);
        fetch(request.json(body))
    };
    let body = fixture.body("users", 60);
    let created = send("/subscriptions", &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(fixture.receiver.tokens().len(), 1);
    let item = json!({
        "id": "1", "method": "POST", "url": "/subscriptions", "body": body,
        "headers": {"content-type": "application/json"},
    });
    let sent = send("/$batch", &json!({"requests": [item]})).await;
    assert_eq!(sent.body["responses"][0]["status"], 201, "{}", sent.text);
    assert_eq!(fixture.receiver.tokens().len(), 2);
}

#[tokio::test]
async fn an_application_can_have_100_subscriptions_in_a_tenant() {
    let fixture = Fixture::new().await;
    let body = fixture.body("users", 60);
    for _ in 0..100 {
        fixture.subscribe(&body).await;
    }
    let (status, code, message) = fixture.rejected(&body).await;
    assert_eq!((status, &*code), (403, "ExtensionError"));
    assert!(
        message.contains("has reached its limit of '100' 'USERS' subscription"),
        "{message}"
    );
    assert_eq!(fixture.listed().await.len(), 100);
}
