//! Another maker's OpenID provider, started by `.ci/clients/oidc_provider.mjs`.

use std::{env, fs, path::PathBuf, sync::Arc};

use entra_auth::{
    Certificate, ClientCertificateCredential, ClientSecretCredential, Discovery, Error, ErrorKind,
};
use entra_core::{Cloud, ReqwestTransport, TokenCredential, TokenRequest};

use crate::support::CLIENT;

const SECRET: &str = "secret-of-the-provider-test";
const CERTIFICATE_CLIENT: &str = "33333333-3333-3333-3333-333333333333";
/// It has one tenant, whatever it is called.
const TENANT: &str = "provider.example";

struct Provider {
    cloud: Cloud,
    transport: Arc<ReqwestTransport>,
    directory: PathBuf,
}

/// The provider at `ENTRA_OIDC_PROVIDER`, with its files in `ENTRA_OIDC_DIRECTORY`.
async fn provider() -> Option<Provider> {
    let Ok(issuer) = env::var("ENTRA_OIDC_PROVIDER") else {
        println!("skipped: ENTRA_OIDC_PROVIDER names no provider");
        return None;
    };
    let directory = PathBuf::from(env::var("ENTRA_OIDC_DIRECTORY").unwrap());
    let ca = fs::read(directory.join("ca.pem")).unwrap();
    let builder = ReqwestTransport::builder().add_roots_pem(&ca).unwrap();
    let transport = Arc::new(builder.build());
    let discovery = Discovery::new().with_transport(Arc::clone(&transport));
    Some(Provider {
        cloud: discovery.openid_provider(&issuer).await.unwrap(),
        transport,
        directory,
    })
}

fn request() -> TokenRequest {
    TokenRequest::new(["api:read"])
}

#[tokio::test]
async fn it_takes_our_client_secret_and_refuses_another() {
    let Some(provider) = provider().await else {
        return;
    };
    let with = |secret: &str| {
        ClientSecretCredential::builder(TENANT, CLIENT, secret)
            .cloud(provider.cloud.clone())
            .transport(Arc::clone(&provider.transport))
            .build()
            .unwrap()
    };
    let token = with(SECRET).token(&request()).await.unwrap();
    assert!(!token.expose().is_empty());
    let error = with("wrong").token(&request()).await.unwrap_err();
    let error = Error::find(&error).unwrap();
    assert_eq!(error.oauth_error(), Some("invalid_client"));
    assert_eq!(error.kind(), ErrorKind::InvalidClient);
}

#[tokio::test]
async fn it_takes_our_signed_assertion_and_refuses_another_keys() {
    let Some(provider) = provider().await else {
        return;
    };
    let pem = |name: &str| fs::read(provider.directory.join(name)).unwrap();
    let with = |certificate: Certificate| {
        ClientCertificateCredential::builder(TENANT, CERTIFICATE_CLIENT, certificate)
            .cloud(provider.cloud.clone())
            .transport(Arc::clone(&provider.transport))
            .build()
            .unwrap()
    };
    let registered = Certificate::from_pem(pem("client.pem")).unwrap();
    with(registered).token(&request()).await.unwrap();
    let other = Certificate::from_pem_and_key(pem("ca.pem"), pem("ca.key")).unwrap();
    let error = with(other).token(&request()).await.unwrap_err();
    let error = Error::find(&error).unwrap();
    assert_eq!(error.oauth_error(), Some("invalid_client"));
}
