use entra_core::Clock;
use serde_json::{Value, json};

use super::{App, FakeTenant};
use crate::{
    login::{self, issue_federated, published_keys},
    schema::APPLICATION_OF,
    store::{Kind, Object},
};

impl FakeTenant {
    /// Returns a token of another identity provider. It is signed with a fixed test key that the
    /// tenant trusts as the issuer's key from now on, and valid for ten minutes.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let issuer = "https://token.actions.githubusercontent.com";
    /// let subject = "repo:contoso/shop:ref:refs/heads/main";
    /// let app = tenant.register_app("Deploy").with_federated_credential(issuer, subject);
    /// let jwt = tenant.federated_token(issuer, subject); // a client_assertion of that app
    /// # }
    /// ```
    #[must_use]
    pub fn federated_token(&self, issuer: &str, subject: &str) -> String {
        self.federated_token_with(issuer, subject, json!({}))
    }

    /// The same with more claims, or with other values for the usual ones. Null removes a claim.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers write json!({ … })")]
    pub fn federated_token_with(&self, issuer: &str, subject: &str, claims: Value) -> String {
        let now = self.clock().now().unix_timestamp();
        let mut token = json!({
            "iss": issuer, "sub": subject, "aud": AUDIENCE,
            "iat": now, "nbf": now, "exp": now + 600,
        });
        for (name, value) in claims.as_object().into_iter().flatten() {
            token[name] = value.clone();
        }
        if let Some(token) = token.as_object_mut() {
            token.retain(|_, value| !value.is_null());
        }
        self.trust_issuer(issuer, published_keys());
        issue_federated(&token)
    }

    /// Trusts these keys (RSA keys of a JWKS) as the published keys of a federated issuer.
    pub fn trust_issuer(&self, issuer: &str, keys: Vec<Value>) {
        self.engine.write().issuers.insert(issuer.to_owned(), keys);
    }

    /// Serves managed identities of these applications at a token endpoint like that of App
    /// Service. Returns the environment variables for it. The first application is the identity of
    /// the host.
    ///
    /// The endpoint of a virtual machine (IMDS) is served as well, below the tenant's URL: libraries that look for it
    /// elsewhere take that URL from `AZURE_POD_IDENTITY_AUTHORITY_HOST`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let app = tenant.register_app("Web shop");
    /// let [(name, url), _header] = tenant.managed_identities(&[&app]);
    /// assert_eq!(name, "IDENTITY_ENDPOINT");
    /// assert!(url.ends_with("/msi/token"));
    /// # }
    /// ```
    pub fn managed_identities(&self, apps: &[&App]) -> [(&'static str, String); 2] {
        let mut state = self.engine.write();
        state.identities = apps
            .iter()
            .map(|app| {
                [
                    app.client_id().to_string(),
                    app.service_principal_id().to_string(),
                    app.managed_identity_resource_id(),
                ]
            })
            .collect();
        let header = state.random.token(32);
        state.identity_header.clone_from(&header);
        [
            ("IDENTITY_ENDPOINT", format!("{}/msi/token", self.uri())),
            ("IDENTITY_HEADER", header),
        ]
    }
}

impl App {
    /// Trusts tokens of another issuer with this subject and Entra's usual audience.
    pub fn with_federated_credential(&self, issuer: &str, subject: &str) -> Self {
        self.with_federated_credential_for(issuer, subject, AUDIENCE)
    }

    /// Trusts tokens of another issuer with this subject and this audience.
    pub fn with_federated_credential_for(
        &self,
        issuer: &str,
        subject: &str,
        audience: &str,
    ) -> Self {
        let mut state = self.engine.write();
        let id = state.new_id();
        let credential: Object = [
            ("id", json!(id)),
            ("name", json!(id)),
            ("issuer", json!(issuer)),
            ("subject", json!(subject)),
            ("audiences", json!([audience])),
            (APPLICATION_OF, json!(self.object_id().to_string())),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        // A new id is unique.
        let _ = state.store.insert(Kind::FederatedCredential, credential);
        drop(state);
        self.clone()
    }

    /// The Azure resource id that selects the managed identity of this application.
    #[must_use]
    pub fn managed_identity_resource_id(&self) -> String {
        login::managed_identity_resource_id(&self.client_id().to_string())
    }
}

const AUDIENCE: &str = "api://AzureADTokenExchange";
