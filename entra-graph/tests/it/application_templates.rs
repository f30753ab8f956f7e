//! The application gallery against the fake tenant.

use entra_graph::{ApplicationTemplate, GraphClient, ServicePrincipal};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

async fn graph(permission: Option<&str>) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let mut app = tenant.register_app("Gallery");
    if let Some(permission) = permission {
        app = app.application_permission(permission);
    }
    let credential = AppCredential::new(&tenant, &app.with_secret());
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    (tenant, graph)
}

#[tokio::test]
async fn the_gallery_is_listed_without_a_permission() {
    let (_tenant, graph) = graph(None).await;
    let named = ApplicationTemplate::DISPLAY_NAME.contains("SAML");
    let found = graph.application_templates().list().filter(named).items();
    let found: Vec<ApplicationTemplate> = found.try_collect().await.unwrap();
    assert_eq!(found.len(), 1);
    let in_category = ApplicationTemplate::CATEGORIES.any(|category| category.contains("crm"));
    let found = graph
        .application_templates()
        .list()
        .filter(in_category)
        .items();
    assert_eq!(found.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    let custom = graph.application_template(ApplicationTemplate::NOT_IN_GALLERY);
    let custom = custom.get().send().await.unwrap();
    let modes = custom.supported_single_sign_on_modes.unwrap();
    assert!(modes.contains(&"saml".to_owned()));
    let error = graph
        .application_template(ApplicationTemplate::NOT_IN_GALLERY)
        .instantiate("Desk")
        .send()
        .await
        .unwrap_err();
    assert!(format!("{error:#}").contains("Application.ReadWrite.OwnedBy"));
}

#[tokio::test]
async fn an_application_of_the_gallery_is_added_with_its_service_principal() {
    let (_tenant, graph) = graph(Some("Application.ReadWrite.All")).await;
    let template = graph.application_template(ApplicationTemplate::NOT_IN_GALLERY);
    let added = template.instantiate("Travel").send().await.unwrap();
    assert_eq!(added.application.display_name.as_deref(), Some("Travel"));
    assert_eq!(added.service_principal.app_id, added.application.app_id);
    let certificate = graph
        .service_principal(&added.service_principal.id)
        .add_token_signing_certificate("CN=Travel", None)
        .send()
        .await
        .unwrap();
    let principal = graph.service_principal(&added.service_principal.id);
    principal
        .update()
        .set(ServicePrincipal::PREFERRED_SINGLE_SIGN_ON_MODE, "saml")
        .set(
            ServicePrincipal::PREFERRED_TOKEN_SIGNING_KEY_THUMBPRINT,
            certificate.thumbprint.clone().unwrap(),
        )
        .send()
        .await
        .unwrap();
    let read = principal.get().send().await.unwrap();
    assert_eq!(
        read.preferred_token_signing_key_thumbprint,
        certificate.thumbprint
    );
    assert_eq!(read.key_credentials.unwrap().len(), 2);
}
