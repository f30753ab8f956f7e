//! `settled` of every create and update: the write is read back with the options that its place takes.

use std::error::Error as _;

use entra_core::ScriptedTransport;
use entra_graph::{
    AdministrativeUnit, AllowedValue, AppManagementPolicy, Application, AttributeSet,
    CustomSecurityAttributeDefinition, Device, Domain, Error, ErrorKind,
    FederatedIdentityCredential, GraphClient, Group, InternalDomainFederation,
    NewAdministrativeUnit, NewAllowedValue, NewAppManagementPolicy, NewApplication,
    NewAttributeSet, NewCustomSecurityAttributeDefinition, NewDirectoryRole, NewDomain,
    NewExtensionProperty, NewFederatedIdentityCredential, NewFlexibleFederatedIdentityCredential,
    NewGroup, NewInternalDomainFederation, NewOAuth2PermissionGrant, NewScopedRoleMembership,
    NewServicePrincipal, NewSynchronizationJob, NewUnifiedRoleAssignment, NewUnifiedRoleDefinition,
    NewUser, OAuth2PermissionGrant, Organization, ServicePrincipal, Subscription,
    SynchronizationJob, TenantAppManagementPolicy, UnifiedRoleDefinition, User,
    types::{
        CustomSecurityAttributeType, FederatedIdentityExpression, FederatedIdpMfaBehavior,
        PasswordProfile, SynchronizationSchedule, UnifiedRolePermission,
    },
};
use entra_mock::FakeTenant;

use crate::{scripts, support::AppCredential};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";

#[tokio::test]
async fn users_and_groups_are_read_back() {
    let (_tenant, graph) = super::client().await;
    let password = PasswordProfile::new("zq4#Canary-7Vx!pass");
    let new = NewUser::new("Robin", "robin@contoso.com", "robin", password);
    let robin = graph.users().create(new).settled().await.unwrap();
    let update = graph.user(&robin.id).update().set(User::JOB_TITLE, "Lead");
    update.settled().await.unwrap();

    let new = NewGroup::security("Buyers", "buyers");
    let buyers = graph.groups().create(new).settled().await.unwrap();
    let update = graph.group(&buyers.id).update();
    let update = update.set(Group::DESCRIPTION, "They buy");
    update.settled().await.unwrap();
}

#[tokio::test]
async fn applications_and_what_belongs_to_them_are_read_back() {
    let (_tenant, graph) = super::client().await;
    let new = NewApplication::new("Shop");
    let shop = graph.applications().create(new).settled().await.unwrap();
    let one = graph.application(&shop.id);
    let update = one.update().set(Application::NOTES, "Sells");
    update.settled().await.unwrap();

    let new = NewFederatedIdentityCredential::new("deploy", ISSUER, "repo:contoso/shop");
    let credentials = one.federated_identity_credentials();
    let created = credentials.create(new).settled().await.unwrap();
    let update = one.federated_identity_credential(&created.id).update();
    let update = update.set(FederatedIdentityCredential::DESCRIPTION, "For releases");
    update.settled().await.unwrap();
    let expression = FederatedIdentityExpression::matches("sub", "repo:contoso/shop:*");
    let new = NewFlexibleFederatedIdentityCredential::new("flexible", ISSUER, expression);
    let credentials = one.beta_federated_identity_credentials();
    credentials.create(new).settled().await.unwrap();

    let new = NewExtensionProperty::new("costCenter", "String", &["User"]);
    let extensions = one.extension_properties();
    extensions.create(new).settled().await.unwrap();

    let new = NewServicePrincipal::of(shop.app_id.unwrap());
    let principals = graph.service_principals();
    let principal = principals.create(new).settled().await.unwrap();
    let principal = graph.service_principal(&principal.id);
    let update = principal.update().set(ServicePrincipal::NOTES, "Sells");
    update.settled().await.unwrap();

    let new = NewSynchronizationJob::from_template("scim");
    let jobs = principal.synchronization_jobs();
    let job = jobs.create(new).settled().await.unwrap();
    let schedule = SynchronizationSchedule::default().interval("PT1H");
    let update = principal.synchronization_job(&job.id).update();
    let update = update.set(SynchronizationJob::SCHEDULE, &schedule);
    update.settled().await.unwrap();
}

#[tokio::test]
async fn policies_and_grants_are_read_back() {
    let (tenant, graph) = super::client().await;
    let new = NewAppManagementPolicy::new("Short", "Secrets of a month");
    let policies = graph.app_management_policies();
    let policy = policies.create(new).settled().await.unwrap();
    let update = graph.app_management_policy(&policy.id).update();
    let update = update.set(AppManagementPolicy::DESCRIPTION, "Short secrets");
    update.settled().await.unwrap();
    let update = graph.default_app_management_policy().update();
    let update = update.set(TenantAppManagementPolicy::IS_ENABLED, true);
    update.settled().await.unwrap();

    let night_job = tenant.register_app("Night job").service_principal_id();
    let named = ServicePrincipal::APP_ID.eq("00000003-0000-0000-c000-000000000000");
    let api = graph.service_principals().list().filter(named);
    let api = api.send().await.unwrap().items.remove(0);
    let new = NewOAuth2PermissionGrant::for_all_users(night_job.to_string(), api.id, ["User.Read"]);
    let grants = graph.oauth2_permission_grants();
    let grant = grants.create(new).settled().await.unwrap();
    let update = graph.oauth2_permission_grant(&grant.id).update();
    let update = update.set(OAuth2PermissionGrant::SCOPE, "User.Read openid");
    update.settled().await.unwrap();
}

#[tokio::test]
async fn roles_and_administrative_units_are_read_back() {
    let (tenant, graph) = super::client().await;
    let adele = tenant.user("adele@contoso.com").id();
    let permission = UnifiedRolePermission::default()
        .allowed_resource_actions(["microsoft.directory/applications/basic/read".to_owned()]);
    let new = NewUnifiedRoleDefinition::new("Support", &[permission]);
    let definitions = graph.role_definitions();
    let definition = definitions.create(new).settled().await.unwrap();
    let update = graph.role_definition(&definition.id).update();
    let update = update.set(UnifiedRoleDefinition::DESCRIPTION, "Reads applications");
    update.settled().await.unwrap();
    let template: entra_core::Guid = USER_ADMINISTRATOR.parse().unwrap();
    // Before the assignment, which would activate the role.
    let new = NewDirectoryRole::from_template(template);
    let role = graph.directory_roles().create(new).settled().await.unwrap();
    let new = NewUnifiedRoleAssignment::new(template, adele);
    graph
        .role_assignments()
        .create(new)
        .settled()
        .await
        .unwrap();

    let new = NewAdministrativeUnit::new("Schools");
    let units = graph.administrative_units();
    let unit = units.create(new).settled().await.unwrap();
    let unit = graph.administrative_unit(&unit.id);
    let update = unit.update();
    let update = update.set(AdministrativeUnit::DESCRIPTION, "All of them");
    update.settled().await.unwrap();
    let new = NewScopedRoleMembership::new(role.id.parse().unwrap(), adele);
    let members = unit.scoped_role_members();
    members.create(new).settled().await.unwrap();
}

#[tokio::test]
async fn attributes_domains_and_the_tenant_are_read_back() {
    let (tenant, graph) = super::client().await;
    let new = NewAttributeSet::new("Engineering");
    graph.attribute_sets().create(new).settled().await.unwrap();
    let update = graph.attribute_set("Engineering").update();
    let update = update.set(AttributeSet::DESCRIPTION, "Of engineers");
    update.settled().await.unwrap();
    let new = NewCustomSecurityAttributeDefinition::new(
        "Engineering",
        "Project",
        CustomSecurityAttributeType::Text,
    );
    let definitions = graph.custom_security_attribute_definitions();
    let definition = definitions.create(new.predefined(["Baker"]));
    let definition = definition.settled().await.unwrap();
    let definition = graph.custom_security_attribute_definition(&definition.id);
    let update = definition.update();
    let update = update.set(
        CustomSecurityAttributeDefinition::DESCRIPTION,
        "What they work on",
    );
    update.settled().await.unwrap();
    let new = NewAllowedValue::new("Apollo");
    let values = definition.allowed_values();
    values.create(new).settled().await.unwrap();
    let update = definition.allowed_value("Apollo").update();
    let update = update.set(AllowedValue::IS_ACTIVE, false);
    update.settled().await.unwrap();

    let new = NewDomain::new("fabrikam.com");
    graph.domains().create(new).settled().await.unwrap();
    let domain = graph.domain("fabrikam.com");
    domain.verify().send().await.unwrap();
    let update = domain.update().set(Domain::SUPPORTED_SERVICES, ["Email"]);
    update.settled().await.unwrap();
    let new = NewInternalDomainFederation::new(
        "http://fabrikam.com/adfs/services/trust",
        "https://sts.fabrikam.com/adfs/ls",
    );
    let federations = domain.federation_configurations();
    let federation = federations.create(new).settled().await.unwrap();
    let update = domain.federation_configuration(&federation.id).update();
    let update = update.set(
        InternalDomainFederation::FEDERATED_IDP_MFA_BEHAVIOR,
        FederatedIdpMfaBehavior::EnforceMfaByFederatedIdp,
    );
    update.settled().await.unwrap();

    let update = graph.organization_by_id(tenant.id().to_string()).update();
    let update = update.set(
        Organization::TECHNICAL_NOTIFICATION_MAILS,
        ["tech@contoso.com"],
    );
    update.settled().await.unwrap();
    let laptop = tenant.add_device("LAPTOP-1", None);
    let update = graph.device(laptop.id()).update();
    let update = update.set(Device::ACCOUNT_ENABLED, false);
    update.settled().await.unwrap();
}

#[tokio::test]
async fn a_subscription_is_read_back_without_options() {
    let body = r#"{"id":"s","notificationUrl":"https://app.example.com/other"}"#;
    let mut script = ScriptedTransport::new().then(200, &[], body);
    for _ in 0..5 {
        script = script.then(200, &[], body);
    }
    let update = scripts::client(script.clone()).subscription("s").update();
    let update = update.set(
        Subscription::NOTIFICATION_URL,
        "https://app.example.com/other",
    );
    update.settled().await.unwrap();
    assert_eq!(script.remaining(), 0);
    assert_eq!(scripts::requested(&script)[1], "/subscriptions/s");
}

/// The error that an error of a read after a write has as its source.
fn cause(error: &Error) -> &Error {
    error.source().unwrap().downcast_ref().unwrap()
}

/// An application that may create others, and may not read them.
#[tokio::test]
async fn a_write_that_cannot_be_read_back_is_not_an_error_of_the_write() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Creator")
        .application_permission("Group.Create")
        .with_secret();
    let graph: GraphClient = GraphClient::builder(AppCredential::new(&tenant, &app))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let new = NewGroup::security("Buyers", "buyers");
    let error = graph.groups().create(new).settled().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSettled, "{error}");
    assert!(!error.is_forbidden() && !error.is_transient(), "{error}");
    let denied = cause(&error);
    assert!(denied.is_forbidden(), "{denied}");
    assert_eq!(denied.needed_permissions()[0], "GroupMember.Read.All");
    let text = error.to_string();
    assert!(text.starts_with("the write was made, and "), "{text}");
    let id = error.created_id().unwrap();
    assert!(text.contains(&format!("GET /groups/{id}")), "{text}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(403));
    assert_eq!(tenant.group("Buyers").id().to_string(), id);
}

#[tokio::test]
async fn an_update_that_cannot_be_read_back_says_that_it_was_made() {
    let denied = r#"{"error":{"code":"Authorization_RequestDenied","message":"m"}}"#;
    let script = ScriptedTransport::new()
        .then(204, &[], "")
        .then(403, &[], denied);
    let update = scripts::client(script).user("u").update();
    let update = update.set(User::JOB_TITLE, "Lead");
    let error = update.settled().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSettled, "{error}");
    assert!(cause(&error).is_forbidden());
    let report = format!("{error:#}");
    assert_eq!(report.matches("Authorization_RequestDenied").count(), 1);
}
