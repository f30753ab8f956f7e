//! The content of tokens, and who accepts them.

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use entra_core::Clock;
use entra_mock::{App, FakeTenant};
use jsonwebtoken::{Algorithm, DecodingKey, crypto::aws_lc};
use serde_json::Value;

use crate::support::{GRAPH_SCOPE, fetch, get, graph_get, http, post_token, token, token_with};

async fn tenant_with_reader() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Night job")
        .application_permission("User.Read.All")
        .application_permission("Device.Read.All")
        .with_secret();
    (tenant, app)
}

/// Header and claims, with the signature verified by a published key.
async fn verified(jwks_uri: &str, token: &str) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    let json = |part: &str| {
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (header, claims) = (json(parts[0]), json(parts[1]));
    let keys = get(jwks_uri).await.body;
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .expect("the key is published");
    let key =
        DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap())
            .unwrap();
    let verifier = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&Algorithm::RS256, &key).unwrap();
    let message = &token[..token.rfind('.').unwrap()];
    jsonwebtoken::signature::Verifier::verify(
        verifier.as_ref(),
        message.as_bytes(),
        &URL_SAFE_NO_PAD.decode(parts[2]).unwrap(),
    )
    .expect("the signature is good");
    (header, claims)
}

fn keys_of(tenant: &FakeTenant) -> String {
    format!("{}/{}/discovery/v2.0/keys", tenant.uri(), tenant.id())
}

#[tokio::test]
async fn a_graph_token_has_the_claims_of_v1() {
    let (tenant, app) = tenant_with_reader().await;
    let (header, claims) = verified(&keys_of(&tenant), &token(&tenant, &app).await).await;
    let now = tenant.clock().now().unix_timestamp();
    let principal = app.service_principal_id().to_string();

    assert_eq!(
        (&header["alg"], &header["typ"], &header["x5t"]),
        (&"RS256".into(), &"JWT".into(), &header["kid"])
    );
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
    assert_eq!(claims["iss"], format!("{}/{}/", tenant.uri(), tenant.id()));
    assert_eq!(claims["tid"], tenant.id().to_string());
    assert_eq!(
        (&claims["appid"], &claims["appidacr"]),
        (&app.client_id().to_string().into(), &"1".into())
    );
    assert_eq!(
        (&claims["oid"], &claims["sub"]),
        (&principal.clone().into(), &principal.into())
    );
    assert_eq!(
        (&claims["idtyp"], &claims["ver"]),
        (&"app".into(), &"1.0".into())
    );
    assert_eq!(
        claims["roles"],
        serde_json::json!(["Device.Read.All", "User.Read.All"])
    );
    assert_eq!(claims["exp"], now + 3599);
    assert!(claims["nbf"].as_i64().unwrap() <= now && claims["iat"] == claims["nbf"]);
    assert!(claims["uti"].as_str().unwrap().len() > 20);
    assert!(claims.get("scp").is_none() && claims.get("azp").is_none());
}

#[tokio::test]
async fn an_api_of_version_2_gets_v2_claims() {
    let (tenant, app) = tenant_with_reader().await;
    let api = tenant.register_app("API").with_v2_tokens();
    let scope = format!("{}/.default", api.client_id());
    let response = token_with(&tenant, &app, &[("scope", &scope)]).await;
    let (header, claims) = verified(
        &keys_of(&tenant),
        response.body["access_token"].as_str().unwrap(),
    )
    .await;
    assert_eq!(claims["aud"], api.client_id().to_string());
    assert_eq!(
        claims["iss"],
        format!("{}/{}/v2.0", tenant.uri(), tenant.id())
    );
    assert_eq!(
        (&claims["azp"], &claims["azpacr"], &claims["ver"]),
        (
            &app.client_id().to_string().into(),
            &"1".into(),
            &"2.0".into()
        )
    );
    for absent in ["appid", "appidacr", "roles", "idtyp", "wids"] {
        assert!(claims.get(absent).is_none(), "{absent}");
    }
    assert!(header.get("x5t").is_none());
}

#[tokio::test]
async fn the_audience_is_the_requested_resource() {
    let (tenant, app) = tenant_with_reader().await;
    for (scope, audience) in [
        (
            "https://graph.microsoft.com//.default",
            "https://graph.microsoft.com/",
        ),
        (
            "00000003-0000-0000-c000-000000000000/.default",
            "00000003-0000-0000-c000-000000000000",
        ),
        (".default", "00000003-0000-0000-c000-000000000000"),
        (&format!("{}/.default", tenant.uri()), &tenant.uri()),
    ] {
        let response = token_with(&tenant, &app, &[("scope", scope)]).await;
        let token = response.body["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{scope}: {}", response.text));
        let (_, claims) = verified(&keys_of(&tenant), token).await;
        assert_eq!(claims["aud"], audience);
        assert_ne!(
            graph_get(&tenant, token, "/users").await.status,
            401,
            "{scope}"
        );
    }
}

#[tokio::test]
async fn token_responses_have_numbers_at_v2_and_strings_at_v1() {
    let (tenant, app) = tenant_with_reader().await;
    let v2 = token_with(&tenant, &app, &[]).await;
    assert_eq!((v2.status, &v2.body["token_type"]), (200, &"Bearer".into()));
    assert_eq!(
        (&v2.body["expires_in"], &v2.body["ext_expires_in"]),
        (&3599.into(), &3599.into())
    );
    assert!(
        v2.body.get("scope").is_none()
            && v2.body.get("refresh_token").is_none()
            && v2.body.get("refresh_in").is_none()
    );

    let (client_id, secret) = (app.client_id().to_string(), app.secret());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &client_id),
        ("client_secret", secret.expose_secret()),
        ("resource", "https://graph.microsoft.com"),
    ];
    let v1 = post_token(&tenant, "/contoso.com/oauth2/token", &form).await;
    assert_eq!(v1.status, 200, "{}", v1.text);
    assert_eq!(
        (&v1.body["expires_in"], &v1.body["resource"]),
        (&"3599".into(), &"https://graph.microsoft.com".into())
    );
    assert_eq!(
        v1.body["expires_on"],
        (tenant.clock().now().unix_timestamp() + 3599).to_string()
    );
    verified(&keys_of(&tenant), v1.body["access_token"].as_str().unwrap()).await;
}

#[tokio::test]
async fn the_response_of_a_long_lived_token_has_refresh_in() {
    let tenant = FakeTenant::builder()
        .token_lifetime(Duration::from_secs(86_399))
        .start()
        .await;
    let app = tenant.register_app("Night job").with_secret();
    let response = token_with(&tenant, &app, &[]).await;
    assert_eq!(
        (&response.body["expires_in"], &response.body["refresh_in"]),
        (&86_399.into(), &43_199.into())
    );
}

#[tokio::test]
async fn basic_authentication_and_unknown_parameters_are_accepted() {
    let (tenant, app) = tenant_with_reader().await;
    let secret: String =
        url::form_urlencoded::byte_serialize(app.secret().expose_secret().as_bytes()).collect();
    let basic = STANDARD.encode(format!("{}:{secret}", app.client_id()));
    let request = http()
        .post(format!(
            "{}//{}//oauth2/v2.0/token?client-request-id=x&mkt=de",
            tenant.uri(),
            tenant.id()
        ))
        .header("authorization", format!("Basic {basic}"))
        .form(&[
            ("grant_type", "client_credentials"),
            ("scope", GRAPH_SCOPE),
            ("client_info", "1"),
            ("claims", "{}"),
            ("x-client-SKU", "T"),
        ]);
    assert_eq!(fetch(request).await.status, 200);
}

#[tokio::test]
async fn graph_accepts_its_own_tokens_until_they_expire() {
    let (tenant, app) = tenant_with_reader().await;
    let good = token(&tenant, &app).await;
    assert_eq!(graph_get(&tenant, &good, "/users").await.status, 200);

    // A disabled application keeps the tokens it has.
    app.disable();
    assert_eq!(graph_get(&tenant, &good, "/users").await.status, 200);
    tenant.clock().advance(Duration::from_secs(3600));
    assert_eq!(graph_get(&tenant, &good, "/users").await.status, 401);
}

#[tokio::test]
async fn graph_rejects_invalid_tokens() {
    let (tenant, app) = tenant_with_reader().await;
    let good = token(&tenant, &app).await;
    let api = tenant.register_app("API");
    let for_api = token_with(
        &tenant,
        &app,
        &[("scope", &format!("{}/.default", api.client_id()))],
    )
    .await;
    let other_tenant = FakeTenant::builder().random_seed(99).start().await;
    let other_app = other_tenant
        .register_app("Elsewhere")
        .application_permission("User.Read.All")
        .with_secret();

    let (head, signature) = good.rsplit_once('.').unwrap();
    let parts: Vec<&str> = head.split('.').collect();
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    claims["roles"] = serde_json::json!(["Directory.ReadWrite.All"]);
    let forged = format!(
        "{}.{}.{signature}",
        parts[0],
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#),
        parts[1]
    );

    let bad = [
        "",
        "garbage",
        "a.b.c",
        &forged,
        &unsigned,
        head,
        for_api.body["access_token"].as_str().unwrap(),
        &token(&other_tenant, &other_app).await,
    ];
    for token in bad {
        assert_eq!(
            graph_get(&tenant, token, "/users").await.status,
            401,
            "{token}"
        );
    }
    assert_eq!(
        get(&format!("{}/v1.0/users", tenant.uri())).await.status,
        401
    );
}

#[tokio::test]
async fn the_same_seed_and_clock_give_the_same_tenant_and_tokens() {
    let clock = entra_core::ManualClock::new();
    let mut tokens = Vec::new();
    for seed in [5, 5, 6] {
        let tenant = FakeTenant::builder()
            .random_seed(seed)
            .clock(clock.clone())
            .start()
            .await;
        let app = tenant.register_app("Night job").with_secret();
        let jwt = token(&tenant, &app).await;
        let claims: Value = serde_json::from_slice(
            &URL_SAFE_NO_PAD
                .decode(jwt.split('.').nth(1).unwrap())
                .unwrap(),
        )
        .unwrap();
        tokens.push((
            tenant.id(),
            app.client_id(),
            claims["uti"].clone(),
            tenant.user("adele@contoso.com").id(),
        ));
    }
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[0].0, tokens[2].0);
}

#[tokio::test]
async fn an_application_id_in_upper_case_is_the_same_resource() {
    let (tenant, app) = tenant_with_reader().await;
    let scope = "00000003-0000-0000-C000-000000000000/.default";
    let response = token_with(&tenant, &app, &[("scope", scope)]).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let jwt = response.body["access_token"].as_str().unwrap();
    let listed = graph_get(&tenant, jwt, "/users").await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    let keys = format!("{}/{}/discovery/keys", tenant.uri(), tenant.id());
    let (_, claims) = verified(&keys, jwt).await;
    assert_eq!(claims["aud"], "00000003-0000-0000-c000-000000000000");
}
