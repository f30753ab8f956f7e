//! Applications with many connections.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    SignInClient,
    sign_in::{Connections, SignInErrorKind},
    user::{ClientAuthentication, StartOptions},
};
use entra_core::RetryPolicy;
use entra_mock::{FakeTenant, Fault};
use serde_json::json;

use crate::{
    sign_in_support::{CALLBACK, Service, builder_for, callback, copy, sign_in, success},
    support::TENANT,
    validate_support::{OTHER_TENANT, clock, issuer_v2},
};

const ADELE: &str = "adele@contoso.com";

fn tenant(number: u32) -> String {
    format!("{number:08}-1111-1111-1111-111111111111")
}

fn five_hundred(service: &Arc<Service>) -> Connections {
    let connections = Connections::new();
    for number in 0..500 {
        let client = builder_for(&tenant(number), service, &clock())
            .name(format!("customer-{number}"))
            .domains([
                format!("Customer{number}.example"),
                format!("c{number}.example"),
            ])
            .build()
            .unwrap();
        assert!(connections.add(client).unwrap().is_none());
    }
    connections
}

#[tokio::test]
async fn five_hundred_connections_are_built_without_a_request_and_found() {
    let service = Service::new();
    let connections = five_hundred(&service);
    assert_eq!(connections.len(), 500);
    let name = |client: Option<SignInClient>| client.unwrap().name().to_owned();
    for number in [0, 7, 499] {
        let expected = format!("customer-{number}");
        assert_eq!(name(connections.by_name(&expected)), expected);
        assert_eq!(
            name(connections.by_domain(&format!("C{number}.EXAMPLE"))),
            expected
        );
        let address = format!("ada@x\"@customer{number}.example ");
        assert_eq!(name(connections.by_email(&address)), expected);
        let tenant = tenant(number).parse().unwrap();
        assert_eq!(name(connections.by_tenant(&tenant)), expected);
        let client = connections.by_name(&expected).unwrap();
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        assert_eq!(connections.for_flow(&flow).unwrap().name(), expected);
    }
    for unknown in ["ada", "", "@", "ada@", "ada@example", "ada@xc7.example"] {
        assert!(connections.by_email(unknown).is_none(), "{unknown}");
    }
    assert!(service.metadata.requested_urls().is_empty() && service.forms().is_empty());
}

#[tokio::test]
async fn connections_can_be_added_and_removed_at_run_time() {
    let service = Service::new();
    let connections = five_hundred(&service);
    let first = connections.by_name("customer-1").unwrap();
    let (_, flow) = first.start(&StartOptions::default()).unwrap();
    assert!(connections.remove("customer-1").is_some());
    assert!(connections.remove("customer-1").is_none());
    assert!(connections.by_domain("c1.example").is_none());
    assert!(connections.by_tenant(&tenant(1).parse().unwrap()).is_none());
    let response = callback(&flow);
    let error = connections
        .finish(copy(&flow), &response)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::OtherConnection);

    // A connection of another tenant with the same name does not finish a sign-in of the first one.
    let named = |tenant: &str, domain: &str| {
        builder_for(tenant, &service, &clock())
            .name("customer-1")
            .domains(["c1.example", domain])
            .build()
            .unwrap()
    };
    let build = |tenant: &str| named(tenant, "customer1.example");
    assert!(connections.add(build(OTHER_TENANT)).unwrap().is_none());
    let error = connections.finish(flow, &response).await.unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::OtherConnection);
    let replaced = connections.add(build(TENANT)).unwrap();
    assert!(replaced.is_some(), "it replaces");
    assert!(
        connections
            .by_tenant(&OTHER_TENANT.parse().unwrap())
            .is_none()
    );
    assert_eq!(connections.len(), 500);
    // A domain belongs to its connection until that is removed, in any spelling.
    for domain in ["c2.example", " C2.Example. ", "@c2.example"] {
        let error = connections.add(named(OTHER_TENANT, domain)).unwrap_err();
        let text = "the domain c2.example belongs to the connection customer-2";
        assert!(error.to_string().contains(text), "{error}");
        let owner = connections.by_email(&format!("ada@{}", domain.trim_start_matches('@')));
        assert_eq!(owner.unwrap().name(), "customer-2");
        let unchanged = connections.by_name("customer-1").unwrap();
        assert_eq!(unchanged.tenant().to_string(), TENANT);
    }
    connections.remove("customer-2");
    connections.add(named(TENANT, "c2.example")).unwrap();
    assert_eq!(
        connections.by_domain("c2.example").unwrap().name(),
        "customer-1"
    );
    assert!(connections.by_domain("customer1.example").is_none());
    let names: Vec<String> = connections
        .all()
        .iter()
        .map(|one| one.name().to_owned())
        .collect();
    assert!(names.is_sorted() && names.len() == 499);
}

#[tokio::test]
async fn a_failing_connection_does_not_delay_another() {
    let (broken, working) = (Service::new(), Service::new());
    broken.metadata.fail(true);
    let connections = Connections::new();
    for (name, tenant, service) in [("a", TENANT, &broken), ("b", OTHER_TENANT, &working)] {
        let client = builder_for(tenant, service, &clock())
            .name(name)
            .build()
            .unwrap();
        connections.add(client).unwrap();
    }
    let a = connections.by_name("a").unwrap();
    let (_, flow) = a.start(&StartOptions::default()).unwrap();
    let response = callback(&flow);
    let error = connections.finish(flow, &response).await.unwrap_err();
    assert_eq!(error.kind(), SignInErrorKind::Unavailable);
    let b = connections.by_name("b").unwrap();
    let (_, flow) = b.start(&StartOptions::default()).unwrap();
    let claims = json!({ "tid": OTHER_TENANT, "iss": issuer_v2(OTHER_TENANT) });
    let mut body = success(&flow, claims);
    body.as_object_mut().unwrap().remove("client_info");
    working.respond(200, &body);
    let response = callback(&flow);
    connections.finish(flow, &response).await.unwrap();

    broken.metadata.fail(false);
    sign_in(&broken, &a, json!({})).await.unwrap();
}

#[tokio::test]
async fn a_failed_discovery_is_tried_again_at_the_next_sign_in() {
    let host = FakeTenant::start().await;
    let app = host
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .with_secret();
    let client = SignInClient::builder(
        host.id(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .redirect_uri(CALLBACK)
    .cloud(host.cloud())
    .clock(host.clock())
    .retry_policy(RetryPolicy::once())
    .build()
    .unwrap();
    for fault in [
        Fault::on("/openid-configuration").status(503),
        Fault::on("/openid-configuration").garbage_body(),
        Fault::on("/keys").truncated_body(),
        Fault::on("/keys").status(429),
    ] {
        host.inject(fault);
        let (url, flow) = client.start(&StartOptions::default()).unwrap();
        let redirected = host.sign_in_at(url.as_str(), ADELE).query();
        let error = client.finish(flow, &redirected).await.unwrap_err();
        assert_eq!(error.kind(), SignInErrorKind::Unavailable, "{error:?}");
        assert!(error.is_retryable());
        host.clear_faults();
    }
    host.forget_requests();
    for _ in 0..3 {
        let (url, flow) = client.start(&StartOptions::default()).unwrap();
        let redirected = host.sign_in_at(url.as_str(), ADELE).query();
        client.finish(flow, &redirected).await.unwrap();
        host.clock().advance(Duration::from_secs(60));
    }
    assert!(host.requests().to("/openid-configuration").count() <= 1);
    host.requests().to("/keys").assert_count(1);
}
