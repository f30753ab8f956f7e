//! Responses that the fake tenant does not send.

use entra_core::ScriptedTransport;
use entra_graph::{
    ErrorKind, Group,
    sync::{DirectorySync, MemoryStore, ObjectKind, SyncError, SyncNote, SyncState, SyncStore},
};

use super::Copy;
use crate::scripts::{ROOT, client, requested};

pub(super) fn page(rows: &str, set: &str, link: &str, token: &str) -> String {
    let option = if link == "nextLink" {
        "skiptoken"
    } else {
        "deltatoken"
    };
    format!(r#"{{"value":[{rows}],"@odata.{link}":"{ROOT}/{set}/delta?${option}={token}"}}"#)
}

pub(super) fn end(rows: &str, set: &str, token: &str) -> String {
    page(rows, set, "deltaLink", token)
}

/// Users with these ids and nothing but a name.
pub(super) fn named(ids: &[&str]) -> String {
    let rows = ids
        .iter()
        .map(|id| format!(r#"{{"id":"{id}","displayName":"A"}}"#));
    rows.collect::<Vec<_>>().join(",")
}

const NOT_FOUND: &str = r#"{"responses":[{"id":"0","status":404,"body":{"error":{"code":"Request_ResourceNotFound"}}}]}"#;

#[tokio::test]
async fn a_group_over_several_pages_is_one_upsert_and_all_members() {
    let first = r##"{"id":"g","displayName":"G","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"1"},{"@odata.type":"#microsoft.graph.user","id":"9","@removed":{"reason":"deleted"}}]}"##;
    let second = r##"{"id":"g","displayName":"G","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"1"},{"@odata.type":"#microsoft.graph.device","id":"2"}]}"##;
    let third = r#"{"id":"g","members@delta":[{"id":"3"}]}"#;
    let script = ScriptedTransport::new()
        .then(200, &[], page(first, "groups", "nextLink", "a"))
        .then(200, &[], page("", "groups", "nextLink", "b"))
        .then(200, &[], page(second, "groups", "nextLink", "c"))
        .then(200, &[], end(third, "groups", "d"));
    let graph = client(script.clone());
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).select_groups(Group::DISPLAY_NAME);
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(
        copy.members_of("g").into_iter().collect::<Vec<_>>(),
        ["1", "2", "3"]
    );
    let group = &copy.objects[&(ObjectKind::Group, "g".to_owned())];
    assert_eq!(group["displayName"], "G", "a part without properties");
    assert_eq!(
        requested(&script)[0],
        "/groups/delta?$select=displayName,visibility,members"
    );
}

#[tokio::test]
async fn the_last_of_several_rows_of_an_object_counts() {
    let rows = r#"{"id":"1","@removed":{"reason":"changed"}},{"id":"1","displayName":"A"},{"id":"1","displayName":"B"},
        {"id":"2","displayName":"C"},{"id":"2","@removed":{"reason":"deleted"}},{"id":"3","@removed":{"reason":"deleted"}}"#;
    let script = ScriptedTransport::new()
        .then(200, &[], end(rows, "users", "a"))
        .then(
            200,
            &[],
            end(
                r#"{"id":"1","@removed":{"reason":"deleted"}},{"id":"1","displayName":"B"}"#,
                "users",
                "b",
            ),
        );
    let graph = client(script);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph).users();
    let step = sync.next(&mut store).await.unwrap().unwrap();
    assert_eq!(
        step.changes().len(),
        2,
        "one for each object: {:?}",
        step.changes()
    );
    copy.commit(&mut store, &step).await;
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(copy.objects.len(), 1);
    assert_eq!(
        copy.objects[&(ObjectKind::User, "1".to_owned())]["displayName"],
        "B"
    );
    let summary = sync.run(&mut store).await.unwrap();
    assert_eq!((summary.upserts, summary.removed), (0, 0));
}

#[tokio::test]
async fn every_way_to_reject_a_state_begins_a_full_round() {
    for (status, body) in [
        (410, ""),
        (410, r#"{"error":{"code":"SyncStateNotFound"}}"#),
        (410, r#"{"error":{"code":"resyncRequired"}}"#),
        (400, r#"{"error":{"code":"Directory_ExpiredPageToken"}}"#),
        (
            400,
            r#"{"error":{"code":"Request_BadRequest","message":"Badly formed token."}}"#,
        ),
        (404, r#"{"error":{"code":"Request_ResourceNotFound"}}"#),
    ] {
        let script = ScriptedTransport::new()
            .then(200, &[], end(&named(&["1", "2"]), "users", "a"))
            .then(status, &[], body)
            .then(200, &[], end(&named(&["2", "3"]), "users", "b"))
            // Before an object that is missing is removed, Graph is requested for it.
            .then(200, &[], NOT_FOUND);
        let graph = client(script.clone());
        let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
        let mut sync = DirectorySync::new(&graph).users();
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        copy.catch_up(&mut sync, &mut store).await.unwrap();
        let ids: Vec<&str> = copy.objects.keys().map(|(_, id)| id.as_str()).collect();
        assert_eq!(ids, ["2", "3"], "{status} {body}");
        assert_eq!(
            requested(&script),
            [
                "/users/delta",
                "/users/delta?$deltatoken=a",
                "/users/delta",
                "/$batch"
            ]
        );
    }
    // The first page of a full round has no state to blame.
    let script =
        ScriptedTransport::new().then(400, &[], r#"{"error":{"code":"Request_BadRequest"}}"#);
    let mut sync = DirectorySync::new(&client(script)).users();
    let error = sync.run(&mut MemoryStore::new()).await.unwrap_err();
    assert!(matches!(error, SyncError::Graph(_)));
}

#[tokio::test]
async fn a_state_with_a_link_to_another_host_sends_nothing_there() {
    let script = ScriptedTransport::new()
        .then(200, &[], end(&named(&["1"]), "users", "a"))
        .then(200, &[], end(&named(&["1"]), "users", "b"));
    let graph = client(script.clone());
    let mut store = MemoryStore::new();
    let mut sync = DirectorySync::new(&graph).users();
    let step = sync.next(&mut store).await.unwrap().unwrap();
    let moved = serde_json::to_string(step.state()).unwrap();
    let moved = moved.replace("graph.example.com/v1.0/users", "evil.example/v1.0/users");
    let moved: SyncState = serde_json::from_str(&moved).unwrap();
    let mut foreign = Foreign {
        store,
        state: Some(moved),
    };
    let summary = sync.run(&mut foreign).await.unwrap();
    assert!(
        matches!(summary.notes[..], [SyncNote::FullRound { .. }]),
        "{:?}",
        summary.notes
    );
    assert!(
        script
            .requests()
            .iter()
            .all(|request| request.uri().host() == Some("graph.example.com"))
    );
    let text = format!("{:?}", foreign.state().await.unwrap());
    assert!(!text.contains("deltatoken"), "{text}");
}

/// A store whose first state is another one.
pub(super) struct Foreign {
    pub(super) store: MemoryStore,
    pub(super) state: Option<SyncState>,
}

impl SyncStore for Foreign {
    type Error = std::convert::Infallible;

    async fn state(&mut self) -> Result<Option<SyncState>, Self::Error> {
        match &self.state {
            Some(state) => Ok(Some(state.clone())),
            None => self.store.state().await,
        }
    }

    async fn get(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Self::Error> {
        self.store.get(keys).await
    }

    async fn scan(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Self::Error> {
        self.store.scan(prefix, after, limit).await
    }

    async fn commit(&mut self, step: &entra_graph::sync::Step) -> Result<(), Self::Error> {
        self.state = None;
        self.store.commit(step).await
    }
}

#[tokio::test]
async fn an_object_without_its_properties_is_a_note_and_does_not_blank_the_copy() {
    let limited = r#"{"id":"1","displayName":null,"userPrincipalName":null},{"id":"2","displayName":null,"userPrincipalName":null}"#;
    let script = ScriptedTransport::new()
        .then(
            200,
            &[],
            end(
                r#"{"id":"1","displayName":"A","userPrincipalName":"a@x"}"#,
                "users",
                "a",
            ),
        )
        .then(200, &[], end(limited, "users", "b"));
    let graph = client(script);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph)
        .filter_users("A", |user| user.display_name.as_deref() == Some("A"));
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    let before = copy.clone();
    // What is withheld passes no filter, and none removes it.
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    let limited = |id: &str| SyncNote::Limited {
        kind: ObjectKind::User,
        id: id.to_owned(),
    };
    assert_eq!(notes, [limited("1"), limited("2")]);
    assert_eq!(copy, before);
}

#[tokio::test]
async fn a_row_with_an_invalid_id_is_an_error() {
    for row in [
        r#"{"id":"a/b"}"#,
        r#"{"id":"g","members@delta":[{"id":"a/b"}]}"#,
        r#"{"id":"g","members@delta":[{"id":""}]}"#,
    ] {
        let script = ScriptedTransport::new().then(200, &[], end(row, "groups", "a"));
        let mut sync = DirectorySync::new(&client(script)).groups();
        let error = sync.run(&mut MemoryStore::new()).await.unwrap_err();
        let SyncError::Graph(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.kind(), ErrorKind::Decode, "{row}");
    }
}

#[tokio::test]
async fn a_sync_of_nothing_is_an_error() {
    let error = DirectorySync::new(&client(ScriptedTransport::new()))
        .run(&mut MemoryStore::new())
        .await
        .unwrap_err();
    assert!(matches!(error, SyncError::NoKinds));
    assert!(error.to_string().contains("fix:"), "{error}");
}

#[tokio::test]
async fn a_sync_runs_in_a_spawned_task() {
    let script = ScriptedTransport::new().then(200, &[], end(&named(&["1"]), "users", "a"));
    let mut sync = DirectorySync::new(&client(script)).users();
    let task = tokio::spawn(async move { sync.run(&mut MemoryStore::new()).await });
    assert_eq!(task.await.unwrap().unwrap().upserts, 1);
}
