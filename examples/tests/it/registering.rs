//! The example that registers an application, step by step, in the tenant of an environment.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::Arc,
};

use clap::Parser;
use entra_core::{Environment, SystemClock};
use entra_mock::{App, FakeTenant};

use crate::{
    journal::writes,
    register_app::{Arguments, PERMISSIONS, steps},
};

/// A tenant, the environment of its setup tool, and a folder for the environment file.
struct Setup {
    tenant: FakeTenant,
    environment: Environment,
    folder: PathBuf,
}

impl Setup {
    async fn new(name: &str) -> Self {
        let tenant = FakeTenant::start().await;
        let mut tool = tenant.register_app("Setup tool").with_secret();
        for permission in PERMISSIONS {
            tool = tool.application_permission(permission);
        }
        let environment = environment(&tenant, &tool);
        let folder = env::temp_dir().join(format!("entra-register-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self {
            tenant,
            environment,
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("product.env")
    }

    /// The output of a step, and its error.
    async fn step(&self, options: &[&str]) -> (String, Option<String>) {
        let file = self.file();
        let fixed = ["register_app", "--tenant", "env", "--env-file"];
        let words = fixed.into_iter().map(Path::new);
        let words = words.chain([file.as_path()]);
        let words = words.chain(options.iter().map(Path::new));
        let arguments = Arguments::try_parse_from(words).unwrap();
        let mut out = Vec::new();
        let clock = Arc::new(self.tenant.clock());
        let outcome = steps::run(&arguments, &self.environment, clock, &mut out).await;
        let error = outcome.err().map(|error| error.to_string());
        (String::from_utf8(out).unwrap(), error)
    }

    fn written(&self, name: &str) -> String {
        let text = fs::read_to_string(self.file()).unwrap();
        let value = text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key == name).then(|| value.to_owned())
        });
        value.unwrap()
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn environment(tenant: &FakeTenant, tool: &App) -> Environment {
    let cloud = tenant.cloud();
    Environment::from_pairs([
        ("AZURE_TENANT_ID", tenant.id().to_string()),
        ("AZURE_CLIENT_ID", tool.client_id().to_string()),
        (
            "AZURE_CLIENT_SECRET",
            tool.secret().expose_secret().to_owned(),
        ),
        ("AZURE_AUTHORITY_HOST", cloud.authority().to_string()),
        ("ENTRA_GRAPH_URL", format!("{}v1.0", cloud.graph())),
    ])
}

#[tokio::test]
async fn the_guide_is_for_the_cloud_of_the_environment() {
    let government = ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us");
    let environment = Environment::from_pairs([government]);
    let words = ["register_app", "--tenant", "env", "--step", "guide"];
    let arguments = Arguments::try_parse_from(words).unwrap();
    let mut out = Vec::new();
    let clock = Arc::new(SystemClock);
    let outcome = steps::run(&arguments, &environment, clock, &mut out).await;
    outcome.unwrap();
    let page = String::from_utf8(out).unwrap();
    for text in [
        "https://portal.azure.us",
        "https://login.microsoftonline.us/TENANT-ID/v2.0/adminconsent",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
}

#[tokio::test]
async fn a_registration_is_applied_verified_rotated_and_retired_step_by_step() {
    let setup = Setup::new("steps").await;
    let (out, error) = setup.step(&["--step", "verify"]).await;
    let error = error.unwrap();
    assert!(error.contains("--step apply writes it"), "{error}");
    assert_eq!(out, "");

    let (out, error) = setup.step(&["--step", "apply"]).await;
    assert_eq!(error, None, "{out}");
    let first = setup.written("AZURE_CLIENT_SECRET");

    let before = writes(&setup.tenant);
    let (out, error) = setup.step(&["--step", "verify"]).await;
    assert_eq!(error, None, "{out}");
    assert!(
        out.contains("✔ User.Read.All: GET /users succeeds"),
        "{out}"
    );
    assert!(out.contains("? openid: a delegated permission"), "{out}");
    assert_eq!(writes(&setup.tenant), before);

    let (out, error) = setup.step(&["--step", "rotate"]).await;
    assert_eq!(error, None, "{out}");
    let second = setup.written("AZURE_CLIENT_SECRET");
    assert_ne!(first, second);
    assert!(!out.contains(&first) && !out.contains(&second), "{out}");
    let (_, old) = out.split_once("--step retire --secret-id ").unwrap();
    let old = old.trim();
    let (out, error) = setup.step(&["--step", "verify"]).await;
    assert_eq!(error, None, "{out}");

    let (_, error) = setup.step(&["--step", "retire"]).await;
    assert!(error.unwrap().contains("--secret-id is missing"));
    let (out, error) = setup.step(&["--step", "retire", "--secret-id", old]).await;
    assert_eq!(
        (out, error),
        (format!("the secret {old} is removed\n"), None)
    );
    let (out, error) = setup.step(&["--step", "verify"]).await;
    assert_eq!(error, None, "{out}");

    // What waits for a new secret requests tokens that it does not use. Each step of the tool gets one of its own.
    let tool = setup.environment.get("AZURE_CLIENT_ID");
    let requests = setup.tenant.requests();
    for finding in setup.tenant.findings().iter() {
        let of_tool = finding.requests.iter().all(|request| {
            let mut all = requests.iter();
            let sent = all.find(|one| one.number == request.number);
            sent.and_then(|one| one.app_id()) == tool
        });
        assert!(finding.rule != "token-per-call" || of_tool, "{finding:?}");
    }

    // The rotated secret is that of the blueprint: nothing is left to do.
    setup.tenant.forget_requests();
    let (out, error) = setup.step(&["--step", "apply"]).await;
    assert_eq!(error, None, "{out}");
    assert_eq!(writes(&setup.tenant), Vec::<String>::new());
    let (out, error) = setup.step(&["--step", "destroy"]).await;
    assert_eq!((out.as_str(), error), ("deleted\n", None));
}

#[tokio::test]
async fn a_variable_that_is_exported_is_verified_too() {
    let setup = Setup::new("exported").await;
    let (out, error) = setup.step(&["--step", "apply"]).await;
    assert_eq!(error, None, "{out}");
    let text = fs::read_to_string(setup.file()).unwrap();
    let text = text.replace("AZURE_CLIENT_SECRET=", "export AZURE_CLIENT_SECRET=");
    fs::write(setup.file(), text).unwrap();
    let (out, error) = setup.step(&["--step", "verify"]).await;
    assert_eq!(error, None, "{out}");
}

#[tokio::test]
async fn a_secret_in_use_is_not_retired_and_one_of_another_name_not_rotated() {
    let setup = Setup::new("retired").await;
    let (out, error) = setup.step(&["--step", "apply"]).await;
    assert_eq!(error, None, "{out}");
    let (_, id) = out.split_once("with id ").unwrap();
    let id: String = id.chars().take(36).collect();
    let (_, error) = setup.step(&["--step", "retire", "--secret-id", &id]).await;
    let error = error.unwrap();
    assert!(error.contains("is in use"), "{error}");
    let (_, error) = setup
        .step(&["--step", "rotate", "--secret", "staging"])
        .await;
    let error = error.unwrap();
    assert!(
        error.contains("the blueprint has no secret \"staging\""),
        "{error}"
    );
}

#[tokio::test]
async fn a_permission_without_consent_fails_the_step_verify() {
    let setup = Setup::new("consent").await;
    let blueprint = setup.folder.join("blueprint.yaml");
    let text = "name: Night report\npermissions:\n  - application: [User.Read.All]\nsecrets:\n  - description: production\n    lifetime: 12 months\n";
    fs::write(&blueprint, text).unwrap();
    let blueprint = blueprint.to_str().unwrap();
    let (out, error) = setup
        .step(&["--step", "apply", "--blueprint", blueprint])
        .await;
    assert_eq!(error, None, "{out}");
    let (out, error) = setup
        .step(&["--step", "verify", "--blueprint", blueprint])
        .await;
    assert_eq!(
        out,
        "✘ User.Read.All: not in the token; grant admin consent\n"
    );
    let error = error.unwrap();
    assert!(error.contains("a permission does not work"), "{error}");
}
