use super::types::PermissionClassificationType;
use crate::{
    model::entity,
    odata::{Described, EntityInfo},
};

entity! {
    /// How far users may consent to a delegated permission of an API, by the settings for user consent.
    DelegatedPermissionClassification: "#microsoft.graph.delegatedPermissionClassification", always [permission_id] {
        /// The class.
        classification: PermissionClassificationType = CLASSIFICATION("classification");
        /// The id of the permission in the `oauth2_permission_scopes` of the service principal.
        permission_id: String = PERMISSION_ID("permissionId");
        /// The value of the permission there, such as `User.Read`.
        permission_name: String = PERMISSION_NAME("permissionName");
    }
}

impl Described for DelegatedPermissionClassification {
    const INFO: EntityInfo = EntityInfo::other(
        "delegated permission classification",
        "delegated permission classifications",
        None,
    );
}
