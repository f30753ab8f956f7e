//! The tenant's app management policy limits or forbids client secrets.

use std::time::Duration;

use entra_graph::{
    AppManagementPolicy, ErrorKind, GraphClient, NewAppManagementPolicy, NewApplication,
    TenantAppManagementPolicy,
    registration::{AppRegistration, FederatedCredential, Lifetime},
    types::{
        AppCredentialRestrictionType, AppManagementApplicationConfiguration,
        CustomAppManagementConfiguration, PasswordCredentialConfiguration,
    },
};
use entra_mock::FakeTenant;

use super::{ENOUGH, graph_of, outcome, sink, writes};

/// A tenant whose default policy has this restriction, and a client that may read policies or not.
async fn restricted(
    restriction: PasswordCredentialConfiguration,
    reads_policies: bool,
) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let configuration = AppManagementApplicationConfiguration::default();
    writer(&tenant)
        .await
        .default_app_management_policy()
        .update()
        .set(
            TenantAppManagementPolicy::APPLICATION_RESTRICTIONS,
            configuration.password_credentials([restriction]),
        )
        .set(TenantAppManagementPolicy::IS_ENABLED, true)
        .send()
        .await
        .unwrap();
    let more: &[&str] = if reads_policies {
        &["Policy.Read.All", "Application.Read.All"]
    } else {
        &[]
    };
    let graph = graph_of(&tenant, &[ENOUGH, more].concat()).await;
    tenant.forget_requests();
    (tenant, graph)
}

async fn writer(tenant: &FakeTenant) -> GraphClient {
    let permissions = [
        "Application.ReadWrite.All",
        "Application.Read.All",
        "Policy.ReadWrite.ApplicationConfiguration",
    ];
    graph_of(tenant, &permissions).await
}

fn no_secrets() -> PasswordCredentialConfiguration {
    PasswordCredentialConfiguration::blocks(AppCredentialRestrictionType::PasswordAddition)
}

fn days(days: u32) -> PasswordCredentialConfiguration {
    let lifetime = AppCredentialRestrictionType::PasswordLifetime;
    PasswordCredentialConfiguration::limits(lifetime, days)
}

fn with_secret(lifetime: Lifetime) -> AppRegistration {
    AppRegistration::new("Order Desk").secret("production", lifetime)
}

#[tokio::test]
async fn a_policy_that_forbids_secrets_stops_the_plan_and_a_federated_credential_passes() {
    let (tenant, graph) = restricted(no_secrets(), true).await;
    let plan = with_secret(Lifetime::months(6)).plan(&graph).await.unwrap();
    let stops: Vec<&str> = plan.stops().collect();
    assert!(
        stops[0].contains("use a certificate or a federated credential"),
        "{plan}"
    );
    plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(writes(&tenant), Vec::<String>::new());

    let credential = FederatedCredential::new("deploy", "https://issuer.contoso.com", "orders");
    let secretless = AppRegistration::new("Order Desk").federated_credential(credential);
    let plan = secretless.plan(&graph).await.unwrap();
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let outcome = outcome(&graph, "Order Desk").await;
    assert_eq!((outcome.federated.len(), outcome.secrets.len()), (1, 0));
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_is_named_when_it_rejects_the_secret() {
    let (tenant, graph) = restricted(no_secrets(), false).await;
    let mut sink = sink(&tenant);
    let blueprint = with_secret(Lifetime::months(6));
    for _ in 0..2 {
        let plan = blueprint.plan(&graph).await.unwrap();
        let error = plan.apply(&mut sink).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Registration);
        let text = error.to_string();
        assert!(text.contains("forbids client secrets"), "{text}");
        assert!(text.contains("CredentialTypeNotAllowed"), "{text}");
    }
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, [] as [&str; 0]);
    // Nothing is reserved for a secret that was rejected, so the next run waits for nothing.
    let lifted = writer(&tenant).await;
    let policy = lifted.default_app_management_policy().update();
    let policy = policy.set(TenantAppManagementPolicy::IS_ENABLED, false);
    policy.send().await.unwrap();
    tenant.clock().advance(Duration::from_secs(10 * 60));
    let before = entra_core::Clock::now(&tenant.clock());
    let plan = blueprint.plan(&graph).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
    let waited = entra_core::Clock::now(&tenant.clock()) - before;
    assert!(waited.whole_seconds() < 60, "{waited}");
    assert_eq!(sink.secrets().count(), 1);
}

#[tokio::test]
async fn a_lifetime_is_clamped_to_the_policy_or_rejected_with_its_rule() {
    let lived = async |graph: &GraphClient, tenant: &FakeTenant, lifetime| {
        let plan = with_secret(lifetime).plan(graph).await.unwrap();
        let applied = plan.apply(&mut sink(tenant)).await?;
        let end = applied.secrets()[0].expires.unwrap();
        let lived = end - entra_core::Clock::now(&tenant.clock());
        Ok::<i64, entra_graph::Error>(lived.whole_hours())
    };
    let (tenant, graph) = restricted(days(100), true).await;
    let hours = lived(&graph, &tenant, Lifetime::months(24)).await.unwrap();
    assert!((99 * 24..100 * 24).contains(&hours), "{hours}");

    // Without the right to read the policy, the longest lifetime that is accepted is found by asking for less.
    let (tenant, graph) = restricted(days(100), false).await;
    let error = lived(&graph, &tenant, Lifetime::months(24))
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("limits the lifetime"), "{text}");
    assert!(
        text.contains("choose a shorter lifetime or `longest`"),
        "{text}"
    );
    let hours = lived(&graph, &tenant, Lifetime::longest()).await.unwrap();
    assert!((89 * 24..90 * 24).contains(&hours), "{hours}");
}

#[tokio::test]
async fn a_policy_of_the_application_replaces_the_default_one() {
    let (tenant, graph) = restricted(no_secrets(), true).await;
    let writer = writer(&tenant).await;
    let app = NewApplication::new("Order Desk");
    let app = writer.applications().create(app).send().await.unwrap();
    let half_a_year = CustomAppManagementConfiguration::default().password_credentials([days(180)]);
    let own = NewAppManagementPolicy::new("Short secrets", "Secrets of half a year");
    let own = writer
        .app_management_policies()
        .create(own.restricting(half_a_year))
        .set(AppManagementPolicy::IS_ENABLED, true)
        .send()
        .await
        .unwrap();
    let assign = writer
        .application(&app.id)
        .assign_app_management_policy(&*own.id);
    assign.send().await.unwrap();
    let blueprint =
        with_secret(Lifetime::months(24)).client_id(app.app_id.unwrap().parse().unwrap());
    let plan = blueprint.plan(&graph).await.unwrap();
    assert!(
        plan.to_string()
            .contains("as long as the tenant's policy allows"),
        "{plan}"
    );
    let applied = plan.apply(&mut sink(&tenant)).await.unwrap();
    let end = applied.secrets()[0].expires.unwrap();
    let days = (end - entra_core::Clock::now(&tenant.clock())).whole_days();
    assert_eq!(days, 179);
}
