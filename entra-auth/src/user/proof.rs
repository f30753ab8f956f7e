use std::{fmt, sync::Arc};

use entra_core::{ClientId, Clock, Cloud, CredentialError, Secret, SecureRandom, TenantId};

use crate::{
    Certificate, Error, ErrorKind, certificate,
    client_assertion::{
        ASSERTION_TYPE, AssertionRequest, ClientAssertion, check_form, without_assertion,
    },
    client_secret_check::check_client_secret,
    form::Form,
};

/// How a client authenticates at the token endpoint (RFC 6749, section 2.3).
///
/// A web application has a secret, a certificate or an assertion. A tool on the user's own machine
/// cannot keep a secret and is a [`public`](Self::public) client.
///
/// ```
/// use entra_auth::user::ClientAuthentication;
/// let proof = ClientAuthentication::secret("s3cr3t");
/// assert_eq!(format!("{proof:?}"), "ClientAuthentication::Secret");
/// assert!(ClientAuthentication::public().is_public());
/// ```
#[derive(Clone)]
pub struct ClientAuthentication(Kind);

#[derive(Clone)]
enum Kind {
    Public,
    Secret(Secret),
    Certificate(Certificate),
    Assertion(Arc<dyn ClientAssertion>),
}

/// The request that a client authenticates.
pub(super) struct AuthenticationContext<'a> {
    pub(super) cloud: &'a Cloud,
    pub(super) tenant: &'a TenantId,
    pub(super) client: ClientId,
    pub(super) clock: &'a dyn Clock,
    pub(super) random: &'a dyn SecureRandom,
}

impl ClientAuthentication {
    /// No authentication: a mobile, desktop or command-line application.
    #[must_use]
    pub const fn public() -> Self {
        Self(Kind::Public)
    }

    /// A client secret.
    #[must_use]
    #[inline]
    pub fn secret(secret: impl Into<Secret>) -> Self {
        Self(Kind::Secret(secret.into()))
    }

    /// A certificate. Each request has its own assertion.
    #[must_use]
    pub const fn certificate(certificate: Certificate) -> Self {
        Self(Kind::Certificate(certificate))
    }

    /// An assertion of another party, such as a key vault or another identity provider.
    #[must_use]
    #[inline]
    pub fn assertion(source: impl ClientAssertion) -> Self {
        Self(Kind::Assertion(Arc::new(source)))
    }

    /// Whether this is a public client.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.0, Kind::Public)
    }

    #[inline]
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.0 {
            Kind::Secret(secret) => check_client_secret(secret),
            _ => Ok(()),
        }
    }

    /// The form with the proof in it.
    #[inline]
    pub(super) async fn add(
        &self,
        form: Form,
        context: &AuthenticationContext<'_>,
    ) -> Result<Form, Error> {
        let endpoint = context.cloud.token_endpoint(context.tenant);
        let assertion = match &self.0 {
            Kind::Public => return Ok(form),
            Kind::Secret(secret) => return Ok(form.secret("client_secret", secret)),
            Kind::Certificate(certificate) => certificate::assertion(
                certificate,
                context.client,
                endpoint.as_str(),
                context.clock.now(),
                context.random,
            )?,
            Kind::Assertion(source) => {
                let request = AssertionRequest {
                    client_id: context.client,
                    tenant: context.tenant.clone(),
                    token_endpoint: endpoint,
                };
                let assertion = source.assertion(&request).await.map_err(without_proof)?;
                check_form(&assertion)?;
                assertion
            }
        };
        Ok(form
            .field("client_assertion_type", ASSERTION_TYPE)
            .secret("client_assertion", &assertion))
    }
}

/// The error of the source of assertions, in the flow of a user: no sign-in of the user resolves it, and its
/// claims are not for a token of the user.
#[inline]
fn without_proof(error: CredentialError) -> Error {
    without_assertion(error).with(|inner| {
        inner.claims = None;
        if inner.kind == ErrorKind::InteractionRequired {
            inner.kind = ErrorKind::InvalidClient;
        }
    })
}

impl From<Certificate> for ClientAuthentication {
    #[inline]
    fn from(certificate: Certificate) -> Self {
        Self::certificate(certificate)
    }
}

impl From<Secret> for ClientAuthentication {
    #[inline]
    fn from(secret: Secret) -> Self {
        Self::secret(secret)
    }
}

impl fmt::Debug for ClientAuthentication {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Public => "ClientAuthentication::Public",
            Kind::Secret(_) => "ClientAuthentication::Secret",
            Kind::Certificate(_) => "ClientAuthentication::Certificate",
            Kind::Assertion(_) => "ClientAuthentication::Assertion",
        })
    }
}
