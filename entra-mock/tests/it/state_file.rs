//! The state file: restarts, and kills while it is written to.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use entra_mock::{Scenario, Server, ServerError};
use serde_json::{Value, json};

use crate::{
    controlled::{Controlled, NOTHING},
    support::{GRAPH_SCOPE, fetch, http},
};

/// A directory that is removed at the end of the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("entra-mock-state-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn state(&self) -> PathBuf {
        self.0.join("tenant.state")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn start(scratch: &Scratch) -> Controlled {
    let server = Server::builder().state_file(scratch.state());
    control(server.start().await.unwrap()).await
}

async fn control(server: Server) -> Controlled {
    let mut controlled = Controlled {
        server,
        tenant: json!({}),
    };
    controlled.tenant["control"] = controlled.server.control_uri().into();
    controlled.tenant = controlled.get("/tenant").await.body;
    controlled
}

#[tokio::test]
async fn a_restart_keeps_directory_credentials_grants_policies_settings_and_clock() {
    let scratch = Scratch::new("restart");
    let first = start(&scratch).await;
    let ada = first
        .done("POST", "/users", json!({ "displayName": "Ada" }))
        .await;
    let id = ada["user"]["id"].as_str().unwrap();
    first
        .done("PUT", "/groups/Engineers/members/ada@contoso.com", NOTHING)
        .await;
    first
        .done("DELETE", "/users/bruno@contoso.com", NOTHING)
        .await;
    let shop = json!({ "displayName": "Shop", "secret": true, "redirectUris": ["https://shop.example/callback"], "delegatedPermissions": ["User.Read"] });
    let shop = first.done("POST", "/applications", shop).await;
    let wanted = json!({ "application": "Shop", "user": "adele@contoso.com", "scopes": ["User.Read", "offline_access"] });
    let tokens = first.done("POST", "/tokens", wanted).await;
    first
        .done(
            "POST",
            "/access-policies",
            json!({ "control": "block", "users": ["clara@contoso.com"] }),
        )
        .await;
    let settings = json!({
        "license": "p1", "quotas": true, "replicationDelay": "1m", "tokenLifetime": "2h", "region": "USGov",
        "subRegion": "DOD", "resourceRule": "ignored", "deltaOddities": ["repeatedItems"], "deltaDelay": "1m",
    });
    let defaults = first.get("/settings").await.body;
    let changed = first.done("PATCH", "/settings", settings).await;
    for (name, value) in changed.as_object().unwrap() {
        assert_ne!(
            *value, defaults[name],
            "{name} has another value than a new tenant"
        );
    }
    first.done("POST", "/signing-keys/roll", NOTHING).await;
    first.done("POST", "/clock/freeze", NOTHING).await;
    let kept = [
        "/tenant",
        "/users",
        "/groups",
        "/applications",
        "/settings",
        "/signing-keys",
        "/clock",
        "/access-policies",
        "/app-role-assignments",
    ];
    let mut before = Vec::new();
    for path in kept {
        let mut body = first.get(path).await.body;
        for address in ["uri", "graph", "control"] {
            if path == "/tenant" {
                body[address] = Value::Null;
            }
        }
        before.push(body);
    }
    first.server.stop().await;

    let second = start(&scratch).await;
    for (path, expected) in kept.iter().zip(before) {
        let mut body = second.get(path).await.body;
        for address in ["uri", "graph", "control"] {
            if *path == "/tenant" {
                body[address] = Value::Null;
            }
        }
        assert_eq!(body, expected, "{path}");
    }
    let members = second
        .graph(&format!("/users/{id}/memberOf?$select=displayName"))
        .await;
    assert_eq!(members.body["value"][0]["displayName"], "Engineers");
    let deleted = second
        .graph("/directory/deletedItems/microsoft.graph.user")
        .await;
    assert_eq!(
        deleted.body["value"].as_array().unwrap().len(),
        1,
        "{}",
        deleted.text
    );
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        second.text("uri"),
        second.text("id")
    );
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", shop["appId"].as_str().unwrap()),
        ("client_secret", shop["secret"].as_str().unwrap()),
        ("refresh_token", tokens["refreshToken"].as_str().unwrap()),
        ("scope", "User.Read"),
    ];
    let refreshed = fetch(http().post(url).form(&form)).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    // New objects after a restart have ids of their own.
    let eve = second
        .done("POST", "/users", json!({ "displayName": "Eve" }))
        .await;
    assert_ne!(eve["user"]["id"], ada["user"]["id"]);
    second.server.stop().await;
    let third = start(&scratch).await;
    let kim = third
        .done("POST", "/users", json!({ "displayName": "Kim" }))
        .await;
    assert_ne!(kim["user"]["id"], eve["user"]["id"]);
    third.done("POST", "/reset", NOTHING).await;
    third.server.stop().await;
    let fourth = start(&scratch).await;
    assert_eq!(
        fourth.get("/users/eve@contoso.com").await.status,
        404,
        "a reset is kept too"
    );
    assert_eq!(fourth.get("/users/bruno@contoso.com").await.status, 200);
}

#[tokio::test]
async fn the_file_is_private_and_used_by_one_server_only() {
    let scratch = Scratch::new("lock");
    let first = start(&scratch).await;
    let mode = fs::metadata(scratch.state()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let second = Server::builder()
        .state_file(scratch.state())
        .start()
        .await
        .unwrap_err();
    assert!(matches!(second, ServerError::State { .. }), "{second}");
    let source = std::error::Error::source(&second).unwrap().to_string();
    assert!(
        source.contains("another server uses this state file"),
        "{source}"
    );
    first.server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_damaged_or_of_something_else_is_an_error_and_stays_as_it_is() {
    let scratch = Scratch::new("damaged");
    start(&scratch).await.server.stop().await;
    let bytes = fs::read(scratch.state()).unwrap();
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for content in [damaged, b"hello\n".to_vec(), b"".to_vec()] {
        fs::write(scratch.state(), &content).unwrap();
        let error = Server::builder()
            .state_file(scratch.state())
            .start()
            .await
            .unwrap_err();
        assert!(matches!(error, ServerError::State { .. }), "{error}");
        assert_eq!(fs::read(scratch.state()).unwrap(), content);
    }
    fs::write(scratch.state(), &bytes).unwrap();
    start(&scratch).await.server.stop().await;
}

#[tokio::test]
async fn delta_links_of_the_earlier_run_start_again() {
    let scratch = Scratch::new("delta");
    let first = start(&scratch).await;
    let link = first.graph("/users/delta?$select=id").await.body["@odata.deltaLink"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = link.strip_prefix(first.text("graph")).unwrap().to_owned();
    assert_eq!(first.graph(&path).await.status, 200);
    first.server.stop().await;
    let second = start(&scratch).await;
    let gone = second.graph(&path).await;
    assert_eq!(
        (gone.status, code_of(&gone.body)),
        (410, "syncStateNotFound")
    );
}

#[tokio::test]
async fn a_scenario_makes_a_new_file_and_an_existing_file_goes_before_it() {
    let scenario = |name: &str| {
        let text = format!("base: empty\nusers:\n  - {{ name: {name}, displayName: {name} }}\n");
        Scenario::from_yaml(&text).unwrap()
    };
    let scratch = Scratch::new("scenario");
    let file = async |name: &str| {
        let server = Server::builder()
            .scenario(&scenario(name))
            .state_file(scratch.state());
        control(server.start().await.unwrap()).await
    };
    let names = async |server: &Controlled| {
        let listed = server.get("/users").await.body;
        let users = listed["value"].as_array().unwrap().iter();
        let names: BTreeSet<String> = users.map(|user| user["displayName"].to_string()).collect();
        (
            names.contains("\"ines\""),
            names.contains("\"jonas\""),
            names.contains("\"Ada\""),
        )
    };
    let first = file("ines").await;
    first
        .done("POST", "/users", json!({ "displayName": "Ada" }))
        .await;
    assert_eq!(names(&first).await, (true, false, true));
    first.server.stop().await;
    let second = file("jonas").await;
    assert_eq!(names(&second).await, (true, false, true));
    // The scenario of the file is the start of its tenant.
    second.done("POST", "/reset", NOTHING).await;
    assert_eq!(names(&second).await, (true, false, false));
    second.server.stop().await;
}

#[cfg(feature = "wiremock")]
#[tokio::test]
async fn a_subscription_is_notified_of_changes_after_a_restart_but_not_of_undelivered_ones() {
    use crate::{
        control::notifications::{deliver, rename, set, subscribe},
        notifications::Receiver,
    };

    let (scratch, receiver) = (Scratch::new("subscription"), Receiver::start().await);
    let on_request = json!({ "automatic": false, "duplicated": true });
    let first = start(&scratch).await;
    set(&first, on_request.clone()).await;
    let id = subscribe(&first, &receiver).await;
    rename(&first, "before").await;
    assert_eq!(
        set(&first, on_request.clone()).await["pending"],
        2,
        "both copies"
    );
    first.server.stop().await;

    let second = start(&scratch).await;
    assert_eq!(second.get("/notifications").await.body["duplicated"], false);
    set(&second, json!({ "automatic": false })).await;
    assert_eq!(receiver.take().len(), 0);
    let listed = second.get("/subscriptions").await.body;
    assert_eq!(listed["value"][0]["id"], id);
    rename(&second, "after").await;
    assert_eq!(deliver(&second).await["delivered"], 1);
    let bodies = receiver.take();
    assert_eq!(bodies[0]["value"][0]["subscriptionId"], id);
    assert_eq!(bodies[0]["value"][0]["clientState"], "canary-7c41");
    second.server.stop().await;
}

fn code_of(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap()
}

/// The program with a state file.
struct Program {
    child: Child,
    control: String,
    token: String,
    tenant: Value,
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that fails must not leave the program behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    async fn start(scratch: &Scratch) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_entra-mock"))
            .args(["serve", "--port", "0", "--state"])
            .arg(scratch.state())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut variable = None;
        while variable.is_none() {
            let mut line = String::new();
            assert!(
                output.read_line(&mut line).unwrap() > 0,
                "the program ended"
            );
            variable = line
                .strip_prefix("export ENTRA_MOCK_CONTROL_URL='")
                .and_then(|rest| rest.split_once("' ENTRA_MOCK_CONTROL_TOKEN='"))
                .map(|(url, rest)| (url.to_owned(), rest.trim_end_matches("'\n").to_owned()));
        }
        let (control, token) = variable.unwrap();
        let tenant = fetch(http().get(format!("{control}/tenant")).bearer_auth(&token))
            .await
            .body;
        Self {
            child,
            control,
            token,
            tenant,
        }
    }

    fn text(&self, name: &str) -> &str {
        self.tenant[name].as_str().unwrap()
    }

    async fn graph_token(&self) -> String {
        let url = format!("{}/{}/oauth2/v2.0/token", self.text("uri"), self.text("id"));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.text("clientId")),
            ("client_secret", self.text("clientSecret")),
            ("scope", GRAPH_SCOPE),
        ];
        fetch(http().post(url).form(&form)).await.body["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The names of all objects of a collection.
    async fn names(&self, collection: &str) -> BTreeSet<String> {
        let url = format!("{}/{collection}", self.control);
        let list = fetch(http().get(url).bearer_auth(&self.token)).await.body;
        let names = list["value"].as_array().unwrap().iter();
        names
            .map(|object| {
                object["displayName"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    }
}

/// Numbers that differ and are the same in every run.
fn next(seed: &mut u64) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 40).unwrap()
}

/// `ENTRA_MOCK_KILL_ROUNDS` sets the number of kills: 200 for the full count, a tenth of it unless set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_while_written_to_has_every_acknowledged_write_whole() {
    let rounds =
        std::env::var("ENTRA_MOCK_KILL_ROUNDS").map_or(20, |rounds| rounds.parse().unwrap());
    let scratch = Scratch::new("kill");
    let acknowledged = Arc::new(Mutex::new([BTreeSet::new(), BTreeSet::new()]));
    let mut seed = 7;
    for round in 0..rounds {
        let mut program = Program::start(&scratch).await;
        let groups = program.names("groups").await;
        let users = program.names("users").await;
        {
            let acknowledged = acknowledged.lock().unwrap();
            for (known, there) in acknowledged.iter().zip([&users, &groups]) {
                let lost: Vec<_> = known.difference(there).collect();
                assert!(lost.is_empty(), "round {round}: {lost:?}");
            }
        }
        let token = program.graph_token().await;
        // A group is made with its members in one request: all of them or no group.
        for name in groups.iter().filter(|name| name.starts_with("round ")) {
            let url = format!(
                "{}/groups?$filter=displayName eq '{name}'&$expand=members($select=id)",
                program.text("graph")
            );
            let group = fetch(http().get(url).bearer_auth(&token)).await.body;
            assert_eq!(
                group["value"][0]["members"].as_array().map(Vec::len),
                Some(2),
                "{name}"
            );
            if round % 10 != 0 {
                break;
            }
        }

        let members: Vec<String> = ["adele", "clara"]
            .map(|user| format!("https://graph.microsoft.com/v1.0/users/{user}@contoso.com"))
            .into();
        let enough = 3 + next(&mut seed) % 12;
        let count = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (control, own, graph) = (program.control.clone(), program.token.clone(), program.text("graph").to_owned());
                let (token, members) = (token.clone(), members.clone());
                let (acknowledged, count) = (Arc::clone(&acknowledged), Arc::clone(&count));
                tokio::spawn(async move {
                    for number in 0.. {
                        let name = format!("round {round} writer {writer} number {number}");
                        let nickname = format!("r{round}w{writer}n{number}");
                        let request = match writer % 2 {
                            0 => http().post(format!("{control}/users")).bearer_auth(&own).json(&json!({ "displayName": name })),
                            _ => http().post(format!("{graph}/groups")).bearer_auth(&token).json(&json!({
                                "displayName": name, "mailNickname": nickname, "mailEnabled": false,
                                "securityEnabled": true, "members@odata.bind": members,
                            })),
                        };
                        match request.send().await {
                            Ok(response) if response.status() == 201 => {
                                acknowledged.lock().unwrap()[writer % 2].insert(name);
                                count.fetch_add(1, Ordering::SeqCst);
                            }
                            Ok(response) => panic!("{}: {}", response.status(), response.text().await.unwrap_or_default()),
                            // The server is gone.
                            Err(_) => return,
                        }
                    }
                })
            })
            .collect();
        while count.load(Ordering::SeqCst) < enough {
            assert!(
                program.child.try_wait().unwrap().is_none(),
                "the program ended"
            );
            tokio::task::yield_now().await;
        }
        program.child.kill().unwrap();
        program.child.wait().unwrap();
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let mut program = Program::start(&scratch).await;
    let users = program.names("users").await;
    assert!(acknowledged.lock().unwrap()[0].is_subset(&users));
    program.child.kill().unwrap();
    program.child.wait().unwrap();
}
