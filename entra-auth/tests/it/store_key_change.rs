//! A replica that lacks a key leaves what it cannot read to those that have it.

use std::{sync::Arc, time::Duration};

use entra_auth::{
    ErrorKind, TokenCache,
    store::{EncryptionKey, StoreErrorKind},
    user::{Account, ClientAuthentication, UserCredential},
};
use entra_core::{TokenCredential, TokenRequest};
use entra_mock::{App, FakeTenant};

use crate::{
    store_refresh::{ADELE, replica, sign_in},
    stores::Shelf,
    support::{Service, builder, graph},
    user_code::shop,
};

fn cache(shelf: &Arc<Shelf>, keys: &[u8]) -> TokenCache {
    let builder = TokenCache::builder().store(Arc::clone(shelf));
    keys.iter()
        .fold(builder, |builder, key| {
            builder.encryption_key(EncryptionKey::new([*key; 32]))
        })
        .build()
}

/// A token of the account by its refresh token in the store, at a process that starts with `keys`.
async fn resumes(
    (tenant, app): (&FakeTenant, &App),
    account: &Account,
    shelf: &Arc<Shelf>,
    keys: &[u8],
) -> bool {
    let proof = ClientAuthentication::secret(app.secret());
    let user = UserCredential::resume(account.clone(), app.client_id(), proof)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .cache(&cache(shelf, keys))
        .build()
        .unwrap();
    let fresh = TokenRequest::new(["User.Read"]).with_force_refresh();
    user.token(&fresh).await.is_ok()
}

#[tokio::test]
async fn replica_without_the_key_changes_no_entry() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let first = replica(&tenant, &app, &cache(&shelf, &[1]));
    let account = sign_in(&tenant, &first, ADELE).await.account().clone();
    let before = shelf.entries.lock().unwrap().clone();
    for keys in [&[2_u8][..], &[2, 3], &[]] {
        let stranger = cache(&shelf, keys);
        let flow = replica(&tenant, &app, &stranger);
        let error = flow.resume(&account).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service);
        assert!(error.fix().unwrap().contains("encryption keys"));
        let failure = stranger.last_store_failure().unwrap();
        assert_eq!(failure.kind(), StoreErrorKind::Unreadable);
        assert_eq!(*shelf.entries.lock().unwrap(), before, "{keys:?}");
    }
    assert!(resumes((&tenant, &app), &account, &shelf, &[1]).await);
    assert!(resumes((&tenant, &app), &account, &shelf, &[2, 1]).await);
}

/// The other replicas have stored newer tokens, under a key that this one does not have.
#[tokio::test]
async fn replica_without_the_key_replaces_no_entry_of_a_user_in_its_memory() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let old_cache = cache(&shelf, &[1]);
    let old = replica(&tenant, &app, &old_cache);
    let user = sign_in(&tenant, &old, ADELE).await;
    let account = user.account();
    assert!(resumes((&tenant, &app), account, &shelf, &[2, 1]).await);
    let before = shelf.entries.lock().unwrap().clone();
    let fresh = TokenRequest::new(["User.Read"]).with_force_refresh();
    for _ in 0..2 {
        user.token(&fresh).await.unwrap();
        assert!(old.resume(account).await.unwrap().is_some());
    }
    let failure = old_cache.last_store_failure().unwrap();
    assert_eq!(failure.kind(), StoreErrorKind::Unreadable);
    assert!(*shelf.entries.lock().unwrap() == before);
    assert!(resumes((&tenant, &app), account, &shelf, &[2]).await);

    // A sign-out by a replica with another key applies here, and a new sign-in replaces the entry.
    let new = replica(&tenant, &app, &cache(&shelf, &[2]));
    new.sign_out(account).await.unwrap();
    user.token(&fresh).await.unwrap_err();
    assert!(old.resume(account).await.unwrap().is_none());
    let mark = shelf.entries.lock().unwrap().clone();
    let again = sign_in(&tenant, &old, ADELE).await;
    assert!(resumes((&tenant, &app), account, &shelf, &[1]).await);
    // The mark of the other key does not end the new session when its tokens are lost.
    *shelf.entries.lock().unwrap() = mark;
    again.token(&fresh).await.unwrap();
    assert!(resumes((&tenant, &app), account, &shelf, &[1]).await);
}

#[tokio::test]
async fn rolling_key_change_over_three_replicas_signs_no_user_out() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let mut keys: [&[u8]; 3] = [&[1]; 3];
    let flow = replica(&tenant, &app, &cache(&shelf, keys[0]));
    let account = sign_in(&tenant, &flow, ADELE).await.account().clone();
    // Each step reaches one replica after the other; at every moment each replica, restarted,
    // serves the user and replaces the refresh token under its first key.
    for step in [&[1_u8, 2][..], &[2, 1], &[2]] {
        for updated in 0..keys.len() {
            keys[updated] = step;
            for keys in keys {
                let served = resumes((&tenant, &app), &account, &shelf, keys).await;
                assert!(served, "{keys:?} while {step:?} reaches {updated}");
            }
        }
    }
    assert!(!resumes((&tenant, &app), &account, &shelf, &[1]).await);
    assert!(resumes((&tenant, &app), &account, &shelf, &[2]).await);
}

#[tokio::test]
async fn key_change_in_the_wrong_order_costs_one_sign_in_at_that_replica_only() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let new = replica(&tenant, &app, &cache(&shelf, &[2, 1]));
    let account = sign_in(&tenant, &new, ADELE).await.account().clone();
    // The old replica cannot read it and says so; a user who signs in there again is served.
    let old = replica(&tenant, &app, &cache(&shelf, &[1]));
    let error = old.resume(&account).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service);
    assert!(resumes((&tenant, &app), &account, &shelf, &[2, 1]).await);
    sign_in(&tenant, &old, ADELE).await;
    for keys in [&[1_u8][..], &[2, 1], &[1, 2]] {
        assert!(resumes((&tenant, &app), &account, &shelf, keys).await);
    }
}

#[tokio::test]
async fn a_sign_in_that_the_store_did_not_take_replaces_an_entry_of_another_key_later() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let new = replica(&tenant, &app, &cache(&shelf, &[2]));
    sign_in(&tenant, &new, ADELE).await;
    let old = replica(&tenant, &app, &cache(&shelf, &[1]));
    shelf.only_read(true);
    let user = sign_in(&tenant, &old, ADELE).await;
    shelf.only_read(false);
    let account = user.account();
    while !resumes((&tenant, &app), account, &shelf, &[1]).await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_claims_challenge_removes_no_entry_of_another_key() {
    let (service, shelf) = (Service::new(), Shelf::new());
    let with = |keys: &[u8]| {
        let builder = builder(&service).cache(&cache(&shelf, keys));
        builder.build().unwrap()
    };
    with(&[1]).token(&graph()).await.unwrap();
    let before = shelf.entries.lock().unwrap().clone();
    let challenge = graph().with_claims(r#"{"access_token":{"nbf":{"value":"1"}}}"#);
    with(&[2]).token(&challenge).await.unwrap();
    assert!(*shelf.entries.lock().unwrap() == before);
    with(&[1]).token(&challenge).await.unwrap();
    assert!(shelf.entries.lock().unwrap().is_empty());
}
