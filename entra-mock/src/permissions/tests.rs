use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;

fn application(roles: &[&str]) -> Caller {
    Caller {
        roles: roles.iter().map(|&role| role.into()).collect(),
        ..Caller::default()
    }
}

fn person(scopes: &[&str]) -> Caller {
    Caller {
        user_id: Some("me".into()),
        scopes: scopes.iter().map(|&scope| scope.into()).collect(),
        // What the application itself may do never helps the person.
        roles: vec!["Directory.ReadWrite.All".into()],
        ..Caller::default()
    }
}

#[test]
fn any_one_permission_of_the_row_is_enough() {
    for name in [
        "User.ReadBasic.All",
        "User.Read.All",
        "Directory.ReadWrite.All",
    ] {
        assert_eq!(
            authorize(&application(&["Mail.Read", name]), "/users", false),
            Ok(())
        );
    }
    let refusal = authorize(&application(&["Group.Read.All"]), "/users", false).unwrap_err();
    assert_eq!(
        (refusal.status, refusal.code),
        (403, "Authorization_RequestDenied")
    );
    assert_eq!(
        authorize(&application(&[]), "/nowhere", false),
        Err(denied())
    );
}

#[test]
fn user_read_reaches_the_own_object_only() {
    assert_eq!(
        authorize(&person(&["User.Read"]), "/users/{id}", true),
        Ok(())
    );
    assert_eq!(
        authorize(&person(&["User.Read"]), "/users/{id}", false),
        Err(denied())
    );
    assert_eq!(
        authorize(&person(&["User.Read"]), "/users", false),
        Err(denied())
    );
    assert_eq!(
        authorize(&application(&["User.Read"]), "/users/{id}", true),
        Err(denied())
    );
}

#[test]
fn a_missing_log_permission_is_named() {
    let refusal = authorize(
        &application(&["User.Read.All"]),
        "/auditLogs/signIns",
        false,
    )
    .unwrap_err();
    assert_eq!(refusal.status, 403);
    assert!(refusal.message.contains("AuditLog.Read.All"));
    assert_eq!(
        authorize(
            &application(&["AuditLog.Read.All"]),
            "/auditLogs/signIns",
            false
        ),
        Ok(())
    );
}

#[test]
fn reach_depends_on_the_member_s_own_type() {
    let value = json!({"id": "me"});
    let object = &Object::from(value.as_object().cloned().unwrap());
    for (caller, kind, expected) in [
        (
            application(&["GroupMember.Read.All"]),
            Kind::User,
            Reach::Existence,
        ),
        (
            application(&["GroupMember.Read.All"]),
            Kind::Group,
            Reach::Everything,
        ),
        (
            application(&["GroupMember.Read.All"]),
            Kind::Device,
            Reach::Existence,
        ),
        (
            application(&["User.ReadBasic.All"]),
            Kind::User,
            Reach::Basic,
        ),
        (
            application(&["User.ReadBasic.All", "User.Read.All"]),
            Kind::User,
            Reach::Everything,
        ),
        (
            application(&["Application.Read.All"]),
            Kind::ServicePrincipal,
            Reach::Everything,
        ),
        (person(&["User.Read"]), Kind::User, Reach::Everything),
        (person(&["Group.Read.All"]), Kind::User, Reach::Existence),
        (application(&[]), Kind::AppRoleAssignment, Reach::Everything),
    ] {
        assert_eq!(
            reach(&caller, kind, object),
            expected,
            "{caller:?} {kind:?}"
        );
    }
}

#[test]
fn no_read_is_possible_without_a_permission() {
    for row in ROWS {
        assert!(
            !row.delegated.is_empty() && !row.application.is_empty(),
            "{}",
            row.path
        );
        assert!(
            authorize(&application(&[]), row.path, true).is_err(),
            "{}",
            row.path
        );
    }
}

/// Every name in the table must stand in Microsoft's lists for that path.
#[test]
fn the_table_agrees_with_the_published_lists() {
    let Some(folder) = std::env::var_os("ENTRA_FACTS") else {
        eprintln!("skipped: ENTRA_FACTS is not set");
        return;
    };
    let text =
        std::fs::read_to_string(std::path::Path::new(&folder).join("graph-permissions.json"))
            .unwrap();
    let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut published: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
    for entry in facts["paths"].as_array().unwrap() {
        let path = entry["path"].as_str().unwrap().to_lowercase();
        let action = ["membergroups", "memberobjects"]
            .iter()
            .any(|name| path.ends_with(name));
        if entry["method"] != if action { "POST" } else { "GET" } {
            continue;
        }
        let path = path
            .replace("(appid={value})", "/{id}")
            .replace("(deviceid={value})", "/{id}");
        for (list, kind) in [
            ("delegated_work", "delegated"),
            ("application", "application"),
        ] {
            let names = published.entry((path.clone(), kind)).or_default();
            for source in [&entry[list], &entry["docs"][list]] {
                let source = source
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|name| name.as_str());
                names.extend(source.map(str::to_owned));
            }
        }
    }
    let mut checked = 0;
    for row in ROWS {
        for (kind, names) in [
            ("delegated", row.delegated),
            ("application", row.application),
        ] {
            let mut path = row.path.to_lowercase();
            // The single organization's own row lacks everything but device management.
            if path == "/organization/{id}" {
                path = "/organization".into();
            }
            let known = published
                .get(&(path, kind))
                .unwrap_or_else(|| panic!("{} is not published", row.path));
            for name in names {
                assert!(known.contains(*name), "{} {kind} {name}", row.path);
                checked += 1;
            }
        }
    }
    assert!(checked > 300, "{checked}");
}
