//! Sign-in at an axum application, from the outside: what a browser sends and gets.

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

use crate::web_browser::{Answer, Browser, SITE, call, path_of};

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

/// The site with a page for those who signed in, and one for everybody.
pub(crate) fn site(sign_in: &WebSignIn) -> Router {
    let mine = async |user: CurrentUser<String>| user.user;
    let front = async |user: Option<CurrentUser<String>>| match user {
        Some(user) => user.user,
        None => "nobody".to_owned(),
    };
    Router::new()
        .route("/mine", get(mine).post(mine))
        .route("/", get(front))
        .merge(sign_in.routes())
        .layer(sign_in.sessions())
}

/// Lets everybody in, as their own user name.
pub(crate) async fn by_name(context: SignInContext) -> Result<String, AccessDenied> {
    let name = context.signed_in.identity().username.clone();
    Ok(name.unwrap_or_default())
}

pub(crate) fn builder(tenant: &FakeTenant, app: &App) -> WebSignInBuilder {
    WebSignIn::builder(urls(), client(tenant, app, "contoso"))
        .authorize(by_name)
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

pub(crate) fn is_refused(answer: &Answer, status: StatusCode, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(words), "{}", answer.body);
    assert!(answer.body.contains("<h1>You "), "{}", answer.body);
    assert!(!answer.body.contains("<script"), "{}", answer.body);
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(
        answer
            .set_cookies()
            .iter()
            .all(|cookie| !cookie.contains("entra-session-")),
        "{:?}",
        answer.set_cookies()
    );
}

#[tokio::test]
async fn a_person_signs_in_on_the_way_to_a_page_and_gets_there() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let first = browser.open(&site, "/mine?a=b&c=%20d").await;
    let path = first.location().to_owned();
    assert_eq!(path, "/auth/sign-in?return=%2Fmine%3Fa%3Db%26c%3D%2520d");
    let answer = browser.sign_in(&site, &tenant, &path, ADELE).await;
    assert_eq!(answer.location(), "/mine?a=b&c=%20d");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(browser.cookies.len(), 1, "the cookie of the way is gone");
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);
    assert_eq!(browser.open(&site, "/").await.body, ADELE);
    assert_eq!(Browser::default().open(&site, "/").await.body, "nobody");
}

#[tokio::test]
async fn an_answer_that_another_site_posts_finds_the_browser_that_asked() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let sign_in = builder(&tenant, &app).start_options(form_post());
    let site = site(&sign_in.build().unwrap());
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let back = tenant.sign_in_at(&url, ADELE);
    assert!(back.is_posted());
    assert_eq!(browser.bring(&site, &back).await.location(), "/");
    let first = browser.session().unwrap().to_owned();
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);

    // The post has no session cookie, and yet the old session ends with the new one.
    let old = browser.clone();
    browser
        .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
        .await;
    assert_ne!(browser.session().unwrap(), first);
    assert_eq!(browser.open(&site, "/").await.body, OTHER);
    assert_eq!(old.clone().open(&site, "/").await.body, "nobody");
}

#[tokio::test]
async fn a_callback_is_good_once_and_in_its_own_browser_only() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in").await;
    let back = tenant.sign_in_at(&url, ADELE);
    let before = browser.clone();

    let elsewhere = Browser::default().bring(&site, &back).await;
    is_refused(
        &elsewhere,
        StatusCode::BAD_REQUEST,
        "For your administrator",
    );
    tenant.requests().to("/token").assert_count(0);

    assert_eq!(browser.bring(&site, &back).await.location(), "/");
    let again = browser.bring(&site, &back).await;
    assert_eq!(again.location(), "/", "it is signed in");
    // Even for a browser that gives its cookie twice.
    let replayed = before.clone().bring(&site, &back).await;
    is_refused(&replayed, StatusCode::BAD_REQUEST, "Try again");
    tenant.requests().to("/token").assert_count(1);
    assert_eq!(
        browser.open(&site, "/").await.body,
        ADELE,
        "still signed in"
    );
}

#[tokio::test]
async fn a_code_of_another_browser_signs_nobody_in() {
    let (tenant, _, site) = shop().await;
    let (mut victim, mut attacker) = (Browser::default(), Browser::default());
    let of_attacker = attacker.start(&site, "/auth/sign-in").await;
    let stolen = tenant.sign_in_at(&of_attacker, OTHER);
    let of_victim = victim.start(&site, "/auth/sign-in").await;
    let own = tenant.sign_in_at(&of_victim, ADELE);

    let code = |back: &entra_mock::Redirected| back.parameter("code").unwrap();
    let swapped = path_of(own.address()).replace(&code(&own), &code(&stolen));
    assert!(swapped.contains(&code(&stolen)));
    let answer = victim.open(&site, &swapped).await;
    is_refused(&answer, StatusCode::BAD_REQUEST, "For your administrator");
    assert_eq!(victim.open(&site, "/").await.body, "nobody");
}

#[tokio::test]
async fn the_way_back_never_leads_to_another_site() {
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
        let answer = browser.sign_in(&site, &tenant, &path, ADELE).await;
        assert_eq!(answer.location(), "/", "{evil}");
    }
    // Nor does one that no cookie can hold break the sign-in.
    let long = format!("/auth/sign-in?return=/{}", "a".repeat(1500));
    let mut browser = Browser::default();
    let answer = browser.sign_in(&site, &tenant, &long, ADELE).await;
    assert_eq!(answer.location(), "/");
}

#[tokio::test]
async fn callbacks_of_any_size_and_shape_are_answered_with_a_page_at_most() {
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
        let answer = browser.open(&site, &format!("/auth/callback{query}")).await;
        is_refused(&answer, StatusCode::BAD_REQUEST, "For your administrator");
        assert!(!answer.body.contains("alert(1)"), "{}", answer.body);
    }
    let huge = "state=0123456789abcdef&code=".to_owned() + &"x".repeat(70_000);
    let answer = browser.post(&site, "/auth/callback", &huge, true).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let json = Request::post("/auth/callback").header("content-type", "application/json");
    let answer = call(&site, json.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_declined_sign_in_says_so_to_the_person_and_to_the_admin() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser
        .start(&site, "/auth/sign-in/contoso?return=/mine")
        .await;
    let state = tenant.sign_in_at(&url, ADELE).parameter("state").unwrap();
    let back = format!(
        "/auth/callback?error=access_denied&error_subcode=cancel&state={state}&error_description=AADSTS65004%3A+%3Cb%3E"
    );
    let answer = browser.open(&site, &back).await;
    is_refused(&answer, StatusCode::BAD_REQUEST, "AADSTS65004");
    assert!(answer.body.contains("role=\"alert\""), "{}", answer.body);
    assert!(
        answer
            .body
            .contains("href=\"/auth/sign-in/contoso?return=%2Fmine\">Try again"),
        "{}",
        answer.body
    );
    tenant.requests().to("/token").assert_count(0);
}

#[tokio::test]
async fn a_gate_keeps_people_out_and_nothing_is_kept_of_them() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let gate = async |context: SignInContext| match context.signed_in.identity().username.as_deref()
    {
        Some(ADELE) => Ok(ADELE.to_owned()),
        _ => Err(AccessDenied::new("<b>Not</b> for you.").for_admin("Add them to \"Shop\".")),
    };
    let contoso = client(&tenant, &app, "contoso");
    let sign_in = WebSignIn::builder(urls(), contoso.clone()).authorize(gate);
    let site = site(&sign_in.clock(tenant.clock()).build().unwrap());
    let mut browser = Browser::default();
    let refused = browser
        .sign_in(&site, &tenant, "/auth/sign-in", OTHER)
        .await;
    is_refused(
        &refused,
        StatusCode::FORBIDDEN,
        "&lt;b&gt;Not&lt;/b&gt; for you.",
    );
    assert!(refused.body.contains("Add them to &quot;Shop&quot;."));
    assert!(refused.body.contains("prompt=select_account"));
    assert!(browser.cookies.is_empty());
    assert!(browser.open(&site, "/").await.body == "nobody");

    let answer = browser
        .sign_in(&site, &tenant, "/auth/sign-in", ADELE)
        .await;
    assert_eq!(answer.location(), "/");
    assert_eq!(browser.open(&site, "/mine").await.body, ADELE);
}

#[tokio::test]
async fn customers_sign_in_side_by_side_by_name_or_by_address() {
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
    let gate = async |context: SignInContext| {
        let oid = context.signed_in.identity().oid;
        Ok(format!("{} {oid}", context.connection.name()))
    };
    let sign_in = WebSignIn::builder(urls(), connections.clone()).authorize(gate);
    let sign_in = sign_in.clock(contoso.clock()).build().unwrap();
    let site = site(&sign_in);

    let mut browser = Browser::default();
    let asked = browser.open(&site, "/auth/sign-in?return=/mine").await;
    assert!(
        asked.body.contains("Sign in with your organization"),
        "{}",
        asked.body
    );
    assert!(asked.body.contains("value=\"/mine\""), "{}", asked.body);
    assert!(
        !asked.body.contains("contoso"),
        "customers are not told of each other"
    );
    let form = "email=nobody%40%3Cscript%3E.example&return=/mine";
    let unknown = browser.post(&site, "/auth/sign-in", form, false).await;
    assert!(unknown.body.contains("role=\"alert\"") && !unknown.body.contains("<script"));
    let form = "email=adele%40CONTOSO.com&return=/mine";
    let known = browser.post(&site, "/auth/sign-in", form, false).await;
    assert!(known.location().starts_with(&contoso.uri()));
    assert!(known.location().contains("login_hint=adele%40CONTOSO.com"));
    let back = contoso.sign_in_at(known.location(), ADELE);
    assert_eq!(browser.bring(&site, &back).await.location(), "/mine");
    let adele = contoso.user(ADELE).id();
    assert_eq!(
        browser.open(&site, "/mine").await.body,
        format!("contoso {adele}")
    );

    let path = sign_in.sign_in_url(Some("the other one"), &"/mine".parse().unwrap());
    let answer = browser.sign_in(&site, &fabrikam, &path, ADELE).await;
    assert_eq!(answer.location(), "/mine");
    let adele = fabrikam.user(ADELE).id();
    assert_eq!(
        browser.open(&site, "/mine").await.body,
        format!("the other one {adele}")
    );

    let gone = browser.open(&site, "/auth/sign-in/nobody").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    // A connection that is taken away ends no page, but its sign-ins on their way.
    let url = browser.start(&site, "/auth/sign-in/contoso").await;
    let back = contoso.sign_in_at(&url, ADELE);
    connections.remove("contoso");
    let answer = browser.bring(&site, &back).await;
    is_refused(&answer, StatusCode::BAD_REQUEST, "For your administrator");
}

#[tokio::test]
async fn an_admin_consents_and_comes_back() {
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
    let back = |state: &str| {
        format!(
            "/auth/admin-consent-callback?admin_consent=True&tenant={}&state={state}",
            tenant.id()
        )
    };
    let foreign = Browser::default().open(&site, &back(&query["state"])).await;
    is_refused(&foreign, StatusCode::BAD_REQUEST, "For your administrator");
    let answer = browser.open(&site, &back(&query["state"])).await;
    assert!(answer.body.contains("Thank you") && answer.body.contains("href=\"/mine\""));
    let again = browser.open(&site, &back(&query["state"])).await;
    is_refused(&again, StatusCode::BAD_REQUEST, "For your administrator");
    assert_eq!(
        browser.open(&site, "/").await.body,
        "nobody",
        "a consent signs nobody in"
    );
}

#[tokio::test]
async fn whoever_wants_no_page_gets_a_status() {
    let (_, _, site) = shop().await;
    let json = Request::get("/mine").header("accept", "application/json");
    let answer = call(&site, json.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("cache-control"), "no-store");
    let posted = Browser::default().post(&site, "/mine", "", false).await;
    assert_eq!(posted.status, StatusCode::UNAUTHORIZED);

    let bare: Router = Router::new().route("/mine", get(async |_: CurrentUser<String>| ""));
    let answer = Browser::default().open(&bare, "/mine").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_session_leads_to_the_persons_tokens() {
    use axum::extract::State;
    use entra_core::{TokenCredential, TokenRequest};

    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let sign_in = builder(&tenant, &app).build().unwrap();
    let ask = async |State(sign_in): State<WebSignIn>, user: CurrentUser<String>| {
        let Some(tokens) = sign_in.tokens(&user.session).await else {
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
    // A customer that is no more has nobody signed in, until it comes back.
    let contoso = sign_in.connections().remove("contoso").unwrap();
    let asked = browser.open(&site, "/ask").await;
    assert!(asked.location().starts_with("/auth/sign-in"));
    sign_in.connections().add(contoso).unwrap();
    assert_eq!(browser.open(&site, "/ask").await.body, ADELE);
    // Its name may go to another customer, who is not answerable for the people of the first.
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
    let asked = browser.open(&site, "/ask").await;
    assert!(asked.location().starts_with("/auth/sign-in"));
}

#[tokio::test]
async fn no_token_code_or_session_is_logged_or_in_an_address_of_the_site() {
    let (log, _guard) = crate::canary::listen();
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in?return=/mine").await;
    let back = tenant.sign_in_at(&url, ADELE);
    let code = back.parameter("code").unwrap();
    let flow = browser.cookies.values().next().unwrap().0.clone();
    let answer = browser.bring(&site, &back).await;
    assert_eq!(answer.location(), "/mine");
    browser.open(&site, "/mine").await;
    let session = browser.session().unwrap().to_owned();
    let out = browser.post(&site, "/auth/sign-out", "", false).await;
    let again = Browser::default().bring(&site, &back).await;
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
async fn a_policy_that_wants_more_gets_one_more_sign_in_that_asks_for_it() {
    let (tenant, _, site) = shop().await;
    let mut browser = Browser::default();
    let url = browser.start(&site, "/auth/sign-in?return=/mine").await;
    let back = tenant.sign_in_at(&url, ADELE);
    // In force since the code was issued, so that its redemption is refused.
    let policy = tenant.add_access_policy(AccessPolicy::block());
    let again = browser.bring(&site, &back).await;
    let url = entra_core::url::Url::parse(again.location()).unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert!(query["claims"].contains(policy.id()), "{query:?}");
    policy.remove();
    let back = tenant.sign_in_at(again.location(), ADELE);
    let policy = tenant.add_access_policy(AccessPolicy::block());
    let refused = browser.bring(&site, &back).await;
    is_refused(&refused, StatusCode::FORBIDDEN, "AADSTS53003");
    assert!(browser.cookies.is_empty(), "it is asked for once");
    policy.remove();
}
