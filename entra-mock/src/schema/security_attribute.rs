//! `customSecurityAttributeDefinition` and its `allowedValue`s.

use super::{
    Mode::*,
    Type::*,
    attribute_set::{READ_DEFINITIONS, WRITE_DEFINITIONS},
    operation::*,
    relationship::*,
    *,
};

/// Its id is its set and its name. Definitions cannot be deleted, only deprecated.
pub(super) const SECURITY_ATTRIBUTE: EntityType = EntityType {
    name: "customSecurityAttributeDefinition",
    set: "directory/customSecurityAttributeDefinitions",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::CaseSensitive,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &["$expand", "$filter", "$select", "$top"],
    object_options: &["$expand", "$select"],
    // The page has `$top` without a number.
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_DEFINITIONS),
    deletion: Deletion::Hard,
    behavior: Behavior::SecurityAttribute,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add custom security attribute definition in an attribute set",
        update: "Update custom security attribute definition in an attribute set",
        ..Activities::of("AttributeManagement")
    },
    properties: &[
        text("id").shown(),
        // Only in the body of a create.
        complex("allowedValues").many().never().at_creation(),
        text("attributeSet").shown().required().at_creation(),
        text("description").shown().writable().up_to(128),
        boolean("isCollection").shown().required().at_creation(),
        boolean("isSearchable").shown().required().at_creation(),
        text("name").shown().required().at_creation().up_to(32),
        text("status")
            .shown()
            .required()
            .one_of(&["Available", "Deprecated"]),
        text("type")
            .shown()
            .required()
            .at_creation()
            .one_of(&["Boolean", "Integer", "String"]),
        boolean("usePreDefinedValuesOnly").shown().required(),
    ],
    rules: &[
        rule("attributeSet", Text, Basic, No, No, No),
        rule("id", Text, Basic, No, No, No),
        rule("name", Text, Basic, No, No, No),
        rule("status", Text, Basic, No, No, No),
        rule("type", Text, Basic, No, No, No),
    ],
    order: &[],
    search: &[],
    navigation: &["allowedValues"],
    relationships: &[own(
        Kind::SecurityAttribute,
        "allowedValues",
        &[Kind::AllowedValue],
        Source::Children(ATTRIBUTE_OF),
    )
    .keyed_by(WIRE_ID)],
    operations: &[
        both(
            "GET",
            "/directory/customSecurityAttributeDefinitions",
            READ_DEFINITIONS,
        ),
        both(
            "POST",
            "/directory/customSecurityAttributeDefinitions",
            WRITE_DEFINITIONS,
        ),
        both(
            "GET",
            "/directory/customSecurityAttributeDefinitions/{id}",
            READ_DEFINITIONS,
        ),
        both(
            "PATCH",
            "/directory/customSecurityAttributeDefinitions/{id}",
            WRITE_DEFINITIONS,
        ),
        both(
            "GET",
            "/directory/customSecurityAttributeDefinitions/{id}/allowedValues",
            READ_DEFINITIONS,
        ),
        both(
            "POST",
            "/directory/customSecurityAttributeDefinitions/{id}/allowedValues",
            WRITE_DEFINITIONS,
        ),
        both(
            "GET",
            "/directory/customSecurityAttributeDefinitions/{id}/allowedValues/{id}",
            READ_DEFINITIONS,
        ),
        both(
            "PATCH",
            "/directory/customSecurityAttributeDefinitions/{id}/allowedValues/{id}",
            WRITE_DEFINITIONS,
        ),
    ],
};

/// Its id is the value, which is unique below its definition only; the store has it with the definition.
pub(super) const ALLOWED_VALUE: EntityType = EntityType {
    name: "allowedValue",
    set: "allowedValues",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::CaseSensitive,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &[],
    object_options: &[],
    pages: None,
    visibility: Visibility::with(READ_DEFINITIONS),
    deletion: Deletion::Hard,
    behavior: Behavior::AllowedValue,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: SECURITY_ATTRIBUTE.activities.update,
        update: SECURITY_ATTRIBUTE.activities.update,
        named: &[ATTRIBUTE_OF],
        ..Activities::of("AttributeManagement")
    },
    properties: &[
        text("id").shown().required().at_creation().up_to(64),
        boolean("isActive").shown().required(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &[],
    relationships: &[],
    // They have a path below their definition only.
    operations: &[],
};

/// Internal property with the id of the definition.
pub(crate) const ATTRIBUTE_OF: &str = "~definition";
/// Internal property with the id that Graph shows, where it is not unique in the store.
pub(crate) const WIRE_ID: &str = "~id";
