//! The layers of a site and of an API as tower services, and their debug output.

use std::{
    convert::Infallible,
    error::Error as _,
    future::{Ready, ready},
    task::{Context, Poll, Waker},
};

use axum::{extract::Request, response::Response};
use entra_auth::{
    TokenValidator,
    web::{BearerAuthLayer, BearerAuthRejection},
};
use entra_mock::FakeTenant;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    support::TENANT,
    validate_support::{
        API, SERVICE_KEY, SignIn, api_token_validator, id_token, id_token_validator, with_changes,
    },
    web::{builder, register},
};

/// A service that is never ready for another request.
#[derive(Clone)]
struct Full;

impl Service<Request> for Full {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

fn is_ready(mut service: impl Service<Request>) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    service.poll_ready(&mut context).is_ready()
}

#[tokio::test]
async fn a_layer_is_ready_when_its_inner_service_is_ready() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let sign_in = builder(&tenant, &app).build().unwrap();
    assert!(!is_ready(sign_in.sessions().layer(Full)));
    let tokens = BearerAuthLayer::new(api_token_validator().build().unwrap());
    assert!(!is_ready(tokens.layer(Full)));
}

#[tokio::test]
async fn debug_of_a_site_shows_its_urls() {
    let tenant = FakeTenant::start().await;
    let app = register(&tenant);
    let builder = builder(&tenant, &app);
    for text in [
        format!("{builder:?}"),
        format!("{:?}", builder.build().unwrap()),
    ] {
        assert!(text.contains("shop.example"), "{text}");
    }
    let tokens = BearerAuthLayer::new(api_token_validator().build().unwrap());
    assert!(format!("{tokens:?}").contains("BearerAuthLayer"));
}

#[tokio::test]
async fn a_rejection_is_displayed_in_one_line_and_has_its_cause_as_source() {
    let token = SERVICE_KEY.token(&with_changes(id_token(), serde_json::json!({ "aud": API })));
    let invalid = id_token_validator(&SignIn::new())
        .validate(&token)
        .await
        .unwrap_err();
    let cause = invalid.to_string();
    let rejection = BearerAuthRejection::from(invalid);
    assert_eq!(rejection.to_string(), "the request's token is not accepted");
    assert_eq!(rejection.source().unwrap().to_string(), cause);
    let challenge = BearerAuthRejection::claims_challenge(r#"{"access_token":{}}"#);
    assert_eq!(challenge.to_string(), "the request's token lacks claims");
    assert!(challenge.source().is_none());
}

#[test]
fn debug_of_a_validator_shows_its_tenant() {
    let validator: TokenValidator = api_token_validator().build().unwrap();
    let text = format!("{validator:?}");
    assert!(
        text.contains(TENANT) || text.contains("TokenValidator"),
        "{text}"
    );
}
