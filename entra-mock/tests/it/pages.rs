//! The sign-in pages: accounts of a browser, prompts, errors, multifactor authentication.

use std::time::Duration;

use entra_mock::{AccessPolicy, App, FakeTenant};
use serde_json::json;

use crate::{
    support::{Response, get, graph_get, token},
    users::{
        ADELE, Browser, CALLBACK, authorize_url, claims, hidden_fields, parameter, redeem_code,
        returned, shop,
    },
};

const BRUNO: &str = "bruno@contoso.com";

/// Signs in from the user name to the response of the password step.
pub(crate) async fn sign_in(
    tenant: &FakeTenant,
    browser: &mut Browser,
    url: &str,
    name: &str,
) -> Response {
    let password = tenant.user(name).password();
    let mut page = browser.get(url).await;
    if page.text.contains("id=\"other\"") {
        page = browser.submit(tenant, &page, &[("step", "other")]).await;
    }
    let page = browser
        .submit(tenant, &page, &[("login", name), ("step", "username")])
        .await;
    assert!(page.text.contains("id=\"passwd\""), "{}", page.text);
    let fields = [("passwd", password.expose_secret()), ("step", "password")];
    browser.submit(tenant, &page, &fields).await
}

async fn error_of(
    browser: &mut Browser,
    tenant: &FakeTenant,
    app: &App,
    changes: &[(&str, &str)],
) -> String {
    let changes = [&[("prompt", "none")], changes].concat();
    let back = browser.get(&authorize_url(tenant, app, &changes)).await;
    parameter(&returned(&back), "error")
}

#[tokio::test]
async fn the_user_name_page_is_before_the_password_page() {
    let (tenant, app) = shop().await;
    let mut browser = Browser::default();
    let page = browser.get(&authorize_url(&tenant, &app, &[])).await;
    assert!(page.text.contains("to continue to Shop") && !page.text.contains("id=\"passwd\""));
    let empty = browser
        .submit(&tenant, &page, &[("step", "username")])
        .await;
    assert!(empty.text.contains("role=\"alert\""));
    let unknown = [("login", "unknown@contoso.com"), ("step", "username")];
    let unknown = browser.submit(&tenant, &page, &unknown).await;
    assert!(unknown.text.contains("does not exist") && unknown.text.contains("id=\"login\""));

    let named = [("login", ADELE), ("step", "username")];
    let named = browser.submit(&tenant, &unknown, &named).await;
    assert_eq!(
        hidden_fields(&named.text),
        [("login".to_owned(), ADELE.to_owned())]
    );
    let none = browser
        .submit(&tenant, &named, &[("step", "password")])
        .await;
    assert!(none.text.contains("Enter your password."));
    let password = tenant.user(ADELE).password();
    let fields = [("passwd", password.expose_secret()), ("step", "password")];
    assert_eq!(browser.submit(&tenant, &none, &fields).await.status, 302);
}

#[tokio::test]
async fn tenants_on_one_host_do_not_take_each_others_cookies() {
    let (contoso, app) = shop().await;
    let fabrikam = FakeTenant::builder()
        .company("Fabrikam", "fabrikam.com")
        .random_seed(2)
        .start()
        .await;
    let other = fabrikam
        .register_app("Shop")
        .redirect_uri(crate::users::CALLBACK)
        .delegated_permission("User.Read")
        .with_secret();
    let name = |browser: &Browser| {
        browser
            .cookie()
            .unwrap()
            .split_once('=')
            .unwrap()
            .0
            .to_owned()
    };
    let (mut one, mut two) = (Browser::default(), Browser::default());
    sign_in(
        &contoso,
        &mut one,
        &authorize_url(&contoso, &app, &[]),
        ADELE,
    )
    .await;
    let url = authorize_url(&fabrikam, &other, &[]);
    sign_in(&fabrikam, &mut two, &url, "adele@fabrikam.com").await;
    assert_ne!(name(&one), name(&two));
    // Neither session is valid for the other tenant.
    let planted = format!(
        "{}={}",
        name(&two),
        one.cookie().unwrap().split_once('=').unwrap().1
    );
    let page = Browser::with_cookie(&planted).get(&url).await;
    assert!(page.text.contains("id=\"login\""));
}

#[tokio::test]
async fn cancelling_redirects_to_the_application() {
    let (tenant, app) = shop().await;
    let mut browser = Browser::default();
    let page = browser.get(&authorize_url(&tenant, &app, &[])).await;
    let back = browser.submit(&tenant, &page, &[("step", "cancel")]).await;
    let parameters = returned(&back);
    assert_eq!(parameter(&parameters, "error"), "access_denied");
    assert_eq!(parameter(&parameters, "error_subcode"), "cancel");
    // Every error has an `error_uri`.
    let more = parameter(&parameters, "error_uri");
    assert!(more.ends_with("/error?code=65004"), "{more}");
    assert!(get(&more).await.text.contains("AADSTS65004"));
}

#[tokio::test]
async fn prompt_consent_shows_the_consent_page_again() {
    let (tenant, app) = shop().await;
    let mut browser = Browser::default();
    for scope in ["openid profile", "openid User.Read"] {
        let url = authorize_url(&tenant, &app, &[("prompt", "consent"), ("scope", scope)]);
        let mut page = browser.get(&url).await;
        if !page.text.contains("id=\"accept\"") {
            page = sign_in(&tenant, &mut browser, &url, ADELE).await;
        }
        assert!(
            page.text.contains("View your basic profile"),
            "{}",
            page.text
        );
        assert_eq!(
            page.text.contains("Graph: User.Read"),
            scope.contains("User.Read")
        );
        let back = browser.submit(&tenant, &page, &[("step", "consent")]).await;
        assert!(!parameter(&returned(&back), "code").is_empty());
    }
}

#[tokio::test]
async fn a_consent_page_lists_each_permission_once() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Shop").redirect_uri(CALLBACK);
    // They are permissions of Graph too, so that an application can register them.
    for name in ["openid", "profile", "email", "offline_access", "User.Read"] {
        app.delegated_permission(name);
    }
    let app = app.with_secret();
    for scope in [
        "openid profile email offline_access https://graph.microsoft.com/.default",
        "https://graph.microsoft.com/openid profile email offline_access User.Read https://graph.microsoft.com/User.Read",
    ] {
        let url = authorize_url(&tenant, &app, &[("prompt", "consent"), ("scope", scope)]);
        let page = sign_in(&tenant, &mut Browser::default(), &url, ADELE).await;
        for listed in [
            "<small>openid profile email</small>",
            "<small>offline_access</small>",
            "<small>Microsoft Graph: User.Read</small>",
        ] {
            assert_eq!(
                page.text.matches(listed).count(),
                1,
                "{scope}: {}",
                page.text
            );
        }
        assert_eq!(page.text.matches("<small>").count(), 3, "{}", page.text);
    }
}

#[tokio::test]
async fn a_browser_has_separate_sessions_for_several_accounts() {
    let (tenant, app) = shop().await;
    let mut browser = Browser::default();
    let url = authorize_url(&tenant, &app, &[]);
    assert_eq!(
        sign_in(&tenant, &mut browser, &url, ADELE).await.status,
        302
    );
    let pick = authorize_url(&tenant, &app, &[("prompt", "select_account")]);
    let picker = browser.get(&pick).await;
    assert!(picker.text.contains(ADELE) && picker.text.contains("id=\"other\""));
    assert_eq!(
        sign_in(&tenant, &mut browser, &pick, BRUNO).await.status,
        302
    );

    // With two accounts the request must select one.
    assert_eq!(
        error_of(&mut browser, &tenant, &app, &[]).await,
        "login_required"
    );
    let picker = browser.get(&url).await;
    assert!(picker.text.contains(ADELE) && picker.text.contains(BRUNO));
    let bruno = tenant.user(BRUNO).id().to_string();
    let back = browser
        .submit(&tenant, &picker, &[("account", &bruno)])
        .await;
    let code = parameter(&returned(&back), "code");
    let tokens = redeem_code(&tenant, &app, &code, &[]).await;
    assert_eq!(
        claims(&tokens.body["id_token"])["preferred_username"],
        BRUNO
    );

    // Each parameter that selects an account.
    app.id_token_claim("sid").id_token_claim("login_hint");
    let hinted = authorize_url(&tenant, &app, &[("prompt", "none"), ("login_hint", ADELE)]);
    let code = parameter(&returned(&browser.get(&hinted).await), "code");
    let tokens = redeem_code(&tenant, &app, &code, &[]).await;
    let identity = claims(&tokens.body["id_token"]);
    assert_eq!(identity["preferred_username"], ADELE);
    for (name, value) in [
        ("sid", &identity["sid"]),
        ("login_hint", &identity["login_hint"]),
    ] {
        let silent = [("prompt", "none"), (name, value.as_str().unwrap())];
        let back = browser.get(&authorize_url(&tenant, &app, &silent)).await;
        assert!(!parameter(&returned(&back), "code").is_empty(), "{name}");
    }
    let elsewhere = [("login_hint", ADELE), ("domain_hint", "elsewhere.example")];
    assert_eq!(
        error_of(&mut browser, &tenant, &app, &elsewhere).await,
        "login_required"
    );

    // An account without a session in this browser cannot be selected.
    let clara = tenant.user("clara@contoso.com").id().to_string();
    let page = browser
        .submit(&tenant, &picker, &[("account", &clara)])
        .await;
    assert!(page.text.contains("id=\"login\""));
}

#[tokio::test]
async fn prompts_and_max_age_ask_for_the_password_again() {
    let (tenant, app) = shop().await;
    let mut browser = Browser::default();
    let url = authorize_url(&tenant, &app, &[]);
    sign_in(&tenant, &mut browser, &url, ADELE).await;
    tenant.clock().advance(Duration::from_secs(61));

    let stale = authorize_url(&tenant, &app, &[("max_age", "60")]);
    let page = browser.get(&stale).await;
    assert!(page.text.contains("id=\"passwd\"") && page.text.contains(ADELE));
    let login = authorize_url(&tenant, &app, &[("prompt", "login"), ("login_hint", ADELE)]);
    let page = browser.get(&login).await;
    assert!(page.text.contains("id=\"passwd\""));
    // Neither is possible without a password, by posting the form of a page that was not shown.
    let adele = tenant.user(ADELE).id().to_string();
    for url in [&stale, &login] {
        let page = browser.get(url).await;
        for fields in [vec![("account", adele.as_str())], vec![("step", "consent")]] {
            let response = browser.submit(&tenant, &page, &fields).await;
            assert!(response.text.contains("id=\"passwd\""), "{fields:?}");
        }
    }
    app.id_token_claim("auth_time");
    let password = tenant.user(ADELE).password();
    let fields = [("passwd", password.expose_secret()), ("step", "password")];
    let back = browser.submit(&tenant, &page, &fields).await;
    let code = parameter(&returned(&back), "code");
    let tokens = redeem_code(&tenant, &app, &code, &[]).await;
    let now = entra_core::Clock::now(&tenant.clock()).unix_timestamp();
    assert_eq!(claims(&tokens.body["id_token"])["auth_time"], json!(now));
    assert_eq!(browser.get(&stale).await.status, 302);
}

#[tokio::test]
async fn a_session_expires_after_a_day_unless_the_user_stays_signed_in() {
    for (keep, days, expected) in [
        ("", 1, "login_required"),
        ("1", 80, ""),
        ("1", 91, "login_required"),
    ] {
        let (tenant, app) = shop().await;
        let mut browser = Browser::default();
        let password = tenant.user(ADELE).password();
        let page = browser
            .get(&authorize_url(&tenant, &app, &[("login_hint", ADELE)]))
            .await;
        let fields = [
            ("passwd", password.expose_secret()),
            ("keep", keep),
            ("step", "password"),
        ];
        let back = browser.submit(&tenant, &page, &fields).await;
        let persistent = back.header("set-cookie").unwrap().contains("Max-Age=");
        assert_eq!(persistent, keep == "1");
        tenant
            .clock()
            .advance(Duration::from_secs(days * 24 * 3600));
        let url = authorize_url(&tenant, &app, &[("prompt", "none")]);
        let parameters = returned(&browser.get(&url).await);
        let error = parameters.iter().find(|(name, _)| name == "error");
        assert_eq!(
            error.map_or("", |(_, value)| value),
            expected,
            "{keep} {days}"
        );
    }
}

#[tokio::test]
async fn a_planted_session_id_and_a_stolen_page_are_rejected() {
    let (tenant, app) = shop().await;
    app.revoke_consent();
    let url = authorize_url(&tenant, &app, &[]);
    let mut adele = Browser::default();
    let consent = sign_in(&tenant, &mut adele, &url, ADELE).await;
    assert!(consent.text.contains("id=\"accept\""));
    let before = adele.cookie().unwrap();
    // Another browser posts her page.
    let mut other = Browser::default();
    let response = other
        .submit(&tenant, &consent, &[("step", "consent")])
        .await;
    assert!(response.text.contains("id=\"login\"") && response.status == 200);
    // Her own page is not valid for another request.
    let wide = adele
        .get(&authorize_url(
            &tenant,
            &app,
            &[("scope", "openid Mail.Read")],
        ))
        .await;
    let flow = hidden_fields(&consent.text).pop().unwrap().1;
    let response = adele
        .submit(&tenant, &wide, &[("flow", &flow), ("step", "consent")])
        .await;
    assert!(response.text.contains("id=\"accept\""));
    // A new sign-in has a new session id, and the old one is invalid.
    let again = authorize_url(&tenant, &app, &[("prompt", "login")]);
    sign_in(&tenant, &mut adele, &again, ADELE).await;
    assert_ne!(adele.cookie().unwrap(), before);
    let mut thief = Browser::with_cookie(&before);
    assert_eq!(
        error_of(&mut thief, &tenant, &app, &[]).await,
        "login_required"
    );
}

#[tokio::test]
async fn too_many_different_wrong_passwords_lock_the_account_for_a_minute() {
    let (tenant, app) = shop().await;
    let password = tenant.user(ADELE).password();
    let mut browser = Browser::default();
    let page = browser
        .get(&authorize_url(&tenant, &app, &[("login_hint", ADELE)]))
        .await;
    let mut attempt = async |password: &str| {
        let fields = [("login", ADELE), ("passwd", password), ("step", "password")];
        browser.submit(&tenant, &page, &fields).await
    };
    for _ in 0..20 {
        let response = attempt("the same mistake").await;
        assert!(response.text.contains("Invalid user name or password"));
    }
    for number in 1..10 {
        attempt(&format!("guess {number}")).await;
    }
    assert!(
        attempt(password.expose_secret())
            .await
            .text
            .contains("locked")
    );
    tenant.clock().advance(Duration::from_secs(60));
    assert_eq!(attempt(password.expose_secret()).await.status, 302);
}

#[tokio::test]
async fn a_user_of_another_tenant_sees_an_error_and_can_use_another_account() {
    let (tenant, app) = shop().await;
    let mut browser = Browser::default();
    let first = browser.get(&authorize_url(&tenant, &app, &[])).await;
    let foreign = [("login", "someone@fabrikam.example"), ("step", "username")];
    let page = browser.submit(&tenant, &first, &foreign).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("AADSTS50020") && page.text.contains("added as an external user"));
    let again = browser.submit(&tenant, &page, &[("step", "other")]).await;
    assert!(again.text.contains("id=\"login\""));

    // A guest signs in with the home address.
    app.id_token_claim("acct");
    let guest = tenant.user("gus_fabrikam.example#EXT#@contoso.onmicrosoft.com");
    let password = guest.password();
    let named = [("login", "Gus@Fabrikam.example"), ("step", "username")];
    let page = browser.submit(&tenant, &again, &named).await;
    let fields = [("passwd", password.expose_secret()), ("step", "password")];
    let back = browser.submit(&tenant, &page, &fields).await;
    let code = parameter(&returned(&back), "code");
    let tokens = redeem_code(&tenant, &app, &code, &[]).await;
    let identity = claims(&tokens.body["id_token"]);
    assert_eq!(identity["preferred_username"], "gus@fabrikam.example");
    assert_eq!(identity["email"], "gus@fabrikam.example");
    assert_eq!(identity["acct"], 1);
    assert!(identity["idp"].is_string());
}

#[tokio::test]
async fn organizations_and_common_work_for_multitenant_applications_only() {
    let (tenant, app) = shop().await;
    let at = |name: &str| authorize_url(&tenant, &app, &[]).replace(&tenant.id().to_string(), name);
    assert!(get(&at("organizations")).await.text.contains("AADSTS50194"));
    app.multi_tenant();
    for name in ["organizations", "common", "contoso.com"] {
        let mut browser = Browser::default();
        let back = sign_in(&tenant, &mut browser, &at(name), ADELE).await;
        assert_eq!(back.status, 302, "{name}: {}", back.text);
    }
    assert!(get(&at("consumers")).await.text.contains("AADSTS9002332"));
    assert!(
        get(&at("nowhere.example"))
            .await
            .text
            .contains("AADSTS90002")
    );
}

#[tokio::test]
async fn a_blocked_user_sees_the_error_and_it_is_logged() {
    let (tenant, app) = shop().await;
    let mut browser = Browser::default();
    let url = authorize_url(&tenant, &app, &[]);
    sign_in(&tenant, &mut browser, &url, ADELE).await;
    tenant.add_access_policy(AccessPolicy::block().user(&tenant.user(ADELE)));
    let page = browser.get(&url).await;
    assert_eq!((page.status, page.header("location")), (400, None));
    assert!(page.text.contains("AADSTS53003") && page.text.contains("id=\"other\""));
    assert_eq!(
        error_of(&mut browser, &tenant, &app, &[]).await,
        "interaction_required"
    );

    let reader = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let path = format!("/auditLogs/signIns?$filter=appId eq '{}'", app.client_id());
    let list = graph_get(&tenant, &token(&tenant, &reader).await, &path).await;
    let rejected = list.body["value"].as_array().unwrap().iter().any(|entry| {
        entry["status"]["errorCode"] == 53_003 && entry["conditionalAccessStatus"] == "failure"
    });
    assert!(rejected, "{}", list.text);
}

#[tokio::test]
async fn multifactor_authentication_is_in_the_token() {
    let (tenant, app) = shop().await;
    app.id_token_claim("amr");
    tenant.add_access_policy(AccessPolicy::require_second_factor().app(&app));
    let mut browser = Browser::default();
    let url = authorize_url(&tenant, &app, &[]);
    let page = sign_in(&tenant, &mut browser, &url, ADELE).await;
    assert!(page.text.contains("id=\"approve\""));
    assert_eq!(
        error_of(&mut browser, &tenant, &app, &[]).await,
        "interaction_required"
    );
    // Without the page's own ticket nothing is approved.
    let fields = [("flow", "made up"), ("step", "second-factor")];
    let rejected = browser.submit(&tenant, &page, &fields).await;
    assert!(rejected.text.contains("id=\"approve\""));
    let back = browser
        .submit(&tenant, &page, &[("step", "second-factor")])
        .await;
    let code = parameter(&returned(&back), "code");
    let tokens = redeem_code(&tenant, &app, &code, &[]).await;
    assert_eq!(
        claims(&tokens.body["id_token"])["amr"],
        json!(["pwd", "mfa"])
    );
}

#[tokio::test]
async fn an_administrator_can_consent_for_the_organization() {
    let (tenant, app) = shop().await;
    app.revoke_consent();
    let url = authorize_url(&tenant, &app, &[]);
    let mut browser = Browser::default();
    let page = sign_in(&tenant, &mut browser, &url, ADELE).await;
    assert!(!page.text.contains("id=\"everyone\""));
    tenant.user(ADELE).make_admin();
    let page = browser.get(&url).await;
    assert!(page.text.contains("id=\"everyone\""));
    let fields = [("everyone", "1"), ("step", "consent")];
    assert_eq!(browser.submit(&tenant, &page, &fields).await.status, 302);
    let mut bruno = Browser::default();
    assert_eq!(sign_in(&tenant, &mut bruno, &url, BRUNO).await.status, 302);
}

#[tokio::test]
async fn names_from_the_directory_and_the_request_are_escaped() {
    let nasty = "<script>alert(1)</script>\"'>";
    let (tenant, app) = shop().await;
    app.revoke_consent();
    tenant.user(ADELE).set("displayName", nasty.into());
    for (collection, id) in [
        ("applications", app.object_id()),
        ("servicePrincipals", app.service_principal_id()),
    ] {
        let id = id.to_string();
        tenant
            .set_property(collection, &id, "displayName", nasty.into())
            .unwrap();
    }
    tenant
        .set_property(
            "applications",
            &app.object_id().to_string(),
            "publisherDomain",
            nasty.into(),
        )
        .unwrap();
    let url = authorize_url(
        &tenant,
        &app,
        &[("state", nasty), ("login_hint", nasty), ("nonce", nasty)],
    );
    let mut browser = Browser::default();
    let mut pages = vec![browser.get(&url).await];
    pages.push(
        sign_in(
            &tenant,
            &mut browser,
            &authorize_url(&tenant, &app, &[("state", nasty)]),
            ADELE,
        )
        .await,
    );
    pages.push(
        browser
            .get(&authorize_url(
                &tenant,
                &app,
                &[("prompt", "select_account")],
            ))
            .await,
    );
    pages.push(
        browser
            .get(&authorize_url(&tenant, &app, &[("redirect_uri", nasty)]))
            .await,
    );
    pages.push(
        browser
            .get(&authorize_url(&tenant, &app, &[("client_id", nasty)]))
            .await,
    );
    app.require_assignment();
    pages.push(
        browser
            .get(&authorize_url(&tenant, &app, &[("state", nasty)]))
            .await,
    );
    for (number, page) in pages.iter().enumerate() {
        assert!(!page.text.contains("<script"), "{number}: {}", page.text);
        assert!(
            page.text.contains("&lt;script&gt;") || page.text.contains("%3Cscript"),
            "{number}"
        );
        for (header, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store, no-cache"),
        ] {
            assert_eq!(page.header(header), Some(value), "{number}");
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'nonce-")
                && !policy.contains("unsafe")
        );
    }
}
