use entra_core::{Secret, Timestamp};

use crate::model::{complex, open_enum};

complex! {
    /// When a synchronization job runs.
    SynchronizationSchedule {
        /// When it stops running.
        expiration: Timestamp = EXPIRATION("expiration");
        /// The time between two runs as an ISO 8601 duration, such as `PT40M`.
        interval: String = INTERVAL("interval");
        /// Whether it runs.
        state: SynchronizationScheduleState = STATE("state");
    }
}

complex! {
    /// The state of a synchronization job, and its last runs.
    SynchronizationStatus {
        /// The state.
        code: SynchronizationStatusCode = CODE("code");
        /// How many runs in a row failed.
        count_successive_complete_failures: i64 = COUNT_SUCCESSIVE_COMPLETE_FAILURES("countSuccessiveCompleteFailures");
        /// Whether objects with errors were given up.
        escrows_pruned: bool = ESCROWS_PRUNED("escrowsPruned");
        /// The last run.
        last_execution: Box<SynchronizationTaskExecution> as SynchronizationTaskExecution = LAST_EXECUTION("lastExecution");
        /// The last run without errors.
        last_successful_execution: Box<SynchronizationTaskExecution> as SynchronizationTaskExecution =
            LAST_SUCCESSFUL_EXECUTION("lastSuccessfulExecution");
        /// The last run without errors that wrote something.
        last_successful_execution_with_exports: Box<SynchronizationTaskExecution> as SynchronizationTaskExecution =
            LAST_SUCCESSFUL_EXECUTION_WITH_EXPORTS("lastSuccessfulExecutionWithExports");
        /// How far the present run is.
        progress: Vec<SynchronizationProgress> = PROGRESS("progress");
        /// Why the job is in quarantine, if it is.
        quarantine: Box<SynchronizationQuarantine> as SynchronizationQuarantine = QUARANTINE("quarantine");
        /// When all changes were processed for the first time.
        steady_state_first_achieved_time: Timestamp = STEADY_STATE_FIRST_ACHIEVED_TIME("steadyStateFirstAchievedTime");
        /// When all changes were processed the last time.
        steady_state_last_achieved_time: Timestamp = STEADY_STATE_LAST_ACHIEVED_TIME("steadyStateLastAchievedTime");
        /// How many objects of each type are synchronized.
        synchronized_entry_count_by_type: Vec<StringKeyLongValuePair> =
            SYNCHRONIZED_ENTRY_COUNT_BY_TYPE("synchronizedEntryCountByType");
        /// Where to read about an error.
        troubleshooting_url: String = TROUBLESHOOTING_URL("troubleshootingUrl");
    }
}

complex! {
    /// One run of a synchronization job.
    SynchronizationTaskExecution {
        /// Its id.
        activity_identifier: String = ACTIVITY_IDENTIFIER("activityIdentifier");
        /// How many objects are assigned to the application.
        count_entitled: i64 = COUNT_ENTITLED("countEntitled");
        /// How many of them are provisioned.
        count_entitled_for_provisioning: i64 = COUNT_ENTITLED_FOR_PROVISIONING("countEntitledForProvisioning");
        /// How many objects are retried.
        count_escrowed: i64 = COUNT_ESCROWED("countEscrowed");
        /// How many objects had an error, with those of their references.
        count_escrowed_raw: i64 = COUNT_ESCROWED_RAW("countEscrowedRaw");
        /// How many objects were written.
        count_exported: i64 = COUNT_EXPORTED("countExported");
        /// How many objects were to be written.
        count_exports: i64 = COUNT_EXPORTS("countExports");
        /// How many objects were read.
        count_imported: i64 = COUNT_IMPORTED("countImported");
        /// How many changes were read.
        count_imported_deltas: i64 = COUNT_IMPORTED_DELTAS("countImportedDeltas");
        /// How many changes of references were read.
        count_imported_reference_deltas: i64 = COUNT_IMPORTED_REFERENCE_DELTAS("countImportedReferenceDeltas");
        /// Why it failed.
        error: Box<SynchronizationError> as SynchronizationError = ERROR("error");
        /// How it ended.
        state: SynchronizationTaskExecutionResult = STATE("state");
        /// When it started.
        time_began: Timestamp = TIME_BEGAN("timeBegan");
        /// When it ended.
        time_ended: Timestamp = TIME_ENDED("timeEnded");
    }
}

complex! {
    /// Why a run of a synchronization job failed.
    SynchronizationError {
        /// The code.
        code: String = CODE("code");
        /// The message.
        message: String = MESSAGE("message");
        /// Whether an administrator of the tenant can mend it.
        tenant_actionable: bool = TENANT_ACTIONABLE("tenantActionable");
    }
}

complex! {
    /// How far a run of a synchronization job is.
    SynchronizationProgress {
        /// How many units are done.
        completed_units: i64 = COMPLETED_UNITS("completedUnits");
        /// When this was observed.
        progress_observation_date_time: Timestamp = PROGRESS_OBSERVATION_DATE_TIME("progressObservationDateTime");
        /// How many units there are.
        total_units: i64 = TOTAL_UNITS("totalUnits");
        /// What is counted.
        units: String = UNITS("units");
    }
}

complex! {
    /// Why a synchronization job is in quarantine: it runs rarely until the cause is mended.
    SynchronizationQuarantine {
        /// When the quarantine began.
        current_began: Timestamp = CURRENT_BEGAN("currentBegan");
        /// The error.
        error: Box<SynchronizationError> as SynchronizationError = ERROR("error");
        /// When the job runs next.
        next_attempt: Timestamp = NEXT_ATTEMPT("nextAttempt");
        /// The reason.
        reason: QuarantineReason = REASON("reason");
        /// When the first quarantine of this series began.
        series_began: Timestamp = SERIES_BEGAN("seriesBegan");
        /// How many quarantines the series has.
        series_count: i64 = SERIES_COUNT("seriesCount");
    }
}

complex! {
    /// A number by key.
    StringKeyLongValuePair {
        /// The key.
        key: String = KEY("key");
        /// The number.
        value: i64 = VALUE("value");
    }
}

complex! {
    /// A text by key. The response of a provisioning on demand has JSON documents in both.
    StringKeyStringValuePair {
        /// The key.
        key: String = KEY("key");
        /// The text.
        value: String = VALUE("value");
    }
}

complex! {
    /// A fact about a synchronization template.
    SynchronizationMetadataEntry {
        /// Which fact.
        key: SynchronizationMetadata = KEY("key");
        /// Its value.
        value: String = VALUE("value");
    }
}

complex! {
    /// A credential for the system that objects are provisioned to. The value is never serialized, except into a
    /// request.
    SynchronizationSecretKeyStringValuePair {
        /// Which credential, such as `BaseAddress` and `SecretToken`.
        key: String = KEY("key");
        /// Its value.
        value: Secret = VALUE("value");
    }
}

complex! {
    /// Objects to provision on demand, by one synchronization rule.
    SynchronizationJobApplicationParameters {
        /// The id of the rule, which the schema of the job has.
        rule_id: String = RULE_ID("ruleId");
        /// The objects.
        subjects: Vec<SynchronizationJobSubject> = SUBJECTS("subjects");
    }
}

complex! {
    /// An object to provision on demand.
    SynchronizationJobSubject {
        /// Members, owners and manager to provision with it.
        links: Box<SynchronizationLinkedObjects> as SynchronizationLinkedObjects = LINKS("links");
        /// Its id in the source.
        object_id: String = OBJECT_ID("objectId");
        /// Its type in the source, such as `User`.
        object_type_name: String = OBJECT_TYPE_NAME("objectTypeName");
    }
}

complex! {
    /// Objects that are provisioned with another one.
    SynchronizationLinkedObjects {
        /// The manager.
        manager: Box<SynchronizationJobSubject> as SynchronizationJobSubject = MANAGER("manager");
        /// Members.
        members: Vec<SynchronizationJobSubject> = MEMBERS("members");
        /// Owners.
        owners: Vec<SynchronizationJobSubject> = OWNERS("owners");
    }
}

complex! {
    /// What a restart of a synchronization job resets.
    SynchronizationJobRestartCriteria {
        /// The scopes, joined by commas; none stands for `QuarantineState`, `Watermark` and `Escrows`.
        reset_scope: SynchronizationJobRestartScope = RESET_SCOPE("resetScope");
    }
}

open_enum! {
    /// Whether a synchronization job runs.
    SynchronizationScheduleState {
        /// It runs.
        Active = "Active";
        /// It was never started, or is stopped.
        Disabled = "Disabled";
        /// It is paused.
        Paused = "Paused";
    }
}

open_enum! {
    /// The state of a synchronization job.
    SynchronizationStatusCode {
        /// It has no credentials.
        NotConfigured = "NotConfigured";
        /// It has not run.
        NotRun = "NotRun";
        /// It runs.
        Active = "Active";
        /// It is paused.
        Paused = "Paused";
        /// It is in quarantine after errors.
        Quarantine = "Quarantine";
    }
}

open_enum! {
    /// How a run of a synchronization job ended.
    SynchronizationTaskExecutionResult {
        /// Without errors.
        Succeeded = "Succeeded";
        /// It failed.
        Failed = "Failed";
        /// Some objects had errors.
        EntryLevelErrors = "EntryLevelErrors";
    }
}

open_enum! {
    /// Why a synchronization job is in quarantine.
    QuarantineReason {
        /// Too many objects with errors at first.
        EncounteredBaseEscrowThreshold = "EncounteredBaseEscrowThreshold";
        /// Too many objects with errors.
        EncounteredTotalEscrowThreshold = "EncounteredTotalEscrowThreshold";
        /// Too large a part of the objects has errors.
        EncounteredEscrowProportionThreshold = "EncounteredEscrowProportionThreshold";
        /// An error that stops the whole job, such as invalid credentials.
        EncounteredQuarantineException = "EncounteredQuarantineException";
        /// Another reason.
        Unknown = "Unknown";
        /// An administrator asked for it.
        QuarantinedOnDemand = "QuarantinedOnDemand";
        /// Too many objects would be deleted.
        TooManyDeletes = "TooManyDeletes";
        /// The source could not be read.
        IngestionInterrupted = "IngestionInterrupted";
    }
}

open_enum! {
    /// A fact about a synchronization template.
    SynchronizationMetadata {
        /// The id of the application in the gallery.
        GalleryApplicationIdentifier = "GalleryApplicationIdentifier";
        /// The key of the application in the gallery.
        GalleryApplicationKey = "GalleryApplicationKey";
        /// Whether the target takes OAuth.
        IsOAuthEnabled = "IsOAuthEnabled";
        /// Whether an agent must be assigned.
        IsSynchronizationAgentAssignmentRequired = "IsSynchronizationAgentAssignmentRequired";
        /// Whether an agent is needed.
        IsSynchronizationAgentRequired = "IsSynchronizationAgentRequired";
        /// Whether it is in preview.
        IsSynchronizationInPreview = "IsSynchronizationInPreview";
        /// The settings of OAuth.
        OAuthSettings = "OAuthSettings";
        /// A link to read more.
        SynchronizationLearnMoreIbizaFwLink = "SynchronizationLearnMoreIbizaFwLink";
        /// The fields of its configuration.
        ConfigurationFields = "ConfigurationFields";
    }
}

open_enum! {
    /// What a restart of a synchronization job resets. Several are joined by commas, and are `Other`.
    SynchronizationJobRestartScope {
        /// Nothing; not for use.
        None = "None";
        /// The store of a connector; not for use.
        ConnectorDataStore = "ConnectorDataStore";
        /// Objects with errors are tried again.
        Escrows = "Escrows";
        /// All objects are read again.
        Watermark = "Watermark";
        /// The quarantine ends.
        QuarantineState = "QuarantineState";
        /// All of these.
        Full = "Full";
        /// Deletions that were held back are made.
        ForceDeletes = "ForceDeletes";
    }
}

impl SynchronizationSecretKeyStringValuePair {
    /// A credential by its key, such as `BaseAddress` or `SecretToken`.
    pub fn new(key: &str, value: impl Into<Secret>) -> Self {
        Self::default().key(key).value(value)
    }
}

impl SynchronizationJobSubject {
    /// A user, by object id.
    pub fn user(id: impl Into<String>) -> Self {
        Self::default().object_id(id).object_type_name("User")
    }

    /// A group, by object id.
    pub fn group(id: impl Into<String>) -> Self {
        Self::default().object_id(id).object_type_name("Group")
    }
}

complex! {
    /// A setting of a synchronization job.
    KeyValuePair {
        /// Its name.
        name: String = NAME("name");
        /// Its value.
        value: String = VALUE("value");
    }
}
