use entra_core::Timestamp;

use super::directory_object::{DirectoryEntity, DirectoryObject};
use crate::{
    model::{Expanded, capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// An administrative unit: users, groups and devices over which administrators get roles.
    AdministrativeUnit: "#microsoft.graph.administrativeUnit", always [display_name] {
        /// When the unit was deleted; empty for a live one.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime", "orderby+");
        /// Free text about the purpose of the unit.
        description: String = DESCRIPTION("description", "eq+ startsWith+ search") set;
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq ge+ le+ startsWith null+ orderby+ search") set;
        /// Whether only administrators with a role over this unit can change its members.
        is_member_management_restricted: bool = IS_MEMBER_MANAGEMENT_RESTRICTED("isMemberManagementRestricted", "eq") create;
        /// The rule that decides the members of a dynamic unit, such as `user.country -eq "DE"`.
        membership_rule: String = MEMBERSHIP_RULE("membershipRule") set;
        /// `On` or `Paused`: whether the rule is processed.
        membership_rule_processing_state: String = MEMBERSHIP_RULE_PROCESSING_STATE("membershipRuleProcessingState") set;
        /// `Assigned` or `Dynamic`; empty means assigned.
        membership_type: String = MEMBERSHIP_TYPE("membershipType") set;
        /// `Public` or `HiddenMembership`; empty means public.
        visibility: String = VISIBILITY("visibility") set;
    }
    relations {
        /// Direct members, when expanded.
        /// Hidden ones are left out silently without `Member.Read.Hidden`.
        members: Expanded<DirectoryObject> = MEMBERS("members");
    }
}

impl Described for AdministrativeUnit {
    const INFO: EntityInfo = EntityInfo::directory("administrative unit", "administrative units");
}

capable!(AdministrativeUnit: Selectable, Filterable, Orderable, Searchable, Expandable, Toppable, Countable);

impl DirectoryEntity for AdministrativeUnit {
    const CAST: &'static str = "microsoft.graph.administrativeUnit";
}
