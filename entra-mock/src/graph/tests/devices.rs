use super::*;

fn new_device() -> Value {
    json!({
        "accountEnabled": false,
        "alternativeSecurityIds": [{"type": 2, "key": "Y3YxN2E1MWFlYw=="}],
        "deviceId": "4c299165-6e8f-4b45-a5ba-c5d250a707ff",
        "displayName": "Test device",
        "operatingSystem": "linux",
        "operatingSystemVersion": "1"
    })
}

fn administrator() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.promote(ADELE);
    fixture.adele(&[
        "Directory.AccessAsUser.All",
        "Device.Read.All",
        "AuditLog.Read.All",
    ]);
    fixture
}

fn reference(number: u32) -> Value {
    json!({"@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", id(number))})
}

#[test]
fn an_administrator_creates_changes_and_deletes_a_device() {
    let fixture = administrator();
    let created = fixture.post("/devices", &new_device());
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["operatingSystem"], "linux");
    let one = format!("/devices/{}", created.body["id"].as_str().unwrap());
    let by_device_id = "/devices(deviceId='4c299165-6e8f-4b45-a5ba-c5d250a707ff')";
    let patch = json!({"displayName": "Renamed", "isCompliant": true});
    assert_eq!(fixture.patch(by_device_id, &patch).status, 204);
    let attributes = json!({"extensionAttributes": {"extensionAttribute1": "BYOD-Device"}});
    assert_eq!(fixture.patch(&one, &attributes).status, 204);
    let read = fixture.get(&one);
    assert_eq!(read.body["displayName"], "Renamed");
    assert_eq!(read.body["isCompliant"], true);
    assert_eq!(fixture.delete(by_device_id).status, 204);
    assert_eq!(fixture.get(&one).status, 404);
    let item = format!("/directory/deletedItems/{}", &one[9..]);
    assert_eq!(fixture.get(&item).status, 404);
    let log = fixture.get("/auditLogs/directoryAudits?$filter=loggedByService eq 'Core Directory'");
    let names = log.all("activityDisplayName");
    for name in ["Add device", "Update device", "Delete device"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

#[test]
fn a_device_has_its_required_properties_and_a_device_id_of_its_own() {
    let fixture = administrator();
    for name in [
        "accountEnabled",
        "alternativeSecurityIds",
        "deviceId",
        "displayName",
        "operatingSystem",
        "operatingSystemVersion",
    ] {
        let mut body = new_device();
        body.as_object_mut().unwrap().remove(name);
        let response = fixture.post("/devices", &body);
        assert_eq!(response.status, 400, "{name}");
        let message = format!("A value is required for property '{name}' of resource 'Device'.");
        assert_eq!(response.error().2, message);
    }
    for (name, value, message) in [
        ("isCompliant", json!(true), "read-only"),
        ("trustType", json!("AzureAd"), "read-only"),
        ("displayName", json!(7), "Invalid value"),
        ("colour", json!("red"), "does not exist"),
    ] {
        let mut body = new_device();
        body[name] = value;
        let response = fixture.post("/devices", &body);
        assert_eq!(response.status, 400, "{name}");
        assert!(response.error().2.contains(message), "{}", response.text);
    }
    let mut taken = new_device();
    taken["deviceId"] = id(310).into();
    assert_eq!(fixture.post("/devices", &taken).status, 400);
    let one = format!("/devices/{}", id(LAPTOP));
    let other = json!({"deviceId": id(311)});
    assert_eq!(fixture.patch(&one, &other).status, 400);
}

#[test]
fn registered_owners_and_users_are_users_by_reference() {
    let fixture = administrator();
    for (list, added, removed) in [
        (
            "registeredOwners",
            "Add registered owner to device",
            "Remove registered owner from device",
        ),
        (
            "registeredUsers",
            "Add registered users to device",
            "Remove registered users from device",
        ),
    ] {
        let path = format!("/devices/{}/{list}", id(LAPTOP));
        let add = |number| {
            fixture
                .post(&format!("{path}/$ref"), &reference(number))
                .status
        };
        assert_eq!([BO, BO, ENGINEERS, 800].map(add), [204, 400, 400, 404]);
        let listed = fixture.get(&path);
        assert_eq!(listed.all("id").last(), Some(&id(BO).as_str()));
        let item = format!("{path}/{}/$ref", id(BO));
        assert_eq!(fixture.delete(&item).status, 204);
        assert_eq!(fixture.delete(&item).status, 400);
        let log = fixture.get("/auditLogs/directoryAudits");
        let names = log.all("activityDisplayName");
        for name in [added, removed] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
    }
}

#[test]
fn an_application_updates_and_deletes_devices_but_creates_none() {
    let mut fixture = Fixture::new();
    fixture.application(&["Device.ReadWrite.All", "Directory.ReadWrite.All"]);
    let one = format!("/devices/{}", id(LAPTOP));
    assert_eq!(fixture.post("/devices", &new_device()).status, 403);
    let owners = format!("{one}/registeredOwners");
    assert_eq!(
        fixture
            .post(&format!("{owners}/$ref"), &reference(BO))
            .status,
        403
    );
    assert_eq!(
        fixture
            .delete(&format!("{owners}/{}/$ref", id(ADELE)))
            .status,
        403
    );
    let disable = json!({"accountEnabled": false});
    assert_eq!(fixture.patch(&one, &disable).status, 204);
    fixture.application(&["Directory.ReadWrite.All"]);
    assert_eq!(fixture.patch(&one, &disable).status, 204);
    assert_eq!(fixture.delete(&one).status, 403);
    fixture.application(&["Device.ReadWrite.All"]);
    assert_eq!(fixture.delete(&one).status, 204);
}

#[test]
fn a_user_without_a_role_changes_no_device() {
    let mut fixture = Fixture::new();
    fixture.adele(&["Directory.AccessAsUser.All"]);
    let one = format!("/devices/{}", id(LAPTOP));
    assert_eq!(fixture.post("/devices", &new_device()).status, 403);
    let disable = json!({"accountEnabled": false});
    assert_eq!(fixture.patch(&one, &disable).status, 403);
    assert_eq!(fixture.delete(&one).status, 403);
}

#[test]
fn a_delta_has_new_and_deleted_devices() {
    let mut fixture = administrator();
    let created = fixture.post("/devices", &new_device());
    let first = fixture.get("/devices/delta");
    assert_eq!(first.status, 200, "{}", first.text);
    let made = created.body["id"].as_str().unwrap();
    assert!(first.all("id").contains(&made));
    let link = first.body["@odata.deltaLink"].as_str().unwrap().to_owned();
    let next = link.split_once("/v1.0").unwrap().1.to_owned();
    fixture.delete(&format!("/devices/{made}"));
    let second = fixture.get(&next);
    assert_eq!(second.all("id"), [made]);
    assert!(second.body["value"][0]["@removed"].is_object());
    fixture.application(&["Directory.Read.All"]);
    assert_eq!(fixture.get("/devices/delta").status, 403);
}

#[test]
fn an_expansion_ends_at_twenty_objects_and_registered_devices_at_a_hundred() {
    let mut fixture = Fixture::new();
    let store = &mut fixture.state().store;
    for number in 0..101 {
        let (own, device) = (id(2_000 + number), id(4_000 + number));
        let object = json!({"id": own, "deviceId": device, "displayName": "D"});
        let object = object.as_object().cloned().unwrap();
        store.insert(Kind::Device, object).unwrap();
        assert!(store.link(Relation::RegisteredUsers, &own, &id(BO)));
        assert!(store.link(Relation::RegisteredOwners, &own, &id(BO)));
    }
    for (name, most) in [("registeredDevices", 100), ("ownedDevices", 20)] {
        let target = format!("/users/{}?$select=id&$expand={name}($select=id)", id(BO));
        let response = fixture.get(&target);
        let shown = response.body[name].as_array().map(Vec::len);
        assert_eq!(shown, Some(most), "{}", response.text);
    }
}
