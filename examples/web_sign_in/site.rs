//! The product: its connections, its gate and its pages. Nothing here knows of a fake tenant.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use entra_auth::{
    SignInClient,
    sign_in::{Connections, Identity},
    user::{ClientAuthentication, ResponseMode, StartOptions},
    web::{AccessDenied, CurrentUser, RouteUrls, SignInContext, WebSignIn},
};
use entra_core::{ClientId, Clock, Cloud, HttpTransport, ObjectId, Secret, TenantId};
use entra_graph::{GraphClient, User};
use serde::{Deserialize, Serialize};

use super::{pages, problem::Problem};

/// A customer of the product: what their administrator typed in, and which of their people may enter.
pub(crate) struct Customer {
    /// Short, for urls.
    pub(crate) key: &'static str,
    /// As people know it.
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) secret: Secret,
    /// Who may enter, by object id and name; everybody of the tenant if there is none.
    pub(crate) group: Option<(ObjectId, String)>,
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) transport: Arc<dyn HttpTransport>,
}

/// What the product keeps of a person while they are signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) company: String,
    /// The group that lets them in.
    pub(crate) group: Option<String>,
    pub(crate) job_title: Option<String>,
    pub(crate) office: Option<String>,
}

/// The site's routes. `tips` is shown on the front page as it is.
pub(crate) fn routes(
    urls: &RouteUrls,
    customers: Vec<Customer>,
    form_post: bool,
    tips: String,
) -> Result<Router, Problem> {
    let connections = Connections::new();
    for customer in &customers {
        let client = connection(urls, customer)?;
        connections.add(client).map_err(|error| {
            Problem::new(format!("{} cannot be a customer", customer.name)).because(&error)
        })?;
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
    let sign_in = WebSignIn::builder(urls.clone(), connections)
        .start_options(options)
        .authorize(move |arrival: SignInContext| {
            let customer = customers.get(arrival.connection.name()).cloned();
            async move {
                let customer =
                    customer.ok_or_else(|| AccessDenied::new("Your company is no customer."))?;
                enter(&customer, &arrival).await
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

/// One per customer. Nothing is sent yet, so a customer whose tenant is down keeps nobody else out.
fn connection(urls: &RouteUrls, customer: &Customer) -> Result<SignInClient, Problem> {
    let proof = ClientAuthentication::secret(customer.secret.clone());
    SignInClient::builder(customer.tenant.clone(), customer.client, proof)
        .name(customer.key)
        .domains(customer.domain.clone())
        .redirect_uri(urls.callback_of(customer.key))
        .scopes(["email", "User.Read", "GroupMember.Read.All"])
        .cloud(customer.cloud.clone())
        .clock(Arc::clone(&customer.clock))
        .transport(Arc::clone(&customer.transport))
        .build()
        .map_err(|error| {
            Problem::new(format!("people of {} cannot sign in", customer.name)).because(&error)
        })
}

/// Decides who may enter: the members of one group, directly or by other groups, however many groups
/// they are in. Graph is asked as the person, who has just signed in.
async fn enter(customer: &Customer, arrival: &SignInContext) -> Result<Member, AccessDenied> {
    let signed_in = &arrival.signed_in;
    let graph = GraphClient::builder(signed_in.credential().clone())
        .cloud(customer.cloud.clone())
        .clock(Arc::clone(&customer.clock))
        .transport(Arc::clone(&customer.transport))
        .build()
        .map_err(|error| unavailable(&error))?;
    if let Some((id, name)) = &customer.group
        && !signed_in.is_member_of_any(&graph, [*id]).await?
    {
        let person = signed_in.identity().username.as_deref();
        return Err(AccessDenied::new(format!(
            "Helpdesk is for the group {name} of {}, and you are not in it.",
            customer.name
        ))
        .for_admin(format!(
            "Add {} to the group {name} ({id}) to let them in.",
            person.unwrap_or("the person")
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
    // A user who is signed in stays for a while.
    AccessDenied::unavailable(
        "Your organisation's directory cannot be asked at the moment. Try again later.",
    )
    .for_admin(format!("Microsoft Graph said: {error}."))
}

async fn front(State(site): State<Arc<Site>>, person: Option<CurrentUser<Member>>) -> Response {
    let name = person.as_ref().map(|person| shown_name(person.identity()));
    site.page(pages::front(&site.names, name.as_deref(), &site.tips))
}

/// For people who are signed in; others are sent to do so, and come back.
async fn desk(State(site): State<Arc<Site>>, user: CurrentUser<Member>) -> Response {
    site.page(pages::desk(&user.session, &user.user))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], pages::STYLE)
}

async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], pages::ICON)
}

/// What to call somebody.
pub(crate) fn shown_name(identity: &Identity) -> String {
    let name = identity.name.clone().or_else(|| identity.username.clone());
    name.unwrap_or_else(|| "Somebody".to_owned())
}

struct Site {
    /// Key and name of every customer.
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

/// No script and nothing from elsewhere. The forms end up at the customers' sign-in pages.
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
