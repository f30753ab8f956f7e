//! An administrator's guide as code: plans, applies, verifies, rotates and removes an app registration.
//!
//! ```text
//! cargo run --example register_app                                # all steps, on a fake tenant inside the process
//! cargo run --example register_app -- --tenant env                # what would change in the tenant of the environment
//! cargo run --example register_app -- --tenant env --step apply   # changes it; the secret goes to ./.env
//! cargo run --example register_app -- --tenant env --step verify  # signs in with the secret of ./.env, and tries each permission
//! cargo run --example register_app -- --tenant env --step rotate  # a new secret in ./.env; the old one stays valid
//! ```
//!
//! Start reading at [`embedded`] and, for a real tenant, at [`steps::run`].

pub(crate) mod steps;

use std::{error::Error, io, io::Write, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Parser, ValueEnum};
use entra_auth::{
    ApplicationCredentialFactory, ClientSecretCredential, CredentialOptions, Environment,
    entra_core::{CredentialMaterial, SystemClock},
};
use entra_graph::{
    GraphClient, SecretId,
    registration::{AppRegistration, MemorySink},
};
use entra_mock::FakeTenant;

/// Registers an application from a blueprint.
#[derive(Debug, Parser)]
#[command(name = "register_app")]
pub(crate) struct Arguments {
    /// The tenant: a fake one inside this process, or the one of the environment, whose application registers others.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// The blueprint, YAML or JSON; that of this example unless given.
    #[arg(long, value_name = "PATH")]
    blueprint: Option<PathBuf>,
    /// What to do in the tenant of the environment; the plan unless given.
    #[arg(long, value_enum)]
    step: Option<Step>,
    /// The environment file for the ids and the secret.
    #[arg(long, value_name = "PATH", default_value = ".env")]
    env_file: PathBuf,
    /// The secret of the blueprint to rotate, by its description.
    #[arg(long, value_name = "DESCRIPTION", default_value = "production")]
    secret: String,
    /// The secret ID of the secret to retire, as `--step rotate` prints it.
    #[arg(long, value_name = "ID")]
    secret_id: Option<SecretId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Prints what would change; reads only.
    Plan,
    /// Changes it.
    Apply,
    /// Signs in with the secret of the environment file, and tries each permission; reads only.
    Verify,
    /// Adds a secret, waits until it is accepted, and writes it to the environment file. The old one stays valid.
    Rotate,
    /// Removes a secret that was rotated.
    Retire,
    /// Prints the guide for an administrator who does it by hand.
    Guide,
    /// Deletes the registration.
    Destroy,
}

#[tokio::main]
async fn main() -> ExitCode {
    match start(&Arguments::parse(), &mut io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// All steps on a fake tenant, or one in the tenant of the environment.
pub(crate) async fn start(
    arguments: &Arguments,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let is_plain = arguments.step.is_none() && arguments.blueprint.is_none();
    match arguments.tenant {
        Tenant::Embedded if is_plain => embedded(out).await,
        // Not ignored: the step would look as if it had been done. A guide is about no tenant.
        Tenant::Embedded if arguments.step != Some(Step::Guide) => Err(ONLY_ENV.into()),
        Tenant::Embedded | Tenant::Env => {
            let clock = Arc::new(SystemClock);
            steps::run(arguments, &Environment::from_env(), clock, out).await
        }
    }
}

/// From an empty tenant to a working sign-in, a rotated secret, and back.
pub(crate) async fn embedded(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let tenant = FakeTenant::start().await;
    let mut tool = tenant.register_app("Setup tool");
    for permission in PERMISSIONS {
        tool = tool.application_permission(permission);
    }
    let tool = tool.with_secret();
    let credential = ClientSecretCredential::builder(tenant.id(), tool.client_id(), tool.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let blueprint = AppRegistration::from_yaml(BLUEPRINT)?;

    let plan = blueprint.plan(&graph).await?;
    writeln!(out, "{plan}")?;
    let mut sink = MemorySink::new().clock(tenant.clock());
    let applied = plan.apply(&mut sink).await?;
    writeln!(out, "{applied}")?;

    let options = CredentialOptions::new().cloud(tenant.cloud());
    let factory = ApplicationCredentialFactory::new(&options.clock(tenant.clock()));
    let (_, secret) = sink.secrets().last().ok_or("no secret was added")?;
    let material = CredentialMaterial::Secret(secret.value().clone());
    writeln!(out, "{}", applied.verify(&factory, &material).await?)?;

    let rotated = blueprint
        .rotate(&graph, "production", &factory, &mut sink)
        .await?;
    writeln!(out, "the secret {} takes over", rotated.new)?;
    if let Some(previous) = rotated.previous {
        // A product waits here until all of its readers have the new secret.
        blueprint.retire(&graph, previous, &mut sink).await?;
        writeln!(out, "the secret {previous} is removed")?;
    }
    let again = blueprint.plan(&graph).await?;
    writeln!(out, "{again}")?;
    if blueprint.destroy(&graph).await? {
        writeln!(out, "the registration is deleted")?;
    }
    Ok(())
}

pub(crate) const BLUEPRINT: &str = include_str!("blueprint.yaml");
/// What the application needs that registers others and grants consent.
pub(crate) const PERMISSIONS: [&str; 4] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
];
const ONLY_ENV: &str = "--step and --blueprint are for the tenant of the environment, and this run has a fake one: add --tenant env";
