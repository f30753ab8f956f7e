//! Rows that lack properties: never set, cleared, withheld, or in another part of the same group.

use entra_core::ScriptedTransport;
use entra_graph::{
    GraphClient, Group, User,
    sync::{DirectorySync, MemoryStore, ObjectKind, SyncNote},
};

use super::{
    Copy,
    scripted::{end, page},
};
use crate::scripts::client;

fn sync_of_users(graph: &GraphClient, is_filtered: bool) -> DirectorySync {
    let sync = DirectorySync::new(graph).select_users(User::DEPARTMENT);
    if !is_filtered {
        return sync;
    }
    sync.filter_users("in Sales", |user: &User| {
        user.department.as_deref() == Some("Sales")
    })
}

#[tokio::test]
async fn a_user_without_a_selected_property_is_filtered_and_a_cleared_one_is_handed_out() {
    const SALES: &str = r#"{"id":"1","department":"Sales"}"#;
    for (cleared, is_full) in [
        (r#"{"id":"1"}"#, true),
        (r#"{"id":"1"}"#, false),
        (r#"{"id":"1","department":null}"#, true),
        (r#"{"id":"1","department":null}"#, false),
    ] {
        for is_filtered in [false, true] {
            let first = format!(r#"{SALES},{{"id":"2"}},{{"id":"3","department":null}}"#);
            let mut script = ScriptedTransport::new().then(200, &[], end(&first, "users", "a"));
            if is_full {
                script = script.then(410, &[], "");
            }
            let next = format!(r#"{cleared},{{"id":"2"}},{{"id":"3"}}"#);
            let script = script.then(200, &[], end(&next, "users", "b"));
            let graph = client(script);
            let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
            let mut sync = sync_of_users(&graph, is_filtered);
            copy.catch_up(&mut sync, &mut store).await.unwrap();
            let count = copy.objects.len();
            assert_eq!(count, if is_filtered { 1 } else { 3 });
            copy.catch_up(&mut sync, &mut store).await.unwrap();
            let context = format!("{cleared}, full: {is_full}, filtered: {is_filtered}");
            match copy.objects.get(&(ObjectKind::User, "1".to_owned())) {
                Some(user) => assert!(!is_filtered && user["department"].is_null(), "{context}"),
                None => assert!(is_filtered, "{context}"),
            }
        }
    }
}

#[tokio::test]
async fn a_property_that_no_object_of_a_full_round_has_any_more_is_a_note() {
    const SALES: &str = r#","department":"Sales""#;
    let users = |department: &str| {
        let rows = (0..6).map(|id| format!(r#"{{"id":"{id}","displayName":"A"{department}}}"#));
        rows.collect::<Vec<_>>().join(",")
    };
    let cleared = users(r#","department":null"#);
    let script = ScriptedTransport::new()
        .then(200, &[], end(&users(SALES), "users", "a"))
        // A round of changes does not count.
        .then(200, &[], end(&cleared, "users", "b"))
        .then(410, &[], "")
        .then(200, &[], end(&users(""), "users", "c"))
        .then(410, &[], "")
        .then(200, &[], end(&users(""), "users", "d"))
        .then(410, &[], "")
        .then(200, &[], end(&users(SALES), "users", "e"));
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync =
        DirectorySync::new(&client(script)).select_users((User::DISPLAY_NAME, User::DEPARTMENT));
    let missing = SyncNote::PropertiesMissing {
        kind: ObjectKind::User,
        properties: vec!["department".to_owned()],
    };
    for (run, is_noted) in [false, false, true, false, false].into_iter().enumerate() {
        let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
        assert_eq!(notes.contains(&missing), is_noted, "run {run}: {notes:?}");
    }
}

#[tokio::test]
async fn a_group_without_a_selected_property_is_filtered_with_its_further_parts() {
    let members = |id: &str, properties: &str, member: &str| {
        let member = format!(r##"{{"@odata.type":"#microsoft.graph.user","id":"{member}"}}"##);
        format!(r#"{{"id":"{id}"{properties},"members@delta":[{member}]}}"#)
    };
    const MAIL: &str = r#","mail":"g@contoso.com""#;
    for is_filtered in [false, true] {
        let first = [members("g", MAIL, "1"), members("h", "", "1")].join(",");
        let second = [members("g", MAIL, "2"), members("h", "", "2")].join(",");
        // Later the address of one is cleared, and its members come in two parts.
        let cleared = members("g", r#","mail":null"#, "3");
        let part = [members("g", "", "4"), members("h", "", "4")].join(",");
        let script = ScriptedTransport::new()
            .then(200, &[], page(&first, "groups", "nextLink", "a"))
            .then(200, &[], end(&second, "groups", "b"))
            .then(200, &[], page(&cleared, "groups", "nextLink", "c"))
            .then(200, &[], end(&part, "groups", "d"));
        let graph = client(script);
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        let mut sync = DirectorySync::new(&graph).select_groups(Group::MAIL);
        if is_filtered {
            sync = sync.filter_groups("with mail", |group: &Group| group.mail.is_some());
        }
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        assert_eq!(copy.members_of("g").len(), 2, "filtered: {is_filtered}");
        assert_eq!(copy.has(ObjectKind::Group, "h"), !is_filtered);
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        let group = copy.objects.get(&(ObjectKind::Group, "g".to_owned()));
        assert_eq!(group.is_some(), !is_filtered);
        assert!(group.is_none_or(|group| group["mail"].is_null()));
        let expected = if is_filtered { 0 } else { 4 + 3 };
        assert_eq!(copy.members.len(), expected);
    }
}

#[tokio::test]
async fn a_group_whose_properties_are_withheld_keeps_its_members_in_a_full_round() {
    let group = r##"{"id":"g","displayName":"G","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"1"}]}"##;
    let limited = r#"{"id":"g","displayName":null}"#;
    let empty = r#"{"id":"g","displayName":"G"}"#;
    let script = ScriptedTransport::new()
        .then(200, &[], end(group, "groups", "a"))
        .then(410, &[], "")
        .then(200, &[], end(limited, "groups", "b"))
        // Readable again, without a change, and then read again.
        .then(200, &[], end(empty, "groups", "c"))
        .then(410, &[], "")
        .then(200, &[], end(empty, "groups", "d"))
        .then(200, &[], asked(r#"{"id":"g","visibility":"Private"}"#, 200));
    let graph = client(script);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).select_groups(Group::DISPLAY_NAME);
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    let limited = |note: &SyncNote| matches!(note, SyncNote::Limited { id, .. } if id == "g");
    assert!(notes.iter().any(limited), "{notes:?}");
    assert_eq!(copy, before);
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy, before);
    // The round that has the properties counts again.
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!((copy.objects.len(), copy.members.len()), (1, 0));
}

/// The response to the question whether a group is really empty.
fn asked(group: &str, members: u16) -> String {
    let list = match members {
        200 => r#"{"value":[]}"#,
        403 => r#"{"error":{"code":"Authorization_RequestDenied"}}"#,
        _ => r#"{"error":{"code":"Request_ResourceNotFound"}}"#,
    };
    format!(
        r#"{{"responses":[{{"id":"0","status":200,"body":{group}}},{{"id":"1","status":{members},"body":{list}}}]}}"#
    )
}

#[tokio::test]
async fn a_group_that_a_full_round_shows_empty_is_emptied_only_if_its_members_can_be_read() {
    let group = r##"{"id":"g","displayName":"G","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"1"}]}"##;
    let empty = r#"{"id":"g","displayName":"G"}"#;
    for (visibility, members, stays) in [
        (r#""Public""#, 200, false),
        ("null", 200, false),
        // The token is opaque, so what it allows is not known.
        (r#""HiddenMembership""#, 200, true),
        (r#""Public""#, 403, true),
        // It was deleted after the round.
        ("null", 404, false),
    ] {
        let asked = asked(
            &format!(r#"{{"id":"g","visibility":{visibility}}}"#),
            members,
        );
        let script = ScriptedTransport::new()
            .then(200, &[], end(group, "groups", "a"))
            .then(410, &[], "")
            .then(200, &[], end(empty, "groups", "b"))
            .then(200, &[], asked);
        let graph = client(script.clone());
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        let mut sync = DirectorySync::new(&graph).select_groups(Group::DISPLAY_NAME);
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
        let context = format!("{visibility}, {members}: {notes:?}");
        assert_eq!(copy.members.len(), usize::from(stays), "{context}");
        let unreadable = SyncNote::MembersUnreadable {
            group: "g".to_owned(),
        };
        assert_eq!(notes.contains(&unreadable), stays, "{context}");
        let asked = String::from_utf8_lossy(script.requests()[3].body()).into_owned();
        assert!(asked.contains("/groups/g?$select=id,visibility"), "{asked}");
    }
}

#[tokio::test]
async fn a_row_without_the_properties_that_every_object_has_does_not_blank_the_copy() {
    let full = r#"{"id":"1","displayName":"A","userPrincipalName":"a@contoso.com"}"#;
    for withheld in [
        r#"{"id":"1"}"#,
        r#"{"id":"1","displayName":null}"#,
        r##"{"id":"1","jobTitle":null,"@odata.type":"#microsoft.graph.user"}"##,
    ] {
        for is_full in [false, true] {
            let mut script = ScriptedTransport::new().then(200, &[], end(full, "users", "a"));
            if is_full {
                script = script.then(410, &[], "");
            }
            let script = script.then(200, &[], end(withheld, "users", "b"));
            let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
            let mut sync = DirectorySync::new(&client(script)).users();
            copy.catch_up(&mut sync, &mut store).await.unwrap();
            let before = copy.clone();
            let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
            let limited = SyncNote::Limited {
                kind: ObjectKind::User,
                id: "1".to_owned(),
            };
            assert!(notes.contains(&limited), "{withheld}: {notes:?}");
            assert_eq!(copy, before, "{withheld}, full: {is_full}");
        }
    }
}
