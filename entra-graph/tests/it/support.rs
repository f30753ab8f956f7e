// Shared by the integration tests and, through `include!`, by the examples in the documentation.

use std::{fmt, future::Future};

use entra_core::{
    AccessToken, CredentialError, CredentialErrorKind, HttpTransport, ReqwestTransport, Timestamp,
    TokenCredential, TokenRequest, http, url::Url,
};
use entra_graph::GraphClient;
use entra_mock::{App, FakeTenant};

/// A client of the sample tenant whose application may read everything.
#[allow(dead_code, reason = "each example uses what it needs")]
pub(crate) async fn graph() -> GraphClient {
    let (tenant, credential) = start().await;
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    // The tenant lives as long as the example's process.
    std::mem::forget(tenant);
    graph
}

/// A client of the sample tenant whose application may also change users and groups.
#[allow(dead_code, reason = "each example uses what it needs")]
pub(crate) async fn writer() -> GraphClient {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Writer")
        .application_permission("User.ReadWrite.All")
        .application_permission("Group.ReadWrite.All")
        .with_secret();
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    // The tenant lives as long as the example's process.
    std::mem::forget(tenant);
    graph
}

/// The sample tenant, and a credential that may read everything in it.
#[allow(dead_code, reason = "each example uses what it needs")]
pub(crate) async fn start() -> (FakeTenant, AppCredential) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("Directory.Read.All")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let credential = AppCredential::new(&tenant, &app);
    (tenant, credential)
}

#[allow(dead_code, reason = "each example uses what it needs")]
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Gets a token with a client secret and nothing else: this crate does not know entra-auth.
pub(crate) struct AppCredential {
    endpoint: Url,
    form: String,
    transport: ReqwestTransport,
}

impl AppCredential {
    pub(crate) fn new(tenant: &FakeTenant, app: &App) -> Self {
        Self::with_secret(tenant, app, app.secret().expose_secret())
    }

    pub(crate) fn with_secret(tenant: &FakeTenant, app: &App, secret: &str) -> Self {
        Self::with(tenant, app, &[("client_secret", secret)])
    }

    #[allow(dead_code, reason = "each example uses what it needs")]
    pub(crate) fn with_assertion(tenant: &FakeTenant, app: &App, assertion: &str) -> Self {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let fields = [
            ("client_assertion_type", kind),
            ("client_assertion", assertion),
        ];
        Self::with(tenant, app, &fields)
    }

    /// A client secret of any application.
    #[allow(dead_code, reason = "each example uses what it needs")]
    pub(crate) fn of(
        cloud: &entra_core::Cloud,
        tenant: &entra_core::TenantId,
        client_id: entra_core::ClientId,
        secret: &str,
    ) -> Self {
        Self::of_fields(cloud, tenant, client_id, &[("client_secret", secret)])
    }

    /// The same with other fields to authenticate with.
    #[allow(dead_code, reason = "each example uses what it needs")]
    pub(crate) fn of_fields(
        cloud: &entra_core::Cloud,
        tenant: &entra_core::TenantId,
        client_id: entra_core::ClientId,
        fields: &[(&str, &str)],
    ) -> Self {
        let form = entra_core::url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &client_id.to_string())
            .append_pair("scope", &cloud.graph_scope())
            .extend_pairs(fields)
            .finish();
        Self {
            endpoint: cloud.token_endpoint(tenant),
            form,
            transport: ReqwestTransport::builder().build(),
        }
    }

    fn with(tenant: &FakeTenant, app: &App, fields: &[(&str, &str)]) -> Self {
        let form = entra_core::url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &app.client_id().to_string())
            .append_pair("scope", &tenant.cloud().graph_scope())
            .extend_pairs(fields)
            .finish();
        Self {
            endpoint: tenant.cloud().token_endpoint(&tenant.id()),
            form,
            transport: ReqwestTransport::builder().build(),
        }
    }
}

impl fmt::Debug for AppCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppCredential").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl TokenCredential for AppCredential {
    async fn token(&self, _: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let failed = |message: String| CredentialError::new(CredentialErrorKind::Rejected, message);
        let request = http::Request::post(self.endpoint.as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(self.form.clone().into())
            .map_err(|error| failed(error.to_string()))?;
        let response = self
            .transport
            .send(request)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
        match body["access_token"].as_str() {
            Some(token) => Ok(AccessToken::new(
                token,
                Timestamp::now_utc() + entra_core::time::Duration::hours(1),
            )),
            None => Err(failed(body["error_description"].to_string())),
        }
    }
}
