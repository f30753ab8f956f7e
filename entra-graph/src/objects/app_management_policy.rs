use entra_core::Timestamp;

use super::types::{
    AppManagementApplicationConfiguration, AppManagementServicePrincipalConfiguration,
    CustomAppManagementConfiguration,
};
use crate::{
    model::{Expanded, capable, entity},
    objects::DirectoryObject,
    odata::{Described, EntityInfo},
};

entity! {
    /// An app management policy: what the applications and service principals that it is assigned to may have as
    /// credentials, instead of what the tenant's default policy says.
    AppManagementPolicy: "#microsoft.graph.appManagementPolicy", always [display_name] {
        /// When it was deleted.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// The description.
        description: String = DESCRIPTION("description") set;
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName") set;
        /// Whether it is enforced.
        is_enabled: bool = IS_ENABLED("isEnabled") set never null;
        /// What it restricts.
        restrictions: Box<CustomAppManagementConfiguration> as CustomAppManagementConfiguration =
            RESTRICTIONS("restrictions") set;
    }
    relations {
        /// The applications and service principals that it is assigned to, when expanded.
        applies_to: Expanded<DirectoryObject> = APPLIES_TO("appliesTo");
    }
}

entity! {
    /// The tenant's default app management policy: what all applications and service principals without a policy of
    /// their own may have as credentials.
    TenantAppManagementPolicy: "#microsoft.graph.tenantAppManagementPolicy", always [display_name] {
        /// What it restricts for applications.
        application_restrictions: Box<AppManagementApplicationConfiguration> as AppManagementApplicationConfiguration =
            APPLICATION_RESTRICTIONS("applicationRestrictions") set;
        /// When it was deleted, which it never is.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// The description.
        description: String = DESCRIPTION("description") set;
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName") set;
        /// Whether it is enforced.
        is_enabled: bool = IS_ENABLED("isEnabled") set never null;
        /// What it restricts for service principals.
        service_principal_restrictions: Box<AppManagementServicePrincipalConfiguration> as AppManagementServicePrincipalConfiguration =
            SERVICE_PRINCIPAL_RESTRICTIONS("servicePrincipalRestrictions") set;
    }
}

impl Described for AppManagementPolicy {
    const INFO: EntityInfo = EntityInfo::other(
        "app management policy",
        "app management policies",
        Some(999),
    )
    .with_no_list_options(&["$expand"]);
}

impl Described for TenantAppManagementPolicy {
    const INFO: EntityInfo = EntityInfo::other(
        "default app management policy",
        "default app management policies",
        None,
    );
}

capable!(AppManagementPolicy: Selectable, Expandable, Toppable);
capable!(TenantAppManagementPolicy: Selectable);
