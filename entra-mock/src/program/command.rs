//! `entra-mock run` and `entra-mock hosts`: a program runs with a tenant of its own.

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus},
    time::SystemTime,
};

use clap::Args;
use entra_mock::Server;
use tokio::process::{Child, Command};

use super::options::{Serve, builder, ignored_options};

/// Options of `run`.
#[derive(Args, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    serve: Serve,
    /// The program to run, with its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Options of `hosts`.
#[derive(Args, Debug)]
pub(crate) struct Hosts {
    #[command(flatten)]
    serve: Serve,
    /// The program to run, with its arguments; without it the lines of a hosts file are printed.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// The folder of the run, once the namespace is there.
    #[arg(long, hide = true, value_name = "FOLDER")]
    inside: Option<PathBuf>,
}

pub(crate) const RUN_EXAMPLES: &str = "\
Examples:
  entra-mock run -- pytest
      Run tests with the variables that `entra-mock serve --help` lists, on a free port over TLS.
  entra-mock run --seed empty --users 500 -- npm test
      The same with another tenant.

The exit code is that of the program. The tenant is gone afterwards, unless it has --state.";

pub(crate) const HOSTS_EXAMPLES: &str = "\
Examples:
  entra-mock hosts -- python my_script.py
      Run a script that reaches the tenant at login.microsoftonline.com and graph.microsoft.com.
      Tenant id, client id and secret are in its environment, but no authority and no Graph URL.
  entra-mock hosts
      Print the lines of a hosts file, for a container of your own.";

/// Runs a program with the variables of a tenant.
pub(crate) async fn run(run: Run) -> Result<ExitCode, Box<dyn Error>> {
    let folder = Folder::create()?;
    let port = run.serve.port.unwrap_or(0);
    serve(run.serve, port, &folder.0, run.command, &[]).await
}

/// Runs a program with Microsoft's host names, or prints the lines of a hosts file.
pub(crate) async fn hosts(hosts: Hosts) -> Result<ExitCode, Box<dyn Error>> {
    if hosts.command.is_empty() {
        print!("{}", lines());
        return Ok(ExitCode::SUCCESS);
    }
    if hosts.serve.port.is_some_and(|port| port != HTTPS) {
        return Err("Microsoft's hosts are reached at port 443: leave out --port".into());
    }
    match hosts.inside {
        None => enter().await,
        Some(folder) => serve(hosts.serve, HTTPS, &folder, hosts.command, &ADDRESSES).await,
    }
}

/// The line of a hosts file for the names of Microsoft.
fn lines() -> String {
    format!("127.0.0.1 {}\n", Server::host_names().join(" "))
}

/// Starts this program again in a namespace with a network and a hosts file of its own.
async fn enter() -> Result<ExitCode, Box<dyn Error>> {
    let mut test = unshare();
    test.arg("true");
    if !test.status().await.is_ok_and(|status| status.success()) {
        return Err("this system permits no private namespace (unshare --user --net --mount); in a container, add the \
                    lines of `entra-mock hosts` to /etc/hosts and run `entra-mock serve --tls --port 443`"
            .into());
    }
    let mut signals = Signals::caught()?;
    let folder = Folder::create()?;
    let file = folder.0.join("hosts");
    let others = fs::read_to_string("/etc/hosts").unwrap_or_default();
    fs::write(&file, format!("{}{others}", lines()))?;
    let mut inside = unshare();
    inside.args(["sh", "-c", ENTER, "sh"]).arg(&file);
    inside.arg(env::current_exe()?);
    inside.args(["hosts", "--inside"]).arg(&folder.0);
    // The options and the command follow the name of this program and `hosts`.
    inside.args(env::args_os().skip(2));
    Ok(code(signals.status(inside).await?))
}

/// Serves a tenant over TLS while a program runs with its variables, but without the hidden ones.
async fn serve(
    options: Serve,
    port: u16,
    folder: &Path,
    command: Vec<OsString>,
    hidden: &[&str],
) -> Result<ExitCode, Box<dyn Error>> {
    let mut signals = Signals::caught()?;
    let env_file = options.env_file.clone();
    let env_file = env_file.unwrap_or_else(|| folder.join("tenant.env"));
    let ignored = ignored_options(&options);
    let builder = builder(options)?.port(port).tls(true);
    let server = builder.env_file(&env_file).start().await?;
    if let Some(ignored) = ignored {
        eprintln!("{ignored}");
    }
    let mut words = command.into_iter();
    let mut program = Command::new(words.next().unwrap_or_default());
    program.args(words);
    for (name, value) in variables(&fs::read_to_string(&env_file)?) {
        if hidden.contains(&name) {
            program.env_remove(name);
        } else {
            program.env(name, value);
        }
    }
    let name = program
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let status = signals.status(program).await;
    server.stop().await;
    Ok(code(
        status.map_err(|error| format!("cannot run {name}: {error}"))?,
    ))
}

/// The variables of an environment file.
fn variables(script: &str) -> impl Iterator<Item = (&str, String)> {
    script.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
        Some((name, value.replace(r"'\''", "'")))
    })
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "--mount", "--"]);
    command
}

/// The signals that would end this program before the one that it runs.
///
/// Ctrl-C of a terminal reaches both, so it only has to be survived. A request to terminate reaches this program
/// alone, as that of a CI system or of `docker stop`, and is passed on.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    _interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Catches the signals from now on.
    fn caught() -> io::Result<Self> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            _interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Runs a program to its end.
    async fn status(&mut self, mut command: Command) -> io::Result<ExitStatus> {
        let mut child = command.spawn()?;
        loop {
            tokio::select! {
                status = child.wait() => return status,
                () = self.terminated() => terminate(&child),
            }
        }
    }

    #[cfg(unix)]
    async fn terminated(&mut self) {
        if self.terminate.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    async fn terminated(&mut self) {
        // The default is to end this program at once. Ctrl-C ends both.
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Requests a running program to end.
#[cfg(unix)]
fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};

    // A child that was waited for has no id, so the id is that of no other program.
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = id.and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[cfg(not(unix))]
const fn terminate(_child: &Child) {}

/// The exit code of a program; that of a shell if a signal ended it.
fn code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A folder that only its owner can read, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let name = format!("entra-mock-run-{}-{}", std::process::id(), now.as_nanos());
        let path = env::temp_dir().join(name);
        #[cfg_attr(not(unix), expect(unused_mut, reason = "permissions are of Unix"))]
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // It fails if the folder exists, so that no other user of the machine can have prepared it.
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The port of Microsoft's hosts.
const HTTPS: u16 = 443;

/// The variables that name the addresses of a tenant, which nothing needs at Microsoft's host names.
const ADDRESSES: [&str; 2] = ["AZURE_AUTHORITY_HOST", "ENTRA_GRAPH_URL"];

/// Prepares the namespace: the loopback interface and the hosts file.
const ENTER: &str = r#"
{ ip link set lo up 2>/dev/null || ifconfig lo up; } && mount --bind "$1" /etc/hosts || exit 1
shift
exec "$@"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_as_a_shell_reads_them() {
        let script = "export A='b c'\nexport QUOTED='it'\\''s'\n# no variable\nexport EMPTY=''\n";
        let read: Vec<_> = variables(script).collect();
        let expected = [("A", "b c"), ("QUOTED", "it's"), ("EMPTY", "")];
        assert_eq!(read, expected.map(|(name, value)| (name, value.to_owned())));
    }
}
