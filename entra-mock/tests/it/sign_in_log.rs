//! Every kind of token leaves an entry in the sign-in log.

use entra_mock::{AccessPolicy, FakeTenant, PolicyHandle};
use serde_json::{Value, json};

use crate::{
    support::{GRAPH_SCOPE, fetch, http, post_token, token, token_with},
    users::{ADELE, CALLBACK, authorize_url, code, redeem, redeem_code, shop},
};

/// The event types and error codes of the entries of an application, oldest first.
async fn entries(tenant: &FakeTenant, reader: &str, app_id: &str) -> Vec<(String, i64)> {
    let url = format!(
        "{}/beta/auditLogs/signIns?$filter=appId eq '{app_id}' and signInEventTypes/any(t:t eq 'interactiveUser' or t eq 'nonInteractiveUser' or t eq 'servicePrincipal' or t eq 'managedIdentity')",
        tenant.uri()
    );
    let listed = fetch(http().get(url).bearer_auth(reader)).await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    let entry = |entry: &Value| {
        let kind = entry["signInEventTypes"][0].as_str().unwrap().to_owned();
        (kind, entry["status"]["errorCode"].as_i64().unwrap())
    };
    let mut entries: Vec<_> = listed.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(entry)
        .collect();
    entries.reverse();
    entries
}

#[tokio::test]
async fn every_kind_of_token_has_an_entry_of_its_event_type() {
    let tenant = FakeTenant::start().await;
    let reader = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let reader = token(&tenant, &reader).await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri(CALLBACK)
        .delegated_permission("User.Read")
        .expose_scope("Shop.Read")
        .public_client()
        .with_federated_credential("https://tokens.example.com", "shop")
        .with_secret();
    let (client_id, object_id) = (app.client_id().to_string(), app.object_id().to_string());
    let settings = json!({
        "redirectUris": [CALLBACK],
        "implicitGrantSettings": { "enableAccessTokenIssuance": true, "enableIdTokenIssuance": true }
    });
    tenant
        .set_property("applications", &object_id, "web", settings)
        .unwrap();
    let mut expected: Vec<(String, i64)> = Vec::new();
    let mut add = async |kind: &str, code: i64| {
        expected.push((kind.to_owned(), code));
        tenant.clock().advance(std::time::Duration::from_secs(1));
        let found = entries(&tenant, &reader, &client_id).await;
        assert_eq!(found, expected);
    };

    let code = tenant.sign_in_at(&authorize_url(&tenant, &app, &[]), ADELE);
    add("interactiveUser", 0).await;
    let code = code.parameter("code").unwrap();
    let tokens = redeem_code(&tenant, &app, &code, &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    let refresh = [
        ("grant_type", "refresh_token"),
        (
            "refresh_token",
            tokens.body["refresh_token"].as_str().unwrap(),
        ),
    ];
    redeem(&tenant, &app, true, &refresh).await;
    add("nonInteractiveUser", 0).await;
    let implicit = [("response_type", "id_token token"), ("nonce", "n")];
    let _ = tenant.sign_in_at(&authorize_url(&tenant, &app, &implicit), ADELE);
    add("interactiveUser", 0).await;
    let own = format!("api://{client_id}/Shop.Read");
    let user = tenant.tokens_for(&app, ADELE, [&own]);
    add("interactiveUser", 0).await;
    let on_behalf = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("assertion", user.access_token().expose_secret()),
        ("scope", "User.Read"),
    ];
    redeem(&tenant, &app, true, &on_behalf).await;
    add("nonInteractiveUser", 0).await;
    let password = tenant.user(ADELE).password();
    for (password, code) in [(password.expose_secret(), 0), ("wrong", 50_126)] {
        let fields = [
            ("grant_type", "password"),
            ("username", ADELE),
            ("password", password),
            ("scope", "User.Read"),
        ];
        redeem(&tenant, &app, true, &fields).await;
        add("interactiveUser", code).await;
    }
    let url = format!("{}/{}/oauth2/v2.0/devicecode", tenant.uri(), tenant.id());
    let device = fetch(
        http()
            .post(url)
            .form(&[("client_id", &*client_id), ("scope", "User.Read")]),
    )
    .await;
    tenant.approve_device_code(device.body["user_code"].as_str().unwrap(), ADELE);
    let fields = [
        ("grant_type", "device_code"),
        ("device_code", device.body["device_code"].as_str().unwrap()),
    ];
    redeem(&tenant, &app, true, &fields).await;
    add("interactiveUser", 0).await;

    for (secret, code) in [(app.secret().expose_secret(), 0), ("wrong", 7_000_215)] {
        token_with(&tenant, &app, &[("client_secret", secret)]).await;
        add("servicePrincipal", code).await;
    }
    let assertion = tenant.federated_token("https://tokens.example.com", "shop");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id.as_str()),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion.as_str()),
        ("scope", GRAPH_SCOPE),
    ];
    post_token(
        &tenant,
        &format!("/{}/oauth2/v2.0/token", tenant.id()),
        &form,
    )
    .await;
    add("servicePrincipal", 0).await;
    let [(_, endpoint), (_, header)] = tenant.managed_identities(&[&app]);
    let url = format!("{endpoint}?api-version=2019-08-01&resource=https://graph.microsoft.com");
    fetch(http().get(url).header("x-identity-header", header)).await;
    add("managedIdentity", 0).await;
}

#[tokio::test]
async fn a_failed_implicit_sign_in_is_one_entry() {
    let (tenant, app) = shop().await;
    let reader = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let reader = token(&tenant, &reader).await;
    let (client_id, object_id) = (app.client_id().to_string(), app.object_id().to_string());
    let settings = json!({
        "redirectUris": [CALLBACK],
        "implicitGrantSettings": { "enableAccessTokenIssuance": true, "enableIdTokenIssuance": true }
    });
    tenant
        .set_property("applications", &object_id, "web", settings)
        .unwrap();
    let api = tenant.register_app("Orders API").expose_scope("Read");
    api.require_assignment();
    let scope = format!("openid api://{}/Read", api.client_id());
    let changes = [
        ("response_type", "id_token token"),
        ("nonce", "n"),
        ("scope", &*scope),
    ];
    let back = tenant.sign_in_at(&authorize_url(&tenant, &app, &changes), ADELE);
    let description = back.parameter("error_description").unwrap();
    assert!(description.starts_with("AADSTS50105"), "{description}");
    assert_eq!(
        entries(&tenant, &reader, &client_id).await,
        [("interactiveUser".to_owned(), 50_105)]
    );
}

#[tokio::test]
async fn the_log_has_the_result_of_each_policy_for_callers_that_may_read_policies() {
    let (tenant, app) = shop().await;
    let other = tenant.register_app("Other");
    let reader = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let without = token(&tenant, &reader).await;
    reader.application_permission("Policy.Read.All");
    let with = token(&tenant, &reader).await;
    let client_id = app.client_id().to_string();
    let newest = async |jwt: &str, kind: &str| {
        tenant.clock().advance(std::time::Duration::from_secs(1));
        let url = format!(
            "{}/beta/auditLogs/signIns?$filter=appId eq '{client_id}' and signInEventTypes/any(t:t eq '{kind}')",
            tenant.uri()
        );
        let listed = fetch(http().get(url).bearer_auth(jwt)).await;
        assert_eq!(listed.status, 200, "{}", listed.text);
        listed.body["value"][0]["appliedConditionalAccessPolicies"].clone()
    };
    let state = |policy: &PolicyHandle, state: &str| {
        let set = "identity/conditionalAccess/policies";
        tenant
            .set_property(set, policy.id(), "state", state.into())
            .unwrap();
    };
    let factor = tenant.add_access_policy(AccessPolicy::require_second_factor());
    let elsewhere = tenant.add_access_policy(AccessPolicy::require_compliant_device().app(&other));
    let off = tenant.add_access_policy(AccessPolicy::block());
    state(&off, "disabled");
    let reporting = tenant.add_access_policy(AccessPolicy::block());
    state(&reporting, "enabledForReportingButNotEnforced");
    let row = |policy: &PolicyHandle, result: &str, controls: &[&str]| {
        (policy.id().to_owned(), result.to_owned(), json!(controls))
    };
    let rows = |listed: &Value| -> Vec<(String, String, Value)> {
        let listed = listed.as_array().unwrap().iter();
        let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        listed
            .map(|item| {
                assert!(item["displayName"].is_string(), "{item}");
                assert_eq!(item["enforcedSessionControls"], json!([]));
                (
                    text(item, "id"),
                    text(item, "result"),
                    item["enforcedGrantControls"].clone(),
                )
            })
            .collect()
    };

    let url = authorize_url(&tenant, &app, &[]);
    let _ = tenant.sign_in_at(&url, ADELE);
    let listed = newest(&with, "interactiveUser").await;
    assert_eq!(
        rows(&listed),
        [
            row(&factor, "success", &["mfa"]),
            row(&elsewhere, "notApplied", &[]),
            row(&off, "notEnabled", &[]),
            row(&reporting, "reportOnlyFailure", &[]),
        ]
    );
    assert_eq!(newest(&without, "interactiveUser").await, json!([]));
    assert_eq!(newest(&with, "interactiveUser").await, listed);

    let device = tenant.add_access_policy(AccessPolicy::require_compliant_device());
    tenant.try_sign_in_at(&url, ADELE).unwrap_err();
    let listed = newest(&with, "interactiveUser").await;
    assert_eq!(rows(&listed)[0], row(&factor, "success", &["mfa"]));
    assert_eq!(
        rows(&listed)[4],
        row(&device, "failure", &["compliantDevice"])
    );

    let workload = tenant.add_access_policy(AccessPolicy::block().workload_identity(&app));
    token_with(&tenant, &app, &[]).await;
    let listed = newest(&with, "servicePrincipal").await;
    assert_eq!(rows(&listed)[5], row(&workload, "failure", &["block"]));
    assert_eq!(rows(&listed)[0], row(&factor, "notApplied", &[]));
}

#[tokio::test]
async fn the_log_says_whether_conditional_access_let_a_sign_in_pass() {
    let (tenant, app) = shop().await;
    let reader = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .with_secret();
    let reader = token(&tenant, &reader).await;
    let client_id = app.client_id().to_string();
    let newest = async |kind: &str| {
        tenant.clock().advance(std::time::Duration::from_secs(1));
        let url = format!(
            "{}/beta/auditLogs/signIns?$filter=appId eq '{client_id}' and signInEventTypes/any(t:t eq '{kind}')",
            tenant.uri()
        );
        let listed = fetch(http().get(url).bearer_auth(&reader)).await;
        assert_eq!(listed.status, 200, "{}", listed.text);
        let entry = &listed.body["value"][0];
        (
            entry["conditionalAccessStatus"]
                .as_str()
                .unwrap()
                .to_owned(),
            entry["status"]["errorCode"].as_i64().unwrap(),
        )
    };
    let entry = |status: &str, code: i64| (status.to_owned(), code);
    let url = authorize_url(&tenant, &app, &[]);
    let _ = tenant.sign_in_at(&url, ADELE);
    assert_eq!(newest("interactiveUser").await, entry("notApplied", 0));
    let factor = tenant.add_access_policy(AccessPolicy::require_second_factor());
    let _ = tenant.sign_in_at(&url, ADELE);
    assert_eq!(newest("interactiveUser").await, entry("success", 0));
    factor.remove();
    let device = tenant.add_access_policy(AccessPolicy::require_compliant_device());
    tenant.try_sign_in_at(&url, ADELE).unwrap_err();
    assert_eq!(newest("interactiveUser").await, entry("failure", 53_000));
    device.remove();
    token_with(&tenant, &app, &[]).await;
    assert_eq!(newest("servicePrincipal").await, entry("notApplied", 0));
    tenant.add_access_policy(AccessPolicy::block().workload_identity(&app));
    token_with(&tenant, &app, &[]).await;
    assert_eq!(newest("servicePrincipal").await, entry("failure", 53_003));
}

#[tokio::test]
async fn the_results_of_a_failed_sign_in_are_those_for_the_requested_resource() {
    const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
    let (tenant, app) = shop().await;
    let reader = tenant
        .register_app("Reader")
        .application_permission("AuditLog.Read.All")
        .application_permission("Policy.Read.All")
        .with_secret();
    let reader = token(&tenant, &reader).await;
    let client_id = app.client_id().to_string();
    let tokens = redeem_code(&tenant, &app, &code(&tenant, &app), &[]).await;
    let refresh = tokens.body["refresh_token"].as_str().unwrap();

    let workload = app.service_principal_id().to_string();
    tenant.add_access_policy(AccessPolicy::require_compliant_device());
    tenant.add_access_policy(AccessPolicy::block().workload_identity(&app));
    let block = |name: &str, users: &str, workloads: &Value, apps: Value| {
        let policy = json!({
            "displayName": name, "state": "enabled",
            "conditions": {
                "users": { "includeUsers": [users] }, "clientApplications": workloads,
                "applications": apps, "clientAppTypes": ["all"],
            },
            "grantControls": { "operator": "OR", "builtInControls": ["block"] },
        });
        tenant
            .insert("identity/conditionalAccess/policies", policy)
            .unwrap();
    };
    let named = json!({ "includeApplications": [GRAPH], "excludeApplications": [] });
    let excluded = json!({ "includeApplications": ["All"], "excludeApplications": [GRAPH] });
    let workloads = json!({ "includeServicePrincipals": [workload] });
    block("users named", "All", &Value::Null, named.clone());
    block("users excluded", "All", &Value::Null, excluded.clone());
    block("workload named", "None", &workloads, named);
    block("workload excluded", "None", &workloads, excluded);

    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let rejected = redeem(&tenant, &app, true, &fields).await;
    assert_eq!(rejected.body["error_codes"], json!([53_000]));
    let rejected = token_with(&tenant, &app, &[]).await;
    assert_eq!(rejected.body["error_codes"], json!([53_003]));
    for (kind, applied) in [
        ("nonInteractiveUser", "users named"),
        ("servicePrincipal", "workload named"),
    ] {
        let url = format!(
            "{}/beta/auditLogs/signIns?$filter=appId eq '{client_id}' and signInEventTypes/any(t:t eq '{kind}')",
            tenant.uri()
        );
        let listed = fetch(http().get(url).bearer_auth(&reader)).await;
        assert_eq!(listed.status, 200, "{}", listed.text);
        let entry = &listed.body["value"][0];
        assert_eq!(entry["resourceId"], GRAPH, "{kind}");
        let results = entry["appliedConditionalAccessPolicies"]
            .as_array()
            .unwrap();
        assert_eq!(results.len(), 6, "{kind}");
        // The first two are those of the errors.
        for result in &results[2..] {
            let failed = result["displayName"] == applied;
            let expected = if failed { "failure" } else { "notApplied" };
            assert_eq!(result["result"], expected, "{kind}: {result}");
        }
    }
}
