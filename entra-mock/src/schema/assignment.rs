//! Graph's table for one entity: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Entity, Mode::*, Type::*, date, guid, rule, text};

pub(super) const ASSIGNMENT: Entity = Entity {
    name: "appRoleAssignment",
    set: "appRoleAssignments",
    directory: true,
    open: false,
    properties: &[
        text("id").shown(),
        date("deletedDateTime").shown(),
        guid("appRoleId").shown(),
        date("createdDateTime").shown(),
        text("principalDisplayName").shown(),
        guid("principalId").shown(),
        text("principalType").shown(),
        text("resourceDisplayName").shown(),
        guid("resourceId").shown(),
    ],
    rules: &[
        rule("id", Text, Basic, No, No, No),
        rule("principalDisplayName", Text, Basic, Basic, No, No),
        rule("resourceId", Guid, Basic, No, No, No),
    ],
    order: &[],
    search: &[],
    navigation: &[],
};
