//! The challenge of Azure Arc's agent, and what is never sent in response to one.

use std::{fs, path::PathBuf};

use entra_auth::{Environment, managed_identity::ManagedIdentityId};
use entra_core::{
    AccessToken, CredentialError, CredentialErrorKind, ManualClock, ScriptedTransport,
    TokenCredential, http::header,
};
use serde_json::json;

use crate::{
    managed_identity::{RESOURCE, builder, granted},
    support::{CLIENT, graph},
};

/// A folder of challenge files that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("entra-arc-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("tokens/below")).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn challenged(
    folder: &Folder,
    challenge: &str,
) -> (Result<AccessToken, CredentialError>, ScriptedTransport) {
    let clock = ManualClock::new();
    let transport = ScriptedTransport::new()
        .then(401, &[("www-authenticate", challenge)], "")
        .then(200, &[], granted(&clock, 3600));
    let environment = Environment::default().with_arc_agent(folder.0.join("tokens"));
    let credential = builder(&environment, &transport, &clock).build().unwrap();
    let outcome = credential.token(&graph()).await;
    (outcome, transport)
}

#[tokio::test]
async fn azure_arc_challenge_is_read_from_the_agents_file() {
    let folder = Folder::new("good");
    let file = folder.write("tokens/a.key", "canary-key\n");
    let (outcome, transport) =
        challenged(&folder, &format!("Basic realm={}", file.display())).await;
    outcome.unwrap();
    let [first, second] = &transport.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(
        first.uri().to_string(),
        format!(
            "http://localhost:40342/metadata/identity/oauth2/token?api-version=2020-06-01&resource={RESOURCE}"
        )
    );
    assert_eq!(first.headers()["metadata"], "true");
    assert!(first.headers().get(header::AUTHORIZATION).is_none());
    assert_eq!(second.headers()[header::AUTHORIZATION], "Basic canary-key");
}

#[tokio::test]
async fn a_challenge_file_may_have_a_byte_order_mark_or_be_utf16() {
    let folder = Folder::new("marks");
    let with_mark = "\u{feff}canary-key\r\n";
    let utf16: Vec<u8> = with_mark
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for content in [with_mark.as_bytes().to_vec(), utf16] {
        let file = folder.0.join("tokens/a.key");
        fs::write(&file, content).unwrap();
        let (outcome, transport) =
            challenged(&folder, &format!("Basic realm={}", file.display())).await;
        outcome.unwrap();
        let sent = &transport.requests()[1];
        assert_eq!(sent.headers()[header::AUTHORIZATION], "Basic canary-key");
    }
}

#[tokio::test]
async fn only_files_of_the_arc_agent_are_sent_to_its_port() {
    let folder = Folder::new("bad");
    folder.write("outside.key", "canary");
    folder.write("tokens/below/b.key", "canary");
    folder.write("tokens/token.txt", "canary");
    folder.write("tokens/large.key", &"canary".repeat(700));
    folder.write("tokens/split.key", "canary\ncanary");
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        folder.0.join("outside.key"),
        folder.0.join("tokens/link.key"),
    )
    .unwrap();
    #[cfg(unix)]
    {
        // Its open would wait for a writer.
        let pipe = folder.0.join("tokens/pipe.key");
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.unwrap().success());
    }
    let at = |name: &str| format!("Basic realm={}", folder.0.join(name).display());
    for challenge in [
        at("outside.key"),
        at("tokens/../outside.key"),
        at("tokens/link.key"),
        at("tokens/below/b.key"),
        at("tokens/token.txt"),
        at("tokens/large.key"),
        at("tokens/split.key"),
        at("tokens/pipe.key"),
        at("tokens/gone.key"),
        at("tokens"),
        "Basic realm=".to_owned(),
        "Bearer".to_owned(),
    ] {
        let (outcome, transport) = challenged(&folder, &challenge).await;
        let failed = outcome.unwrap_err();
        assert!(!format!("{failed:?}").contains("canary"), "{challenge}");
        assert!(failed.fix().is_some(), "{challenge}");
        assert_eq!(transport.requests().len(), 1, "{challenge}");
    }
}

#[tokio::test]
async fn arc_agent_that_ignores_the_chosen_identity_is_an_error() {
    let clock = ManualClock::new();
    let response = |echo: &str| {
        json!({ "access_token": "canary-token", "expires_in": 3600, "client_id": echo }).to_string()
    };
    let transport = ScriptedTransport::new()
        .then(200, &[], response("another"))
        .then(200, &[], response(&CLIENT.to_uppercase()));
    let credential = builder(
        &Environment::default().with_arc_agent("/nowhere"),
        &transport,
        &clock,
    )
    .identity(ManagedIdentityId::Client(CLIENT.parse().unwrap()))
    .build()
    .unwrap();
    let failed = credential.token(&graph()).await.unwrap_err();
    assert_eq!(failed.kind(), CredentialErrorKind::Rejected);
    assert!(failed.fix().unwrap().contains("update"));
    credential.token(&graph()).await.unwrap();
}
