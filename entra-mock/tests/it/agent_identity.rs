//! Entra Agent ID: exchange tokens, and what agent identities and agent users get with them.

use entra_mock::{AgentIdentity, App, FakeTenant, UserHandle};
use serde_json::Value;

use crate::{
    support::{Response, graph_get, post_token},
    users::{ADELE, assert_error, claims},
};

const EXCHANGE: &str = "api://AzureADTokenExchange/.default";
const GRAPH: &str = "https://graph.microsoft.com/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct Case {
    tenant: FakeTenant,
    blueprint: App,
    agent: AgentIdentity,
    user: UserHandle,
}

async fn case() -> Case {
    let tenant = FakeTenant::start().await;
    let blueprint = tenant
        .register_app("Travel agents")
        .expose_scope("access_agent")
        .with_secret();
    let agent = tenant
        .add_agent_identity(&blueprint, "Travel agent 1")
        .application_permission("User.Read.All")
        .delegated_permission("User.Read");
    let user = tenant.add_agent_user(&agent, "Travel Agent");
    Case {
        tenant,
        blueprint,
        agent,
        user,
    }
}

impl Case {
    async fn post(&self, fields: &[(&str, &str)]) -> Response {
        post_token(
            &self.tenant,
            &format!("/{}/oauth2/v2.0/token", self.tenant.id()),
            fields,
        )
        .await
    }

    /// The exchange token of a blueprint for a client.
    async fn exchange(&self, blueprint: &App, path: &str) -> Response {
        let (id, secret) = (blueprint.client_id().to_string(), blueprint.secret());
        self.post(&[
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", secret.expose_secret()),
            ("scope", EXCHANGE),
            ("fmi_path", path),
        ])
        .await
    }

    /// The client assertion of the agent identity.
    async fn assertion(&self) -> String {
        let response = self
            .exchange(&self.blueprint, &self.agent.client_id().to_string())
            .await;
        assert_eq!(response.status, 200, "{}", response.text);
        text(&response, "access_token")
    }

    async fn as_agent(&self, assertion: &str, fields: &[(&str, &str)]) -> Response {
        let id = self.agent.client_id().to_string();
        let mut form = vec![
            ("client_id", id.as_str()),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
        ];
        form.extend(fields);
        self.post(&form).await
    }

    /// The token that names the agent user's identity.
    async fn user_credential(&self, assertion: &str) -> String {
        let fields = [("grant_type", "client_credentials"), ("scope", EXCHANGE)];
        text(&self.as_agent(assertion, &fields).await, "access_token")
    }
}

fn text(response: &Response, name: &str) -> String {
    response.body[name].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_agent_identity_gets_an_application_token_by_its_blueprints_exchange_token() {
    let case = case().await;
    let exchange = case.assertion().await;
    let t1 = claims(&Value::from(exchange.as_str()));
    assert_eq!(t1["aud"], "api://AzureADTokenExchange");
    assert_eq!(t1["sub"], case.blueprint.service_principal_id().to_string());
    let issuer = format!("{}/{}/v2.0", case.tenant.uri(), case.tenant.id());
    assert_eq!((&t1["iss"], &t1["idtyp"]), (&issuer.into(), &"app".into()));

    let fields = [("grant_type", "client_credentials"), ("scope", GRAPH)];
    let response = case.as_agent(&exchange, &fields).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let token = claims(&response.body["access_token"]);
    let (agent, blueprint) = (
        case.agent.client_id().to_string(),
        case.blueprint.client_id().to_string(),
    );
    assert_eq!(token["appid"], agent);
    assert_eq!(token["xms_par_app_azp"], blueprint);
    assert_eq!(
        (&token["xms_act_fct"], &token["xms_sub_fct"]),
        (&"11".into(), &"11".into())
    );
    assert_eq!(
        (&token["appidacr"], &token["idtyp"]),
        (&"2".into(), &"app".into())
    );
    assert_eq!(token["roles"], serde_json::json!(["User.Read.All"]));
    let users = graph_get(&case.tenant, &text(&response, "access_token"), "/users").await;
    assert_eq!(users.status, 200, "{}", users.text);
}

#[tokio::test]
async fn an_exchange_token_is_for_one_agent_identity_of_its_blueprint() {
    let case = case().await;
    let other = case.tenant.register_app("Other agents").with_secret();
    let stranger = case.tenant.add_agent_identity(&other, "Other agent");
    let (own, foreign) = (
        case.agent.client_id().to_string(),
        stranger.client_id().to_string(),
    );
    let empty = case.exchange(&case.blueprint, "").await;
    assert_error(&empty, 400, "invalid_request", 90_100);
    for (blueprint, path) in [
        (&case.blueprint, &foreign),
        (&other, &own),
        (&other, &"A/B".to_owned()),
    ] {
        assert_error(
            &case.exchange(blueprint, path).await,
            401,
            "invalid_client",
            700_213,
        );
    }
    let fields = [("grant_type", "client_credentials"), ("scope", GRAPH)];
    let foreign = text(&case.exchange(&other, &foreign).await, "access_token");
    assert_error(
        &case.as_agent(&foreign, &fields).await,
        401,
        "invalid_client",
        700_213,
    );
    let fields_without = [
        ("grant_type", "client_credentials"),
        ("client_id", own.as_str()),
        ("scope", GRAPH),
    ];
    assert_error(
        &case.post(&fields_without).await,
        401,
        "invalid_client",
        7_000_216,
    );
    let with_secret = [&fields_without[..], &[("client_secret", "x")]].concat();
    assert_error(
        &case.post(&with_secret).await,
        401,
        "invalid_client",
        7_000_215,
    );
    assert_error(
        &case.as_agent("x.y.z", &fields).await,
        401,
        "invalid_client",
        700_027,
    );
    // A token of Graph is no exchange token.
    let exchange = case.assertion().await;
    let graph = text(&case.as_agent(&exchange, &fields).await, "access_token");
    assert_error(
        &case.as_agent(&graph, &fields).await,
        401,
        "invalid_client",
        700_211,
    );
    case.tenant
        .clock()
        .advance(std::time::Duration::from_secs(3600));
    assert_error(
        &case.as_agent(&exchange, &fields).await,
        401,
        "invalid_client",
        700_024,
    );
}

#[tokio::test]
async fn an_agent_identity_acts_on_behalf_of_a_user_of_its_blueprint() {
    let case = case().await;
    let scope = format!("api://{}/access_agent", case.blueprint.client_id());
    let app = case
        .tenant
        .register_app("Front end")
        .delegated_permission_of(&case.blueprint, "access_agent")
        .with_secret();
    let tokens = case.tenant.tokens_for(&app, ADELE, [&scope]);
    let assertion = case.assertion().await;
    let request = async |user_token: &str, scope: &str| {
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("assertion", user_token),
            ("scope", scope),
        ];
        case.as_agent(&assertion, &fields).await
    };
    let response = request(
        tokens.access_token().expose_secret(),
        "User.Read offline_access",
    )
    .await;
    assert_eq!(response.status, 200, "{}", response.text);
    let token = claims(&response.body["access_token"]);
    assert_eq!(token["upn"], ADELE);
    assert_eq!(token["xms_act_fct"], "11");
    assert!(token.get("xms_sub_fct").is_none(), "the subject is a user");
    let refresh = text(&response, "refresh_token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    assert_eq!(case.as_agent(&assertion, &fields).await.status, 200);
    let for_graph = case.tenant.tokens_for(&app, ADELE, ["User.Read"]);
    let rejected = request(for_graph.access_token().expose_secret(), "User.Read").await;
    assert_error(&rejected, 400, "invalid_grant", 50_013);
    let without_consent = request(tokens.access_token().expose_secret(), "Mail.Read").await;
    assert_error(&without_consent, 400, "invalid_grant", 65_001);
}

#[tokio::test]
async fn an_agent_user_gets_tokens_through_its_agent_identity_alone() {
    let case = case().await;
    let assertion = case.assertion().await;
    let credential = case.user_credential(&assertion).await;
    let (id, name) = (case.user.id().to_string(), case.user.user_principal_name());
    let request = async |credential: &str, user: (&'static str, &str)| {
        let fields = [
            ("grant_type", "user_fic"),
            ("user_federated_identity_credential", credential),
            ("scope", "openid offline_access User.Read"),
            ("client_info", "1"),
            user,
        ];
        case.as_agent(&assertion, &fields).await
    };
    for user in [("user_id", id.as_str()), ("username", name.as_str())] {
        let response = request(&credential, user).await;
        assert_eq!(response.status, 200, "{}", response.text);
        let token = claims(&response.body["access_token"]);
        assert_eq!(token["oid"], id);
        assert_eq!(
            (&token["xms_act_fct"], &token["xms_sub_fct"]),
            (&"11".into(), &"13".into())
        );
        for part in ["id_token", "refresh_token", "client_info"] {
            assert!(response.body[part].is_string(), "{part}");
        }
        let me = graph_get(&case.tenant, &text(&response, "access_token"), "/me").await;
        assert_eq!(me.body["id"], id, "{}", me.text);
    }
    assert_error(
        &request(&credential, ("user_id", &name)).await,
        500,
        "server_error",
        50_000,
    );
    let without_user = request(&credential, ("x", "y")).await;
    assert_error(&without_user, 400, "invalid_request", 900_144);
    let other_user = request(&credential, ("username", ADELE)).await;
    assert_error(&other_user, 401, "invalid_client", 700_213);
    // The client assertion itself is for another purpose.
    let rejected = request(&assertion, ("user_id", &id)).await;
    assert_error(&rejected, 401, "invalid_client", 700_213);
    // So is the token of another agent identity of the blueprint.
    let second = case
        .tenant
        .add_agent_identity(&case.blueprint, "Travel agent 2");
    let other = second.client_id().to_string();
    let exchange = case.exchange(&case.blueprint, &other).await;
    let foreign = case
        .post(&[
            ("grant_type", "client_credentials"),
            ("client_id", &other),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &text(&exchange, "access_token")),
            ("scope", EXCHANGE),
        ])
        .await;
    assert_eq!(foreign.status, 200, "{}", foreign.text);
    let foreign = text(&foreign, "access_token");
    let rejected = request(&foreign, ("user_id", &id)).await;
    assert_error(&rejected, 401, "invalid_client", 700_213);
    let app = case.tenant.register_app("Plain").with_secret();
    let (client, secret) = (app.client_id().to_string(), app.secret());
    let plain = case
        .post(&[
            ("grant_type", "user_fic"),
            ("client_id", &client),
            ("client_secret", secret.expose_secret()),
            ("user_federated_identity_credential", &credential),
            ("user_id", &id),
            ("scope", "User.Read"),
        ])
        .await;
    assert_error(&plain, 400, "unsupported_grant_type", 70_003);
}

#[tokio::test]
async fn an_exchange_token_needs_the_type_of_a_client_assertion() {
    let case = case().await;
    let (assertion, id) = (case.assertion().await, case.agent.client_id().to_string());
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", GRAPH),
        ("client_id", id.as_str()),
        ("client_assertion", assertion.as_str()),
    ];
    let rejected = case.post(&form).await;
    assert_error(&rejected, 400, "invalid_request", 900_144);
}

#[tokio::test]
async fn the_path_of_an_exchange_token_is_a_client_id_in_any_case() {
    let case = case().await;
    let path = case.agent.client_id().to_string().to_uppercase();
    let exchange = case.exchange(&case.blueprint, &path).await;
    let fields = [("grant_type", "client_credentials"), ("scope", GRAPH)];
    let exchange = text(&exchange, "access_token");
    let response = case.as_agent(&exchange, &fields).await;
    assert_eq!(response.status, 200, "{}", response.text);
}
