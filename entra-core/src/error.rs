use std::{error, fmt};

use crate::CredentialError;

type Source = Box<dyn error::Error + Send + Sync>;

/// Why a request could not be made or got no answer at all.
///
/// An answer with an error status is not an [`Error`]: it comes back as a
/// [`Response`](crate::Response), for the caller knows what its body means.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    client_request_id: Option<String>,
    source: Option<Source>,
}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value given by the caller cannot be used.
    Configuration,
    /// The send path refused to send: an insecure or foreign address.
    Policy,
    /// The network or TLS failed, after all retries that were safe.
    Transport,
    /// The credential gave no token; [`Error::credential`] has the details.
    Credential,
    /// The response is larger than the limit of its request; the rest was not read.
    ResponseTooLarge,
}

impl Error {
    /// A value that cannot be used; the message says how to fix it.
    #[must_use]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// A request that must not be sent; the message says why.
    #[must_use]
    pub fn policy(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Policy, message)
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The credential's own error, when that is what failed.
    #[must_use]
    pub fn credential(&self) -> Option<&CredentialError> {
        self.0.source.as_deref()?.downcast_ref()
    }

    /// Takes the credential's own error out, when that is what failed.
    ///
    /// # Errors
    /// The error itself, unchanged, when it is of another kind.
    pub fn into_credential(mut self) -> Result<CredentialError, Self> {
        match self
            .0
            .source
            .take()
            .map(|source| source.downcast::<CredentialError>())
        {
            Some(Ok(credential)) => Ok(*credential),
            Some(Err(source)) => {
                self.0.source = Some(source);
                Err(self)
            }
            None => Err(self),
        }
    }

    /// Takes the cause out.
    #[must_use]
    pub fn into_source(self) -> Option<Box<dyn error::Error + Send + Sync>> {
        self.0.source
    }

    /// The id this call was sent with, for a support request; absent when nothing was sent.
    #[must_use]
    pub fn client_request_id(&self) -> Option<&str> {
        self.0.client_request_id.as_deref()
    }

    /// Whether the same call may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            ErrorKind::Transport => true,
            ErrorKind::Credential => self.credential().is_some_and(CredentialError::is_transient),
            ErrorKind::Configuration | ErrorKind::Policy | ErrorKind::ResponseTooLarge => false,
        }
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            client_request_id: None,
            source: None,
        }))
    }

    pub(crate) fn with_client_request_id(mut self, id: &str) -> Self {
        self.0.client_request_id = Some(id.to_owned());
        self
    }
}

impl From<CredentialError> for Error {
    fn from(error: CredentialError) -> Self {
        Self::new(ErrorKind::Credential, "no token for this request").with_source(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("client_request_id", &self.0.client_request_id)
            .field("source", &self.0.source)
            .finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
