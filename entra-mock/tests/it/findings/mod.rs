//! Findings: for each rule a client that has the fault, and one that does the same job well.

mod queries;
mod report;
mod retries;
mod sign_in;
mod volume;

use entra_mock::{App, FakeTenant};

use crate::support::{Response, fetch, http, token};

/// An application that reads and writes, and a client of it that sends what a careful one sends.
struct Client {
    tenant: FakeTenant,
    app: App,
    token: String,
}

impl Client {
    async fn with(permissions: &[&str]) -> Self {
        let tenant = FakeTenant::builder().users(30).start().await;
        let mut app = tenant.register_app("Job");
        for permission in permissions {
            app = app.application_permission(permission);
        }
        let app = app.with_secret();
        let token = token(&tenant, &app).await;
        Self { tenant, app, token }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let number = self.tenant.requests().count();
        self.request_with_id(
            method,
            path,
            &format!("00000000-0000-4000-8000-{number:012}"),
        )
    }

    fn request_with_id(&self, method: &str, path: &str, id: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/v1.0{path}", self.tenant.uri());
        http()
            .request(method, url)
            .bearer_auth(&self.token)
            .header("client-request-id", id)
    }

    async fn get(&self, path: &str) -> Response {
        fetch(self.request("GET", path)).await
    }

    async fn post(&self, path: &str, body: &serde_json::Value) -> Response {
        fetch(self.request("POST", path).json(body)).await
    }

    fn rules(&self) -> Vec<&'static str> {
        rules(&self.tenant)
    }

    /// Starts over, as another client.
    fn forget(&self) {
        self.tenant.forget_requests();
    }
}

fn rules(tenant: &FakeTenant) -> Vec<&'static str> {
    tenant
        .findings()
        .iter()
        .map(|finding| finding.rule)
        .collect()
}

const READ_USERS: &[&str] = &["User.Read.All"];
