//! `unifiedRoleAssignment`: properties, `$filter` rules, principal and definition.

use super::{Mode::*, Type::*, operation::*, relationship::*, *};

pub(super) const ROLE_ASSIGNMENT: EntityType = EntityType {
    name: "unifiedRoleAssignment",
    set: "roleManagement/directory/roleAssignments",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::CaseSensitive,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &["$count", "$expand", "$filter", "$select", "$top"],
    object_options: &["$expand", "$select"],
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_ROLES),
    deletion: Deletion::Hard,
    behavior: Behavior::RoleAssignment,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add member to role",
        delete: "Remove member from role",
        purge: "Remove member from role",
        ..Activities::of("RoleManagement")
    },
    properties: &[
        text("id").shown(),
        text("appScopeId").shown(),
        text("condition").shown(),
        text("directoryScopeId").shown().required().at_creation(),
        text("principalId").shown().required().at_creation(),
        text("principalOrganizationId").shown(),
        text("roleDefinitionId").shown().required().at_creation(),
    ],
    rules: &[
        rule("appScopeId", Text, Basic, No, No, No),
        rule("directoryScopeId", Text, Basic, No, No, No),
        rule("principalId", Text, Basic, No, No, No),
        rule("roleDefinitionId", Text, Basic, No, No, No),
    ],
    order: &[],
    search: &[],
    navigation: &["appScope", "directoryScope", "principal", "roleDefinition"],
    relationships: &[
        one(
            Kind::RoleAssignment,
            "principal",
            PRINCIPALS,
            Source::Named("principalId"),
        ),
        Relationship {
            polymorphic: false,
            ..one(
                Kind::RoleAssignment,
                "roleDefinition",
                &[Kind::RoleDefinition],
                Source::Named("roleDefinitionId"),
            )
        },
    ],
    operations: &[
        reads("/roleManagement/directory/roleAssignments"),
        both(
            "POST",
            "/roleManagement/directory/roleAssignments",
            WRITE_ROLES,
        ),
        reads("/roleManagement/directory/roleAssignments/{id}"),
        both(
            "DELETE",
            "/roleManagement/directory/roleAssignments/{id}",
            WRITE_ROLES,
        ),
        both(
            "GET",
            "/roleManagement/directory/transitiveRoleAssignments",
            READ_ROLES,
        )
        .richer_in_beta(),
        reads("/roleManagement/directory/roleAssignments/{id}/principal"),
        reads("/roleManagement/directory/roleAssignments/{id}/roleDefinition"),
    ],
};

/// The published lists omit one permission for applications.
const fn reads(path: &'static str) -> Operation {
    row(
        "GET",
        path,
        &[
            "RoleManagement.Read.Directory",
            "Directory.Read.All",
            "RoleManagement.Read.All",
            "Directory.ReadWrite.All",
            "RoleManagement.ReadWrite.Directory",
        ],
        READ_ROLES,
    )
}
