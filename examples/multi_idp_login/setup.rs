//! What administrators set up in their tenants: the blueprints of the sign-in and of the contacts.

use std::{error::Error, io::Write};

use entra_auth::ClientSecretCredential;
use entra_graph::{
    GraphClient,
    registration::{AppRegistration, Applied, SecretSink},
};
use entra_mock::FakeTenant;

/// The blueprint of a connection with this redirect URI.
pub(crate) fn sign_in(redirect_uri: &str) -> Result<AppRegistration, entra_graph::Error> {
    AppRegistration::from_yaml(&include_str!("blueprint.yaml").replace(REDIRECT_URI, redirect_uri))
}

/// The blueprint of the integration that reads contacts.
pub(crate) fn contacts() -> Result<AppRegistration, entra_graph::Error> {
    AppRegistration::from_yaml(include_str!("contacts.yaml"))
}

/// Prints what is missing in the tenant, and adds it. Can be repeated: the second time it only reads.
pub(crate) async fn apply(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    sink: &mut dyn SecretSink,
    out: &mut impl Write,
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

/// The redirect URI in the blueprint: the address of the product itself.
pub(crate) const REDIRECT_URI: &str = "https://contact.example.com/";
/// What it takes to register an application and to grant it admin consent.
const RIGHTS: [&str; 4] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
];
