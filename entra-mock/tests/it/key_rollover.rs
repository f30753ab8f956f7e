//! Rollovers of signing keys while tokens are valid.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_mock::FakeTenant;
use serde_json::Value;

use crate::support::{get, graph_get, token};

async fn published(tenant: &FakeTenant) -> Vec<String> {
    let url = format!("{}/{}/discovery/v2.0/keys", tenant.uri(), tenant.id());
    let keys = get(&url).await.body["keys"].as_array().unwrap().clone();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn old_tokens_stay_valid_during_a_rollover() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("User.Read.All")
        .with_secret();
    let (old, before) = (token(&tenant, &app).await, published(&tenant).await);
    let old_key = tenant.signing_key_id();
    assert_eq!(kid(&old), old_key);

    tenant.publish_next_signing_key();
    let during = published(&tenant).await;
    assert_eq!(during.len(), before.len() + 1);
    let next = during.iter().find(|id| !before.contains(id)).unwrap();
    assert_eq!(kid(&token(&tenant, &app).await), old_key, "it still signs");

    tenant.switch_signing_key();
    let new = token(&tenant, &app).await;
    assert_eq!((&kid(&new), &tenant.signing_key_id()), (next, next));
    for token in [&old, &new] {
        assert_eq!(graph_get(&tenant, token, "/users").await.status, 200);
    }

    tenant.retire_old_signing_keys();
    assert_eq!(published(&tenant).await, std::slice::from_ref(next));
    assert_eq!(graph_get(&tenant, &old, "/users").await.status, 401);
    assert_eq!(graph_get(&tenant, &new, "/users").await.status, 200);
}

#[tokio::test]
async fn an_emergency_rollover_publishes_only_a_new_key() {
    let tenant = FakeTenant::start().await;
    let mut last = published(&tenant).await;
    // Also after the whole pool was used once.
    for _ in 0..12 {
        tenant.roll_signing_key();
        let now = published(&tenant).await;
        assert_eq!(now, [tenant.signing_key_id()]);
        assert!(!last.contains(&now[0]));
        last = now;
    }
}

#[tokio::test]
async fn an_exhausted_pool_publishes_no_more_keys() {
    let tenant = FakeTenant::start().await;
    for _ in 0..10 {
        tenant.publish_next_signing_key();
    }
    let all = published(&tenant).await;
    let unique: std::collections::HashSet<&String> = all.iter().collect();
    assert_eq!(unique.len(), all.len());
    // Another tenant is not affected.
    assert_eq!(published(&FakeTenant::start().await).await.len(), 3);
}
