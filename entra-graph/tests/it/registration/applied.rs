use entra_graph::{
    Application, ErrorKind, Key, NewPassword,
    registration::{
        AppRegistration, AppRoleBlueprint, Audience, DeletedChoice, EnvFile, FederatedCredential,
        Lifetime, SecretFile,
    },
};
use serde_json::json;

use super::{ENOUGH, admin, apply, everything, graph_of, outcome, sink, writes};

#[tokio::test]
async fn a_blueprint_becomes_a_registration_and_a_second_apply_sends_reads_only() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = everything();
    let plan = blueprint.plan(&graph).await.unwrap();
    let text = plan.to_string();
    for line in [
        "registration \"Order Desk\" (new)",
        "+ registration \"Order Desk\", Accounts in this organizational directory only (single tenant)",
        "+ web redirect URI https://orders.contoso.com/auth/callback",
        "+ permission Microsoft Graph User.Read.All (application)",
        "+ admin consent for Microsoft Graph GroupMember.Read.All (delegated)",
        "+ secret \"production\", 12 months",
        "+ certificate \"on-premises\"",
        "+ assignment of adele@contoso.com as Approver",
    ] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
    assert_eq!(writes(&tenant), Vec::<String>::new(), "a plan reads only");
    assert_eq!(plan.missing_rights(), []);

    let mut sink = sink(&tenant);
    let applied = plan.apply(&mut sink).await.unwrap();
    assert_eq!(applied.secrets().len(), 2);
    assert_eq!(sink.secrets().count(), 2);
    assert_eq!(sink.ids().unwrap().client_id, applied.client_id());
    assert_eq!(applied.tenant_id(), Some(tenant.id().to_string().as_str()));
    let outcome = outcome(&graph, "Order Desk").await;
    let application = &outcome.application;
    assert_eq!(
        application["web"]["redirectUris"][0],
        "https://orders.contoso.com/auth/callback"
    );
    assert_eq!(
        application["web"]["implicitGrantSettings"]["enableIdTokenIssuance"],
        true
    );
    assert_eq!(application["identifierUris"][0], "api://{client-id}");
    assert_eq!(application["keyCredentials"], 1);
    assert_eq!(outcome.secrets, ["production", "staging"]);
    assert_eq!(
        (outcome.principals, outcome.owners, outcome.roles.len()),
        (1, 1, 2)
    );
    assert_eq!(
        outcome.grants[0]["scope"],
        "openid profile GroupMember.Read.All"
    );
    assert_eq!(outcome.assigned.len(), 1);

    tenant.forget_requests();
    let again = blueprint.plan(&graph).await.unwrap();
    assert!(again.is_empty(), "{again}");
    let again = again.apply(&mut sink).await.unwrap();
    assert_eq!(again.changes(), []);
    assert_eq!(writes(&tenant), Vec::<String>::new());
}

#[tokio::test]
async fn missing_rights_are_named_and_nothing_is_written() {
    let all_but_consent = &ENOUGH[..1];
    let (tenant, graph) = admin(&[all_but_consent, &["Directory.Read.All"]].concat()).await;
    let plan = everything().plan(&graph).await.unwrap();
    let missing: Vec<&str> = plan
        .missing_rights()
        .iter()
        .map(|one| one.operation())
        .collect();
    let needed = [
        "serviceprincipal-post-approleassignedto",
        "oauth2permissiongrant-post",
    ];
    assert_eq!(missing, needed, "{plan}");
    let error = plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Registration);
    let message = error.to_string();
    assert!(
        message.contains("AppRoleAssignment.ReadWrite.All"),
        "{message}"
    );
    assert!(
        message.contains("DelegatedPermissionGrant.ReadWrite.All"),
        "{message}"
    );
    assert_eq!(writes(&tenant), Vec::<String>::new());
}

#[tokio::test]
async fn an_existing_registration_is_adopted_and_keeps_what_the_blueprint_does_not_list() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant.register_app("Portal made").with_secret();
    app.redirect_uri("https://old.contoso.com/callback");
    let user_read = json!({"id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope"});
    let access = json!([{"resourceAppId": "00000003-0000-0000-c000-000000000000", "resourceAccess": [user_read]}]);
    let object = graph
        .application(app.client_id())
        .get()
        .send()
        .await
        .unwrap();
    tenant
        .set_property("applications", &object.id, "requiredResourceAccess", access)
        .unwrap();
    let blueprint = AppRegistration::new("Portal made")
        .client_id(app.client_id())
        .web_redirect_uri("https://new.contoso.com/callback")
        .application(["Device.Read.All"]);
    let plan = blueprint.plan(&graph).await.unwrap();
    assert!(
        plan.kept()
            .any(|line| line.text().contains("User.Read (delegated)")),
        "{plan}"
    );
    tenant.forget_requests();
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let read = graph
        .application(app.client_id())
        .get()
        .send()
        .await
        .unwrap();
    let uris = read.web.unwrap().redirect_uris.unwrap();
    assert_eq!(
        uris,
        [
            "https://old.contoso.com/callback",
            "https://new.contoso.com/callback"
        ]
    );
    assert_eq!(read.password_credentials.unwrap().len(), 1);
    assert_eq!(writes(&tenant).len(), 1, "{:?}", writes(&tenant));

    let strict = blueprint.remove_unlisted();
    let plan = strict.plan(&graph).await.unwrap();
    assert!(
        plan.to_string()
            .contains("- permission Microsoft Graph User.Read (delegated)"),
        "{plan}"
    );
    plan.apply(&mut sink(&tenant)).await.unwrap();
    let read = graph
        .application(app.client_id())
        .get()
        .send()
        .await
        .unwrap();
    assert_eq!(
        read.web.unwrap().redirect_uris.unwrap(),
        ["https://new.contoso.com/callback"]
    );
    assert_eq!(
        read.password_credentials.unwrap().len(),
        1,
        "secrets are never removed"
    );
    assert!(strict.plan(&graph).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_role_and_a_scope_are_disabled_before_they_are_removed() {
    let (tenant, graph) = admin(ENOUGH).await;
    let mut sink = sink(&tenant);
    everything()
        .plan(&graph)
        .await
        .unwrap()
        .apply(&mut sink)
        .await
        .unwrap();
    let less = AppRegistration::new("Order Desk").remove_unlisted();
    apply(&less, &graph, &mut sink).await;
    let outcome = outcome(&graph, "Order Desk").await;
    assert_eq!(outcome.application["appRoles"], serde_json::json!([]));
    assert_eq!(
        outcome.application["api"]["oauth2PermissionScopes"],
        serde_json::json!([])
    );
    assert_eq!(outcome.secrets, ["production", "staging"]);
    assert!(outcome.federated.is_empty());
    // A blueprint without owners does not manage them.
    assert_eq!(outcome.owners, 1);
    assert_eq!((outcome.roles, outcome.grants), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_deleted_registration_is_restored_purged_or_reported_by_choice() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::months(6));
    let mut sink = sink(&tenant);
    let first = apply(&blueprint, &graph, &mut sink).await;
    let delete = async || {
        let key = Key::unique_name("order-desk");
        graph.application(key).delete().send().await.unwrap();
    };
    delete().await;
    let stop = blueprint.clone().if_deleted(DeletedChoice::Stop);
    let plan = stop.plan(&graph).await.unwrap();
    assert_eq!(plan.stops().count(), 1, "{plan}");
    plan.apply(&mut sink).await.unwrap_err();

    let restored = apply(&blueprint, &graph, &mut sink).await;
    assert_eq!(restored.client_id(), first.client_id());
    assert_eq!(
        restored.service_principal_id(),
        first.service_principal_id()
    );
    assert_eq!(restored.secrets(), [], "the secret came back with it");

    delete().await;
    let purge = blueprint.if_deleted(DeletedChoice::Purge);
    let new = apply(&purge, &graph, &mut sink).await;
    assert_ne!(new.client_id(), first.client_id());
    assert_eq!(new.secrets().len(), 1);
}

#[tokio::test]
async fn a_name_that_the_tenant_does_not_have_is_an_error_with_a_suggestion() {
    let (_tenant, graph) = admin(ENOUGH).await;
    let message = async |blueprint: AppRegistration| {
        let error = blueprint.plan(&graph).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Registration);
        error.to_string()
    };
    let typo = AppRegistration::new("A").delegated(["GroupMembers.Read.All"]);
    let text = message(typo).await;
    assert!(
        text.contains("did you mean GroupMember.Read.All?"),
        "{text}"
    );
    let other = AppRegistration::new("A").application(["openid"]);
    assert!(message(other).await.contains("a delegated permission only"));
    let api = AppRegistration::new("A").delegated_of("api://absent", ["X"]);
    assert!(
        message(api)
            .await
            .contains("no service principal of the API api://absent")
    );
    let user = AppRegistration::new("A").owner("absent@contoso.com");
    assert!(message(user).await.contains("no user absent@contoso.com"));
    let twice = AppRegistration::new("A")
        .web_redirect_uri("https://a.contoso.com/")
        .spa_redirect_uri("https://a.contoso.com/");
    assert!(message(twice).await.contains("listed twice"));
}

#[tokio::test]
async fn what_entra_rejects_stops_the_plan_before_the_first_write() {
    let (tenant, graph) = admin(ENOUGH).await;
    let role = |value: &str| AppRoleBlueprint::for_users(value, "Approver", "Approves orders");
    let federated =
        |name: &str| FederatedCredential::new(name, "https://issuer.contoso.com", "orders");
    let blueprint = || AppRegistration::new("Order Desk");
    for (blueprint, expected) in [
        (
            blueprint().web_redirect_uri("http://orders.contoso.com/cb"),
            "is http, which is for localhost and 127.0.0.1 only",
        ),
        (
            blueprint()
                .audience(Audience::AnyTenantAndPersonal)
                .web_redirect_uri("https://orders.contoso.com/cb?a=1"),
            "has a query",
        ),
        (blueprint().app_role(role("An approver")), "without spaces"),
        (blueprint().group_claims("Security"), "group claims"),
        (
            blueprint().federated_credential(federated("deploy it")),
            "of a federated credential",
        ),
        (
            blueprint().app_id_uri("api://{client-id}/"),
            "ends with a slash",
        ),
    ] {
        let plan = blueprint.plan(&graph).await.unwrap();
        let stops: Vec<&str> = plan.stops().collect();
        assert!(stops.iter().any(|one| one.contains(expected)), "{plan}");
        plan.apply(&mut sink(&tenant)).await.unwrap_err();
        assert_eq!(writes(&tenant), Vec::<String>::new(), "{expected}");
    }
    let brokers = blueprint()
        .spa_redirect_uri("brk-multihub://localhost:3000")
        .public_client_redirect_uri("msauth://com.contoso.orders/c2ln%3D")
        .public_client_redirect_uri("urn:ietf:wg:oauth:2.0:oob")
        .web_redirect_uri("https://*.contoso.com/cb");
    let plan = brokers.plan(&graph).await.unwrap();
    assert_eq!(plan.stops().next(), None, "{plan}");
    let warnings: Vec<&str> = plan.warnings().collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("has a wildcard"),
        "{plan}"
    );
    plan.apply(&mut sink(&tenant)).await.unwrap();
}

/// The limits of personal accounts are for what the registration has already.
#[tokio::test]
async fn an_audience_that_the_registration_is_not_fit_for_stops_the_plan() {
    let (tenant, graph) = admin(ENOUGH).await;
    let query = "https://orders.contoso.com/cb?a=1";
    let role = AppRoleBlueprint::for_users("Approve", "Approver", "Approves orders");
    let before = AppRegistration::new("Order Desk")
        .web_redirect_uri(query)
        .app_role(role);
    apply(&before, &graph, &mut sink(&tenant)).await;
    tenant.forget_requests();
    let personal = AppRegistration::new("Order Desk").audience(Audience::AnyTenantAndPersonal);
    let plan = personal.plan(&graph).await.unwrap();
    let stops: Vec<&str> = plan.stops().collect();
    assert_eq!(stops.len(), 2, "{plan}");
    assert!(stops[0].contains(query), "{plan}");
    assert!(stops[1].contains("has app roles"), "{plan}");
    plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(writes(&tenant), Vec::<String>::new());
}

/// What the registration has was accepted once, and is not judged again.
#[tokio::test]
async fn a_redirect_uri_belongs_to_one_platform_and_an_old_one_may_stay() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant.register_app("Order Desk");
    let uris = ["https://orders.contoso.com/cb", "http://old.contoso.com/cb"];
    for uri in uris {
        app.redirect_uri(uri);
    }
    let adopted = AppRegistration::new("Order Desk").client_id(app.client_id());
    let both = adopted.clone().web_redirect_uri(uris[0]);
    let same = both.web_redirect_uri(uris[1]).plan(&graph).await.unwrap();
    assert_eq!(same.stops().next(), None, "{same}");

    let moved = adopted.spa_redirect_uri(uris[0]);
    let plan = moved.plan(&graph).await.unwrap();
    let stops: Vec<&str> = plan.stops().collect();
    assert!(
        stops.len() == 1 && stops[0].contains("is registered for Web"),
        "{plan}"
    );
    tenant.forget_requests();
    plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(writes(&tenant), Vec::<String>::new());
    let plan = moved.remove_unlisted().plan(&graph).await.unwrap();
    assert_eq!(plan.stops().next(), None, "{plan}");
    plan.apply(&mut sink(&tenant)).await.unwrap();
}

#[tokio::test]
async fn a_certificate_beside_other_credentials_stops_unless_there_is_one_writer() {
    let (tenant, graph) = admin(ENOUGH).await;
    let app = tenant.register_app("Order Desk").with_secret();
    let pem = include_str!("../../../../entra-mock/src/keys/client.test-cert.pem");
    let certificate = entra_graph::registration::Certificate::from_pem("new", pem).unwrap();
    let blueprint = AppRegistration::new("Order Desk")
        .client_id(app.client_id())
        .certificate(certificate);
    let plan = blueprint.plan(&graph).await.unwrap();
    assert!(
        plan.to_string().contains("another writer may be active"),
        "{plan}"
    );
    tenant.forget_requests();
    plan.apply(&mut sink(&tenant)).await.unwrap_err();
    assert_eq!(writes(&tenant), Vec::<String>::new());
    let alone = blueprint.sole_writer().plan(&graph).await.unwrap();
    alone.apply(&mut sink(&tenant)).await.unwrap();
    let read = graph
        .application(app.client_id())
        .get()
        .send()
        .await
        .unwrap();
    assert_eq!(read.key_credentials.unwrap().len(), 1);
    assert_eq!(read.password_credentials.unwrap().len(), 1);
}

#[tokio::test]
async fn files_hold_ids_and_secrets_for_their_owner_only() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk")
        .secret("production", Lifetime::months(6))
        .secret("second job", Lifetime::months(6));
    let directory = std::env::temp_dir().join(format!("entra-registration-{}", tenant.id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(".env");
    std::fs::write(&path, "OTHER=kept\nAZURE_CLIENT_ID=old\n").unwrap();
    let mut file = EnvFile::new(&path).clock(tenant.clock());
    let applied = apply(&blueprint, &graph, &mut file).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let client_id = format!("AZURE_CLIENT_ID={}", applied.client_id());
    let tenant_id = format!("AZURE_TENANT_ID={}", tenant.id());
    for line in ["OTHER=kept", client_id.as_str(), tenant_id.as_str()] {
        assert!(text.lines().any(|one| one == line), "{line}");
    }
    assert_eq!(text.matches("AZURE_CLIENT_ID=").count(), 1);
    assert_eq!(text.matches("AZURE_CLIENT_SECRET=").count(), 1);
    assert_eq!(text.matches("AZURE_CLIENT_SECRET_SECOND_JOB=").count(), 1);
    for (name, secret) in ["", "_SECOND_JOB"].iter().zip(applied.secrets()) {
        let date = secret.expires.unwrap().date();
        let line = format!("AZURE_CLIENT_SECRET{name}_EXPIRES={date}");
        assert!(text.lines().any(|one| one == line), "{line}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let again = apply(&blueprint, &graph, &mut file).await;
    assert_eq!(again.changes(), []);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    // An empty sink has lost the values, so it gets secrets of its own; the others stay.
    let mut json = SecretFile::new(directory.join("secrets.json")).clock(tenant.clock());
    let more = apply(&blueprint, &graph, &mut json).await;
    assert_eq!(more.secrets().len(), 2);
    let content = std::fs::read_to_string(directory.join("secrets.json")).unwrap();
    let content: serde_json::Value = serde_json::from_str(&content).unwrap();
    assert_eq!(content["client_id"], applied.client_id());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::metadata(directory.join("secrets.json")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(
        content["secrets"][1]["secret_id"],
        more.secrets()[1].id.to_string()
    );
    let read = graph.application(Key::unique_name("order-desk")).get();
    let read = read
        .select(Application::PASSWORD_CREDENTIALS)
        .send()
        .await
        .unwrap();
    assert_eq!(read.password_credentials.unwrap().len(), 4);
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(!format!("{file:?}{json:?}").contains("AZURE_CLIENT_SECRET"));
}

#[tokio::test]
async fn an_expired_secret_is_replaced_and_one_by_hand_counts() {
    let (tenant, graph) = admin(ENOUGH).await;
    let blueprint = AppRegistration::new("Order Desk").secret("production", Lifetime::days(30));
    let mut sink = sink(&tenant);
    apply(&blueprint, &graph, &mut sink).await;
    let by_hand = NewPassword::named("production").months(24);
    let object = graph.application(Key::unique_name("order-desk"));
    let _ = object.add_password(by_hand).send().await.unwrap();
    assert!(blueprint.plan(&graph).await.unwrap().is_empty());
    tenant
        .clock()
        .advance(std::time::Duration::from_secs(31 * 86_400));
    let graph = graph_of(&tenant, ENOUGH).await;
    let applied = apply(&blueprint, &graph, &mut sink).await;
    assert_eq!(
        applied.secrets().len(),
        1,
        "the sink's own secret has expired"
    );
}
