//! App management policies against the fake tenant: read, write, assign, and what they reject.

use entra_graph::{
    AppManagementPolicy, Application, GraphClient, NewAppManagementPolicy, NewApplication,
    NewPassword, ServicePrincipal, TenantAppManagementPolicy,
    types::{
        AppCredentialRestrictionType, AppManagementApplicationConfiguration,
        AppManagementServicePrincipalConfiguration, CustomAppManagementConfiguration,
        PasswordCredentialConfiguration,
    },
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

async fn graph(permissions: &[&str]) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let mut app = tenant.register_app("Policies");
    for permission in permissions {
        app = app.application_permission(permission);
    }
    let credential = AppCredential::new(&tenant, &app.with_secret());
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    (tenant, graph)
}

async fn writer() -> (FakeTenant, GraphClient) {
    graph(&[
        "Application.Read.All",
        "Application.ReadWrite.All",
        "Policy.ReadWrite.ApplicationConfiguration",
    ])
    .await
}

async fn application(graph: &GraphClient) -> Application {
    let new = NewApplication::new("Shop");
    graph.applications().create(new).send().await.unwrap()
}

fn no_secrets() -> PasswordCredentialConfiguration {
    PasswordCredentialConfiguration::blocks(AppCredentialRestrictionType::PasswordAddition)
}

#[tokio::test]
async fn the_default_policy_is_read_and_enforced_once_it_is_enabled() {
    let (_tenant, graph) = writer().await;
    let app = graph.application(&application(&graph).await.id);
    let default = graph.default_app_management_policy();
    let before = default.get().send().await.unwrap();
    assert_eq!(before.is_enabled, Some(false));
    let for_apps = AppManagementApplicationConfiguration::default();
    let for_principals = AppManagementServicePrincipalConfiguration::default();
    default
        .update()
        .set(
            TenantAppManagementPolicy::APPLICATION_RESTRICTIONS,
            for_apps.password_credentials([no_secrets()]),
        )
        .set(
            TenantAppManagementPolicy::SERVICE_PRINCIPAL_RESTRICTIONS,
            for_principals.password_credentials([no_secrets()]),
        )
        .set(TenantAppManagementPolicy::IS_ENABLED, true)
        .send()
        .await
        .unwrap();
    let after = default.get().send().await.unwrap();
    let restrictions = after.application_restrictions.unwrap();
    let restriction = &restrictions.password_credentials.unwrap()[0];
    assert_eq!(
        restriction.restriction_type,
        Some(AppCredentialRestrictionType::PasswordAddition)
    );
    assert!(restriction.applies_to_created(None));
    let rejected = app
        .add_password(NewPassword::named("deploy"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        rejected.code(),
        Some("CredentialTypeNotAllowedAsPerAppPolicy")
    );
}

#[tokio::test]
async fn a_policy_is_created_assigned_and_taken_away() {
    let (_tenant, graph) = writer().await;
    let created = application(&graph).await;
    let app = graph.application(&created.id);
    let month =
        PasswordCredentialConfiguration::limits(AppCredentialRestrictionType::PasswordLifetime, 30);
    let restrictions = CustomAppManagementConfiguration::default().password_credentials([month]);
    let policy = graph
        .app_management_policies()
        .create(NewAppManagementPolicy::new("Short", "A month").restricting(restrictions))
        .set(AppManagementPolicy::IS_ENABLED, true)
        .send()
        .await
        .unwrap();
    let listed = graph.app_management_policies().list().items();
    let listed: Vec<AppManagementPolicy> = listed.try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, policy.id);

    let year = || app.add_password(NewPassword::named("deploy").months(12));
    let _ = year().send().await.unwrap();
    app.assign_app_management_policy(&*policy.id)
        .send()
        .await
        .unwrap();
    let rejected = year().send().await.unwrap_err();
    assert_eq!(
        rejected.code(),
        Some("CredentialInvalidLifetimeAsPerAppPolicy")
    );
    let one = graph.app_management_policy(&policy.id);
    let assigned = one.applies_to().list().items();
    let assigned: Vec<_> = assigned.try_collect().await.unwrap();
    assert_eq!(assigned.len(), 1);
    assert_eq!(assigned[0].id(), created.id);
    let again = app.assign_app_management_policy(&*policy.id).send().await;
    assert!(again.unwrap_err().is_already_present());

    app.unassign_app_management_policy(&*policy.id)
        .send()
        .await
        .unwrap();
    let _ = year().send().await.unwrap();
    one.update()
        .set(AppManagementPolicy::IS_ENABLED, false)
        .send()
        .await
        .unwrap();
    assert_eq!(one.get().send().await.unwrap().is_enabled, Some(false));
    one.delete().send().await.unwrap();
    assert!(one.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn a_policy_is_assigned_to_a_service_principal() {
    let (_tenant, graph) = writer().await;
    let named = ServicePrincipal::DISPLAY_NAME.eq("Expense Desk");
    let found = graph.service_principals().list().filter(named).items();
    let found: Vec<ServicePrincipal> = found.try_collect().await.unwrap();
    let principal = graph.service_principal(&found[0].id);
    let restrictions =
        CustomAppManagementConfiguration::default().password_credentials([no_secrets()]);
    let policy = graph
        .app_management_policies()
        .create(NewAppManagementPolicy::new("None", "No secrets").restricting(restrictions))
        .set(AppManagementPolicy::IS_ENABLED, true)
        .send()
        .await
        .unwrap();
    let secret = || principal.add_password(NewPassword::named("deploy"));
    let _ = secret().send().await.unwrap();
    principal
        .assign_app_management_policy(&*policy.id)
        .send()
        .await
        .unwrap();
    assert!(secret().send().await.is_err());
    principal
        .unassign_app_management_policy(&*policy.id)
        .send()
        .await
        .unwrap();
    let _ = secret().send().await.unwrap();
}

#[tokio::test]
async fn policies_cannot_be_read_with_permissions_for_applications_alone() {
    let (_tenant, graph) = graph(&["Application.ReadWrite.All"]).await;
    let error = graph
        .default_app_management_policy()
        .get()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("Authorization_RequestDenied"));
    assert!(format!("{error:#}").contains("Policy.Read.All"));
    let assign = graph
        .application("8f9c")
        .assign_app_management_policy(" ")
        .send()
        .await;
    assert_eq!(
        assign.unwrap_err().kind(),
        entra_graph::ErrorKind::Query,
        "an id that names nothing is not sent"
    );
}
