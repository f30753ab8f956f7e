//! Directory roles: the built-in definitions, activation, and who is an administrator.
//!
//! A role over the whole directory is a link from the `directoryRole` to its member, and beside it a
//! `unifiedRoleAssignment` with the scope `/`: two views of one fact, as in Entra. A Global Administrator
//! may do everything in this tenant; some other roles may write the objects of some types, and the rest
//! are only recorded. A role over an administrative unit or over one application is the assignment alone.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::Guid;
use serde_json::{Value, json};

use super::{GRAPH_APP_ID, object};
use crate::{
    state::State,
    store::{Kind, Object, Relation},
};

pub(crate) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// The scope of a role over the whole directory.
pub(crate) const WHOLE_DIRECTORY: &str = "/";
/// The application id of the retired Azure AD Graph, whose permissions are as powerful.
const RETIRED_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
/// The start of the scope of a role over an administrative unit.
pub(crate) const UNITS: &str = "/administrativeUnits/";

impl State {
    /// Stores the definitions of the built-in roles.
    pub(crate) fn add_built_in_roles(&mut self) {
        self.store.changes.pause(true);
        for (id, name) in BUILT_IN {
            let parents = (id != DIRECTORY_READERS).then_some(DIRECTORY_READERS);
            let definition = object([
                ("id", id.into()),
                ("description", format!("The built-in role {name}.").into()),
                ("displayName", name.into()),
                ("isBuiltIn", true.into()),
                ("isEnabled", true.into()),
                ("resourceScopes", json!([WHOLE_DIRECTORY])),
                (
                    "rolePermissions",
                    json!([{ "allowedResourceActions": [], "condition": null }]),
                ),
                ("templateId", id.into()),
                ("version", "1".into()),
                (
                    "~inheritsPermissionsFrom",
                    json!(parents.into_iter().collect::<Vec<_>>()),
                ),
            ]);
            let stored = self.store.insert(Kind::RoleDefinition, definition);
            debug_assert_eq!(stored, Ok(()), "the ids of built-in roles differ");
        }
        self.store.changes.pause(false);
    }

    /// Makes a user a Global Administrator.
    pub(crate) fn make_administrator(&mut self, user: &str) {
        if let Some(role) = self.activated_role(GLOBAL_ADMINISTRATOR)
            && let Some(object) = role.1
        {
            let _ = self.store.insert(Kind::DirectoryRole, object);
        }
        let Some(role) = self.activated_role(GLOBAL_ADMINISTRATOR).map(|(id, _)| id) else {
            return;
        };
        if self.store.link(Relation::Members, &role, user) {
            let assignment = role_assignment(GLOBAL_ADMINISTRATOR, user, WHOLE_DIRECTORY);
            let _ = self.store.insert(Kind::RoleAssignment, assignment);
        }
    }

    /// Returns the id of the activated role of a template, and the object to store if the role is not
    /// activated yet. Returns `None` if no built-in role has this template.
    pub(crate) fn activated_role(&self, template: &str) -> Option<(String, Option<Object>)> {
        let active = self
            .store
            .find(Kind::DirectoryRole, "roleTemplateId", template);
        if let Some(id) = active.and_then(|role| role.get("id")?.as_str()) {
            return Some((id.to_owned(), None));
        }
        let definition = self.store.get(Kind::RoleDefinition, template)?;
        if definition.get("isBuiltIn") != Some(&true.into()) {
            return None;
        }
        let id = self.new_id();
        let part = |name: &str| definition.get(name).cloned().unwrap_or_default();
        let role = object([
            ("id", id.clone().into()),
            ("description", part("description")),
            ("displayName", part("displayName")),
            ("roleTemplateId", part("templateId")),
        ]);
        Some((id, Some(role)))
    }

    /// Removes the role assignments of a principal that is deleted.
    pub(super) fn remove_role_assignments_of(&mut self, principal: &str) {
        let of = |assignment: &&Object| {
            let id = assignment.get("principalId").and_then(Value::as_str);
            id.is_some_and(|id| id.eq_ignore_ascii_case(principal))
        };
        let assignments = self.store.all(Kind::RoleAssignment).filter(of);
        let ids: Vec<String> = assignments
            .filter_map(|assignment| Some(assignment.get("id")?.as_str()?.to_owned()))
            .collect();
        for id in ids {
            self.store.remove(Kind::RoleAssignment, &id);
        }
    }

    /// Adds the assignments of a restored principal, whose memberships of roles were restored.
    pub(super) fn restore_role_assignments_of(&mut self, principal: &str) {
        let roles: Vec<String> = self.roles_of(principal).map(str::to_owned).collect();
        for role in roles {
            let assignment = role_assignment(&role, principal, WHOLE_DIRECTORY);
            let _ = self.store.insert(Kind::RoleAssignment, assignment);
        }
    }

    /// Whether a user may write every object of a type by one of their roles.
    pub(crate) fn administers(&self, user: &str, kind: Kind) -> bool {
        let roles = administrators_of(kind);
        self.held_roles(user)
            .any(|role| role == GLOBAL_ADMINISTRATOR || roles.contains(&role))
    }

    /// Whether a user may write one object by one of their roles.
    pub(crate) fn administers_object(&self, user: &str, kind: Kind, id: &str) -> bool {
        let roles = administrators_of(kind);
        self.administers(user, kind) || self.roles_over(user, id).any(|role| roles.contains(&role))
    }

    /// Whether a user may assign app roles of an API, by its application id, by one of their roles. Application permissions of
    /// Microsoft Graph take a role that may consent to everything (page "Least privileged roles by task").
    pub(crate) fn assigns_app_roles(&self, user: &str, api: &str, to_application: bool) -> bool {
        const EVERYTHING: [&str; 2] = [GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR];
        const OTHER_APIS: [&str; 2] = [APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR];
        let is_graph = [GRAPH_APP_ID, RETIRED_GRAPH]
            .iter()
            .any(|graph| graph.eq_ignore_ascii_case(api));
        self.held_roles(user).any(|role| {
            EVERYTHING.contains(&role)
                || !is_graph && OTHER_APIS.contains(&role)
                || !to_application && role == USER_ADMINISTRATOR
        })
    }

    /// Whether a user is a Global Administrator, also through a group.
    pub(crate) fn is_administrator(&self, user: &str) -> bool {
        self.held_roles(user)
            .any(|role| role == GLOBAL_ADMINISTRATOR)
    }

    /// Returns the ids of the definitions of the roles over the whole directory that a principal has itself or
    /// through a group, some of them more than once. A group with a role has no groups as members, so those of
    /// which the principal is a direct member are all.
    pub(crate) fn held_roles<'a>(&'a self, principal: &'a str) -> impl Iterator<Item = &'a str> {
        let groups = self
            .store
            .linking_objects(Relation::Members, principal)
            .filter(|(kind, _)| *kind == Kind::Group)
            .filter_map(|(_, group)| group.text("id"));
        self.roles_of(principal)
            .chain(groups.flat_map(move |group| self.roles_of(group)))
    }

    /// Returns the ids of the definitions of the roles that a principal has over one object, itself or through a group: over
    /// an administrative unit that the object is a direct member of, or over the object alone. The members of a group in a
    /// unit are not covered (page "Administrative units in Microsoft Entra ID").
    pub(crate) fn roles_over<'a>(
        &'a self,
        principal: &'a str,
        object: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let is_held = move |assignment: &&Object| {
            let holder = assignment.text("principalId").unwrap_or_default();
            holder == principal || self.store.is_linked(Relation::Members, holder, principal)
        };
        let covers = move |assignment: &&Object| {
            let scope = assignment.text("directoryScopeId").unwrap_or_default();
            match scope.strip_prefix(UNITS) {
                Some(unit) => self.store.is_linked(Relation::Members, unit, object),
                None => scope.strip_prefix('/') == Some(object),
            }
        };
        self.store
            .all(Kind::RoleAssignment)
            .filter(covers)
            .filter(is_held)
            .filter_map(|assignment| assignment.text("roleDefinitionId"))
    }

    /// Returns the ids of all principals that have a role over the whole directory, also through a group.
    pub(crate) fn holders_of(&self, template: &str) -> HashSet<&str> {
        let role = self
            .store
            .find(Kind::DirectoryRole, "roleTemplateId", template)
            .and_then(|role| role.text("id"));
        let mut holders = HashSet::new();
        let members = role
            .into_iter()
            .flat_map(|role| self.store.linked_objects(Relation::Members, role));
        for (kind, member) in members {
            let Some(id) = member.text("id") else {
                continue;
            };
            holders.insert(id);
            if kind == Kind::Group {
                let members = self.store.linked_objects(Relation::Members, id);
                holders.extend(members.filter_map(|(_, member)| member.text("id")));
            }
        }
        holders
    }

    /// Returns the ids of the definitions of the roles over the whole directory that a principal has itself.
    pub(crate) fn roles_of<'a>(&'a self, principal: &'a str) -> impl Iterator<Item = &'a str> {
        self.store
            .linking_objects(Relation::Members, principal)
            .filter(|(kind, _)| *kind == Kind::DirectoryRole)
            .filter_map(|(_, role)| role.get("roleTemplateId")?.as_str())
    }
}

/// The roles that may write objects of a type, beside Global Administrator.
fn administrators_of(kind: Kind) -> &'static [&'static str] {
    ADMINISTRATORS
        .into_iter()
        .find(|(kinds, _)| kinds.contains(&kind))
        .map(|(_, roles)| roles)
        .unwrap_or_default()
}

/// Whether a role can be assigned over an administrative unit: a custom one, or one that the page "Assign Microsoft Entra roles with
/// administrative unit scope" lists.
pub(crate) fn can_be_over_a_unit(definition: &str) -> bool {
    let built_in = BUILT_IN.iter().any(|(id, _)| *id == definition);
    !built_in || OVER_UNITS.contains(&definition)
}

/// Returns a role assignment. Its id consists of the ids of role, principal and scope, as in Entra.
pub(crate) fn role_assignment(definition: &str, principal: &str, scope: &str) -> Object {
    let scope_id = scope.rsplit('/').next().unwrap_or_default();
    let bytes: Vec<u8> = [definition, principal, scope_id]
        .into_iter()
        .filter_map(|id| id.parse::<Guid>().ok())
        .flat_map(little_endian)
        .collect();
    object([
        ("id", format!("{}-1", URL_SAFE_NO_PAD.encode(bytes)).into()),
        ("directoryScopeId", scope.into()),
        ("principalId", principal.into()),
        ("roleDefinitionId", definition.into()),
    ])
}

/// The bytes of a GUID as Windows stores it: its first three parts with the lowest byte first.
fn little_endian(id: Guid) -> [u8; 16] {
    let text = id.to_string().replace('-', "");
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = text
            .get(2 * at..2 * at + 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .unwrap_or_default();
    }
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

const APPLICATION_ADMINISTRATOR: &str = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";
pub(super) const AUTHENTICATION_ADMINISTRATOR: &str = "c4e39bd9-1100-46d3-8c65-fb160da0071f";
const CLOUD_APPLICATION_ADMINISTRATOR: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const CLOUD_DEVICE_ADMINISTRATOR: &str = "7698a772-787b-4ac8-901f-60d6b08affd2";
const CONDITIONAL_ACCESS_ADMINISTRATOR: &str = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9";
pub(super) const DIRECTORY_READERS: &str = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b";
pub(super) const GROUPS_ADMINISTRATOR: &str = "fdd7a751-b60b-444a-984c-02652fe8fa1c";
pub(super) const GUEST_INVITER: &str = "95e79109-95c0-4d8e-aee3-d01accf2d47b";
pub(super) const HELPDESK_ADMINISTRATOR: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
pub(super) const MESSAGE_CENTER_READER: &str = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b";
pub(super) const PASSWORD_ADMINISTRATOR: &str = "966707d0-3269-4727-9be2-8c3a10f19b9d";
pub(super) const PRIVILEGED_AUTHENTICATION_ADMINISTRATOR: &str =
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13";
const PRIVILEGED_ROLE_ADMINISTRATOR: &str = "e8611ab8-c189-46e8-94e1-60213ab1f814";
pub(super) const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";
pub(super) const USAGE_SUMMARY_REPORTS_READER: &str = "75934031-6c7e-415a-99d7-48dbd49e875e";
pub(super) const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
pub(super) const USER_EXPERIENCE_SUCCESS_MANAGER: &str = "27460883-1df1-4691-b032-3b79643e5e63";

/// The roles that may write every object of some types, beside Global Administrator: the least privileged
/// ones that the pages of the operations name. Only a Global Administrator writes other types.
const ADMINISTRATORS: [(&[Kind], &[&str]); 6] = [
    (&[Kind::User], &[USER_ADMINISTRATOR]),
    (&[Kind::Group], &[GROUPS_ADMINISTRATOR, USER_ADMINISTRATOR]),
    (
        &[Kind::Application, Kind::ServicePrincipal],
        &[APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR],
    ),
    (
        &[
            Kind::AdministrativeUnit,
            Kind::DirectoryRole,
            Kind::RoleDefinition,
            Kind::RoleAssignment,
        ],
        &[PRIVILEGED_ROLE_ADMINISTRATOR],
    ),
    (
        &[Kind::ConditionalAccessPolicy, Kind::NamedLocation],
        &[CONDITIONAL_ACCESS_ADMINISTRATOR],
    ),
    // Delegated permissions of every API, Microsoft Graph included.
    (
        &[Kind::OAuth2PermissionGrant],
        &[
            APPLICATION_ADMINISTRATOR,
            CLOUD_APPLICATION_ADMINISTRATOR,
            PRIVILEGED_ROLE_ADMINISTRATOR,
        ],
    ),
];

/// The built-in roles of `BUILT_IN` that can be assigned over an administrative unit.
const OVER_UNITS: [&str; 7] = [
    AUTHENTICATION_ADMINISTRATOR,
    CLOUD_DEVICE_ADMINISTRATOR,
    GROUPS_ADMINISTRATOR,
    HELPDESK_ADMINISTRATOR,
    PASSWORD_ADMINISTRATOR,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    USER_ADMINISTRATOR,
];

/// Template id and name of the built-in roles that programs use most (the page on Microsoft Entra built-in
/// roles, 2026-01-20). Their resource actions are left out.
const BUILT_IN: [(&str, &str); 24] = [
    (GLOBAL_ADMINISTRATOR, "Global Administrator"),
    (APPLICATION_ADMINISTRATOR, "Application Administrator"),
    (AUTHENTICATION_ADMINISTRATOR, "Authentication Administrator"),
    (
        "b0f54661-2d74-4c50-afa3-1ec803f12efe",
        "Billing Administrator",
    ),
    (
        CLOUD_APPLICATION_ADMINISTRATOR,
        "Cloud Application Administrator",
    ),
    (CLOUD_DEVICE_ADMINISTRATOR, "Cloud Device Administrator"),
    (
        CONDITIONAL_ACCESS_ADMINISTRATOR,
        "Conditional Access Administrator",
    ),
    (DIRECTORY_READERS, "Directory Readers"),
    (
        "29232cdf-9323-42fd-ade2-1d097af3e4de",
        "Exchange Administrator",
    ),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    (GROUPS_ADMINISTRATOR, "Groups Administrator"),
    (GUEST_INVITER, "Guest Inviter"),
    (HELPDESK_ADMINISTRATOR, "Helpdesk Administrator"),
    (
        "3a2c62db-5318-420d-8d74-23affee5d9d5",
        "Intune Administrator",
    ),
    (MESSAGE_CENTER_READER, "Message Center Reader"),
    (PASSWORD_ADMINISTRATOR, "Password Administrator"),
    (
        PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
        "Privileged Authentication Administrator",
    ),
    (
        PRIVILEGED_ROLE_ADMINISTRATOR,
        "Privileged Role Administrator",
    ),
    (REPORTS_READER, "Reports Reader"),
    (
        "194ae4cb-b126-40b2-bd5b-6091b380977d",
        "Security Administrator",
    ),
    ("5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"),
    (USAGE_SUMMARY_REPORTS_READER, "Usage Summary Reports Reader"),
    (USER_ADMINISTRATOR, "User Administrator"),
    (
        USER_EXPERIENCE_SUCCESS_MANAGER,
        "User Experience Success Manager",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_role_assignments_are_those_of_the_documentation() {
        let principal = "f8ca5a85-489a-49a0-b555-0a6d81e56f0d";
        let id = |definition, principal, scope| {
            role_assignment(definition, principal, scope)["id"]
                .as_str()
                .map(str::to_owned)
        };
        assert_eq!(
            id(
                GLOBAL_ADMINISTRATOR,
                "4ab0b690-479b-47ff-af8f-2576cf521872",
                "/"
            )
            .as_deref(),
            Some("lAPpYvVpN0KRkAEhdxReEJC2sEqbR_9Hr48lds9SGHI-1")
        );
        assert_eq!(
            id(
                "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
                "6b937a9d-c731-465b-a844-2d5b5368c161",
                "/661e1310-bd76-4795-89a7-8f3c8f855bfc"
            )
            .as_deref(),
            Some("kl2Jm9Msx0SdAqasLV6lw516k2sxx1tGqEQtW1NowWEQEx5mdr2VR4mnjzyPhVv8-1")
        );
        assert_ne!(
            id(GLOBAL_ADMINISTRATOR, principal, "/"),
            id(DIRECTORY_READERS, principal, "/")
        );
    }
}
