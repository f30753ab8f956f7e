use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use entra_core::{
    AccessToken, CertificateOutline, ClientId, Clock, Cloud, CredentialDescription,
    CredentialError, Idempotency, IntoId, Secret, SecureRandom, SignInMethod, TenantId,
    TokenCredential, TokenRequest,
};
use jsonwebtoken::Algorithm;
use tracing::{debug, info};

use super::{
    assertion::{self, AssertionOptions},
    source::Source,
    value::Certificate,
};
use crate::{
    Error,
    application_ids::ApplicationIds,
    builder::{ApplicationCredential, CloudCredential, Configure, CredentialBuilder},
    cache::{Account, TokenKey},
    form::Form,
    retry_mode::RetryMode,
    shown_path::ShownPath,
    token_endpoint::{Grant, TokenEndpoint},
    tokens::{TokenSource, Tokens},
};

/// Signs an application in with a certificate (the OAuth client credentials grant).
///
/// Each request carries an assertion of its own, signed with PS256. A certificate that was read
/// from a file is read again when the file changes, and once more when Entra says that it is stale.
/// Cheap to clone; clones share their tokens. See Microsoft's page on
/// [certificate credentials](https://learn.microsoft.com/entra/identity-platform/certificate-credentials).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{Certificate, ClientCertificateCredential};
/// use entra_core::{TokenCredential, TokenRequest};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let pem = tenant.test_certificate_pem();
/// # let app = tenant.register_app("Night job").with_certificate(&pem);
/// # let (tenant_id, client_id) = (tenant.id(), app.client_id());
/// let certificate = Certificate::from_pem(pem)?;
/// let credential = ClientCertificateCredential::builder(tenant_id, client_id, certificate)
/// #   .clock(tenant.clock())
///     .cloud(tenant.cloud())
///     .build()?;
/// let token = credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
/// assert!(token.expires_on() > tenant.clock().now());
/// # use entra_core::Clock;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClientCertificateCredential {
    tokens: Arc<Tokens>,
    cloud: Cloud,
    source: Source,
}

/// Configures a [`ClientCertificateCredential`].
pub type ClientCertificateCredentialBuilder = CredentialBuilder<ClientCertificateCredential>;

#[derive(Clone, Debug)]
pub(crate) struct ClientCertificateSetup {
    identity: ApplicationIds,
    certificate: CertificateInput,
    style: AssertionOptions,
}

impl Configure for ClientCertificateCredential {
    type Setup = ClientCertificateSetup;
}

impl ApplicationCredential for ClientCertificateCredential {}

impl CloudCredential for ClientCertificateCredential {}

#[derive(Clone)]
enum CertificateInput {
    Value(Certificate),
    File {
        path: PathBuf,
        passphrase: Option<Secret>,
    },
}

impl ClientCertificateCredential {
    /// A credential for the public cloud with the default settings. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`build`](ClientCertificateCredentialBuilder::build).
    #[inline]
    pub fn new(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        certificate: Certificate,
    ) -> Result<Self, Error> {
        Self::builder(tenant, client_id, certificate).build()
    }

    /// As [`new`](Self::new) with a PEM file, which is read again when it changes.
    ///
    /// # Errors
    /// As [`build`](ClientCertificateCredentialBuilder::build).
    #[inline]
    pub fn from_pem_file(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        path: impl Into<PathBuf>,
        passphrase: Option<&Secret>,
    ) -> Result<Self, Error> {
        Self::builder_from_file(tenant, client_id, path, passphrase).build()
    }

    /// As [`new`](Self::new) with a PKCS#12 file, which is read again when it changes.
    ///
    /// # Errors
    /// As [`build`](ClientCertificateCredentialBuilder::build).
    #[cfg(feature = "pfx")]
    #[inline]
    pub fn from_pfx_file(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        path: impl Into<PathBuf>,
        password: &Secret,
    ) -> Result<Self, Error> {
        Self::builder_from_file(tenant, client_id, path, Some(password)).build()
    }

    /// Returns a builder. Ids may be given as text or as ids.
    #[inline]
    pub fn builder(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        certificate: Certificate,
    ) -> ClientCertificateCredentialBuilder {
        Self::settings(tenant, client_id, CertificateInput::Value(certificate))
    }

    /// Returns a builder with a certificate file of any format, which is read again when it changes.
    #[inline]
    pub fn builder_from_file(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        path: impl Into<PathBuf>,
        passphrase: Option<&Secret>,
    ) -> ClientCertificateCredentialBuilder {
        let file = CertificateInput::File {
            path: path.into(),
            passphrase: passphrase.cloned(),
        };
        Self::settings(tenant, client_id, file)
    }

    /// The application's client id.
    #[must_use]
    #[inline]
    pub fn client_id(&self) -> ClientId {
        self.tokens.client()
    }

    /// The tenant that tokens come from unless a request names another.
    #[must_use]
    #[inline]
    pub fn tenant(&self) -> &TenantId {
        self.tokens.home()
    }

    /// The certificate in use, such as to warn before it expires.
    #[must_use]
    #[inline]
    pub fn certificate(&self) -> Certificate {
        self.source.held()
    }

    #[inline]
    fn settings(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
        certificate: CertificateInput,
    ) -> ClientCertificateCredentialBuilder {
        CredentialBuilder::new(ClientCertificateSetup {
            identity: ApplicationIds::new(tenant, client_id),
            certificate,
            style: AssertionOptions::default(),
        })
    }
}

#[async_trait]
impl TokenCredential for ClientCertificateCredential {
    #[inline]
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.tokens.token(request).await.map_err(Into::into)
    }

    /// Shows the certificate that was read last.
    #[inline]
    fn description(&self) -> CredentialDescription {
        let certificate = self.source.held();
        CredentialDescription::of_application(
            self.cloud.clone(),
            self.tokens.home().clone(),
            self.tokens.client(),
            SignInMethod::Certificate(CertificateOutline::new(
                certificate.thumbprint_sha1(),
                certificate.not_before(),
                certificate.not_after(),
            )),
        )
    }
}

impl fmt::Debug for CertificateInput {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(certificate) => certificate.fmt(f),
            Self::File { path, .. } => f.debug_tuple("File").field(&ShownPath(path)).finish(),
        }
    }
}

impl fmt::Debug for ClientCertificateCredential {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificateCredential")
            .field("authority", &self.tokens.authority())
            .field("tenant", self.tokens.home())
            .field("client_id", &self.tokens.client())
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl ClientCertificateCredentialBuilder {
    /// Signs with RS256 and names the certificate by its SHA-1 thumbprint, for old authorities
    /// such as AD FS; Entra itself advises the default, PS256 with the SHA-256 thumbprint.
    #[inline]
    pub fn rs256(mut self) -> Self {
        self.setup.style.algorithm = Algorithm::RS256;
        self
    }

    /// Sends the certificate and its chain (`x5c`), for applications that trust a certificate by its
    /// subject name and issuer.
    #[inline]
    pub fn send_chain(mut self) -> Self {
        self.setup.style.with_chain = true;
        self
    }

    /// How long an assertion is valid. The default is ten minutes. Each request has a new one.
    #[inline]
    pub fn assertion_lifetime(mut self, lifetime: Duration) -> Self {
        self.setup.style.lifetime = lifetime;
        self
    }

    /// Builds the credential. It sends nothing before the first token is requested.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid id, an
    /// alias in the tenant's place, a lifetime outside 30 seconds to 24 hours, or a certificate file
    /// that cannot be used; [`certificate_error`](Error::certificate_error) then says what is wrong.
    #[inline]
    pub fn build(self) -> Result<ClientCertificateCredential, Error> {
        let (setup, settings) = (self.setup, self.options.settings()?);
        let (tenant, client) = setup.identity.of_application()?;
        if !(SHORTEST..=LONGEST).contains(&setup.style.lifetime) {
            return Err(Error::configuration(
                "the lifetime of assertions is out of range",
                "give 30 seconds to 24 hours; five to ten minutes are good",
            ));
        }
        let source = match setup.certificate {
            CertificateInput::Value(certificate) => Source::fixed(certificate),
            CertificateInput::File { path, passphrase } => Source::file(path, passphrase)?,
        };
        let grants = ClientCertificate {
            endpoint: TokenEndpoint::new(&settings)?,
            cloud: settings.cloud.clone(),
            clock: Arc::clone(&settings.clock),
            random: Arc::clone(&settings.random),
            client,
            style: setup.style,
            source: source.clone(),
        };
        let tokens = Tokens::new(Arc::new(grants), &settings, client, tenant, Account::App);
        Ok(ClientCertificateCredential {
            tokens: Arc::new(tokens),
            cloud: settings.cloud,
            source,
        })
    }
}

#[derive(Debug)]
struct ClientCertificate {
    endpoint: TokenEndpoint,
    cloud: Cloud,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    client: ClientId,
    style: AssertionOptions,
    source: Source,
}

#[async_trait]
impl TokenSource for ClientCertificate {
    #[inline]
    async fn fetch(
        &self,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<AccessToken, Error> {
        let certificate = self.valid().await?;
        let error = match self.redeem(&certificate, token_key, retry_mode).await {
            Err(error) if is_stale(&error) => error,
            outcome => return outcome.map_err(|error| self.explain(error, &certificate)),
        };
        let other = self.source.reread().await;
        let code = error.aadsts_code();
        if other == certificate && (code != Some(OUT_OF_TIME) || self.skew(&error).is_some()) {
            return Err(self.explain(error, &certificate));
        }
        info!(
            code,
            thumbprint = other.thumbprint_sha1(),
            "rejected as stale; once more"
        );
        let outcome = self.redeem(&other, token_key, retry_mode).await;
        outcome.map_err(|error| self.explain(error, &other))
    }
}

impl ClientCertificate {
    /// A certificate that is valid by this machine's clock.
    #[inline]
    async fn valid(&self) -> Result<Certificate, Error> {
        let certificate = self.source.current().await;
        if certificate.check_validity(self.clock.now()).is_ok() {
            return Ok(certificate);
        }
        debug!("the certificate is out of date; reading its file again");
        let certificate = self.source.reread().await;
        certificate.check_validity(self.clock.now())?;
        Ok(certificate)
    }

    #[inline]
    async fn redeem(
        &self,
        certificate: &Certificate,
        token_key: &TokenKey,
        retry_mode: RetryMode,
    ) -> Result<AccessToken, Error> {
        let audience = self.cloud.token_endpoint(&token_key.tenant);
        let assertion = assertion::sign(
            certificate,
            self.style,
            self.client,
            audience.as_str(),
            self.clock.now(),
            &*self.random,
        )?;
        let form = Form::new("client_credentials")
            .field("client_id", self.client.to_string())
            .field("client_assertion_type", ASSERTION_TYPE)
            .secret("client_assertion", &assertion)
            .field("scope", token_key.scope())
            .optional("claims", token_key.claims.as_deref());
        let grant = Grant {
            operation: "token by certificate",
            tenant: &token_key.tenant,
            form,
            idempotency: Idempotency::Safe,
            retry_mode,
        };
        self.endpoint.redeem(&grant).await
    }

    /// Names the rejected certificate, and the clock of this machine if that is the cause.
    #[inline]
    fn explain(&self, error: Error, certificate: &Certificate) -> Error {
        let code = error.aadsts_code();
        if code == Some(OUT_OF_TIME)
            && let Some(skew) = self.skew(&error)
        {
            let (seconds, side) = (skew.abs(), if skew > 0 { "ahead of" } else { "behind" });
            return error.with(|inner| {
                inner.cause = Some(
                    format!("the clock of this machine is {seconds} s {side} Entra's, so the assertion is out of date").into(),
                );
                inner.fix = Some("set the clock and keep it set, with NTP or the host's time service".into());
                inner.retryable = false;
            });
        }
        if !code.is_some_and(|code| ABOUT_THE_CERTIFICATE.contains(&code)) {
            return error;
        }
        let used = format!(
            "the certificate used has the thumbprint {} and is valid until {}",
            certificate.thumbprint_sha1(),
            certificate.not_after().date()
        );
        error.with(|inner| {
            inner.cause = Some(match &inner.cause {
                Some(cause) => format!("{cause}; {used}").into(),
                None => used.into(),
            });
        })
    }

    /// How many seconds this machine's clock is ahead of Entra's, if the difference is relevant.
    #[inline]
    fn skew(&self, error: &Error) -> Option<i64> {
        let skew = (self.clock.now() - error.timestamp()?).whole_seconds();
        (skew.abs() > NOTEWORTHY_SKEW).then_some(skew)
    }
}

#[inline]
fn is_stale(error: &Error) -> bool {
    error.codes().iter().any(|code| STALE.contains(code))
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const OUT_OF_TIME: u32 = 700_024;
/// Error codes that a renewed certificate in the file may resolve.
const STALE: [u32; 6] = [700_024, 700_027, 1_000_502, 7_000_214, 7_000_274, 7_000_277];
const ABOUT_THE_CERTIFICATE: [u32; 6] =
    [50_012, 700_027, 1_000_502, 7_000_214, 7_000_274, 7_000_277];
/// Half of the five minutes of clock skew that Entra allows.
const NOTEWORTHY_SKEW: i64 = 150;
const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
