use crate::model::{Json, complex, open_enum};

complex! {
    /// What started a provisioning event.
    Initiator {
        /// Name of the initiator.
        display_name: String = DISPLAY_NAME("displayName");
        /// Id of the initiator, empty for a system.
        id: String = ID("id");
        /// Type of the initiator.
        initiator_type: InitiatorType = INITIATOR_TYPE("initiatorType");
    }
}

complex! {
    /// The result of a provisioning event.
    ProvisioningStatusInfo {
        /// Error of a failed event.
        error_information: ProvisioningErrorInfo = ERROR_INFORMATION("errorInformation");
        /// Result.
        status: ProvisioningResult = STATUS("status");
    }
}

complex! {
    /// The error of a provisioning event.
    ProvisioningErrorInfo {
        /// More about the error.
        additional_details: String = ADDITIONAL_DETAILS("additionalDetails");
        /// Category of the error.
        error_category: ProvisioningStatusErrorCategory = ERROR_CATEGORY("errorCategory");
        /// Code of the error.
        error_code: String = ERROR_CODE("errorCode");
        /// Why it failed.
        reason: String = REASON("reason");
        /// What to do about it.
        recommended_action: String = RECOMMENDED_ACTION("recommendedAction");
    }
}

complex! {
    /// One step of a provisioning event.
    ProvisioningStep {
        /// What the step did.
        description: String = DESCRIPTION("description");
        /// More about it; its properties depend on the system.
        details: Json = DETAILS("details");
        /// Name of the step, such as `EntryImportAdd`.
        name: String = NAME("name");
        /// Type of the step.
        provisioning_step_type: ProvisioningStepType = PROVISIONING_STEP_TYPE("provisioningStepType");
        /// Result of the step.
        status: ProvisioningResult = STATUS("status");
    }
}

complex! {
    /// The service principal whose synchronization job wrote a provisioning event.
    ProvisioningServicePrincipal {
        /// Name of the service principal.
        display_name: String = DISPLAY_NAME("displayName");
        /// Object id of the service principal.
        id: String = ID("id");
    }
}

complex! {
    /// An object that was provisioned, in its source or target.
    ProvisionedIdentity {
        /// More about it; its properties depend on the system.
        details: Json = DETAILS("details");
        /// Name of the object.
        display_name: String = DISPLAY_NAME("displayName");
        /// Id of the object in its system.
        id: String = ID("id");
        /// Type of the object, such as `User`.
        identity_type: String = IDENTITY_TYPE("identityType");
    }
}

complex! {
    /// The source or target of a provisioning event.
    ProvisioningSystem {
        /// More about it; its properties depend on the system.
        details: Json = DETAILS("details");
        /// Name of the system.
        display_name: String = DISPLAY_NAME("displayName");
        /// Id of the system.
        id: String = ID("id");
    }
}

open_enum! {
    /// The type of what started a provisioning event.
    InitiatorType {
        /// A user.
        User = "user";
        /// An application.
        Application = "application";
        /// The provisioning service itself.
        System = "system";
    }
}

open_enum! {
    /// What a provisioning event did.
    ProvisioningAction {
        /// Anything else.
        Unspecified = "other";
        /// Created the object.
        Create = "create";
        /// Deleted the object.
        Delete = "delete";
        /// Disabled the object.
        Disable = "disable";
        /// Updated the object.
        Update = "update";
        /// Deleted the object in a stage.
        StagedDelete = "stagedDelete";
    }
}

open_enum! {
    /// The result of a provisioning event or step.
    ProvisioningResult {
        /// It succeeded.
        Success = "success";
        /// It failed.
        Failure = "failure";
        /// It was left out, such as for an object out of scope.
        Skipped = "skipped";
        /// It succeeded with a warning.
        Warning = "warning";
    }
}

open_enum! {
    /// The category of a provisioning error.
    ProvisioningStatusErrorCategory {
        /// A failure of the provisioning service.
        Failure = "failure";
        /// A failure of the source or target.
        NonServiceFailure = "nonServiceFailure";
        /// No failure.
        Success = "success";
    }
}

open_enum! {
    /// The type of a provisioning step.
    ProvisioningStepType {
        /// Reads the object from the source.
        Import = "import";
        /// Decides whether the object is in scope.
        Scoping = "scoping";
        /// Looks for the object in the target.
        Matching = "matching";
        /// Computes the changes.
        Processing = "processing";
        /// Resolves references to other objects.
        ReferenceResolution = "referenceResolution";
        /// Writes the object to the target.
        Export = "export";
    }
}
