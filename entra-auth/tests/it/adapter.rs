//! The bridge to the Azure crates, both ways.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    credentials::{
        AccessToken as AzureAccessToken, TokenCredential as AzureTokenCredential,
        TokenRequestOptions,
    },
    error::{Error as TheirError, ErrorKind as TheirKind},
};
use entra_auth::{
    ClientSecretCredential, Error,
    azure_core_adapter::{ForAzureCore, FromAzureCore},
};
use entra_core::{Clock, CredentialErrorKind, ManualClock, TokenCredential};
use entra_mock::FakeTenant;

use crate::support::{SCOPE, TENANT, graph};

#[derive(Debug)]
struct Fixed(entra_core::Timestamp);

#[async_trait]
impl AzureTokenCredential for Fixed {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AzureAccessToken> {
        assert_eq!(scopes, [SCOPE]);
        Ok(AzureAccessToken::new("canary-theirs", self.0))
    }
}

#[derive(Debug)]
struct Failing(fn() -> TheirError);

#[async_trait]
impl AzureTokenCredential for Failing {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AzureAccessToken> {
        Err((self.0)())
    }
}

#[tokio::test]
async fn our_credential_serves_azure_crates_and_keeps_its_error() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Job").with_secret();
    let credential = |secret: entra_core::Secret| {
        let ours = ClientSecretCredential::builder(tenant.id(), app.client_id(), secret)
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .build()
            .unwrap();
        Arc::new(ForAzureCore::new(ours))
    };
    let good = credential(app.secret());
    let token = good.get_token(&[SCOPE], None).await.unwrap();
    assert!(token.expires_on > tenant.clock().now());

    let bad = credential("canary-wrong".into());
    let theirs = bad.get_token(&[SCOPE], None).await.unwrap_err();
    assert!(matches!(theirs.kind(), TheirKind::Credential));
    assert_eq!(Error::find(&theirs).unwrap().aadsts_code(), Some(7_000_215));
    let back = FromAzureCore::new(bad).token(&graph()).await.unwrap_err();
    assert_eq!(back.code(), Some(7_000_215));
    assert!(!format!("{theirs:?} {back:?}").contains("canary"));
}

#[tokio::test]
async fn azure_credential_serves_us_but_rejects_requests_it_cannot_express() {
    let clock = ManualClock::new();
    let end = clock.now() + std::time::Duration::from_secs(600);
    let credential = FromAzureCore::new(Arc::new(Fixed(end))).with_clock(clock);
    let token = credential.token(&graph()).await.unwrap();
    assert_eq!(
        (token.expose_secret(), token.expires_on()),
        ("canary-theirs", end)
    );
    assert!(!format!("{credential:?} {token:?}").contains("canary"));
    credential
        .token(&graph().with_force_refresh())
        .await
        .unwrap();
    for request in [
        graph().with_tenant(TENANT.parse().unwrap()),
        graph().with_claims("{}"),
        graph().with_min_validity(std::time::Duration::from_secs(601)),
    ] {
        let failed = credential.token(&request).await.unwrap_err();
        assert_eq!(failed.kind(), CredentialErrorKind::Configuration);
        assert!(failed.fix().is_some());
    }
}

#[tokio::test]
async fn azure_error_keeps_its_kind_and_loses_its_text() {
    let cases: [(fn() -> TheirError, CredentialErrorKind); 4] = [
        (
            || TheirError::with_message(TheirKind::Io, "canary"),
            CredentialErrorKind::Transient,
        ),
        (
            || TheirError::with_message(TheirKind::DataConversion, "canary"),
            CredentialErrorKind::Protocol,
        ),
        (
            || TheirError::with_message(TheirKind::Credential, "canary"),
            CredentialErrorKind::Rejected,
        ),
        (
            || TheirError::with_message(TheirKind::Other, "canary"),
            CredentialErrorKind::Rejected,
        ),
    ];
    for (make, kind) in cases {
        let credential = FromAzureCore::new(Arc::new(Failing(make)));
        let failed = credential.token(&graph()).await.unwrap_err();
        assert_eq!(failed.kind(), kind);
        assert!(!format!("{failed:?}").contains("canary"));
    }
}
