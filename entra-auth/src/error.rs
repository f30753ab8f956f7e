use std::{borrow::Cow, error, fmt, sync::Arc, time::Duration};

use entra_core::{
    ClientId, CredentialError, CredentialErrorKind, Guid, InvalidId, StopReason, TenantId,
    Timestamp,
};

use crate::{
    skew::ClockDifference,
    store::{StoreError, StoreErrorKind},
};

/// Why an operation of this crate failed, with the details of Entra's response, the cause and the fix.
///
/// `Display` is one line; `{:#}` and `Debug` show cause, fix and ids as well, so `?` out of `main` prints them.
/// Nothing in it
/// holds a secret or a token. Callers that waited for one request share one error: a clone is cheap.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) kind: ErrorKind,
    pub(crate) summary: Cow<'static, str>,
    pub(crate) status: Option<u16>,
    pub(crate) codes: Vec<u32>,
    pub(crate) oauth_error: Option<String>,
    pub(crate) suberror: Option<String>,
    pub(crate) retryable: bool,
    pub(crate) cause: Option<Cause>,
    pub(crate) fix: Option<Cow<'static, str>>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) trace_id: Option<String>,
    pub(crate) timestamp: Option<Timestamp>,
    /// The wrong clock of this machine, if that is the cause.
    pub(crate) clock_difference: Option<ClockDifference>,
    pub(crate) claims: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) service_message: Option<String>,
    pub(crate) certificate: Option<CertificateErrorKind>,
    pub(crate) identity: Option<(ClientId, TenantId)>,
    /// Whether the application's own sign-in failed, or that of the source of its assertions, of its host or of
    /// a developer's tool. Whatever number the error has then is not about a user of the application.
    pub(crate) is_of_application: bool,
    pub(crate) source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// The cause as Entra or this crate words it. It is an error of its own, so that whatever prints the chain of
/// sources prints it too.
#[derive(Clone, Debug)]
pub(crate) struct Cause(Cow<'static, str>);

impl Cause {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for Cause {
    #[inline]
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Cause {}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credential is not set up on this machine; a chain goes on to its next link.
    Unavailable,
    /// A setting is invalid; nothing was sent.
    Configuration,
    /// The secret, certificate or assertion is invalid.
    InvalidClient,
    /// The request was rejected for another reason: application, tenant, scope or policy.
    Rejected,
    /// A user must sign in, consent or complete multifactor authentication.
    InteractionRequired,
    /// The service asked to wait.
    Throttled,
    /// The service failed.
    Service,
    /// The service could not be reached.
    Transport,
    /// The response does not follow the protocol.
    Protocol,
    /// The response exceeds the size limit; the rest was not read.
    ResponseTooLarge,
}

/// What is wrong with a certificate, its key or its file; see [`Error::certificate_error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateErrorKind {
    /// The file could not be read or written.
    File,
    /// It is neither PEM nor PKCS#12, or it is damaged.
    Malformed,
    /// There is a key, but no certificate.
    NoCertificate,
    /// There is a certificate, but no private key.
    NoKey,
    /// The key is encrypted, and no passphrase was given.
    PassphraseMissing,
    /// The passphrase is wrong, or is empty where a new file needs one.
    WrongPassphrase,
    /// The key is not an RSA key of at least 2048 bits.
    UnsupportedKey,
    /// The crate does not support the encryption of the key.
    UnsupportedEncryption,
    /// This form needs a feature of the crate that is not enabled.
    FeatureDisabled,
    /// The private key belongs to another certificate.
    KeyMismatch,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The subject or lifetime for a new certificate cannot be used.
    Subject,
    /// The crypto library failed.
    Crypto,
}

impl Error {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What is wrong with the certificate, if that is why the [configuration](ErrorKind::Configuration)
    /// cannot be used.
    ///
    /// ```
    /// use entra_auth::{Certificate, CertificateErrorKind};
    /// let error = Certificate::from_pem("-----BEGIN NOTHING-----").unwrap_err();
    /// assert_eq!(error.certificate_error(), Some(CertificateErrorKind::Malformed));
    /// ```
    #[must_use]
    pub fn certificate_error(&self) -> Option<CertificateErrorKind> {
        self.0.certificate
    }

    /// Entra's error number, the digits of `AADSTS…`; the first one if there are several.
    #[must_use]
    pub fn aadsts_code(&self) -> Option<u32> {
        self.0.codes.first().copied()
    }

    /// All of Entra's error numbers.
    #[must_use]
    pub fn codes(&self) -> &[u32] {
        &self.0.codes
    }

    /// The OAuth error, such as `invalid_client`.
    #[must_use]
    pub fn oauth_error(&self) -> Option<&str> {
        self.0.oauth_error.as_deref()
    }

    /// Entra's finer word beside the OAuth error, such as `consent_required`.
    #[must_use]
    pub fn suberror(&self) -> Option<&str> {
        self.0.suberror.as_deref()
    }

    /// The HTTP status, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Why it happened, in one sentence; in the words of the service where no other cause is known, unless the token
    /// is a user's.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_ref().map(Cause::as_str)
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        self.0.fix.as_deref()
    }

    /// The correlation id, for the sign-in logs and for support.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// The id of Entra's own trace.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// When it happened, by Entra's clock.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.0.timestamp
    }

    /// By how much this machine's clock is ahead of the sign-in service's, if that is the cause; negative
    /// if it is behind.
    #[must_use]
    pub fn clock_difference(&self) -> Option<entra_core::time::Duration> {
        self.0.clock_difference.map(ClockDifference::ahead)
    }

    /// The claims challenge (JSON) that an interactive sign-in must satisfy.
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.0.claims.as_deref()
    }

    /// The wait that the service requested.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The first line of the service's own message, shortened and without the request's secrets.
    ///
    /// The service controls the text: use it for logs, not for decisions.
    #[must_use]
    pub fn service_message(&self) -> Option<&str> {
        self.0.service_message.as_deref()
    }

    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.retryable
            || matches!(
                self.0.kind,
                ErrorKind::Throttled | ErrorKind::Service | ErrorKind::Transport
            )
    }

    /// Whether the secret, certificate or assertion is invalid, so that another one may help.
    ///
    /// Entra also returns the OAuth error `invalid_client` for a client without a service principal in the tenant
    /// (AADSTS7000229) or an unknown scope (AADSTS650053), where the credential is valid.
    #[must_use]
    pub fn is_invalid_client(&self) -> bool {
        self.0.kind == ErrorKind::InvalidClient
    }

    /// Whether a user must sign in, consent or complete multifactor authentication.
    #[must_use]
    pub fn is_interaction_required(&self) -> bool {
        self.0.kind == ErrorKind::InteractionRequired
    }

    /// Whether the service asked to wait.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.0.kind == ErrorKind::Throttled
    }

    /// Finds this crate's error among an error and its sources, such as below a Graph error.
    #[must_use]
    pub fn find<'a>(error: &'a (dyn error::Error + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |error| error.source()).find_map(|error| {
            let credential = match error.downcast_ref::<entra_core::Error>() {
                Some(core) => core.credential(),
                None => error.downcast_ref::<CredentialError>(),
            };
            match credential.and_then(CredentialError::origin) {
                Some(origin) => Self::find(origin),
                None => error.downcast_ref(),
            }
        })
    }

    pub(crate) fn new(kind: ErrorKind, summary: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            summary: summary.into(),
            status: None,
            codes: Vec::new(),
            oauth_error: None,
            suberror: None,
            retryable: false,
            cause: None,
            fix: None,
            correlation_id: None,
            trace_id: None,
            timestamp: None,
            clock_difference: None,
            claims: None,
            retry_after: None,
            service_message: None,
            certificate: None,
            identity: None,
            is_of_application: false,
            source: None,
        }))
    }

    /// An invalid setting and its fix.
    #[inline]
    pub(crate) fn configuration(
        summary: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(ErrorKind::Configuration, summary).with(|inner| inner.fix = Some(fix.into()))
    }

    /// A credential that is not set up here, and its fix.
    pub(crate) fn unavailable(
        summary: impl Into<Cow<'static, str>>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(ErrorKind::Unavailable, summary).with(|inner| inner.fix = Some(fix.into()))
    }

    /// Wraps the error of another credential.
    pub(crate) fn from_credential(
        summary: impl Into<Cow<'static, str>>,
        error: CredentialError,
    ) -> Self {
        let kind = match error.kind() {
            CredentialErrorKind::Unavailable => ErrorKind::Unavailable,
            CredentialErrorKind::Configuration => ErrorKind::Configuration,
            CredentialErrorKind::InteractionRequired => ErrorKind::InteractionRequired,
            CredentialErrorKind::Throttled => ErrorKind::Throttled,
            CredentialErrorKind::Transient => ErrorKind::Service,
            CredentialErrorKind::Protocol => ErrorKind::Protocol,
            _ => ErrorKind::Rejected,
        };
        Self::new(kind, summary)
            .with(|inner| {
                inner.codes = error.code().into_iter().collect();
                inner.fix = error.fix().map(|fix| fix.to_owned().into());
                inner.claims = error.claims().map(str::to_owned);
                inner.correlation_id = error.correlation_id().map(str::to_owned);
                inner.trace_id = error.trace_id().map(str::to_owned);
                inner.retry_after = error.retry_after();
            })
            .with_source(error)
    }

    /// A response exceeds the size limit.
    pub(crate) fn response_too_large(host: &str, source: entra_core::Error) -> Self {
        let id = source.client_request_id().map(str::to_owned);
        Self::new(
            ErrorKind::ResponseTooLarge,
            format!("the response of {host} is larger than any that is expected"),
        )
        .with(|inner| {
            inner.fix =
                Some("check the URL, and that no proxy responds in place of the service".into());
            inner.correlation_id = id;
        })
        .with_source(source)
    }

    #[inline]
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn with_source(self, source: impl error::Error + Send + Sync + 'static) -> Self {
        self.with(|inner| inner.source = Some(Arc::new(source)))
    }

    /// Adds the application and tenant of the request, unless they are set.
    pub(crate) fn for_identity(self, client: ClientId, tenant: &TenantId) -> Self {
        // The identity of a host or a tool is not known here.
        if self.0.identity.is_some() || client == ClientId::from(Guid::NIL) {
            return self;
        }
        self.with(|inner| inner.identity = Some((client, tenant.clone())))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}

impl From<entra_core::Error> for Error {
    #[inline]
    fn from(error: entra_core::Error) -> Self {
        use entra_core::ErrorKind as Kind;
        let error = match error.into_credential() {
            Ok(credential) => return credential.into(),
            Err(error) => error,
        };
        let kind = match error.kind() {
            Kind::Transport => ErrorKind::Transport,
            Kind::ResponseTooLarge => ErrorKind::ResponseTooLarge,
            Kind::Throttled => ErrorKind::Throttled,
            _ => ErrorKind::Configuration,
        };
        let (text, id) = (
            error.to_string(),
            error.client_request_id().map(str::to_owned),
        );
        let retry_after = match error.stop_reason() {
            Some(StopReason::RetryAfterBeyondBudget { retry_after, .. }) => Some(retry_after),
            _ => None,
        };
        Self::new(kind, text).with(|inner| {
            inner.correlation_id = id;
            inner.retry_after = retry_after;
            inner.source = error.into_source().map(Arc::from);
        })
    }
}

impl From<InvalidId> for Error {
    #[inline]
    fn from(error: InvalidId) -> Self {
        let (what, fix) = match error.expected() {
            "tenant" => (
                "the tenant is malformed",
                "pass the Directory (tenant) ID, a GUID, from the registration's Overview page, or a verified domain such as contoso.onmicrosoft.com",
            ),
            "application (client) id" => (
                "the client id is malformed",
                "pass the Application (client) ID, a GUID, from the registration's Overview page",
            ),
            _ => (
                "an id is malformed",
                "pass the id as the portal shows it, a GUID",
            ),
        };
        Self::configuration(what, fix).with_source(error)
    }
}

/// A failure of the token store, for applications that open, empty or move a store.
impl From<StoreError> for Error {
    #[inline]
    fn from(error: StoreError) -> Self {
        let (kind, fix) = match error.kind() {
            StoreErrorKind::Configuration => (
                ErrorKind::Configuration,
                "check the settings of the store and its encryption keys",
            ),
            StoreErrorKind::Unavailable => (
                ErrorKind::Unavailable,
                "check that the store can be reached, read and written",
            ),
            _ => (
                ErrorKind::Protocol,
                "check that all replicas have the same encryption keys and version",
            ),
        };
        Self::new(kind, error.to_string()).with(|inner| {
            inner.fix = Some(fix.into());
            inner.source = Some(Arc::new(error));
        })
    }
}

/// The error of a credential: this crate's own, if it is one, with every detail.
impl From<CredentialError> for Error {
    #[inline]
    fn from(error: CredentialError) -> Self {
        match Self::find(&error) {
            Some(own) => own.clone(),
            None => Self::from_credential("the credential returned no token", error),
        }
    }
}

impl From<Error> for CredentialError {
    #[inline]
    fn from(error: Error) -> Self {
        let inner = error.inner();
        // The credential's error adds the number itself.
        let message = match inner.codes.as_slice() {
            [] => error.to_string(),
            _ => inner.summary.clone().into_owned(),
        };
        let kind = match inner.kind {
            ErrorKind::Throttled => CredentialErrorKind::Throttled,
            _ if error.is_transient() => CredentialErrorKind::Transient,
            ErrorKind::Configuration => CredentialErrorKind::Configuration,
            ErrorKind::Unavailable => CredentialErrorKind::Unavailable,
            ErrorKind::InteractionRequired => CredentialErrorKind::InteractionRequired,
            ErrorKind::Protocol | ErrorKind::ResponseTooLarge => CredentialErrorKind::Protocol,
            _ => CredentialErrorKind::Rejected,
        };
        let mut credential =
            Self::new(kind, message).with_ids(inner.correlation_id.clone(), inner.trace_id.clone());
        if let Some(code) = error.aadsts_code() {
            credential = credential.with_code(code);
        }
        if let Some((client, tenant)) = inner.identity.clone() {
            credential = credential.with_identity(client, tenant);
        }
        if let Some(fix) = error.fix() {
            credential = credential.with_fix(fix);
        }
        if let Some(claims) = error.claims() {
            credential = credential.with_claims(claims);
        }
        if let Some(wait) = error.retry_after() {
            credential = credential.with_retry_after(wait);
        }
        credential.with_origin(error)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let inner = self.inner();
        match (&inner.source, &inner.cause) {
            (Some(source), _) => Some(&**source),
            (None, cause) => cause.as_ref().map(|cause| cause as _),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected() -> Error {
        Error::new(ErrorKind::InvalidClient, "client secret is invalid").with(|inner| {
            inner.codes = vec![7_000_215];
            inner.oauth_error = Some("invalid_client".to_owned());
            inner.fix = Some("use its Value".into());
        })
    }

    #[test]
    fn error_is_at_most_16_bytes() {
        assert!(size_of::<Error>() <= 16);
    }

    #[test]
    fn errors_that_meet_in_one_function_convert() {
        fn setup(step: u8) -> Result<(), Error> {
            match step {
                0 => drop("not a tenant!".parse::<TenantId>()?),
                1 => drop(crate::store::EncryptionKey::from_base64("c2hvcnQ=")?),
                2 => drop(crate::Certificate::from_pem("")?),
                3 => drop(entra_core::Cloud::custom(
                    "http://a.example",
                    "https://b.example",
                )?),
                4 => Err(CredentialError::from(rejected()))?,
                _ => Err(CredentialError::new(CredentialErrorKind::Throttled, "wait"))?,
            }
            Ok(())
        }
        let expected = [
            ErrorKind::Configuration,
            ErrorKind::Configuration,
            ErrorKind::Configuration,
            ErrorKind::Configuration,
            ErrorKind::InvalidClient,
            ErrorKind::Throttled,
        ];
        for (step, kind) in (0..).zip(expected) {
            let error = setup(step).unwrap_err();
            assert_eq!(error.kind(), kind, "{step}");
        }
        assert_eq!(setup(4).unwrap_err().codes(), rejected().codes());
        let certificate = setup(2).unwrap_err().certificate_error();
        assert!(certificate.is_some());
    }

    #[test]
    fn configuration_error_of_core_becomes_one_of_this_crate() {
        fn client() -> Result<ClientId, Error> {
            let environment = entra_core::Environment::from_pairs([("AZURE_CLIENT_ID", "my app")]);
            Ok(environment.client_id()?)
        }
        let error = client().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("AZURE_CLIENT_ID"), "{error}");
        let source = error::Error::source(&error).unwrap();
        assert!(source.is::<entra_core::InvalidId>(), "{source}");
    }

    #[test]
    fn credential_error_has_the_line_and_the_cause_without_repeating_them() {
        let client = "11111111-1111-1111-1111-111111111111".parse().unwrap();
        let tenant = "contoso.com".parse().unwrap();
        let error = rejected().with(|inner| inner.cause = Some("it has expired".into()));
        let error = CredentialError::from(error.for_identity(client, &tenant));
        let texts: Vec<String> =
            std::iter::successors(Some(&error as &dyn error::Error), |error| error.source())
                .map(ToString::to_string)
                .collect();
        assert_eq!(
            texts,
            ["client secret is invalid (AADSTS7000215)", "it has expired"]
        );
        assert_eq!(error.identity(), Some((client, &tenant)));
        let numberless = Error::new(ErrorKind::Service, "sign-in service failed")
            .with(|inner| inner.status = Some(503));
        assert_eq!(
            CredentialError::from(numberless).to_string(),
            "sign-in service failed (HTTP 503)"
        );
    }

    #[test]
    fn credential_error_keeps_every_detail() {
        let error = rejected().with(|inner| {
            inner.correlation_id = Some("c".to_owned());
            inner.trace_id = Some("t".to_owned());
            inner.claims = Some("{}".to_owned());
            inner.retry_after = Some(Duration::from_secs(3));
        });
        let credential = CredentialError::from(error);
        assert_eq!(credential.kind(), CredentialErrorKind::Rejected);
        assert_eq!(credential.code(), Some(7_000_215));
        assert_eq!(credential.fix(), Some("use its Value"));
        assert_eq!(credential.correlation_id(), Some("c"));
        assert_eq!(credential.trace_id(), Some("t"));
        assert_eq!(credential.claims(), Some("{}"));
        assert_eq!(credential.retry_after(), Some(Duration::from_secs(3)));
        let found = Error::find(&credential).unwrap();
        assert_eq!(found.aadsts_code(), Some(7_000_215));
    }
}
