//! A route for axum (feature `axum`).

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{RawQuery, Request, State},
    http::header,
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
    let limit = endpoint.body_limit();
    let Ok(body) = to_bytes(body, limit).await else {
        // A body that says it is small enough broke off.
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let response = match length {
            Some(length) if length <= limit => too_large(),
            _ => endpoint.too_large(),
        };
        return response.map(Body::from);
    };
    endpoint
        .respond(&parts.method, query.as_deref(), body)
        .map(Body::from)
}
