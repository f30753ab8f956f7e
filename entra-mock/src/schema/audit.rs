//! Graph's table for one entity: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Entity, Mode::*, Type::*, complex, date, rule, text};

pub(super) const AUDIT: Entity = Entity {
    name: "directoryAudit",
    set: "auditLogs/directoryAudits",
    directory: false,
    open: false,
    properties: &[
        text("id").shown(),
        date("activityDateTime").shown(),
        text("activityDisplayName").shown(),
        complex("additionalDetails").many().shown(),
        text("category").shown(),
        text("correlationId").shown(),
        complex("initiatedBy").shown(),
        text("loggedByService").shown(),
        text("operationType").shown(),
        text("result").shown(),
        text("resultReason").shown(),
        complex("targetResources").many().shown(),
    ],
    rules: &[
        rule("activityDateTime", Date, Basic, No, Basic, No),
        rule("activityDisplayName", Text, Basic, Basic, No, No),
        rule("initiatedBy/app/appId", Text, Basic, No, No, No),
        rule("initiatedBy/app/displayName", Text, Basic, No, No, No),
        rule("initiatedBy/user/displayName", Text, Basic, No, No, No),
        rule("initiatedBy/user/id", Text, Basic, No, No, No),
        rule(
            "initiatedBy/user/userPrincipalName",
            Text,
            Basic,
            Basic,
            No,
            No,
        ),
        rule("loggedByService", Text, Basic, No, No, No),
        rule("targetResources/any/displayName", Text, Basic, No, No, No),
        rule("targetResources/any/id", Text, Basic, No, No, No),
    ],
    order: &[("activityDateTime", Basic), ("activityDisplayName", Basic)],
    search: &[],
    navigation: &[],
};
