//! What an error prints: one line, or the whole report.

use std::{error::Error as _, fmt};

use entra_core::format_rfc3339;

use crate::{Error, error::Inner};

/// Prints an [`Error`] for the user of a program: what, why, what to do, and the ids.
///
/// ```text
/// error: client secret is invalid (AADSTS7000215, invalid_client)
///   cause: the value sent is not a secret of application 4f1c…
///   fix:   in App registrations > Certificates & secrets copy the Value …
///   correlation 2f0a…  trace 91bc…  2026-11-20T12:00:00Z
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Report<'a>(&'a Error);

impl Error {
    /// A view that prints what happened, cause, fix and ids on lines of their own.
    #[must_use]
    pub const fn report(&self) -> Report<'_> {
        Report(self)
    }
}

impl fmt::Display for Report<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        write_report(self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return write_report(self, f);
        }
        write_line(self, f)
    }
}

/// The whole report, which is what `?` out of `main` prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_report(self, f)
    }
}

/// What happened, in one line.
fn write_line(error: &Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Inner {
        summary,
        status,
        codes,
        oauth_error,
        ..
    } = error.inner();
    f.write_str(summary)?;
    match (codes.first(), oauth_error, status) {
        (Some(code), Some(oauth), _) => write!(f, " (AADSTS{code}, {oauth})"),
        (Some(code), None, _) => write!(f, " (AADSTS{code})"),
        (None, Some(oauth), _) => write!(f, " ({oauth})"),
        (None, None, Some(status)) => write!(f, " (HTTP {status})"),
        (None, None, None) => Ok(()),
    }
}

/// What happened, cause, fix and ids, on lines of their own.
fn write_report(error: &Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write_line(error, f)?;
    match error.cause() {
        Some(cause) => write!(f, "\n  cause: {cause}")?,
        None => sources(error, f)?,
    }
    if let Some(fix) = error.fix() {
        write!(f, "\n  fix:   {fix}")?;
    }
    let ids = [
        error.correlation_id().map(|id| format!("correlation {id}")),
        error.trace_id().map(|id| format!("trace {id}")),
        error.timestamp().and_then(format_rfc3339),
    ];
    let ids: Vec<String> = ids.into_iter().flatten().collect();
    if !ids.is_empty() {
        write!(f, "\n  {}", ids.join("  "))?;
    }
    Ok(())
}

/// The chain of sources is the cause where Entra names none.
fn sources(error: &Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut next = error.source();
    let mut lead = "\n  cause: ";
    while let Some(source) = next {
        write!(f, "{lead}{source}")?;
        lead = ": ";
        next = source.source();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Error, ErrorKind};

    #[test]
    fn display_is_one_line_with_the_number() {
        let error =
            Error::new(ErrorKind::InvalidClient, "client secret is invalid").with(|inner| {
                inner.codes = vec![7_000_215];
                inner.oauth_error = Some("invalid_client".to_owned());
            });
        assert_eq!(
            error.to_string(),
            "client secret is invalid (AADSTS7000215, invalid_client)"
        );
        assert_eq!(
            Error::new(ErrorKind::Service, "the sign-in service failed")
                .with(|inner| inner.status = Some(503))
                .to_string(),
            "the sign-in service failed (HTTP 503)"
        );
    }

    #[test]
    fn report_has_error_cause_fix_and_ids_in_this_order() {
        let error =
            Error::new(ErrorKind::InvalidClient, "client secret is invalid").with(|inner| {
                inner.codes = vec![7_000_222];
                inner.oauth_error = Some("invalid_client".to_owned());
                inner.cause = Some("it has expired".into());
                inner.fix = Some("add a new one".into());
                inner.correlation_id = Some("2f0a".to_owned());
                inner.trace_id = Some("91bc".to_owned());
                inner.timestamp = Some(entra_core::Timestamp::UNIX_EPOCH);
            });
        assert_eq!(
            error.report().to_string(),
            "error: client secret is invalid (AADSTS7000222, invalid_client)\n  \
             cause: it has expired\n  \
             fix:   add a new one\n  \
             correlation 2f0a  trace 91bc  1970-01-01T00:00:00Z"
        );
    }

    #[test]
    fn without_a_cause_the_sources_are_shown() {
        let error = Error::new(
            ErrorKind::Transport,
            "the sign-in service could not be reached",
        )
        .with_source(std::io::Error::other("no route"));
        assert_eq!(
            error.report().to_string(),
            "error: the sign-in service could not be reached\n  cause: no route"
        );
    }

    #[test]
    fn question_mark_out_of_main_prints_the_report_and_error_chains_have_the_cause() {
        let error =
            Error::new(ErrorKind::InvalidClient, "client secret is invalid").with(|inner| {
                inner.cause = Some("it has expired".into());
                inner.fix = Some("add a new one".into());
            });
        let report = "client secret is invalid\n  cause: it has expired\n  fix:   add a new one";
        assert_eq!(format!("{error:?}"), report);
        assert_eq!(format!("{error:#}"), report);
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("it has expired"));
        let error = error.with_source(std::io::Error::other("no route to host"));
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("no route to host"));
    }
}
