//! Who uses which app in a tenant: which applications there are, who is assigned to each, who
//! really signs in, and when last.
//!
//! ```text
//! cargo run --example saas_usage                     # on a fake tenant inside the process
//! cargo run --example saas_usage -- --tenant env     # on the one that AZURE_TENANT_ID … name
//! ```
//!
//! Start reading at [`report`]; copy `collect.rs` for your own.

pub(crate) mod charts;
pub(crate) mod collect;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod pace;
pub(crate) mod problem;
pub(crate) mod progress;
pub(crate) mod settings;
pub(crate) mod table;
pub(crate) mod tenant;
pub(crate) mod text;
pub(crate) mod usage;

use std::{
    env, fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};

use problem::Problem;
use progress::Progress;
use tenant::Connection;
use usage::Report;

/// Shows who uses which app in an Entra tenant.
#[derive(Debug, Parser)]
#[command(name = "saas_usage")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID, AZURE_CLIENT_ID
    /// and AZURE_CLIENT_SECRET name (elsewhere than in the public cloud also AZURE_AUTHORITY_HOST
    /// and ENTRA_GRAPH_URL; SSL_CERT_FILE replaces the trusted roots).
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// How many days to look back; the sign-in log keeps 30.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Print JSON on standard output, and nothing else there.
    #[arg(long)]
    json: bool,
    /// Where to write the page.
    #[arg(long, value_name = "PATH", default_value = "saas-usage.html")]
    html: PathBuf,
    /// How many people the fake tenant has.
    #[arg(long, value_name = "N", default_value_t = 60)]
    users: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[tokio::main]
async fn main() -> ExitCode {
    match report(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn report(arguments: &Arguments) -> Result<(), Problem> {
    let connection = match arguments.tenant {
        Tenant::Embedded => Connection::embedded(arguments.users).await?,
        Tenant::Env => Connection::from_env(|name| env::var(name).ok())?,
    };
    // With --json, standard output is for the document alone.
    let mut people: Box<dyn Write> = if arguments.json {
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout())
    };
    writeln!(people, "Reading {}\n", connection.place)?;

    let facts = collect::collect(&connection, arguments.days, &Progress::on_terminal()).await?;
    let report = Report::of(&facts);
    let requests = connection.requests();

    fs::write(&arguments.html, html::page(&report, requests)).map_err(|error| {
        Problem::new(format!("{} cannot be written", arguments.html.display()))
            .because(&error)
            .with_fix("name another file with --html")
    })?;
    if arguments.json {
        json::write(&report, requests, &mut io::stdout().lock())?;
    } else {
        table::write(&report, &mut people)?;
    }
    writeln!(
        people,
        "\n{} to Microsoft Graph; the page with charts is {}",
        text::counted(requests, "request", "requests"),
        arguments.html.display()
    )?;
    Ok(())
}
