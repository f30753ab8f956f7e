//! The server: its tools and who may call them. Nothing here depends on the fake tenant.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, http::request::Parts};
use entra_auth::{
    TokenValidator,
    entra_core::url::Url,
    validate::ProtectedResource,
    web::{BearerAuthLayer, Caller, metadata_routes},
};
use rmcp::{
    ServerHandler,
    handler::server::{router::tool::ToolRouter, tool::Extension, wrapper::Parameters},
    model::{ServerCapabilities, ServerConfig},
    schemars, tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};

/// The scope that users consent to.
pub(crate) const SCOPE: &str = "Notes.Use";

/// The MCP endpoint, for requests with a token, and the metadata by which clients find out how to get
/// one.
pub(crate) fn routes(
    resource: ProtectedResource,
    validator: TokenValidator,
) -> Result<Router, Box<dyn Error>> {
    let tokens = BearerAuthLayer::new(validator)
        .scopes([SCOPE])
        .protected_resource(&resource);
    let url = Url::parse(resource.url())?;
    // A page of another site can give its host name the IP address of this machine (DNS rebinding).
    let host = url.host_str().unwrap_or_default().to_owned();
    let config = StreamableHttpServerConfig::default().with_allowed_hosts([host]);
    let notes = Notes::new();
    let service = StreamableHttpService::new(
        move || Ok(notes.clone()),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    Ok(Router::new()
        .route_service(url.path(), service)
        .route_layer(tokens)
        .merge(metadata_routes([resource])?))
}

/// Notes of users.
#[derive(Clone)]
struct Notes {
    by_owner: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    tool_router: ToolRouter<Self>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Note {
    /// The text of the note.
    text: String,
}

#[tool_router]
impl Notes {
    fn new() -> Self {
        Self {
            by_owner: Arc::default(),
            tool_router: Self::tool_router(),
        }
    }

    #[tool(description = "Lists the notes of the signed-in user")]
    fn list_notes(&self, Extension(request): Extension<Parts>) -> Result<String, String> {
        let owner = owner(&request)?;
        let notes = self.lock().get(&owner).cloned().unwrap_or_default();
        Ok(match notes.is_empty() {
            true => "There are no notes.".to_owned(),
            false => notes.join("\n"),
        })
    }

    #[tool(description = "Adds a note for the signed-in user")]
    fn add_note(
        &self,
        Parameters(Note { text }): Parameters<Note>,
        Extension(request): Extension<Parts>,
    ) -> Result<String, String> {
        let owner = owner(&request)?;
        self.lock().entry(owner).or_default().push(text);
        Ok("The note is added.".to_owned())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.by_owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_instructions("Notes of the signed-in user")
    }
}

/// Tenant ID and object ID, the key of a user's data. Each request has a token, so a session that another
/// user took over shows that user's own notes.
fn owner(request: &Parts) -> Result<String, String> {
    let caller = request.extensions.get::<Caller>();
    let token = caller
        .map(Caller::token)
        .ok_or("the request has no token")?;
    match (token.tid(), token.oid()) {
        (Some(tenant), Some(user)) => Ok(format!("{tenant}/{user}")),
        _ => Err("the token is not a user's".to_owned()),
    }
}
