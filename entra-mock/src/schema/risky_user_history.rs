//! `riskyUserHistoryItem`: what a risky user was before.

use super::*;

pub(super) const RISKY_USER_HISTORY: EntityType = EntityType {
    name: "riskyUserHistoryItem",
    set: "history",
    directory: false,
    open: false,
    object: false,
    id: IdForm::Guid,
    key: None,
    unique: &[],
    log_time: None,
    premium: Premium::Always,
    list_options: &[],
    object_options: &[],
    pages: None,
    visibility: Visibility::with(&[
        "IdentityRiskyUser.Read.All",
        "IdentityRiskyUser.ReadWrite.All",
    ]),
    deletion: Deletion::Hard,
    behavior: Behavior::AsDeclared,
    activities: Activities::of("DirectoryManagement"),
    properties: &[
        text("id").shown(),
        complex("activity").shown(),
        text("initiatedBy").shown(),
        boolean("isDeleted").shown(),
        boolean("isProcessing").shown(),
        text("riskDetail").shown(),
        date("riskLastUpdatedDateTime").shown(),
        text("riskLevel").shown(),
        text("riskState").shown(),
        text("userDisplayName").shown(),
        text("userId").shown(),
        text("userPrincipalName").shown(),
    ],
    rules: &[],
    order: &[],
    search: &[],
    navigation: &[],
    relationships: &[],
    // They have a path below their user only.
    operations: &[],
};
