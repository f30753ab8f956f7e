//! What an error prints: one line, or the whole report.

use std::{error, fmt};

use entra_core::{CredentialError, StopReason};

use super::{Error, ErrorKind};

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
            (ErrorKind::Transport | ErrorKind::Policy, _) => {
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
        if self.is_expired_page() {
            advice.push(
                "the link to this page has expired for good: start the list again".to_owned(),
            );
        }
        for detail in self.details() {
            let parts = [&detail.target, &detail.code, &detail.message];
            let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
            advice.push(parts.join(": "));
        }
        advice.extend(self.granted_line());
        if let Some(needed) = self.needed_line() {
            advice.push(needed);
            advice.extend(self.permission_fix());
        }
        advice.extend(self.retry_line());
        advice.extend(self.list_line());
        advice
    }

    fn granted_line(&self) -> Option<String> {
        let granted = self
            .0
            .granted
            .as_ref()
            .filter(|_| self.lacks_permission())?;
        let what = if granted.delegated { "scopes" } else { "roles" };
        Some(match granted.permissions.as_slice() {
            [] => format!("the token has no {what}"),
            permissions => format!("the token has {what}: {}", permissions.join(", ")),
        })
    }

    fn needed_line(&self) -> Option<String> {
        let needed = self.needed_permissions();
        if !needed.is_empty() {
            let kind = self.permission_kind();
            let mut line = format!("needs one of ({kind}): {}", needed.join(", "));
            let additional = self.0.call.as_ref()?.operation.additional;
            if !additional.is_empty() && needed != additional {
                line.push_str(&format!(
                    ", together with one of: {}",
                    additional.join(", ")
                ));
            }
            return Some(line);
        }
        let delegated = self.0.call.as_ref()?.operation.delegated;
        (self.lacks_permission() && self.0.granted.is_some() && !delegated.is_empty()).then(|| {
            format!(
                "Graph takes this from signed-in users only, not from an application; needs one of (delegated): {}",
                delegated.join(", ")
            )
        })
    }

    fn permission_kind(&self) -> &'static str {
        if self.is_delegated() {
            "delegated"
        } else {
            "application"
        }
    }

    /// Where to grant the permission, who must consent, and when it takes effect.
    fn permission_fix(&self) -> Vec<String> {
        let Some(best) = self.needed_permissions().first() else {
            return Vec::new();
        };
        if self
            .0
            .granted
            .as_ref()
            .is_some_and(|granted| granted.permissions.iter().any(|one| one == best))
        {
            return vec![format!(
                "the token has {best}: the signed-in user or the application also needs a directory role for this object"
            )];
        }
        let (tab, renew) = if self.is_delegated() {
            (
                "Delegated permissions",
                "the user signs in again, or the token is refreshed with the new scope",
            )
        } else {
            (
                "Application permissions",
                "call `GraphClient::renew_token`, or restart the program",
            )
        };
        let consent = if self.is_delegated() && USER_CONSENT.contains(best) {
            "the user can consent, where the tenant allows it, or an administrator for all with Grant admin consent"
        } else {
            "an administrator must then select Grant admin consent"
        };
        vec![
            format!(
                "fix:   Microsoft Entra admin center > App registrations > (the application) > API permissions > Add a permission > Microsoft Graph > {tab} > {best}; {consent}"
            ),
            format!(
                "a token that exists keeps its permissions until it expires; for a new one {renew}"
            ),
        ]
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
        if self.is_expired_page() {
            f.write_str("; start the list again")?;
        }
        let lines = [
            self.granted_line(),
            self.needed_line(),
            self.retry_line(),
            self.list_line(),
        ];
        for line in lines.into_iter().flatten() {
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

/// Delegated permissions that users may consent to themselves.
const USER_CONSENT: &[&str] = &[
    "User.Read",
    "User.ReadWrite",
    "User.ReadBasic.All",
    "ProfilePhoto.Read.All",
];
