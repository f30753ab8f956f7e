//! What follows a registration: verification, rotation, reports, export and removal.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use entra_core::{
    AccessToken, ClientId, Clock, CredentialError, CredentialErrorKind, CredentialFactory,
    CredentialMaterial, ProofSigner, TenantId, TokenCredential, TokenRequest,
};
use entra_graph::{
    Key,
    registration::{
        AppRegistration, AuditIssue, Certificate, CheckOutcome, CredentialKind, Lifetime,
        SecretSink, audit, expiring,
    },
};
use entra_mock::FakeTenant;

use super::{ENOUGH, admin, everything, graph_of, outcome, sink, writes};
use crate::support::AppCredential;

/// Makes credentials of client secrets for the fake tenant.
#[derive(Debug)]
struct Factory(entra_core::Cloud);

#[derive(Debug)]
struct Coded(AppCredential);

#[async_trait::async_trait]
impl TokenCredential for Coded {
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, CredentialError> {
        self.0.token(request).await.map_err(|error| {
            let text = error.to_string();
            let code = text.split("AADSTS").nth(1).unwrap_or_default();
            let digits: String = code.chars().take_while(char::is_ascii_digit).collect();
            let rejected = CredentialError::new(CredentialErrorKind::Rejected, text);
            match digits.parse() {
                Ok(code) => rejected.with_code(code),
                Err(_) => rejected,
            }
        })
    }
}

impl CredentialFactory for Factory {
    fn credential(
        &self,
        tenant: &TenantId,
        client_id: ClientId,
        material: &CredentialMaterial,
    ) -> Result<Arc<dyn TokenCredential>, CredentialError> {
        let CredentialMaterial::Secret(secret) = material else {
            return Err(CredentialError::new(
                CredentialErrorKind::Configuration,
                "no secret",
            ));
        };
        let value = secret.expose_secret();
        Ok(Arc::new(Coded(AppCredential::of(
            &self.0, tenant, client_id, value,
        ))))
    }
}

fn secret_of(sink: &entra_graph::registration::MemorySink) -> CredentialMaterial {
    let (_, secret) = sink.secrets().last().unwrap();
    CredentialMaterial::Secret(secret.value().clone())
}

#[tokio::test]
async fn verify_signs_in_and_tries_each_permission_also_while_sign_in_lags() {
    let (tenant, graph) = admin(ENOUGH).await;
    tenant.set_replication_delay(Duration::from_secs(10));
    let mut sink = sink(&tenant);
    let applied = everything()
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink)
        .await
        .unwrap();
    let factory = Factory(tenant.cloud());
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
async fn a_permission_without_consent_fails_the_verification() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk")
        .application(["User.Read.All"])
        .secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    let applied = blueprint
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink)
        .await
        .unwrap();
    let verified = applied
        .verify(&Factory(tenant.cloud()), &secret_of(&sink))
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
async fn a_client_sees_no_failure_through_ten_rotations() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    let applied = blueprint
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink)
        .await
        .unwrap();
    let factory = Arc::new(Factory(tenant.cloud()));
    let current = Arc::new(std::sync::Mutex::new(secret_of(&sink)));
    // Until the first secret is everywhere.
    applied.verify(&*factory, &secret_of(&sink)).await.unwrap();
    tenant.set_replication_delay(Duration::from_secs(10));

    let (stop, signed_in) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let client = {
        let (stop, signed_in, current) = (
            Arc::clone(&stop),
            Arc::clone(&signed_in),
            Arc::clone(&current),
        );
        let (factory, clock, id) = (Arc::clone(&factory), tenant.clock(), tenant.id());
        let client_id: ClientId = applied.client_id().parse().unwrap();
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let material = current.lock().unwrap().clone();
                let credential = factory.credential(&id, client_id, &material).unwrap();
                let token = credential.token(&TokenRequest::new(["x"])).await;
                assert!(
                    token.is_ok(),
                    "{:?} after {signed_in:?}",
                    token.unwrap_err()
                );
                signed_in.fetch_add(1, Ordering::SeqCst);
                clock.sleep(Duration::from_millis(50)).await;
                tokio::task::yield_now().await;
            }
        })
    };
    for _ in 0..10 {
        let rotated = blueprint
            .rotate(&graph, "production", &*factory, &mut sink)
            .await
            .unwrap();
        *current.lock().unwrap() = secret_of(&sink);
        let in_use = blueprint
            .retire(&graph, rotated.new, &mut sink)
            .await
            .unwrap_err();
        assert!(in_use.to_string().contains("is in use"), "{in_use}");
        let before = signed_in.load(Ordering::SeqCst);
        while signed_in.load(Ordering::SeqCst) < before + 3 {
            tokio::task::yield_now().await;
        }
        blueprint
            .retire(&graph, rotated.previous.unwrap(), &mut sink)
            .await
            .unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    client.await.unwrap();
    assert!(signed_in.load(Ordering::SeqCst) > 30);
    tenant.set_replication_delay(Duration::ZERO);
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, ["production"]);
}

#[tokio::test]
async fn a_rotation_whose_secret_is_not_accepted_leaves_the_old_one() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    blueprint
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink)
        .await
        .unwrap();
    // Sign-in of another cloud rejects every application.
    let other = FakeTenant::builder().random_seed(9).start().await;
    let factory = Factory(other.cloud());
    let error = blueprint
        .rotate(&graph, "production", &factory, &mut sink)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), entra_graph::ErrorKind::Credential, "{error}");
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, ["production"]);
    assert_eq!(sink.secrets().count(), 1);
}

#[tokio::test]
async fn an_exported_blueprint_has_nothing_to_change() {
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sink = sink(&tenant);
    let applied = everything()
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink)
        .await
        .unwrap();
    tenant.forget_requests();
    let client_id = applied.client_id().parse().unwrap();
    let exported = AppRegistration::export(&graph, client_id).await.unwrap();
    assert_eq!(writes(&tenant), Vec::<String>::new());
    let plan = exported.plan(&graph).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    let yaml = exported.to_yaml().unwrap();
    for text in [
        "https://orders.contoso.com/auth/callback",
        "User.Read.All",
        "Approver",
        "90 days",
        "api://{client-id}",
    ] {
        assert!(yaml.contains(text), "{text}\n{yaml}");
    }
}

#[tokio::test]
async fn destroy_deletes_only_what_the_blueprint_names() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk");
    let same_name = tenant.register_app("Order Desk");
    assert!(!blueprint.destroy(&graph).await.unwrap());
    blueprint
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink(&tenant))
        .await
        .unwrap();
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
async fn reports_name_what_expires_and_what_to_look_at() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk")
        .web_redirect_uri("http://localhost:8080/callback")
        .web_redirect_uri("https://*.contoso.com/callback")
        .allow_public_client_flows(true)
        .secret("short", Lifetime::days(10))
        .secret("long", Lifetime::months(12));
    let applied = blueprint
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink(&tenant))
        .await
        .unwrap();
    let own = async |days: u32, graph: &entra_graph::GraphClient| {
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
    let issues = async |graph: &entra_graph::GraphClient| -> Vec<AuditIssue> {
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

/// Signs with the private key of the fake tenant's test client.
#[derive(Debug)]
struct Signer;

#[async_trait::async_trait]
impl ProofSigner for Signer {
    fn sha1_thumbprint(&self) -> [u8; 20] {
        let der = der(include_str!(
            "../../../../entra-mock/src/keys/client.test-cert.pem"
        ));
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
        digest.as_ref().try_into().unwrap()
    }

    async fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, CredentialError> {
        let der = der(include_str!(
            "../../../../entra-mock/src/keys/client.test-key.pem"
        ));
        let key = aws_lc_rs::rsa::KeyPair::from_pkcs8(&der).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        key.sign(
            &aws_lc_rs::signature::RSA_PKCS1_SHA256,
            &random,
            message,
            &mut signature,
        )
        .unwrap();
        Ok(signature)
    }
}

fn der(pem: &str) -> Vec<u8> {
    use base64::Engine as _;
    let (_, body) = pem.split_once("-----BEGIN").unwrap();
    let (_, body) = body.split_once("-----\n").unwrap();
    let (body, _) = body.split_once("-----END").unwrap();
    let lines: String = body.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD
        .decode(lines)
        .unwrap()
}

#[tokio::test]
async fn a_further_certificate_is_added_with_proof_of_possession() {
    let (tenant, graph) = admin(ENOUGH).await;
    let first = include_str!("../../../../entra-mock/src/keys/client.test-cert.pem");
    let second = include_str!("../../../../entra-mock/src/keys/signing-1.test-cert.pem");
    let one = Certificate::from_pem("first", first).unwrap();
    let other = Certificate::from_pem("second", second).unwrap();
    let blueprint = AppRegistration::new("Order Desk").certificate(one);
    let mut sink = sink(&tenant);
    blueprint
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink)
        .await
        .unwrap();
    let both = blueprint.certificate(other);
    let plan = both.plan(&graph).await.unwrap();
    assert!(
        plan.to_string().contains("needs proof of possession"),
        "{plan}"
    );
    let plan = plan.prove_with(Arc::new(Signer)).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
    assert_eq!(
        outcome(&graph, "Order Desk").await.application["keyCredentials"],
        2
    );
    assert!(both.plan(&graph).await.unwrap().is_empty());
}

#[tokio::test]
async fn fifty_registrations_at_once_succeed_under_replication_delay() {
    let (tenant, graph) = admin(ENOUGH).await;
    tenant.set_replication_delay(Duration::from_secs(10));
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (graph, mut sink) = (graph.clone(), sink(&tenant));
        runs.spawn(async move {
            let blueprint = AppRegistration::new(format!("Desk {number}"))
                .application(["User.Read.All"])
                .grant_admin_consent()
                .secret("production", Lifetime::months(6));
            let plan = blueprint.plan(&graph).await.unwrap();
            let applied = plan.apply(&mut sink).await.unwrap();
            assert_eq!(sink.secrets().count(), 1);
            applied.client_id().to_owned()
        });
    }
    let ids: std::collections::HashSet<String> = runs.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 50);
    tenant.set_replication_delay(Duration::ZERO);
    assert_eq!(outcome(&graph, "Desk 49").await.secrets, ["production"]);
}

/// A sink that fails makes the new secret go away again.
#[derive(Debug)]
struct Broken;

#[async_trait::async_trait]
impl SecretSink for Broken {
    async fn store(
        &mut self,
        _: &entra_graph::registration::SecretSlot,
        _: &entra_graph::NewSecret,
    ) -> Result<(), entra_graph::registration::SinkError> {
        Err("the vault is sealed".into())
    }
}

#[tokio::test]
async fn a_secret_that_the_sink_cannot_store_is_removed() {
    let (_tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let error = blueprint
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut Broken)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the vault is sealed"), "{error}");
    assert_eq!(outcome(&graph, "Order Desk").await.secrets, [] as [&str; 0]);
}
