//! Graph's table for one entity: properties, `$filter` rules, `$orderby`, `$search`.

use super::{Entity, Mode::*, Type::*, rule, text};

pub(super) const GRANT: Entity = Entity {
    name: "oAuth2PermissionGrant",
    set: "oauth2PermissionGrants",
    directory: true,
    open: false,
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
};
