//! A tool for the terminal whose users sign in with a browser on any device, and what it then knows
//! of them.
//!
//! ```text
//! cargo run --example device_login                     # on a fake tenant, where Adele signs in by herself
//! cargo run --example device_login -- --tenant env     # shows a code to sign in with
//! ```
//!
//! Start reading at [`sign_in`].

#[path = "../saas_usage/problem.rs"]
pub(crate) mod problem;
#[path = "../saas_usage/settings.rs"]
pub(crate) mod settings;

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, ValueEnum};
use entra_auth::user::{Account, DeviceCodeCredential};
use entra_graph::{GraphClient, User};
use entra_mock::FakeTenant;

use problem::Problem;
use settings::{CLIENT, Settings};

/// Signs a person in with a code, and shows who it is.
#[derive(Debug, Parser)]
#[command(name = "device_login")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID and
    /// ENTRA_PUBLIC_CLIENT_ID (or else AZURE_CLIENT_ID) name.
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
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Problem> {
    match arguments.tenant {
        Tenant::Embedded => embedded(&Arc::new(FakeTenant::start().await), out).await,
        Tenant::Env => {
            let (credential, graph, place) = from_env(|name| env::var(name).ok())?;
            writeln!(out, "Signing in to {place}\n")?;
            sign_in(&credential, &graph, out).await
        }
    }
}

/// The code is shown, and somebody signs in with it; then the tool asks Graph as that person.
async fn sign_in(
    credential: &DeviceCodeCredential,
    graph: &GraphClient,
    out: &mut impl Write,
) -> Result<(), Problem> {
    let person = credential.sign_in([SCOPE]).await?;
    writeln!(out, "Signed in")?;
    let account = person.account();
    let (object_id, home) = parts(account);
    line(out, "name", account.name.as_deref())?;
    line(out, "user name", account.username.as_deref())?;
    line(out, "object id", Some(object_id))?;
    line(out, "tenant", Some(&account.tenant.to_string()))?;
    if home != account.tenant.to_string() {
        line(out, "guest from", Some(home))?;
        // There the object id is another one than here, so Graph would not know it.
        return Ok(());
    }

    // No sign-in any more: the credential has the person's tokens, and renews them.
    let user = graph.user(object_id).get();
    let user = user
        .select([User::MAIL, User::JOB_TITLE, User::OFFICE_LOCATION])
        .send()
        .await?;
    writeln!(out, "\nMicrosoft Graph says of this person, as the person")?;
    line(out, "mail", user.mail.as_deref())?;
    line(out, "job title", user.job_title.as_deref())?;
    line(out, "office", user.office_location.as_deref())?;
    Ok(())
}

/// A fake company and the code's two sides: it is shown, and a sample person types it.
pub(crate) async fn embedded(
    tenant: &Arc<FakeTenant>,
    out: &mut impl Write,
) -> Result<(), Problem> {
    let app = tenant
        .register_app("Tool for the terminal")
        .public_client()
        .delegated_permission(SCOPE);
    let browser = Arc::clone(tenant);
    let credential = DeviceCodeCredential::builder(tenant.id(), app.client_id(), move |prompt| {
        eprintln!("{}", prompt.message);
        browser.approve_device_code(&prompt.user_code, PERSON);
        eprintln!("{PERSON} has done so.\n");
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()?;
    let graph = GraphClient::builder(credential.clone());
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock()).build()?;
    writeln!(
        out,
        "Signing in to the embedded fake tenant {} ({}), made up for this run\n",
        tenant.domain(),
        tenant.id()
    )?;
    sign_in(&credential, &graph, out).await
}

/// The tenant that the environment names, where the person at the terminal signs in.
pub(crate) fn from_env(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(DeviceCodeCredential, GraphClient, String), Problem> {
    let named = variable(PUBLIC_CLIENT).is_some_and(|value| !value.trim().is_empty());
    let settings = Settings::read(variable, if named { PUBLIC_CLIENT } else { CLIENT }, &[])?;
    let (place, transport) = (settings.place(), settings.transport()?);
    let credential = DeviceCodeCredential::builder(settings.tenant, settings.client, |prompt| {
        eprintln!("{}\n", prompt.message);
    })
    .cloud(settings.cloud.clone())
    .transport(Arc::clone(&transport))
    .build()?;
    let graph = GraphClient::builder(credential.clone());
    let graph = graph.cloud(settings.cloud).transport(transport).build()?;
    Ok((credential, graph, place))
}

/// Object id and tenant of the person's home.
fn parts(account: &Account) -> (&str, &str) {
    let id = &account.home_account_id;
    id.split_once('.').unwrap_or((id, ""))
}

/// People choose their names: nothing in one may steer the terminal.
fn line(out: &mut impl Write, label: &str, value: Option<&str>) -> io::Result<()> {
    let value: String = value
        .unwrap_or("-")
        .chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect();
    writeln!(out, "  {label:<12}{value}")
}

/// A person's own entry in the directory.
const SCOPE: &str = "User.Read";
const PERSON: &str = "adele@contoso.com";
/// What another application of the same environment file may need a secret for, this one does not.
const PUBLIC_CLIENT: &str = "ENTRA_PUBLIC_CLIENT_ID";
