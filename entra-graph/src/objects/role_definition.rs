use super::types::UnifiedRolePermission;
use crate::{
    model::{Expanded, capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A directory role: the actions that it allows. Built-in ones cannot be changed.
    UnifiedRoleDefinition: "#microsoft.graph.unifiedRoleDefinition", always [display_name] {
        /// What the role is for.
        description: String = DESCRIPTION("description") set;
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq") set;
        /// Whether the role is one of Microsoft's.
        is_built_in: bool = IS_BUILT_IN("isBuiltIn", "eq");
        /// Whether the role can be assigned.
        is_enabled: bool = IS_ENABLED("isEnabled") set;
        /// The scopes that the permissions apply to; `/` is the whole directory.
        resource_scopes: Vec<String> = RESOURCE_SCOPES("resourceScopes");
        /// The actions that the role allows.
        role_permissions: Vec<UnifiedRolePermission> = ROLE_PERMISSIONS("rolePermissions") set;
        /// An id of the caller's choice that is the same in several tenants; the id of the role by default.
        template_id: String = TEMPLATE_ID("templateId") create;
        /// The version of the definition.
        version: String = VERSION("version") set;
    }
    relations {
        /// The roles whose permissions this one has as well, when expanded.
        inherits_permissions_from: Expanded<UnifiedRoleDefinition> = INHERITS_PERMISSIONS_FROM("inheritsPermissionsFrom");
    }
}

impl Described for UnifiedRoleDefinition {
    const INFO: EntityInfo = EntityInfo::other("role definition", "role definitions", None);
}

capable!(UnifiedRoleDefinition: Selectable, Filterable, Expandable);
