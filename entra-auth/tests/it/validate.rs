//! Valid tokens: of the fake tenant, in both versions, and of other providers.

use entra_auth::{
    ClientSecretCredential, Discovery, TokenValidator,
    validate::{
        TokenValidationError, TokenValidationErrorKind, TokenValidatorBuilder, TokenVersion,
        ValidatedToken,
    },
};
use entra_core::{ClientId, Clock, Cloud, TokenCredential, TokenRequest};
use entra_mock::{App, FakeTenant};
use serde_json::{Value, json};

use crate::{
    support::{CLIENT, TENANT},
    validate_support::{
        API, CALLER, NOW, OTHER_TENANT, SERVICE_KEY, SignIn, USER, api_token_validator,
        app_only_token, clock, id_token, issuer_v2, user_token, with_changes, with_service,
    },
};

const ADELE: &str = "adele@contoso.com";
const ROLE: &str = "55555555-5555-5555-5555-555555555555";

/// An API with a scope and an app role, and a client to which a user and an administrator granted both.
fn with_api(tenant: &FakeTenant, is_v2: bool) -> (App, App) {
    let api = tenant.register_app("Tasks").expose_scope("Tasks.Read");
    if is_v2 {
        let _ = api.with_v2_tokens();
    }
    let roles = json!([{
        "id": ROLE, "value": "Tasks.ReadAll", "displayName": "Read all", "description": "Read all",
        "isEnabled": true, "allowedMemberTypes": ["Application", "User"],
    }]);
    let api_principal = api.service_principal_id().to_string();
    tenant
        .set_property(
            "servicePrincipals",
            &api_principal,
            "appRoles",
            roles.clone(),
        )
        .unwrap();
    tenant
        .set_property(
            "applications",
            &api.object_id().to_string(),
            "appRoles",
            roles,
        )
        .unwrap();
    let client = tenant
        .register_app("Board")
        .delegated_permission_of(&api, "Tasks.Read")
        .with_secret();
    tenant
        .insert(
            "appRoleAssignments",
            json!({
                "id": "role-of-the-client", "principalId": client.service_principal_id().to_string(),
                "principalType": "ServicePrincipal", "resourceId": api_principal, "appRoleId": ROLE,
            }),
        )
        .unwrap();
    (api, client)
}

fn api_validator(tenant: &FakeTenant, api: &App) -> TokenValidatorBuilder {
    let id = api.client_id();
    TokenValidator::access_tokens(tenant.id(), [id.to_string(), format!("api://{id}")])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
}

#[tokio::test]
async fn user_tokens_of_both_versions_are_accepted() {
    for (is_v2, version) in [(false, TokenVersion::V1), (true, TokenVersion::V2)] {
        let tenant = FakeTenant::start().await;
        let (api, client) = with_api(&tenant, is_v2);
        let scope = format!("api://{}/Tasks.Read", api.client_id());
        let sent = tenant.tokens_for(&client, ADELE, [scope]);
        let validator = api_validator(&tenant, &api);
        let validator = validator
            .scopes_any(["Tasks.Read"])
            .user_only()
            .build()
            .unwrap();
        let token = validator
            .validate(sent.access_token().expose_secret())
            .await
            .unwrap();
        assert_eq!(token.version(), Some(version));
        assert_eq!(token.oid(), Some(tenant.user(ADELE).id()));
        assert_eq!(token.tid(), tenant.id().guid());
        assert_eq!(
            token.app_id(),
            Some(client.client_id().to_string().as_str())
        );
        assert_eq!(token.scopes().collect::<Vec<_>>(), ["Tasks.Read"]);
        assert!(!token.is_app_only() && !token.supports_cae());
        assert!(token.issued_at().unwrap() <= tenant.clock().now());
        assert_eq!(token.claim("name"), token.claims().get("name"));
        // The same token after its expiry.
        tenant
            .clock()
            .advance(std::time::Duration::from_secs(2 * 3600));
        let rejected = validator
            .validate(sent.access_token().expose_secret())
            .await
            .unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::Expired);
        let message = rejected.to_string();
        assert!(
            message.contains("expired at 20") && message.ends_with('Z'),
            "{message}"
        );
        tenant.requests().to("/keys").assert_count(1);
        let other = if is_v2 {
            TokenVersion::V1
        } else {
            TokenVersion::V2
        };
        let one_version = api_validator(&tenant, &api)
            .versions([other])
            .build()
            .unwrap();
        let sent = tenant.tokens_for(
            &client,
            ADELE,
            [format!("api://{}/Tasks.Read", api.client_id())],
        );
        let rejected = one_version
            .validate(sent.access_token().expose_secret())
            .await
            .unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::Issuer);
    }
}

#[tokio::test]
async fn app_only_tokens_are_distinguished_from_user_tokens() {
    for is_v2 in [false, true] {
        let tenant = FakeTenant::start().await;
        let (api, client) = with_api(&tenant, is_v2);
        let credential =
            ClientSecretCredential::builder(tenant.id(), client.client_id(), client.secret())
                .cloud(tenant.cloud())
                .clock(tenant.clock())
                .build()
                .unwrap();
        let request = TokenRequest::new([format!("api://{}/.default", api.client_id())]);
        let sent = credential.token(&request).await.unwrap();
        let rules = || api_validator(&tenant, &api);
        let validator = rules()
            .app_only()
            .roles_any(["Tasks.ReadAll"])
            .build()
            .unwrap();
        let token = validator.validate(sent.expose_secret()).await.unwrap();
        assert!(token.is_app_only() && token.has_role("Tasks.ReadAll"));
        assert_eq!(token.oid(), Some(client.service_principal_id()));
        assert_eq!(token.scopes().count(), 0);
        for (builder, kind) in [
            (rules().user_only(), TokenValidationErrorKind::UserRequired),
            (
                rules().scopes_any(["Tasks.Read"]),
                TokenValidationErrorKind::Scope,
            ),
            (
                rules().roles_all(["Tasks.ReadAll", "Other"]),
                TokenValidationErrorKind::Role,
            ),
            (rules().clients([CALLER]), TokenValidationErrorKind::Client),
        ] {
            let rejected = builder
                .build()
                .unwrap()
                .validate(sent.expose_secret())
                .await
                .unwrap_err();
            assert_eq!(rejected.kind(), kind);
            assert_eq!(rejected.bearer_error(), Some("insufficient_scope"));
            assert_eq!(rejected.http_status(), 403);
        }
    }
}

#[tokio::test]
async fn an_id_token_identifies_the_user() {
    let tenant = FakeTenant::start().await;
    let app = tenant.register_app("Shop").with_secret();
    let tokens = tenant.tokens_for(&app, ADELE, ["openid", "profile", "email"]);
    let sent = tokens.id_token().unwrap().expose_secret();
    let id_token_validator = |tenant_name: &str, client: ClientId| {
        TokenValidator::id_tokens(tenant_name, client)
            .cloud(tenant.cloud())
            .clock(tenant.clock())
    };
    let guid = tenant.id().to_string();
    for builder in [
        id_token_validator(&guid, app.client_id()),
        id_token_validator(&tenant.domain(), app.client_id()),
        id_token_validator("organizations", app.client_id()).tenants([guid.as_str()]),
        id_token_validator("common", app.client_id()).any_tenant(),
    ] {
        let token = builder
            .build()
            .unwrap()
            .validate_id_token(sent, None)
            .await
            .unwrap();
        assert_eq!(token.oid(), Some(tenant.user(ADELE).id()));
        assert_eq!(token.tid(), tenant.id().guid());
        assert_eq!(token.audience(), app.client_id().to_string());
        assert!(!token.sub().is_empty() && !token.is_app_only());
    }
    let other_tenant_only =
        id_token_validator("organizations", app.client_id()).tenants([OTHER_TENANT]);
    for (builder, kind) in [
        (other_tenant_only, TokenValidationErrorKind::Tenant),
        (
            id_token_validator(&guid, CLIENT.parse().unwrap()),
            TokenValidationErrorKind::Audience,
        ),
    ] {
        let rejected = builder.build().unwrap().validate(sent).await.unwrap_err();
        assert_eq!(rejected.kind(), kind);
        assert_eq!(rejected.bearer_error(), Some("invalid_token"));
    }
    // The fake tenant as a generic OpenID provider.
    let issuer = format!("{}/{guid}/v2.0", tenant.uri());
    let provider = Discovery::new().openid_provider(&issuer).await.unwrap();
    let generic = TokenValidator::id_tokens("any.example", app.client_id());
    let generic = generic
        .cloud(provider)
        .clock(tenant.clock())
        .build()
        .unwrap();
    let token = generic.validate_id_token(sent, None).await.unwrap();
    assert_eq!((token.tid(), token.version()), (None, None));
    assert_eq!(token.issuer(), issuer);
}

/// Validates one token, and returns the URL of the requested metadata.
async fn validate_and_locate(
    builder: TokenValidatorBuilder,
    claims: &Value,
) -> (Result<ValidatedToken, TokenValidationError>, String) {
    let service = SignIn::new();
    let validator = with_service(builder, &service, &clock()).build().unwrap();
    let outcome = validator.validate(&SERVICE_KEY.token(claims)).await;
    (
        outcome,
        service
            .requested_urls()
            .first()
            .cloned()
            .unwrap_or_default(),
    )
}

#[tokio::test]
async fn each_cloud_has_its_own_keys_and_issuers() {
    let external = Cloud::external_id("contoso").unwrap();
    for (cloud, tenant, host, iss) in [
        (
            Cloud::public(),
            TENANT,
            "login.microsoftonline.com",
            issuer_v2(TENANT),
        ),
        (
            Cloud::us_government(),
            TENANT,
            "login.microsoftonline.us",
            format!("https://login.microsoftonline.us/{TENANT}/v2.0"),
        ),
        (
            Cloud::china(),
            "contoso.com",
            "login.partner.microsoftonline.cn",
            format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0"),
        ),
        (
            external,
            TENANT,
            "contoso.ciamlogin.com",
            format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"),
        ),
    ] {
        let builder = || TokenValidator::id_tokens(tenant, CLIENT).cloud(cloud.clone());
        let (outcome, requested) =
            validate_and_locate(builder(), &with_changes(id_token(), json!({ "iss": iss }))).await;
        assert_eq!(outcome.unwrap().tid(), TENANT.parse().ok(), "{host}");
        assert_eq!(
            requested,
            format!("https://{host}/{tenant}/v2.0/.well-known/openid-configuration")
        );
        let other_tenant_only = with_changes(
            id_token(),
            json!({ "iss": "https://login.example/".to_owned() + TENANT }),
        );
        let rejected = validate_and_locate(builder(), &other_tenant_only)
            .await
            .0
            .unwrap_err();
        assert_eq!(rejected.kind(), TokenValidationErrorKind::Issuer);
    }
    let own_keys = TokenValidator::id_tokens(TENANT, CLIENT).own_signing_keys(CLIENT);
    let (_, requested) = validate_and_locate(own_keys, &id_token()).await;
    assert!(
        requested.ends_with(&format!("/openid-configuration?appid={CLIENT}")),
        "{requested}"
    );
}

#[tokio::test]
async fn an_authority_for_many_tenants_accepts_the_listed_tenants() {
    const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let of = |tenant: &str| {
        with_changes(
            id_token(),
            json!({ "iss": issuer_v2(tenant), "tid": tenant }),
        )
    };
    let many = |alias: &str| TokenValidator::id_tokens(alias, CLIENT);
    for (builder, tenant, rejected) in [
        (many("organizations").tenants([TENANT]), TENANT, false),
        (many("organizations").tenants([TENANT]), OTHER_TENANT, true),
        (many("organizations").any_tenant(), OTHER_TENANT, false),
        (many("organizations").any_tenant(), PERSONAL, true),
        (many("organizations").tenants([PERSONAL]), PERSONAL, false),
        (many("common").any_tenant(), PERSONAL, false),
        (many("common").tenants([TENANT]), PERSONAL, true),
        (many("consumers"), PERSONAL, false),
        (many("consumers"), TENANT, true),
    ] {
        let kind = validate_and_locate(builder.clone(), &of(tenant))
            .await
            .0
            .err()
            .map(|rejected| rejected.kind());
        let expected = rejected.then_some(TokenValidationErrorKind::Tenant);
        assert_eq!(kind, expected, "{builder:?} {tenant}");
    }
    // The tenant of the issuer must match, not only `tid`.
    let mixed = with_changes(of(OTHER_TENANT), json!({ "tid": TENANT }));
    let kind = validate_and_locate(many("common").tenants([TENANT]), &mixed)
        .await
        .0
        .unwrap_err()
        .kind();
    assert_eq!(kind, TokenValidationErrorKind::Issuer);
    // Version 1 has an issuer template as well.
    let api = TokenValidator::access_tokens("common", [API]).tenants([TENANT]);
    validate_and_locate(api, &app_only_token()).await.0.unwrap();
}

#[tokio::test]
async fn access_tokens_of_another_provider_are_accepted() {
    let issuer = "https://id.example/base/";
    let service = SignIn::new();
    service.respond_at(
        "https://id.example/base/.well-known/openid-configuration",
        &json!({ "issuer": issuer, "jwks_uri": "https://keys.example/all" }),
    );
    service.respond_at(
        "https://keys.example/all",
        &json!({ "keys": [SERVICE_KEY.jwk()] }),
    );
    let cloud = Cloud::openid_provider(
        "https://id.example/base",
        "https://id.example/t",
        None,
        None,
    );
    let cloud = cloud.unwrap().with_endpoint_hosts(["keys.example"]);
    let rules = |audience: &str| {
        let builder = TokenValidator::access_tokens("any.example", [audience]).cloud(cloud.clone());
        with_service(builder, &service, &clock())
    };
    let claims = json!({
        "iss": issuer, "aud": ["one", "two"], "sub": "adele", "exp": NOW + 60, "iat": NOW,
        "client_id": "board", "scope": "read write", "roles": "not a list",
    });
    let header = with_changes(SERVICE_KEY.header(), json!({ "typ": "at+jwt" }));
    let sent = SERVICE_KEY.token_with(&header, &claims);
    let token = rules("two")
        .scopes_all(["read", "write"])
        .clients(["board"])
        .build()
        .unwrap();
    let token = token.validate(&sent).await.unwrap();
    assert_eq!(
        (token.app_id(), token.is_app_only()),
        (Some("board"), false)
    );
    assert_eq!(token.audience(), "one");
    assert_eq!((token.oid(), token.tid()), (None, None));
    let rejected = rules("three")
        .build()
        .unwrap()
        .validate(&sent)
        .await
        .unwrap_err();
    assert_eq!(rejected.kind(), TokenValidationErrorKind::Audience);
    let service_token = SERVICE_KEY.token(&with_changes(claims.clone(), json!({ "sub": "board" })));
    let token = rules("one")
        .build()
        .unwrap()
        .validate(&service_token)
        .await
        .unwrap();
    assert!(token.is_app_only());
    let id_token = SERVICE_KEY.token(&with_changes(claims, json!({ "nonce": "n" })));
    let rejected = rules("one")
        .build()
        .unwrap()
        .validate(&id_token)
        .await
        .unwrap_err();
    assert_eq!(rejected.kind(), TokenValidationErrorKind::TokenUse);
}

#[tokio::test]
async fn id_tokens_of_version_1_are_accepted_with_the_setting() {
    let claims = json!({
        "aud": CLIENT, "iss": crate::validate_support::issuer_v1(TENANT), "iat": NOW, "nbf": NOW,
        "exp": NOW + 3600, "amr": ["pwd"], "ipaddr": "127.0.0.1", "name": "Adele", "nonce": "n-1",
        "oid": USER, "sub": "pairwise", "tid": TENANT, "unique_name": "adele@contoso.com",
        "upn": "adele@contoso.com", "ver": "1.0",
    });
    let id_token_validator = || TokenValidator::id_tokens(TENANT, CLIENT);
    let (outcome, requested) =
        validate_and_locate(id_token_validator().versions([TokenVersion::V1]), &claims).await;
    let token = outcome.unwrap();
    assert_eq!(token.version(), Some(TokenVersion::V1));
    assert_eq!(
        requested,
        format!("https://login.microsoftonline.com/{TENANT}/.well-known/openid-configuration")
    );
    let both = id_token_validator().versions([TokenVersion::V1, TokenVersion::V2]);
    validate_and_locate(both.clone(), &claims).await.0.unwrap();
    validate_and_locate(both, &id_token()).await.0.unwrap();
    let rejected = validate_and_locate(
        id_token_validator().versions([TokenVersion::V1]),
        &id_token(),
    )
    .await
    .0;
    assert_eq!(
        rejected.unwrap_err().kind(),
        TokenValidationErrorKind::Issuer
    );
}

#[tokio::test]
async fn client_capabilities_are_read() {
    let validator = api_token_validator().build().unwrap();
    for (capabilities, expected) in [
        (json!(["cp1"]), true),
        (json!(["CP1", "x"]), true),
        (json!(["cp2"]), false),
        (json!("cp1"), false),
        (Value::Null, false),
    ] {
        let claims = with_changes(user_token(), json!({ "xms_cc": capabilities }));
        let token = validator
            .validate(&SERVICE_KEY.token(&claims))
            .await
            .unwrap();
        assert_eq!(token.supports_cae(), expected);
        assert_eq!(token.oid().unwrap().to_string(), USER);
        assert_eq!(token.expires_on().unix_timestamp(), NOW + 3600);
        assert_eq!(token.into_claims()["azp"], CALLER);
    }
}
