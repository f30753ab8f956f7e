//! A store that loses refresh tokens, or does not take them, signs no user out; a sign-out does.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use entra_auth::{
    CachePartition, TokenCache,
    store::{EncryptedStore, StoreError, StoreKey, StorePartition},
    user::UserCredential,
};
use entra_core::{CredentialErrorKind, TokenCredential, TokenRequest};

use crate::{
    store_refresh::{ADELE, replica, sign_in},
    stores::Shelf,
    user_code::shop,
};

fn cache(shelf: &Arc<Shelf>) -> TokenCache {
    TokenCache::builder().store(Arc::clone(shelf)).build()
}

fn fresh() -> TokenRequest {
    TokenRequest::new(["User.Read"]).with_force_refresh()
}

/// Whether the refresh token is gone for good, which only a new sign-in changes.
async fn is_signed_out(user: &UserCredential) -> bool {
    match user.token(&fresh()).await {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), CredentialErrorKind::InteractionRequired);
            user.refresh_token().is_none()
        }
    }
}

#[tokio::test]
async fn an_emptied_store_signs_out_no_user_whose_token_is_in_memory() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let started = || replica(&tenant, &app, &cache(&shelf));
    let (one, two) = (started(), started());
    let here = sign_in(&tenant, &one, ADELE).await;
    let account = here.account();
    let there = two.resume(account).await.unwrap().unwrap();
    for _ in 0..2 {
        shelf.entries.lock().unwrap().clear();
        for user in [&here, &there] {
            user.token(&fresh()).await.unwrap();
        }
        // It was written again, for a process that starts now.
        assert!(started().resume(account).await.unwrap().is_some());
        shelf.entries.lock().unwrap().clear();
        assert!(one.resume(account).await.unwrap().is_some());
        let restarted = started().resume(account).await.unwrap().unwrap();
        restarted.token(&fresh()).await.unwrap();
    }
    // A sign-out applies to all of them as ever.
    assert!(two.sign_out(account).await.unwrap());
    assert!(is_signed_out(&here).await && is_signed_out(&there).await);
    for flow in [one, two, started()] {
        assert!(flow.resume(account).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn the_mark_of_a_sign_out_does_not_end_the_next_session() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let started = || replica(&tenant, &app, &cache(&shelf));
    let (one, two) = (started(), started());
    let old = sign_in(&tenant, &one, ADELE).await;
    let account = old.account().clone();
    assert!(two.resume(&account).await.unwrap().is_some());
    let mut marks = Vec::new();
    for _ in 0..2 {
        two.sign_out(&account).await.unwrap();
        let mark = shelf.entries.lock().unwrap().clone();
        assert_eq!(mark.len(), 1);
        assert!(!marks.contains(&mark), "each sign-out has its own");
        assert!(is_signed_out(&old).await);
        let new = sign_in(&tenant, &one, ADELE).await;
        new.token(&fresh()).await.unwrap();
        let there = two.resume(&account).await.unwrap().unwrap();
        // The tokens are lost, and the mark is not.
        shelf.entries.lock().unwrap().clone_from(&mark);
        for user in [&new, &there, &old] {
            user.token(&fresh()).await.unwrap();
        }
        assert!(started().resume(&account).await.unwrap().is_some());
        marks.push(mark);
    }
}

#[tokio::test]
async fn a_sign_in_that_the_store_did_not_take_is_stored_later() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let started = || replica(&tenant, &app, &cache(&shelf));
    // One user has an earlier sign-in in the store, which this process does not know.
    for is_known in [false, true] {
        if is_known {
            sign_in(&tenant, &started(), ADELE).await;
            tenant.user(ADELE).revoke_sessions();
        }
        let one = started();
        shelf.fail(true);
        let here = sign_in(&tenant, &one, ADELE).await;
        shelf.fail(false);
        let token = here.refresh_token().unwrap();
        while !shelf.holds(token.expose_secret()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let there = started().resume(here.account()).await.unwrap().unwrap();
        there.token(&fresh()).await.unwrap();
    }
}

#[tokio::test]
async fn a_sign_out_after_a_sign_in_that_the_store_did_not_take_applies() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let started = || replica(&tenant, &app, &cache(&shelf));
    let (one, two) = (started(), started());
    shelf.fail(true);
    let here = sign_in(&tenant, &one, ADELE).await;
    shelf.fail(false);
    two.sign_out(here.account()).await.unwrap();
    assert!(is_signed_out(&here).await);

    // The mark of that sign-out is older than the next sign-in, which the store does not take either.
    shelf.fail(true);
    let here = sign_in(&tenant, &one, ADELE).await;
    shelf.fail(false);
    here.token(&fresh()).await.unwrap();
    let there = two.resume(here.account()).await.unwrap().unwrap();
    there.token(&fresh()).await.unwrap();
    two.sign_out(here.account()).await.unwrap();
    assert!(is_signed_out(&here).await);
}

#[tokio::test]
async fn a_token_rejected_while_the_store_cannot_be_read_signs_no_user_out() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let started = || replica(&tenant, &app, &cache(&shelf));
    let (one, two) = (started(), started());
    let here = sign_in(&tenant, &one, ADELE).await;
    tenant.user(ADELE).revoke_sessions();
    // The user has signed in again at another replica.
    sign_in(&tenant, &two, ADELE).await;
    shelf.fail(true);
    for _ in 0..2 {
        let error = here.token(&fresh()).await.unwrap_err();
        assert_eq!(error.kind(), CredentialErrorKind::Transient);
    }
    shelf.fail(false);
    here.token(&fresh()).await.unwrap();

    tenant.user(ADELE).revoke_sessions();
    assert!(is_signed_out(&here).await);
}

/// A store at which the user signs out, at another replica, right before the next write.
#[derive(Debug)]
struct LateStore {
    shelf: Arc<Shelf>,
    next: Mutex<Option<(TokenCache, CachePartition)>>,
}

#[async_trait]
impl EncryptedStore for LateStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.shelf.load(key).await
    }

    async fn save(&self, key: &StoreKey, entry: &[u8], time: Duration) -> Result<(), StoreError> {
        let next = self.next.lock().unwrap().take();
        if let Some((other, partition)) = next {
            other.forget(&partition).await?;
        }
        self.shelf.save(key, entry, time).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), StoreError> {
        self.shelf.remove(key).await
    }

    async fn remove_partition(&self, partition: &StorePartition) -> Result<(), StoreError> {
        self.shelf.remove_partition(partition).await
    }
}

#[tokio::test]
async fn a_sign_out_while_a_lost_token_is_written_again_applies() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let late = Arc::new(LateStore {
        shelf: Arc::clone(&shelf),
        next: Mutex::default(),
    });
    let here = TokenCache::builder().store(Arc::clone(&late)).build();
    let here = sign_in(&tenant, &replica(&tenant, &app, &here), ADELE).await;
    shelf.entries.lock().unwrap().clear();
    let home = &here.account().home_account_id;
    let partition = CachePartition::account(&tenant.cloud(), home);
    *late.next.lock().unwrap() = Some((cache(&shelf), partition));
    assert!(is_signed_out(&here).await);
    let left = shelf.entries.lock().unwrap().len();
    assert_eq!(left, 1, "the mark of the sign-out");
}

#[tokio::test]
async fn a_sign_out_while_a_new_refresh_token_is_written_applies() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let late = Arc::new(LateStore {
        shelf: Arc::clone(&shelf),
        next: Mutex::default(),
    });
    let here = TokenCache::builder().store(Arc::clone(&late)).build();
    let here = sign_in(&tenant, &replica(&tenant, &app, &here), ADELE).await;
    let account = here.account();
    let partition = CachePartition::account(&tenant.cloud(), &account.home_account_id);
    *late.next.lock().unwrap() = Some((cache(&shelf), partition));
    // The request was sent before the sign-out, so its caller may get the access token.
    let _ = here.token(&fresh()).await;
    assert!(late.next.lock().unwrap().is_none(), "signed out");
    assert!(here.refresh_token().is_none());
    let started = replica(&tenant, &app, &cache(&shelf));
    assert!(started.resume(account).await.unwrap().is_none());
    assert!(is_signed_out(&here).await);
}

#[tokio::test]
async fn a_token_from_before_a_sign_out_replaces_no_later_sign_in() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let started = || replica(&tenant, &app, &cache(&shelf));
    let (one, two) = (started(), started());
    let here = sign_in(&tenant, &one, ADELE).await;
    // The store does not take the next token, so that the one in memory is newer.
    shelf.only_read(true);
    here.token(&fresh()).await.unwrap();
    shelf.only_read(false);
    two.sign_out(here.account()).await.unwrap();
    let there = sign_in(&tenant, &two, ADELE).await;
    let later = there.refresh_token().unwrap();
    assert!(one.resume(here.account()).await.unwrap().is_some());
    assert!(shelf.holds(later.expose_secret()));
    assert_eq!(here.refresh_token().unwrap(), later);
    here.token(&fresh()).await.unwrap();
    there.token(&fresh()).await.unwrap();
}

#[tokio::test]
async fn a_rejected_token_ends_no_later_sign_in_after_a_loss_of_the_store() {
    let (tenant, app) = shop().await;
    let shelf = Shelf::new();
    let started = || replica(&tenant, &app, &cache(&shelf));
    let (one, two) = (started(), started());
    let here = sign_in(&tenant, &one, ADELE).await;
    tenant.user(ADELE).revoke_sessions();
    let there = sign_in(&tenant, &two, ADELE).await;
    shelf.entries.lock().unwrap().clear();
    assert!(is_signed_out(&here).await);
    there.token(&fresh()).await.unwrap();
    assert!(started().resume(here.account()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_sign_in_after_a_sign_out_here_survives_a_store_that_fails_meanwhile() {
    let (tenant, app) = shop().await;
    for is_in_use in [false, true] {
        let shelf = Shelf::new();
        let one = replica(&tenant, &app, &cache(&shelf));
        let old = sign_in(&tenant, &one, ADELE).await;
        let account = old.account().clone();
        let old = is_in_use.then_some(old);
        one.sign_out(&account).await.unwrap();
        shelf.fail(true);
        let here = sign_in(&tenant, &one, ADELE).await;
        shelf.fail(false);
        here.token(&fresh()).await.unwrap();
        let started = replica(&tenant, &app, &cache(&shelf));
        assert!(started.resume(&account).await.unwrap().is_some());
        // The next sign-out applies.
        started.sign_out(&account).await.unwrap();
        assert!(is_signed_out(&here).await);
        drop(old);
    }
}
