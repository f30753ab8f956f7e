//! A terminal tool whose users sign in with a browser on any device, and what the tool then knows about
//! them.
//!
//! ```text
//! cargo run --example device_login                     # on a fake tenant, where Adele signs in by herself
//! cargo run --example device_login -- --tenant env     # shows a code to sign in with
//! ```
//!
//! Start reading at [`sign_in`].

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, ValueEnum};
use entra_auth::{
    Environment,
    user::{Account, DeviceCodeCredential},
};
use entra_graph::{GraphClient, User};
use entra_mock::FakeTenant;

/// Signs a user in with a code, and shows the user's account.
#[derive(Debug, Parser)]
#[command(name = "device_login")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID and
    /// ENTRA_PUBLIC_CLIENT_ID (or AZURE_CLIENT_ID) name.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
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
    match arguments.tenant {
        Tenant::Embedded => embedded(&Arc::new(FakeTenant::start().await), out).await,
        Tenant::Env => {
            let environment = Environment::from_env().with_variables([PUBLIC_CLIENT]);
            let (credential, graph) = from_env(&environment)?;
            writeln!(out, "Signing in to tenant {}\n", environment.tenant_id()?)?;
            sign_in(&credential, &graph, out).await
        }
    }
}

/// Signs a user in, and reads the user's entry in the directory as that user.
async fn sign_in(
    credential: &DeviceCodeCredential,
    graph: &GraphClient,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let user = credential.sign_in([SCOPE]).await?;
    writeln!(out, "Signed in")?;
    let account = user.account();
    let (object_id, home) = home_ids(account);
    line(out, "name", account.name.as_deref())?;
    line(out, "user name", account.username.as_deref())?;
    line(out, "object id", Some(object_id))?;
    line(out, "tenant", Some(&account.tenant.to_string()))?;
    if home != account.tenant.to_string() {
        line(out, "guest from", Some(home))?;
        // This tenant knows a guest under another object ID than the home tenant.
        return Ok(());
    }

    // Sends no sign-in: the credential has the user's tokens and renews them.
    let user = graph
        .user(object_id)
        .get()
        .select((User::MAIL, User::JOB_TITLE, User::OFFICE_LOCATION))
        .send()
        .await?;
    writeln!(out, "\nRead from Microsoft Graph as this user")?;
    line(out, "mail", user.mail.as_deref())?;
    line(out, "job title", user.job_title.as_deref())?;
    line(out, "office", user.office_location.as_deref())?;
    Ok(())
}

/// A fake company, where a sample user enters the code at once.
pub(crate) async fn embedded(
    tenant: &Arc<FakeTenant>,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let app = tenant
        .register_app("Terminal tool")
        .public_client()
        .delegated_permission(SCOPE);
    let browser = Arc::clone(tenant);
    let credential = DeviceCodeCredential::builder(tenant.id(), app.client_id(), move |prompt| {
        eprintln!("{}", prompt.message);
        browser.approve_device_code(&prompt.user_code, SAMPLE_USER);
        eprintln!("{SAMPLE_USER} has done so.\n");
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()?;
    let graph = GraphClient::builder(credential.clone())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    writeln!(out, "Signing in to the fake tenant {}\n", tenant.domain())?;
    sign_in(&credential, &graph, out).await
}

/// The tenant of the environment, where the user of the terminal signs in.
pub(crate) fn from_env(
    environment: &Environment,
) -> Result<(DeviceCodeCredential, GraphClient), Box<dyn Error>> {
    let client = match environment.get(PUBLIC_CLIENT) {
        Some(id) => id
            .trim()
            .parse()
            .map_err(|error| format!("{PUBLIC_CLIENT} is invalid: {error}"))?,
        None => {
            environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
            environment.client_id()?
        }
    };
    let credential = DeviceCodeCredential::builder(environment.tenant_id()?, client, |prompt| {
        eprintln!("{}\n", prompt.message);
    })
    .cloud(environment.cloud()?)
    .build()?;
    let graph = GraphClient::builder(credential.clone())
        .environment(environment)
        .build()?;
    Ok((credential, graph))
}

/// Object ID and tenant ID in the user's home tenant.
fn home_ids(account: &Account) -> (&str, &str) {
    let id = &account.home_account_id;
    id.split_once('.').unwrap_or((id, ""))
}

/// Users choose their names, so control characters are replaced: they could steer the terminal.
fn line(out: &mut impl Write, label: &str, value: Option<&str>) -> io::Result<()> {
    let value = value.unwrap_or("-").replace(char::is_control, "\u{fffd}");
    writeln!(out, "  {label:<12}{value}")
}

/// The user's own entry in the directory.
const SCOPE: &str = "User.Read";
const SAMPLE_USER: &str = "adele@contoso.com";
/// An app registration without a secret, if another example uses AZURE_CLIENT_ID with one.
const PUBLIC_CLIENT: &str = "ENTRA_PUBLIC_CLIENT_ID";
