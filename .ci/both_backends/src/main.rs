//! Signs and validates JWTs in both crates while both backends of jsonwebtoken are enabled and none
//! is chosen: whatever uses the provider of the process panics here.

use entra_auth::{ClientCertificateCredential, SelfSignedCertificate, TokenValidator, workload_identity::ClientAssertionCredential};
use entra_core::{Secret, TokenCredential, TokenRequest};
use entra_graph::GraphClient;
use entra_mock::FakeTenant;
use jsonwebtoken::{EncodingKey, Header};

const ISSUER: &str = "https://tokens.example.com";
const SUBJECT: &str = "system:serviceaccount:shop:night-job";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Without this the check would prove nothing.
    let key = EncodingKey::from_secret(b"secret")?;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let undecided = std::panic::catch_unwind(|| jsonwebtoken::encode(&Header::default(), &["claim"], &key));
    std::panic::set_hook(hook);
    assert!(undecided.is_err(), "both backends must be enabled, so that jsonwebtoken cannot choose");

    // entra-auth signs an assertion; entra-mock verifies it, signs a token and verifies that at Graph.
    let tenant = FakeTenant::start().await;
    let certificate = SelfSignedCertificate::rsa("CN=both backends").generate()?;
    let app = tenant.register_app("Both backends").application_permission("User.Read.All").with_certificate(certificate.public_pem());
    for rs256 in [false, true] {
        let builder = ClientCertificateCredential::builder(tenant.id(), app.client_id(), certificate.clone());
        let builder = if rs256 { builder.rs256() } else { builder };
        let credential = builder.cloud(tenant.cloud()).clock(tenant.clock()).build()?;
        let graph = GraphClient::builder(credential).cloud(tenant.cloud()).clock(tenant.clock()).build()?;
        let users = graph.users().list().items().try_collect::<Vec<_>>().await?;
        println!("both backends enabled: {} users read with a certificate", users.len());
    }

    // entra-mock signs and verifies a federated token.
    let federated = tenant.register_app("Federated").with_federated_credential(ISSUER, SUBJECT);
    let token = Secret::from(tenant.federated_token(ISSUER, SUBJECT));
    let credential = ClientAssertionCredential::from_fn(tenant.id(), federated.client_id(), move |_| {
        let token = token.clone();
        async move { Ok(token) }
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .build()?;
    credential.token(&TokenRequest::new([tenant.cloud().graph_scope()])).await?;
    println!("both backends enabled: signed in with a federated token");

    // entra-auth verifies an access token, and rejects it when one character of it is another.
    let api = tenant.register_app("Tasks").expose_scope("Tasks.Read");
    let board = tenant.register_app("Board").delegated_permission_of(&api, "Tasks.Read").with_secret();
    let scope = format!("api://{}/Tasks.Read", api.client_id());
    let sent = tenant.tokens_for(&board, "adele@contoso.com", [scope]).access_token().clone();
    let validator = TokenValidator::access_tokens(tenant.id(), [format!("api://{}", api.client_id())])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    validator.validate(sent.expose_secret()).await?;
    let (message, signature) = sent.expose_secret().rsplit_once('.').ok_or("a JWT")?;
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{message}.{first}{}", &signature[1..]);
    assert!(validator.validate(&forged).await.is_err(), "a changed signature must not validate");
    println!("both backends enabled: an access token validated");
    Ok(())
}
