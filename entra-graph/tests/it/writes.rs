//! Requests and responses of creates, updates and references.

use entra_core::{Guid, ObjectId, ScriptedTransport, Secret, TransportError};
use entra_graph::{
    ErrorKind, Group, IntoRequest, Key, NewGroup, NewUser, Property, Reference, User,
    types::{AssignedLicense, ObjectIdentity, PasswordProfile},
};
use http::Request;
use serde_json::{Value, json};

use crate::scripts::{ROOT, client, requested};

const ADELE: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
const PASSWORD: &str = "zq4#Canary-7Vx!pass";
const ALREADY_PRESENT: &str = r#"{"error":{"code":"Request_BadRequest","message":"One or more added object references already exist for the following modified properties: 'members'."}}"#;
const ALREADY_ABSENT: &str = r#"{"error":{"code":"Request_BadRequest","message":"One or more removed object references do not exist for the following modified properties: 'members'."}}"#;

fn body(request: &Request<bytes::Bytes>) -> Value {
    assert_eq!(request.headers()["content-type"], "application/json");
    serde_json::from_slice(request.body()).unwrap()
}

fn only(script: &ScriptedTransport) -> (String, String, Value) {
    let requests = script.requests();
    assert_eq!(requests.len(), 1);
    let value = if requests[0].body().is_empty() {
        Value::Null
    } else {
        body(&requests[0])
    };
    (
        requests[0].method().to_string(),
        requested(script)[0].clone(),
        value,
    )
}

#[tokio::test]
async fn a_new_user_is_sent_with_the_required_properties_and_what_is_set() {
    let script = ScriptedTransport::new().then(201, &[], format!(r#"{{"id":"{ADELE}"}}"#));
    let password = PasswordProfile::new(PASSWORD);
    let created = client(script.clone())
        .users()
        .create(NewUser::new(
            "Adele Vance",
            "AdeleV@contoso.com",
            "AdeleV",
            password,
        ))
        .set(User::DEPARTMENT, "Sales")
        .set(User::DEPARTMENT, "Retail")
        .set(User::BUSINESS_PHONES, ["+1 425 555 0109"])
        .set(User::ACCOUNT_ENABLED, false)
        .send()
        .await
        .unwrap();
    assert_eq!(created.id, ADELE);
    assert_eq!(
        only(&script),
        (
            "POST".to_owned(),
            "/users".to_owned(),
            json!({
                "accountEnabled": false,
                "displayName": "Adele Vance",
                "mailNickname": "AdeleV",
                "userPrincipalName": "AdeleV@contoso.com",
                "passwordProfile": { "forceChangePasswordNextSignIn": true, "password": PASSWORD },
                "department": "Retail",
                "businessPhones": ["+1 425 555 0109"],
            })
        )
    );
}

#[tokio::test]
async fn set_clear_and_leave_are_three_things() {
    let script = ScriptedTransport::new().then(204, &[], "");
    client(script.clone())
        .user(ADELE)
        .update()
        .set(User::JOB_TITLE, "Lead")
        .clear(User::OFFICE_LOCATION)
        .clear(User::BUSINESS_PHONES)
        .send()
        .await
        .unwrap();
    assert_eq!(
        only(&script),
        (
            "PATCH".to_owned(),
            format!("/users/{ADELE}"),
            json!({ "jobTitle": "Lead", "officeLocation": null, "businessPhones": [] })
        )
    );
    let nothing = client(ScriptedTransport::new()).user(ADELE).update();
    assert_eq!(nothing.send().await.unwrap_err().kind(), ErrorKind::Query);
}

#[tokio::test]
async fn directory_extensions_are_set_by_a_name_known_at_run_time() {
    let script = ScriptedTransport::new().then(204, &[], "");
    let app = "25883231-668a-43a7-80b2-5685c3f874bc".parse().unwrap();
    let name = format!("cost{}", "Center");
    let cost_center: Property<User, String> = Property::extension(app, &name);
    let level: Property<User, i32> = Property::custom("extension_x_level".to_owned());
    let update = client(script.clone()).user(ADELE).update();
    update
        .set(cost_center, "IT")
        .clear(level)
        .send()
        .await
        .unwrap();
    let (_, _, sent) = only(&script);
    assert_eq!(
        sent,
        json!({ "extension_25883231668a43a780b25685c3f874bc_costCenter": "IT", "extension_x_level": null })
    );
}

#[tokio::test]
async fn no_secret_of_a_body_is_printed() {
    let graph = client(ScriptedTransport::new());
    let profile = PasswordProfile::new(PASSWORD);
    let new = NewUser::new("A", "a@contoso.com", "a", profile.clone());
    let create = graph.users().create(new.clone());
    let mut batch = graph.batch();
    batch.add(create.clone());
    let me = graph
        .me()
        .change_password(&Secret::from(PASSWORD), &Secret::from(PASSWORD));
    for text in [
        format!("{profile:?}"),
        format!("{new:?}"),
        format!("{create:?}"),
        format!("{:?}", create.into_request()),
        format!("{batch:?}"),
        format!("{me:?}"),
        serde_json::to_string(&profile).unwrap(),
    ] {
        assert!(!text.contains("Canary"), "{text}");
    }
}

#[tokio::test]
async fn a_create_with_a_lost_response_is_not_sent_again() {
    let script = ScriptedTransport::new().then_fail(TransportError::interrupted("reset by peer"));
    let graph = client(script.clone());
    let create = graph
        .groups()
        .create(NewGroup::security("Buyers", "buyers"));
    let error = create.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().starts_with("POST /groups: "), "{error}");
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_delete_with_a_lost_response_succeeds_if_the_object_is_gone() {
    let gone = r#"{"error":{"code":"Request_ResourceNotFound","message":"m"}}"#;
    let script = ScriptedTransport::new()
        .then_fail(TransportError::interrupted("reset by peer"))
        .then(404, &[], gone)
        .then(404, &[], gone);
    let graph = client(script);
    graph.user(ADELE).delete().send().await.unwrap();
    let error = graph.user(ADELE).delete().send().await.unwrap_err();
    assert!(error.is_not_found(), "the first attempt found nothing");
    assert!(error.to_string().contains("on DELETE /users/"), "{error}");
}

#[tokio::test]
async fn a_reference_whose_response_was_lost_is_added_or_removed_by_the_next_attempt() {
    let lost = || TransportError::interrupted("reset by peer");
    let id = ids(1)[0];
    let script = ScriptedTransport::new()
        .then_fail(lost())
        .then(400, &[], ALREADY_PRESENT)
        .then(400, &[], ALREADY_PRESENT);
    let members = client(script).group("g").members();
    members.add(id).send().await.unwrap();
    let error = members.add(id).send().await.unwrap_err();
    assert!(error.is_already_present(), "{error}");

    let script = ScriptedTransport::new()
        .then_fail(lost())
        .then(400, &[], ALREADY_ABSENT)
        .then(400, &[], ALREADY_ABSENT);
    let members = client(script).group("g").members();
    members.remove(id).send().await.unwrap();
    let error = members.remove(id).send().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 400, "{error}");
}

#[tokio::test]
async fn members_that_a_lost_request_added_count_as_added() {
    let script = ScriptedTransport::new()
        .then_fail(TransportError::interrupted("reset by peer"))
        .then(400, &[], ALREADY_PRESENT)
        .then(400, &[], ALREADY_PRESENT)
        .then(400, &[], ALREADY_PRESENT);
    let members = client(script).group("g").members();
    let added = members.add_all(ids(2)).await.unwrap();
    assert_eq!((added.added, added.already_present), (2, 0));
}

#[tokio::test]
async fn concurrent_write_errors_are_retried() {
    let busy = r#"{"error":{"code":"Directory_ConcurrencyViolation","message":"m"}}"#;
    let script = ScriptedTransport::new()
        .then(409, &[], busy)
        .then(400, &[], busy)
        .then(201, &[], r#"{"id":"1"}"#);
    let graph = client(script.clone());
    let create = graph
        .groups()
        .create(NewGroup::security("Buyers", "buyers"));
    create.send().await.unwrap();
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test]
async fn deleted_objects_are_restored_and_purged() {
    let script = ScriptedTransport::new()
        .then(200, &[], r#"{"value":[]}"#)
        .then(
            200,
            &[],
            format!(r##"{{"@odata.type":"#microsoft.graph.user","id":"{ADELE}"}}"##),
        )
        .then(204, &[], "")
        .then(204, &[], "");
    let graph = client(script.clone());
    graph.deleted_users().list().send().await.unwrap();
    let user = graph.deleted_user(ADELE).restore().send().await.unwrap();
    assert_eq!(user.id, ADELE);
    graph.deleted_user(ADELE).purge().send().await.unwrap();
    graph.deleted_group(ADELE).purge().send().await.unwrap();
    let methods: Vec<String> = script
        .requests()
        .iter()
        .map(|one| one.method().to_string())
        .collect();
    assert_eq!(methods, ["GET", "POST", "DELETE", "DELETE"]);
    assert_eq!(
        requested(&script),
        [
            "/directory/deletedItems/microsoft.graph.user?$top=999".to_owned(),
            format!("/directory/deletedItems/{ADELE}/restore"),
            format!("/directory/deletedItems/{ADELE}"),
            format!("/directory/deletedItems/{ADELE}"),
        ]
    );
}

#[tokio::test]
async fn an_upsert_takes_an_alternate_key_and_returns_whether_it_created() {
    let script = ScriptedTransport::new()
        .then(201, &[], r#"{"id":"1"}"#)
        .then(204, &[], "");
    let graph = client(script.clone());
    let group = graph.group(Key::unique_name("buyers"));
    let new = || NewGroup::security("Buyers", "buyers");
    let created = group.upsert(new()).send().await.unwrap();
    assert_eq!(created.unwrap().id, "1");
    let changed = group
        .upsert(new())
        .set(Group::DESCRIPTION, "d")
        .send()
        .await
        .unwrap();
    assert_eq!(changed, None);
    for request in script.requests() {
        assert_eq!(request.method(), "PATCH");
        assert_eq!(request.headers()["prefer"], "create-if-missing");
        assert!(
            request
                .uri()
                .path()
                .ends_with("/groups(uniqueName='buyers')")
        );
    }
    let by_id = graph.group(ADELE).upsert(new()).send().await.unwrap_err();
    assert_eq!(by_id.kind(), ErrorKind::Query);
    assert_eq!(script.requests().len(), 2);
}

fn ids(count: u128) -> Vec<ObjectId> {
    (1..=count)
        .map(|number| {
            format!("00000000-0000-0000-0000-{number:012x}")
                .parse()
                .unwrap()
        })
        .collect()
}

fn address(id: &ObjectId) -> String {
    format!("{ROOT}/directoryObjects/{id}")
}

#[tokio::test]
async fn members_are_added_20_per_request_and_present_ones_are_no_error() {
    // The second 20 contain an existing member, so they are added one by one.
    let mut script = ScriptedTransport::new()
        .then(204, &[], "")
        .then(400, &[], ALREADY_PRESENT);
    for number in 20..40 {
        script = if number == 25 {
            script.then(400, &[], ALREADY_PRESENT)
        } else {
            script.then(204, &[], "")
        };
    }
    let script = script.then(204, &[], "");
    let ids = ids(45);
    let added = client(script.clone())
        .group("g")
        .members()
        .add_all(&ids)
        .await
        .unwrap();
    assert_eq!((added.added, added.already_present), (44, 1));
    let requests = script.requests();
    assert_eq!(requests.len(), 23);
    let sent = body(&requests[0]);
    assert_eq!(requests[0].method(), "PATCH");
    assert_eq!(requested(&script)[0], "/groups/g");
    let expected: Vec<String> = ids[..20].iter().map(address).collect();
    assert_eq!(sent, json!({ "members@odata.bind": expected }));
    assert_eq!(requests[2].method(), "POST");
    assert_eq!(requested(&script)[2], "/groups/g/members/$ref");
    assert_eq!(
        body(&requests[2]),
        json!({ "@odata.id": address(&ids[20]) })
    );
    assert_eq!(
        body(&requests[22])["members@odata.bind"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[tokio::test]
async fn add_all_stops_at_any_other_error() {
    let missing = r#"{"error":{"code":"Request_ResourceNotFound","message":"m"}}"#;
    let script = ScriptedTransport::new().then(404, &[], missing);
    let error = client(script)
        .group("g")
        .members()
        .add_all(ids(45))
        .await
        .unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains("on PATCH /groups/g"), "{error}");
}

#[tokio::test]
async fn references_are_added_set_and_removed_by_url() {
    let mut script = ScriptedTransport::new();
    for _ in 0..6 {
        script = script.then(204, &[], "");
    }
    let graph = client(script.clone());
    let (group, user) = (graph.group("g"), graph.user("a"));
    let id = ids(1)[0];
    group.members().add(id).send().await.unwrap();
    group.members().remove(id).send().await.unwrap();
    group
        .owners()
        .add(Reference::user("b"))
        .send()
        .await
        .unwrap();
    group
        .owners()
        .remove(&*id.to_string())
        .send()
        .await
        .unwrap();
    user.manager()
        .set(Reference::user("b"))
        .send()
        .await
        .unwrap();
    user.manager().remove().send().await.unwrap();
    let sent: Vec<String> = script
        .requests()
        .iter()
        .zip(requested(&script))
        .map(|(request, path)| {
            format!(
                "{} {path} {}",
                request.method(),
                String::from_utf8_lossy(request.body())
            )
        })
        .collect();
    assert_eq!(
        sent,
        [
            format!(
                r#"POST /groups/g/members/$ref {{"@odata.id":"{}"}}"#,
                address(&id)
            ),
            format!("DELETE /groups/g/members/{id}/$ref "),
            format!(r#"POST /groups/g/owners/$ref {{"@odata.id":"{ROOT}/users/b"}}"#),
            format!("DELETE /groups/g/owners/{id}/$ref "),
            format!(r#"PUT /users/a/manager/$ref {{"@odata.id":"{ROOT}/users/b"}}"#),
            "DELETE /users/a/manager/$ref ".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_reference_never_names_something_else() {
    let script = ScriptedTransport::new();
    let graph = client(script.clone());
    for id in ["", ".", "..", " "] {
        let members = graph.group("g").members();
        let requests = [
            members.add(id),
            members.remove(id),
            graph.user("a").manager().set(id),
        ];
        for request in requests {
            assert_eq!(
                request.send().await.unwrap_err().kind(),
                ErrorKind::Query,
                "{id:?}"
            );
        }
    }
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn a_new_group_takes_at_most_20_members_and_owners() {
    let script = ScriptedTransport::new();
    let graph = client(script.clone());
    let new = NewGroup::security("Buyers", "buyers")
        .members(ids(20))
        .owners(ids(1));
    let error = graph.groups().create(new).send().await.unwrap_err();
    assert!(
        error.to_string().contains("21 owners and members"),
        "{error}"
    );
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn identities_and_licences_are_written_as_objects() {
    let script = ScriptedTransport::new()
        .then(201, &[], "{}")
        .then(200, &[], "{}");
    let graph = client(script.clone());
    let identity = ObjectIdentity::default()
        .sign_in_type("userName")
        .issuer("contoso.onmicrosoft.com")
        .issuer_assigned_id("johnsmith");
    let profile = PasswordProfile::new(PASSWORD).force_change_password_next_sign_in(false);
    let new = NewUser::with_identities("John Smith", &[identity], profile);
    graph.users().create(new).send().await.unwrap();
    let sku: Guid = "45715bb8-13f9-4bf6-927f-ef96c102d394".parse().unwrap();
    let plan: Guid = "11b0131d-43c8-4bbb-b2c8-e80f9a50834a".parse().unwrap();
    let licence = AssignedLicense::new(sku).without_plans([plan]);
    graph.me().assign_licenses([licence]).send().await.unwrap();
    let requests = script.requests();
    assert_eq!(
        body(&requests[0])["identities"],
        json!([{ "signInType": "userName", "issuer": "contoso.onmicrosoft.com", "issuerAssignedId": "johnsmith" }])
    );
    assert_eq!(
        body(&requests[1]),
        json!({ "addLicenses": [{ "disabledPlans": [plan.to_string()], "skuId": sku.to_string() }], "removeLicenses": [] })
    );
}

#[tokio::test]
async fn photos_are_bytes_both_ways() {
    let jpeg = b"\xff\xd8\xff\xe0canary";
    let absent = r#"{"error":{"code":"ImageNotFound","message":"m"}}"#;
    let script = ScriptedTransport::new()
        .then(200, &[("content-type", "image/jpeg")], &jpeg[..])
        .then(404, &[], absent)
        .then(200, &[], "")
        .then(204, &[], "");
    let graph = client(script.clone());
    assert_eq!(graph.me().photo().send().await.unwrap(), &jpeg[..]);
    assert_eq!(graph.user("a").photo().send_opt().await.unwrap(), None);
    graph.user("a").set_photo(&jpeg[..]).send().await.unwrap();
    graph.group("g").delete_photo().send().await.unwrap();
    let put = &script.requests()[2];
    assert_eq!(put.method(), "PUT");
    assert_eq!(put.headers()["content-type"], "image/jpeg");
    assert_eq!(&put.body()[..], &jpeg[..]);
    assert_eq!(requested(&script)[0], "/me/photo/$value");
    assert_eq!(requested(&script)[3], "/groups/g/photo/$value");
    assert_eq!(script.requests()[3].method(), "DELETE");
}

#[tokio::test]
async fn a_time_that_rfc_3339_cannot_write_is_sent_and_does_not_clear_the_property() {
    use entra_core::{
        Timestamp,
        time::{Duration, UtcOffset},
    };
    let seconds = UtcOffset::from_hms(1, 2, 3).unwrap();
    let hours = UtcOffset::from_hms(2, 0, 0).unwrap();
    let epoch = Timestamp::UNIX_EPOCH;
    for (time, expected) in [
        (epoch.to_offset(hours), "1970-01-01T02:00:00+02:00"),
        (epoch.to_offset(seconds), "1970-01-01T00:00:00Z"),
        (epoch - Duration::days(800_000), "-0221-09-04T00:00:00Z"),
    ] {
        let script = ScriptedTransport::new().then(204, &[], "");
        let graph = client(script.clone());
        let update = graph.user("a").update();
        let update = update.set(User::EMPLOYEE_HIRE_DATE, time);
        update.send().await.unwrap();
        let (_, _, body) = only(&script);
        assert_eq!(body, json!({ "employeeHireDate": expected }));
    }
}
