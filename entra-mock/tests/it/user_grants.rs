//! Codes and refresh tokens: the tokens they give, and every error.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_mock::{App, FakeTenant};
use serde_json::{Value, json};

use crate::{
    support::{Response, fetch, graph_get, http, token_with},
    users::{
        ADELE, CALLBACK, VERIFIER, assert_error, authorize_url, claims, code, redeem, redeem_code,
        shop,
    },
};

const GUEST: &str = "gus_fabrikam.example#EXT#@contoso.onmicrosoft.com";

async fn refresh(tenant: &FakeTenant, app: &App, token: &str, scope: &str) -> Response {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("scope", scope),
    ];
    redeem(tenant, app, true, &fields).await
}

fn refresh_token(response: &Response) -> String {
    response.body["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_gives_access_refresh_and_id_token() {
    let (tenant, app) = shop().await;
    let url = authorize_url(
        &tenant,
        &app,
        &[
            ("nonce", "n-1"),
            ("scope", "openid profile email offline_access User.Read"),
        ],
    );
    let code = tenant.sign_in_at(&url, ADELE).parameter("code").unwrap();
    let tokens = redeem_code(&tenant, &app, &code, &[("client_info", "1")]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(tokens.body["token_type"], "Bearer");
    assert_eq!(tokens.body["scope"], "User.Read openid profile email");

    let (tid, oid) = (tenant.id().to_string(), tenant.user(ADELE).id().to_string());
    let access = claims(&tokens.body["access_token"]);
    assert_eq!(access["scp"], "User.Read openid profile email");
    assert_eq!(access["appidacr"], "1");
    assert_eq!(
        (&access["oid"], &access["upn"]),
        (&json!(oid), &json!(ADELE))
    );
    let identity = claims(&tokens.body["id_token"]);
    assert_eq!(identity["aud"], app.client_id().to_string());
    assert_eq!(identity["iss"], format!("{}/{tid}/v2.0", tenant.uri()));
    assert_eq!(
        (&identity["nonce"], &identity["oid"]),
        (&json!("n-1"), &json!(oid))
    );
    assert_eq!(identity["preferred_username"], ADELE);
    assert_eq!(identity["email"], ADELE);
    assert_ne!(identity["sub"], access["sub"], "pairwise");
    let info = URL_SAFE_NO_PAD
        .decode(tokens.body["client_info"].as_str().unwrap())
        .unwrap();
    let info: Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info, json!({ "uid": oid, "utid": tid }));
}

#[tokio::test]
async fn the_account_of_a_guest_has_the_ids_of_the_home_tenant() {
    let (tenant, app) = shop().await;
    let url = authorize_url(
        &tenant,
        &app,
        &[
            ("client_info", "1"),
            ("scope", "openid profile offline_access User.Read"),
        ],
    );
    let info = |text: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let back = tenant.sign_in_at(&url, GUEST);
    let at_authorize = info(&back.parameter("client_info").unwrap());
    let code = back.parameter("code").unwrap();
    let asked = [("client_info", "1")];
    let tokens = redeem_code(&tenant, &app, &code, &asked).await;
    let at_token = info(tokens.body["client_info"].as_str().unwrap());
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_info", "1"),
        ("scope", "User.Read"),
        (
            "refresh_token",
            tokens.body["refresh_token"].as_str().unwrap(),
        ),
    ];
    let again = redeem(&tenant, &app, true, &refresh).await;
    assert_eq!(at_authorize, at_token);
    assert_eq!(info(again.body["client_info"].as_str().unwrap()), at_token);

    let identity = claims(&tokens.body["id_token"]);
    assert_eq!(identity["tid"], tenant.id().to_string());
    assert_ne!(at_token["uid"], identity["oid"]);
    assert_ne!(at_token["utid"], identity["tid"]);
    let home = format!(
        "https://sts.windows.net/{}/",
        at_token["utid"].as_str().unwrap()
    );
    assert_eq!(identity["idp"], home);
    // The key of MSAL's account is made of GUIDs.
    for part in ["uid", "utid"] {
        let id = at_token[part].as_str().unwrap();
        assert!(id.parse::<entra_core::Guid>().is_ok(), "{at_token}");
    }
}

#[tokio::test]
async fn a_code_is_valid_once_and_for_ten_minutes() {
    let (tenant, app) = shop().await;
    let used = code(&tenant, &app);
    assert_eq!(redeem_code(&tenant, &app, &used, &[]).await.status, 200);
    assert_error(
        &redeem_code(&tenant, &app, &used, &[]).await,
        400,
        "invalid_grant",
        54_005,
    );
    let late = code(&tenant, &app);
    tenant.clock().advance(Duration::from_secs(600));
    assert_error(
        &redeem_code(&tenant, &app, &late, &[]).await,
        400,
        "invalid_grant",
        70_008,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_one_of_hundreds_of_concurrent_redemptions_succeeds() {
    let (tenant, app) = shop().await;
    let tenant = std::sync::Arc::new(tenant);
    for round in 0..3 {
        let code = code(&tenant, &app);
        let start = std::sync::Arc::new(tokio::sync::Barrier::new(RACERS));
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                let (tenant, app, code) = (tenant.clone(), app.clone(), code.clone());
                let start = start.clone();
                tokio::spawn(async move {
                    start.wait().await;
                    redeem_code(&tenant, &app, &code, &[]).await
                })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            let response = racer.await.unwrap();
            if response.status == 200 {
                won += 1;
            } else {
                assert_error(&response, 400, "invalid_grant", 54_005);
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
}

const RACERS: usize = 200;

#[tokio::test]
async fn a_code_is_bound_to_its_verifier_redirect_uri_and_application() {
    let (tenant, app) = shop().await;
    let one = code(&tenant, &app);
    let wrong = "x".repeat(43);
    for (changes, error, number) in [
        (
            vec![("code_verifier", wrong.as_str())],
            "invalid_grant",
            501_481,
        ),
        (vec![("code_verifier", "")], "invalid_grant", 501_481),
        (vec![("code_verifier", "short")], "invalid_request", 501_491),
        (
            vec![("redirect_uri", "https://shop.example/other")],
            "invalid_grant",
            500_112,
        ),
        (vec![("redirect_uri", "")], "invalid_request", 900_144),
        (vec![("code", "garbage")], "invalid_grant", 9_002_313),
        (vec![("code", "")], "invalid_request", 900_144),
    ] {
        assert_error(
            &redeem_code(&tenant, &app, &one, &changes).await,
            400,
            error,
            number,
        );
    }
    let unknown = format!("1.A{}", "x".repeat(140));
    assert_error(
        &redeem_code(&tenant, &app, &unknown, &[]).await,
        400,
        "invalid_grant",
        70_000,
    );
    let other = tenant
        .register_app("Other")
        .redirect_uri(CALLBACK)
        .with_secret();
    assert_error(
        &redeem_code(&tenant, &other, &one, &[]).await,
        400,
        "invalid_grant",
        70_000,
    );
    // None of these has redeemed the code.
    assert_eq!(redeem_code(&tenant, &app, &one, &[]).await.status, 200);
}

#[tokio::test]
async fn a_verifier_without_a_challenge_returns_an_error() {
    let (tenant, app) = shop().await;
    let url = authorize_url(
        &tenant,
        &app,
        &[("code_challenge", ""), ("code_challenge_method", "")],
    );
    let code = tenant.sign_in_at(&url, ADELE).parameter("code").unwrap();
    assert_error(
        &redeem_code(&tenant, &app, &code, &[]).await,
        400,
        "invalid_grant",
        501_481,
    );
    assert_eq!(
        redeem_code(&tenant, &app, &code, &[("code_verifier", "")])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn web_applications_must_authenticate_and_public_clients_must_not() {
    let (tenant, app) = shop().await;
    let one = code(&tenant, &app);
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", one.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    assert_error(
        &redeem(&tenant, &app, false, &fields).await,
        401,
        "invalid_client",
        7_000_218,
    );

    let tool = tenant
        .register_app("Tool")
        .public_redirect_uri("http://localhost")
        .with_secret();
    let url = authorize_url(
        &tenant,
        &tool,
        &[
            ("redirect_uri", "http://localhost:5000"),
            ("scope", "openid User.Read"),
        ],
    );
    let code = tenant.sign_in_at(&url, ADELE).parameter("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://localhost:5000"),
        ("code_verifier", VERIFIER),
    ];
    assert_error(
        &redeem(&tenant, &tool, true, &fields).await,
        401,
        "invalid_client",
        700_025,
    );
    let tokens = redeem(&tenant, &tool, false, &fields).await;
    assert_eq!(claims(&tokens.body["access_token"])["appidacr"], "0");
}

#[tokio::test]
async fn a_single_page_application_redeems_in_a_browser_only() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Page").spa_redirect_uri(CALLBACK);
    let without = authorize_url(
        &tenant,
        &app,
        &[("code_challenge", ""), ("code_challenge_method", "")],
    );
    let back = tenant.sign_in_at(&without, ADELE);
    assert!(
        back.parameter("error_description")
            .unwrap()
            .starts_with("AADSTS9002325")
    );
    let code = code(&tenant, &app);
    let client_id = app.client_id().to_string();
    let form = [
        ("client_id", client_id.as_str()),
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let url = format!("{}/{}/oauth2/v2.0/token", tenant.uri(), tenant.id());
    assert_error(
        &fetch(http().post(&url).form(&form)).await,
        400,
        "invalid_request",
        9_002_327,
    );
    let in_browser = http()
        .post(&url)
        .header("origin", "https://shop.example")
        .form(&form);
    let tokens = fetch(in_browser).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    tenant.clock().advance(Duration::from_secs(24 * 3600));
    let token = refresh_token(&tokens);
    let form = [
        ("client_id", client_id.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", &token),
    ];
    let late = http()
        .post(&url)
        .header("origin", "https://shop.example")
        .form(&form);
    assert_error(&fetch(late).await, 400, "invalid_grant", 700_084);
}

#[tokio::test]
async fn a_refresh_token_stays_valid_and_works_for_other_resources() {
    let (tenant, app) = shop().await;
    let api = tenant.register_app("API").expose_scope("Tasks.Read");
    app.delegated_permission_of(&api, "Tasks.Read");
    let tokens = redeem_code(&tenant, &app, &code(&tenant, &app), &[]).await;
    let first = refresh_token(&tokens);
    let second = refresh(&tenant, &app, &first, "").await;
    assert_eq!(second.status, 200, "{}", second.text);
    assert_ne!(refresh_token(&second), first);
    assert!(claims(&second.body["id_token"]).get("nonce").is_none());
    assert_eq!(
        refresh(&tenant, &app, &first, "").await.status,
        200,
        "the old one stays good"
    );

    let scope = format!("api://{}/Tasks.Read", api.client_id());
    let other = refresh(&tenant, &app, &first, &scope).await;
    assert_eq!(claims(&other.body["access_token"])["scp"], "Tasks.Read");
    assert!(other.body["scope"].as_str().unwrap().starts_with(&scope));
    let rejected = refresh(&tenant, &app, &first, "Mail.Read").await;
    assert_error(&rejected, 400, "invalid_grant", 65_001);
    assert_eq!(rejected.body["suberror"], "consent_required");
    // An application token needs no consent.
    let own = format!("{}/.default", app.client_id());
    assert_eq!(refresh(&tenant, &app, &first, &own).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_expires_and_is_revoked_with_the_sessions() {
    let (tenant, app) = shop().await;
    let new = async || refresh_token(&redeem_code(&tenant, &app, &code(&tenant, &app), &[]).await);
    assert_error(
        &refresh(&tenant, &app, "garbage", "").await,
        400,
        "invalid_grant",
        70_000,
    );
    let other = tenant.register_app("Other").with_secret();
    let token = new().await;
    assert_error(
        &refresh(&tenant, &other, &token, "").await,
        400,
        "invalid_grant",
        70_000,
    );
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
    ];
    assert_error(
        &redeem(&tenant, &app, false, &fields).await,
        401,
        "invalid_client",
        7_000_218,
    );

    tenant.clock().advance(Duration::from_secs(90 * 24 * 3600));
    assert_error(
        &refresh(&tenant, &app, &token, "").await,
        400,
        "invalid_grant",
        700_082,
    );
    let token = new().await;
    tenant.user(ADELE).revoke_sessions();
    assert_error(
        &refresh(&tenant, &app, &token, "").await,
        400,
        "invalid_grant",
        50_173,
    );
    let token = new().await;
    tenant.user(ADELE).require_second_factor();
    assert_eq!(
        refresh(&tenant, &app, &token, "").await.status,
        200,
        "it was given at sign-in"
    );
    tenant.user(ADELE).disable();
    assert_error(
        &refresh(&tenant, &app, &token, "").await,
        400,
        "invalid_grant",
        50_057,
    );
}

#[tokio::test]
async fn roles_groups_and_optional_claims_are_in_the_id_token() {
    let (tenant, app) = shop().await;
    let id = app.object_id().to_string();
    let set = |name: &str, value| {
        tenant
            .set_property("applications", &id, name, value)
            .unwrap()
    };
    set("groupMembershipClaims", json!("SecurityGroup"));
    set(
        "optionalClaims",
        json!({ "idToken": [{ "name": "auth_time" }, { "name": "acct" }, { "name": "sid" }] }),
    );
    let inner = tenant.add_group("Inner");
    let outer = tenant.add_group("Outer");
    inner.add_member(tenant.user(ADELE).id());
    outer.add_member(inner.id());
    let identity = || {
        let tokens = tenant.tokens_for(&app, ADELE, ["openid", "profile"]);
        claims(&json!(tokens.id_token().unwrap().expose_secret()))
    };
    let few = identity();
    let groups = few["groups"].as_array().unwrap();
    assert!(
        groups.contains(&json!(inner.id().to_string()))
            && groups.contains(&json!(outer.id().to_string()))
    );
    assert_eq!(few["acct"], 0);
    assert!(few["auth_time"].is_i64() && few["sid"].is_string());
    for number in 0..201 {
        tenant
            .add_group(&format!("G{number}"))
            .add_member(tenant.user(ADELE).id());
    }
    let many = identity();
    assert!(many.get("groups").is_none());
    assert_eq!(many["_claim_names"]["groups"], "src1");
}

#[tokio::test]
async fn tokens_for_grants_its_scopes_to_that_user_alone() {
    let (tenant, app) = shop().await;
    // Users cannot consent to this permission.
    let scopes = ["Directory.Read.All", "offline_access"];
    let tokens = tenant.tokens_for(&app, ADELE, scopes);
    let token = json!(tokens.access_token().expose_secret());
    assert_eq!(claims(&token)["scp"], "Directory.Read.All User.Read");

    let reader = tenant
        .register_app("Reader")
        .application_permission("Directory.Read.All")
        .with_secret();
    let reader = token_with(&tenant, &reader, &[]).await.body["access_token"].clone();
    let of_shop =
        "/servicePrincipals(appId='{}')?$select=id".replace("{}", &app.client_id().to_string());
    let of_shop = graph_get(&tenant, reader.as_str().unwrap(), &of_shop)
        .await
        .body["id"]
        .clone();
    let path = format!(
        "/oauth2PermissionGrants?$filter=clientId eq '{}'",
        of_shop.as_str().unwrap()
    );
    let grants = graph_get(&tenant, reader.as_str().unwrap(), &path).await;
    let grants: Vec<_> = grants.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|grant| grant["scope"] == "Directory.Read.All")
        .map(|grant| (&grant["consentType"], &grant["principalId"]))
        .collect();
    let adele = json!(tenant.user(ADELE).id().to_string());
    assert_eq!(grants, [(&json!("Principal"), &adele)]);

    // The grant remains: the refresh token works, and a sign-in does not ask again.
    let token = tokens.refresh_token().unwrap().expose_secret();
    let refreshed = refresh(&tenant, &app, token, "Directory.Read.All").await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    let url = authorize_url(&tenant, &app, &[("scope", "openid Directory.Read.All")]);
    assert!(tenant.sign_in_at(&url, ADELE).parameter("code").is_some());
}
