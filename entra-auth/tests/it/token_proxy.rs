//! AKS identity binding: the token proxy of a cluster, over TLS as the cluster does it.

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
};

use entra_auth::{Environment, ErrorKind, workload_identity::ClientAssertionCredential};
use entra_core::{RetryPolicy, TokenCredential, TokenRequest};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::support::{CLIENT, TENANT, detail, graph};

const NAME: &str = "token-proxy.aks.example";
const TOKEN: &str = r#"{"token_type":"Bearer","access_token":"t","expires_in":3600}"#;

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }
}

/// A proxy with a certificate for this name; its port and the requests that it got.
async fn proxy(authority: &Authority, name: &str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut text = String::new();
            while !text.contains("client_assertion=") {
                let mut buffer = [0; 4096];
                match stream.read(&mut buffer).await {
                    Ok(read) if read > 0 => text += &String::from_utf8_lossy(&buffer[..read]),
                    _ => break,
                }
            }
            seen.lock().unwrap().push(text);
            let length = TOKEN.len();
            let response = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{TOKEN}"
            );
            let _ = stream.write_all(response.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, requests)
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("entra-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("token"), "header.payload.signature").unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// What the workload identity webhook sets.
    fn environment(&self) -> Environment {
        Environment::from_pairs([
            ("AZURE_TENANT_ID", TENANT.to_owned()),
            ("AZURE_CLIENT_ID", CLIENT.to_owned()),
            ("AZURE_FEDERATED_TOKEN_FILE", self.file("token")),
        ])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn credential(environment: &Environment) -> ClientAssertionCredential {
    ClientAssertionCredential::workload_identity(environment)
        .unwrap()
        .aks_identity_binding(environment)
        .unwrap()
        .retry_policy(RetryPolicy::once())
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_token_request_goes_to_the_proxy_and_its_certificate_is_checked_for_the_given_name() {
    let (folder, authority) = (Folder::new("aks-name"), Authority::new());
    let (port, requests) = proxy(&authority, NAME).await;
    let environment = folder
        .environment()
        .with(
            "AZURE_KUBERNETES_TOKEN_PROXY",
            format!("https://127.0.0.1:{port}/below/"),
        )
        .with("AZURE_KUBERNETES_SNI_NAME", NAME)
        .with("AZURE_KUBERNETES_CA_DATA", authority.pem.as_str());
    let token = credential(&environment).token(&graph()).await.unwrap();
    assert_eq!(token.expose_secret(), "t");
    let request = requests.lock().unwrap()[0].to_ascii_lowercase();
    let line = format!("post /below/{TENANT}/oauth2/v2.0/token http/1.1");
    assert!(request.starts_with(&line), "{request}");
    assert!(
        request.contains(&format!("\nhost: 127.0.0.1:{port}\r")),
        "{request}"
    );
    assert!(request.contains("client_assertion=header.payload.signature"));

    // A server with another name than the certificate's is not the proxy of this cluster.
    let other = environment.with("AZURE_KUBERNETES_SNI_NAME", "other.aks.example");
    let error = credential(&other).token(&graph()).await.unwrap_err();
    assert_eq!(detail(&error).kind(), ErrorKind::Transport);
    assert_eq!(requests.lock().unwrap().len(), 1);
}

/// Set in the process that the test starts.
const CHILD: &str = "ENTRA_TEST_BESIDE_A_PROXY";

#[test]
fn a_proxy_of_the_environment_is_not_used_for_the_token_proxy() {
    // A process reads its proxy once, and tests run beside each other.
    let output = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "token_proxy::beside_a_proxy_of_the_environment",
            "--nocapture",
        ])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        // Nothing listens there.
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("reached the token proxy"), "{text}");
}

/// Does nothing unless the test above starts it in a process of its own.
#[tokio::test]
async fn beside_a_proxy_of_the_environment() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let (folder, authority) = (Folder::new("aks-beside"), Authority::new());
    for name in [None, Some(NAME)] {
        let (port, requests) = proxy(&authority, name.unwrap_or("127.0.0.1")).await;
        let environment = folder
            .environment()
            .with(
                "AZURE_KUBERNETES_TOKEN_PROXY",
                format!("https://127.0.0.1:{port}"),
            )
            .with("AZURE_KUBERNETES_CA_DATA", authority.pem.as_str());
        let environment = match name {
            Some(name) => environment.with("AZURE_KUBERNETES_SNI_NAME", name),
            None => environment,
        };
        credential(&environment).token(&graph()).await.unwrap();
        assert_eq!(requests.lock().unwrap().len(), 1, "{name:?}");
    }
    println!("reached the token proxy");
}

#[tokio::test]
async fn the_authority_is_read_again_when_its_file_changes_and_kept_while_it_is_empty() {
    let (folder, authority) = (Folder::new("aks-file"), Authority::new());
    let (port, requests) = proxy(&authority, "127.0.0.1").await;
    let environment = folder
        .environment()
        .with(
            "AZURE_KUBERNETES_TOKEN_PROXY",
            format!("https://127.0.0.1:{port}"),
        )
        .with("AZURE_KUBERNETES_CA_FILE", folder.file("ca.crt"));
    let credential = credential(&environment);
    let ask = async |scope: &str| credential.token(&TokenRequest::new([scope])).await;
    ask("a/.default").await.unwrap_err();
    fs::write(folder.file("ca.crt"), Authority::new().pem).unwrap();
    let error = ask("b/.default").await.unwrap_err();
    assert_eq!(detail(&error).kind(), ErrorKind::Transport, "{error:?}");
    assert!(requests.lock().unwrap().is_empty());
    fs::write(folder.file("ca.crt"), &authority.pem).unwrap();
    ask("c/.default").await.unwrap();
    fs::write(folder.file("ca.crt"), "").unwrap();
    ask("d/.default").await.unwrap();
    assert_eq!(requests.lock().unwrap().len(), 2);
}

#[test]
fn variables_that_contradict_each_other_are_rejected_by_name() {
    let folder = Folder::new("aks-variables");
    const PROXY: &str = "AZURE_KUBERNETES_TOKEN_PROXY";
    let url = "https://10.0.0.1";
    for (variables, says) in [
        (
            vec![("AZURE_KUBERNETES_SNI_NAME", NAME)],
            "AZURE_KUBERNETES_SNI_NAME is set",
        ),
        (
            vec![("AZURE_KUBERNETES_CA_DATA", "x")],
            "AZURE_KUBERNETES_CA_DATA is set",
        ),
        (vec![(PROXY, "10.0.0.1")], "is not a URL"),
        (vec![(PROXY, "http://10.0.0.1")], "must be https"),
        (
            vec![(PROXY, "https://user:canary@10.0.0.1")],
            "user name or password",
        ),
        (vec![(PROXY, "https://10.0.0.1/?x=1")], "query"),
        (
            vec![(PROXY, url), ("AZURE_KUBERNETES_CA_DATA", "no PEM")],
            "no PEM certificate",
        ),
        (
            vec![(PROXY, url), ("AZURE_KUBERNETES_SNI_NAME", "a b")],
            "is not a host name",
        ),
        (
            vec![
                (PROXY, url),
                ("AZURE_KUBERNETES_CA_DATA", "x"),
                ("AZURE_KUBERNETES_CA_FILE", "/ca"),
            ],
            "both set",
        ),
    ] {
        let mut environment = folder.environment();
        for (name, value) in variables {
            environment = environment.with(name, value);
        }
        let error = ClientAssertionCredential::workload_identity(&environment)
            .unwrap()
            .aks_identity_binding(&environment)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(says), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
    let none = folder.environment();
    let builder = ClientAssertionCredential::workload_identity(&none).unwrap();
    let builder = builder.aks_identity_binding(&none).unwrap();
    builder.build().unwrap();
}
