use entra_core::Timestamp;

use super::{
    directory_object::DirectoryObject,
    types::{AlternativeSecurityId, OnPremisesExtensionAttributes},
};
use crate::{
    model::{Expanded, capable, entity},
    odata::{Described, EntityInfo, nested},
};

entity! {
    /// A computer or phone that is known to the tenant.
    Device: "#microsoft.graph.device", always [display_name, device_id] {
        /// When the device was deleted; empty for a live device.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime", "orderby+");
        /// Whether the device may sign in.
        account_enabled: bool = ACCOUNT_ENABLED("accountEnabled", "eq") set;
        /// Certificate identities of the device, for internal use by Entra.
        alternative_security_ids: Vec<AlternativeSecurityId> = ALTERNATIVE_SECURITY_IDS("alternativeSecurityIds") create;
        /// Last sign-in of the device, accurate to some days.
        approximate_last_sign_in_date_time: Timestamp = APPROXIMATE_LAST_SIGN_IN_DATE_TIME("approximateLastSignInDateTime", "eq ge le null+ orderby+");
        /// When the compliance state stops being valid.
        compliance_expiration_date_time: Timestamp = COMPLIANCE_EXPIRATION_DATE_TIME("complianceExpirationDateTime");
        /// Category set by the management service.
        device_category: String = DEVICE_CATEGORY("deviceCategory");
        /// Id given at registration, usable as a key instead of `id`.
        device_id: String = DEVICE_ID("deviceId", "eq startsWith+") create;
        /// Service-internal metadata.
        device_metadata: String = DEVICE_METADATA("deviceMetadata");
        /// `company`, `personal` or `unknown`, set by the management service.
        device_ownership: String = DEVICE_OWNERSHIP("deviceOwnership");
        /// Service-internal version number.
        device_version: i32 = DEVICE_VERSION("deviceVersion");
        /// Name of the device.
        display_name: String = DISPLAY_NAME("displayName", "eq ge+ le+ startsWith null+ orderby+ search") set;
        /// Enrolment profile the device came in with.
        enrollment_profile_name: String = ENROLLMENT_PROFILE_NAME("enrollmentProfileName");
        /// How the device was enrolled with the management service.
        enrollment_type: String = ENROLLMENT_TYPE("enrollmentType");
        /// The fifteen extension attributes of the device.
        extension_attributes: Box<OnPremisesExtensionAttributes> as OnPremisesExtensionAttributes = EXTENSION_ATTRIBUTES("extensionAttributes") set;
        /// Whether it meets the compliance policies; only a device management service can set it.
        is_compliant: bool = IS_COMPLIANT("isCompliant", "eq") update;
        /// Whether a device management service manages it; only such a service can set it.
        is_managed: bool = IS_MANAGED("isManaged", "eq") update;
        /// Whether only administrators of a restricted unit may manage it.
        is_management_restricted: bool = IS_MANAGEMENT_RESTRICTED("isManagementRestricted");
        /// Whether it is rooted or jailbroken.
        is_rooted: bool = IS_ROOTED("isRooted");
        /// Channel through which it is managed.
        management_type: String = MANAGEMENT_TYPE("managementType");
        /// Manufacturer of the device.
        manufacturer: String = MANUFACTURER("manufacturer");
        /// Application id of the management service that enrolled it.
        mdm_app_id: String = MDM_APP_ID("mdmAppId", "eq startsWith+ null+");
        /// Model name.
        model: String = MODEL("model");
        /// Last synchronisation from the on-premises directory.
        on_premises_last_sync_date_time: Timestamp = ON_PREMISES_LAST_SYNC_DATE_TIME("onPremisesLastSyncDateTime", "eq ge le");
        /// Security identifier (SID) in the synchronised directory.
        on_premises_security_identifier: String = ON_PREMISES_SECURITY_IDENTIFIER("onPremisesSecurityIdentifier");
        /// Whether it is synchronised; empty if it never was.
        on_premises_sync_enabled: bool = ON_PREMISES_SYNC_ENABLED("onPremisesSyncEnabled", "eq null+");
        /// Operating system family, such as `Windows`.
        operating_system: String = OPERATING_SYSTEM("operatingSystem", "eq startsWith null+") set;
        /// Operating system version.
        operating_system_version: String = OPERATING_SYSTEM_VERSION("operatingSystemVersion", "eq startsWith null+") set;
        /// Hardware and order identifiers.
        physical_ids: Vec<String> = PHYSICAL_IDS("physicalIds", "eq");
        /// `RegisteredDevice`, `SecureVM`, `Printer`, `Shared` or `IoT`.
        profile_type: String = PROFILE_TYPE("profileType");
        /// When the device was registered.
        registration_date_time: Timestamp = REGISTRATION_DATE_TIME("registrationDateTime", "eq+ ge+ le+");
        /// Labels the system put on the device.
        system_labels: Vec<String> = SYSTEM_LABELS("systemLabels");
        /// `Workplace`, `AzureAd` or `ServerAd`: how it is joined.
        trust_type: String = TRUST_TYPE("trustType");
    }
    relations {
        /// Groups and units that the device is a direct member of, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        member_of: Expanded<DirectoryObject> = MEMBER_OF("memberOf");
        /// The users who joined or registered the device, when expanded.
        registered_owners: Expanded<DirectoryObject> = REGISTERED_OWNERS("registeredOwners");
        /// The users of the device, when expanded.
        registered_users: Expanded<DirectoryObject> = REGISTERED_USERS("registeredUsers");
        /// Groups and units that the device is a member of directly or through other groups, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        transitive_member_of: Expanded<DirectoryObject> = TRANSITIVE_MEMBER_OF("transitiveMemberOf");
    }
}

impl Described for Device {
    const INFO: EntityInfo = EntityInfo::directory("device", "devices").with_nested(&[
        nested("alternativeSecurityIds/identityProvider", "eq+"),
        nested("alternativeSecurityIds/type", "eq ge+ le+"),
        nested("extensionAttributes/extensionAttribute*", "eq+ null+"),
    ]);
}

capable!(Device: Selectable, Filterable, Orderable, Searchable, Expandable, Toppable, Countable);
