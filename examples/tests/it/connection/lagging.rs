//! What replicas do not know yet, on a manual clock: new applications and grants are waited for, old ones are not.

use std::time::Duration;

use entra_auth::{ApplicationCredentialFactory, CredentialOptions};
use entra_core::{Clock as _, CredentialMaterial};
use entra_graph::{
    GraphClient,
    connection::{Check, ConnectionReport, ConnectionTest, RedirectPlatform, Severity},
    registration::{AppRegistration, Applied, Lifetime, MemorySink},
};
use entra_mock::{FakeTenant, Fault};
use serde_json::json;

use super::world::{REDIRECT, World, reader_with};

/// What it takes to register an application with admin consent.
const RIGHTS: [&str; 3] = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
];

fn blueprint() -> AppRegistration {
    AppRegistration::new("Helpdesk")
        .web_redirect_uri(REDIRECT)
        .application(["User.Read.All", "Device.Read.All"])
        .delegated(["openid", "profile", "GroupMember.Read.All"])
        .grant_admin_consent()
        .secret("production", Lifetime::months(6))
}

async fn apply(
    tenant: &FakeTenant,
    graph: &GraphClient,
    blueprint: &AppRegistration,
) -> (Applied, CredentialMaterial) {
    let mut sink = MemorySink::new().clock(tenant.clock());
    let plan = blueprint.plan(graph).await.unwrap();
    let applied = plan.apply(&mut sink).await.unwrap();
    let (_, secret) = sink.secrets().last().unwrap();
    let material = CredentialMaterial::Secret(secret.value().clone());
    (applied, material)
}

/// The test of what was applied, with everything that the blueprint lists.
fn test_of(
    tenant: &FakeTenant,
    applied: &Applied,
    material: Option<CredentialMaterial>,
) -> ConnectionTest {
    let options = CredentialOptions::new()
        .cloud(tenant.cloud())
        .clock(tenant.clock());
    let test = ConnectionTest::of(tenant.id().to_string(), applied.client_id())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .needs(["User.Read.All", "Device.Read.All"])
        .needs_delegated(["openid", "profile", "GroupMember.Read.All"])
        .redirect_uri(RedirectPlatform::Web, REDIRECT);
    match material {
        Some(material) => test.signs_in_with(material, ApplicationCredentialFactory::new(&options)),
        None => test,
    }
}

#[tokio::test]
async fn what_was_applied_a_moment_ago_passes_although_replicas_lag() {
    for (seconds, random_seed) in [(2, 1), (10, 2), (30, 3), (60, 4), (60, 5), (60, 6)] {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let graph = reader_with(&tenant, &RIGHTS).await;
        tenant.set_replication_delay(Duration::from_secs(seconds));
        let (applied, material) = apply(&tenant, &graph, &blueprint()).await;
        let start = tenant.clock().now();
        for material in [Some(material), None] {
            let test = test_of(&tenant, &applied, material).reader(&graph);
            let report = test.run().await;
            let case = format!("{seconds} s, seed {random_seed}:\n{report}");
            assert!(report.passed(), "{case}");
            let told = report.of(Check::ServicePrincipal).count();
            assert_eq!(told, 1, "{case}");
        }
        // Each test is bound by two minutes, and a last look.
        let took = (tenant.clock().now() - start).unsigned_abs();
        assert!(took <= Duration::from_secs(2 * 250), "{took:?}");
    }
}

/// The token of the product itself has the role once sign-in knows of the consent.
#[tokio::test]
async fn a_role_that_was_granted_a_moment_ago_is_waited_for_without_a_reader() {
    let tenant = FakeTenant::builder().random_seed(7).start().await;
    let app = tenant.register_app("Helpdesk").with_secret();
    let graph = reader_with(&tenant, &RIGHTS).await;
    tenant.clock().advance(Duration::from_secs(30 * 24 * 3600));
    tenant.set_replication_delay(Duration::from_secs(20));
    let blueprint = AppRegistration::new("Helpdesk")
        .client_id(app.client_id())
        .application(["User.Read.All"])
        .grant_admin_consent();
    let mut sink = MemorySink::new().clock(tenant.clock());
    let plan = blueprint.plan(&graph).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
    let options = CredentialOptions::new()
        .cloud(tenant.cloud())
        .clock(tenant.clock());
    let test = ConnectionTest::of(tenant.id().to_string(), app.client_id().to_string())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .signs_in_with(
            CredentialMaterial::Secret(app.secret()),
            ApplicationCredentialFactory::new(&options),
        )
        .needs(["User.Read.All"]);
    let report = test.run().await;
    let found: Vec<Severity> = report
        .of(Check::Permission)
        .map(|one| one.severity)
        .collect();
    assert_eq!(found, [Severity::Ok], "{report}");
}

/// How long a test of this product takes, and its report.
async fn waited(world: &World) -> (Duration, ConnectionReport) {
    let start = world.clock.now();
    let report = world.test().run().await;
    ((world.clock.now() - start).unsigned_abs(), report)
}

/// An old application, and one that the directory does not have: nothing tells that it is new. Only a consent to delegated
/// permissions has no date.
#[tokio::test]
async fn what_cannot_be_new_is_not_waited_for() {
    for (is_known, delegates, longest) in [(true, false, 0), (true, true, 30), (false, true, 3)] {
        let mut world = World::new().await;
        world.days(30);
        world.needs.push("Group.Read.All");
        world.redirect.1.push('/');
        if delegates {
            world.delegated.push("GroupMember.Read.All");
        }
        if !is_known {
            world.client_text = "535fb089-9ff3-47b6-9bfb-4f1264799865".to_owned();
        }
        let (took, report) = waited(&world).await;
        assert!(!report.passed(), "{report}");
        assert_eq!(took, Duration::from_secs(longest), "{report}");
    }
}

/// However new the application is.
#[tokio::test]
async fn what_no_replica_can_change_is_not_waited_for() {
    type Change = fn(&mut World);
    let changes: [Change; 4] = [
        |world| world.apis.push(("no identifier".to_owned(), None)),
        |world| world.redirect.1 = "http://helpdesk.example/cb".to_owned(),
        |world| world.delegated.push("User.Reed"),
        |world| world.needs.push("User.Reed.All"),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut world = World::new().await;
        change(&mut world);
        let (took, report) = waited(&world).await;
        assert_eq!(report.errors().count(), 1, "{number}:\n{report}");
        assert_eq!(took, Duration::ZERO, "{number}:\n{report}");
    }
}

/// Its registration is in the tenant of its vendor, so the directory here never has one.
#[tokio::test]
async fn an_application_of_another_organization_is_not_late() {
    let mut world = World::new().await;
    let graph = reader_with(&world.tenant, &RIGHTS).await;
    let id = world.app.service_principal_id().to_string();
    let vendor = json!("9188040d-6c67-4c5b-b112-36a304b66dad");
    let tenant = &world.tenant;
    tenant
        .set_property("servicePrincipals", &id, "appOwnerOrganizationId", vendor)
        .unwrap();
    // The reader writes another registration.
    let other = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    apply(tenant, &graph, &other).await;
    tenant.inject(Fault::on("/applications(").times(1000).status(404));
    world.reader = Some(graph);
    let (took, report) = waited(&world).await;
    assert!(report.passed(), "{report}");
    assert_eq!(took, Duration::ZERO, "{report}");
}

#[tokio::test]
async fn the_wait_for_replication_bounds_the_wait_for_what_is_new() {
    for seconds in [0, 5, 120] {
        let mut world = World::new().await;
        world.needs.push("Group.Read.All");
        let wait = Duration::from_secs(seconds);
        let start = world.clock.now();
        let report = world.test().replication_wait(wait).run().await;
        assert_eq!(report.exit_code(), 1, "{report}");
        let took = (world.clock.now() - start).unsigned_abs();
        assert_eq!(took, wait, "{report}");
    }
}

/// The directory does not show the application, and Entra issues a token to it: it is there.
#[tokio::test]
async fn a_token_outweighs_a_directory_that_does_not_show_the_application() {
    for has_reader in [true, false] {
        let mut world = World::new().await;
        if !has_reader {
            world.reader = None;
        }
        let client_id = world.app.client_id().to_string();
        let absent = Fault::on(&client_id).times(1000).status(404);
        world.tenant.inject(absent);
        let report = world.test().run().await;
        assert!(report.passed(), "{report}");
        for check in [Check::Credential, Check::ServicePrincipal] {
            let found: Vec<Severity> = report.of(check).map(|one| one.severity).collect();
            assert_eq!(found, [Severity::Ok], "{check}:\n{report}");
        }
        assert_eq!(report.of(Check::Application).count(), 0, "{report}");
        // What only the directory tells is not known.
        assert_eq!(report.exit_code(), 2, "{report}");
    }
}
