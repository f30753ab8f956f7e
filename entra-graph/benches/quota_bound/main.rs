//! Large jobs against a fake tenant: `cargo bench -p entra-graph --bench quota_bound`.
//!
//! - Without arguments, the tenant enforces Graph's quotas on its clock: the requests beside the arithmetic minimum, and the
//!   time beside what the quotas bound it to.
//!   With the feature `sync`, `-- copy` does so for copies of the directory.
//! - `-- latency`: without quotas, at 80 ms latency: the wall time beside one request after the other.
//! - `-- clients [PART] [JOB ..] NAME=COMMAND ..`: with quotas in real time, beside other Graph clients (`.ci/side_by_side`). Each
//!   command is started with the root of the service, the name of a job and a file that describes it, and prints one line of
//!   JSON: `done`. Jobs are `groups`, `objects`, `members`, `creates` and `export`, without any all of them; with a `PART` of 20,
//!   each is a twentieth.
#![expect(clippy::unwrap_used, reason = "a measurement that fails has no figure")]

mod clients;
#[cfg(feature = "sync")]
mod copy;
#[path = "../../tests/it/quota_bound/jobs.rs"]
mod jobs;
mod latency;
#[path = "../../tests/it/support.rs"]
mod support;

use jobs::{Company, Figures};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.split_first() {
        None => runtime.block_on(quotas()),
        #[cfg(feature = "sync")]
        Some((mode, _)) if mode == "copy" => runtime.block_on(copies()),
        Some((mode, _)) if mode == "latency" => runtime.block_on(latency::run()),
        Some((_, clients)) => runtime.block_on(clients::run(clients)),
    }
}

#[cfg(feature = "sync")]
async fn copies() {
    print_head();
    for users in [10_000, 100_000] {
        println!("| {users} users | | | | | | |");
        copy::jobs(users).await.iter().for_each(print);
    }
}

fn print_head() {
    println!(
        "| job | requests | minimum | ratio | time | bound | ratio |\n|---|---|---|---|---|---|---|"
    );
}

async fn quotas() {
    print_head();
    let small = Company::of(0).await;
    print(&jobs::expand_groups(&small, 2_000, 3_500).await);
    let small = Company::of(0).await;
    print(&jobs::get_by_ids(&small, 5_000).await);
    print(&jobs::add_members(&small, 200).await);
    print(&jobs::expand_all(&small, 200, 50).await);
    let small = Company::of(0).await;
    print(&jobs::create_users(&small, 1_000).await);
    let small = Company::of(0).await;
    print(&jobs::create_users(&small, 5_000).await);
    print(&jobs::read_sign_ins(&small, 50).await);
    let large = Company::of(100_000).await;
    print(&jobs::export_users(&large).await);
    print(&jobs::expand_groups(&large, 10_000, 8_000).await);
}

fn print(figures: &Figures) {
    let ratio = |measured: f64, least: f64| match least > 0.0 {
        true => format!("{:.3}", measured / least),
        false => "-".to_owned(),
    };
    println!(
        "| {} | {} | {} | {} | {:.2} s | {:.2} s | {} |",
        figures.job,
        figures.requests,
        figures.least_requests,
        ratio(figures.requests as f64, figures.least_requests as f64),
        figures.time.as_secs_f64(),
        figures.least_time.as_secs_f64(),
        ratio(figures.time.as_secs_f64(), figures.least_time.as_secs_f64()),
    );
}
