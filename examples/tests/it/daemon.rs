//! The daemon with a certificate, from generating it to listing a tenant with it.

use std::{env, fs, path::PathBuf};

use entra_core::Environment;
use entra_mock::FakeTenant;

use crate::certificate_daemon::{PERMISSIONS, embedded, from_env};

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

#[tokio::test]
async fn on_the_embedded_tenant_the_daemon_runs_and_deletes_its_files() {
    let mut out = Vec::new();
    embedded(None, &mut out).await.unwrap();
    let out = text(out);
    let thumbprint = value(&out, "thumbprint");
    assert_eq!(thumbprint.len(), 40, "{out}");
    assert_eq!(
        out.matches(thumbprint).count(),
        2,
        "generated and used: {out}"
    );
    assert!(
        out.contains("60 users") && out.contains(" devices\n"),
        "{out}"
    );
    assert!(
        !PathBuf::from(value(&out, "to upload"))
            .parent()
            .unwrap()
            .exists()
    );
}

#[tokio::test]
async fn a_certificate_made_for_a_tenant_signs_in_once_it_is_registered_there() {
    let folder = Folder::new("daemon");
    let tenant = FakeTenant::start().await;
    let mut app = tenant.register_app("Inventory daemon");
    for permission in PERMISSIONS {
        app = app.application_permission(permission);
    }
    let private_part = folder.0.join("client.pem");
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", tenant.id().to_string()),
        ("AZURE_CLIENT_ID", app.client_id().to_string()),
        (
            "AZURE_CLIENT_CERTIFICATE_PASSWORD",
            "a passphrase of the test".to_owned(),
        ),
        ("AZURE_AUTHORITY_HOST", tenant.uri()),
        ("ENTRA_GRAPH_URL", format!("{}/v1.0", tenant.uri())),
    ]);
    let registered = environment.clone().with(
        "AZURE_CLIENT_CERTIFICATE_PATH",
        private_part.display().to_string(),
    );

    let mut out = Vec::new();
    from_env(&environment, Some(folder.0.clone()), &mut out)
        .await
        .unwrap();
    let made = text(out);
    assert!(made.contains("Certificates & secrets") && made.contains("Device.Read.All"));
    assert!(
        fs::read_to_string(&private_part)
            .unwrap()
            .contains("ENCRYPTED PRIVATE KEY")
    );
    tenant.requests().assert_count(0);

    let early = from_env(&registered, None, &mut Vec::new())
        .await
        .unwrap_err();
    assert!(format!("{early:#}").contains("AADSTS700027"), "{early:#}");

    let uploaded = fs::read(folder.0.join("upload-me.cer")).unwrap();
    let _ = app.with_certificate(uploaded);
    let mut out = Vec::new();
    from_env(&registered, None, &mut out).await.unwrap();
    assert!(text(out).contains(value(&made, "thumbprint")));

    let again = from_env(&environment, Some(folder.0.clone()), &mut Vec::new()).await;
    let again = again.unwrap_err().to_string();
    assert!(again.contains("client.pem exists already"), "{again}");
}

#[tokio::test]
async fn a_missing_variable_is_named() {
    let folder = Folder::new("daemon-lacks");
    let environment = Environment::from_pairs([
        ("AZURE_TENANT_ID", "contoso.com"),
        ("AZURE_CLIENT_ID", "66666666-7777-8888-9999-000000000000"),
    ]);
    let neither = from_env(&environment, None, &mut Vec::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        neither.contains("AZURE_CLIENT_CERTIFICATE_PATH") && neither.contains("--folder"),
        "{neither}"
    );
    let path = Some(folder.0.clone());
    let open = from_env(&environment, path, &mut Vec::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(open.contains("AZURE_CLIENT_CERTIFICATE_PASSWORD"), "{open}");
    assert!(!folder.0.exists());
}
