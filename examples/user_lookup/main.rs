//! The phone book of a phone system: users of a customer's directory by name, mail address and phone number. In a
//! second stage users sign in at its two portals by the same registration.
//!
//! ```text
//! cargo run --example user_lookup                                    # both stages, in a fake tenant
//! cargo run --example user_lookup -- --serve --port 3000             # keeps the portals open for a browser
//! cargo run --example user_lookup -- --tenant env --step apply       # registers it; the secret goes to ./.env
//! cargo run --example user_lookup -- --tenant env adele "+49 89"     # looks users up
//! ```
//!
//! Start reading at [`lookup::find`] and, for the portals, at [`portals::routes`].

pub(crate) mod connection;
pub(crate) mod lookup;
pub(crate) mod pages;
pub(crate) mod phone;
pub(crate) mod portals;
pub(crate) mod setup;
pub(crate) mod visit;

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use axum::Router;
use clap::{Parser, ValueEnum};
use entra_auth::{Environment, EnvironmentCredential, entra_core::ObjectId};
use entra_graph::{
    GraphClient,
    registration::{EnvFile, MemorySink},
};
use entra_mock::FakeTenant;
use tokio::net::TcpListener;

use connection::Connection;
use lookup::Entry;
use setup::{ADDRESS, Stage};
use visit::Visitor;

/// Looks users of a directory up.
#[derive(Debug, Parser)]
#[command(name = "user_lookup")]
pub(crate) struct Arguments {
    /// What to look up: the start of a name, a mail address or a phone number.
    text: Vec<String>,
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID, AZURE_CLIENT_ID and
    /// AZURE_CLIENT_SECRET name.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// What to do in the tenant of the environment.
    #[arg(long, value_enum, default_value_t = Step::Run)]
    step: Step,
    /// The environment file for the ids and the secret.
    #[arg(long, value_name = "PATH", default_value = ".env")]
    env_file: PathBuf,
    /// With the second stage: the portals that users sign in to.
    #[arg(long)]
    portals: bool,
    /// Keep serving the portals without a terminal.
    #[arg(long)]
    serve: bool,
    /// The port of the portals; any free port by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The address of the portals, for the registration.
    #[arg(long, default_value = ADDRESS)]
    url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Looks users up, or serves the portals.
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
        let blueprint = stage(arguments).blueprint(&arguments.url)?;
        let guide = blueprint.guide_for(&cloud);
        write!(out, "{}", guide.to_markdown())?;
        return Ok(0);
    }
    if arguments.tenant == Tenant::Env {
        let environment = Environment::from_env().with_variables([connection::EXPIRES, MANAGER]);
        return from_env(arguments, &environment, out).await;
    }
    if arguments.step != Step::Run {
        return Err(ONLY_ENV.into());
    }
    let tenant = FakeTenant::start().await;
    let (socket, url) = listen(arguments.port).await?;
    let texts: Vec<&str> = match arguments.text.is_empty() {
        true => SAMPLES.to_vec(),
        false => arguments.text.iter().map(String::as_str).collect(),
    };
    let routes = embedded(&tenant, &url, &texts, out).await?;
    if arguments.serve || io::stdin().is_terminal() {
        writeln!(
            out,
            "\nThe portals are at {url}; stop the program with Ctrl-C."
        )?;
        tokio::select! {
            () = serve(socket, routes) => {}
            () = keep_time(&tenant) => {}
        }
        return Ok(0);
    }
    let server = tokio::spawn(serve(socket, routes));
    let outcome = visit(&url, &tenant, out).await;
    server.abort();
    outcome.map(|()| 0)
}

const fn stage(arguments: &Arguments) -> Stage {
    match arguments.portals {
        true => Stage::SignIn,
        false => Stage::LookUp,
    }
}

/// From a tenant that does not know the phone system to look-ups, and on to portals that users can sign in to.
pub(crate) async fn embedded(
    tenant: &FakeTenant,
    url: &str,
    texts: &[&str],
    out: &mut impl Write,
) -> Result<Router, Box<dyn Error>> {
    for (name, business, mobile) in PHONES {
        let user = tenant.user(&format!("{name}@{}", tenant.domain()));
        user.set("businessPhones", vec![business].into());
        user.set("mobilePhone", mobile.into());
    }
    let administrator = setup::administrator(tenant)?;
    let mut sink = MemorySink::new().clock(tenant.clock());
    writeln!(out, "Stage one: look-ups\n")?;
    let blueprint = Stage::LookUp.blueprint(url)?;
    let applied = setup::apply(&administrator, &blueprint, &mut sink, out).await?;
    let connection = Connection::applied(tenant, &applied, &sink)?;
    look_up(&connection, texts, out).await?;

    writeln!(out, "\nStage two: portals\n")?;
    let blueprint = Stage::SignIn.blueprint(url)?;
    setup::apply(&administrator, &blueprint, &mut sink, out).await?;
    let manager = tenant
        .user(&format!("{MANAGER_NAME}@{}", tenant.domain()))
        .id();
    portals::routes(url, &connection, Some(manager), tips(tenant))
}

/// Looks each text up, and prints what is found.
async fn look_up(
    connection: &Connection,
    texts: &[&str],
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    if let Some(warning) = connection.expiry_warning() {
        writeln!(out, "warning: {warning}\n")?;
    }
    let graph = connection.graph()?;
    for text in texts {
        let found = lookup::find(&graph, text).await?;
        let count = match (found.entries.len(), found.more) {
            (1, _) => "1 user".to_owned(),
            (number, true) => format!("{number} users, and more"),
            (number, false) => format!("{number} users"),
        };
        writeln!(out, "{text:?}: {count}")?;
        if let Some(hint) = found.hint {
            writeln!(out, "  {hint}")?;
        }
        for entry in &found.entries {
            writeln!(out, "{}", line(entry))?;
        }
    }
    Ok(())
}

/// An entry in columns, which longer names widen.
pub(crate) fn line(entry: &Entry) -> String {
    let line = format!(
        "  {:<13} {:<25} {}",
        entry.name,
        entry.mail,
        entry.phones.join(", ")
    );
    // Users choose their names, and a control character could steer the terminal.
    let line = line.replace(char::is_control, "\u{fffd}");
    line.trim_end().to_owned()
}

/// A user looks at the own entry, the manager looks others up, and another user may not.
pub(crate) async fn visit(
    url: &str,
    tenant: &FakeTenant,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let name = |alias: &str| format!("{alias}@{}", tenant.domain());
    Visitor::new(url, tenant, out)
        .sign_in("user", &name("felix"))
        .await?;
    Visitor::new(url, tenant, out)
        .sign_in("manager", &name("felix"))
        .await?;
    let mut manager = Visitor::new(url, tenant, out);
    manager.sign_in("manager", &name(MANAGER_NAME)).await?;
    manager.body("/manager?text=felix").await?;
    Ok(())
}

/// The phone system of the environment; returns the exit code.
async fn from_env(
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
            let blueprint = stage(arguments).blueprint(&arguments.url)?;
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
            let report = connection::test(environment, stage(arguments), &arguments.url)?
                .run()
                .await;
            writeln!(out, "{report}")?;
            return Ok(report.exit_code());
        }
        Step::Run | Step::Guide if !arguments.portals => {
            let connection = Connection::from_env(environment)?;
            if arguments.text.is_empty() {
                return Err("enter a name, a mail address or a phone number to look up".into());
            }
            let texts: Vec<&str> = arguments.text.iter().map(String::as_str).collect();
            look_up(&connection, &texts, out).await?;
        }
        Step::Run | Step::Guide => {
            let connection = Connection::from_env(environment)?;
            let (socket, url) = listen(arguments.port).await?;
            let manager = manager(environment)?;
            let routes = portals::routes(&url, &connection, manager, String::new())?;
            writeln!(
                out,
                "The portals of tenant {} are at {url}",
                connection.tenant
            )?;
            if manager.is_none() {
                writeln!(
                    out,
                    "{MANAGER} is not set: all users may enter the manager portal, guests too"
                )?;
            }
            serve(socket, routes).await;
        }
    }
    Ok(0)
}

fn manager(environment: &Environment) -> Result<Option<ObjectId>, Box<dyn Error>> {
    match environment.get(MANAGER).map(str::trim) {
        None | Some("") => Ok(None),
        Some(id) => Ok(Some(id.parse().map_err(|error| {
            format!("{MANAGER} is not the object ID of a user: {error}")
        })?)),
    }
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

/// Advances the clock of the fake tenant, which stands still otherwise.
async fn keep_time(tenant: &FakeTenant) {
    let second = Duration::from_secs(1);
    let mut ticks = tokio::time::interval(second);
    loop {
        ticks.tick().await;
        tenant.clock().advance(second);
    }
}

/// The sample users, for the front page.
fn tips(tenant: &FakeTenant) -> String {
    let mut tips = String::from(
        "<section class=\"card tips\" aria-labelledby=\"tips\"><h2 id=\"tips\">Sample users</h2>\n\
         <p class=\"soft\">They exist in this program only.</p>\n<ul>\n",
    );
    for (alias, what) in [
        (MANAGER_NAME, "The manager, who may enter both portals"),
        ("felix", "May enter the user portal"),
    ] {
        let name = format!("{alias}@{}", tenant.domain());
        let password = tenant.user(&name).password();
        tips += &format!(
            "<li class=\"sample-user\"><code>{name}</code> <code>{}</code> <span class=\"soft\">{what}</span></li>\n",
            password.expose_secret()
        );
    }
    tips + "</ul></section>\n"
}

/// Numbers of the fake tenant's users.
const PHONES: [(&str, &str, &str); 3] = [
    ("adele", "+49 89 5550100", "+49 171 5550100"),
    ("felix", "+49 89 5550117", "+49 171 5550117"),
    ("bruno", "+43 1 5550120", "+43 660 5550120"),
];
const SAMPLES: [&str; 3] = ["adele", "felix@", "+49 89"];
const MANAGER_NAME: &str = "adele";
/// The object ID of the user who may enter the manager portal; all users may without it.
const MANAGER: &str = "PHONE_SYSTEM_MANAGER_ID";

/// A step on the fake tenant would look as if it had been done.
const ONLY_ENV: &str =
    "--step is for the tenant of the environment, and this run has a fake one: add --tenant env";
