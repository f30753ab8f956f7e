use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use entra_core::{ClientId, Guid, ObjectId, Secret};
use serde_json::{Value, json};

use super::{FakeTenant, hints::permissions_like};
use crate::{
    directory::{AppIds, GRAPH_APP_ID},
    engine::Engine,
    keys,
    login::{self, Certificate},
    store::{Kind, Object},
};

impl FakeTenant {
    /// The certificate and private key of a fixed test pair, which are public in this crate's
    /// source.
    ///
    /// Register it with [`App::with_certificate`] and sign in with it, so that a test does not have
    /// to create a certificate.
    #[must_use]
    pub fn test_certificate_pem(&self) -> String {
        keys::client_pem()
    }

    /// Registers an application, with its service principal.
    ///
    /// # Panics
    /// Never in practice: the ids are new.
    pub fn register_app(&self, display_name: &str) -> App {
        let now = self.engine.now();
        #[expect(
            clippy::expect_used,
            reason = "the ids are fresh, so nothing can have them"
        )]
        let ids = self
            .engine
            .write()
            .add_app(now, display_name)
            .expect("fresh ids");
        App::of(Arc::clone(&self.engine), ids)
    }
}

/// An application of the tenant. The methods take effect at once and can be chained.
///
/// ```
/// # #[tokio::main] async fn main() {
/// let tenant = entra_mock::FakeTenant::start().await;
/// let app = tenant.register_app("Night job").application_permission("User.Read.All").with_secret();
/// assert_eq!(app.secret().expose_secret().len(), 40);
/// app.remove_secret();
/// # }
/// ```
#[derive(Clone)]
pub struct App {
    pub(super) engine: Arc<Engine>,
    pub(super) ids: AppIds,
    /// The latest secret; the directory does not store its text readably.
    secret: Arc<Mutex<Option<Secret>>>,
}

impl App {
    /// Grants an application permission of Microsoft Graph with admin consent.
    ///
    /// # Panics
    /// If Graph has no application permission of that name.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a misspelt permission must fail the test at its line"
    )]
    pub fn application_permission(&self, name: &str) -> Self {
        let now = self.engine.now();
        if !self.engine.write().grant_application_permission(
            now,
            &self.ids.service_principal_id,
            name,
        ) {
            let known = permissions_like(&self.engine.read(), "appRoles", GRAPH_APP_ID, name);
            panic!("Microsoft Graph has no application permission {name:?}{known}");
        }
        self.clone()
    }

    /// Adds a client secret that is valid for 180 days.
    pub fn with_secret(&self) -> Self {
        self.with_secret_valid_for(SECRET_VALIDITY)
    }

    /// Adds a client secret that is valid for this long from now on.
    pub fn with_secret_valid_for(&self, validity: Duration) -> Self {
        let now = self.engine.now();
        let secret = self
            .engine
            .write()
            .add_secret(now, &self.ids.object_id, validity);
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = Some(secret);
        self.clone()
    }

    /// Makes access tokens for this application as a resource version 2.
    pub fn with_v2_tokens(&self) -> Self {
        self.engine
            .write()
            .store
            .update(Kind::Application, &self.ids.object_id, |object| {
                let api = object.entry("api").or_insert_with(|| json!({}));
                api["requestedAccessTokenVersion"] = 2.into();
            });
        self.clone()
    }

    /// Adds an Application ID URI, such as the URL of an MCP server.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let tools = tenant
    ///     .register_app("Tools")
    ///     .with_v2_tokens()
    ///     .identifier_uri("https://tools.contoso.com/mcp")
    ///     .expose_scope("Tools.Read");
    /// # drop(tools);
    /// # }
    /// ```
    pub fn identifier_uri(&self, uri: &str) -> Self {
        self.engine.write().add_identifier_uri(&self.ids, uri);
        self.clone()
    }

    /// Removes all secrets. Tokens issued before remain valid.
    pub fn remove_secret(&self) {
        self.engine
            .write()
            .store
            .update(Kind::Application, &self.ids.object_id, |object| {
                object.remove("passwordCredentials");
                object.remove("~secrets");
            });
    }

    /// Registers a certificate from DER (a `.cer` file) or PEM. A private key in it is ignored.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let pem = tenant.test_certificate_pem(); // or a certificate of your own
    /// let app = tenant.register_app("Night job").with_certificate(&pem);
    /// # }
    /// ```
    ///
    /// # Panics
    /// If it is not an X.509 certificate with an RSA key.
    #[track_caller]
    #[expect(
        clippy::expect_used,
        reason = "a test that gives something else must fail at its line"
    )]
    pub fn with_certificate(&self, certificate: impl AsRef<[u8]>) -> Self {
        let certificate =
            Certificate::read(certificate.as_ref()).expect("an X.509 certificate with an RSA key");
        self.engine
            .write()
            .add_certificate(&self.ids.object_id, &certificate);
        self.clone()
    }

    /// Removes all certificates. Tokens issued before remain valid.
    pub fn remove_certificates(&self) {
        self.change(login::remove_all);
    }

    /// Marks all certificates as revoked by their issuer. They stay registered.
    pub fn revoke_certificates(&self) {
        self.change(login::revoke_all);
    }

    /// Disables the service principal, so that it gets no more tokens.
    pub fn disable(&self) {
        self.engine.write().store.update(
            Kind::ServicePrincipal,
            &self.ids.service_principal_id,
            |object| {
                object.insert("accountEnabled".to_owned(), Value::Bool(false));
            },
        );
    }

    /// The application (client) id.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        guid(&self.ids.app_id).into()
    }

    /// The object id of the application registration.
    #[must_use]
    pub fn object_id(&self) -> ObjectId {
        guid(&self.ids.object_id).into()
    }

    /// The object id of the service principal, which assignments and tokens use.
    #[must_use]
    pub fn service_principal_id(&self) -> ObjectId {
        guid(&self.ids.service_principal_id).into()
    }

    /// The latest secret that was added, also if it was removed since.
    ///
    /// # Panics
    /// If no secret was ever added.
    #[must_use]
    #[track_caller]
    #[expect(
        clippy::expect_used,
        reason = "a test that forgot the secret must fail at its line"
    )]
    pub fn secret(&self) -> Secret {
        let secret = self
            .secret
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        secret.expect("the application has no secret; call with_secret() first")
    }
}

impl App {
    pub(super) fn of(engine: Arc<Engine>, ids: AppIds) -> Self {
        Self {
            engine,
            ids,
            secret: Arc::default(),
        }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Object)) {
        self.engine
            .write()
            .update_application(&self.ids.object_id, change);
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("client_id", &self.ids.app_id)
            .finish_non_exhaustive()
    }
}

/// Parses an id that this crate created.
pub(super) fn guid(text: &str) -> Guid {
    text.parse().unwrap_or(Guid::NIL)
}

const SECRET_VALIDITY: Duration = Duration::from_secs(180 * 24 * 3600);
