//! What the tests share: an HTTP client, and the requests they all make.

#[cfg(feature = "wiremock")]
use entra_mock::{App, FakeTenant};
use serde_json::Value;

/// A client that needs no CA store and follows no redirect.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

pub(crate) const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";

/// Status, headers and JSON body of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    }
}

pub(crate) async fn get(url: &str) -> Answer {
    answer(http().get(url)).await
}

/// A token request to one of the tenant's endpoints.
#[cfg(feature = "wiremock")]
pub(crate) async fn post_token(tenant: &FakeTenant, path: &str, form: &[(&str, &str)]) -> Answer {
    answer(http().post(format!("{}{path}", tenant.uri())).form(form)).await
}

/// A good client-credentials request with some parameters replaced or, when empty, left out.
#[cfg(feature = "wiremock")]
pub(crate) async fn token_with(tenant: &FakeTenant, app: &App, changes: &[(&str, &str)]) -> Answer {
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
    let answer = token_with(tenant, app, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["access_token"].as_str().unwrap().to_owned()
}

/// An application that may read users, and what Graph answers to its token at a path.
#[cfg(feature = "wiremock")]
pub(crate) async fn graph_get(tenant: &FakeTenant, token: &str, path: &str) -> Answer {
    answer(
        http()
            .get(format!("{}/v1.0{path}", tenant.uri()))
            .bearer_auth(token),
    )
    .await
}
