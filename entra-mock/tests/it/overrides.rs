//! Mocks of a test that override the tenant.

use std::{panic::AssertUnwindSafe, time::Duration};

use entra_mock::FakeTenant;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{any, body_string_contains, header, method, path, query_param},
};

use crate::support::{fetch, get, graph_get, http, token, token_with};

#[tokio::test]
async fn a_mock_overrides_any_endpoint_and_the_rest_stays() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .application_permission("User.Read.All")
        .with_secret();
    let jwt = token(&tenant, &app).await;
    tenant
        .mount(
            Mock::given(method("GET"))
                .and(path("/v1.0/users"))
                .and(query_param("$top", "7"))
                .respond_with(
                    ResponseTemplate::new(418)
                        .set_body_string("teapot")
                        .insert_header("x-mine", "yes"),
                ),
        )
        .await;
    tenant
        .mount(
            Mock::given(method("POST"))
                .and(path(format!("/{}/oauth2/v2.0/token", tenant.id())))
                .and(body_string_contains("magic"))
                .respond_with(ResponseTemplate::new(503)),
        )
        .await;

    let mine = graph_get(&tenant, &jwt, "/users?$top=7").await;
    assert_eq!(
        (mine.status, mine.text.as_str(), mine.header("x-mine")),
        (418, "teapot", Some("yes"))
    );
    assert_eq!(
        token_with(&tenant, &app, &[("grant_type", "magic")])
            .await
            .status,
        503
    );

    assert_eq!(graph_get(&tenant, &jwt, "/users?$top=8").await.status, 200);
    assert_eq!(token_with(&tenant, &app, &[]).await.status, 200);
    assert_eq!(
        get(&format!(
            "{}/contoso.com/v2.0/.well-known/openid-configuration",
            tenant.uri()
        ))
        .await
        .status,
        200
    );
    // The journal records requests to mocks too.
    tenant.requests().to("/users").assert_count(2);
}

#[tokio::test]
async fn a_mock_sees_the_request_as_it_was_sent() {
    let tenant = FakeTenant::start().await;
    let body = "x".repeat(100_000);
    tenant
        .mount(
            Mock::given(method("PUT"))
                .and(path("/some/where"))
                .and(header("x-color", "blue"))
                .and(body_string_contains(&body))
                .respond_with(ResponseTemplate::new(204)),
        )
        .await;
    let sent = http()
        .put(format!("{}/some/where?a=b%20c", tenant.uri()))
        .header("x-color", "blue")
        .body(body);
    assert_eq!(fetch(sent).await.status, 204);
}

#[tokio::test]
async fn an_exhausted_mock_falls_back_to_the_tenant() {
    let tenant = FakeTenant::start().await;
    tenant
        .mount(
            Mock::given(any())
                .respond_with(ResponseTemplate::new(500))
                .up_to_n_times(2),
        )
        .await;
    let url = format!("{}/contoso.com/discovery/keys", tenant.uri());
    assert_eq!(
        [
            get(&url).await.status,
            get(&url).await.status,
            get(&url).await.status
        ],
        [500, 500, 200]
    );
}

#[tokio::test]
async fn a_mocks_own_404_reaches_the_client() {
    let tenant = FakeTenant::start().await;
    tenant
        .mount(
            Mock::given(path("/contoso.com/discovery/keys"))
                .respond_with(ResponseTemplate::new(404)),
        )
        .await;
    assert_eq!(
        get(&format!("{}/contoso.com/discovery/keys", tenant.uri()))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_slow_mock_delays_only_its_own_requests() {
    let tenant = FakeTenant::start().await;
    tenant
        .mount(
            Mock::given(path("/slow"))
                .respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(30))),
        )
        .await;
    let (client, url) = (http(), format!("{}/slow", tenant.uri()));
    let slow = tokio::spawn(async move { client.get(url).send().await });
    assert_eq!(
        get(&format!("{}/contoso.com/discovery/keys", tenant.uri()))
            .await
            .status,
        200
    );
    assert!(!slow.is_finished());
    drop(tenant);
    assert!(
        slow.await.unwrap().is_err(),
        "the tenant's end ends its connections"
    );
}

#[tokio::test]
async fn an_unmet_expectation_fails_the_test() {
    let tenant = FakeTenant::start().await;
    tenant
        .mount(
            Mock::given(path("/never"))
                .respond_with(ResponseTemplate::new(200))
                .expect(1),
        )
        .await;
    let dropped = std::panic::catch_unwind(AssertUnwindSafe(|| drop(tenant)));
    assert!(dropped.is_err());
}

#[tokio::test]
async fn dropping_right_after_many_mounts_does_not_hang() {
    for mounts in [126, 127, 128, 129] {
        let tenant = FakeTenant::start().await;
        for _ in 0..mounts {
            tenant
                .mount(Mock::given(path("/never")).respond_with(ResponseTemplate::new(200)))
                .await;
        }
        drop(tenant);
    }
}

#[tokio::test]
async fn a_connection_survives_changing_between_mock_and_tenant() {
    let tenant = FakeTenant::start().await;
    tenant
        .mount(
            Mock::given(path("/mine"))
                .respond_with(ResponseTemplate::new(200).set_body_string("mine")),
        )
        .await;
    let client = http();
    for round in 0..50 {
        let path = if round % 2 == 0 {
            "/mine"
        } else {
            "/contoso.com/discovery/keys"
        };
        let text = client
            .get(format!("{}{path}", tenant.uri()))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(text == "mine", round % 2 == 0);
    }
}

/// Resident memory of a process in kilobytes.
#[cfg(target_os = "linux")]
fn resident(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Runs in a process of its own: the memory of this one grows with the tests that run at the same
/// time.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn unmatched_requests_are_not_stored() {
    const ALONE: &str = "ENTRA_MOCK_MEASURED_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "overrides::unmatched_requests_are_not_stored"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&alone.stdout);
        assert!(
            alone.status.success() && said.contains("1 passed"),
            "{said}"
        );
        return;
    }
    let tenant = FakeTenant::start().await;
    tenant
        .mount(Mock::given(path("/never")).respond_with(ResponseTemplate::new(200)))
        .await;
    let (client, url) = (
        http(),
        format!("{}/contoso.com/oauth2/v2.0/token", tenant.uri()),
    );
    let post = async || {
        drop(
            client
                .post(&url)
                .body(vec![b'x'; 100_000])
                .send()
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap(),
        )
    };
    for _ in 0..50 {
        post().await;
    }
    let before = resident("self");
    for _ in 0..2_000 {
        post().await;
    }
    // wiremock would have kept 200 MB of these.
    let grown = resident("self").saturating_sub(before);
    assert!(grown < 50_000, "{grown} kB more");
}
