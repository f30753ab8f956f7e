use entra_core::{Idempotency, http::Method};

use super::*;
use crate::operation::writes;

#[test]
fn a_read_never_suggests_a_permission_that_writes() {
    for operation in operations().filter(|one| one.idempotency == Idempotency::Safe) {
        let suggested = operation.suggested(operation.delegated);
        for permission in suggested.chain(operation.suggested(operation.application)) {
            assert!(
                permission.ends_with(".Read.All")
                    || permission.ends_with(".ReadBasic.All")
                    || matches!(permission, "RoleManagement.Read.Directory" | "User.Read")
                    || READ_TAKES_WRITE.contains(&operation.name),
                "{}: {permission}",
                operation.name
            );
        }
    }
}

#[test]
fn a_write_never_suggests_a_permission_that_only_reads() {
    for operation in operations().filter(|one| one.idempotency != Idempotency::Safe) {
        for permission in operation.delegated.iter().chain(operation.application) {
            // A subscription takes the permission that reads its resource, and no other.
            assert!(
                !permission.contains(".Read.") || operation.path.starts_with("/subscriptions"),
                "{}: {permission}",
                operation.name
            );
            assert!(*permission != "User.Read", "{}", operation.name);
        }
    }
}

#[test]
fn the_broadest_permission_comes_last() {
    for operation in operations() {
        for permissions in [
            operation.delegated,
            operation.application,
            operation.additional,
        ] {
            let broad = permissions
                .iter()
                .position(|p| p.starts_with("Directory.Read"));
            let after = broad.map_or(&[][..], |at| &permissions[at + 1..]);
            // What reads and writes is wider still, for a read.
            let is_wider =
                |one: &&str| permissions[broad.unwrap()] == "Directory.Read.All" && writes(one);
            assert!(after.iter().all(is_wider), "{}", operation.name);
        }
        let open = operation.path.starts_with("/applicationTemplates")
            || operation.name == "subscription-post-subscriptions";
        assert!(
            !operation.delegated.is_empty() || open,
            "{}",
            operation.name
        );
    }
}

#[test]
fn application_permissions_never_include_delegated_only_permissions() {
    for operation in operations() {
        for permission in operation.application {
            assert!(
                !matches!(
                    *permission,
                    "User.Read" | "User.ReadWrite" | "Directory.AccessAsUser.All"
                ),
                "{}",
                operation.name
            );
        }
    }
}

#[test]
fn names_are_unique_since_resume_tokens_hold_them() {
    let mut names: Vec<&str> = operations().map(|operation| operation.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_get_is_safe_and_a_create_is_not_repeatable() {
    for operation in operations() {
        if operation.method == Method::GET {
            assert_eq!(
                operation.idempotency,
                Idempotency::Safe,
                "{}",
                operation.name
            );
        }
        if operation.name.starts_with("user-post-users") || operation.name == "group-post-groups" {
            assert_eq!(operation.idempotency, Idempotency::NonIdempotent);
        }
    }
}

/// Reads for which Microsoft's list has no permission that only reads.
const READ_TAKES_WRITE: &[&str] = &[
    "federatedidentitycredential-get",
    "federatedidentitycredential-get-beta",
];
