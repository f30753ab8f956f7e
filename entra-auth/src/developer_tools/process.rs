use std::{
    fmt,
    io::{self, Read},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use entra_core::{Secret, decode_text};

use crate::blocking;

/// Runs the command line tools that some credentials ask.
///
/// The default one starts real processes. A test, or a program that may not start any, gives its own.
#[async_trait]
pub trait ProcessRunner: fmt::Debug + Send + Sync + 'static {
    /// Runs a command to its end.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no such program, [`io::ErrorKind::TimedOut`] when it
    /// takes longer than it may.
    async fn run(&self, command: &ProcessCommand) -> io::Result<ProcessOutput>;
}

#[async_trait]
impl<T: ProcessRunner + ?Sized> ProcessRunner for Arc<T> {
    async fn run(&self, command: &ProcessCommand) -> io::Result<ProcessOutput> {
        (**self).run(command).await
    }
}

/// A command to run, without a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessCommand {
    /// The program, looked up in the search path.
    pub program: String,
    /// Its arguments, each as it is.
    pub arguments: Vec<String>,
    /// The folder to run it in, to which only an administrator can write.
    pub folder: PathBuf,
    /// Environment variables to set for it, beside those of this process.
    pub variables: Vec<(String, String)>,
    /// How long it may take.
    pub time_limit: Duration,
}

/// What a command has printed. `Debug` shows neither: the one holds a token, the other may.
pub struct ProcessOutput {
    /// Whether it said that it succeeded.
    pub success: bool,
    /// What it printed on standard output.
    pub stdout: Secret,
    /// What it printed on standard error.
    pub stderr: Secret,
}

impl fmt::Debug for ProcessOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessOutput")
            .field("success", &self.success)
            .finish_non_exhaustive()
    }
}

/// Processes of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemProcesses;

#[async_trait]
impl ProcessRunner for SystemProcesses {
    async fn run(&self, command: &ProcessCommand) -> io::Result<ProcessOutput> {
        let command = command.clone();
        blocking::run(move || run(&command)).await?
    }
}

fn run(command: &ProcessCommand) -> io::Result<ProcessOutput> {
    let mut child = Command::new(&command.program)
        .args(&command.arguments)
        .current_dir(&command.folder)
        .envs(command.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // Both are read all the time, or a process that fills one of them would wait for ever.
    let stdout = reading(child.stdout.take());
    let stderr = reading(child.stderr.take());
    let deadline = Instant::now()
        .checked_add(command.time_limit)
        .unwrap_or_else(|| Instant::now() + LONGEST);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(LOOK);
    };
    let left = || {
        deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(200))
    };
    // A process it has left behind may hold the pipes open.
    let text = |pipe: mpsc::Receiver<io::Result<Secret>>| match pipe.recv_timeout(left()) {
        Ok(text) => text,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    };
    Ok(ProcessOutput {
        success: status.success(),
        stdout: text(stdout)?,
        stderr: text(stderr)?,
    })
}

fn reading(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<io::Result<Secret>> {
    let (done, text) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = match pipe {
            Some(pipe) => pipe.take(LARGEST).read_to_end(&mut bytes),
            None => Ok(0),
        };
        // PowerShell's wrappers of a tool may print UTF-16.
        let text = read.map(|_| {
            decode_text(&bytes)
                .unwrap_or_else(|| Secret::from(String::from_utf8_lossy(&bytes).into_owned()))
        });
        zeroize::Zeroize::zeroize(&mut bytes);
        let _ = done.send(text);
    });
    text
}

const LOOK: Duration = Duration::from_millis(10);
/// The maximum of a time limit.
const LONGEST: Duration = Duration::from_secs(86_400);
const LARGEST: u64 = 1024 * 1024;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, time_limit: Duration) -> io::Result<ProcessOutput> {
        run(&ProcessCommand {
            program: "sh".to_owned(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            folder: PathBuf::from("/"),
            variables: vec![("ENTRA_TEST_WORD".to_owned(), "given".to_owned())],
            time_limit,
        })
    }

    #[test]
    fn process_returns_output_and_exit_status() {
        let output = shell(
            "pwd; echo $ENTRA_TEST_WORD >&2; exit 3",
            Duration::from_secs(10),
        )
        .unwrap();
        assert_eq!(output.stdout.expose_secret(), "/\n");
        assert_eq!(output.stderr.expose_secret(), "given\n");
        assert!(!output.success);
        assert_eq!(
            format!("{output:?}"),
            "ProcessOutput { success: false, .. }"
        );
    }

    #[test]
    fn process_that_exceeds_its_time_limit_is_killed() {
        // It is waited for, so this would never end if the process went on.
        let error = shell("exec sleep 1000000", Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn output_in_utf16_is_read() {
        let output = shell(r"printf '\377\376a\000\n\000'", Duration::MAX).unwrap();
        assert_eq!(output.stdout.expose_secret(), "a\n");
    }

    #[test]
    fn a_limit_beyond_every_clock_does_not_panic() {
        let output = shell("echo a", Duration::MAX).unwrap();
        assert_eq!(output.stdout.expose_secret(), "a\n");
    }

    #[test]
    fn a_lot_of_output_does_not_block() {
        let output = shell(
            "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2",
            Duration::from_secs(10),
        );
        assert_eq!(output.unwrap().stderr.expose_secret().len(), 300_000);
    }
}
