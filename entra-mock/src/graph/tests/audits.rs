//! The audit log of a series of writes.

use super::{
    groups::{unified, writer},
    users::new_user,
    writes::{audits, reference},
    *,
};

#[test]
fn every_write_is_in_the_audit_log_under_its_name() {
    let mut fixture = writer();
    let user = fixture.post("/users", &new_user()).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let group = fixture.post("/groups", &unified("l")).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    fixture.patch(&format!("/groups/{group}"), &json!({"description": "x"}));
    for list in ["members", "owners"] {
        fixture.post(&format!("/groups/{group}/{list}/$ref"), &reference(&user));
    }
    fixture.post(&format!("/groups/{group}/owners/$ref"), &reference(&id(BO)));
    for list in ["members", "owners"] {
        fixture.delete(&format!("/groups/{group}/{list}/{user}/$ref"));
    }
    fixture.delete(&format!("/groups/{group}"));
    fixture.post(
        &format!("/directory/deletedItems/{group}/restore"),
        &json!({}),
    );
    fixture.delete(&format!("/groups/{}", id(TESTERS)));
    fixture.delete(&format!("/users/{user}"));
    fixture.post(
        &format!("/directory/deletedItems/{user}/restore"),
        &json!({}),
    );
    fixture.post(&format!("/users/{user}/revokeSignInSessions"), &json!({}));
    fixture.promote(ADELE);
    fixture.delete(&format!("/users/{user}"));
    fixture.adele(&["User.ReadWrite.All", "AuditLog.Read.All"]);
    fixture.delete(&format!("/directory/deletedItems/{user}"));
    for (name, category, operation, count) in [
        ("Add user", "UserManagement", "Add", 1),
        ("Delete user", "UserManagement", "Delete", 2),
        ("Restore user", "UserManagement", "Add", 1),
        ("Hard Delete user", "UserManagement", "Delete", 1),
        (
            "Update StsRefreshTokenValidFrom Timestamp",
            "UserManagement",
            "Update",
            1,
        ),
        ("Add group", "GroupManagement", "Add", 1),
        ("Update group", "GroupManagement", "Update", 1),
        ("Delete group", "GroupManagement", "Delete", 2),
        ("Restore Group", "GroupManagement", "Add", 1),
        ("Add member to group", "GroupManagement", "Add", 1),
        ("Remove member from group", "GroupManagement", "Unassign", 1),
        ("Add owner to group", "GroupManagement", "Add", 2),
        ("Remove owner from group", "GroupManagement", "Unassign", 1),
    ] {
        let found = audits(&fixture, name);
        assert_eq!(found.len(), count, "{name}");
        assert_eq!(
            (&found[0]["category"], &found[0]["operationType"]),
            (&json!(category), &json!(operation)),
            "{name}"
        );
        assert_eq!(found[0]["result"], "success");
    }
    let added = &audits(&fixture, "Add user")[0];
    let modified = added["targetResources"][0]["modifiedProperties"]
        .as_array()
        .unwrap();
    assert!(modified.contains(
        &json!({"displayName": "DisplayName", "oldValue": "[]", "newValue": "[\"Dana Demir\"]"})
    ));
    let purged = &audits(&fixture, "Hard Delete user")[0];
    assert_eq!(purged["initiatedBy"]["user"]["id"], id(ADELE));
    assert_eq!(purged["targetResources"][0]["id"], user.as_str());
    let kinds = &audits(&fixture, "Add group")[0]["targetResources"][0]["groupType"];
    assert_eq!(kinds, "unifiedGroups");
}
