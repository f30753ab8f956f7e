//! What the sign-in service of the cloud says of a tenant to anyone.

use std::sync::Arc;

use entra_core::{Clock, Guid, HttpTransport, Pipeline, Request, TenantId, http::Method, url::Url};
use serde_json::Value;

/// The sign-in service of the client's cloud, for requests without a token.
#[derive(Clone, Debug)]
pub(crate) struct SignInService {
    pipeline: Pipeline,
    authority: Url,
}

impl SignInService {
    pub(super) fn new(
        authority: &Url,
        transport: Arc<dyn HttpTransport>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pipeline = Pipeline::builder(transport).origin(authority).clock(clock);
        Self {
            pipeline: pipeline.build(),
            authority: authority.clone(),
        }
    }

    /// The ID of the tenant that has this domain, by its OpenID metadata; `None` if the service does not say.
    pub(crate) async fn tenant_with(&self, domain: &TenantId) -> Option<Guid> {
        let path = format!("{domain}/v2.0/.well-known/openid-configuration");
        let url = self.authority.join(&path).ok()?;
        let request = Request::new("tenant metadata", Method::GET, url);
        let response = self.pipeline.send(request).await.ok()?;
        if !response.status.is_success() {
            return None;
        }
        let metadata: Value = serde_json::from_slice(&response.body).ok()?;
        let mut issuer = metadata["issuer"].as_str()?.split('/');
        issuer.find_map(|part| part.parse().ok())
    }
}
