//! What an administrator sets up in the tenant: one of two blueprints, by who reads the report.

use std::{error::Error, io::Write};

use clap::ValueEnum;
use entra_auth::ClientSecretCredential;
use entra_graph::{
    GraphClient,
    registration::{AppRegistration, Applied, SecretSink},
};
use entra_mock::FakeTenant;

/// Who reads the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignIn {
    /// The application itself, with its secret.
    Application,
    /// An administrator, who enters a code in a browser on any device.
    Code,
    /// An administrator, in the browser of this machine.
    Browser,
}

impl SignIn {
    pub(crate) fn blueprint(self) -> Result<AppRegistration, entra_graph::Error> {
        AppRegistration::from_yaml(match self {
            Self::Application => include_str!("blueprint.yaml"),
            Self::Code | Self::Browser => include_str!("administrator.yaml"),
        })
    }

    /// Where ids and secret go. The two registrations would replace each other's ids in one file.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Application => ".env",
            Self::Code | Self::Browser => "administrator.env",
        }
    }
}

/// Prints what is missing in the tenant, and adds it. Can be repeated: the second time it only reads.
pub(crate) async fn apply(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    sink: &mut dyn SecretSink,
    out: &mut (dyn Write + Send),
) -> Result<Applied, Box<dyn Error>> {
    let plan = blueprint.plan_with(graph, sink).await?;
    writeln!(out, "{plan}")?;
    Ok(plan.apply(sink).await?)
}

/// The Graph client of an administrator's tool in a fake tenant.
pub(crate) fn administrator(tenant: &FakeTenant) -> Result<GraphClient, Box<dyn Error>> {
    let mut tool = tenant.register_app("Setup tool").with_secret();
    for permission in RIGHTS {
        tool = tool.application_permission(permission);
    }
    let credential = ClientSecretCredential::builder(tenant.id(), tool.client_id(), tool.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    Ok(GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?)
}

/// What it takes to register an application and to grant it admin consent.
const RIGHTS: [&str; 4] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
];
