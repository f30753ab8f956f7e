use entra_core::Timestamp;

use super::{
    app_role_assignment::AppRoleAssignment,
    directory_object::DirectoryObject,
    types::{
        AssignedLabel, AssignedLicense, GroupAccessType, LicenseProcessingState,
        OnPremisesExtensionAttributes, OnPremisesProvisioningError, ServiceProvisioningError,
    },
};
use crate::{
    model::{Expanded, capable, entity},
    odata::{Described, EntityInfo, nested},
};

entity! {
    /// A group of users, devices, applications and other groups.
    ///
    /// Graph leaves out labels, licences and what belongs to one mailbox unless a select names them.
    Group: "#microsoft.graph.group", always [display_name, mail_enabled, security_enabled] {
        /// When the group was soft deleted; empty for a live group.
        deleted_date_time: Timestamp = DELETED_DATE_TIME("deletedDateTime", "orderby+");
        /// Audience of a Microsoft 365 group, as older services report it.
        access_type: GroupAccessType = ACCESS_TYPE("accessType") update;
        /// Whether senders outside the tenant may write; single-group reads only.
        allow_external_senders: bool = ALLOW_EXTERNAL_SENDERS("allowExternalSenders") update;
        /// Sensitivity labels on a Microsoft 365 group; only when selected.
        assigned_labels: Vec<AssignedLabel> = ASSIGNED_LABELS("assignedLabels") set;
        /// Licences that members inherit from the group; only when selected.
        assigned_licenses: Vec<AssignedLicense> = ASSIGNED_LICENSES("assignedLicenses");
        /// Whether new members get mail copies; single-group reads only.
        auto_subscribe_new_members: bool = AUTO_SUBSCRIBE_NEW_MEMBERS("autoSubscribeNewMembers") update;
        /// Tenant-defined business classification, such as "Internal".
        classification: String = CLASSIFICATION("classification", "eq ge+ le+ startsWith") set;
        /// When the group was created.
        created_date_time: Timestamp = CREATED_DATE_TIME("createdDateTime", "eq+ ge+ le+");
        /// Free text about the purpose of the group.
        description: String = DESCRIPTION("description", "eq+ ge+ le+ startsWith+ search") set;
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName", "eq ge+ le+ startsWith null+ orderby search") set;
        /// When the group expires under the lifecycle policy.
        expiration_date_time: Timestamp = EXPIRATION_DATE_TIME("expirationDateTime", "eq+ ge+ le+");
        /// `Unified`, `DynamicMembership`, both, or empty for plain security groups.
        group_types: Vec<String> = GROUP_TYPES("groupTypes", "eq") set;
        /// Filter only: whether a member failed to receive an inherited licence.
        has_members_with_license_errors: bool = HAS_MEMBERS_WITH_LICENSE_ERRORS("hasMembersWithLicenseErrors", "eq null");
        /// Whether Outlook address lists leave it out; single-group reads only.
        hide_from_address_lists: bool = HIDE_FROM_ADDRESS_LISTS("hideFromAddressLists") update;
        /// Whether Outlook clients leave it out; single-group reads only.
        hide_from_outlook_clients: bool = HIDE_FROM_OUTLOOK_CLIENTS("hideFromOutlookClients") update;
        /// Information segments the group belongs to.
        info_catalogs: Vec<String> = INFO_CATALOGS("infoCatalogs", "eq startsWith");
        /// Whether the team behind the group is archived.
        is_archived: bool = IS_ARCHIVED("isArchived");
        /// Whether directory roles can be assigned to the group.
        is_assignable_to_role: bool = IS_ASSIGNABLE_TO_ROLE("isAssignableToRole", "eq") create;
        /// Whether the signed-in user marked the group as favourite.
        is_favorite: bool = IS_FAVORITE("isFavorite");
        /// Whether only administrators of a restricted unit may manage it.
        is_management_restricted: bool = IS_MANAGEMENT_RESTRICTED("isManagementRestricted");
        /// Whether the signed-in user receives conversations by mail.
        is_subscribed_by_mail: bool = IS_SUBSCRIBED_BY_MAIL("isSubscribedByMail");
        /// The processing state of group-based licensing; only when selected.
        license_processing_state: Box<LicenseProcessingState> as LicenseProcessingState = LICENSE_PROCESSING_STATE("licenseProcessingState");
        /// Primary mail address.
        mail: String = MAIL("mail", "eq ge+ le+ startsWith endsWith+ null+");
        /// Whether the group can receive mail.
        mail_enabled: bool = MAIL_ENABLED("mailEnabled", "eq") set;
        /// Mail alias, unique among Microsoft 365 groups of the tenant.
        mail_nickname: String = MAIL_NICKNAME("mailNickname", "eq ge+ le+ startsWith null+") set;
        /// Rule that decides membership of a dynamic group.
        membership_rule: String = MEMBERSHIP_RULE("membershipRule", "eq ge+ le+ startsWith") set;
        /// `On` while the rule is evaluated, `Paused` otherwise.
        membership_rule_processing_state: String = MEMBERSHIP_RULE_PROCESSING_STATE("membershipRuleProcessingState", "eq+") set;
        /// DNS domain of the group in the synchronised directory.
        on_premises_domain_name: String = ON_PREMISES_DOMAIN_NAME("onPremisesDomainName");
        /// The fifteen extension attributes synchronised from Active Directory.
        on_premises_extension_attributes: Box<OnPremisesExtensionAttributes> as OnPremisesExtensionAttributes = ON_PREMISES_EXTENSION_ATTRIBUTES("onPremisesExtensionAttributes") set;
        /// Last synchronisation from the on-premises directory.
        on_premises_last_sync_date_time: Timestamp = ON_PREMISES_LAST_SYNC_DATE_TIME("onPremisesLastSyncDateTime", "eq ge le");
        /// NetBIOS domain name in the synchronised directory.
        on_premises_netbios_name: String = ON_PREMISES_NETBIOS_NAME("onPremisesNetBiosName");
        /// Failures met while provisioning from the on-premises directory.
        on_premises_provisioning_errors: Vec<OnPremisesProvisioningError> = ON_PREMISES_PROVISIONING_ERRORS("onPremisesProvisioningErrors");
        /// SAM account name in the synchronised directory.
        on_premises_sam_account_name: String = ON_PREMISES_SAM_ACCOUNT_NAME("onPremisesSamAccountName", "eq+ ge+ le+ startsWith+");
        /// Security identifier (SID) in the synchronised directory.
        on_premises_security_identifier: String = ON_PREMISES_SECURITY_IDENTIFIER("onPremisesSecurityIdentifier", "eq null+");
        /// Whether it is synchronised; empty if it never was.
        on_premises_sync_enabled: bool = ON_PREMISES_SYNC_ENABLED("onPremisesSyncEnabled", "eq null+");
        /// Id of the tenant that owns the group.
        organization_id: String = ORGANIZATION_ID("organizationId");
        /// Geography that stores the data of a Microsoft 365 group.
        preferred_data_location: String = PREFERRED_DATA_LOCATION("preferredDataLocation") set;
        /// Preferred language as an ISO 639-1 tag.
        preferred_language: String = PREFERRED_LANGUAGE("preferredLanguage", "eq+ ge+ le+ startsWith+ null+") set;
        /// All mail addresses that reach the group, with their scheme prefix.
        proxy_addresses: Vec<String> = PROXY_ADDRESSES("proxyAddresses", "eq ge+ le+ startsWith endsWith+");
        /// When the group was last renewed, or created if it never was.
        renewed_date_time: Timestamp = RENEWED_DATE_TIME("renewedDateTime", "eq ge le");
        /// Behaviours of a Microsoft 365 group chosen when it was created.
        resource_behavior_options: Vec<String> = RESOURCE_BEHAVIOR_OPTIONS("resourceBehaviorOptions", "eq startsWith") create;
        /// Resources provisioned with the group, such as `Team`.
        resource_provisioning_options: Vec<String> = RESOURCE_PROVISIONING_OPTIONS("resourceProvisioningOptions", "eq startsWith") create;
        /// Whether the group can carry access rights.
        security_enabled: bool = SECURITY_ENABLED("securityEnabled", "eq") set;
        /// Security identifier (SID) of the group in the cloud.
        security_identifier: String = SECURITY_IDENTIFIER("securityIdentifier");
        /// Failures published by services that provision the group.
        service_provisioning_errors: Vec<ServiceProvisioningError> = SERVICE_PROVISIONING_ERRORS("serviceProvisioningErrors");
        /// Colour theme of a Microsoft 365 group.
        theme: String = THEME("theme") set;
        /// Immutable name the creator gave it, usable as a key.
        unique_name: String = UNIQUE_NAME("uniqueName") create;
        /// Number of conversations with unseen posts for the signed-in user.
        unseen_conversations_count: i32 = UNSEEN_CONVERSATIONS_COUNT("unseenConversationsCount");
        /// Unseen conversations of the signed-in user; single-group reads only.
        unseen_count: i32 = UNSEEN_COUNT("unseenCount");
        /// Unseen messages of the signed-in user.
        unseen_messages_count: i32 = UNSEEN_MESSAGES_COUNT("unseenMessagesCount");
        /// `Private`, `Public` or `HiddenMembership`.
        visibility: String = VISIBILITY("visibility") set;
        /// Whether new members receive a welcome message.
        welcome_message_enabled: bool = WELCOME_MESSAGE_ENABLED("welcomeMessageEnabled");
    }
    relations {
        /// Applications that the group is assigned to, when expanded.
        app_role_assignments: Expanded<AppRoleAssignment> = APP_ROLE_ASSIGNMENTS("appRoleAssignments");
        /// Who created the group, when expanded.
        created_on_behalf_of: DirectoryObject = CREATED_ON_BEHALF_OF("createdOnBehalfOf");
        /// Groups and units that the group is a direct member of, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        member_of: Expanded<DirectoryObject> = MEMBER_OF("memberOf");
        /// Direct members, when expanded. Hidden ones are left out silently without `Member.Read.Hidden`.
        members: Expanded<DirectoryObject> = MEMBERS("members");
        /// Owners, when expanded.
        owners: Expanded<DirectoryObject> = OWNERS("owners");
        /// Groups and units that the group is a member of directly or through other groups, when expanded.
        /// Groups with hidden membership are left out silently without `Member.Read.Hidden`.
        transitive_member_of: Expanded<DirectoryObject> = TRANSITIVE_MEMBER_OF("transitiveMemberOf");
        /// Direct members and members of nested groups, when expanded.
        /// Hidden ones are left out silently without `Member.Read.Hidden`.
        transitive_members: Expanded<DirectoryObject> = TRANSITIVE_MEMBERS("transitiveMembers");
    }
}

impl Described for Group {
    const INFO: EntityInfo = EntityInfo::directory("group", "groups")
        .with_default_mode_only(&["hasMembersWithLicenseErrors"])
        // Exchange has them; only "Get group" has them (its page).
        .with_not_in_lists(&[
            "allowExternalSenders",
            "autoSubscribeNewMembers",
            "hideFromAddressLists",
            "hideFromOutlookClients",
            "isSubscribedByMail",
            "unseenCount",
        ])
        .with_nested(&[
            // As for users: in the default mode, page 2 fails.
            nested("assignedLicenses/skuId", "eq+"),
            nested("createdOnBehalfOf/deletedDateTime", "eq ge le"),
            nested("createdOnBehalfOf/id", "eq"),
            nested("onPremisesProvisioningErrors/category", "eq"),
            nested("onPremisesProvisioningErrors/propertyCausingError", "eq"),
        ]);
}

capable!(Group: Selectable, Filterable, Orderable, Searchable, Expandable, Toppable, Countable);
