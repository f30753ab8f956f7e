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
    title: String,
    input: Value,
    least_requests: u64,
    /// How much is to be done: members read, objects, users.
    all: u64,
}

/// How much the jobs are.
#[derive(Clone, Copy)]
struct Sizes {
    groups: usize,
    objects: usize,
    members: usize,
    creates: usize,
    /// The program of msgraph-sdk reads a few hundred users per second.
    users: usize,
}

const JOBS: [&str; 5] = ["groups", "objects", "members", "creates", "export"];
const FULL: Sizes = Sizes {
    groups: 2_000,
    objects: 5_000,
    members: 200,
    creates: 1_000,
    users: 10_000,
};

impl Sizes {
    /// So much of each job.
    fn divided_by(self, part: usize) -> Self {
        let of = |size: usize| (size / part).max(1);
        Self {
            groups: of(self.groups),
            objects: of(self.objects),
            members: of(self.members),
            creates: of(self.creates),
            users: of(self.users),
        }
    }
}

pub(crate) async fn run(arguments: &[String]) {
    let (options, clients): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|one| !one.contains('='));
    let mut sizes = FULL;
    let mut jobs: Vec<&'static str> = Vec::new();
    for option in options {
        match JOBS.into_iter().find(|job| *job == option) {
            Some(job) => jobs.push(job),
            None => sizes = FULL.divided_by(option.parse().unwrap()),
        }
    }
    if jobs.is_empty() {
        jobs.extend(JOBS);
    }
    let clients: Vec<(&str, &str)> = clients
        .into_iter()
        .map(|client| client.split_once('=').unwrap())
        .collect();
    let names: Vec<&str> = clients.iter().map(|(name, _)| *name).collect();
    println!(
        "| job | minimum | entra-graph | {} |\n|---|---|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for job in jobs {
        let (company, pace) = start(job, sizes).await;
        let task = task(job, sizes, &company).await;
        let (title, least) = (&task.title, task.least_requests);
        let ours = ours(job, sizes, &company).await;
        let mut row = format!("| {title} | {least} | {ours} |");
        pace.abort();
        for (_, command) in &clients {
            let (company, pace) = start(job, sizes).await;
            let task = self::task(job, sizes, &company).await;
            row.push_str(&format!(" {} |", theirs(command, &company, &task).await));
            pace.abort();
        }
        println!("{row}");
    }
}

async fn start(job: &str, sizes: Sizes) -> (Company, tokio::task::JoinHandle<()>) {
    let users = if job == "export" { sizes.users } else { 0 };
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

async fn task(job: &'static str, sizes: Sizes, company: &Company) -> Task {
    let (title, input, least, all) = match job {
        "groups" => {
            let count = sizes.groups;
            let groups = company.groups(count);
            let ids: Vec<String> = groups.iter().map(|group| group.id().to_string()).collect();
            let title = format!("{count} groups expanded");
            (
                title,
                json!({"groups": ids}),
                count.div_ceil(20),
                members_of(count),
            )
        }
        "objects" => {
            let count = sizes.objects;
            let ids = company.users(count);
            let title = format!("getByIds of {count}");
            (title, json!({"ids": ids}), count.div_ceil(1_000), count)
        }
        "members" => {
            let count = sizes.members;
            let (users, group) = (company.users(count), company.tenant.add_group("Everyone"));
            let input = json!({"users": users, "group": group.id()});
            (
                format!("{count} member adds"),
                input,
                count.div_ceil(20),
                count,
            )
        }
        "creates" => {
            let count = sizes.creates;
            let input = json!({"count": count, "domain": company.tenant.domain()});
            (
                format!("{count} user creates"),
                input,
                count.div_ceil(20),
                count,
            )
        }
        _ => {
            let all = company.graph.users().count().send().await.unwrap();
            let all = usize::try_from(all).unwrap();
            let title = format!("{} users with managers and licences", sizes.users);
            (title, json!({}), all.div_ceil(999), all)
        }
    };
    Task {
        name: job,
        title,
        input,
        least_requests: least as u64,
        all: all as u64,
    }
}

/// The groups have none to seven members in turn.
fn members_of(groups: usize) -> usize {
    (0..groups).map(|number| number % 8).sum()
}

/// A cell of the table. The jobs assert that nothing is lost.
async fn ours(job: &str, sizes: Sizes, company: &Company) -> String {
    let figures = match job {
        "groups" => jobs::expand_groups(company, sizes.groups, 3_500).await,
        "objects" => jobs::get_by_ids(company, sizes.objects).await,
        "members" => jobs::add_members(company, sizes.members).await,
        "creates" => jobs::create_users(company, sizes.creates).await,
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
