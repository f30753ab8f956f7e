//! An API that users and applications call with tokens of Entra: who may call what, and the response to
//! all other callers.
//!
//! ```text
//! cargo run --example protected_api                     # with a fake tenant: calls itself and prints the responses
//! cargo run --example protected_api -- --serve          # keeps listening
//! cargo run --example protected_api -- --tenant env     # listens for tokens of your tenant
//! ```
//!
//! Start reading at [`api::routes`].

pub(crate) mod api;
pub(crate) mod callers;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use axum::Router;
use clap::{Parser, ValueEnum};
use entra_auth::{
    Environment, TokenValidator,
    entra_core::{ClientId, HttpTransport, ReqwestTransport, TenantId, bytes::Bytes, http},
    validate::TokenValidatorBuilder,
};
use entra_mock::FakeTenant;
use tokio::{net::TcpListener, task::JoinHandle};

use callers::Call;

/// Serves an API that validates tokens of Entra.
#[derive(Debug, Parser)]
#[command(name = "protected_api")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID names, with the
    /// API's registration in AZURE_CLIENT_ID.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Keep listening after the calls of the fake tenant. With `--tenant env` the API always keeps
    /// listening.
    #[arg(long)]
    serve: bool,
    /// The port to listen on; any free port by default.
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
        Err(error) => {
            // `{:#}` is the whole report: what happened, why, and how to fix it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let socket = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .map_err(|error| format!("cannot listen on port {}: {error}", arguments.port))?;
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
            let environment = Environment::from_env();
            let validator = from_env(&environment)?;
            let (url, tenant) = (socket.local_addr()?, environment.tenant_id()?);
            writeln!(
                out,
                "listening at http://{url} for tokens of tenant {tenant}"
            )?;
            serve(socket, api::routes(validator)).await;
            Ok(())
        }
    }
}

/// A fake company whose users and applications call the API.
pub(crate) async fn embedded(
    tenant: &FakeTenant,
    socket: TcpListener,
    out: &mut impl Write,
) -> Result<JoinHandle<()>, Box<dyn Error>> {
    let api = callers::register(tenant)?;
    let validator = validator(tenant.id(), api.client_id())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let calls = callers::calls(tenant, &api).await?;
    let url = format!("http://{}", socket.local_addr()?);
    writeln!(
        out,
        "An API at {url}, called with tokens of the fake tenant\n"
    )?;
    let server = tokio::spawn(serve(socket, api::routes(validator)));
    call_all(&url, &calls, out).await?;
    Ok(server)
}

/// Validates tokens for this API. The audience of a v2.0 token is the client ID of the API, that of a v1.0
/// token its Application ID URI.
fn validator(tenant: TenantId, client: ClientId) -> TokenValidatorBuilder {
    TokenValidator::access_tokens(tenant, [client.to_string(), format!("api://{client}")])
}

pub(crate) fn from_env(environment: &Environment) -> Result<TokenValidator, Box<dyn Error>> {
    environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
    let validator = validator(environment.tenant_id()?, environment.client_id()?)
        .cloud(environment.cloud()?)
        .build()?;
    Ok(validator)
}

async fn serve(socket: TcpListener, routes: Router) {
    // It never returns an error, and stops with the process.
    let _ = axum::serve(socket, routes).await;
}

/// Makes the calls and writes the response to each.
async fn call_all(url: &str, calls: &[Call], out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let transport = ReqwestTransport::default();
    writeln!(out, "{:<34}{:<14}response", "caller", "request")?;
    for call in calls {
        let response = send(&transport, url, call).await?;
        let request = format!("{} {}", call.method, call.path);
        writeln!(out, "{:<34}{request:<14}{response}", call.caller)?;
    }
    Ok(())
}

/// The status, and the `WWW-Authenticate` header or the body.
async fn send(
    transport: &dyn HttpTransport,
    url: &str,
    call: &Call,
) -> Result<String, Box<dyn Error>> {
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
    let response = transport.send(request.body(body)?).await?;
    let challenge = response
        .headers()
        .get("www-authenticate")
        .and_then(|value| value.to_str().ok());
    let text = match challenge {
        Some(challenge) => challenge.to_owned(),
        None => String::from_utf8_lossy(response.body()).into_owned(),
    };
    Ok(format!("{}  {text}", response.status().as_u16())
        .trim_end()
        .to_owned())
}
