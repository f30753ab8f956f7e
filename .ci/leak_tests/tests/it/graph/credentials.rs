//! Secrets and certificates of applications, blueprints with their sinks, and the connection test.

use entra_auth::{
    ApplicationCredentialFactory, Certificate, ClientSecretCredential, CredentialOptions,
};
use entra_core::{AccessToken, CredentialMaterial, Timestamp};
use entra_graph::{
    GraphClient, NewApplication, NewCertificate, NewPassword, NewSigningKey,
    connection::ConnectionTest,
    notifications::{DecryptionKey, EncryptionCertificate},
    registration::{AppRegistration, EnvFile, Lifetime, MemorySink, SecretFile, TokenPermissions},
};
use entra_mock::{App, FakeTenant};

use crate::shown::{Shown, canary, canary_text};

pub(super) async fn cases(shown: &Shown) {
    let tenant = FakeTenant::builder().random_seed(3).start().await;
    let setup = tenant
        .register_app("Setup")
        .application_permission("Application.ReadWrite.All")
        .application_permission("User.Read.All")
        .with_secret();
    shown.secret(setup.secret().expose_secret());
    let graph = client(&tenant, &setup);
    keys(shown, &tenant, &graph).await;
    blueprint(shown, &graph).await;
    connection(shown, &tenant, &setup).await;
}

fn client(tenant: &FakeTenant, app: &App) -> GraphClient {
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}

async fn keys(shown: &Shown, tenant: &FakeTenant, graph: &GraphClient) {
    let created = graph.applications().create(NewApplication::new("Shop"));
    let created = created.send().await.unwrap();
    let application = graph.application(&created.id);
    let password = NewPassword::named("production");
    shown.debug(&password);
    let request = application.add_password(password);
    shown.debug(&request);
    let secret = request.send().await.unwrap();
    shown.secret(secret.value().expose_secret());
    shown.debug(&secret);
    shown.debug(secret.credential());

    // A private key in the place of a certificate.
    let pem = tenant.test_certificate_pem();
    let own = Certificate::from_pem(&pem).unwrap();
    shown.error(&NewCertificate::from_der(canary_text("key")).unwrap_err());
    shown.error(&EncryptionCertificate::from_der("a", canary_text("key")).unwrap_err());
    shown.error(&DecryptionKey::from_pkcs8("a", canary_text("key")).unwrap_err());
    let private: String = pem
        .lines()
        .skip_while(|line| !line.contains("PRIVATE"))
        .collect();
    let private = private.split("-----").nth(2).unwrap();
    shown.secret(&private[100..164]);
    let certificate = NewCertificate::from_pem(&pem).unwrap();
    shown.debug(&certificate);
    shown.debug(&application.add_key(certificate, &own));
    shown.debug(&EncryptionCertificate::from_pem("a", &pem).unwrap());
    shown.debug(&DecryptionKey::from_pem("a", &pem).unwrap());
    let pfx = NewSigningKey::from_pfx(canary_text("pfx"), canary("pfx-password"));
    shown.debug(&pfx);
}

async fn blueprint(shown: &Shown, graph: &GraphClient) {
    let blueprint = AppRegistration::new("Orders").secret("production", Lifetime::longest());
    shown.debug(&blueprint);
    shown.debug(&blueprint.guide());
    let elsewhere = blueprint
        .clone()
        .directory(canary_text("in-place-of-a-directory"));
    shown.debug(&elsewhere);
    shown.debug(&elsewhere.guide());
    let stopped = elsewhere.plan(graph).await.unwrap();
    assert_eq!(stopped.stops().count(), 1);
    shown.display(&stopped);
    let plan = blueprint.plan(graph).await.unwrap();
    shown.display(&plan);
    let mut sink = MemorySink::new();
    let applied = plan.apply(&mut sink).await.unwrap();
    for (slot, secret) in sink.secrets() {
        shown.debug(slot);
        shown.secret(secret.value().expose_secret());
    }
    assert_eq!(sink.secrets().count(), 1);
    shown.debug(&applied);
    shown.debug(&sink);
    shown.debug(sink.ids().unwrap());
    shown.debug(&EnvFile::new("settings.env"));
    shown.debug(&SecretFile::new("secrets.json"));
    // `{"roles":["User.Read.All"]}`, and a signature.
    let token = format!(
        "e30.eyJyb2xlcyI6WyJVc2VyLlJlYWQuQWxsIl19.{}",
        canary_text("signature")
    );
    let token = AccessToken::new(token, Timestamp::UNIX_EPOCH);
    shown.display(&TokenPermissions::of(&token).unwrap());
}

/// A test with a wrong secret, which says much about it.
async fn connection(shown: &Shown, tenant: &FakeTenant, app: &App) {
    let options = CredentialOptions::new()
        .cloud(tenant.cloud())
        .clock(tenant.clock());
    let factory = ApplicationCredentialFactory::new(&options);
    let material = CredentialMaterial::Secret(canary("connection-secret"));
    let test = ConnectionTest::of(tenant.id().to_string(), app.client_id().to_string())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .signs_in_with(material, factory)
        .needs(["User.Read.All"]);
    shown.debug(&test);
    report(shown, test).await;

    // A secret in the place of an id, before anything is validated.
    let factory = ApplicationCredentialFactory::new(&options);
    let material = CredentialMaterial::Secret(canary("connection-secret"));
    for (in_tenant, in_client) in [(true, true), (true, false), (false, true)] {
        let test = ConnectionTest::of(
            match in_tenant {
                true => canary_text("in-place-of-a-tenant"),
                false => tenant.id().to_string(),
            },
            match in_client {
                true => canary_text("in-place-of-a-client-id"),
                false => app.client_id().to_string(),
            },
        )
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .signs_in_with(material.clone(), factory.clone());
        shown.debug(&test);
        report(shown, test).await;
    }
    let test = ConnectionTest::of(tenant.id().to_string(), app.client_id().to_string())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .signs_in_with(CredentialMaterial::Secret(app.secret()), factory)
        .calls_api(canary_text("in-place-of-an-api"));
    shown.debug(&test);
    report(shown, test).await;
}

async fn report(shown: &Shown, test: ConnectionTest) {
    let report = test.run().await;
    shown.display(&report);
    let json = serde_json::to_string(&report).unwrap();
    shown.check_text("the JSON of a report", &json);
    for finding in &report.findings {
        shown.display(finding);
    }
}
