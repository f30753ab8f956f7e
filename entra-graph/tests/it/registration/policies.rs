//! The tenant's app management policy limits or forbids client secrets, certificates and application ID URIs.

use std::{sync::Arc, time::Duration};

use entra_graph::{
    AppManagementPolicy, ErrorKind, GraphClient, Key, NewAppManagementPolicy, NewApplication,
    TenantAppManagementPolicy,
    registration::{AppRegistration, Certificate, FederatedCredential, Lifetime},
    types::{
        AppCredentialRestrictionType, AppManagementApplicationConfiguration,
        AppManagementPolicyActorExemptions, AppManagementRestrictionState,
        CustomAppManagementConfiguration, CustomSecurityAttributeComparisonOperator,
        CustomSecurityAttributeExemption, IdentifierUriConfiguration, IdentifierUriRestriction,
        KeyCredentialConfiguration, PasswordCredentialConfiguration,
    },
};
use entra_mock::FakeTenant;

use super::{
    ENOUGH, apply,
    factory::{Factory, Signer},
    graph_of, outcome, sink, writes,
};

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

/// As by a limit that was set since, or in a form that is not known beside one that is.
#[tokio::test]
async fn the_longest_lifetime_is_found_below_a_limit_that_was_read() {
    let (tenant, graph) = restricted(days(90), true).await;
    let plan = with_secret(Lifetime::longest()).plan(&graph).await.unwrap();
    let configuration = AppManagementApplicationConfiguration::default();
    let policy = writer(&tenant).await;
    let policy = policy.default_app_management_policy().update().set(
        TenantAppManagementPolicy::APPLICATION_RESTRICTIONS,
        configuration.password_credentials([days(30)]),
    );
    policy.send().await.unwrap();
    tenant.forget_requests();
    let applied = plan.apply(&mut sink(&tenant)).await.unwrap();
    let end = applied.secrets()[0].expires.unwrap();
    let hours = (end - entra_core::Clock::now(&tenant.clock())).whole_hours();
    assert!((29 * 24..30 * 24).contains(&hours), "{hours}");
    // Those of 90 and 60 days are rejected, and none is sent twice.
    tenant.requests().to("/addPassword").assert_count(3);
}

/// Whether the caller is exempt cannot be read, so Graph decides.
#[tokio::test]
async fn a_policy_that_exempts_some_callers_does_not_stop_the_plan() {
    let attribute = CustomSecurityAttributeExemption::default()
        .id("Deployment_Pipeline")
        .operator(CustomSecurityAttributeComparisonOperator::Equals)
        .value("orders");
    let exempt =
        AppManagementPolicyActorExemptions::default().custom_security_attributes([attribute]);
    let (tenant, graph) = restricted(no_secrets().exclude_actors(exempt), true).await;
    let blueprint = with_secret(Lifetime::months(6));
    let plan = blueprint.plan(&graph).await.unwrap();
    assert_eq!(plan.stops().next(), None, "{plan}");
    let error = plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert!(
        error.to_string().contains("forbids client secrets"),
        "{error}"
    );
}

/// A restriction of new registrations does not apply to an old one that is restored.
#[tokio::test]
async fn a_restored_registration_is_as_old_as_it_was() {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, &[ENOUGH, &["Policy.Read.All"]].concat()).await;
    let blueprint = AppRegistration::new("Order Desk");
    apply(&blueprint, &graph, &mut sink(&tenant)).await;
    assert!(blueprint.destroy(&graph).await.unwrap());
    tenant.clock().advance(Duration::from_secs(24 * 60 * 60));
    let since = entra_core::Clock::now(&tenant.clock());
    let restriction = no_secrets().restrict_for_apps_created_after_date_time(since);
    let restrictions =
        AppManagementApplicationConfiguration::default().password_credentials([restriction]);
    restrict(&writer(&tenant).await, restrictions).await;
    tenant.clock().advance(Duration::from_secs(60));
    let graph = graph_of(&tenant, &[ENOUGH, &["Policy.Read.All"]].concat()).await;
    let plan = with_secret(Lifetime::months(6)).plan(&graph).await.unwrap();
    assert!(plan.to_string().contains("restore the deleted"), "{plan}");
    assert_eq!(plan.stops().next(), None, "{plan}");
    plan.apply(&mut sink(&tenant)).await.unwrap();
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, ["production"]);
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

/// Sets what the tenant's default policy restricts.
async fn restrict(writer: &GraphClient, restrictions: AppManagementApplicationConfiguration) {
    let policy = writer.default_app_management_policy().update();
    let policy = policy.set(
        TenantAppManagementPolicy::APPLICATION_RESTRICTIONS,
        restrictions,
    );
    let policy = policy.set(TenantAppManagementPolicy::IS_ENABLED, true);
    policy.send().await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_lives_too_long_is_named_with_the_rule() {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, ENOUGH).await;
    let writer = writer(&tenant).await;
    let limited = |days: u32| {
        let longest = KeyCredentialConfiguration::limits(days);
        AppManagementApplicationConfiguration::default().key_credentials([longest])
    };
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let one = AppRegistration::new("Order Desk").certificate(first);
    let both = one.clone().certificate(second.clone());

    restrict(&writer, limited(1)).await;
    let plan = one.plan(&graph).await.unwrap();
    let of_first = plan.apply(&mut sink(&tenant)).await.unwrap_err();
    tenant.clock().advance(Duration::from_secs(10 * 60));
    // The certificates of the test live for centuries.
    let none: [KeyCredentialConfiguration; 0] = [];
    let lifted = AppManagementApplicationConfiguration::default().key_credentials(none);
    restrict(&writer, lifted).await;
    apply(&one, &graph, &mut sink(&tenant)).await;
    restrict(&writer, limited(1)).await;
    let plan = both.plan(&graph).await.unwrap();
    let plan = plan.prove_with(Arc::new(Signer::first())).await.unwrap();
    let of_further = plan.apply(&mut sink(&tenant)).await.unwrap_err();
    let (present, material) = (Signer::first(), Signer::second().material());
    let factory = Factory::of(&tenant);
    let rotated = one.rotate_certificate(&graph, &second, &present, &factory, &material);
    let of_rotated = rotated.await.unwrap_err();
    for (error, name) in [
        (of_first, "\"first\""),
        (of_further, "\"second\""),
        (of_rotated, "\"second\""),
    ] {
        assert_eq!(error.kind(), ErrorKind::Registration, "{error:#}");
        let text = error.to_string();
        for part in [
            "limits the lifetime of certificates",
            "CredentialInvalidLifetimeAsPerAppPolicy",
            name,
            "use one with a shorter lifetime",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

/// The certificates of the test live for a century.
#[tokio::test]
async fn a_certificate_ends_as_late_as_the_policy_allows() {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, &[ENOUGH, &["Policy.Read.All"]].concat()).await;
    let limit = KeyCredentialConfiguration::limits(90);
    let limits = AppManagementApplicationConfiguration::default().key_credentials([limit]);
    restrict(&writer(&tenant).await, limits).await;
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let one = AppRegistration::new("Order Desk").certificate(first);
    let both = one.clone().certificate(second.clone());
    let ends = async || -> Vec<i64> {
        let key = Key::unique_name("order-desk");
        let read = graph.application(key).get().send().await.unwrap();
        let keys = read.key_credentials.unwrap_or_default();
        let now = entra_core::Clock::now(&tenant.clock());
        let days = |end: entra_core::Timestamp| (end - now).whole_days();
        keys.into_iter()
            .filter_map(|key| key.end_date_time.map(days))
            .collect()
    };

    let plan = one.plan(&graph).await.unwrap();
    let text = plan.to_string();
    assert!(text.contains("+ certificate \"first\" until "), "{text}");
    assert!(
        text.contains("as long as the tenant's policy allows"),
        "{text}"
    );
    plan.apply(&mut sink(&tenant)).await.unwrap();
    assert_eq!(ends().await, [89]);
    let again = one.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");

    let (present, material) = (Signer::first(), Signer::second().material());
    let factory = Factory::of(&tenant);
    let rotated = one.rotate_certificate(&graph, &second, &present, &factory, &material);
    let rotated = rotated.await.unwrap();
    assert_eq!(ends().await, [89, 89]);
    let retired = one.retire_certificate(&graph, rotated.new, &present);
    retired.await.unwrap();

    tenant.clock().advance(Duration::from_secs(10 * 60));
    let plan = both.plan(&graph).await.unwrap();
    let plan = plan.prove_with(Arc::new(Signer::first())).await.unwrap();
    plan.apply(&mut sink(&tenant)).await.unwrap();
    assert_eq!(ends().await, [89, 89]);
    let again = both.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");
}

/// The certificates of the test outlive what the policy allows them.
#[tokio::test]
async fn a_certificate_whose_entry_has_ended_is_added_again() {
    let tenant = FakeTenant::start().await;
    let reads_policies = [ENOUGH, &["Policy.Read.All"]].concat();
    let graph = graph_of(&tenant, &reads_policies).await;
    let limit = || {
        let limit = KeyCredentialConfiguration::limits(90);
        AppManagementApplicationConfiguration::default().key_credentials([limit])
    };
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let desk = AppRegistration::new("Order Desk").certificate(first.clone());
    let desk = desk.sole_writer();
    let shop = AppRegistration::new("Order Shop").certificate(first);
    let (present, material) = (Signer::first(), Signer::second().material());
    let factory = Factory::of(&tenant);
    // That of the shop ends as late as the certificate itself.
    apply(&shop, &graph, &mut sink(&tenant)).await;
    restrict(&writer(&tenant).await, limit()).await;
    apply(&desk, &graph, &mut sink(&tenant)).await;
    let rotated = shop.rotate_certificate(&graph, &second, &present, &factory, &material);
    let before = rotated.await.unwrap();

    tenant
        .clock()
        .advance(Duration::from_secs(91 * 24 * 60 * 60));
    let graph = graph_of(&tenant, &reads_policies).await;
    let now = entra_core::Clock::now(&tenant.clock());
    let plan = desk.plan(&graph).await.unwrap();
    let text = plan.to_string();
    assert!(text.contains("+ certificate \"first\" until "), "{text}");
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let again = desk.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");
    let key = Key::unique_name("order-desk");
    let read = graph.application(key).get().send().await.unwrap();
    let keys = read.key_credentials.unwrap_or_default();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys[0].end_date_time.unwrap() > now);

    let rotated = shop.rotate_certificate(&graph, &second, &present, &factory, &material);
    let rotated = rotated.await.unwrap();
    assert_ne!(rotated.new, before.new);
    assert!(rotated.expires.unwrap() > now);
}

#[tokio::test]
async fn a_certificate_that_the_policy_rejects_stops_a_restore() {
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let second = Certificate::from_pem("second", Signer::second().certificate()).unwrap();
    let tenant = FakeTenant::start().await;
    let reads_policies = [ENOUGH, &["Policy.Read.All"]].concat();
    let graph = graph_of(&tenant, &reads_policies).await;
    let had = AppRegistration::new("Order Desk").certificate(first);
    apply(&had, &graph, &mut sink(&tenant)).await;
    assert!(had.destroy(&graph).await.unwrap());
    tenant.clock().advance(Duration::from_secs(60 * 60));
    let none = KeyCredentialConfiguration::limits(0);
    let limits = AppManagementApplicationConfiguration::default().key_credentials([none]);
    restrict(&writer(&tenant).await, limits).await;
    let graph = graph_of(&tenant, &reads_policies).await;
    tenant.forget_requests();

    let plan = had.plan(&graph).await.unwrap();
    assert_eq!(plan.stops().next(), None, "{plan}");
    let plan = had.certificate(second).plan(&graph).await.unwrap();
    let stops: Vec<&str> = plan.stops().collect();
    assert!(
        stops.len() == 1 && stops[0].contains("the certificate \"second\""),
        "{plan}"
    );
    plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(writes(&tenant), Vec::<String>::new());
}

#[tokio::test]
async fn an_application_id_uri_that_the_policy_rejects_is_named_with_the_rule() {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, ENOUGH).await;
    let blocks = IdentifierUriRestriction::default().state(AppManagementRestrictionState::Enabled);
    let uris = IdentifierUriConfiguration::default().non_default_uri_addition(blocks);
    let restrictions = AppManagementApplicationConfiguration::default().identifier_uris(uris);
    restrict(&writer(&tenant).await, restrictions).await;
    let uri = format!("https://{}/orders", tenant.domain());
    let blueprint = AppRegistration::new("Order Desk").app_id_uri(uri);
    let plan = blueprint.plan(&graph).await.unwrap();
    let error = plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Registration, "{error:#}");
    let text = error.to_string();
    assert!(
        text.contains("restricts application ID URIs") && text.contains("api://{client-id}"),
        "{text}"
    );
}
