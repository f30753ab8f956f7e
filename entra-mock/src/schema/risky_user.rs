//! `riskyUser`: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Mode::*, Type::*, operation::*, relationship::*, *};

/// Its id is that of the user.
pub(super) const RISKY_USER: EntityType = EntityType {
    name: "riskyUser",
    set: "identityProtection/riskyUsers",
    control_path: None,
    directory: false,
    open: false,
    object: false,
    id: IdForm::OfUser,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::Always,
    list_options: &["$filter", "$select", "$top"],
    object_options: &["$select"],
    pages: Some(PageSizes {
        default: 20,
        most: 500,
    }),
    visibility: Visibility::with(READ_RISKY_USERS),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    creators: Creators::Administrators,
    principal: None,
    application: None,
    activities: Activities::of("DirectoryManagement"),
    properties: &[
        text("id").shown(),
        boolean("isDeleted").shown(),
        boolean("isProcessing").shown(),
        text("riskDetail").shown(),
        date("riskLastUpdatedDateTime").shown(),
        text("riskLevel").shown(),
        text("riskState").shown(),
        text("userDisplayName").shown(),
        text("userPrincipalName").shown(),
    ],
    rules: &[
        rule("id", Text, Basic, No, No, No),
        rule("isDeleted", Boolean, Basic, No, No, No),
        rule("isProcessing", Boolean, Basic, No, No, No),
        rule("riskDetail", Text, Basic, No, No, No),
        rule("riskLastUpdatedDateTime", Date, Basic, No, Basic, No).and_strict_range(),
        rule("riskLevel", Text, Basic, No, No, No),
        rule("riskState", Text, Basic, No, No, No),
        rule("userDisplayName", Text, Basic, Basic, No, No),
        rule("userPrincipalName", Text, Basic, Basic, No, No),
    ],
    order: &[],
    search: &[],
    navigation: &["history"],
    relationships: &[own(
        Kind::RiskyUser,
        "history",
        &[Kind::RiskyUserHistoryItem],
        Source::Children("userId"),
    )],
    operations: &[
        both("GET", "/identityProtection/riskyUsers", READ_RISKY_USERS),
        both(
            "GET",
            "/identityProtection/riskyUsers/{id}",
            READ_RISKY_USERS,
        ),
        both(
            "GET",
            "/identityProtection/riskyUsers/{id}/history",
            READ_HISTORY,
        ),
        both(
            "GET",
            "/identityProtection/riskyUsers/{id}/history/{id}",
            READ_HISTORY,
        ),
        both(
            "POST",
            "/identityProtection/riskyUsers/confirmCompromised",
            WRITE_RISKY_USERS,
        ),
        both(
            "POST",
            "/identityProtection/riskyUsers/confirmSafe",
            WRITE_RISKY_USERS,
        ),
        both(
            "POST",
            "/identityProtection/riskyUsers/dismiss",
            WRITE_RISKY_USERS,
        ),
    ],
};

const READ_RISKY_USERS: &[&str] = &["IdentityRiskyUser.Read.All"];
const READ_HISTORY: &[&str] = &[
    "IdentityRiskyUser.Read.All",
    "IdentityRiskyUser.ReadWrite.All",
];
const WRITE_RISKY_USERS: &[&str] = &["IdentityRiskyUser.ReadWrite.All"];
