//! `federatedIdentityCredential`: properties and `$filter` rules.

use super::{Mode::*, Type::*, *};

pub(super) const FEDERATED_CREDENTIAL: EntityType = EntityType {
    name: "federatedIdentityCredential",
    set: "federatedIdentityCredentials",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    // The name is unique in its application only.
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: CHILD_OPTIONS,
    object_options: SELECT_ONLY,
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(operation::READ_APPLICATIONS),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Update application",
        update: "Update application",
        purge: "Update application",
        ..Activities::of("ApplicationManagement")
    },
    properties: &[
        text("id").shown(),
        text("audiences").many().shown().required().up_to(600),
        complex("claimsMatchingExpression").in_beta().writable(),
        text("description").shown().writable().up_to(600),
        text("issuer").shown().required().up_to(600),
        text("name").shown().required().up_to(120),
        text("subject").shown().writable().up_to(600),
    ],
    rules: &[
        rule("name", Text, Basic, No, No, No),
        rule("subject", Text, Basic, No, No, No),
    ],
    order: &[],
    search: &[],
    navigation: &[],
    relationships: &[],
    // They have a path below their application only.
    operations: &[],
};

/// Internal property with the id of the application.
pub(crate) const APPLICATION_OF: &str = "~application";
