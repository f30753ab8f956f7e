//! `appRoleAssignment`: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Mode::*, Type::*, operation::*, *};

pub(super) const ASSIGNMENT: EntityType = EntityType {
    name: "appRoleAssignment",
    set: "appRoleAssignments",
    control_path: None,
    directory: true,
    open: false,
    object: false,
    id: IdForm::CaseSensitive,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: CHILD_OPTIONS,
    object_options: SELECT_ONLY,
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_ASSIGNED),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        named: &["resourceId", "principalId"],
        ..Activities::of("ApplicationManagement")
    },
    properties: &[
        text("id").shown(),
        date("deletedDateTime").shown(),
        guid("appRoleId").shown().required().at_creation(),
        date("createdDateTime").shown(),
        text("principalDisplayName").shown(),
        guid("principalId").shown().required().at_creation(),
        text("principalType").shown(),
        text("resourceDisplayName").shown(),
        guid("resourceId").shown().required().at_creation(),
    ],
    rules: &[
        rule("id", Text, Basic, No, No, No),
        rule("principalDisplayName", Text, Basic, Basic, No, No),
        rule("resourceId", Guid, Basic, No, No, No),
    ],
    order: &[],
    search: &[],
    navigation: &[],
    relationships: &[],
    operations: &[],
};
