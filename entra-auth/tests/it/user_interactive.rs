//! A browser on this machine, played by the test.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_auth::{
    ErrorKind,
    user::{InteractiveBrowserCredential, InteractiveBrowserCredentialBuilder},
};
use entra_core::{Cloud, ScriptedTransport, TokenCredential, TokenRequest, http, url::Url};
use entra_mock::{App, FakeTenant, Redirected};
use serde_json::json;

use crate::support::{CLIENT, TENANT};

const ADELE: &str = "adele@contoso.com";

async fn tool() -> (Arc<FakeTenant>, App) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Tool")
        .public_redirect_uri("http://localhost")
        .delegated_permission("User.Read");
    (Arc::new(tenant), app)
}

fn builder(tenant: &FakeTenant, app: &App) -> InteractiveBrowserCredentialBuilder {
    InteractiveBrowserCredential::builder(tenant.id(), app.client_id())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
}

/// Sends the request to the loopback port as a browser would; gives the response.
fn request(port: u16, text: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

fn bring(back: &Redirected) -> String {
    let url = Url::parse(back.address()).unwrap();
    let text = if back.is_posted() {
        let body = back.query();
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    } else {
        format!(
            "GET /?{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            url.query().unwrap()
        )
    };
    request(url.port().unwrap(), &text)
}

/// A browser in which this user signs in; what it showed at the end comes by the channel.
fn browser(
    tenant: &Arc<FakeTenant>,
) -> (
    impl Fn(&Url) -> std::io::Result<()> + Send + Sync + 'static,
    Receiver<String>,
) {
    let (shown, seen) = channel();
    let (tenant, shown) = (Arc::clone(tenant), Mutex::new(shown));
    let open = move |url: &Url| {
        let back = tenant.sign_in_at(url.as_str(), ADELE);
        let shown = shown.lock().unwrap().clone();
        std::thread::spawn(move || shown.send(bring(&back)));
        Ok(())
    };
    (open, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_signs_in_with_form_post_and_with_query() {
    let (tenant, app) = tool().await;
    for query in [false, true] {
        let (open, seen) = browser(&tenant);
        let builder = builder(&tenant, &app).browser(open);
        let credential = if query {
            builder.response_in_query()
        } else {
            builder
        };
        let credential = credential.build().unwrap();
        let token = credential
            .token(&TokenRequest::new(["User.Read"]))
            .await
            .unwrap();
        assert!(!token.expose_secret().is_empty());
        assert_eq!(
            credential.account().unwrap().username.as_deref(),
            Some(ADELE)
        );
        let page = seen.recv().unwrap();
        assert!(
            page.starts_with("HTTP/1.1 200") && page.contains("You are signed in"),
            "{page}"
        );
        assert!(page.contains("default-src 'none'"));
    }
}

/// Its responses name no issuer, so only the address that they came to tells whose they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_signs_in_at_a_provider_that_names_no_issuer() {
    let issuer = "https://id.example/";
    let place = |path: &str| format!("{issuer}{path}");
    let authorize = place("authorize");
    let cloud = Cloud::openid_provider(issuer, &place("token"), Some(&authorize), None).unwrap();
    for is_query in [false, true] {
        let nonce = Arc::new(Mutex::new(String::new()));
        let sent = Arc::clone(&nonce);
        let service = ScriptedTransport::new().then_with(move |_| {
            let nonce = nonce.lock().unwrap().clone();
            let claims = json!({ "aud": CLIENT, "sub": "adele", "nonce": nonce }).to_string();
            let body = json!({
                "token_type": "Bearer", "access_token": "at", "expires_in": 3600,
                "id_token": format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)),
            });
            Ok(http::Response::new(body.to_string().into()))
        });
        let builder = InteractiveBrowserCredential::builder(TENANT, CLIENT)
            .cloud(cloud.clone())
            .transport(Arc::new(service))
            .browser(move |url| {
                let get = |name: &str| {
                    let mut pairs = url.query_pairs();
                    pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
                };
                *sent.lock().unwrap() = get("nonce");
                let port = Url::parse(&get("redirect_uri")).unwrap().port().unwrap();
                let response = format!("code=c&state={}", get("state"));
                let text = if is_query {
                    format!("GET /?{response} HTTP/1.1\r\n\r\n")
                } else {
                    let length = response.len();
                    format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{response}")
                };
                std::thread::spawn(move || request(port, &text));
                Ok(())
            });
        let builder = match is_query {
            true => builder.response_in_query(),
            false => builder,
        };
        let credential = builder.build().unwrap();
        let user = credential.sign_in(["api"]).await.unwrap();
        assert_eq!(user.account().home_account_id, format!("adele.{TENANT}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_other_local_programs_are_ignored() {
    let (tenant, app) = tool().await;
    let fake = Arc::clone(&tenant);
    let credential = builder(&tenant, &app)
        .browser(move |url| {
            let back = fake.sign_in_at(url.as_str(), ADELE);
            std::thread::spawn(move || {
                let port = Url::parse(back.address()).unwrap().port().unwrap();
                // A connection that says nothing, as browsers open them.
                let silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
                assert!(
                    request(port, "GET /favicon.ico HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404")
                );
                assert!(request(port, "BREW / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
                let foreign = request(port, "GET /?code=x&state=<script> HTTP/1.1\r\n\r\n");
                assert!(foreign.contains("Not this sign-in") && !foreign.contains("<script>"));
                let huge = "POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n";
                assert!(request(port, huge).starts_with("HTTP/1.1 404"));
                bring(&back);
                drop(silent);
            });
            Ok(())
        })
        .build()
        .unwrap();
    credential.sign_in(["User.Read"]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn declined_sign_in_is_shown_and_returned() {
    let (tenant, app) = tool().await;
    let (shown, seen) = channel();
    let shown = Mutex::new(shown);
    let credential = builder(&tenant, &app)
        .browser(move |url| {
            let get = |name: &str| {
                let mut pairs = url.query_pairs();
                pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
            };
            let port = Url::parse(&get("redirect_uri")).unwrap().port().unwrap();
            let body = format!(
                "error=access_denied&error_description=AADSTS65004%3A+%3Cb%3E&state={}",
                get("state")
            );
            let text = format!(
                "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let shown = shown.lock().unwrap().clone();
            std::thread::spawn(move || shown.send(request(port, &text)));
            Ok(())
        })
        .build()
        .unwrap();
    let error = credential.sign_in(["User.Read"]).await.unwrap_err();
    assert_eq!(error.aadsts_code(), Some(65_004));
    let page = seen.recv().unwrap();
    assert!(
        page.contains("The sign-in failed") && !page.contains("<b>"),
        "{page}"
    );
}

#[tokio::test]
async fn timeout_and_missing_browser_are_different_errors() {
    let (tenant, app) = tool().await;
    let silent = builder(&tenant, &app)
        .browser(|_| Ok(()))
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = silent.sign_in(["User.Read"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InteractionRequired);
    let none = builder(&tenant, &app)
        .browser(|_| Err(std::io::Error::from(std::io::ErrorKind::NotFound)))
        .build()
        .unwrap();
    let error = none.sign_in(["User.Read"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
