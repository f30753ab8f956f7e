use serde_json::json;

use super::*;
use crate::time::ticks;

#[test]
fn an_id_is_unique_across_kinds() {
    let mut store = Store::new();
    assert_eq!(
        store.insert(Kind::User, object(json!({"id": "A1"}))),
        Ok(())
    );
    let error = store.insert(Kind::Group, object(json!({"id": "a1"})));
    assert_eq!(
        error,
        Err(Conflict::Taken {
            property: "id",
            value: "a1".into()
        })
    );
    assert_eq!(
        store.insert(Kind::Group, Object::new()),
        Err(Conflict::NoId)
    );
    assert_eq!(store.kind_of("A1"), Some(Kind::User));
}

#[test]
fn a_user_is_found_by_upn_in_any_case_and_after_a_rename() {
    let mut store = Store::new();
    insert(
        &mut store,
        Kind::User,
        json!({"id": "1", "userPrincipalName": "Adele@contoso.com"}),
    );
    insert(
        &mut store,
        Kind::User,
        json!({"id": "2", "userPrincipalName": "bo@contoso.com"}),
    );
    assert!(
        store
            .find(Kind::User, "userPrincipalName", "adele@CONTOSO.com")
            .is_some()
    );

    let renamed = store.update(Kind::User, "1", |user| {
        user.insert("userPrincipalName".into(), json!("ada@contoso.com"));
    });
    assert!(renamed);
    assert!(
        store
            .find(Kind::User, "userPrincipalName", "adele@contoso.com")
            .is_none()
    );
    assert!(
        store
            .find(Kind::User, "userPrincipalName", "ada@contoso.com")
            .is_some()
    );

    let taken = store.update(Kind::User, "1", |user| {
        user.insert("userPrincipalName".into(), json!("BO@contoso.com"));
    });
    assert!(!taken);
    assert_eq!(
        store
            .get(Kind::User, "1")
            .map(|user| &user["userPrincipalName"]),
        Some(&json!("ada@contoso.com"))
    );
}

#[test]
fn paging_by_serial_survives_removals() {
    let mut store = Store::new();
    for at in 0..5 {
        insert(&mut store, Kind::Group, json!({"id": format!("g{at}")}));
    }
    let position = store
        .after(Kind::Group, None)
        .nth(1)
        .map(|(serial, _)| serial);
    assert!(store.remove(Kind::Group, "g0"));
    assert!(store.remove(Kind::Group, "g3"));
    let rest: Vec<_> = store
        .after(Kind::Group, position)
        .map(|(_, group)| group["id"].clone())
        .collect();
    assert_eq!(rest, [json!("g2"), json!("g4")]);
    assert_eq!(store.len(Kind::Group), 3);
}

#[test]
fn a_log_is_read_newest_first_within_bounds() {
    let mut store = Store::new();
    for (id, time) in [
        ("b", "2026-01-02T00:00:00Z"),
        ("a", "2026-01-01T00:00:00Z"),
        ("c", "2026-01-03T00:00:00Z"),
    ] {
        insert(
            &mut store,
            Kind::SignIn,
            json!({"id": id, "createdDateTime": time}),
        );
    }
    let ids = |store: &Store, from, to, position| -> Vec<String> {
        store
            .log(Kind::SignIn, (from, to), position, false)
            .filter_map(|(_, entry)| entry["id"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(ids(&store, i64::MIN, i64::MAX, None), ["c", "b", "a"]);
    let second = ticks("2026-01-02T00:00:00Z").unwrap();
    assert_eq!(ids(&store, second, i64::MAX, None), ["c", "b"]);
    assert_eq!(ids(&store, i64::MIN, second, None), ["b", "a"]);
    let position = store
        .log(Kind::SignIn, (i64::MIN, i64::MAX), None, false)
        .next()
        .map(|(position, _)| position);
    assert_eq!(ids(&store, i64::MIN, i64::MAX, position), ["b", "a"]);
    assert_eq!(ids(&store, second + 1, second, None), Vec::<String>::new());
    store.remove(Kind::SignIn, "b");
    assert_eq!(ids(&store, i64::MIN, i64::MAX, None), ["c", "a"]);
}

#[test]
fn links_are_kept_in_both_directions_and_cut_on_removal() {
    let mut store = Store::new();
    insert(&mut store, Kind::Group, json!({"id": "g"}));
    insert(&mut store, Kind::User, json!({"id": "u"}));
    insert(&mut store, Kind::User, json!({"id": "m"}));
    insert(&mut store, Kind::User, json!({"id": "n"}));
    assert!(store.link(Relation::Members, "g", "u"));
    assert!(!store.link(Relation::Members, "g", "u"));
    assert!(!store.link(Relation::Members, "g", "missing"));
    assert_eq!(ids(store.linked_objects(Relation::Members, "g")), ["u"]);
    assert_eq!(ids(store.linking_objects(Relation::Members, "u")), ["g"]);

    store.link(Relation::Manager, "u", "m");
    store.link(Relation::Manager, "u", "n");
    assert_eq!(ids(store.linked_objects(Relation::Manager, "u")), ["n"]);
    assert_eq!(store.linking_objects(Relation::Manager, "m").count(), 0);

    assert!(store.remove(Kind::User, "u"));
    assert_eq!(store.linked_objects(Relation::Members, "g").count(), 0);
    assert_eq!(store.linking_objects(Relation::Manager, "n").count(), 0);
}

#[test]
fn removing_a_principal_removes_its_assignments() {
    let mut store = Store::new();
    insert(&mut store, Kind::User, json!({"id": "u"}));
    insert(
        &mut store,
        Kind::ServicePrincipal,
        json!({"id": "s", "appId": "app"}),
    );
    insert(
        &mut store,
        Kind::AppRoleAssignment,
        json!({"id": "Aa-1", "principalId": "u", "resourceId": "s"}),
    );
    assert_eq!(store.assignments_of("U").count(), 1);
    assert_eq!(store.assignments_to("s").count(), 1);
    assert!(store.get(Kind::AppRoleAssignment, "Aa-1").is_some());
    store.remove(Kind::User, "u");
    assert_eq!(store.assignments_to("s").count(), 0);
    assert_eq!(store.len(Kind::AppRoleAssignment), 0);
}

#[test]
fn silent_sign_ins_count_for_the_user_but_are_not_listed() {
    let mut store = Store::new();
    for (id, time, kind, code) in [
        ("s1", "2026-01-01T00:00:00Z", "interactiveUser", 0),
        ("s2", "2026-01-02T00:00:00Z", "interactiveUser", 50126),
        ("s3", "2026-01-03T00:00:00Z", "nonInteractiveUser", 0),
    ] {
        insert(
            &mut store,
            Kind::SignIn,
            json!({
                "id": id, "userId": "U", "createdDateTime": time, "signInEventTypes": [kind], "status": {"errorCode": code}
            }),
        );
    }
    let all = (i64::MIN, i64::MAX);
    assert_eq!(store.log(Kind::SignIn, all, None, false).count(), 2);
    let latest = store.latest_sign_ins("u").unwrap();
    let id =
        |moment: &Option<SignInTime>| moment.as_ref().map(|moment| moment.request_id.to_string());
    assert_eq!(id(&latest.interactive).as_deref(), Some("s2"));
    assert_eq!(id(&latest.silent).as_deref(), Some("s3"));
    assert_eq!(id(&latest.successful).as_deref(), Some("s3"));
}

fn ids<'a>(objects: impl Iterator<Item = (Kind, &'a Object)>) -> Vec<&'a str> {
    objects
        .filter_map(|(_, object)| object["id"].as_str())
        .collect()
}

fn insert(store: &mut Store, kind: Kind, value: Value) {
    store.insert(kind, object(value)).unwrap();
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object.into(),
        other => panic!("{other} is not an object"),
    }
}
