//! A web product with several customers: users of each company sign in at their own Entra tenant, and
//! only members of one group may enter.
//!
//! ```text
//! cargo run --example web_sign_in                              # two fake tenants; prints a URL to open
//! cargo run --example web_sign_in -- --serve --port 3000       # the same without a terminal
//! cargo run --example web_sign_in -- --tenant env --port 3000  # your tenant
//! ```
//!
//! Start reading at [`site::routes`]; `enter` beside it decides who may enter.

pub(crate) mod companies;
pub(crate) mod pages;
pub(crate) mod site;
pub(crate) mod visit;

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
};

use axum::Router;
use clap::{Parser, ValueEnum};
use entra_auth::{
    Environment,
    entra_core::{Clock, ReqwestTransport, SystemClock},
    web::RouteUrls,
};
use tokio::net::TcpListener;

use companies::Company;
use site::Customer;

/// Serves a web product that users sign in to with Entra.
#[derive(Debug, Parser)]
#[command(name = "web_sign_in")]
struct Arguments {
    /// The tenant: two fake ones inside this process, or the one that AZURE_TENANT_ID, AZURE_CLIENT_ID
    /// and AZURE_CLIENT_SECRET name, where the members of the group ENTRA_GROUP_ID may enter.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Keep serving without a terminal; by default the program then visits itself once and stops.
    #[arg(long)]
    serve: bool,
    /// The port to listen on; any free port by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Receive responses of the sign-in page as a form post, which keeps them out of the browser's history
    /// (Safari requires TLS for it).
    #[arg(long)]
    form_post: bool,
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
    let (socket, url) = listen(arguments.port).await?;
    let urls = RouteUrls::at(&format!("{url}/auth"))?;
    if arguments.tenant == Tenant::Env {
        let customer = from_env(&Environment::from_env().with_variables([GROUP]))?;
        let name = customer.name.clone();
        let callback = urls.callback_of(customer.key);
        let routes = site::routes(&urls, vec![customer], arguments.form_post, String::new())?;
        writeln!(out, "Helpdesk is at {url}, for users of tenant {name}")?;
        for (what, uri) in [
            ("redirect URI (Web)", callback),
            ("redirect URI (Web)", urls.signed_out()),
            ("front-channel logout URL", urls.front_channel_sign_out()),
        ] {
            writeln!(out, "  to register: {what:<26}{uri}")?;
        }
        serve(socket, routes).await;
        return Ok(());
    }
    let companies = companies::both(&urls).await;
    let routes = embedded(&urls, &companies, arguments.form_post)?;
    writeln!(out, "Helpdesk is at {url}")?;
    let server = serve(socket, routes);
    if arguments.serve || io::stdin().is_terminal() {
        writeln!(out, "Open it in a browser; stop the program with Ctrl-C.")?;
        tokio::select! {
            () = server => {}
            () = companies::keep_time(&companies) => {}
        }
        return Ok(());
    }
    let server = tokio::spawn(server);
    let outcome = visit::visit(&url, &companies, out).await;
    server.abort();
    outcome
}

/// The site with these companies as customers.
pub(crate) fn embedded(
    urls: &RouteUrls,
    companies: &[Company],
    form_post: bool,
) -> Result<Router, Box<dyn Error>> {
    let customers: Vec<Customer> = companies.iter().map(Company::customer).collect();
    site::routes(urls, customers, form_post, companies::tips(companies))
}

/// The customer of the environment.
pub(crate) fn from_env(environment: &Environment) -> Result<Customer, Box<dyn Error>> {
    // One error names every variable that is not set.
    let [_, _, secret] = environment.require(["AZURE_TENANT_ID", "AZURE_CLIENT_ID", SECRET])?;
    let tenant = environment.tenant_id()?;
    let group = match environment.get(GROUP).map(str::trim) {
        Some(id) => {
            let parsed = id
                .parse()
                .map_err(|error| format!("{GROUP} is not the object ID of a group: {error}"))?;
            Some((parsed, id.to_owned()))
        }
        None => None,
    };
    Ok(Customer {
        key: "my-company",
        name: tenant.to_string(),
        domain: None,
        group,
        tenant,
        client: environment.client_id()?,
        secret: secret.into(),
        cloud: environment.cloud()?,
        clock: Arc::new(SystemClock) as Arc<dyn Clock>,
        transport: Arc::new(ReqwestTransport::default()),
    })
}

/// A listener on this machine, and its URL for browsers.
pub(crate) async fn listen(port: u16) -> Result<(TcpListener, String), Box<dyn Error>> {
    let socket = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    let port = socket.local_addr()?.port();
    Ok((socket, format!("http://localhost:{port}")))
}

pub(crate) async fn serve(socket: TcpListener, routes: Router) {
    // It never returns an error, and stops with the process.
    let _ = axum::serve(socket, routes).await;
}

const SECRET: &str = "AZURE_CLIENT_SECRET";
const GROUP: &str = "ENTRA_GROUP_ID";
