use std::{fmt, sync::Arc};

use async_trait::async_trait;
use entra_core::{ClientId, CredentialError, Secret, TenantId, url::Url};

use crate::{Error, ErrorKind};

/// Something that can prove an application's identity with a signed JWT.
///
/// It may be a token of another identity provider, or an assertion that a key vault signs. It is
/// called once per token request; cache what can be reused.
#[async_trait]
pub trait ClientAssertion: fmt::Debug + Send + Sync + 'static {
    /// An assertion for one request.
    ///
    /// # Errors
    /// [`CredentialError`] of the kind that the credential shall report, such as transient. An application that signs
    /// users in reports [`InteractionRequired`](entra_core::CredentialErrorKind::InteractionRequired) as rejected,
    /// since no sign-in of a user resolves it.
    async fn assertion(&self, request: &AssertionRequest) -> Result<Secret, CredentialError>;
}

#[async_trait]
impl<T: ClientAssertion + ?Sized> ClientAssertion for Arc<T> {
    #[inline]
    async fn assertion(&self, request: &AssertionRequest) -> Result<Secret, CredentialError> {
        (**self).assertion(request).await
    }
}

/// What an assertion is for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AssertionRequest {
    /// The application; issuer and subject of an assertion that is signed with its own key.
    pub client_id: ClientId,
    /// The tenant that the token is requested from.
    pub tenant: TenantId,
    /// Where it is sent; the audience of an assertion that is signed with the application's own key.
    pub token_endpoint: Url,
}

/// The error of the source of assertions. It is about the application, whatever number it has.
#[inline]
pub(crate) fn without_assertion(error: CredentialError) -> Error {
    Error::from_credential("there is no client assertion", error)
        .with(|inner| inner.is_of_application = true)
}

/// Entra's response to something that is no JWT at all says less than this.
#[inline]
pub(crate) fn check_form(assertion: &Secret) -> Result<(), Error> {
    let text = assertion.expose_secret();
    let is_jwt = text.split('.').count() == 3
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.split('.').all(|part| !part.is_empty());
    if is_jwt {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        "the client assertion is not a signed JWT",
    )
    .with(|inner| {
        inner.cause = Some("it must be three parts in base64url with dots between them".into());
        inner.fix =
            Some("see what the callback, the token file or the identity provider gives".into());
    }))
}

pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
