//! What a connection test is given.

use std::{fmt, sync::Arc, time::Duration};

use entra_core::{
    Clock, Cloud, CredentialDescription, CredentialFactory, CredentialMaterial, HttpTransport,
    SystemClock, TokenCredential, url::Url,
};

use crate::{
    client::GraphClient,
    typed_id::{TypedId, shown_id},
};

/// Finds out what is wrong with a connection of an application to a tenant, and how to fix it.
///
/// It works before a credential works: it tells a tenant that does not exist from another cloud, a wrong client
/// id from a missing enterprise application, a secret ID in the place of its value from an expired
/// secret, a permission that is not granted from one of the wrong kind. What it could not find out is
/// [`Unknown`](super::Severity::Unknown), never ok. It only reads, and sends no request that Entra calls
/// wrong itself: scopes that do not fit the grant, an authority that the application does not use.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
/// # support::block_on(async {
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let app = tenant.register_app("Helpdesk").application_permission("User.Read.All").with_secret();
/// # let credential = std::sync::Arc::new(support::AppCredential::new(&tenant, &app));
/// use entra_graph::connection::ConnectionTest;
/// let report = ConnectionTest::new(&credential)
/// #   .tenant(tenant.id().to_string()).client_id(app.client_id().to_string()).cloud(tenant.cloud()).clock(tenant.clock())
///     .needs(["Device.Read.All", "User.Read.All"])
///     .run()
///     .await;
/// assert_eq!(report.exit_code(), 1);
/// let missing = report.errors().next().unwrap();
/// assert_eq!(missing.to_string(), "✘ Device.Read.All is not granted");
/// assert!(missing.fix.as_ref().unwrap().contains("Grant admin consent"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a test does nothing until it is run"]
pub struct ConnectionTest {
    pub(super) tenant: Option<TypedId>,
    pub(super) client_id: Option<TypedId>,
    pub(super) credential: Option<Arc<dyn TokenCredential>>,
    pub(super) material: Option<CredentialMaterial>,
    pub(super) factory: Option<Arc<dyn CredentialFactory>>,
    pub(super) cloud: Option<Cloud>,
    pub(super) transport: Option<Arc<dyn HttpTransport>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) reader: Option<GraphClient>,
    pub(super) application: Vec<String>,
    pub(super) delegated: Vec<String>,
    pub(super) redirects: Vec<(RedirectPlatform, String)>,
    pub(super) apis: Vec<Api>,
    pub(super) users: Vec<String>,
    pub(super) group_claims: bool,
    pub(super) by_sub: bool,
    pub(super) no_secret: bool,
    pub(super) consent_response: Option<String>,
    pub(super) elsewhere: bool,
    pub(super) wait: Duration,
}

/// How an application uses a redirect URI, which decides the platform to register it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectPlatform {
    /// A server that redeems codes with its secret or certificate.
    Web,
    /// A page that redeems codes in the browser.
    SinglePage,
    /// A program on the user's device, without a secret.
    Public,
}

/// An API that the application calls, other than Microsoft Graph.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) identifier: String,
    pub(super) token_version: Option<u8>,
}

impl Api {
    /// Whether it is a URI or a client id. A text of another form may be a secret.
    pub(super) fn is_identifier(&self) -> bool {
        Url::parse(&self.identifier).is_ok() || shown_id(&self.identifier).is_some()
    }
}

impl ConnectionTest {
    /// Tests the connection of a credential that knows its tenant and application, as those of `entra-auth`
    /// do ([`TokenCredential::description`]).
    pub fn new(credential: &(impl TokenCredential + Clone)) -> Self {
        let credential: Arc<dyn TokenCredential> = Arc::new(credential.clone());
        let CredentialDescription {
            cloud,
            tenant,
            client_id,
            ..
        } = credential.description();
        Self {
            tenant: tenant.map(|tenant| TypedId::new(tenant.to_string())),
            client_id: client_id.map(|id| TypedId::new(id.to_string())),
            cloud,
            credential: Some(credential),
            ..Self::empty()
        }
    }

    /// Tests a connection by its settings as an administrator has entered them, whatever they are. A text that is
    /// no tenant or client id and may be a secret is not repeated.
    ///
    /// Without [`signs_in_with`](Self::signs_in_with) the test sends no credential, and whether it is
    /// accepted stays unknown, unless the product has none ([`without_secret`](Self::without_secret)).
    pub fn of(tenant: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            tenant: Some(TypedId::new(tenant)),
            client_id: Some(TypedId::new(client_id)),
            ..Self::empty()
        }
    }

    /// The secret, certificate or federated token of the application, and what makes a credential of it:
    /// the `ApplicationCredentialFactory` of `entra-auth`.
    pub fn signs_in_with(
        mut self,
        material: CredentialMaterial,
        factory: impl CredentialFactory,
    ) -> Self {
        self.material = Some(material);
        self.factory = Some(Arc::new(factory));
        self
    }

    /// The product has no secret, certificate or federated credential, as a public client.
    ///
    /// Without this a test that was given no credential takes the product to have one that it does not know. A
    /// credential that is given has precedence.
    pub const fn without_secret(mut self) -> Self {
        self.no_secret = true;
        self
    }

    /// The tenant, where the credential does not know it.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(TypedId::new(tenant));
        self
    }

    /// The client id, where the credential does not know it.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(TypedId::new(client_id));
        self
    }

    /// The cloud; that of the credential unless set, or the public cloud.
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// The transport for requests to the sign-in service and to Graph, instead of one of reqwest's.
    pub fn transport(mut self, transport: impl HttpTransport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// The clock of this machine, which is compared with the service's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// A client that may read applications, such as an administrator's
    /// (`Application.Read.All`, `DelegatedPermissionGrant.Read.All`).
    ///
    /// The test then says what is registered in place of "unknown". Without one it reads as the application
    /// itself, as far as that may.
    pub fn reader(mut self, graph: &GraphClient) -> Self {
        self.reader = Some(graph.clone());
        self
    }

    /// Application permissions of Microsoft Graph that the product needs, by name.
    pub fn needs<I>(mut self, permissions: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.application
            .extend(permissions.into_iter().map(Into::into));
        self
    }

    /// Delegated permissions that the product needs: those of Microsoft Graph by name, those of other APIs
    /// as `api://…/Name`, by Application ID URI or client id.
    ///
    /// Whose consent is found decides: that for all users is enough; one that an administrator gave for single users is
    /// unknown, unless the test is given these ([`user`](Self::user)).
    pub fn needs_delegated<I>(mut self, permissions: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.delegated
            .extend(permissions.into_iter().map(Into::into));
        self
    }

    /// A redirect URI of the product, and how the product uses it.
    pub fn redirect_uri(mut self, platform: RedirectPlatform, uri: impl Into<String>) -> Self {
        self.redirects.push((platform, uri.into()));
        self
    }

    /// An API that the application gets app-only tokens for, by its Application ID URI or client id.
    pub fn calls_api(mut self, identifier: impl Into<String>) -> Self {
        self.apis.push(Api {
            identifier: identifier.into(),
            token_version: None,
        });
        self
    }

    /// As [`calls_api`](Self::calls_api), with the version of access tokens that the API accepts: 1 or 2.
    pub fn calls_api_with_tokens_of_version(
        mut self,
        identifier: impl Into<String>,
        version: u8,
    ) -> Self {
        self.apis.push(Api {
            identifier: identifier.into(),
            token_version: Some(version),
        });
        self
    }

    /// A user who shall be able to sign in, by object id or user principal name.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.users.push(user.into());
        self
    }

    /// The product reads groups from tokens.
    pub const fn reads_group_claims(mut self) -> Self {
        self.group_claims = true;
        self
    }

    /// The product identifies users by `sub`, which differs in each application, in place of `tid` and `oid`.
    ///
    /// Without this a sign-in that requests `openid` without `profile` is an error, as its ID tokens have no `oid`.
    pub const fn identifies_users_by_sub(mut self) -> Self {
        self.by_sub = true;
        self
    }

    /// The query of the URL to which Entra sent the administrator after the admin consent.
    pub fn admin_consent_response(mut self, query: impl Into<String>) -> Self {
        self.consent_response = Some(query.into());
        self
    }

    /// The test runs in another network place than the product, so that a policy about places says
    /// nothing about the product.
    pub const fn runs_elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// How long to wait for a new application, secret or grant to be replicated: two minutes unless set.
    ///
    /// What is known to be older is not waited for. Where nothing tells the age, a permission that the token lacks is looked
    /// for during half a minute, as is a missing consent to a delegated permission, which has no date; an application that
    /// the directory does not have is looked for during three seconds.
    pub const fn replication_wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    fn empty() -> Self {
        Self {
            tenant: None,
            client_id: None,
            credential: None,
            material: None,
            factory: None,
            cloud: None,
            transport: None,
            clock: Arc::new(SystemClock),
            reader: None,
            application: Vec::new(),
            delegated: Vec::new(),
            redirects: Vec::new(),
            apis: Vec::new(),
            users: Vec::new(),
            group_claims: false,
            by_sub: false,
            no_secret: false,
            consent_response: None,
            elsewhere: false,
            wait: WAIT,
        }
    }
}

/// Shows tenant and client id only if they have the form of one.
impl fmt::Debug for ConnectionTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionTest")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .field("credential", &self.credential)
            .field("cloud", &self.cloud)
            .field("needs", &self.application)
            .field("needs_delegated", &self.delegated)
            .finish_non_exhaustive()
    }
}

const WAIT: Duration = Duration::from_secs(120);
