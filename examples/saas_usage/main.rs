//! Who uses which app in a tenant: the applications, the users assigned to each, the users who sign in, and
//! their last sign-in.
//!
//! ```text
//! cargo run --example saas_usage                                      # registered and read in a fake tenant
//! cargo run --example saas_usage -- --tenant env                      # on the tenant of the environment
//! cargo run --example saas_usage -- --tenant env --sign-in code       # as an administrator who signs in
//! cargo run --example saas_usage -- --tenant env --step apply         # registers it; the secret goes to ./.env
//! cargo run --example saas_usage -- --tenant env --sign-in code --step apply   # its ids go to ./administrator.env
//! ```
//!
//! Start reading at [`report`]; copy `collect.rs` for your own.

pub(crate) mod charts;
pub(crate) mod collect;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod pace;
pub(crate) mod progress;
pub(crate) mod setup;
pub(crate) mod table;
pub(crate) mod tenant;
pub(crate) mod text;
pub(crate) mod usage;

use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use entra_auth::{Environment, EnvironmentCredential};
use entra_graph::{GraphClient, registration::EnvFile};

use progress::Progress;
use setup::SignIn;
use tenant::Connection;
use usage::Report;

/// Shows who uses which app in an Entra tenant.
#[derive(Debug, Parser)]
#[command(name = "saas_usage")]
pub(crate) struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID, AZURE_CLIENT_ID
    /// and AZURE_CLIENT_SECRET name (outside of the public cloud also AZURE_AUTHORITY_HOST and
    /// ENTRA_GRAPH_URL).
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Who reads the report. A user takes the application of ENTRA_PUBLIC_CLIENT_ID, if that is another one.
    #[arg(long, value_enum, default_value_t = SignIn::Application)]
    sign_in: SignIn,
    /// What to do in the tenant of the environment.
    #[arg(long, value_enum, default_value_t = Step::Run)]
    step: Step,
    /// The environment file for the ids and the secret; ./.env, or for an administrator ./administrator.env unless given.
    #[arg(long, value_name = "PATH")]
    env_file: Option<PathBuf>,
    /// How many days to look back; Entra stores sign-ins for 30 days.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Print only JSON on standard output.
    #[arg(long)]
    json: bool,
    /// The file of the page with charts.
    #[arg(long, value_name = "PATH", default_value = "saas-usage.html")]
    html: PathBuf,
    /// The number of users of the fake tenant.
    #[arg(long, value_name = "N", default_value_t = 60)]
    users: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Reads and writes the report.
    Run,
    /// Prints what the registration lacks, as the application of the environment, which registers others.
    Plan,
    /// Adds that, and writes ids and secret to the environment file.
    Apply,
    /// Prints the guide for an administrator who registers it by hand.
    Guide,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` is the whole report: what happened, why, and how to fix it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    match arguments.step {
        Step::Run => report(arguments).await,
        step => set_up(step, arguments).await,
    }
}

async fn set_up(step: Step, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let sign_in = arguments.sign_in;
    let blueprint = sign_in.blueprint()?;
    let environment = Environment::from_env();
    if step == Step::Guide {
        let guide = blueprint.guide_for(&environment.cloud()?);
        print!("{}", guide.to_markdown());
        return Ok(());
    }
    // A tenant is only changed if the command names it.
    if arguments.tenant == Tenant::Embedded {
        return Err(ONLY_ENV.into());
    }
    let graph = GraphClient::builder(EnvironmentCredential::builder(&environment).build()?)
        .environment(&environment)
        .build()?;
    let path = arguments.env_file.as_deref();
    let path = path.unwrap_or_else(|| Path::new(sign_in.file()));
    let (mut file, mut out) = (EnvFile::new(path), io::stdout());
    if step == Step::Plan {
        write!(out, "{}", blueprint.plan_with(&graph, &mut file).await?)?;
        return Ok(());
    }
    let applied = setup::apply(&graph, &blueprint, &mut file, &mut out).await?;
    writeln!(
        out,
        "\n{applied}\nThe values are in {}: set -a; . {}; set +a",
        path.display(),
        Path::new(".").join(path).display()
    )?;
    Ok(())
}

async fn report(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    // With --json, standard output has the document only.
    let mut messages: Box<dyn Write + Send> = if arguments.json {
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout())
    };
    let sign_in = arguments.sign_in;
    let connection = match arguments.tenant {
        Tenant::Embedded => Connection::embedded(arguments.users, sign_in, &mut messages).await?,
        Tenant::Env => {
            let environment = Environment::from_env().with_variables([tenant::PUBLIC_CLIENT]);
            Connection::from_env(&environment, sign_in)?
        }
    };
    writeln!(messages, "Reading {}\n", connection.place)?;

    if sign_in != SignIn::Application
        && let Some(note) = connection.licence_of_the_user().await?
    {
        writeln!(messages, "{note}\n")?;
    }
    let facts = collect::collect(&connection, arguments.days, &Progress::on_terminal()).await?;
    let report = Report::of(&facts);
    let requests = connection.requests();

    fs::write(&arguments.html, html::page(&report, requests)).map_err(|error| {
        format!(
            "cannot write {}: {error}; name another file with --html",
            arguments.html.display()
        )
    })?;
    if arguments.json {
        json::write(&report, requests, &mut io::stdout().lock())?;
    } else {
        table::write(&report, &mut messages)?;
    }
    writeln!(
        messages,
        "\n{} to Microsoft Graph; the page with charts is {}",
        text::counted(requests, "request", "requests"),
        arguments.html.display()
    )?;
    Ok(())
}

const ONLY_ENV: &str =
    "--step is for the tenant of the environment, and this run has a fake one: add --tenant env";
