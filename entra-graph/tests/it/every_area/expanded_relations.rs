//! `expand_all` of every relationship with several objects: the lists behind them take the options of its requests.

use entra_graph::{
    AdministrativeUnit, AllowedValue, AppManagementPolicy, Application,
    CustomSecurityAttributeDefinition, Device, DirectoryRole, Group, NewAdministrativeUnit,
    NewAppManagementPolicy, NewAttributeSet, NewCustomSecurityAttributeDefinition,
    NewDirectoryRole, OrgContact, ServicePrincipal, UnifiedRoleDefinition, User,
    types::CustomSecurityAttributeType,
};

/// Reads all pages of a list, with each of these relationships.
macro_rules! complete {
    ($($list:expr => $($relation:expr),+;)+) => {
        $($({
            let items = $list.expand_all($relation).items();
            let items = items.try_collect::<Vec<_>>().await;
            let found = items.as_ref().is_ok_and(|items| !items.is_empty());
            assert!(found, "{}: {:?}", stringify!($relation), items.err());
        })+)+
    };
}

#[tokio::test]
async fn objects_of_the_directory_are_completed() {
    let (tenant, graph) = super::client().await;
    tenant.add_device("LAPTOP-1", None);
    tenant.add_contact("Robin", "robin@fabrikam.example");
    let new = NewAdministrativeUnit::new("Schools");
    let units = graph.administrative_units();
    units.create(new).send().await.unwrap();
    complete! {
        graph.users().list() =>
            User::CREATED_OBJECTS, User::DIRECT_REPORTS, User::MEMBER_OF, User::OWNED_DEVICES,
            User::OWNED_OBJECTS, User::REGISTERED_DEVICES, User::TRANSITIVE_MEMBER_OF;
        graph.groups().list() =>
            Group::APP_ROLE_ASSIGNMENTS, Group::MEMBER_OF, Group::MEMBERS, Group::OWNERS,
            Group::TRANSITIVE_MEMBER_OF, Group::TRANSITIVE_MEMBERS;
        graph.applications().list() => Application::OWNERS;
        graph.service_principals().list() =>
            ServicePrincipal::APP_ROLE_ASSIGNED_TO, ServicePrincipal::APP_ROLE_ASSIGNMENTS,
            ServicePrincipal::CREATED_OBJECTS, ServicePrincipal::MEMBER_OF,
            ServicePrincipal::OWNED_OBJECTS, ServicePrincipal::OWNERS,
            ServicePrincipal::TRANSITIVE_MEMBER_OF;
        graph.devices().list() =>
            Device::MEMBER_OF, Device::REGISTERED_OWNERS, Device::REGISTERED_USERS,
            Device::TRANSITIVE_MEMBER_OF;
        graph.contacts().list() =>
            OrgContact::DIRECT_REPORTS, OrgContact::MEMBER_OF, OrgContact::TRANSITIVE_MEMBER_OF;
        graph.administrative_units().list() => AdministrativeUnit::MEMBERS;
    }
}

#[tokio::test]
async fn relationships_without_pages_are_completed() {
    let (_tenant, graph) = super::client().await;
    let template: entra_core::Guid = "fe930be7-5e62-47db-91af-98c3a49a38b1".parse().unwrap();
    let new = NewDirectoryRole::from_template(template);
    graph.directory_roles().create(new).send().await.unwrap();
    let new = NewAttributeSet::new("Engineering");
    graph.attribute_sets().create(new).send().await.unwrap();
    // Without predefined values.
    let new = NewCustomSecurityAttributeDefinition::new(
        "Engineering",
        "Project",
        CustomSecurityAttributeType::Text,
    );
    let definitions = graph.custom_security_attribute_definitions();
    definitions.create(new).send().await.unwrap();
    complete! {
        graph.role_definitions().list() =>
            UnifiedRoleDefinition::INHERITS_PERMISSIONS_FROM,
            UnifiedRoleDefinition::INHERITS_PERMISSIONS_FROM.select(UnifiedRoleDefinition::DISPLAY_NAME);
        graph.directory_roles().list() => DirectoryRole::MEMBERS;
        graph.custom_security_attribute_definitions().list() =>
            CustomSecurityAttributeDefinition::ALLOWED_VALUES,
            CustomSecurityAttributeDefinition::ALLOWED_VALUES.select(AllowedValue::IS_ACTIVE);
    }
}

#[tokio::test]
async fn what_a_policy_applies_to_is_completed_for_one_policy() {
    let (_tenant, graph) = super::client().await;
    let new = NewAppManagementPolicy::new("Short", "Secrets of a month");
    let policy = graph.app_management_policies().create(new).send().await;
    let policy = graph.app_management_policy(&policy.unwrap().id);
    let read = policy.get().expand_all(AppManagementPolicy::APPLIES_TO);
    let applies_to = read.send().await.unwrap().applies_to.unwrap();
    assert!(applies_to.is_complete() && applies_to.is_empty());
}
