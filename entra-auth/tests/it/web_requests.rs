//! What the links and forms of a site ask for, and what of it reaches Entra.

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
    web::{ADELE, builder, by_name, client, register, shop, site, urls},
    web_browser::{Browser, SITE},
};

#[tokio::test]
async fn a_link_may_ask_for_another_sign_in_and_for_nothing_else() {
    let (_, _, site) = shop().await;
    for (asked, sent) in [
        ("login", Some("prompt=login")),
        ("select_account", Some("prompt=select_account")),
        ("none", Some("prompt=none")),
        ("consent", None),
        ("admin_consent", None),
        ("", None),
    ] {
        let path = format!("/auth/sign-in?prompt={asked}");
        let url = Browser::default().start(&site, &path).await;
        match sent {
            Some(sent) => assert!(url.contains(sent), "{url}"),
            None => assert!(!url.contains("prompt="), "{url}"),
        }
    }
}

#[tokio::test]
async fn a_callback_is_no_way_back() {
    let (tenant, _, site) = shop().await;
    for (asked, expected) in [
        ("/auth/callback", "/"),
        ("/auth/callback?state=x", "/"),
        ("/auth/callback/contoso", "/"),
        ("/auth/callback%23x", "/"),
        ("/auth/callbacks", "/auth/callbacks"),
        ("/mine", "/mine"),
    ] {
        let path = format!("/auth/sign-in?return={asked}");
        let answer = Browser::default()
            .sign_in(&site, &tenant, &path, ADELE)
            .await;
        assert_eq!(answer.location(), expected, "{asked}");
    }
}

/// The site's pages below `/`, which is where the sign-ins come back as well.
async fn way_back(mode: ResponseMode, asked: &str) -> String {
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
        .authorize(by_name)
        .start_options(options)
        .clock(tenant.clock())
        .front_page("/front".parse().unwrap());
    let site = axum::Router::new().merge(sign_in.build().unwrap().routes());
    let path = format!("/auth/sign-in?return={asked}");
    let answer = Browser::default()
        .sign_in(&site, &tenant, &path, ADELE)
        .await;
    answer.location().to_owned()
}

#[tokio::test]
async fn where_sign_ins_come_back_to_the_front_page_it_is_a_way_back_only_for_forms() {
    let (query, form) = (ResponseMode::Query, ResponseMode::FormPost);
    assert_eq!(way_back(query, "/").await, "/front");
    assert_eq!(way_back(form, "/").await, "/");
    for mode in [query, form] {
        assert_eq!(way_back(mode, "/contoso?a=b").await, "/front");
        assert_eq!(way_back(mode, "/elsewhere").await, "/elsewhere");
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
    let sign_in = WebSignIn::builder(urls(), connections).authorize(by_name);
    let site = site(&sign_in.clock(contoso.clock()).build().unwrap());

    let page = urls().admin_consent_path();
    assert_eq!(page, "/auth/admin-consent");
    let mut browser = Browser::default();
    for (name, tenant) in [("contoso", &contoso), ("the%20other%20one", &fabrikam)] {
        let url = browser.start(&site, &format!("{page}/{name}")).await;
        assert!(url.starts_with(&tenant.uri()), "{url}");
        assert!(url.contains("/adminconsent?"), "{url}");
    }
    for unclear in [page.clone(), format!("{page}/nobody")] {
        let answer = browser.open(&site, &unclear).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{unclear}");
    }
}

#[test]
fn every_address_to_register_is_under_the_sites_path() {
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
async fn a_session_with_a_short_idle_limit_lasts_while_it_is_used() {
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
    assert_eq!(browser.open(&site, "/").await.body, "nobody");
}

#[test]
fn a_denial_has_one_line_for_a_log_without_the_texts_of_the_pages() {
    let denied = AccessDenied::new("a text for the user");
    let line = denied.to_string();
    assert!(line.contains("denied access"), "{line}");
    assert!(!line.contains("a text for the user"), "{line}");
    let error = SignInError::flow_missing();
    let line = error.to_string();
    assert_eq!(AccessDenied::from(error).to_string(), line);
    assert!(!line.is_empty());
}
