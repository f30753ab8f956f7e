//! Permissions that an administrator takes away while a copy is kept.

use std::time::Duration;

use entra_graph::{
    GraphClient,
    sync::{DirectorySync, MemoryStore, ObjectKind, SyncNote},
};
use entra_mock::{App, FakeTenant};
use serde_json::{Value, json};

use super::{Copy, client};
use crate::support::AppCredential;

/// An application that reads a tenant, and the client of an administrator.
struct Permitted {
    tenant: FakeTenant,
    app: App,
    graph: GraphClient,
    admin: GraphClient,
    all: GraphClient,
}

impl Permitted {
    async fn new(permissions: &[&str]) -> Self {
        let tenant = FakeTenant::start().await;
        let reader = tenant.register_app("Reader").with_secret();
        for permission in permissions {
            reader.application_permission(permission);
        }
        let admin = tenant
            .register_app("Administrator")
            .application_permission("AppRoleAssignment.ReadWrite.All")
            .application_permission("Application.Read.All")
            .application_permission("Member.Read.Hidden")
            .application_permission("Group.ReadWrite.All")
            .with_secret();
        let graph_of = |app: &App| {
            GraphClient::builder(AppCredential::new(&tenant, app))
                .cloud(tenant.cloud())
                .clock(tenant.clock())
                .build()
                .unwrap()
        };
        Self {
            graph: graph_of(&reader),
            admin: graph_of(&admin),
            all: client(&tenant),
            app: reader,
            tenant,
        }
    }

    /// Ends the assignment of a permission, and waits for the end of the tokens that have it.
    async fn revoke(&self, permission: &str) {
        let own = format!("/servicePrincipals/{}", self.app.service_principal_id());
        let assignments = self.admin.raw("GET", format!("{own}/appRoleAssignments"));
        let assignments = assignments.json::<Value>().await.unwrap();
        let mut ended = 0;
        for assignment in assignments["value"].as_array().unwrap() {
            let resource = assignment["resourceId"].as_str().unwrap();
            let resource = self
                .admin
                .raw("GET", format!("/servicePrincipals/{resource}"));
            let resource = resource.json::<Value>().await.unwrap();
            let roles = resource["appRoles"].as_array().unwrap();
            let is_it = |role: &&Value| {
                role["id"] == assignment["appRoleId"] && role["value"] == permission
            };
            if roles.iter().any(|role| is_it(&role)) {
                let id = assignment["id"].as_str().unwrap();
                let path = format!("{own}/appRoleAssignments/{id}");
                self.admin.raw("DELETE", path).send().await.unwrap();
                ended += 1;
            }
        }
        assert_eq!(ended, 1, "{permission}");
        self.tenant.clock().advance(Duration::from_secs(2 * 3600));
    }

    fn grant(&self, permission: &str) {
        self.app.application_permission(permission);
        self.tenant.clock().advance(Duration::from_secs(2 * 3600));
    }
}

#[tokio::test]
async fn a_permission_that_was_taken_away_is_a_note_and_its_part_of_the_copy_stays() {
    let permitted = Permitted::new(&["User.Read.All", "GroupMember.Read.All"]).await;
    let mut sync = DirectorySync::new(&permitted.graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();
    permitted.revoke("User.Read.All").await;
    let hanna = permitted.tenant.user("hanna@contoso.com");
    let hanna_id = hanna.id().to_string();
    hanna.delete();
    let new = permitted.tenant.add_group("New").id().to_string();
    // Also in full rounds.
    for is_full in [false, true] {
        if is_full {
            permitted.tenant.forget_delta_links();
        }
        let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
        let forbidden = |note: &SyncNote| matches!(note, SyncNote::Forbidden { kind: ObjectKind::User, message } if message.contains("User.Read"));
        assert!(notes.iter().any(forbidden), "full: {is_full}, {notes:?}");
        assert_eq!(copy.count(ObjectKind::User), before.count(ObjectKind::User));
        // A round of all groups does not list deleted members.
        let mut lost = before.members.difference(&copy.members);
        assert!(lost.all(|(_, member)| is_full && *member == hanna_id));
        assert!(copy.has(ObjectKind::Group, &new));
    }
    permitted.grant("User.Read.All");
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_equals_tenant(&permitted.all, "granted again")
        .await;
}

#[tokio::test]
async fn hidden_members_that_can_no_longer_be_read_need_an_approval_and_come_back() {
    let permissions = [
        "User.Read.All",
        "GroupMember.Read.All",
        "Member.Read.Hidden",
    ];
    let permitted = Permitted::new(&permissions).await;
    let body = json!({
        "displayName": "Hidden", "mailNickname": "hidden", "groupTypes": ["Unified"], "mailEnabled": true,
        "securityEnabled": false, "visibility": "HiddenMembership",
    });
    let create = permitted.admin.raw("POST", "/groups").body_json(&body);
    let hidden = create.json::<Value>().await.unwrap();
    let hidden = hidden["id"].as_str().unwrap().to_owned();
    for number in 0..20 {
        let user = permitted.tenant.add_user(&format!("User {number}"));
        permitted.tenant.group("Hidden").add_member(user.id());
    }
    let mut sync = DirectorySync::new(&permitted.graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy.members_of(&hidden).len(), 20);
    let before = copy.clone();

    permitted.revoke("Member.Read.Hidden").await;
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy, before, "a round of changes says nothing of them");
    permitted.tenant.forget_delta_links();
    let error = copy.catch_up(&mut sync, &mut store).await.unwrap_err();
    let held = error.held().unwrap();
    assert_eq!(
        (&held.groups[0].group, held.groups[0].removed),
        (&hidden, 20)
    );
    assert_eq!(copy, before);

    permitted.grant("Member.Read.Hidden");
    permitted.tenant.forget_delta_links();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy, before);
}
