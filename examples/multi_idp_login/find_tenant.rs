//! Finds the organization of a form that has neither tenant ID nor domain: an administrator signs in, and the token names
//! the tenant. It works with a registration for any organization; for one of a single organization the sign-in page shows
//! AADSTS50194, which the page says before.
//!
//! The tenant ID is shown to the user who signed in and stored nowhere: an account of any organization can sign in here.

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode},
    response::Response,
    routing::get,
};
use entra_auth::{
    SignInClient,
    user::{ClientAuthentication, ResponseMode, StartOptions},
    web::{AccessDenied, CurrentUser, SignInContext, WebSignIn, pages::SignInPages},
};
use serde::{Deserialize, Serialize};

use super::{form::Form, pages, site};

/// The organization of the account that signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FoundTenant {
    pub(crate) tenant: String,
    pub(crate) user: String,
}

/// The page that finds the tenant of a form whose redirect URI is the address of the product.
pub(crate) fn routes(url: &str, form: &Form) -> Result<Router, Box<dyn Error>> {
    let client: entra_auth::entra_core::ClientId = form
        .client
        .trim()
        .parse()
        .map_err(|error| format!("the application (client) ID is invalid: {error}"))?;
    let secret = ClientAuthentication::secret(form.secret.clone());
    let client = SignInClient::builder("organizations", client, secret)
        .name(&form.name)
        .redirect_uri(&form.redirect_uri)
        .cloud(form.cloud.clone())
        .clock(Arc::clone(&form.clock))
        .any_tenant()
        .build()?;
    let mut options = StartOptions::default();
    // A posted response leaves `GET /` to the page.
    options.response_mode = ResponseMode::FormPost;
    let sign_in = WebSignIn::builder(site::urls(url)?, client)
        .clock(Arc::clone(&form.clock))
        .start_options(options)
        .pages(SignInPages::new().product_name("Contact Center"))
        .authorize(|context: SignInContext| async move {
            let identity = context.signed_in.identity();
            Ok::<_, AccessDenied>(FoundTenant {
                tenant: identity.tid.to_string(),
                user: identity.username.clone().unwrap_or_default(),
            })
        })
        .build()?;
    let finder = Arc::new(Finder {
        policy: site::policy([&form.cloud])?,
        name: form.name.clone(),
    });
    Ok(Router::new()
        .route("/", get(page))
        .route("/style.css", get(site::style))
        .route("/icon.svg", get(site::icon))
        .with_state(finder)
        .merge(sign_in.routes())
        .layer(sign_in.sessions()))
}

struct Finder {
    policy: HeaderValue,
    name: String,
}

async fn page(
    State(finder): State<Arc<Finder>>,
    user: Option<CurrentUser<FoundTenant>>,
) -> Response {
    let found = user.as_ref().map(|user| &user.user);
    let page = pages::find_tenant(&finder.name, found);
    site::page(&finder.policy, StatusCode::OK, page)
}
