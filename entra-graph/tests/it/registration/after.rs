//! What follows a registration: verification, rotation, reports, export and removal.

use std::time::Duration;

use entra_core::{Clock as _, CredentialMaterial, StaticCredential};
use entra_graph::{
    ErrorKind, GraphClient, Key, NewGroup, NewPassword,
    registration::{
        AppRegistration, AppRoleBlueprint, Applied, Audience, AuditIssue, Certificate,
        CheckOutcome, CredentialKind, Lifetime, MemorySink, audit, expiring,
    },
};
use entra_mock::{FakeTenant, Fault};

use super::{
    ENOUGH, admin, apply, everything,
    factory::{Factory, Signer, secret_of},
    graph_of,
    interrupted::killed,
    sink, writes,
};

/// A blueprint with an application permission and a secret.
fn order_desk() -> AppRegistration {
    AppRegistration::new("Order Desk")
        .application(["User.Read.All"])
        .secret("production", Lifetime::months(6))
}

/// Applies a blueprint; also returns a client that starts a day later.
async fn applied_a_day_ago(
    tenant: &FakeTenant,
    graph: &GraphClient,
    blueprint: &AppRegistration,
    sink: &mut MemorySink,
) -> (Applied, GraphClient) {
    let applied = apply(blueprint, graph, sink).await;
    tenant.clock().advance(Duration::from_secs(86_400));
    (applied, graph_of(tenant, ENOUGH).await)
}

#[tokio::test]
async fn verify_signs_in_and_tries_each_permission_also_while_sign_in_lags() {
    let (tenant, graph) = admin(ENOUGH).await;
    tenant.set_replication_delay(Duration::from_secs(10));
    let mut sink = sink(&tenant);
    let applied = apply(&everything(), &graph, &mut sink).await;
    let factory = Factory::of(&tenant);
    let verified = applied.verify(&factory, &secret_of(&sink)).await.unwrap();
    assert!(verified.is_ok(), "{verified}");
    let outcome = |name: &str| {
        let mut checks = verified.checks().iter();
        checks
            .find(|check| check.permission() == name)
            .unwrap()
            .outcome()
    };
    assert_eq!(outcome("User.Read.All"), CheckOutcome::Works);
    assert_eq!(outcome("Device.Read.All"), CheckOutcome::Works);
    assert_eq!(outcome("GroupMember.Read.All"), CheckOutcome::Unknown);

    let pasted_id = CredentialMaterial::Secret(applied.secrets()[0].id.to_string().into());
    tenant.clock().advance(Duration::from_secs(3600));
    let error = applied.verify(&factory, &pasted_id).await.unwrap_err();
    assert!(error.to_string().contains("7000215"), "{error}");
}

#[tokio::test]
async fn verify_says_what_it_does_not_try_and_takes_names_in_any_case() {
    let (tenant, graph) = admin(ENOUGH).await;
    let api = AppRegistration::new("Orders API")
        .app_id_uri("api://{client-id}")
        .app_role(AppRoleBlueprint::for_applications(
            "Orders.Export",
            "Export",
            "Exports",
        ));
    let api = apply(&api, &graph, &mut sink(&tenant)).await;
    let blueprint = AppRegistration::new("Order Desk")
        .application_of(
            "00000003-0000-0000-c000-000000000000",
            ["user.read.all", "Mail.Read"],
        )
        .application_of(api.client_id(), ["Orders.Export"])
        .grant_admin_consent()
        .secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    let applied = apply(&blueprint, &graph, &mut sink).await;
    assert!(blueprint.plan(&graph).await.unwrap().is_empty());
    // Sign-in of a replica that has the application and not its service principal yet.
    tenant.inject(Fault::on("/token").times(2).sign_in_error(7_000_229));
    let verified = applied
        .verify(&Factory::of(&tenant), &secret_of(&sink))
        .await
        .unwrap();
    let text = verified.to_string();
    for line in [
        format!(
            "? Orders.Export: a permission of {}, which is not tried",
            api.client_id()
        ),
        "✔ user.read.all: GET /users succeeds".to_owned(),
        "? Mail.Read: in the token; not tried, since no cheap read".to_owned(),
    ] {
        assert!(text.contains(&line), "{line}: {text}");
    }
}

#[tokio::test]
async fn a_permission_without_consent_fails_the_verification() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = order_desk();
    let mut sink = sink(&tenant);
    let applied = apply(&blueprint, &graph, &mut sink).await;
    let verified = applied
        .verify(&Factory::of(&tenant), &secret_of(&sink))
        .await
        .unwrap();
    assert!(!verified.is_ok());
    assert!(
        verified
            .to_string()
            .contains("✘ User.Read.All: not in the token; grant admin consent")
    );
}

#[tokio::test]
async fn a_registration_of_an_earlier_run_is_verified_without_a_write() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = order_desk().grant_admin_consent();
    let (mut sink, factory) = (sink(&tenant), Factory::of(&tenant));
    let unknown = CredentialMaterial::Secret("canary-of-a-secret".into());
    let error = blueprint
        .verify(&graph, &factory, &unknown)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Registration);
    assert!(
        error
            .to_string()
            .contains("there is no registration \"Order Desk\""),
        "{error}"
    );
    apply(&blueprint, &graph, &mut sink).await;
    tenant.forget_requests();
    let verified = blueprint
        .verify(&graph, &factory, &secret_of(&sink))
        .await
        .unwrap();
    assert_eq!(
        verified.to_string(),
        "✔ User.Read.All: GET /users succeeds\n"
    );
    assert_eq!(writes(&tenant), Vec::<String>::new());
    // A wrong secret is only rejected when it cannot be replication lag any more.
    let error = blueprint
        .verify(&graph, &factory, &unknown)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("7000215"), "{error}");
    assert!(!format!("{error:#}").contains("canary"), "{error:#}");
}

/// How many tokens an application asked for.
fn token_requests(tenant: &FakeTenant, client_id: &str) -> usize {
    let requests = tenant.requests();
    let of_app = requests
        .iter()
        .filter(|one| one.path.ends_with("/token") && one.app_id() == Some(client_id));
    of_app.count()
}

/// Replication is waited out after a write of the client itself, or one that the tenant dates, and not otherwise.
#[tokio::test]
async fn a_tool_that_starts_fresh_answers_at_once() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = order_desk();
    let clock = tenant.clock();
    let (mut sink, factory) = (sink(&tenant), Factory::of(&tenant));
    let unknown = CredentialMaterial::Secret("canary-of-a-secret".into());
    let few_seconds = Duration::from_secs(3);
    let since = |start: entra_core::Timestamp| (clock.now() - start).unsigned_abs();

    let start = clock.now();
    assert!(!blueprint.destroy(&graph).await.unwrap());
    assert!(since(start) <= few_seconds, "{:?}", since(start));
    let start = clock.now();
    let error = blueprint.verify(&graph, &factory, &unknown).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Registration);
    assert!(since(start) <= few_seconds, "{:?}", since(start));

    // It deletes what it applied, and knows that nothing is left.
    let first = apply(&blueprint, &graph, &mut sink).await;
    assert!(blueprint.destroy(&graph).await.unwrap());
    let start = clock.now();
    assert!(!blueprint.destroy(&graph).await.unwrap());
    assert!(since(start) <= few_seconds, "{:?}", since(start));

    // A day later: a permission without consent and a wrong secret are judged by one token request each.
    let (applied, graph) = applied_a_day_ago(&tenant, &graph, &blueprint, &mut sink).await;
    let secret = secret_of(&sink);
    tenant.forget_requests();
    let start = clock.now();
    let verified = blueprint.verify(&graph, &factory, &secret).await.unwrap();
    assert!(!verified.is_ok(), "{verified}");
    let error = blueprint.verify(&graph, &factory, &unknown).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("7000215"), "{error}");
    assert_eq!(clock.now(), start);
    assert_eq!(token_requests(&tenant, applied.client_id()), 2);

    // A secret that does not exist is removed at once as well.
    let absent = first.secrets()[0].id;
    let object = graph.application(applied.object_id());
    object.remove_password(absent).send().await.unwrap();
    let mut empty = super::sink(&tenant);
    let retired = blueprint.retire(&graph, absent, &mut empty).await;
    retired.unwrap();
    assert_eq!(clock.now(), start);
}

#[tokio::test]
async fn verify_uses_one_token_long_after_the_last_write() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = order_desk()
        .application(["Device.Read.All"])
        .grant_admin_consent();
    let mut sink = sink(&tenant);
    let (applied, graph) = applied_a_day_ago(&tenant, &graph, &blueprint, &mut sink).await;
    let factory = Factory::of(&tenant);
    tenant.forget_requests();
    let start = tenant.clock().now();
    let secret = secret_of(&sink);
    let verified = blueprint.verify(&graph, &factory, &secret).await.unwrap();
    assert!(verified.is_ok(), "{verified}");
    assert_eq!(token_requests(&tenant, applied.client_id()), 1);
    assert_eq!(tenant.clock().now(), start);
    let rules: Vec<&str> = tenant.findings().iter().map(|one| one.rule).collect();
    assert!(!rules.contains(&"token-per-call"), "{rules:?}");
}

/// A consent of a moment ago is dated by the tenant, also one that another client gave.
#[tokio::test]
async fn a_consent_of_a_moment_ago_is_waited_for() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = order_desk();
    let (mut sink, factory) = (sink(&tenant), Factory::of(&tenant));
    let (_, graph) = applied_a_day_ago(&tenant, &graph, &blueprint, &mut sink).await;
    let fresh = graph_of(&tenant, ENOUGH).await;
    tenant.set_replication_delay(Duration::from_secs(60));
    let consented = blueprint.grant_admin_consent();
    apply(&consented, &graph, &mut sink).await;
    let secret = secret_of(&sink);
    let verified = consented.verify(&fresh, &factory, &secret).await.unwrap();
    assert!(verified.is_ok(), "{verified}");
}

/// When a certificate was uploaded is not recorded, so one that is rejected gets half a minute.
#[tokio::test]
async fn a_certificate_that_is_rejected_is_tried_for_half_a_minute() {
    let (tenant, graph) = admin(ENOUGH).await;
    let first = Certificate::from_pem("first", Signer::first().certificate()).unwrap();
    let blueprint = AppRegistration::new("Order Desk").certificate(first);
    let mut sink = sink(&tenant);
    let (_, graph) = applied_a_day_ago(&tenant, &graph, &blueprint, &mut sink).await;
    let factory = Factory::of(&tenant);
    let late = Fault::on("/token").times(3).sign_in_error(700_027);
    tenant.inject(late);
    let own = Signer::first().material();
    let verified = blueprint.verify(&graph, &factory, &own).await.unwrap();
    assert!(verified.is_ok(), "{verified}");
    let start = tenant.clock().now();
    let other = Signer::second().material();
    let error = blueprint.verify(&graph, &factory, &other).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("700027"), "{error}");
    let took = (tenant.clock().now() - start).unsigned_abs();
    assert!((25..40).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn verify_is_repeatable_under_replication_delay_and_after_a_kill_at_any_request() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = order_desk().grant_admin_consent();
    let (mut sink, factory) = (sink(&tenant), Factory::of(&tenant));
    let other = graph_of(&tenant, ENOUGH).await;
    tenant.set_replication_delay(Duration::from_secs(60));
    apply(&blueprint, &graph, &mut sink).await;
    // Right after the apply, by the same client and then by one that wrote nothing.
    let verify = async |graph: &GraphClient| {
        let secret = secret_of(&sink);
        let verified = blueprint.verify(graph, &factory, &secret).await.unwrap();
        assert!(verified.is_ok(), "{verified}");
    };
    verify(&graph).await;
    verify(&other).await;
    tenant.forget_requests();
    let mut number = 0;
    while killed(&tenant, number, true, verify).await {
        verify(&other).await;
        number += 1;
    }
    assert!(number >= 3, "{number}");
    assert_eq!(writes(&tenant), Vec::<String>::new());
}

#[tokio::test]
async fn an_exported_blueprint_has_nothing_to_change() {
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sink = sink(&tenant);
    let applied = apply(&everything(), &graph, &mut sink).await;
    tenant.forget_requests();
    let client_id = applied.client_id().parse().unwrap();
    let exported = AppRegistration::export(&graph, client_id).await.unwrap();
    assert_eq!(writes(&tenant), Vec::<String>::new());
    let plan = exported.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    // A lifetime comes back in days.
    let year = |yaml: String| {
        yaml.replace("12 months", "365 days")
            .replace("366 days", "365 days")
    };
    let original = everything()
        .audience(Audience::ThisTenant)
        .client_id(client_id)
        .unique_name("order-desk");
    assert_eq!(
        year(exported.to_yaml().unwrap()),
        year(original.to_yaml().unwrap())
    );
}

#[tokio::test]
async fn an_export_names_secrets_as_they_are_and_leaves_out_ended_ones() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("batch", Lifetime::months(6));
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let application = graph.application(applied.object_id());
    for (name, days) in [("prod [EU]", 90), ("ended", 5)] {
        let end = tenant.clock().now() + Duration::from_secs(days * 86_400);
        let password = NewPassword::named(name).expires(end);
        let _ = application.add_password(password).send().await.unwrap();
    }
    tenant.clock().advance(Duration::from_secs(6 * 86_400));
    let graph = graph_of(&tenant, ENOUGH).await;
    let client_id = applied.client_id().parse().unwrap();
    let exported = AppRegistration::export(&graph, client_id).await.unwrap();
    let yaml = exported.to_yaml().unwrap();
    assert!(
        yaml.contains("prod [EU]") && yaml.contains("description: batch"),
        "{yaml}"
    );
    assert!(!yaml.contains("ended"), "{yaml}");
    let plan = exported.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
}

#[tokio::test]
async fn an_export_has_groups_and_leaves_out_what_is_disabled() {
    let (tenant, graph) = admin(ENOUGH).await;
    let group = NewGroup::security("Order Desk users", "order-desk-users");
    graph_of(&tenant, &["Group.ReadWrite.All"])
        .await
        .groups()
        .create(group)
        .send()
        .await
        .unwrap();
    let blueprint = AppRegistration::new("Order Desk")
        .application(["User.Read.All"])
        .app_role(AppRoleBlueprint::for_users(
            "Approver",
            "Approver",
            "Approves orders",
        ))
        .app_role(AppRoleBlueprint::for_users(
            "Old",
            "Old",
            "Of an older version",
        ))
        .visible_to_users(false)
        .assign_group_to("Order Desk users", "Approver");
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let principal = graph.service_principal(applied.service_principal_id());
    let list = principal.app_role_assigned_to().list();
    let assigned: Vec<_> = list.items().try_collect().await.unwrap();
    assert_eq!(assigned[0].principal_type.as_deref(), Some("Group"));
    let read = principal.get().send().await.unwrap();
    assert!(read.tags.unwrap().contains(&"HideApp".to_owned()));
    let read = graph
        .application(applied.object_id())
        .get()
        .send()
        .await
        .unwrap();
    let mut roles = serde_json::to_value(read.app_roles.unwrap()).unwrap();
    let old = roles.as_array_mut().unwrap().iter_mut();
    for role in old.filter(|role| role["value"] == "Old") {
        role["isEnabled"] = false.into();
    }
    tenant
        .set_property("applications", applied.object_id(), "appRoles", roles)
        .unwrap();
    let client_id = applied.client_id().parse().unwrap();
    let exported = AppRegistration::export(&graph, client_id).await.unwrap();
    let yaml = exported.to_yaml().unwrap();
    for text in [
        "group: Order Desk users",
        "role: Approver",
        "visible: false",
    ] {
        assert!(yaml.contains(text), "{text}\n{yaml}");
    }
    assert!(
        !yaml.contains("Old") && !yaml.contains("grant_admin_consent"),
        "{yaml}"
    );
    let plan = exported.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    let shown = blueprint.visible_to_users(true).plan(&graph).await.unwrap();
    assert!(
        shown.to_string().contains("~ visible to users: true"),
        "{shown}"
    );
}

#[tokio::test]
async fn reports_have_certificates_and_what_belongs_to_enterprise_applications() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = everything();
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let principal = graph.service_principal(applied.service_principal_id());
    let soon = tenant.clock().now() + Duration::from_secs(5 * 86_400);
    let password = NewPassword::named("provisioning").expires(soon);
    let _ = principal.add_password(password).send().await.unwrap();
    let signing = principal.add_token_signing_certificate("CN=Orders", None);
    signing.send().await.unwrap();
    let all = expiring(&graph, 100_000).await.unwrap();
    let of = |kind: CredentialKind| -> Vec<&str> {
        let own = all
            .iter()
            .filter(|one| one.client_id == applied.client_id());
        let own = own.filter(|one| one.kind == kind);
        own.map(|one| one.description.split(" [").next().unwrap())
            .collect()
    };
    assert_eq!(of(CredentialKind::SamlSigning).len(), 1);
    assert_eq!(of(CredentialKind::Certificate), ["on-premises"]);
    assert_eq!(
        of(CredentialKind::Secret),
        ["provisioning", "staging", "production"]
    );
}

#[tokio::test]
async fn an_audit_reads_the_hosts_of_redirect_uris_and_the_implicit_grant() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").issue_id_tokens(true);
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let read = graph
        .application(applied.object_id())
        .get()
        .send()
        .await
        .unwrap();
    let mut web = serde_json::to_value(read.web.unwrap()).unwrap();
    web["implicitGrantSettings"]["enableAccessTokenIssuance"] = true.into();
    web["redirectUris"] = serde_json::json!([
        "http://localhost.evil.com/callback",
        "https://127.0.0.1/callback",
        "http://[::1]:8080/callback",
    ]);
    tenant
        .set_property("applications", applied.object_id(), "web", web)
        .unwrap();
    let findings = audit(&graph).await.unwrap();
    let own = findings
        .iter()
        .filter(|one| one.client_id() == applied.client_id());
    let text = own.map(|one| format!("{one}\n")).collect::<String>();
    for line in [
        "redirect URI without encryption: http://localhost.evil.com/callback",
        "localhost on the web platform: https://127.0.0.1/callback",
        "localhost on the web platform: http://[::1]:8080/callback",
        "the implicit grant is on: access tokens",
        "the implicit grant is on: ID tokens",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[tokio::test]
async fn destroy_deletes_only_what_the_blueprint_names() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk");
    let same_name = tenant.register_app("Order Desk");
    assert!(!blueprint.destroy(&graph).await.unwrap());
    apply(&blueprint, &graph, &mut sink(&tenant)).await;
    assert!(blueprint.destroy(&graph).await.unwrap());
    assert!(!blueprint.destroy(&graph).await.unwrap());
    assert!(
        graph
            .application(same_name.client_id())
            .get_opt()
            .await
            .unwrap()
            .is_some()
    );
    let key = Key::unique_name("order-desk");
    assert!(graph.application(key).get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn destroy_finds_what_was_created_a_moment_ago() {
    for random_seed in 1..6 {
        let tenant = FakeTenant::builder().random_seed(random_seed).start().await;
        let graph = graph_of(&tenant, ENOUGH).await;
        tenant.set_replication_delay(Duration::from_secs(60));
        let blueprint = AppRegistration::new("Order Desk");
        apply(&blueprint, &graph, &mut sink(&tenant)).await;
        assert!(blueprint.destroy(&graph).await.unwrap(), "{random_seed}");
    }
}

#[tokio::test]
async fn reports_name_what_expires_and_what_to_look_at() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk")
        .web_redirect_uri("http://localhost:8080/callback")
        .web_redirect_uri("https://*.contoso.com/callback")
        .allow_public_client_flows(true)
        .secret("short", Lifetime::days(10))
        .secret("long", Lifetime::months(12));
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let own = async |days: u32, graph: &GraphClient| {
        let mut all = expiring(graph, days).await.unwrap();
        all.retain(|one| one.client_id == applied.client_id());
        all
    };
    let soon = own(30, &graph).await;
    assert_eq!(soon.len(), 1);
    assert_eq!(
        (soon[0].kind, soon[0].days_left),
        (CredentialKind::Secret, 9)
    );
    assert_eq!(own(400, &graph).await.len(), 2);
    let issues = async |graph: &GraphClient| -> Vec<AuditIssue> {
        let findings = audit(graph).await.unwrap();
        let own = findings
            .iter()
            .filter(|one| one.client_id() == applied.client_id());
        own.map(|one| one.issue()).collect()
    };
    let found = issues(&graph).await;
    for issue in [
        AuditIssue::ExpiresSoon,
        AuditIssue::NoOwner,
        AuditIssue::LocalhostOnWeb,
        AuditIssue::WildcardRedirectUri,
        AuditIssue::SecretOnPublicClient,
    ] {
        assert!(found.contains(&issue), "{issue:?}: {found:?}");
    }
    tenant.clock().advance(Duration::from_secs(11 * 86_400));
    let graph = graph_of(&tenant, ENOUGH).await;
    assert_eq!(own(30, &graph).await[0].days_left, -2);
    assert!(
        issues(&graph)
            .await
            .contains(&AuditIssue::ExpiredCredential)
    );
}

#[tokio::test]
async fn a_user_tries_the_delegated_permissions() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk")
        .delegated([
            "openid",
            "User.Read",
            "GroupMember.Read.All",
            "Device.Read.All",
        ])
        .secret("production", Lifetime::months(6));
    let applied = apply(&blueprint, &graph, &mut sink(&tenant)).await;
    let app = tenant
        .register_app("Stands for the order desk")
        .delegated_permission("User.Read")
        .delegated_permission("GroupMember.Read.All")
        .with_secret();
    let scopes = ["openid", "User.Read", "GroupMember.Read.All"];
    let tokens = tenant.tokens_for(&app, "adele@contoso.com", scopes);
    let user = StaticCredential::new(tokens.access_token().expose_secret());
    let verified = applied.verify_as_user(&user).await.unwrap();
    let outcomes: Vec<_> = verified
        .checks()
        .iter()
        .map(|check| (check.permission(), check.outcome()))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("openid", CheckOutcome::Unknown),
            ("User.Read", CheckOutcome::Works),
            ("GroupMember.Read.All", CheckOutcome::Works),
            ("Device.Read.All", CheckOutcome::Fails),
        ],
        "{verified}"
    );
    let application = super::token(&tenant, ENOUGH).await;
    let error = applied.verify_as_user(&application).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Registration, "{error}");
}

#[tokio::test]
async fn privileged_permissions_that_cannot_be_used_are_reported() {
    let (tenant, graph) = admin(&[ENOUGH, &["AuditLog.Read.All"]].concat()).await;
    let unused = async || -> Vec<String> {
        let findings = audit(&graph).await.unwrap();
        let unused = findings
            .iter()
            .filter(|one| one.issue() == AuditIssue::UnusedPrivilegedPermission);
        unused
            .map(|one| one.to_string())
            .filter(|text| text.contains("Exports"))
            .collect()
    };
    let reads = tenant.register_app("Exports users");
    let _ = reads.application_permission("User.Read.All");
    let bare = tenant.register_app("Exports groups");
    let _ = bare
        .application_permission("Group.Read.All")
        .application_permission("Group.ReadWrite.All");
    let found = unused().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("Group.ReadWrite.All, the application has no valid credential"),
        "{found:?}"
    );
    let bare = bare.with_secret();
    assert_eq!(unused().await, [] as [String; 0]);

    // A month later, an application that never wrote is told from one that did.
    let writer = tenant.register_app("Exports devices").with_secret();
    let writer = writer.application_permission("Group.ReadWrite.All");
    tenant.clock().advance(Duration::from_secs(31 * 86_400));
    let writing = GraphClient::builder(crate::support::AppCredential::new(&tenant, &writer))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let group = entra_graph::NewGroup::security("Made by the export", "made-by-export");
    writing.groups().create(group).send().await.unwrap();
    let permissions = [ENOUGH, &["AuditLog.Read.All"]].concat();
    let graph = graph_of(&tenant, &permissions).await;
    let findings = audit(&graph).await.unwrap();
    let of = |app: &entra_mock::App| -> Vec<String> {
        let id = app.client_id().to_string();
        let own = findings.iter().filter(|one| {
            one.client_id() == id && one.issue() == AuditIssue::UnusedPrivilegedPermission
        });
        own.map(ToString::to_string).collect()
    };
    assert!(
        of(&bare)[0].contains("no change by it in the audit log of 30 days"),
        "{:?}",
        of(&bare)
    );
    assert_eq!(of(&writer), [] as [String; 0]);
    bare.disable();
    let findings = audit(&graph).await.unwrap();
    let text = findings.iter().map(ToString::to_string).collect::<String>();
    assert!(text.contains("Group.ReadWrite.All, the enterprise application is disabled"));
}
