use super::types::Identity;
use crate::{
    model::entity,
    odata::{Described, EntityInfo},
};

entity! {
    /// A directory role that a user, group or service principal has over an administrative unit.
    ScopedRoleMembership: "#microsoft.graph.scopedRoleMembership", always [role_id] {
        /// The object id of the administrative unit.
        administrative_unit_id: String = ADMINISTRATIVE_UNIT_ID("administrativeUnitId");
        /// The object id of the activated directory role.
        role_id: String = ROLE_ID("roleId") create;
        /// The user, group or service principal.
        role_member_info: Identity = ROLE_MEMBER_INFO("roleMemberInfo") create;
    }
}

impl Described for ScopedRoleMembership {
    const INFO: EntityInfo = EntityInfo::other("scoped role member", "scoped role members", None)
        .with_no_object_options(&["$select"]);
}
