//! Agent identities, sign-in frequency and keys of other issuers: what tests in other languages need of a tenant.

use serde_json::{Value, json};

use crate::{
    controlled::{Controlled, code},
    support::{GRAPH_SCOPE, Response, fetch, http},
};

const EXCHANGE: &str = "api://AzureADTokenExchange/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn token(server: &Controlled, form: &[(&str, &str)]) -> Response {
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        server.text("uri"),
        server.text("id")
    );
    fetch(http().post(url).form(form)).await
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[tokio::test]
async fn an_agent_identity_and_its_user_get_tokens() {
    let server = Controlled::start().await;
    let blueprint = json!({ "displayName": "Travel agents", "secret": true });
    let blueprint = server.done("POST", "/applications", blueprint).await;
    let agent = json!({
        "blueprint": "Travel agents", "displayName": "Travel agent 1",
        "applicationPermissions": ["User.Read.All"], "delegatedPermissions": ["User.Read"],
    });
    let agent = server.done("POST", "/agent-identities", agent).await;
    let user = json!({ "agentIdentity": agent["appId"], "displayName": "Travel Agent" });
    let user = server.done("POST", "/agent-users", user).await;
    let exchange = token(
        &server,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", text(&blueprint, "appId")),
            ("client_secret", text(&blueprint, "secret")),
            ("scope", EXCHANGE),
            ("fmi_path", text(&agent, "appId")),
        ],
    )
    .await;
    assert_eq!(exchange.status, 200, "{}", exchange.text);
    let as_agent = |fields: &[(&'static str, &str)]| {
        let mut form = vec![
            ("client_id", text(&agent, "appId").to_owned()),
            ("client_assertion_type", JWT_BEARER.to_owned()),
            (
                "client_assertion",
                text(&exchange.body, "access_token").to_owned(),
            ),
        ];
        form.extend(
            fields
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        form
    };
    let send = async |form: Vec<(&str, String)>| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, &**value)).collect();
        token(&server, &form).await
    };
    let own = send(as_agent(&[
        ("grant_type", "client_credentials"),
        ("scope", GRAPH_SCOPE),
    ]))
    .await;
    assert_eq!(own.status, 200, "{}", own.text);
    let users = format!("{}/users", server.text("graph"));
    let users = fetch(
        http()
            .get(users)
            .bearer_auth(text(&own.body, "access_token")),
    )
    .await;
    assert_eq!(users.status, 200, "{}", users.text);

    let credential = send(as_agent(&[
        ("grant_type", "client_credentials"),
        ("scope", EXCHANGE),
    ]))
    .await;
    let delegated = send(as_agent(&[
        ("grant_type", "user_fic"),
        ("scope", "https://graph.microsoft.com/User.Read"),
        ("user_id", text(&user, "id")),
        (
            "user_federated_identity_credential",
            text(&credential.body, "access_token"),
        ),
    ]))
    .await;
    assert_eq!(delegated.status, 200, "{}", delegated.text);

    let unknown = json!({ "blueprint": "Travel agents", "displayName": "x", "applicationPermissions": ["No.Such"] });
    let unknown = server.send("POST", "/agent-identities", &unknown).await;
    assert_eq!((unknown.status, code(&unknown)), (404, "unknownPermission"));
    let principals = server.get("/objects/servicePrincipals").await.body;
    let mut named = principals["value"].as_array().unwrap().iter();
    assert!(!named.any(|principal| principal["displayName"] == "x"));
}

#[tokio::test]
async fn an_old_sign_in_is_rejected_by_a_sign_in_frequency() {
    let server = Controlled::start().await;
    let shop = json!({ "displayName": "Shop", "secret": true, "redirectUris": ["https://shop.example/callback"], "delegatedPermissions": ["User.Read"] });
    let shop = server.done("POST", "/applications", shop).await;
    let wanted = json!({ "application": "Shop", "user": "adele@contoso.com", "scopes": ["User.Read", "offline_access"] });
    let tokens = server.done("POST", "/tokens", wanted).await;
    for policy in [
        json!({ "control": "signInFrequency" }),
        json!({ "control": "signInFrequency", "frequency": "0s" }),
        json!({ "control": "block", "frequency": "1h" }),
    ] {
        let wrong = server.send("POST", "/access-policies", &policy).await;
        assert_eq!(wrong.status, 400, "{}", wrong.text);
    }
    let policy = json!({ "control": "signInFrequency", "frequency": "1h" });
    server.done("POST", "/access-policies", policy).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", text(&shop, "appId")),
        ("client_secret", text(&shop, "secret")),
        ("refresh_token", text(&tokens, "refreshToken")),
        ("scope", "User.Read"),
    ];
    assert_eq!(token(&server, &form).await.status, 200);
    server
        .done("POST", "/clock/advance", json!({ "by": "61m" }))
        .await;
    let old = token(&server, &form).await;
    assert!(
        old.status == 400 && old.text.contains("AADSTS70043"),
        "{}",
        old.text
    );
}

#[tokio::test]
async fn the_keys_of_an_issuer_decide_about_its_tokens() {
    let server = Controlled::start().await;
    let (issuer, subject) = ("https://issuer.example", "job");
    let job = json!({ "displayName": "Job" });
    let job = server.done("POST", "/applications", job).await;
    let path = format!(
        "/applications/{}/federated-credentials",
        text(&job, "appId")
    );
    let credential = json!({ "issuer": issuer, "subject": subject });
    server.done("POST", &path, credential).await;
    let assertion = server
        .done(
            "POST",
            "/federated-tokens",
            json!({ "issuer": issuer, "subject": subject }),
        )
        .await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", text(&job, "appId")),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", text(&assertion, "token")),
        ("scope", GRAPH_SCOPE),
    ];
    assert_eq!(token(&server, &form).await.status, 200);
    let keys = format!("{}/common/discovery/v2.0/keys", server.text("uri"));
    let keys = fetch(http().get(keys)).await.body["keys"].clone();
    let other = json!({ "issuer": issuer, "keys": [keys[0]] });
    server.done("POST", "/federated-issuers", other).await;
    let rejected = token(&server, &form).await;
    assert_eq!(rejected.status, 401, "{}", rejected.text);
    let incomplete = json!({ "issuer": issuer, "keys": [{ "kid": "1" }] });
    let incomplete = server.send("POST", "/federated-issuers", &incomplete).await;
    assert_eq!(incomplete.status, 400, "{}", incomplete.text);
}
