//! The product: where each login is sent, who may enter, and the pages. Nothing here depends on the fake tenants.

use std::{error::Error, sync::Arc};

use axum::{
    Form, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use entra_auth::{
    SignInClient,
    entra_core::{Clock, Cloud, Secret, url::form_urlencoded},
    sign_in::Connections,
    user::{ClientAuthentication, ResponseMode, StartOptions},
    web::{
        AccessDenied, CurrentUser, RouteUrls, SignInContext, WebSignIn,
        pages::{PageColors, SignInPages},
    },
};
use serde::{Deserialize, Serialize};

use super::{
    accounts::{Accounts, NextStep},
    form::Connection,
    local_session::LocalSessions,
    pages::{self, Visitor},
};

/// The product's data of a user whom a connection has signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// What the connection is called.
    pub(crate) connection: String,
}

/// The sign-in routes below `/auth`, with the callback at the address of the product itself.
pub(crate) fn urls(url: &str) -> Result<RouteUrls, entra_auth::Error> {
    RouteUrls::at(&format!("{url}/auth"))?.with_callback_path("/")
}

/// The site's routes. `tips` is HTML for the front page.
pub(crate) fn routes(
    url: &str,
    connections: &[Connection],
    accounts: Arc<Accounts>,
    clock: Arc<dyn Clock>,
    tips: String,
) -> Result<Router, Box<dyn Error>> {
    let clients = Connections::new();
    let mut titles = Vec::new();
    for connection in connections {
        clients.add(client(connection)?)?;
        titles.push((connection.name.clone(), connection.title.clone()));
    }
    let mut options = StartOptions::default();
    // A posted response leaves `GET /` to the front page.
    options.response_mode = ResponseMode::FormPost;
    let site = Arc::new(Site {
        url: url.to_owned(),
        accounts: Arc::clone(&accounts),
        local: LocalSessions::new(url, Arc::clone(&clock)),
        titles: titles.clone(),
        policy: policy(connections.iter().map(|connection| &connection.cloud))?,
        tips,
    });
    let looks = SignInPages::new()
        .product_name("Contact Center")
        .logo("/icon.svg")
        .colors(
            PageColors::light().accent("#0b6e5f"),
            PageColors::dark().accent("#6fd3c1"),
        );
    let sign_in = WebSignIn::builder(urls(url)?, clients)
        .clock(clock)
        .start_options(options)
        .pages(looks)
        .authorize(move |context: SignInContext| {
            let entered = enter(&accounts, &titles, &context);
            async move { entered }
        })
        .build()?;
    Ok(Router::new()
        .route("/", get(front))
        .route("/sign-in", post(next_step))
        .route("/password", post(password))
        .route("/sign-out", post(sign_out))
        .route("/home", get(home))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .with_state(site)
        .merge(sign_in.routes())
        .layer(sign_in.sessions()))
}

/// The client of a connection. Sends nothing, so a tenant that is down does not affect other connections.
fn client(connection: &Connection) -> Result<SignInClient, Box<dyn Error>> {
    let secret = ClientAuthentication::secret(connection.secret.clone());
    SignInClient::builder(connection.tenant.clone(), connection.client, secret)
        .name(&connection.name)
        .redirect_uri(&connection.redirect_uri)
        .cloud(connection.cloud.clone())
        .clock(Arc::clone(&connection.clock))
        .build()
        .map_err(|error| format!("connection {}: {error:#}", connection.title).into())
}

/// Lets users in whose account is assigned to the connection that signed them in.
fn enter(
    accounts: &Accounts,
    titles: &[(String, String)],
    context: &SignInContext,
) -> Result<Member, AccessDenied> {
    let connection = context.connection.name();
    let title = titles.iter().find(|(name, _)| name == connection);
    let title = title.map_or(connection, |(_, title)| title);
    let identity = context.signed_in.identity();
    match accounts.signed_in(connection, identity) {
        Some(name) => Ok(Member {
            name,
            connection: title.to_owned(),
        }),
        None => {
            let user = identity.username.as_deref().unwrap_or("the user");
            Err(
                AccessDenied::new("You are not a user of Contact Center.").for_admin(format!(
                    "Add a user with the login {user} and the connection {title}."
                )),
            )
        }
    }
}

struct Site {
    url: String,
    accounts: Arc<Accounts>,
    local: LocalSessions,
    /// Name and title of each connection.
    titles: Vec<(String, String)>,
    policy: HeaderValue,
    tips: String,
}

type SiteState = State<Arc<Site>>;

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
struct Password {
    login: String,
    password: Secret,
}

async fn front(
    State(site): SiteState,
    headers: HeaderMap,
    user: Option<CurrentUser<Member>>,
) -> Response {
    let visitor = site.visitor(&headers, user.as_ref());
    let page = pages::front(visitor.as_ref(), &site.titles, &site.tips);
    site.page(StatusCode::OK, page)
}

/// Sends a login to its connection or to the page for the password.
async fn next_step(
    State(site): SiteState,
    headers: HeaderMap,
    Form(form): Form<Login>,
) -> Response {
    if !site.is_own_form(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match site.accounts.next_step(&form.login) {
        NextStep::Connection(name) => {
            let email: String =
                form_urlencoded::byte_serialize(form.login.trim().as_bytes()).collect();
            let to = Redirect::to(&format!("/auth/sign-in/{name}?return=/home&email={email}"));
            // A browser has one user: the session of a password ends.
            ([(header::SET_COOKIE, site.local.end(&headers))], to).into_response()
        }
        NextStep::Password => site.page(StatusCode::OK, pages::password(&form.login, false)),
        NextStep::NotSetUp => {
            let page = pages::not_set_up(&form.login, &site.titles);
            site.page(StatusCode::OK, page)
        }
    }
}

async fn password(
    State(site): SiteState,
    headers: HeaderMap,
    user: Option<CurrentUser<Member>>,
    Form(form): Form<Password>,
) -> Response {
    if !site.is_own_form(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if user.is_some() {
        // The front page has the way to sign out first.
        return Redirect::to("/").into_response();
    }
    let accounts = Arc::clone(&site.accounts);
    let login = form.login.clone();
    let check = move || accounts.with_password(&login, &form.password);
    // The comparison takes long on purpose, and would hold up other requests.
    if let Ok(Some(_)) = tokio::task::spawn_blocking(check).await {
        return match site.local.begin(&form.login) {
            Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to("/home")).into_response(),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        };
    }
    site.page(StatusCode::UNAUTHORIZED, pages::password(&form.login, true))
}

/// Ends a session that began with a password.
async fn sign_out(State(site): SiteState, headers: HeaderMap) -> Response {
    if !site.is_own_form(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let cookie = site.local.end(&headers);
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

/// Requires a user, by a connection or by a password.
async fn home(
    State(site): SiteState,
    headers: HeaderMap,
    user: Option<CurrentUser<Member>>,
) -> Response {
    match site.visitor(&headers, user.as_ref()) {
        Some(visitor) => site.page(StatusCode::OK, pages::home(&visitor)),
        None => Redirect::to("/").into_response(),
    }
}

pub(crate) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], pages::STYLE)
}

pub(crate) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], pages::ICON)
}

impl Site {
    fn visitor(&self, headers: &HeaderMap, user: Option<&CurrentUser<Member>>) -> Option<Visitor> {
        if let Some(user) = user {
            // A browser has one user: the session of a password would come back when this user signs out.
            self.local.forget(headers);
            return Some(Visitor {
                name: user.user.name.clone(),
                connection: Some(user.user.connection.clone()),
                user_name: user.identity().username.clone(),
                key: Some((
                    user.identity().tid.to_string(),
                    user.identity().oid.to_string(),
                )),
            });
        }
        let login = self.local.login(headers)?;
        Some(Visitor {
            name: self.accounts.name_of(&login)?,
            connection: None,
            user_name: Some(login),
            key: None,
        })
    }

    /// Whether a page of this site posted the form: others could sign a browser in as another user.
    fn is_own_form(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::ORIGIN)
            .is_some_and(|origin| origin.as_bytes() == self.url.as_bytes())
    }

    fn page(&self, status: StatusCode, page: String) -> Response {
        self::page(&self.policy, status, page)
    }
}

/// A page that other sites can neither frame nor cache.
pub(crate) fn page(policy: &HeaderValue, status: StatusCode, page: String) -> Response {
    let mut response = (status, Html(page)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Allows no script and nothing of another origin. Forms lead to the connections' sign-in pages.
pub(crate) fn policy<'a>(
    clouds: impl IntoIterator<Item = &'a Cloud>,
) -> Result<HeaderValue, Box<dyn Error>> {
    let origin = |cloud: &Cloud| cloud.authority().origin().ascii_serialization();
    let mut origins: Vec<String> = clouds.into_iter().map(origin).collect();
    origins.sort_unstable();
    origins.dedup();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        origins.join(" ")
    );
    Ok(HeaderValue::try_from(policy)?)
}
