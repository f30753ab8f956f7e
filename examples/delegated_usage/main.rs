//! Who uses which app in a tenant, as an administrator sees it: the report of `saas_usage`, read with
//! the token of a person who signs in.
//!
//! ```text
//! cargo run --example delegated_usage                     # on a fake tenant, whose admin signs in by itself
//! cargo run --example delegated_usage -- --tenant env     # shows a code to sign in with
//! cargo run --example delegated_usage -- --interactive    # opens the browser of this machine
//! ```
//!
//! Start reading at [`by_device_code`]; what is read is up to `saas_usage/collect.rs`.

#[expect(
    dead_code,
    reason = "of the other example, all but its arguments and its main"
)]
#[path = "../saas_usage/main.rs"]
pub(crate) mod saas_usage;

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, ValueEnum};
use entra_auth::user::{DeviceCodeCredential, InteractiveBrowserCredential};
use entra_core::SystemClock;
use entra_graph::GraphClient;
use entra_mock::{App, FakeTenant};

use saas_usage::{
    collect,
    problem::Problem,
    progress::Progress,
    settings::{CLIENT, Settings},
    table,
    tenant::{Connection, PERMISSIONS, embedded},
    text::counted,
    usage::Report,
};

/// Shows an administrator who uses which app in an Entra tenant.
#[derive(Debug, Parser)]
#[command(name = "delegated_usage")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID and
    /// ENTRA_PUBLIC_CLIENT_ID (or else AZURE_CLIENT_ID) name.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Sign in with the browser of this machine in place of a code for any other.
    #[arg(long)]
    interactive: bool,
    /// How many days to look back; the sign-in log keeps 30.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[tokio::main]
async fn main() -> ExitCode {
    match report(&Arguments::parse(), &mut io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn report(arguments: &Arguments, out: &mut impl Write) -> Result<(), Problem> {
    let connection = match (arguments.tenant, arguments.interactive) {
        (Tenant::Embedded, false) => by_device_code(&fake().await)?,
        (Tenant::Embedded, true) => by_browser(&fake().await)?,
        (Tenant::Env, interactive) => from_env(|name| env::var(name).ok(), interactive)?,
    };
    write(&connection, arguments.days, out).await
}

/// Nobody is asked to sign in before the first request.
pub(crate) async fn write(
    connection: &Connection,
    days: u32,
    out: &mut impl Write,
) -> Result<(), Problem> {
    writeln!(out, "Reading {}\n", connection.place)?;
    let facts = collect::collect(connection, days, &Progress::on_terminal()).await?;
    table::write(&Report::of(&facts), out)?;
    let requests = counted(connection.requests(), "request", "requests");
    writeln!(
        out,
        "\n{requests} to Microsoft Graph, all as the person who signed in"
    )?;
    Ok(())
}

/// A fake company and the code's two sides: it is shown, and the sample administrator types it.
pub(crate) fn by_device_code(tenant: &Arc<FakeTenant>) -> Result<Connection, Problem> {
    let admin = Arc::clone(tenant);
    let app = public_app(tenant);
    let credential = DeviceCodeCredential::builder(tenant.id(), app.client_id(), move |prompt| {
        eprintln!("{}", prompt.message);
        admin.approve_device_code(&prompt.user_code, ADMIN);
        eprintln!("{ADMIN} has done so.\n");
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()?;
    let graph = GraphClient::builder(credential);
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock()).build()?;
    Ok(Connection::new(graph, tenant.clock(), embedded(tenant)))
}

/// A fake company whose sign-in page comes up in the browser, where anybody may be chosen.
fn by_browser(tenant: &Arc<FakeTenant>) -> Result<Connection, Problem> {
    let app = public_app(tenant);
    let password = tenant.user(ADMIN).password();
    eprintln!(
        "A browser opens; sign in as {ADMIN} with {}\n",
        password.expose_secret()
    );
    let credential = InteractiveBrowserCredential::builder(tenant.id(), app.client_id())
        .login_hint(ADMIN)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let graph = GraphClient::builder(credential);
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock()).build()?;
    Ok(Connection::new(graph, tenant.clock(), embedded(tenant)).keeping(Arc::clone(tenant)))
}

/// The tenant that the environment names, and the person who signs in there.
pub(crate) fn from_env(
    variable: impl Fn(&str) -> Option<String>,
    interactive: bool,
) -> Result<Connection, Problem> {
    let named = variable(PUBLIC_CLIENT).is_some_and(|value| !value.trim().is_empty());
    let client = if named { PUBLIC_CLIENT } else { CLIENT };
    let settings = Settings::read(variable, client, &[])?;
    let (place, transport) = (settings.place(), settings.transport()?);
    let Settings {
        tenant,
        client,
        cloud,
        ..
    } = settings;
    let graph = if interactive {
        eprintln!("A browser opens for you to sign in.\n");
        let credential = InteractiveBrowserCredential::builder(tenant, client)
            .cloud(cloud.clone())
            .transport(Arc::clone(&transport))
            .build()?;
        GraphClient::builder(credential)
    } else {
        let show = |prompt: &entra_auth::user::DeviceCodePrompt| eprintln!("{}\n", prompt.message);
        let credential = DeviceCodeCredential::builder(tenant, client, show)
            .cloud(cloud.clone())
            .transport(Arc::clone(&transport))
            .build()?;
        GraphClient::builder(credential)
    };
    let graph = graph.cloud(cloud).transport(transport).build()?;
    Ok(Connection::new(graph, SystemClock, place))
}

async fn fake() -> Arc<FakeTenant> {
    Arc::new(FakeTenant::builder().users(60).start().await)
}

/// An application that keeps no secret, as one on an administrator's machine cannot.
fn public_app(tenant: &FakeTenant) -> App {
    let app = tenant
        .register_app("App usage report for admins")
        .public_client()
        .public_redirect_uri("http://localhost");
    PERMISSIONS
        .into_iter()
        .fold(app, |app, permission| app.delegated_permission(permission))
}

const ADMIN: &str = "admin@contoso.com";
/// What another application of the same environment file may need a secret for, this one does not.
const PUBLIC_CLIENT: &str = "ENTRA_PUBLIC_CLIENT_ID";
