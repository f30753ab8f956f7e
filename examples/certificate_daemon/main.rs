//! A service that signs in with a certificate it generated, without a user, and lists the devices and
//! users of a tenant.
//!
//! ```text
//! cargo run --example certificate_daemon                        # on a fake tenant inside the process
//! cargo run --example certificate_daemon -- --tenant env --folder keys   # generates what an administrator uploads
//! cargo run --example certificate_daemon -- --tenant env        # signs in with AZURE_CLIENT_CERTIFICATE_PATH
//! ```
//!
//! Start reading at [`embedded`]; copy `key.rs` for your own.

pub(crate) mod inventory;
pub(crate) mod key;

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use entra_auth::{
    ClientCertificateCredential, Environment,
    entra_core::{Clock, Guid, Secret, SystemClock, SystemRandom},
};
use entra_graph::GraphClient;
use entra_mock::FakeTenant;

use key::Folder;

/// Generates a certificate, and lists devices and users of an Entra tenant with it.
#[derive(Debug, Parser)]
#[command(name = "certificate_daemon")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID and
    /// AZURE_CLIENT_ID name.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// The folder for a new certificate. Without it, the run on the fake tenant generates a temporary one,
    /// and a run with `--tenant env` generates none.
    #[arg(long, value_name = "PATH")]
    folder: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { tenant, folder } = Arguments::parse();
    let mut out = io::stdout();
    let outcome = match tenant {
        Tenant::Embedded => embedded(folder, &mut out).await,
        Tenant::Env => from_env(&Environment::from_env(), folder, &mut out).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` is the whole report: what happened, why, and how to fix it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does the daemon's part and that of the administrator, who registers the certificate.
pub(crate) async fn embedded(
    folder: Option<PathBuf>,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let tenant = FakeTenant::builder().users(60).start().await;
    let clock = tenant.clock();
    let folder = folder.map_or_else(Folder::temporary, Folder::of)?;
    let passphrase = Secret::from(Guid::random(&SystemRandom)?.to_string());
    let certificate = folder.make_certificate(&passphrase, clock.clone())?;
    folder.describe(&certificate, clock.now(), out)?;

    let mut app = tenant.register_app("Inventory daemon");
    for permission in PERMISSIONS {
        app = app.application_permission(permission);
    }
    let app = app.with_certificate(certificate.public_der());

    let private_part = folder.private_part();
    let credential = ClientCertificateCredential::builder_from_file(
        tenant.id(),
        app.client_id(),
        private_part,
        Some(&passphrase),
    )
    .cloud(tenant.cloud())
    .clock(clock.clone())
    .build()?;
    let graph = GraphClient::builder(credential.clone())
        .cloud(tenant.cloud())
        .clock(clock.clone())
        .build()?;
    inventory::write(&credential, &graph, clock.now(), out).await
}

/// Generates a certificate if a folder is given, and signs in with the certificate of the environment: a
/// service keeps using the old one until the new one is uploaded.
pub(crate) async fn from_env(
    environment: &Environment,
    folder: Option<PathBuf>,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
    let (tenant, client) = (environment.tenant_id()?, environment.client_id()?);
    let passphrase = environment.secret(PASSPHRASE);
    if let Some(folder) = &folder {
        let passphrase = passphrase.ok_or_else(|| {
            format!(
                "--folder needs {PASSPHRASE}, the passphrase to encrypt the new private key with"
            )
        })?;
        let folder = Folder::of(folder.clone())?;
        let certificate = folder.make_certificate(passphrase, SystemClock)?;
        folder.describe(&certificate, SystemClock.now(), out)?;
        folder.instruct(client, &PERMISSIONS, out)?;
    }
    let Some(path) = environment.get(CERTIFICATE) else {
        return match folder {
            Some(_) => Ok(()),
            None => Err(format!(
                "--tenant env needs {CERTIFICATE}, the file of a registered certificate; generate one with --folder"
            )
            .into()),
        };
    };
    writeln!(out, "Reading tenant {tenant}")?;
    let credential =
        ClientCertificateCredential::builder_from_file(tenant, client, path, passphrase)
            .cloud(environment.cloud()?)
            .build()?;
    let graph = GraphClient::builder(credential.clone())
        .environment(environment)
        .build()?;
    inventory::write(&credential, &graph, SystemClock.now(), out).await
}

/// The least privileged permissions that read the names.
pub(crate) const PERMISSIONS: [&str; 2] = ["Device.Read.All", "User.ReadBasic.All"];
/// As azure-identity names them.
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const PASSPHRASE: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
