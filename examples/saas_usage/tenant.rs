//! The tenant of the report: a fake one inside this process, or the one of the environment.

use std::{error::Error, sync::Arc};

use entra_auth::{
    ClientSecretCredential, Environment, EnvironmentCredential,
    entra_core::{ClientId, Clock, SystemClock},
};
use entra_graph::GraphClient;
use entra_mock::FakeTenant;

/// A client for one tenant.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) graph: GraphClient,
    pub(crate) clock: Arc<dyn Clock>,
    /// Describes the tenant.
    pub(crate) place: String,
    /// The application that reads the report.
    pub(crate) client_id: ClientId,
    /// The fake tenant stops when it is dropped.
    fake: Option<FakeTenant>,
}

impl Connection {
    /// A fake company with this many users, which lives as long as the connection.
    pub(crate) async fn embedded(users: usize) -> Result<Self, Box<dyn Error>> {
        let tenant = FakeTenant::builder().users(users).start().await;
        let mut connection = Self::to_fake(&tenant, &PERMISSIONS)?;
        connection.fake = Some(tenant);
        Ok(connection)
    }

    /// A fake tenant, read by an application with these permissions.
    pub(crate) fn to_fake(
        tenant: &FakeTenant,
        permissions: &[&str],
    ) -> Result<Self, Box<dyn Error>> {
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
        Ok(Self {
            graph,
            clock: Arc::new(tenant.clock()),
            place: format!("the fake tenant {} ({})", tenant.domain(), tenant.id()),
            client_id: app.client_id(),
            fake: None,
        })
    }

    /// The tenant of the environment.
    pub(crate) fn from_env(environment: &Environment) -> Result<Self, Box<dyn Error>> {
        // First, since its error names every variable that is not set.
        let credential = EnvironmentCredential::builder(environment).build()?;
        let (tenant, cloud) = (environment.tenant_id()?, environment.cloud()?);
        let graph = GraphClient::builder(credential)
            .environment(environment)
            .build()?;
        Ok(Self {
            graph,
            clock: Arc::new(SystemClock),
            place: format!("tenant {tenant} at {}", cloud.authority()),
            client_id: environment.client_id()?,
            fake: None,
        })
    }

    /// The number of requests to Graph so far, retries included, token requests not.
    pub(crate) fn requests(&self) -> usize {
        usize::try_from(self.graph.requests_sent()).unwrap_or(usize::MAX)
    }
}

/// The least privileged application permissions that read the report.
pub(crate) const PERMISSIONS: [&str; 5] = [
    "Application.Read.All",
    "AuditLog.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "User.ReadBasic.All",
];
