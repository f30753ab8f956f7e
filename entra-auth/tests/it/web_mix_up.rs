//! The attack of a provider that one customer of a site runs on the users of another one.

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
    web::{ADELE, OTHER, by_name, client, register, site, urls},
    web_browser::{Browser, SITE, call, path_of},
};

fn parameter(url: &str, name: &str) -> String {
    let url = entra_core::url::Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.unwrap().1.into_owned()
}

fn contoso(tenant: &FakeTenant, app: &App, redirect_uri: String) -> SignInClient {
    let proof = ClientAuthentication::secret(app.secret());
    SignInClient::builder(tenant.id(), app.client_id(), proof)
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
async fn a_site_sends_no_code_to_the_provider_of_another_customer() {
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
            .authorize(by_name)
            .start_options(options)
            .clock(tenant.clock());
        let site = site(&sign_in.build().unwrap());

        let (mut victim, mut criminal) = (Browser::default(), Browser::default());
        let attackers = criminal.start(&site, "/auth/sign-in/contoso").await;
        let at_evil = victim.start(&site, "/auth/sign-in/evil").await;
        assert!(at_evil.starts_with(EVIL), "{at_evil}");
        let state = parameter(&at_evil, "state");
        // Every address that is registered at Entra.
        for registered in [own, urls().callback()] {
            let there = forwarded(&attackers, &state, &registered);
            let back = tenant.sign_in_at(&there, ADELE);
            let mut victim = victim.clone();
            let answer = victim.bring(&site, &back).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
            assert_eq!(victim.open(&site, "/").await.body, "nobody");
            assert!(attacker.received().is_empty());
        }
        tenant.requests().to("/token").assert_count(0);
    }
}

#[tokio::test]
async fn a_provider_that_joins_a_shared_callback_later_is_not_let_in() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let sign_in = WebSignIn::builder(urls(), client(&tenant, &app, "contoso"))
        .authorize(by_name)
        .clock(tenant.clock())
        .build()
        .unwrap();
    let attacker = Arc::new(Attacker::default());
    let evil = |redirect_uri: &str| attacker.connection(redirect_uri).build().unwrap();
    sign_in
        .connections()
        .add(evil(&urls().callback()))
        .unwrap_err();
    // Nor on a path that is not its own.
    sign_in
        .connections()
        .add(evil(&urls().callback_of("contoso")))
        .unwrap();
    let site = site(&sign_in);
    let mut browser = Browser::default();
    let answer = browser.open(&site, "/auth/sign-in/evil").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    // The others go on.
    let answer = browser
        .sign_in(&site, &tenant, "/auth/sign-in/contoso", ADELE)
        .await;
    assert_eq!(answer.location(), "/");
}

#[tokio::test]
async fn a_callback_is_at_the_path_that_is_registered() {
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
                .authorize(by_name)
                .start_options(options.clone())
                .clock(tenant.clock());
            let site = site(&sign_in.build().unwrap());
            let mut browser = Browser::default();
            let path = urls.sign_in_path();
            let answer = browser.sign_in(&site, &tenant, &path, OTHER).await;
            assert_eq!(answer.location(), "/", "{redirect_uri}");
            assert_eq!(browser.open(&site, "/").await.body, OTHER, "{redirect_uri}");
        }
    }
}

#[tokio::test]
async fn a_query_at_the_root_has_a_front_page_elsewhere() {
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
        .authorize(by_name)
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
    let back = tenant.sign_in_at(&url, ADELE);
    assert!(
        path_of(back.address()).starts_with("/?code="),
        "{}",
        back.address()
    );
    assert_eq!(browser.bring(&site, &back).await.location(), "/home");
    assert_eq!(browser.open(&site, "/home").await.body, ADELE);
    let plain = Request::get("/").body(axum::body::Body::empty()).unwrap();
    let lost = call(&site, plain).await;
    assert!(lost.body.contains("href=\"/home\""), "{}", lost.body);
}

#[tokio::test]
async fn a_sign_in_of_a_site_is_not_finished_by_a_connection_that_took_the_name() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let own = urls().callback_of("contoso");
    let sign_in = WebSignIn::builder(urls(), contoso(&tenant, &app, own.clone()))
        .authorize(by_name)
        .clock(tenant.clock())
        .build()
        .unwrap();
    let site = site(&sign_in);
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in/contoso").await;
    let back = tenant.sign_in_at(&url, ADELE);
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
    // All that the sign-in knows is the same but the service.
    let same = evil(tenant.id().to_string(), app.client_id().to_string());
    sign_in.connections().add(same).unwrap();
    let answer = browser.clone().bring(&site, &back).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert!(attacker.received().is_empty());
    tenant.requests().to("/token").assert_count(0);
    // The one that started it finishes it.
    let again = contoso(&tenant, &app, own.clone());
    sign_in.connections().add(again).unwrap();
    assert_eq!(browser.bring(&site, &back).await.location(), "/");
}
