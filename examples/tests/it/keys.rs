//! A certificate of entra-auth proves possession to Graph.

use entra_auth::{Certificate, ClientSecretCredential, SelfSignedCertificate};
use entra_graph::{Application, GraphClient, NewApplication, NewCertificate};
use entra_mock::FakeTenant;

#[tokio::test]
async fn a_certificate_of_entra_auth_proves_the_next_one() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Registrar")
        .application_permission("Application.ReadWrite.All")
        .with_secret();
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock());
    let graph = graph.build().unwrap();
    let created = graph.applications().create(NewApplication::new("Shop"));
    let created = created.send().await.unwrap();
    let one = graph.application(&created.id);

    let make = |name: &str| {
        let certificate = SelfSignedCertificate::rsa(name).valid_for_days(30);
        certificate.clock(tenant.clock()).generate().unwrap()
    };
    let (first, second, stranger): (Certificate, Certificate, Certificate) =
        (make("CN=first"), make("CN=second"), make("CN=stranger"));
    let public =
        |certificate: &Certificate| NewCertificate::from_der(certificate.public_der()).unwrap();
    one.upload_first_certificate(public(&first)).await.unwrap();
    let forged = one.add_key(public(&stranger), &stranger).send().await;
    assert_eq!(
        forged.unwrap_err().status().map(|status| status.as_u16()),
        Some(401)
    );
    one.add_key(public(&second), &first).send().await.unwrap();

    let read = one.get().select(Application::KEY_CREDENTIALS);
    let keys = read.send().await.unwrap().key_credentials.unwrap();
    assert_eq!(keys.len(), 2);
    let old = keys
        .iter()
        .find(|key| key.display_name.as_deref() == Some("CN=first"));
    let id = old.and_then(|key| key.key_id.clone()).unwrap();
    one.remove_key(id.parse().unwrap(), &second)
        .send()
        .await
        .unwrap();
}
