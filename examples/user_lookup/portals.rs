//! The two portals of the phone system, which users sign in to with the registration of the look-up.

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use entra_auth::{
    SignInClient,
    entra_core::ObjectId,
    sign_in::ReturnPath,
    user::ClientAuthentication,
    web::{
        AccessDenied, CurrentUser, RouteUrls, SignInContext, WebSignIn,
        pages::{PageColors, SignInPages},
    },
};
use entra_graph::{GraphClient, User};
use serde::Deserialize;

use super::{
    connection::Connection,
    lookup::{self, Entry},
    pages,
};

/// The pages of both portals at this address. Only the `manager` may enter the manager portal; all users if `None`.
/// `tips` is HTML for the front page.
pub(crate) fn routes(
    url: &str,
    connection: &Connection,
    manager: Option<ObjectId>,
    tips: String,
) -> Result<Router, Box<dyn Error>> {
    let site = Arc::new(Site {
        directory: connection.graph()?,
        policy: policy(connection)?,
        tips,
    });
    let managers = portal("manager", url, connection, manager)?;
    let users = portal("user", url, connection, None)?;
    let front = Router::new()
        .route("/", get(front))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon));
    let manager_pages = Router::new()
        .route("/manager", get(directory))
        .merge(managers.routes())
        .layer(managers.sessions());
    let user_pages = Router::new()
        .route("/user", get(own_entry))
        .merge(users.routes())
        .layer(users.sessions());
    let pages = front.merge(manager_pages).merge(user_pages);
    Ok(pages.with_state(site))
}

/// The sign-in of one portal, which only one user may enter if `only` is given.
fn portal(
    name: &str,
    url: &str,
    connection: &Connection,
    only: Option<ObjectId>,
) -> Result<WebSignIn, Box<dyn Error>> {
    let urls = RouteUrls::at(&format!("{url}/{name}/auth"))?;
    let secret = ClientAuthentication::secret(connection.secret.clone());
    let client = SignInClient::builder(connection.tenant.clone(), connection.client, secret)
        .name(name)
        .redirect_uri(urls.callback())
        .scopes(["User.Read"])
        .cloud(connection.cloud.clone())
        .clock(Arc::clone(&connection.clock))
        .build()?;
    let looks = SignInPages::new()
        .product_name("Phone System")
        .logo("/icon.svg")
        .colors(
            PageColors::light().accent("#4f3fb8"),
            PageColors::dark().accent("#b3a9f5"),
        );
    let clock = Arc::clone(&connection.clock);
    let connection = connection.clone();
    Ok(WebSignIn::builder(urls, client)
        .clock(clock)
        .pages(looks)
        .front_page(ReturnPath::or_root(Some(&format!("/{name}"))))
        .authorize(move |context: SignInContext| {
            let connection = connection.clone();
            async move { enter(&connection, only, &context).await }
        })
        .build()?)
}

/// Reads the own entry of a user who may enter, as that user.
async fn enter(
    connection: &Connection,
    only: Option<ObjectId>,
    context: &SignInContext,
) -> Result<Entry, AccessDenied> {
    let identity = context.signed_in.identity();
    // Names and addresses change; the object ID does not.
    if only.is_some_and(|manager| manager != identity.oid) {
        let user = identity.username.as_deref().unwrap_or("the user");
        return Err(AccessDenied::new(
            "The manager portal is for the manager of the phone system.",
        )
        .for_admin(format!("The object ID of {user} is {}.", identity.oid)));
    }
    let graph = GraphClient::builder(context.signed_in.credential().clone())
        .cloud(connection.cloud.clone())
        .clock(Arc::clone(&connection.clock))
        .build()?;
    let user = graph.me().get().select((
        User::DISPLAY_NAME,
        User::MAIL,
        User::USER_PRINCIPAL_NAME,
        User::BUSINESS_PHONES,
        User::MOBILE_PHONE,
    ));
    Ok(Entry::of(user.send().await?))
}

async fn front(State(site): State<Arc<Site>>) -> Response {
    site.page(pages::front(&site.tips))
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    text: String,
}

/// The manager portal: the directory, read as the phone system.
async fn directory(
    State(site): State<Arc<Site>>,
    Query(search): Query<Search>,
    manager: CurrentUser<Entry>,
) -> Response {
    let text = search.text.trim();
    let found = match text.is_empty() {
        true => None,
        false => Some(lookup::find(&site.directory, text).await),
    };
    if let Some(Err(error)) = &found {
        // The page does not say the cause, such as an expired secret: it is for the administrator.
        eprintln!("a look-up failed: {error:#}");
    }
    site.page(pages::directory(&manager.user.name, text, found.as_ref()))
}

/// The user portal: the user's own entry.
async fn own_entry(State(site): State<Arc<Site>>, user: CurrentUser<Entry>) -> Response {
    site.page(pages::own_entry(&user.user))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], pages::STYLE)
}

async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], pages::ICON)
}

struct Site {
    directory: GraphClient,
    policy: HeaderValue,
    tips: String,
}

impl Site {
    fn page(&self, page: String) -> Response {
        let mut response = Html(page).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        for (name, value) in [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "same-origin"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Allows no script and nothing of another origin. A sign-out leads to the tenant's page.
fn policy(connection: &Connection) -> Result<HeaderValue, Box<dyn Error>> {
    let tenant = connection.cloud.authority().origin().ascii_serialization();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {tenant}; base-uri 'none'; frame-ancestors 'none'"
    );
    Ok(HeaderValue::try_from(policy)?)
}
