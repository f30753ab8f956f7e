//! Large jobs against a fake tenant that enforces Graph's quotas, on its clock: `cargo bench -p entra-graph --bench quota_bound`.
//!
//! For each job it prints the requests beside the arithmetic minimum, and the time beside what the quotas bound it to.
#![expect(clippy::unwrap_used, reason = "a measurement that fails has no figure")]

#[path = "../tests/it/quota_bound/jobs.rs"]
mod jobs;
#[path = "../tests/it/support.rs"]
mod support;

use jobs::{Company, Figures};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

async fn run() {
    println!(
        "| job | requests | minimum | ratio | time | bound | ratio |\n|---|---|---|---|---|---|---|"
    );
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
