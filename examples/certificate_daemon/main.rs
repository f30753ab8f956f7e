//! A service that signs in with a certificate of its own making, without a person, and lists the
//! devices and users of a tenant.
//!
//! ```text
//! cargo run --example certificate_daemon                        # on a fake tenant inside the process
//! cargo run --example certificate_daemon -- --tenant env --folder keys   # makes what an admin uploads
//! cargo run --example certificate_daemon -- --tenant env        # signs in with AZURE_CLIENT_CERTIFICATE_PATH
//! ```
//!
//! Start reading at [`embedded`]; copy `key.rs` for your own.

pub(crate) mod inventory;
pub(crate) mod key;
#[path = "../saas_usage/problem.rs"]
pub(crate) mod problem;
#[path = "../saas_usage/settings.rs"]
pub(crate) mod settings;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "an inventory needs only a few of the texts")
)]
#[path = "../saas_usage/text.rs"]
pub(crate) mod text;

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use entra_auth::ClientCertificateCredential;
use entra_core::{Clock, Guid, Secret, SystemClock, SystemRandom};
use entra_graph::GraphClient;
use entra_mock::FakeTenant;

use key::Folder;
use problem::Problem;
use settings::{CLIENT, Settings};

/// Makes a certificate, and lists devices and users of an Entra tenant with it.
#[derive(Debug, Parser)]
#[command(name = "certificate_daemon")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID and
    /// AZURE_CLIENT_ID name.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Where a new certificate goes. Without it, the fake tenant gets one that is gone with the
    /// run; for another tenant none is made.
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
        Tenant::Env => from_env(|name| env::var(name).ok(), folder, &mut out).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Both sides at once: the daemon's, and the administrator's who registers the certificate.
pub(crate) async fn embedded(folder: Option<PathBuf>, out: &mut impl Write) -> Result<(), Problem> {
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

/// Makes a certificate if a folder is named, and signs in if one is at hand that may be registered
/// by now: a service goes on with its old one until the new one is uploaded.
pub(crate) async fn from_env(
    variable: impl Fn(&str) -> Option<String>,
    folder: Option<PathBuf>,
    out: &mut impl Write,
) -> Result<(), Problem> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let settings = Settings::read(variable, CLIENT, &[])?;
    let passphrase = variable(PASSPHRASE).map(Secret::from);
    if let Some(folder) = &folder {
        let Some(passphrase) = &passphrase else {
            return Err(Problem::new(format!("--folder needs {PASSPHRASE}"))
                .with_fix("set it to a passphrase, which the new private key is encrypted with"));
        };
        let folder = Folder::of(folder.clone())?;
        let certificate = folder.make_certificate(passphrase, SystemClock)?;
        folder.describe(&certificate, SystemClock.now(), out)?;
        folder.instruct(settings.client, &PERMISSIONS, out)?;
    }
    let Some(path) = variable(CERTIFICATE) else {
        return match folder {
            Some(_) => Ok(()),
            None => Err(Problem::new(format!("--tenant env needs {CERTIFICATE}")).with_fix(
                "set it to the file of a registered certificate, or have a new one made with --folder",
            )),
        };
    };
    writeln!(out, "Reading {}", settings.place())?;
    let transport = settings.transport()?;
    let credential = ClientCertificateCredential::builder_from_file(
        settings.tenant,
        settings.client,
        path,
        passphrase.as_ref(),
    )
    .cloud(settings.cloud.clone())
    .transport(transport.clone())
    .build()?;
    let graph = GraphClient::builder(credential.clone())
        .cloud(settings.cloud)
        .transport(transport)
        .build()?;
    inventory::write(&credential, &graph, SystemClock.now(), out).await
}

/// The least that reads names.
pub(crate) const PERMISSIONS: [&str; 2] = ["Device.Read.All", "User.ReadBasic.All"];
/// The names that other Azure tools have for the same.
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const PASSPHRASE: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
