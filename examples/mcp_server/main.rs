//! An MCP server whose users sign in with Entra: a client that knows only its URL finds out how to get a
//! token.
//!
//! ```text
//! cargo run --example mcp_server                     # with a fake tenant: signs a user in and calls a tool
//! cargo run --example mcp_server -- --serve          # keeps listening, for an MCP client
//! cargo run --example mcp_server -- --tenant env     # listens for users of your tenant
//! ```
//!
//! Start reading at [`notes::routes`]. The registration needs the URL of the server as an Application ID
//! URI, the scope `Notes.Use` and access tokens of version 2; see the README.

pub(crate) mod client;
pub(crate) mod notes;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use axum::Router;
use clap::{Parser, ValueEnum};
use entra_auth::{
    Environment,
    entra_core::{ClientId, TenantId},
    validate::{ProtectedResource, ProtectedResourceBuilder},
};
use entra_mock::{App, FakeTenant};
use tokio::{net::TcpListener, task::JoinHandle};

use notes::SCOPE;

/// Serves notes of users to MCP clients.
#[derive(Debug, Parser)]
#[command(name = "mcp_server")]
struct Arguments {
    /// The tenant: a fake one inside this process, or the one that AZURE_TENANT_ID names, with the
    /// server's registration in AZURE_CLIENT_ID.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Keep listening after the calls of the fake tenant. With `--tenant env` the server always keeps
    /// listening.
    #[arg(long)]
    serve: bool,
    /// The port to listen on; any free port by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The URL that clients use, if it is not `http://127.0.0.1:{port}/mcp`.
    #[arg(long)]
    url: Option<String>,
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
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => format!("http://{}/mcp", socket.local_addr()?),
    };
    match arguments.tenant {
        Tenant::Embedded => {
            let tenant = FakeTenant::start().await;
            let server = embedded(&tenant, socket, &url, out).await?;
            if arguments.serve {
                writeln!(out, "\nlistening, with the fake tenant {}", tenant.uri())?;
                out.flush()?;
                let _ = server.await;
            }
            Ok(())
        }
        Tenant::Env => {
            let environment = Environment::from_env();
            environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
            let (tenant, client) = (environment.tenant_id()?, environment.client_id()?);
            let resource = resource(&url, tenant.clone(), client)
                .cloud(environment.cloud()?)
                .build()?;
            let validator = resource.token_validator().build()?;
            writeln!(out, "listening at {url} for users of tenant {tenant}")?;
            serve(socket, notes::routes(resource, validator)?).await;
            Ok(())
        }
    }
}

/// How clients get tokens for this server.
fn resource(url: &str, tenant: TenantId, client: ClientId) -> ProtectedResourceBuilder {
    ProtectedResource::builder(url, tenant, client)
        .scopes([SCOPE])
        .offline_access()
        .name("Notes")
}

/// A fake company with the server and one client, whose user calls a tool.
pub(crate) async fn embedded(
    tenant: &FakeTenant,
    socket: TcpListener,
    url: &str,
    out: &mut impl Write,
) -> Result<JoinHandle<()>, Box<dyn Error>> {
    let (api, assistant) = register(tenant, url);
    let resource = resource(url, tenant.id(), api.client_id())
        .cloud(tenant.cloud())
        .build()?;
    let validator = resource.token_validator().clock(tenant.clock()).build()?;
    writeln!(out, "An MCP server at {url}")?;
    let password = tenant.user(USER).password();
    writeln!(
        out,
        "client id {} with redirect URI {REDIRECT_URI}, user {USER}, password {}\n",
        assistant.client_id(),
        password.expose_secret()
    )?;
    let server = tokio::spawn(serve(socket, notes::routes(resource, validator)?));
    client::call(tenant, url, &assistant, out).await?;
    Ok(server)
}

/// Registers server and client, as an administrator does in App registrations.
fn register(tenant: &FakeTenant, url: &str) -> (App, App) {
    let api = tenant
        .register_app("Notes")
        .with_v2_tokens()
        .identifier_uri(url)
        .expose_scope(SCOPE);
    // Entra has no dynamic client registration: each client has a registration of its own.
    let assistant = tenant
        .register_app("Assistant")
        .public_redirect_uri(REDIRECT_URI)
        .delegated_permission_of(&api, SCOPE);
    (api, assistant)
}

async fn serve(socket: TcpListener, routes: Router) {
    // It never returns an error, and stops with the process.
    let _ = axum::serve(socket, routes).await;
}

/// A user of the fake company.
pub(crate) const USER: &str = "adele@contoso.com";
/// Clients listen at any port of it.
pub(crate) const REDIRECT_URI: &str = "http://localhost/callback";
