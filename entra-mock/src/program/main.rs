//! The `entra-mock` program: a fake Entra tenant for clients in any language.

mod command;
mod options;

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand, builder::PossibleValuesParser};
use entra_mock::{ControlClient, ControlClientError, NeededPermissions, Server};
use serde_json::Value;

use options::{Serve, builder, ignored_options};

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

/// The commands for the first word after `ctl`, and all of them if there is none.
fn commands() -> String {
    let mut words = env::args_os().skip(1);
    let asked = match words.next() {
        Some(command) if command == "ctl" => words.next(),
        _ => None,
    };
    let own = asked
        .as_ref()
        .and_then(|word| ControlClient::commands_for(word.to_str()?));
    own.map_or_else(
        || {
            let all = ControlClient::commands();
            format!("Commands (`entra-mock ctl users --help` lists those for users, with their fields):\n{all}")
        },
        |own| format!("Commands:\n{own}"),
    )
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

/// What a client needs: addresses, credentials, and four lines for the shell.
///
/// They are secrets of a fake tenant, and nothing else has them if there is no environment file.
fn settings(server: &Server, portal: &str) -> String {
    let (uri, tenant, client) = (server.uri(), server.tenant_id(), server.client_id());
    let secret = server.client_secret().expose_secret();
    let password = server.user_password();
    let (user, password) = (server.user_principal_name(), password.expose_secret());
    let control = server.control_uri();
    let token = server.control_token().expose_secret();
    let certificate = if uri.starts_with("https:") {
        "\nClients must trust the certificate authority of this run: see --env-file and --ca-file.\n"
    } else {
        "\nMicrosoft's libraries need HTTPS: entra-mock serve --tls --env-file tenant.env\n"
    };
    let (graph, tenant) = (format!("{uri}/v1.0"), tenant.to_string());
    let lines = [
        export(&[
            ("AZURE_AUTHORITY_HOST", uri),
            ("ENTRA_GRAPH_URL", graph.as_str()),
        ]),
        export(&[
            ("AZURE_TENANT_ID", tenant.as_str()),
            ("AZURE_CLIENT_ID", client),
            ("AZURE_CLIENT_SECRET", secret),
        ]),
        export(&[("ENTRA_USER_UPN", user), ("ENTRA_USER_PASSWORD", password)]),
        export(&[
            ("ENTRA_MOCK_CONTROL_URL", control.as_str()),
            ("ENTRA_MOCK_CONTROL_TOKEN", token),
        ]),
    ]
    .concat();
    format!(
        "\n  Start page     {uri}/\n  Authority      {uri}/{tenant}\n  Graph          {uri}/v1.0\n  \
         Tenant ID      {tenant}\n  Client ID      {client}\n  Client secret  {secret}\n  \
         User           {user}\n  Password       {password}\n  \
         Control API    {control}\n  Control token  {token}\n  \
         Portal         {portal}\n\n{lines}{certificate}"
    )
}

/// Returns a line for a POSIX shell that exports variables, whatever their values have.
fn export(variables: &[(&str, &str)]) -> String {
    let mut line = "export".to_owned();
    for (name, value) in variables {
        // A quote ends the quoted text, so it stands escaped between two of them.
        line.push_str(&format!(" {name}='{}'", value.replace('\'', r"'\''")));
    }
    line + "\n"
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
    use entra_mock::NotificationOptions;

    use super::*;

    #[test]
    fn the_program_serves_with_defaults_without_a_command() {
        assert!(Arguments::parse_from(["entra-mock"]).command.is_none());
        let Some(Command::Serve(serve)) = Arguments::parse_from(["entra-mock", "serve"]).command
        else {
            panic!("serve is a command");
        };
        assert_eq!((serve.port, serve.tls, serve.users), (None, false, 0));
        assert_eq!(serve.env_file, None);
        assert_eq!(serve.notifications, NotificationOptions::documented());
    }

    #[test]
    fn printed_shell_lines_quote_their_values() {
        let line = export(&[("A", "it's $HOME"), ("B", "")]);
        assert_eq!(line, "export A='it'\\''s $HOME' B=''\n");
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
}
