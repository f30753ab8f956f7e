//! The state file: restarts, and files that are not one.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use entra_mock::{Scenario, Server, ServerError};
use serde_json::{Value, json};

use crate::{
    controlled::{Controlled, NOTHING},
    support::{fetch, http},
};

/// A directory that is removed at the end of the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("entra-mock-state-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn state(&self) -> PathBuf {
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
    Controlled::of(server.start().await.unwrap()).await
}

#[tokio::test]
async fn a_new_password_of_the_user_is_what_the_tenant_and_the_next_environment_file_say() {
    let scratch = Scratch::new("password");
    let first = start(&scratch).await;
    let password = "It's-Example-2!";
    first
        .done(
            "PUT",
            "/users/adele@contoso.com/password",
            json!({ "password": password }),
        )
        .await;
    assert_eq!(first.get("/tenant").await.body["password"], password);
    first.server.stop().await;

    let file = scratch.0.join("tenant.env");
    let second = Server::builder()
        .state_file(scratch.state())
        .env_file(&file);
    let second = second.start().await.unwrap();
    assert_eq!(second.user_password().expose_secret(), password);
    let script = fs::read_to_string(&file).unwrap();
    assert!(script.contains(r"export ENTRA_USER_PASSWORD='It'\''s-Example-2!'"));
    second.stop().await;
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
        "subRegion": "DOD", "resourceRule": "ignored", "deltaOddities": ["repeatedItems", "resyncWithoutLocation"], "deltaDelay": "1m",
        "logCapacity": 5_000, "plainCasts": true,
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

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_leaves_its_file_to_the_next_one_at_once() {
    let scratch = Scratch::new("next");
    let done = Arc::new(AtomicBool::new(false));
    // A program that is being started has a copy of every open file for a moment.
    let starting = Arc::clone(&done);
    let programs = std::thread::spawn(move || {
        while !starting.load(Ordering::Relaxed) {
            let _ = Command::new("true").status();
        }
    });
    for round in 0..40 {
        let server = Server::builder().state_file(scratch.state());
        let server = server.start().await.unwrap_or_else(|error| {
            panic!("round {round}: {:?}", std::error::Error::source(&error))
        });
        server.stop().await;
    }
    done.store(true, Ordering::Relaxed);
    programs.join().unwrap();
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
        Controlled::of(server.start().await.unwrap()).await
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
