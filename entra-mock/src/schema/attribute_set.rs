//! `attributeSet`: a named set of custom security attributes.

use super::{operation::*, *};

/// Its id is its name. Sets cannot be deleted.
pub(super) const ATTRIBUTE_SET: EntityType = EntityType {
    name: "attributeSet",
    set: "directory/attributeSets",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::CaseSensitive,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &["$orderby", "$select", "$top"],
    object_options: SELECT_ONLY,
    // The page has `$top` without a number.
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_DEFINITIONS),
    deletion: Deletion::Hard,
    behavior: Behavior::AttributeSet,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add an attribute set",
        update: "Update an attribute set",
        ..Activities::of("AttributeManagement")
    },
    properties: &[
        text("id").shown().required().at_creation().up_to(32),
        text("description").shown().writable().up_to(128),
        int("maxAttributesPerSet").shown().writable(),
    ],
    rules: &[],
    order: &[("id", Mode::Basic)],
    search: &[],
    navigation: &[],
    relationships: &[],
    operations: &[
        both("GET", "/directory/attributeSets", READ_DEFINITIONS),
        both("POST", "/directory/attributeSets", WRITE_DEFINITIONS),
        both("GET", "/directory/attributeSets/{id}", READ_DEFINITIONS),
        both("PATCH", "/directory/attributeSets/{id}", WRITE_DEFINITIONS),
    ],
};

pub(super) const READ_DEFINITIONS: &[&str] = &[
    "CustomSecAttributeDefinition.Read.All",
    "CustomSecAttributeDefinition.ReadWrite.All",
];
pub(super) const WRITE_DEFINITIONS: &[&str] = &["CustomSecAttributeDefinition.ReadWrite.All"];
