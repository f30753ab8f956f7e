//! The product: its connections, its authorization and its pages. Nothing here depends on the fake tenant.

use std::{collections::HashMap, error::Error, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use entra_auth::{
    SignInClient,
    entra_core::{ClientId, Clock, Cloud, HttpTransport, ObjectId, Secret, TenantId},
    sign_in::{Connections, Identity},
    user::{ClientAuthentication, ResponseMode, StartOptions},
    web::{AccessDenied, CurrentUser, RouteUrls, SignInContext, WebSignIn, pages::SignInPages},
};
use entra_graph::{GraphClient, User};
use serde::{Deserialize, Serialize};

use super::pages;

/// A customer of the product: the connection to its tenant, and the group whose members may enter.
pub(crate) struct Customer {
    /// A short name, for URLs.
    pub(crate) key: &'static str,
    /// The company's name.
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) secret: Secret,
    /// Object ID and name of the group whose members may enter; all users of the tenant if `None`.
    pub(crate) group: Option<(ObjectId, String)>,
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) transport: Arc<dyn HttpTransport>,
}

/// The product's data of a user who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) company: String,
    /// The group that allows the user to enter.
    pub(crate) group: Option<String>,
    pub(crate) job_title: Option<String>,
    pub(crate) office: Option<String>,
}

/// The site's routes. `tips` is HTML for the front page.
pub(crate) fn routes(
    urls: &RouteUrls,
    customers: Vec<Customer>,
    form_post: bool,
    tips: String,
) -> Result<Router, Box<dyn Error>> {
    let connections = Connections::new();
    for customer in &customers {
        let client = connection(urls, customer)?;
        connections
            .add(client)
            .map_err(|error| format!("cannot add the customer {}: {error}", customer.name))?;
    }
    let mut options = StartOptions::default();
    if form_post {
        options.response_mode = ResponseMode::FormPost;
    }
    let names: Vec<(String, String)> = customers
        .iter()
        .map(|customer| (customer.key.to_owned(), customer.name.clone()))
        .collect();
    let policy = policy(&customers);
    let customers: HashMap<&str, Arc<Customer>> = customers
        .into_iter()
        .map(|customer| (customer.key, Arc::new(customer)))
        .collect();
    let looks = SignInPages::new()
        .product_name("Helpdesk")
        .logo("/icon.svg");
    let sign_in = WebSignIn::builder(urls.clone(), connections)
        .start_options(options)
        .pages(looks)
        .authorize(move |context: SignInContext| {
            let customer = customers.get(context.connection.name()).cloned();
            async move {
                let customer =
                    customer.ok_or_else(|| AccessDenied::new("Your company is not a customer."))?;
                enter(&customer, &context).await
            }
        })
        .build()?;
    let site = Arc::new(Site {
        names,
        tips,
        policy,
    });
    Ok(Router::new()
        .route("/", get(front))
        .route("/desk", get(desk))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .with_state(site)
        .merge(sign_in.routes())
        .layer(sign_in.sessions()))
}

/// The connection of a customer. Sends nothing, so a tenant that is down does not affect other customers.
fn connection(urls: &RouteUrls, customer: &Customer) -> Result<SignInClient, Box<dyn Error>> {
    let secret = ClientAuthentication::secret(customer.secret.clone());
    SignInClient::builder(customer.tenant.clone(), customer.client, secret)
        .name(customer.key)
        .domains(customer.domain.clone())
        .redirect_uri(urls.callback_of(customer.key))
        .scopes(["email", "User.Read", "GroupMember.Read.All"])
        .cloud(customer.cloud.clone())
        .clock(Arc::clone(&customer.clock))
        .transport(Arc::clone(&customer.transport))
        .build()
        .map_err(|error| format!("invalid connection of {}: {error:#}", customer.name).into())
}

/// Decides who may enter: the direct and nested members of one group. Asks Graph with the token of the
/// user, who has just signed in.
async fn enter(customer: &Customer, context: &SignInContext) -> Result<Member, AccessDenied> {
    let signed_in = &context.signed_in;
    let graph = GraphClient::builder(signed_in.credential().clone())
        .cloud(customer.cloud.clone())
        .clock(Arc::clone(&customer.clock))
        .transport(Arc::clone(&customer.transport))
        .build()
        .map_err(|error| unavailable(&error))?;
    if let Some((id, name)) = &customer.group
        && !signed_in.is_member_of_any(&graph, [*id]).await?
    {
        let user = signed_in.identity().username.as_deref();
        return Err(AccessDenied::new(format!(
            "Helpdesk is for members of the group {name} of {}.",
            customer.name
        ))
        .for_admin(format!(
            "Add {} to the group {name} ({id}) to grant access.",
            user.unwrap_or("the user")
        )));
    }
    let user = graph.user(signed_in.identity().oid).get();
    let user = user.select([User::JOB_TITLE, User::OFFICE_LOCATION]).send();
    let user = user.await.map_err(|error| unavailable(&error))?;
    Ok(Member {
        company: customer.name.clone(),
        group: customer.group.as_ref().map(|(_, name)| name.clone()),
        job_title: user.job_title,
        office: user.office_location,
    })
}

fn unavailable(error: &entra_graph::Error) -> AccessDenied {
    // A user who is signed in stays signed in for a while.
    AccessDenied::unavailable("Your organization's directory is not available. Try again later.")
        .for_admin(format!("Microsoft Graph: {error}."))
}

async fn front(State(site): State<Arc<Site>>, user: Option<CurrentUser<Member>>) -> Response {
    let name = user.as_ref().map(|user| shown_name(user.identity()));
    site.page(pages::front(&site.names, name.as_deref(), &site.tips))
}

/// Requires a signed-in user; a browser without a session is sent to sign in and returns here.
async fn desk(State(site): State<Arc<Site>>, user: CurrentUser<Member>) -> Response {
    site.page(pages::desk(&user.session, &user.user))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], pages::STYLE)
}

async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], pages::ICON)
}

/// The user's display name.
pub(crate) fn shown_name(identity: &Identity) -> String {
    let name = identity.name.clone().or_else(|| identity.username.clone());
    name.unwrap_or_else(|| "Unnamed user".to_owned())
}

struct Site {
    /// Key and name of each customer.
    names: Vec<(String, String)>,
    tips: String,
    policy: HeaderValue,
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

/// Allows no script and nothing of another origin. Forms lead to the customers' sign-in pages.
fn policy(customers: &[Customer]) -> HeaderValue {
    let mut pages: Vec<String> = customers
        .iter()
        .map(|customer| customer.cloud.authority().origin().ascii_serialization())
        .collect();
    pages.sort_unstable();
    pages.dedup();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        pages.join(" ")
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
