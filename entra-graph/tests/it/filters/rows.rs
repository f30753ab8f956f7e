//! Each documented path as a property of this crate, by the name in the table of operators.

use entra_graph::{
    AppRoleAssignment, Application, Device, DirectoryObject, Group, OAuth2PermissionGrant,
    ServicePrincipal, SignIn, User,
    types::{
        AlternativeSecurityId, AssignedLicense, AssignedPlan, EmployeeOrgData, InformationalUrl,
        ObjectIdentity, OnPremisesExtensionAttributes, OnPremisesProvisioningError,
        PasswordProfile, ProvisionedPlan, PublicClientApplication, RequiredResourceAccess,
        SpaApplication, VerifiedPublisher, WebApplication,
    },
};

use super::{Row, any, flag, guid, number, related, text, texts, time};

pub(super) const USERS: &[Row<User>] = &[
    ("accountEnabled", |op| flag(&User::ACCOUNT_ENABLED, op)),
    ("ageGroup", |op| text(&User::AGE_GROUP, op)),
    ("assignedLicenses/any(a:a/skuId)", |op| {
        any(&User::ASSIGNED_LICENSES, op, |one| {
            guid(&one.path(AssignedLicense::SKU_ID), op)
        })
    }),
    ("assignedPlans/any(a:a/capabilityStatus)", |op| {
        any(&User::ASSIGNED_PLANS, op, |one| {
            text(&one.path(AssignedPlan::CAPABILITY_STATUS), op)
        })
    }),
    ("assignedPlans/any(a:a/service)", |op| {
        any(&User::ASSIGNED_PLANS, op, |one| {
            text(&one.path(AssignedPlan::SERVICE), op)
        })
    }),
    ("assignedPlans/any(a:a/servicePlanId)", |op| {
        any(&User::ASSIGNED_PLANS, op, |one| {
            guid(&one.path(AssignedPlan::SERVICE_PLAN_ID), op)
        })
    }),
    ("businessPhones/any(p:p)", |op| {
        texts(&User::BUSINESS_PHONES, op)
    }),
    ("city", |op| text(&User::CITY, op)),
    ("companyName", |op| text(&User::COMPANY_NAME, op)),
    ("consentProvidedForMinor", |op| {
        text(&User::CONSENT_PROVIDED_FOR_MINOR, op)
    }),
    ("country", |op| text(&User::COUNTRY, op)),
    ("createdDateTime", |op| time(&User::CREATED_DATE_TIME, op)),
    ("createdObjects/any(c:c/id)", |op| {
        related(&User::CREATED_OBJECTS, op, |one| {
            text(&one.path(DirectoryObject::ID), op)
        })
    }),
    ("creationType", |op| text(&User::CREATION_TYPE, op)),
    ("deletedDateTime", |op| time(&User::DELETED_DATE_TIME, op)),
    ("department", |op| text(&User::DEPARTMENT, op)),
    ("displayName", |op| text(&User::DISPLAY_NAME, op)),
    ("employeeHireDate", |op| time(&User::EMPLOYEE_HIRE_DATE, op)),
    ("employeeId", |op| text(&User::EMPLOYEE_ID, op)),
    ("employeeOrgData/costCenter", |op| {
        text(
            &User::EMPLOYEE_ORG_DATA.path(EmployeeOrgData::COST_CENTER),
            op,
        )
    }),
    ("employeeOrgData/division", |op| {
        text(&User::EMPLOYEE_ORG_DATA.path(EmployeeOrgData::DIVISION), op)
    }),
    ("employeeType", |op| text(&User::EMPLOYEE_TYPE, op)),
    ("externalUserState", |op| {
        text(&User::EXTERNAL_USER_STATE, op)
    }),
    ("externalUserStateChangeDateTime", |op| {
        time(&User::EXTERNAL_USER_STATE_CHANGE_DATE_TIME, op)
    }),
    ("faxNumber", |op| text(&User::FAX_NUMBER, op)),
    ("givenName", |op| text(&User::GIVEN_NAME, op)),
    ("id", |op| text(&User::ID, op)),
    ("identities/any(i:i/issuer)", |op| {
        any(&User::IDENTITIES, op, |one| {
            text(&one.path(ObjectIdentity::ISSUER), op)
        })
    }),
    ("imAddresses/any(p:p)", |op| texts(&User::IM_ADDRESSES, op)),
    ("isResourceAccount", |op| {
        flag(&User::IS_RESOURCE_ACCOUNT, op)
    }),
    ("jobTitle", |op| text(&User::JOB_TITLE, op)),
    ("mail", |op| text(&User::MAIL, op)),
    ("mailNickname", |op| text(&User::MAIL_NICKNAME, op)),
    ("manager/deletedDateTime", |op| {
        time(&User::MANAGER.path(DirectoryObject::DELETED_DATE_TIME), op)
    }),
    ("manager/id", |op| {
        text(&User::MANAGER.path(DirectoryObject::ID), op)
    }),
    ("mobilePhone", |op| text(&User::MOBILE_PHONE, op)),
    ("officeLocation", |op| text(&User::OFFICE_LOCATION, op)),
    (
        "onPremisesExtensionAttributes/extensionAttribute1-15",
        |op| {
            text(
                &User::ON_PREMISES_EXTENSION_ATTRIBUTES
                    .path(OnPremisesExtensionAttributes::EXTENSION_ATTRIBUTE15),
                op,
            )
        },
    ),
    ("onPremisesImmutableId", |op| {
        text(&User::ON_PREMISES_IMMUTABLE_ID, op)
    }),
    ("onPremisesLastSyncDateTime", |op| {
        time(&User::ON_PREMISES_LAST_SYNC_DATE_TIME, op)
    }),
    ("onPremisesProvisioningErrors/any(o:o/category)", |op| {
        any(&User::ON_PREMISES_PROVISIONING_ERRORS, op, |one| {
            text(&one.path(OnPremisesProvisioningError::CATEGORY), op)
        })
    }),
    (
        "onPremisesProvisioningErrors/any(o:o/propertyCausingError)",
        |op| {
            any(&User::ON_PREMISES_PROVISIONING_ERRORS, op, |one| {
                text(
                    &one.path(OnPremisesProvisioningError::PROPERTY_CAUSING_ERROR),
                    op,
                )
            })
        },
    ),
    ("onPremisesSamAccountName", |op| {
        text(&User::ON_PREMISES_SAM_ACCOUNT_NAME, op)
    }),
    ("onPremisesSecurityIdentifier", |op| {
        text(&User::ON_PREMISES_SECURITY_IDENTIFIER, op)
    }),
    ("onPremisesSyncEnabled", |op| {
        flag(&User::ON_PREMISES_SYNC_ENABLED, op)
    }),
    ("onPremisesUserPrincipalName", |op| {
        text(&User::ON_PREMISES_USER_PRINCIPAL_NAME, op)
    }),
    ("otherMails/any(p:p)", |op| texts(&User::OTHER_MAILS, op)),
    ("passwordPolicies", |op| text(&User::PASSWORD_POLICIES, op)),
    ("passwordProfile/forceChangePasswordNextSignIn", |op| {
        flag(
            &User::PASSWORD_PROFILE.path(PasswordProfile::FORCE_CHANGE_PASSWORD_NEXT_SIGN_IN),
            op,
        )
    }),
    (
        "passwordProfile/forceChangePasswordNextSignInWithMfa",
        |op| {
            flag(
                &User::PASSWORD_PROFILE
                    .path(PasswordProfile::FORCE_CHANGE_PASSWORD_NEXT_SIGN_IN_WITH_MFA),
                op,
            )
        },
    ),
    ("postalCode", |op| text(&User::POSTAL_CODE, op)),
    ("preferredLanguage", |op| {
        text(&User::PREFERRED_LANGUAGE, op)
    }),
    ("provisionedPlans/any(p:p/provisioningStatus)", |op| {
        any(&User::PROVISIONED_PLANS, op, |one| {
            text(&one.path(ProvisionedPlan::PROVISIONING_STATUS), op)
        })
    }),
    ("provisionedPlans/any(p:p/service)", |op| {
        any(&User::PROVISIONED_PLANS, op, |one| {
            text(&one.path(ProvisionedPlan::SERVICE), op)
        })
    }),
    ("proxyAddresses/any(p:p)", |op| {
        texts(&User::PROXY_ADDRESSES, op)
    }),
    ("showInAddressList", |op| {
        flag(&User::SHOW_IN_ADDRESS_LIST, op)
    }),
    ("state", |op| text(&User::STATE, op)),
    ("streetAddress", |op| text(&User::STREET_ADDRESS, op)),
    ("surname", |op| text(&User::SURNAME, op)),
    ("usageLocation", |op| text(&User::USAGE_LOCATION, op)),
    ("userPrincipalName", |op| {
        text(&User::USER_PRINCIPAL_NAME, op)
    }),
    ("userType", |op| text(&User::USER_TYPE, op)),
];

pub(super) const GROUPS: &[Row<Group>] = &[
    ("assignedLicenses/any(a:a/skuId)", |op| {
        any(&Group::ASSIGNED_LICENSES, op, |one| {
            guid(&one.path(AssignedLicense::SKU_ID), op)
        })
    }),
    ("classification", |op| text(&Group::CLASSIFICATION, op)),
    ("createdDateTime", |op| time(&Group::CREATED_DATE_TIME, op)),
    ("createdOnBehalfOf/deletedDateTime", |op| {
        time(
            &Group::CREATED_ON_BEHALF_OF.path(DirectoryObject::DELETED_DATE_TIME),
            op,
        )
    }),
    ("createdOnBehalfOf/id", |op| {
        text(&Group::CREATED_ON_BEHALF_OF.path(DirectoryObject::ID), op)
    }),
    ("description", |op| text(&Group::DESCRIPTION, op)),
    ("displayName", |op| text(&Group::DISPLAY_NAME, op)),
    ("expirationDateTime", |op| {
        time(&Group::EXPIRATION_DATE_TIME, op)
    }),
    ("groupTypes/any(p:p)", |op| texts(&Group::GROUP_TYPES, op)),
    ("hasMembersWithLicenseErrors", |op| {
        flag(&Group::HAS_MEMBERS_WITH_LICENSE_ERRORS, op)
    }),
    ("id", |op| text(&Group::ID, op)),
    ("infoCatalogs/any(p:p)", |op| {
        texts(&Group::INFO_CATALOGS, op)
    }),
    ("isAssignableToRole", |op| {
        flag(&Group::IS_ASSIGNABLE_TO_ROLE, op)
    }),
    ("mail", |op| text(&Group::MAIL, op)),
    ("mailEnabled", |op| flag(&Group::MAIL_ENABLED, op)),
    ("mailNickname", |op| text(&Group::MAIL_NICKNAME, op)),
    ("membershipRule", |op| text(&Group::MEMBERSHIP_RULE, op)),
    ("membershipRuleProcessingState", |op| {
        text(&Group::MEMBERSHIP_RULE_PROCESSING_STATE, op)
    }),
    ("onPremisesLastSyncDateTime", |op| {
        time(&Group::ON_PREMISES_LAST_SYNC_DATE_TIME, op)
    }),
    ("onPremisesProvisioningErrors/any(o:o/category)", |op| {
        any(&Group::ON_PREMISES_PROVISIONING_ERRORS, op, |one| {
            text(&one.path(OnPremisesProvisioningError::CATEGORY), op)
        })
    }),
    (
        "onPremisesProvisioningErrors/any(o:o/propertyCausingError)",
        |op| {
            any(&Group::ON_PREMISES_PROVISIONING_ERRORS, op, |one| {
                text(
                    &one.path(OnPremisesProvisioningError::PROPERTY_CAUSING_ERROR),
                    op,
                )
            })
        },
    ),
    ("onPremisesSamAccountName", |op| {
        text(&Group::ON_PREMISES_SAM_ACCOUNT_NAME, op)
    }),
    ("onPremisesSecurityIdentifier", |op| {
        text(&Group::ON_PREMISES_SECURITY_IDENTIFIER, op)
    }),
    ("onPremisesSyncEnabled", |op| {
        flag(&Group::ON_PREMISES_SYNC_ENABLED, op)
    }),
    ("preferredLanguage", |op| {
        text(&Group::PREFERRED_LANGUAGE, op)
    }),
    ("proxyAddresses/any(p:p)", |op| {
        texts(&Group::PROXY_ADDRESSES, op)
    }),
    ("renewedDateTime", |op| time(&Group::RENEWED_DATE_TIME, op)),
    ("resourceBehaviorOptions/any(p:p)", |op| {
        texts(&Group::RESOURCE_BEHAVIOR_OPTIONS, op)
    }),
    ("resourceProvisioningOptions/any(p:p)", |op| {
        texts(&Group::RESOURCE_PROVISIONING_OPTIONS, op)
    }),
    ("securityEnabled", |op| flag(&Group::SECURITY_ENABLED, op)),
];

pub(super) const APPLICATIONS: &[Row<Application>] = &[
    ("appId", |op| text(&Application::APP_ID, op)),
    ("applicationTemplateId", |op| {
        text(&Application::APPLICATION_TEMPLATE_ID, op)
    }),
    ("createdDateTime", |op| {
        time(&Application::CREATED_DATE_TIME, op)
    }),
    ("createdOnBehalfOf/deletedDateTime", |op| {
        time(
            &Application::CREATED_ON_BEHALF_OF.path(DirectoryObject::DELETED_DATE_TIME),
            op,
        )
    }),
    ("createdOnBehalfOf/id", |op| {
        text(
            &Application::CREATED_ON_BEHALF_OF.path(DirectoryObject::ID),
            op,
        )
    }),
    ("description", |op| text(&Application::DESCRIPTION, op)),
    ("disabledByMicrosoftStatus", |op| {
        text(&Application::DISABLED_BY_MICROSOFT_STATUS, op)
    }),
    ("displayName", |op| text(&Application::DISPLAY_NAME, op)),
    ("id", |op| text(&Application::ID, op)),
    ("identifierUris/any(p:p)", |op| {
        texts(&Application::IDENTIFIER_URIS, op)
    }),
    ("info/logoUrl", |op| {
        text(&Application::INFO.path(InformationalUrl::LOGO_URL), op)
    }),
    ("info/termsOfServiceUrl", |op| {
        text(
            &Application::INFO.path(InformationalUrl::TERMS_OF_SERVICE_URL),
            op,
        )
    }),
    ("publicClient/redirectUris/any(p:p)", |op| {
        texts(
            &Application::PUBLIC_CLIENT.path(PublicClientApplication::REDIRECT_URIS),
            op,
        )
    }),
    ("publisherDomain", |op| {
        text(&Application::PUBLISHER_DOMAIN, op)
    }),
    ("requiredResourceAccess/any(r:r/resourceAppId)", |op| {
        any(&Application::REQUIRED_RESOURCE_ACCESS, op, |one| {
            text(&one.path(RequiredResourceAccess::RESOURCE_APP_ID), op)
        })
    }),
    ("serviceManagementReference", |op| {
        text(&Application::SERVICE_MANAGEMENT_REFERENCE, op)
    }),
    ("signInAudience", |op| {
        text(&Application::SIGN_IN_AUDIENCE, op)
    }),
    ("spa/redirectUris/any(p:p)", |op| {
        texts(&Application::SPA.path(SpaApplication::REDIRECT_URIS), op)
    }),
    ("tags/any(p:p)", |op| texts(&Application::TAGS, op)),
    ("uniqueName", |op| text(&Application::UNIQUE_NAME, op)),
    ("verifiedPublisher/displayName", |op| {
        text(
            &Application::VERIFIED_PUBLISHER.path(VerifiedPublisher::DISPLAY_NAME),
            op,
        )
    }),
    ("web/homePageUrl", |op| {
        text(&Application::WEB.path(WebApplication::HOME_PAGE_URL), op)
    }),
    ("web/redirectUris/any(p:p)", |op| {
        texts(&Application::WEB.path(WebApplication::REDIRECT_URIS), op)
    }),
];

pub(super) const SERVICE_PRINCIPALS: &[Row<ServicePrincipal>] = &[
    ("accountEnabled", |op| {
        flag(&ServicePrincipal::ACCOUNT_ENABLED, op)
    }),
    ("alternativeNames/any(p:p)", |op| {
        texts(&ServicePrincipal::ALTERNATIVE_NAMES, op)
    }),
    ("appId", |op| text(&ServicePrincipal::APP_ID, op)),
    ("appOwnerOrganizationId", |op| {
        guid(&ServicePrincipal::APP_OWNER_ORGANIZATION_ID, op)
    }),
    ("appRoleAssignmentRequired", |op| {
        flag(&ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED, op)
    }),
    ("applicationTemplateId", |op| {
        text(&ServicePrincipal::APPLICATION_TEMPLATE_ID, op)
    }),
    ("createdObjects/any(c:c/id)", |op| {
        related(&ServicePrincipal::CREATED_OBJECTS, op, |one| {
            text(&one.path(DirectoryObject::ID), op)
        })
    }),
    ("description", |op| text(&ServicePrincipal::DESCRIPTION, op)),
    ("disabledByMicrosoftStatus", |op| {
        text(&ServicePrincipal::DISABLED_BY_MICROSOFT_STATUS, op)
    }),
    ("displayName", |op| {
        text(&ServicePrincipal::DISPLAY_NAME, op)
    }),
    ("homepage", |op| text(&ServicePrincipal::HOMEPAGE, op)),
    ("id", |op| text(&ServicePrincipal::ID, op)),
    ("info/logoUrl", |op| {
        text(&ServicePrincipal::INFO.path(InformationalUrl::LOGO_URL), op)
    }),
    ("info/termsOfServiceUrl", |op| {
        text(
            &ServicePrincipal::INFO.path(InformationalUrl::TERMS_OF_SERVICE_URL),
            op,
        )
    }),
    ("servicePrincipalNames/any(p:p)", |op| {
        texts(&ServicePrincipal::SERVICE_PRINCIPAL_NAMES, op)
    }),
    ("tags/any(p:p)", |op| texts(&ServicePrincipal::TAGS, op)),
];

pub(super) const DEVICES: &[Row<Device>] = &[
    ("accountEnabled", |op| flag(&Device::ACCOUNT_ENABLED, op)),
    ("alternativeSecurityIds/any(a:a/identityProvider)", |op| {
        any(&Device::ALTERNATIVE_SECURITY_IDS, op, |one| {
            text(&one.path(AlternativeSecurityId::IDENTITY_PROVIDER), op)
        })
    }),
    ("alternativeSecurityIds/any(a:a/type)", |op| {
        any(&Device::ALTERNATIVE_SECURITY_IDS, op, |one| {
            number(&one.path(AlternativeSecurityId::KIND), op)
        })
    }),
    ("approximateLastSignInDateTime", |op| {
        time(&Device::APPROXIMATE_LAST_SIGN_IN_DATE_TIME, op)
    }),
    ("deviceId", |op| text(&Device::DEVICE_ID, op)),
    ("displayName", |op| text(&Device::DISPLAY_NAME, op)),
    ("extensionAttributes1-15", |op| {
        text(
            &Device::EXTENSION_ATTRIBUTES.path(OnPremisesExtensionAttributes::EXTENSION_ATTRIBUTE1),
            op,
        )
    }),
    ("id", |op| text(&Device::ID, op)),
    ("isCompliant", |op| flag(&Device::IS_COMPLIANT, op)),
    ("isManaged", |op| flag(&Device::IS_MANAGED, op)),
    ("mdmAppId", |op| text(&Device::MDM_APP_ID, op)),
    ("onPremisesLastSyncDateTime", |op| {
        time(&Device::ON_PREMISES_LAST_SYNC_DATE_TIME, op)
    }),
    ("onPremisesSyncEnabled", |op| {
        flag(&Device::ON_PREMISES_SYNC_ENABLED, op)
    }),
    ("operatingSystem", |op| text(&Device::OPERATING_SYSTEM, op)),
    ("operatingSystemVersion", |op| {
        text(&Device::OPERATING_SYSTEM_VERSION, op)
    }),
    ("physicalIds/any(p:p)", |op| {
        texts(&Device::PHYSICAL_IDS, op)
    }),
    ("registrationDateTime", |op| {
        time(&Device::REGISTRATION_DATE_TIME, op)
    }),
];

#[cfg(feature = "contacts")]
pub(super) const CONTACTS: &[Row<entra_graph::OrgContact>] = {
    use entra_graph::OrgContact;
    &[
        ("companyName", |op| text(&OrgContact::COMPANY_NAME, op)),
        ("department", |op| text(&OrgContact::DEPARTMENT, op)),
        ("displayName", |op| text(&OrgContact::DISPLAY_NAME, op)),
        ("givenName", |op| text(&OrgContact::GIVEN_NAME, op)),
        ("id", |op| text(&OrgContact::ID, op)),
        ("jobTitle", |op| text(&OrgContact::JOB_TITLE, op)),
        ("mail", |op| text(&OrgContact::MAIL, op)),
        ("mailNickname", |op| text(&OrgContact::MAIL_NICKNAME, op)),
        ("manager/id", |op| {
            text(&OrgContact::MANAGER.path(DirectoryObject::ID), op)
        }),
        ("onPremisesLastSyncDateTime", |op| {
            time(&OrgContact::ON_PREMISES_LAST_SYNC_DATE_TIME, op)
        }),
        ("onPremisesProvisioningErrors/any(o:o/category)", |op| {
            any(&OrgContact::ON_PREMISES_PROVISIONING_ERRORS, op, |one| {
                text(&one.path(OnPremisesProvisioningError::CATEGORY), op)
            })
        }),
        (
            "onPremisesProvisioningErrors/any(o:o/propertyCausingError)",
            |op| {
                any(&OrgContact::ON_PREMISES_PROVISIONING_ERRORS, op, |one| {
                    text(
                        &one.path(OnPremisesProvisioningError::PROPERTY_CAUSING_ERROR),
                        op,
                    )
                })
            },
        ),
        ("onPremisesSyncEnabled", |op| {
            flag(&OrgContact::ON_PREMISES_SYNC_ENABLED, op)
        }),
        ("proxyAddresses/any(p:p)", |op| {
            texts(&OrgContact::PROXY_ADDRESSES, op)
        }),
        ("surname", |op| text(&OrgContact::SURNAME, op)),
    ]
};

#[cfg(feature = "administrative-units")]
pub(super) const UNITS: &[Row<entra_graph::AdministrativeUnit>] = {
    use entra_graph::AdministrativeUnit;
    &[
        ("description", |op| {
            text(&AdministrativeUnit::DESCRIPTION, op)
        }),
        ("displayName", |op| {
            text(&AdministrativeUnit::DISPLAY_NAME, op)
        }),
        ("id", |op| text(&AdministrativeUnit::ID, op)),
        ("isMemberManagementRestricted", |op| {
            flag(&AdministrativeUnit::IS_MEMBER_MANAGEMENT_RESTRICTED, op)
        }),
    ]
};

pub(super) const SIGN_INS: &[Row<SignIn>] = &[
    ("appDisplayName", |op| text(&SignIn::APP_DISPLAY_NAME, op)),
    ("appId", |op| text(&SignIn::APP_ID, op)),
    ("clientAppUsed", |op| text(&SignIn::CLIENT_APP_USED, op)),
    ("correlationId", |op| text(&SignIn::CORRELATION_ID, op)),
    ("createdDateTime", |op| time(&SignIn::CREATED_DATE_TIME, op)),
    ("id", |op| text(&SignIn::ID, op)),
    ("ipAddress", |op| text(&SignIn::IP_ADDRESS, op)),
    ("resourceDisplayName", |op| {
        text(&SignIn::RESOURCE_DISPLAY_NAME, op)
    }),
    ("resourceId", |op| text(&SignIn::RESOURCE_ID, op)),
    ("riskEventTypes_v2/any(p:p)", |op| {
        texts(&SignIn::RISK_EVENT_TYPES_V2, op)
    }),
    ("userDisplayName", |op| text(&SignIn::USER_DISPLAY_NAME, op)),
    ("userId", |op| text(&SignIn::USER_ID, op)),
    ("userPrincipalName", |op| {
        text(&SignIn::USER_PRINCIPAL_NAME, op)
    }),
];

pub(super) const PERMISSION_GRANTS: &[Row<OAuth2PermissionGrant>] = &[
    ("clientId", |op| text(&OAuth2PermissionGrant::CLIENT_ID, op)),
    ("consentType", |op| {
        text(&OAuth2PermissionGrant::CONSENT_TYPE, op)
    }),
    ("principalId", |op| {
        text(&OAuth2PermissionGrant::PRINCIPAL_ID, op)
    }),
    ("resourceId", |op| {
        text(&OAuth2PermissionGrant::RESOURCE_ID, op)
    }),
];

pub(super) const ASSIGNMENTS: &[Row<AppRoleAssignment>] = &[
    ("principalDisplayName", |op| {
        text(&AppRoleAssignment::PRINCIPAL_DISPLAY_NAME, op)
    }),
    ("resourceId", |op| guid(&AppRoleAssignment::RESOURCE_ID, op)),
];
