//! Values that cannot work are rejected before anything is sent, and say what would be right.

use entra_auth::{ClientSecretCredential, Error, ErrorKind};
use entra_core::{Cloud, CredentialErrorKind, TenantId, TokenCredential, TokenRequest};

use crate::support::{CLIENT, Service, TENANT, builder, detail, graph};

fn rejected(tenant: &str, client: &str, secret: &str) -> Error {
    let error = ClientSecretCredential::new(tenant, client, secret).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!error.is_transient());
    error
}

#[test]
fn error_of_a_malformed_id_names_where_to_find_the_id() {
    for tenant in [
        "",
        "contoso",
        "https://contoso.com",
        "con toso.com",
        "11111111-1111-1111-1111",
    ] {
        let error = rejected(tenant, CLIENT, "s3cr3t");
        assert!(error.to_string().contains("tenant"), "{error}");
        assert!(error.fix().unwrap().contains("Directory (tenant) ID"));
    }
    for client in [
        "",
        "my app",
        "22222222222222222222222222222222",
        "contoso.com",
    ] {
        let error = rejected(TENANT, client, "s3cr3t");
        assert!(error.to_string().contains("client id"), "{error}");
        assert!(error.fix().unwrap().contains("Application (client) ID"));
    }
}

#[test]
fn tenant_alias_is_rejected_for_an_application() {
    for alias in ["common", "organizations", "consumers", "Common"] {
        let error = rejected(alias, CLIENT, "s3cr3t");
        assert!(error.fix().unwrap().contains("GUID"), "{error}");
    }
}

#[test]
fn empty_client_secret_is_rejected() {
    for secret in ["", " ", "\n"] {
        let error = rejected(TENANT, CLIENT, secret);
        assert!(error.to_string().contains("secret is empty"), "{error}");
    }
}

#[test]
fn builder_accepts_ids_and_their_text() {
    let tenant: TenantId = TENANT.parse().unwrap();
    let client: entra_core::ClientId = CLIENT.parse().unwrap();
    ClientSecretCredential::new(&tenant, client, String::from("s")).unwrap();
    ClientSecretCredential::new(tenant, CLIENT.to_owned(), "s").unwrap();
    let credential = ClientSecretCredential::new(String::from("Contoso.COM"), client, "s").unwrap();
    assert_eq!(credential.tenant().to_string(), "contoso.com");
    assert_eq!(credential.client_id(), client);
}

#[test]
fn http_authority_outside_of_loopback_is_rejected() {
    let error = Cloud::custom("http://login.example.com", "https://graph.example.com").unwrap_err();
    assert!(error.to_string().contains("https"), "{error}");
}

#[tokio::test]
async fn invalid_token_request_is_rejected_before_it_is_sent() {
    let service = Service::new();
    let credential = builder(&service).build().unwrap();
    let none: [&str; 0] = [];
    for request in [
        TokenRequest::new(none),
        TokenRequest::new([" "]),
        graph().with_claims("not json"),
        graph().with_tenant("common".parse().unwrap()),
    ] {
        let error = credential.token(&request).await.unwrap_err();
        assert_eq!(
            error.kind(),
            CredentialErrorKind::Configuration,
            "{request:?}"
        );
        assert!(detail(&error).fix().is_some());
    }
    assert_eq!(service.count(), 0);
}

#[test]
fn building_sends_nothing() {
    let service = Service::new();
    builder(&service).build().unwrap();
    assert_eq!(service.count(), 0);
}
