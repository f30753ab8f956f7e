//! What an administrator sets up in the tenant: the blueprint, and the test of what was set up.

use std::{error::Error, io::Write};

use entra_auth::{
    ApplicationCredentialFactory, ClientSecretCredential, CredentialOptions, Environment,
    entra_core::{CredentialMaterial, Secret},
    web::RouteUrls,
};
use entra_graph::{
    GraphClient,
    connection::{ConnectionTest, RedirectPlatform},
    registration::{AppRegistration, Applied, SecretSink},
};
use entra_mock::FakeTenant;

/// The blueprint of a Helpdesk at this address.
pub(crate) fn blueprint(url: &str) -> Result<AppRegistration, entra_graph::Error> {
    AppRegistration::from_yaml(&BLUEPRINT.replace(ADDRESS, url.trim_end_matches('/')))
}

/// The redirect URI of a Helpdesk at this address, as the blueprint has it.
pub(crate) fn callback(url: &str) -> Result<String, entra_auth::Error> {
    let urls = RouteUrls::at(&format!("{}/auth", url.trim_end_matches('/')))?;
    Ok(urls.callback())
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

/// The test behind a button "Test connection": it takes the values as they were saved, also empty ones.
pub(crate) fn test(
    environment: &Environment,
    redirect_uri: &str,
) -> Result<ConnectionTest, Box<dyn Error>> {
    let get = |name: &str| environment.get(name).unwrap_or_default();
    let mut test = ConnectionTest::of(get("AZURE_TENANT_ID"), get("AZURE_CLIENT_ID"))
        .cloud(environment.cloud()?)
        .needs_delegated(SCOPES)
        .redirect_uri(RedirectPlatform::Web, redirect_uri);
    if let Some(secret) = environment.get("AZURE_CLIENT_SECRET") {
        let options = CredentialOptions::new().environment(environment);
        test = test.signs_in_with(
            CredentialMaterial::Secret(Secret::from(secret)),
            ApplicationCredentialFactory::new(&options),
        );
    } else {
        // The site signs in with what is configured, so without a secret it has none to send.
        test = test.without_secret();
    }
    Ok(test)
}

const BLUEPRINT: &str = include_str!("blueprint.yaml");
/// The address in the blueprint, in place of which each installation has its own.
pub(crate) const ADDRESS: &str = "https://helpdesk.example.com";
/// The delegated permissions of the blueprint.
pub(crate) const SCOPES: [&str; 4] = ["openid", "profile", "email", "GroupMember.Read.All"];
/// What it takes to register an application and to grant it admin consent.
const RIGHTS: [&str; 4] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
];
