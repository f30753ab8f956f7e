use std::time::Duration;

use entra_mock::{App, FakeTenant, Fault};
use serde_json::Value;

use crate::support::{Response, fetch, get, graph_get, http, token, token_with};

async fn tenant_with_reader() -> (FakeTenant, App, String) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .application_permission("User.Read.All")
        .with_secret();
    let jwt = token(&tenant, &app).await;
    (tenant, app, jwt)
}

async fn follow(response: &Response, jwt: &str) -> Response {
    let link = response.body["@odata.nextLink"]
        .as_str()
        .expect("a next link");
    crate::support::fetch(http().get(link).bearer_auth(jwt)).await
}

fn ids(response: &Response) -> Vec<Value> {
    response.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].clone())
        .collect()
}

#[tokio::test]
async fn an_injected_status_has_the_error_body_of_sign_in_or_graph() {
    let (tenant, app, jwt) = tenant_with_reader().await;
    tenant.inject(
        Fault::on("/users")
            .times(1)
            .status_with_retry_after(429, "2.128"),
    );
    tenant.inject(Fault::on("/token").nth(2).status(503));

    let throttled = graph_get(&tenant, &jwt, "/users").await;
    assert_eq!(
        (throttled.status, throttled.header("retry-after")),
        (429, Some("2.128"))
    );
    assert_eq!(throttled.body["error"]["code"], "TooManyRequests");
    assert_eq!(graph_get(&tenant, &jwt, "/users").await.status, 200);

    let statuses = [
        token_with(&tenant, &app, &[]).await,
        token_with(&tenant, &app, &[]).await,
        token_with(&tenant, &app, &[]).await,
    ];
    assert_eq!(
        statuses.each_ref().map(|response| response.status),
        [200, 503, 200]
    );
    assert_eq!(statuses[1].body["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn a_page_fails_as_long_as_the_fault_is_injected() {
    let (tenant, _, jwt) = tenant_with_reader().await;
    tenant.inject(Fault::on("/users").page(2).status(503));
    let first = graph_get(&tenant, &jwt, "/users?$top=5").await;
    assert_eq!(
        [
            follow(&first, &jwt).await.status,
            follow(&first, &jwt).await.status
        ],
        [503, 503]
    );
    tenant.clear_faults();
    assert_eq!(follow(&first, &jwt).await.status, 200);
}

#[tokio::test]
async fn an_empty_page_loses_no_items() {
    let (tenant, _, jwt) = tenant_with_reader().await;
    let first = graph_get(&tenant, &jwt, "/users?$top=5").await;
    let whole = ids(&follow(&first, &jwt).await);
    tenant.inject(Fault::on("/users").empty_page());
    let empty = follow(&first, &jwt).await;
    assert_eq!((empty.status, ids(&empty).len()), (200, 0));
    assert_eq!(ids(&follow(&empty, &jwt).await), whole);
}

#[tokio::test]
async fn a_next_link_can_repeat_the_page_or_lead_to_another_origin() {
    let (tenant, _, jwt) = tenant_with_reader().await;
    tenant.inject(Fault::on("/users").times(1).repeat_next_link());
    tenant.inject(
        Fault::on("/users")
            .times(1)
            .foreign_next_link("https://evil.example"),
    );
    let looped = graph_get(&tenant, &jwt, "/users?$top=5").await;
    assert_eq!(
        looped.body["@odata.nextLink"],
        format!("{}/v1.0/users?$top=5", tenant.uri())
    );
    let away = graph_get(&tenant, &jwt, "/users?$top=5").await;
    assert!(
        away.body["@odata.nextLink"]
            .as_str()
            .unwrap()
            .starts_with("https://evil.example/v1.0/users?"),
        "{}",
        away.text
    );
}

#[tokio::test]
async fn a_body_can_be_truncated_or_invalid_json() {
    let (tenant, _, jwt) = tenant_with_reader().await;
    tenant.inject(Fault::on("/users").times(1).truncated_body());
    tenant.inject(Fault::on("/users").times(1).garbage_body());
    tenant.inject(Fault::on("/users").times(1).closed_connection());
    let request = || {
        http()
            .get(format!("{}/v1.0/users", tenant.uri()))
            .bearer_auth(&jwt)
            .send()
    };

    let cut = request().await.unwrap();
    assert_eq!(cut.status(), 200);
    cut.bytes().await.unwrap_err();
    let garbage = fetch(
        http()
            .get(format!("{}/v1.0/users", tenant.uri()))
            .bearer_auth(&jwt),
    )
    .await;
    assert_eq!(garbage.status, 200);
    serde_json::from_str::<Value>(&garbage.text).unwrap_err();
    request().await.unwrap_err();
    assert_eq!(request().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_fault_can_hit_a_discovery_document() {
    let tenant = FakeTenant::start().await;
    tenant.inject(Fault::on_any().method("get").times(1).status(500));
    let url = format!(
        "{}/contoso.com/v2.0/.well-known/openid-configuration",
        tenant.uri()
    );
    assert_eq!([get(&url).await.status, get(&url).await.status], [500, 200]);
}

#[tokio::test]
async fn a_delayed_response_is_late_and_the_request_is_processed() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Writer")
        .application_permission("Group.ReadWrite.All")
        .with_secret();
    let jwt = token(&tenant, &app).await;
    // Far beyond any test, so that the response cannot arrive by chance.
    let hour = Duration::from_secs(3_600);
    tenant.inject(Fault::on("/groups").method("POST").times(1).delay(hour));
    let body = serde_json::json!({
        "displayName": "Late", "mailNickname": "late", "mailEnabled": false, "securityEnabled": true,
    });
    let create = http()
        .post(format!("{}/v1.0/groups", tenant.uri()))
        .bearer_auth(&jwt)
        .json(&body)
        .send();
    let processed = async {
        loop {
            let groups = graph_get(&tenant, &jwt, "/groups?$filter=displayName eq 'Late'").await;
            if groups.body["value"]
                .as_array()
                .is_some_and(|groups| groups.len() == 1)
            {
                return;
            }
        }
    };
    tokio::select! {
        response = create => panic!("{response:?}"),
        () = processed => {}
    }
}

#[tokio::test]
async fn a_batch_is_as_late_as_its_slowest_part() {
    let (tenant, _, jwt) = tenant_with_reader().await;
    tenant.inject(
        Fault::on("/users")
            .times(1)
            .delay(Duration::from_secs(3_600)),
    );
    let batch = || {
        let requests = serde_json::json!({"requests": [
            {"id": "1", "method": "GET", "url": "/organization"},
            {"id": "2", "method": "GET", "url": "/users"},
            {"id": "3", "method": "GET", "url": "/organization"},
        ]});
        http()
            .post(format!("{}/v1.0/$batch", tenant.uri()))
            .bearer_auth(&jwt)
            .json(&requests)
            .send()
    };
    // The second batch is complete while the first one still waits.
    let late = batch();
    let next = async {
        while tenant.requests().to("/v1.0/$batch").count() == 0 {
            tokio::task::yield_now().await;
        }
        batch().await
    };
    tokio::select! {
        response = late => panic!("{response:?}"),
        response = next => assert_eq!(response.unwrap().status(), 200),
    }
}
