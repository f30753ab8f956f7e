//! Pages through all users of a Graph-shaped server and prints what it cost, as one JSON line:
//! `cargo bench -p entra-graph --bench paging -- http://127.0.0.1:18088`.
//!
//! Run it interleaved with other programs that print the same line; only ratios mean anything.
#![expect(clippy::unwrap_used, reason = "a measurement that fails has no figure")]

use std::{fs, time::Instant};

use entra_core::{Cloud, StaticCredential};
use entra_graph::GraphClient;

fn main() {
    let root = std::env::args()
        .skip(1)
        .find(|argument| argument.starts_with("http"));
    let Some(root) = root else {
        println!("skipped: no server was named");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(page_through(&root));
}

async fn page_through(root: &str) {
    // As long as a real token, for it is sent with every page.
    let token = format!(
        "eyJ0eXAiOiJKV1QifQ.{}.{}",
        "A".repeat(1100),
        "B".repeat(342)
    );
    let graph = GraphClient::builder(StaticCredential::new(&token))
        .cloud(Cloud::custom(root, root).unwrap())
        .build()
        .unwrap();
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let (mut users, mut sum) = (0_u64, 0_u64);
    let mut items = graph.users().list().items();
    while let Some(user) = items.try_next().await.unwrap() {
        users += 1;
        sum += checksum(&user.id, 31) + checksum(user.user_principal_name.as_deref().unwrap(), 1);
    }
    println!(
        r#"{{"mode":"entra-graph","users":{users},"sum":{sum},"wall_s":{:.5},"cpu_s":{:.5},"maxrss_kb":{}}}"#,
        wall.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        peak_memory_kib()
    );
}

fn checksum(text: &str, factor: u64) -> u64 {
    text.len() as u64 * factor + u64::from(text.as_bytes()[0])
}

/// User and system time of this process, from the scheduler's nanosecond count.
fn cpu_seconds() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = |path: std::path::PathBuf| -> f64 {
        let text = fs::read_to_string(path.join("schedstat")).unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    };
    tasks
        .map(|task| nanoseconds(task.unwrap().path()))
        .sum::<f64>()
        / 1e9
}

fn peak_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
