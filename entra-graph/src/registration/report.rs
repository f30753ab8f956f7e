//! Reports over all registrations of a tenant: what expires, and what an administrator should look at.

use std::fmt;

use entra_core::Timestamp;

use crate::{
    client::GraphClient,
    error::Error,
    objects::{Application, ServicePrincipal, types::ImplicitGrantSettings},
};

/// A secret or certificate with its end, in a report of [`expiring`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiringCredential {
    /// The display name of the registration or enterprise application.
    pub application: String,
    /// Its client id.
    pub client_id: String,
    /// What kind of credential it is.
    pub kind: CredentialKind,
    /// The description of the credential.
    pub description: String,
    /// Its key id.
    pub key_id: String,
    /// When it expires.
    pub expires: Timestamp,
    /// Whole days left; negative once it has expired.
    pub days_left: i64,
}

/// The kind of an [`ExpiringCredential`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// A client secret.
    Secret,
    /// A certificate that the application signs in with.
    Certificate,
    /// A certificate with which Entra signs SAML tokens for the application.
    SamlSigning,
}

/// What [`audit`] found at a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFinding {
    application: String,
    client_id: String,
    issue: AuditIssue,
    about: String,
}

/// The kind of an [`AuditFinding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuditIssue {
    /// A credential has expired and was left behind.
    ExpiredCredential,
    /// A credential expires within 30 days.
    ExpiresSoon,
    /// The registration has no owner.
    NoOwner,
    /// A redirect URI has a wildcard.
    WildcardRedirectUri,
    /// The web platform has a redirect URI on this machine.
    LocalhostOnWeb,
    /// A redirect URI is neither encrypted nor local.
    InsecureRedirectUri,
    /// The implicit grant issues access tokens.
    ImplicitGrant,
    /// A public client has secrets, which it cannot keep.
    SecretOnPublicClient,
}

impl AuditFinding {
    /// The display name of the registration.
    #[must_use]
    pub fn application(&self) -> &str {
        &self.application
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What is wrong.
    #[must_use]
    pub const fn issue(&self) -> AuditIssue {
        self.issue
    }
}

impl AuditIssue {
    const fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::ExpiredCredential => ("expired", "remove it"),
            Self::ExpiresSoon => (
                "expires soon",
                "add a new one, switch to it, remove this one",
            ),
            Self::NoOwner => ("no owner", "add an owner"),
            Self::WildcardRedirectUri => ("wildcard in a redirect URI", "list each redirect URI"),
            Self::LocalhostOnWeb => (
                "localhost on the web platform",
                "use a registration of its own for development, or the mobile and desktop platform",
            ),
            Self::InsecureRedirectUri => ("redirect URI without encryption", "use https"),
            Self::ImplicitGrant => (
                "the implicit grant issues access tokens",
                "use the authorization code flow with PKCE and switch it off",
            ),
            Self::SecretOnPublicClient => (
                "a public client has secrets",
                "switch public client flows off, or remove the secrets",
            ),
        }
    }
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, fix) = self.issue.text();
        write!(f, "{} ({}): {what}", self.application, self.client_id)?;
        if !self.about.is_empty() {
            write!(f, ": {}", self.about)?;
        }
        write!(f, "; fix: {fix}")
    }
}

impl fmt::Display for ExpiringCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CredentialKind::Secret => "secret",
            CredentialKind::Certificate => "certificate",
            CredentialKind::SamlSigning => "SAML signing certificate",
        };
        write!(
            f,
            "{}: {kind} {:?} expires {} ({} days left)",
            self.application,
            self.description,
            self.expires.date(),
            self.days_left
        )
    }
}

/// The secrets, certificates and SAML signing certificates of all registrations and enterprise applications that expire
/// within this number of days or have expired, those that expire first at the start.
///
/// Takes `Application.Read.All`.
///
/// # Errors
/// Every kind of [`Error`].
pub async fn expiring(graph: &GraphClient, days: u32) -> Result<Vec<ExpiringCredential>, Error> {
    let now = graph.now();
    let mut all = Vec::new();
    let applications = graph.applications().list().select((
        Application::APP_ID,
        Application::DISPLAY_NAME,
        Application::KEY_CREDENTIALS,
        Application::PASSWORD_CREDENTIALS,
    ));
    let mut applications = applications.items();
    while let Some(application) = applications.try_next().await? {
        all.extend(credentials(&application, now));
    }
    let principals = graph.service_principals().list().select((
        ServicePrincipal::APP_ID,
        ServicePrincipal::DISPLAY_NAME,
        ServicePrincipal::KEY_CREDENTIALS,
        ServicePrincipal::PREFERRED_SINGLE_SIGN_ON_MODE,
    ));
    let mut principals = principals.items();
    while let Some(principal) = principals.try_next().await? {
        if principal.preferred_single_sign_on_mode.as_deref() != Some("saml") {
            continue;
        }
        // The certificate is there with both its halves; the one that verifies is public.
        for key in principal.key_credentials.iter().flatten() {
            if key.usage.as_deref() == Some("Verify") {
                all.extend(credential(
                    (principal.display_name.as_ref(), principal.app_id.as_ref()),
                    CredentialKind::SamlSigning,
                    (
                        key.display_name.as_ref(),
                        key.key_id.as_ref(),
                        key.end_date_time,
                    ),
                    now,
                ));
            }
        }
    }
    all.retain(|one| one.days_left <= i64::from(days));
    all.sort_by(|a, b| {
        a.expires
            .cmp(&b.expires)
            .then_with(|| a.key_id.cmp(&b.key_id))
    });
    Ok(all)
}

fn credentials(application: &Application, now: Timestamp) -> Vec<ExpiringCredential> {
    let names = (
        application.display_name.as_ref(),
        application.app_id.as_ref(),
    );
    let secrets = application
        .password_credentials
        .iter()
        .flatten()
        .filter_map(|one| {
            let about = (
                one.display_name.as_ref(),
                one.key_id.as_ref(),
                one.end_date_time,
            );
            credential(names, CredentialKind::Secret, about, now)
        });
    let keys = application
        .key_credentials
        .iter()
        .flatten()
        .filter_map(|one| {
            let about = (
                one.display_name.as_ref(),
                one.key_id.as_ref(),
                one.end_date_time,
            );
            credential(names, CredentialKind::Certificate, about, now)
        });
    secrets.chain(keys).collect()
}

fn credential(
    (name, client_id): (Option<&String>, Option<&String>),
    kind: CredentialKind,
    (description, key_id, expires): (Option<&String>, Option<&String>, Option<Timestamp>),
    now: Timestamp,
) -> Option<ExpiringCredential> {
    let expires = expires?;
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    Some(ExpiringCredential {
        application: text(name),
        client_id: text(client_id),
        kind,
        description: text(description),
        key_id: text(key_id),
        expires,
        days_left: (expires - now).whole_seconds().div_euclid(86_400),
    })
}

/// What an administrator should look at in all registrations of a tenant.
///
/// Takes `Application.Read.All`. It cannot report unused permissions, because a registration does not record their use.
///
/// # Errors
/// Every kind of [`Error`].
pub async fn audit(graph: &GraphClient) -> Result<Vec<AuditFinding>, Error> {
    let now = graph.now();
    let mut findings = Vec::new();
    let list = graph.applications().list().expand(Application::OWNERS);
    let mut applications = list.items();
    while let Some(application) = applications.try_next().await? {
        findings.extend(findings_of(&application, now));
    }
    Ok(findings)
}

fn findings_of(application: &Application, now: Timestamp) -> Vec<AuditFinding> {
    let mut findings = Vec::new();
    let mut find = |issue, about: String| {
        findings.push(AuditFinding {
            application: application.display_name.clone().unwrap_or_default(),
            client_id: application.app_id.clone().unwrap_or_default(),
            issue,
            about,
        });
    };
    for one in credentials(application, now) {
        let issue = match one.days_left {
            ..0 => AuditIssue::ExpiredCredential,
            0..=30 => AuditIssue::ExpiresSoon,
            _ => continue,
        };
        find(
            issue,
            format!("{:?} ({})", one.description, one.expires.date()),
        );
    }
    if application
        .owners
        .as_ref()
        .is_some_and(|owners| owners.is_empty())
    {
        find(AuditIssue::NoOwner, String::new());
    }
    let web = application.web.as_deref();
    let web_uris = web
        .and_then(|web| web.redirect_uris.as_deref())
        .unwrap_or_default();
    let spa = application
        .spa
        .as_ref()
        .and_then(|spa| spa.redirect_uris.as_deref());
    for uri in web_uris.iter().chain(spa.unwrap_or_default()) {
        let local = ["http://localhost", "http://127.0.0.1", "https://localhost"]
            .iter()
            .any(|start| uri.starts_with(start));
        if uri.contains('*') {
            find(AuditIssue::WildcardRedirectUri, uri.clone());
        } else if local && web_uris.contains(uri) {
            find(AuditIssue::LocalhostOnWeb, uri.clone());
        } else if uri.starts_with("http://") && !local {
            find(AuditIssue::InsecureRedirectUri, uri.clone());
        }
    }
    let implicit = web.and_then(|web| web.implicit_grant_settings.as_ref());
    if implicit.and_then(|one: &ImplicitGrantSettings| one.enable_access_token_issuance)
        == Some(true)
    {
        find(AuditIssue::ImplicitGrant, String::new());
    }
    let has_secrets = application
        .password_credentials
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    if has_secrets && application.is_fallback_public_client == Some(true) {
        find(AuditIssue::SecretOnPublicClient, String::new());
    }
    findings
}
