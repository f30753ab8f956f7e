//! Domains against the fake tenant, from create to delete.

use entra_graph::{
    DirectoryObject, Domain, GraphClient, InternalDomainFederation, NewDomain,
    NewInternalDomainFederation, User,
    types::{FederatedIdpMfaBehavior, PreferredAuthenticationProtocol},
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

async fn graph(permissions: &[&str]) -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Registrar").with_secret();
    for permission in permissions {
        app.application_permission(permission);
    }
    let graph = GraphClient::builder(AppCredential::new(&tenant, &app));
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock());
    (tenant, graph.build().unwrap())
}

const ALL: &[&str] = &[
    "Domain.ReadWrite.All",
    "Directory.Read.All",
    "User.ReadWrite.All",
];

#[tokio::test]
async fn a_domain_is_created_verified_used_and_deleted() {
    let (tenant, graph) = graph(ALL).await;
    let new = NewDomain::new("fabrikam.com");
    let created = graph.domains().create(new).send().await.unwrap();
    assert_eq!(
        (created.id.as_str(), created.is_verified),
        ("fabrikam.com", Some(false))
    );
    let domain = graph.domain("fabrikam.com");
    let records = domain
        .verification_dns_records()
        .list()
        .send()
        .await
        .unwrap();
    let texts = records
        .items
        .iter()
        .filter_map(|record| record.text.as_deref());
    assert_eq!(texts.filter(|text| text.starts_with("MS=ms")).count(), 1);

    tenant.hide_dns_records("fabrikam.com");
    let error = domain.verify().send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    tenant.publish_dns_records("fabrikam.com");
    let verified = domain.verify().send().await.unwrap();
    assert_eq!(
        verified.availability_status.as_deref(),
        Some("AvailableImmediately")
    );

    domain
        .update()
        .set(Domain::SUPPORTED_SERVICES, ["Email"])
        .send()
        .await
        .unwrap();
    let records = domain.service_configuration_records().list().items();
    let records = records.try_collect::<Vec<_>>().await.unwrap();
    let exchange = records
        .iter()
        .find_map(|record| record.mail_exchange.as_deref());
    assert_eq!(exchange, Some("fabrikam-com.mail.protection.outlook.com"));

    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    let rename = graph
        .user(&adele.id)
        .update()
        .set(User::USER_PRINCIPAL_NAME, "adele@fabrikam.com");
    rename.send().await.unwrap();
    let error = domain.delete().send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    let references = domain.domain_name_references().list().items();
    let references = references.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(
        references
            .iter()
            .map(DirectoryObject::id)
            .collect::<Vec<_>>(),
        [&adele.id]
    );
    let rename = graph
        .user(&adele.id)
        .update()
        .set(User::USER_PRINCIPAL_NAME, "adele@contoso.com");
    rename.send().await.unwrap();
    domain.delete().send().await.unwrap();
    assert!(domain.get_opt().await.unwrap().is_none());
    let names = graph
        .domains()
        .list()
        .select((Domain::ID, Domain::IS_INITIAL));
    let names = names.items().try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(
        names
            .iter()
            .filter(|domain| domain.is_initial == Some(true))
            .count(),
        1
    );
}

#[tokio::test]
async fn the_federation_of_a_domain_is_created_changed_and_deleted() {
    let (_tenant, graph) = graph(ALL).await;
    graph
        .domains()
        .create(NewDomain::new("fabrikam.com"))
        .send()
        .await
        .unwrap();
    let domain = graph.domain("fabrikam.com");
    domain.verify().send().await.unwrap();
    let new = NewInternalDomainFederation::new(
        "http://fabrikam.com/adfs/services/trust",
        "https://sts.fabrikam.com/adfs/ls",
    );
    let create = domain.federation_configurations().create(new).set(
        InternalDomainFederation::PREFERRED_AUTHENTICATION_PROTOCOL,
        PreferredAuthenticationProtocol::WsFed,
    );
    let created = create.send().await.unwrap();
    let read = domain.get().send().await.unwrap();
    assert_eq!(read.authentication_type.as_deref(), Some("Federated"));

    let one = domain.federation_configuration(&created.id);
    let behavior = FederatedIdpMfaBehavior::EnforceMfaByFederatedIdp;
    let update = one.update().set(
        InternalDomainFederation::FEDERATED_IDP_MFA_BEHAVIOR,
        behavior.clone(),
    );
    update.send().await.unwrap();
    assert_eq!(
        one.get().send().await.unwrap().federated_idp_mfa_behavior,
        Some(behavior)
    );
    one.delete().send().await.unwrap();
    assert!(one.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn a_domain_that_is_not_federated_has_no_federation_to_list() {
    let (_tenant, graph) = graph(&["Domain-InternalFederation.Read.All"]).await;
    let list = graph
        .domain("contoso.com")
        .federation_configurations()
        .list();
    assert!(list.send().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_missing_permission_for_domains_is_named() {
    let (_tenant, graph) = graph(&["Domain.Read.All"]).await;
    assert!(
        !graph
            .domains()
            .list()
            .send()
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let error = graph
        .domain("contoso.com")
        .verify()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.needed_permissions(), ["Domain.ReadWrite.All"]);
    let create = graph.domains().create(NewDomain::new("fabrikam.com"));
    let error = create.send().await.unwrap_err();
    assert_eq!(error.needed_permissions(), ["Domain.ReadWrite.All"]);
}

#[tokio::test]
async fn a_subdomain_is_promoted_to_a_root_domain_once() {
    let (_tenant, graph) = graph(ALL).await;
    let new = NewDomain::new("sales.contoso.com");
    let created = graph.domains().create(new).send().await.unwrap();
    assert_eq!(
        (created.is_verified, created.is_root),
        (Some(true), Some(false))
    );
    let domain = graph.domain("sales.contoso.com");
    let roots = domain.root_domain().list().send().await.unwrap();
    assert_eq!(roots.items[0].id, "contoso.com");
    assert!(domain.promote().send().await.unwrap());
    assert_eq!(domain.get().send().await.unwrap().is_root, Some(true));
    let roots = domain.root_domain().list().send().await.unwrap();
    assert!(roots.items.is_empty());
    let error = domain.promote().send().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
}

#[tokio::test]
async fn a_domain_in_use_is_deleted_by_force_and_its_users_are_renamed() {
    let (_tenant, graph) = graph(ALL).await;
    let new = NewDomain::new("fabrikam.com");
    graph.domains().create(new).send().await.unwrap();
    let domain = graph.domain("fabrikam.com");
    domain.verify().send().await.unwrap();
    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    let user = graph.user(&adele.id);
    let rename = || {
        user.update()
            .set(User::USER_PRINCIPAL_NAME, "adele@fabrikam.com")
    };
    rename().send().await.unwrap();
    assert!(domain.delete().send().await.is_err());
    domain.force_delete(false).send().await.unwrap();
    assert!(domain.get_opt().await.unwrap().is_none());
    let read = user
        .get()
        .select((User::USER_PRINCIPAL_NAME, User::ACCOUNT_ENABLED));
    let read = read.send().await.unwrap();
    assert_eq!(
        read.user_principal_name.as_deref(),
        Some("adele@contoso.onmicrosoft.com")
    );
    assert_eq!(read.account_enabled, Some(true));

    let new = NewDomain::new("fabrikam.com");
    graph.domains().create(new).send().await.unwrap();
    domain.verify().send().await.unwrap();
    rename().send().await.unwrap();
    domain.force_delete(true).send().await.unwrap();
    let read = user.get().select(User::ACCOUNT_ENABLED).send().await;
    assert_eq!(read.unwrap().account_enabled, Some(false));
    let error = graph.domain("contoso.com").force_delete(true).send().await;
    let status = error.unwrap_err().status();
    assert_eq!(status.map(|status| status.as_u16()), Some(400));
}
