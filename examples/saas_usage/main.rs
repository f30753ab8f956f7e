//! Who uses which app in a tenant: the applications, the users assigned to each, the users who sign in, and
//! their last sign-in.
//!
//! ```text
//! cargo run --example saas_usage                     # on a fake tenant inside the process
//! cargo run --example saas_usage -- --tenant env     # on the tenant of the environment
//! ```
//!
//! Start reading at [`report`]; copy `collect.rs` for your own.

pub(crate) mod charts;
pub(crate) mod collect;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod pace;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod tenant;
pub(crate) mod text;
pub(crate) mod usage;

use std::{
    error::Error,
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use entra_auth::Environment;

use progress::Progress;
use tenant::Connection;
use usage::Report;

/// Shows who uses which app in an Entra tenant.
#[derive(Debug, Parser)]
#[command(name = "saas_usage")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID, AZURE_CLIENT_ID
    /// and AZURE_CLIENT_SECRET name (outside of the public cloud also AZURE_AUTHORITY_HOST and
    /// ENTRA_GRAPH_URL).
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
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

#[tokio::main]
async fn main() -> ExitCode {
    match report(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `{:#}` is the whole report: what happened, why, and how to fix it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn report(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let connection = match arguments.tenant {
        Tenant::Embedded => Connection::embedded(arguments.users).await?,
        Tenant::Env => Connection::from_env(&Environment::from_env())?,
    };
    // With --json, standard output has the document only.
    let mut messages: Box<dyn Write> = if arguments.json {
        Box::new(io::stderr())
    } else {
        Box::new(io::stdout())
    };
    writeln!(messages, "Reading {}\n", connection.place)?;

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
