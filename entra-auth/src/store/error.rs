use std::{error, fmt, sync::Arc};

/// Why an operation of a store failed. A failing store never prevents a token.
///
/// Stores return it; in an application `?` converts it to [`Error`](crate::Error).
#[derive(Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: Arc<str>,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// What kind of failure a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store could not be reached, read or written.
    Unavailable,
    /// An entry was written by another program or version, or encrypted with a key that was not
    /// given. It is left as it is.
    Unreadable,
    /// An entry does not decrypt or decode though its key is known: it is damaged, or was copied
    /// from another place. It is quarantined.
    Damaged,
    /// The store cannot be used as it is set up.
    Configuration,
}

impl StoreError {
    /// The store could not be reached, read or written.
    #[must_use]
    #[inline]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Unavailable, message)
    }

    /// The store cannot be used as it is set up.
    #[must_use]
    #[inline]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Configuration, message)
    }

    /// Adds the cause. Neither message may contain any part of an entry.
    #[must_use]
    #[inline]
    pub fn with_source(mut self, source: impl error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    #[inline]
    pub(crate) fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into().into(),
            source: None,
        }
    }
}

impl fmt::Display for StoreError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for StoreError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

impl error::Error for StoreError {
    #[inline]
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
