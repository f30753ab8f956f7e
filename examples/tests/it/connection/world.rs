//! A tenant with one product, and the settings of the product.

use std::time::Duration;

use entra_auth::{ApplicationCredentialFactory, ClientSecretCredential, CredentialOptions};
use entra_core::{CredentialMaterial, ManualClock, Secret, Timestamp};
use entra_graph::{
    GraphClient,
    connection::{ConnectionTest, RedirectPlatform},
};
use entra_mock::{App, FakeTenant};

pub(super) const REDIRECT: &str = "https://helpdesk.example/auth/callback";

pub(super) struct World {
    pub(super) tenant: FakeTenant,
    pub(super) app: App,
    pub(super) reader: Option<GraphClient>,
    /// The settings of the product.
    pub(super) tenant_text: String,
    pub(super) client_text: String,
    pub(super) material: Option<CredentialMaterial>,
    pub(super) redirect: (RedirectPlatform, String),
    pub(super) needs: Vec<&'static str>,
    pub(super) delegated: Vec<&'static str>,
    pub(super) users: Vec<String>,
    pub(super) apis: Vec<(String, Option<u8>)>,
    pub(super) consent_response: Option<String>,
    pub(super) elsewhere: bool,
    pub(super) groups: bool,
    /// The product is a public client.
    pub(super) no_secret: bool,
    /// The clock of the product's machine.
    pub(super) clock: ManualClock,
    /// Whether faults were injected.
    pub(super) injected: bool,
}

impl World {
    /// A product that works: a web redirect URI, a secret, one application permission.
    pub(super) async fn new() -> Self {
        let start = Timestamp::from_unix_timestamp(1_795_000_000).unwrap();
        let clock = ManualClock::at(start);
        let tenant = FakeTenant::builder().clock(clock.clone()).start().await;
        let reader = reader(&tenant).await;
        let app = tenant
            .register_app("Helpdesk")
            .redirect_uri(REDIRECT)
            .application_permission("User.Read.All")
            .with_secret();
        Self {
            tenant_text: tenant.id().to_string(),
            client_text: app.client_id().to_string(),
            material: Some(CredentialMaterial::Secret(app.secret())),
            redirect: (RedirectPlatform::Web, REDIRECT.to_owned()),
            needs: vec!["User.Read.All"],
            delegated: Vec::new(),
            users: Vec::new(),
            apis: Vec::new(),
            consent_response: None,
            elsewhere: false,
            groups: false,
            no_secret: false,
            injected: false,
            reader: Some(reader),
            tenant,
            app,
            clock,
        }
    }

    /// The test, by the settings of the product.
    pub(super) fn test(&self) -> ConnectionTest {
        let mut test = ConnectionTest::of(&self.tenant_text, &self.client_text)
            .cloud(self.tenant.cloud())
            .clock(self.clock.clone())
            .needs(self.needs.iter().copied())
            .needs_delegated(self.delegated.iter().copied())
            .redirect_uri(self.redirect.0, &self.redirect.1);
        if let Some(material) = &self.material {
            let options = CredentialOptions::new().cloud(self.tenant.cloud());
            let options = options.clock(self.clock.clone());
            let factory = ApplicationCredentialFactory::new(&options);
            test = test.signs_in_with(material.clone(), factory);
        }
        if let Some(reader) = &self.reader {
            test = test.reader(reader);
        }
        for user in &self.users {
            test = test.user(user);
        }
        for (api, version) in &self.apis {
            test = match version {
                Some(version) => test.calls_api_with_tokens_of_version(api, *version),
                None => test.calls_api(api),
            };
        }
        if let Some(query) = &self.consent_response {
            test = test.admin_consent_response(query);
        }
        if self.elsewhere {
            test = test.runs_elsewhere();
        }
        if self.groups {
            test = test.reads_group_claims();
        }
        if self.no_secret {
            test = test.without_secret();
        }
        test
    }

    pub(super) fn secret(&mut self, text: impl Into<String>) {
        self.material = Some(CredentialMaterial::Secret(Secret::from(text.into())));
    }

    pub(super) fn secret_text(&self) -> String {
        match &self.material {
            Some(CredentialMaterial::Secret(secret)) => secret.expose_secret().to_owned(),
            _ => "no secret is given".to_owned(),
        }
    }

    pub(super) fn certificate(&mut self, pem: &str) {
        self.material = Some(CredentialMaterial::Certificate {
            key_and_certificate: Secret::from(pem),
            passphrase: None,
        });
    }

    pub(super) fn assertion(&mut self, jwt: String) {
        self.material = Some(CredentialMaterial::Assertion(Secret::from(jwt)));
    }

    pub(super) fn days(&self, days: u64) {
        self.tenant
            .clock()
            .advance(Duration::from_secs(days * 24 * 3600));
    }
}

/// A client that may read applications and grants, with its token in the cache.
async fn reader(tenant: &FakeTenant) -> GraphClient {
    reader_with(tenant, &[]).await
}

/// The same with more application permissions.
pub(super) async fn reader_with(tenant: &FakeTenant, more: &[&str]) -> GraphClient {
    let mut app = tenant
        .register_app("Connection test")
        .application_permission("Application.Read.All")
        .application_permission("Directory.Read.All")
        .application_permission("DelegatedPermissionGrant.Read.All")
        .with_secret();
    for permission in more {
        app = app.application_permission(permission);
    }
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    graph.organization().list().send().await.unwrap();
    graph
}
