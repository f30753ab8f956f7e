//! Complex types, the parts of entities; those of one area only are beside its entity.

mod key_value;
mod licensing;
mod on_premises;

pub use crate::{
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
    subscribed_skus::types::{LicenseUnitsDetail, ServicePlanInfo},
    users::types::{
        AuthorizationInfo, AutomaticRepliesSetting, AutomaticRepliesStatus, DateTimeTimeZone,
        DayOfWeek, DelegateMeetingMessageDeliveryOptions, EmployeeOrgData, ExternalAudienceScope,
        LocaleInfo, MailboxSettings, ObjectIdentity, PasswordProfile, SignInActivity, TimeZoneBase,
        UserPurpose, WorkingHours,
    },
};
pub use key_value::KeyValue;
pub use licensing::{AssignedLicense, AssignedPlan, LicenseAssignmentState, ProvisionedPlan};
pub use on_premises::{
    OnPremisesExtensionAttributes, OnPremisesProvisioningError, ServiceProvisioningError,
};
