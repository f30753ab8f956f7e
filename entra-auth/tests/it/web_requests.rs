//! The parameters of the links and forms of a site, and which of them are sent to Entra.

use std::time::Duration;

use axum::http::StatusCode;
use entra_auth::{
    SignInClient,
    sign_in::{Connections, SignInError},
    user::{ClientAuthentication, ResponseMode, StartOptions},
    web::{AccessDenied, WebSignIn},
};
use entra_mock::FakeTenant;

use crate::{
    web::{ADELE, admit_by_user_name, builder, client, register, shop, site, urls},
    web_browser::{Browser, SITE},
};

#[tokio::test]
async fn a_link_can_set_the_prompt_and_no_other_option() {
    let (_, _, site) = shop().await;
    for (requested, sent) in [
        ("login", Some("prompt=login")),
        ("select_account", Some("prompt=select_account")),
        ("none", Some("prompt=none")),
        ("consent", None),
        ("admin_consent", None),
        ("", None),
    ] {
        let path = format!("/auth/sign-in?prompt={requested}");
        let url = Browser::default().start(&site, &path).await;
        match sent {
            Some(sent) => assert!(url.contains(sent), "{url}"),
            None => assert!(!url.contains("prompt="), "{url}"),
        }
    }
}

#[tokio::test]
async fn a_callback_is_not_a_return_path() {
    let (tenant, _, site) = shop().await;
    for (requested, expected) in [
        ("/auth/callback", "/"),
        ("/auth/callback?state=x", "/"),
        ("/auth/callback/contoso", "/"),
        ("/auth/callback%23x", "/"),
        ("/auth/callbacks", "/auth/callbacks"),
        ("/mine", "/mine"),
    ] {
        let path = format!("/auth/sign-in?return={requested}");
        let response = Browser::default()
            .sign_in(&site, &tenant, &path, ADELE)
            .await;
        assert_eq!(response.location(), expected, "{requested}");
    }
}

/// The site's pages below `/`, which is also the path of the callback.
async fn return_path_of(mode: ResponseMode, requested: &str) -> String {
    let tenant = FakeTenant::start().await;
    let at_root = urls().with_callback_path("/").unwrap();
    let app = tenant
        .register_app("Shop")
        .redirect_uri(&at_root.callback())
        .redirect_uri(&at_root.callback_of("contoso"))
        .with_secret();
    let client = SignInClient::builder(
        tenant.id(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .name("contoso")
    .redirect_uri(at_root.callback_of("contoso"))
    .cloud(tenant.cloud())
    .clock(tenant.clock());
    let mut options = StartOptions::default();
    options.response_mode = mode;
    let sign_in = WebSignIn::builder(at_root, client.build().unwrap())
        .authorize(admit_by_user_name)
        .start_options(options)
        .clock(tenant.clock())
        .front_page("/front".parse().unwrap());
    let site = axum::Router::new().merge(sign_in.build().unwrap().routes());
    let path = format!("/auth/sign-in?return={requested}");
    let response = Browser::default()
        .sign_in(&site, &tenant, &path, ADELE)
        .await;
    response.location().to_owned()
}

#[tokio::test]
async fn a_callback_at_the_front_page_is_a_return_path_only_with_form_post() {
    let (query, form) = (ResponseMode::Query, ResponseMode::FormPost);
    assert_eq!(return_path_of(query, "/").await, "/front");
    assert_eq!(return_path_of(form, "/").await, "/");
    for mode in [query, form] {
        assert_eq!(return_path_of(mode, "/contoso?a=b").await, "/front");
        assert_eq!(return_path_of(mode, "/elsewhere").await, "/elsewhere");
    }
}

#[tokio::test]
async fn each_connection_has_its_own_page_for_an_administrators_consent() {
    let contoso = FakeTenant::start().await;
    let fabrikam = FakeTenant::builder().random_seed(2).start().await;
    let (app, other) = (register(&contoso), register(&fabrikam));
    let connections = Connections::new();
    connections.add(client(&contoso, &app, "contoso")).unwrap();
    let second = SignInClient::builder(
        fabrikam.id(),
        other.client_id(),
        ClientAuthentication::secret(other.secret()),
    )
    .name("the other one")
    .redirect_uri(urls().callback_of("the other one"))
    .cloud(fabrikam.cloud())
    .clock(fabrikam.clock());
    connections.add(second.build().unwrap()).unwrap();
    let sign_in = WebSignIn::builder(urls(), connections).authorize(admit_by_user_name);
    let site = site(&sign_in.clock(contoso.clock()).build().unwrap());

    let page = urls().admin_consent_path();
    assert_eq!(page, "/auth/admin-consent");
    let mut browser = Browser::default();
    for (name, tenant) in [("contoso", &contoso), ("the%20other%20one", &fabrikam)] {
        let url = browser.start(&site, &format!("{page}/{name}")).await;
        assert!(url.starts_with(&tenant.uri()), "{url}");
        assert!(url.contains("/adminconsent?"), "{url}");
    }
    for unclear in [page.clone(), format!("{page}/unknown")] {
        let response = browser.open(&site, &unclear).await;
        assert_eq!(response.status, StatusCode::NOT_FOUND, "{unclear}");
    }
}

#[test]
fn every_url_to_register_is_under_the_sites_path() {
    let urls = urls();
    for (address, path) in [
        (urls.callback(), "/auth/callback"),
        (urls.callback_of("acme"), "/auth/callback/acme"),
        (urls.signed_out(), "/auth/signed-out"),
        (
            urls.admin_consent_callback(),
            "/auth/admin-consent-callback",
        ),
        (
            urls.front_channel_sign_out(),
            "/auth/front-channel-sign-out",
        ),
    ] {
        assert_eq!(address, format!("{SITE}{path}"));
    }
    assert_eq!(urls.sign_in_path(), "/auth/sign-in");
    assert_eq!(urls.sign_out_path(), "/auth/sign-out");
}

#[tokio::test]
async fn a_session_with_a_short_idle_limit_stays_valid_while_it_is_used() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let builder = builder(&tenant, &app).idle_limit(Duration::from_secs(50));
    let site = site(&builder.build().unwrap());
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    for _ in 0..9 {
        tenant.clock().advance(Duration::from_secs(20));
        assert_eq!(browser.open(&site, "/").await.body, ADELE);
    }
    tenant.clock().advance(Duration::from_secs(50));
    assert_eq!(browser.open(&site, "/").await.body, "not signed in");
}

#[test]
fn a_denial_is_logged_in_one_line_without_the_texts_of_the_pages() {
    let denied = AccessDenied::new("a text for the user");
    let line = denied.to_string();
    assert!(line.contains("denied access"), "{line}");
    assert!(!line.contains("a text for the user"), "{line}");
    let error = SignInError::flow_missing();
    let line = error.to_string();
    assert_eq!(AccessDenied::from(error).to_string(), line);
    assert!(!line.is_empty());
}
