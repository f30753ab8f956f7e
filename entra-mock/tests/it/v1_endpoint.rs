//! The v1 endpoint: `resource` instead of scopes, numbers as text, v1 ID tokens.

use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    support::{Response, fetch, get, graph_get, http, post_token},
    users::{ADELE, CALLBACK, assert_error, claims, parameter, returned},
};

const GRAPH: &str = "https://graph.microsoft.com";

async fn shop() -> (FakeTenant, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Old shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .expose_scope("Shop.Read")
        .public_client()
        .with_secret();
    (tenant, app)
}

fn url(tenant: &FakeTenant, app: &App, resource: &str) -> String {
    let client_id = app.client_id().to_string();
    let mut parameters = vec![
        ("client_id", client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("nonce", "n-1"),
        ("state", "7"),
    ];
    if !resource.is_empty() {
        parameters.push(("resource", resource));
    }
    let address = format!("{}/{}/oauth2/authorize", tenant.uri(), tenant.id());
    reqwest::Url::parse_with_params(&address, parameters)
        .unwrap()
        .to_string()
}

async fn token(tenant: &FakeTenant, app: &App, fields: &[(&str, &str)]) -> Response {
    let (client_id, secret) = (app.client_id().to_string(), app.secret());
    let mut form = vec![
        ("client_id", client_id.as_str()),
        ("client_secret", secret.expose_secret()),
    ];
    form.extend(fields);
    post_token(tenant, &format!("/{}/oauth2/token", tenant.id()), &form).await
}

#[tokio::test]
async fn a_code_of_the_v1_endpoint_gives_v1_tokens() {
    let (tenant, app) = shop().await;
    let back = tenant.sign_in_at(&url(&tenant, &app, GRAPH), ADELE);
    let code = back.parameter("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
    ];
    let tokens = token(&tenant, &app, &fields).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(tokens.body["expires_in"], "3599", "text");
    assert_eq!(tokens.body["resource"], GRAPH);
    assert_eq!(tokens.body["scope"], "User.Read openid profile email");
    assert!(tokens.body["expires_on"].is_string() && tokens.body["not_before"].is_string());
    let identity = claims(&tokens.body["id_token"]);
    assert_eq!(identity["ver"], "1.0");
    assert_eq!(
        identity["iss"],
        format!("{}/{}/", tenant.uri(), tenant.id())
    );
    assert_eq!(
        (&identity["upn"], &identity["unique_name"]),
        (&json!(ADELE), &json!(ADELE))
    );
    assert_eq!(identity["nonce"], "n-1");
    assert!(identity.get("preferred_username").is_none());
    let jwt = tokens.body["access_token"].as_str().unwrap();
    assert_eq!(
        graph_get(&tenant, jwt, "/me").await.body["userPrincipalName"],
        ADELE
    );

    let own = app.client_id().to_string();
    let fields = [
        ("grant_type", "refresh_token"),
        (
            "refresh_token",
            tokens.body["refresh_token"].as_str().unwrap(),
        ),
    ];
    let again = token(&tenant, &app, &fields).await;
    assert_eq!(again.body["resource"], GRAPH, "{}", again.text);
    let for_itself = [&fields[..], &[("resource", own.as_str())]].concat();
    let rejected = token(&tenant, &app, &for_itself).await;
    assert_error(&rejected, 400, "invalid_request", 90_008);
}

#[tokio::test]
async fn the_resource_of_a_v1_request_must_be_known_and_registered() {
    let (tenant, app) = shop().await;
    let other = tenant.register_app("Other").expose_scope("Other.Read");
    let password = tenant.user(ADELE).password();
    let request = async |resource: &str| {
        let fields = [
            ("grant_type", "password"),
            ("username", ADELE),
            ("password", password.expose_secret()),
            ("resource", resource),
        ];
        token(&tenant, &app, &fields).await
    };
    assert_eq!(request(GRAPH).await.status, 200);
    assert_error(&request("graph").await, 400, "invalid_resource", 50_001);
    assert_error(
        &request("https://api.example").await,
        400,
        "invalid_resource",
        500_011,
    );
    let other = request(&other.client_id().to_string()).await;
    assert_error(&other, 400, "invalid_resource", 650_057);
    let own_uri = format!("api://{}", app.client_id());
    assert_error(&request(&own_uri).await, 400, "invalid_request", 90_009);
    let parameters = returned(&get(&url(&tenant, &app, "graph")).await);
    assert!(parameter(&parameters, "error_description").starts_with("AADSTS50001"));
    let daemon = [("grant_type", "client_credentials"), ("resource", "graph")];
    assert_error(
        &token(&tenant, &app, &daemon).await,
        400,
        "invalid_resource",
        50_001,
    );
}

#[tokio::test]
async fn a_device_code_of_the_v1_endpoint_has_its_names_and_text() {
    let (tenant, app) = shop().await;
    let address = format!("{}/{}/oauth2/devicecode", tenant.uri(), tenant.id());
    let client_id = app.client_id().to_string();
    let form = [("client_id", client_id.as_str()), ("resource", GRAPH)];
    let device = fetch(http().post(address).form(&form)).await;
    assert_eq!(
        (&device.body["interval"], &device.body["expires_in"]),
        (&json!("5"), &json!("900"))
    );
    assert!(
        device.body["verification_url"].is_string(),
        "{}",
        device.text
    );
    tenant.approve_device_code(device.body["user_code"].as_str().unwrap(), ADELE);
    let fields = [
        ("grant_type", "device_code"),
        ("code", device.body["device_code"].as_str().unwrap()),
        ("resource", GRAPH),
    ];
    let tokens = token(&tenant, &app, &fields).await;
    assert_eq!(tokens.body["resource"], GRAPH, "{}", tokens.text);
}

#[tokio::test]
async fn the_v1_endpoint_serves_no_personal_accounts() {
    let (tenant, _) = shop().await;
    let form = [("grant_type", "refresh_token")];
    let response = post_token(&tenant, "/consumers/oauth2/token", &form).await;
    assert_error(&response, 400, "invalid_request", 90_027);
}
