//! The devices area: against the fake tenant, and what it sends against scripts.

use entra_core::{Guid, ScriptedTransport, StaticCredential};
use entra_graph::{
    Change, Device, GraphClient, Group, Key, NewDevice,
    types::{AlternativeSecurityId, OnPremisesExtensionAttributes},
};
use entra_mock::FakeTenant;

use crate::{
    scripts::{client, is_advanced, requested},
    support::{AppCredential, start},
};

const ADMIN: &str = "adele@contoso.com";
const DEVICE_ID: &str = "4c299165-6e8f-4b45-a5ba-c5d250a707ff";

/// A client of an application with these permissions, and one of an administrator who uses it.
fn clients(tenant: &FakeTenant) -> (GraphClient, GraphClient) {
    let app = tenant
        .register_app("Device desk")
        .application_permission("Device.ReadWrite.All")
        .application_permission("Directory.Read.All")
        .delegated_permission("Directory.AccessAsUser.All")
        .delegated_permission("Device.Read.All")
        .with_secret();
    let builder = GraphClient::builder(AppCredential::new(tenant, &app)).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    tenant.user(ADMIN).make_admin();
    let scopes = ["Directory.AccessAsUser.All", "Device.Read.All"];
    let tokens = tenant.tokens_for(&app, ADMIN, scopes);
    let credential = StaticCredential::new(tokens.access_token().expose_secret());
    let admin = graph.with_credential(credential);
    (graph, admin)
}

fn new_device() -> NewDevice {
    let device_id: Guid = DEVICE_ID.parse().unwrap();
    let key = AlternativeSecurityId::default()
        .kind(2)
        .key("Y3YxN2E1MWFlYw==");
    NewDevice::new(device_id, "Test device", &[key], "linux", "1")
}

#[tokio::test]
async fn a_device_is_created_changed_and_deleted_for_good() {
    let tenant = FakeTenant::start().await;
    let (graph, admin) = clients(&tenant);
    let create = admin.devices().create(new_device());
    let created = create.send().await.unwrap();
    assert_eq!(created.account_enabled, Some(true));
    assert_eq!(created.device_id.as_deref(), Some(DEVICE_ID));
    let device = graph.device(Key::device_id(DEVICE_ID));
    device
        .update()
        .set(Device::ACCOUNT_ENABLED, false)
        .set(
            Device::EXTENSION_ATTRIBUTES,
            OnPremisesExtensionAttributes::default().extension_attribute1("BYOD"),
        )
        .send()
        .await
        .unwrap();
    let read = device.get().send().await.unwrap();
    assert_eq!(read.account_enabled, Some(false));
    device.delete().send().await.unwrap();
    assert!(device.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn registered_owners_and_users_are_added_and_removed_on_behalf_of_an_administrator() {
    let tenant = FakeTenant::start().await;
    let (graph, admin) = clients(&tenant);
    let robin = tenant.add_user("Robin");
    let laptop = tenant.add_device("LAPTOP-1", None);
    let device = admin.device(laptop.id());
    device
        .registered_owners()
        .add(robin.id())
        .send()
        .await
        .unwrap();
    let added = device
        .registered_owners()
        .add_all([robin.id()])
        .await
        .unwrap();
    assert_eq!((added.added, added.already_present), (0, 1));
    device
        .registered_users()
        .add(robin.id())
        .send()
        .await
        .unwrap();
    let users = device.registered_users();
    assert_eq!(users.list().send().await.unwrap().items.len(), 1);
    users.remove(robin.id()).send().await.unwrap();
    assert_eq!(users.list().send().await.unwrap().items, []);
    let owners = graph.device(laptop.id()).registered_owners();
    let error = owners.remove(robin.id()).send().await.unwrap_err();
    let line = "this operation supports delegated permissions only; needs one of (delegated): Directory.AccessAsUser.All";
    assert!(error.to_string().contains(line), "{error}");
}

#[tokio::test]
async fn a_delta_follows_devices() {
    let tenant = FakeTenant::start().await;
    let (_, admin) = clients(&tenant);
    let delta = || admin.devices().delta();
    let (_, state) = delta().changes().try_collect().await.unwrap();
    let created = admin.devices().create(new_device()).send().await.unwrap();
    let (changes, state) = delta().since(state).changes().try_collect().await.unwrap();
    assert!(matches!(&changes[..], [Change::Upsert(changed)] if changed.object.id == created.id));
    admin.device(&created.id).delete().send().await.unwrap();
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    assert!(matches!(&changes[..], [Change::Removed { id, .. }] if *id == created.id));
}

#[tokio::test]
async fn devices_are_listed_counted_and_found_by_either_id() {
    let (tenant, credential) = start().await;
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let robin = tenant.add_user("Robin");
    let laptop = tenant.add_device("LAPTOP-1", Some(robin.id()));
    let group = tenant.add_group("Laptops");
    group.add_member(laptop.id());

    let devices = graph
        .devices()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let count = graph.devices().count().send().await.unwrap();
    assert_eq!(devices.len() as u64, count);
    let named = graph
        .devices()
        .list()
        .filter(Device::DISPLAY_NAME.eq("LAPTOP-1"))
        .order_by(Device::APPROXIMATE_LAST_SIGN_IN_DATE_TIME.desc())
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(named[0].id, laptop.id().to_string());

    let device_id = named[0].device_id.clone().unwrap();
    assert_ne!(device_id, named[0].id);
    let device = graph.device(Key::device_id(device_id));
    assert_eq!(device.get().send().await.unwrap().id, named[0].id);
    let owners = device.registered_owners().list().items();
    let users = device.registered_users().list().items();
    for items in [owners, users] {
        let found = items.try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(found[0].id(), robin.id().to_string());
        assert!(found[0].as_user().is_some());
    }
    let groups = device.member_of().cast::<Group>().list().items();
    let groups = groups.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(groups[0].id, group.id().to_string());
    let request = device.get().select(Device::DISPLAY_NAME);
    let read = request
        .expand(Device::REGISTERED_OWNERS)
        .send()
        .await
        .unwrap();
    let owners = read.registered_owners.unwrap();
    assert!(owners.is_complete());
    assert_eq!(owners[0].display_name(), Some("Robin"));
}

#[tokio::test]
async fn conditions_inside_of_properties_are_written_as_graph_reads_them() {
    let filters = [
        (
            Device::EXTENSION_ATTRIBUTES
                .path(OnPremisesExtensionAttributes::EXTENSION_ATTRIBUTE15)
                .eq("BYOD"),
            "extensionAttributes/extensionAttribute15 eq 'BYOD'",
            true,
        ),
        (
            Device::ALTERNATIVE_SECURITY_IDS.any(|id| id.path(AlternativeSecurityId::KIND).eq(2)),
            "alternativeSecurityIds/any(x:x/type eq 2)",
            false,
        ),
        (
            Device::PHYSICAL_IDS.any(|id| id.eq("[OrderId]:7")),
            "physicalIds/any(x:x eq '[OrderId]:7')",
            false,
        ),
    ];
    for (filter, text, advanced) in filters {
        let script = ScriptedTransport::new().then(200, &[], r#"{"value":[]}"#);
        let list = client(script.clone()).devices().list().filter(filter);
        list.send().await.unwrap();
        assert!(requested(&script)[0].starts_with(&format!("/devices?$filter={text}&")));
        assert_eq!(is_advanced(&script.requests()[0]), advanced, "{text}");
    }
}

#[tokio::test]
async fn relationships_are_read_below_either_id() {
    let script = ScriptedTransport::new()
        .then(200, &[], r#"{"value":[]}"#)
        .then(200, &[], "7");
    let graph = client(script.clone());
    let device = graph.device(Key::device_id("3a1c"));
    device.registered_users().list().send().await.unwrap();
    let above = graph.device("3a1c").transitive_member_of();
    assert_eq!(above.count().send().await.unwrap(), 7);
    assert_eq!(
        requested(&script),
        [
            "/devices(deviceId='3a1c')/registeredUsers?$top=999",
            "/devices/3a1c/transitiveMemberOf/$count"
        ]
    );
    assert!(is_advanced(&script.requests()[1]));
}
