use super::types::{
    KeyValuePair, SynchronizationMetadataEntry, SynchronizationSchedule, SynchronizationStatus,
};
use crate::{
    model::{Json, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A synchronization job: it provisions users and groups of the tenant to an application.
    SynchronizationJob: "#microsoft.graph.synchronizationJob", always [template_id] {
        /// When it runs.
        schedule: Box<SynchronizationSchedule> as SynchronizationSchedule = SCHEDULE("schedule") update;
        /// Its state, and its last runs.
        status: Box<SynchronizationStatus> as SynchronizationStatus = STATUS("status");
        /// Its settings.
        synchronization_job_settings: Vec<KeyValuePair> = SYNCHRONIZATION_JOB_SETTINGS("synchronizationJobSettings") update;
        /// The template that it was created from.
        template_id: String = TEMPLATE_ID("templateId") create;
    }
}

entity! {
    /// What a synchronization job is created from.
    SynchronizationTemplate: "#microsoft.graph.synchronizationTemplate", always [factory_tag] {
        /// The client id of the application.
        application_id: String as entra_core::Guid = APPLICATION_ID("applicationId");
        /// Whether it is the one to use.
        default: bool = DEFAULT("default");
        /// The description.
        description: String = DESCRIPTION("description");
        /// Whether it is shown.
        discoverable: bool = DISCOVERABLE("discoverable");
        /// The kind of job that it makes.
        factory_tag: String = FACTORY_TAG("factoryTag");
        /// Further facts.
        metadata: Vec<SynchronizationMetadataEntry> = METADATA("metadata");
    }
}

entity! {
    /// What a synchronization job synchronizes: directories with their objects, and rules with their mappings.
    SynchronizationSchema: "#microsoft.graph.synchronizationSchema", always [version] {
        /// The directories, with their objects and attributes.
        directories: Vec<Json> = DIRECTORIES("directories");
        /// The rules, with their mappings; each has an `id`.
        synchronization_rules: Vec<Json> = SYNCHRONIZATION_RULES("synchronizationRules");
        /// The version, which changes with every change.
        version: String = VERSION("version");
    }
}

impl Described for SynchronizationJob {
    const INFO: EntityInfo = EntityInfo::other("synchronization job", "synchronization jobs", None)
        .with_no_object_options(&["$select"]);
}

impl Described for SynchronizationTemplate {
    const INFO: EntityInfo = EntityInfo::other(
        "synchronization template",
        "synchronization templates",
        None,
    );
}

impl Described for SynchronizationSchema {
    const INFO: EntityInfo =
        EntityInfo::other("synchronization schema", "synchronization schemas", None);
}
