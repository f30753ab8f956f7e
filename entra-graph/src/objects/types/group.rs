use crate::model::{complex, open_enum};

complex! {
    /// A sensitivity label on a Microsoft 365 group.
    AssignedLabel {
        /// Name of the label.
        display_name: String = DISPLAY_NAME("displayName");
        /// Id of the label.
        label_id: String = LABEL_ID("labelId");
    }
}

complex! {
    /// How far group-based licensing has got.
    LicenseProcessingState {
        /// `QueuedForProcessing`, `ProcessingInProgress` or `ProcessingComplete`.
        state: String = STATE("state");
    }
}

open_enum! {
    /// Who may see the content of a Microsoft 365 group.
    GroupAccessType {
        /// Not stated.
        None = "none";
        /// Members only.
        Private = "private";
        /// Members only, and only they know of it.
        Secret = "secret";
        /// All users of the tenant.
        Public = "public";
    }
}
