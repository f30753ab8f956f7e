//! A real browser, driven by the script in `ENTRA_BROWSER_SCRIPT`.

use std::{
    env, io,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use entra_auth::user::{InteractiveBrowserCredential, InteractiveBrowserCredentialBuilder};
use entra_core::{TokenCredential, TokenRequest, url::Url};
use entra_mock::FakeTenant;
use serde_json::Value;

const ADELE: &str = "adele@contoso.com";

/// The process of the script, which prints the last page.
#[derive(Clone, Default)]
struct Browser(Arc<Mutex<Option<Child>>>);

impl Browser {
    fn open(&self, script: &str, url: &Url, password: &str) -> io::Result<()> {
        let child = Command::new("node")
            .args([script, url.as_str(), ADELE, password])
            .stdout(Stdio::piped())
            .spawn()?;
        *self.0.lock().unwrap() = Some(child);
        Ok(())
    }

    fn last_page(&self) -> Value {
        let child = self.0.lock().unwrap().take().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Signs in, and returns the credential and the page that the user sees at the end.
async fn sign_in(
    change: impl FnOnce(InteractiveBrowserCredentialBuilder) -> InteractiveBrowserCredentialBuilder,
) -> Option<Value> {
    let Ok(script) = env::var("ENTRA_BROWSER_SCRIPT") else {
        println!("skipped: ENTRA_BROWSER_SCRIPT names no script that drives a browser");
        return None;
    };
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Tool")
        .delegated_permission("User.Read")
        .public_redirect_uri("http://localhost")
        .public_client();
    let password = tenant.user(ADELE).password().expose_secret().to_owned();
    let browser = Browser::default();
    let opened = browser.clone();
    let credential = change(InteractiveBrowserCredential::builder(
        tenant.id(),
        app.client_id(),
    ))
    .browser(move |url| opened.open(&script, url, &password))
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()
    .unwrap();
    credential
        .token(&TokenRequest::new(["User.Read"]))
        .await
        .unwrap();
    let account = credential.account().unwrap();
    assert_eq!(account.username.as_deref(), Some(ADELE));
    let page = tokio::task::spawn_blocking(move || browser.last_page());
    Some(page.await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromium_posts_the_response_to_the_tool_and_shows_its_page() {
    let Some(page) = sign_in(|builder| builder).await else {
        return;
    };
    assert_eq!(page["title"], "You are signed in");
    let address: Url = page["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(address.host_str(), Some("localhost"));
    assert_eq!(
        address.query(),
        None,
        "a form leaves nothing in the history"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromium_sends_the_response_in_the_query_if_requested() {
    let Some(page) = sign_in(InteractiveBrowserCredentialBuilder::response_in_query).await else {
        return;
    };
    assert_eq!(page["title"], "You are signed in");
    assert!(page["address"].as_str().unwrap().contains("?code="));
}
