//! What it costs to page through all users: `cargo bench -p entra-graph --bench paging`, with valgrind installed.
//!
//! It serves pages of 999 users on loopback, runs itself under callgrind and prints instructions, which do not depend on the
//! load of the machine: those of this crate beside the floor, which is reqwest and serde_json into a struct of the eleven
//! properties that Graph returns by default. The goal is 1.15 of the floor at most.
//!
//! For CPU time and memory, `-- http://127.0.0.1:18088` pages through the users of a server and prints one JSON line, and
//! `-- floor http://127.0.0.1:18088` does the same by hand. Run them interleaved, also with other programs that print
//! the same line; only ratios mean anything.
#![expect(clippy::unwrap_used, reason = "a measurement that fails has no figure")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::Arc,
    thread,
    time::Instant,
};

use entra_core::{Cloud, StaticCredential};
use entra_graph::GraphClient;
use serde::Deserialize;
use serde_json::Value;

const ROWS: u64 = 999;
/// What a process does once is in both, so the difference is the cost of pages.
const FEW: u64 = 5;
const MANY: u64 = 25;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    match arguments.as_slice() {
        [] => measure(),
        [root] => runtime.block_on(page_through("entra-graph", root)),
        [mode, root] => runtime.block_on(page_through(mode, root)),
        _ => println!("usage: paging [[floor] URL]"),
    }
}

fn measure() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return;
    }
    let (few, many) = (serve(FEW), serve(MANY));
    let per_user = |mode: &str| -> (f64, Value) {
        let (start, _) = instructions(mode, &few);
        let (end, read) = instructions(mode, &many);
        let users = (MANY - FEW) * ROWS;
        ((end - start) / users as f64, read["sum"].clone())
    };
    let (floor, sum) = per_user("floor");
    let (ours, our_sum) = per_user("entra-graph");
    assert_eq!(our_sum, sum, "both read the same users");
    println!("| paging through users | instructions per user | beside the floor |\n|---|---|---|");
    println!("| reqwest and serde_json into eleven fields by hand | {floor:.0} | 1.00 |");
    println!("| entra-graph | {ours:.0} | {:.2} |", ours / floor);
}

/// The instructions of a process that pages through the users of a server, and what it printed.
fn instructions(mode: &str, root: &str) -> (f64, Value) {
    let file = std::env::temp_dir().join(format!("paging-{}", std::process::id()));
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe().unwrap())
        .args([mode, root])
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    let report = String::from_utf8(output.stderr).unwrap();
    let line = report.lines().find(|line| line.contains("Collected :"));
    let collected = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    (collected, serde_json::from_slice(&output.stdout).unwrap())
}

async fn page_through(mode: &str, root: &str) {
    // As long as a real token, for it is sent with every page.
    let token = format!(
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.{}.{}",
        "A".repeat(1100),
        "B".repeat(342)
    );
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let (users, sum) = match mode {
        "floor" => by_hand(root, &token).await,
        _ => by_client(root, &token).await,
    };
    println!(
        r#"{{"mode":"{mode}","users":{users},"sum":{sum},"wall_s":{:.5},"cpu_s":{:.5},"maxrss_kb":{}}}"#,
        wall.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        peak_memory_kib()
    );
}

async fn by_client(root: &str, token: &str) -> (u64, u64) {
    let graph = GraphClient::builder(StaticCredential::new(token))
        .cloud(Cloud::custom(root, root).unwrap())
        .build()
        .unwrap();
    let (mut users, mut sum) = (0, 0);
    let mut items = graph.users().list().items();
    while let Some(user) = items.try_next().await.unwrap() {
        users += 1;
        sum += checksum(&user.id, user.user_principal_name.as_deref());
    }
    (users, sum)
}

async fn by_hand(root: &str, token: &str) -> (u64, u64) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (mut users, mut sum) = (0, 0);
    let mut next = Some(format!("{root}/v1.0/users?$top={ROWS}"));
    while let Some(url) = next.take() {
        let response = client.get(url).bearer_auth(token).send().await.unwrap();
        let page: PageByHand = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        for user in &page.value {
            users += 1;
            sum += checksum(&user.id, user.user_principal_name.as_deref());
        }
        next = page.next;
    }
    (users, sum)
}

#[derive(Deserialize)]
struct PageByHand {
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    value: Vec<UserByHand>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "most fields are only decoded")]
struct UserByHand {
    business_phones: Option<Vec<String>>,
    display_name: Option<String>,
    given_name: Option<String>,
    id: String,
    job_title: Option<String>,
    mail: Option<String>,
    mobile_phone: Option<String>,
    office_location: Option<String>,
    preferred_language: Option<String>,
    surname: Option<String>,
    user_principal_name: Option<String>,
}

/// Touches the fields, so that no decoding is left out.
fn checksum(id: &str, name: Option<&str>) -> u64 {
    let of = |text: &str, factor: u64| text.len() as u64 * factor + u64::from(text.as_bytes()[0]);
    of(id, 31) + of(name.unwrap(), 1)
}

/// Serves so many pages of users on a port of its own until the process ends. Returns the URL.
fn serve(pages: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let bodies = (0..pages).map(|number| page(&root, number, pages));
    let bodies: Arc<Vec<String>> = Arc::new(bodies.collect());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let bodies = Arc::clone(&bodies);
            thread::spawn(move || respond(&stream.unwrap(), &bodies));
        }
    });
    root
}

/// Responds to the requests of a connection, which are GET and have no bodies.
fn respond(stream: &TcpStream, bodies: &[String]) {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    loop {
        let (mut target, mut header) = (String::new(), String::new());
        if reader.read_line(&mut target).unwrap_or_default() == 0 {
            return;
        }
        // The head ends with an empty line.
        while reader.read_line(&mut header).unwrap_or_default() > 2 {
            header.clear();
        }
        let number: usize = target.split_once("skiptoken=").map_or(0, |(_, rest)| {
            let end = rest.find(|character: char| !character.is_ascii_digit());
            rest[..end.unwrap_or(rest.len())].parse().unwrap()
        });
        let body = &bodies[number];
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let sent = writer.write_all(head.as_bytes());
        if sent
            .and_then(|()| writer.write_all(body.as_bytes()))
            .is_err()
        {
            return;
        }
    }
}

fn page(root: &str, number: u64, pages: u64) -> String {
    let next = match number + 1 {
        next if next < pages => {
            format!(r#""@odata.nextLink":"{root}/v1.0/users?$top={ROWS}&$skiptoken={next}","#)
        }
        _ => String::new(),
    };
    let users: Vec<String> = (0..ROWS).map(|row| user(number * ROWS + row)).collect();
    format!(
        r#"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users",{next}"value":[{}]}}"#,
        users.join(",")
    )
}

/// A user with the properties that Graph returns by default, some of them null.
fn user(number: u64) -> String {
    let name = format!("adele.vance{number}@contosocorporation-international.onmicrosoft.com");
    let unless = |every: u64, text: &str| match number % every {
        0 => "null".to_owned(),
        _ => format!("\"{text}\""),
    };
    format!(
        r#"{{"businessPhones":["+1 425 555 {:04} x4711"],"displayName":"Vance, Adele ({number}, External)","givenName":"Adele","jobTitle":{},"mail":{},"mobilePhone":{},"officeLocation":{},"preferredLanguage":{},"surname":"Vance","userPrincipalName":"{name}","id":"{number:08x}-6c1e-4a0b-9d52-{number:012x}"}}"#,
        number % 10_000,
        unless(8, "Regional \\\"Retail\\\" Operations Manager"),
        unless(7, &name),
        unless(2, "+1 206 555 0100"),
        unless(9, "Zürich / 4F"),
        unless(5, "en-US"),
    )
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
