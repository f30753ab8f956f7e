//! The groups area: against the fake tenant, and what it sends against scripts.

use entra_core::ScriptedTransport;
use entra_graph::{Device, DirectoryObject, ErrorKind, Filter, GraphClient, Group, Key, User};
use entra_mock::FakeTenant;

use crate::{
    scripts::{client, is_advanced, requested},
    support::{AppCredential, start},
};

async fn graph() -> (FakeTenant, GraphClient) {
    let (tenant, credential) = start().await;
    let graph = of(&tenant, credential);
    (tenant, graph)
}

fn of(tenant: &FakeTenant, credential: AppCredential) -> GraphClient {
    GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

#[tokio::test]
async fn groups_are_listed_counted_and_found() {
    let (tenant, graph) = graph().await;
    let night = tenant.add_group("Night shift");
    let groups = graph
        .groups()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let count = graph.groups().count().send().await.unwrap();
    assert_eq!(groups.len() as u64, count);
    let named = graph
        .groups()
        .list()
        .filter(Group::DISPLAY_NAME.starts_with("Night"))
        .select((Group::DISPLAY_NAME, Group::SECURITY_ENABLED))
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].id, night.id().to_string());
    assert_eq!(named[0].security_enabled, Some(true));
    assert_eq!(named[0].description, None);
    let found = graph.group(night.id()).get().send().await.unwrap();
    assert_eq!(found.display_name.as_deref(), Some("Night shift"));
    let by_words = graph
        .groups()
        .list()
        .search(Group::DISPLAY_NAME.search("shift"));
    let by_words = by_words.items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(by_words.len(), 1);
    assert_eq!(by_words[0].id, found.id);
}

#[tokio::test]
async fn members_are_decoded_as_their_types_and_casts_narrow_them() {
    let (tenant, graph) = graph().await;
    let group = tenant.add_group("Mixed");
    let (user, inner) = (tenant.add_user("Robin"), tenant.add_group("Inner"));
    let device = tenant.add_device("LAPTOP-1", None);
    let app = tenant.register_app("Robot");
    for id in [
        user.id(),
        inner.id(),
        device.id(),
        app.service_principal_id(),
    ] {
        assert!(group.add_member(id));
    }
    inner.add_member(tenant.add_user("Alex").id());
    group.add_owner(user.id());

    let group = graph.group(group.id());
    let members = group
        .members()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(members.len(), 4);
    assert_eq!(
        members.iter().filter_map(DirectoryObject::as_user).count(),
        1
    );
    assert_eq!(
        members.iter().filter_map(DirectoryObject::as_group).count(),
        1
    );
    assert_eq!(
        members
            .iter()
            .filter_map(DirectoryObject::as_device)
            .count(),
        1
    );
    assert!(members.iter().all(|member| !member.is_limited()));

    let users = group.members().cast::<User>();
    let names = users.list().select(User::DISPLAY_NAME).items();
    let names = names.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(names[0].display_name.as_deref(), Some("Robin"));
    assert_eq!(users.count().send().await.unwrap(), 1);

    let all = group.transitive_members();
    assert_eq!(all.count().send().await.unwrap(), 5);
    let all = all
        .cast::<User>()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(all.len(), 2);

    let owners = group
        .owners()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(owners[0].id(), user.id().to_string());
    let above = graph.group(inner.id()).member_of().list().items();
    let above = above.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(above[0].display_name(), Some("Mixed"));
    let above = graph
        .group(inner.id())
        .transitive_member_of()
        .cast::<Group>();
    assert_eq!(
        above
            .list()
            .items()
            .try_collect::<Vec<_>>()
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_member_that_the_caller_cannot_read_is_limited_but_typed() {
    let (tenant, _) = graph().await;
    let group = tenant.add_group("Mixed");
    let device = tenant.add_device("LAPTOP-1", None);
    group.add_member(device.id());
    let app = tenant
        .register_app("Curious")
        .application_permission("GroupMember.Read.All")
        .with_secret();
    let graph = of(&tenant, AppCredential::new(&tenant, &app));
    let members = graph.group(group.id()).members().list().items();
    let members = members.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(members.len(), 1);
    assert!(members[0].is_limited());
    assert_eq!(members[0].id(), device.id().to_string());
    assert!(members[0].as_device().is_some());
}

#[tokio::test]
async fn expanded_members_say_whether_they_are_all() {
    let (tenant, graph) = graph().await;
    let group = tenant.add_group("Many");
    for number in 0..21 {
        assert!(group.add_member(tenant.add_user(&format!("User {number}")).id()));
        let request = graph.group(group.id()).get();
        let read = request.expand(Group::MEMBERS).send().await.unwrap();
        let members = read.members.unwrap();
        assert_eq!(members.len(), 20.min(number + 1));
        assert_eq!(members.is_complete(), number + 1 < 20);
    }
    let members = graph.group(group.id()).members().list().items();
    assert_eq!(members.try_collect::<Vec<_>>().await.unwrap().len(), 21);
}

#[tokio::test]
async fn assignments_of_a_group_are_listed() {
    let (tenant, graph) = graph().await;
    let group = tenant.add_group("Crew");
    let app = tenant.register_app("Desk");
    tenant.assign(group.id(), app.service_principal_id());
    let assignments = graph.group(group.id()).app_role_assignments().list();
    let assignments = assignments.items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(assignments.len(), 1);
    assert_eq!(
        assignments[0].principal_display_name.as_deref(),
        Some("Crew")
    );
}

#[tokio::test]
async fn urls_are_the_documented_ones() {
    let empty_page = || ScriptedTransport::new().then(200, &[], r#"{"value":[]}"#);
    let id = "3a1c";

    let script = empty_page();
    let dynamic = Group::GROUP_TYPES.any(|kind| kind.eq("DynamicMembership"));
    let list = client(script.clone()).groups().list().filter(dynamic);
    list.send().await.unwrap();
    assert!(!is_advanced(&script.requests()[0]));
    assert_eq!(
        requested(&script),
        ["/groups?$filter=groupTypes/any(x:x eq 'DynamicMembership')&$top=999"]
    );

    let script = empty_page();
    let members = client(script.clone()).group(id).members();
    members.cast::<Device>().list().send().await.unwrap();
    assert!(is_advanced(&script.requests()[0]));
    assert_eq!(
        requested(&script),
        ["/groups/3a1c/members/microsoft.graph.device?$top=999&$count=true"]
    );

    let script = ScriptedTransport::new().then(200, &[], "{}");
    let by_name = client(script.clone()).group(Key::unique_name("o'neil"));
    by_name.get().send().await.unwrap();
    assert_eq!(requested(&script), ["/groups(uniqueName='o''neil')"]);
}

#[tokio::test]
async fn what_graph_rejects_fails_before_it_is_sent() {
    let script = ScriptedTransport::new();
    let filters: [Filter<Group>; 3] = [
        Group::THEME.eq("Teal"),
        Group::DISPLAY_NAME.ends_with("team"),
        Group::IS_ARCHIVED.eq(true),
    ];
    for filter in filters {
        let error = client(script.clone()).groups().list().filter(filter);
        let error = error.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{error}");
    }
    assert!(script.requests().is_empty());
}
