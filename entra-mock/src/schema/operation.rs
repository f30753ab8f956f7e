//! The supported operations, each with the permissions that are enough for it.
//!
//! Reviewed by hand against Microsoft's published lists (`tables/permissions.tsv`). If the API's
//! own page and the machine-readable list differ, names from both are accepted, except permissions
//! of other services (device management, agent identities).

/// One documented operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// `{id}` stands for any key of the object.
    pub(crate) path: &'static str,
    pub(crate) delegated: &'static [&'static str],
    pub(crate) application: &'static [&'static str],
    /// Delegated permissions that cover only the signed-in user's own object.
    pub(crate) own: &'static [&'static str],
    /// Whether beta has more of it than v1.0: other objects, properties or parameters.
    pub(crate) richer_in_beta: bool,
    /// Lists of permissions, of each of which one is needed in addition. Empty for most operations.
    pub(crate) additional: &'static [&'static [&'static str]],
}

/// Operations on objects of any type, and functions of the tenant.
pub(crate) const ANY_OBJECT: &[Operation] = &[
    both(
        "GET",
        "/tenantRelationships/findTenantInformationByTenantId(tenantId={id})",
        &["CrossTenantInformation.ReadBasic.All"],
    ),
    both(
        "GET",
        "/tenantRelationships/findTenantInformationByDomainName(domainName={id})",
        &["CrossTenantInformation.ReadBasic.All"],
    ),
    both("GET", "/directoryObjects/{id}", &["Directory.Read.All"]),
    // Then the permission for the type of the object.
    both(
        "DELETE",
        "/directoryObjects/{id}",
        &[
            "User.ReadWrite.All",
            "Group.ReadWrite.All",
            "Application.ReadWrite.All",
        ],
    ),
    both(
        "GET",
        "/directoryObjects/delta",
        // The others are for one type each.
        &[
            "Directory.Read.All",
            "AdministrativeUnit.Read.All",
            "Application.Read.All",
            "Device.Read.All",
            "Group.Read.All",
            "OrgContact.Read.All",
            "RoleManagement.Read.Directory",
            "User.Read.All",
        ],
    ),
    both(
        "POST",
        "/directoryObjects/getAvailableExtensionProperties",
        &["Directory.Read.All"],
    ),
    both(
        "POST",
        "/directoryObjects/getByIds",
        &["Directory.Read.All"],
    ),
    both(
        "POST",
        "/directory/deletedItems/getUserOwnedObjects",
        &["Group.Read.All", "Group.ReadWrite.All"],
    ),
    row(
        "POST",
        "/directoryObjects/validateProperties",
        &[
            "Group.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        &[
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
    both(
        "POST",
        "/directoryObjects/{id}/getMemberGroups",
        READ_DIRECTORY,
    ),
    both(
        "POST",
        "/directoryObjects/{id}/getMemberObjects",
        READ_DIRECTORY,
    ),
    both(
        "POST",
        "/directoryObjects/{id}/checkMemberGroups",
        READ_DIRECTORY,
    ),
    both(
        "POST",
        "/directoryObjects/{id}/checkMemberObjects",
        READ_DIRECTORY,
    ),
];

/// Actions that change nothing.
const LOOK_UPS: &[&str] = &[
    "checkMemberGroups",
    "checkMemberObjects",
    "getAvailableExtensionProperties",
    "getByIds",
    "getMemberGroups",
    "getMemberObjects",
    "getUserOwnedObjects",
    "validateCredentials",
    "validateProperties",
];

/// Actions whose second call changes nothing more, or fails.
const REPEATABLE: &[&str] = &[
    "$ref",
    "assignLicense",
    "changePassword",
    "confirmCompromised",
    "confirmSafe",
    "dismiss",
    "forceDelete",
    "pause",
    "promote",
    "removeKey",
    "removePassword",
    "renew",
    "reprocessLicenseAssignment",
    "restart",
    "restore",
    "revokeSignInSessions",
    "setVerifiedPublisher",
    "start",
    "unsetVerifiedPublisher",
    "verify",
];

/// No permission: any access token for Graph is enough.
pub(super) const ANYONE: &[&str] = &[];

/// Permissions that show all properties of a user.
pub(super) const USERS_IN_FULL: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Permissions that show the sponsors of users.
pub(super) const READ_SPONSORS: &[&str] = &["User.Read.All", "User.ReadWrite.All"];

/// Permissions that count everyone below a user.
pub(super) const COUNT_REPORTS: &[&str] = &["User.Read.All", "Directory.Read.All"];

pub(super) const WRITE_USERS: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];

pub(super) const DELETE_USERS: &[&str] = &["User.DeleteRestore.All", "User.ReadWrite.All"];

/// Permissions that show a user's photo to users.
pub(super) const READ_PHOTOS: &[&str] = &[
    "User.ReadBasic.All",
    "ProfilePhoto.Read.All",
    "ProfilePhoto.ReadWrite.All",
];

/// Permissions that show a user's photo to applications.
pub(super) const READ_USER_PHOTOS: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "ProfilePhoto.Read.All",
    "ProfilePhoto.ReadWrite.All",
];

pub(super) const WRITE_USER_PHOTOS: &[&str] = &["User.ReadWrite.All", "ProfilePhoto.ReadWrite.All"];

/// Permissions that list the sizes of a group's photo.
pub(super) const LIST_GROUP_PHOTOS: &[&str] = &[
    "Group.ReadBasic.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "ProfilePhoto.Read.All",
    "ProfilePhoto.ReadWrite.All",
];

pub(super) const READ_GROUP_PHOTOS: &[&str] = &[
    "Group.Read.All",
    "Group.ReadWrite.All",
    "ProfilePhoto.Read.All",
    "ProfilePhoto.ReadWrite.All",
];

pub(super) const WRITE_GROUP_PHOTOS: &[&str] =
    &["Group.ReadWrite.All", "ProfilePhoto.ReadWrite.All"];

pub(super) const WRITE_GROUPS: &[&str] = &["Group.ReadWrite.All", "Directory.ReadWrite.All"];

/// Permissions that show deleted groups.
pub(super) const DELETED_GROUPS: &[&str] = &[
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) const WRITE_MEMBERS: &[&str] = &[
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];

/// Permissions that show a group as a member or container.
pub(super) const READ_GROUPS: &[&str] = &[
    "Group.ReadBasic.All",
    "GroupMember.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Permissions that show an application or service principal.
pub(super) const READ_APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.OwnedBy",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Permissions that show a device.
pub(super) const READ_DEVICES: &[&str] = &[
    "Device.Read.All",
    "Device.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Permissions that show the signed-in user's own profile.
pub(super) const OWN_PROFILE: &[&str] = &["User.Read", "User.ReadWrite"];

pub(super) const OWN_OBJECTS: &[&str] = &["User.Read"];

pub(super) const READ_USERS: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) const LIST_GROUPS: &[&str] = &[
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) const READ_MEMBERS: &[&str] = &[
    "GroupMember.ReadBasic.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
];

/// Permissions that show the groups of a user. The pages combine a permission for groups with one
/// for users; the machine-readable list and observations accept either alone.
pub(super) const READ_USER_GROUPS: &[&str] = &[
    "GroupMember.ReadBasic.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "User.Read.All",
    "Directory.Read.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];

/// The same with directory roles and administrative units, which permissions for users cover.
pub(super) const READ_USER_OBJECTS: &[&str] = &[
    "GroupMember.ReadBasic.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "User.Read.All",
    "Directory.Read.All",
    "User.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];

pub(super) const READ_GROUP_GROUPS: &[&str] = &[
    "GroupMember.ReadBasic.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Directory.Read.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];

pub(super) const READ_APPLICATION_GROUPS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Permissions that show directory roles.
pub(super) const READ_ROLES: &[&str] = &[
    "RoleManagement.Read.Directory",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
];

pub(super) const WRITE_ROLES: &[&str] = &["RoleManagement.ReadWrite.Directory"];

pub(super) const READ_DIRECTORY: &[&str] = &["Directory.Read.All", "Directory.ReadWrite.All"];

pub(super) const READ_ASSIGNMENTS: &[&str] = &[
    "AppRoleAssignment.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Permission that assigns app roles. For a service principal one of [`FIND_APPLICATIONS`] is needed
/// in addition (page "Grant an appRoleAssignment for a service principal", docs issue 12833).
pub(super) const WRITE_ASSIGNMENTS: &[&str] = &["AppRoleAssignment.ReadWrite.All"];

pub(super) const FIND_APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) const WRITE_GRANTS: &[&str] = &[
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.ReadWrite.All",
];

pub(super) const READ_GRANTS: &[&str] = &[
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) const READ_LICENCES: &[&str] = &[
    "LicenseAssignment.Read.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) const READ_AUDITS: &[&str] = &["AuditLog.Read.All", "Directory.Read.All"];

impl Operation {
    /// Whether any access token for Graph is enough.
    pub(crate) const fn is_open(&self) -> bool {
        self.delegated.is_empty() && self.application.is_empty() && self.own.is_empty()
    }

    /// Whether it changes nothing: a read, or an action that only looks something up.
    pub(crate) fn reads(&self) -> bool {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        self.method == "GET" || self.method == "POST" && LOOK_UPS.contains(&last)
    }

    /// Whether sending it twice can create something twice.
    pub(crate) fn creates(&self) -> bool {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        self.method == "POST" && !self.reads() && !REPEATABLE.contains(&last)
    }

    pub(super) const fn own(mut self, own: &'static [&'static str]) -> Self {
        self.own = own;
        self
    }

    pub(super) const fn richer_in_beta(mut self) -> Self {
        self.richer_in_beta = true;
        self
    }

    /// Sets that one permission of each list is needed in addition.
    pub(super) const fn together_with(
        mut self,
        additional: &'static [&'static [&'static str]],
    ) -> Self {
        self.additional = additional;
        self
    }
}

pub(super) const fn row(
    method: &'static str,
    path: &'static str,
    delegated: &'static [&'static str],
    application: &'static [&'static str],
) -> Operation {
    Operation {
        method,
        path,
        delegated,
        application,
        own: &[],
        richer_in_beta: false,
        additional: &[],
    }
}

pub(super) const fn both(
    method: &'static str,
    path: &'static str,
    names: &'static [&'static str],
) -> Operation {
    row(method, path, names, names)
}

pub(super) const fn applications(method: &'static str, path: &'static str) -> Operation {
    row(
        method,
        path,
        &[
            "Application.Read.All",
            "Application.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        READ_APPLICATIONS,
    )
}

/// The published lists omit one permission for applications.
pub(super) const fn application_list(method: &'static str, path: &'static str) -> Operation {
    row(
        method,
        path,
        &[
            "Application.Read.All",
            "Application.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        &[
            "Application.Read.All",
            "Application.ReadWrite.OwnedBy",
            "Application.ReadWrite.All",
            "Directory.Read.All",
        ],
    )
}

pub(super) const fn devices(method: &'static str, path: &'static str) -> Operation {
    row(
        method,
        path,
        &[
            "Device.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        READ_DEVICES,
    )
}

pub(super) const fn organization(method: &'static str, path: &'static str) -> Operation {
    row(
        method,
        path,
        &[
            "User.Read",
            "Organization.Read.All",
            "Organization.ReadWrite.All",
            "User.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        &[
            "Organization.Read.All",
            "Organization.ReadWrite.All",
            "User.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    )
}

/// Permissions that show an app role assignment at its principal or resource.
pub(super) const READ_ASSIGNED: &[&str] = &[
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.OwnedBy",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) const READ_ORGANIZATION: &[&str] = &[
    "User.Read",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "User.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) const READ_SIGN_INS: &[&str] = &["AuditLog.Read.All"];
