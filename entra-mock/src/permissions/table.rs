//! The reads that are served, actions that only read among them, each with the permissions any one of which is enough.
//!
//! Reviewed by hand from Microsoft's published lists: where the API's own page and the machine
//! readable list differ, a name from either is taken, except permissions of other services
//! (device management, agent identities) that the list also names for directory reads.

/// One path, read with GET, or an action that changes nothing, sent with POST.
#[derive(Debug)]
pub(super) struct Row {
    /// `{id}` stands for any key of the object.
    pub(super) path: &'static str,
    pub(super) delegated: &'static [&'static str],
    pub(super) application: &'static [&'static str],
    /// Delegated permissions that reach the signed-in user's own object only.
    pub(super) own: &'static [&'static str],
}

pub(super) const ROWS: &[Row] = &[
    both("/users", READ_USERS),
    both("/users/{id}", READ_USERS).own(OWN_PROFILE),
    both("/users/{id}/manager", USERS_IN_FULL),
    both("/users/{id}/directReports", USERS_IN_FULL).own(OWN_OBJECTS),
    both("/users/{id}/ownedObjects", USERS_IN_FULL).own(OWN_OBJECTS),
    both("/users/{id}/ownedDevices", USERS_IN_FULL).own(OWN_OBJECTS),
    both("/users/{id}/registeredDevices", USERS_IN_FULL).own(OWN_OBJECTS),
    row(
        "/users/{id}/memberOf",
        &[
            "GroupMember.ReadBasic.All",
            "Group.ReadBasic.All",
            "GroupMember.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        &[
            "GroupMember.ReadBasic.All",
            "Group.ReadBasic.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    )
    .own(OWN_OBJECTS),
    both(
        "/users/{id}/transitiveMemberOf",
        &[
            "GroupMember.ReadBasic.All",
            "Group.ReadBasic.All",
            "GroupMember.Read.All",
            "Group.Read.All",
            "User.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    )
    .own(OWN_OBJECTS),
    both("/users/{id}/getMemberGroups", READ_USER_GROUPS),
    both("/users/{id}/checkMemberGroups", READ_USER_GROUPS),
    both("/users/{id}/getMemberObjects", READ_USER_OBJECTS).own(OWN_OBJECTS),
    both("/users/{id}/checkMemberObjects", READ_USER_OBJECTS).own(OWN_OBJECTS),
    both("/users/{id}/appRoleAssignments", READ_ASSIGNMENTS),
    both("/users/{id}/oauth2PermissionGrants", READ_GRANTS),
    both("/groups", LIST_GROUPS),
    both("/groups/{id}", LIST_GROUPS),
    both("/groups/{id}/members", READ_MEMBERS),
    both("/groups/{id}/transitiveMembers", READ_MEMBERS),
    both(
        "/groups/{id}/owners",
        &[
            "GroupMember.Read.All",
            "Group.Read.All",
            "GroupMember.ReadWrite.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
        ],
    ),
    both(
        "/groups/{id}/memberOf",
        &[
            "GroupMember.ReadBasic.All",
            "Group.ReadBasic.All",
            "GroupMember.Read.All",
            "Group.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
    row(
        "/groups/{id}/transitiveMemberOf",
        &[
            "GroupMember.ReadBasic.All",
            "Group.ReadBasic.All",
            "GroupMember.Read.All",
            "Group.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        &[
            "GroupMember.ReadBasic.All",
            "Group.ReadBasic.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    ),
    both("/groups/{id}/getMemberGroups", READ_GROUP_GROUPS),
    both("/groups/{id}/getMemberObjects", READ_GROUP_GROUPS),
    both("/groups/{id}/checkMemberGroups", READ_GROUP_GROUPS),
    both("/groups/{id}/checkMemberObjects", READ_GROUP_GROUPS),
    both("/groups/{id}/appRoleAssignments", READ_ASSIGNMENTS),
    application_list("/applications"),
    applications("/applications/{id}"),
    applications("/applications/{id}/owners"),
    application_list("/servicePrincipals"),
    applications("/servicePrincipals/{id}"),
    applications("/servicePrincipals/{id}/appRoleAssignedTo"),
    applications("/servicePrincipals/{id}/appRoleAssignments"),
    applications("/servicePrincipals/{id}/owners"),
    applications("/servicePrincipals/{id}/memberOf"),
    both(
        "/servicePrincipals/{id}/transitiveMemberOf",
        READ_APPLICATION_GROUPS,
    ),
    both(
        "/servicePrincipals/{id}/getMemberGroups",
        READ_APPLICATION_GROUPS,
    ),
    both(
        "/servicePrincipals/{id}/getMemberObjects",
        READ_APPLICATION_GROUPS,
    ),
    both(
        "/servicePrincipals/{id}/checkMemberGroups",
        READ_APPLICATION_GROUPS,
    ),
    both(
        "/servicePrincipals/{id}/checkMemberObjects",
        READ_APPLICATION_GROUPS,
    ),
    both(
        "/servicePrincipals/{id}/oauth2PermissionGrants",
        READ_GRANTS,
    ),
    devices("/devices"),
    devices("/devices/{id}"),
    devices("/devices/{id}/registeredOwners"),
    devices("/devices/{id}/registeredUsers"),
    devices("/devices/{id}/memberOf"),
    devices("/devices/{id}/transitiveMemberOf"),
    devices("/devices/{id}/getMemberGroups"),
    devices("/devices/{id}/getMemberObjects"),
    devices("/devices/{id}/checkMemberGroups"),
    devices("/devices/{id}/checkMemberObjects"),
    organization("/organization"),
    organization("/organization/{id}"),
    both("/subscribedSkus", READ_LICENCES),
    row(
        "/subscribedSkus/{id}",
        &[
            "LicenseAssignment.Read.All",
            "Organization.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        READ_LICENCES,
    ),
    both("/auditLogs/signIns", &["AuditLog.Read.All"]),
    both("/auditLogs/signIns/{id}", &["AuditLog.Read.All"]),
    both("/auditLogs/directoryAudits", READ_AUDITS),
    both("/auditLogs/directoryAudits/{id}", READ_AUDITS),
    both("/oauth2PermissionGrants", READ_GRANTS),
    both("/oauth2PermissionGrants/{id}", READ_GRANTS),
    both("/directoryObjects/{id}", &["Directory.Read.All"]),
    both("/directoryObjects/{id}/getMemberGroups", READ_DIRECTORY),
    both("/directoryObjects/{id}/getMemberObjects", READ_DIRECTORY),
    both("/directoryObjects/{id}/checkMemberGroups", READ_DIRECTORY),
    both("/directoryObjects/{id}/checkMemberObjects", READ_DIRECTORY),
];

/// What shows all of a user.
pub(super) const USERS_IN_FULL: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// What shows a group that is a member or container of something.
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

/// What shows an application or service principal.
pub(super) const READ_APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.OwnedBy",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// What shows a device.
pub(super) const READ_DEVICES: &[&str] = &[
    "Device.Read.All",
    "Device.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// What shows the signed-in user all of their own profile.
pub(super) const OWN_PROFILE: &[&str] = &["User.Read", "User.ReadWrite"];

const OWN_OBJECTS: &[&str] = &["User.Read"];

const READ_USERS: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

const LIST_GROUPS: &[&str] = &[
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

const READ_MEMBERS: &[&str] = &[
    "GroupMember.ReadBasic.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
];

/// What tells which groups a person is in. The pages pair a name for groups with one for users;
/// the machine-readable list, and what was observed, take either alone.
const READ_USER_GROUPS: &[&str] = &[
    "GroupMember.ReadBasic.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "User.Read.All",
    "Directory.Read.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];

/// The same with directory roles and administrative units, which users' own names cover.
const READ_USER_OBJECTS: &[&str] = &[
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

const READ_GROUP_GROUPS: &[&str] = &[
    "GroupMember.ReadBasic.All",
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Directory.Read.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];

const READ_APPLICATION_GROUPS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

const READ_DIRECTORY: &[&str] = &["Directory.Read.All", "Directory.ReadWrite.All"];

const READ_ASSIGNMENTS: &[&str] = &[
    "AppRoleAssignment.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

const READ_GRANTS: &[&str] = &[
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

const READ_LICENCES: &[&str] = &[
    "LicenseAssignment.Read.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

const READ_AUDITS: &[&str] = &["AuditLog.Read.All", "Directory.Read.All"];

impl Row {
    const fn own(mut self, own: &'static [&'static str]) -> Self {
        self.own = own;
        self
    }
}

const fn row(
    path: &'static str,
    delegated: &'static [&'static str],
    application: &'static [&'static str],
) -> Row {
    Row {
        path,
        delegated,
        application,
        own: &[],
    }
}

const fn both(path: &'static str, names: &'static [&'static str]) -> Row {
    row(path, names, names)
}

const fn applications(path: &'static str) -> Row {
    row(
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

/// The published lists leave one name out for an application that lists.
const fn application_list(path: &'static str) -> Row {
    row(
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

const fn devices(path: &'static str) -> Row {
    row(
        path,
        &[
            "Device.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
        READ_DEVICES,
    )
}

const fn organization(path: &'static str) -> Row {
    row(
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
