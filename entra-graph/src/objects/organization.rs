use entra_core::Timestamp;

use super::types::{
    AssignedPlan, MdmAuthority, PartnerTenantType, PrivacyProfile, ProvisionedPlan, VerifiedDomain,
};
use crate::{
    model::{capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// The tenant itself.
    Organization: "#microsoft.graph.organization", always [display_name] {
        /// When the tenant was deleted; empty for a live one.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// Service plans assigned to the tenant.
        assigned_plans: Vec<AssignedPlan> = ASSIGNED_PLANS("assignedPlans");
        /// Phone number of the organisation; at most one.
        business_phones: Vec<String> = BUSINESS_PHONES("businessPhones");
        /// City of the address.
        city: String = CITY("city");
        /// Country or region of the address.
        country: String = COUNTRY("country");
        /// Two-letter country code (ISO 3166).
        country_letter_code: String = COUNTRY_LETTER_CODE("countryLetterCode");
        /// When the tenant was created.
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime");
        /// Usage location that new users get by default.
        default_usage_location: String = DEFAULT_USAGE_LOCATION("defaultUsageLocation");
        /// Name of the tenant.
        display_name: String = DISPLAY_NAME("displayName");
        /// Addresses for marketing mail.
        marketing_notification_emails: Vec<String> = MARKETING_NOTIFICATION_EMAILS("marketingNotificationEmails") update;
        /// Which service manages mobile devices.
        mobile_device_management_authority: MdmAuthority = MOBILE_DEVICE_MANAGEMENT_AUTHORITY("mobileDeviceManagementAuthority");
        /// Last synchronisation from the on-premises directory.
        on_premises_last_sync_date_time: Timestamp = ON_PREMISES_LAST_SYNC_DATE_TIME("onPremisesLastSyncDateTime");
        /// Whether the tenant synchronises; empty if it never did.
        on_premises_sync_enabled: bool = ON_PREMISES_SYNC_ENABLED("onPremisesSyncEnabled");
        /// Kind of partner the tenant is; empty for customers.
        partner_tenant_type: PartnerTenantType = PARTNER_TENANT_TYPE("partnerTenantType");
        /// Postal code of the address.
        postal_code: String = POSTAL_CODE("postalCode");
        /// Preferred language as an ISO 639-1 tag.
        preferred_language: String = PREFERRED_LANGUAGE("preferredLanguage");
        /// Where the privacy statement is.
        privacy_profile: Box<PrivacyProfile> as PrivacyProfile = PRIVACY_PROFILE("privacyProfile") update;
        /// Service plans that are provisioned, with their state.
        provisioned_plans: Vec<ProvisionedPlan> = PROVISIONED_PLANS("provisionedPlans");
        /// Addresses for security and compliance news.
        security_compliance_notification_mails: Vec<String> = SECURITY_COMPLIANCE_NOTIFICATION_MAILS("securityComplianceNotificationMails") update;
        /// Phone numbers for security and compliance news.
        security_compliance_notification_phones: Vec<String> = SECURITY_COMPLIANCE_NOTIFICATION_PHONES("securityComplianceNotificationPhones") update;
        /// State or province of the address.
        state: String = STATE("state");
        /// Street of the address.
        street: String = STREET("street");
        /// Addresses for technical notices.
        technical_notification_mails: Vec<String> = TECHNICAL_NOTIFICATION_MAILS("technicalNotificationMails") update;
        /// `AAD`, `AAD B2C` or `CIAM`.
        tenant_type: String = TENANT_TYPE("tenantType");
        /// The verified domains of the tenant.
        verified_domains: Vec<VerifiedDomain> = VERIFIED_DOMAINS("verifiedDomains");
    }
}

impl Described for Organization {
    const INFO: EntityInfo = EntityInfo::other("organization", "organizations", None);
}

capable!(Organization: Selectable);
