//! Sign-in at a web application, through a fake tenant.

use std::collections::BTreeMap;

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Request, StatusCode, header},
    routing::get,
};
use entra_auth::{
    SignInClient, TokenValidator,
    sign_in::{
        AdminConsentOptions, Connections, FrontChannelSignOut, Groups, ReturnPath, SignInError,
        SignOutOptions,
    },
    user::{ClientAuthentication, StartOptions},
    validate::{ProtectedResource, SigningKeys},
    web::{
        AccessDenied, Authorize, BearerAuthLayer, CurrentUser, NotSignedIn, RouteUrls,
        SignInContext, SignOutContext, WebSignIn,
        pages::{Page, PageColors, PagePart, PageText, PageTexts, RenderedPage, SignInPages},
    },
};
use entra_core::{ScriptedTransport, url::Url};
use entra_mock::{App, FakeTenant};
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::{CLIENT, TENANT};
use crate::shown::{Shown, behind_proxy, canary, canary_text};

const USER: &str = "adele@contoso.com";

pub(super) async fn cases(shown: &Shown) {
    let urls = RouteUrls::at("https://shop.example/auth").unwrap();
    shown.debug(&urls);
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(&urls.callback())
        .redirect_uri(&urls.callback_of("contoso"))
        .id_token_claim("login_hint")
        .id_token_claim("sid")
        .delegated_permission("User.Read")
        .with_secret();
    shown.secret(app.secret().expose_secret());
    shown.secret(USER);
    let client = client(shown, &tenant, &app, &urls);
    sign_in(shown, &tenant, &client).await;
    site(shown, &tenant, client, urls).await;
    tokens(shown, &tenant, &app).await;
}

fn client(shown: &Shown, tenant: &FakeTenant, app: &App, urls: &RouteUrls) -> SignInClient {
    let proxied = SignInClient::builder(
        TENANT,
        CLIENT,
        ClientAuthentication::secret(canary("proof")),
    );
    shown.debug(&proxied.transport(behind_proxy()));
    let client = SignInClient::builder(
        tenant.id(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .name("contoso")
    .redirect_uri(urls.callback())
    .scopes(["User.Read"])
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    shown.debug(&client);
    shown.debug(&Connections::from(client.clone()));
    client
}

async fn sign_in(shown: &Shown, tenant: &FakeTenant, client: &SignInClient) {
    let (url, pending) = client.start(&StartOptions::default()).unwrap();
    let back = tenant.sign_in_at(url.as_str(), USER);
    let signed_in = client.finish(pending, back.address()).await.unwrap();
    let who = signed_in.identity();
    for text in [&who.login_hint, &who.sid, &who.name].into_iter().flatten() {
        if text.len() >= 16 {
            shown.secret(text);
        }
    }
    shown.secret(&signed_in.account().home_account_id);
    shown.debug(&signed_in);
    shown.debug(who);
    shown.debug(signed_in.account());
    shown.debug(signed_in.credential());
    let address: entra_auth::sign_in::Email =
        serde_json::from_value(serde_json::json!({ "Unverified": canary_text("address") }))
            .unwrap();
    shown.debug(&address);
    shown.debug(&Groups::Names(vec!["Staff".to_owned()]));
    let mut options = SignOutOptions::default();
    options.logout_hint = Some(canary_text("hint"));
    options.state = Some(canary_text("state"));
    shown.debug(&options);
    let named = format!("iss=https://issuer.example&sid={}", canary_text("sid"));
    shown.debug(&FrontChannelSignOut::parse(&named).unwrap());
    let path: ReturnPath = format!("/join?invitation={}", canary_text("invitation"))
        .parse()
        .unwrap();
    shown.debug(&path);
    shown.debug(
        &client
            .admin_consent(&AdminConsentOptions::default())
            .unwrap()
            .1,
    );

    let (_, pending) = client.start(&StartOptions::default()).unwrap();
    let callback = format!(
        "{}?code={}&state={}",
        client.redirect_uri(),
        canary_text("code"),
        pending.id()
    );
    let error: SignInError = client.finish(pending, callback.as_str()).await.unwrap_err();
    shown.error(&error);
}

/// A check that formats all that it is given.
struct Formats(Shown);

#[async_trait]
impl Authorize for Formats {
    type User = String;

    async fn authorize(&self, context: SignInContext) -> Result<String, AccessDenied> {
        self.0.debug(&context);
        Ok("an application's user".to_owned())
    }

    async fn signed_out(&self, context: SignOutContext<String>) {
        self.0.debug(&context);
    }
}

async fn site(shown: &Shown, tenant: &FakeTenant, client: SignInClient, urls: RouteUrls) {
    let builder = WebSignIn::builder(urls, client)
        .authorize(Formats(shown.clone()))
        .pages(pages(shown))
        .clock(tenant.clock());
    shown.debug(&builder);
    let sign_in = builder.build().unwrap();
    shown.debug(&sign_in);
    let sessions = sign_in.sessions();
    shown.debug(&sessions);
    shown.debug(&sessions.layer("an inner service"));
    shown.debug(&AccessDenied::new("Ask the support team."));
    let seen = shown.clone();
    let page = async move |user: Result<CurrentUser<String>, NotSignedIn>| match user {
        Ok(user) => {
            seen.debug(&user);
            seen.debug(&*user.session);
        }
        Err(denied) => seen.debug(&denied),
    };
    let site = Router::new()
        .route("/mine", get(page))
        .merge(sign_in.routes())
        .layer(sign_in.sessions());

    let mut cookies = BTreeMap::new();
    open(shown, &site, &mut cookies, "/mine").await;
    let start = sign_in.sign_in_url(None, &"/mine".parse().unwrap());
    let to_entra = open(shown, &site, &mut cookies, &start).await;
    let back = tenant.sign_in_at(&to_entra, USER);
    let back = Url::parse(back.address()).unwrap();
    let back = format!("{}?{}", back.path(), back.query().unwrap_or_default());
    open(shown, &site, &mut cookies, &back).await;
    open(shown, &site, &mut cookies, "/mine").await;
    let elsewhere = format!(
        "/auth/front-channel-sign-out?iss=https://issuer.example&sid={}",
        canary_text("session-at-entra")
    );
    open(shown, &site, &mut cookies, &elsewhere).await;
    open(shown, &site, &mut cookies, "/auth/sign-out").await;
    open(shown, &site, &mut cookies, "/auth/callback?state=x").await;
    sign_out(&site, &cookies).await;
}

/// Pages that a renderer formats.
fn pages(shown: &Shown) -> SignInPages {
    let texts = PageTexts::new("de").text(PageText::SignOut, "Abmelden");
    shown.debug(&texts);
    shown.debug(&PageText::SignOut);
    shown.debug(&PageColors::light());
    let seen = shown.clone();
    let pages = SignInPages::new()
        .product_name("Shop")
        .texts(texts)
        .colors(PageColors::light(), PageColors::dark())
        .renderer(move |page: &Page| {
            seen.debug(page);
            seen.debug(&page.kind);
            seen.debug(&page.title);
            for part in &page.parts {
                seen.debug(part);
                if let PagePart::Link { label, .. } = part {
                    seen.debug(label);
                }
            }
            let rendered = RenderedPage::new(canary_text("page"));
            seen.debug(&rendered);
            rendered
        });
    shown.debug(&pages);
    pages
}

/// Signs out with a form of the site.
async fn sign_out(site: &Router, cookies: &BTreeMap<String, String>) {
    let mut request = Request::post("/auth/sign-out").header("sec-fetch-site", "same-origin");
    for (name, value) in cookies {
        request = request.header(header::COOKIE, format!("{name}={value}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = site.clone().call(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
}

/// Opens a page with the cookies of a browser; the address it leads on to.
async fn open(
    shown: &Shown,
    site: &Router,
    cookies: &mut BTreeMap<String, String>,
    path: &str,
) -> String {
    let mut request = Request::get(path).header(header::ACCEPT, "text/html");
    for (name, value) in cookies.iter() {
        request = request.header(header::COOKIE, format!("{name}={value}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = site.clone().call(request).await.unwrap();
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        let (name, value) = cookie.to_str().unwrap().split_once('=').unwrap();
        let value = value.split(';').next().unwrap();
        if value.len() >= 16 {
            shown.secret(value);
        }
        cookies.insert(name.to_owned(), value.to_owned());
    }
    let location = response.headers().get(header::LOCATION);
    location.map_or_else(String::new, |location| {
        location.to_str().unwrap().to_owned()
    })
}

async fn tokens(shown: &Shown, tenant: &FakeTenant, app: &App) {
    shown.debug(&SigningKeys::new());
    let builder = TokenValidator::access_tokens(TENANT, [CLIENT]).transport(behind_proxy());
    shown.debug(&builder);
    shown.debug(&builder.build().unwrap());
    let validator = TokenValidator::id_tokens(tenant.id(), app.client_id())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let tokens = tenant.tokens_for(app, USER, ["openid", "User.Read"]);
    let token = tokens.id_token().unwrap();
    shown.secret(token.expose_secret());
    let valid = validator
        .validate_id_token(token.expose_secret(), None)
        .await;
    shown.debug(&valid.unwrap());
    let failing = TokenValidator::access_tokens(TENANT, [CLIENT])
        .transport(ScriptedTransport::new())
        .build()
        .unwrap();
    for bad in [
        canary_text("token"),
        format!("{}.e30.e30", canary_text("token")),
    ] {
        shown.error(&failing.validate(&bad).await.unwrap_err());
    }
    let resource = |url: &str| ProtectedResource::builder(url, TENANT, CLIENT);
    let with_password = format!("https://user:{}@tools.example/mcp", canary_text("password"));
    shown.debug(&resource(&with_password));
    shown.error(&resource(&with_password).build().unwrap_err());
    let resource = resource("https://tools.example/mcp").build().unwrap();
    shown.debug(&resource);
    let rule = BearerAuthLayer::new(failing).protected_resource(&resource);
    shown.debug(&rule);
    shown.debug(&rule.layer("an inner service"));
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {}", canary_text("token"));
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::from_str(&bearer).unwrap(),
    );
    shown.debug(&rule.check(&headers).await.unwrap_err());
}
