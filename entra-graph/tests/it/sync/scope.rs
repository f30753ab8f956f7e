//! Users of some groups only: who is in the copy, and how a copy comes to another scope.

use std::collections::BTreeSet;

use entra_core::ScriptedTransport;
use entra_graph::{
    ErrorKind, GraphClient, Group, User,
    sync::{DirectorySync, MemoryStore, ObjectKind, SyncChange, SyncError, SyncNote, SyncStore},
};

use super::{Copy, tenant_and_graph};
use crate::scripts::{ROOT, client, requested};

/// The users that the tenant lists as members of these groups, and all of its memberships.
async fn expected(
    graph: &GraphClient,
    scope: &[String],
    nested: bool,
) -> (BTreeSet<String>, BTreeSet<(String, String)>) {
    let (ids, members) = Copy::of_tenant(graph).await;
    let has = |kind, id: &str| ids.contains(&(kind, id.to_owned()));
    let mut groups: BTreeSet<&str> = scope.iter().map(String::as_str).collect();
    loop {
        let more: Vec<&str> = members
            .iter()
            .filter(|(group, member)| {
                nested
                    && groups.contains(group.as_str())
                    && !groups.contains(member.as_str())
                    && has(ObjectKind::Group, member)
            })
            .map(|(_, member)| member.as_str())
            .collect();
        if more.is_empty() {
            break;
        }
        groups.extend(more);
    }
    let users = members
        .iter()
        .filter(|(group, member)| groups.contains(group.as_str()) && has(ObjectKind::User, member))
        .map(|(_, member)| member.clone())
        .collect();
    (users, members)
}

/// Compares the users of the copy with those of the scope, and the memberships with those between objects of the copy.
pub(super) async fn assert_equals_scope(
    copy: &Copy,
    graph: &GraphClient,
    scope: &[String],
    nested: bool,
    context: &str,
) {
    let (users, members) = expected(graph, scope, nested).await;
    let own: BTreeSet<String> = copy
        .objects
        .keys()
        .filter(|(kind, _)| *kind == ObjectKind::User)
        .map(|(_, id)| id.clone())
        .collect();
    let missing: Vec<_> = users.difference(&own).collect();
    let surplus: Vec<_> = own.difference(&users).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "{context}: missing {missing:?}, surplus {surplus:?}"
    );
    let (ids, _) = Copy::of_tenant(graph).await;
    let is_visible = |id: &str| {
        let kinds = [ObjectKind::User, ObjectKind::Group];
        let kind = kinds
            .into_iter()
            .find(|kind| ids.contains(&(*kind, id.to_owned())));
        kind.is_none_or(|kind| copy.has(kind, id))
    };
    let expected: BTreeSet<_> = members
        .into_iter()
        .filter(|(group, member)| copy.has(ObjectKind::Group, group) && is_visible(member))
        .collect();
    assert_eq!(copy.members, expected, "{context}");
}

#[tokio::test]
async fn only_users_of_the_groups_are_copied() {
    let (tenant, graph) = tenant_and_graph().await;
    let engineers = vec![tenant.group("Engineers").id().to_string()];
    let clara = tenant.user("clara@contoso.com").id().to_string();
    let sync = DirectorySync::new(&graph).select_users(User::DISPLAY_NAME);
    for (nested, count) in [(false, 3), (true, 4)] {
        let scoped = match nested {
            false => sync.clone().users_of_groups(&engineers),
            true => sync.clone().users_of_nested_groups(&engineers),
        };
        // Groups that are not chosen are those of the scope.
        for (mut sync, groups) in [
            (scoped.clone(), 1),
            (scoped.clone().groups(), 2),
            (scoped.select_groups(Group::DISPLAY_NAME), 2),
        ] {
            let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
            copy.catch_up(&mut sync, &mut store).await.unwrap();
            assert_eq!(copy.count(ObjectKind::User), count);
            assert_eq!(
                copy.has(ObjectKind::User, &clara),
                nested,
                "of a nested group"
            );
            assert!(copy.count(ObjectKind::Group) >= groups);
            assert_eq!(groups == 1, copy.count(ObjectKind::Group) == 1);
            assert_equals_scope(&copy, &graph, &engineers, nested, "first").await;
            assert_eq!(copy.catch_up(&mut sync, &mut store).await.unwrap(), []);
        }
    }
}

#[tokio::test]
async fn a_filter_of_users_and_a_scope_must_both_pass() {
    let (tenant, graph) = tenant_and_graph().await;
    let marta = tenant.user("marta@contoso.com");
    let engineers = tenant.group("Engineers");
    engineers.add_member(marta.id());
    let enabled = |user: &User| user.account_enabled == Some(true);
    let sync = DirectorySync::new(&graph)
        .select_users((User::DISPLAY_NAME, User::ACCOUNT_ENABLED))
        .filter_users("enabled", enabled);
    let mut sync = sync.users_of_groups([engineers.id()]);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let marta_id = marta.id().to_string();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(!copy.has(ObjectKind::User, &marta_id), "Marta is disabled");
    // At the edge of the scope the filter decides, too.
    engineers.remove_member(marta.id());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    engineers.add_member(marta.id());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(!copy.has(ObjectKind::User, &marta_id));
    marta.enable();
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(copy.has(ObjectKind::User, &marta_id));
    marta.disable();
    engineers.remove_member(marta.id());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert!(!copy.has(ObjectKind::User, &marta_id));
}

#[tokio::test]
async fn another_scope_removes_and_adds_what_differs() {
    let (tenant, graph) = tenant_and_graph().await;
    let engineers = vec![tenant.group("Engineers").id().to_string()];
    let sales = tenant.add_group("Sales");
    for name in ["adele@contoso.com", "hanna@contoso.com"] {
        sales.add_member(tenant.user(name).id());
    }
    let sales = vec![sales.id().to_string()];
    let sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync.clone(), &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "all").await;
    // The guard holds nothing back here: five removals pass.
    for (scope, nested) in [
        (&engineers, true),
        (&sales, false),
        (&engineers, false),
        (&engineers, true),
        (&sales, true),
        (&engineers, true),
    ] {
        let mut scoped = match nested {
            false => sync.clone().users_of_groups(scope),
            true => sync.clone().users_of_nested_groups(scope),
        };
        scoped = scoped.guard(entra_graph::sync::DeletionGuard::off());
        copy.catch_up(&mut scoped, &mut store).await.unwrap();
        assert_equals_scope(&copy, &graph, scope, nested, &format!("{scope:?} {nested}")).await;
        // A nested group that comes and goes shows whether its status is that of this scope.
        let team = tenant.add_group("Team");
        team.add_member(tenant.user("marta@contoso.com").id());
        tenant.group("Engineers").add_member(team.id());
        copy.catch_up(&mut scoped, &mut store).await.unwrap();
        assert_equals_scope(&copy, &graph, scope, nested, "a nested group").await;
        tenant.remove("groups", &team.id().to_string()).unwrap();
        copy.catch_up(&mut scoped, &mut store).await.unwrap();
        assert_equals_scope(&copy, &graph, scope, nested, "no nested group").await;
    }
    copy.catch_up(&mut sync.clone(), &mut store).await.unwrap();
    copy.assert_equals_tenant(&graph, "all again").await;
}

#[tokio::test]
async fn a_nested_group_of_the_former_scope_brings_its_users_into_the_next_one() {
    let (tenant, graph) = tenant_and_graph().await;
    let (first, second) = (tenant.add_group("First"), tenant.add_group("Second"));
    let team = tenant.add_group("Team");
    team.add_member(tenant.user("marta@contoso.com").id());
    first.add_member(team.id());
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let scope_of = |id: String| {
        let sync = DirectorySync::new(&graph).groups();
        (vec![id.clone()], sync.users_of_nested_groups([id]))
    };
    let (scope, mut sync) = scope_of(first.id().to_string());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_equals_scope(&copy, &graph, &scope, true, "first").await;
    let (scope, mut sync) = scope_of(second.id().to_string());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_equals_scope(&copy, &graph, &scope, true, "second").await;
    second.add_member(team.id());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_equals_scope(&copy, &graph, &scope, true, "second with the team").await;
    assert_eq!(copy.count(ObjectKind::User), 1);
}

#[tokio::test]
async fn a_scope_without_a_group_or_with_an_invalid_id_sends_nothing() {
    let script = ScriptedTransport::new();
    let graph = client(script.clone());
    let none: [&str; 0] = [];
    for (mut sync, kind) in [
        (
            DirectorySync::new(&graph).users_of_groups(none),
            ErrorKind::Configuration,
        ),
        (
            DirectorySync::new(&graph).users_of_nested_groups(["Engineers"]),
            ErrorKind::Query,
        ),
    ] {
        let error = sync.run(&mut MemoryStore::new()).await.unwrap_err();
        let SyncError::Graph(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.kind(), kind);
    }
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn a_group_of_the_scope_that_does_not_exist_is_a_note() {
    let (tenant, graph) = tenant_and_graph().await;
    let group = tenant.add_group("Short");
    let unknown = "99999999-9999-9999-9999-999999999999".to_owned();
    let id = group.id().to_string();
    let mut sync = DirectorySync::new(&graph).users_of_groups([&unknown, &id]);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let missing = |notes: Vec<SyncNote>| -> Vec<String> {
        let ids = notes.into_iter().filter_map(|note| match note {
            SyncNote::ScopeGroupMissing { id } => Some(id),
            _ => None,
        });
        ids.collect()
    };
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    assert_eq!(missing(notes), [&*unknown]);
    tenant.remove("groups", &id).unwrap();
    let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
    let mut both = vec![unknown, id];
    both.sort_unstable();
    let mut found = missing(notes);
    found.sort_unstable();
    assert_eq!(found, both);
}

const GROUP: &str = "11111111-1111-1111-1111-111111111111";
const USER: &str = "22222222-2222-2222-2222-222222222222";

fn end(rows: &str, set: &str) -> String {
    format!(r#"{{"value":[{rows}],"@odata.deltaLink":"{ROOT}/{set}/delta?$deltatoken=a"}}"#)
}

#[tokio::test]
async fn a_user_that_graph_withholds_or_forbids_enters_with_a_later_run() {
    let member = format!(
        r##"{{"id":"{GROUP}","members@delta":[{{"@odata.type":"#microsoft.graph.user","id":"{USER}"}}]}}"##
    );
    let group = format!(r#"{{"id":"{GROUP}","displayName":"G"}}"#);
    let user = format!(r#"{{"id":"{USER}","displayName":"U"}}"#);
    let foreign = r#"{"id":"33333333-3333-3333-3333-333333333333","displayName":"V"}"#;
    let script = ScriptedTransport::new()
        .then(200, &[], end(&group, "groups"))
        .then(200, &[], end(&user, "users"))
        // It becomes a member; its row is withheld, and another one is there that was not requested.
        .then(200, &[], end(&member, "groups"))
        .then(200, &[], end("", "users"))
        .then(200, &[], end(foreign, "users"))
        .then(200, &[], end("", "groups"))
        .then(200, &[], end("", "users"))
        .then(
            403,
            &[],
            r#"{"error":{"code":"Authorization_RequestDenied"}}"#,
        )
        .then(200, &[], end("", "groups"))
        .then(200, &[], end("", "users"))
        .then(200, &[], end(&user, "users"))
        .then(200, &[], end("", "groups"))
        .then(200, &[], end("", "users"));
    let graph = client(script.clone());
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut sync = DirectorySync::new(&graph)
        .select_users(User::DISPLAY_NAME)
        .users_of_groups([GROUP]);
    for (run, count) in [0, 0, 0, 1, 1].into_iter().enumerate() {
        let notes = copy.catch_up(&mut sync, &mut store).await.unwrap();
        let users = copy.count(ObjectKind::User);
        assert_eq!((users, copy.members.len()), (count, count), "run {run}");
        let forbidden = notes
            .iter()
            .filter(|note| matches!(note, SyncNote::Forbidden { .. }));
        assert_eq!(forbidden.count(), usize::from(run == 2));
    }
    let read = format!("/users/delta?$select=displayName&$filter=id eq '{USER}'");
    let requested = requested(&script);
    for at in [4, 7, 10] {
        assert_eq!(requested[at], read);
    }
    assert_eq!(requested.len(), 13, "the last run has nothing left to read");
}

#[tokio::test]
async fn the_bookkeeping_of_a_scope_ends_with_it() {
    let (tenant, graph) = tenant_and_graph().await;
    let sync = DirectorySync::new(&graph).users().groups();
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    let mut scoped = sync
        .clone()
        .users_of_nested_groups([tenant.group("Engineers").id()]);
    copy.catch_up(&mut scoped, &mut store).await.unwrap();
    for prefix in ["e/", "f/"] {
        let left = store.scan(prefix, None, 10).await.unwrap();
        assert_eq!(left, [], "{prefix}");
    }
    let testers = tenant.group("Testers").id().to_string();
    let nested = store.scan("s/", None, 10).await.unwrap();
    assert_eq!(nested, [(format!("s/{testers}"), String::new())]);
    tenant.remove("groups", &testers).unwrap();
    copy.catch_up(&mut scoped, &mut store).await.unwrap();
    assert_eq!(store.scan("s/", None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn transitive_memberships_of_a_scope_are_those_of_its_users() {
    let (tenant, graph) = tenant_and_graph().await;
    let engineers = tenant.group("Engineers");
    let mut sync = DirectorySync::new(&graph)
        .users()
        .groups()
        .transitive_members()
        .users_of_nested_groups([engineers.id()]);
    let (mut store, mut copy) = (MemoryStore::new(), Copy::default());
    copy.catch_up(&mut sync, &mut store).await.unwrap();
    copy.assert_transitive(&graph, "first").await;
    let clara = tenant.user("clara@contoso.com").id();
    let above = (engineers.id().to_string(), clara.to_string());
    assert!(copy.transitive.contains(&above));
    tenant.group("Testers").remove_member(clara);
    let mut changes = Vec::new();
    while let Some(step) = sync.next(&mut store).await.unwrap() {
        changes.extend_from_slice(step.changes());
        copy.commit(&mut store, &step).await;
    }
    let leaves = |change: &SyncChange| matches!(change, SyncChange::Removed { id, .. } if *id == clara.to_string());
    assert!(changes.iter().any(leaves), "{changes:?}");
    copy.assert_transitive(&graph, "without Clara").await;
}
