/// Whether a request is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryMode {
    /// With retries and waits: a caller needs the token.
    Full,
    /// One attempt without a wait: there still is a valid token.
    Once,
}
