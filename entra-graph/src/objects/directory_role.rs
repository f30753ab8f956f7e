use entra_core::Timestamp;

use super::directory_object::{DirectoryEntity, DirectoryObject};
use crate::{
    model::{Expanded, capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// An activated directory role, whose members have it over the whole directory.
    DirectoryRole: "#microsoft.graph.directoryRole", always [display_name] {
        /// When the role was deleted; Graph sends null.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// What the role is for.
        description: String = DESCRIPTION("description", "eq search");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq search");
        /// The template of the role, which is the id of its definition.
        role_template_id: String = ROLE_TEMPLATE_ID("roleTemplateId", "eq") create;
    }
    relations {
        /// Users, service principals and groups that have the role, when expanded.
        members: Expanded<DirectoryObject> = MEMBERS("members");
    }
}

impl Described for DirectoryRole {
    const INFO: EntityInfo =
        EntityInfo::directory("directory role", "directory roles").without_pages();
}

capable!(DirectoryRole: Selectable, Filterable, Searchable, Expandable);

impl DirectoryEntity for DirectoryRole {
    const CAST: &'static str = "microsoft.graph.directoryRole";
}

entity! {
    /// A built-in directory role that can be activated.
    DirectoryRoleTemplate: "#microsoft.graph.directoryRoleTemplate", always [display_name] {
        /// When the template was deleted; Graph sends null.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// What the role is for.
        description: String = DESCRIPTION("description");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName");
    }
}

impl Described for DirectoryRoleTemplate {
    const INFO: EntityInfo =
        EntityInfo::other("directory role template", "directory role templates", None);
}
