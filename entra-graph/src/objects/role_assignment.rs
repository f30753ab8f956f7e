use super::{directory_object::DirectoryObject, role_definition::UnifiedRoleDefinition};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A directory role that a user, group or service principal has over a scope.
    UnifiedRoleAssignment: "#microsoft.graph.unifiedRoleAssignment", always [principal_id, role_definition_id], id unfiltered {
        /// The scope of an application, for roles that apps define.
        app_scope_id: String = APP_SCOPE_ID("appScopeId", "eq");
        /// The condition that must be met for the assignment to apply.
        condition: String = CONDITION("condition");
        /// The scope in the directory: `/`, `/administrativeUnits/{id}`, or `/{id}` of an application.
        directory_scope_id: String = DIRECTORY_SCOPE_ID("directoryScopeId", "eq") create;
        /// The object id of the user, group or service principal.
        principal_id: String = PRINCIPAL_ID("principalId", "eq") create;
        /// The tenant of the principal.
        principal_organization_id: String = PRINCIPAL_ORGANIZATION_ID("principalOrganizationId");
        /// The id of the role definition.
        role_definition_id: String = ROLE_DEFINITION_ID("roleDefinitionId", "eq") create;
    }
    relations {
        /// The user, group or service principal, when expanded.
        principal: DirectoryObject = PRINCIPAL("principal");
        /// The role definition, when expanded.
        role_definition: Box<UnifiedRoleDefinition> = ROLE_DEFINITION("roleDefinition");
    }
}

impl Described for UnifiedRoleAssignment {
    const INFO: EntityInfo = EntityInfo::other("role assignment", "role assignments", Some(999));
}

capable!(UnifiedRoleAssignment: Selectable, Filterable, Expandable, Toppable);
