//! Signs in with a certificate while both backends of jsonwebtoken are enabled and none is chosen.

use entra_auth::{ClientCertificateCredential, SelfSigned};
use entra_graph::GraphClient;
use entra_mock::FakeTenant;
use jsonwebtoken::{EncodingKey, Header};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Without this the check would prove nothing.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let undecided = std::panic::catch_unwind(|| jsonwebtoken::encode(&Header::default(), &["claim"], &EncodingKey::from_secret(b"x")));
    std::panic::set_hook(hook);
    assert!(undecided.is_err(), "both backends were to be enabled, so that jsonwebtoken cannot choose");

    let tenant = FakeTenant::start().await;
    let certificate = SelfSigned::rsa("CN=both backends").generate()?;
    let app = tenant.register_app("Both backends").application_permission("User.Read.All").with_certificate(certificate.public_pem());
    let credential = ClientCertificateCredential::builder(tenant.id(), app.client_id(), certificate)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()?;
    let graph = GraphClient::builder(credential).cloud(tenant.cloud()).clock(tenant.clock()).build()?;
    let users = graph.users().list().items().collect_all().await?;
    println!("both backends enabled: {} users read with a certificate", users.len());
    Ok(())
}
