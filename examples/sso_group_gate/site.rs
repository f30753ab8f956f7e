//! The product: its connection, its authorization and its pages. Nothing here depends on the fake tenant.

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use entra_auth::{
    SignInClient,
    entra_core::{ClientId, Clock, Cloud, ObjectId, Secret, TenantId},
    sign_in::Identity,
    user::{ClientAuthentication, ResponseMode, StartOptions},
    web::{AccessDenied, CurrentUser, RouteUrls, SignInContext, WebSignIn, pages::SignInPages},
};
use entra_graph::{GraphClient, Group};
use serde::{Deserialize, Serialize};

use super::pages;

/// The connection to the customer's tenant, and the group whose members may enter.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) secret: Secret,
    /// Object ID of the group whose members may enter; all users of the tenant if `None`.
    pub(crate) group: Option<ObjectId>,
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The product's data of a user who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    /// The name of the group that allows the user to enter.
    pub(crate) group: Option<String>,
}

/// The site's routes. `tips` is HTML for the front page.
pub(crate) fn routes(
    urls: &RouteUrls,
    connection: Connection,
    form_post: bool,
    tips: String,
) -> Result<Router, Box<dyn Error>> {
    let mut options = StartOptions::default();
    if form_post {
        options.response_mode = ResponseMode::FormPost;
    }
    let policy = policy(&connection)?;
    let client = client(urls, &connection)?;
    let clock = Arc::clone(&connection.clock);
    let looks = SignInPages::new()
        .product_name("Helpdesk")
        .logo("/icon.svg");
    let sign_in = WebSignIn::builder(urls.clone(), client)
        .clock(clock)
        .start_options(options)
        .pages(looks)
        .authorize(move |context: SignInContext| {
            let connection = connection.clone();
            async move { enter(&connection, &context).await }
        })
        .build()?;
    Ok(Router::new()
        .route("/", get(front))
        .route("/desk", get(desk))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .with_state(Arc::new(Site { tips, policy }))
        .merge(sign_in.routes())
        .layer(sign_in.sessions()))
}

/// The client that signs users in. The scopes `openid` and `profile` are always requested.
fn client(urls: &RouteUrls, connection: &Connection) -> Result<SignInClient, Box<dyn Error>> {
    let secret = ClientAuthentication::secret(connection.secret.clone());
    let client = SignInClient::builder(connection.tenant.clone(), connection.client, secret)
        .redirect_uri(urls.callback())
        .scopes(["email", "GroupMember.Read.All"])
        .cloud(connection.cloud.clone())
        .clock(Arc::clone(&connection.clock));
    Ok(client.build()?)
}

/// Decides who may enter: the direct and nested members of one group. Asks Graph with the token of the
/// user, who has just signed in, so a change of the group has an effect at once.
async fn enter(connection: &Connection, context: &SignInContext) -> Result<Member, AccessDenied> {
    let Some(group) = connection.group else {
        return Ok(Member { group: None });
    };
    let signed_in = &context.signed_in;
    let graph = GraphClient::builder(signed_in.credential().clone())
        .cloud(connection.cloud.clone())
        .clock(Arc::clone(&connection.clock))
        .build()?;
    let is_member = signed_in.is_member_of_any(&graph, [group]).await?;
    let found = graph.group(group).get();
    let found = found.select((Group::DISPLAY_NAME, Group::VISIBILITY));
    let found = found.send_opt().await?;
    let name = found.as_ref().and_then(|found| found.display_name.clone());
    let name = name.unwrap_or_else(|| group.to_string());
    if is_member {
        return Ok(Member { group: Some(name) });
    }
    let user = signed_in.identity().username.as_deref();
    let user = user.unwrap_or("the user");
    // Graph takes any ID, so a wrong one would keep all users out without a reason.
    Err(match found {
        // Graph leaves such groups out, so the user may be a member.
        Some(found) if found.visibility.as_deref() == Some("HiddenMembership") => {
            let denied = format!("Helpdesk is for members of the group {name}.");
            AccessDenied::new(denied).for_admin(format!(
                "The group {name} ({group}) has hidden membership: Microsoft Graph shows its members with Member.Read.Hidden only. Grant that permission or choose another group; if it is granted, add {user} to the group."
            ))
        }
        Some(_) => AccessDenied::new(format!("Helpdesk is for members of the group {name}."))
            .for_admin(format!(
                "Add {user} to the group {name} ({group}) to grant access."
            )),
        None => AccessDenied::new("Helpdesk is not set up completely.").for_admin(format!(
            "The tenant has no group {group}. Copy the Object ID of the group from Groups > All groups > Overview."
        )),
    })
}

async fn front(State(site): State<Arc<Site>>, user: Option<CurrentUser<Member>>) -> Response {
    let name = user.as_ref().map(|user| shown_name(user.identity()));
    site.page(pages::front(name.as_deref(), &site.tips))
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

/// Allows no script and nothing of another origin. A sign-out leads to the tenant's page.
fn policy(connection: &Connection) -> Result<HeaderValue, Box<dyn Error>> {
    let tenant = connection.cloud.authority().origin().ascii_serialization();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {tenant}; base-uri 'none'; frame-ancestors 'none'"
    );
    Ok(HeaderValue::try_from(policy)?)
}
