//! The fake tenant of a test, and its handles.

mod agent;
mod app;
mod builder;
mod contact;
mod delegated;
mod device;
mod domain;
mod federated;
mod group;
mod hints;
mod manifest;
mod notifications;
mod policy;
mod requests;
mod responder;
mod sign_in;
mod signing_keys;
mod user;

use std::sync::Arc;

use entra_core::{Cloud, ManualClock, TenantId};
use serde_json::Value;

use crate::{
    directory::{SeedError, collection_kind, set},
    engine::Engine,
    fault::Fault,
    findings::Findings,
    frontend::InProcess,
    oddities::DeltaOddities,
    state::License,
    store::Kind,
};

pub use agent::AgentIdentity;
pub use app::App;
pub use builder::FakeTenantBuilder;
pub use contact::ContactHandle;
pub use delegated::{Redirected, SignInPage, UserTokens};
pub use device::DeviceHandle;
pub use group::GroupHandle;
pub use manifest::GroupClaims;
pub use policy::{AccessPolicy, PolicyHandle};
pub use requests::Requests;
pub use responder::TenantResponder;
pub use sign_in::SignInHandle;
pub use user::UserHandle;

/// An Entra tenant inside of the test process: sign-in and Graph on a loopback port.
///
/// It has its own clock, does nothing between requests, and stops when it is dropped. Hundreds of
/// tenants can run at the same time.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use entra_mock::FakeTenant;
///
/// let tenant = FakeTenant::start().await;
/// let app = tenant.register_app("Night job").application_permission("User.Read.All").with_secret();
///
/// // Any HTTP client works; so do the SDK's own credential and client.
/// let http = reqwest::Client::builder().tls_certs_only([]).build()?;
/// let token: serde_json::Value = http
///     .post(format!("{}/{}/oauth2/v2.0/token", tenant.uri(), tenant.id()))
///     .form(&[
///         ("grant_type", "client_credentials"),
///         ("client_id", &app.client_id().to_string()),
///         ("client_secret", app.secret().expose_secret()),
///         ("scope", "https://graph.microsoft.com/.default"),
///     ])
///     .send().await?.json().await?;
///
/// assert_eq!(token["token_type"], "Bearer");
/// tenant.requests().to("/token").assert_count(1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FakeTenant {
    // Dropped first: no request may reach an engine that is dropped.
    frontend: InProcess,
    engine: Arc<Engine>,
    clock: ManualClock,
    id: TenantId,
}

impl FakeTenant {
    /// Starts a tenant with the small sample company, licence P2, and a clock set to the current
    /// time.
    pub async fn start() -> Self {
        Self::builder().launch()
    }

    /// Returns a builder for a tenant with other options.
    pub fn builder() -> FakeTenantBuilder {
        FakeTenantBuilder::default()
    }

    fn new(frontend: InProcess, engine: Arc<Engine>, clock: ManualClock) -> Self {
        let id = engine.read().tenant_id.into();
        Self {
            frontend,
            engine,
            clock,
            id,
        }
    }

    /// The tenant id.
    #[must_use]
    pub fn id(&self) -> TenantId {
        self.id.clone()
    }

    /// The verified domain of the users' names.
    #[must_use]
    pub fn domain(&self) -> String {
        self.engine.read().default_domain().to_owned()
    }

    /// The URL of the tenant, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn uri(&self) -> String {
        self.frontend.uri()
    }

    /// The cloud for credentials and clients. Tokens are for `https://graph.microsoft.com`.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        #[expect(
            clippy::expect_used,
            reason = "a loopback URL of our own making is always accepted"
        )]
        cloud_at(&self.uri()).expect("a loopback URL")
    }

    /// The clock of the tenant. Give it to the code under test as well.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use std::time::Duration;
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// tenant.clock().advance(Duration::from_secs(25 * 3600)); // every token has expired
    /// # }
    /// ```
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    /// Changes the tenant's licence, which decides how much of its logs can be read.
    pub fn set_license(&self, license: License) {
        self.engine.write().license = license;
    }

    /// Switches how delta queries behave beside what is documented.
    pub fn set_delta_oddities(&self, oddities: DeltaOddities) {
        self.engine.write().delta_oddities = oddities;
    }

    /// Forgets all links of delta queries, those of open rounds too: they return 410 with `syncStateNotFound`, as
    /// after maintenance of a tenant.
    pub fn forget_delta_links(&self) {
        self.engine.write().forget_delta_links();
    }

    /// Changes the region that discovery names, such as `USGov` with the sub-scope `DOD` for a tenant of
    /// another cloud. It is `EU` unless set.
    pub fn set_region(&self, scope: &str, sub_scope: Option<&str>) {
        self.engine.write().region = (scope.to_owned(), sub_scope.map(str::to_owned));
    }

    /// Serves each request from a version of the directory that is up to this old, at random; zero switches that
    /// off.
    ///
    /// Sign-in and Graph then behave as right after a write in Entra: an object that was created a moment ago is
    /// unknown to one request and known to another, a new secret is not accepted yet, and tokens lack a
    /// permission that was just granted. What the test changes through this value is known at once. The requests of a
    /// batch see the current version.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use std::time::Duration;
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// tenant.set_replication_delay(Duration::from_secs(60));
    /// # }
    /// ```
    pub fn set_replication_delay(&self, delay: std::time::Duration) {
        let random = self.engine.read().random.clone();
        self.engine.replication().set_delay(delay, random);
    }

    /// The requests that the tenant has received so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        Requests::new(&self.engine.journal())
    }

    /// Returns what a reviewer would say of the clients that sent these requests: `$select` left out, `Retry-After`
    /// ignored, a create repeated, permissions that were not used, and more.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// // … the code under test …
    /// tenant.findings().assert_none();
    /// # }
    /// ```
    #[must_use]
    pub fn findings(&self) -> Findings {
        self.engine.findings()
    }

    /// Clears the journal of requests and its counts.
    pub fn forget_requests(&self) {
        self.engine.journal().clear();
    }

    /// Injects a fault from now on.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use entra_mock::{FakeTenant, Fault};
    /// let tenant = FakeTenant::start().await;
    /// tenant.inject(Fault::on("/users").page(3).status(503));
    /// # }
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.engine.faults().inject(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.engine.faults().clear();
    }

    /// Mounts a wiremock mock, which takes precedence over the tenant for the requests that it
    /// matches.
    ///
    /// It can have any priority but 255. Its expectations are verified when the tenant is dropped.
    /// The requests that it matches are in [`requests`](Self::requests) too, but faults do not
    /// apply to them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use wiremock::{Mock, ResponseTemplate, matchers::path};
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// tenant.mount(Mock::given(path("/v1.0/organization")).respond_with(ResponseTemplate::new(418))).await;
    /// # let http = reqwest::Client::builder().tls_certs_only([]).build()?;
    /// # let response = http.get(format!("{}/v1.0/organization", tenant.uri())).send().await?;
    /// # assert_eq!(response.status(), 418);
    /// # let response = http.get(format!("{}/v1.0/users", tenant.uri())).send().await?;
    /// # assert_eq!(response.status(), 401);
    /// # Ok(()) }
    /// ```
    pub async fn mount(&self, mock: wiremock::Mock) {
        self.frontend.mount(mock).await;
    }

    /// Inserts an object into a collection such as `users` and returns its id. Creates an id if the
    /// object has none.
    ///
    /// Read-only properties can be set, and required ones can be missing.
    ///
    /// # Errors
    /// [`SeedError`] for an unknown collection, a value that is not an object, a duplicate id or
    /// name, and for unknown properties and properties of another type: the error names all of
    /// them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let id = tenant.insert("groups", serde_json::json!({ "displayName": "From outer space" }))?;
    /// tenant.set_property("groups", &id, "description", "Something new".into())?;
    /// # Ok(()) }
    /// ```
    pub fn insert(&self, collection: &str, object: Value) -> Result<String, SeedError> {
        let kind = collection_kind(collection)?;
        self.engine.write().insert_unrestricted(kind, object)
    }

    /// Sets one property of an object. Null removes it.
    ///
    /// # Errors
    /// [`SeedError`] for an unknown collection, id or property, for a duplicate name, and for a
    /// value of another type.
    pub fn set_property(
        &self,
        collection: &str,
        id: &str,
        property: &str,
        value: Value,
    ) -> Result<(), SeedError> {
        set_property(
            &self.engine,
            collection_kind(collection)?,
            id,
            property,
            value,
        )
    }

    /// Deletes an object with everything that refers to it. Returns whether it existed.
    ///
    /// # Errors
    /// [`SeedError`] for an unknown collection.
    pub fn remove(&self, collection: &str, id: &str) -> Result<bool, SeedError> {
        let kind = collection_kind(collection)?;
        Ok(self.engine.write().remove_unrestricted(kind, id))
    }
}

/// Sets one property of an object. Null removes it.
fn set_property(
    engine: &Engine,
    kind: Kind,
    id: &str,
    property: &str,
    value: Value,
) -> Result<(), SeedError> {
    let properties = [(property.to_owned(), value)].into_iter().collect();
    engine.write().set_unrestricted(kind, id, properties)
}

/// The same for a handle, where an error fails the test at its line.
#[track_caller]
#[expect(
    clippy::panic,
    reason = "a misspelt property must fail the test at its line"
)]
fn set_or_panic(engine: &Engine, kind: Kind, id: &str, property: &str, value: Value) {
    if let Err(error) = set_property(engine, kind, id, property, value) {
        panic!("{error}");
    }
}

/// Returns the cloud of a tenant that is served at a URL.
fn cloud_at(uri: &str) -> Result<Cloud, entra_core::Error> {
    let cloud = Cloud::custom(uri, uri)?;
    Ok(cloud.with_graph_resource("https://graph.microsoft.com"))
}
