//! `oAuth2PermissionGrant`: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Mode::*, Type::*, operation::*, *};

pub(super) const GRANT: EntityType = EntityType {
    name: "oAuth2PermissionGrant",
    set: "oauth2PermissionGrants",
    directory: true,
    open: false,
    object: false,
    id: IdForm::Text,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: CHILD_OPTIONS,
    object_options: SELECT_ONLY,
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_GRANTS),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    activities: Activities::of("ApplicationManagement"),
    properties: &[
        text("id").shown(),
        text("clientId").shown(),
        text("consentType").shown(),
        text("principalId").shown(),
        text("resourceId").shown(),
        text("scope").shown(),
    ],
    rules: &[
        rule("clientId", Text, Basic, No, No, No),
        rule("consentType", Text, Basic, No, No, No),
        rule("id", Text, Basic, No, No, No),
        rule("principalId", Text, Basic, No, No, No),
        rule("resourceId", Text, Basic, No, No, No),
    ],
    order: &[],
    search: &[],
    navigation: &[],
    relationships: &[],
    operations: &[
        both("GET", "/oauth2PermissionGrants", READ_GRANTS),
        both("GET", "/oauth2PermissionGrants/{id}", READ_GRANTS),
    ],
};
