//! The devices area: against the fake tenant, and what it sends against scripts.

use entra_core::ScriptedTransport;
use entra_graph::{
    Device, GraphClient, Group, Key,
    types::{AlternativeSecurityId, OnPremisesExtensionAttributes},
};

use crate::{
    scripts::{asked, client, is_advanced},
    support::start,
};

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
        assert!(asked(&script)[0].starts_with(&format!("/devices?$filter={text}&")));
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
        asked(&script),
        [
            "/devices(deviceId='3a1c')/registeredUsers?$top=999",
            "/devices/3a1c/transitiveMemberOf/$count"
        ]
    );
    assert!(is_advanced(&script.requests()[1]));
}
