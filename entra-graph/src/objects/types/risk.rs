#[cfg(feature = "identity-protection")]
use crate::model::complex;
use crate::model::open_enum;

open_enum! {
    /// Why a risk has its present state.
    RiskDetail {
        /// The risk was not handled.
        None = "none";
        /// An administrator set a temporary password.
        AdminGeneratedTemporaryPassword = "adminGeneratedTemporaryPassword";
        /// The user changed the password safely.
        UserPerformedSecuredPasswordChange = "userPerformedSecuredPasswordChange";
        /// The user reset the password safely.
        UserPerformedSecuredPasswordReset = "userPerformedSecuredPasswordReset";
        /// An administrator confirmed the sign-in as safe.
        AdminConfirmedSigninSafe = "adminConfirmedSigninSafe";
        /// Microsoft Entra ID Protection found the sign-in safe.
        AiConfirmedSigninSafe = "aiConfirmedSigninSafe";
        /// The user passed the multifactor authentication that a policy required.
        UserPassedMfaDrivenByRiskBasedPolicy = "userPassedMFADrivenByRiskBasedPolicy";
        /// An administrator dismissed all risk of the user.
        AdminDismissedAllRiskForUser = "adminDismissedAllRiskForUser";
        /// An administrator confirmed the sign-in as compromised.
        AdminConfirmedSigninCompromised = "adminConfirmedSigninCompromised";
        /// The licence does not show it.
        Hidden = "hidden";
        /// An administrator confirmed the user as compromised.
        AdminConfirmedUserCompromised = "adminConfirmedUserCompromised";
        /// An administrator dismissed the detection in Microsoft Defender.
        M365DAdminDismissedDetection = "m365DAdminDismissedDetection";
        /// An administrator confirmed the service principal as compromised.
        AdminConfirmedServicePrincipalCompromised = "adminConfirmedServicePrincipalCompromised";
        /// An administrator dismissed all risk of the service principal.
        AdminDismissedAllRiskForServicePrincipal = "adminDismissedAllRiskForServicePrincipal";
        /// The user changed the password on premises.
        UserChangedPasswordOnPremises = "userChangedPasswordOnPremises";
        /// An administrator dismissed the risk of the sign-in.
        AdminDismissedRiskForSignIn = "adminDismissedRiskForSignIn";
        /// An administrator confirmed the account as safe.
        AdminConfirmedAccountSafe = "adminConfirmedAccountSafe";
        /// Microsoft revoked the sessions.
        MicrosoftRevokedSessions = "microsoftRevokedSessions";
    }
}

open_enum! {
    /// What made a sign-in look risky.
    RiskEventType {
        /// Impossible travel between two locations.
        UnlikelyTravel = "unlikelyTravel";
        /// An anonymous IP address.
        AnonymizedIpAddress = "anonymizedIPAddress";
        /// A malicious IP address.
        MaliciousIpAddress = "maliciousIPAddress";
        /// Sign-in properties that are unfamiliar for this user.
        UnfamiliarFeatures = "unfamiliarFeatures";
        /// An IP address infected with malware.
        MalwareInfectedIpAddress = "malwareInfectedIPAddress";
        /// A suspicious IP address.
        SuspiciousIpAddress = "suspiciousIPAddress";
        /// Leaked credentials.
        LeakedCredentials = "leakedCredentials";
        /// A known pattern of attack.
        InvestigationsThreatIntelligence = "investigationsThreatIntelligence";
        /// Not stated; what licences below P2 show.
        Generic = "generic";
        /// An administrator confirmed the user as compromised.
        AdminConfirmedUserCompromised = "adminConfirmedUserCompromised";
        /// Impossible travel, from Defender for Cloud Apps.
        McasImpossibleTravel = "mcasImpossibleTravel";
        /// Suspicious inbox rules, from Defender for Cloud Apps.
        McasSuspiciousInboxManipulationRules = "mcasSuspiciousInboxManipulationRules";
        /// A known pattern of attack, linked to the sign-in.
        InvestigationsThreatIntelligenceSigninLinked = "investigationsThreatIntelligenceSigninLinked";
        /// Valid credentials from a blocked IP address.
        MaliciousIpAddressValidCredentialsBlockedIp = "maliciousIPAddressValidCredentialsBlockedIP";
    }
}

open_enum! {
    /// How likely it is that an attacker signed in.
    RiskLevel {
        /// Low.
        Low = "low";
        /// Medium.
        Medium = "medium";
        /// High.
        High = "high";
        /// The licence does not show it.
        Hidden = "hidden";
        /// No risk was seen.
        None = "none";
    }
}

open_enum! {
    /// Where the handling of a risk stands.
    RiskState {
        /// There is no risk.
        None = "none";
        /// It was confirmed that there was no attack.
        ConfirmedSafe = "confirmedSafe";
        /// The user or a policy dealt with it.
        Remediated = "remediated";
        /// An administrator dismissed it.
        Dismissed = "dismissed";
        /// It is open.
        AtRisk = "atRisk";
        /// It was confirmed as an attack.
        ConfirmedCompromised = "confirmedCompromised";
    }
}

open_enum! {
    /// The activity that a detected risk is linked to.
    ActivityType {
        /// A sign-in.
        SignIn = "signin";
        /// The user, without a sign-in.
        User = "user";
        /// A service principal.
        ServicePrincipal = "servicePrincipal";
    }
}

open_enum! {
    /// When a risk was detected.
    RiskDetectionTimingType {
        /// Not defined.
        NotDefined = "notDefined";
        /// During the sign-in.
        Realtime = "realtime";
        /// Shortly after the sign-in.
        NearRealtime = "nearRealtime";
        /// Later.
        Offline = "offline";
    }
}

#[cfg(feature = "identity-protection")]
complex! {
    /// What changed the risk of a user.
    RiskUserActivity {
        /// Why the risk has its state.
        detail: RiskDetail = DETAIL("detail");
        /// Types of the risk, such as `anonymizedIPAddress`.
        risk_event_types: Vec<String> = RISK_EVENT_TYPES("riskEventTypes");
    }
}
