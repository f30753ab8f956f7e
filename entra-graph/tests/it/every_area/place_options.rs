//! The query options of places, against those that the fake tenant takes there.

use std::pin::Pin;

use entra_core::ScriptedTransport;
use entra_graph::{
    AdministrativeUnit, AppManagementPolicy, AppRoleAssignment, Application, ApplicationTemplate,
    AttributeSet, ConditionalAccessPolicy, CustomSecurityAttributeDefinition, Device,
    DirectoryAudit, DirectoryObject, DirectoryRole, Domain, Error, ErrorKind, ExtensionProperty,
    FederatedIdentityCredential, Group, IntoRequest, LicenseDetails, NamedLocation,
    NewAppManagementPolicy, OAuth2PermissionGrant, OrgContact, Organization, RiskDetection,
    RiskyUser, ServicePrincipal, SignIn, SubscribedSku, TenantAppManagementPolicy,
    UnifiedRoleAssignment, UnifiedRoleDefinition, User,
};

use crate::scripts;

type Outcome = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Adds a row for each option of each place.
macro_rules! rows {
    ($($place:expr => $($option:ident($value:expr)),+;)+) => {{
        let mut rows: Vec<(&'static str, Outcome)> = Vec::new();
        $($(
            let name = concat!(stringify!($place), ".", stringify!($option));
            rows.push((name, outcome($place.$option($value))));
        )+)+
        rows
    }};
}

fn outcome<R: IntoRequest>(request: R) -> Outcome {
    let request = request.into_request();
    Box::pin(async move { request.send().await.map(drop) })
}

async fn assert_taken(rows: Vec<(&'static str, Outcome)>) {
    for (name, outcome) in rows {
        let result = outcome.await;
        assert!(result.is_ok(), "{name}: {result:?}");
    }
}

#[tokio::test]
async fn lists_take_the_options_that_compile() {
    let (tenant, graph) = super::client().await;
    let app = tenant.register_app("Shop");
    let principal = graph.service_principal(app.service_principal_id());
    let app = graph.application(app.client_id());
    let adele = graph.user("adele@contoso.com");
    let group = graph.group(tenant.group("Engineers").id());
    let laptop = graph.device(tenant.add_device("LAPTOP-1", None).id());
    let protection = graph.identity_protection();
    let logs = graph.audit_logs();
    assert_taken(rows! {
        graph.users().list() => select(User::DISPLAY_NAME), expand(User::MANAGER), top(5);
        graph.groups().list() => select(Group::DISPLAY_NAME), expand(Group::MEMBERS), top(5);
        graph.applications().list() => select(Application::DISPLAY_NAME), expand(Application::OWNERS), top(5);
        graph.service_principals().list() =>
            select(ServicePrincipal::DISPLAY_NAME), expand(ServicePrincipal::OWNERS), top(5);
        graph.devices().list() => select(Device::DISPLAY_NAME), expand(Device::MEMBER_OF), top(5);
        graph.contacts().list() => select(OrgContact::DISPLAY_NAME), expand(OrgContact::MANAGER), top(5);
        graph.administrative_units().list() =>
            select(AdministrativeUnit::DISPLAY_NAME), expand(AdministrativeUnit::MEMBERS), top(5);
        graph.deleted_users().list() => select(User::DISPLAY_NAME), top(5);
        graph.deleted_groups().list() => select(Group::DISPLAY_NAME), top(5);
        group.members().list() => select(DirectoryObject::ID), top(5);
        group.transitive_members().list() => select(DirectoryObject::ID), top(5);
        group.owners().list() => select(DirectoryObject::ID), top(5);
        group.app_role_assignments().list() => select(AppRoleAssignment::APP_ROLE_ID), top(5);
        adele.member_of().list() => select(DirectoryObject::ID), top(5);
        adele.direct_reports().list() => select(DirectoryObject::ID), top(5);
        adele.owned_devices().list() => select(DirectoryObject::ID), top(5);
        adele.license_details().list() => select(LicenseDetails::SKU_ID);
        laptop.registered_owners().list() => select(DirectoryObject::ID), top(5);
        app.owners().list() => select(DirectoryObject::ID), top(5);
        app.federated_identity_credentials().list() => select(FederatedIdentityCredential::NAME), top(5);
        app.extension_properties().list() => select(ExtensionProperty::NAME);
        principal.app_role_assigned_to().list() => select(AppRoleAssignment::APP_ROLE_ID), top(5);
        principal.owned_objects().list() => select(DirectoryObject::ID), top(5);
        graph.oauth2_permission_grants().list() => select(OAuth2PermissionGrant::SCOPE), top(5);
        graph.app_management_policies().list() => select(AppManagementPolicy::DESCRIPTION), top(5);
        graph.application_templates().list() => select(ApplicationTemplate::DISPLAY_NAME), top(5);
        graph.attribute_sets().list() => select(AttributeSet::DESCRIPTION), top(5);
        graph.custom_security_attribute_definitions().list() =>
            select(CustomSecurityAttributeDefinition::NAME),
            expand(CustomSecurityAttributeDefinition::ALLOWED_VALUES),
            top(5);
        graph.conditional_access_policies().list() => select(ConditionalAccessPolicy::DISPLAY_NAME), top(5);
        graph.named_locations().list() => select(NamedLocation::DISPLAY_NAME), top(5);
        graph.role_definitions().list() =>
            select(UnifiedRoleDefinition::DISPLAY_NAME), expand(UnifiedRoleDefinition::INHERITS_PERMISSIONS_FROM);
        graph.role_assignments().list() =>
            select(UnifiedRoleAssignment::PRINCIPAL_ID), expand(UnifiedRoleAssignment::PRINCIPAL), top(5);
        graph.directory_roles().list() => select(DirectoryRole::DISPLAY_NAME), expand(DirectoryRole::MEMBERS);
        graph.domains().list() => select(Domain::IS_DEFAULT);
        graph.organization().list() => select(Organization::DISPLAY_NAME);
        graph.subscribed_skus().list() => select(SubscribedSku::SKU_ID);
        protection.risky_users().list() => select(RiskyUser::RISK_LEVEL), top(5);
        protection.risk_detections().list() => select(RiskDetection::RISK_LEVEL), top(5);
        logs.directory_audits().list() => select(DirectoryAudit::ACTIVITY_DISPLAY_NAME), top(5);
        logs.sign_ins().list() => top(5), order_by(SignIn::CREATED_DATE_TIME.desc());
    })
    .await;
}

#[tokio::test]
async fn reads_of_one_object_take_the_options_that_compile() {
    let (tenant, graph) = super::client().await;
    let app = tenant.register_app("Shop");
    let principal = graph.service_principal(app.service_principal_id());
    let app = graph.application(app.client_id());
    let adele = graph.user("adele@contoso.com");
    let group = graph.group(tenant.group("Engineers").id());
    let laptop = graph.device(tenant.add_device("LAPTOP-1", None).id());
    let new = NewAppManagementPolicy::new("Short", "Secrets of a month");
    let policy = graph.app_management_policies().create(new).send().await;
    let policy = graph.app_management_policy(&policy.unwrap().id);
    let role = graph.role_definition("fe930be7-5e62-47db-91af-98c3a49a38b1");
    let sku = graph.subscribed_skus().list().send().await.unwrap();
    let sku = graph.subscribed_sku(&sku.items[0].id);
    assert_taken(rows! {
        adele.get() => select(User::DISPLAY_NAME), expand(User::MANAGER);
        group.get() => select(Group::DISPLAY_NAME), expand(Group::MEMBERS);
        app.get() => select(Application::DISPLAY_NAME), expand(Application::OWNERS);
        principal.get() => select(ServicePrincipal::DISPLAY_NAME), expand(ServicePrincipal::OWNERS);
        laptop.get() => select(Device::DISPLAY_NAME), expand(Device::MEMBER_OF);
        policy.get() => select(AppManagementPolicy::DESCRIPTION), expand(AppManagementPolicy::APPLIES_TO);
        graph.default_app_management_policy().get() => select(TenantAppManagementPolicy::IS_ENABLED);
        role.get() =>
            select(UnifiedRoleDefinition::DISPLAY_NAME), expand(UnifiedRoleDefinition::INHERITS_PERMISSIONS_FROM);
        graph.domain("contoso.com").get() => select(Domain::IS_DEFAULT);
        graph.organization_by_id(tenant.id().to_string()).get() => select(Organization::DISPLAY_NAME);
        sku.get() => select(SubscribedSku::SKU_ID);
    })
    .await;
}

#[tokio::test]
async fn options_that_a_place_lacks_fail_before_they_are_sent() {
    let script = ScriptedTransport::new();
    let graph = scripts::client(script.clone());
    let roles = graph.transitive_role_assignments();
    let rows = rows! {
        graph.app_management_policies().list() => expand(AppManagementPolicy::APPLIES_TO);
        graph.audit_logs().directory_audit("a").get() => select(DirectoryAudit::ACTIVITY_DISPLAY_NAME);
        graph.domain("contoso.com").root_domain().list() => select(Domain::IS_DEFAULT);
        roles.list() => top(5), expand(UnifiedRoleAssignment::PRINCIPAL);
    };
    for (name, outcome) in rows {
        let error = outcome.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{name}: {error}");
    }
    let list = graph.app_management_policies().list();
    let mut items = list.expand_all(AppManagementPolicy::APPLIES_TO).items();
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query, "{error}");
    assert!(script.requests().is_empty());
    let list = graph.app_management_policies().list();
    let error = list.expand(AppManagementPolicy::APPLIES_TO).send().await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "Graph documents no $expand for this list of app management policies: leave it out, or read each app management policy with `get`"
    );
}
