use entra_core::Timestamp;

use super::types::{AuditActivityInitiator, KeyValue, OperationResult, TargetResource};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo, nested},
};

entity! {
    /// One change in the directory, as the audit log has it.
    DirectoryAudit: "#microsoft.graph.directoryAudit", always [activity_date_time] {
        /// When it happened (UTC).
        activity_date_time: Timestamp = ACTIVITY_DATE_TIME("activityDateTime", "eq ge le orderby");
        /// What was done, such as "Add user".
        activity_display_name: String = ACTIVITY_DISPLAY_NAME("activityDisplayName", "eq startsWith");
        /// Further facts as keys and values.
        additional_details: Vec<KeyValue> = ADDITIONAL_DETAILS("additionalDetails");
        /// Resource category, such as `UserManagement`.
        category: String = CATEGORY("category");
        /// Joins entries that one operation caused in several services.
        correlation_id: String = CORRELATION_ID("correlationId", "eq");
        /// Application or user that did it.
        initiated_by: Box<AuditActivityInitiator> as AuditActivityInitiator = INITIATED_BY("initiatedBy");
        /// Service that wrote the entry.
        logged_by_service: String = LOGGED_BY_SERVICE("loggedByService", "eq");
        /// `Add`, `Update`, `Assign`, `Delete` and the like.
        operation_type: String = OPERATION_TYPE("operationType");
        /// Whether it succeeded.
        result: OperationResult = RESULT("result");
        /// Why it failed or timed out.
        result_reason: String = RESULT_REASON("resultReason");
        /// What was changed, and how.
        target_resources: Vec<TargetResource> = TARGET_RESOURCES("targetResources");
    }
}

impl Described for DirectoryAudit {
    const INFO: EntityInfo = EntityInfo::other("directory audit", "directory audits", Some(1000))
        .with_no_object_options(&["$select"])
        .with_nested(&[
            nested("initiatedBy/app/appId", "eq"),
            nested("initiatedBy/app/displayName", "eq"),
            nested("initiatedBy/user/displayName", "eq"),
            nested("initiatedBy/user/id", "eq"),
            nested("initiatedBy/user/userPrincipalName", "eq startsWith"),
            nested("targetResources/displayName", "eq startsWith"),
            nested("targetResources/id", "eq"),
        ]);
}

capable!(DirectoryAudit: Selectable, Filterable, Orderable, Toppable);
