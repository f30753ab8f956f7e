//! The rules of an application for valid tokens: scopes, app roles, callers, audiences.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    ErrorKind, TokenValidator,
    validate::{TokenValidationError, TokenValidationErrorKind, TokenValidatorBuilder},
};
use serde_json::{Value, json};

use crate::{
    support::{CLIENT, TENANT},
    validate_support::{
        API, CALLER, SERVICE_KEY, SignIn, api_token_validator, app_only_token, clock, id_token,
        user_token, with_changes, with_service,
    },
};

/// The error kind of a token with these claims under these rules.
async fn rejection_kind(
    builder: TokenValidatorBuilder,
    claims: &Value,
) -> Option<TokenValidationErrorKind> {
    let validator = builder.build().unwrap();
    let outcome = validator.validate(&SERVICE_KEY.token(claims)).await;
    outcome.err().map(|rejected| rejected.kind())
}

#[tokio::test]
async fn scopes_and_roles_are_required_of_users_and_applications() {
    use TokenValidationErrorKind::{AppOnlyRequired, Client, Role, Scope, UserRequired};
    let (user, app) = (user_token(), app_only_token());
    let admin = with_changes(user_token(), json!({ "roles": ["Admin"] }));
    let bare_app = with_changes(app_only_token(), json!({ "roles": null }));
    let unclear = with_changes(
        app_only_token(),
        json!({ "idtyp": null, "sub": "pairwise" }),
    );
    let inferred = with_changes(app_only_token(), json!({ "idtyp": null }));
    // An app-only token has no scopes, even with the claim `scp`.
    let pretending = with_changes(app_only_token(), json!({ "scp": "Tasks.Read" }));
    let device = with_changes(user_token(), json!({ "idtyp": "device" }));
    let both = || {
        api_token_validator()
            .scopes_any(["Tasks.Read"])
            .app_permissions_any(["Tasks.ReadAll"])
    };
    for (builder, claims, expected) in [
        (api_token_validator(), &user, None),
        (api_token_validator(), &app, None),
        (api_token_validator(), &bare_app, Some(Role)),
        (api_token_validator().clients([CALLER]), &bare_app, None),
        (
            api_token_validator().clients([CALLER.to_uppercase()]),
            &bare_app,
            None,
        ),
        (api_token_validator().clients([CLIENT]), &app, Some(Client)),
        (api_token_validator().clients([CLIENT]), &user, Some(Client)),
        (
            api_token_validator().scopes_any(["Tasks.Read", "Other"]),
            &user,
            None,
        ),
        (
            api_token_validator().scopes_any(["Other", "Tasks"]),
            &user,
            Some(Scope),
        ),
        (
            api_token_validator().scopes_any(["tasks.read"]),
            &user,
            Some(Scope),
        ),
        (
            api_token_validator().scopes_any(["Tasks.Read"]),
            &app,
            Some(Scope),
        ),
        (
            api_token_validator().scopes_any(["Tasks.Read"]),
            &pretending,
            Some(Scope),
        ),
        (
            api_token_validator().scopes_all(["Tasks.Read", "Tasks.Write"]),
            &user,
            None,
        ),
        (
            api_token_validator().scopes_all(["Tasks.Read", "Other"]),
            &user,
            Some(Scope),
        ),
        (
            api_token_validator().roles_any(["Admin"]),
            &user,
            Some(Role),
        ),
        (
            api_token_validator().roles_any(["Admin", "Other"]),
            &admin,
            None,
        ),
        (
            api_token_validator().roles_all(["Admin", "Other"]),
            &admin,
            Some(Role),
        ),
        (
            api_token_validator().roles_any(["Tasks.ReadAll"]),
            &app,
            None,
        ),
        (
            api_token_validator()
                .scopes_any(["Tasks.Read"])
                .roles_any(["Admin"]),
            &user,
            Some(Role),
        ),
        (
            api_token_validator()
                .scopes_any(["Tasks.Read"])
                .roles_any(["Admin"]),
            &admin,
            None,
        ),
        // With only `app_permissions_any`, tokens of users are rejected.
        (
            api_token_validator().app_permissions_any(["Tasks.ReadAll"]),
            &user,
            Some(AppOnlyRequired),
        ),
        (
            api_token_validator().app_permissions_any(["Tasks.ReadAll"]),
            &app,
            None,
        ),
        (
            api_token_validator()
                .app_permissions_any(["Tasks.ReadAll"])
                .roles_any(["Admin"]),
            &admin,
            None,
        ),
        (both(), &user, None),
        (both(), &app, None),
        (both(), &bare_app, Some(Role)),
        (both().roles_any(["Admin"]), &app, None),
        (
            both(),
            &with_changes(user.clone(), json!({ "scp": "Other" })),
            Some(Scope),
        ),
        (
            api_token_validator().app_only(),
            &user,
            Some(AppOnlyRequired),
        ),
        (api_token_validator().app_only(), &app, None),
        (api_token_validator().app_only(), &inferred, None),
        (
            api_token_validator().app_only(),
            &unclear,
            Some(AppOnlyRequired),
        ),
        (api_token_validator().user_only(), &app, Some(UserRequired)),
        (
            api_token_validator().user_only(),
            &pretending,
            Some(UserRequired),
        ),
        (
            api_token_validator().user_only(),
            &unclear,
            Some(UserRequired),
        ),
        (
            api_token_validator().user_only(),
            &device,
            Some(UserRequired),
        ),
        (api_token_validator().user_only(), &user, None),
    ] {
        let text = format!("{builder:?} {claims}");
        assert_eq!(rejection_kind(builder, claims).await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_route_can_require_more() {
    let validator = api_token_validator().build().unwrap();
    let token = validator
        .validate(&SERVICE_KEY.token(&user_token()))
        .await
        .unwrap();
    token.require_scope(&["Other", "Tasks.Write"]).unwrap();
    let rejected = token.require_scope(&["Tasks.Delete", "Admin"]).unwrap_err();
    assert_eq!(rejected.kind(), TokenValidationErrorKind::Scope);
    assert_eq!(
        rejected.www_authenticate().as_deref(),
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
        .validate(&SERVICE_KEY.token(&app_only_token()))
        .await
        .unwrap();
    token.require_role(&["Admin", "Tasks.ReadAll"]).unwrap();
    token.require_scope(&[]).unwrap_err();
}

#[tokio::test]
async fn audiences_match_with_and_without_a_trailing_slash() {
    let builder = || {
        let names = [
            API.to_owned(),
            CLIENT.to_uppercase(),
            "https://tasks.example/".to_owned(),
        ];
        with_service(
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
        let claims = with_changes(app_only_token(), json!({ "aud": aud }));
        let expected = (!is_ours).then_some(TokenValidationErrorKind::Audience);
        assert_eq!(rejection_kind(builder(), &claims).await, expected, "{aud}");
    }
}

#[test]
fn settings_that_accept_no_token_or_every_token_are_rejected() {
    let none: [&str; 0] = [];
    let id_token_validator = || TokenValidator::id_tokens(TENANT, CLIENT);
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
        id_token_validator().own_signing_keys("client"),
        id_token_validator().versions([]),
        id_token_validator().scopes_any(["x"]),
        id_token_validator().app_only(),
        id_token_validator().clients([CALLER]),
        id_token_validator().roles_any(none),
        api_token_validator().scopes_any(none),
        api_token_validator().clients(none),
        api_token_validator().clients([""]),
        api_token_validator().scopes_any(["Tasks.Read", " "]),
        api_token_validator().app_only().user_only(),
        api_token_validator().app_only().scopes_any(["x"]),
        api_token_validator().user_only().app_permissions_any(["x"]),
        api_token_validator().groups_as_roles().roles_any(["x"]),
        api_token_validator().groups_as_roles().roles_all(["x"]),
        api_token_validator()
            .groups_as_roles()
            .app_permissions_any(["x"]),
        id_token_validator().groups_as_roles().roles_any(["x"]),
        api_token_validator().leeway(Duration::from_secs(3601)),
    ] {
        let text = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{text}");
        assert!(error.fix().is_some(), "{text}");
    }
    assert!(id_token_validator().roles_any(["Admin"]).build().is_ok());
}

#[tokio::test]
async fn groups_emitted_as_roles_are_no_app_roles() {
    let named_like_a_role = json!({ "roles": ["Admin"] });
    let of_user = SERVICE_KEY.token(&with_changes(user_token(), named_like_a_role.clone()));
    let of_app = SERVICE_KEY.token(&with_changes(app_only_token(), named_like_a_role.clone()));
    let plain = api_token_validator().build().unwrap();
    for token in [&of_user, &of_app] {
        let token = plain.validate(token).await.unwrap();
        assert!(token.has_role("Admin") && token.require_role(&["Admin"]).is_ok());
    }
    let validator = api_token_validator().groups_as_roles().build().unwrap();
    let token = validator.validate(&of_user).await.unwrap();
    assert!(!token.has_role("Admin") && token.roles().next().is_none());
    let error = token.require_role(&["Admin"]).unwrap_err();
    assert_eq!(error.kind(), TokenValidationErrorKind::Role);
    assert_eq!(token.claim("roles"), Some(&json!(["Admin"])));
    // An application with nothing but a group has no permission of this API.
    let error = validator.validate(&of_app).await.unwrap_err();
    assert_eq!(error.kind(), TokenValidationErrorKind::Role);
    let listed = api_token_validator().groups_as_roles().clients([CALLER]);
    let token = listed.build().unwrap().validate(&of_app).await.unwrap();
    assert!(token.is_app_only() && !token.has_role("Admin"));
    // ID tokens as well.
    let service = SignIn::new();
    let of_user = SERVICE_KEY.token(&with_changes(id_token(), named_like_a_role));
    for (as_roles, has_role) in [(true, false), (false, true)] {
        let builder = TokenValidator::id_tokens(TENANT, CLIENT);
        let builder = with_service(builder, &service, &clock());
        let builder = match as_roles {
            true => builder.groups_as_roles(),
            false => builder,
        };
        let token = builder.build().unwrap().validate(&of_user).await.unwrap();
        assert_eq!(token.has_role("Admin"), has_role);
    }
}

#[tokio::test]
async fn users_can_be_accepted_by_app_role() {
    let service = SignIn::new();
    let builder = with_service(
        TokenValidator::id_tokens(TENANT, CLIENT),
        &service,
        &clock(),
    );
    let validator = builder.roles_any(["Buyer"]).build().unwrap();
    let with =
        |roles: Value| SERVICE_KEY.token(&with_changes(id_token(), json!({ "roles": roles })));
    validator.validate(&with(json!(["Buyer"]))).await.unwrap();
    let rejected = validator
        .validate(&with(json!(["Seller"])))
        .await
        .unwrap_err();
    assert_eq!(rejected.kind(), TokenValidationErrorKind::Role);
    assert!(Arc::strong_count(&service) > 1 && size_of::<TokenValidationError>() <= 16);
}
