//! Responses of a size that no service sends, for each kind of request.

use entra_auth::{ClientSecretCredential, Discovery, ErrorKind, TokenCache};
use entra_core::{CredentialErrorKind, ScriptedTransport, TokenCredential};

use crate::support::{CLIENT, TENANT, detail, graph};

const MIB: usize = 1024 * 1024;

/// A script whose only response is one byte too large, as JSON that would be taken otherwise.
fn too_large(limit: usize, fields: &str) -> ScriptedTransport {
    let filler = "x".repeat(limit + 1 - fields.len() - r#"{"x":"",}"#.len());
    let body = format!(r#"{{"x":"{filler}",{fields}}}"#);
    assert_eq!(body.len(), limit + 1);
    ScriptedTransport::new().then(200, &[], body)
}

#[tokio::test]
async fn a_token_response_is_read_up_to_one_mebibyte() {
    let fields = r#""token_type":"Bearer","access_token":"t","expires_in":3600"#;
    let script = too_large(MIB, fields);
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, "secret-canary")
        .transport(script.clone())
        .cache(&TokenCache::new())
        .build()
        .unwrap();
    let error = credential.token(&graph()).await.unwrap_err();
    assert_eq!(error.kind(), CredentialErrorKind::Protocol);
    let error = detail(&error);
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    assert!(!error.is_transient() && error.correlation_id().is_some());
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_discovery_document_is_read_up_to_one_mebibyte() {
    let fields = r#""issuer":"https://id.example","token_endpoint":"https://id.example/t""#;
    let script = too_large(MIB, fields);
    let discovery = Discovery::builder().transport(script.clone());
    let discovery = discovery.build().unwrap();
    let error = discovery.openid_provider("https://id.example").await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::ResponseTooLarge);
    assert_eq!(script.requests().len(), 1);
}

#[cfg(feature = "managed-identity")]
#[tokio::test]
async fn the_metadata_service_of_a_host_is_read_up_to_a_quarter_of_it() {
    let fields = r#""token_type":"Bearer","access_token":"t","expires_in":"3600""#;
    let script = too_large(MIB / 4, fields);
    let credential =
        entra_auth::managed_identity::ManagedIdentityCredential::builder(&Default::default())
            .transport(script.clone())
            .clock(entra_core::ManualClock::new())
            .build()
            .unwrap();
    let error = credential.token(&graph()).await.unwrap_err();
    assert_eq!(detail(&error).kind(), ErrorKind::ResponseTooLarge);
    assert_eq!(script.requests().len(), 1);
}
