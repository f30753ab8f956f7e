//! A report over all registrations of a tenant: what an administrator should look at.

mod privileges;

use std::{fmt, net::IpAddr};

use entra_core::{Timestamp, url::Url};

use super::expiring::credentials;
use crate::{
    client::GraphClient,
    error::Error,
    objects::{Application, types::ImplicitGrantSettings},
};

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
    /// The implicit grant issues access tokens or ID tokens.
    ImplicitGrant,
    /// A public client has secrets, which it cannot keep.
    SecretOnPublicClient,
    /// A granted application permission that changes the tenant is not used: its application is disabled, has no
    /// valid credential, or is in no entry of the audit log.
    UnusedPrivilegedPermission,
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
                "the implicit grant is on",
                "use the authorization code flow with PKCE and switch it off",
            ),
            Self::SecretOnPublicClient => (
                "a public client has secrets",
                "remove the secrets, or make it a confidential client: a web redirect URI, and no public client flows",
            ),
            Self::UnusedPrivilegedPermission => (
                "a privileged permission is not used",
                "revoke the consent, or grant a permission that only reads",
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

/// What an administrator should look at in all registrations of a tenant.
///
/// Needs `Application.Read.All`. Graph v1.0 has no log of the sign-ins of applications, so a privileged permission counts
/// as unused if its application is disabled or has no valid credential; with `AuditLog.Read.All` and an Entra ID P1 or P2
/// licence also if it changed nothing in the last 30 days. The permissions are application permissions of Microsoft Graph
/// that write.
///
/// # Errors
/// Every kind of [`Error`].
pub async fn audit(graph: &GraphClient) -> Result<Vec<AuditFinding>, Error> {
    let now = graph.now();
    let mut findings = Vec::new();
    let mut all = Vec::new();
    let list = graph.applications().list().select((
        Application::APP_ID,
        Application::DISPLAY_NAME,
        Application::IS_FALLBACK_PUBLIC_CLIENT,
        Application::KEY_CREDENTIALS,
        Application::PASSWORD_CREDENTIALS,
        Application::PUBLIC_CLIENT,
        Application::SPA,
        Application::WEB,
    ));
    let mut applications = list.expand(Application::OWNERS).items();
    while let Some(application) = applications.try_next().await? {
        findings.extend(findings_of(&application, now));
        all.push(application);
    }
    findings.extend(privileges::unused(graph, &all).await?);
    Ok(findings)
}

/// Whether a redirect URI leads to the machine of the browser.
fn is_local(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |ip: IpAddr| ip.is_loopback();
    host == "localhost" || address.parse().is_ok_and(is_loopback)
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
        .and_then(|spa| spa.redirect_uris.as_deref())
        .unwrap_or_default();
    let public = application
        .public_client
        .as_ref()
        .and_then(|public| public.redirect_uris.as_deref())
        .unwrap_or_default();
    for uri in web_uris.iter().chain(spa).chain(public) {
        let local = is_local(uri);
        if uri.contains('*') {
            find(AuditIssue::WildcardRedirectUri, uri.clone());
        } else if local && web_uris.contains(uri) {
            find(AuditIssue::LocalhostOnWeb, uri.clone());
        } else if uri.starts_with("http://") && !local {
            find(AuditIssue::InsecureRedirectUri, uri.clone());
        }
    }
    let implicit = web.and_then(|web| web.implicit_grant_settings.as_ref());
    let implicit = |issues: fn(&ImplicitGrantSettings) -> Option<bool>| {
        implicit.and_then(issues) == Some(true)
    };
    let issued = [
        (
            implicit(|one| one.enable_access_token_issuance),
            "access tokens",
        ),
        (implicit(|one| one.enable_id_token_issuance), "ID tokens"),
    ];
    for (_, what) in issued.into_iter().filter(|(on, _)| *on) {
        find(AuditIssue::ImplicitGrant, what.to_owned());
    }
    let has_secrets = application
        .password_credentials
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    // Unless it is set, Entra tells by the redirect URI of a sign-in whether the client is public.
    let is_public = application
        .is_fallback_public_client
        .unwrap_or(!public.is_empty() && web_uris.is_empty() && spa.is_empty());
    if has_secrets && is_public {
        find(AuditIssue::SecretOnPublicClient, String::new());
    }
    findings
}
