//! Documented writes of the areas of this crate that no request here equals.

use serde_json::Value;

/// Whether an example writes below a collection of the areas of this crate.
pub(super) fn is_ours(example: &Value) -> bool {
    let path = example["path"].as_str().unwrap_or_default();
    let path = path.strip_prefix("/v1.0").or(path.strip_prefix("/beta"));
    let mut names = path.unwrap_or_default().split('/').skip(1);
    let first = names.next().unwrap_or_default();
    let below = names.next().unwrap_or_default();
    AREAS.contains(&first) || first == "roleManagement" && below == "directory"
}

const AREAS: [&str; 16] = [
    "applicationTemplates",
    "applications",
    "contacts",
    "devices",
    "directory",
    "directoryObjects",
    "directoryRoles",
    "domains",
    "groups",
    "invitations",
    "me",
    "oauth2PermissionGrants",
    "organization",
    "servicePrincipals",
    "subscriptions",
    "users",
];
/// Without a feature, its pages are not mapped.
pub(super) const EVERY_AREA: bool = cfg!(all(
    feature = "administrative-units",
    feature = "application-templates",
    feature = "contacts",
    feature = "domains",
    feature = "invitations",
    feature = "notifications",
    feature = "role-management"
));
/// Pages with documented writes that no request of this crate equals, and why.
pub(super) const UNMAPPED: &[(&str, &str)] = &[
    (
        "application-delete-tokenissuancepolicies.md",
        OTHER_POLICIES,
    ),
    (
        "application-delete-tokenlifetimepolicies.md",
        OTHER_POLICIES,
    ),
    ("application-post-tokenissuancepolicies.md", OTHER_POLICIES),
    ("application-post-tokenlifetimepolicies.md", OTHER_POLICIES),
    (
        "directoryobject-checkmembergroups.md",
        "an example is of beta, with ids that are none; the pages of users and groups are mapped",
    ),
    (
        "federatedidentitycredential-update.md",
        "the example repeats the name, which no update can change",
    ),
    (
        "group-post-settings.md",
        "settings of groups are an area of their own",
    ),
    (
        "groupsetting-update.md",
        "settings of groups are an area of their own",
    ),
    (
        "opentypeextension-delete.md",
        "open extensions are an area of their own",
    ),
    (
        "opentypeextension-post-opentypeextension.md",
        "open extensions are an area of their own",
    ),
    (
        "opentypeextension-update.md",
        "open extensions are an area of their own",
    ),
    (
        "serviceprincipal-delete-claimsmappingpolicies.md",
        OTHER_POLICIES,
    ),
    (
        "serviceprincipal-delete-homerealmdiscoverypolicies.md",
        OTHER_POLICIES,
    ),
    (
        "serviceprincipal-delete-owners.md",
        "the example has a body, which DELETE does not take",
    ),
    (
        "serviceprincipal-post-claimsmappingpolicies.md",
        OTHER_POLICIES,
    ),
    (
        "serviceprincipal-post-homerealmdiscoverypolicies.md",
        OTHER_POLICIES,
    ),
    (
        "serviceprincipal-post-owners.md",
        "the example is of beta; v1.0 has the same request",
    ),
];
const OTHER_POLICIES: &str = "policies other than app management policies are an area of their own";
