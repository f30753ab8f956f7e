//! An API of one's own that people and services call with tokens of Entra: who may call what, and
//! what everybody else is answered.
//!
//! ```text
//! cargo run --example protected_api                     # with a fake tenant: calls itself, and prints the answers
//! cargo run --example protected_api -- --serve          # goes on listening
//! cargo run --example protected_api -- --tenant env     # listens for tokens of your tenant
//! ```
//!
//! Start reading at [`api::routes`].

pub(crate) mod api;
pub(crate) mod callers;
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

use axum::Router;
use clap::{Parser, ValueEnum};
use entra_auth::{TokenValidator, validate::TokenValidatorBuilder};
use entra_core::{ClientId, HttpTransport, ReqwestTransport, TenantId, bytes::Bytes, http};
use entra_mock::FakeTenant;
use tokio::{net::TcpListener, task::JoinHandle};

use callers::Call;
use problem::Problem;
use settings::{CLIENT, Settings};

/// Serves an API that is called with tokens of Entra.
#[derive(Debug, Parser)]
#[command(name = "protected_api")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID names, with the
    /// API's registration in AZURE_CLIENT_ID.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Go on listening after the calls of the fake tenant's people; a tenant of the environment has
    /// callers of its own, so it always does.
    #[arg(long)]
    serve: bool,
    /// The port to listen on; any free one unless given.
    #[arg(long, default_value_t = 0)]
    port: u16,
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
    let socket = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .map_err(|error| {
            let what = format!("port {} cannot be listened on", arguments.port);
            Problem::new(what).because(&error)
        })?;
    match arguments.tenant {
        Tenant::Embedded => {
            let tenant = FakeTenant::start().await;
            let server = embedded(&tenant, socket, out).await?;
            if arguments.serve {
                writeln!(out, "\nlistening, with the fake tenant {}", tenant.uri())?;
                let _ = server.await;
            }
            Ok(())
        }
        Tenant::Env => {
            let settings = Settings::read(|name| env::var(name).ok(), CLIENT, &[])?;
            let place = settings.place();
            let validator = from_env(settings)?;
            let url = format!("http://{}", socket.local_addr()?);
            writeln!(out, "listening at {url} for tokens of {place}")?;
            serve(socket, api::routes(validator)).await;
            Ok(())
        }
    }
}

/// A fake company whose people and services call the API, each in their own way.
pub(crate) async fn embedded(
    tenant: &FakeTenant,
    socket: TcpListener,
    out: &mut impl Write,
) -> Result<JoinHandle<()>, Problem> {
    let api = callers::register(tenant)?;
    let validator = validator(tenant.id(), api.client_id())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let calls = callers::calls(tenant, &api).await?;
    let url = format!("http://{}", socket.local_addr()?);
    writeln!(
        out,
        "An API at {url}, called with tokens of the embedded fake tenant\n"
    )?;
    let server = tokio::spawn(serve(socket, api::routes(validator)));
    call_all(&url, &calls, out).await?;
    Ok(server)
}

/// The tokens that are for this API. Entra writes its client id into those of version 2, its
/// Application ID URI into those of version 1.
fn validator(tenant: TenantId, client: ClientId) -> TokenValidatorBuilder {
    TokenValidator::access_tokens(tenant, [client.to_string(), format!("api://{client}")])
}

pub(crate) fn from_env(settings: Settings) -> Result<TokenValidator, Problem> {
    let transport = settings.transport()?;
    let validator = validator(settings.tenant, settings.client)
        .cloud(settings.cloud)
        .transport(transport)
        .build()?;
    Ok(validator)
}

async fn serve(socket: TcpListener, routes: Router) {
    // It never fails, and ends with the process.
    let _ = axum::serve(socket, routes).await;
}

/// Calls, and writes who was answered what.
async fn call_all(url: &str, calls: &[Call], out: &mut impl Write) -> Result<(), Problem> {
    let transport = Arc::new(ReqwestTransport::default());
    writeln!(out, "{:<34}{:<14}answer", "who", "calls")?;
    for call in calls {
        let answer = send(&*transport, url, call).await?;
        let request = format!("{} {}", call.method, call.path);
        writeln!(out, "{:<34}{request:<14}{answer}", call.who)?;
    }
    Ok(())
}

/// Status, and the reason as the header has it.
async fn send(transport: &dyn HttpTransport, url: &str, call: &Call) -> Result<String, Problem> {
    let mut request = http::Request::builder()
        .method(call.method)
        .uri(format!("{url}{}", call.path));
    if let Some(token) = &call.token {
        request = request.header("authorization", format!("Bearer {}", token.expose_secret()));
    }
    let body = match call.method {
        "POST" => Bytes::from_static(b"water the plants"),
        _ => Bytes::new(),
    };
    let unsent = |error: &(dyn std::error::Error + 'static)| {
        Problem::new("the API could not be called").because(error)
    };
    let request = request.body(body).map_err(|error| unsent(&error))?;
    let answer = transport
        .send(request)
        .await
        .map_err(|error| unsent(&error))?;
    let challenge = answer
        .headers()
        .get("www-authenticate")
        .and_then(|value| value.to_str().ok());
    let said = match challenge {
        Some(challenge) => challenge.to_owned(),
        None => String::from_utf8_lossy(answer.body()).into_owned(),
    };
    Ok(format!("{}  {said}", answer.status().as_u16())
        .trim_end()
        .to_owned())
}
