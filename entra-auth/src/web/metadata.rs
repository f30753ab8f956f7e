//! Routes for the metadata of protected resources.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Body,
    http::{Method, Response},
    routing::{MethodRouter, any},
};

use crate::{Error, validate::ProtectedResource};

/// Serves the metadata of APIs at one origin (RFC 9728): for each of them its
/// [`metadata_path`](ProtectedResource::metadata_path), and for a single one
/// `/.well-known/oauth-protected-resource` as well, which some clients request for every API.
///
/// Merge it at the root of the application, outside of the [`BearerAuthLayer`](super::BearerAuthLayer):
/// the metadata needs no token.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use axum::{Router, routing::post};
/// use entra_auth::validate::ProtectedResource;
/// use entra_auth::web::{BearerAuthLayer, metadata_routes};
/// # let tenant = "11111111-1111-1111-1111-111111111111";
/// # let client_id = "22222222-2222-2222-2222-222222222222";
/// let tools = ProtectedResource::builder("https://tools.contoso.com/mcp", tenant, client_id)
///     .scopes(["Tools.Read"])
///     .build()?;
/// let tokens = BearerAuthLayer::new(tools.token_validator().build()?)
///     .scopes(["Tools.Read"])
///     .protected_resource(&tools);
/// let app: Router = Router::new()
///     .route("/mcp", post(|| async { "the tools" }))
///     .route_layer(tokens)
///     .merge(metadata_routes([tools])?);
/// # drop(app);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if two APIs have the same path, or a
/// path has characters that a route cannot have: braces, or a colon or an asterisk at the start of a segment.
/// Serve the metadata of such an API with [`metadata_response`](ProtectedResource::metadata_response).
pub fn metadata_routes<S>(
    resources: impl IntoIterator<Item = ProtectedResource>,
) -> Result<Router<S>, Error>
where
    S: Clone + Send + Sync + 'static,
{
    let mut by_path = BTreeMap::new();
    for resource in resources {
        let path = resource.metadata_path().to_owned();
        if !is_route(&path) {
            return Err(Error::configuration(
                "the path of a protected resource has braces, or a segment that starts with a colon or an asterisk",
                "serve its metadata with `ProtectedResource::metadata_response`, or give the API another path",
            ));
        }
        if by_path.insert(path, resource).is_some() {
            return Err(Error::configuration(
                "two protected resources have the same path",
                "serve the metadata of each origin separately, and give each API a path of its own",
            ));
        }
    }
    if by_path.len() == 1
        && let Some(only) = by_path.values().next().cloned()
    {
        by_path.insert(ROOT.to_owned(), only);
    }
    let mut routes = Router::new();
    for (path, resource) in by_path {
        routes = routes.route(&path, document(resource));
    }
    Ok(routes)
}

/// Whether the router takes the path as it is: braces are a capture there, and it panics at a segment that was
/// one in axum 0.7.
fn is_route(path: &str) -> bool {
    let was_capture = |segment: &str| segment.starts_with([':', '*']);
    !path.contains(['{', '}']) && !path.split('/').any(was_capture)
}

fn document<S>(resource: ProtectedResource) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    any(move |method: Method| {
        let response = resource.metadata_response(&method);
        async move { response.map(Body::from) as Response<Body> }
    })
}

const ROOT: &str = "/.well-known/oauth-protected-resource";
