//! What an error prints: one line, or the whole report.

use std::{error, fmt};

use entra_core::{CredentialError, StopReason};

use super::{EXPIRED_PAGE, Error, ErrorKind};

impl Error {
    /// The one line: what failed, on what, and the root cause with its code.
    fn headline(&self) -> String {
        let call = self
            .0
            .call
            .as_ref()
            .map(|call| format!("{} {}", call.method, call.path));
        match (self.0.kind, self.0.status) {
            (ErrorKind::Service, Some(status)) => {
                let code = self
                    .code()
                    .filter(|code| *code != status.as_str())
                    .map(|code| format!(" {code}"))
                    .unwrap_or_default();
                let call = call.map(|call| format!(" on {call}")).unwrap_or_default();
                let message = self.message().trim_end_matches('.');
                format!("{}{code}{call}: {message}", status.as_u16())
            }
            (ErrorKind::Credential, _) => {
                let call = call.unwrap_or_else(|| "the request".to_owned());
                format!("no token for {call}: {}", self.root_cause())
            }
            (ErrorKind::Transport | ErrorKind::Policy | ErrorKind::Configuration, _) => {
                let call = call.map(|call| format!("{call}: ")).unwrap_or_default();
                format!("{call}{}", self.root_cause())
            }
            _ => {
                let call = call.map(|call| format!("{call}: ")).unwrap_or_default();
                format!("{call}{}", self.0.message)
            }
        }
    }

    /// The root cause with its code.
    fn root_cause(&self) -> String {
        if let Some(credential) = self.credential() {
            return credential.to_string();
        }
        let mut next = error::Error::source(self);
        let mut text = match next {
            Some(cause) => cause.to_string(),
            None => self.0.message.clone(),
        };
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            next = cause.source();
        }
        text
    }

    /// Advice for the report, one line each.
    fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if self.is_license_missing() {
            advice.push("the tenant needs an Entra ID P1 or P2 licence for this".to_owned());
        }
        if let Some(line) = self.expired_line() {
            advice.push(format!(
                "the link to this page has expired for good: {line}"
            ));
        }
        for detail in self.details() {
            let parts = [&detail.target, &detail.code, &detail.message];
            let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
            advice.push(parts.join(": "));
        }
        let created = self.created_id();
        advice.extend(created.map(|id| format!("the object was created, with the id {id}")));
        advice.extend(self.permission_lines());
        advice.extend(self.permission_fix());
        advice.extend(self.retry_line());
        advice.extend(self.list_line());
        advice
    }

    /// How to read a list whose next page is lost. In the default mode of directory objects the same page token
    /// can be lost again (public reports), in the advanced mode it is not.
    fn expired_line(&self) -> Option<&'static str> {
        if !self.is_expired_page() {
            return None;
        }
        let of_directory = self
            .codes()
            .any(|code| code.eq_ignore_ascii_case(EXPIRED_PAGE));
        let call = self.0.call.as_ref();
        let is_delta = |path: &str| {
            let last = path.rsplit('/').next().unwrap_or_default();
            let name = last.strip_suffix("()").unwrap_or(last);
            name.eq_ignore_ascii_case("delta")
        };
        let can_be_advanced = call.is_some_and(|call| !call.advanced && !is_delta(&call.path));
        Some(if of_directory && can_be_advanced {
            "start the list again as an advanced query: `.count()`, or `.advanced()` of a raw request"
        } else {
            "start the list again"
        })
    }

    /// For a list: what was delivered before.
    fn list_line(&self) -> Option<String> {
        let progress = self.0.list?;
        let items = if progress.items == 1 { "item" } else { "items" };
        Some(format!(
            "page {} of the list failed, after {} {items}",
            progress.page, progress.items
        ))
    }

    fn retry_line(&self) -> Option<String> {
        let reason = self.stop_line();
        let attempts = self.0.attempts.filter(|(tries, _)| *tries > 1);
        let attempts = attempts
            .map(|(tries, elapsed)| format!("{tries} tries in {:.1} s", elapsed.as_secs_f64()));
        match (reason, attempts) {
            (Some(reason), Some(attempts)) => Some(format!("{reason} ({attempts})")),
            (reason, attempts) => reason.or(attempts),
        }
    }

    fn stop_line(&self) -> Option<String> {
        Some(match self.0.stop_reason? {
            StopReason::RetryAfterBeyondBudget { retry_after, left } => format!(
                "gave up: the Retry-After of {} s is longer than the {} s left",
                retry_after.as_secs(),
                left.as_secs()
            ),
            StopReason::Budget => "gave up: the time budget is used up".to_owned(),
            StopReason::Attempts => "gave up after the last attempt".to_owned(),
            StopReason::NotRepeatable => {
                "not sent again, as it may have been processed: check before sending it again"
                    .to_owned()
            }
            _ => return None,
        })
    }

    fn write_report(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headline = self.headline();
        f.write_str(&headline)?;
        let mut next = error::Error::source(self);
        let mut lead = "\n  cause: ";
        while let Some(cause) = next {
            let text = cause.to_string();
            if !headline.contains(&text) {
                write!(f, "{lead}{text}")?;
                lead = ": ";
            }
            next = cause.source();
        }
        if let Some(fix) = self.credential().and_then(|credential| credential.fix()) {
            write!(f, "\n  fix:   {fix}")?;
        }
        for line in self.advice() {
            write!(f, "\n  {line}")?;
        }
        let mut lead = "\n  ";
        let ids = [
            ("request-id", self.request_id().map(str::to_owned)),
            (
                "client-request-id",
                self.client_request_id().map(str::to_owned),
            ),
        ];
        for (name, id) in ids.into_iter().chain(self.credential_ids()) {
            if let Some(id) = id {
                write!(f, "{lead}{name} {id}")?;
                lead = "  ";
            }
        }
        Ok(())
    }

    /// The application and tenant of the missing token, and the ids under which Entra logged its request.
    fn credential_ids(&self) -> [(&'static str, Option<String>); 4] {
        let credential = self.credential();
        let identity = credential.and_then(|credential| credential.identity());
        let id = |read: fn(&CredentialError) -> Option<&str>| {
            credential.and_then(read).map(str::to_owned)
        };
        [
            (
                "application",
                identity.map(|(client, _)| client.to_string()),
            ),
            ("tenant", identity.map(|(_, tenant)| tenant.to_string())),
            ("correlation", id(CredentialError::correlation_id)),
            ("trace", id(CredentialError::trace_id)),
        ]
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.write_report(f);
        }
        f.write_str(&self.headline())?;
        if self.is_license_missing() {
            f.write_str("; the tenant needs an Entra ID P1 or P2 licence for this")?;
        }
        if let Some(line) = self.expired_line() {
            write!(f, "; {line}")?;
        }
        let lines = self.permission_lines().into_iter();
        for line in lines.chain(self.retry_line()).chain(self.list_line()) {
            write!(f, "; {line}")?;
        }
        for (name, id) in self.credential_ids() {
            if let Some(id) = id {
                write!(f, "; {name} {id}")?;
            }
        }
        match self.request_id() {
            Some(id) => write!(f, "; request-id {id}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_report(f)
    }
}
