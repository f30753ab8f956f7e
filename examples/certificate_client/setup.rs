//! What an administrator sets up in the tenant: the blueprint with the certificates of the installations, and the
//! test of what was set up.

use std::{error::Error, io::Write, sync::Arc};

use entra_auth::{
    ApplicationCredentialFactory, ClientSecretCredential, CredentialOptions, SelfSignedCertificate,
    entra_core::{Cloud, CredentialMaterial, ProofSigner},
};
use entra_graph::{
    GraphClient,
    connection::ConnectionTest,
    registration::{AppRegistration, Applied, Certificate, MemorySink, SecretSink},
};
use entra_mock::FakeTenant;

/// The blueprint with the certificates of these installations: name and public part in DER.
pub(crate) fn blueprint<'c>(
    certificates: impl IntoIterator<Item = (&'c str, &'c [u8])>,
) -> Result<AppRegistration, entra_graph::Error> {
    let blueprint = AppRegistration::from_yaml(BLUEPRINT)?;
    let add = |blueprint: AppRegistration, (name, der): (&str, &[u8])| {
        Ok(blueprint.certificate(Certificate::from_der(name, der)?))
    };
    certificates.into_iter().try_fold(blueprint, add)
}

/// The guide for an administrator who sets it up by hand, with one certificate to upload. The guide has its name
/// only, so it is any certificate.
pub(crate) fn guide(cloud: &Cloud) -> Result<String, Box<dyn Error>> {
    let certificate = SelfSignedCertificate::rsa("CN=inventory-client").generate()?;
    let blueprint = blueprint([("of this installation", certificate.public_der())])?;
    Ok(blueprint.guide_for(cloud).to_markdown())
}

/// Prints what is missing in the tenant, and adds it. Can be repeated: the second time it only reads.
pub(crate) async fn apply(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    sink: &mut dyn SecretSink,
    out: &mut impl Write,
) -> Result<Applied, Box<dyn Error>> {
    let plan = blueprint.plan(graph).await?;
    writeln!(out, "{plan}")?;
    Ok(plan.apply(sink).await?)
}

/// As [`apply`], with the key of a certificate that is registered: it proves that a further one may be added.
pub(crate) async fn apply_with_proof(
    graph: &GraphClient,
    blueprint: &AppRegistration,
    registered: Arc<dyn ProofSigner>,
    out: &mut impl Write,
) -> Result<Applied, Box<dyn Error>> {
    let plan = blueprint.plan(graph).await?.prove_with(registered).await?;
    writeln!(out, "{plan}")?;
    Ok(plan.apply(&mut MemorySink::new()).await?)
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

/// The test behind a button "Test connection": it takes the ids as they were saved, also empty ones.
pub(crate) fn test(
    tenant: &str,
    client_id: &str,
    certificate: CredentialMaterial,
    options: &CredentialOptions,
) -> ConnectionTest {
    ConnectionTest::of(tenant, client_id)
        .signs_in_with(certificate, ApplicationCredentialFactory::new(options))
        .needs(PERMISSIONS)
}

const BLUEPRINT: &str = include_str!("blueprint.yaml");
/// The permissions of the blueprint.
pub(crate) const PERMISSIONS: [&str; 3] =
    ["Device.Read.All", "User.Read.All", "GroupMember.Read.All"];
/// What it takes to register an application and to grant it admin consent.
const RIGHTS: [&str; 3] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Directory.Read.All",
];
