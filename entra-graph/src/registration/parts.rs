//! The parts of a blueprint.

mod credentials;
mod lifetime;

use serde::{Deserialize, Serialize};

pub use credentials::{Certificate, FederatedCredential};
pub(super) use credentials::{SecretBlueprint, ends_last, has_ended, has_thumbprint};
pub use lifetime::Lifetime;

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

    /// The audience with this value of `signInAudience`.
    pub(super) fn of(value: &str) -> Option<Self> {
        let mut all = [
            Self::ThisTenant,
            Self::AnyTenant,
            Self::AnyTenantAndPersonal,
            Self::Personal,
        ]
        .into_iter();
        all.find(|one| one.as_str() == value)
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

impl Permissions {
    /// Whether the API is Microsoft Graph, by name, URI or client id.
    pub(super) fn is_graph(&self) -> bool {
        is_graph(&self.api)
    }
}

fn microsoft_graph() -> String {
    MICROSOFT_GRAPH.to_owned()
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
    /// What users read at consent, instead of what administrators read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) user_display_name: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) user_description: Option<String>,
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
            user_display_name: None,
            user_description: None,
        }
    }

    /// The same permission, which users can also consent to for themselves.
    #[must_use]
    pub const fn users_can_consent(mut self) -> Self {
        self.users_can_consent = true;
        self
    }

    /// The same permission with other texts for users, who can also consent to it for themselves: name and
    /// description.
    #[must_use]
    pub fn user_texts(
        mut self,
        display_name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        self.user_display_name = Some(display_name.into());
        self.user_description = Some(description.into());
        self.users_can_consent()
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
    /// The choice as the portal words it.
    pub(super) const fn in_portal(self) -> &'static str {
        match self {
            Self::Users => "Users/Groups",
            Self::Applications => "Applications",
            Self::Both => "Both (Users/Groups + Applications)",
        }
    }

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

/// Settings of the enterprise application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Enterprise {
    /// The template of the gallery that it is created from, by display name or id.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) template: Option<String>,
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

/// Whether a blueprint calls Microsoft Graph so.
pub(super) fn is_graph(api: &str) -> bool {
    api.eq_ignore_ascii_case(MICROSOFT_GRAPH) || crate::key::is_graph(api)
}

/// The name of Microsoft Graph in a blueprint.
pub(super) const MICROSOFT_GRAPH: &str = "Microsoft Graph";
