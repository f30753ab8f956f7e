//! A web app with replicas: each user's tokens are stored, carried and forgotten apart.

use std::{collections::HashSet, sync::Arc};

use entra_auth::{
    CachePartition, TokenCache,
    user::{AuthorizationCodeFlow, ClientAuthentication, StartOptions, UserCredential},
};
use entra_core::{Secret, TokenCredential, TokenRequest};
use entra_mock::{App, FakeTenant};

use crate::{stores::Shelf, user_code::shop};

const USERS: [&str; 2] = ["adele@contoso.com", "clara@contoso.com"];

fn read() -> TokenRequest {
    TokenRequest::new(["User.Read"])
}

async fn sign_in(tenant: &FakeTenant, app: &App, cache: &TokenCache, who: &str) -> UserCredential {
    let proof = ClientAuthentication::secret(app.secret());
    let flow = AuthorizationCodeFlow::builder(tenant.id(), app.client_id(), proof)
        .redirect_uri("https://shop.example/callback")
        .scopes(["User.Read"])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(cache)
        .build()
        .unwrap();
    let (url, state) = flow.start(&StartOptions::default()).unwrap();
    let back = tenant.sign_in_at(url.as_str(), who);
    flow.finish(state, back.address()).await.unwrap()
}

/// The same user at another replica, from what the session holds.
fn elsewhere(
    tenant: &FakeTenant,
    app: &App,
    cache: &TokenCache,
    (user, refresh_token): (&UserCredential, &Secret),
) -> UserCredential {
    let proof = ClientAuthentication::secret(app.secret());
    UserCredential::builder(
        user.account().clone(),
        app.client_id(),
        proof,
        refresh_token,
    )
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .cache(cache)
    .build()
    .unwrap()
}

fn partition(tenant: &FakeTenant, user: &UserCredential) -> CachePartition {
    CachePartition::account(&tenant.cloud(), &user.account().home_account_id)
}

#[tokio::test]
async fn token_of_a_sign_in_is_read_by_other_replicas_until_sign_out() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let replica = || TokenCache::builder().store(Arc::clone(&shelf)).build();
    let first = replica();
    let mut seen = HashSet::new();
    let mut users = Vec::new();
    for who in USERS {
        let user = sign_in(&tenant, &app, &first, who).await;
        let token = user.token(&read()).await.unwrap();
        let kept = user.refresh_token().unwrap();
        let there = elsewhere(&tenant, &app, &replica(), (&user, &kept));
        assert_eq!(
            there.token(&read()).await.unwrap().expose_secret(),
            token.expose_secret()
        );
        assert!(
            seen.insert(token.expose_secret().to_owned()),
            "a token of one's own"
        );
        users.push((user, kept));
    }
    tenant.requests().to("/token").assert_count(2);
    first
        .forget(&partition(&tenant, &users[0].0))
        .await
        .unwrap();
    let there = replica();
    for (user, requests) in [(&users[1], 2), (&users[0], 3)] {
        let user = elsewhere(&tenant, &app, &there, (&user.0, &user.1));
        user.token(&read()).await.unwrap();
        tenant.requests().to("/token").assert_count(requests);
    }
}

#[tokio::test]
async fn partition_of_a_user_holds_only_tokens_of_that_user() {
    let (tenant, app) = shop().await;
    let cache = TokenCache::new();
    let mut users = Vec::new();
    for who in USERS {
        users.push(sign_in(&tenant, &app, &cache, who).await);
    }
    let bytes = cache
        .export(&partition(&tenant, &users[0]))
        .unwrap()
        .unwrap();
    let other = TokenCache::new();
    other
        .import(&partition(&tenant, &users[1]), &bytes)
        .unwrap_err();
    assert_eq!(
        other
            .import(&partition(&tenant, &users[0]), &bytes)
            .unwrap(),
        1
    );
    for (user, requests) in [(&users[0], 2), (&users[1], 3)] {
        let kept = user.refresh_token().unwrap();
        let user = elsewhere(&tenant, &app, &other, (user, &kept));
        user.token(&read()).await.unwrap();
        tenant.requests().to("/token").assert_count(requests);
    }
}
