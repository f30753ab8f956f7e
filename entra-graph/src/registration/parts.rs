//! The parts of a blueprint.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::error::Error;

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Which accounts can sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Audience {
    /// Accounts of this tenant.
    #[default]
    #[serde(rename = "AzureADMyOrg")]
    ThisTenant,
    /// Accounts of any tenant.
    #[serde(rename = "AzureADMultipleOrgs")]
    AnyTenant,
    /// Accounts of any tenant, and personal Microsoft accounts.
    #[serde(rename = "AzureADandPersonalMicrosoftAccount")]
    AnyTenantAndPersonal,
    /// Personal Microsoft accounts only.
    #[serde(rename = "PersonalMicrosoftAccount")]
    Personal,
}

impl Audience {
    /// The value of `signInAudience`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ThisTenant => "AzureADMyOrg",
            Self::AnyTenant => "AzureADMultipleOrgs",
            Self::AnyTenantAndPersonal => "AzureADandPersonalMicrosoftAccount",
            Self::Personal => "PersonalMicrosoftAccount",
        }
    }

    /// The choice as the portal words it.
    #[must_use]
    pub const fn in_portal(self) -> &'static str {
        match self {
            Self::ThisTenant => "Accounts in this organizational directory only (single tenant)",
            Self::AnyTenant => "Accounts in any organizational directory (multitenant)",
            Self::AnyTenantAndPersonal => {
                "Accounts in any organizational directory and personal Microsoft accounts"
            }
            Self::Personal => "Personal Microsoft accounts only",
        }
    }
}

/// What to do if the registration is among the deleted items, which hold its unique name for 30 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeletedChoice {
    /// Restore it, with its service principal, credentials and consents.
    #[default]
    Restore,
    /// Delete it for good and create a new one with another client id.
    Purge,
    /// Report it and change nothing.
    Stop,
}

/// How long a secret is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lifetime(Span);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Months(u16),
    Days(u16),
    Longest,
}

impl Lifetime {
    /// A number of calendar months.
    #[must_use]
    pub const fn months(months: u16) -> Self {
        Self(Span::Months(months))
    }

    /// A number of days.
    #[must_use]
    pub const fn days(days: u16) -> Self {
        Self(Span::Days(days))
    }

    /// As long as the tenant's policy allows, at most two years.
    #[must_use]
    pub const fn longest() -> Self {
        Self(Span::Longest)
    }

    /// The time at which a secret of this lifetime expires if it starts at `start`.
    pub(super) fn end(self, start: entra_core::Timestamp) -> Option<entra_core::Timestamp> {
        use entra_core::time::Duration;
        match self.0 {
            Span::Days(days) => start.checked_add(Duration::days(i64::from(days))),
            Span::Months(months) => crate::areas::applications::months_later(start, months).ok(),
            Span::Longest => crate::areas::applications::months_later(start, 24).ok(),
        }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Span::Months(1) => f.write_str("1 month"),
            Span::Months(months) => write!(f, "{months} months"),
            Span::Days(1) => f.write_str("1 day"),
            Span::Days(days) => write!(f, "{days} days"),
            Span::Longest => f.write_str("longest"),
        }
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.to_string()
    }
}

impl TryFrom<String> for Lifetime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let invalid =
            || format!("{text:?} is not a lifetime, such as `24 months`, `180 days` or `longest`");
        if text.trim() == "longest" {
            return Ok(Self::longest());
        }
        let (number, unit) = text.trim().split_once(' ').ok_or_else(invalid)?;
        let number: u16 = number.parse().map_err(|_| invalid())?;
        match unit.trim() {
            _ if number == 0 => Err(invalid()),
            "month" | "months" => Ok(Self::months(number)),
            "day" | "days" => Ok(Self::days(number)),
            _ => Err(invalid()),
        }
    }
}

/// The web platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WebPlatform {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) logout_url: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) home_page_url: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) id_tokens: Option<bool>,
}

/// The single-page application platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Platform {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) redirect_uris: Vec<String>,
}

/// The mobile and desktop platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PublicPlatform {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) allow_flows: Option<bool>,
}

/// Permissions of one API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Permissions {
    #[serde(default = "microsoft_graph")]
    pub(super) api: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) delegated: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) application: Vec<String>,
}

fn microsoft_graph() -> String {
    super::blueprint::MICROSOFT_GRAPH.to_owned()
}

/// What it offers as an API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Api {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) uris: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) token_version: Option<u8>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) scopes: Vec<ScopeBlueprint>,
}

/// A delegated permission that the API of a registration offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeBlueprint {
    pub(super) value: String,
    pub(super) display_name: String,
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) users_can_consent: bool,
}

impl ScopeBlueprint {
    /// A permission that administrators consent to: its name in tokens, and name and description at consent.
    pub fn new(
        value: impl Into<String>,
        display_name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            value: value.into(),
            display_name: display_name.into(),
            description: description.into(),
            users_can_consent: false,
        }
    }

    /// The same permission, which users can also consent to for themselves.
    #[must_use]
    pub const fn users_can_consent(mut self) -> Self {
        self.users_can_consent = true;
        self
    }
}

/// An app role that a registration defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppRoleBlueprint {
    pub(super) value: String,
    pub(super) display_name: String,
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) members: RoleMembers,
}

/// What an app role can be assigned to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleMembers {
    #[default]
    Users,
    Applications,
    Both,
}

impl AppRoleBlueprint {
    /// A role for users and groups: its name in tokens, display name and description.
    pub fn for_users(
        value: impl Into<String>,
        display_name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            value: value.into(),
            display_name: display_name.into(),
            description: description.into(),
            members: RoleMembers::Users,
        }
    }

    /// A role for applications, which is an application permission of its API.
    pub fn for_applications(
        value: impl Into<String>,
        display_name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            members: RoleMembers::Applications,
            ..Self::for_users(value, display_name, description)
        }
    }
}

impl RoleMembers {
    pub(super) const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Users => &["User"],
            Self::Applications => &["Application"],
            Self::Both => &["User", "Application"],
        }
    }
}

/// Claims of its tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Claims {
    #[serde(rename = "id_token", skip_serializing_if = "is_default")]
    pub(super) in_id_tokens: Vec<String>,
    #[serde(rename = "access_token", skip_serializing_if = "is_default")]
    pub(super) in_access_tokens: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) groups: Option<String>,
}

/// A client secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretBlueprint {
    pub(super) description: String,
    pub(super) lifetime: Lifetime,
}

/// A certificate, its public part only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CertificateText", into = "CertificateText")]
pub struct Certificate {
    pub(super) name: String,
    /// The DER in base64, as Graph has it.
    pub(super) key: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateText {
    name: String,
    pem: String,
}

impl Certificate {
    /// A certificate in DER, with the display name of its credential.
    pub fn from_der(name: impl Into<String>, der: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.into(),
            key: STANDARD.encode(der),
        }
    }

    /// The first certificate of a PEM text, with the display name of its credential. Other blocks, such as a
    /// private key, are ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Query`](crate::ErrorKind::Query) if the text has no certificate.
    pub fn from_pem(name: impl Into<String>, pem: &str) -> Result<Self, Error> {
        let certificate = crate::areas::applications::NewCertificate::from_pem(pem)?;
        Ok(Self {
            name: name.into(),
            key: certificate.into_key(),
        })
    }
}

impl TryFrom<CertificateText> for Certificate {
    type Error = String;

    fn try_from(text: CertificateText) -> Result<Self, String> {
        Self::from_pem(text.name, &text.pem).map_err(|error| error.to_string())
    }
}

impl From<Certificate> for CertificateText {
    fn from(certificate: Certificate) -> Self {
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let mut rest = certificate.key.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = tail;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        Self {
            name: certificate.name,
            pem,
        }
    }
}

/// A federated identity credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) subject: String,
    #[serde(default = "exchange", skip_serializing_if = "is_exchange")]
    pub(super) audience: String,
}

impl FederatedCredential {
    /// A credential for tokens of this issuer and subject: its name, the issuer and the subject.
    pub fn new(
        name: impl Into<String>,
        issuer: impl Into<String>,
        subject: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            issuer: issuer.into(),
            subject: subject.into(),
            audience: exchange(),
        }
    }

    /// The same credential for tokens with another audience.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }
}

fn exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

fn is_exchange(audience: &str) -> bool {
    audience == "api://AzureADTokenExchange"
}

/// Settings of the enterprise application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Enterprise {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) assignment_required: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) visible: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) assigned: Vec<Assigned>,
}

/// A user or group that is assigned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Assigned {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) group: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) role: String,
}

impl Enterprise {
    pub(super) fn assign(&mut self, user: Option<String>, group: Option<String>, role: String) {
        self.assigned.push(Assigned { user, group, role });
    }
}
