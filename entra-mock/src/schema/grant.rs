//! `oAuth2PermissionGrant`: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Mode::*, Type::*, operation::*, *};

pub(super) const GRANT: EntityType = EntityType {
    name: "oAuth2PermissionGrant",
    set: "oauth2PermissionGrants",
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
    visibility: Visibility::with(READ_GRANTS),
    deletion: Deletion::Hard,
    behavior: Behavior::PermissionGrant,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add delegated permission grant",
        // Entra records the new scopes of an update as an addition.
        update: "Add delegated permission grant",
        delete: "Remove delegated permission grant",
        purge: "Remove delegated permission grant",
        named: &["resourceId", "clientId"],
        ..Activities::of("ApplicationManagement")
    },
    properties: &[
        text("id").shown(),
        text("clientId").shown().required().at_creation(),
        text("consentType")
            .shown()
            .required()
            .at_creation()
            .one_of(&["AllPrincipals", "Principal"]),
        text("principalId")
            .shown()
            .at_creation()
            .only_with("consentType", "Principal"),
        text("resourceId").shown().required().at_creation(),
        text("scope").shown().writable(),
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
        both("POST", "/oauth2PermissionGrants", WRITE_GRANTS),
        row(
            "GET",
            "/oauth2PermissionGrants/delta",
            &["Directory.Read.All", "Directory.ReadWrite.All"],
            &[
                "Directory.Read.All",
                "DelegatedPermissionGrant.ReadWrite.All",
                "Directory.ReadWrite.All",
            ],
        ),
        both("GET", "/oauth2PermissionGrants/{id}", READ_GRANTS),
        both("PATCH", "/oauth2PermissionGrants/{id}", WRITE_GRANTS),
        both("DELETE", "/oauth2PermissionGrants/{id}", WRITE_GRANTS),
    ],
};
