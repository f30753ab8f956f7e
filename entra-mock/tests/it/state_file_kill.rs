//! The state file of a program that is killed while it is written to.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    state_file::Scratch,
    support::{GRAPH_SCOPE, Response, fetch, http},
};

/// What clients were told to be done.
#[derive(Default)]
struct Acknowledged {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    /// Users whose job title was set to their name.
    updated: BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// Redeemed codes of the newest round, with the refresh token that each was redeemed for.
    redeemed: Vec<(String, String)>,
}

/// The program with a state file.
struct Program {
    child: Child,
    client: Client,
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
        let tenant = fetch(http().get(format!("{control}/tenant")).bearer_auth(&token)).await;
        let client = Client {
            control,
            token,
            tenant: tenant.body,
        };
        Self { child, client }
    }
}

/// A client of the program.
#[derive(Clone)]
struct Client {
    control: String,
    token: String,
    tenant: Value,
}

impl Client {
    fn text(&self, name: &str) -> &str {
        self.tenant[name].as_str().unwrap()
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.control);
        let request = http().request(method.parse().unwrap(), url);
        let request = request.bearer_auth(&self.token);
        match body {
            Value::Null => request,
            body => request.json(body),
        }
    }

    fn token_form(&self, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let url = format!("{}/{}/oauth2/v2.0/token", self.text("uri"), self.text("id"));
        let mut form = vec![
            ("client_id", self.text("clientId")),
            ("client_secret", self.text("clientSecret")),
        ];
        form.extend(fields);
        http().post(url).form(&form)
    }

    /// A token request of the tenant's application.
    async fn token_request(&self, fields: &[(&str, &str)]) -> Response {
        fetch(self.token_form(fields)).await
    }

    async fn graph_token(&self) -> String {
        let fields = [("grant_type", "client_credentials"), ("scope", GRAPH_SCOPE)];
        self.token_request(&fields).await.body["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// All objects of a collection.
    async fn objects(&self, collection: &str) -> Vec<Value> {
        let request = self.control("GET", &format!("/{collection}"), &Value::Null);
        let list = fetch(request).await.body;
        list["value"].as_array().unwrap().clone()
    }

    /// Checks that everything is there that a client was told to be done, and returns the names of the groups.
    async fn check(&self, acknowledged: &Mutex<Acknowledged>, when: &str) -> BTreeSet<String> {
        let users = self.objects("users").await;
        let groups = names(&self.objects("groups").await);
        let redeemed = {
            let mut known = acknowledged.lock().unwrap();
            let there = names(&users);
            let titled = users
                .iter()
                .filter(|user| user["jobTitle"] == user["displayName"]);
            let titled = names(&titled.cloned().collect::<Vec<_>>());
            for (known, there) in [
                (&known.users, &there),
                (&known.groups, &groups),
                (&known.updated, &titled),
            ] {
                let lost: Vec<_> = known.difference(there).collect();
                assert!(lost.is_empty(), "{when}: {lost:?}");
            }
            let back: Vec<_> = known.deleted.intersection(&there).collect();
            assert!(back.is_empty(), "{when}: {back:?}");
            std::mem::take(&mut known.redeemed)
        };
        for (code, refresh_token) in redeemed {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token.as_str()),
                ("scope", "User.Read"),
            ];
            let refreshed = self.token_request(&fields).await;
            assert_eq!(refreshed.status, 200, "{when}: {}", refreshed.text);
            let again = self.token_request(&redemption(&code)).await;
            assert!(again.text.contains("AADSTS54005"), "{when}: {}", again.text);
        }
        groups
    }
}

fn names(objects: &[Value]) -> BTreeSet<String> {
    let names = objects.iter().map(|object| object["displayName"].as_str());
    names
        .map(|name| name.unwrap_or_default().to_owned())
        .collect()
}

fn redemption(code: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
    ]
}

/// Writes until the server is gone.
#[derive(Clone)]
struct Writer {
    client: Client,
    /// For Graph.
    graph_token: String,
    acknowledged: Arc<Mutex<Acknowledged>>,
    count: Arc<AtomicUsize>,
}

impl Writer {
    async fn run(self, round: usize, writer: usize) {
        for number in 0.. {
            let name = format!("round {round} writer {writer} number {number}");
            let nickname = format!("r{round}w{writer}n{number}");
            let written = match writer {
                0 | 2 => self.user(&name, number).await,
                1 | 3 => self.group(&name, &nickname).await,
                _ => self.code().await,
            };
            if written.is_none() {
                return;
            }
        }
    }

    /// Sends a request. Returns the body of a response with this status, or `None` if the server is gone.
    async fn send(&self, request: reqwest::RequestBuilder, status: u16) -> Option<Value> {
        let response = request.send().await.ok()?;
        let received = response.status().as_u16();
        let text = response.text().await.unwrap_or_default();
        assert_eq!(received, status, "{text}");
        Some(serde_json::from_str(&text).unwrap_or_default())
    }

    fn acknowledge<T>(&self, change: impl FnOnce(&mut Acknowledged) -> T) {
        let _ = change(&mut self.acknowledged.lock().unwrap());
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Adds a user, and changes or deletes two of three.
    async fn user(&self, name: &str, number: usize) -> Option<()> {
        let new = json!({ "displayName": name });
        let new = self.client.control("POST", "/users", &new);
        let created = self.send(new, 201).await?;
        self.acknowledge(|known| known.users.insert(name.to_owned()));
        // A response that was cut off has no id.
        let path = format!("/users/{}", created["user"]["id"].as_str()?);
        match number % 3 {
            0 => {
                let title = json!({ "jobTitle": name });
                self.send(self.client.control("PATCH", &path, &title), 200)
                    .await?;
                self.acknowledge(|known| known.updated.insert(name.to_owned()));
            }
            1 => {
                // A deletion without a response can have happened or not.
                self.acknowledged.lock().unwrap().users.remove(name);
                let deletion = self.client.control("DELETE", &path, &Value::Null);
                self.send(deletion, 204).await?;
                self.acknowledge(|known| known.deleted.insert(name.to_owned()));
            }
            _ => {}
        }
        Some(())
    }

    /// Adds a group with two members in one request.
    async fn group(&self, name: &str, nickname: &str) -> Option<()> {
        let members = ["adele", "clara"]
            .map(|user| format!("https://graph.microsoft.com/v1.0/users/{user}@contoso.com"));
        let request = http()
            .post(format!("{}/groups", self.client.text("graph")))
            .bearer_auth(&self.graph_token)
            .json(&json!({
                "displayName": name, "mailNickname": nickname, "mailEnabled": false,
                "securityEnabled": true, "members@odata.bind": members,
            }));
        self.send(request, 201).await?;
        self.acknowledge(|known| known.groups.insert(name.to_owned()));
        Some(())
    }

    /// Signs a user in and redeems the code.
    async fn code(&self) -> Option<()> {
        let authorize = format!(
            "{}/{}/oauth2/v2.0/authorize",
            self.client.text("uri"),
            self.client.text("id")
        );
        let parameters = [
            ("client_id", self.client.text("clientId")),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "User.Read offline_access"),
        ];
        let url = reqwest::Url::parse_with_params(&authorize, parameters).unwrap();
        let sign_in = json!({ "url": url.as_str(), "user": self.client.text("user") });
        let request = self.client.control("POST", "/sign-ins/follow", &sign_in);
        let redirect = self.send(request, 200).await?;
        let code = redirect["parameters"]["code"].as_str()?;
        let request = self.client.token_form(&redemption(code));
        let tokens = self.send(request, 200).await?;
        let refresh_token = tokens["refresh_token"].as_str()?;
        let redeemed = (code.to_owned(), refresh_token.to_owned());
        self.acknowledge(|known| known.redeemed.push(redeemed));
        Some(())
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
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let mut seed = 7;
    for round in 0..rounds {
        let mut program = Program::start(&scratch).await;
        let client = program.client.clone();
        let groups = client.check(&acknowledged, &format!("round {round}")).await;
        let graph_token = client.graph_token().await;
        // A group is made with its members in one request: all of them or no group.
        for name in groups.iter().filter(|name| name.starts_with("round ")) {
            let url = format!(
                "{}/groups?$filter=displayName eq '{name}'&$expand=members($select=id)",
                client.text("graph")
            );
            let group = fetch(http().get(url).bearer_auth(&graph_token)).await.body;
            assert_eq!(
                group["value"][0]["members"].as_array().map(Vec::len),
                Some(2),
                "{name}"
            );
            if round % 10 != 0 {
                break;
            }
        }

        let enough = 3 + next(&mut seed) % 12;
        // A fast server is killed before anything was deleted: in some rounds there is time for each kind.
        let deleted_before = acknowledged.lock().unwrap().deleted.len();
        let has_each_kind = || {
            let known = acknowledged.lock().unwrap();
            round % 4 != 3 || (known.deleted.len() > deleted_before && !known.groups.is_empty())
        };
        let writer = Writer {
            client,
            graph_token,
            acknowledged: Arc::clone(&acknowledged),
            count: Arc::default(),
        };
        let writers: Vec<_> = (0..5)
            .map(|number| tokio::spawn(writer.clone().run(round, number)))
            .collect();
        while writer.count.load(Ordering::SeqCst) < enough || !has_each_kind() {
            assert!(
                program.child.try_wait().unwrap().is_none(),
                "the program ended"
            );
            tokio::task::yield_now().await;
        }
        program.child.kill().unwrap();
        program.child.wait().unwrap();
        for mut writer in writers {
            match tokio::time::timeout(LONGEST_END, &mut writer).await {
                Ok(ended) => ended.unwrap(),
                // Its request was lost, see `http`. It was not acknowledged, so nothing depends on it.
                Err(_) => writer.abort(),
            }
        }
    }
    let program = Program::start(&scratch).await;
    program.client.check(&acknowledged, "the end").await;
    let known = acknowledged.lock().unwrap();
    for written in [&known.users, &known.groups, &known.updated, &known.deleted] {
        assert!(rounds < 20 || !written.is_empty());
    }
}

/// How long requests to a killed server may take to fail: its system closes their connections at once.
const LONGEST_END: Duration = Duration::from_secs(10);
/// A redirect URI of the tenant's application.
const CALLBACK: &str = "http://localhost:3000/callback";
