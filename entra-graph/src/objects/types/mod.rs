//! Complex types, the parts of entities.

#[cfg(feature = "app-management-policies")]
mod app_management;
mod application;
#[cfg(feature = "application-templates")]
mod application_template;
mod apps;
#[cfg(feature = "authentication-methods")]
mod authentication_methods;
#[cfg(feature = "conditional-access")]
mod conditional_access;
#[cfg(feature = "contacts")]
mod contact;
mod credentials;
#[cfg(feature = "custom-security-attributes")]
mod custom_security_attributes;
mod device;
mod directory_audit;
#[cfg(feature = "domains")]
mod domain;
mod group;
#[cfg(any(feature = "administrative-units", feature = "role-management"))]
mod identity;
#[cfg(feature = "invitations")]
mod invitation;
mod key_value;
mod licensing;
mod on_premises;
mod organization;
mod provisioning;
mod risk;
#[cfg(feature = "role-management")]
mod role_definition;
mod service_principal;
mod sign_in;
mod subscribed_sku;
#[cfg(feature = "notifications")]
mod subscription;
#[cfg(feature = "synchronization")]
mod synchronization;
#[cfg(feature = "tenant-relationships")]
mod tenant_information;
mod user;

#[cfg(feature = "app-management-policies")]
pub use app_management::{
    AppCredentialRestrictionType, AppKeyCredentialRestrictionType,
    AppManagementApplicationConfiguration, AppManagementPolicyActorExemptions,
    AppManagementRestrictionState, AppManagementServicePrincipalConfiguration,
    CustomAppManagementApplicationConfiguration, CustomAppManagementConfiguration,
    CustomSecurityAttributeComparisonOperator, CustomSecurityAttributeExemption,
    IdentifierUriConfiguration, IdentifierUriRestriction, KeyCredentialConfiguration,
    PasswordCredentialConfiguration,
};
pub use application::{
    ApiApplication, AuthenticationBehaviors, Certification, ImplicitGrantSettings,
    NativeAuthenticationApisEnabled, OptionalClaim, OptionalClaims, ParentalControlSettings,
    PreAuthorizedApplication, PublicClientApplication, RedirectUriSettings,
    RequestSignatureVerification, RequiredResourceAccess, ResourceAccess,
    ServicePrincipalLockConfiguration, SpaApplication, WeakAlgorithms, WebApplication,
};
#[cfg(feature = "application-templates")]
pub use application_template::{
    ApplicationDataType, ApplicationLocation, ApplicationRiskFactorCertificateInfo,
    ApplicationRiskFactorGeneralInfo, ApplicationRiskFactorLegalInfo,
    ApplicationRiskFactorLegalInfoGdpr, ApplicationRiskFactorSecurityInfo, ApplicationRiskFactors,
    ApplicationRiskScore, ApplicationSecurityCompliance, CsaStarLevel, DataProtection,
    DataRetentionLevel, FedRampLevel, HoldType, PasswordPolicy, PciVersion, RestEncryptionType,
    SslVersion, UserOwnership,
};
pub use apps::{AddIn, AppRole, InformationalUrl, PermissionScope, VerifiedPublisher};
#[cfg(feature = "authentication-methods")]
pub use authentication_methods::{
    AuthenticationMethodFeature, AuthenticationMethodKeyStrength, AuthenticationMethodType,
    AuthenticationPhoneType, IncludedUserRoles, IncludedUserTypes, UserDefaultAuthenticationMethod,
    UserRegistrationFeatureCount, UserRegistrationFeatureSummary, UserRegistrationMethodCount,
    UserRegistrationMethodSummary,
};
#[cfg(feature = "conditional-access")]
pub use conditional_access::{
    AuthenticationCombinationConfiguration, AuthenticationStrengthPolicy,
    ConditionalAccessApplications, ConditionalAccessAuthenticationFlows,
    ConditionalAccessClientApp, ConditionalAccessClientApplications, ConditionalAccessConditionSet,
    ConditionalAccessDevicePlatform, ConditionalAccessDevices, ConditionalAccessExternalTenants,
    ConditionalAccessFilter, ConditionalAccessGrantControl, ConditionalAccessGrantControls,
    ConditionalAccessGuestsOrExternalUsers, ConditionalAccessLocations, ConditionalAccessPlatforms,
    ConditionalAccessPolicyState, ConditionalAccessSessionControl,
    ConditionalAccessSessionControls, ConditionalAccessUsers, CountryLookupMethodType, FilterMode,
    IpRange,
};
#[cfg(feature = "contacts")]
pub use contact::{Phone, PhoneType, PhysicalOfficeAddress};
pub use credentials::{
    FederatedIdentityExpression, KeyCredential, PasswordCredential, SelfSignedCertificate,
};
#[cfg(feature = "custom-security-attributes")]
pub use custom_security_attributes::{
    CustomSecurityAttributeStatus, CustomSecurityAttributeType, CustomSecurityAttributeValue,
    CustomSecurityAttributes,
};
pub use device::AlternativeSecurityId;
pub use directory_audit::{
    AppIdentity, AuditActivityInitiator, GroupType, ModifiedProperty, OperationResult,
    TargetResource, UserIdentity,
};
#[cfg(feature = "domains")]
pub use domain::{
    DomainState, FederatedIdpMfaBehavior, PreferredAuthenticationProtocol, PromptLoginBehavior,
    SigningCertificateUpdateStatus,
};
pub use group::{AssignedLabel, GroupAccessType, LicenseProcessingState};
#[cfg(any(feature = "administrative-units", feature = "role-management"))]
pub use identity::Identity;
#[cfg(feature = "invitations")]
pub use invitation::{EmailAddress, InvitedUserMessageInfo, Recipient};
pub use key_value::KeyValue;
pub use licensing::{AssignedLicense, AssignedPlan, LicenseAssignmentState, ProvisionedPlan};
pub use on_premises::{
    OnPremisesExtensionAttributes, OnPremisesProvisioningError, ServiceProvisioningError,
};
pub use organization::{MdmAuthority, PartnerTenantType, PrivacyProfile, VerifiedDomain};
pub use provisioning::{
    Initiator, InitiatorType, ProvisionedIdentity, ProvisioningAction, ProvisioningErrorInfo,
    ProvisioningResult, ProvisioningServicePrincipal, ProvisioningStatusErrorCategory,
    ProvisioningStatusInfo, ProvisioningStep, ProvisioningStepType, ProvisioningSystem,
};
#[cfg(feature = "identity-protection")]
pub use risk::RiskUserActivity;
pub use risk::{
    ActivityType, RiskDetail, RiskDetectionTimingType, RiskEventType, RiskLevel, RiskState,
};
#[cfg(feature = "role-management")]
pub use role_definition::UnifiedRolePermission;
pub use service_principal::{
    PermissionClassificationType, ResourceSpecificPermission, SamlSingleSignOnSettings,
};
pub use sign_in::{
    AppliedConditionalAccessPolicy, AppliedConditionalAccessPolicyResult,
    AuthenticationAppDeviceDetails, AuthenticationDetail, AuthenticationProtocol,
    ClientCredentialType, ConditionalAccessStatus, DeviceDetail, GeoCoordinates, IncomingTokenType,
    ManagedIdentity, ManagedIdentityType, SignInAccessType, SignInEventType, SignInLocation,
    SignInStatus, SignInUserType, TokenIssuerType,
};
pub use subscribed_sku::{LicenseUnitsDetail, ServicePlanInfo};
#[cfg(feature = "notifications")]
pub use subscription::{ChangeType, LifecycleEventType};
#[cfg(feature = "synchronization")]
pub use synchronization::{
    KeyValuePair, QuarantineReason, StringKeyLongValuePair, StringKeyStringValuePair,
    SynchronizationError, SynchronizationJobApplicationParameters,
    SynchronizationJobRestartCriteria, SynchronizationJobRestartScope, SynchronizationJobSubject,
    SynchronizationLinkedObjects, SynchronizationMetadata, SynchronizationMetadataEntry,
    SynchronizationProgress, SynchronizationQuarantine, SynchronizationSchedule,
    SynchronizationScheduleState, SynchronizationSecretKeyStringValuePair, SynchronizationStatus,
    SynchronizationStatusCode, SynchronizationTaskExecution, SynchronizationTaskExecutionResult,
};
#[cfg(feature = "tenant-relationships")]
pub use tenant_information::TenantInformation;
pub use user::{
    AuthorizationInfo, AutomaticRepliesSetting, AutomaticRepliesStatus, DateTimeTimeZone,
    DayOfWeek, DelegateMeetingMessageDeliveryOptions, EmployeeOrgData, ExternalAudienceScope,
    LocaleInfo, MailboxSettings, ObjectIdentity, PasswordProfile, SignInActivity, TimeZoneBase,
    UserPurpose, WorkingHours,
};
