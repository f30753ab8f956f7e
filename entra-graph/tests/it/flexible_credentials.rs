//! Flexible federated identity credentials of beta against the fake tenant.

use entra_core::{TokenCredential as _, TokenRequest};
use entra_graph::{
    GraphClient, Key, NewFlexibleFederatedIdentityCredential, beta,
    types::FederatedIdentityExpression,
};
use entra_mock::FakeTenant;
use serde_json::json;

use crate::support::AppCredential;

const ISSUER: &str = "https://token.actions.githubusercontent.com";

async fn graph() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Registrar");
    let app = app.application_permission("Application.ReadWrite.All");
    let credential = AppCredential::new(&tenant, &app.with_secret());
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    (tenant, graph)
}

#[tokio::test]
async fn tokens_whose_claims_match_the_expression_sign_in() {
    let (tenant, graph) = graph().await;
    let app = tenant.register_app("Deploy");
    let one = graph.application(app.client_id());
    let expression = FederatedIdentityExpression::matches("sub", "repo:contoso/shop:*").and(
        FederatedIdentityExpression::equals("job_workflow_ref", "contoso/deploy"),
    );
    let new = NewFlexibleFederatedIdentityCredential::new("shop", ISSUER, expression.clone());
    let all = one.beta_federated_identity_credentials();
    let created = all.create(new.clone()).send().await.unwrap();
    assert_eq!(created.subject, None);
    let by_name = one.beta_federated_identity_credential(Key::name("shop"));
    let read = by_name.get().send().await.unwrap();
    assert_eq!(
        read.claims_matching_expression.as_deref(),
        Some(&expression)
    );

    let request = TokenRequest::new([tenant.cloud().graph_scope()]);
    for (subject, workflow, accepted) in [
        (
            "repo:contoso/shop:ref:refs/heads/main",
            "contoso/deploy",
            true,
        ),
        ("repo:contoso/shop:pull_request", "contoso/deploy", true),
        (
            "repo:contoso/other:ref:refs/heads/main",
            "contoso/deploy",
            false,
        ),
        ("repo:contoso/shop:pull_request", "contoso/build", false),
    ] {
        let claims = json!({ "job_workflow_ref": workflow });
        let assertion = tenant.federated_token_with(ISSUER, subject, claims);
        let credential = AppCredential::with_assertion(&tenant, &app, &assertion);
        let result = credential.token(&request).await;
        assert_eq!(result.is_ok(), accepted, "{subject} {workflow}");
    }

    let upserted = by_name.upsert(new).send().await.unwrap();
    assert!(upserted.is_none(), "it exists");
    let update = by_name
        .update()
        .set(beta::FederatedIdentityCredential::DESCRIPTION, "The shop");
    update.send().await.unwrap();
    let listed = all.list().items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(listed[0].description.as_deref(), Some("The shop"));
    // v1.0 shows the credential without its expression.
    let plain = one.federated_identity_credential(&created.id);
    let plain = plain.get().send().await.unwrap();
    assert_eq!(plain.subject, None);
    assert!(plain.additional().get("claimsMatchingExpression").is_none());
    by_name.delete().send().await.unwrap();
    assert!(by_name.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn an_expression_for_another_issuer_is_rejected() {
    let (tenant, graph) = graph().await;
    let app = tenant.register_app("Deploy");
    let new = NewFlexibleFederatedIdentityCredential::new(
        "shop",
        "https://issuer.example",
        FederatedIdentityExpression::equals("sub", "x"),
    );
    let created = graph
        .application(app.client_id())
        .beta_federated_identity_credentials()
        .create(new)
        .send()
        .await;
    let error = created.unwrap_err();
    assert_eq!(error.code(), Some("Request_BadRequest"));
}
