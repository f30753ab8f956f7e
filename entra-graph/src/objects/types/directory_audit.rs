use crate::model::{complex, open_enum};

complex! {
    /// Who made a change: an application or a user.
    AuditActivityInitiator {
        /// The application that made the change; empty if a user made it.
        app: AppIdentity = APP("app");
        /// The user who made the change; empty if an application made it.
        user: UserIdentity = USER("user");
    }
}

complex! {
    /// An application that made a change.
    AppIdentity {
        /// Application (client) id.
        app_id: String = APP_ID("appId");
        /// Name of the application.
        display_name: String = DISPLAY_NAME("displayName");
        /// Object id of the service principal.
        service_principal_id: String = SERVICE_PRINCIPAL_ID("servicePrincipalId");
        /// Service principal name.
        service_principal_name: String = SERVICE_PRINCIPAL_NAME("servicePrincipalName");
    }
}

complex! {
    /// A user who made a change.
    UserIdentity {
        /// Name of the user.
        display_name: String = DISPLAY_NAME("displayName");
        /// Object id of the user.
        id: String = ID("id");
        /// Address the user acted from.
        ip_address: String = IP_ADDRESS("ipAddress");
        /// User principal name.
        user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName");
    }
}

complex! {
    /// An object that was changed.
    TargetResource {
        /// Name of the object.
        display_name: String = DISPLAY_NAME("displayName");
        /// Kind of group, when the object is one.
        group_type: GroupType = GROUP_TYPE("groupType");
        /// Object id.
        id: String = ID("id");
        /// Properties that changed.
        modified_properties: Vec<ModifiedProperty> = MODIFIED_PROPERTIES("modifiedProperties");
        /// Kind of object, such as `User`, `Group` or `Application`.
        kind: String = KIND("type");
        /// User principal name, when the object is a user.
        user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName");
    }
}

complex! {
    /// A property that was changed.
    ModifiedProperty {
        /// Name of the property.
        display_name: String = DISPLAY_NAME("displayName");
        /// Value after the change, as JSON text.
        new_value: String = NEW_VALUE("newValue");
        /// Value before the change, as JSON text.
        old_value: String = OLD_VALUE("oldValue");
    }
}

open_enum! {
    /// Whether a change succeeded.
    OperationResult {
        /// The change succeeded.
        Success = "success";
        /// The change failed.
        Failure = "failure";
        /// The change timed out.
        Timeout = "timeout";
    }
}

open_enum! {
    /// What kind of group was changed.
    GroupType {
        /// A Microsoft 365 group.
        UnifiedGroups = "unifiedGroups";
        /// A group of the directory itself.
        AzureAd = "azureAD";
    }
}
