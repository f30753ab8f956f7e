//! Errors with their AADSTS numbers, each raised by its cause.

use std::time::Duration;

use entra_mock::{App, FakeTenant};
use serde_json::json;

use crate::{
    support::{Response, fetch, get, http, post_token, token_with},
    users::{
        ADELE, Browser, CALLBACK, assert_error, authorize_url, parameter, redeem, returned, shop,
        tool,
    },
};

async fn by_password(
    tenant: &FakeTenant,
    app: &App,
    segment: &str,
    user: &str,
    password: &str,
) -> Response {
    let client_id = app.client_id().to_string();
    let form = [
        ("grant_type", "password"),
        ("client_id", client_id.as_str()),
        ("username", user),
        ("password", password),
        ("scope", "openid User.Read"),
    ];
    post_token(tenant, &format!("/{segment}/oauth2/v2.0/token"), &form).await
}

#[tokio::test]
async fn a_password_that_must_be_changed_or_is_too_long_gives_no_token() {
    let (tenant, app) = tool().await;
    let adele = tenant.user(ADELE);
    let password = adele.password();
    let long = "x".repeat(257);
    assert_error(
        &by_password(&tenant, &app, "contoso.com", ADELE, &long).await,
        400,
        "invalid_grant",
        50_052,
    );
    adele.set(
        "passwordProfile",
        json!({ "forceChangePasswordNextSignIn": true }),
    );
    let request =
        async |password: &str| by_password(&tenant, &app, "contoso.com", ADELE, password).await;
    let expired = request(password.expose_secret()).await;
    assert_error(&expired, 400, "invalid_grant", 50_055);
    assert_eq!(expired.body["suberror"], "user_password_expired");
    // Only who knows the password learns that.
    assert_error(&request("wrong").await, 400, "invalid_grant", 50_126);
    adele.set(
        "passwordProfile",
        json!({ "forceChangePasswordNextSignIn": false }),
    );
    assert_eq!(request(password.expose_secret()).await.status, 200);
}

#[tokio::test]
async fn a_guest_with_a_pending_invitation_gets_aadsts_50014() {
    let (tenant, app) = tool().await;
    let guest = tenant.user("gus_fabrikam.example#EXT#@contoso.onmicrosoft.com");
    let (name, password) = ("gus@fabrikam.example", guest.password());
    guest.set("externalUserState", "PendingAcceptance".into());
    let request =
        async || by_password(&tenant, &app, "contoso.com", name, password.expose_secret()).await;
    assert_error(&request().await, 400, "invalid_grant", 50_014);
    guest.set("externalUserState", "Accepted".into());
    assert_eq!(request().await.status, 200);
}

#[tokio::test]
async fn a_user_of_an_unknown_domain_has_no_tenant_at_organizations() {
    let (tenant, app) = tool().await;
    app.multi_tenant();
    let password = tenant.user(ADELE).password();
    let request = async |user: &str| {
        by_password(
            &tenant,
            &app,
            "organizations",
            user,
            password.expose_secret(),
        )
        .await
    };
    assert_error(
        &request("adele@fabrikam.example").await,
        400,
        "invalid_request",
        50_128,
    );
    assert_error(&request("adele").await, 400, "invalid_request", 50_128);
    assert_eq!(request(ADELE).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_of_a_deleted_user_returns_aadsts_500341() {
    let (tenant, app) = shop().await;
    let tokens = tenant.tokens_for(&app, ADELE, ["offline_access", "User.Read"]);
    tenant.user(ADELE).delete();
    let fields = [
        ("grant_type", "refresh_token"),
        (
            "refresh_token",
            tokens.refresh_token().unwrap().expose_secret(),
        ),
    ];
    assert_error(
        &redeem(&tenant, &app, true, &fields).await,
        400,
        "invalid_grant",
        500_341,
    );
}

#[tokio::test]
async fn a_client_id_of_zeros_returns_aadsts_700038() {
    let (tenant, app) = shop().await;
    let zeros = ("client_id", "00000000-0000-0000-0000-000000000000");
    assert_error(
        &token_with(&tenant, &app, &[zeros]).await,
        400,
        "unauthorized_client",
        700_038,
    );
    assert!(
        get(&authorize_url(&tenant, &app, &[zeros]))
            .await
            .text
            .contains("AADSTS700038")
    );
}

#[tokio::test]
async fn a_federated_token_returns_the_code_of_what_is_missing() {
    let tenant = FakeTenant::start().await;
    let own = format!("{}/{}/v2.0", tenant.uri(), tenant.id());
    let request = async |app: &App, issuer: &str, subject: &str| {
        let (client_id, jwt) = (
            app.client_id().to_string(),
            tenant.federated_token(issuer, subject),
        );
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", jwt.as_str()),
            ("scope", crate::support::GRAPH_SCOPE),
        ];
        post_token(
            &tenant,
            &format!("/{}/oauth2/v2.0/token", tenant.id()),
            &form,
        )
        .await
    };
    let bare = tenant.register_app("Bare");
    assert_error(
        &request(&bare, "https://tokens.example.com", "x").await,
        401,
        "invalid_client",
        70_025,
    );
    assert_error(
        &request(&bare, &own, "x").await,
        401,
        "invalid_client",
        700_222,
    );
    let trusting = tenant
        .register_app("Trusting")
        .with_federated_credential(&own, "the principal");
    assert_error(
        &request(&trusting, &own, "another").await,
        401,
        "invalid_client",
        7_002_137,
    );
    assert_error(
        &request(&trusting, "https://tokens.example.com", "x").await,
        401,
        "invalid_client",
        700_211,
    );
}

#[tokio::test]
async fn an_authorize_request_that_contradicts_itself_goes_back_to_the_application() {
    let (tenant, app) = shop().await;
    let sid = "0a1b2c3d-1111-2222-3333-444455556666";
    for (changes, error, number) in [
        (
            vec![("sid", sid), ("login_hint", ADELE)],
            "invalid_request",
            "AADSTS90005",
        ),
        (
            vec![("sid", "not a guid")],
            "invalid_request",
            "AADSTS90007",
        ),
        (vec![("max_age", "soon")], "invalid_request", "AADSTS90100"),
        (
            vec![("sid", sid), ("prompt", "none")],
            "login_required",
            "AADSTS160021",
        ),
    ] {
        let parameters = returned(&get(&authorize_url(&tenant, &app, &changes)).await);
        assert_eq!(parameter(&parameters, "error"), error, "{changes:?}");
        let description = parameter(&parameters, "error_description");
        assert!(description.starts_with(number), "{description}");
    }
}

#[tokio::test]
async fn an_authorize_request_that_belongs_elsewhere_is_an_error_page() {
    let (tenant, app) = shop().await;
    let long = "x".repeat(17 * 1024);
    for (changes, number) in [
        (vec![("redirect_uri", "callback")], "AADSTS90102"),
        (
            vec![("grant_type", "authorization_code"), ("code", "x")],
            "AADSTS90056",
        ),
        (vec![("state", long.as_str())], "AADSTS90015"),
    ] {
        let page = get(&authorize_url(&tenant, &app, &changes)).await;
        assert_eq!(page.status, 400, "{number}");
        assert!(page.text.contains(number), "{}", page.text);
    }
    let personal = tenant.register_app("Personal").redirect_uri(CALLBACK);
    let id = personal.object_id().to_string();
    tenant
        .set_property(
            "applications",
            &id,
            "signInAudience",
            "PersonalMicrosoftAccount".into(),
        )
        .unwrap();
    let page = get(&authorize_url(&tenant, &personal, &[])).await;
    assert!(page.text.contains("AADSTS9002346"), "{}", page.text);
    let at_consumers =
        authorize_url(&tenant, &personal, &[]).replace(&tenant.id().to_string(), "consumers");
    assert!(get(&at_consumers).await.text.contains("AADSTS50020"));
}

#[tokio::test]
async fn an_unknown_scope_and_a_registration_without_permissions_have_their_own_codes() {
    let (tenant, app) = shop().await;
    let unknown = authorize_url(&tenant, &app, &[("scope", "openid No.Such.Scope")]);
    let back = tenant.sign_in_at(&unknown, ADELE);
    assert_eq!(back.parameter("error").as_deref(), Some("invalid_client"));
    let description = back.parameter("error_description").unwrap();
    assert!(description.starts_with("AADSTS650053") && description.contains("No.Such.Scope"));

    let api = tenant.register_app("API").expose_scope("Tasks.Read");
    let scope = format!("api://{}/.default", api.client_id());
    let url = authorize_url(&tenant, &app, &[("scope", &scope)]);
    let page = tenant.try_sign_in_at(&url, ADELE).unwrap_err();
    assert_eq!(page.aadsts_code(), Some(650_056));
    app.delegated_permission_of(&api, "Tasks.Read");
    assert!(tenant.sign_in_at(&url, ADELE).parameter("code").is_some());
}

#[tokio::test]
async fn admin_consent_to_a_service_without_a_principal_returns_aadsts_650052() {
    let (tenant, app) = shop().await;
    let access = json!([{
        "resourceAppId": "11111111-2222-3333-4444-555555555555",
        "resourceAccess": [{ "id": "11111111-2222-3333-4444-666666666666", "type": "Scope" }]
    }]);
    let id = app.object_id().to_string();
    tenant
        .set_property("applications", &id, "requiredResourceAccess", access)
        .unwrap();
    let url = format!(
        "{}/{}/adminconsent?client_id={}&redirect_uri={CALLBACK}",
        tenant.uri(),
        tenant.id(),
        app.client_id()
    );
    let parameters = returned(&get(&url).await);
    assert!(parameter(&parameters, "error_description").starts_with("AADSTS650052"));
}

#[tokio::test]
async fn a_company_network_can_restrict_the_tenants() {
    let (tenant, app) = shop().await;
    let url = authorize_url(&tenant, &app, &[]);
    let page = async |header: &'static str, value: &str| {
        fetch(http().get(&url).header(header, value)).await
    };
    let own = tenant.id().to_string();
    let list = "Restrict-Access-To-Tenants";
    assert!(
        page(list, "fabrikam.com, other.example")
            .await
            .text
            .contains("AADSTS500021")
    );
    assert_eq!(page(list, &format!("fabrikam.com,{own}")).await.status, 200);
    assert_eq!(page(list, "contoso.com").await.status, 200);
    let policy = "sec-Restrict-Tenant-Access-Policy";
    let other = "11111111-2222-3333-4444-555555555555:99999999-2222-3333-4444-555555555555";
    assert!(page(policy, other).await.text.contains("AADSTS500022"));
    assert_eq!(page(policy, &format!("{own}:{own}")).await.status, 200);
    let token = format!("{}/{own}/oauth2/v2.0/token", tenant.uri());
    let form = [("grant_type", "client_credentials")];
    let response = fetch(http().post(token).header(list, "fabrikam.com").form(&form)).await;
    assert_error(&response, 400, "invalid_request", 500_021);
}

#[tokio::test]
async fn a_regional_endpoint_serves_applications_only() {
    let (tenant, app) = shop().await;
    let (client_id, secret) = (app.client_id().to_string(), app.secret());
    let url = format!("{}/{}/oauth2/v2.0/token", tenant.uri(), tenant.id());
    let send = async |host: &'static str, grant: &str| {
        let form = [
            ("grant_type", grant),
            ("client_id", client_id.as_str()),
            ("client_secret", secret.expose_secret()),
            ("scope", crate::support::GRAPH_SCOPE),
        ];
        fetch(http().post(&url).header("host", host).form(&form)).await
    };
    let region = "westeurope.login.microsoft.com";
    assert_error(
        &send(region, "refresh_token").await,
        400,
        "invalid_request",
        100_007,
    );
    assert_eq!(send(region, "client_credentials").await.status, 200);
    assert_error(
        &send("login.microsoft.com", "refresh_token").await,
        400,
        "invalid_request",
        900_144,
    );
}

#[tokio::test]
async fn instance_discovery_of_something_that_is_not_a_url_returns_aadsts_50050() {
    let tenant = FakeTenant::start().await;
    let url = format!(
        "{}/common/discovery/instance?api-version=1.1&authorization_endpoint=nonsense",
        tenant.uri()
    );
    assert_error(&get(&url).await, 400, "invalid_request", 50_050);
}

async fn device(tenant: &FakeTenant, app: &App, scope: &str) -> String {
    let url = format!("{}/{}/oauth2/v2.0/devicecode", tenant.uri(), tenant.id());
    let client_id = app.client_id().to_string();
    let form = [("client_id", client_id.as_str()), ("scope", scope)];
    let response = fetch(http().post(url).form(&form)).await;
    response.body["user_code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn the_page_for_device_codes_says_why_a_code_does_not_work() {
    let (tenant, app) = tool().await;
    let password = tenant.user(ADELE).password();
    let enter = async |code: &str| {
        let form = [
            ("otc", code),
            ("login", ADELE),
            ("passwd", password.expose_secret()),
            ("step", "password"),
        ];
        fetch(
            http()
                .post(format!("{}/devicelogin", tenant.uri()))
                .form(&form),
        )
        .await
        .text
    };
    let used = device(&tenant, &app, "openid").await;
    assert!(enter(&used).await.contains("signed in"));
    assert!(enter(&used).await.contains("AADSTS90120"));
    let late = device(&tenant, &app, "openid").await;
    tenant.clock().advance(Duration::from_secs(900));
    assert!(enter(&late).await.contains("AADSTS70019"));
    assert!(enter(" ").await.contains("AADSTS90119"));
    assert!(
        enter("BCDFGHJKL")
            .await
            .contains("That code didn&#39;t work")
    );
}

#[tokio::test]
async fn a_user_consents_on_the_page_for_device_codes() {
    let (tenant, app) = tool().await;
    app.revoke_consent();
    let url = format!("{}/{}/oauth2/v2.0/devicecode", tenant.uri(), tenant.id());
    let client_id = app.client_id().to_string();
    let form = [("client_id", client_id.as_str()), ("scope", "User.Read")];
    let device = fetch(http().post(url).form(&form)).await;
    let code = device.body["user_code"].as_str().unwrap();
    let page = format!("{}/devicelogin", tenant.uri());
    let shown = get(&format!("{page}?otc={code}")).await.text;
    assert!(shown.contains("If you sign in, this app can:"), "{shown}");
    assert!(
        shown.contains("Sign you in and read your profile"),
        "{shown}"
    );
    let password = tenant.user(ADELE).password();
    let form = [
        ("otc", code),
        ("login", ADELE),
        ("passwd", password.expose_secret()),
        ("step", "password"),
    ];
    let done = fetch(http().post(page).form(&form)).await;
    assert!(done.text.contains("signed in"), "{}", done.text);
    let fields = [
        ("grant_type", "device_code"),
        ("device_code", device.body["device_code"].as_str().unwrap()),
    ];
    let tokens = redeem(&tenant, &app, false, &fields).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
}

#[tokio::test]
#[should_panic(expected = "AADSTS90094")]
async fn only_an_administrator_approves_a_device_for_a_permission_of_administrators() {
    let (tenant, app) = tool().await;
    let admin = tenant.add_user("Dana Demir");
    admin.make_admin();
    let code = device(&tenant, &app, "User.Read.All").await;
    tenant.approve_device_code(&code, &admin.user_principal_name());
    // Her consent is for herself.
    let code = device(&tenant, &app, "User.Read.All").await;
    tenant.approve_device_code(&code, ADELE);
}

#[tokio::test]
async fn the_parameter_resource_of_a_device_request_is_compared_with_its_scopes() {
    let (tenant, app) = tool().await;
    let url = format!("{}/{}/oauth2/v2.0/devicecode", tenant.uri(), tenant.id());
    let client_id = app.client_id().to_string();
    for (resource, code) in [
        ("https://graph.microsoft.com", None),
        ("https://tools.contoso.com/mcp", Some(9_010_010)),
    ] {
        let form = [
            ("client_id", client_id.as_str()),
            ("scope", "User.Read"),
            ("resource", resource),
        ];
        let response = fetch(http().post(&url).form(&form)).await;
        match code {
            None => assert_eq!(response.status, 200, "{}", response.text),
            Some(code) => assert_error(&response, 400, "invalid_target", code),
        }
    }
}

#[tokio::test]
async fn an_account_or_a_page_that_is_out_of_date_leads_to_a_new_sign_in() {
    let (tenant, app) = shop().await;
    tenant.user(ADELE).require_second_factor();
    let password = tenant.user(ADELE).password();
    let mut browser = Browser::default();
    let first = browser.get(&authorize_url(&tenant, &app, &[])).await;
    let unknown = [("account", "00000000-0000-4000-8000-000000000009")];
    let page = browser.submit(&tenant, &first, &unknown).await;
    assert!(page.text.contains("AADSTS16001"), "{}", page.text);
    let fields = [
        ("login", ADELE),
        ("passwd", password.expose_secret()),
        ("step", "password"),
    ];
    let second = browser.submit(&tenant, &first, &fields).await;
    tenant.clock().advance(Duration::from_secs(3600));
    let late = browser
        .submit(&tenant, &second, &[("step", "second-factor")])
        .await;
    assert!(late.text.contains("AADSTS50089"), "{}", late.text);
}

#[tokio::test]
async fn ten_wrong_passwords_lock_the_account_with_aadsts_50053() {
    let (tenant, app) = tool().await;
    let password = tenant.user(ADELE).password();
    for number in 0..10 {
        let wrong = by_password(
            &tenant,
            &app,
            "contoso.com",
            ADELE,
            &format!("wrong {number}"),
        )
        .await;
        assert_error(&wrong, 400, "invalid_grant", 50_126);
    }
    let request = async || {
        by_password(
            &tenant,
            &app,
            "contoso.com",
            ADELE,
            password.expose_secret(),
        )
        .await
    };
    assert_error(&request().await, 400, "invalid_grant", 50_053);
    tenant.clock().advance(Duration::from_secs(60));
    assert_eq!(request().await.status, 200);
}

#[tokio::test]
async fn the_password_grant_is_not_served_at_common_and_consumers() {
    let (tenant, app) = tool().await;
    app.multi_tenant();
    for alias in ["common", "consumers"] {
        let response = by_password(&tenant, &app, alias, ADELE, "x").await;
        assert_error(&response, 400, "invalid_request", 9_001_023);
    }
}

#[tokio::test]
async fn a_federated_token_of_a_user_or_beside_the_expression_is_rejected() {
    let tenant = FakeTenant::start().await;
    let issuer = "https://token.actions.githubusercontent.com";
    let owner = tenant
        .register_app("Owner")
        .application_permission("Application.ReadWrite.All")
        .with_secret();
    let app = tenant.register_app("Deploy");
    let credential = json!({
        "name": "branches", "issuer": issuer, "audiences": ["api://AzureADTokenExchange"],
        "claimsMatchingExpression": { "value": "claims['sub'] matches 'repo:contoso/shop:ref:refs/heads/*'", "languageVersion": 1 }
    });
    let url = format!(
        "{}/beta/applications/{}/federatedIdentityCredentials",
        tenant.uri(),
        app.object_id()
    );
    let jwt = crate::support::token(&tenant, &owner).await;
    let created = fetch(http().post(url).bearer_auth(jwt).json(&credential)).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let request = async |assertion: String| {
        let client_id = app.client_id().to_string();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion.as_str()),
            ("scope", crate::support::GRAPH_SCOPE),
        ];
        post_token(
            &tenant,
            &format!("/{}/oauth2/v2.0/token", tenant.id()),
            &form,
        )
        .await
    };
    assert_eq!(
        request(tenant.federated_token(issuer, "repo:contoso/shop:ref:refs/heads/main"))
            .await
            .status,
        200
    );
    let beside = request(tenant.federated_token(issuer, "repo:other/shop")).await;
    assert_error(&beside, 400, "invalid_request", 70_021);
    let of_a_user = tenant.federated_token_with(
        issuer,
        "repo:contoso/shop:ref:refs/heads/main",
        json!({ "scp": "User.Read" }),
    );
    assert_error(&request(of_a_user).await, 401, "invalid_client", 700_229);
}
