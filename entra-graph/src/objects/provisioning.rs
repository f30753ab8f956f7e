use entra_core::Timestamp;

use super::types::{
    Initiator, ModifiedProperty, ProvisionedIdentity, ProvisioningAction,
    ProvisioningServicePrincipal, ProvisioningStatusInfo, ProvisioningStep, ProvisioningSystem,
};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo, nested},
};

entity! {
    /// One event of the provisioning service, as the provisioning log has it.
    ProvisioningObjectSummary: "#microsoft.graph.provisioningObjectSummary", always [activity_date_time] {
        /// When it happened (UTC).
        activity_date_time: Timestamp = ACTIVITY_DATE_TIME("activityDateTime", "eq gt lt orderby");
        /// Id of the change within the cycle.
        change_id: String = CHANGE_ID("changeId", "eq contains");
        /// Id of one run of the job.
        cycle_id: String = CYCLE_ID("cycleId", "eq contains");
        /// Time that the event took, in milliseconds.
        duration_in_milliseconds: i32 = DURATION_IN_MILLISECONDS("durationInMilliseconds", "eq gt lt");
        /// What started the event.
        initiated_by: Box<Initiator> as Initiator = INITIATED_BY("initiatedBy");
        /// Id of the synchronization job.
        job_id: String = JOB_ID("jobId", "eq contains");
        /// Properties that the event changed, with old and new values.
        modified_properties: Vec<ModifiedProperty> = MODIFIED_PROPERTIES("modifiedProperties");
        /// What the event did.
        provisioning_action: ProvisioningAction = PROVISIONING_ACTION("provisioningAction", "eq");
        /// Result, with the error of a failed event.
        provisioning_status_info: Box<ProvisioningStatusInfo> as ProvisioningStatusInfo = PROVISIONING_STATUS_INFO("provisioningStatusInfo");
        /// Steps of the event.
        provisioning_steps: Vec<ProvisioningStep> = PROVISIONING_STEPS("provisioningSteps");
        /// Service principal whose job it is.
        service_principal: Box<ProvisioningServicePrincipal> as ProvisioningServicePrincipal = SERVICE_PRINCIPAL("servicePrincipal");
        /// Object in the source.
        source_identity: Box<ProvisionedIdentity> as ProvisionedIdentity = SOURCE_IDENTITY("sourceIdentity");
        /// Source.
        source_system: Box<ProvisioningSystem> as ProvisioningSystem = SOURCE_SYSTEM("sourceSystem");
        /// Object in the target.
        target_identity: Box<ProvisionedIdentity> as ProvisionedIdentity = TARGET_IDENTITY("targetIdentity");
        /// Target.
        target_system: Box<ProvisioningSystem> as ProvisioningSystem = TARGET_SYSTEM("targetSystem");
        /// Tenant of the event.
        tenant_id: String = TENANT_ID("tenantId", "eq contains");
    }
}

impl Described for ProvisioningObjectSummary {
    const INFO: EntityInfo =
        EntityInfo::other("provisioning event", "provisioning events", Some(1000)).with_nested(&[
            nested("provisioningStatusInfo/status", "eq"),
            nested("servicePrincipal/displayName", "eq"),
            nested("servicePrincipal/id", "eq"),
            nested("sourceIdentity/displayName", "eq contains"),
            nested("sourceIdentity/id", "eq contains"),
            nested("sourceIdentity/identityType", "eq contains"),
            nested("sourceSystem/displayName", "eq contains"),
            nested("targetIdentity/displayName", "eq contains"),
            nested("targetIdentity/id", "eq contains"),
            nested("targetIdentity/identityType", "eq contains"),
            nested("targetSystem/displayName", "eq contains"),
        ]);
}

capable!(ProvisioningObjectSummary: Filterable, Orderable, Toppable);
