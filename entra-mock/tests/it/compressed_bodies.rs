//! Compressed request bodies, which the Graph SDK for Go sends with every write.

use std::io::Write as _;

use entra_mock::FakeTenant;
use flate2::{Compression, write::GzEncoder};

use crate::support::{Response, fetch, http, token};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn create_group(tenant: &FakeTenant, encoding: &str, body: Vec<u8>) -> Response {
    let app = tenant
        .register_app("Writer")
        .application_permission("Group.ReadWrite.All")
        .with_secret();
    let request = http()
        .post(format!("{}/v1.0/groups", tenant.uri()))
        .bearer_auth(token(tenant, &app).await)
        .header("content-type", "application/json")
        .header("content-encoding", encoding)
        .body(body);
    fetch(request).await
}

const GROUP: &[u8] = br#"{"displayName":"Packed","mailEnabled":false,"mailNickname":"packed","securityEnabled":true}"#;

#[tokio::test]
async fn a_compressed_group_is_created_also_behind_mocks_of_the_test() {
    let tenant = FakeTenant::start().await;
    let created = create_group(&tenant, "gzip", gzip(GROUP)).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["displayName"], "Packed");

    let tenant = FakeTenant::start().await;
    let other = wiremock::Mock::given(wiremock::matchers::path("/other"));
    tenant
        .mount(other.respond_with(wiremock::ResponseTemplate::new(204)))
        .await;
    let created = create_group(&tenant, "gzip", gzip(GROUP)).await;
    assert_eq!(created.status, 201, "{}", created.text);
}

#[tokio::test]
async fn a_body_in_another_encoding_or_of_too_many_bytes_is_rejected() {
    let tenant = FakeTenant::start().await;
    let bomb = gzip(&vec![b' '; 17 * 1024 * 1024]);
    assert_eq!(create_group(&tenant, "gzip", bomb).await.status, 413);
    let unknown = create_group(&tenant, "br", GROUP.to_vec()).await;
    assert_eq!(unknown.status, 415);
}
