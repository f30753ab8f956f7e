use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;

fn application(roles: &[&str]) -> Caller {
    Caller {
        roles: roles.iter().map(|&role| role.into()).collect(),
        ..Caller::default()
    }
}

fn user(scopes: &[&str]) -> Caller {
    Caller {
        user_id: Some("me".into()),
        scopes: scopes.iter().map(|&scope| scope.into()).collect(),
        // The application's own permissions never add to those of the user.
        roles: vec!["Directory.ReadWrite.All".into()],
        ..Caller::default()
    }
}

#[test]
fn any_permission_of_an_operation_is_enough() {
    for name in [
        "User.ReadBasic.All",
        "User.Read.All",
        "Directory.ReadWrite.All",
    ] {
        assert_eq!(
            authorize(&application(&["Mail.Read", name]), "GET", "/users", false),
            Ok(())
        );
    }
    let error = authorize(&application(&["Group.Read.All"]), "GET", "/users", false).unwrap_err();
    assert_eq!(
        (error.status, error.code),
        (403, "Authorization_RequestDenied")
    );
    assert_eq!(
        authorize(&application(&[]), "GET", "/nowhere", false),
        Err(denied())
    );
}

#[test]
fn an_operation_can_need_two_permissions_together() {
    let (assign, find) = ("AppRoleAssignment.ReadWrite.All", "Application.Read.All");
    let path = "/servicePrincipals/{id}/appRoleAssignedTo";
    for caller in [application(&[assign, find]), user(&[find, assign])] {
        assert_eq!(authorize(&caller, "POST", path, false), Ok(()));
    }
    for alone in [assign, find] {
        for caller in [application(&[alone]), user(&[alone])] {
            assert_eq!(authorize(&caller, "POST", path, false), Err(denied()));
        }
    }
    let users = "/users/{id}/appRoleAssignments";
    assert_eq!(
        authorize(&application(&[assign]), "POST", users, false),
        Ok(())
    );
}

#[test]
fn user_read_covers_the_own_object_only() {
    assert_eq!(
        authorize(&user(&["User.Read"]), "GET", "/users/{id}", true),
        Ok(())
    );
    assert_eq!(
        authorize(&user(&["User.Read"]), "GET", "/users/{id}", false),
        Err(denied())
    );
    assert_eq!(
        authorize(&user(&["User.Read"]), "GET", "/users", false),
        Err(denied())
    );
    assert_eq!(
        authorize(&application(&["User.Read"]), "GET", "/users/{id}", true),
        Err(denied())
    );
}

#[test]
fn a_missing_log_permission_is_named() {
    let error = authorize(
        &application(&["User.Read.All"]),
        "GET",
        "/auditLogs/signIns",
        false,
    )
    .unwrap_err();
    assert_eq!(error.status, 403);
    assert!(error.message.contains("AuditLog.Read.All"));
    assert_eq!(
        authorize(
            &application(&["AuditLog.Read.All"]),
            "GET",
            "/auditLogs/signIns",
            false
        ),
        Ok(())
    );
}

#[test]
fn visibility_depends_on_the_type_of_the_member() {
    let value = json!({"id": "me"});
    let object = &Object::from(value.as_object().cloned().unwrap());
    for (caller, kind, expected) in [
        (
            application(&["GroupMember.Read.All"]),
            Kind::User,
            AccessLevel::Existence,
        ),
        (
            application(&["GroupMember.Read.All"]),
            Kind::Group,
            AccessLevel::Everything,
        ),
        (
            application(&["GroupMember.Read.All"]),
            Kind::Device,
            AccessLevel::Existence,
        ),
        (
            application(&["User.ReadBasic.All"]),
            Kind::User,
            AccessLevel::Basic,
        ),
        (
            application(&["User.ReadBasic.All", "User.Read.All"]),
            Kind::User,
            AccessLevel::Everything,
        ),
        (
            application(&["Application.Read.All"]),
            Kind::ServicePrincipal,
            AccessLevel::Everything,
        ),
        (user(&["User.Read"]), Kind::User, AccessLevel::Everything),
        (
            user(&["Group.Read.All"]),
            Kind::User,
            AccessLevel::Existence,
        ),
        (
            application(&[]),
            Kind::AppRoleAssignment,
            AccessLevel::Existence,
        ),
    ] {
        assert_eq!(
            access_level(&caller, kind, object),
            expected,
            "{caller:?} {kind:?}"
        );
    }
}

#[test]
fn no_read_is_possible_without_a_permission() {
    let (open, others): (Vec<_>, Vec<_>) = operations().partition(|row| row.is_open());
    let open: Vec<_> = open.iter().map(|row| row.path).collect();
    assert_eq!(
        open,
        ["/applicationTemplates", "/applicationTemplates/{id}"],
        "the gallery is documented as open"
    );
    for row in others {
        assert!(
            !row.delegated.is_empty() || !row.own.is_empty(),
            "{}",
            row.path
        );
        assert!(
            authorize(&application(&[]), row.method, row.path, true).is_err(),
            "{}",
            row.path
        );
    }
}

/// Every name in the table must be in Microsoft's lists for that operation.
#[test]
fn the_operations_agree_with_the_committed_lists() {
    let mut published: BTreeMap<(String, &str), [BTreeSet<&str>; 2]> = BTreeMap::new();
    for line in include_str!("../../tables/permissions.tsv").lines() {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        let (method, path) = (next(), next().to_lowercase());
        let lists = [next(), next()].map(|list| list.split_whitespace().collect());
        published.insert((path, method), lists);
    }
    let mut checked = 0;
    for row in operations() {
        let mut path = row.path.to_lowercase();
        // The row of the single organization has only device management.
        if path == "/organization/{id}" && row.method == "GET" {
            path = "/organization".into();
        }
        // The list of deleted items is published with the least permissions only, and changing a
        // password only below /me.
        if path.starts_with("/directory/deleteditems/microsoft.graph.") {
            path = "/directory/deleteditems/{id}".into();
        }
        // The assignments of policies are on a list in the other direction, and a photo is also changed as a whole.
        if row.method == "GET" && path.ends_with("/{id}/appmanagementpolicies") {
            path = "/policies/appmanagementpolicies/{id}/appliesto".into();
        }
        let mut method = row.method;
        if method == "PATCH" && path.ends_with("/photo/$value") {
            method = "PUT";
        }
        // An expanded object takes the permission to read it.
        for name in ["/principal", "/roledefinition", "/inheritspermissionsfrom"] {
            if let Some(parent) = path.strip_suffix(name) {
                path = parent.to_owned();
            }
        }
        if !published.contains_key(&(path.clone(), method)) {
            path = match path.strip_suffix("/$ref") {
                Some(path) => path.to_owned(),
                None => path.replace("/users/{id}", "/me"),
            };
        }
        let lists = published
            .get(&(path, method))
            .unwrap_or_else(|| panic!("{} {} is not published", row.method, row.path));
        for (known, names) in lists.iter().zip([row.delegated, row.application]) {
            for name in names.iter().chain(row.additional.iter().copied().flatten()) {
                assert!(known.contains(name), "{} {} {name}", row.method, row.path);
                checked += 1;
            }
        }
    }
    assert!(checked > 300, "{checked}");
}

/// Without a row a relationship is 403 for everybody, also as `$expand`.
#[test]
fn every_relationship_can_be_read() {
    for &kind in Kind::ALL {
        for relationship in kind.entity().relationships {
            assert_eq!(relationship.of, kind, "{}", relationship.name);
            let path = relationship.path();
            assert!(operation("GET", &path).is_some(), "{path}");
        }
    }
}

#[test]
fn no_operation_is_listed_twice() {
    let mut seen = BTreeSet::new();
    for row in operations() {
        // Deleted items of all types have one path.
        assert!(
            seen.insert((row.method, row.path))
                || row.path.starts_with("/directory/deletedItems/{id}"),
            "{} {}",
            row.method,
            row.path
        );
    }
}
