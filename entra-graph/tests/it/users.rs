//! The users area against the fake tenant.

use entra_core::ObjectId;
use entra_graph::{DirectoryObject, GraphClient, Group, User};
use entra_mock::FakeTenant;

use crate::support::{AppCredential, start};

async fn graph() -> (FakeTenant, GraphClient) {
    let (tenant, credential) = start().await;
    let graph = client(&tenant, credential);
    (tenant, graph)
}

fn client(tenant: &FakeTenant, credential: AppCredential) -> GraphClient {
    GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

#[tokio::test]
async fn users_are_listed_counted_and_found() {
    let (tenant, graph) = graph().await;
    tenant.user("adele@contoso.com").disable();
    let users = graph
        .users()
        .list()
        .top(3)
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let count = graph.users().count().send().await.unwrap();
    assert_eq!(users.len() as u64, count);
    let active = graph
        .users()
        .list()
        .filter(User::ACCOUNT_ENABLED.eq(true))
        .select([User::DISPLAY_NAME, User::USER_PRINCIPAL_NAME])
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert!(active.len() < users.len());
    assert!(
        active
            .iter()
            .all(|user| user.user_principal_name.as_deref() != Some("adele@contoso.com"))
    );
    let by_name = graph.user("adele@contoso.com").get().send().await.unwrap();
    let by_id = graph.user(&by_name.id).get().send().await.unwrap();
    assert_eq!(by_name.id, by_id.id);
    assert!(
        graph
            .user("nobody@contoso.com")
            .get_opt()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn advanced_queries_work_page_by_page() {
    let (_tenant, graph) = graph().await;
    let page = graph
        .users()
        .list()
        .filter(User::USER_PRINCIPAL_NAME.ends_with("@contoso.com"))
        .order_by(User::DISPLAY_NAME.asc())
        .count()
        .top(2)
        .send()
        .await
        .unwrap();
    let count = page.count.unwrap();
    assert!(count > 4, "{count}");
    let all = graph
        .users()
        .list()
        .filter(User::USER_PRINCIPAL_NAME.ends_with("@contoso.com"))
        .order_by(User::DISPLAY_NAME.asc())
        .top(2)
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(all.len() as u64, count);
    assert!(
        all.is_sorted_by_key(|user| user.display_name.clone().unwrap_or_default().to_lowercase())
    );
}

#[tokio::test]
async fn memberships_are_decoded_as_their_types() {
    let (tenant, graph) = graph().await;
    let user = tenant.add_user("Robin");
    let group = tenant.add_group("Night shift");
    group.add_member(user.id());
    let groups = graph
        .user(user.id())
        .member_of()
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].display_name(), Some("Night shift"));
    assert!(!groups[0].is_limited());
    assert!(!matches!(groups[0], DirectoryObject::User(_)));
}

#[tokio::test]
async fn sponsors_are_added_listed_and_removed_by_reference() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Guests").with_secret();
    app.application_permission("User.ReadWrite.All");
    let graph = client(&tenant, AppCredential::new(&tenant, &app));
    let adele = graph.user("adele@contoso.com");
    let adele_id = adele.get().send().await.unwrap().id;
    let robin = tenant.add_user("Robin").id().to_string();
    let group = tenant.add_group("Sponsors").id().to_string();
    for sponsor in [&robin, &group] {
        adele.sponsors().add(sponsor).send().await.unwrap();
    }
    let again = adele.sponsors().add(&robin).send().await.unwrap_err();
    assert!(again.is_already_present(), "{again}");
    let sponsors = adele.sponsors().list().items();
    let sponsors: Vec<DirectoryObject> = sponsors.try_collect().await.unwrap();
    assert_eq!(sponsors.len(), 2);
    let groups = adele.sponsors().cast::<Group>().list().items();
    let groups: Vec<Group> = groups.try_collect().await.unwrap();
    assert_eq!(groups[0].id, group);
    let of = graph.user(&robin).sponsor_of().list().items();
    let of: Vec<DirectoryObject> = of.try_collect().await.unwrap();
    assert_eq!(of[0].id(), adele_id);
    adele.sponsors().remove(&robin).send().await.unwrap();
    let left = adele.sponsors().list().send().await.unwrap();
    assert_eq!(left.items.len(), 1);
    let own = adele.sponsors().add(&adele_id).send().await;
    assert!(own.is_err(), "a user cannot be their own sponsor");
}

#[tokio::test]
async fn everyone_below_a_manager_is_counted_once() {
    let (tenant, graph) = graph().await;
    let [top, middle, low] = ["Top", "Middle", "Low"].map(|name| tenant.add_user(name));
    middle.set_manager(&top);
    low.set_manager(&middle);
    let count = async |id: ObjectId| graph.user(id).transitive_reports_count().send().await;
    assert_eq!(count(top.id()).await.unwrap(), 2);
    assert_eq!(count(low.id()).await.unwrap(), 0);
    // Those who report to each other are no reports of themselves.
    top.set_manager(&low);
    assert_eq!(count(top.id()).await.unwrap(), 2);
    let plain = graph.raw(
        "GET",
        &format!("/users/{}/transitiveReports/$count", top.id()),
    );
    let error = plain.send().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("$count is not currently supported"),
        "{error}"
    );
}

#[tokio::test]
async fn a_403_names_the_missing_permission() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Curious")
        .application_permission("Group.Read.All")
        .with_secret();
    let graph = client(&tenant, AppCredential::new(&tenant, &app));
    let error = graph.users().list().send().await.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    assert_eq!(
        error.needed_permissions(),
        ["User.Read.All", "Directory.Read.All"]
    );
    assert_eq!(error.token_permissions().unwrap(), ["Group.Read.All"]);
    assert!(error.request_id().is_some());
}

#[tokio::test]
async fn every_permission_that_an_operation_names_can_be_granted_at_the_fake_tenant() {
    let tenant = entra_mock::FakeTenant::start().await;
    let app = tenant.register_app("Everything");
    for operation in entra_graph::operations() {
        for permission in operation.application_permissions() {
            app.application_permission(permission);
        }
        for permission in operation.delegated_permissions() {
            app.delegated_permission(permission);
        }
        // Some apply to one kind of token only.
        for permission in operation.additional_permissions() {
            app.delegated_permission(permission);
        }
    }
}
