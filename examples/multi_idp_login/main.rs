//! A web product whose users sign in with the connection that each is assigned to, or with a password of the product.
//!
//! ```text
//! cargo run --example multi_idp_login                                # two fake tenants; prints a URL to open
//! cargo run --example multi_idp_login -- --no-passwords              # only connections
//! cargo run --example multi_idp_login -- --tenant env --step apply   # registers it; the secret goes to ./.env
//! cargo run --example multi_idp_login -- --tenant env --user adele@contoso.com --port 3000
//! cargo run --example multi_idp_login -- --tenant env --step find-tenant --port 3000   # without AZURE_TENANT_ID
//! ```
//!
//! Start reading at [`site::routes`]; [`form::Form`] is what an administrator enters.

pub(crate) mod accounts;
pub(crate) mod find_tenant;
pub(crate) mod form;
pub(crate) mod local_session;
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
use entra_auth::{
    Environment, EnvironmentCredential,
    entra_core::{Clock, Secret, SystemClock},
};
use entra_graph::{GraphClient, registration::EnvFile};
use tokio::net::TcpListener;

use accounts::Accounts;
use form::Form;
use sample::Organizations;

/// Serves a web product with several connections.
#[derive(Debug, Parser)]
#[command(name = "multi_idp_login")]
pub(crate) struct Arguments {
    /// The tenants: two fake ones inside this process, or the one of the environment. AZURE_TENANT_ID may be
    /// missing if CONTACT_CENTER_DOMAIN is a domain of the users' addresses.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// What to do in the tenant of the environment.
    #[arg(long, value_enum, default_value_t = Step::Run)]
    step: Step,
    /// The environment file for the ids and the secret.
    #[arg(long, value_name = "PATH", default_value = ".env")]
    env_file: PathBuf,
    /// The registration of the contacts instead of that of the sign-in.
    #[arg(long)]
    contacts: bool,
    /// A login that is assigned to the connection of the environment; repeat it for several.
    #[arg(long = "user", value_name = "LOGIN")]
    users: Vec<String>,
    /// Do not allow sign-in with a password.
    #[arg(long)]
    no_passwords: bool,
    /// Keep serving without a terminal; by default the program then visits itself once and stops.
    #[arg(long)]
    serve: bool,
    /// The port to listen on; any free port by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The redirect URI to register and to test.
    #[arg(long, default_value = setup::REDIRECT_URI)]
    redirect_uri: String,
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
    /// Serves a page on which an administrator signs in to find the tenant ID, for a registration of any organization.
    FindTenant,
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
        let guide = blueprint(arguments)?.guide_for(&cloud);
        write!(out, "{}", guide.to_markdown())?;
        return Ok(0);
    }
    if arguments.tenant == Tenant::Env {
        let environment = Environment::from_env().with_variables([DOMAIN, PASSWORD]);
        return in_env(arguments, &environment, out).await;
    }
    if arguments.step != Step::Run {
        return Err(ONLY_ENV.into());
    }
    let organizations = Organizations::start().await?;
    let (socket, url) = listen(arguments.port).await?;
    let routes = embedded(&organizations, &url, !arguments.no_passwords, out).await?;
    writeln!(out, "Contact Center is at {url}")?;
    let server = serve(socket, routes);
    if arguments.serve || io::stdin().is_terminal() {
        writeln!(out, "Open it in a browser; stop the program with Ctrl-C.")?;
        tokio::select! {
            () = server => {}
            () = organizations.keep_time() => {}
        }
        return Ok(0);
    }
    let server = tokio::spawn(server);
    let outcome = visit::visit(&url, &organizations, out).await;
    server.abort();
    outcome.map(|()| 0)
}

fn blueprint(
    arguments: &Arguments,
) -> Result<entra_graph::registration::AppRegistration, entra_graph::Error> {
    match arguments.contacts {
        true => setup::contacts(),
        false => setup::sign_in(&arguments.redirect_uri),
    }
}

/// From tenants that do not know the product to a site that their users can sign in to.
pub(crate) async fn embedded(
    organizations: &Organizations,
    url: &str,
    passwords: bool,
    out: &mut impl Write,
) -> Result<Router, Box<dyn Error>> {
    let mut connections = Vec::new();
    for form in organizations.forms(url, out).await? {
        let connection = form.connection().await?;
        writeln!(
            out,
            "Connection {}: tenant {}, redirect URI {}\n",
            connection.title, connection.tenant, connection.redirect_uri
        )?;
        connections.push(connection);
    }
    let contacts = organizations.contacts(out).await?;
    writeln!(out, "The contacts of Contoso: {contacts}\n")?;
    let clock: Arc<dyn Clock> = Arc::new(organizations.clock.clone());
    let accounts = Arc::new(organizations.accounts(passwords)?);
    site::routes(url, &connections, accounts, clock, organizations.tips())
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
            let blueprint = blueprint(arguments)?;
            // Each registration has variables of its own.
            let prefix = if arguments.contacts {
                "CONTACTS_"
            } else {
                "AZURE_"
            };
            let mut file = EnvFile::new(&arguments.env_file).prefix(prefix);
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
            let form = from_env(environment, &arguments.redirect_uri)?;
            let report = form.test().run().await;
            writeln!(out, "{report}")?;
            return Ok(report.exit_code());
        }
        Step::FindTenant => {
            check_set(environment)?;
            let (socket, url) = listen(arguments.port).await?;
            let form = from_env(environment, &site::urls(&url)?.callback())?;
            let routes = find_tenant::routes(&url, &form)?;
            writeln!(
                out,
                "Open {url} and sign in with an account of the organization"
            )?;
            serve(socket, routes).await;
        }
        Step::Run | Step::Guide => {
            check_set(environment)?;
            let (socket, url) = listen(arguments.port).await?;
            let form = from_env(environment, &site::urls(&url)?.callback())?;
            let connection = form.connection().await?;
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let password = local_password(environment);
            let passwords = password.is_some() && !arguments.no_passwords;
            let accounts = Accounts::new(passwords, Arc::clone(&clock))?;
            for login in &arguments.users {
                accounts.add(login, login, &connection.name);
            }
            if let Some(password) = password {
                accounts.add_with_password(ADMINISTRATOR, "Administrator", &password)?;
            }
            let accounts = Arc::new(accounts);
            let tenant = connection.tenant.clone();
            let routes = site::routes(&url, &[connection], accounts, clock, String::new())?;
            writeln!(
                out,
                "Contact Center is at {url}, for users of tenant {tenant}"
            )?;
            serve(socket, routes).await;
        }
    }
    Ok(0)
}

/// An error that names every variable that is not set; the tenant can be found without its ID.
pub(crate) fn check_set(environment: &Environment) -> Result<(), Box<dyn Error>> {
    environment.require(["AZURE_CLIENT_ID", SECRET])?;
    Ok(())
}

/// The form as the environment fills it in.
pub(crate) fn from_env(
    environment: &Environment,
    redirect_uri: &str,
) -> Result<Form, Box<dyn Error>> {
    let get = |name: &str| environment.get(name).unwrap_or_default().trim().to_owned();
    Ok(Form {
        name: "my-company".to_owned(),
        title: "my company".to_owned(),
        tenant: get("AZURE_TENANT_ID"),
        domain: get(DOMAIN),
        client: get("AZURE_CLIENT_ID"),
        secret: get(SECRET).into(),
        redirect_uri: redirect_uri.to_owned(),
        cloud: environment.cloud()?,
        clock: Arc::new(SystemClock),
    })
}

/// The password of the local administrator. A file with the line ends of Windows leaves one at its end, which no browser
/// sends.
pub(crate) fn local_password(environment: &Environment) -> Option<Secret> {
    let password = environment.get(PASSWORD)?;
    Some(Secret::from(password.trim_end_matches(['\r', '\n'])))
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
/// A domain of the users' addresses, by which the tenant is found if its ID is missing.
const DOMAIN: &str = "CONTACT_CENTER_DOMAIN";
/// The password of a local administrator, who can enter if the connection fails.
const PASSWORD: &str = "CONTACT_CENTER_PASSWORD";
const ADMINISTRATOR: &str = "admin@localhost";

/// A step on the fake tenant would look as if it had been done.
const ONLY_ENV: &str =
    "--step is for the tenant of the environment, and this run has a fake one: add --tenant env";
