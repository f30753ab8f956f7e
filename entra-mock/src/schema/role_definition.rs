//! `unifiedRoleDefinition`: properties and `$filter` rules.

use super::{Mode::*, Type::*, operation::*, relationship::*, *};

pub(super) const ROLE_DEFINITION: EntityType = EntityType {
    name: "unifiedRoleDefinition",
    set: "roleManagement/directory/roleDefinitions",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[Unique::InType("displayName")],
    log_time: None,
    premium: Premium::No,
    list_options: &["$expand", "$filter", "$select"],
    object_options: &["$expand", "$select"],
    pages: None,
    visibility: Visibility::with(READ_DEFINITIONS),
    deletion: Deletion::Hard,
    behavior: Behavior::RoleDefinition,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add role definition",
        update: "Update role definition",
        delete: "Delete role definition",
        purge: "Delete role definition",
        ..Activities::of("RoleManagement")
    },
    properties: &[
        text("id").shown(),
        text("description").shown().writable(),
        text("displayName").shown().required(),
        boolean("isBuiltIn").shown(),
        boolean("isEnabled").shown().required(),
        text("resourceScopes").many().shown(),
        complex("rolePermissions").many().shown().required(),
        text("templateId").shown().at_creation(),
        text("version").shown().writable(),
    ],
    rules: &[
        rule("displayName", Text, Basic, No, No, No),
        rule("id", Text, Basic, No, No, No),
        rule("isBuiltIn", Boolean, Basic, No, No, No),
    ],
    order: &[],
    search: &[],
    navigation: &["inheritsPermissionsFrom"],
    relationships: &[own(
        Kind::RoleDefinition,
        "inheritsPermissionsFrom",
        &[Kind::RoleDefinition],
        Source::Named("~inheritsPermissionsFrom"),
    )],
    operations: &[
        both(
            "GET",
            "/roleManagement/directory/roleDefinitions",
            READ_DEFINITIONS,
        ),
        both(
            "POST",
            "/roleManagement/directory/roleDefinitions",
            WRITE_DEFINITIONS,
        ),
        both(
            "GET",
            "/roleManagement/directory/roleDefinitions/{id}",
            READ_DEFINITIONS,
        ),
        both(
            "PATCH",
            "/roleManagement/directory/roleDefinitions/{id}",
            WRITE_DEFINITIONS,
        ),
        both(
            "DELETE",
            "/roleManagement/directory/roleDefinitions/{id}",
            WRITE_DEFINITIONS,
        ),
        both(
            "GET",
            "/roleManagement/directory/roleDefinitions/{id}/inheritsPermissionsFrom",
            READ_DEFINITIONS,
        ),
    ],
};

const READ_DEFINITIONS: &[&str] = &[
    "RoleManagement.Read.Directory",
    "Directory.Read.All",
    "RoleManagement.Read.All",
    "Directory.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
];
const WRITE_DEFINITIONS: &[&str] = &[
    "RoleManagement.ReadWrite.Directory",
    "Directory.ReadWrite.All",
];
