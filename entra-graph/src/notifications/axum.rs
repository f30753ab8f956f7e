//! A route for axum (feature `axum`).

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{RawQuery, Request, State},
    response::Response,
    routing::any,
};

use super::{queue::NotificationEndpoint, receiver::too_large};

impl NotificationEndpoint {
    /// A router with this endpoint at a path. Reading stops at the limit of the body.
    ///
    /// ```
    /// # fn example(endpoint: entra_graph::notifications::NotificationEndpoint) {
    /// let app: axum::Router = axum::Router::new().merge(endpoint.route("/notifications"));
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`Router::route`], for a path that does not begin with a slash.
    pub fn route<S: Clone + Send + Sync + 'static>(self, path: &str) -> Router<S> {
        Router::new().route(path, any(receive)).with_state(self)
    }
}

async fn receive(
    State(endpoint): State<NotificationEndpoint>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, endpoint.body_limit()).await else {
        return too_large().map(Body::from);
    };
    endpoint
        .respond(&parts.method, query.as_deref(), body)
        .map(Body::from)
}
