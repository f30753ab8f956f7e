//! A web product whose customers' people sign in with Entra, each company at its own tenant, and
//! enter if they are in the right group.
//!
//! ```text
//! cargo run --example web_sign_in                              # two fake tenants; prints an address to open
//! cargo run --example web_sign_in -- --serve --port 3000       # the same without a terminal
//! cargo run --example web_sign_in -- --tenant env --port 3000  # your tenant
//! ```
//!
//! Start reading at [`site::routes`]; who may enter is decided in `enter` beside it.

pub(crate) mod companies;
pub(crate) mod pages;
#[path = "../saas_usage/problem.rs"]
pub(crate) mod problem;
#[path = "../saas_usage/settings.rs"]
pub(crate) mod settings;
pub(crate) mod site;
pub(crate) mod visit;

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    sync::Arc,
};

use axum::Router;
use clap::{Parser, ValueEnum};
use entra_auth::web::RouteUrls;
use entra_core::{Clock, Secret, SystemClock};
use tokio::net::TcpListener;

use companies::Company;
use problem::Problem;
use settings::{CLIENT, Settings};
use site::Customer;

/// Serves a web product that people sign in to with Entra.
#[derive(Debug, Parser)]
#[command(name = "web_sign_in")]
struct Arguments {
    /// The tenant: two fake ones inside this process, or the one that AZURE_TENANT_ID, AZURE_CLIENT_ID
    /// and AZURE_CLIENT_SECRET name, where the people of the group ENTRA_GROUP_ID may enter.
    #[arg(long, value_enum, default_value_t = Tenant::Embedded)]
    tenant: Tenant,
    /// Go on without a terminal too, in place of a visit that the program makes itself.
    #[arg(long)]
    serve: bool,
    /// The port to listen on; any free one unless given.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Have answers come as a form, which keeps them out of the browser's history (not in Safari
    /// without TLS).
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
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Problem> {
    let (socket, url) = listen(arguments.port).await?;
    let urls = RouteUrls::at(&format!("{url}/auth"))?;
    if arguments.tenant == Tenant::Env {
        let (customer, place) = from_env(|name| env::var(name).ok())?;
        let callback = urls.callback_of(customer.key);
        let routes = site::routes(&urls, vec![customer], arguments.form_post, String::new())?;
        writeln!(out, "Helpdesk is at {url}, for people of the {place}")?;
        for (what, address) in [
            ("redirect URI (Web)", callback),
            ("redirect URI (Web)", urls.signed_out()),
            ("front-channel logout URL", urls.front_channel_sign_out()),
        ] {
            writeln!(out, "  to register: {what:<26}{address}")?;
        }
        serve(socket, routes).await;
        return Ok(());
    }
    let companies = companies::both(&urls).await;
    let routes = embedded(&urls, &companies, arguments.form_post)?;
    writeln!(out, "Helpdesk is at {url}")?;
    let server = serve(socket, routes);
    if arguments.serve || io::stdin().is_terminal() {
        writeln!(out, "Open it in a browser; end the program with Ctrl-C.")?;
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

/// The site with these companies for customers.
pub(crate) fn embedded(
    urls: &RouteUrls,
    companies: &[Company],
    form_post: bool,
) -> Result<Router, Problem> {
    let customers: Vec<Customer> = companies.iter().map(Company::customer).collect();
    site::routes(urls, customers, form_post, companies::tips(companies))
}

/// The customer whom the environment names, and where that is.
pub(crate) fn from_env(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(Customer, String), Problem> {
    let settings = Settings::read(&variable, CLIENT, &[SECRET])?;
    let place = settings.place();
    let group = variable(GROUP).filter(|id| !id.trim().is_empty());
    let group = group.map(|id| {
        let parsed = id.trim().parse().map_err(|error| {
            Problem::new(format!("{GROUP} cannot be used"))
                .because(&error)
                .with_fix("copy the object id from the group's Overview page")
        });
        parsed.map(|parsed| (parsed, id.trim().to_owned()))
    });
    let customer = Customer {
        key: "my-company",
        name: settings.tenant.to_string(),
        domain: None,
        group: group.transpose()?,
        transport: settings.transport()?,
        tenant: settings.tenant,
        client: settings.client,
        secret: Secret::from(variable(SECRET).unwrap_or_default()),
        cloud: settings.cloud,
        clock: Arc::new(SystemClock) as Arc<dyn Clock>,
    };
    Ok((customer, place))
}

/// A port of this machine, and the address that browsers know it by.
pub(crate) async fn listen(port: u16) -> Result<(TcpListener, String), Problem> {
    let socket = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| {
            Problem::new(format!("port {port} cannot be listened on")).because(&error)
        })?;
    let port = socket.local_addr()?.port();
    Ok((socket, format!("http://localhost:{port}")))
}

pub(crate) async fn serve(socket: TcpListener, routes: Router) {
    // It never fails, and ends with the process.
    let _ = axum::serve(socket, routes).await;
}

const SECRET: &str = "AZURE_CLIENT_SECRET";
const GROUP: &str = "ENTRA_GROUP_ID";
