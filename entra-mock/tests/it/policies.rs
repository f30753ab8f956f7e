//! Conditional access, groups and optional claims.

use entra_mock::{AccessPolicy, App, FakeTenant, GroupClaims};
use serde_json::{Value, json};

use crate::users::{ADELE, assert_error, authorize_url, claims, code, redeem, redeem_code, shop};

fn identity(tenant: &FakeTenant, app: &App, user: &str) -> Value {
    let tokens = tenant.tokens_for(app, user, ["openid", "profile", "email"]);
    claims(&json!(tokens.id_token().unwrap().expose_secret()))
}

fn ids(claim: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> = claim
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_blocked_user_gets_no_tokens_until_the_policy_is_removed() {
    let (tenant, app) = shop().await;
    let refresh = tenant
        .tokens_for(&app, ADELE, ["openid", "offline_access", "User.Read"])
        .refresh_token()
        .unwrap()
        .clone();
    let before = code(&tenant, &app);
    let policy =
        tenant.add_access_policy(AccessPolicy::block().user(&tenant.user(ADELE)).app(&app));

    let rejected = redeem_code(&tenant, &app, &before, &[]).await;
    assert_error(&rejected, 400, "invalid_grant", 53_003);
    assert_eq!(rejected.body["suberror"], "message_only");
    let challenge: Value =
        serde_json::from_str(rejected.body["claims"].as_str().expect("a challenge")).unwrap();
    assert_eq!(
        challenge["access_token"]["capolids"]["values"],
        json!([policy.id()])
    );
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.expose_secret()),
    ];
    assert_error(
        &redeem(&tenant, &app, true, &fields).await,
        400,
        "invalid_grant",
        53_003,
    );
    policy.remove();
    assert_eq!(redeem(&tenant, &app, true, &fields).await.status, 200);
}

#[tokio::test]
async fn a_policy_applies_to_the_groups_and_applications_it_names() {
    let (tenant, app) = shop().await;
    let other = tenant.register_app("Other").with_secret();
    let (inner, outer) = (tenant.add_group("Inner"), tenant.add_group("Outer"));
    inner.add_member(tenant.user(ADELE).id());
    outer.add_member(inner.id());
    let _policy = tenant.add_access_policy(
        AccessPolicy::require_second_factor()
            .group(&outer)
            .app(&app),
    );
    let sign_in = async |app: &App, name: &str| {
        let password = tenant.user(name).password();
        app.public_client();
        let fields = [
            ("grant_type", "password"),
            ("username", name),
            ("password", password.expose_secret()),
            ("scope", "openid"),
        ];
        redeem(&tenant, app, true, &fields).await
    };
    let rejected = sign_in(&app, ADELE).await;
    assert_error(&rejected, 400, "invalid_grant", 50_076);
    assert!(rejected.body["claims"].is_string() && rejected.body["suberror"] == "basic_action");
    assert_eq!(sign_in(&app, "bruno@contoso.com").await.status, 200);
    assert_eq!(sign_in(&other, ADELE).await.status, 200);
}

#[tokio::test]
async fn each_kind_of_group_claim_has_its_own_groups() {
    let (tenant, app) = shop().await;
    let adele = tenant.user(ADELE).id();
    for group in ["Engineers", "All staff"] {
        tenant.group(group).remove_member(adele);
    }
    let (security, list) = (tenant.add_group("Security"), tenant.add_group("List"));
    let assigned = tenant.add_group("Assigned");
    for group in [&security, &list, &assigned] {
        group.add_member(adele);
    }
    list.set("securityEnabled", false.into());
    tenant.assign(assigned.id(), app.service_principal_id());
    let named = |groups: &[&entra_mock::GroupHandle]| {
        let mut ids: Vec<String> = groups.iter().map(|group| group.id().to_string()).collect();
        ids.sort_unstable();
        ids
    };

    for (kind, expected, roles) in [
        (GroupClaims::None, named(&[]), false),
        (
            GroupClaims::SecurityGroup,
            named(&[&security, &assigned]),
            false,
        ),
        (GroupClaims::ApplicationGroup, named(&[&assigned]), false),
        (GroupClaims::DirectoryRole, named(&[]), true),
        (
            GroupClaims::All,
            named(&[&security, &list, &assigned]),
            true,
        ),
    ] {
        app.group_claims(kind);
        let token = identity(&tenant, &app, ADELE);
        assert_eq!(ids(&token["groups"]), expected, "{kind:?}");
        assert_eq!(token["wids"].is_array(), roles, "{kind:?}");
    }
    tenant.user(ADELE).make_admin();
    assert_eq!(ids(&identity(&tenant, &app, ADELE)["wids"]).len(), 2);
}

#[tokio::test]
async fn the_groups_claim_has_at_most_200_groups() {
    let (tenant, app) = shop().await;
    app.group_claims(GroupClaims::SecurityGroup);
    app.expose_scope("Read");
    let user = tenant.add_user("Grace");
    let name = user.user_principal_name();
    for number in 0..200 {
        tenant
            .add_group(&format!("G{number}"))
            .add_member(user.id());
    }
    assert_eq!(ids(&identity(&tenant, &app, &name)["groups"]).len(), 200);
    tenant.add_group("One more").add_member(user.id());

    let api = format!("api://{}/Read", app.client_id());
    let tokens = tenant.tokens_for(&app, &name, ["openid", "profile", &api]);
    for token in [tokens.id_token().unwrap(), tokens.access_token()] {
        let token = claims(&json!(token.expose_secret()));
        assert!(token.get("groups").is_none() && token.get("hasgroups").is_none());
        assert_eq!(token["_claim_names"], json!({ "groups": "src1" }));
        let endpoint = format!(
            "https://graph.windows.net/{}/users/{}/getMemberObjects",
            tenant.id(),
            user.id()
        );
        assert_eq!(
            token["_claim_sources"],
            json!({ "src1": { "endpoint": endpoint } })
        );
    }
}

#[tokio::test]
async fn groups_can_be_emitted_by_name_or_as_roles() {
    let (tenant, app) = shop().await;
    app.group_claims(GroupClaims::ApplicationGroup);
    let group = tenant.add_group("Night shift");
    group.add_member(tenant.user(ADELE).id());
    tenant.assign(group.id(), app.service_principal_id());
    let with = |option: &str| {
        let claims = json!({ "idToken": [{ "name": "groups", "additionalProperties": [option] }] });
        let id = app.object_id().to_string();
        tenant
            .set_property("applications", &id, "optionalClaims", claims)
            .unwrap();
        identity(&tenant, &app, ADELE)
    };
    assert_eq!(with("cloud_displayname")["groups"], json!(["Night shift"]));
    let token = with("emit_as_roles");
    assert_eq!(token["roles"], json!([group.id().to_string()]));
    assert!(token.get("groups").is_none());
}

#[tokio::test]
async fn optional_claims_are_present_if_the_directory_has_their_data() {
    let (tenant, app) = shop().await;
    for name in [
        "acct",
        "amr",
        "auth_time",
        "email",
        "family_name",
        "login_hint",
        "sid",
        "upn",
        "xms_edov",
        "unheard_of",
    ] {
        app.id_token_claim(name);
    }
    let token = identity(&tenant, &app, ADELE);
    assert_eq!(token["amr"], json!(["pwd", "mfa"]));
    assert_eq!(
        (&token["acct"], &token["xms_edov"]),
        (&json!(0), &json!(true))
    );
    assert_eq!(
        (&token["email"], &token["upn"]),
        (&json!(ADELE), &json!(ADELE))
    );
    assert!(token["auth_time"].is_i64() && token["sid"].is_string());
    assert!(token["login_hint"].as_str().unwrap().starts_with("O."));
    assert!(token.get("family_name").is_none() && token.get("unheard_of").is_none());

    let guest = identity(
        &tenant,
        &app,
        "gus_fabrikam.example#EXT#@contoso.onmicrosoft.com",
    );
    assert_eq!(
        (&guest["acct"], &guest["xms_edov"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(guest["email"], "gus@fabrikam.example");
    assert!(guest["idp"].is_string());
}

#[tokio::test]
async fn client_capabilities_are_in_tokens_of_apis_that_request_them() {
    let (tenant, app) = shop().await;
    app.expose_scope("Read").with_v2_tokens();
    let url = authorize_url(
        &tenant,
        &app,
        &[("scope", &format!("openid api://{}/Read", app.client_id()))],
    );
    let capable = r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#;
    let access = async || {
        let code = tenant.sign_in_at(&url, ADELE).parameter("code").unwrap();
        let tokens = redeem_code(&tenant, &app, &code, &[("claims", capable)]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.text);
        claims(&tokens.body["access_token"])
    };
    assert!(access().await.get("xms_cc").is_none());
    app.access_token_claim("xms_cc");
    assert_eq!(access().await["xms_cc"], json!(["cp1"]));
}
