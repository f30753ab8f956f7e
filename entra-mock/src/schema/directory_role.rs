//! `directoryRole`: properties, `$filter` rules, `$search`, members.

use super::{Mode::*, Type::*, operation::*, relationship::*, *};

pub(super) const DIRECTORY_ROLE: EntityType = EntityType {
    name: "directoryRole",
    set: "directoryRoles",
    control_path: None,
    directory: true,
    open: true,
    object: true,
    id: IdForm::Guid,
    key: Some("roleTemplateId"),
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &["$count", "$expand", "$filter", "$search", "$select"],
    object_options: OBJECT_OPTIONS,
    pages: None,
    visibility: Visibility::with(READ_ROLES),
    deletion: Deletion::Hard,
    behavior: Behavior::DirectoryRole,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add role from template",
        add_member: "Add member to role",
        remove_member: "Remove member from role",
        ..Activities::of("RoleManagement")
    },
    properties: &[
        text("id").shown(),
        date("deletedDateTime").shown(),
        text("description").shown(),
        text("displayName").shown(),
        text("roleTemplateId").shown().required().at_creation(),
    ],
    rules: &[
        rule("description", Text, Basic, No, No, No),
        rule("displayName", Text, Basic, No, No, No),
        rule("id", Text, Basic, No, No, No),
        rule("roleTemplateId", Text, Basic, No, No, No),
    ],
    order: &[],
    search: &["displayName", "description"],
    navigation: &["members", "scopedMembers"],
    relationships: &[many(
        Kind::DirectoryRole,
        "members",
        PRINCIPALS,
        Source::Out(Relation::Members),
    )
    .by_reference()],
    operations: &[
        both("GET", "/directoryRoles", READ_ROLES),
        both("POST", "/directoryRoles", WRITE_ROLES),
        both("GET", "/directoryRoles/delta", READ_ROLES),
        both("GET", "/directoryRoles/{id}", READ_ROLES),
        both("GET", "/directoryRoles/{id}/members", READ_ROLES),
        both("GET", "/directoryRoles/{id}/scopedMembers", READ_ROLES),
        both("POST", "/directoryRoles/{id}/members/$ref", WRITE_ROLES),
        both(
            "DELETE",
            "/directoryRoles/{id}/members/{id}/$ref",
            WRITE_ROLES,
        ),
        // Templates are the built-in role definitions in their older form.
        both("GET", "/directoryRoleTemplates", READ_ROLES),
        both("GET", "/directoryRoleTemplates/{id}", READ_ROLES),
    ],
};
