//! Directory roles against the fake tenant: definitions, assignments, activated roles and their members.

use entra_core::{Guid, ObjectId};
use entra_graph::{
    DirectoryRole, ErrorKind, GraphClient, Key, NewDirectoryRole, NewUnifiedRoleAssignment,
    NewUnifiedRoleDefinition, UnifiedRoleAssignment, UnifiedRoleDefinition,
    types::UnifiedRolePermission,
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";

fn client(tenant: &FakeTenant, permissions: &[&str]) -> GraphClient {
    let app = tenant.register_app("Roles");
    let app = permissions
        .iter()
        .fold(app, |app, name| app.application_permission(name));
    let builder = GraphClient::builder(AppCredential::new(tenant, &app.with_secret()));
    let builder = builder.cloud(tenant.cloud()).clock(tenant.clock());
    builder.build().unwrap()
}

async fn graph() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let graph = client(
        &tenant,
        &[
            "RoleManagement.ReadWrite.Directory",
            "Directory.Read.All",
            "User.Read.All",
        ],
    );
    (tenant, graph)
}

fn template() -> Guid {
    USER_ADMINISTRATOR.parse().unwrap()
}

async fn adele(graph: &GraphClient) -> ObjectId {
    let user = graph.user("adele@contoso.com").get().send().await.unwrap();
    user.id.parse().unwrap()
}

#[tokio::test]
async fn a_custom_role_is_created_changed_and_deleted() {
    let (_tenant, graph) = graph().await;
    let permission = UnifiedRolePermission::default()
        .allowed_resource_actions(["microsoft.directory/applications/basic/read".to_owned()]);
    let new = NewUnifiedRoleDefinition::new("Support", &[permission]);
    let created = graph
        .role_definitions()
        .create(new)
        .set(UnifiedRoleDefinition::DESCRIPTION, "Reads applications")
        .send()
        .await
        .unwrap();
    assert_eq!(created.is_built_in, Some(false));
    let role = graph.role_definition(&created.id);
    role.update()
        .set(UnifiedRoleDefinition::IS_ENABLED, false)
        .send()
        .await
        .unwrap();
    assert_eq!(role.get().send().await.unwrap().is_enabled, Some(false));
    role.delete().send().await.unwrap();
    assert!(role.get_opt().await.unwrap().is_none());
    let built_in = graph.role_definition(USER_ADMINISTRATOR);
    let error = built_in.delete().send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
}

#[tokio::test]
async fn an_assignment_over_the_directory_is_a_membership_of_the_role() {
    let (_tenant, graph) = graph().await;
    let adele = adele(&graph).await;
    let assignments = graph.role_assignments();
    let new = || NewUnifiedRoleAssignment::new(template(), adele);
    let created = assignments.create(new()).send().await.unwrap();
    assert_eq!(created.directory_scope_id.as_deref(), Some("/"));
    assert!(assignments.create(new()).send().await.is_err());
    let of_adele = || {
        let named = UnifiedRoleAssignment::PRINCIPAL_ID.eq(adele.to_string());
        assignments
            .list()
            .filter(named)
            .expand(UnifiedRoleAssignment::ROLE_DEFINITION)
    };
    let found = of_adele().send().await.unwrap().items;
    let definition = found[0].role_definition.as_deref().unwrap();
    assert_eq!(
        definition.display_name.as_deref(),
        Some("User Administrator")
    );
    let one = graph.role_assignment(&created.id);
    let read = one.get().expand(UnifiedRoleAssignment::PRINCIPAL);
    let principal = read.send().await.unwrap().principal.unwrap();
    assert_eq!(principal.as_user().unwrap().id, adele.to_string());

    let role = graph.directory_role(Key::role_template_id(USER_ADMINISTRATOR));
    let members = role.members().list().send().await.unwrap().items;
    assert_eq!(members[0].id(), adele.to_string());
    let above = graph.user(adele).member_of().cast::<DirectoryRole>();
    let above = above.list().send().await.unwrap().items;
    assert_eq!(
        above[0].role_template_id.as_deref(),
        Some(USER_ADMINISTRATOR)
    );

    let by_id = UnifiedRoleAssignment::ID.eq(created.id.as_str());
    let error = assignments.list().filter(by_id).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query, "no page has this filter");
    let scope = UnifiedRoleAssignment::APP_SCOPE_ID;
    for filter in [scope.eq("/a"), scope.is_in(["/a", "/b"])] {
        let found = assignments.list().filter(filter).send().await.unwrap();
        assert_eq!(found.items, []);
    }

    role.members().remove(adele).send().await.unwrap();
    assert_eq!(of_adele().send().await.unwrap().items, []);
    role.members().add(adele).send().await.unwrap();
    one.delete().send().await.unwrap();
    assert_eq!(role.members().list().send().await.unwrap().items, []);
}

#[tokio::test]
async fn a_role_is_assigned_over_an_application() {
    let (tenant, graph) = graph().await;
    let adele = adele(&graph).await;
    let app = tenant.register_app("Desk").object_id();
    let new = NewUnifiedRoleAssignment::new(template(), adele).over_application(app);
    let created = graph.role_assignments().create(new).send().await.unwrap();
    assert_eq!(created.directory_scope_id, Some(format!("/{app}")));
    // Only the role of the seed's administrator is active.
    let roles = graph.directory_roles().list().send().await.unwrap().items;
    assert_eq!(roles.len(), 1);
    assert_ne!(
        roles[0].role_template_id.as_deref(),
        Some(USER_ADMINISTRATOR)
    );
}

#[tokio::test]
async fn a_role_is_activated_from_its_template_once() {
    let (_tenant, graph) = graph().await;
    let templates = graph.directory_role_templates().list().items();
    let templates = templates.try_collect::<Vec<_>>().await.unwrap();
    let found = templates.iter().find(|one| one.id == USER_ADMINISTRATOR);
    let name = found.unwrap().display_name.clone();
    let one = graph.directory_role_template(USER_ADMINISTRATOR).get();
    assert_eq!(one.send().await.unwrap().display_name, name);
    let new = || NewDirectoryRole::from_template(template());
    let delta = || graph.directory_roles().delta();
    let (_, state) = delta().changes().try_collect().await.unwrap();
    let role = graph.directory_roles().create(new()).send().await.unwrap();
    assert_eq!(role.display_name, name);
    assert!(graph.directory_roles().create(new()).send().await.is_err());
    let (changes, _) = delta().since(state).changes().try_collect().await.unwrap();
    assert_eq!(changes.len(), 1);
}

#[tokio::test]
async fn a_403_of_an_assignment_names_the_write_permission() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, &["RoleManagement.Read.Directory", "User.Read.All"]);
    let list = graph.role_assignments().list();
    assert_eq!(list.send().await.unwrap().items.len(), 1);
    let adele = adele(&graph).await;
    let new = NewUnifiedRoleAssignment::new(template(), adele);
    let error = graph
        .role_assignments()
        .create(new)
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["RoleManagement.ReadWrite.Directory"]
    );
}

#[tokio::test]
async fn transitive_role_assignments_follow_groups() {
    let (tenant, graph) = graph().await;
    let group = tenant.add_group("Role holders");
    group.set("isAssignableToRole", true.into());
    let robin = tenant.add_user("Robin");
    group.add_member(robin.id());
    let new = NewUnifiedRoleAssignment::new(template(), group.id());
    graph.role_assignments().create(new).send().await.unwrap();
    let own = UnifiedRoleAssignment::PRINCIPAL_ID.eq(robin.id());
    let list = graph.transitive_role_assignments().list().filter(own);
    let found = list.items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(found[0].principal_id, Some(group.id().to_string()));
    let limited = graph.transitive_role_assignments().list().top(5).send();
    assert_eq!(limited.await.unwrap_err().kind(), ErrorKind::Query);
    let error = graph
        .transitive_role_assignments()
        .list()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
}

#[tokio::test]
async fn members_of_a_role_over_units_are_listed_by_the_role() {
    let (tenant, graph) = graph().await;
    let adele = adele(&graph).await;
    let unit = tenant.insert(
        "directory/administrativeUnits",
        serde_json::json!({"displayName": "Sales"}),
    );
    let unit = unit.unwrap();
    let role = NewDirectoryRole::from_template(template());
    graph.directory_roles().create(role).send().await.unwrap();
    let role = graph.directory_role(Key::role_template_id(USER_ADMINISTRATOR));
    let members = || role.scoped_members().list().send();
    assert!(members().await.unwrap().items.is_empty());
    let new = NewUnifiedRoleAssignment::new(template(), adele).over_administrative_unit(&unit);
    graph.role_assignments().create(new).send().await.unwrap();
    let found = members().await.unwrap().items;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].administrative_unit_id.as_deref(), Some(&*unit));
    let member = found[0].role_member_info.as_ref().unwrap();
    assert_eq!(member.id.as_deref(), Some(&*adele.to_string()));

    let other = client(&tenant, &["User.Read.All"]);
    let error = other
        .directory_role(Key::role_template_id(USER_ADMINISTRATOR))
        .scoped_members()
        .list()
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.needed_permissions()[0],
        "RoleManagement.Read.Directory"
    );
}
