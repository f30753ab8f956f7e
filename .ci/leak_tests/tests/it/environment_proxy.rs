//! A proxy of the environment, whose password is in its URL: it reaches the proxy, and nothing else shows it.

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    sync::Arc,
};

use entra_auth::ClientSecretCredential;
use entra_core::{
    HttpTransport as _, ManualClock, Pipeline, Request, ReqwestTransport, TokenCredential as _,
    TokenRequest,
    bytes::Bytes,
    http::{self, Method},
    url::Url,
};
use entra_graph::GraphClient;

use crate::{
    auth::{CLIENT, TENANT},
    shown::{Shown, canary_text, listen},
};

const CHILD: &str = "ENTRA_LEAK_TEST_PROXY";
/// `canary-zyx-user:canary-zyx-password` in base64, as it is sent to the proxy.
const SENT: &str = "Y2FuYXJ5LXp5eC11c2VyOmNhbmFyeS16eXgtcGFzc3dvcmQ=";

#[test]
fn a_proxy_password_of_the_environment_is_sent_to_the_proxy_and_not_shown() {
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = proxy.local_addr().unwrap().port();
        let (user, password) = (canary_text("user"), canary_text("password"));
        std::thread::spawn(move || {
            for stream in proxy.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).unwrap_or(0) == 0 {
                        break;
                    }
                    request.push(byte[0]);
                }
                let is_sent = String::from_utf8_lossy(&request).contains(SENT);
                let status = if is_sent {
                    "502 Bad Gateway"
                } else {
                    "407 No Password"
                };
                let response = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                drop(stream.write_all(response.as_bytes()));
            }
        });
        // A process reads its proxy once, and tests run beside each other.
        let output = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "environment_proxy::behind_a_proxy_of_the_environment",
                "--nocapture",
            ])
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .env(
                variable,
                format!("http://{user}:{password}@127.0.0.1:{port}"),
            )
            .env(CHILD, variable)
            .output()
            .unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{variable}: {text}");
        assert!(
            text.contains("formatted behind the proxy"),
            "{variable}: {text}"
        );
    }
}

/// Does nothing unless the test above starts it in a process of its own.
#[tokio::test]
async fn behind_a_proxy_of_the_environment() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let (log, _guard) = listen();
    let shown = Shown::default();
    shown.secret(SENT);
    let transport = ReqwestTransport::default();
    let request = http::Request::get("https://graph.example/").body(Bytes::new());
    let error = transport.send(request.unwrap()).await.unwrap_err();
    shown.error(&error);
    shown.debug(&transport);
    shown.debug(&ReqwestTransport::builder());

    // Its clock does not wait between attempts.
    let clock = Arc::new(ManualClock::new());
    let url = Url::parse("https://graph.example/users").unwrap();
    let pipeline = Pipeline::builder(Arc::new(transport))
        .origin(&url)
        .clock(clock);
    let pipeline = pipeline.build();
    shown.debug(&pipeline);
    let request = Request::new("read users", Method::GET, url);
    shown.error(&pipeline.send(request).await.unwrap_err());
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, "a-secret-value")
        .clock(ManualClock::new())
        .build()
        .unwrap();
    shown.debug(&credential);
    let scope = TokenRequest::new(["https://graph.microsoft.com/.default"]);
    shown.error(&credential.token(&scope).await.unwrap_err());
    let graph = GraphClient::builder(credential)
        .clock(ManualClock::new())
        .build()
        .unwrap();
    shown.debug(&graph);
    shown.error(&graph.users().list().send().await.unwrap_err());
    shown.check_all();
    shown.check_text("the log at TRACE", &log.text());
    assert!(log.text().contains("entra.request"), "{}", log.text());
    println!("formatted behind the proxy");
}
