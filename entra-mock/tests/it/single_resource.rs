//! One token request is for one resource, in every grant.

use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    support::{Response, fetch, http},
    users::{ADELE, CALLBACK, assert_error, authorize_url, claims, redeem, redeem_code},
};

struct Case {
    tenant: FakeTenant,
    app: App,
    api_scope: String,
}

/// An application with consent for Graph and for an API, which is a public client too.
async fn case() -> Case {
    let tenant = FakeTenant::start().await;
    let api = tenant.register_app("Tasks").expose_scope("Tasks.Read");
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .delegated_permission("Mail.Read")
        .delegated_permission_of(&api, "Tasks.Read")
        .expose_scope("Shop.Read")
        .public_client()
        .with_secret();
    let api_scope = format!("api://{}/Tasks.Read", api.client_id());
    Case {
        tenant,
        app,
        api_scope,
    }
}

impl Case {
    async fn send(&self, fields: &[(&str, &str)]) -> Response {
        redeem(&self.tenant, &self.app, true, fields).await
    }

    /// The response of each grant to a request with this scope.
    async fn all(&self, scope: &str) -> Vec<(&'static str, Response)> {
        let tokens = self.tenant.tokens_for(
            &self.app,
            ADELE,
            [
                &format!("api://{}/Shop.Read", self.app.client_id()),
                "offline_access",
            ],
        );
        let url = authorize_url(&self.tenant, &self.app, &[]);
        let code = self
            .tenant
            .sign_in_at(&url, ADELE)
            .parameter("code")
            .unwrap();
        let password = self.tenant.user(ADELE).password();
        let refresh = [
            ("grant_type", "refresh_token"),
            (
                "refresh_token",
                tokens.refresh_token().unwrap().expose_secret(),
            ),
            ("scope", scope),
        ];
        let on_behalf = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("assertion", tokens.access_token().expose_secret()),
            ("scope", scope),
        ];
        let by_password = [
            ("grant_type", "password"),
            ("username", ADELE),
            ("password", password.expose_secret()),
            ("scope", scope),
        ];
        let client_id = self.app.client_id().to_string();
        let url = format!(
            "{}/{}/oauth2/v2.0/devicecode",
            self.tenant.uri(),
            self.tenant.id()
        );
        let device = http()
            .post(url)
            .form(&[("client_id", &*client_id), ("scope", scope)]);
        vec![
            (
                "code",
                redeem_code(&self.tenant, &self.app, &code, &[("scope", scope)]).await,
            ),
            ("refresh", self.send(&refresh).await),
            ("on behalf of", self.send(&on_behalf).await),
            ("password", self.send(&by_password).await),
            ("device", fetch(device).await),
        ]
    }
}

#[tokio::test]
async fn scopes_of_two_resources_return_aadsts_28000_in_every_grant() {
    let case = case().await;
    let scope = format!("openid User.Read {}", case.api_scope);
    for (grant, response) in case.all(&scope).await {
        println!("{grant}");
        assert_error(&response, 400, "invalid_scope", 28_000);
    }
}

#[tokio::test]
async fn default_beside_another_scope_returns_aadsts_70011_in_every_grant() {
    let case = case().await;
    for scope in [
        "User.Read https://graph.microsoft.com/.default".to_owned(),
        format!("https://graph.microsoft.com/.default {}", case.api_scope),
    ] {
        for (grant, response) in case.all(&scope).await {
            println!("{grant}: {scope}");
            assert_error(&response, 400, "invalid_scope", 70_011);
        }
    }
}

#[tokio::test]
async fn one_resource_in_two_spellings_is_one_resource() {
    let case = case().await;
    let scope = "offline_access User.Read https://graph.microsoft.com/Mail.Read";
    for (grant, response) in case.all(scope).await {
        assert_eq!(response.status, 200, "{grant}: {}", response.text);
        if grant != "device" {
            let scp = claims(&response.body["access_token"])["scp"].to_string();
            assert!(
                scp.contains("Mail.Read") && scp.contains("User.Read"),
                "{grant}: {scp}"
            );
        }
    }
}

#[tokio::test]
async fn several_resources_at_authorize_give_a_code_for_the_first() {
    let case = case().await;
    let scope = format!("openid offline_access {} User.Read", case.api_scope);
    let url = authorize_url(&case.tenant, &case.app, &[("scope", &scope)]);
    let code = case
        .tenant
        .sign_in_at(&url, ADELE)
        .parameter("code")
        .unwrap();
    let tokens = redeem_code(&case.tenant, &case.app, &code, &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(
        claims(&tokens.body["access_token"])["scp"],
        json!("Tasks.Read")
    );
    // A refresh token is for every resource.
    let refresh = [
        ("grant_type", "refresh_token"),
        (
            "refresh_token",
            tokens.body["refresh_token"].as_str().unwrap(),
        ),
        ("scope", "User.Read"),
    ];
    let graph = case.send(&refresh).await;
    assert_eq!(
        claims(&graph.body["access_token"])["aud"],
        "00000003-0000-0000-c000-000000000000"
    );
}

#[tokio::test]
async fn an_empty_scope_at_the_redemption_of_a_code_returns_aadsts_28003() {
    let case = case().await;
    let url = authorize_url(&case.tenant, &case.app, &[]);
    let code = case
        .tenant
        .sign_in_at(&url, ADELE)
        .parameter("code")
        .unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", &case.app.client_id().to_string()),
        ("code", &code),
        ("scope", ""),
    ];
    let path = format!("/{}/oauth2/v2.0/token", case.tenant.id());
    let response = crate::support::post_token(&case.tenant, &path, &form).await;
    assert_error(&response, 400, "invalid_scope", 28_003);
}
