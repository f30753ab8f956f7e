//! Attacks on a sign-in, each rejected for the right reason.

use entra_auth::{
    SignInClient,
    sign_in::{ReturnPath, SignInErrorKind as Kind},
    user::{ClientAuthentication, StartOptions},
};
use entra_core::{
    Cloud,
    url::{Url, form_urlencoded},
};
use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    sign_in_support::{
        CALLBACK, builder_for, callback, connection, copy, stored, success, success_of,
    },
    support::TENANT,
    validate_support::{
        FOREIGN_KEY, OTHER_TENANT, SERVICE_KEY, USER, clock, encode, id_token, issuer_v2,
        with_changes,
    },
};

const ADELE: &str = "adele@contoso.com";
const MALLORY: &str = "bruno@contoso.com";

async fn shop() -> (FakeTenant, App, SignInClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .with_secret();
    let client = SignInClient::builder(
        tenant.id(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .redirect_uri(CALLBACK)
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    (tenant, app, client)
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_replayed_callback_is_rejected_also_in_parallel() {
    let (tenant, _, client) = shop().await;
    let (url, flow) = client.start(&StartOptions::default()).unwrap();
    let redirected = tenant.sign_in_at(url.as_str(), ADELE).query();
    let mut tries = Vec::new();
    for _ in 0..16 {
        let (client, flow, redirected) = (client.clone(), copy(&flow), redirected.clone());
        tries.push(tokio::spawn(async move {
            client.finish(flow, &redirected).await
        }));
    }
    let mut winners = 0;
    for attempt in tries {
        match attempt.await.unwrap() {
            Ok(_) => winners += 1,
            Err(error) => assert_eq!(error.kind(), Kind::Replayed),
        }
    }
    assert_eq!(winners, 1);
    tenant.requests().to("/token").assert_count(1);
}

#[tokio::test]
async fn a_code_swapped_between_two_browsers_is_rejected_by_pkce() {
    let (tenant, _, client) = shop().await;
    let (url, victims) = client.start(&StartOptions::default()).unwrap();
    let victims_code = tenant
        .sign_in_at(url.as_str(), ADELE)
        .parameter("code")
        .unwrap();
    let (_, attackers) = client.start(&StartOptions::default()).unwrap();
    let injected = format!("code={}&state={}", encoded(&victims_code), attackers.id());
    let error = client.finish(attackers, &injected).await.unwrap_err();
    assert_eq!(error.kind(), Kind::CodeInjected);
    assert_eq!(error.aadsts_code(), Some(501_481));
    drop(victims);
}

#[tokio::test]
async fn a_callback_of_another_browser_is_rejected() {
    let (tenant, _, client) = shop().await;
    let (url, _) = client.start(&StartOptions::default()).unwrap();
    let attackers = tenant.sign_in_at(url.as_str(), MALLORY).query();
    let (_, victims) = client.start(&StartOptions::default()).unwrap();
    let error = client.finish(victims, &attackers).await.unwrap_err();
    assert_eq!(error.kind(), Kind::StateMismatch);
    tenant.requests().to("/token").assert_count(0);
}

/// Without its challenge the code is not bound to the verifier, but the nonce is still checked.
#[tokio::test]
async fn a_removed_challenge_does_not_bypass_pkce() {
    let (tenant, _, client) = shop().await;
    let (url, flow) = client.start(&StartOptions::default()).unwrap();
    let mut cut = url.clone();
    cut.query_pairs_mut().clear().extend_pairs(
        url.query_pairs()
            .filter(|(name, _)| !name.starts_with("code_challenge")),
    );
    let redirected = tenant.sign_in_at(cut.as_str(), ADELE);
    // The verifier is sent in any case, and a service without the challenge rejects it.
    let error = client.finish(flow, &redirected.query()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::CodeInjected);
    // A service that ignores the verifier: the ID token has the nonce of the other session.
    let (service, client) = connection();
    let (_, victims) = client.start(&StartOptions::default()).unwrap();
    let (_, attackers) = client.start(&StartOptions::default()).unwrap();
    service.respond(200, &success(&victims, json!({})));
    let injected = callback(&attackers);
    let error = client.finish(attackers, &injected).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NonceMismatch);
    let form = &service.forms()[0];
    assert!(form.contains("code_verifier="), "it is always sent");
}

#[tokio::test]
async fn a_code_is_not_sent_if_the_response_names_another_issuer() {
    let (service, client) = connection();
    let foreign = [
        "https://evil.example".to_owned(),
        issuer_v2(OTHER_TENANT),
        format!("{}/", issuer_v2(TENANT)),
        issuer_v2(TENANT).replace("https", "http"),
        issuer_v2(TENANT).to_uppercase(),
        String::new(),
    ];
    for issuer in foreign {
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let mixed_up = format!("{}&iss={}", callback(&flow), encoded(&issuer));
        let error = client.finish(flow, &mixed_up).await.unwrap_err();
        assert_eq!(error.kind(), Kind::IssuerMismatch, "{issuer}");
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let rejection = format!(
            "error=access_denied&state={}&iss={}",
            flow.id(),
            encoded(&issuer)
        );
        let error = client.finish(flow, &rejection).await.unwrap_err();
        assert_eq!(error.kind(), Kind::IssuerMismatch, "an error, too");
    }
    assert!(service.forms().is_empty());
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    service.respond(200, &success(&flow, json!({})));
    let valid = format!("{}&iss={}", callback(&flow), encoded(&issuer_v2(TENANT)));
    client.finish(flow, &valid).await.unwrap();
}

#[tokio::test]
async fn callback_and_id_token_must_name_the_same_issuer() {
    let (service, _) = connection();
    let client = builder_for("organizations", &service, &clock())
        .any_tenant()
        .build()
        .unwrap();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    service.respond(200, &success(&flow, json!({})));
    let mixed = format!(
        "{}&iss={}",
        callback(&flow),
        encoded(&issuer_v2(OTHER_TENANT))
    );
    let error = client.finish(flow, &mixed).await.unwrap_err();
    assert_eq!(error.kind(), Kind::IssuerMismatch);
}

#[tokio::test]
async fn foreign_id_tokens_are_rejected_and_nothing_is_cached() {
    let (service, client) = connection();
    let account: entra_auth::user::Account = serde_json::from_value(json!({
        "home_account_id": format!("{USER}.{TENANT}"), "tenant": TENANT,
    }))
    .unwrap();
    let own = id_token();
    let unsigned = format!(
        "{}.{}.",
        encode(r#"{"alg":"none","typ":"JWT"}"#),
        encode(own.to_string())
    );
    let confused = format!(
        "{}.{}.{}",
        encode(json!({ "alg": "HS256", "typ": "JWT", "kid": SERVICE_KEY.kid }).to_string()),
        encode(own.to_string()),
        encode("signature")
    );
    let deep = SERVICE_KEY.token_of(
        &SERVICE_KEY.header().to_string(),
        &format!("{{\"a\":{}1{}}}", "[".repeat(2000), "]".repeat(2000)),
    );
    let fat = SERVICE_KEY.token(&with_changes(
        own.clone(),
        json!({ "name": "x".repeat(300_000) }),
    ));
    let signed = |changes| SERVICE_KEY.token(&with_changes(own.clone(), changes));
    let table = [
        (unsigned, Kind::TokenRejected),
        (confused, Kind::TokenRejected),
        (FOREIGN_KEY.token(&own), Kind::TokenRejected),
        (deep, Kind::TokenRejected),
        (fat, Kind::TokenRejected),
        ("e30.e30.e30".to_owned(), Kind::TokenRejected),
        (
            signed(json!({ "aud": OTHER_TENANT })),
            Kind::AudienceMismatch,
        ),
        (
            signed(json!({ "aud": [crate::support::CLIENT, "x"] })),
            Kind::AudienceMismatch,
        ),
        (
            signed(json!({ "tid": OTHER_TENANT, "iss": issuer_v2(OTHER_TENANT) })),
            Kind::WrongTenant,
        ),
        (
            signed(json!({ "iss": issuer_v2(OTHER_TENANT) })),
            Kind::WrongTenant,
        ),
        (
            signed(json!({ "iss": "https://evil.example/v2.0" })),
            Kind::IssuerMismatch,
        ),
        (signed(json!({ "nonce": "n-9" })), Kind::NonceMismatch),
    ];
    for (number, (token, kind)) in table.into_iter().enumerate() {
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        service.respond(200, &success_of(&token, USER, TENANT));
        let response = callback(&flow);
        let error = client.finish(flow, &response).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{number}: {error:?}");
        assert!(client.resume(&account).await.unwrap().is_none(), "{number}");
    }
}

#[tokio::test]
async fn client_info_cannot_name_another_user() {
    let (service, client) = connection();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    let claims = with_changes(id_token(), json!({ "nonce": stored(&flow)["nonce"] }));
    service.respond(
        200,
        &success_of(&SERVICE_KEY.token(&claims), OTHER_TENANT, TENANT),
    );
    let response = callback(&flow);
    let error = client.finish(flow, &response).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TokenRejected);
}

#[tokio::test]
async fn a_forged_pending_sign_in_is_rejected() {
    let (service, client) = connection();
    let (_, flow) = client.start(&StartOptions::default()).unwrap();
    for (name, value) in [
        ("connection", json!("evil")),
        ("connection", json!(null)),
        ("client", json!(OTHER_TENANT)),
        ("client", json!(null)),
        ("tenant", json!(OTHER_TENANT)),
        ("tenant", json!("common")),
    ] {
        let mut changed = stored(&flow);
        changed[name] = value;
        let response = callback(&flow);
        let changed = crate::sign_in_support::restored(&changed);
        let error = client.finish(changed, &response).await.unwrap_err();
        assert_eq!(error.kind(), Kind::OtherConnection, "{name}");
    }
    assert!(service.forms().is_empty());
}

#[tokio::test]
async fn an_oversized_callback_is_rejected_at_once() {
    let (service, client) = connection();
    for size in [65_536, 1_000_000, 20_000_000] {
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let response = format!("state={}&code={}", flow.id(), "%41".repeat(size / 3));
        let error = client.finish(flow, &response).await.unwrap_err();
        assert_eq!(error.kind(), Kind::CallbackMalformed);
    }
    assert!(service.forms().is_empty());
}

#[test]
fn a_return_path_to_another_site_is_rejected() {
    let site = Url::parse("https://shop.example/deep/page").unwrap();
    for requested in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "/\tevil.example",
        "\\\\evil.example",
        "/%5cevil.example",
        "/%2f%2fevil.example",
        "/..//evil.example",
        "javascript:alert(1)",
        "//shop.example@evil.example",
        "",
        "/a\r\nLocation: https://evil.example",
        "///evil.example/%2f..",
    ] {
        let path = ReturnPath::or_root(Some(requested));
        assert_eq!(path.as_str(), "/", "{requested:?}");
        assert_eq!(site.join(path.as_str()).unwrap().origin(), site.origin());
    }
}

/// Another provider, which can write any claims, beside a connection with Entra.
#[tokio::test]
async fn a_provider_cannot_sign_in_users_of_another_tenant() {
    let issuer = "https://id.example";
    let place = |path: &str| format!("{issuer}/{path}");
    let provider = Cloud::openid_provider(
        issuer,
        &place("oauth2/v2.0/token"),
        Some(&place("authorize")),
        None,
    );
    let provider = provider.unwrap();
    for (tenant, listed, expected) in [
        (OTHER_TENANT, None, Some(Kind::WrongTenant)),
        (OTHER_TENANT, Some(TENANT), Some(Kind::WrongTenant)),
        ("id.example", None, Some(Kind::WrongTenant)),
        ("id.example", Some(OTHER_TENANT), Some(Kind::WrongTenant)),
        ("id.example", Some(TENANT), None),
        (TENANT, Some(OTHER_TENANT), Some(Kind::WrongTenant)),
        (TENANT, None, None),
    ] {
        let (service, _) = connection();
        let keys = json!({ "keys": [SERVICE_KEY.jwk()] });
        let metadata = json!({ "issuer": issuer, "jwks_uri": place("keys") });
        service
            .metadata
            .respond_at(&place(".well-known/openid-configuration"), &metadata);
        service.metadata.respond_at(&place("keys"), &keys);
        let client = builder_for(tenant, &service, &clock()).cloud(provider.clone());
        let client = match listed {
            Some(listed) => client.tenants([listed]),
            None => client,
        };
        let client = client.build().unwrap();
        let (_, flow) = client.start(&StartOptions::default()).unwrap();
        let vouched = json!({ "iss": issuer, "email": "ceo@contoso.com", "xms_edov": true });
        service.respond(200, &success(&flow, vouched));
        let redirected = callback(&flow);
        let outcome = client.finish(flow, &redirected).await;
        let kind = outcome
            .as_ref()
            .err()
            .map(entra_auth::sign_in::SignInError::kind);
        assert_eq!(kind, expected, "{tenant} {listed:?}: {outcome:?}");
        if let Ok(signed_in) = outcome {
            let email = signed_in.identity().email.as_ref().unwrap();
            assert_eq!(
                (email.address(), email.verified()),
                ("ceo@contoso.com", None)
            );
        }
    }
}
