//! Many lists in few requests, and expanded relationships that Graph cut.

use entra_core::ScriptedTransport;
use entra_graph::{Device, DirectoryObject, ErrorKind, GraphClient, Group, ResumeToken, User};
use entra_mock::{FakeTenant, Fault};

use crate::{scripts::client, support::AppCredential};

const UNKNOWN: &str = "33333333-3333-3333-3333-333333333333";

async fn graph() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("Directory.Read.All")
        .with_secret();
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    (tenant, graph)
}

/// Groups with so many members each, by display name in this order.
fn groups(tenant: &FakeTenant, sizes: &[usize]) -> Vec<String> {
    let most = sizes.iter().max().copied().unwrap_or_default();
    let users: Vec<_> = (0..most)
        .map(|number| tenant.add_user(&format!("Member {number}")).id())
        .collect();
    let with_members = |(number, size): (usize, &usize)| {
        let group = tenant.add_group(&format!("Sized {number}"));
        for user in &users[..*size] {
            assert!(group.add_member(*user));
        }
        group.id().to_string()
    };
    sizes.iter().enumerate().map(with_members).collect()
}

#[tokio::test]
async fn lists_of_several_pages_are_read_together_and_in_order() {
    let (tenant, graph) = graph().await;
    let sizes: Vec<usize> = (0..25).map(|number| number % 6).collect();
    let ids = groups(&tenant, &sizes);
    let members = |id: &String| graph.group(&**id).members().list().top(2);
    let before = graph.requests_sent();
    let lists = graph.read_lists(ids.iter().map(members)).await;
    for (list, size) in lists.into_iter().zip(&sizes) {
        assert_eq!(list.unwrap().len(), *size);
    }
    // 25 first pages, 12 second ones and 4 third ones.
    assert_eq!(graph.requests_sent() - before, 2 + 1 + 1);
}

#[tokio::test]
async fn a_list_that_fails_does_not_stop_the_others() {
    let (tenant, graph) = graph().await;
    let ids = groups(&tenant, &[3, 1]);
    let members = |id: &str| graph.group(id).members().list();
    let lists = [members(&ids[0]), members(UNKNOWN), members(&ids[1])];
    let mut read = graph.read_lists(lists).await.into_iter();
    assert_eq!(read.next().unwrap().unwrap().len(), 3);
    let error = read.next().unwrap().unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains(UNKNOWN), "{error}");
    assert_eq!(read.next().unwrap().unwrap().len(), 1);

    let (_, other) = self::graph().await;
    let lists = graph.read_lists([other.users().list()]).await;
    let error = lists.into_iter().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
}

#[tokio::test]
async fn every_list_fails_when_nothing_can_be_sent() {
    let (tenant, graph) = graph().await;
    tenant.inject(Fault::on("/$batch").status(403));
    let lists = graph
        .read_lists([graph.users().list(), graph.users().list()])
        .await;
    assert_eq!(lists.len(), 2);
    for list in lists {
        assert!(list.unwrap_err().is_forbidden());
    }
}

#[tokio::test]
async fn expanded_members_are_completed_however_many_they_are() {
    let (tenant, graph) = graph().await;
    let sizes = [0, 1, 19, 20, 21, 1_005];
    groups(&tenant, &sizes);
    let list = || {
        let members = Group::MEMBERS.select(DirectoryObject::ID);
        let sized = Group::DISPLAY_NAME.starts_with("Sized");
        let list = graph.groups().list().filter(sized);
        list.select(Group::DISPLAY_NAME).expand_all(members)
    };
    let check = |group: &Group| {
        let name = group.display_name.as_deref().unwrap();
        let size = sizes[name
            .strip_prefix("Sized ")
            .unwrap()
            .parse::<usize>()
            .unwrap()];
        let members = group.members.as_ref().unwrap();
        assert!(members.is_complete(), "{name}");
        assert_eq!(members.len(), size, "{name}");
        let mut ids: Vec<_> = members
            .iter()
            .map(|member| member.id().to_owned())
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), size, "{name}");
        assert!(members.iter().all(|member| member.as_user().is_some()));
    };
    let before = graph.requests_sent();
    let all: Vec<Group> = list().items().try_collect().await.unwrap();
    assert_eq!(all.len(), sizes.len());
    all.iter().for_each(check);
    // The page, the lists that are cut or empty, and the second page of one.
    assert_eq!(graph.requests_sent() - before, 3);
    // A stored copy is as complete.
    let stored: Group = serde_json::from_str(&serde_json::to_string(&all[3]).unwrap()).unwrap();
    check(&stored);

    // A list that is resumed is completed too.
    let mut items = list().top(2).items();
    check(&items.try_next().await.unwrap().unwrap());
    let token = serde_json::to_string(&items.resume_token().unwrap()).unwrap();
    let token = serde_json::from_str(&token).unwrap();
    let rest: Vec<Group> = graph.resume(&token).unwrap().try_collect().await.unwrap();
    assert_eq!(rest.len(), sizes.len() - 1);
    rest.iter().for_each(check);

    let page = list().send().await.unwrap();
    page.items.iter().for_each(check);
}

#[tokio::test]
async fn a_list_that_cannot_be_completed_is_an_error_and_can_be_resumed() {
    let (tenant, graph) = graph().await;
    groups(&tenant, &[25]);
    tenant.inject(Fault::on("/$batch").status(403).times(1));
    let sized = Group::DISPLAY_NAME.starts_with("Sized");
    let list = graph
        .groups()
        .list()
        .filter(sized)
        .expand_all(Group::MEMBERS);
    let mut items = list.items();
    let error = items.try_next().await.unwrap_err();
    assert!(error.is_forbidden());
    let token = items.resume_token().unwrap();
    let groups: Vec<Group> = graph.resume(&token).unwrap().try_collect().await.unwrap();
    assert_eq!(groups[0].members.as_ref().unwrap().len(), 25);
}

#[tokio::test]
async fn a_list_that_graph_sent_empty_is_read_again() {
    let page = r#"{"value":[{"id":"g","members":[]}]}"#;
    let members = r##"{"responses":[{"id":"0","status":200,"body":{"value":[{"@odata.type":"#microsoft.graph.user","id":"u"}]}}]}"##;
    let script = ScriptedTransport::new()
        .then(200, &[], page)
        .then(200, &[], members);
    let list = client(script).groups().list().expand_all(Group::MEMBERS);
    let groups: Vec<Group> = list.items().try_collect().await.unwrap();
    let members = groups[0].members.as_ref().unwrap();
    assert_eq!(members[0].id(), "u");
    assert!(members.is_complete());
}

#[tokio::test]
async fn a_list_that_is_not_cut_is_not_read_again() {
    let page =
        r##"{"value":[{"id":"g","members":[{"@odata.type":"#microsoft.graph.user","id":"u"}]}]}"##;
    let script = ScriptedTransport::new().then(200, &[], page);
    let list = client(script.clone()).groups().list();
    let list = list.expand_all(Group::MEMBERS);
    let groups: Vec<Group> = list.items().try_collect().await.unwrap();
    let members = groups[0].members.as_ref().unwrap();
    assert_eq!(members.len(), 1);
    assert!(members.is_complete());
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn an_object_without_an_id_cannot_be_completed() {
    let page = r#"{"value":[{"displayName":"Buyers","members":[]}]}"#;
    let script = ScriptedTransport::new().then(200, &[], page);
    let list = client(script.clone()).groups().list();
    let mut groups = list.expand_all(Group::MEMBERS).items();
    let error = groups.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("has no id"), "{error}");
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_stored_list_to_be_completed_leads_to_its_own_host_only() {
    let members = r#"[{"id":"u"}]"#;
    let page = format!(
        r#"{{"value":[{{"id":"g","members":{members}}},{{"id":"h","members":{members}}}]}}"#
    );
    let graph = client(ScriptedTransport::new().then(200, &[], page));
    let mut groups = graph.groups().list().expand_all(Group::MEMBERS).items();
    groups.try_next().await.unwrap();
    let mut token = serde_json::to_value(groups.resume_token().unwrap()).unwrap();
    token["fill"]["collection"] = "https://evil.example/v1.0/groups".into();
    let token: ResumeToken = serde_json::from_value(token).unwrap();
    let error = graph.resume::<Group>(&token).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Policy);
}

#[tokio::test]
async fn a_single_related_object_is_left_as_it_is() {
    let (_tenant, graph) = graph().await;
    let users = |all: bool| {
        let list = graph.users().list().select(User::DISPLAY_NAME);
        let manager = User::MANAGER.select(DirectoryObject::ID);
        let list = match all {
            true => list.expand_all(manager),
            false => list.expand(manager),
        };
        list.items().try_collect::<Vec<User>>()
    };
    let before = graph.requests_sent();
    let all = users(true).await.unwrap();
    assert_eq!(graph.requests_sent() - before, 1);
    assert_eq!(all, users(false).await.unwrap());
    assert!(all.iter().any(|user| user.manager.is_some()));
    let json = serde_json::to_string(&all).unwrap();
    assert!(!json.contains("@sdk"), "{json}");
}

#[tokio::test]
async fn a_list_to_be_completed_is_not_for_batches() {
    let (_tenant, graph) = graph().await;
    let list = || graph.groups().list().expand_all(Group::MEMBERS);
    let mut batch = graph.batch();
    let entry = batch.add(list());
    let error = batch.send().await.unwrap().get(entry).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(error.to_string().contains("members"), "{error}");
    let read = graph.read_lists([list()]).await;
    assert_eq!(read[0].as_ref().unwrap_err().kind(), ErrorKind::Query);
}

#[tokio::test]
async fn the_members_of_one_group_are_completed_too() {
    let (tenant, graph) = graph().await;
    let sizes = [0, 19, 20, 1_005];
    let ids = groups(&tenant, &sizes);
    for (id, size) in ids.iter().zip(sizes) {
        let members = Group::MEMBERS.select(DirectoryObject::ID);
        let get = graph.group(&**id).get().select(Group::DISPLAY_NAME);
        let cut = get.clone().expand(members.clone()).send().await.unwrap();
        assert_eq!(cut.members.unwrap().len(), size.min(20));
        let group = get.expand_all(members).send_opt().await.unwrap().unwrap();
        assert!(group.display_name.is_some());
        let members = group.members.unwrap();
        assert!(members.is_complete(), "{size}");
        let mut found: Vec<_> = members.iter().map(|one| one.id().to_owned()).collect();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), size);
    }
    let get = || graph.group(UNKNOWN).get().expand_all(Group::MEMBERS);
    assert!(get().send().await.unwrap_err().is_not_found());
    assert_eq!(get().send_opt().await.unwrap(), None);

    // What takes several requests is none of a batch.
    let mut batch = graph.batch();
    let entry = batch.add(get());
    let error = batch.send().await.unwrap().get(entry).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
}

#[tokio::test]
async fn relationships_of_deleted_objects_are_not_completed() {
    let (_tenant, graph) = graph().await;
    let before = graph.requests_sent();
    let list = graph.deleted_groups().list().expand_all(Group::MEMBERS);
    let listed = list.items().try_collect::<Vec<_>>().await.unwrap_err();
    let one = graph.deleted_group(UNKNOWN).get();
    let read = one.expand_all(Group::MEMBERS).send().await.unwrap_err();
    for error in [listed, read] {
        assert_eq!(error.kind(), ErrorKind::Query);
        assert!(error.to_string().contains("deleted objects"), "{error}");
    }
    assert_eq!(graph.requests_sent(), before);
}

/// Sets when all users were created: a batch of them in one second, some over years, some at an unknown time.
async fn with_creation_times(tenant: &FakeTenant, graph: &GraphClient) -> Vec<String> {
    let users: Vec<User> = graph.users().list().items().try_collect().await.unwrap();
    for (number, user) in users.iter().enumerate() {
        let created = match number % 4 {
            0 => serde_json::json!("2024-03-01T12:00:00Z"),
            1 => serde_json::json!(format!("20{:02}-05-01T00:00:00Z", number % 26)),
            2 => serde_json::json!(format!("2025-01-01T{:02}:00:00Z", number % 24)),
            _ => serde_json::Value::Null,
        };
        tenant
            .set_property("users", &user.id, "createdDateTime", created)
            .unwrap();
    }
    let mut ids: Vec<_> = users.into_iter().map(|user| user.id).collect();
    ids.sort();
    ids
}

async fn ids_of(parts: Vec<entra_graph::query::List<User>>) -> Vec<Vec<String>> {
    let read = |part: entra_graph::query::List<User>| async move {
        let users: Vec<User> = part.items().try_collect().await.unwrap();
        users.into_iter().map(|user| user.id).collect()
    };
    futures_util::future::join_all(parts.into_iter().map(read)).await
}

#[tokio::test]
async fn parts_by_creation_hold_every_user_exactly_once() {
    let (tenant, graph) = graph().await;
    for number in 0..300 {
        tenant.add_user(&format!("Extra {number}"));
    }
    let all = with_creation_times(&tenant, &graph).await;
    for count in [1, 2, 5, 16] {
        let before = graph.requests_sent();
        let parts = graph.users().list().select(User::DISPLAY_NAME);
        let parts = parts.partitioned_by_creation(count).await.unwrap();
        assert!(graph.requests_sent() - before <= 4);
        assert!(parts.len() <= count);
        assert!(count == 1 || parts.len() > 1);
        let mut ids = ids_of(parts).await.concat();
        ids.sort();
        assert_eq!(ids, all, "{count} parts");
    }
}

/// Half of the users came within a few months, the others over twenty years.
#[tokio::test]
async fn parts_by_creation_are_about_equal() {
    let (tenant, graph) = graph().await;
    for number in 0..200 {
        tenant.add_user(&format!("Extra {number}"));
    }
    let users: Vec<User> = graph.users().list().items().try_collect().await.unwrap();
    for (number, user) in users.iter().enumerate() {
        let created = match number % 2 {
            0 => format!(
                "2003-{:02}-{:02}T00:00:00Z",
                number % 4 + 5,
                number % 28 + 1
            ),
            _ => format!(
                "20{:02}-{:02}-01T00:00:00Z",
                number % 20 + 5,
                number % 12 + 1
            ),
        };
        tenant
            .set_property("users", &user.id, "createdDateTime", created.into())
            .unwrap();
    }
    let parts = graph
        .users()
        .list()
        .partitioned_by_creation(4)
        .await
        .unwrap();
    let sizes: Vec<usize> = ids_of(parts).await.iter().map(Vec::len).collect();
    let share = users.len() / 4;
    assert_eq!(sizes.len(), 4);
    assert!(
        sizes.iter().all(|size| size.abs_diff(share) < share / 3),
        "{sizes:?} of {share}"
    );
}

#[tokio::test]
async fn what_changes_while_parts_are_read_is_read_exactly_once() {
    let (tenant, graph) = graph().await;
    let all = with_creation_times(&tenant, &graph).await;
    let parts = graph
        .users()
        .list()
        .partitioned_by_creation(4)
        .await
        .unwrap();
    let mut parts = parts.into_iter();
    let mut ids = ids_of(vec![parts.next().unwrap()]).await.concat();
    // Every user gets another name, one is deleted that was not read yet, and one is created.
    for id in &all {
        tenant
            .set_property("users", id, "displayName", "Renamed".into())
            .unwrap();
    }
    let deleted = all.iter().find(|id| !ids.contains(id)).unwrap().clone();
    tenant.remove("users", &deleted).unwrap();
    let new = tenant.add_user("New");
    ids.extend(ids_of(parts.collect()).await.concat());
    ids.sort();
    let mut expected: Vec<_> = all.into_iter().filter(|id| *id != deleted).collect();
    expected.push(new.id().to_string());
    expected.sort();
    assert_eq!(ids, expected);
}

/// Sets when the objects of a collection were created: one each month.
fn created_monthly(tenant: &FakeTenant, (collection, property): (&str, &str), ids: &[String]) {
    for (number, id) in ids.iter().enumerate() {
        let created = format!("2024-{:02}-01T00:00:00Z", number % 12 + 1);
        tenant
            .set_property(collection, id, property, created.into())
            .unwrap();
    }
}

#[tokio::test]
async fn groups_and_devices_have_parts_too() {
    let (tenant, graph) = graph().await;
    groups(&tenant, &[0; 20]);
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let list = || graph.groups().list();
    let all: Vec<Group> = list().items().try_collect().await.unwrap();
    let all = sorted(all.into_iter().map(|group| group.id).collect());
    created_monthly(&tenant, ("groups", "createdDateTime"), &all);
    let parts = list().partitioned_by_creation(3).await.unwrap();
    assert_eq!(parts.len(), 3);
    let mut ids = Vec::new();
    for part in parts {
        let part: Vec<Group> = part.items().try_collect().await.unwrap();
        assert!(!part.is_empty());
        ids.extend(part.into_iter().map(|group| group.id));
    }
    assert_eq!(sorted(ids), all);

    let list = || graph.devices().list();
    let all: Vec<Device> = list().items().try_collect().await.unwrap();
    let all = sorted(all.into_iter().map(|device| device.id).collect());
    created_monthly(&tenant, ("devices", "registrationDateTime"), &all);
    let parts = list().partitioned_by_creation(3).await.unwrap();
    assert!(parts.len() > 1);
    let mut ids = Vec::new();
    for part in parts {
        let part: Vec<Device> = part.items().try_collect().await.unwrap();
        ids.extend(part.into_iter().map(|device| device.id));
    }
    assert_eq!(sorted(ids), all);
}

#[tokio::test]
async fn a_list_that_is_expanded_has_no_parts() {
    let (_tenant, graph) = graph().await;
    let list = graph.users().list().expand(User::MANAGER);
    let error = list.partitioned_by_creation(4).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(error.to_string().contains("manager"), "{error}");
}
