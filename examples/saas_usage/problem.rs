//! What goes wrong, said once and well: what happened, why, and what to do about it.

use std::{error::Error, fmt, io};

use entra_core::CredentialError;

/// An error as the person at the terminal wants to read it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    what: String,
    causes: Vec<String>,
    fix: Option<String>,
    /// What a support request needs.
    ids: Vec<(&'static str, String)>,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            causes: Vec::new(),
            fix: None,
            ids: Vec::new(),
        }
    }

    pub(crate) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(crate) fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // A layer that only passes another one on says nothing new.
            if !self.what.contains(&text) && !self.causes.contains(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    fn with_id(mut self, name: &'static str, id: Option<&str>) -> Self {
        self.ids.extend(id.map(|id| (name, id.to_owned())));
        self
    }
}

impl From<&CredentialError> for Problem {
    fn from(error: &CredentialError) -> Self {
        // This SDK's own credentials know more than the seam between credential and client tells.
        if let Some(error) = entra_auth::Error::find(error) {
            return Self::from(error);
        }
        let mut problem = Self::new(error.to_string())
            .with_id("correlation", error.correlation_id())
            .with_id("trace", error.trace_id());
        problem.fix = error.fix().map(str::to_owned);
        match error.source() {
            Some(source) => problem.because(source),
            None => problem,
        }
    }
}

impl From<&entra_auth::Error> for Problem {
    fn from(error: &entra_auth::Error) -> Self {
        let mut problem = Self::new(error.to_string())
            .with_id("correlation", error.correlation_id())
            .with_id("trace", error.trace_id());
        problem.fix = error.fix().map(str::to_owned);
        match (error.cause(), error.source()) {
            (Some(cause), _) => {
                problem.causes.push(cause.to_owned());
                problem
            }
            (None, Some(source)) => problem.because(source),
            (None, None) => problem,
        }
    }
}

impl From<entra_auth::Error> for Problem {
    fn from(error: entra_auth::Error) -> Self {
        Self::from(&error)
    }
}

impl From<entra_auth::CertificateError> for Problem {
    fn from(error: entra_auth::CertificateError) -> Self {
        Self::new(error.to_string())
            .because(&error)
            .with_fix(error.fix())
    }
}

impl From<entra_graph::Error> for Problem {
    fn from(error: entra_graph::Error) -> Self {
        if let Some(credential) = error.credential() {
            return Self::from(credential);
        }
        let mut problem =
            Self::new(error.to_string()).with_id("client-request-id", error.client_request_id());
        if let Some(permission) = error.needed_permissions().first() {
            problem.fix = Some(format!(
                "in App registrations > API permissions add {permission} of Microsoft Graph, as a delegated permission \
                 if a person signs in and as an application permission if not, then grant admin consent"
            ));
        }
        match error.source() {
            Some(source) => problem.because(source),
            None => problem,
        }
    }
}

impl From<entra_core::Error> for Problem {
    fn from(error: entra_core::Error) -> Self {
        let problem = Self::new(error.to_string());
        match error.source() {
            Some(source) => problem.because(source),
            None => problem,
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::new("the output cannot be written").because(&error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        for cause in &self.causes {
            write!(f, "\n  cause: {cause}")?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "\n  fix:   {fix}")?;
        }
        if !self.ids.is_empty() {
            let ids: Vec<String> = self
                .ids
                .iter()
                .map(|(name, id)| format!("{name} {id}"))
                .collect();
            write!(f, "\n  {}", ids.join("  "))?;
        }
        Ok(())
    }
}

impl Error for Problem {}

#[cfg(test)]
mod tests {
    use entra_core::CredentialErrorKind;

    use super::*;

    #[test]
    fn a_refused_secret_reads_as_what_cause_and_fix() {
        let error = CredentialError::new(
            CredentialErrorKind::Refused,
            "the secret was refused (AADSTS7000215)",
        )
        .with_fix("copy the secret's Value, not its Secret ID")
        .with_ids(Some("c-1".to_owned()), Some("t-1".to_owned()))
        .with_source(io::Error::other("401 from the token endpoint"));
        assert_eq!(
            Problem::from(&error).to_string(),
            "error: the secret was refused (AADSTS7000215)\n  \
             cause: 401 from the token endpoint\n  \
             fix:   copy the secret's Value, not its Secret ID\n  \
             correlation c-1  trace t-1"
        );
    }

    #[test]
    fn what_was_said_already_is_not_said_again() {
        let inner = io::Error::other("no route to host");
        let outer = io::Error::other(inner);
        assert_eq!(
            Problem::new("cannot send: no route to host")
                .because(&outer)
                .to_string(),
            "error: cannot send: no route to host"
        );
    }
}
