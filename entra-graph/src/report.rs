use std::{error, fmt};

use crate::Error;

/// Prints an [`Error`] the way a person wants to read it: what, why, what to do, and the ids.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
/// # support::block_on(async {
/// # let (tenant, _) = support::start().await;
/// # let app = tenant.register_app("Night job").application_permission("User.Read.All").with_secret();
/// # let credential = support::AppCredential::new(&tenant, &app);
/// # let graph = entra_graph::GraphClient::builder(credential).cloud(tenant.cloud()).build()?;
/// let error = graph.audit_logs().sign_ins().list().send().await.unwrap_err();
/// let report = error.report().to_string();
/// assert!(report.contains("\n  the token has roles: User.Read.All"), "{report}");
/// assert!(report.contains("\n  needs one of (application): AuditLog.Read.All"), "{report}");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Report<'a>(&'a Error);

impl<'a> Report<'a> {
    pub(crate) const fn new(error: &'a Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.0;
        write!(f, "error: {}", error.headline())?;
        // Above the credential's own error there is only that there was no token.
        let cause = match error.credential() {
            Some(credential) => Some(credential as &dyn error::Error),
            None => error::Error::source(error),
        };
        write_chain(cause, f)?;
        if let Some(fix) = error.credential().and_then(|credential| credential.fix()) {
            write!(f, "\n  fix:   {fix}")?;
        }
        for line in error.advice() {
            write!(f, "\n  {line}")?;
        }
        let credential = error.credential();
        let ids = [
            ("request-id", error.request_id()),
            ("client-request-id", error.client_request_id()),
            (
                "correlation",
                credential.and_then(|credential| credential.correlation_id()),
            ),
            (
                "trace",
                credential.and_then(|credential| credential.trace_id()),
            ),
        ];
        let ids: Vec<String> = ids
            .into_iter()
            .filter_map(|(name, id)| Some(format!("{name} {}", id?)))
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        write!(f, "\n  {}", ids.join("  "))
    }
}

/// An error and its sources, on one line.
fn write_chain(mut next: Option<&dyn error::Error>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut lead = "\n  cause: ";
    while let Some(cause) = next {
        write!(f, "{lead}{cause}")?;
        lead = ": ";
        next = cause.source();
    }
    Ok(())
}
