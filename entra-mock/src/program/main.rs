//! The `entra-mock` program: a fake Entra tenant for clients in any language.

mod command;

use std::{
    error::Error,
    fs,
    io::{self, Write as _},
    net::IpAddr,
    ops::RangeInclusive,
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};
use entra_mock::{
    ControlClient, ControlClientError, License, NeededPermissions, NotificationOptions,
    ResourceRule, Scenario, Seed, Server, ServerBuilder,
};
use serde_json::Value;

/// A fake Microsoft Entra tenant for tests: sign-in and Microsoft Graph.
///
/// Without a command it serves a tenant on http://localhost:8443.
#[derive(Debug, Parser)]
#[command(name = "entra-mock", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{VARIABLES}"))]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a tenant until interrupted.
    #[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{VARIABLES}"))]
    Serve(Box<Serve>),
    /// Run a program, such as tests, with a tenant of its own.
    #[command(after_help = command::RUN_EXAMPLES)]
    Run(Box<command::Run>),
    /// Run a program that reaches the tenant at Microsoft's own host names, without any option (on Linux).
    #[command(after_help = command::HOSTS_EXAMPLES)]
    Hosts(Box<command::Hosts>),
    /// Control a running server, whose environment file was read: `. ./tenant.env`.
    #[command(after_help = commands())]
    Ctl {
        /// A command with its parameters, then fields as name=value or name:=json; @FILE is the content of a file.
        #[arg(required = true, value_name = "COMMAND")]
        words: Vec<String>,
    },
    /// Print what a reviewer would say of the clients of a running server, by their requests.
    Findings {
        /// Write them to this file too, as a SARIF 2.1.0 log.
        #[arg(long, value_name = "FILE")]
        sarif: Option<PathBuf>,
        /// Fail if there is a finding of at least this severity.
        #[arg(long, value_name = "SEVERITY", value_parser = PossibleValuesParser::new(["note", "warning", "error"]))]
        fail_on: Option<String>,
    },
    /// Print the least permissions for the requests in a log, or for those of a running server.
    #[command(after_help = LOGS)]
    Permissions {
        /// The log, or - for standard input. Without it the requests that the server received.
        log: Option<PathBuf>,
    },
}

/// Options of the tenant and of its server.
#[derive(Args, Debug)]
struct Serve {
    /// Port to listen on; 0 uses a free one.
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// Use TLS, with a certificate authority created for this run.
    #[arg(long)]
    tls: bool,
    /// The initial content of the tenant.
    #[arg(long, default_value = "contoso", value_parser = PossibleValuesParser::new(["contoso", "empty", "enterprise"]))]
    seed: String,
    /// The initial content of the tenant from a YAML or JSON file, in place of a seed.
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    scenario: Option<PathBuf>,
    /// Fill the tenant up to this number of users, with everything else in proportion.
    #[arg(long, default_value_t = 0)]
    users: usize,
    /// The seed of all randomness: the same number gives the same tenant, ids included.
    #[arg(long, default_value_t = 0)]
    random_seed: u64,
    /// The tenant's directory licence.
    #[arg(long, default_value = "p2", value_parser = PossibleValuesParser::new(["free", "p1", "p2"]))]
    license: String,
    /// Throttle callers by Graph's documented limits.
    #[arg(long)]
    quotas: bool,
    /// Address to listen on, such as 0.0.0.0 in a container.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// Accept requests to the control API under this host name too, and of other machines.
    #[arg(long, value_name = "NAME")]
    control_host: Vec<String>,
    /// The ports of tenants that are made at run time, such as those that a container publishes; any free ones unless
    /// set.
    #[arg(long, value_name = "FIRST-LAST", value_parser = port_range)]
    tenant_ports: Option<PortRange>,
    /// Keep the tenant in this file over restarts; it holds the tenant's secrets.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Switches of change notifications, with commas: duplicated, reordered, dropped=N (each N-th), late=SECONDS,
    /// expired-listed, clamped-lifetime, validates-renewals, synthetic-resource, any-host.
    #[arg(long, value_name = "LIST", default_value = "", value_parser = notification_options)]
    notifications: NotificationOptions,
    /// What the v2.0 endpoints do with the parameter `resource` of OAuth clients: compare it with the scopes,
    /// reject it, or ignore it.
    #[arg(long, default_value = "compare", value_parser = PossibleValuesParser::new(["compare", "reject", "ignore"]))]
    resource_rule: String,
    /// Accept a cast of a relationship, such as /me/memberOf/microsoft.graph.group, without an advanced query.
    #[arg(long)]
    plain_casts: bool,
    /// How many entries of the sign-in log and of the audit log are kept at least.
    #[arg(long, value_name = "ENTRIES", default_value_t = 100_000)]
    log_capacity: usize,
    /// Keep the bodies of requests and responses in the journal: JSON and forms up to 64 KiB, without their secrets.
    #[arg(long)]
    journal_bodies: bool,
    /// Let the pages of the portal change the tenant.
    #[arg(long)]
    portal_write: bool,
    /// Write a shell script that exports everything a client needs, secrets included.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Write the certificate of the certificate authority.
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  entra-mock serve
      Serve the sample company and print what a client needs.
  entra-mock serve --tls --env-file tenant.env
      Write the settings to a file; clients start with: . ./tenant.env
  entra-mock run -- pytest
      Run tests with a tenant of their own.
  entra-mock hosts -- pytest
      The same at Microsoft's own host names, without any option (on Linux).
  entra-mock serve --port 0 --seed empty --users 20000 --random-seed 7
      Serve a generated company of 20,000 users on a free port.";

const LOGS: &str = "\
Each line of a log can have a request: a method, and then a path or URL.
  GET /v1.0/users?$top=5
  2026-11-20T12:00:00Z POST https://graph.microsoft.com/v1.0/groups 201";

const VARIABLES: &str = "\
Variables of the environment file:
  AZURE_AUTHORITY_HOST           URL of the sign-in side
  AZURE_TENANT_ID                tenant id
  AZURE_CLIENT_ID                client id of the application
  AZURE_CLIENT_SECRET            client secret of the application
  AZURE_CLIENT_CERTIFICATE_PATH  PEM file with certificate and private key of the application
  ENTRA_GRAPH_URL                root of Microsoft Graph
  ENTRA_PUBLIC_CLIENT_ID         client id for public client flows
  ENTRA_REDIRECT_URI             registered redirect URI
  ENTRA_USER_UPN                 user principal name of a user
  ENTRA_USER_PASSWORD            password of that user
  ENTRA_ADMIN_UPN                user principal name of a Global Administrator
  ENTRA_ADMIN_PASSWORD           password of that administrator
  ENTRA_GROUP_ID                 a group of the user
  ENTRA_MOCK_CONTROL_URL         the control API of the tenant
  ENTRA_MOCK_CONTROL_TOKEN       bearer token of the control API
  With --tls also:
  SSL_CERT_FILE                  trusted roots, with the certificate authority of this run
  REQUESTS_CA_BUNDLE             the same for Python's requests
  NODE_EXTRA_CA_CERTS            the certificate authority of this run, for Node.js";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments
        .command
        .or_else(|| Arguments::parse_from(["entra-mock", "serve"]).command);
    let result = match command {
        Some(Command::Serve(serve)) => run(*serve).await,
        Some(Command::Run(run)) => command::run(*run).await,
        Some(Command::Hosts(hosts)) => command::hosts(*hosts).await,
        Some(Command::Ctl { words }) => control(&words).await,
        Some(Command::Findings { sarif, fail_on }) => findings(sarif, fail_on).await,
        Some(Command::Permissions { log }) => permissions(log).await,
        None => return ExitCode::FAILURE,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(fix) = error
                .downcast_ref::<ControlClientError>()
                .and_then(ControlClientError::fix)
            {
                eprintln!("  fix: {fix}");
            }
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  cause: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// Runs a command of the control API and prints the response.
async fn control(words: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let text = ControlClient::from_env()?.run(words).await?;
    if !text.is_empty() {
        // The reader of a pipe may have enough.
        let _ = writeln!(io::stdout(), "{text}");
    }
    Ok(ExitCode::SUCCESS)
}

fn commands() -> String {
    format!("Commands:\n{}", ControlClient::commands())
}

/// Returns a server with the options.
fn builder(serve: Serve) -> Result<ServerBuilder, Box<dyn Error>> {
    let seed = match serve.seed.as_str() {
        "empty" => Seed::Empty,
        "enterprise" => Seed::Enterprise,
        _ => Seed::Contoso,
    };
    let license = match serve.license.as_str() {
        "free" => License::Free,
        "p1" => License::P1,
        _ => License::P2,
    };
    let resource_rule = match serve.resource_rule.as_str() {
        "reject" => ResourceRule::Rejected,
        "ignore" => ResourceRule::Ignored,
        _ => ResourceRule::ApplicationIdUri,
    };
    let mut builder = Server::builder()
        .port(serve.port)
        .tls(serve.tls)
        .seed(seed)
        .users(serve.users)
        .random_seed(serve.random_seed)
        .license(license)
        .enforce_quotas(serve.quotas)
        .notification_options(serve.notifications)
        .resource_rule(resource_rule)
        .plain_casts(serve.plain_casts)
        .log_capacity(serve.log_capacity)
        .journal_bodies(serve.journal_bodies)
        .listen(serve.listen)
        .portal_write(serve.portal_write);
    if let Some(PortRange(ports)) = serve.tenant_ports {
        builder = builder.tenant_ports(ports);
    }
    for host in serve.control_host {
        builder = builder.control_host(host);
    }
    if let Some(path) = serve.scenario {
        let scenario =
            Scenario::from_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        builder = builder.scenario(&scenario);
    }
    if let Some(path) = serve.env_file {
        builder = builder.env_file(path);
    }
    if let Some(path) = serve.state {
        builder = builder.state_file(path);
    }
    if let Some(path) = serve.ca_file {
        builder = builder.ca_file(path);
    }
    Ok(builder)
}

async fn run(serve: Serve) -> Result<ExitCode, Box<dyn Error>> {
    let prints_settings = serve.env_file.is_none();
    let ignored = ignored_options(&serve);
    // Installed before the server is ready, so that no signal is missed.
    let interrupted = interruption()?;
    let server = builder(serve)?.start().await?;
    if let Some(ignored) = ignored {
        eprintln!("{ignored}");
    }
    let mut output = format!("ready {}\n", server.uri());
    if prints_settings {
        output.push_str(&settings(&server, &server.portal_link()?));
    }
    // A script may read the first line only and close the pipe, which must not stop the server.
    let _ = io::stdout().write_all(output.as_bytes());
    interrupted.await;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Says which options do nothing because the state file has a tenant already.
fn ignored_options(serve: &Serve) -> Option<String> {
    let file = serve.state.as_deref().filter(|file| file.exists())?;
    let options = [
        ("--scenario", serve.scenario.is_some()),
        ("--seed", serve.seed != "contoso"),
        ("--users", serve.users != 0),
        ("--random-seed", serve.random_seed != 0),
        ("--license", serve.license != "p2"),
        ("--quotas", serve.quotas),
        ("--resource-rule", serve.resource_rule != "compare"),
        ("--plain-casts", serve.plain_casts),
        ("--log-capacity", serve.log_capacity != 100_000),
    ];
    let names = options.iter().filter(|(_, is_set)| *is_set);
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| {
        format!(
            "note: {} has a tenant, which is served as it is, without {}",
            file.display(),
            names.join(", ")
        )
    })
}

/// Returns the response of a server to a command of the control API.
async fn ask(words: &[&str]) -> Result<Value, Box<dyn Error>> {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let text = ControlClient::from_env()?.run(&words).await?;
    Ok(serde_json::from_str(&text)?)
}

/// Prints the report of a response.
fn print_report(response: &Value) {
    // The reader of a pipe may have enough.
    let _ = io::stdout().write_all(response["report"].as_str().unwrap_or_default().as_bytes());
}

/// Prints the findings of a running server.
async fn findings(
    sarif: Option<PathBuf>,
    fail_on: Option<String>,
) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(path) = sarif {
        let log = ask(&["findings", "sarif"]).await?;
        fs::write(&path, log.to_string())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let response = ask(&["findings", "list"]).await?;
    print_report(&response);
    let rank = |severity: &str| {
        ["note", "warning", "error"]
            .iter()
            .position(|name| *name == severity)
    };
    let least = fail_on.as_deref().and_then(rank);
    let severities = response["findings"].as_array().into_iter().flatten();
    let worst = severities
        .filter_map(|finding| rank(finding["severity"].as_str()?))
        .max();
    match (least, worst) {
        (Some(least), Some(worst)) if worst >= least => {
            Err("there are findings of this severity".into())
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Prints the least permissions for the requests in a log, or for those of a running server.
async fn permissions(log: Option<PathBuf>) -> Result<ExitCode, Box<dyn Error>> {
    let Some(path) = log else {
        print_report(&ask(&["permissions", "needed"]).await?);
        return Ok(ExitCode::SUCCESS);
    };
    let text = match path.to_str() {
        Some("-") => io::read_to_string(io::stdin())?,
        _ => fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?,
    };
    let needed = NeededPermissions::of_log(&text);
    let _ = io::stdout().write_all(needed.to_string().as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// A range of ports. The arguments are copied as one value.
#[derive(Clone, Debug, PartialEq)]
struct PortRange(RangeInclusive<u16>);

/// Reads a range of ports, such as `8444-8463`.
fn port_range(text: &str) -> Result<PortRange, String> {
    let range = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        (first > 0 && first <= last).then_some(PortRange(first..=last))
    });
    range.ok_or_else(|| "a range of ports has the form 8444-8463".to_owned())
}

/// Parses the switches of change notifications.
fn notification_options(list: &str) -> Result<NotificationOptions, String> {
    let number = |name: &str, value: &str| {
        let number: Result<u32, _> = value.parse();
        number.map_err(|_| format!("{name}={value} has no whole number"))
    };
    let mut options = NotificationOptions::documented();
    for switch in list.split(',').filter(|switch| !switch.is_empty()) {
        options = match switch.split_once('=') {
            Some((name @ "dropped", value)) => options.dropped_every(number(name, value)?),
            Some((name @ "late", value)) => {
                options.late(Duration::from_secs(number(name, value)?.into()))
            }
            None if switch == "duplicated" => options.duplicated(),
            None if switch == "reordered" => options.reordered(),
            None if switch == "expired-listed" => options.expired_listed(),
            None if switch == "clamped-lifetime" => options.clamped_lifetime(),
            None if switch == "validates-renewals" => options.validates_renewals(),
            None if switch == "synthetic-resource" => options.synthetic_resource(),
            None if switch == "any-host" => options.any_host(),
            _ => return Err(format!("there is no switch {switch}")),
        };
    }
    Ok(options)
}

/// What a client needs: addresses, credentials, and four lines for the shell.
///
/// They are secrets of a fake tenant, and nothing else has them if there is no environment file.
fn settings(server: &Server, portal: &str) -> String {
    let (uri, tenant, client) = (server.uri(), server.tenant_id(), server.client_id());
    let secret = server.client_secret().expose_secret();
    let password = server.user_password().expose_secret();
    let control = server.control_uri();
    let token = server.control_token().expose_secret();
    let certificate = if uri.starts_with("https:") {
        "\nClients must trust the certificate authority of this run: see --env-file and --ca-file.\n"
    } else {
        "\nMicrosoft's libraries need HTTPS: entra-mock serve --tls --env-file tenant.env\n"
    };
    format!(
        "\n  Start page     {uri}/\n  Authority      {uri}/{tenant}\n  Graph          {uri}/v1.0\n  \
         Tenant ID      {tenant}\n  Client ID      {client}\n  Client secret  {secret}\n  \
         User           {}\n  Password       {password}\n  \
         Control API    {control}\n  Control token  {token}\n  \
         Portal         {portal}\n\n\
         export AZURE_AUTHORITY_HOST='{uri}' ENTRA_GRAPH_URL='{uri}/v1.0'\n\
         export AZURE_TENANT_ID='{tenant}' AZURE_CLIENT_ID='{client}' AZURE_CLIENT_SECRET='{secret}'\n\
         export ENTRA_USER_UPN='{}' ENTRA_USER_PASSWORD='{password}'\n\
         export ENTRA_MOCK_CONTROL_URL='{control}' ENTRA_MOCK_CONTROL_TOKEN='{token}'\n{certificate}",
        server.user_principal_name(),
        server.user_principal_name(),
    )
}

/// Completes on Ctrl-C or, on Unix, on a request to terminate.
#[cfg(unix)]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a way to be interrupted it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_serves_with_defaults_without_a_command() {
        assert!(Arguments::parse_from(["entra-mock"]).command.is_none());
        let Some(Command::Serve(serve)) = Arguments::parse_from(["entra-mock", "serve"]).command
        else {
            panic!("serve is a command");
        };
        assert_eq!((serve.port, serve.tls, serve.users), (8443, false, 0));
        assert_eq!(serve.env_file, None);
        assert_eq!(serve.notifications, NotificationOptions::documented());
    }

    #[test]
    fn options_that_an_existing_state_file_overrides_are_named() {
        let serve = |words: &[&str]| {
            let words = ["entra-mock", "serve"].iter().chain(words);
            let Some(Command::Serve(serve)) = Arguments::parse_from(words).command else {
                panic!("serve is a command");
            };
            ignored_options(&serve)
        };
        let file = std::env::current_exe().unwrap();
        let file = file.to_str().unwrap();
        let note = serve(&["--state", file, "--quotas", "--users", "5"]).unwrap();
        assert!(note.ends_with("without --users, --quotas"), "{note}");
        assert_eq!(serve(&["--state", file, "--tls"]), None);
        assert_eq!(serve(&["--state", "/no/such/file", "--quotas"]), None);
        assert_eq!(serve(&["--quotas"]), None);
    }

    #[test]
    fn switches_of_notifications_are_a_list() {
        let options = NotificationOptions::documented();
        assert_eq!(
            notification_options("duplicated,dropped=3,late=600,synthetic-resource"),
            Ok(options
                .duplicated()
                .dropped_every(3)
                .late(Duration::from_secs(600))
                .synthetic_resource())
        );
        for invalid in ["twice", "dropped", "dropped=x", "duplicated=1"] {
            assert!(notification_options(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn a_range_of_ports_has_a_first_and_a_last_one() {
        assert_eq!(port_range("8444-8463"), Ok(PortRange(8444..=8463)));
        assert_eq!(port_range("8444-8444"), Ok(PortRange(8444..=8444)));
        for invalid in ["", "8444", "0-9", "9-8", "1-70000", "a-b", "1-2-3"] {
            assert!(port_range(invalid).is_err(), "{invalid}");
        }
    }
}
