//! Which tenant the report is about: the fake one inside this process, or the one that the
//! environment names.

use std::sync::Arc;

use entra_auth::ClientSecretCredential;
use entra_core::{Clock, SystemClock};
use entra_graph::GraphClient;
use entra_mock::FakeTenant;

use super::{
    problem::Problem,
    settings::{CLIENT, Settings},
};

/// A client for one tenant, and what is known about the tenant before the first request.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) graph: GraphClient,
    pub(crate) clock: Arc<dyn Clock>,
    /// For people: which tenant, and where.
    pub(crate) place: String,
    /// Answers for as long as it is kept.
    fake: Option<Arc<FakeTenant>>,
}

impl Connection {
    /// A fake company of so many people that lives as long as the connection.
    pub(crate) async fn embedded(users: usize) -> Result<Self, Problem> {
        let tenant = FakeTenant::builder().users(users).start().await;
        Ok(Self::to_fake(&tenant, &PERMISSIONS)?.keeping(Arc::new(tenant)))
    }

    /// The given fake tenant, seen by an application with these permissions.
    pub(crate) fn to_fake(tenant: &FakeTenant, permissions: &[&str]) -> Result<Self, Problem> {
        let app = tenant.register_app("App usage report").with_secret();
        for permission in permissions {
            let _ = app.application_permission(permission);
        }
        let credential =
            ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
                .cloud(tenant.cloud())
                .clock(tenant.clock())
                .build()?;
        let graph = GraphClient::builder(credential)
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .build()?;
        Ok(Self::new(graph, tenant.clock(), embedded(tenant)))
    }

    /// The tenant that the environment names; nothing stands in for what is missing there.
    pub(crate) fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let settings = Settings::read(&variable, CLIENT, &[SECRET])?;
        let (secret, transport) = (variable(SECRET).unwrap_or_default(), settings.transport()?);
        let place = settings.place();
        let credential = ClientSecretCredential::builder(settings.tenant, settings.client, secret)
            .cloud(settings.cloud.clone())
            .transport(Arc::clone(&transport))
            .build()?;
        let graph = GraphClient::builder(credential)
            .cloud(settings.cloud)
            .transport(transport)
            .build()?;
        Ok(Self::new(graph, SystemClock, place))
    }

    /// Any client, and for people: which tenant it asks, and where.
    pub(crate) fn new(graph: GraphClient, clock: impl Clock, place: String) -> Self {
        Self {
            graph,
            clock: Arc::new(clock),
            place,
            fake: None,
        }
    }

    /// Keeps the tenant that the client asks.
    pub(crate) fn keeping(mut self, tenant: Arc<FakeTenant>) -> Self {
        self.fake = Some(tenant);
        self
    }

    /// How many requests Graph got so far, repeated ones included; token requests are not.
    pub(crate) fn requests(&self) -> usize {
        usize::try_from(self.graph.requests_sent()).unwrap_or(usize::MAX)
    }
}

/// For people: a tenant inside this process.
pub(crate) fn embedded(tenant: &FakeTenant) -> String {
    format!(
        "the embedded fake tenant {} ({}), made up for this run",
        tenant.domain(),
        tenant.id()
    )
}

/// What the report needs, each the least that reads it.
pub(crate) const PERMISSIONS: [&str; 5] = [
    "Application.Read.All",
    "AuditLog.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "User.ReadBasic.All",
];
const SECRET: &str = "AZURE_CLIENT_SECRET";
