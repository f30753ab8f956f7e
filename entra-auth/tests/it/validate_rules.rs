//! What an application lets in beyond a good signature: scopes, app roles, callers, audiences.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    ErrorKind, TokenValidator,
    validate::{TokenValidationError, TokenValidationErrorKind, TokenValidatorBuilder},
};
use serde_json::{Value, json};

use crate::{
    support::{CLIENT, TENANT},
    validate_support::{
        API, CALLER, OURS, SignIn, application_token, but, callers, clock, id_token, on,
        person_token,
    },
};

/// What the API's rules make of these claims.
async fn rule(builder: TokenValidatorBuilder, claims: &Value) -> Option<TokenValidationErrorKind> {
    let validator = builder.build().unwrap();
    let outcome = validator.validate(&OURS.token(claims)).await;
    outcome.err().map(|refused| refused.kind())
}

#[tokio::test]
async fn scopes_and_roles_are_asked_of_those_who_can_have_them() {
    use TokenValidationErrorKind::{AppOnlyRequired, Client, Role, Scope, UserRequired};
    let (person, app) = (person_token(), application_token());
    let admin = but(person_token(), json!({ "roles": ["Admin"] }));
    let bare_app = but(application_token(), json!({ "roles": null }));
    let unclear = but(
        application_token(),
        json!({ "idtyp": null, "sub": "pairwise" }),
    );
    let inferred = but(application_token(), json!({ "idtyp": null }));
    // An application's token has no scopes, even if it says so.
    let pretending = but(application_token(), json!({ "scp": "Tasks.Read" }));
    let device = but(person_token(), json!({ "idtyp": "device" }));
    let both = || {
        callers()
            .scopes_any(["Tasks.Read"])
            .app_permissions_any(["Tasks.ReadAll"])
    };
    for (builder, claims, expected) in [
        (callers(), &person, None),
        (callers(), &app, None),
        (callers(), &bare_app, Some(Role)),
        (callers().clients([CALLER]), &bare_app, None),
        (callers().clients([CALLER.to_uppercase()]), &bare_app, None),
        (callers().clients([CLIENT]), &app, Some(Client)),
        (callers().clients([CLIENT]), &person, Some(Client)),
        (callers().scopes_any(["Tasks.Read", "Other"]), &person, None),
        (
            callers().scopes_any(["Other", "Tasks"]),
            &person,
            Some(Scope),
        ),
        (callers().scopes_any(["tasks.read"]), &person, Some(Scope)),
        (callers().scopes_any(["Tasks.Read"]), &app, Some(Scope)),
        (
            callers().scopes_any(["Tasks.Read"]),
            &pretending,
            Some(Scope),
        ),
        (
            callers().scopes_all(["Tasks.Read", "Tasks.Write"]),
            &person,
            None,
        ),
        (
            callers().scopes_all(["Tasks.Read", "Other"]),
            &person,
            Some(Scope),
        ),
        (callers().roles_any(["Admin"]), &person, Some(Role)),
        (callers().roles_any(["Admin", "Other"]), &admin, None),
        (callers().roles_all(["Admin", "Other"]), &admin, Some(Role)),
        (callers().roles_any(["Tasks.ReadAll"]), &app, None),
        (
            callers().scopes_any(["Tasks.Read"]).roles_any(["Admin"]),
            &person,
            Some(Role),
        ),
        (
            callers().scopes_any(["Tasks.Read"]).roles_any(["Admin"]),
            &admin,
            None,
        ),
        // A list of application permissions alone is for applications alone.
        (
            callers().app_permissions_any(["Tasks.ReadAll"]),
            &person,
            Some(AppOnlyRequired),
        ),
        (callers().app_permissions_any(["Tasks.ReadAll"]), &app, None),
        (
            callers()
                .app_permissions_any(["Tasks.ReadAll"])
                .roles_any(["Admin"]),
            &admin,
            None,
        ),
        (both(), &person, None),
        (both(), &app, None),
        (both(), &bare_app, Some(Role)),
        (both().roles_any(["Admin"]), &app, None),
        (
            both(),
            &but(person.clone(), json!({ "scp": "Other" })),
            Some(Scope),
        ),
        (callers().app_only(), &person, Some(AppOnlyRequired)),
        (callers().app_only(), &app, None),
        (callers().app_only(), &inferred, None),
        (callers().app_only(), &unclear, Some(AppOnlyRequired)),
        (callers().user_only(), &app, Some(UserRequired)),
        (callers().user_only(), &pretending, Some(UserRequired)),
        (callers().user_only(), &unclear, Some(UserRequired)),
        (callers().user_only(), &device, Some(UserRequired)),
        (callers().user_only(), &person, None),
    ] {
        let text = format!("{builder:?} {claims}");
        assert_eq!(rule(builder, claims).await, expected, "{text}");
    }
}

#[tokio::test]
async fn one_route_can_ask_for_more() {
    let validator = callers().build().unwrap();
    let token = validator
        .validate(&OURS.token(&person_token()))
        .await
        .unwrap();
    token.require_scope(&["Other", "Tasks.Write"]).unwrap();
    let refused = token.require_scope(&["Tasks.Delete", "Admin"]).unwrap_err();
    assert_eq!(refused.kind(), TokenValidationErrorKind::Scope);
    assert_eq!(
        refused.www_authenticate().as_deref(),
        Some(
            r#"Bearer error="insufficient_scope", error_description="The token lacks a scope", scope="Tasks.Delete Admin""#
        )
    );
    let strange = token.require_scope(&["a\"\r\nSet-Cookie: b"]).unwrap_err();
    assert!(!strange.www_authenticate().unwrap().contains("Cookie"));
    assert_eq!(
        token.require_role(&["Admin"]).unwrap_err().kind(),
        TokenValidationErrorKind::Role
    );
    let token = validator
        .validate(&OURS.token(&application_token()))
        .await
        .unwrap();
    token.require_role(&["Admin", "Tasks.ReadAll"]).unwrap();
    token.require_scope(&[]).unwrap_err();
}

#[tokio::test]
async fn audiences_are_the_apis_names_with_or_without_the_slash_at_the_end() {
    let builder = || {
        let names = [
            API.to_owned(),
            CLIENT.to_uppercase(),
            "https://tasks.example/".to_owned(),
        ];
        on(
            TokenValidator::access_tokens(TENANT, names),
            &SignIn::new(),
            &clock(),
        )
    };
    for (aud, is_ours) in [
        (API, true),
        ("api://tasks/", true),
        (CLIENT, true),
        ("https://tasks.example", true),
        ("api://tasks2", false),
        ("api://task", false),
        ("https://tasks.example/x", false),
        (&format!("{CLIENT}/"), false),
        ("", false),
    ] {
        let claims = but(application_token(), json!({ "aud": aud }));
        let expected = (!is_ours).then_some(TokenValidationErrorKind::Audience);
        assert_eq!(rule(builder(), &claims).await, expected, "{aud}");
    }
}

#[test]
fn settings_that_let_nobody_or_anybody_in_by_mistake_are_refused() {
    let none: [&str; 0] = [];
    let people = || TokenValidator::id_tokens(TENANT, CLIENT);
    let many = |alias: &str| TokenValidator::id_tokens(alias, CLIENT);
    for builder in [
        TokenValidator::id_tokens("contoso", CLIENT),
        TokenValidator::id_tokens(TENANT, "client"),
        TokenValidator::access_tokens(TENANT, none),
        TokenValidator::access_tokens(TENANT, [""]),
        many("common"),
        many("organizations"),
        many("common").tenants(none),
        many("common").tenants(["contoso.com"]),
        many("common").tenants(["contoso"]),
        many("common").tenants([TENANT]).any_tenant(),
        people().own_signing_keys("client"),
        people().versions([]),
        people().scopes_any(["x"]),
        people().app_only(),
        people().clients([CALLER]),
        people().roles_any(none),
        callers().scopes_any(none),
        callers().clients(none),
        callers().clients([""]),
        callers().scopes_any(["Tasks.Read", " "]),
        callers().app_only().user_only(),
        callers().app_only().scopes_any(["x"]),
        callers().user_only().app_permissions_any(["x"]),
        callers().leeway(Duration::from_secs(3601)),
    ] {
        let text = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{text}");
        assert!(error.fix().is_some(), "{text}");
    }
    assert!(people().roles_any(["Admin"]).build().is_ok());
}

#[tokio::test]
async fn people_can_be_let_in_by_app_role() {
    let service = SignIn::new();
    let builder = on(
        TokenValidator::id_tokens(TENANT, CLIENT),
        &service,
        &clock(),
    );
    let validator = builder.roles_any(["Buyer"]).build().unwrap();
    let with = |roles: Value| OURS.token(&but(id_token(), json!({ "roles": roles })));
    validator.validate(&with(json!(["Buyer"]))).await.unwrap();
    let refused = validator
        .validate(&with(json!(["Seller"])))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), TokenValidationErrorKind::Role);
    assert!(Arc::strong_count(&service) > 1 && size_of::<TokenValidationError>() <= 16);
}
