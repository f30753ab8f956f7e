//! Sign-in at an axum application, tested with the requests of a browser.

use std::collections::HashMap;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use entra_auth::{
    SignInClient,
    sign_in::Connections,
    user::{ClientAuthentication, ResponseMode, StartOptions},
    web::{AccessDenied, CurrentUser, RouteUrls, SignInContext, WebSignIn, WebSignInBuilder},
};
use entra_mock::{AccessPolicy, App, FakeTenant};

use crate::web_browser::{Browser, SITE, SiteResponse, call, path_of};

pub(crate) const ADELE: &str = "adele@contoso.com";
pub(crate) const OTHER: &str = "clara@contoso.com";

pub(crate) fn urls() -> RouteUrls {
    RouteUrls::at(&format!("{SITE}/auth")).unwrap()
}

pub(crate) fn register(tenant: &FakeTenant) -> App {
    let urls = urls();
    tenant
        .register_app("Shop")
        .redirect_uri(&urls.callback())
        .redirect_uri(&urls.callback_of("contoso"))
        .redirect_uri(&urls.callback_of("the other one"))
        .redirect_uri(&urls.signed_out())
        .redirect_uri(&urls.admin_consent_callback())
        .front_channel_logout_uri(&urls.front_channel_sign_out())
        .id_token_claim("login_hint")
        .delegated_permission("User.Read")
        .with_secret()
}

pub(crate) fn client(tenant: &FakeTenant, app: &App, name: &str) -> SignInClient {
    SignInClient::builder(
        tenant.id(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .name(name)
    .domains([tenant.domain()])
    .redirect_uri(urls().callback())
    .scopes(["User.Read"])
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap()
}

/// The site with a page for signed-in users and a public page.
pub(crate) fn site(sign_in: &WebSignIn) -> Router {
    let mine = async |user: CurrentUser<String>| user.user;
    let front = async |user: Option<CurrentUser<String>>| match user {
        Some(user) => user.user,
        None => "not signed in".to_owned(),
    };
    Router::new()
        .route("/mine", get(mine).post(mine))
        .route("/", get(front))
        .merge(sign_in.routes())
        .layer(sign_in.sessions())
}

/// Admits every user and stores the user name.
pub(crate) async fn admit_by_user_name(context: SignInContext) -> Result<String, AccessDenied> {
    let name = context.signed_in.identity().username.clone();
    Ok(name.unwrap_or_default())
}

pub(crate) fn builder(tenant: &FakeTenant, app: &App) -> WebSignInBuilder {
    WebSignIn::builder(urls(), client(tenant, app, "contoso"))
        .authorize(admit_by_user_name)
        .clock(tenant.clock())
}

pub(crate) async fn shop() -> (FakeTenant, App, Router) {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let site = site(&builder(&tenant, &app).build().unwrap());
    (tenant, app, site)
}

fn form_post() -> StartOptions {
    let mut options = StartOptions::default();
    options.response_mode = ResponseMode::FormPost;
    options
}

pub(crate) fn is_error_page(response: &SiteResponse, status: StatusCode, words: &str) {
    assert_eq!(response.status, status, "{}", response.body);
    assert!(response.body.contains(words), "{}", response.body);
    assert!(response.body.contains("<h1>You "), "{}", response.body);
    assert!(!response.body.contains("<script"), "{}", response.body);
    let policy = response.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(response.header("cache-control"), "no-store");
    assert!(
        response
            .set_cookies()
            .iter()
            .all(|cookie| !cookie.contains("entra-session-")),
        "{:?}",
        response.set_cookies()
    );
}

#[tokio::test]
async fn a_user_signs_in_and_returns_to_the_requested_page() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let first = browser.open(&site, "/mine?a=b&c=%20d").await;
    let path = first.location().to_owned();
    assert_eq!(path, "/auth/sign-in?return=%2Fmine%3Fa%3Db%26c%3D%2520d");
    let response = browser.sign_in(&site, &tenant, &path, ADELE).await;
    assert_eq!(response.location(), "/mine?a=b&c=%20d");
    assert_eq!(response.header("referrer-policy"), "no-referrer");
    assert_eq!(browser.cookies.len(), 1, "the cookie of the way is gone");
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    assert_eq!(
        Browser::default().open(&site, "/").await.body,
        "not signed in"
    );
}

#[tokio::test]
async fn a_posted_response_is_matched_to_the_browser_that_started_the_sign_in() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let sign_in = builder(&tenant, &app).start_options(form_post());
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    assert!(redirected.is_posted());
    assert_eq!(
        browser.send_callback(&site, &redirected).await.location(),
        "/"
    );
    let first = browser.session().unwrap().to_owned();
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);

    // The post has no session cookie, but the old session ends when the new one begins.
    let old = browser.clone();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
        .await;
    assert_ne!(browser.session().unwrap(), first);
    assert_eq!(browser.open(&site, "/").await.body, OTHER);
    assert_eq!(old.clone().open(&site, "/").await.body, "not signed in");
}

#[tokio::test]
async fn a_callback_is_accepted_once_and_only_from_its_browser() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    let before = browser.clone();

    let elsewhere = Browser::default().send_callback(&site, &redirected).await;
    is_error_page(
        &elsewhere,
        StatusCode::BAD_REQUEST,
        "For your administrator",
    );
    tenant.requests().to("/token").assert_count(0);

    assert_eq!(
        browser.send_callback(&site, &redirected).await.location(),
        "/"
    );
    let again = browser.send_callback(&site, &redirected).await;
    assert_eq!(again.location(), "/", "it is signed in");
    // Also if a browser sends its cookie twice.
    let replayed = before.clone().send_callback(&site, &redirected).await;
    is_error_page(&replayed, StatusCode::BAD_REQUEST, "Try again");
    tenant.requests().to("/token").assert_count(1);
    assert_eq!(
        browser.open(&site, "/").await.body,
        ADELE,
        "still signed in"
    );
}

#[tokio::test]
async fn a_code_of_another_browser_signs_no_user_in() {
    let (tenant, _, site) = shop().await;
    let (mut victim, mut attacker) = (Browser::default(), Browser::default());
    let of_attacker = attacker.start(&site, "/auth/sign-in").await;
    let copied = tenant.sign_in_at(&of_attacker, OTHER);
    let of_victim = victim.start(&site, "/auth/sign-in").await;
    let own = tenant.sign_in_at(&of_victim, ADELE);

    let code = |redirected: &entra_mock::Redirected| redirected.parameter("code").unwrap();
    let swapped = path_of(own.address()).replace(&code(&own), &code(&copied));
    assert!(swapped.contains(&code(&copied)));
    let response = victim.open(&site, &swapped).await;
    is_error_page(&response, StatusCode::BAD_REQUEST, "For your administrator");
    assert_eq!(victim.open(&site, "/").await.body, "not signed in");
}

#[tokio::test]
async fn the_return_path_never_leads_to_another_site() {
    let (tenant, _, site) = shop().await;
    for evil in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "%2F%09%2Fevil.example",
        "javascript%3Aalert(1)",
    ] {
        let mut browser = Browser::default();
        let path = format!("/auth/sign-in?return={evil}");
        let response = browser.sign_in(&site, &tenant, &path, ADELE).await;
        assert_eq!(response.location(), "/", "{evil}");
    }
    // A return path that is too large for a cookie does not break the sign-in.
    let long = format!("/auth/sign-in?return=/{}", "a".repeat(1500));
    let mut browser = Browser::default();
    let response = browser.sign_in(&site, &tenant, &long, ADELE).await;
    assert_eq!(response.location(), "/");
}

#[tokio::test]
async fn a_malformed_or_large_callback_gets_an_error_page() {
    let (_, _, site) = shop().await;
    let mut browser = Browser::default();
    for query in [
        "",
        "?",
        "?state=",
        "?state=x&code=y",
        "?state=0123456789abcdef0123456789abcdef&code=%3Cscript%3E",
        "?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state=0123456789abcdef",
        "?%00%ff%c3%28=&&&;=state",
    ] {
        let response = browser.open(&site, &format!("/auth/callback{query}")).await;
        is_error_page(&response, StatusCode::BAD_REQUEST, "For your administrator");
        assert!(!response.body.contains("alert(1)"), "{}", response.body);
    }
    let huge = "state=0123456789abcdef&code=".to_owned() + &"x".repeat(70_000);
    let response = browser.post(&site, "/auth/callback", &huge, true).await;
    assert_eq!(response.status, StatusCode::PAYLOAD_TOO_LARGE);
    let json = Request::post("/auth/callback").header("content-type", "application/json");
    let response = call(&site, json.body(Body::from("{}")).unwrap()).await;
    assert_eq!(response.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn the_page_of_a_declined_sign_in_has_texts_for_user_and_administrator() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser
        .start(&site, "/auth/sign-in/contoso?return=/mine")
        .await;
    let state = tenant.sign_in_at(&url, ADELE).parameter("state").unwrap();
    let redirected = format!(
        "/auth/callback?error=access_denied&error_subcode=cancel&state={state}&error_description=AADSTS65004%3A+%3Cb%3E"
    );
    let response = browser.open(&site, &redirected).await;
    is_error_page(&response, StatusCode::BAD_REQUEST, "AADSTS65004");
    assert!(
        response.body.contains("role=\"alert\""),
        "{}",
        response.body
    );
    assert!(
        response
            .body
            .contains("href=\"/auth/sign-in/contoso?return=%2Fmine\">Try again"),
        "{}",
        response.body
    );
    tenant.requests().to("/token").assert_count(0);
}

#[tokio::test]
async fn a_user_whom_the_check_rejects_gets_403_and_no_session() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let check =
        async |context: SignInContext| match context.signed_in.identity().username.as_deref() {
            Some(ADELE) => Ok(ADELE.to_owned()),
            _ => Err(AccessDenied::new("<b>Not</b> for you.").for_admin("Add them to \"Shop\".")),
        };
    let contoso = client(&tenant, &app, "contoso");
    let sign_in = WebSignIn::builder(urls(), contoso.clone()).authorize(check);
    let site = site(&sign_in.clock(tenant.clock()).build().unwrap());
    let mut browser = Browser::default();
    let rejected = browser
        .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
        .await;
    is_error_page(
        &rejected,
        StatusCode::FORBIDDEN,
        "&lt;b&gt;Not&lt;/b&gt; for you.",
    );
    assert!(rejected.body.contains("Add them to &quot;Shop&quot;."));
    assert!(rejected.body.contains("prompt=select_account"));
    assert!(browser.cookies.is_empty());
    assert!(browser.open(&site, "/").await.body == "not signed in");

    let response = browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(response.location(), "/");
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);
}

#[tokio::test]
async fn several_connections_are_chosen_by_name_or_by_email_domain() {
    let contoso = FakeTenant::start().await;
    let fabrikam = FakeTenant::builder().random_seed(2).start().await;
    let (app, other) = (register(&contoso), register(&fabrikam));
    let connections = Connections::new();
    connections.add(client(&contoso, &app, "contoso")).unwrap();
    let second = SignInClient::builder(
        fabrikam.id(),
        other.client_id(),
        ClientAuthentication::secret(other.secret()),
    );
    let second = second
        .name("the other one")
        .domains(["fabrikam.example"])
        .redirect_uri(urls().callback_of("the other one"));
    let second = second.cloud(fabrikam.cloud()).clock(fabrikam.clock());
    connections.add(second.build().unwrap()).unwrap();
    let check = async |context: SignInContext| {
        let oid = context.signed_in.identity().oid;
        Ok(format!("{} {oid}", context.connection.name()))
    };
    let sign_in = WebSignIn::builder(urls(), connections.clone()).authorize(check);
    let sign_in = sign_in.clock(contoso.clock()).build().unwrap();
    let site = site(&sign_in);

    let mut browser = Browser::default();
    let prompt_page = browser.open(&site, "/auth/sign-in?return=/mine").await;
    assert!(
        prompt_page.body.contains("Sign in with your organization"),
        "{}",
        prompt_page.body
    );
    assert!(
        prompt_page.body.contains("value=\"/mine\""),
        "{}",
        prompt_page.body
    );
    assert!(
        !prompt_page.body.contains("contoso"),
        "customers are not told of each other"
    );
    let form = "email=nobody%40%3Cscript%3E.example&return=/mine";
    let unknown = browser.post(&site, "/auth/sign-in", form, false).await;
    assert!(unknown.body.contains("role=\"alert\"") && !unknown.body.contains("<script"));
    let form = "email=adele%40CONTOSO.com&return=/mine";
    let known = browser.post(&site, "/auth/sign-in", form, false).await;
    assert!(known.location().starts_with(&contoso.uri()));
    assert!(known.location().contains("login_hint=adele%40CONTOSO.com"));
    let redirected = contoso.sign_in_at(known.location(), ADELE);
    assert_eq!(
        browser.send_callback(&site, &redirected).await.location(),
        "/mine"
    );
    let adele = contoso.user(ADELE).id();
    assert_eq!(
        browser.open(&site, "/mine").await.body,
        format!("contoso {adele}")
    );

    let path = sign_in.sign_in_url(Some("the other one"), &"/mine".parse().unwrap());
    let response = browser.sign_in(&site, &fabrikam, &path, ADELE).await;
    assert_eq!(response.location(), "/mine");
    let adele = fabrikam.user(ADELE).id();
    assert_eq!(
        browser.open(&site, "/mine").await.body,
        format!("the other one {adele}")
    );

    let unknown = browser.open(&site, "/auth/sign-in/unknown").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    // The pending sign-ins of a removed connection fail; its pages still work.
    let url = browser.start(&site, "/auth/sign-in/contoso").await;
    let redirected = contoso.sign_in_at(&url, ADELE);
    connections.remove("contoso");
    let response = browser.send_callback(&site, &redirected).await;
    is_error_page(&response, StatusCode::BAD_REQUEST, "For your administrator");
}

#[tokio::test]
async fn an_administrator_consents_and_returns_to_the_site() {
    let (tenant, app, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser
        .start(&site, "/auth/admin-consent?return=/mine")
        .await;
    assert!(
        url.starts_with(&tenant.uri()) && url.contains("/adminconsent?"),
        "{url}"
    );
    assert!(url.contains(&app.client_id().to_string()), "{url}");
    let url = entra_core::url::Url::parse(&url).unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["redirect_uri"], urls().admin_consent_callback());
    let redirected = |state: &str| {
        format!(
            "/auth/admin-consent-callback?admin_consent=True&tenant={}&state={state}",
            tenant.id()
        )
    };
    let foreign = Browser::default()
        .open(&site, &redirected(&query["state"]))
        .await;
    is_error_page(&foreign, StatusCode::BAD_REQUEST, "For your administrator");
    let response = browser.open(&site, &redirected(&query["state"])).await;
    assert!(response.body.contains("Thank you") && response.body.contains("href=\"/mine\""));
    let again = browser.open(&site, &redirected(&query["state"])).await;
    is_error_page(&again, StatusCode::BAD_REQUEST, "For your administrator");
    assert_eq!(
        browser.open(&site, "/").await.body,
        "not signed in",
        "a consent signs no user in"
    );
}

#[tokio::test]
async fn a_client_that_accepts_no_html_gets_401() {
    let (_, _, site) = shop().await;
    let json = Request::get("/mine").header("accept", "application/json");
    let response = call(&site, json.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    assert_eq!(response.header("cache-control"), "no-store");
    let posted = Browser::default().post(&site, "/mine", "", false).await;
    assert_eq!(posted.status, StatusCode::UNAUTHORIZED);

    let bare: Router = Router::new().route("/mine", get(async |_: CurrentUser<String>| ""));
    let response = Browser::default().open(&bare, "/mine").await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_session_gives_access_to_the_users_tokens() {
    use axum::extract::State;
    use entra_core::{TokenCredential, TokenRequest};

    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let sign_in = builder(&tenant, &app).build().unwrap();
    let ask = async |State(sign_in): State<WebSignIn>, user: CurrentUser<String>| {
        let Some(tokens) = sign_in.tokens(&user.session).await.unwrap() else {
            return "none".to_owned();
        };
        let token = tokens.token(&TokenRequest::new(["User.Read"])).await;
        assert!(!token.unwrap().expose_secret().is_empty());
        user.account().username.clone().unwrap_or_default()
    };
    let site: Router = Router::new()
        .route("/ask", get(ask))
        .merge(sign_in.routes())
        .layer(sign_in.sessions())
        .with_state(sign_in.clone());
    let mut browser = Browser::default();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(browser.open(&site, "/ask").await.body, ADELE);
    tenant.requests().to("/token").assert_count(1);
    // The sessions of a removed connection are invalid until it is added again.
    let contoso = sign_in.connections().remove("contoso").unwrap();
    let prompt_page = browser.open(&site, "/ask").await;
    assert!(prompt_page.location().starts_with("/auth/sign-in"));
    sign_in.connections().add(contoso).unwrap();
    assert_eq!(browser.open(&site, "/ask").await.body, ADELE);
    // The name may be given to another tenant, which has no authority over the users of the first one.
    let other = SignInClient::builder(
        "99999999-9999-9999-9999-999999999999",
        "22222222-2222-2222-2222-222222222222",
        ClientAuthentication::secret("s3cr3t"),
    );
    let other = other
        .name("contoso")
        .redirect_uri(urls().callback())
        .build();
    sign_in.connections().add(other.unwrap()).unwrap();
    let prompt_page = browser.open(&site, "/ask").await;
    assert!(prompt_page.location().starts_with("/auth/sign-in"));
}

#[tokio::test]
async fn no_token_code_or_session_id_is_logged_or_in_a_url() {
    let (log, _guard) = crate::canary::listen();
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in?return=/mine").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    let code = redirected.parameter("code").unwrap();
    let flow = browser.cookies.values().next().unwrap().0.clone();
    let response = browser.send_callback(&site, &redirected).await;
    assert_eq!(response.location(), "/mine");
    browser.open(&site, "/mine").await;
    let session = browser.session().unwrap().to_owned();
    let out = browser.post(&site, "/auth/sign-out", "", false).await;
    let again = Browser::default().send_callback(&site, &redirected).await;
    assert!(!again.body.contains(&code));
    let text = log.text();
    assert!(text.contains("signed in"), "{text}");
    for secret in [
        &code,
        &flow,
        &session,
        &session.split_once('.').unwrap().1.to_owned(),
    ] {
        assert!(!text.contains(secret.as_str()), "{text}");
        assert!(!out.location().contains(secret.as_str()));
    }
}

#[tokio::test]
async fn a_claims_challenge_restarts_the_sign_in_once() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in?return=/mine").await;
    let redirected = tenant.sign_in_at(&url, ADELE);
    // The policy is in force since the code was issued, so its redemption fails.
    let policy = tenant.add_access_policy(AccessPolicy::block());
    let again = browser.send_callback(&site, &redirected).await;
    let url = entra_core::url::Url::parse(again.location()).unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert!(query["claims"].contains(policy.id()), "{query:?}");
    policy.remove();
    let redirected = tenant.sign_in_at(again.location(), ADELE);
    let policy = tenant.add_access_policy(AccessPolicy::block());
    let rejected = browser.send_callback(&site, &redirected).await;
    is_error_page(&rejected, StatusCode::FORBIDDEN, "AADSTS53003");
    assert!(browser.cookies.is_empty(), "it is asked for once");
    policy.remove();
}
