/// One call to Graph, by name and by the permissions any one of which allows it, best first.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The name in traces and resume tokens, such as `list users`.
    pub(crate) name: &'static str,
    /// For a token of a signed-in user.
    pub(crate) delegated: &'static [&'static str],
    /// For a token of the application itself.
    pub(crate) application: &'static [&'static str],
}

impl Operation {
    /// An operation that takes the same permissions either way.
    const fn same(name: &'static str, permissions: &'static [&'static str]) -> Self {
        Self {
            name,
            delegated: permissions,
            application: permissions,
        }
    }

    const fn new(
        name: &'static str,
        delegated: &'static [&'static str],
        application: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            delegated,
            application,
        }
    }

    /// The operation of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|operation| operation.name == name)
    }
}

macro_rules! operations {
    ($($constant:ident = $operation:expr;)*) => {
        $(pub(crate) const $constant: &Operation = &$operation;)*
        const ALL: &[&Operation] = &[$($constant),*];
    };
}

// Reviewed by hand against the documented permission tables: reading permissions only, the area's
// own family before others, narrow ones before Directory.Read.All, which reads everything. Rows
// whose documentation names a lesser permission that hides most properties (User.ReadBasic.All)
// leave it out, as it would not give what the caller asked for. A user reads himself with
// User.Read, but not the rest of the tenant, so it is named for one user and not for lists.
operations! {
    LIST_USERS = Operation::same("list users", &["User.Read.All", "Directory.Read.All"]);
    COUNT_USERS = Operation::same("count users", &["User.Read.All", "Directory.Read.All"]);
    GET_USER = Operation::new(
        "get user",
        &["User.Read", "User.Read.All", "Directory.Read.All"],
        &["User.Read.All", "Directory.Read.All"],
    );
    GET_USER_MANAGER = Operation::same("get manager of user", &["User.Read.All", "Directory.Read.All"]);
    LIST_USER_DIRECT_REPORTS = Operation::same("list direct reports of user", &["User.Read.All", "Directory.Read.All"]);
    LIST_USER_MEMBER_OF = Operation::new(
        "list memberships of user",
        &["User.Read", "GroupMember.Read.All", "Directory.Read.All"],
        &["Directory.Read.All"],
    );
    LIST_USER_TRANSITIVE_MEMBER_OF = Operation::new(
        "list transitive memberships of user",
        &["User.Read", "GroupMember.Read.All", "Directory.Read.All"],
        &["User.Read.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
    );
    CHECK_USER_MEMBER_GROUPS = Operation::same(
        "check member groups of user",
        &["GroupMember.Read.All", "User.Read.All", "Group.Read.All", "Directory.Read.All"],
    );
    LIST_USER_MEMBER_GROUPS = Operation::same(
        "list member groups of user",
        &["GroupMember.Read.All", "User.Read.All", "Group.Read.All", "Directory.Read.All"],
    );
    LIST_USER_APP_ROLE_ASSIGNMENTS = Operation::same("list app role assignments of user", &["Directory.Read.All"]);
    LIST_USER_OWNED_OBJECTS = Operation::new(
        "list objects owned by user",
        &["User.Read", "User.Read.All", "Directory.Read.All"],
        &["User.Read.All", "Directory.Read.All"],
    );
    LIST_USER_OWNED_DEVICES = Operation::new(
        "list devices owned by user",
        &["User.Read", "User.Read.All", "Directory.Read.All"],
        &["User.Read.All", "Directory.Read.All"],
    );
    LIST_USER_REGISTERED_DEVICES = Operation::new(
        "list devices registered by user",
        &["User.Read", "User.Read.All", "Directory.Read.All"],
        &["User.Read.All", "Directory.Read.All"],
    );
    LIST_USER_LICENSE_DETAILS = Operation::new(
        "list licences of user",
        &["User.Read", "User.Read.All", "LicenseAssignment.Read.All", "Directory.Read.All"],
        &["User.Read.All", "LicenseAssignment.Read.All", "Directory.Read.All"],
    );

    LIST_GROUPS = Operation::same("list groups", &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    COUNT_GROUPS = Operation::same("count groups", &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    GET_GROUP = Operation::same("get group", &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    LIST_GROUP_MEMBERS = Operation::same("list members of group", &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    LIST_GROUP_TRANSITIVE_MEMBERS = Operation::same(
        "list transitive members of group",
        &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
    );
    LIST_GROUP_OWNERS = Operation::same("list owners of group", &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    LIST_GROUP_MEMBER_OF = Operation::same("list memberships of group", &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    LIST_GROUP_TRANSITIVE_MEMBER_OF = Operation::new(
        "list transitive memberships of group",
        &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"],
        &["Directory.Read.All"],
    );
    LIST_GROUP_APP_ROLE_ASSIGNMENTS = Operation::same("list app role assignments of group", &["Directory.Read.All"]);

    LIST_APPLICATIONS = Operation::same("list applications", &["Application.Read.All", "Directory.Read.All"]);
    COUNT_APPLICATIONS = Operation::same("count applications", &["Application.Read.All", "Directory.Read.All"]);
    GET_APPLICATION = Operation::same("get application", &["Application.Read.All", "Directory.Read.All"]);
    LIST_APPLICATION_OWNERS = Operation::same("list owners of application", &["Application.Read.All", "Directory.Read.All"]);

    LIST_SERVICE_PRINCIPALS = Operation::same("list service principals", &["Application.Read.All", "Directory.Read.All"]);
    COUNT_SERVICE_PRINCIPALS = Operation::same("count service principals", &["Application.Read.All", "Directory.Read.All"]);
    GET_SERVICE_PRINCIPAL = Operation::same("get service principal", &["Application.Read.All", "Directory.Read.All"]);
    LIST_APP_ROLE_ASSIGNED_TO = Operation::same(
        "list assignments to service principal",
        &["Application.Read.All", "Directory.Read.All"],
    );
    LIST_SERVICE_PRINCIPAL_APP_ROLE_ASSIGNMENTS = Operation::same(
        "list app role assignments of service principal",
        &["Application.Read.All", "Directory.Read.All"],
    );
    LIST_SERVICE_PRINCIPAL_OWNERS = Operation::same("list owners of service principal", &["Application.Read.All", "Directory.Read.All"]);
    LIST_SERVICE_PRINCIPAL_MEMBER_OF = Operation::same("list memberships of service principal", &["Application.Read.All", "Directory.Read.All"]);

    LIST_DEVICES = Operation::same("list devices", &["Device.Read.All", "Directory.Read.All"]);
    COUNT_DEVICES = Operation::same("count devices", &["Device.Read.All", "Directory.Read.All"]);
    GET_DEVICE = Operation::same("get device", &["Device.Read.All", "Directory.Read.All"]);
    LIST_DEVICE_OWNERS = Operation::same("list owners of device", &["Device.Read.All", "Directory.Read.All"]);
    LIST_DEVICE_USERS = Operation::same("list users of device", &["Device.Read.All", "Directory.Read.All"]);
    LIST_DEVICE_TRANSITIVE_MEMBER_OF = Operation::same("list transitive memberships of device", &["Directory.Read.All"]);
    LIST_DEVICE_MEMBER_OF = Operation::same("list memberships of device", &["Device.Read.All", "Directory.Read.All"]);

    LIST_ORGANIZATION = Operation::new(
        "list organization",
        &["User.Read", "Organization.Read.All", "Directory.Read.All"],
        &["Organization.Read.All", "Directory.Read.All"],
    );
    GET_ORGANIZATION = Operation::new(
        "get organization",
        &["User.Read", "Organization.Read.All", "Directory.Read.All"],
        &["Organization.Read.All", "Directory.Read.All"],
    );
    LIST_SUBSCRIBED_SKUS = Operation::same(
        "list subscribed skus",
        &["Organization.Read.All", "LicenseAssignment.Read.All", "Directory.Read.All"],
    );
    GET_SUBSCRIBED_SKU = Operation::same(
        "get subscribed sku",
        &["Organization.Read.All", "LicenseAssignment.Read.All", "Directory.Read.All"],
    );

    LIST_SIGN_INS = Operation::same("list sign-ins", &["AuditLog.Read.All"]);
    GET_SIGN_IN = Operation::same("get sign-in", &["AuditLog.Read.All"]);
    LIST_DIRECTORY_AUDITS = Operation::same("list directory audits", &["AuditLog.Read.All"]);
    GET_DIRECTORY_AUDIT = Operation::same("get directory audit", &["AuditLog.Read.All"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_never_suggests_a_permission_that_writes() {
        for operation in ALL {
            for permission in operation.delegated.iter().chain(operation.application) {
                assert!(
                    permission.ends_with(".Read.All") || *permission == "User.Read",
                    "{}: {permission}",
                    operation.name
                );
            }
        }
    }

    #[test]
    fn the_broadest_permission_comes_last() {
        for operation in ALL {
            for permissions in [operation.delegated, operation.application] {
                let broad = permissions.iter().position(|p| *p == "Directory.Read.All");
                assert!(!permissions.is_empty(), "{}", operation.name);
                assert!(
                    broad.is_none_or(|at| at + 1 == permissions.len()),
                    "{}",
                    operation.name
                );
            }
        }
    }

    #[test]
    fn an_application_is_never_told_of_a_permission_that_only_people_have() {
        for operation in ALL {
            assert!(
                !operation.application.contains(&"User.Read"),
                "{}",
                operation.name
            );
        }
    }

    #[test]
    fn names_are_unique_since_resume_tokens_hold_them() {
        for (at, operation) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.name != operation.name));
            assert!(Operation::named(operation.name).is_some());
        }
    }
}
