//! The tenant's own areas: organization and subscribed SKUs.

use entra_core::ScriptedTransport;
use entra_graph::{GraphClient, Organization, SubscribedSku, types::PrivacyProfile};
use entra_mock::FakeTenant;

use crate::{
    scripts::{client, requested},
    support::{AppCredential, start},
};

#[tokio::test]
async fn notification_addresses_of_the_organization_are_updated() {
    let tenant = FakeTenant::start().await;
    let graph = |permission| {
        let app = tenant.register_app("Desk");
        let app = app.application_permission(permission).with_secret();
        let builder = GraphClient::builder(AppCredential::new(&tenant, &app));
        let builder = builder.cloud(tenant.cloud()).clock(tenant.clock());
        builder.build().unwrap()
    };
    let update = |graph: &GraphClient| {
        graph
            .organization_by_id(tenant.id().to_string())
            .update()
            .set(
                Organization::TECHNICAL_NOTIFICATION_MAILS,
                ["tech@contoso.com"],
            )
            .set(
                Organization::PRIVACY_PROFILE,
                PrivacyProfile::default().contact_email("privacy@contoso.com"),
            )
    };
    let writer = graph("Organization.ReadWrite.All");
    update(&writer).send().await.unwrap();
    let page = writer.organization().list().send().await.unwrap();
    let mails = page.items[0].technical_notification_mails.as_deref();
    assert_eq!(mails, Some(&["tech@contoso.com".to_owned()][..]));
    let reader = graph("Organization.Read.All");
    let error = update(&reader).send().await.unwrap_err();
    assert_eq!(error.needed_permissions(), ["Organization.ReadWrite.All"]);
}

#[tokio::test]
async fn the_organization_and_its_licences_are_read() {
    let (tenant, credential) = start().await;
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let page = graph.organization().list().send().await.unwrap();
    assert!(page.is_last());
    let [organization] = page.items.as_slice() else {
        panic!("{} organizations", page.items.len());
    };
    assert_eq!(organization.id, tenant.id().to_string());
    let domains = organization.verified_domains.as_deref().unwrap();
    assert!(
        domains
            .iter()
            .any(|domain| domain.name == Some(tenant.domain()))
    );
    let by_id = graph.organization_by_id(&organization.id);
    let by_id = by_id.get().send().await.unwrap();
    assert_eq!(by_id.verified_domains, organization.verified_domains);

    let skus = graph.subscribed_skus().list().items();
    let skus = skus.try_collect::<Vec<_>>().await.unwrap();
    assert!(!skus.is_empty());
    let units = skus[0].prepaid_units.as_deref().unwrap();
    assert!(skus[0].consumed_units <= units.enabled);
    let one = graph.subscribed_sku(&skus[0].id);
    assert_eq!(one.get().send().await.unwrap().sku_id, skus[0].sku_id);
}

#[tokio::test]
async fn organization_and_skus_are_neither_paged_nor_counted() {
    let script = ScriptedTransport::new()
        .then(200, &[], r#"{"value":[]}"#)
        .then(200, &[], r#"{"value":[]}"#)
        .then(200, &[], r#"{"value":[]}"#);
    let graph = client(script.clone());
    graph.organization().list().send().await.unwrap();
    let names = graph
        .organization()
        .list()
        .select(Organization::DISPLAY_NAME);
    names.send().await.unwrap();
    let parts = graph.subscribed_skus().list();
    let parts = parts.select(SubscribedSku::SKU_PART_NUMBER);
    parts.send().await.unwrap();
    assert_eq!(
        requested(&script),
        [
            "/organization",
            "/organization?$select=id,displayName",
            "/subscribedSkus?$select=id,skuPartNumber"
        ]
    );
}

#[cfg(feature = "tenant-relationships")]
#[tokio::test]
async fn the_public_information_of_a_tenant_is_found_by_id_and_by_domain() {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Lookup")
        .application_permission("CrossTenantInformation.ReadBasic.All")
        .with_secret();
    let builder = GraphClient::builder(AppCredential::new(&tenant, &app)).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    let id = tenant.id().to_string();
    let by_id = graph.tenant_information(&id);
    let found = by_id.send().await.unwrap();
    assert_eq!(found.tenant_id, Some(id));
    let by_domain = graph.tenant_information_by_domain(&tenant.domain());
    let same = by_domain.send().await.unwrap();
    assert_eq!(same.display_name, found.display_name);
    let other = graph.tenant_information_by_domain("o'neil.example");
    assert_eq!(other.send_opt().await.unwrap(), None);
}
