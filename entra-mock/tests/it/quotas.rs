//! Quotas together with what else a tenant can do.

use std::time::Duration;

use entra_mock::{FakeTenant, Seed};
use serde_json::json;

use crate::support::{fetch, http, token};

#[tokio::test]
async fn a_request_that_two_replicas_try_counts_once() {
    let builder = FakeTenant::builder().seed(Seed::Empty);
    let tenant = builder.enforce_quotas(true).start().await;
    let app = tenant
        .register_app("Writer")
        .application_permission("Directory.Read.All")
        .application_permission("Group.ReadWrite.All")
        .with_secret();
    let jwt = token(&tenant, &app).await;
    tenant.set_replication_delay(Duration::from_secs(60));
    let post = |path: &str, body: serde_json::Value| {
        let address = format!("{}/v1.0{path}", tenant.uri());
        fetch(http().post(address).bearer_auth(&jwt).json(&body))
    };
    let group = json!({
        "displayName": "Buyers", "mailNickname": "buyers", "mailEnabled": false, "securityEnabled": true,
    });
    // One unit. From now on there is an older version of the directory.
    assert_eq!(post("/groups", group).await.status, 201);
    let ids = json!({"ids": ["33333333-3333-3333-3333-333333333333"]});
    // 5 units each, of 3,500. Counted twice, the 350th would be rejected.
    for number in 1..=360 {
        let response = post("/directoryObjects/getByIds", ids.clone()).await;
        assert_eq!(response.status, 200, "{number}: {}", response.text);
    }
}
