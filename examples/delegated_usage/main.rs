//! Who uses which app in a tenant, read with the token of an administrator who signs in. `saas_usage` is the
//! same report in full, read by an application.
//!
//! ```text
//! cargo run --example delegated_usage                     # on a fake tenant, whose administrator signs in at once
//! cargo run --example delegated_usage -- --tenant env     # shows a code to sign in with
//! cargo run --example delegated_usage -- --interactive    # opens the browser of this machine
//! ```
//!
//! Start reading at [`usage::read`].

pub(crate) mod usage;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, ValueEnum};
use entra_auth::{
    Environment,
    entra_core::{Clock, SystemClock},
    user::{DeviceCodeCredential, InteractiveBrowserCredential},
};
use entra_graph::GraphClient;
use entra_mock::{App, FakeTenant};

/// Shows an administrator who uses which app in an Entra tenant.
#[derive(Debug, Parser)]
#[command(name = "delegated_usage")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID and
    /// ENTRA_PUBLIC_CLIENT_ID (or AZURE_CLIENT_ID) name.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Sign in with the browser of this machine instead of a device code.
    #[arg(long)]
    interactive: bool,
    /// How many days to look back; Entra stores sign-ins for 30 days.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=30))]
    days: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse(), &mut io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` is the whole report: what happened, why, and how to fix it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    if arguments.tenant == Tenant::Env {
        let environment = Environment::from_env().with_variables([PUBLIC_CLIENT]);
        let graph = from_env(&environment, arguments.interactive)?;
        writeln!(out, "Reading tenant {}\n", environment.tenant_id()?)?;
        return write(&graph, &SystemClock, arguments.days, out).await;
    }
    let tenant = Arc::new(FakeTenant::builder().users(60).start().await);
    let graph = match arguments.interactive {
        true => by_browser(&tenant)?,
        false => by_device_code(&tenant)?,
    };
    writeln!(out, "Reading the fake tenant {}\n", tenant.domain())?;
    write(&graph, &tenant.clock(), arguments.days, out).await
}

/// Reads and writes the report. The first request starts the sign-in.
pub(crate) async fn write(
    graph: &GraphClient,
    clock: &dyn Clock,
    days: u32,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let report = usage::read(graph, clock.now(), days).await?;
    usage::write(&report, out)?;
    let requests = graph.requests_sent();
    writeln!(
        out,
        "\n{requests} requests to Microsoft Graph, all as the user who signed in"
    )?;
    Ok(())
}

/// A fake company, where the sample administrator enters the code at once.
pub(crate) fn by_device_code(tenant: &Arc<FakeTenant>) -> Result<GraphClient, Box<dyn Error>> {
    let browser = Arc::clone(tenant);
    let app = public_app(tenant);
    let credential = DeviceCodeCredential::builder(tenant.id(), app.client_id(), move |prompt| {
        eprintln!("{}", prompt.message);
        browser.approve_device_code(&prompt.user_code, ADMINISTRATOR);
        eprintln!("{ADMINISTRATOR} has done so.\n");
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()?;
    let graph = GraphClient::builder(credential);
    Ok(graph.cloud(tenant.cloud()).clock(tenant.clock()).build()?)
}

/// A fake company, whose sign-in page opens in the browser.
fn by_browser(tenant: &FakeTenant) -> Result<GraphClient, Box<dyn Error>> {
    let app = public_app(tenant);
    let password = tenant.user(ADMINISTRATOR).password();
    eprintln!(
        "A browser opens; sign in as {ADMINISTRATOR} with the password {}\n",
        password.expose_secret()
    );
    let credential = InteractiveBrowserCredential::builder(tenant.id(), app.client_id())
        .login_hint(ADMINISTRATOR)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let graph = GraphClient::builder(credential);
    Ok(graph.cloud(tenant.cloud()).clock(tenant.clock()).build()?)
}

/// The tenant of the environment, where the user of the terminal signs in.
pub(crate) fn from_env(
    environment: &Environment,
    interactive: bool,
) -> Result<GraphClient, Box<dyn Error>> {
    let client = match environment.get(PUBLIC_CLIENT) {
        Some(id) => id
            .parse()
            .map_err(|error| format!("{PUBLIC_CLIENT} is invalid: {error}"))?,
        None => {
            environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
            environment.client_id()?
        }
    };
    let tenant = environment.tenant_id()?;
    let cloud = environment.cloud()?;
    let graph = if interactive {
        eprintln!("A browser opens for you to sign in.\n");
        let credential = InteractiveBrowserCredential::builder(tenant, client);
        GraphClient::builder(credential.cloud(cloud).build()?)
    } else {
        let credential = DeviceCodeCredential::builder(tenant, client, |prompt| {
            eprintln!("{}\n", prompt.message);
        });
        GraphClient::builder(credential.cloud(cloud).build()?)
    };
    Ok(graph.environment(environment).build()?)
}

/// Registers an application without a secret, since a secret on an administrator's machine is not one.
fn public_app(tenant: &FakeTenant) -> App {
    let app = tenant
        .register_app("App usage report for administrators")
        .public_client()
        .public_redirect_uri("http://localhost");
    PERMISSIONS
        .into_iter()
        .fold(app, |app, permission| app.delegated_permission(permission))
}

/// The least privileged delegated permissions that read the report.
pub(crate) const PERMISSIONS: [&str; 4] = [
    "Application.Read.All",
    "AuditLog.Read.All",
    "GroupMember.Read.All",
    "User.ReadBasic.All",
];
const ADMINISTRATOR: &str = "admin@contoso.com";
/// An app registration without a secret, if another example uses AZURE_CLIENT_ID with one.
const PUBLIC_CLIENT: &str = "ENTRA_PUBLIC_CLIENT_ID";
