//! `conditionalAccessPolicy`: properties, `$filter` rules, `$orderby`.

use super::{Mode::*, Type::*, operation::*, *};

pub(super) const CONDITIONAL_ACCESS_POLICY: EntityType = EntityType {
    name: "conditionalAccessPolicy",
    set: "identity/conditionalAccess/policies",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::No,
    list_options: &["$count", "$filter", "$orderby", "$select", "$top"],
    object_options: SELECT_ONLY,
    // The page has `$top` without a number.
    pages: DIRECTORY_PAGES,
    visibility: Visibility::with(READ_POLICIES),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities {
        add: "Add Conditional Access policy",
        update: "Update Conditional Access policy",
        purge: "Delete Conditional Access policy",
        ..Activities::of("Policy")
    },
    properties: &[
        text("id").shown(),
        complex("conditions").shown().required(),
        date("createdDateTime").shown(),
        date("deletedDateTime").shown(),
        text("description").shown().writable(),
        text("displayName").shown().required(),
        complex("grantControls").shown().writable(),
        date("modifiedDateTime").shown(),
        complex("sessionControls").shown().writable(),
        text("state").shown().required(),
        text("templateId").shown(),
    ],
    // The page has `$filter` without names of properties.
    rules: &[
        rule("createdDateTime", Date, Basic, No, Basic, No).and_strict_range(),
        rule("displayName", Text, Basic, Basic, No, No).and_contains(),
        rule("id", Text, Basic, No, No, No),
        rule("modifiedDateTime", Date, Basic, No, Basic, No).and_strict_range(),
        rule("state", Text, Basic, No, No, No),
        rule("templateId", Text, Basic, No, No, No),
    ],
    order: &[
        ("createdDateTime", Basic),
        ("displayName", Basic),
        ("modifiedDateTime", Basic),
    ],
    search: &[],
    navigation: &[],
    relationships: &[],
    operations: &[
        both("GET", "/identity/conditionalAccess/policies", READ_POLICIES),
        both(
            "POST",
            "/identity/conditionalAccess/policies",
            WRITE_POLICIES,
        )
        .together_with(READ_APPLICATIONS_TOO),
        both(
            "GET",
            "/identity/conditionalAccess/policies/{id}",
            READ_POLICIES,
        ),
        both(
            "PATCH",
            "/identity/conditionalAccess/policies/{id}",
            WRITE_POLICIES,
        )
        .together_with(READ_APPLICATIONS_TOO),
        both(
            "DELETE",
            "/identity/conditionalAccess/policies/{id}",
            WRITE_POLICIES,
        )
        .together_with(READ_TOO),
    ],
};

pub(super) const READ_POLICIES: &[&str] = &["Policy.Read.All"];

pub(super) const WRITE_POLICIES: &[&str] = &["Policy.ReadWrite.ConditionalAccess"];

/// Writes need the permission to read beside their own (page "Create conditionalAccessPolicy").
pub(super) const READ_TOO: &[&[&str]] = &[READ_POLICIES];

const READ_APPLICATIONS_TOO: &[&[&str]] = &[READ_POLICIES, &["Application.Read.All"]];
