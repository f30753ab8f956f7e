//! Objects of any type by id, checks of names, and licences, against the fake tenant.

use entra_core::{Guid, ObjectId};
use entra_graph::{
    ErrorKind, GraphClient, GroupNames, IntoRequest, NewGroup, User, types::AssignedLicense,
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

async fn graph() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Directory")
        .application_permission("Group.ReadWrite.All")
        .application_permission("User.ReadWrite.All")
        .application_permission("LicenseAssignment.ReadWrite.All")
        .application_permission("Directory.Read.All")
        .with_secret();
    let builder = GraphClient::builder(AppCredential::new(&tenant, &app)).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    (tenant, graph)
}

fn unknown_id(number: usize) -> ObjectId {
    format!("11111111-2222-4333-8444-{number:012}")
        .parse()
        .unwrap()
}

#[tokio::test]
async fn any_number_of_ids_is_looked_up_a_thousand_at_a_time() {
    let (_tenant, graph) = graph().await;
    let users: Vec<User> = graph.users().list().items().try_collect().await.unwrap();
    let groups = graph.groups().list().send().await.unwrap();
    let mut ids: Vec<ObjectId> = (0..2_000).map(unknown_id).collect();
    ids.insert(0, users[0].id.parse().unwrap());
    ids.push(groups.items[0].id.parse().unwrap());
    // Repeated ids are sent once.
    ids.push(groups.items[0].id.parse().unwrap());
    let before = graph.requests_sent();
    let objects = graph
        .directory_objects_by_ids(ids.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(graph.requests_sent() - before, 3);
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0].as_user().unwrap().id, users[0].id);
    assert_eq!(objects[1].as_group().unwrap().id, groups.items[0].id);
    let only_users = graph
        .directory_objects_by_ids(ids.clone())
        .of_type::<User>();
    assert_eq!(only_users.send().await.unwrap().len(), 1);
    let none = graph.directory_objects_by_ids([]).send().await.unwrap();
    assert_eq!(none, []);

    let one_request = graph.directory_objects_by_ids(ids).into_request();
    let error = one_request.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    let mut batch = graph.batch();
    let entry = batch.add(graph.directory_objects_by_ids([users[0].id.parse().unwrap()]));
    let responses = batch.send().await.unwrap();
    assert_eq!(responses.get(entry).unwrap()[0].id(), users[0].id);
}

#[tokio::test]
async fn an_object_of_any_type_is_read_and_its_groups_are_checked() {
    let (_tenant, graph) = graph().await;
    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    let object = graph.directory_object(&adele.id);
    assert_eq!(
        object.get().send().await.unwrap().as_user().unwrap().id,
        adele.id
    );
    let groups = object.get_member_groups(false).send().await.unwrap();
    assert!(!groups.is_empty());
    let found = object
        .check_member_groups(groups.iter().copied())
        .send()
        .await
        .unwrap();
    assert_eq!(found.len(), groups.len());
}

#[tokio::test]
async fn a_name_that_is_taken_is_an_error_with_details() {
    let (_tenant, graph) = graph().await;
    let new = NewGroup::security("Buyers", "buyers");
    let group = graph.groups().create(new).send().await.unwrap();
    let names = |alias: &str| {
        GroupNames::default()
            .display_name("Buyers")
            .mail_nickname(alias)
    };
    graph
        .validate_group_names(names("sellers"))
        .send()
        .await
        .unwrap();
    let error = graph
        .validate_group_names(names("buyers"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.status().unwrap(), 422);
    let [detail] = error.details() else {
        panic!("{error:?}");
    };
    assert_eq!(detail.code.as_deref(), Some("PropertyConflict"));
    assert_eq!(detail.target.as_deref(), Some("mailNickname"));
    assert!(format!("{error:#}").contains("mailNickname: PropertyConflict: Another object"));
    graph
        .group(&group.id)
        .validate_names(names("buyers"))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn license_details_name_the_service_plans() {
    let (_tenant, graph) = graph().await;
    let user = graph.user("adele@contoso.com");
    let skus = graph.subscribed_skus().list().send().await.unwrap();
    let product = &skus.items[0];
    let sku: Guid = product.sku_id.as_deref().unwrap().parse().unwrap();
    user.update()
        .set(User::USAGE_LOCATION, "DE")
        .send()
        .await
        .unwrap();
    user.assign_licenses(&[AssignedLicense::new(sku)], &[])
        .send()
        .await
        .unwrap();
    let page = user.license_details().list().send().await.unwrap();
    let details = page
        .items
        .iter()
        .find(|one| one.sku_id == product.sku_id)
        .unwrap();
    assert_eq!(details.sku_part_number, product.sku_part_number);
    assert_eq!(
        details.service_plans.as_ref().map(Vec::len),
        product.service_plans.as_ref().map(Vec::len)
    );
}
