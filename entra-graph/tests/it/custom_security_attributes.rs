//! Custom security attributes against the fake tenant: from the set to the value of a user.

use entra_graph::{
    AllowedValue, CustomSecurityAttributeDefinition as Definition, GraphClient, NewAllowedValue,
    NewAttributeSet, NewCustomSecurityAttributeDefinition as NewDefinition, ServicePrincipal, User,
    types::{
        CustomSecurityAttributeStatus, CustomSecurityAttributeType as Type,
        CustomSecurityAttributes,
    },
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

fn client(tenant: &FakeTenant, permissions: &[&str]) -> GraphClient {
    let app = tenant.register_app("Attributes").with_secret();
    for permission in permissions {
        app.application_permission(permission);
    }
    let graph = GraphClient::builder(AppCredential::new(tenant, &app));
    let graph = graph.cloud(tenant.cloud()).clock(tenant.clock());
    graph.build().unwrap()
}

const ALL: &[&str] = &[
    "CustomSecAttributeAssignment.ReadWrite.All",
    "CustomSecAttributeDefinition.ReadWrite.All",
    "User.Read.All",
];

#[tokio::test]
async fn attributes_are_defined_assigned_found_and_removed() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, ALL);
    let set = graph
        .attribute_sets()
        .create(NewAttributeSet::new("Engineering"));
    assert_eq!(set.send().await.unwrap().id, "Engineering");
    let definitions = graph.custom_security_attribute_definitions();
    let project =
        NewDefinition::new("Engineering", "Project", Type::Text).predefined(["Baker", "Cascade"]);
    let project = definitions
        .create(project)
        .set(Definition::IS_COLLECTION, true);
    let project = project.send().await.unwrap();
    assert_eq!(project.id, "Engineering_Project");
    let cost = NewDefinition::new("Engineering", "Cost", Type::Integer);
    definitions.create(cost).send().await.unwrap();
    let certified = NewDefinition::new("Engineering", "Certified", Type::Boolean);
    definitions.create(certified).send().await.unwrap();

    let definition = graph.custom_security_attribute_definition(&project.id);
    let apollo = definition
        .allowed_values()
        .create(NewAllowedValue::new("Apollo"));
    assert_eq!(apollo.send().await.unwrap().id, "Apollo");
    let baker = definition.allowed_value("Baker");
    baker
        .update()
        .set(AllowedValue::IS_ACTIVE, false)
        .send()
        .await
        .unwrap();
    let values = definition
        .get()
        .expand(Definition::ALLOWED_VALUES)
        .send()
        .await
        .unwrap();
    let values = values.allowed_values.unwrap();
    let active = values.iter().filter(|value| value.is_active == Some(true));
    assert_eq!(
        active.map(|value| &*value.id).collect::<Vec<_>>(),
        ["Cascade", "Apollo"]
    );

    let adele = graph.user("adele@contoso.com");
    let wrong = CustomSecurityAttributes::default().set("Engineering", "Project", ["Baker"]);
    let wrong = adele
        .update()
        .set(User::CUSTOM_SECURITY_ATTRIBUTES, wrong)
        .send();
    assert_eq!(
        wrong
            .await
            .unwrap_err()
            .status()
            .map(|status| status.as_u16()),
        Some(400)
    );
    let attributes = CustomSecurityAttributes::default()
        .set("Engineering", "Project", ["Cascade", "Apollo"])
        .set("Engineering", "Cost", 1001)
        .set("Engineering", "Certified", true);
    adele
        .update()
        .set(User::CUSTOM_SECURITY_ATTRIBUTES, attributes)
        .send()
        .await
        .unwrap();
    let read = || adele.get().select(User::CUSTOM_SECURITY_ATTRIBUTES).send();
    let user = read().await.unwrap();
    let projects: Option<Vec<String>> = user
        .custom_security_attribute("Engineering", "Project")
        .unwrap();
    assert_eq!(projects.unwrap(), ["Cascade", "Apollo"]);
    assert_eq!(
        user.custom_security_attribute("Engineering", "Cost")
            .unwrap(),
        Some(1001)
    );
    assert!(
        user.custom_security_attribute::<bool>("Engineering", "Cost")
            .is_err()
    );
    // Names are compared without regard to case.
    assert_eq!(
        user.custom_security_attribute("engineering", "COST")
            .unwrap(),
        Some(1001)
    );
    let by_cost = User::by_custom_security_attribute::<i32>("Engineering", "Cost").eq(1001);
    let found = graph
        .users()
        .list()
        .filter(by_cost)
        .items()
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(found.len(), 1);

    let attributes = CustomSecurityAttributes::default()
        .clear("Engineering", "Cost")
        .set("Engineering", "Project", Vec::<String>::new());
    adele
        .update()
        .set(User::CUSTOM_SECURITY_ATTRIBUTES, attributes)
        .send()
        .await
        .unwrap();
    let user = read().await.unwrap();
    assert_eq!(
        user.custom_security_attribute::<i32>("Engineering", "Cost")
            .unwrap(),
        None
    );
    assert_eq!(
        user.custom_security_attribute("Engineering", "Certified")
            .unwrap(),
        Some(true)
    );

    let deprecated = CustomSecurityAttributeStatus::Deprecated;
    definition
        .update()
        .set(Definition::STATUS, deprecated.clone())
        .send()
        .await
        .unwrap();
    let found = definitions
        .list()
        .filter(Definition::STATUS.eq(deprecated))
        .items();
    assert_eq!(
        found.try_collect::<Vec<_>>().await.unwrap()[0].id,
        project.id
    );
}

#[tokio::test]
async fn an_update_of_attributes_waits_until_reads_show_them() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, ALL);
    let set = NewAttributeSet::new("Engineering");
    graph.attribute_sets().create(set).send().await.unwrap();
    let definitions = graph.custom_security_attribute_definitions();
    let cost = NewDefinition::new("Engineering", "Cost", Type::Integer);
    definitions.create(cost).send().await.unwrap();
    let adele = graph.user("adele@contoso.com");
    let cost = |attributes: CustomSecurityAttributes| {
        adele
            .update()
            .set(User::CUSTOM_SECURITY_ATTRIBUTES, attributes)
    };
    // The response has another name for the type of a set, and no set without attributes.
    let assigned = CustomSecurityAttributes::default().set("Engineering", "Cost", 7);
    cost(assigned).settled().await.unwrap();
    let cleared = CustomSecurityAttributes::default().clear("Engineering", "Cost");
    cost(cleared).settled().await.unwrap();
}

#[tokio::test]
async fn attributes_are_hidden_without_their_permission() {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant, ALL);
    graph
        .attribute_sets()
        .create(NewAttributeSet::new("Marketing"))
        .send()
        .await
        .unwrap();
    let region = NewDefinition::new("Marketing", "Region", Type::Text);
    graph
        .custom_security_attribute_definitions()
        .create(region)
        .send()
        .await
        .unwrap();
    let attributes = CustomSecurityAttributes::default().set("Marketing", "Region", "Canary");
    assert!(!format!("{attributes:?}").contains("Canary"));
    let adele = graph.user("adele@contoso.com");
    adele
        .update()
        .set(User::CUSTOM_SECURITY_ATTRIBUTES, attributes.clone())
        .send()
        .await
        .unwrap();

    let reader = client(&tenant, &["User.ReadWrite.All"]);
    let adele = reader.user("adele@contoso.com");
    let user = adele
        .get()
        .select(User::CUSTOM_SECURITY_ATTRIBUTES)
        .send()
        .await
        .unwrap();
    assert_eq!(
        user.custom_security_attribute::<String>("Marketing", "Region")
            .unwrap(),
        None
    );
    let error = adele
        .update()
        .set(User::CUSTOM_SECURITY_ATTRIBUTES, attributes)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(403));
    let error = reader.attribute_sets().list().send().await.unwrap_err();
    assert_eq!(
        error.needed_permissions(),
        ["CustomSecAttributeDefinition.Read.All"]
    );
}

#[test]
fn the_body_of_an_update_is_the_documented_one() {
    let attributes = CustomSecurityAttributes::default()
        .set("Engineering", "ProjectDate", "2022-10-01")
        .set("Engineering", "NumVendors", 4)
        .set("Engineering", "CostCenter", vec![1001, 1003])
        .set("Engineering", "Project", ["Baker", "Cascade"])
        .set("Engineering", "Certification", true)
        .clear("Marketing", "Level");
    let script = entra_core::ScriptedTransport::new().then(204, &[], "");
    let builder = GraphClient::builder(entra_core::StaticCredential::new("token"));
    let graph = builder
        .transport(script.clone())
        .clock(entra_core::ManualClock::new())
        .build()
        .unwrap();
    crate::support::block_on(
        graph
            .user("8f9c")
            .update()
            .set(User::CUSTOM_SECURITY_ATTRIBUTES, attributes)
            .send(),
    )
    .unwrap();
    let body: serde_json::Value = serde_json::from_slice(script.requests()[0].body()).unwrap();
    let kind = "#Microsoft.DirectoryServices.CustomSecurityAttributeValue";
    assert_eq!(
        body,
        serde_json::json!({"customSecurityAttributes": {
            "Engineering": {
                "@odata.type": kind, "ProjectDate": "2022-10-01", "NumVendors@odata.type": "#Int32", "NumVendors": 4,
                "CostCenter@odata.type": "#Collection(Int32)", "CostCenter": [1001, 1003],
                "Project@odata.type": "#Collection(String)", "Project": ["Baker", "Cascade"], "Certification": true
            },
            "Marketing": {"@odata.type": kind, "Level": null}
        }})
    );
}

#[tokio::test]
async fn attributes_of_an_application_are_assigned_found_and_hidden() {
    let tenant = FakeTenant::start().await;
    let permissions = [
        "CustomSecAttributeAssignment.ReadWrite.All",
        "CustomSecAttributeDefinition.ReadWrite.All",
        "Application.Read.All",
    ];
    let graph = client(&tenant, &permissions);
    let set = NewAttributeSet::new("Engineering");
    graph.attribute_sets().create(set).send().await.unwrap();
    let project = NewDefinition::new("Engineering", "Project", Type::Text);
    let definitions = graph.custom_security_attribute_definitions();
    definitions.create(project).send().await.unwrap();
    let desk = tenant.register_app("Desk");
    let principal = graph.service_principal(desk.service_principal_id());
    let attributes = CustomSecurityAttributes::default().set("Engineering", "Project", "Baker");
    let update = principal
        .update()
        .set(ServicePrincipal::CUSTOM_SECURITY_ATTRIBUTES, attributes);
    update.send().await.unwrap();
    let by_project =
        ServicePrincipal::by_custom_security_attribute::<String>("Engineering", "Project");
    let found = graph
        .service_principals()
        .list()
        .filter(by_project.eq("Baker"))
        .select(ServicePrincipal::CUSTOM_SECURITY_ATTRIBUTES)
        .items();
    let found = found.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(found.len(), 1);
    let project: Option<String> = found[0]
        .custom_security_attribute("Engineering", "Project")
        .unwrap();
    assert_eq!(project.as_deref(), Some("Baker"));

    // The permission for attributes changes nothing else.
    let update = principal.update().set(ServicePrincipal::NOTES, "x");
    assert!(update.send().await.unwrap_err().is_forbidden());
    let writer = client(&tenant, &["Application.ReadWrite.All"]);
    let principal = writer.service_principal(desk.service_principal_id());
    let attributes = CustomSecurityAttributes::default().set("Engineering", "Project", "Other");
    let update = principal
        .update()
        .set(ServicePrincipal::CUSTOM_SECURITY_ATTRIBUTES, attributes);
    assert!(update.send().await.unwrap_err().is_forbidden());
    let read = principal
        .get()
        .select(ServicePrincipal::CUSTOM_SECURITY_ATTRIBUTES);
    let read = read.send().await.unwrap();
    let hidden = read.custom_security_attribute::<String>("Engineering", "Project");
    assert_eq!(hidden.unwrap(), None);
}

#[tokio::test]
async fn a_403_of_a_create_with_attributes_names_their_permission() {
    // roles: ["User.ReadWrite.All", "Application.ReadWrite.All"]
    let token =
        "e30.eyJyb2xlcyI6WyJVc2VyLlJlYWRXcml0ZS5BbGwiLCJBcHBsaWNhdGlvbi5SZWFkV3JpdGUuQWxsIl19.sig";
    let denied = r#"{"error":{"code":"Authorization_RequestDenied","message":"m"}}"#;
    let script = entra_core::ScriptedTransport::new()
        .then(403, &[], denied)
        .then(403, &[], denied);
    let graph = crate::scripts::client_with_token(script, token);
    let attributes = || CustomSecurityAttributes::default().set("Engineering", "Level", 7);
    let password = entra_graph::types::PasswordProfile::new("correct horse battery staple 1");
    let user = entra_graph::NewUser::new("Mira", "mira@contoso.com", "mira", password);
    let user = graph.users().create(user);
    let user = user.set(User::CUSTOM_SECURITY_ATTRIBUTES, attributes());
    let app = entra_graph::NewServicePrincipal::of("25883231-668a-43a7-80b2-5685c3f874bc");
    let app = graph.service_principals().create(app);
    let app = app.set(ServicePrincipal::CUSTOM_SECURITY_ATTRIBUTES, attributes());
    let errors = [
        user.send().await.unwrap_err(),
        app.send().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            error.needed_permissions(),
            ["CustomSecAttributeAssignment.ReadWrite.All"],
            "{error}"
        );
    }
}
