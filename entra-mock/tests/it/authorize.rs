//! The authorize endpoint as a browser meets it.

use std::time::Duration;

use crate::{
    support::{Response, get, graph_get},
    users::{ADELE, Browser, authorize_url, code, parameter, redeem_code, returned, shop},
};

async fn signed_in(tenant: &entra_mock::FakeTenant, app: &entra_mock::App) -> (Browser, Response) {
    let password = tenant.user(ADELE).password();
    let mut browser = Browser::default();
    let page = browser.get(&authorize_url(tenant, app, &[])).await;
    let fields = [
        ("login", ADELE),
        ("passwd", password.expose_secret()),
        ("step", "password"),
    ];
    let back = browser.submit(tenant, &page, &fields).await;
    (browser, back)
}

#[tokio::test]
async fn a_user_signs_in_and_the_code_gives_tokens() {
    let (tenant, app) = shop().await;
    let page = get(&authorize_url(&tenant, &app, &[("login_hint", ADELE)])).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("type=\"password\"") && page.text.contains(ADELE));
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );

    let (_, back) = signed_in(&tenant, &app).await;
    let parameters = returned(&back);
    assert_eq!(parameter(&parameters, "state"), "a b&c");
    let cookie = back.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let tokens = redeem_code(&tenant, &app, &parameter(&parameters, "code"), &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    let me = graph_get(
        &tenant,
        tokens.body["access_token"].as_str().unwrap(),
        "/me",
    )
    .await;
    assert_eq!(me.body["userPrincipalName"], ADELE, "{}", me.text);
}

#[tokio::test]
async fn wrong_passwords_and_names_stay_on_the_page_and_a_disabled_account_has_a_number() {
    let (tenant, app) = shop().await;
    let password = tenant.user(ADELE).password();
    let mut browser = Browser::default();
    let page = browser.get(&authorize_url(&tenant, &app, &[])).await;
    let mut attempt = async |name: &str, password: &str| {
        let fields = [("login", name), ("passwd", password), ("step", "password")];
        browser.submit(&tenant, &page, &fields).await.text
    };
    assert!(
        attempt(ADELE, "wrong")
            .await
            .contains("Invalid user name or password")
    );
    let hostile = attempt("<b>x</b>@contoso.com", "x").await;
    assert!(hostile.contains("does not exist") && !hostile.contains("<b>"));
    tenant.user(ADELE).disable();
    let page = attempt(ADELE, password.expose_secret()).await;
    assert!(
        page.contains("AADSTS50057: The user account is disabled.")
            && page.contains("Use another account"),
        "{page}"
    );
}

#[tokio::test]
async fn a_wrong_password_does_not_tell_that_the_account_is_disabled() {
    let (tenant, app) = shop().await;
    let adele = tenant.user(ADELE);
    adele.set_password(&"the right one".into());
    adele.disable();
    let mut browser = Browser::default();
    let page = browser.get(&authorize_url(&tenant, &app, &[])).await;
    let fields = [("login", ADELE), ("passwd", "wrong"), ("step", "password")];
    let page = browser.submit(&tenant, &page, &fields).await.text;
    assert!(page.contains("Invalid user name or password"), "{page}");
    assert!(!page.contains("disabled"), "{page}");
}

#[tokio::test]
async fn a_session_satisfies_a_silent_request() {
    let (tenant, app) = shop().await;
    let (mut browser, _) = signed_in(&tenant, &app).await;
    let silent = authorize_url(&tenant, &app, &[("prompt", "none"), ("login_hint", ADELE)]);
    let parameters = returned(&browser.get(&silent).await);
    assert!(parameter(&parameters, "code").starts_with("1.A"));

    for (changes, error, number) in [
        (
            vec![("login_hint", "someone@contoso.com")],
            "login_required",
            "AADSTS50058",
        ),
        (vec![("max_age", "0")], "login_required", "AADSTS50058"),
        (
            vec![("scope", "openid Mail.Read")],
            "consent_required",
            "AADSTS65001",
        ),
    ] {
        tenant.clock().advance(Duration::from_secs(1));
        let changes = [vec![("prompt", "none")], changes].concat();
        let parameters = returned(&browser.get(&authorize_url(&tenant, &app, &changes)).await);
        assert_eq!(parameter(&parameters, "error"), error);
        assert!(parameter(&parameters, "error_description").starts_with(number));
        assert_eq!(parameter(&parameters, "state"), "a b&c");
    }
    // Without a prompt the session is enough; with `login` it is not.
    assert_eq!(
        browser.get(&authorize_url(&tenant, &app, &[])).await.status,
        302
    );
    let again = authorize_url(&tenant, &app, &[("prompt", "login")]);
    assert_eq!(browser.get(&again).await.status, 200);

    tenant.user(ADELE).revoke_sessions();
    let parameters = returned(&browser.get(&silent).await);
    assert_eq!(parameter(&parameters, "error"), "login_required");
}

#[tokio::test]
async fn a_browser_without_a_session_cannot_sign_in_silently() {
    let (tenant, app) = shop().await;
    let parameters = returned(&get(&authorize_url(&tenant, &app, &[("prompt", "none")])).await);
    assert_eq!(parameter(&parameters, "error"), "login_required");
}

#[tokio::test]
async fn consent_is_requested_once_and_can_be_declined() {
    let (tenant, app) = shop().await;
    app.revoke_consent();
    let (mut browser, page) = signed_in(&tenant, &app).await;
    assert!(
        page.text.contains("Microsoft Graph: User.Read"),
        "{}",
        page.text
    );

    let declined = browser.submit(&tenant, &page, &[("step", "decline")]).await;
    let parameters = returned(&declined);
    assert_eq!(parameter(&parameters, "error"), "access_denied");
    assert_eq!(parameter(&parameters, "error_subcode"), "cancel");
    assert!(parameter(&parameters, "error_description").starts_with("AADSTS65004"));

    let accepted = browser.submit(&tenant, &page, &[("step", "consent")]).await;
    assert!(!parameter(&returned(&accepted), "code").is_empty());
    assert_eq!(
        browser.get(&authorize_url(&tenant, &app, &[])).await.status,
        302
    );
}

#[tokio::test]
async fn admin_only_permissions_need_the_consent_of_an_administrator() {
    let (tenant, app) = shop().await;
    let url = authorize_url(&tenant, &app, &[("scope", "openid User.Read.All")]);
    let (mut browser, _) = signed_in(&tenant, &app).await;
    let rejected = browser.get(&url).await;
    assert_eq!(rejected.status, 400);
    assert!(rejected.text.contains("AADSTS90094"));
    tenant.user(ADELE).make_admin();
    let page = browser.get(&url).await;
    assert_eq!(page.status, 200);
    let accepted = browser.submit(&tenant, &page, &[("step", "consent")]).await;
    assert_eq!(accepted.status, 302);
}

#[tokio::test]
async fn multifactor_authentication_is_a_second_page() {
    let (tenant, app) = shop().await;
    tenant.user(ADELE).require_second_factor();
    let (mut browser, page) = signed_in(&tenant, &app).await;
    assert!(page.text.contains("multifactor authentication"));
    let silent = authorize_url(&tenant, &app, &[("prompt", "none")]);
    let parameters = returned(&browser.get(&silent).await);
    assert_eq!(parameter(&parameters, "error"), "interaction_required");
    let approved = browser
        .submit(&tenant, &page, &[("step", "second-factor")])
        .await;
    assert_eq!(approved.status, 302);
    assert_eq!(browser.get(&silent).await.status, 302);
}

#[tokio::test]
async fn unassigned_users_see_aadsts_50105() {
    let (tenant, app) = shop().await;
    app.require_assignment();
    let (_, page) = signed_in(&tenant, &app).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("AADSTS50105"));
    tenant.assign(tenant.user(ADELE).id(), app.service_principal_id());
    let (_, back) = signed_in(&tenant, &app).await;
    assert_eq!(back.status, 302);
}

#[tokio::test]
async fn form_post_sends_the_response_as_a_form() {
    let (tenant, app) = shop().await;
    let state = "\"><script>alert(1)</script>";
    let url = authorize_url(
        &tenant,
        &app,
        &[("response_mode", "form_post"), ("state", state)],
    );
    let back = tenant.sign_in_at(&url, ADELE);
    assert!(back.is_posted());
    assert_eq!(back.address(), crate::users::CALLBACK);
    assert_eq!(back.parameter("state").as_deref(), Some(state));

    let (mut browser, _) = signed_in(&tenant, &app).await;
    let page = browser.get(&url).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text
            .contains("<form method=\"post\" action=\"https://shop.example/callback\">")
    );
    assert!(!page.text.contains("<script>alert"));
    let fragment = authorize_url(&tenant, &app, &[("response_mode", "fragment")]);
    let location = browser.get(&fragment).await;
    assert!(
        location
            .header("location")
            .unwrap()
            .contains("/callback#code=")
    );
}

#[tokio::test]
async fn an_unregistered_redirect_uri_never_gets_a_redirect() {
    let (tenant, app) = shop().await;
    for (changes, number) in [
        (vec![("client_id", "")], "AADSTS900144"),
        (
            vec![("client_id", "11111111-2222-3333-4444-555555555555")],
            "AADSTS700016",
        ),
        (
            vec![("redirect_uri", "https://evil.example/callback")],
            "AADSTS50011",
        ),
        (
            vec![("redirect_uri", "https://shop.example/callback/")],
            "AADSTS50011",
        ),
    ] {
        let page = get(&authorize_url(&tenant, &app, &changes)).await;
        assert_eq!(page.status, 400, "{changes:?}");
        assert!(page.text.contains(number), "{}", page.text);
        assert_eq!(page.header("location"), None);
    }
    let bare = tenant.register_app("No address");
    let page = get(&authorize_url(&tenant, &bare, &[("redirect_uri", "")])).await;
    assert!(page.text.contains("AADSTS500113"));
    let url = authorize_url(&tenant, &app, &[]).replace(&tenant.id().to_string(), "common");
    assert!(get(&url).await.text.contains("AADSTS50194"));
}

#[tokio::test]
async fn other_errors_are_redirected_to_the_application() {
    let (tenant, app) = shop().await;
    for (changes, error, number) in [
        (
            vec![("response_type", "")],
            "invalid_request",
            "AADSTS900144",
        ),
        (
            vec![("response_type", "magic")],
            "unsupported_response_type",
            "AADSTS70005",
        ),
        (
            vec![("response_type", "id_token")],
            "unsupported_response_type",
            "AADSTS700054",
        ),
        (
            vec![("response_mode", "pigeon")],
            "invalid_request",
            "AADSTS70007",
        ),
        (vec![("scope", "")], "invalid_request", "AADSTS900144"),
        (
            vec![("scope", "openid phone")],
            "invalid_scope",
            "AADSTS70011",
        ),
        (
            vec![("code_challenge", "short")],
            "invalid_request",
            "AADSTS501491",
        ),
        (
            vec![("code_challenge_method", "S512")],
            "invalid_request",
            "AADSTS501491",
        ),
        (
            vec![("code_challenge", "")],
            "invalid_request",
            "AADSTS50147",
        ),
        (vec![("prompt", "maybe")], "invalid_request", "AADSTS90023"),
    ] {
        let parameters = returned(&get(&authorize_url(&tenant, &app, &changes)).await);
        assert_eq!(parameter(&parameters, "error"), error, "{changes:?}");
        let description = parameter(&parameters, "error_description");
        assert!(description.starts_with(number), "{description}");
        assert_eq!(parameter(&parameters, "state"), "a b&c");
    }
    let back = tenant.sign_in_at(
        &authorize_url(&tenant, &app, &[("scope", "api://unknown/Read")]),
        ADELE,
    );
    assert_eq!(back.parameter("error").as_deref(), Some("invalid_resource"));
}

#[tokio::test]
async fn a_loopback_redirect_uri_can_have_any_port() {
    let (tenant, app) = crate::users::tool().await;
    let url = authorize_url(
        &tenant,
        &app,
        &[("redirect_uri", "http://localhost:49152/")],
    );
    let back = tenant.sign_in_at(&url, ADELE);
    assert!(back.address().starts_with("http://localhost:49152/?code="));
}

#[tokio::test]
async fn successful_and_failed_interactive_sign_ins_are_listed() {
    let (tenant, app) = shop().await;
    let reader = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let token = crate::support::token(&tenant, &reader).await;
    code(&tenant, &app);
    let mut browser = Browser::default();
    let page = browser.get(&authorize_url(&tenant, &app, &[])).await;
    let _ = tenant.user(ADELE).password();
    let fields = [("login", ADELE), ("passwd", "wrong"), ("step", "password")];
    browser.submit(&tenant, &page, &fields).await;

    let path = format!("/auditLogs/signIns?$filter=appId eq '{}'", app.client_id());
    let list = graph_get(&tenant, &token, &path).await;
    let codes: Vec<i64> = list.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["status"]["errorCode"].as_i64().unwrap())
        .collect();
    assert_eq!(codes.len(), 2, "{}", list.text);
    assert!(codes.contains(&0) && codes.contains(&50126), "{codes:?}");
}

#[tokio::test]
#[should_panic(expected = "AADSTS90094")]
async fn a_user_cannot_accept_what_only_an_administrator_can_grant() {
    let tenant = entra_mock::FakeTenant::start().await;
    let back = "https://shop.example/callback";
    let app = tenant.register_app("Shop").redirect_uri(back);
    let url = format!(
        "{}/{}/oauth2/v2.0/authorize?client_id={}&response_type=code&scope=openid%20User.Read.All&redirect_uri={back}",
        tenant.uri(),
        tenant.id(),
        app.client_id()
    );
    let admin = tenant.add_user("Dana Demir");
    admin.make_admin();
    let signed_in = tenant.sign_in_at(&url, &admin.user_principal_name());
    assert!(signed_in.parameter("code").is_some());
    let _ = tenant.sign_in_at(&url, "adele@contoso.com");
}
