use entra_core::{Guid, Timestamp};

use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A user, group or service principal that may use an application, in one of its roles.
    ///
    /// Members of an assigned group count as assigned when they are direct members; Entra does not
    /// look into nested groups.
    AppRoleAssignment: "#microsoft.graph.appRoleAssignment", always [principal_id, resource_id] {
        /// The role; the all-zero GUID stands for default access.
        app_role_id: String as Guid = APP_ROLE_ID("appRoleId") create;
        /// When the assignment was made.
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime");
        /// When the assignment was deleted; Graph sends null.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// The display name of the principal.
        principal_display_name: String = PRINCIPAL_DISPLAY_NAME("principalDisplayName", "eq startsWith");
        /// The object id of the principal.
        principal_id: String as Guid = PRINCIPAL_ID("principalId") create;
        /// `User`, `Group` or `ServicePrincipal`.
        principal_type: String = PRINCIPAL_TYPE("principalType");
        /// The name of the application.
        resource_display_name: String = RESOURCE_DISPLAY_NAME("resourceDisplayName");
        /// The object id of the application's service principal.
        resource_id: String as Guid = RESOURCE_ID("resourceId", "eq") create;
    }
}

impl Described for AppRoleAssignment {
    const INFO: EntityInfo = EntityInfo::directory("app role assignment", "app role assignments");
}

capable!(AppRoleAssignment: Selectable, Filterable, Toppable, Countable);
