//! Attacks of a provider of one connection on the users of another connection (mix-up).

use std::sync::Arc;

use axum::{
    Router,
    http::{Request, StatusCode},
    routing::get,
};
use entra_auth::{
    SignInClient,
    sign_in::Connections,
    user::{ClientAuthentication, ResponseMode, StartOptions},
    web::{RouteUrls, WebSignIn},
};
use entra_mock::{App, FakeTenant};

use crate::{
    sign_in_mix_up::{Attacker, EVIL, forwarded},
    web::{ADELE, OTHER, admit_by_user_name, client, register, site, urls},
    web_browser::{Browser, SITE, call, path_of},
};

fn parameter(url: &str, name: &str) -> String {
    let url = entra_core::url::Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.unwrap().1.into_owned()
}

fn contoso(tenant: &FakeTenant, app: &App, redirect_uri: String) -> SignInClient {
    let credential = ClientAuthentication::secret(app.secret());
    SignInClient::builder(tenant.id(), app.client_id(), credential)
        .name("contoso")
        .redirect_uri(redirect_uri)
        .scopes(["User.Read"])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

fn form_post() -> StartOptions {
    let mut options = StartOptions::default();
    options.response_mode = ResponseMode::FormPost;
    options
}

#[tokio::test]
async fn a_site_sends_no_code_to_the_provider_of_another_connection() {
    for options in [StartOptions::default(), form_post()] {
        let tenant = FakeTenant::start().await;
        let app = register(&tenant);
        let attacker = Arc::new(Attacker::default());
        let connections = Connections::new();
        let own = urls().callback_of("contoso");
        connections
            .add(contoso(&tenant, &app, own.clone()))
            .unwrap();
        let evil = attacker.connection(&urls().callback_of("evil"));
        connections
            .add(evil.clock(tenant.clock()).build().unwrap())
            .unwrap();
        let sign_in = WebSignIn::builder(urls(), connections)
            .authorize(admit_by_user_name)
            .start_options(options)
            .clock(tenant.clock());
        let site = site(&sign_in.build().unwrap());

        let (mut victim, mut criminal) = (Browser::default(), Browser::default());
        let attackers = criminal.start(&site, "/auth/sign-in/contoso").await;
        let at_evil = victim.start(&site, "/auth/sign-in/evil").await;
        assert!(at_evil.starts_with(EVIL), "{at_evil}");
        let state = parameter(&at_evil, "state");
        // Every redirect URI that is registered at Entra.
        for registered in [own, urls().callback()] {
            let forwarded_url = forwarded(&attackers, &state, &registered);
            let redirected = tenant.sign_in_at(&forwarded_url, ADELE);
            let mut victim = victim.clone();
            let response = victim.send_callback(&site, &redirected).await;
            assert_eq!(
                response.status,
                StatusCode::BAD_REQUEST,
                "{}",
                response.body
            );
            assert_eq!(victim.open(&site, "/").await.body, "not signed in");
            assert!(attacker.received().is_empty());
        }
        tenant.requests().to("/token").assert_count(0);
    }
}

#[tokio::test]
async fn a_provider_that_is_added_to_a_shared_callback_is_rejected() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let sign_in = WebSignIn::builder(urls(), client(&tenant, &app, "contoso"))
        .authorize(admit_by_user_name)
        .clock(tenant.clock())
        .build()
        .unwrap();
    let attacker = Arc::new(Attacker::default());
    let evil = |redirect_uri: &str| attacker.connection(redirect_uri).build().unwrap();
    sign_in
        .connections()
        .add(evil(&urls().callback()))
        .unwrap_err();
    // The same at a path of another connection.
    sign_in
        .connections()
        .add(evil(&urls().callback_of("contoso")))
        .unwrap();
    let site = site(&sign_in);
    let mut browser = Browser::default();
    let response = browser.open(&site, "/auth/sign-in/evil").await;
    assert_eq!(response.status, StatusCode::NOT_FOUND);
    // The other connections still work.
    let response = browser
        .sign_in(&site, &tenant, "/auth/sign-in/contoso", ADELE)
        .await;
    assert_eq!(response.location(), "/");
}

#[tokio::test]
async fn the_callback_can_be_at_a_path_that_is_registered_already() {
    for (base, callback, options) in [
        (SITE.to_owned(), "/callback", StartOptions::default()),
        (format!("{SITE}/auth"), "/", form_post()),
        (format!("{SITE}/auth"), "/auth", StartOptions::default()),
        (format!("{SITE}/auth"), "/login/oidc", form_post()),
        (
            format!("{SITE}/auth"),
            "/login/oidc/",
            StartOptions::default(),
        ),
    ] {
        let urls = RouteUrls::at(&base)
            .unwrap()
            .with_callback_path(callback)
            .unwrap();
        for redirect_uri in [urls.callback(), urls.callback_of("contoso")] {
            let tenant = FakeTenant::start().await;
            let app = tenant
                .register_app("Shop")
                .redirect_uri(&redirect_uri)
                .delegated_permission("User.Read")
                .with_secret();
            let client = contoso(&tenant, &app, redirect_uri.clone());
            let sign_in = WebSignIn::builder(urls.clone(), client)
                .authorize(admit_by_user_name)
                .start_options(options.clone())
                .clock(tenant.clock());
            let site = site(&sign_in.build().unwrap());
            let mut browser = Browser::default();
            let path = urls.sign_in_path();
            let response = browser.sign_in(&site, &tenant, &path, OTHER).await;
            assert_eq!(response.location(), "/", "{redirect_uri}");
            assert_eq!(browser.open(&site, "/").await.body, OTHER, "{redirect_uri}");
        }
    }
}

#[tokio::test]
async fn a_query_callback_at_the_root_needs_another_front_page() {
    let tenant = FakeTenant::start().await;
    let urls = RouteUrls::at(SITE)
        .unwrap()
        .with_callback_path("/")
        .unwrap();
    let app = tenant
        .register_app("Shop")
        .redirect_uri(&urls.callback())
        .delegated_permission("User.Read")
        .with_secret();
    let sign_in = WebSignIn::builder(urls.clone(), contoso(&tenant, &app, urls.callback()))
        .authorize(admit_by_user_name)
        .front_page("/home".parse().unwrap())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let home = async |user: entra_auth::web::CurrentUser<String>| user.user;
    let site: Router = Router::new()
        .route("/home", get(home))
        .merge(sign_in.routes())
        .layer(sign_in.sessions());
    let mut browser = Browser::default();
    let path = browser.open(&site, "/home").await.location().to_owned();
    assert_eq!(path, "/sign-in");
    let url = browser.start(&site, &path).await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    assert!(
        path_of(redirected.address()).starts_with("/?code="),
        "{}",
        redirected.address()
    );
    assert_eq!(
        browser.send_callback(&site, &redirected).await.location(),
        "/home"
    );
    assert_eq!(browser.open(&site, "/home").await.body, ADELE);
    let plain = Request::get("/").body(axum::body::Body::empty()).unwrap();
    let lost = call(&site, plain).await;
    assert!(lost.body.contains("href=\"/home\""), "{}", lost.body);
}

#[tokio::test]
async fn a_pending_sign_in_is_not_finished_by_another_connection_of_the_same_name() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let own = urls().callback_of("contoso");
    let sign_in = WebSignIn::builder(urls(), contoso(&tenant, &app, own.clone()))
        .authorize(admit_by_user_name)
        .clock(tenant.clock())
        .build()
        .unwrap();
    let site = site(&sign_in);
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in/contoso").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    let attacker = Arc::new(Attacker::default());
    let evil = |tenant_id: String, client: String| {
        SignInClient::builder(tenant_id, client, ClientAuthentication::secret("s3cr3t"))
            .name("contoso")
            .redirect_uri(own.clone())
            .cloud(Attacker::cloud())
            .transport(Arc::clone(&attacker))
            .clock(tenant.clock())
            .build()
            .unwrap()
    };
    // Everything in the pending sign-in is equal except for the service.
    let same = evil(tenant.id().to_string(), app.client_id().to_string());
    sign_in.connections().add(same).unwrap();
    let response = browser.clone().send_callback(&site, &redirected).await;
    assert_eq!(
        response.status,
        StatusCode::BAD_REQUEST,
        "{}",
        response.body
    );
    assert!(attacker.received().is_empty());
    tenant.requests().to("/token").assert_count(0);
    // The connection that started the sign-in finishes it.
    let again = contoso(&tenant, &app, own.clone());
    sign_in.connections().add(again).unwrap();
    assert_eq!(
        browser.send_callback(&site, &redirected).await.location(),
        "/"
    );
}
