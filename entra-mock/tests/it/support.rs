//! Shared by the tests: an HTTP client, and common requests.

use std::time::Duration;

#[cfg(feature = "wiremock")]
use entra_mock::{App, FakeTenant};
use serde_json::Value;

/// A client without trusted roots that follows no redirect.
///
/// It has a time limit, as hyper loses a request that is handed to a connection in the moment in which the server
/// closes it: the connection's task has gone, and the client keeps the request, which then waits for ever
/// (<https://github.com/hyperium/hyper/issues/4122>).
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

pub(crate) const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";

/// Status, headers and JSON body of a response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(crate) async fn fetch(request: reqwest::RequestBuilder) -> Response {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Response {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    }
}

pub(crate) async fn get(url: &str) -> Response {
    fetch(http().get(url)).await
}

/// A token request to one of the tenant's endpoints.
#[cfg(feature = "wiremock")]
pub(crate) async fn post_token(tenant: &FakeTenant, path: &str, form: &[(&str, &str)]) -> Response {
    fetch(http().post(format!("{}{path}", tenant.uri())).form(form)).await
}

/// A valid client credentials request with some parameters replaced or, if empty, removed.
#[cfg(feature = "wiremock")]
pub(crate) async fn token_with(
    tenant: &FakeTenant,
    app: &App,
    changes: &[(&str, &str)],
) -> Response {
    let (client_id, secret) = (app.client_id().to_string(), app.secret());
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", client_id.as_str()),
        ("client_secret", secret.expose_secret()),
        ("scope", GRAPH_SCOPE),
    ];
    for (name, value) in changes {
        form.retain(|(existing, _)| existing != name);
        if !value.is_empty() {
            form.push((name, value));
        }
    }
    post_token(
        tenant,
        &format!("/{}/oauth2/v2.0/token", tenant.id()),
        &form,
    )
    .await
}

/// A Graph token of an application.
#[cfg(feature = "wiremock")]
pub(crate) async fn token(tenant: &FakeTenant, app: &App) -> String {
    let response = token_with(tenant, app, &[]).await;
    assert_eq!(response.status, 200, "{}", response.text);
    response.body["access_token"].as_str().unwrap().to_owned()
}

/// An application that can read users, and Graph's response to its token at a path.
#[cfg(feature = "wiremock")]
pub(crate) async fn graph_get(tenant: &FakeTenant, token: &str, path: &str) -> Response {
    fetch(
        http()
            .get(format!("{}/v1.0{path}", tenant.uri()))
            .bearer_auth(token),
    )
    .await
}
