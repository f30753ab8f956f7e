//! A run that is killed at any request.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use entra_core::{Clock as _, HttpTransport, ReqwestTransport, TransportError, bytes::Bytes, http};
use entra_graph::{
    ApplicationTemplate, GraphClient, Key,
    registration::{AppRegistration, Certificate, EnvFile, Lifetime, SecretSink},
};
use entra_mock::FakeTenant;
use tokio::sync::Notify;
use wiremock::{Mock, ResponseTemplate, matchers::path_regex};

use super::{ENOUGH, Outcome, Shared, everything, graph_of, outcome, sink, token};

/// Lets some requests through, and hangs at the next one: before it is sent, or after it was processed.
#[derive(Debug)]
struct HangsAt {
    transport: ReqwestTransport,
    left: AtomicUsize,
    processed: bool,
    reached: Shared<Option<()>>,
    hung: std::sync::Arc<Notify>,
}

#[async_trait::async_trait]
impl HttpTransport for HangsAt {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        if left.is_ok() {
            return self.transport.send(request).await;
        }
        if self.processed {
            let _ = self.transport.send(request).await;
        }
        *self.reached.lock().unwrap() = Some(());
        self.hung.notify_one();
        std::future::pending().await
    }
}

/// Runs a blueprint and kills it at request `number`; whether it was reached.
async fn killed_at(
    blueprint: &AppRegistration,
    tenant: &FakeTenant,
    sink: &mut dyn SecretSink,
    number: usize,
    processed: bool,
) -> bool {
    let run = async |graph: &GraphClient| {
        let plan = blueprint.plan(graph).await.unwrap();
        plan.apply(sink).await.unwrap();
    };
    killed(tenant, number, processed, run).await
}

/// Runs something and kills it at request `number`; whether it was reached.
pub(super) async fn killed(
    tenant: &FakeTenant,
    number: usize,
    processed: bool,
    run: impl AsyncFnOnce(&GraphClient),
) -> bool {
    let hung = std::sync::Arc::new(Notify::new());
    let reached = Shared::new(Mutex::new(None));
    let transport = HangsAt {
        transport: ReqwestTransport::builder().build(),
        left: AtomicUsize::new(number),
        processed,
        reached: std::sync::Arc::clone(&reached),
        hung: std::sync::Arc::clone(&hung),
    };
    let graph = GraphClient::builder(token(tenant, ENOUGH).await)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .transport(transport)
        .build()
        .unwrap();
    tokio::select! {
        () = run(&graph) => {}
        () = hung.notified() => {}
    }
    let reached = reached.lock().unwrap();
    reached.is_some()
}

/// The methods of the requests of an uninterrupted run, and what it ends in.
async fn uninterrupted(blueprint: &AppRegistration) -> (Vec<String>, Outcome) {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, ENOUGH).await;
    tenant.forget_requests();
    let plan = blueprint.plan(&graph).await.unwrap();
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let requests = tenant.requests().within("/v1.0/");
    let methods = requests.iter().map(|request| request.method.clone());
    (methods.collect(), outcome(&graph, blueprint.name()).await)
}

async fn kill_and_complete(
    blueprint: &AppRegistration,
    number: usize,
    processed: bool,
    expected: &Outcome,
) {
    let tenant = FakeTenant::start().await;
    let mut sink = sink(&tenant);
    let reached = killed_at(blueprint, &tenant, &mut sink, number, processed).await;
    assert!(reached, "request {number} is not sent");
    let graph = graph_of(&tenant, ENOUGH).await;
    let plan = blueprint.plan(&graph).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
    let outcome = outcome(&graph, blueprint.name()).await;
    assert_eq!(outcome, *expected, "killed at request {number}");
    assert_eq!(
        sink.secrets().count(),
        expected.secrets.len(),
        "killed at request {number}"
    );
    let again = blueprint.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "killed at request {number}: {again}");
}

async fn kill_after_each_request(blueprint: &AppRegistration) -> usize {
    let (methods, expected) = uninterrupted(blueprint).await;
    for number in 0..methods.len() {
        kill_and_complete(blueprint, number, true, &expected).await;
    }
    methods.len()
}

#[tokio::test]
async fn a_run_killed_after_any_request_is_completed_by_the_next() {
    let requests = kill_after_each_request(&everything()).await;
    assert!(requests > 40, "only {requests} requests");
}

#[tokio::test]
async fn a_run_from_the_gallery_killed_after_any_request_is_completed_by_the_next() {
    let blueprint = AppRegistration::new("Expense Desk")
        .gallery_template(ApplicationTemplate::NOT_IN_GALLERY)
        .assignment_required(false)
        .secret("provisioning", Lifetime::months(6));
    kill_after_each_request(&blueprint).await;
}

/// Between two reads nothing changes, so before a read is the same as after the request before it.
#[tokio::test]
async fn a_run_killed_around_any_write_is_completed_by_the_next() {
    let blueprint = everything();
    let (methods, expected) = uninterrupted(&blueprint).await;
    let is_write = |number: usize| methods.get(number).is_some_and(|method| method != "GET");
    for number in
        (0..methods.len()).filter(|n| is_write(*n) || n.checked_sub(1).is_some_and(is_write))
    {
        kill_and_complete(&blueprint, number, false, &expected).await;
    }
}

#[tokio::test]
async fn the_blueprint_of_each_example_killed_after_any_write_is_completed_by_the_next() {
    let pem = include_str!("../../../../entra-mock/src/keys/client.test-cert.pem");
    for text in OF_EXAMPLES {
        let mut blueprint = AppRegistration::from_yaml(text).unwrap();
        if blueprint.name() == "Inventory Client" {
            // Each installation makes its own.
            blueprint = blueprint.certificate(Certificate::from_pem("first", pem).unwrap());
        }
        let (methods, expected) = uninterrupted(&blueprint).await;
        let writes = (0..methods.len()).filter(|number| methods[*number] != "GET");
        let writes: Vec<usize> = writes.collect();
        assert!(writes.len() > 2, "{}: {writes:?}", blueprint.name());
        for number in writes {
            kill_and_complete(&blueprint, number, true, &expected).await;
        }
    }
}

/// The next run is another process, which knows only what the file holds.
#[tokio::test]
async fn a_run_with_a_file_killed_around_any_write_is_completed_by_another_process() {
    let blueprint = AppRegistration::new("Order Desk")
        .application(["User.Read.All"])
        .grant_admin_consent()
        .secret("production", Lifetime::months(6));
    let (methods, expected) = uninterrupted(&blueprint).await;
    for number in (0..methods.len()).filter(|number| methods[*number] != "GET") {
        for processed in [true, false] {
            let tenant = FakeTenant::start().await;
            let name = format!("entra-killed-{}-{number}-{processed}.env", tenant.id());
            let path = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
            let file = || EnvFile::new(&path).clock(tenant.clock());
            let reached = killed_at(&blueprint, &tenant, &mut file(), number, processed).await;
            assert!(reached, "request {number} is not sent");
            let graph = graph_of(&tenant, ENOUGH).await;
            let plan = blueprint.plan(&graph).await.unwrap();
            plan.apply(&mut file()).await.unwrap();
            let outcome = outcome(&graph, "Order Desk").await;
            let case = format!("killed at request {number}, processed: {processed}");
            assert_eq!(outcome, expected, "{case}");
            // The value in the file is that of the only secret.
            let application = graph.application(Key::unique_name("order-desk")).get();
            let application = application.send().await.unwrap();
            let secrets = application.password_credentials.unwrap();
            let hint = secrets[0].hint.as_deref().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let value = format!("AZURE_CLIENT_SECRET={hint}");
            assert_eq!(text.matches("AZURE_CLIENT_SECRET=").count(), 1, "{case}");
            assert!(text.lines().any(|line| line.starts_with(&value)), "{case}");
            std::fs::remove_file(&path).unwrap();
        }
    }
}

/// The run that removed a lost secret may not have told the sink: the next one finds nothing to remove.
#[tokio::test]
async fn a_lost_secret_that_another_run_removed_is_not_an_error() {
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let tenant = FakeTenant::start().await;
    let mut sink = sink(&tenant);
    let (methods, _) = uninterrupted(&blueprint).await;
    // The last write adds the secret.
    let number = methods.iter().rposition(|method| method != "GET").unwrap();
    assert!(killed_at(&blueprint, &tenant, &mut sink, number, true).await);
    let gone = serde_json::json!({
        "error": {"code": "Request_BadRequest", "message": "No credentials found to be removed."}
    });
    let gone = ResponseTemplate::new(400).set_body_json(gone);
    tenant
        .mount(Mock::given(path_regex("/removePassword$")).respond_with(gone))
        .await;
    let graph = graph_of(&tenant, ENOUGH).await;
    let plan = blueprint.plan(&graph).await.unwrap();
    plan.apply(&mut sink).await.unwrap();
    assert_eq!(sink.secrets().count(), 1);
}

/// A lost secret that is listed is certain, so nothing is waited for.
#[tokio::test]
async fn a_lost_secret_is_replaced_at_once() {
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let tenant = FakeTenant::start().await;
    let mut sink = sink(&tenant);
    let (methods, _) = uninterrupted(&blueprint).await;
    // The last write adds the secret.
    let number = methods.iter().rposition(|method| method != "GET").unwrap();
    assert!(killed_at(&blueprint, &tenant, &mut sink, number, true).await);
    let graph = graph_of(&tenant, ENOUGH).await;
    let start = tenant.clock().now();
    let plan = blueprint.plan_with(&graph, &mut sink).await.unwrap();
    assert!(plan.to_string().contains("whose value was lost"), "{plan}");
    plan.apply(&mut sink).await.unwrap();
    let took = tenant.clock().now() - start;
    assert!(took.whole_seconds() < 60, "{took}");
    assert_eq!(sink.secrets().count(), 1);
    let outcome = outcome(&graph, "Order Desk").await;
    assert_eq!(outcome.secrets, ["production"]);
}

const OF_EXAMPLES: [&str; 8] = [
    include_str!("../../../../examples/certificate_client/blueprint.yaml"),
    include_str!("../../../../examples/multi_idp_login/blueprint.yaml"),
    include_str!("../../../../examples/multi_idp_login/contacts.yaml"),
    include_str!("../../../../examples/saas_usage/administrator.yaml"),
    include_str!("../../../../examples/saas_usage/blueprint.yaml"),
    include_str!("../../../../examples/sso_group_gate/blueprint.yaml"),
    include_str!("../../../../examples/user_lookup/blueprint.yaml"),
    include_str!("../../../../examples/user_lookup/sign-in.yaml"),
];
