//! A web product behind single sign-on: users of a customer's tenant sign in with a browser, and only members of
//! one group may enter.
//!
//! ```text
//! cargo run --example sso_group_gate                                  # a fake tenant; prints a URL to open
//! cargo run --example sso_group_gate -- --serve --port 3000           # the same without a terminal
//! cargo run --example sso_group_gate -- --tenant env --step apply     # registers it; the secret goes to ./.env
//! cargo run --example sso_group_gate -- --tenant env --port 3000      # your tenant
//! ```
//!
//! Start reading at [`site::routes`]; `enter` beside it decides who may enter.

pub(crate) mod pages;
pub(crate) mod sample;
pub(crate) mod setup;
pub(crate) mod site;
pub(crate) mod visit;

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use axum::Router;
use clap::{Parser, ValueEnum};
use entra_auth::{Environment, EnvironmentCredential, entra_core::SystemClock, web::RouteUrls};
use entra_graph::{GraphClient, registration::EnvFile};
use entra_mock::FakeTenant;
use tokio::net::TcpListener;

use site::Connection;

/// Serves a web product that members of a group sign in to with Entra.
#[derive(Debug, Parser)]
#[command(name = "sso_group_gate")]
pub(crate) struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID, AZURE_CLIENT_ID
    /// and AZURE_CLIENT_SECRET name, where the members of the group ENTRA_GROUP_ID may enter.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// What to do in the tenant of the environment.
    #[arg(long, value_enum, default_value_t = Step::Run)]
    step: Step,
    /// The environment file for the ids and the secret.
    #[arg(long, value_name = "PATH", default_value = ".env")]
    env_file: PathBuf,
    /// Keep serving without a terminal; by default the program then visits itself once and stops.
    #[arg(long)]
    serve: bool,
    /// The port to listen on; any free port by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The address of the product, for the registration and its test.
    #[arg(long, default_value = setup::ADDRESS)]
    url: String,
    /// Receive responses of the sign-in page as a form post, which keeps them out of the browser's history
    /// (Safari requires TLS for it).
    #[arg(long)]
    form_post: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Serves the product.
    Run,
    /// Prints what the registration lacks, as the application of the environment, which registers others.
    Plan,
    /// Adds that, and writes ids and secret to the environment file.
    Apply,
    /// Tests the connection of the environment.
    Test,
    /// Prints the guide for an administrator who registers it by hand.
    Guide,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse(), &mut io::stdout()).await {
        Ok(code) => code.into(),
        Err(error) => {
            // `{:#}` is the whole report: what happened, why, and how to fix it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<u8, Box<dyn Error>> {
    if arguments.step == Step::Guide {
        let cloud = Environment::from_env().cloud()?;
        let guide = setup::blueprint(&arguments.url)?.guide_for(&cloud);
        write!(out, "{}", guide.to_markdown())?;
        return Ok(0);
    }
    if arguments.tenant == Tenant::Env {
        let environment = Environment::from_env().with_variables([GROUP]);
        return in_env(arguments, &environment, out).await;
    }
    if arguments.step != Step::Run {
        return Err(ONLY_ENV.into());
    }
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(arguments.port).await?;
    let routes = embedded(&tenant, &url, arguments.form_post, out).await?;
    writeln!(out, "Helpdesk is at {url}")?;
    let server = serve(socket, routes);
    if arguments.serve || io::stdin().is_terminal() {
        writeln!(out, "Open it in a browser; stop the program with Ctrl-C.")?;
        tokio::select! {
            () = server => {}
            () = sample::keep_time(&tenant) => {}
        }
        return Ok(0);
    }
    let server = tokio::spawn(server);
    let outcome = visit::visit(&url, &tenant, out).await;
    server.abort();
    outcome.map(|()| 0)
}

/// From a tenant that does not know the product to a site that its users can sign in to.
pub(crate) async fn embedded(
    tenant: &FakeTenant,
    url: &str,
    form_post: bool,
    out: &mut impl Write,
) -> Result<Router, Box<dyn Error>> {
    let connection = sample::set_up(tenant, url, out).await?;
    let urls = RouteUrls::at(&format!("{url}/auth"))?;
    site::routes(&urls, connection, form_post, sample::tips(tenant))
}

/// The product of the environment; returns the exit code.
async fn in_env(
    arguments: &Arguments,
    environment: &Environment,
    out: &mut impl Write,
) -> Result<u8, Box<dyn Error>> {
    match arguments.step {
        Step::Plan | Step::Apply => {
            let credential = EnvironmentCredential::builder(environment).build()?;
            let graph = GraphClient::builder(credential)
                .environment(environment)
                .build()?;
            let blueprint = setup::blueprint(&arguments.url)?;
            let mut file = EnvFile::new(&arguments.env_file);
            if arguments.step == Step::Plan {
                write!(out, "{}", blueprint.plan_with(&graph, &mut file).await?)?;
                return Ok(0);
            }
            setup::apply(&graph, &blueprint, &mut file, out).await?;
            writeln!(
                out,
                "The connection is in {}: set -a; . {}; set +a",
                arguments.env_file.display(),
                Path::new(".").join(&arguments.env_file).display()
            )?;
        }
        Step::Test => {
            let callback = setup::callback(&arguments.url)?;
            let report = setup::test(environment, &callback)?.run().await;
            writeln!(out, "{report}")?;
            return Ok(report.exit_code());
        }
        Step::Run | Step::Guide => {
            let connection = from_env(environment)?;
            let (socket, url) = listen(arguments.port).await?;
            let urls = RouteUrls::at(&format!("{url}/auth"))?;
            let tenant = connection.tenant.clone();
            let is_open = connection.group.is_none();
            let routes = site::routes(&urls, connection, arguments.form_post, String::new())?;
            writeln!(out, "Helpdesk is at {url}, for users of tenant {tenant}")?;
            if is_open {
                writeln!(out, "{GROUP} is not set: all users may enter, guests too")?;
            }
            serve(socket, routes).await;
        }
    }
    Ok(0)
}

/// The connection of the environment.
pub(crate) fn from_env(environment: &Environment) -> Result<Connection, Box<dyn Error>> {
    // One error names every variable that is not set.
    let [_, _, secret] = environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID", SECRET])?;
    let group = match environment.get(GROUP).map(str::trim) {
        None | Some("") => None,
        Some(id) => Some(
            id.parse()
                .map_err(|error| format!("{GROUP} is not the object ID of a group: {error}"))?,
        ),
    };
    Ok(Connection {
        tenant: environment.tenant_id()?,
        client: environment.client_id()?,
        secret: secret.into(),
        group,
        cloud: environment.cloud()?,
        clock: Arc::new(SystemClock),
    })
}

/// A listener on this machine, and its URL for browsers.
pub(crate) async fn listen(port: u16) -> Result<(TcpListener, String), Box<dyn Error>> {
    let socket = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    let port = socket.local_addr()?.port();
    Ok((socket, format!("http://localhost:{port}")))
}

pub(crate) async fn serve(socket: TcpListener, routes: Router) {
    // It never returns an error, and stops with the process.
    let _ = axum::serve(socket, routes).await;
}

const SECRET: &str = "AZURE_CLIENT_SECRET";
const GROUP: &str = "ENTRA_GROUP_ID";

/// A step on the fake tenant would look as if it had been done.
const ONLY_ENV: &str =
    "--step is for the tenant of the environment, and this run has a fake one: add --tenant env";
