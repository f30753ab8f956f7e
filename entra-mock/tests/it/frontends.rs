//! The same tenant behind both frontends, and many tenants at once.

use std::collections::BTreeSet;

use entra_mock::FakeTenant;

use crate::support::{get, http, token};

#[tokio::test]
async fn hundreds_of_tenants_run_at_the_same_time() {
    let mut tenants = Vec::new();
    for number in 0..300 {
        let tenant = FakeTenant::builder().random_seed(number).start().await;
        tenant.register_app("Mark");
        tenants.push(tenant);
    }
    let uris: BTreeSet<String> = tenants.iter().map(FakeTenant::uri).collect();
    assert_eq!(uris.len(), tenants.len());
    let client = http();
    for tenant in tenants.iter().step_by(17) {
        let keys = client
            .get(format!(
                "{}/{}/discovery/v2.0/keys",
                tenant.uri(),
                tenant.id()
            ))
            .send()
            .await
            .unwrap();
        assert_eq!(keys.status(), 200);
        tenant.requests().assert_count(1);
    }
    let (gone, left) = (tenants.remove(0), &tenants[0]);
    let gone_uri = gone.uri();
    drop(gone);
    client
        .get(format!("{}/{}/discovery/keys", left.uri(), left.id()))
        .send()
        .await
        .unwrap();
    // Its connections are closed with it, kept alive or not.
    assert!(client.get(gone_uri).send().await.is_err());
}

#[test]
fn a_tenant_outlives_the_runtime_it_was_started_on() {
    let run = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let tenant = run().block_on(FakeTenant::start());
    let url = format!("{}/contoso.com/discovery/keys", tenant.uri());
    assert_eq!(run().block_on(get(&url)).status, 200);
}

#[tokio::test]
async fn many_concurrent_clients_all_get_responses() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .application_permission("User.Read.All")
        .with_secret();
    let jwt = token(&tenant, &app).await;
    let (client, url) = (http(), format!("{}/v1.0/users?$top=3", tenant.uri()));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let request = client.get(&url).bearer_auth(&jwt);
        running.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    assert!(
        running
            .join_all()
            .await
            .into_iter()
            .all(|status| status == 200)
    );
    tenant.requests().to("/users").assert_count(200);
}

#[tokio::test]
async fn an_oversized_body_is_rejected() {
    let tenant = FakeTenant::start().await;
    let request = http()
        .post(format!("{}/contoso.com/oauth2/v2.0/token", tenant.uri()))
        .body(vec![b'x'; 17 * 1024 * 1024]);
    // The server can close before it has read everything; the client reports that.
    if let Ok(rejected) = request.send().await {
        assert_eq!(rejected.status(), 413);
    }
    assert_eq!(
        get(&format!("{}/contoso.com/discovery/keys", tenant.uri()))
            .await
            .status,
        200
    );
}

#[cfg(feature = "server")]
#[tokio::test]
async fn both_frontends_give_the_same_responses() {
    use entra_mock::{Seed, Server};

    use crate::support::{fetch, graph_get};

    let server = Server::builder()
        .random_seed(7)
        .users(40)
        .start()
        .await
        .unwrap();
    let tenant = FakeTenant::builder()
        .seed(Seed::Contoso)
        .random_seed(7)
        .users(40)
        .start()
        .await;
    let id = tenant.id();
    let paths = [
        format!("/{id}/v2.0/.well-known/openid-configuration"),
        "/organizations/.well-known/openid-configuration".to_owned(),
        format!("/{id}/discovery/v2.0/keys"),
        "/common/userrealm/adele@contoso.com?api-version=1.0".to_owned(),
        "/nonsense".to_owned(),
    ];
    for path in paths {
        // The host differs; the same Host header gives the same URLs.
        let request = async |base: &str| {
            fetch(
                http()
                    .get(format!("{base}{path}"))
                    .header("host", "tenant.example"),
            )
            .await
        };
        let (in_process, standalone) = (request(&tenant.uri()).await, request(server.uri()).await);
        assert_eq!(
            (in_process.status, in_process.text),
            (standalone.status, standalone.text),
            "{path}"
        );
    }
    assert_eq!(graph_get(&tenant, "x", "/users").await.status, 401);
    assert_eq!(
        get(&format!("{}/v1.0/users", server.uri())).await.status,
        401
    );
    server.stop().await;
}
