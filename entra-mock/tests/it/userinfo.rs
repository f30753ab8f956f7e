//! The UserInfo endpoint of OpenID Connect.

use crate::{
    support::{Response, fetch, http, token},
    users::{ADELE, claims, shop},
};

async fn userinfo(tenant: &entra_mock::FakeTenant, token: &str) -> Response {
    fetch(
        http()
            .get(format!("{}/oidc/userinfo", tenant.uri()))
            .bearer_auth(token),
    )
    .await
}

#[tokio::test]
async fn userinfo_has_the_subject_of_the_id_token_and_the_claims_of_the_scopes() {
    let (tenant, app) = shop().await;
    let tokens = tenant.tokens_for(&app, ADELE, ["openid", "profile", "email", "User.Read"]);
    let identity = claims(&tokens.id_token().unwrap().expose_secret().into());
    let info = userinfo(&tenant, tokens.access_token().expose_secret()).await;
    assert_eq!(info.status, 200, "{}", info.text);
    assert_eq!(info.body["sub"], identity["sub"]);
    assert_eq!(info.body["name"], identity["name"]);
    assert_eq!(info.body["email"], ADELE);
    assert!(
        info.body["picture"]
            .as_str()
            .unwrap()
            .ends_with("/me/photo/$value")
    );
    let older = fetch(
        http()
            .get(format!("{}/{}/openid/userinfo", tenant.uri(), tenant.id()))
            .bearer_auth(tokens.access_token().expose_secret()),
    );
    assert_eq!(
        older.await.body,
        info.body,
        "the address of the v1 metadata"
    );
    let bare = tenant.tokens_for(&app, ADELE, ["openid", "User.Read"]);
    let info = userinfo(&tenant, bare.access_token().expose_secret()).await;
    assert!(
        info.body.get("name").is_none() && info.body.get("email").is_none(),
        "{}",
        info.text
    );
}

#[tokio::test]
async fn userinfo_needs_a_token_of_a_user_with_the_scope_openid() {
    let (tenant, app) = shop().await;
    let without = tenant.tokens_for(&app, ADELE, ["User.Read"]);
    assert_eq!(
        userinfo(&tenant, without.access_token().expose_secret())
            .await
            .status,
        403
    );
    let of_the_application = token(&tenant, &app).await;
    assert_eq!(userinfo(&tenant, &of_the_application).await.status, 403);
    let invalid = userinfo(&tenant, "x.y.z").await;
    assert_eq!(
        (invalid.status, &invalid.body["error"]["code"]),
        (401, &"InvalidAuthenticationToken".into())
    );
}
