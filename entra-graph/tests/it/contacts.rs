//! Organizational contacts against the fake tenant.

use entra_core::ObjectId;
use entra_graph::{Change, GraphClient, Group, OrgContact};
use entra_mock::FakeTenant;
use serde_json::json;

use crate::support::AppCredential;

async fn graph(permission: &str) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Address book");
    let app = app.application_permission(permission).with_secret();
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app));
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock());
    (tenant, graph.build().unwrap())
}

#[tokio::test]
async fn contacts_are_found_with_their_manager_and_groups() {
    let (tenant, graph) = graph("Directory.Read.All").await;
    let robin = tenant.add_contact("Robin", "robin@fabrikam.example");
    robin.set("companyName", "Fabrikam".into());
    robin.set("phones", json!([{ "type": "mobile", "number": "+49 1" }]));
    let adele = tenant.user("adele@contoso.com");
    let below_adele = async || {
        let count = graph.user(adele.id()).transitive_reports_count();
        count.send().await.unwrap()
    };
    let before = below_adele().await;
    robin.set_manager(&adele);
    let engineers = tenant.group("Engineers");
    assert!(engineers.add_member(robin.id()));
    tenant.add_contact("Alex", "alex@fabrikam.example");

    let contacts = graph.contacts();
    let filter = OrgContact::COMPANY_NAME
        .eq("Fabrikam")
        .and(OrgContact::MAIL.starts_with("robin"));
    let found = contacts
        .list()
        .filter(filter)
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let [found] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        found.phones.as_ref().unwrap()[0].number.as_deref(),
        Some("+49 1")
    );
    assert_eq!(contacts.count().send().await.unwrap(), 2);
    let contact = graph.contact(robin.id());
    assert_eq!(
        contact.manager().get().send().await.unwrap().id(),
        adele.id().to_string()
    );
    assert_eq!(below_adele().await, before + 1);
    let below = contact.transitive_reports_count().send().await;
    assert_eq!(below.unwrap(), 0);
    let groups = contact.member_of().cast::<Group>().list().items();
    let groups = groups.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(groups[0].id, engineers.id().to_string());
    let other: ObjectId = adele.id();
    let checked = contact
        .check_member_groups([engineers.id(), other])
        .send()
        .await
        .unwrap();
    assert_eq!(checked, [engineers.id()]);
    let alex = contacts
        .list()
        .filter(OrgContact::DISPLAY_NAME.eq("Alex"))
        .send()
        .await
        .unwrap();
    let alex = graph.contact(&alex.items[0].id);
    assert!(alex.manager().get_opt().await.unwrap().is_none());

    let members = graph.group(engineers.id()).members().list().items();
    let members = members.try_collect::<Vec<_>>().await.unwrap();
    let there = members
        .iter()
        .find_map(|one| one.downcast::<OrgContact>().unwrap());
    assert_eq!(there.unwrap().id, robin.id().to_string());
}

#[tokio::test]
async fn a_delta_follows_contacts() {
    let (tenant, graph) = graph("OrgContact.Read.All").await;
    let delta = || graph.contacts().delta();
    let (_, state) = delta().changes().try_collect().await.unwrap();
    let robin = tenant.add_contact("Robin", "robin@fabrikam.example");
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    let [Change::Upsert(changed)] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(changed.object.id, robin.id().to_string());
}

#[tokio::test]
async fn a_missing_permission_for_contacts_is_named() {
    let (_tenant, graph) = graph("User.Read.All").await;
    let error = graph.contacts().list().send().await.unwrap_err();
    assert_eq!(error.needed_permissions()[0], "OrgContact.Read.All");
}
