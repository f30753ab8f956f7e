//! Credentials of this SDK for the Azure crates, and theirs for this SDK.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use std::sync::Arc;
//! use azure_core::credentials::TokenCredential as _;
//! use entra_auth::{ClientSecretCredential, azure_core_adapter::{FromAzureCore, ForAzureCore}};
//! use entra_core::{TokenCredential as _, TokenRequest};
//! # let tenant = entra_mock::FakeTenant::start().await;
//! # let app = tenant.register_app("Night job").with_secret();
//! # let ours = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
//! #     .cloud(tenant.cloud()).clock(tenant.clock()).build()?;
//! let scope = "https://graph.microsoft.com/.default";
//! let for_them = Arc::new(ForAzureCore::new(ours)); // give it to any client of the Azure crates
//! let token = for_them.get_token(&[scope], None).await?;
//!
//! let for_us = FromAzureCore::new(for_them); // or any credential of azure_identity
//! assert_eq!(for_us.token(&TokenRequest::new([scope])).await?.expose_secret(), token.token.secret());
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    credentials::{
        AccessToken as AzureAccessToken, TokenCredential as AzureTokenCredential,
        TokenRequestOptions,
    },
    error::ErrorKind as TheirKind,
};
use entra_core::{
    AccessToken, Clock, CredentialError, CredentialErrorKind, SystemClock, TokenCredential,
    TokenRequest,
};

/// A credential of this SDK as one of the Azure crates.
#[derive(Clone, Debug)]
pub struct ForAzureCore(Arc<dyn TokenCredential>);

/// A credential of the Azure crates as one of this SDK.
///
/// The Azure trait knows scopes only, so a request for another tenant or with a claims challenge is
/// rejected. `force_refresh` requests the token again, but the credential may return a cached one.
#[derive(Clone, Debug)]
pub struct FromAzureCore {
    credential: Arc<dyn AzureTokenCredential>,
    clock: Arc<dyn Clock>,
}

impl ForAzureCore {
    /// Wraps a credential of this SDK.
    #[must_use]
    pub fn new(credential: impl TokenCredential) -> Self {
        Self(Arc::new(credential))
    }
}

impl FromAzureCore {
    /// Wraps a credential of the Azure crates.
    #[must_use]
    pub fn new(credential: Arc<dyn AzureTokenCredential>) -> Self {
        Self {
            credential,
            clock: Arc::new(SystemClock),
        }
    }

    /// The same with another clock to measure a token's remaining life with.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

#[async_trait]
impl AzureTokenCredential for ForAzureCore {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AzureAccessToken> {
        let request = TokenRequest::new(scopes.iter().copied());
        match self.0.token(&request).await {
            Ok(token) => Ok(AzureAccessToken::new(
                token.expose_secret().to_owned(),
                token.expires_on(),
            )),
            Err(error) => {
                let message = format!("the credential of the Entra SDK returned no token: {error}");
                Err(azure_core::Error::with_error(
                    TheirKind::Credential,
                    error,
                    message,
                ))
            }
        }
    }
}

#[async_trait]
impl TokenCredential for FromAzureCore {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        let unsupported = |what: &str| {
            CredentialError::new(
                CredentialErrorKind::Configuration,
                format!("a credential of the Azure crates does not accept {what}"),
            )
            .with_fix("use a credential of this SDK for such requests")
        };
        if request.tenant.is_some() {
            return Err(unsupported("a tenant"));
        }
        if request.claims.is_some() {
            return Err(unsupported("the response to a claims challenge"));
        }
        let scopes: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
        let token = self
            .credential
            .get_token(&scopes, None)
            .await
            .map_err(|error| failed(&error))?;
        let left = token.expires_on - self.clock.now();
        if left < request.min_validity {
            return Err(CredentialError::new(
                CredentialErrorKind::Configuration,
                "the token of the Azure crates' credential expires before the requested `min_validity`",
            )
            .with_fix("request a shorter `min_validity`"));
        }
        Ok(AccessToken::new(token.token.secret(), token.expires_on))
    }
}

/// Ours inside of theirs comes out as it was; theirs is told apart by what little it says.
fn failed(error: &azure_core::Error) -> CredentialError {
    let inner = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<CredentialError>());
    if let Some(ours) = inner {
        return ours.clone();
    }
    let kind = match error.kind() {
        TheirKind::Io => CredentialErrorKind::Transient,
        TheirKind::DataConversion => CredentialErrorKind::Protocol,
        TheirKind::HttpResponse { status, .. } => match u16::from(*status) {
            429 => CredentialErrorKind::Throttled,
            408 | 500..=599 => CredentialErrorKind::Transient,
            _ => CredentialErrorKind::Rejected,
        },
        _ => CredentialErrorKind::Rejected,
    };
    // Their text may hold the whole response, so only its kind goes on.
    CredentialError::new(
        kind,
        format!(
            "the credential of the Azure crates returned no token ({})",
            words(error.kind())
        ),
    )
    .with_fix("see the log of the Azure crates for what their credential says")
}

fn words(kind: &TheirKind) -> String {
    match kind {
        TheirKind::HttpResponse { status, .. } => format!("HTTP {}", u16::from(*status)),
        TheirKind::Io => "input or output failed".to_owned(),
        TheirKind::DataConversion => "a response could not be read".to_owned(),
        TheirKind::Credential => "the credential failed".to_owned(),
        _ => "another failure".to_owned(),
    }
}
