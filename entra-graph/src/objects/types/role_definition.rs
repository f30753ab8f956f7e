use crate::model::complex;

complex! {
    /// Actions that a directory role allows.
    UnifiedRolePermission {
        /// The actions that the role allows, such as `microsoft.directory/applications/basic/read`.
        allowed_resource_actions: Vec<String> = ALLOWED_RESOURCE_ACTIONS("allowedResourceActions");
        /// The condition that must be met for the permission to apply.
        condition: String = CONDITION("condition");
        /// Actions that the role excludes; not in use yet.
        excluded_resource_actions: Vec<String> = EXCLUDED_RESOURCE_ACTIONS("excludedResourceActions");
    }
}
