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
    let none = graph.directory_objects_by_ids(Vec::<ObjectId>::new());
    let none = none.send().await.unwrap();
    assert_eq!(none, []);

    let one_request = graph.directory_objects_by_ids(ids).into_request();
    let error = one_request.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    let mut batch = graph.batch();
    let entry = batch.add(graph.directory_objects_by_ids([&users[0].id]));
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

/// Deleting an object of any type takes the permission of its type.
#[tokio::test]
async fn an_object_of_any_type_is_deleted_with_the_permission_of_its_type() {
    let (tenant, graph) = graph().await;
    let new = NewGroup::microsoft_365("Buyers", "buyers");
    let group = graph.groups().create(new).send().await.unwrap();
    let object = graph.directory_object(&group.id);
    object.delete().send().await.unwrap();
    assert!(object.get_opt().await.unwrap().is_none());
    assert!(
        graph
            .deleted_group(&group.id)
            .get_opt()
            .await
            .unwrap()
            .is_some()
    );
    let user = tenant.add_user("Robin").id();
    graph.directory_object(user).delete().send().await.unwrap();
    let missing = graph.directory_object(user).delete().send().await;
    assert!(missing.unwrap_err().is_not_found());
    // The token has no permission to write applications.
    let principal = tenant.register_app("Shop").service_principal_id();
    let error = graph.directory_object(principal).delete().send().await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Some("Authorization_RequestDenied"));
    assert!(
        graph
            .directory_object(principal)
            .get_opt()
            .await
            .unwrap()
            .is_some()
    );
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
    let sku = product.sku_id.as_deref().unwrap();
    user.update()
        .set(User::USAGE_LOCATION, "DE")
        .send()
        .await
        .unwrap();
    user.assign_licenses([sku]).send().await.unwrap();
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

#[tokio::test]
async fn ids_of_responses_go_into_requests_as_text_and_invalid_ones_are_not_sent() {
    let (_tenant, graph) = graph().await;
    let page = graph.groups().list().send().await.unwrap();
    let group = &page.items[0];
    let adele = graph.user("adele@contoso.com");
    let check = adele.check_member_groups([&group.id]);
    check.send().await.unwrap();
    let objects = graph.directory_objects_by_ids([group.id.as_str()]);
    assert_eq!(objects.send().await.unwrap().len(), 1);

    let before = graph.requests_sent();
    let name = "Engineers";
    let errors = [
        adele.check_member_groups([name]).send().await.unwrap_err(),
        adele.check_member_objects([name]).send().await.unwrap_err(),
        graph
            .directory_objects_by_ids([name])
            .send()
            .await
            .unwrap_err(),
        adele
            .check_member_groups([name])
            .into_request()
            .send()
            .await
            .unwrap_err(),
        graph
            .directory_objects_by_ids([name])
            .into_request()
            .send()
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Query);
        assert!(
            error
                .to_string()
                .contains("\"Engineers\" is not a valid object id"),
            "{error}"
        );
    }
    assert_eq!(graph.requests_sent(), before);
}

#[tokio::test]
async fn licences_go_by_the_id_of_the_sku_and_a_name_is_not_sent() {
    let (_tenant, graph) = graph().await;
    let adele = graph.user("adele@contoso.com");
    let before = graph.requests_sent();
    let plan = AssignedLicense::new(Guid::NIL).without_plans(["EXCHANGE"]);
    let errors = [
        adele
            .assign_licenses(["AAD_PREMIUM_P2"])
            .send()
            .await
            .unwrap_err(),
        adele
            .remove_licenses(["AAD_PREMIUM_P2"])
            .send()
            .await
            .unwrap_err(),
        graph
            .group("8f9c")
            .assign_licenses([AssignedLicense::new("E5")])
            .send()
            .await
            .unwrap_err(),
        adele.assign_licenses([plan]).send().await.unwrap_err(),
    ];
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::Query);
    }
    assert!(
        errors[0]
            .to_string()
            .contains("`sku_id` of a `SubscribedSku`, not by its name"),
        "{}",
        errors[0]
    );
    assert_eq!(graph.requests_sent(), before);

    adele
        .update()
        .set(User::USAGE_LOCATION, "DE")
        .send()
        .await
        .unwrap();
    let skus = graph.subscribed_skus().list().send().await.unwrap();
    let sku = skus.items[0].sku_id.as_ref().unwrap();
    let licences = async || {
        let read = adele
            .get()
            .select(User::ASSIGNED_LICENSES)
            .send()
            .await
            .unwrap();
        read.assigned_licenses.unwrap().len()
    };
    let at_first = licences().await;
    adele.assign_licenses([sku]).send().await.unwrap();
    assert_eq!(licences().await, at_first + 1);
    let again = AssignedLicense::new(sku);
    let error = adele
        .change_licenses([&again], [sku])
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    adele.remove_licenses([sku]).send().await.unwrap();
    assert_eq!(licences().await, at_first);
}
