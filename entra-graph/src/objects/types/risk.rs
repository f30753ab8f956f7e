use crate::model::open_enum;

open_enum! {
    /// Why a risk has its present state.
    RiskDetail {
        /// Nothing happened to it.
        None = "none";
        /// An administrator set a temporary password.
        AdminGeneratedTemporaryPassword = "adminGeneratedTemporaryPassword";
        /// The user changed the password safely.
        UserPerformedSecuredPasswordChange = "userPerformedSecuredPasswordChange";
        /// The user reset the password safely.
        UserPerformedSecuredPasswordReset = "userPerformedSecuredPasswordReset";
        /// An administrator called the sign-in safe.
        AdminConfirmedSigninSafe = "adminConfirmedSigninSafe";
        /// The service itself found the sign-in safe.
        AiConfirmedSigninSafe = "aiConfirmedSigninSafe";
        /// The user passed the second factor that a policy asked for.
        UserPassedMfaDrivenByRiskBasedPolicy = "userPassedMFADrivenByRiskBasedPolicy";
        /// An administrator dismissed all risk of the user.
        AdminDismissedAllRiskForUser = "adminDismissedAllRiskForUser";
        /// An administrator called the sign-in compromised.
        AdminConfirmedSigninCompromised = "adminConfirmedSigninCompromised";
        /// The licence does not show it.
        Hidden = "hidden";
        /// An administrator called the user compromised.
        AdminConfirmedUserCompromised = "adminConfirmedUserCompromised";
        /// An administrator dismissed the detection in Microsoft Defender.
        M365DAdminDismissedDetection = "m365DAdminDismissedDetection";
        /// An administrator called the service principal compromised.
        AdminConfirmedServicePrincipalCompromised = "adminConfirmedServicePrincipalCompromised";
        /// An administrator dismissed all risk of the service principal.
        AdminDismissedAllRiskForServicePrincipal = "adminDismissedAllRiskForServicePrincipal";
        /// The user changed the password on premises.
        UserChangedPasswordOnPremises = "userChangedPasswordOnPremises";
        /// An administrator dismissed the risk of the sign-in.
        AdminDismissedRiskForSignIn = "adminDismissedRiskForSignIn";
        /// An administrator called the account safe.
        AdminConfirmedAccountSafe = "adminConfirmedAccountSafe";
        /// Microsoft revoked the sessions.
        MicrosoftRevokedSessions = "microsoftRevokedSessions";
    }
}

open_enum! {
    /// What made a sign-in look risky.
    RiskEventType {
        /// Two places too far apart for the time between.
        UnlikelyTravel = "unlikelyTravel";
        /// An anonymising proxy.
        AnonymizedIpAddress = "anonymizedIPAddress";
        /// An address with many failed sign-ins or a bad reputation.
        MaliciousIpAddress = "maliciousIPAddress";
        /// Features that this user does not usually have.
        UnfamiliarFeatures = "unfamiliarFeatures";
        /// An address that talks to a bot server.
        MalwareInfectedIpAddress = "malwareInfectedIPAddress";
        /// A suspicious address.
        SuspiciousIpAddress = "suspiciousIPAddress";
        /// Credentials that were found leaked.
        LeakedCredentials = "leakedCredentials";
        /// A known pattern of attack.
        InvestigationsThreatIntelligence = "investigationsThreatIntelligence";
        /// Not stated; what licences below P2 show.
        Generic = "generic";
        /// An administrator called the user compromised.
        AdminConfirmedUserCompromised = "adminConfirmedUserCompromised";
        /// Impossible travel, from Defender for Cloud Apps.
        McasImpossibleTravel = "mcasImpossibleTravel";
        /// Suspicious inbox rules, from Defender for Cloud Apps.
        McasSuspiciousInboxManipulationRules = "mcasSuspiciousInboxManipulationRules";
        /// A known pattern of attack, linked to the sign-in.
        InvestigationsThreatIntelligenceSigninLinked = "investigationsThreatIntelligenceSigninLinked";
        /// Right credentials from a blocked address.
        MaliciousIpAddressValidCredentialsBlockedIp = "maliciousIPAddressValidCredentialsBlockedIP";
    }
}

open_enum! {
    /// How likely it is that an attacker signed in.
    RiskLevel {
        /// Little.
        Low = "low";
        /// Middling.
        Medium = "medium";
        /// Very.
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
