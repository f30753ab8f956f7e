use entra_core::Timestamp;

use crate::model::{complex, open_enum};

complex! {
    /// The state of an operation that Entra runs on a domain in the background.
    DomainState {
        /// When the state last changed (UTC).
        last_action_date_time: Timestamp = LAST_ACTION_DATE_TIME("lastActionDateTime");
        /// The operation, such as `ForceDelete` or `Verification`.
        operation: String = OPERATION("operation");
        /// Its state, such as `Scheduled`, `InProgress` or `Failed`.
        status: String = STATUS("status");
    }
}

complex! {
    /// The last update of a signing certificate from the metadata of the federation server.
    SigningCertificateUpdateStatus {
        /// The result, such as `Success`.
        certificate_update_result: String = CERTIFICATE_UPDATE_RESULT("certificateUpdateResult");
        /// When the update last ran (UTC).
        last_run_date_time: Timestamp = LAST_RUN_DATE_TIME("lastRunDateTime");
    }
}

open_enum! {
    /// Whether Entra accepts multifactor authentication by the federated identity provider.
    FederatedIdpMfaBehavior {
        /// Accepts it if it was done; does it itself if not.
        AcceptIfMfaDoneByFederatedIdp = "acceptIfMfaDoneByFederatedIdp";
        /// Sends the user to the identity provider if it was not done.
        EnforceMfaByFederatedIdp = "enforceMfaByFederatedIdp";
        /// Always does it itself.
        RejectMfaByFederatedIdp = "rejectMfaByFederatedIdp";
    }
}

open_enum! {
    /// The protocol of a federation with an identity provider.
    PreferredAuthenticationProtocol {
        /// SAML 2.0.
        Saml = "saml";
        /// WS-Federation.
        WsFed = "wsFed";
    }
}

open_enum! {
    /// How Entra passes the `prompt` of a sign-in to the federated identity provider.
    PromptLoginBehavior {
        /// It does not.
        Disabled = "disabled";
        /// As it is.
        NativeSupport = "nativeSupport";
        /// As a request for a new password sign-in.
        TranslateToFreshPasswordAuthentication = "translateToFreshPasswordAuthentication";
    }
}
