//! Which identity a program has on this machine: the default chain, the link that gave the token, and why
//! the other links did not.
//!
//! ```text
//! cargo run --example who_am_i                     # on a fake tenant inside the process
//! cargo run --example who_am_i -- --tenant env     # with what this machine has
//! ```
//!
//! Start reading at [`sign_in`].

pub(crate) mod claims;

use std::{error::Error, fmt::Write as _, process::ExitCode};

use clap::{Parser, ValueEnum};
use entra_auth::{
    ChainReport, DefaultCredential, DefaultCredentialBuilder, Environment, LinkOutcome,
    entra_core::{
        AccessToken, TokenCredential, TokenRequest, time::format_description::well_known::Rfc3339,
    },
};
use entra_mock::FakeTenant;

/// Shows which identity the default chain finds on this machine.
#[derive(Debug, Parser)]
#[command(name = "who_am_i")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one of the environment, of this machine or of
    /// its command line tools.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// The scope of the token; each cloud has its own Microsoft Graph.
    #[arg(long, default_value = "https://graph.microsoft.com/.default")]
    scope: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tenant {
    Embedded,
    Env,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(page) => {
            println!("{page}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    match arguments.tenant {
        Tenant::Embedded => embedded(&arguments.scope).await,
        Tenant::Env => {
            let builder = DefaultCredential::builder(&Environment::from_env());
            sign_in("this machine", builder, &arguments.scope).await
        }
    }
}

/// An app host of a fake tenant, with a managed identity only.
pub(crate) async fn embedded(scope: &str) -> Result<String, Box<dyn Error>> {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Web shop")
        .application_permission("User.Read.All");
    let host = Environment::from_pairs(tenant.managed_identities(&[&app]));
    let builder = DefaultCredential::builder(&host).clock(tenant.clock());
    let place = format!("an app host of the fake tenant {}", tenant.domain());
    sign_in(&place, builder, scope).await
}

/// Gets a token from the chain and describes the outcome of each link.
async fn sign_in(
    place: &str,
    builder: DefaultCredentialBuilder,
    scope: &str,
) -> Result<String, Box<dyn Error>> {
    let credential = builder.build()?;
    let outcome = credential.token(&TokenRequest::new([scope])).await;
    let links = links(&credential.report());
    match outcome {
        Ok(token) => Ok(format!(
            "Signing in from {place}\n\n{links}\n{}",
            identity(&token)
        )),
        Err(error) => Err(format!("no token from {place}\n\n{links}\n{error:#}").into()),
    }
}

fn links(report: &ChainReport) -> String {
    let mut text = String::new();
    for (name, outcome) in report.links() {
        let result = match outcome {
            LinkOutcome::Succeeded => "gave the token".to_owned(),
            LinkOutcome::NotTried => "not tried".to_owned(),
            LinkOutcome::Failed(_) => format!("failed: {}", outcome.reason().unwrap_or_default()),
            _ => outcome.reason().unwrap_or_default(),
        };
        let _ = writeln!(text, "  {name:<28}{result}");
        if let Some(fix) = outcome.fix() {
            let _ = writeln!(text, "  {:<28}-> {fix}", "");
        }
    }
    text
}

/// The claims of the token about its bearer.
fn identity(token: &AccessToken) -> String {
    let mut text = String::from("Signed in as\n");
    match claims::read(token.expose_secret()) {
        Some(claims) => {
            for (label, value) in claims {
                let _ = writeln!(text, "  {label:<14}{value}");
            }
        }
        None => text.push_str("  an identity that the token does not name: it is not a JWT\n"),
    }
    let expires_on = token.expires_on().format(&Rfc3339).unwrap_or_default();
    let _ = write!(text, "  {:<14}{expires_on}", "expires on");
    text
}
