//! A report over all registrations of a tenant: which secrets and certificates expire.

use std::fmt;

use entra_core::Timestamp;

use crate::{
    client::GraphClient,
    error::Error,
    objects::{Application, ServicePrincipal},
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
/// Needs `Application.Read.All`.
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
        ServicePrincipal::PASSWORD_CREDENTIALS,
        ServicePrincipal::PREFERRED_SINGLE_SIGN_ON_MODE,
    ));
    let mut principals = principals.items();
    while let Some(principal) = principals.try_next().await? {
        all.extend(credentials_of(&principal, now));
    }
    all.retain(|one| one.days_left <= i64::from(days));
    all.sort_by(|a, b| {
        a.expires
            .cmp(&b.expires)
            .then_with(|| a.key_id.cmp(&b.key_id))
    });
    Ok(all)
}

fn credentials_of(principal: &ServicePrincipal, now: Timestamp) -> Vec<ExpiringCredential> {
    let names = (principal.display_name.as_ref(), principal.app_id.as_ref());
    let secrets = principal.password_credentials.iter().flatten();
    let secrets = secrets.filter_map(|one| {
        let about = (
            one.display_name.as_ref(),
            one.key_id.as_ref(),
            one.end_date_time,
        );
        credential(names, CredentialKind::Secret, about, now)
    });
    let keys = || principal.key_credentials.iter().flatten();
    // Tokens can be signed before single sign-on is switched on.
    let signs = principal.preferred_single_sign_on_mode.as_deref() == Some("saml")
        || keys().any(|key| key.usage.as_deref() == Some("Sign"));
    let kind = if signs {
        CredentialKind::SamlSigning
    } else {
        CredentialKind::Certificate
    };
    // A certificate that signs is there with both its halves; the one that verifies is public.
    let public = keys().filter(|key| key.usage.as_deref() == Some("Verify"));
    let certificates = public.filter_map(|key| {
        let about = (
            key.display_name.as_ref(),
            key.key_id.as_ref(),
            key.end_date_time,
        );
        credential(names, kind, about, now)
    });
    // The secret half of a certificate that signs is protected by a password of the same key id.
    let is_of_key = |secret: &ExpiringCredential| {
        keys().any(|key| key.key_id.as_deref() == Some(secret.key_id.as_str()))
    };
    secrets
        .filter(|secret| !is_of_key(secret))
        .chain(certificates)
        .collect()
}

pub(super) fn credentials(application: &Application, now: Timestamp) -> Vec<ExpiringCredential> {
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
