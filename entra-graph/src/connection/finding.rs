//! What a connection test found: one finding per check, with cause and fix.

use std::fmt;

use entra_core::CredentialError;
use serde::Serialize;

/// One thing that a connection test found out, or could not find out.
///
/// `Display` is the mark and one line; `{:#}` adds cause, fix and ids. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// How serious it is.
    pub severity: Severity,
    /// What was found, in one line.
    pub what: String,
    /// Why it is so, or what the service said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How to fix it, by the path in the Microsoft Entra admin center.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The Graph call or command that fixes it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Entra's error number, the digits of `AADSTS…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// The id under which Entra logged the rejected sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Whether no replica can say otherwise, so that it is not looked at again.
    #[serde(skip)]
    pub(super) settled: bool,
}

/// What a [`Finding`] is about. [`id`](Self::id) and the serialized name are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Check {
    /// The values that were given are of the right form.
    Configuration,
    /// The sign-in service can be reached.
    Service,
    /// The tenant exists.
    Tenant,
    /// The tenant is in the cloud that was asked.
    Cloud,
    /// The clock of this machine is right.
    Clock,
    /// The application exists and may sign in.
    Application,
    /// The application has a service principal (enterprise application) in the tenant.
    ServicePrincipal,
    /// The credential is accepted.
    Credential,
    /// How long the credential is valid.
    Expiry,
    /// No conditional access policy is in the way.
    Policy,
    /// Application permissions are granted.
    Permission,
    /// Delegated permissions are granted.
    Consent,
    /// Users and applications are assigned where assignment is required.
    Assignment,
    /// Redirect URIs are registered, on the right platform.
    RedirectUri,
    /// The tenant has the licence that a permission needs.
    License,
    /// The API exists and its tokens have the expected version.
    Api,
    /// The claims of tokens are what the product reads.
    Claims,
}

/// How serious a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Severity {
    /// As it should be.
    Ok,
    /// As it should be, with something worth knowing.
    Note,
    /// Works now, and may not later.
    Warning,
    /// It could not be found out.
    Unknown,
    /// It does not work.
    Error,
}

impl Check {
    /// The name of the check in JSON and for filters, such as `redirect-uri`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Service => "service",
            Self::Tenant => "tenant",
            Self::Cloud => "cloud",
            Self::Clock => "clock",
            Self::Application => "application",
            Self::ServicePrincipal => "service-principal",
            Self::Credential => "credential",
            Self::Expiry => "expiry",
            Self::Policy => "policy",
            Self::Permission => "permission",
            Self::Consent => "consent",
            Self::Assignment => "assignment",
            Self::RedirectUri => "redirect-uri",
            Self::License => "license",
            Self::Api => "api",
            Self::Claims => "claims",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Severity {
    const fn mark(self) -> char {
        match self {
            Self::Ok => '✔',
            Self::Note => '•',
            Self::Warning => '!',
            Self::Unknown => '?',
            Self::Error => '✘',
        }
    }
}

impl Finding {
    pub(super) fn new(check: Check, severity: Severity, what: impl Into<String>) -> Self {
        Self {
            check,
            severity,
            what: what.into(),
            why: None,
            fix: None,
            call: None,
            code: None,
            correlation_id: None,
            settled: false,
        }
    }

    pub(super) fn ok(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Severity::Ok, what)
    }

    pub(super) fn note(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Severity::Note, what)
    }

    pub(super) fn warning(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Severity::Warning, what)
    }

    pub(super) fn unknown(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Severity::Unknown, what)
    }

    pub(super) fn error(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Severity::Error, what)
    }

    pub(super) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(super) fn call(mut self, call: impl Into<String>) -> Self {
        self.call = Some(call.into());
        self
    }

    pub(super) const fn code(mut self, code: u32) -> Self {
        self.code = Some(code);
        self
    }

    /// It does not depend on what replicas have.
    pub(super) const fn settled(mut self) -> Self {
        self.settled = true;
        self
    }

    /// With code and ids of a rejected sign-in.
    pub(super) fn of(mut self, error: &CredentialError) -> Self {
        self.code = error.code();
        self.correlation_id = error.correlation_id().map(str::to_owned);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity.mark(), self.what)?;
        if let Some(code) = self.code {
            write!(f, " (AADSTS{code})")?;
        }
        if f.alternate() {
            let lines = [
                ("why", &self.why),
                ("fix", &self.fix),
                ("call", &self.call),
                ("correlation", &self.correlation_id),
            ];
            for (name, text) in lines {
                if let Some(text) = text {
                    write!(f, "\n    {name}: {text}")?;
                }
            }
        }
        Ok(())
    }
}
