//! Administrative units against the fake tenant, from create to restore.

use entra_graph::{
    AdministrativeUnit, Change, GraphClient, Group, NewAdministrativeUnit, Reference, User,
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

async fn graph() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Schools")
        .application_permission("AdministrativeUnit.Read.All")
        .application_permission("AdministrativeUnit.ReadWrite.All")
        .application_permission("Directory.Read.All")
        .with_secret();
    let builder = GraphClient::builder(AppCredential::new(&tenant, &app)).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    (tenant, graph)
}

async fn create(graph: &GraphClient, name: &str) -> AdministrativeUnit {
    let new = NewAdministrativeUnit::new(name);
    graph
        .administrative_units()
        .create(new)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_unit_is_created_changed_deleted_and_restored() {
    let (_tenant, graph) = graph().await;
    let created = graph
        .administrative_units()
        .create(NewAdministrativeUnit::new("Schools"))
        .set(AdministrativeUnit::DESCRIPTION, "All of them")
        .set(AdministrativeUnit::IS_MEMBER_MANAGEMENT_RESTRICTED, true)
        .send()
        .await
        .unwrap();
    assert_eq!(created.is_member_management_restricted, Some(true));
    let unit = graph.administrative_unit(&created.id);
    unit.update()
        .set(AdministrativeUnit::DISPLAY_NAME, "Greater Schools")
        .clear(AdministrativeUnit::DESCRIPTION)
        .send()
        .await
        .unwrap();
    let read = unit.get().send().await.unwrap();
    assert_eq!(read.display_name.as_deref(), Some("Greater Schools"));
    assert_eq!(read.description, None);
    let named = AdministrativeUnit::DISPLAY_NAME.starts_with("Greater");
    let found = graph.administrative_units().list().filter(named).items();
    let found: Vec<AdministrativeUnit> = found.try_collect().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        graph.administrative_units().count().send().await.unwrap(),
        1
    );

    unit.delete().send().await.unwrap();
    assert!(unit.get_opt().await.unwrap().is_none());
    let deleted = graph.deleted_administrative_units().list().items();
    let deleted: Vec<AdministrativeUnit> = deleted.try_collect().await.unwrap();
    assert_eq!(deleted[0].id, created.id);
    let restored = graph.deleted_administrative_unit(&created.id).restore();
    assert_eq!(restored.send().await.unwrap().id, created.id);
    assert!(unit.get_opt().await.unwrap().is_some());
}

#[tokio::test]
async fn members_are_added_listed_and_removed_by_reference() {
    let (_tenant, graph) = graph().await;
    let unit = create(&graph, "Schools").await;
    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    let engineers = graph
        .groups()
        .list()
        .filter(Group::DISPLAY_NAME.eq("Engineers"));
    let engineers = engineers.send().await.unwrap().items.remove(0);
    let members = graph.administrative_unit(&unit.id).members();
    members
        .add(Reference::group(&engineers.id))
        .send()
        .await
        .unwrap();
    let added = members.add_all([&adele.id, &engineers.id]).await.unwrap();
    assert_eq!((added.added, added.already_present), (1, 1));
    let error = members.add(&adele.id).send().await.unwrap_err();
    assert!(error.is_already_present(), "{error}");
    let users: Vec<User> = members
        .cast::<User>()
        .list()
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(users[0].id, adele.id);

    let containers = graph.user(&adele.id).member_of();
    let objects = containers
        .list()
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let units = objects
        .iter()
        .filter_map(|one| one.downcast::<AdministrativeUnit>().unwrap());
    let names: Vec<String> = units.filter_map(|unit| unit.display_name).collect();
    assert_eq!(names, ["Schools"]);
    assert!(objects.iter().any(|one| one.as_group().is_some()));
    let typed = containers.cast::<AdministrativeUnit>().list().items();
    let typed = typed.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!((typed.len(), &typed[0].id), (1, &unit.id));

    members.remove(&engineers.id).send().await.unwrap();
    assert_eq!(members.count().send().await.unwrap(), 1);
}

#[tokio::test]
async fn a_delta_follows_units_and_their_members() {
    let (_tenant, graph) = graph().await;
    let delta = || graph.administrative_units().delta();
    let (all, state) = delta().changes().try_collect().await.unwrap();
    assert_eq!(all, []);
    let unit = create(&graph, "Schools").await;
    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    let members = graph.administrative_unit(&unit.id).members();
    members.add(&adele.id).send().await.unwrap();
    let (changes, state) = delta().since(state).changes().try_collect().await.unwrap();
    let [Change::Upsert(changed)] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(changed.object.id, unit.id);
    assert_eq!(changed.links[0].id, adele.id);
    graph
        .administrative_unit(&unit.id)
        .delete()
        .send()
        .await
        .unwrap();
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    assert!(matches!(&changes[..], [Change::Removed { id, .. }] if *id == unit.id));
}

#[tokio::test]
async fn a_403_of_a_create_names_the_write_permission() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Reader")
        .application_permission("AdministrativeUnit.Read.All")
        .with_secret();
    let builder = GraphClient::builder(AppCredential::new(&tenant, &app)).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    assert_eq!(
        graph
            .administrative_units()
            .list()
            .send()
            .await
            .unwrap()
            .items,
        []
    );
    let new = NewAdministrativeUnit::new("Schools");
    let error = graph
        .administrative_units()
        .create(new)
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["AdministrativeUnit.ReadWrite.All"]
    );
}

#[cfg(feature = "role-management")]
#[tokio::test]
async fn a_role_over_a_unit_is_given_listed_and_taken() {
    use entra_graph::{NewDirectoryRole, NewScopedRoleMembership, ScopedRoleMembership};

    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Delegation")
        .application_permission("AdministrativeUnit.ReadWrite.All")
        .application_permission("Directory.Read.All")
        .application_permission("RoleManagement.ReadWrite.Directory")
        .with_secret();
    let builder = GraphClient::builder(AppCredential::new(&tenant, &app)).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    let unit = create(&graph, "Schools").await;
    let template = "fe930be7-5e62-47db-91af-98c3a49a38b1";
    let new = NewDirectoryRole::from_template(template);
    let role = graph.directory_roles().create(new).send().await.unwrap();
    let adele = tenant.user("adele@contoso.com").id();
    let unit = graph.administrative_unit(&unit.id);
    let new = NewScopedRoleMembership::new(role.id.parse().unwrap(), adele);
    let given = unit.scoped_role_members().create(new).send().await.unwrap();
    let members = unit.scoped_role_members().list().items();
    let members: Vec<ScopedRoleMembership> = members.try_collect().await.unwrap();
    let member = members[0].role_member_info.as_ref().unwrap();
    assert_eq!(member.id, Some(adele.to_string()));
    let of_adele = graph.user(adele).scoped_role_member_of().list().items();
    let of_adele: Vec<ScopedRoleMembership> = of_adele.try_collect().await.unwrap();
    assert_eq!(of_adele, members);
    let one = unit.scoped_role_member(&given.id);
    assert_eq!(one.get().send().await.unwrap().role_id, Some(role.id));
    one.delete().send().await.unwrap();
    assert!(one.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn one_member_is_read_by_its_id() {
    let (tenant, graph) = graph().await;
    let unit = create(&graph, "Schools").await;
    let unit = graph.administrative_unit(&unit.id);
    let adele = tenant.user("adele@contoso.com").id();
    assert!(unit.member(adele).get_opt().await.unwrap().is_none());
    unit.members().add(adele).send().await.unwrap();
    let member = unit.member(adele).get().send().await.unwrap();
    assert_eq!(member.as_user().unwrap().id, adele.to_string());
}
