//! The routes of an API that requires tokens.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use entra_auth::{
    TokenValidator,
    validate::TokenValidationErrorKind,
    web::{BearerAuthLayer, BearerAuthRejection, Caller},
};
use entra_core::Secret;
use entra_mock::{App, FakeTenant, Fault};

use crate::web_browser::{SiteResponse, call};

struct Api {
    tenant: FakeTenant,
    app: App,
    board: App,
    routes: Router,
}

async fn api() -> Api {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Tasks")
        .expose_scope("Tasks.Read")
        .expose_scope("Tasks.Write");
    let board = tenant
        .register_app("Board")
        .delegated_permission_of(&app, "Tasks.Read")
        .with_secret();
    let validator = TokenValidator::access_tokens(
        tenant.id(),
        [
            format!("api://{}", app.client_id()),
            app.client_id().to_string(),
        ],
    );
    let validator = validator.cloud(tenant.cloud()).clock(tenant.clock());
    let tokens = BearerAuthLayer::new(validator.build().unwrap());
    let identity = async |caller: Caller| caller.token().oid().unwrap().to_string();
    let stepped_up = async |caller: Caller| -> Result<String, BearerAuthRejection> {
        match caller.token().claim("acrs") {
            Some(_) => Ok("done".to_owned()),
            None => Err(BearerAuthRejection::claims_challenge(
                r#"{"access_token":{}}"#,
            )),
        }
    };
    let guarded = |path: &str, tokens: BearerAuthLayer| {
        Router::new().route(path, get(identity)).route_layer(tokens)
    };
    let routes = Router::new()
        .merge(guarded("/any", tokens.clone()))
        .merge(guarded(
            "/read",
            tokens.clone().scopes(["Tasks.Read", "Tasks.Write"]),
        ))
        .merge(guarded("/write", tokens.clone().scopes(["Tasks.Write"])))
        .merge(guarded(
            "/jobs",
            tokens.clone().app_permissions(["Tasks.Run"]),
        ))
        .merge(guarded(
            "/bosses",
            tokens.clone().scopes(["Tasks.Read"]).roles(["Boss"]),
        ))
        .merge(
            Router::new()
                .route("/step-up", get(stepped_up))
                .route_layer(tokens),
        )
        .route("/open", get(identity));
    Api {
        tenant,
        app,
        board,
        routes,
    }
}

impl Api {
    fn token(&self) -> Secret {
        let scope = format!("api://{}/Tasks.Read", self.app.client_id());
        let tokens = self
            .tenant
            .tokens_for(&self.board, "adele@contoso.com", [scope]);
        tokens.access_token().clone()
    }

    async fn get(&self, path: &str, token: &str) -> SiteResponse {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        call(&self.routes, request.body(Body::empty()).unwrap()).await
    }
}

fn challenge(response: &SiteResponse) -> (StatusCode, &str) {
    assert!(response.body.is_empty(), "{}", response.body);
    (response.status, response.header("www-authenticate"))
}

#[tokio::test]
async fn a_valid_token_reaches_the_handler() {
    let api = api().await;
    let token = api.token();
    let adele = api.tenant.user("adele@contoso.com").id().to_string();
    for path in ["/any", "/read"] {
        let response = api.get(path, token.expose_secret()).await;
        assert_eq!(
            (response.status, response.body.as_str()),
            (StatusCode::OK, adele.as_str()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_missing_or_invalid_token_gets_401() {
    let api = api().await;
    let none = call(
        &api.routes,
        Request::get("/any").body(Body::empty()).unwrap(),
    )
    .await;
    assert_eq!(challenge(&none), (StatusCode::UNAUTHORIZED, "Bearer"));
    let in_address = format!("/any?access_token={}", api.token().expose_secret());
    let none = call(
        &api.routes,
        Request::get(in_address).body(Body::empty()).unwrap(),
    )
    .await;
    assert_eq!(none.status, StatusCode::UNAUTHORIZED);
    let valid = api.token();
    let (signed, _) = valid.expose_secret().rsplit_once('.').unwrap();
    for bad in [
        "x",
        "a.b.c",
        &format!("{signed}.AAAA"),
        &"x".repeat(100_000),
    ] {
        let response = api.get("/any", bad).await;
        let (status, header) = challenge(&response);
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(
            header.starts_with(r#"Bearer error="invalid_token""#),
            "{header}"
        );
    }
    api.tenant.clock().advance(Duration::from_secs(2 * 3600));
    let expired = api.get("/any", valid.expose_secret()).await;
    assert_eq!(challenge(&expired).0, StatusCode::UNAUTHORIZED);
    let graph = api
        .tenant
        .tokens_for(&api.board, "adele@contoso.com", ["User.Read"]);
    let foreign = api.get("/any", graph.access_token().expose_secret()).await;
    assert_eq!(challenge(&foreign).0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_valid_token_without_the_scope_gets_403_with_the_required_scope() {
    let api = api().await;
    let token = api.token();
    let write = api.get("/write", token.expose_secret()).await;
    let (status, header) = challenge(&write);
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        header.contains(r#"error="insufficient_scope""#)
            && header.contains(r#"scope="Tasks.Write""#),
        "{header}"
    );
    for path in ["/bosses", "/jobs"] {
        let response = api.get(path, token.expose_secret()).await;
        let (status, header) = challenge(&response);
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(header.contains(r#"error="insufficient_scope""#), "{header}");
    }
}

#[tokio::test]
async fn a_handler_can_return_a_claims_challenge() {
    let api = api().await;
    let response = api.get("/step-up", api.token().expose_secret()).await;
    assert_eq!(
        challenge(&response),
        (
            StatusCode::UNAUTHORIZED,
            r#"Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#
        )
    );
}

#[tokio::test]
async fn unavailable_keys_get_503_and_a_missing_layer_gets_500() {
    let api = api().await;
    let token = api.token();
    let open = api.get("/open", token.expose_secret()).await;
    assert_eq!(challenge(&open), (StatusCode::INTERNAL_SERVER_ERROR, ""));
    api.tenant.inject(Fault::on("/discovery").status(503));
    api.tenant
        .inject(Fault::on("openid-configuration").status(503));
    let response = api.get("/any", token.expose_secret()).await;
    assert_eq!(challenge(&response), (StatusCode::SERVICE_UNAVAILABLE, ""));
    api.tenant.clear_faults();
    api.tenant.clock().advance(Duration::from_secs(60));
    assert_eq!(
        api.get("/any", token.expose_secret()).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_error_names_the_reason_without_the_token() {
    let api = api().await;
    let validator = TokenValidator::access_tokens(api.tenant.id(), ["api://other"]);
    let validator = validator
        .cloud(api.tenant.cloud())
        .clock(api.tenant.clock());
    let rule = BearerAuthLayer::new(validator.build().unwrap()).scopes(["A"]);
    let token = api.token();
    let mut headers = axum::http::HeaderMap::new();
    let value = format!("Bearer {}", token.expose_secret()).parse().unwrap();
    headers.insert("authorization", value);
    let rejected = rule.check(&headers).await.unwrap_err();
    assert_eq!(
        rejected.invalid_token().unwrap().kind(),
        TokenValidationErrorKind::Audience
    );
    let (_, signature) = token.expose_secret().rsplit_once('.').unwrap();
    let text = format!(
        "{rejected} {rejected:?} {rule:?} {:?}",
        rejected.www_authenticate()
    );
    assert!(!text.contains(signature), "{text}");
}

#[tokio::test]
async fn a_token_that_is_neither_app_only_nor_a_users_is_rejected() {
    use crate::validate_support::{SERVICE_KEY, api_token_validator, app_only_token, with_changes};

    let rule =
        BearerAuthLayer::new(api_token_validator().build().unwrap()).roles(["Tasks.ReadAll"]);
    let unclear = with_changes(
        app_only_token(),
        serde_json::json!({ "idtyp": null, "sub": "pairwise" }),
    );
    let mut headers = axum::http::HeaderMap::new();
    let token = format!("Bearer {}", SERVICE_KEY.token(&unclear));
    headers.insert("authorization", token.try_into().unwrap());
    let rejected = rule.check(&headers).await.unwrap_err();
    assert_eq!(rejected.status(), StatusCode::FORBIDDEN);
    let header = rejected.www_authenticate().unwrap();
    assert!(header.contains("whether the token is a user's"), "{header}");
}
