//! Passwords, photos, licences and the life of groups against the fake tenant, and properties with permissions of
//! their own.

use entra_core::{
    ObjectId, Secret, StaticCredential, Timestamp, time::format_description::well_known::Rfc3339,
};
use entra_graph::{
    GraphClient, Group, Key, NewGroup, User,
    types::{AssignedLicense, PasswordProfile},
};
use entra_mock::{App, FakeTenant};

use crate::support::AppCredential;

const ADELE: &str = "adele@contoso.com";
const ADMIN: &str = "admin@contoso.com";
const PASSWORD: &str = "zq4#Canary-7Vx!pass";
const NEXT_PASSWORD: &str = "0eM85N54wFxWwvJ]";

/// An application with these permissions.
async fn start(permissions: &[&str]) -> (FakeTenant, App, GraphClient) {
    let tenant = FakeTenant::start().await;
    let mut app = tenant.register_app("Writer");
    for permission in permissions {
        app = app.application_permission(permission);
    }
    let app = app.with_secret();
    let graph = client(&tenant, AppCredential::new(&tenant, &app));
    (tenant, app, graph)
}

fn client(tenant: &FakeTenant, credential: impl entra_core::TokenCredential) -> GraphClient {
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    builder.clock(tenant.clock()).build().unwrap()
}

/// A client with the token of a user who signed in with these scopes.
pub(crate) fn signed_in(tenant: &FakeTenant, user: &str, scopes: &[&str]) -> GraphClient {
    let mut app = tenant.register_app("Shop");
    for scope in scopes {
        app = app.delegated_permission(scope);
    }
    let app = app.with_secret();
    let tokens = tenant.tokens_for(&app, user, scopes);
    client(
        tenant,
        StaticCredential::new(tokens.access_token().expose_secret()),
    )
}

/// A JPEG image of 2 by 2 pixels, as far as its header goes.
/// The width and the height of the photo.
const WIDTH: i32 = 100;

fn jpeg() -> Vec<u8> {
    b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x64\x00\x64".to_vec()
}

#[tokio::test]
async fn a_password_reset_names_the_permission_for_passwords() {
    let (_tenant, app, graph) = start(&["User.ReadWrite.All"]).await;
    let adele = graph.user(ADELE);
    let reset = || adele.reset_password(PasswordProfile::new(PASSWORD));
    let error = reset().send().await.unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["User-PasswordProfile.ReadWrite.All"]
    );
    let report = format!("{error:#}");
    assert!(
        report.contains("Application permissions > User-PasswordProfile.ReadWrite.All"),
        "{report}"
    );
    assert!(!report.contains("directory role"), "{report}");
    // The same in a batch, and beside another property.
    let mut batch = graph.batch();
    let entry = batch.add(reset().set(User::JOB_TITLE, "Lead"));
    let error = batch.send().await.unwrap().get(entry).unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["User-PasswordProfile.ReadWrite.All"]
    );

    let _ = app.application_permission("User-PasswordProfile.ReadWrite.All");
    graph.renew_token().await.unwrap();
    reset().set(User::JOB_TITLE, "Lead").send().await.unwrap();
    reset().send().await.unwrap();
}

#[tokio::test]
async fn a_property_with_a_permission_of_its_own_names_that_permission() {
    let (_tenant, app, graph) = start(&["User.ReadWrite.All"]).await;
    let leave = Timestamp::parse("2026-12-31T00:00:00Z", &Rfc3339).unwrap();
    let update = || {
        graph
            .user(ADELE)
            .update()
            .set(User::EMPLOYEE_LEAVE_DATE_TIME, leave)
    };
    let error = update().send().await.unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["User-LifeCycleInfo.ReadWrite.All"]
    );
    let both = update().set(User::PASSWORD_PROFILE, PasswordProfile::new(PASSWORD));
    let _ = app.application_permission("User-LifeCycleInfo.ReadWrite.All");
    graph.renew_token().await.unwrap();
    update().send().await.unwrap();
    let error = both.send().await.unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["User-PasswordProfile.ReadWrite.All"]
    );
}

#[tokio::test]
async fn a_role_assignable_group_names_the_permission_for_roles() {
    let (_tenant, app, graph) = start(&["Group.Create"]).await;
    let create = || {
        let create = graph.groups().create(NewGroup::security("R", "r"));
        create.set(Group::IS_ASSIGNABLE_TO_ROLE, true).send()
    };
    let error = create().await.unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["RoleManagement.ReadWrite.Directory"]
    );
    let _ = app.application_permission("RoleManagement.ReadWrite.Directory");
    graph.renew_token().await.unwrap();
    create().await.unwrap();
}

#[tokio::test]
async fn a_password_is_changed_and_the_next_change_needs_the_new_one() {
    let tenant = FakeTenant::start().await;
    let [first, second] = [PASSWORD, NEXT_PASSWORD].map(Secret::from);
    tenant.user(ADELE).set_password(&first);
    let me = signed_in(&tenant, ADELE, &["User-PasswordProfile.ReadWrite.All"]).me();
    me.change_password(&first, &second).send().await.unwrap();
    let error = me.change_password(&first, &second).send().await;
    assert!(error.is_err(), "the old password is no longer valid");
    me.change_password(&second, &first).send().await.unwrap();
}

#[tokio::test]
async fn users_change_their_own_profile() {
    let tenant = FakeTenant::start().await;
    let me = signed_in(&tenant, ADELE, &["User.ReadWrite"]).me();
    me.update()
        .set(User::PREFERRED_LANGUAGE, "de-DE")
        .send()
        .await
        .unwrap();
    let read = me.get().select(User::PREFERRED_LANGUAGE).send().await;
    assert_eq!(read.unwrap().preferred_language.as_deref(), Some("de-DE"));
}

#[tokio::test]
async fn photos_of_users_and_groups_are_set_read_and_deleted() {
    let (_tenant, _, graph) = start(&["ProfilePhoto.ReadWrite.All", "Group.ReadWrite.All"]).await;
    let adele = graph.user(ADELE);
    assert_eq!(adele.photo().send_opt().await.unwrap(), None);
    adele.set_photo(jpeg()).send().await.unwrap();
    assert_eq!(adele.photo().send().await.unwrap(), jpeg());
    let metadata = adele.photo_metadata().send().await.unwrap();
    assert_eq!(
        (metadata.width, metadata.height),
        (Some(WIDTH), Some(WIDTH))
    );
    assert!(metadata.additional().get("@odata.mediaEtag").is_some());
    let sizes = adele.photos().send().await.unwrap();
    let ids: Vec<&str> = sizes.iter().map(|size| size.id.as_str()).collect();
    assert_eq!(ids, ["48x48", "64x64", "96x96"]);
    let small = adele.photo_of_size("48x48").send().await.unwrap();
    assert_eq!(small, jpeg());
    let other = adele.photo_of_size("50x50").send_opt().await.unwrap();
    assert_eq!(other, None);
    assert!(adele.photo_of_size("../x").send().await.is_err());
    adele.delete_photo().send().await.unwrap();
    assert_eq!(adele.photo().send_opt().await.unwrap(), None);

    let create = graph.groups().create(NewGroup::microsoft_365("M", "m"));
    let group = graph.group(create.send().await.unwrap().id);
    group.set_photo(jpeg()).send().await.unwrap();
    assert_eq!(group.photo().send().await.unwrap(), jpeg());
    assert_eq!(
        group.photo_metadata().send().await.unwrap().width,
        Some(WIDTH)
    );
    assert_eq!(group.photos().send().await.unwrap().len(), 3);
    let small = group.photo_of_size("64x64").send().await.unwrap();
    assert_eq!(small, jpeg());
    group.delete_photo().send().await.unwrap();
    assert_eq!(group.photo().send_opt().await.unwrap(), None);
}

#[tokio::test]
async fn a_group_is_upserted_renewed_deleted_restored_and_purged() {
    let (tenant, _, graph) = start(&["Group.ReadWrite.All"]).await;
    let keyed = graph.group(Key::unique_name("buyers"));
    let new = || NewGroup::microsoft_365("Buyers", "buyers");
    let created = keyed.upsert(new()).send().await.unwrap().unwrap();
    let changed = keyed.upsert(new()).set(Group::DESCRIPTION, "d").send();
    assert_eq!(changed.await.unwrap(), None);
    let read = keyed.get().send().await.unwrap();
    assert_eq!(read.id, created.id);
    assert_eq!(read.description.as_deref(), Some("d"));

    let group = graph.group(created.id.as_str());
    group.renew().send().await.unwrap();
    group.delete().send().await.unwrap();
    assert_eq!(group.get_opt().await.unwrap(), None);
    let deleted = graph.deleted_group(created.id.as_str());
    let restored = deleted.restore().send().await.unwrap();
    assert_eq!(restored.id, created.id);
    group.get().send().await.unwrap();
    group.delete().send().await.unwrap();
    // Only signed-in users purge groups.
    assert!(deleted.purge().send().await.unwrap_err().is_forbidden());
    tenant.user(ADMIN).make_admin();
    let admin = signed_in(&tenant, ADMIN, &["Group.ReadWrite.All"]);
    let purge = admin.deleted_group(created.id.as_str()).purge();
    purge.send().await.unwrap();
    assert_eq!(deleted.get_opt().await.unwrap(), None);
}

#[tokio::test]
async fn licences_of_a_group_reach_its_members_and_leave_with_the_membership() {
    let (_tenant, _, graph) = start(&[
        "Group.ReadWrite.All",
        "LicenseAssignment.ReadWrite.All",
        "Organization.Read.All",
        "User.ReadWrite.All",
    ])
    .await;
    let skus = graph.subscribed_skus().list().send().await.unwrap();
    let sku = skus.items[0].sku_id.as_deref().unwrap();
    let create = graph.groups().create(NewGroup::security("S", "s"));
    let group = graph.group(create.send().await.unwrap().id);
    let licences = || group.get().select(Group::ASSIGNED_LICENSES);
    let assigned = group.assign_licenses([AssignedLicense::new(sku)]);
    assigned.send().await.unwrap();
    let read = licences().send().await.unwrap();
    assert_eq!(read.assigned_licenses.unwrap().len(), 1);

    let adele = graph.user(ADELE).get().send().await.unwrap();
    let id: ObjectId = adele.id.parse().unwrap();
    group.members().add(id).send().await.unwrap();
    let again = graph.user(ADELE).reprocess_license_assignment();
    assert_eq!(again.send().await.unwrap().id, adele.id);
    let member = || {
        let properties = (User::ASSIGNED_LICENSES, User::LICENSE_ASSIGNMENT_STATES);
        graph.user(ADELE).get().select(properties)
    };
    let read = member().send().await.unwrap();
    assert_eq!(
        read.assigned_licenses.unwrap()[0].sku_id.as_deref(),
        Some(sku)
    );
    let states = read.license_assignment_states.unwrap();
    let own = group.get().send().await.unwrap().id;
    assert_eq!(states[0].assigned_by_group.as_deref(), Some(own.as_str()));

    group.members().remove(id).send().await.unwrap();
    let read = member().send().await.unwrap();
    assert!(read.assigned_licenses.unwrap().is_empty());
    group.remove_licenses([sku]).send().await.unwrap();
    let read = licences().send().await.unwrap();
    assert!(read.assigned_licenses.unwrap().is_empty());
}
