//! The same jobs by other Graph clients, against the same fake tenant with quotas. Its clock follows real time.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use entra_core::{ManualClock, SystemClock};
use entra_graph::DirectoryObject;
use entra_mock::{FakeTenant, Seed};
use serde_json::{Value, json};

use crate::jobs::{self, Company};

/// A job as a client gets it.
struct Task {
    name: &'static str,
    title: &'static str,
    input: Value,
    least_requests: u64,
    /// How much is to be done: members read, objects, users.
    all: u64,
}

const JOBS: [&str; 5] = ["groups", "objects", "members", "creates", "export"];
/// The program of msgraph-sdk reads a few hundred users per second.
const EXPORTED: usize = 10_000;

pub(crate) async fn run(clients: &[String]) {
    let clients: Vec<(&str, &str)> = clients
        .iter()
        .map(|client| client.split_once('=').unwrap())
        .collect();
    let names: Vec<&str> = clients.iter().map(|(name, _)| *name).collect();
    println!(
        "| job | minimum | entra-graph | {} |\n|---|---|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for job in JOBS {
        let (company, pace) = start(job).await;
        let task = task(job, &company).await;
        let (title, least) = (task.title, task.least_requests);
        let mut row = format!("| {title} | {least} | {} |", ours(job, &company).await);
        pace.abort();
        for (_, command) in &clients {
            let (company, pace) = start(job).await;
            let task = self::task(job, &company).await;
            row.push_str(&format!(" {} |", theirs(command, &company, &task).await));
            pace.abort();
        }
        println!("{row}");
    }
}

async fn start(job: &str) -> (Company, tokio::task::JoinHandle<()>) {
    let users = if job == "export" { EXPORTED } else { 0 };
    let builder = FakeTenant::builder().seed(Seed::Empty).users(users);
    let tenant = builder.enforce_quotas(true).start().await;
    let pace = tokio::spawn(follow_real_time(tenant.clock()));
    (Company::new(tenant, SystemClock).await, pace)
}

async fn follow_real_time(clock: ManualClock) {
    let mut before = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = Instant::now();
        clock.advance(now - before);
        before = now;
    }
}

async fn task(job: &'static str, company: &Company) -> Task {
    let task = |title, input, least_requests, all| Task {
        name: job,
        title,
        input,
        least_requests,
        all,
    };
    match job {
        "groups" => {
            let groups = company.groups(2_000);
            let ids: Vec<String> = groups.iter().map(|group| group.id().to_string()).collect();
            let all = (0..2_000).map(|number| number % 8).sum();
            task("2,000 groups expanded", json!({"groups": ids}), 100, all)
        }
        "objects" => {
            let ids = company.users(5_000);
            task("getByIds of 5,000", json!({"ids": ids}), 5, 5_000)
        }
        "members" => {
            let (users, group) = (company.users(200), company.tenant.add_group("Everyone"));
            let input = json!({"users": users, "group": group.id()});
            task("200 member adds", input, 10, 200)
        }
        "creates" => {
            let input = json!({"count": 1_000, "domain": company.tenant.domain()});
            task("1,000 user creates", input, 50, 1_000)
        }
        _ => {
            let all = company.graph.users().count().send().await.unwrap();
            let title = "10,000 users with managers and licences";
            task(title, json!({}), all.div_ceil(999), all)
        }
    }
}

/// A cell of the table. The jobs assert that nothing is lost.
async fn ours(job: &str, company: &Company) -> String {
    let figures = match job {
        "groups" => jobs::expand_groups(company, 2_000, 3_500).await,
        "objects" => jobs::get_by_ids(company, 5_000).await,
        "members" => jobs::add_members(company, 200).await,
        "creates" => jobs::create_users(company, 1_000).await,
        _ => jobs::export_users(company).await,
    };
    cell(figures.requests, figures.wall, "all")
}

async fn theirs(command: &str, company: &Company, task: &Task) -> String {
    let mut input = task.input.clone();
    input["token"] = company.token.as_str().into();
    let file = std::env::temp_dir().join(format!("quota-bound-{}.json", std::process::id()));
    std::fs::write(&file, input.to_string()).unwrap();
    // The quota is full again.
    company.tenant.clock().advance(Duration::from_secs(600));
    let before = count(company, task.name).await;
    company.tenant.forget_requests();
    let mut words = command.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .arg(company.tenant.uri())
        .arg(task.name)
        .arg(&file);
    let started = Instant::now();
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let took = started.elapsed();
    let requests = company.tenant.requests().within("/v1.0").count();
    std::fs::remove_file(&file).unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let said: Value = serde_json::from_str(text.lines().last().unwrap_or("")).unwrap_or_default();
    if !said["done"].is_u64() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return errors
            .lines()
            .last()
            .unwrap_or("no output")
            .replace('|', "/");
    }
    // Written objects are counted in the tenant.
    let done = match task.name {
        "members" | "creates" => count(company, task.name).await - before,
        _ => said["done"].as_u64().unwrap(),
    };
    let done = match done == task.all {
        true => "all".to_owned(),
        false => format!("{done} of {}", task.all),
    };
    cell(requests, took, &done)
}

async fn count(company: &Company, job: &str) -> u64 {
    match job {
        "members" => {
            let group = company.tenant.group("Everyone");
            let members = company.graph.group(group.id()).members().list();
            let members = members.select(DirectoryObject::ID).items();
            members.try_collect::<Vec<_>>().await.unwrap().len() as u64
        }
        "creates" => company.graph.users().count().send().await.unwrap(),
        _ => 0,
    }
}

fn cell(requests: u64, wall: Duration, done: &str) -> String {
    let plural = if requests == 1 { "" } else { "s" };
    format!(
        "{requests} request{plural}, {done}, {:.1} s",
        wall.as_secs_f64()
    )
}
