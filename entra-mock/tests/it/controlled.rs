//! A server with its control API, for the tests of both.

use entra_mock::{Seed, Server};
use serde_json::{Value, json};

use crate::support::{GRAPH_SCOPE, Response, fetch, http};

/// A server and the addresses of one of its tenants.
pub(crate) struct Controlled {
    pub(crate) server: Server,
    /// The tenant as the control API describes it.
    pub(crate) tenant: Value,
}

impl Controlled {
    pub(crate) async fn start() -> Self {
        let server = Server::builder().seed(Seed::Contoso);
        Self::of(server.start().await.unwrap()).await
    }

    /// The first tenant of a server.
    pub(crate) async fn of(server: Server) -> Self {
        let mut controlled = Self {
            server,
            tenant: Value::Null,
        };
        controlled.tenant["control"] = controlled.server.control_uri().into();
        controlled.tenant = controlled.get("/tenant").await.body;
        controlled
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.tenant[name].as_str().unwrap()
    }

    /// A request to the control API with the token.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let url = format!("{}{path}", self.tenant["control"].as_str().unwrap());
        http()
            .request(method, url)
            .bearer_auth(self.server.control_token().expose_secret())
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        fetch(self.request("GET", path)).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        let request = self.request(method, path);
        fetch(match body {
            Value::Null => request,
            body => request.json(body),
        })
        .await
    }

    /// As [`send`](Self::send), for a request that must succeed.
    pub(crate) async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let response = self.send(method, path, &body).await;
        assert!(response.status < 300, "{method} {path}: {}", response.text);
        response.body
    }

    pub(crate) async fn token(&self) -> Response {
        self.token_of(self.text("clientId"), self.text("clientSecret"))
            .await
    }

    pub(crate) async fn token_of(&self, client_id: &str, secret: &str) -> Response {
        let url = format!("{}/{}/oauth2/v2.0/token", self.text("uri"), self.text("id"));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", secret),
            ("scope", GRAPH_SCOPE),
        ];
        fetch(http().post(url).form(&form)).await
    }

    /// A request to Graph as the application of the tenant.
    pub(crate) async fn graph(&self, path: &str) -> Response {
        let token = self.token().await;
        let token = token.body["access_token"].as_str().unwrap().to_owned();
        fetch(
            http()
                .get(format!("{}{path}", self.text("graph")))
                .bearer_auth(token),
        )
        .await
    }
}

/// The code of a typed error; an error without a fix fails the test.
pub(crate) fn code(response: &Response) -> &str {
    let error = &response.body["error"];
    for part in ["message", "fix"] {
        assert!(
            error[part].as_str().is_some_and(|text| !text.is_empty()),
            "{}",
            response.text
        );
    }
    error["code"].as_str().unwrap()
}

/// No body.
pub(crate) const NOTHING: Value = Value::Null;

#[test]
fn a_typed_error_has_a_code() {
    let body = json!({ "error": { "code": "a", "message": "b", "fix": "c" } });
    let response = Response {
        status: 400,
        headers: reqwest::header::HeaderMap::new(),
        text: body.to_string(),
        body,
    };
    assert_eq!(code(&response), "a");
}
