//! Complex types, the parts of entities; those of one area only are beside its entity.

mod apps;
mod credentials;
mod key_value;
mod licensing;
mod on_premises;

pub use crate::{
    applications::types::{
        ApiApplication, AuthenticationBehaviors, Certification, ImplicitGrantSettings,
        NativeAuthenticationApisEnabled, OptionalClaim, OptionalClaims, ParentalControlSettings,
        PreAuthorizedApplication, PublicClientApplication, RedirectUriSettings,
        RequestSignatureVerification, RequiredResourceAccess, ResourceAccess,
        ServicePrincipalLockConfiguration, SpaApplication, WeakAlgorithms, WebApplication,
    },
    audit_logs::{
        directory_audit_types::{
            AppIdentity, AuditActivityInitiator, GroupType, ModifiedProperty, OperationResult,
            TargetResource, UserIdentity,
        },
        risk::{RiskDetail, RiskEventType, RiskLevel, RiskState},
        sign_in_types::{
            AppliedConditionalAccessPolicy, AppliedConditionalAccessPolicyResult,
            AuthenticationAppDeviceDetails, ConditionalAccessStatus, DeviceDetail, GeoCoordinates,
            SignInLocation, SignInStatus,
        },
    },
    devices::types::AlternativeSecurityId,
    directory_object::OtherObject,
    groups::types::{AssignedLabel, GroupAccessType, LicenseProcessingState},
    model::{Additional, Json},
    organization::types::{MdmAuthority, PartnerTenantType, PrivacyProfile, VerifiedDomain},
    service_principals::types::{ResourceSpecificPermission, SamlSingleSignOnSettings},
    subscribed_skus::types::{LicenseUnitsDetail, ServicePlanInfo},
    users::types::{
        AuthorizationInfo, AutomaticRepliesSetting, AutomaticRepliesStatus, DateTimeTimeZone,
        DayOfWeek, DelegateMeetingMessageDeliveryOptions, EmployeeOrgData, ExternalAudienceScope,
        LocaleInfo, MailboxSettings, ObjectIdentity, PasswordProfile, SignInActivity, TimeZoneBase,
        UserPurpose, WorkingHours,
    },
};
pub use apps::{AddIn, AppRole, InformationalUrl, PermissionScope, VerifiedPublisher};
pub use credentials::{KeyCredential, PasswordCredential};
pub use key_value::KeyValue;
pub use licensing::{AssignedLicense, AssignedPlan, LicenseAssignmentState, ProvisionedPlan};
pub use on_premises::{
    OnPremisesExtensionAttributes, OnPremisesProvisioningError, ServiceProvisioningError,
};
