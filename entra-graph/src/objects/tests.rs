mod writability;

use serde::{Serialize, de::DeserializeOwned};

use crate::model::Model;
use crate::{
    AppRoleAssignment, Application, DelegatedPermissionClassification, Device, DirectoryAudit,
    DirectoryObject, ExtensionProperty, FederatedIdentityCredential, Group, Organization,
    ProvisioningObjectSummary, ServicePrincipal, SignIn, SubscribedSku, User, beta, types,
};

/// A misspelt wire name would land among the unknown properties.
pub(crate) fn every_name_is_read_and_written<T>(all: &[&str])
where
    T: Model + DeserializeOwned + Serialize,
{
    for name in all {
        let text = format!(r#"{{"{name}":null}}"#);
        let model: T = serde_json::from_str(&text).unwrap();
        assert!(model.additional().is_empty(), "{name}");
        assert_eq!(
            serde_json::to_string(&model).unwrap(),
            text,
            "an explicit null survives"
        );
    }
}

/// What only a later version of Graph sends comes back as it was.
pub(crate) fn the_future_survives<T>()
where
    T: Model + DeserializeOwned + Serialize,
{
    let text = r##"{"@odata.id":"x","comesLater":{"a":[1,2.50,null]},"extension_1f_cost":"7"}"##;
    let model: T = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&model).unwrap(), text);
}

macro_rules! check {
    ($($model:ty),* $(,)?) => {$(
        every_name_is_read_and_written::<$model>(<$model>::ALL);
        the_future_survives::<$model>();
    )*};
}

/// An area is one line here.
#[test]
fn every_declared_name_is_read_and_written() {
    check!(User, AppRoleAssignment, super::OAuth2PermissionGrant);
    check!(
        Application,
        types::AddIn,
        types::ApiApplication,
        types::AppRole,
        types::AuthenticationBehaviors,
        types::Certification,
        types::ImplicitGrantSettings,
        types::InformationalUrl,
        types::KeyCredential,
        types::OptionalClaim,
        types::OptionalClaims,
        types::ParentalControlSettings,
        types::PasswordCredential,
        types::PermissionScope,
        types::PreAuthorizedApplication,
        types::PublicClientApplication,
        types::RedirectUriSettings,
        types::RequestSignatureVerification,
        types::RequiredResourceAccess,
        types::ResourceAccess,
        types::ServicePrincipalLockConfiguration,
        types::SpaApplication,
        types::VerifiedPublisher,
        types::FederatedIdentityExpression,
        types::SelfSignedCertificate,
        types::WebApplication,
        beta::FederatedIdentityCredential,
        ExtensionProperty,
        FederatedIdentityCredential,
        ServicePrincipal,
        DelegatedPermissionClassification,
        types::ResourceSpecificPermission,
        types::SamlSingleSignOnSettings,
    );
    check!(
        Group,
        types::AssignedLabel,
        types::LicenseProcessingState,
        Device,
        types::AlternativeSecurityId,
        Organization,
        types::PrivacyProfile,
        types::VerifiedDomain,
        SubscribedSku,
        types::LicenseUnitsDetail,
        types::ServicePlanInfo,
        types::KeyValue,
    );
    check!(
        SignIn,
        beta::SignIn,
        types::AppliedConditionalAccessPolicy,
        types::AuthenticationAppDeviceDetails,
        types::AuthenticationDetail,
        types::DeviceDetail,
        types::GeoCoordinates,
        types::ManagedIdentity,
        types::SignInLocation,
        types::SignInStatus,
        DirectoryAudit,
        types::AppIdentity,
        types::AuditActivityInitiator,
        types::ModifiedProperty,
        types::TargetResource,
        types::UserIdentity,
        ProvisioningObjectSummary,
        types::Initiator,
        types::ProvisionedIdentity,
        types::ProvisioningErrorInfo,
        types::ProvisioningServicePrincipal,
        types::ProvisioningStatusInfo,
        types::ProvisioningStep,
        types::ProvisioningSystem,
    );
    #[cfg(feature = "app-management-policies")]
    check!(
        super::AppManagementPolicy,
        super::TenantAppManagementPolicy,
        types::AppManagementApplicationConfiguration,
        types::AppManagementPolicyActorExemptions,
        types::AppManagementServicePrincipalConfiguration,
        types::CustomAppManagementApplicationConfiguration,
        types::CustomAppManagementConfiguration,
        types::CustomSecurityAttributeExemption,
        types::IdentifierUriConfiguration,
        types::IdentifierUriRestriction,
        types::KeyCredentialConfiguration,
        types::PasswordCredentialConfiguration,
    );
    #[cfg(feature = "application-templates")]
    check!(
        super::ApplicationTemplate,
        types::ApplicationLocation,
        types::ApplicationRiskFactorCertificateInfo,
        types::ApplicationRiskFactorGeneralInfo,
        types::ApplicationRiskFactorLegalInfo,
        types::ApplicationRiskFactorLegalInfoGdpr,
        types::ApplicationRiskFactorSecurityInfo,
        types::ApplicationRiskFactors,
        types::ApplicationRiskScore,
        types::ApplicationSecurityCompliance,
    );
    #[cfg(feature = "synchronization")]
    check!(
        super::SynchronizationJob,
        super::SynchronizationSchema,
        super::SynchronizationTemplate,
        types::KeyValuePair,
        types::StringKeyLongValuePair,
        types::StringKeyStringValuePair,
        types::SynchronizationError,
        types::SynchronizationJobApplicationParameters,
        types::SynchronizationJobRestartCriteria,
        types::SynchronizationJobSubject,
        types::SynchronizationLinkedObjects,
        types::SynchronizationMetadataEntry,
        types::SynchronizationProgress,
        types::SynchronizationQuarantine,
        types::SynchronizationSchedule,
        types::SynchronizationStatus,
        types::SynchronizationTaskExecution,
    );
    #[cfg(feature = "authentication-methods")]
    check!(
        super::AuthenticationMethod,
        super::UserRegistrationDetails,
        types::UserRegistrationFeatureCount,
        types::UserRegistrationFeatureSummary,
        types::UserRegistrationMethodCount,
        types::UserRegistrationMethodSummary,
    );
    #[cfg(feature = "administrative-units")]
    check!(super::ScopedRoleMembership, types::Identity);
    #[cfg(feature = "conditional-access")]
    check!(
        super::ConditionalAccessPolicy,
        super::NamedLocation,
        types::AuthenticationCombinationConfiguration,
        types::AuthenticationStrengthPolicy,
        types::ConditionalAccessApplications,
        types::ConditionalAccessAuthenticationFlows,
        types::ConditionalAccessClientApplications,
        types::ConditionalAccessConditionSet,
        types::ConditionalAccessDevices,
        types::ConditionalAccessExternalTenants,
        types::ConditionalAccessFilter,
        types::ConditionalAccessGrantControls,
        types::ConditionalAccessGuestsOrExternalUsers,
        types::ConditionalAccessLocations,
        types::ConditionalAccessPlatforms,
        types::ConditionalAccessSessionControl,
        types::ConditionalAccessSessionControls,
        types::ConditionalAccessUsers,
        types::IpRange,
    );
    #[cfg(feature = "contacts")]
    check!(
        super::OrgContact,
        types::Phone,
        types::PhysicalOfficeAddress
    );
    #[cfg(feature = "custom-security-attributes")]
    check!(
        super::AllowedValue,
        super::AttributeSet,
        super::CustomSecurityAttributeDefinition,
    );
    #[cfg(feature = "domains")]
    check!(
        super::Domain,
        super::DomainDnsRecord,
        super::InternalDomainFederation,
        types::DomainState,
        types::SigningCertificateUpdateStatus,
    );
    #[cfg(feature = "identity-protection")]
    check!(
        super::RiskyUser,
        super::RiskyUserHistoryItem,
        super::RiskDetection,
        types::RiskUserActivity,
    );
    check!(
        types::AssignedLicense,
        types::AssignedPlan,
        types::LicenseAssignmentState,
        types::OnPremisesExtensionAttributes,
        types::OnPremisesProvisioningError,
        super::OtherObject,
        types::ProvisionedPlan,
        types::ServiceProvisioningError,
    );
    check!(
        types::AuthorizationInfo,
        types::AutomaticRepliesSetting,
        types::DateTimeTimeZone,
        types::EmployeeOrgData,
        types::LocaleInfo,
        types::MailboxSettings,
        types::ObjectIdentity,
        types::PasswordProfile,
        types::SignInActivity,
        types::TimeZoneBase,
        types::WorkingHours,
    );
}

#[test]
fn an_object_that_the_caller_cannot_read_is_limited() {
    let limited: User = serde_json::from_str(
        r##"{"@odata.type":"#microsoft.graph.user","id":"1","businessPhones":[],"displayName":null,"mail":null,"userPrincipalName":null}"##,
    )
    .unwrap();
    assert!(limited.is_limited());
    for text in [
        r#"{"id":"1","displayName":null,"businessPhones":["1"]}"#,
        r#"{"id":"1","displayName":null,"employeeOrgData":{"division":"A"}}"#,
        r#"{"id":"1"}"#,
        r#"{"id":"1","mail":null}"#,
        r#"{"id":"1","displayName":null,"userPrincipalName":"a@b"}"#,
        r#"{"id":"1","displayName":null,"extension_1f_cost":"7"}"#,
    ] {
        let user: User = serde_json::from_str(text).unwrap();
        assert!(!user.is_limited(), "{text}");
    }
}

#[test]
fn the_type_is_found_at_any_position() {
    for text in [
        r##"{"@odata.type":"#microsoft.graph.user","id":"1","mail":null}"##,
        r##"{"@odata.context":"c","@odata.type":"#microsoft.graph.user","id":"1","mail":null}"##,
        r##"{"id":"1","mail":null,"@odata.type":"#microsoft.graph.user"}"##,
    ] {
        let object: DirectoryObject = serde_json::from_str(text).unwrap();
        assert!(object.as_user().is_some(), "{text}");
        assert_eq!(object.id(), "1");
        let again = serde_json::to_value(&object).unwrap();
        assert_eq!(
            again,
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
    }
}

#[test]
fn an_object_of_an_unknown_type_is_preserved() {
    for text in [
        r##"{"@odata.type":"#microsoft.graph.orgContact","id":"1","mail":"a@b"}"##,
        r#"{"id":"1","displayName":"No type","groupTypes":[]}"#,
        r#"{}"#,
    ] {
        let object: DirectoryObject = serde_json::from_str(text).unwrap();
        let DirectoryObject::Other(other) = &object else {
            panic!("{text}");
        };
        assert_eq!(other.odata_type().is_some(), text.contains("orgContact"));
        let again = serde_json::to_value(&object).unwrap();
        assert_eq!(
            again,
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
    }
}

#[test]
fn unknown_enum_members_survive() {
    let text = r#"{"status":"onlyOnMondays"}"#;
    let setting: types::AutomaticRepliesSetting = serde_json::from_str(text).unwrap();
    assert_eq!(
        setting.status,
        Some(types::AutomaticRepliesStatus::Other(
            "onlyOnMondays".to_owned()
        ))
    );
    assert_eq!(serde_json::to_string(&setting).unwrap(), text);
}

#[test]
fn a_password_is_never_serialized() {
    let text = r#"{"forceChangePasswordNextSignIn":true,"password":"canary"}"#;
    let profile: types::PasswordProfile = serde_json::from_str(text).unwrap();
    assert_eq!(profile.password.as_ref().unwrap().expose_secret(), "canary");
    assert!(!serde_json::to_string(&profile).unwrap().contains("canary"));
    assert!(!format!("{profile:?}").contains("canary"));
}

#[test]
fn times_are_read_in_every_form_that_graph_sends() {
    for (text, expected) in [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        (
            "2026-01-31T12:00:00.1234567Z",
            "2026-01-31T12:00:00.1234567Z",
        ),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00"),
        ("2026-01-31T12:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.5", "2026-01-31T12:00:00.5Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        (
            "9999-12-31T23:59:59.9999999Z",
            "9999-12-31T23:59:59.9999999Z",
        ),
    ] {
        let user: User =
            serde_json::from_str(&format!(r#"{{"createdDateTime":"{text}"}}"#)).unwrap();
        let again = serde_json::to_value(&user).unwrap();
        assert_eq!(again["createdDateTime"], expected, "{text}");
    }
    for text in [
        "",
        "soon",
        "2026-01-31",
        "2026-13-31T12:00:00Z",
        "é2026-01-31T12:00:00",
    ] {
        let text = format!(r#"{{"createdDateTime":"{text}"}}"#);
        assert!(serde_json::from_str::<User>(&text).is_err(), "{text}");
    }
}

#[test]
fn debug_shows_what_is_set() {
    let user: User =
        serde_json::from_str(r#"{"id":"1","city":"Oslo","mail":null,"later":[1]}"#).unwrap();
    assert_eq!(
        format!("{user:?}"),
        r#"User { id: "1", city: "Oslo", later: [1] }"#
    );
}

#[test]
fn directory_extensions_can_be_read_as_what_they_are() {
    let user: User = serde_json::from_str(r#"{"id":"1","extension_1f_cost":7}"#).unwrap();
    assert_eq!(
        user.additional()
            .decode::<u32>("extension_1f_cost")
            .unwrap(),
        Some(7)
    );
    assert_eq!(user.additional().decode::<u32>("other").unwrap(), None);
    assert!(
        user.additional()
            .decode::<String>("extension_1f_cost")
            .is_err()
    );
}
