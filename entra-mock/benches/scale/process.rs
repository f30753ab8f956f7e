//! A server in a process of its own, and what it uses.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// What the server says of itself, after its port.
    pub(crate) facts: Vec<String>,
    pub(crate) ready_after: Duration,
}

impl Server {
    pub(crate) fn start(what: &str) -> Self {
        let started = Instant::now();
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["serve", what])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let output = child.stdout.take().expect("an output");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("a line when it is ready");
        let ready_after = started.elapsed();
        let mut words = line.split_whitespace().map(str::to_owned);
        let port = words.next().and_then(|port| port.parse().ok());
        Self {
            child,
            port: port.expect("a port"),
            facts: words.collect(),
            ready_after,
        }
    }

    /// The CPU time of all threads so far.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("threads");
        tasks
            .filter_map(|task| cpu_of(&task.ok()?.path().join("schedstat").to_string_lossy()))
            .sum()
    }

    /// Resident memory in megabytes.
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes.expect("a size") / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CPU time of this thread so far.
pub(crate) fn own_cpu() -> Duration {
    cpu_of("/proc/thread-self/schedstat").expect("a kernel with schedstat")
}

fn cpu_of(path: &str) -> Option<Duration> {
    let text = fs::read_to_string(path).ok()?;
    text.split_whitespace()
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}
