//! Measures and prints the table.

use std::time::{Duration, Instant};

use entra_mock::FakeTenant;

use crate::{
    client::{Client, get, with_body},
    process::{Server, own_cpu},
    signer::Signer,
};

/// The requests of the last part without a number of them in the command.
const REQUESTS: usize = 100_000;
const ROUNDS: usize = 7;
const PARTS: [&str; 7] = ["start", "user", "token", "page", "order", "large", "growth"];

/// Measures the parts that the arguments name, or all of them.
pub(crate) fn print(arguments: &[String]) {
    let requests = arguments.iter().find_map(|argument| argument.parse().ok());
    let named = |part: &str| arguments.iter().any(|argument| argument == part);
    let all = !PARTS.iter().any(|part| named(part));
    println!("| what | fake tenant | beside | ratio |\n|---|---|---|---|");
    let mut tenant = None;
    for part in PARTS.into_iter().filter(|part| all || named(part)) {
        let mut of_requests = |measure: fn(&Tenant)| {
            measure(tenant.get_or_insert_with(|| Tenant::start(20_000)));
        };
        match part {
            "start" => start(),
            "user" => of_requests(one_user),
            "token" => of_requests(token),
            "page" => of_requests(pages),
            "order" => of_requests(order),
            "large" => {
                tenant = None;
                large();
            }
            _ => growth(requests.unwrap_or(REQUESTS)),
        }
    }
}

/// A fake tenant, with a token for its Graph.
struct Tenant {
    server: Server,
    token: String,
    token_request: Vec<u8>,
}

impl Tenant {
    fn start(users: usize) -> Self {
        let server = Server::start(&format!("tenant:{users}"));
        let [tenant, client_id, secret] = server.facts.as_slice() else {
            panic!("the server names tenant, client and secret");
        };
        let secret: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let form = format!(
            "grant_type=client_credentials&client_id={client_id}&client_secret={secret}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        );
        let target = format!("/{tenant}/oauth2/v2.0/token");
        let kind = "application/x-www-form-urlencoded";
        let token_request = with_body("POST", &target, "", kind, &form);
        let response = Client::connect(server.port).send(&token_request).json();
        let token = response["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        Self {
            server,
            token,
            token_request,
        }
    }

    fn get(&self, target: &str) -> Vec<u8> {
        get(&format!("/v1.0{target}"), &self.token)
    }

    fn client(&self) -> Client {
        Client::connect(self.server.port)
    }
}

/// The CPU time of a server for each of so many requests.
fn cost(server: &Server, client: &mut Client, request: &[u8], count: u32) -> Duration {
    let before = server.cpu();
    for _ in 0..count {
        let response = client.send(request);
        assert_eq!(response.status, 200, "{:?}", response.json());
    }
    (server.cpu() - before) / count
}

/// The medians of interleaved rounds, and the median of their ratios.
fn paired(
    mut ours: impl FnMut() -> Duration,
    mut other: impl FnMut() -> Duration,
) -> (Duration, Duration, f64) {
    ours();
    other();
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (ours(), other())).collect();
    let of = |pick: fn(&(Duration, Duration)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    (
        Duration::from_secs_f64(of(|round| round.0.as_secs_f64())),
        Duration::from_secs_f64(of(|round| round.1.as_secs_f64())),
        of(|round| round.0.as_secs_f64() / round.1.as_secs_f64()),
    )
}

fn row(what: &str, beside: &str, (ours, other, ratio): (Duration, Duration, f64)) {
    println!(
        "| {what} | {:.0} µs | {beside}: {:.0} µs | {ratio:.2} |",
        ours.as_secs_f64() * 1e6,
        other.as_secs_f64() * 1e6
    );
}

/// Compares a request to the tenant with bare hyper and wiremock that serve a body of the same length.
fn beside_bodies(tenant: &Tenant, what: &str, request: &[u8], count: u32) {
    let mut client = tenant.client();
    let length = client.send(request).body.len();
    for kind in ["hyper", "wiremock"] {
        let floor = Server::start(&format!("{kind}:{length}"));
        let mut other = Client::connect(floor.port);
        let measured = paired(
            || cost(&tenant.server, &mut client, request, count),
            || cost(&floor, &mut other, request, count),
        );
        row(what, &format!("{kind}, a body of {length} bytes"), measured);
    }
}

fn start() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    drop(runtime.block_on(FakeTenant::start()));
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let started = Instant::now();
            let tenant = runtime.block_on(FakeTenant::start());
            let took = started.elapsed();
            drop(tenant);
            took
        })
        .collect();
    times.sort();
    println!(
        "| `FakeTenant::start`, median of 200 | {:.2} ms | | |",
        times[100].as_secs_f64() * 1e3
    );
}

fn one_user(tenant: &Tenant) {
    let page = tenant.client().send(&tenant.get("/users?$top=1")).json();
    let id = page["value"][0]["id"].as_str().expect("a user").to_owned();
    let request = tenant.get(&format!("/users/{id}"));
    beside_bodies(tenant, "GET one user", &request, 3_000);
}

fn token(tenant: &Tenant) {
    let signer = Signer::new();
    // The signature of as many bytes as the token has before it.
    let (unsigned, _) = tenant.token.rsplit_once('.').expect("a JWT");
    let mut client = tenant.client();
    let length = client.send(&tenant.token_request).body.len();
    let measured = paired(
        || cost(&tenant.server, &mut client, &tenant.token_request, 300),
        || {
            let before = own_cpu();
            for _ in 0..300 {
                signer.sign(unsigned.as_bytes());
            }
            (own_cpu() - before) / 300
        },
    );
    row("a token, RS256", "the signature", measured);
    let floor = Server::start(&format!("signing:{length}"));
    let mut other = Client::connect(floor.port);
    let measured = paired(
        || cost(&tenant.server, &mut client, &tenant.token_request, 300),
        || cost(&floor, &mut other, &tenant.token_request, 300),
    );
    let beside = format!("hyper that signs for each response of {length} bytes");
    row("the same", &beside, measured);
}

fn pages(tenant: &Tenant) {
    let request = tenant.get("/users?$top=999");
    beside_bodies(tenant, "the same page of 999 users", &request, 200);
}

/// Reads a list page by page. Returns the number of pages and items.
fn read(tenant: &Tenant, target: &str) -> (u32, usize) {
    let mut client = tenant.client();
    let mut request = tenant.get(target);
    let (mut pages, mut items) = (0, 0);
    loop {
        let page = client.send(&request);
        assert_eq!(page.status, 200, "{:?}", page.json());
        let page = page.json();
        pages += 1;
        items += page["value"].as_array().map_or(0, Vec::len);
        let Some(next) = page["@odata.nextLink"].as_str() else {
            return (pages, items);
        };
        let at = next.find("/v1.0").expect("a link to Graph");
        request = get(&next[at..], &tenant.token);
    }
}

fn order(tenant: &Tenant) {
    let (plain, sorted) = (
        tenant.get("/users?$top=100"),
        tenant.get("/users?$top=100&$orderby=displayName"),
    );
    let (mut first, mut second) = (tenant.client(), tenant.client());
    let measured = paired(
        || cost(&tenant.server, &mut first, &sorted, 300),
        || cost(&tenant.server, &mut second, &plain, 300),
    );
    row(
        "100 of 20,000 users by `$orderby=displayName`",
        "100 users without it",
        measured,
    );
}

/// What depends on the size of the tenant.
fn large() {
    let tenant = Tenant::start(100_000);
    println!(
        "| a server with 100,000 users and their groups, ready | {:.1} s, {:.0} MB | | |",
        tenant.server.ready_after.as_secs_f64(),
        tenant.server.memory()
    );
    let through = |target: &str| {
        let before = tenant.server.cpu();
        let (pages, items) = read(&tenant, target);
        assert!(items >= 100_000, "{items}");
        (tenant.server.cpu() - before) / pages
    };
    let measured = paired(
        || through("/users?$top=999&$orderby=displayName"),
        || through("/users?$top=999"),
    );
    row(
        "each page of 999 through 100,000 users by `$orderby`",
        "without it",
        measured,
    );
    let filter = "createdDateTime%20ge%202025-01-01T00:00:00Z%20and%20createdDateTime%20le%202025-06-01T00:00:00Z";
    let count = tenant.get(&format!("/users/$count?$filter={filter}"));
    let small = tenant.get("/users?$top=1&$select=id");
    let (mut first, mut second) = (tenant.client(), tenant.client());
    let measured = paired(
        || cost(&tenant.server, &mut first, &count, 500),
        || cost(&tenant.server, &mut second, &small, 500),
    );
    row(
        "`$count` of 100,000 users within a time",
        "a page of one user",
        measured,
    );
}

/// Sends requests of many kinds and reports how much the memory grew.
fn growth(requests: usize) {
    let tenant = Tenant::start(1_000);
    let mut client = tenant.client();
    let users = client
        .send(&tenant.get("/users?$top=999&$select=id"))
        .json();
    let ids: Vec<String> = users["value"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|user| Some(user["id"].as_str()?.to_owned()))
        .collect();
    let mut send = |number: usize| {
        let id = &ids[number % ids.len()];
        let patch = |body: String| {
            let target = format!("/v1.0/users/{id}");
            with_body("PATCH", &target, &tenant.token, "application/json", &body)
        };
        let request = match number % 12 {
            0 => tenant.token_request.clone(),
            1 => tenant.get(&format!("/users/{id}")),
            2 => tenant.get("/users?$top=50&$orderby=displayName"),
            3 => tenant.get(&format!(
                "/users?$filter=startswith(displayName,'{}')",
                number % 97
            )),
            4 => patch(format!("{{\"jobTitle\":\"Title {number}\"}}")),
            5 => tenant.get(&format!("/users/{number}")),
            6 => tenant.get("/auditLogs/signIns?$top=10"),
            7 => tenant.get("/users/delta?$select=displayName"),
            8 => tenant.get(&format!("/users/{id}/memberOf")),
            9 => get("/v1.0/users", "invalid"),
            10 => tenant.get(&format!(
                "/groups?$count=true&$search=%22displayName:team%20{}%22",
                number % 97
            )),
            _ => get(
                &format!("/{number}/v2.0/.well-known/openid-configuration"),
                "",
            ),
        };
        client.send(&request);
    };
    let warm = requests / 10;
    (0..warm).for_each(&mut send);
    let before = tenant.server.memory();
    (warm..warm + requests).for_each(&mut send);
    let after = tenant.server.memory();
    println!(
        "| memory after {requests} requests of twelve kinds | {after:.0} MB, {:+.1} MB | before: {before:.0} MB | |",
        after - before
    );
}
