//! Which identity this program has here: the default chain, which link answered, and why the others
//! did not.
//!
//! ```text
//! cargo run --example who_am_i                     # on a fake tenant inside the process
//! cargo run --example who_am_i -- --tenant env     # with whatever this machine has
//! ```
//!
//! Start reading at [`look`].

pub(crate) mod claims;

use std::{env, error::Error, fmt::Write as _, fs, process::ExitCode};

use clap::{Parser, ValueEnum};
use entra_auth::{
    ChainReport, DefaultCredential, DefaultCredentialBuilder, Environment, LinkOutcome,
};
use entra_core::{
    AccessToken, ReqwestTransport, TokenCredential, TokenRequest,
    time::format_description::well_known::Rfc3339,
};
use entra_mock::FakeTenant;

/// Shows which identity the default chain finds on this machine.
#[derive(Debug, Parser)]
#[command(name = "who_am_i")]
struct Arguments {
    /// The tenant: a fake one inside this process, or whatever the environment, this machine and its
    /// command line tools lead to (SSL_CERT_FILE replaces the trusted roots).
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// What the token is for; another cloud than the public one has a Graph of its own.
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
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    match arguments.tenant {
        Tenant::Embedded => embedded(&arguments.scope).await,
        Tenant::Env => {
            let mut builder = DefaultCredential::builder(&Environment::from_env());
            if let Ok(path) = env::var("SSL_CERT_FILE") {
                let roots =
                    fs::read(&path).map_err(|error| format!("{path} cannot be read: {error}"))?;
                let transport = ReqwestTransport::builder().add_roots_pem(&roots)?;
                builder = builder.transport(transport.only_given_roots().build());
            }
            look("this machine", builder, &arguments.scope).await
        }
    }
}

/// An app host of a made-up tenant, which has a managed identity and nothing else.
pub(crate) async fn embedded(scope: &str) -> Result<String, Box<dyn Error>> {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Web shop")
        .application_permission("User.Read.All");
    let host = Environment::from_pairs(tenant.managed_identities(&[&app]));
    let builder = DefaultCredential::builder(&host).clock(tenant.clock());
    let place = format!(
        "an app host of the embedded fake tenant {}",
        tenant.domain()
    );
    look(&place, builder, scope).await
}

/// Asks the chain for a token and says how that went, link by link.
async fn look(
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
        Err(error) => Err(format!("Signing in from {place}\n\n{links}\nNo token: {error}").into()),
    }
}

fn links(report: &ChainReport) -> String {
    let mut text = String::new();
    for (name, outcome) in report.links() {
        let what = match outcome {
            LinkOutcome::Succeeded => "gave the token".to_owned(),
            LinkOutcome::NotTried => "not tried".to_owned(),
            LinkOutcome::Failed(_) => format!("failed: {}", outcome.reason().unwrap_or_default()),
            _ => outcome.reason().unwrap_or_default(),
        };
        let _ = writeln!(text, "  {name:<28}{what}");
        if let Some(fix) = outcome.fix() {
            let _ = writeln!(text, "  {:<28}-> {fix}", "");
        }
    }
    text
}

/// What the token says about its bearer.
fn identity(token: &AccessToken) -> String {
    let mut text = String::from("Signed in as\n");
    match claims::read(token.expose_secret()) {
        Some(claims) => {
            for (label, value) in claims {
                let _ = writeln!(text, "  {label:<14}{value}");
            }
        }
        None => {
            text.push_str("  somebody whose token is not readable, as a resource's tokens may be\n")
        }
    }
    let until = token.expires_on().format(&Rfc3339).unwrap_or_default();
    let _ = write!(text, "  {:<14}{until}", "until");
    text
}
