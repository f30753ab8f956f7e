//! An administrator's guide as code: plans, applies, verifies, rotates and removes an app registration.
//!
//! ```text
//! cargo run --example register_app                                # all steps, on a fake tenant inside the process
//! cargo run --example register_app -- --tenant env                # what would change in the tenant of the environment
//! cargo run --example register_app -- --tenant env --step apply   # changes it; the secret goes to ./.env
//! ```
//!
//! Start reading at [`embedded`].

use std::{error::Error, io, io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use entra_auth::{
    ApplicationCredentialFactory, ClientSecretCredential, CredentialOptions, Environment,
    EnvironmentCredential, entra_core::CredentialMaterial,
};
use entra_graph::{
    GraphClient,
    registration::{AppRegistration, EnvFile, MemorySink},
};
use entra_mock::FakeTenant;

/// Registers an application from a blueprint.
#[derive(Debug, Parser)]
#[command(name = "register_app")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one of the environment, whose application registers others.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// The blueprint, YAML or JSON; that of this example unless given.
    #[arg(long, value_name = "PATH")]
    blueprint: Option<PathBuf>,
    /// What to do in the tenant of the environment.
    #[arg(long, value_enum, default_value_t = Step::Plan)]
    step: Step,
    /// The environment file for the ids and the secret.
    #[arg(long, value_name = "PATH", default_value = ".env")]
    env_file: PathBuf,
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
    /// Prints the guide for an administrator who does it by hand.
    Guide,
    /// Deletes the registration.
    Destroy,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.tenant {
        Tenant::Embedded => embedded(&mut io::stdout()).await,
        Tenant::Env => from_env(&arguments, &mut io::stdout()).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
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

async fn from_env(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let blueprint = match &arguments.blueprint {
        Some(path) => AppRegistration::from_file(path)?,
        None => AppRegistration::from_yaml(BLUEPRINT)?,
    };
    if arguments.step == Step::Guide {
        write!(out, "{}", blueprint.guide().to_markdown())?;
        return Ok(());
    }
    let environment = Environment::from_env();
    let graph = GraphClient::builder(EnvironmentCredential::builder(&environment).build()?)
        .environment(&environment)
        .build()?;
    if arguments.step == Step::Destroy {
        let deleted = blueprint.destroy(&graph).await?;
        let text = if deleted {
            "deleted"
        } else {
            "there is no such registration"
        };
        writeln!(out, "{text}")?;
        return Ok(());
    }
    let plan = blueprint.plan(&graph).await?;
    write!(out, "{plan}")?;
    if arguments.step == Step::Apply {
        let mut file = EnvFile::new(&arguments.env_file);
        write!(out, "\n{}", plan.apply(&mut file).await?)?;
    }
    Ok(())
}

const BLUEPRINT: &str = include_str!("blueprint.yaml");
/// What the application needs that registers others and grants consent.
const PERMISSIONS: [&str; 4] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
];
