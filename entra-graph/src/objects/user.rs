use entra_core::Timestamp;

use super::{
    directory_object::DirectoryObject,
    types::{
        AssignedLicense, AssignedPlan, AuthorizationInfo, EmployeeOrgData, LicenseAssignmentState,
        MailboxSettings, ObjectIdentity, OnPremisesExtensionAttributes,
        OnPremisesProvisioningError, PasswordProfile, ProvisionedPlan, ServiceProvisioningError,
        SignInActivity,
    },
};
use crate::{
    model::{Expanded, Json, capable, entity},
    odata::{Described, EntityInfo, nested},
};

// The eleven properties that Graph sends without a select are among these: business phones, names,
// job title, mail, mobile phone, office, language and the user principal name.
entity! {
    /// A user account of the tenant.
    ///
    /// Graph sends eleven properties unless a select names others.
    User: "#microsoft.graph.user", always [account_enabled, display_name, user_principal_name] {
        /// A description that the user wrote; for one user only.
        about_me: String = ABOUT_ME("aboutMe") set;
        /// Whether the account may sign in.
        account_enabled: bool = ACCOUNT_ENABLED("accountEnabled", "eq") set;
        /// `Minor`, `NotAdult` or `Adult`.
        age_group: String = AGE_GROUP("ageGroup", "eq") set;
        /// The licences of the user, whether assigned directly or through a group.
        assigned_licenses: Vec<AssignedLicense> = ASSIGNED_LICENSES("assignedLicenses");
        /// The service plans that the licences brought.
        assigned_plans: Vec<AssignedPlan> = ASSIGNED_PLANS("assignedPlans");
        /// The identifiers that a certificate must have to sign the user in.
        authorization_info: Box<AuthorizationInfo> as AuthorizationInfo = AUTHORIZATION_INFO("authorizationInfo");
        /// The birthday; for one user only.
        birthday: Timestamp = BIRTHDAY("birthday") set never null;
        /// The business phone, at most one.
        business_phones: Vec<String> = BUSINESS_PHONES("businessPhones", "eq+ ge+ le+ startsWith+") set;
        /// The city.
        city: String = CITY("city", "eq ge+ le+ startsWith null+") set;
        /// The company name, often of a guest.
        company_name: String = COMPANY_NAME("companyName", "eq+ ge+ le+ startsWith+ null+") set;
        /// Whether a parent agreed: `Granted`, `Denied` or `NotRequired`.
        consent_provided_for_minor: String = CONSENT_PROVIDED_FOR_MINOR("consentProvidedForMinor", "eq") set;
        /// The country or region.
        country: String = COUNTRY("country", "eq ge+ le+ startsWith null+") set;
        /// When the account was created.
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime", "eq ge le null+ orderby+");
        /// How the account came to be, such as `Invitation`.
        creation_type: String = CREATION_TYPE("creationType", "eq");
        /// Custom security attributes by set; only when selected.
        custom_security_attributes: Json = CUSTOM_SECURITY_ATTRIBUTES("customSecurityAttributes") set;
        /// When the account was deleted, if it can still be restored.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime", "eq+ ge+ le+ orderby+");
        /// The department.
        department: String = DEPARTMENT("department", "eq ge+ le+ startsWith null+") set;
        /// How many devices the user may enrol.
        device_enrollment_limit: i32 = DEVICE_ENROLLMENT_LIMIT("deviceEnrollmentLimit");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq ge+ le+ startsWith null+ orderby search") set;
        /// The hire date, also a future one.
        employee_hire_date: Timestamp = EMPLOYEE_HIRE_DATE("employeeHireDate", "eq+ ge+ le+") set;
        /// The employee id.
        employee_id: String = EMPLOYEE_ID("employeeId", "eq ge+ le+ startsWith+ null+") set;
        /// The date when the user leaves or left the company.
        employee_leave_date_time: Timestamp = EMPLOYEE_LEAVE_DATE_TIME("employeeLeaveDateTime") set;
        /// The division and cost center of the user.
        employee_org_data: Box<EmployeeOrgData> as EmployeeOrgData = EMPLOYEE_ORG_DATA("employeeOrgData") set;
        /// The kind of employment, such as `Employee` or `Contractor`.
        employee_type: String = EMPLOYEE_TYPE("employeeType", "eq+ ge+ le+ startsWith+") set;
        /// The state of a guest's invitation: `PendingAcceptance` or `Accepted`.
        external_user_state: String = EXTERNAL_USER_STATE("externalUserState", "eq") set;
        /// When the state of the invitation last changed.
        external_user_state_change_date_time: Timestamp = EXTERNAL_USER_STATE_CHANGE_DATE_TIME("externalUserStateChangeDateTime", "eq+");
        /// The fax number.
        fax_number: String = FAX_NUMBER("faxNumber", "eq+ ge+ le+ startsWith+ null+") set;
        /// The first name.
        given_name: String = GIVEN_NAME("givenName", "eq ge+ le+ startsWith null+") set;
        /// The hire date in SharePoint; for one user only.
        hire_date: Timestamp = HIRE_DATE("hireDate") set never null;
        /// The identities that the user can sign in with.
        identities: Vec<ObjectIdentity> = IDENTITIES("identities") set;
        /// The object id of the parent identity of an agent's user account.
        identity_parent_id: String = IDENTITY_PARENT_ID("identityParentId");
        /// Addresses for instant messages.
        im_addresses: Vec<String> = IM_ADDRESSES("imAddresses", "eq ge+ le+ startsWith");
        /// Interests; for one user only.
        interests: Vec<String> = INTERESTS("interests") set;
        /// Whether the account is a member of a restricted management administrative unit.
        is_management_restricted: bool = IS_MANAGEMENT_RESTRICTED("isManagementRestricted");
        /// Reserved for internal use by Entra.
        is_resource_account: bool = IS_RESOURCE_ACCOUNT("isResourceAccount", "eq") set;
        /// The job title.
        job_title: String = JOB_TITLE("jobTitle", "eq ge+ le+ startsWith null+") set;
        /// When the password was last changed.
        last_password_change_date_time: Timestamp = LAST_PASSWORD_CHANGE_DATE_TIME("lastPasswordChangeDateTime");
        /// The legal age group, computed from `age_group` and `consent_provided_for_minor`.
        legal_age_group_classification: String = LEGAL_AGE_GROUP_CLASSIFICATION("legalAgeGroupClassification");
        /// The assignment state of each licence, and whether it is inherited from a group.
        license_assignment_states: Vec<LicenseAssignmentState> = LICENSE_ASSIGNMENT_STATES("licenseAssignmentStates");
        /// The main mail address.
        mail: String = MAIL("mail", "eq ge+ le+ startsWith endsWith+ null+") set;
        /// The mail alias.
        mail_nickname: String = MAIL_NICKNAME("mailNickname", "eq ge+ le+ startsWith null+") set;
        /// Settings of the mailbox; for one user only.
        mailbox_settings: Box<MailboxSettings> as MailboxSettings = MAILBOX_SETTINGS("mailboxSettings") update;
        /// The mobile phone.
        mobile_phone: String = MOBILE_PHONE("mobilePhone", "eq+ ge+ le+ startsWith+ null+") set;
        /// The URL of the user's site; for one user only.
        my_site: String = MY_SITE("mySite") set;
        /// The office location.
        office_location: String = OFFICE_LOCATION("officeLocation", "eq+ ge+ le+ startsWith+ null+") set;
        /// The on-premises distinguished name.
        on_premises_distinguished_name: String = ON_PREMISES_DISTINGUISHED_NAME("onPremisesDistinguishedName");
        /// The on-premises domain name.
        on_premises_domain_name: String = ON_PREMISES_DOMAIN_NAME("onPremisesDomainName");
        /// The fifteen extension attributes.
        on_premises_extension_attributes: Box<OnPremisesExtensionAttributes> as OnPremisesExtensionAttributes = ON_PREMISES_EXTENSION_ATTRIBUTES("onPremisesExtensionAttributes") set;
        /// The immutable id that links the account to its on-premises account.
        on_premises_immutable_id: String = ON_PREMISES_IMMUTABLE_ID("onPremisesImmutableId", "eq ge+ le+") set;
        /// When the account was last synchronized from on-premises.
        on_premises_last_sync_date_time: Timestamp = ON_PREMISES_LAST_SYNC_DATE_TIME("onPremisesLastSyncDateTime", "eq ge le");
        /// Errors of the synchronization of the account.
        on_premises_provisioning_errors: Vec<OnPremisesProvisioningError> = ON_PREMISES_PROVISIONING_ERRORS("onPremisesProvisioningErrors");
        /// The on-premises SAM account name.
        on_premises_sam_account_name: String = ON_PREMISES_SAM_ACCOUNT_NAME("onPremisesSamAccountName", "eq+ ge+ le+ startsWith+");
        /// The on-premises security identifier (SID).
        on_premises_security_identifier: String = ON_PREMISES_SECURITY_IDENTIFIER("onPremisesSecurityIdentifier", "eq null+");
        /// Whether the account is synchronized from on-premises; null if it never was.
        on_premises_sync_enabled: bool = ON_PREMISES_SYNC_ENABLED("onPremisesSyncEnabled", "eq null+");
        /// The on-premises user principal name.
        on_premises_user_principal_name: String = ON_PREMISES_USER_PRINCIPAL_NAME("onPremisesUserPrincipalName", "eq ge+ le+ startsWith");
        /// Further mail addresses.
        other_mails: Vec<String> = OTHER_MAILS("otherMails", "eq ge+ le+ startsWith endsWith+") set;
        /// Exceptions from password rules, such as `DisablePasswordExpiration`.
        password_policies: String = PASSWORD_POLICIES("passwordPolicies", "null+") set;
        /// The password of a new account, and whether it must be changed.
        password_profile: Box<PasswordProfile> as PasswordProfile = PASSWORD_PROFILE("passwordProfile") set;
        /// Past projects; for one user only.
        past_projects: Vec<String> = PAST_PROJECTS("pastProjects") set;
        /// The postal code.
        postal_code: String = POSTAL_CODE("postalCode", "eq+ ge+ le+ startsWith+ null+") set;
        /// The preferred data location of the user.
        preferred_data_location: String = PREFERRED_DATA_LOCATION("preferredDataLocation") set;
        /// The language, such as `en-GB`.
        preferred_language: String = PREFERRED_LANGUAGE("preferredLanguage", "eq+ ge+ le+ startsWith+ null+") set;
        /// The preferred name; for one user only.
        preferred_name: String = PREFERRED_NAME("preferredName") set;
        /// Settings for printing.
        print: Json = PRINT("print");
        /// The service plans that are provisioned for the account.
        provisioned_plans: Vec<ProvisionedPlan> = PROVISIONED_PLANS("provisionedPlans");
        /// All mail addresses with their prefix: `SMTP:` marks the primary one.
        proxy_addresses: Vec<String> = PROXY_ADDRESSES("proxyAddresses", "eq ge+ le+ startsWith endsWith+");
        /// Responsibilities; for one user only.
        responsibilities: Vec<String> = RESPONSIBILITIES("responsibilities") set;
        /// Schools; for one user only.
        schools: Vec<String> = SCHOOLS("schools") set;
        /// The security identifier in the cloud.
        security_identifier: String = SECURITY_IDENTIFIER("securityIdentifier");
        /// Errors that services reported for the account.
        service_provisioning_errors: Vec<ServiceProvisioningError> = SERVICE_PROVISIONING_ERRORS("serviceProvisioningErrors");
        /// Whether the Outlook global address list shows the user.
        show_in_address_list: bool = SHOW_IN_ADDRESS_LIST("showInAddressList", "eq+") set;
        /// The last sign-ins of the user; only when selected or filtered by.
        sign_in_activity: Box<SignInActivity> as SignInActivity = SIGN_IN_ACTIVITY("signInActivity");
        /// Refresh tokens and sessions issued before this time are invalid.
        sign_in_sessions_valid_from_date_time: Timestamp = SIGN_IN_SESSIONS_VALID_FROM_DATE_TIME("signInSessionsValidFromDateTime");
        /// Skills; for one user only.
        skills: Vec<String> = SKILLS("skills") set;
        /// The state or province.
        state: String = STATE("state", "eq ge+ le+ startsWith null+") set;
        /// The street.
        street_address: String = STREET_ADDRESS("streetAddress", "eq+ ge+ le+ startsWith+ null+") set;
        /// The last name.
        surname: String = SURNAME("surname", "eq ge+ le+ startsWith null+") set;
        /// The usage location, a two-letter country code that licences require.
        usage_location: String = USAGE_LOCATION("usageLocation", "eq ge+ le+ startsWith null+") set;
        /// The user principal name, which the user signs in with.
        user_principal_name: String = USER_PRINCIPAL_NAME("userPrincipalName", "eq ge+ le+ startsWith endsWith+ orderby") set;
        /// `Member` or `Guest`.
        user_type: String = USER_TYPE("userType", "eq null+") set;
    }
    relations {
        /// Objects that the user created, when expanded.
        created_objects: Expanded<DirectoryObject> = CREATED_OBJECTS("createdObjects");
        /// The users whose manager this user is, when expanded.
        direct_reports: Expanded<DirectoryObject> = DIRECT_REPORTS("directReports");
        /// The manager, when expanded.
        manager: DirectoryObject = MANAGER("manager");
        /// Groups, roles and units that the user is a direct member of, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        member_of: Expanded<DirectoryObject> = MEMBER_OF("memberOf");
        /// Devices that the user owns, when expanded.
        owned_devices: Expanded<DirectoryObject> = OWNED_DEVICES("ownedDevices");
        /// Objects that the user owns, when expanded.
        owned_objects: Expanded<DirectoryObject> = OWNED_OBJECTS("ownedObjects");
        /// Devices that the user registered, when expanded.
        registered_devices: Expanded<DirectoryObject> = REGISTERED_DEVICES("registeredDevices");
        /// Groups, roles and units that the user is a member of directly or through other groups, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        transitive_member_of: Expanded<DirectoryObject> = TRANSITIVE_MEMBER_OF("transitiveMemberOf");
    }
}

impl Described for User {
    const INFO: EntityInfo = EntityInfo::directory("user", "users")
        .with_nested(&[
            // The table of operators says default mode. There, page 2 of a large result fails with
            // Directory_ExpiredPageToken (msgraph-sdk-java 368, microsoft-graph-docs 13901).
            nested("assignedLicenses/skuId", "eq+"),
            nested("assignedPlans/capabilityStatus", "eq+"),
            nested("assignedPlans/service", "eq+"),
            nested("assignedPlans/servicePlanId", "eq+"),
            nested("employeeOrgData/costCenter", "eq+"),
            nested("employeeOrgData/division", "eq+"),
            nested("createdObjects/id", "eq+"),
            nested("identities/issuer", "eq null"),
            // Graph finds an identity by both of its parts only.
            nested("identities/issuerAssignedId", "eq"),
            nested("manager/deletedDateTime", "eq ge le"),
            nested("manager/id", "eq"),
            nested(
                "onPremisesExtensionAttributes/extensionAttribute*",
                "eq+ null+",
            ),
            nested("onPremisesProvisioningErrors/category", "eq"),
            nested("onPremisesProvisioningErrors/propertyCausingError", "eq"),
            nested("passwordProfile/forceChangePasswordNextSignIn", "eq+ null+"),
            nested(
                "passwordProfile/forceChangePasswordNextSignInWithMfa",
                "eq+ null+",
            ),
            nested("provisionedPlans/provisioningStatus", "eq+"),
            nested("provisionedPlans/service", "eq+"),
            // Documented with the property itself, not in the table of operators.
            nested("signInActivity/lastSignInDateTime", "eq ge le"),
            nested(
                "signInActivity/lastNonInteractiveSignInDateTime",
                "eq ge le",
            ),
            nested("signInActivity/lastSuccessfulSignInDateTime", "eq ge le"),
        ])
        // SharePoint and Exchange have them. A list that selects one is a 501 (page "List users").
        .with_not_in_lists(&[
            "aboutMe",
            "birthday",
            "hireDate",
            "interests",
            "mailboxSettings",
            "mySite",
            "pastProjects",
            "preferredName",
            "responsibilities",
            "schools",
            "skills",
        ]);
}

capable!(User: Selectable, Filterable, Orderable, Searchable, Expandable, Toppable, Countable);
