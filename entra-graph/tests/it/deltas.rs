//! Delta queries: rounds, removals, links, and a state that survives a restart.

use entra_core::ScriptedTransport;
use entra_graph::{Change, DeltaState, ErrorKind, Group, RemovedReason, User};

use crate::scripts::{ROOT, client, requested};

fn page(rows: &str, link: &str) -> String {
    format!(r#"{{"value":[{rows}],{link}}}"#)
}

fn next(token: &str) -> String {
    format!(r#""@odata.nextLink":"{ROOT}/users/delta?$skiptoken={token}""#)
}

fn end(token: &str) -> String {
    format!(r#""@odata.deltaLink":"{ROOT}/users/delta?$deltatoken={token}""#)
}

#[tokio::test]
async fn a_delta_round_reads_every_page_and_the_next_starts_at_its_delta_link() {
    let script = ScriptedTransport::new()
        .then(200, &[], page(r#"{"id":"1","displayName":"A"}"#, &next("a")))
        .then(200, &[], page("", &next("b")))
        .then(200, &[], page(r#"{"id":"2","@removed":{"reason":"changed"}},{"id":"3","@removed":{"reason":"deleted"}}"#, &end("c")))
        .then(200, &[], page(r#"{"id":"1","displayName":null}"#, &end("d")));
    let graph = client(script.clone());
    let delta = || {
        graph
            .users()
            .delta()
            .select((User::DISPLAY_NAME, User::ACCOUNT_ENABLED))
    };
    let mut changes = delta().changes();
    assert_eq!(
        changes.state(),
        None,
        "a round that is not over has no state"
    );
    let mut seen = Vec::new();
    while let Some(change) = changes.try_next().await.unwrap() {
        seen.push(change);
    }
    let Change::Upsert(first) = &seen[0] else {
        panic!("{seen:?}")
    };
    assert_eq!(first.object.display_name.as_deref(), Some("A"));
    let removed = |id: &str, reason| Change::Removed {
        id: id.to_owned(),
        reason,
    };
    assert_eq!(
        seen[1..],
        [
            removed("2", RemovedReason::Restorable),
            removed("3", RemovedReason::Deleted)
        ]
    );

    let stored = serde_json::to_string(&changes.state().unwrap()).unwrap();
    assert!(!format!("{:?}", changes.state()).contains("deltatoken"));
    let state: DeltaState = serde_json::from_str(&stored).unwrap();
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        requested(&script),
        [
            "/users/delta?$select=displayName,accountEnabled",
            "/users/delta?$skiptoken=a",
            "/users/delta?$skiptoken=b",
            "/users/delta?$deltatoken=c",
        ]
    );
}

#[tokio::test]
async fn delta_links_are_separate_from_properties() {
    let rows = r##"{"id":"g","displayName":"Buyers","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"1"},{"@odata.type":"#microsoft.graph.user","id":"2","@removed":{"reason":"deleted"}}]}"##;
    let link = format!(r#""@odata.deltaLink":"{ROOT}/groups/delta?$deltatoken=z""#);
    let script = ScriptedTransport::new().then(200, &[], page(rows, &link));
    let graph = client(script.clone());
    let delta = graph
        .groups()
        .delta()
        .select(Group::DISPLAY_NAME)
        .select_relation(Group::MEMBERS);
    let (changes, _) = delta.changes().try_collect().await.unwrap();
    let Change::Upsert(group) = &changes[0] else {
        panic!("{changes:?}")
    };
    assert_eq!(group.object.display_name.as_deref(), Some("Buyers"));
    assert!(group.object.additional().is_empty());
    let links: Vec<_> = group
        .links
        .iter()
        .map(|link| (link.relation.as_str(), link.id.as_str(), link.removed))
        .collect();
    assert_eq!(links, [("members", "1", false), ("members", "2", true)]);
    assert_eq!(
        requested(&script),
        ["/groups/delta?$select=displayName,members"]
    );
}

#[tokio::test]
async fn an_expired_delta_state_restarts_with_a_restart_change() {
    for (status, body) in [
        (410, r#"{"error":{"code":"resyncRequired"}}"#),
        (410, ""),
        (400, r#"{"error":{"code":"syncStateNotFound"}}"#),
    ] {
        let script = ScriptedTransport::new()
            .then(200, &[], page("", &end("a")))
            .then(status, &[], body)
            .then(200, &[], page(r#"{"id":"1"}"#, &end("b")));
        let graph = client(script.clone());
        let (_, state) = graph
            .users()
            .delta()
            .select(User::MAIL)
            .changes()
            .try_collect()
            .await
            .unwrap();
        let (changes, state) = graph
            .users()
            .delta()
            .since(state)
            .changes()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(changes[0], Change::Restart);
        assert!(matches!(changes[1], Change::Upsert(_)));
        assert_eq!(
            requested(&script)[2],
            "/users/delta?$select=mail",
            "the selection stays"
        );
        assert!(
            serde_json::to_string(&state)
                .unwrap()
                .contains("deltatoken=b")
        );
    }
    // The first round has no state to restart from.
    let script = ScriptedTransport::new().then(410, &[], "");
    let error = client(script)
        .users()
        .delta()
        .changes()
        .try_collect()
        .await
        .unwrap_err();
    assert!(error.is_resync_required());
}

#[tokio::test]
async fn a_delta_state_exists_only_after_the_last_change() {
    let rows = r#"{"id":"1"},{"id":"2"}"#;
    let script = ScriptedTransport::new().then(200, &[], page(rows, &end("a")));
    let mut changes = client(script).users().delta().changes();
    changes.try_next().await.unwrap();
    assert_eq!(changes.state(), None);
    changes.try_next().await.unwrap();
    assert!(changes.state().is_some());
}

#[tokio::test]
async fn a_delta_round_restarts_only_once() {
    let script = ScriptedTransport::new()
        .then(200, &[], page("", &end("a")))
        .then(410, &[], "")
        .then(410, &[], "");
    let graph = client(script.clone());
    let (_, state) = graph.users().delta().changes().try_collect().await.unwrap();
    let mut changes = graph.users().delta().since(state).changes();
    assert_eq!(changes.try_next().await.unwrap(), Some(Change::Restart));
    let error = changes.try_next().await.unwrap_err();
    assert!(error.is_resync_required());
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test]
async fn a_link_that_graph_no_longer_knows_is_sent_once() {
    let expired = r#"{"error":{"code":"Directory_ExpiredPageToken"}}"#;
    for (status, body) in [(400, expired), (410, "")] {
        let first = page(r#"{"id":"1"}"#, &next("b"));
        // Graph knows the page again after the restart.
        let script = ScriptedTransport::new()
            .then(200, &[], first.clone())
            .then(status, &[], body)
            .then(200, &[], page(r#"{"id":"1"}"#, &end("a")));
        let round = client(script.clone()).users().delta().changes();
        let (changes, _) = round.try_collect().await.unwrap();
        assert_eq!(changes.len(), 3, "{changes:?}");
        assert_eq!(changes[1], Change::Restart);
        assert_eq!(script.requests()[0].uri(), script.requests()[2].uri());
        // It never does.
        let script = ScriptedTransport::new()
            .then(200, &[], first.clone())
            .then(status, &[], body)
            .then(200, &[], first.clone())
            .then(status, &[], body);
        let mut changes = client(script.clone()).users().delta().changes();
        let mut came = 0;
        let error = loop {
            match changes.try_next().await {
                Ok(change) => came += usize::from(change.is_some()),
                Err(error) => break error,
            }
        };
        assert_eq!(came, 3);
        assert_eq!(changes.try_next().await.unwrap_err().code(), error.code());
        assert_eq!(script.requests().len(), 4);
        assert_eq!(changes.state(), None);
    }
}

#[tokio::test]
async fn a_page_that_fails_is_fetched_again_by_the_next_call() {
    let script = ScriptedTransport::new()
        .then(200, &[], page(r#"{"id":"1"}"#, &next("a")))
        .then(400, &[], "")
        .then(200, &[], page(r#"{"id":"2"}"#, &end("b")));
    let mut changes = client(script).users().delta().changes();
    assert!(changes.try_next().await.unwrap().is_some());
    changes.try_next().await.unwrap_err();
    assert_eq!(changes.state(), None);
    assert!(changes.try_next().await.unwrap().is_some());
    assert!(changes.try_next().await.unwrap().is_none());
    assert!(changes.state().is_some());
}

#[tokio::test]
async fn an_error_of_a_delta_round_names_the_page_and_the_number_of_changes() {
    let rows = r#"{"id":"1"},{"id":"2"}"#;
    let script = ScriptedTransport::new()
        .then(200, &[], page(rows, &next("a")))
        .then(200, &[], page(r#"{"id":"3"}"#, &next("b")))
        .then(404, &[], r#"{"error":{"code":"ResourceNotFound"}}"#);
    let graph = client(script);
    let error = graph.users().delta().changes().try_collect().await;
    let error = error.unwrap_err();
    let progress = error.list_progress().unwrap();
    assert_eq!((progress.page, progress.items), (3, 3));
    let text = error.to_string();
    assert!(
        text.contains("page 3 of the list failed, after 3 items"),
        "{text}"
    );
}

#[tokio::test]
async fn a_delta_round_without_a_link_or_with_a_loop_is_an_error() {
    let script = ScriptedTransport::new().then(200, &[], r#"{"value":[]}"#);
    let error = client(script)
        .users()
        .delta()
        .changes()
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    // Also change by change, where a round that only ends would look complete.
    let script = ScriptedTransport::new().then(200, &[], r#"{"value":[{"id":"1"}]}"#);
    let mut changes = client(script).users().delta().changes();
    let error = changes.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(changes.state(), None);
    let script = ScriptedTransport::new()
        .then(200, &[], page("", &next("a")))
        .then(200, &[], page("", &next("a")));
    let error = client(script)
        .users()
        .delta()
        .changes()
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PageLoop);
    let link = r#""@odata.deltaLink":"https://evil.example/v1.0/users/delta?$deltatoken=x""#;
    let script = ScriptedTransport::new().then(200, &[], page("", link));
    let error = client(script)
        .users()
        .delta()
        .changes()
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Policy);
}

#[tokio::test]
async fn a_delta_state_is_valid_for_its_own_query_and_host_only() {
    let script = ScriptedTransport::new().then(200, &[], page("", &end("a")));
    let graph = client(script.clone());
    let (_, state) = graph.users().delta().changes().try_collect().await.unwrap();
    let error = graph
        .groups()
        .delta()
        .since(state.clone())
        .changes()
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    let stored = serde_json::to_string(&state).unwrap();
    let moved: DeltaState =
        serde_json::from_str(&stored.replace("graph.example.com", "evil.example")).unwrap();
    let error = graph
        .users()
        .delta()
        .since(moved)
        .changes()
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Policy);
    // The address of a full round counts too, before anything is sent.
    let mut stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    stored["start"] = "https://evil.example/v1.0/users/delta".into();
    let moved: DeltaState = serde_json::from_value(stored).unwrap();
    let round = graph.users().delta().since(moved).changes().try_collect();
    assert_eq!(round.await.unwrap_err().kind(), ErrorKind::Policy);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn delta_sends_ids_latest_and_minimal_as_documented() {
    let script = ScriptedTransport::new()
        .then(200, &[], page("", &end("a")))
        .then(200, &[], page("", &end("b")));
    let graph = client(script.clone());
    graph
        .users()
        .delta()
        .ids(["a", "b'c"])
        .changes()
        .try_collect()
        .await
        .unwrap();
    graph
        .users()
        .delta()
        .from_now()
        .minimal()
        .changes()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        requested(&script),
        [
            "/users/delta?$filter=id eq 'a' or id eq 'b''c'",
            "/users/delta?$deltatoken=latest",
        ]
    );
    assert_eq!(script.requests()[1].headers()["prefer"], "return=minimal");
    let many = (0..51).map(|number| number.to_string());
    let error = graph
        .users()
        .delta()
        .ids(many)
        .changes()
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
}

#[tokio::test]
async fn fifty_ids_are_one_query_and_one_more_is_an_error_before_sending() {
    let script = ScriptedTransport::new().then(200, &[], page("", &end("a")));
    let graph = client(script.clone());
    for (count, expected) in [(50, None), (51, Some(ErrorKind::Query))] {
        let ids = (0..count).map(|id| id.to_string());
        let outcome = graph.users().delta().ids(ids).changes().try_collect().await;
        assert_eq!(outcome.err().map(|error| error.kind()), expected, "{count}");
    }
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn next_gives_each_change_and_then_the_end_and_debug_says_how_far_it_is() {
    let rows = r#"{"id":"1"},{"id":"2"}"#;
    let script = ScriptedTransport::new().then(200, &[], page(rows, &end("canary-of-a-token")));
    let delta = client(script).users().delta();
    assert!(format!("{delta:?}").contains("user-delta"), "{delta:?}");
    let mut changes = delta.changes();
    let mut count = 0;
    while let Some(change) = changes.next().await {
        change.unwrap();
        count += 1;
    }
    assert_eq!(count, 2);
    let text = format!("{changes:?}");
    assert!(
        text.contains("pages: 1") && text.contains("done: true"),
        "{text}"
    );
    let text = format!("{:?}", changes.state().unwrap());
    assert!(
        text.contains("DeltaState") && text.contains("user-delta"),
        "{text}"
    );
    assert!(!text.contains("canary-of-a-token"), "{text}");
}

#[tokio::test]
async fn a_restart_brings_all_objects_also_after_a_start_from_now() {
    let script = ScriptedTransport::new()
        .then(200, &[], page("", &end("a")))
        .then(410, &[], r#"{"error":{"code":"syncStateNotFound"}}"#)
        .then(200, &[], page(r#"{"id":"1"}"#, &end("b")));
    let graph = client(script.clone());
    let delta = || graph.users().delta().select(User::MAIL);
    let (_, state) = delta().from_now().changes().try_collect().await.unwrap();
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    assert_eq!(changes[0], Change::Restart);
    assert!(matches!(changes[1], Change::Upsert(_)));
    assert_eq!(
        requested(&script),
        [
            "/users/delta?$select=mail&$deltatoken=latest",
            "/users/delta?$deltatoken=a",
            "/users/delta?$select=mail",
        ]
    );
}

#[tokio::test]
async fn null_links_and_removals_are_none_and_a_row_without_an_id_is_an_error() {
    let collected = async |row: &str| {
        let script = ScriptedTransport::new().then(200, &[], page(row, &end("a")));
        let result = client(script)
            .groups()
            .delta()
            .changes()
            .try_collect()
            .await;
        result.map(|(mut changes, _)| changes.remove(0))
    };
    for row in [
        r#"{"id":"1","members@delta":null}"#,
        r#"{"id":"1","members@delta":[]}"#,
        r#"{"id":"1","@removed":null}"#,
    ] {
        let Ok(Change::Upsert(group)) = collected(row).await else {
            panic!("{row}")
        };
        assert_eq!((group.object.id.as_str(), group.links.len()), ("1", 0));
        assert!(group.object.additional().is_empty(), "{row}");
    }
    let row = r#"{"id":"1","members@delta":[{"id":"2","@removed":null}]}"#;
    let Ok(Change::Upsert(group)) = collected(row).await else {
        panic!("{row}")
    };
    assert!(!group.links[0].removed);
    for row in [
        r#"{"@removed":{"reason":"deleted"}}"#,
        r#"{"id":null,"displayName":"A"}"#,
        "{}",
    ] {
        let error = collected(row).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{row}");
    }
}

#[tokio::test]
async fn a_delta_of_no_objects_is_an_error_and_not_one_of_all() {
    let script = ScriptedTransport::new();
    let delta = client(script.clone())
        .users()
        .delta()
        .ids(Vec::<String>::new());
    let error = delta.changes().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(script.requests().is_empty());
}
