//! Refresh tokens in the store: an account alone is enough at another replica or after a restart.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    CachePartition, ErrorKind, TokenCache,
    store::EncryptionKey,
    user::{
        Account, AuthorizationCodeFlow, ClientAuthentication, DeviceCodeCredential, StartOptions,
        UserCredential,
    },
};
use entra_core::{CredentialErrorKind, TokenCredential, TokenRequest};
use entra_mock::{App, FakeTenant};

use crate::{stores::Shelf, user_code::shop};

pub(crate) const ADELE: &str = "adele@contoso.com";
const CLARA: &str = "clara@contoso.com";

fn read() -> TokenRequest {
    TokenRequest::new(["User.Read"])
}

fn mail() -> TokenRequest {
    TokenRequest::new(["Mail.Read"])
}

fn cache(shelf: &Arc<Shelf>) -> TokenCache {
    TokenCache::builder().store(Arc::clone(shelf)).build()
}

fn sealed(shelf: &Arc<Shelf>) -> TokenCache {
    TokenCache::builder()
        .store(Arc::clone(shelf))
        .encryption_key(EncryptionKey::new([7; 32]))
        .build()
}

pub(crate) fn replica(tenant: &FakeTenant, app: &App, cache: &TokenCache) -> AuthorizationCodeFlow {
    let proof = ClientAuthentication::secret(app.secret());
    AuthorizationCodeFlow::builder(tenant.id(), app.client_id(), proof)
        .redirect_uri("https://shop.example/callback")
        .scopes(["User.Read"])
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(cache)
        .build()
        .unwrap()
}

pub(crate) async fn sign_in(
    tenant: &FakeTenant,
    flow: &AuthorizationCodeFlow,
    who: &str,
) -> UserCredential {
    let (url, state) = flow.start(&StartOptions::default()).unwrap();
    let back = tenant.sign_in_at(url.as_str(), who);
    flow.finish(state, back.address()).await.unwrap()
}

/// Whether these bytes are found in an entry.
fn is_on(shelf: &Shelf, text: &str) -> bool {
    let entries = shelf.entries.lock().unwrap();
    let mut all = entries.values();
    all.any(|entry| contains(entry, text))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[tokio::test]
async fn another_replica_resumes_a_user_by_account() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let first = replica(&tenant, &app, &cache(&shelf));
    let account = sign_in(&tenant, &first, ADELE).await.account().clone();
    let session = serde_json::to_string(&account).unwrap();
    let account: Account = serde_json::from_str(&session).unwrap();

    let second = replica(&tenant, &app, &cache(&shelf));
    assert!(second.user(&account).is_none(), "not in its memory");
    let adele = second.resume(&account).await.unwrap().unwrap();
    adele.token(&read()).await.unwrap();
    tenant.requests().to("/token").assert_count(1);
    adele.token(&mail()).await.unwrap();
    tenant.requests().to("/token").assert_count(2);
    tenant.clock().advance(Duration::from_secs(2 * 3600));
    let third = UserCredential::resume(
        account,
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
    )
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .cache(&cache(&shelf))
    .build()
    .unwrap();
    third.token(&read()).await.unwrap();
    tenant.requests().to("/token").assert_count(3);
}

#[cfg(feature = "file-cache")]
#[tokio::test]
async fn restarted_process_reads_encrypted_files_without_readable_tokens() {
    use entra_auth::store::FileStore;
    let (tenant, app) = shop().await;
    let name = format!("entra-auth-refresh-{}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let process = || {
        let cache = TokenCache::builder()
            .store(FileStore::open(&directory).unwrap())
            .encryption_key(EncryptionKey::new([7; 32]))
            .build();
        replica(&tenant, &app, &cache)
    };
    let adele = sign_in(&tenant, &process(), ADELE).await;
    let (account, canary) = (adele.account().clone(), adele.refresh_token().unwrap());
    let mut files = 0;
    for partition in std::fs::read_dir(&directory).unwrap() {
        for file in std::fs::read_dir(partition.unwrap().path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!contains(&bytes, canary.expose_secret()));
            files += 1;
        }
    }
    assert!(files >= 2, "an access token and a refresh token");
    let restarted = process().resume(&account).await.unwrap().unwrap();
    restarted.token(&mail()).await.unwrap();
    assert_ne!(restarted.refresh_token(), Some(canary));
    process().sign_out(&account).await.unwrap();
    assert!(process().resume(&account).await.unwrap().is_none());
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn with_a_key_no_refresh_token_can_be_read_in_the_store_or_an_export() {
    let (tenant, app) = shop().await;
    for (with, readable) in [(cache as fn(&_) -> _, true), (sealed, false)] {
        let shelf = Shelf::new();
        let cache = with(&shelf);
        let adele = sign_in(&tenant, &replica(&tenant, &app, &cache), ADELE).await;
        let canary = adele.refresh_token().unwrap();
        assert_eq!(is_on(&shelf, canary.expose_secret()), readable);
        let partition = CachePartition::account(&tenant.cloud(), &adele.account().home_account_id);
        let bytes = cache.export(&partition).unwrap().unwrap();
        assert_eq!(contains(&bytes, canary.expose_secret()), readable);
        assert!(!format!("{cache:?} {adele:?}").contains(canary.expose_secret()));
    }
}

#[tokio::test]
async fn refresh_replaces_the_stored_token_for_all_replicas() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let (one, two) = (cache(&shelf), cache(&shelf));
    let (one, two) = (replica(&tenant, &app, &one), replica(&tenant, &app, &two));
    let here = sign_in(&tenant, &one, ADELE).await;
    let there = two.resume(here.account()).await.unwrap().unwrap();
    let first = here.refresh_token().unwrap();
    tenant.clock().advance(Duration::from_secs(10));
    there.token(&mail()).await.unwrap();
    let second = there.refresh_token().unwrap();
    assert!(is_on(&shelf, second.expose_secret()) && !is_on(&shelf, first.expose_secret()));
    assert_eq!(here.refresh_token(), Some(first));
    one.resume(here.account()).await.unwrap().unwrap();
    assert_eq!(here.refresh_token(), Some(second));
}

#[tokio::test]
async fn last_of_two_concurrent_refreshes_stays_in_the_store() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let one = replica(&tenant, &app, &cache(&shelf));
    let here = sign_in(&tenant, &one, ADELE).await;
    // Its clock is behind, so that what it gets looks older than what it replaces.
    let behind = entra_core::ManualClock::at(
        entra_core::Clock::now(&tenant.clock()) - entra_core::time::Duration::seconds(2),
    );
    let late = UserCredential::builder(
        here.account().clone(),
        app.client_id(),
        ClientAuthentication::secret(app.secret()),
        here.refresh_token().unwrap(),
    )
    .cloud(tenant.cloud())
    .clock(behind.clone())
    .cache(&cache(&shelf))
    .build()
    .unwrap();
    for yields in 0..8 {
        shelf.yield_first(yields);
        tenant.clock().advance(Duration::from_secs(5));
        behind.advance(Duration::from_secs(5));
        let fresh = mail().with_force_refresh();
        let (newer, older) = tokio::join!(here.token(&fresh), late.token(&fresh));
        newer.unwrap();
        older.unwrap();
        // The store has the token of the last one, and the others take it over.
        one.resume(here.account()).await.unwrap().unwrap();
        let last = here.refresh_token().unwrap();
        assert!(is_on(&shelf, last.expose_secret()), "{yields}");
    }
}

#[tokio::test]
async fn refresh_token_replaced_by_another_replica_is_read_from_the_store() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let one = replica(&tenant, &app, &cache(&shelf));
    let account = sign_in(&tenant, &one, ADELE).await.account().clone();
    let proof = ClientAuthentication::secret(app.secret());
    let there = UserCredential::builder(account.clone(), app.client_id(), proof, "void")
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(&cache(&shelf))
        .build()
        .unwrap();
    there.token(&mail()).await.unwrap();
    assert_ne!(there.refresh_token().unwrap().expose_secret(), "void");
    let anew = replica(&tenant, &app, &cache(&shelf));
    assert!(anew.resume(&account).await.unwrap().is_some());
}

#[tokio::test]
async fn revoked_refresh_token_is_removed_and_missing_consent_keeps_it() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let one = replica(&tenant, &app, &cache(&shelf));
    let adele = sign_in(&tenant, &one, ADELE).await;
    let (account, token) = (adele.account().clone(), adele.refresh_token().unwrap());
    let unconsented = TokenRequest::new(["Calendars.Read"]);
    let error = adele.token(&unconsented).await.unwrap_err();
    assert_eq!(error.code(), Some(65_001));
    assert!(is_on(&shelf, token.expose_secret()));

    tenant.user(ADELE).revoke_sessions();
    let needed = CredentialErrorKind::InteractionRequired;
    let error = adele.token(&mail()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (needed, Some(50_173)));
    assert!(!is_on(&shelf, token.expose_secret()));
    let requests = tenant.requests().to("/token").count();
    for flow in [&one, &replica(&tenant, &app, &cache(&shelf))] {
        assert!(flow.resume(&account).await.unwrap().is_none());
    }
    let error = adele.token(&mail()).await.unwrap_err();
    assert_eq!(error.kind(), needed);
    tenant.requests().to("/token").assert_count(requests);
    sign_in(&tenant, &one, ADELE).await;
    adele.token(&mail()).await.unwrap();
}

#[tokio::test]
async fn sign_out_at_one_replica_applies_to_all() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let (one, two) = (cache(&shelf), cache(&shelf));
    let (one, two) = (replica(&tenant, &app, &one), replica(&tenant, &app, &two));
    let here = sign_in(&tenant, &one, ADELE).await;
    let clara = sign_in(&tenant, &one, CLARA).await;
    let there = two.resume(here.account()).await.unwrap().unwrap();
    let requests = tenant.requests().to("/token").count();
    assert!(one.sign_out(here.account()).await.unwrap());
    for user in [&here, &there] {
        let error = user.token(&mail()).await.unwrap_err();
        assert_eq!(error.kind(), CredentialErrorKind::InteractionRequired);
        assert_eq!(user.refresh_token(), None);
    }
    for flow in [&one, &two] {
        assert!(flow.resume(here.account()).await.unwrap().is_none());
        assert!(flow.user(here.account()).is_none());
    }
    tenant.requests().to("/token").assert_count(requests);
    let clara = two.resume(clara.account()).await.unwrap().unwrap();
    clara.token(&mail()).await.unwrap();
}

#[tokio::test]
async fn no_other_account_tenant_or_application_is_served() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let one = replica(&tenant, &app, &cache(&shelf));
    let adele = sign_in(&tenant, &one, ADELE).await.account().clone();
    let clara = sign_in(&tenant, &one, CLARA).await.account().clone();
    let two = replica(&tenant, &app, &cache(&shelf));
    let mut stranger = adele.clone();
    stranger.home_account_id = format!("{}.{}", tenant.id(), tenant.id());
    let mut visitor = adele.clone();
    visitor.tenant = "fabrikam.com".parse().unwrap();
    for account in [&stranger, &visitor] {
        assert!(two.resume(account).await.unwrap().is_none());
    }
    let other = tenant.register_app("Other").with_secret();
    let other = replica(&tenant, &other, &cache(&shelf));
    assert!(other.resume(&adele).await.unwrap().is_none());

    // Names decide nothing.
    let mut renamed = clara.clone();
    renamed.username = adele.username.clone();
    let user = two.resume(&renamed).await.unwrap().unwrap();
    let own = one.user(&clara).unwrap();
    assert_eq!(user.refresh_token(), own.refresh_token());

    // A user who can write to the store puts each entry in each other place.
    let keys: Vec<_> = shelf.entries.lock().unwrap().keys().cloned().collect();
    let mut rotated: Vec<_> = {
        let entries = shelf.entries.lock().unwrap();
        keys.iter().map(|key| entries[key].clone()).collect()
    };
    for _ in 1..keys.len() {
        rotated.rotate_left(1);
        let moved = keys.iter().cloned().zip(rotated.iter().cloned());
        *shelf.entries.lock().unwrap() = moved.collect();
        let anew = replica(&tenant, &app, &cache(&shelf));
        for account in [&adele, &clara] {
            assert!(anew.resume(account).await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn an_export_carries_the_refresh_token_to_a_cache_on_another_store() {
    let (tenant, app) = shop().await;
    let (one, two) = (sealed(&Shelf::new()), sealed(&Shelf::new()));
    let flow = replica(&tenant, &app, &one);
    let account = sign_in(&tenant, &flow, ADELE).await.account().clone();
    let clara = sign_in(&tenant, &flow, CLARA).await.account().clone();
    let partition = CachePartition::account(&tenant.cloud(), &account.home_account_id);
    let bytes = one.export(&partition).unwrap().unwrap();
    let other = CachePartition::account(&tenant.cloud(), &clara.home_account_id);
    two.import(&other, &bytes).unwrap_err();
    assert_eq!(two.import(&partition, &bytes).unwrap(), 2);
    let flow = replica(&tenant, &app, &two);
    let adele = flow.resume(&account).await.unwrap().unwrap();
    adele.token(&mail()).await.unwrap();
    assert!(flow.resume(&clara).await.unwrap().is_none());
}

#[tokio::test]
async fn failing_store_loses_no_session() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let cache = cache(&shelf);
    let flow = replica(&tenant, &app, &cache);
    let adele = sign_in(&tenant, &flow, ADELE).await;
    shelf.fail(true);
    adele.token(&mail()).await.unwrap();
    assert!(flow.resume(adele.account()).await.unwrap().is_some());
    let clara = sign_in(&tenant, &flow, CLARA).await;
    clara.token(&mail()).await.unwrap();
    assert!(cache.store_failures() > 0);
    shelf.fail(false);
    // An entry that could not be read does not mean a sign-out either, and is written again.
    for entry in shelf.entries.lock().unwrap().values_mut() {
        entry.truncate(entry.len() / 2);
    }
    tenant.clock().advance(Duration::from_secs(2 * 3600));
    adele.token(&mail()).await.unwrap();
    let token = adele.refresh_token().unwrap();
    assert!(is_on(&shelf, token.expose_secret()));
}

#[tokio::test]
async fn user_stays_in_memory_without_a_store() {
    let (tenant, app) = shop().await;
    let cache = TokenCache::new();
    let flow = replica(&tenant, &app, &cache);
    let adele = sign_in(&tenant, &flow, ADELE).await;
    assert!(flow.resume(adele.account()).await.unwrap().is_some());
    let anew = replica(&tenant, &app, &cache);
    assert!(anew.resume(adele.account()).await.unwrap().is_none());
    let proof = ClientAuthentication::secret(app.secret());
    let error = UserCredential::resume(adele.account().clone(), app.client_id(), proof)
        .cache(&cache)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let partition = CachePartition::account(&tenant.cloud(), &adele.account().home_account_id);
    cache.forget(&partition).await.unwrap();
    adele.token(&mail()).await.unwrap();
}

#[tokio::test]
async fn a_device_sign_in_is_resumed_after_a_restart() {
    let tenant = Arc::new(FakeTenant::start().await);
    let app = tenant
        .register_app("Tool")
        .delegated_permission("User.Read")
        .public_client();
    let (shelf, user) = (Shelf::new(), Arc::clone(&tenant));
    let tool = DeviceCodeCredential::builder(tenant.id(), app.client_id(), move |prompt| {
        user.approve_device_code(&prompt.user_code, ADELE);
    })
    .cloud(tenant.cloud())
    .clock(tenant.clock())
    .cache(&cache(&shelf))
    .build()
    .unwrap();
    let account = tool.sign_in(["User.Read"]).await.unwrap().account().clone();
    tenant.clock().advance(Duration::from_secs(2 * 3600));
    let resumed = UserCredential::resume(account, app.client_id(), ClientAuthentication::public())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(&cache(&shelf))
        .build()
        .unwrap();
    resumed.token(&read()).await.unwrap();
    tenant.requests().to("/devicecode").assert_count(1);
}

#[tokio::test]
async fn tool_with_a_known_account_prompts_only_after_the_refresh_token_expired() {
    let tenant = Arc::new(FakeTenant::start().await);
    let app = tenant
        .register_app("Tool")
        .delegated_permission("User.Read")
        .delegated_permission("Mail.Read")
        .public_client();
    let shelf = Shelf::new();
    let tool = |account: Option<&Account>| {
        let user = Arc::clone(&tenant);
        let show = move |prompt: &entra_auth::user::DeviceCodePrompt| {
            user.approve_device_code(&prompt.user_code, ADELE);
        };
        let builder = DeviceCodeCredential::builder(tenant.id(), app.client_id(), show)
            .cloud(tenant.cloud())
            .clock(tenant.clock())
            .cache(&cache(&shelf));
        match account {
            Some(account) => builder.account(account.clone()),
            None => builder,
        }
        .build()
        .unwrap()
    };
    let first = tool(None);
    first.token(&read()).await.unwrap();
    let account = first.account().unwrap();
    let codes = || tenant.requests().to("/devicecode").count();
    assert_eq!(codes(), 1);

    tenant.clock().advance(Duration::from_secs(2 * 3600));
    let second = tool(Some(&account));
    second.token(&read()).await.unwrap();
    assert_eq!((codes(), second.account()), (1, Some(account.clone())));
    tool(None).token(&read()).await.unwrap();
    assert_eq!(codes(), 2, "who is expected is not guessed");

    let partition = CachePartition::account(&tenant.cloud(), &account.home_account_id);
    cache(&shelf).forget(&partition).await.unwrap();
    tool(Some(&account)).token(&read()).await.unwrap();
    assert_eq!(codes(), 3);
    second.token(&mail()).await.unwrap();
    assert_eq!(codes(), 3, "one new sign-in serves all on the store");
}
