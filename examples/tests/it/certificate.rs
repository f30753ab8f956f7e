//! The client with a certificate: from a tenant that does not know it to look-ups, and each step by itself.

use std::{env, fs, path::PathBuf};

use entra_auth::{Certificate, SelfSignedCertificate};
use entra_core::{Environment, Secret, http::Method};
use entra_graph::registration::MemorySink;
use entra_mock::FakeTenant;
use serde_json::Value;

use crate::certificate_client::{
    Others, Step, apply,
    configuration::{Configuration, Sealed},
    embedded, from_env,
    key::Folder as Keys,
    load, save,
    setup::{self, PERMISSIONS},
};
use crate::journal::assert_no_findings;

/// A folder that is deleted with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("entra-examples-{name}-{}", std::process::id());
        Self(env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap()
}

/// The text after the label.
fn value<'a>(text: &'a str, label: &str) -> &'a str {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(label));
    line.unwrap().trim()
}

/// The environment of an application of the fake tenant.
fn environment(tenant: &FakeTenant, client: &str) -> Environment {
    Environment::from_pairs([
        ("AZURE_TENANT_ID", tenant.id().to_string()),
        ("AZURE_CLIENT_ID", client.to_owned()),
        (
            "AZURE_CLIENT_CERTIFICATE_PASSWORD",
            "a passphrase of the test".to_owned(),
        ),
        ("AZURE_AUTHORITY_HOST", tenant.uri()),
        ("ENTRA_GRAPH_URL", format!("{}/v1.0", tenant.uri())),
    ])
}

#[tokio::test]
async fn one_run_goes_from_an_unknown_product_to_devices_and_users_and_deletes_its_files() {
    let mut out = Vec::new();
    embedded(&[], &mut out).await.unwrap();
    let out = text(out);
    let thumbprint = value(&out, "thumbprint");
    assert_eq!(thumbprint.len(), 40, "{out}");
    for line in [
        "+ registration \"Inventory Client\"",
        "+ certificate \"first installation\"",
        "+ certificate \"standby installation\"",
        "+ admin consent for Microsoft Graph Device.Read.All (application)",
        "60 users",
        " devices\n",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    assert!(
        out.contains(&format!("with the certificate {thumbprint}")),
        "{out}"
    );
    assert!(!out.contains('✘'), "the connection test passes: {out}");
    let files = PathBuf::from(value(&out, "to upload"));
    assert!(!files.parent().unwrap().exists());
}

#[tokio::test]
async fn look_ups_and_figures_are_those_that_raw_requests_count() {
    let mut out = Vec::new();
    embedded(&["Adele", "no such name"], &mut out)
        .await
        .unwrap();
    let looked_up = text(out);
    let mut out = Vec::new();
    embedded(&[], &mut out).await.unwrap();
    let listed = text(out);

    // The same company, since both have the same seed.
    let tenant = FakeTenant::builder().users(60).start().await;
    let graph = setup::administrator(&tenant).unwrap();
    let all = async |path: &str| -> Vec<Value> {
        let items = graph.raw(Method::GET, path).items::<Value>();
        items.try_collect::<Vec<Value>>().await.unwrap()
    };
    let devices = all("/devices").await.len();
    let users = all("/users").await;
    assert!(listed.contains(&format!("\n{devices} devices")), "{listed}");
    assert!(
        listed.contains(&format!("\n{} users", users.len())),
        "{listed}"
    );
    let named = users
        .iter()
        .filter(|user| user["displayName"].as_str().unwrap().starts_with("Adele"));
    let named: Vec<&Value> = named.collect();
    assert!(!named.is_empty());
    let line = format!("\"Adele\": 0 devices, {} users", named.len());
    assert!(looked_up.contains(&line), "{line}\n{looked_up}");
    let id = named[0]["id"].as_str().unwrap();
    let groups = all(&format!("/users/{id}/transitiveMemberOf")).await;
    let groups = groups
        .iter()
        .filter(|object| object["@odata.type"] == "#microsoft.graph.group");
    let mut names: Vec<&str> = groups
        .map(|group| group["displayName"].as_str().unwrap())
        .collect();
    assert!(!names.is_empty());
    names.sort_unstable();
    assert!(looked_up.contains(&names.join(", ")), "{looked_up}");
    assert!(looked_up.contains("\"no such name\": 0 devices, 0 users"));
}

#[tokio::test]
async fn a_second_apply_sends_reads_only_and_a_further_installation_needs_proof() {
    let tenant = FakeTenant::start().await;
    let certificate = |name: &str| {
        let new = SelfSignedCertificate::rsa(name).clock(tenant.clock());
        new.generate().unwrap()
    };
    let (first, further) = (certificate("CN=first"), certificate("CN=further"));
    let graph = setup::administrator(&tenant).unwrap();
    let blueprint = setup::blueprint([("first", first.public_der())]).unwrap();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let out = &mut Vec::new();
    setup::apply(&graph, &blueprint, &mut sink, out)
        .await
        .unwrap();
    tenant.forget_requests();
    let again = setup::apply(&graph, &blueprint, &mut sink, out)
        .await
        .unwrap();
    assert_eq!(again.changes(), []);
    let requests = tenant.requests().within("/v1.0/");
    assert!(requests.count() > 0 && requests.iter().all(|request| request.method == "GET"));

    let both = [
        ("first", first.public_der()),
        ("further", further.public_der()),
    ];
    let plan = setup::blueprint(both).unwrap().plan(&graph).await.unwrap();
    assert!(
        plan.to_string().contains("needs proof of possession"),
        "{plan}"
    );
    let plan = plan.prove_with(std::sync::Arc::new(first)).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
}

#[tokio::test]
async fn only_the_installations_that_it_names_read_a_configuration() {
    let clock = entra_core::ManualClock::default();
    let certificate = |name: &str| {
        let new = SelfSignedCertificate::rsa(name).clock(clock.clone());
        new.generate().unwrap()
    };
    let [one, other, stranger] = ["CN=one", "CN=other", "CN=stranger"].map(certificate);
    let configuration = Configuration {
        tenant_id: "8d1c1a52-9b52-4a39-b1f0-2a4c8d4f7a10".to_owned(),
        client_id: "2f9c51f4-55a4-4a2c-8d2d-6d7e11d1c9aa".to_owned(),
        active_certificate: one.thumbprint_sha1(),
    };
    let sealed = Sealed::new(&configuration, [one.public_der(), other.public_der()]).unwrap();
    for reader in [&one, &other] {
        assert_eq!(sealed.open(reader).unwrap(), configuration);
    }
    let error = sealed.open(&stranger).unwrap_err().to_string();
    assert!(error.contains("is not for the certificate"), "{error}");
    let saved = serde_json::to_string(&sealed).unwrap();
    assert!(!saved.contains("8d1c1a52") && !saved.contains(&one.thumbprint_sha1()));
    // A change of any character of the content is found.
    let mut document: Value = serde_json::from_str(&saved).unwrap();
    let content = document["content"].as_str().unwrap();
    let changed = if content.starts_with('A') { "B" } else { "A" };
    document["content"] = format!("{changed}{}", &content[1..]).into();
    let changed: Sealed = serde_json::from_value(document).unwrap();
    let error = changed.open(&one).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
}

#[tokio::test]
async fn of_several_certificates_the_active_one_signs_in() {
    let folders = [Folder::new("active"), Folder::new("standby")];
    let keys = [0, 1].map(|at: usize| Keys::of(folders[at].0.clone()).unwrap());
    let passphrase = Secret::from("a passphrase of the test");
    let clock = entra_core::ManualClock::default();
    let [active, standby] = [0, 1].map(|at: usize| {
        let made = keys[at].make_certificate(&passphrase, clock.clone());
        made.unwrap()
    });
    let configuration = Configuration {
        active_certificate: active.thumbprint_sha1(),
        ..Configuration::default()
    };
    for folder in &keys {
        save(
            folder,
            &configuration,
            [active.public_der(), standby.public_der()],
        )
        .unwrap();
    }
    assert_eq!(load(&keys[0], &passphrase).unwrap().1, configuration);
    let error = load(&keys[1], &passphrase).unwrap_err().to_string();
    let expected = format!("the active certificate is {}", active.thumbprint_sha1());
    assert!(error.contains(&expected), "{error}");
}

#[tokio::test]
async fn the_steps_register_test_and_run_in_the_tenant_of_the_environment() {
    let folder = Folder::new("steps");
    let tenant = FakeTenant::start().await;
    let mut tool = tenant.register_app("Setup tool").with_secret();
    for right in [
        "Application.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
        "Directory.Read.All",
    ] {
        tool = tool.application_permission(right);
    }
    let secret = tool.secret().expose_secret().to_owned();
    let environment = environment(&tenant, &tool.client_id().to_string());
    let environment = environment.with("AZURE_CLIENT_SECRET", secret);
    let path = Some(folder.0.clone());
    let step = async |step, texts: &[&str]| {
        let mut out = Vec::new();
        let code = from_env(step, &environment, path.clone(), texts, &mut out).await;
        (code.unwrap(), text(out))
    };
    let (_, applied) = step(Step::Apply, &[]).await;
    assert!(
        applied.contains("+ certificate \"this installation\""),
        "{applied}"
    );
    let (code, tested) = step(Step::Test, &[]).await;
    assert_eq!(code, 0, "{tested}");
    let (_, listed) = step(Step::Run, &[]).await;
    assert!(listed.contains("days left"), "{listed}");
    let (_, found) = step(Step::Run, &["Adele"]).await;
    assert!(found.contains("\"Adele\": 0 devices, 1 users"), "{found}");
    let (_, again) = step(Step::Apply, &[]).await;
    assert!(again.contains("nothing to change"), "{again}");

    // A further installation proves by the first one's key, and its configuration is for both.
    let more = Folder::new("steps-more");
    let others = Others {
        proof: Some(folder.0.clone()),
        readers: vec![Keys::of(folder.0.clone()).unwrap().public_part()],
    };
    let mut out = Vec::new();
    apply(&environment, Some(more.0.clone()), others, &mut out)
        .await
        .unwrap();
    let applied = text(out);
    assert!(
        applied.contains("+ certificate \"this installation\""),
        "{applied}"
    );
    let mut out = Vec::new();
    from_env(
        Step::Run,
        &environment,
        Some(more.0.clone()),
        &["Adele"],
        &mut out,
    )
    .await
    .unwrap();
    assert!(text(out).contains("\"Adele\": 0 devices, 1 users"));
    let sealed = fs::read(Keys::of(more.0.clone()).unwrap().configuration()).unwrap();
    let sealed: Sealed = serde_json::from_slice(&sealed).unwrap();
    let passphrase = environment.secret("AZURE_CLIENT_CERTIFICATE_PASSWORD");
    let first = Keys::of(folder.0.clone()).unwrap().private_part();
    let first = Certificate::from_file(first, passphrase).unwrap();
    let configuration = sealed.open(&first).unwrap();

    // A second run does not take the configuration from the other installation.
    let before = fs::read(Keys::of(more.0.clone()).unwrap().configuration()).unwrap();
    let alone = Others::default();
    let mut out = Vec::new();
    apply(&environment, Some(more.0.clone()), alone, &mut out)
        .await
        .unwrap();
    let after = fs::read(Keys::of(more.0.clone()).unwrap().configuration()).unwrap();
    assert!(before == after, "{}", text(out));
    // A run that changes it names those who can no longer read it.
    let changed = Configuration {
        client_id: "66666666-7777-8888-9999-000000000000".to_owned(),
        ..configuration.clone()
    };
    let second = Keys::of(more.0.clone()).unwrap();
    let second = Certificate::from_file(second.private_part(), passphrase).unwrap();
    let keys = Keys::of(more.0.clone()).unwrap();
    save(&keys, &changed, [second.public_der(), first.public_der()]).unwrap();
    let mut out = Vec::new();
    apply(
        &environment,
        Some(more.0.clone()),
        Others::default(),
        &mut out,
    )
    .await
    .unwrap();
    let out = text(out);
    let warning = format!(
        "the certificate {} (SHA-256) no longer opens",
        first.thumbprint_sha256()
    );
    assert!(out.contains(&warning), "{out}");
    assert!(!out.contains(&second.thumbprint_sha256()), "{out}");

    // The same key and certificate as PKCS#12, which is not a text, and without a folder.
    let pfx = more.0.join("client.pfx");
    first.save_pfx(&pfx, passphrase.unwrap()).unwrap();
    let environment = environment
        .clone()
        .with("AZURE_CLIENT_ID", configuration.client_id)
        .with("AZURE_CLIENT_CERTIFICATE_PATH", pfx.to_str().unwrap());
    let mut out = Vec::new();
    let code = from_env(Step::Test, &environment, None, &[], &mut out).await;
    assert_eq!(code.unwrap(), 0, "{}", text(out));
    assert_no_findings(&tenant);
}

#[tokio::test]
async fn a_reader_that_cannot_be_used_ends_the_step_before_anything_is_changed() {
    let folder = Folder::new("readers");
    let files = Folder::new("readers-files");
    fs::create_dir_all(&files.0).unwrap();
    let tenant = FakeTenant::start().await;
    let environment = environment(&tenant, "66666666-7777-8888-9999-000000000000");
    let environment = environment.with("AZURE_CLIENT_SECRET", "a secret of the test");
    let cases = [
        ("missing.cer", None, "cannot read"),
        ("text.cer", Some("no certificate"), "RSA key"),
    ];
    for (name, content, expected) in cases {
        let path = files.0.join(name);
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let others = Others {
            proof: None,
            readers: vec![path],
        };
        let out = &mut Vec::new();
        let applied = apply(&environment, Some(folder.0.clone()), others, out);
        let error = applied.await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(name), "{error}");
    }
    assert!(!Keys::of(folder.0.clone()).unwrap().private_part().exists());
    tenant.requests().assert_count(0);
}

#[tokio::test]
async fn a_certificate_made_for_a_tenant_signs_in_once_it_is_registered_there() {
    let folder = Folder::new("certificate");
    let tenant = FakeTenant::start().await;
    let mut app = tenant.register_app("Inventory client");
    for permission in PERMISSIONS {
        app = app.application_permission(permission);
    }
    let private_part = folder.0.join("client.pem");
    let environment = environment(&tenant, &app.client_id().to_string());
    let registered = environment.clone().with(
        "AZURE_CLIENT_CERTIFICATE_PATH",
        private_part.display().to_string(),
    );

    let mut out = Vec::new();
    let path = || Some(folder.0.clone());
    from_env(Step::Generate, &environment, path(), &[], &mut out)
        .await
        .unwrap();
    let made = text(out);
    assert!(made.contains("Certificates & secrets") && made.contains("Device.Read.All"));
    let pem = fs::read_to_string(&private_part).unwrap();
    assert!(pem.contains("ENCRYPTED PRIVATE KEY"));
    tenant.requests().assert_count(0);

    let early = from_env(Step::Run, &registered, None, &[], &mut Vec::new())
        .await
        .unwrap_err();
    assert!(format!("{early:#}").contains("AADSTS700027"), "{early:#}");

    let uploaded = fs::read(folder.0.join("upload-me.cer")).unwrap();
    let _ = app.with_certificate(uploaded);
    let mut out = Vec::new();
    from_env(Step::Run, &registered, None, &[], &mut out)
        .await
        .unwrap();
    assert!(text(out).contains(value(&made, "thumbprint")));

    let again = from_env(Step::Generate, &environment, path(), &[], &mut Vec::new()).await;
    let again = again.unwrap_err().to_string();
    assert!(again.contains("client.pem exists already"), "{again}");
}

#[tokio::test]
async fn ids_that_are_still_empty_are_a_finding_with_its_fix() {
    let folder = Folder::new("empty-ids");
    let keys = Keys::of(folder.0.clone()).unwrap();
    let passphrase = Secret::from("a passphrase of the test");
    let tenant = FakeTenant::start().await;
    let certificate = keys
        .make_certificate(&passphrase, entra_core::SystemClock)
        .unwrap();
    let configuration = Configuration {
        active_certificate: certificate.thumbprint_sha1(),
        ..Configuration::default()
    };
    save(&keys, &configuration, [certificate.public_der()]).unwrap();
    let environment = environment(&tenant, "");
    let mut out = Vec::new();
    let path = Some(folder.0.clone());
    let code = from_env(Step::Test, &environment, path, &[], &mut out).await;
    let out = text(out);
    assert_eq!(code.unwrap(), 1, "{out}");
    assert!(
        out.contains("Tenant ID") || out.contains("tenant ID"),
        "{out}"
    );
}

#[tokio::test]
async fn the_guide_is_for_the_cloud_of_the_environment() {
    let government = ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us");
    let environment = Environment::from_pairs([government]);
    let mut out = Vec::new();
    let code = from_env(Step::Guide, &environment, None, &[], &mut out).await;
    assert_eq!(code.unwrap(), 0);
    let page = text(out);
    assert!(page.contains("https://portal.azure.us"), "{page}");
    assert!(!page.contains(".microsoft.com"), "{page}");
}

#[tokio::test]
async fn a_missing_variable_is_named() {
    let folder = Folder::new("certificate-lacks");
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
    ]);
    let problem = async |step, folder| {
        let outcome = from_env(step, &environment, folder, &[], &mut Vec::new()).await;
        outcome.unwrap_err().to_string()
    };
    let neither = problem(Step::Run, None).await;
    assert!(
        neither.contains("AZURE_CLIENT_CERTIFICATE_PATH"),
        "{neither}"
    );
    let open = problem(Step::Generate, Some(folder.0.clone())).await;
    assert!(open.contains("AZURE_CLIENT_CERTIFICATE_PASSWORD"), "{open}");
    assert!(!folder.0.exists());
}
