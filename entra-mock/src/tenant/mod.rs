//! The fake tenant of a test, and the handles a test moves it with.

mod app;
mod builder;
mod delegated;
mod device;
mod federated;
mod group;
mod manifest;
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
    engine::Engine,
    face::InProcess,
    fault::Fault,
    schema::mismatches,
    state::License,
    store::{Conflict, Kind, Object},
};

pub use app::App;
pub use builder::FakeTenantBuilder;
pub use delegated::{Redirected, UserTokens};
pub use device::DeviceHandle;
pub use group::GroupHandle;
pub use manifest::GroupClaims;
pub use policy::{AccessPolicy, PolicyHandle};
pub use requests::Requests;
pub use responder::TenantResponder;
pub use sign_in::SignInHandle;
pub use user::UserHandle;

/// A whole Entra tenant inside the test process: login and Graph on a loopback port.
///
/// It stands still between requests, has its own clock, and is gone when dropped. Hundreds can run
/// side by side.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use entra_mock::FakeTenant;
///
/// let tenant = FakeTenant::start().await;
/// let app = tenant.register_app("Night job").application_permission("User.Read.All").with_secret();
///
/// // Anything that speaks HTTP can use it; the SDK's own credential and client do the same.
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
    // Dropped first: nothing may ask an engine that is going away.
    face: InProcess,
    engine: Arc<Engine>,
    clock: ManualClock,
    id: TenantId,
}

impl FakeTenant {
    /// A tenant with the small sample company, licence P2, and a clock that stands at now.
    pub async fn start() -> Self {
        Self::builder().launch()
    }

    /// A tenant of one's own making.
    pub fn builder() -> FakeTenantBuilder {
        FakeTenantBuilder::default()
    }

    fn new(face: InProcess, engine: Arc<Engine>, clock: ManualClock) -> Self {
        let id = engine.read().tenant_id.into();
        Self {
            face,
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

    /// The verified domain that people's names end with.
    #[must_use]
    pub fn domain(&self) -> String {
        self.engine.read().default_domain().to_owned()
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn uri(&self) -> String {
        self.face.uri()
    }

    /// The cloud to give to a credential and a client; tokens are for `https://graph.microsoft.com`.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        #[expect(
            clippy::expect_used,
            reason = "a loopback URL of our own making is always accepted"
        )]
        cloud_at(&self.uri()).expect("a loopback URL")
    }

    /// The clock everything here goes by; give it to the code under test as well.
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

    /// Changes the tenant's licence, which decides what it may see of its logs.
    pub fn set_license(&self, license: License) {
        self.engine.write().license = license;
    }

    /// What was asked of the tenant so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        Requests::new(&self.engine.journal())
    }

    /// Forgets all requests so far, also their counts.
    pub fn forget_requests(&self) {
        self.engine.journal().clear();
    }

    /// Lets something go wrong from now on.
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

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.engine.faults().clear();
    }

    /// Lets a wiremock mock of one's own answer what it matches, in place of the tenant.
    ///
    /// It may have any priority but 255. Its expectations are checked when the tenant is dropped.
    /// Requests that it answers are in [`requests`](Self::requests) too, but not subject to faults.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use wiremock::{Mock, ResponseTemplate, matchers::path};
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// tenant.mount(Mock::given(path("/v1.0/organization")).respond_with(ResponseTemplate::new(418))).await;
    /// # let http = reqwest::Client::builder().tls_certs_only([]).build()?;
    /// # let answer = http.get(format!("{}/v1.0/organization", tenant.uri())).send().await?;
    /// # assert_eq!(answer.status(), 418);
    /// # let answer = http.get(format!("{}/v1.0/users", tenant.uri())).send().await?;
    /// # assert_eq!(answer.status(), 401);
    /// # Ok(()) }
    /// ```
    pub async fn mount(&self, mock: wiremock::Mock) {
        self.face.mount(mock).await;
    }

    /// Puts an object into a collection such as `users`; an `id` is made up if there is none.
    /// Returns the id.
    ///
    /// Read-only properties can be set, required ones can be missing.
    ///
    /// # Errors
    /// [`SeedError`] for an unknown collection, a value that is no object, an id or name that
    /// another object has, and for properties that the type does not have or that have another
    /// type: the error names all of them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let id = tenant.insert("groups", serde_json::json!({ "displayName": "From outer space" }))?;
    /// tenant.set_property("groups", &id, "description", "Something new".into())?;
    /// # Ok(()) }
    /// ```
    pub fn insert(&self, collection: &str, object: Value) -> Result<String, SeedError> {
        let kind = kind(collection)?;
        let Value::Object(mut object) = object else {
            return Err(SeedError::new("the value is no JSON object"));
        };
        check(
            kind,
            object.iter().map(|(name, value)| (name.as_str(), value)),
        )?;
        let mut state = self.engine.write();
        let id = match object.get("id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => state.new_id(),
        };
        object.insert("id".to_owned(), id.clone().into());
        object.retain(|_, value| !value.is_null());
        state.store.insert(kind, object)?;
        Ok(id)
    }

    /// Sets one property of an object, or takes it away with a null.
    ///
    /// # Errors
    /// [`SeedError`] for an unknown collection or id, for a name another object has, and for a
    /// property that the type does not have or a value of another type.
    pub fn set_property(
        &self,
        collection: &str,
        id: &str,
        property: &str,
        value: Value,
    ) -> Result<(), SeedError> {
        set_property(&self.engine, kind(collection)?, id, property, value)
    }

    /// Removes an object with everything that refers to it; whether it was there.
    ///
    /// # Errors
    /// [`SeedError`] for an unknown collection.
    pub fn remove(&self, collection: &str, id: &str) -> Result<bool, SeedError> {
        Ok(self.engine.write().store.remove(kind(collection)?, id))
    }
}

/// Sets one property of an object, or takes it away with a null.
fn set_property(
    engine: &Engine,
    kind: Kind,
    id: &str,
    property: &str,
    value: Value,
) -> Result<(), SeedError> {
    if !value.is_null() {
        check(kind, [(property, &value)])?;
    }
    let changed = engine
        .write()
        .store
        .update(kind, id, |object| set(object, property, value));
    if changed {
        return Ok(());
    }
    Err(SeedError::new(format!(
        "there is no object {id} in {}, or another one has that {property}",
        kind.entity().set
    )))
}

/// The same for a handle, where a mistake fails the test at its line.
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

/// The cloud of a tenant that is served at an address.
fn cloud_at(uri: &str) -> Result<Cloud, entra_core::Error> {
    let cloud = Cloud::custom(uri, uri)?;
    Ok(cloud.with_graph_resource("https://graph.microsoft.com"))
}

/// Why something could not be put into the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedError(String);

impl SeedError {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for SeedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SeedError {}

impl From<Conflict> for SeedError {
    fn from(conflict: Conflict) -> Self {
        Self(conflict.to_string())
    }
}

/// Names every property that the type does not have or that has another type.
fn check<'v>(
    kind: Kind,
    properties: impl IntoIterator<Item = (&'v str, &'v Value)>,
) -> Result<(), SeedError> {
    let problems: Vec<String> = mismatches(kind.entity(), properties)
        .iter()
        .map(ToString::to_string)
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    let set = kind.entity().set;
    Err(SeedError::new(format!("{set}: {}", problems.join("; "))))
}

fn set(object: &mut Object, property: &str, value: Value) {
    if value.is_null() {
        object.remove(property);
    } else {
        object.insert(property.to_owned(), value);
    }
}

fn kind(collection: &str) -> Result<Kind, SeedError> {
    Kind::of_collection(collection)
        .ok_or_else(|| SeedError::new(format!("there is no collection {collection}")))
}
