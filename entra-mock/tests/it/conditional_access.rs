//! Grant and session controls of conditional access.

use std::time::Duration;

use entra_mock::{AccessPolicy, FakeTenant};
use serde_json::{Value, json};

use crate::{
    support::{Response, fetch, get, http},
    users::{
        ADELE, Browser, assert_error, authorize_url, code, parameter, redeem, redeem_code,
        returned, shop,
    },
};

#[tokio::test]
async fn a_control_that_the_client_cannot_meet_returns_its_own_code_and_a_challenge() {
    for (policy, number) in [
        (AccessPolicy::require_compliant_device(), 53_000),
        (AccessPolicy::require_hybrid_joined_device(), 53_001),
        (AccessPolicy::require_approved_application(), 53_002),
        (AccessPolicy::require_password_change(), 50_135),
        (AccessPolicy::require_custom_control(), 50_158),
        (AccessPolicy::require_token_protection(), 530_084),
    ] {
        let (tenant, app) = shop().await;
        let before = code(&tenant, &app);
        let policy = tenant.add_access_policy(policy.user(&tenant.user(ADELE)));
        let rejected = redeem_code(&tenant, &app, &before, &[]).await;
        assert_error(&rejected, 400, "invalid_grant", number);
        let claims = rejected.body["claims"].as_str().expect("a challenge");
        let claims: Value = serde_json::from_str(claims).unwrap();
        assert_eq!(claims["access_token"]["capolids"]["values"][0], policy.id());
        let page = tenant
            .try_sign_in_at(&authorize_url(&tenant, &app, &[]), ADELE)
            .unwrap_err();
        assert_eq!(page.aadsts_code(), Some(number));
        let other = tenant.sign_in_at(&authorize_url(&tenant, &app, &[]), "bruno@contoso.com");
        assert!(other.parameter("code").is_some(), "{number}");
        policy.remove();
        assert!(!code(&tenant, &app).is_empty(), "{number}");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_older_than_its_frequency_must_be_repeated() {
    let (tenant, app) = shop().await;
    let password = tenant.user(ADELE).password();
    let mut browser = Browser::default();
    let page = browser.get(&authorize_url(&tenant, &app, &[])).await;
    let fields = [
        ("login", ADELE),
        ("passwd", password.expose_secret()),
        ("step", "password"),
    ];
    let back = returned(&browser.submit(&tenant, &page, &fields).await);
    let tokens = redeem_code(&tenant, &app, &parameter(&back, "code"), &[]).await;
    let refresh = tokens.body["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let _policy =
        tenant.add_access_policy(AccessPolicy::sign_in_frequency(Duration::from_secs(3600)));
    assert_eq!(redeem(&tenant, &app, true, &fields).await.status, 200);
    tenant.clock().advance(Duration::from_secs(3600));
    let rejected = redeem(&tenant, &app, true, &fields).await;
    assert_error(&rejected, 400, "invalid_grant", 70_043);
    let silent = authorize_url(&tenant, &app, &[("prompt", "none")]);
    let parameters = returned(&browser.get(&silent).await);
    assert_eq!(parameter(&parameters, "error"), "login_required");
    assert!(parameter(&parameters, "error_description").starts_with("AADSTS70043"));
    let page = browser.get(&authorize_url(&tenant, &app, &[])).await;
    assert!(page.text.contains("id=\"login\""), "{}", page.text);
    assert_eq!(get(&authorize_url(&tenant, &app, &[])).await.status, 200);
}

/// A token that may write policies, and the URL of the policies.
async fn writer(tenant: &FakeTenant) -> (String, String) {
    let writer = tenant
        .register_app("Writer")
        .application_permission("Policy.Read.All")
        .application_permission("Policy.ReadWrite.ConditionalAccess")
        .application_permission("Application.Read.All")
        .with_secret();
    let token = crate::support::token(tenant, &writer).await;
    let url = format!("{}/v1.0/identity/conditionalAccess/policies", tenant.uri());
    (token, url)
}

/// Creates a policy that blocks these users and applications.
async fn block(
    (token, url): &(String, String),
    users: &Value,
    applications: &Value,
    more: &Value,
) -> Response {
    let mut policy = json!({
        "displayName": "Block", "state": "enabled",
        "conditions": {"clientAppTypes": ["all"], "applications": applications, "users": users},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}
    });
    for (name, condition) in more.as_object().unwrap() {
        policy["conditions"][name] = condition.clone();
    }
    let created = fetch(http().post(url).bearer_auth(token).json(&policy)).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created
}

#[tokio::test]
async fn a_policy_that_is_written_by_graph_applies_to_all_but_its_exclusions() {
    const BRUNO: &str = "bruno@contoso.com";
    let (tenant, app) = shop().await;
    let writer = writer(&tenant).await;
    let sign_in = |name: &str| {
        let back = tenant.try_sign_in_at(&authorize_url(&tenant, &app, &[]), name);
        back.err().and_then(|page| page.aadsts_code())
    };
    let everyone = json!({"includeUsers": ["All"]});
    let everything = json!({"includeApplications": ["All"]});
    let adele = tenant.user(ADELE).id().to_string();
    let group = tenant.add_group("Break glass");
    assert!(group.add_member(tenant.user(ADELE).id()));
    let locations = json!({
        "locations": {"includeLocations": ["All"], "excludeLocations": []},
        "platforms": {"includePlatforms": ["all"]}
    });
    for users in [
        json!({"includeUsers": ["All"], "excludeUsers": [adele]}),
        json!({"includeUsers": ["All"], "excludeGroups": [group.id().to_string()]}),
    ] {
        let created = block(&writer, &users, &everything, &locations).await;
        assert_eq!(sign_in(ADELE), None, "{users}");
        assert_eq!(sign_in(BRUNO), Some(53_003), "{users}");
        remove(&writer, &created).await;
    }
    let other = json!({
        "includeApplications": ["All"], "excludeApplications": [app.client_id().to_string()]
    });
    block(&writer, &everyone, &other, &json!({})).await;
    assert_eq!(sign_in(BRUNO), None);
    block(&writer, &everyone, &everything, &json!({})).await;
    assert_eq!(sign_in(BRUNO), Some(53_003));
}

async fn remove((token, url): &(String, String), created: &Response) {
    let one = format!("{url}/{}", created.body["id"].as_str().unwrap());
    let deleted = fetch(http().delete(one).bearer_auth(token)).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
}

#[tokio::test]
async fn the_policies_that_are_enabled_and_not_enforced_are_found() {
    let (tenant, app) = shop().await;
    let writer = writer(&tenant).await;
    let everyone = json!({"includeUsers": ["All"]});
    let everything = json!({"includeApplications": ["All"]});
    let policies = |tenant: &FakeTenant| -> Vec<String> {
        let findings = tenant.findings();
        let found = findings.iter();
        found
            .filter(|finding| finding.rule == "policy-not-enforced")
            .map(|finding| finding.what.clone())
            .collect()
    };
    assert_eq!(policies(&tenant), [] as [String; 0]);
    let devices = json!({"devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -eq True"}}});
    let created = block(&writer, &everyone, &everything, &devices).await;
    assert!(!code(&tenant, &app).is_empty(), "it is recorded only");
    let found = policies(&tenant);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("\"Block\" (conditions/devices)"),
        "{found:?}"
    );
    remove(&writer, &created).await;
    assert_eq!(policies(&tenant), [] as [String; 0]);
}

#[tokio::test]
async fn a_policy_that_is_written_by_graph_blocks_a_sign_in() {
    let (tenant, app) = shop().await;
    let writer = writer(&tenant).await;
    let users = json!({"includeUsers": [tenant.user(ADELE).id().to_string()]});
    let applications = json!({"includeApplications": [app.client_id().to_string()]});
    let created = block(&writer, &users, &applications, &json!({})).await;
    let page = tenant
        .try_sign_in_at(&authorize_url(&tenant, &app, &[]), ADELE)
        .unwrap_err();
    assert_eq!(page.aadsts_code(), Some(53_003));
    remove(&writer, &created).await;
    assert!(!code(&tenant, &app).is_empty());
}

#[tokio::test]
async fn graph_lists_a_policy_with_its_controls() {
    let (tenant, _) = shop().await;
    let reader = tenant
        .register_app("Reader")
        .application_permission("Policy.Read.All")
        .with_secret();
    tenant.add_access_policy(AccessPolicy::require_compliant_device());
    tenant.add_access_policy(AccessPolicy::require_custom_control());
    tenant.add_access_policy(AccessPolicy::sign_in_frequency(Duration::from_secs(7200)));
    let token = crate::support::token(&tenant, &reader).await;
    let listed =
        crate::support::graph_get(&tenant, &token, "/identity/conditionalAccess/policies").await;
    let found = |pointer: &str| {
        let policies = listed.body["value"].as_array().unwrap();
        policies.iter().find_map(|policy| {
            policy
                .pointer(pointer)
                .filter(|value| !value.is_null())
                .cloned()
        })
    };
    assert_eq!(
        found("/grantControls/builtInControls/0"),
        Some("compliantDevice".into()),
        "{}",
        listed.text
    );
    assert_eq!(
        found("/grantControls/customAuthenticationFactors/0"),
        Some("RequireCustomControl".into())
    );
    assert_eq!(
        found("/sessionControls/signInFrequency/value"),
        Some(2.into())
    );
}

#[tokio::test]
async fn a_policy_that_is_changed_beside_graph_is_enforced_as_it_is_now() {
    const POLICIES: &str = "identity/conditionalAccess/policies";
    let (tenant, app) = shop().await;
    let blocked = || {
        let back = tenant.try_sign_in_at(&authorize_url(&tenant, &app, &[]), ADELE);
        back.err().and_then(|page| page.aadsts_code())
    };
    let policy = json!({
        "displayName": "Block", "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["All"]}
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}
    });
    let id = tenant.insert(POLICIES, policy).unwrap();
    assert_eq!(blocked(), Some(53_003), "inserted");
    let upper = id.to_uppercase();
    for (state, expected) in [("disabled", None), ("enabled", Some(53_003))] {
        for id in [&id, &upper] {
            tenant
                .set_property(POLICIES, id, "state", state.into())
                .unwrap();
            assert_eq!(blocked(), expected, "{state}");
        }
    }
    assert!(tenant.remove(POLICIES, &id).unwrap());
    assert_eq!(blocked(), None, "removed");
}
