//! The parts of a scenario file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What a tenant holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Document {
    /// The organization; Contoso with `contoso.com` unless set.
    pub(super) company: Option<Company>,
    /// The directory licence, which decides how much of the logs can be read.
    pub(super) license: Option<DirectoryLicense>,
    /// The content to which everything else is added.
    pub(super) base: Base,
    /// The number of users to generate, with groups, devices, applications and sign-ins in proportion.
    pub(super) generated_users: usize,
    /// The products that the organization has bought.
    pub(super) licenses: Vec<License>,
    pub(super) users: Vec<User>,
    pub(super) groups: Vec<Group>,
    pub(super) devices: Vec<Device>,
    /// Application registrations with their service principals.
    pub(super) applications: Vec<Application>,
    /// Service principals of applications of other publishers.
    pub(super) enterprise_applications: Vec<EnterpriseApplication>,
    /// Sign-ins of the users and applications of this file.
    pub(super) sign_ins: Option<SignIns>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Company {
    pub(super) name: String,
    /// The verified domain of the users' names.
    pub(super) domain: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum DirectoryLicense {
    Free,
    P1,
    P2,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Base {
    /// Only the organization and the service principal of Microsoft Graph.
    #[default]
    Empty,
    /// The small sample company.
    Contoso,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct License {
    /// The part number, such as `SPE_E5`, by which users and groups refer to it.
    pub(super) sku_part_number: String,
    /// A GUID; created unless set.
    #[serde(default)]
    pub(super) sku_id: Option<String>,
    pub(super) units: u32,
    /// The names of its service plans.
    #[serde(default)]
    pub(super) service_plans: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct User {
    /// The part of the user principal name before the `@`, by which the rest of the file refers to the user.
    pub(super) name: String,
    pub(super) display_name: String,
    /// A guest of another organization.
    #[serde(default)]
    pub(super) guest: bool,
    #[serde(default)]
    pub(super) disabled: bool,
    /// Whether the user is a Global Administrator.
    #[serde(default)]
    pub(super) administrator: bool,
    #[serde(default)]
    pub(super) password: Option<String>,
    /// The name of a user above in this file.
    #[serde(default)]
    pub(super) manager: Option<String>,
    /// Part numbers of licences, which are assigned directly.
    #[serde(default)]
    pub(super) licenses: Vec<String>,
    /// Other properties of Microsoft Graph's type `user`.
    #[serde(default)]
    #[cfg_attr(test, schemars(schema_with = "super::tests::user_properties"))]
    pub(super) properties: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Group {
    /// The display name, by which the rest of the file refers to the group.
    pub(super) name: String,
    #[serde(default, rename = "type")]
    pub(super) group_type: GroupType,
    #[serde(default)]
    pub(super) description: Option<String>,
    /// The rule of a dynamic group. Rules are not evaluated: list the members that it has.
    #[serde(default)]
    pub(super) membership_rule: Option<String>,
    /// Names of users, groups and devices. A group above in this file can be a member.
    #[serde(default)]
    pub(super) members: Vec<String>,
    /// Names of users.
    #[serde(default)]
    pub(super) owners: Vec<String>,
    /// How many of the generated users are members.
    #[serde(default)]
    pub(super) generated_members: usize,
    /// Part numbers of licences that the group assigns to its direct members.
    #[serde(default)]
    pub(super) licenses: Vec<String>,
    /// Other properties of Microsoft Graph's type `group`.
    #[serde(default)]
    #[cfg_attr(test, schemars(schema_with = "super::tests::group_properties"))]
    pub(super) properties: BTreeMap<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum GroupType {
    #[default]
    Security,
    Microsoft365,
    MailEnabledSecurity,
    Distribution,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Device {
    /// The display name, by which the rest of the file refers to the device.
    pub(super) name: String,
    pub(super) operating_system: String,
    #[serde(default)]
    pub(super) version: String,
    /// The name of a user.
    #[serde(default)]
    pub(super) owner: Option<String>,
    /// Other properties of Microsoft Graph's type `device`.
    #[serde(default)]
    #[cfg_attr(test, schemars(schema_with = "super::tests::device_properties"))]
    pub(super) properties: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Application {
    /// The display name, by which the rest of the file refers to the application.
    pub(super) name: String,
    #[serde(default)]
    pub(super) redirect_uris: Vec<String>,
    /// Application permissions of Microsoft Graph, with admin consent.
    #[serde(default)]
    pub(super) application_permissions: Vec<String>,
    /// Delegated permissions of Microsoft Graph, with admin consent for all users.
    #[serde(default)]
    pub(super) delegated_permissions: Vec<String>,
    #[serde(default)]
    pub(super) secrets: Vec<Credential>,
    #[serde(default)]
    pub(super) certificates: Vec<Credential>,
    /// Names of users.
    #[serde(default)]
    pub(super) owners: Vec<String>,
    /// Names of users and groups that are assigned to it.
    #[serde(default)]
    pub(super) assigned: Vec<String>,
    /// Other properties of Microsoft Graph's type `application`.
    #[serde(default)]
    #[cfg_attr(test, schemars(schema_with = "super::tests::application_properties"))]
    pub(super) properties: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Credential {
    #[serde(default)]
    pub(super) name: Option<String>,
    /// How long it is still valid, from the start of the tenant; negative if it has expired.
    #[cfg_attr(test, schemars(range(min = -180, max = 730)))]
    pub(super) expires_in_days: i32,
}

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EnterpriseApplication {
    /// The display name.
    pub(super) name: String,
    pub(super) publisher: String,
    /// Names of users and groups that are assigned to it.
    #[serde(default)]
    pub(super) assigned: Vec<String>,
}

/// Sign-ins of every event type, evenly spread.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SignIns {
    /// How many days back they go.
    #[cfg_attr(test, schemars(range(min = 1, max = 30)))]
    pub(super) days: u32,
    /// How many sign-ins of each event type there are each day.
    #[cfg_attr(test, schemars(range(min = 1, max = 1_000)))]
    pub(super) per_day: u32,
}
