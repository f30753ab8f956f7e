//! Refresh tokens of people, beside their access tokens: in the store behind a cache, so that a
//! replica or a restarted process goes on with an account alone.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use entra_core::{AccessToken, ClientId, Secret, TenantId, Timestamp, time::Duration};

use super::{CachePartition, TokenCache};
use crate::store::{Budget, Ident, LoadResult, Record};

/// The refresh token of one person who has signed in to one application in one tenant.
pub(crate) struct RefreshToken {
    cache: TokenCache,
    ident: Ident,
    slot: Arc<Slot>,
}

/// What the process knows of it, shared by all credentials of that person on one cache.
#[derive(Default)]
pub(super) struct Slot(Mutex<Held>);

#[derive(Default)]
struct Held {
    token: Option<Kept>,
    /// It has been in the store: if it is there no more, the person was forgotten elsewhere.
    stored: bool,
    /// There was one, and it must not be used any more.
    ended: bool,
    /// How often that has happened. What was under way before an end counts for nothing after it.
    ends: u64,
}

#[derive(Clone)]
struct Kept {
    token: Secret,
    obtained: Timestamp,
}

impl RefreshToken {
    pub(crate) fn new(
        cache: &TokenCache,
        authority: &str,
        tenant: &TenantId,
        client: ClientId,
        home_account_id: &str,
    ) -> Self {
        let ident = ident(authority, &tenant.to_string(), &client, home_account_id);
        Self {
            slot: cache.slot(&ident),
            cache: cache.clone(),
            ident,
        }
    }

    /// The newest that this process knows.
    pub(crate) fn current(&self) -> Option<Secret> {
        self.slot
            .lock()
            .token
            .as_ref()
            .map(|kept| kept.token.clone())
    }

    /// Whether there was one and is no more: the person signed out, or it was refused for good.
    pub(crate) fn has_ended(&self) -> bool {
        self.slot.lock().ended
    }

    /// Takes one that the application has kept itself; it is stored when it is replaced.
    pub(crate) fn give(&self, token: Secret, now: Timestamp) {
        self.slot.lock().replace(token, now);
    }

    /// Takes the one of a sign-in, and stores it whatever was there.
    pub(crate) async fn signed_in(&self, token: Secret, now: Timestamp) {
        self.give(token.clone(), now);
        let ends = self.slot.lock().ends;
        if let Some(persistent) = &self.cache.0.persistent {
            let kept = Kept::new(token, now);
            self.save(&kept, ends, &mut persistent.budget()).await;
        }
    }

    /// The newest of all that share the store.
    pub(crate) async fn newest(&self) -> Option<Secret> {
        if let Some(persistent) = &self.cache.0.persistent {
            let ends = self.slot.lock().ends;
            let look = persistent.look(&self.ident, &mut persistent.budget()).await;
            let mut held = self.slot.lock();
            match look {
                // It was forgotten since the look.
                _ if held.ends != ends => {}
                LoadResult::Found(record) => held.adopt(&record),
                LoadResult::Absent if held.stored => held.end(),
                // Damage is no sign-out: the next one is written as if it were the first.
                LoadResult::Damaged => held.stored = false,
                // It never was there, is under a key of other replicas, or the store fails: then
                // the memory must do.
                LoadResult::Absent | LoadResult::Foreign | LoadResult::Unknown => {}
            }
        }
        self.current()
    }

    /// Takes the one that came in place of another, unless the person was forgotten meanwhile or
    /// another replica has stored a newer one.
    pub(crate) async fn rotate(&self, used: &Secret, token: Secret, now: Timestamp) {
        let mut kept = Kept::new(token, now);
        let (was_stored, ends) = {
            let mut held = self.slot.lock();
            match &held.token {
                None => return,
                // A clock that was set back must not keep anybody on a token that is replaced.
                Some(known) if known.token == *used => {
                    kept.obtained = kept.obtained.max(known.obtained);
                }
                Some(known) if known.obtained > kept.obtained => return,
                Some(_) => {}
            }
            held.token = Some(kept.clone());
            (held.stored, held.ends)
        };
        let Some(persistent) = &self.cache.0.persistent else {
            return;
        };
        let mut budget = persistent.budget();
        let turn = persistent.turn(&self.ident, &mut budget).await;
        let replaces = match persistent.look(&self.ident, &mut budget).await {
            LoadResult::Found(stored) => stored.obtained <= kept.obtained,
            LoadResult::Absent => !was_stored,
            LoadResult::Foreign | LoadResult::Damaged | LoadResult::Unknown => true,
        };
        if replaces {
            self.save(&kept, ends, &mut budget).await;
        }
        drop(turn);
    }

    /// Another one to try after this one was refused for good. If there is none, the person is
    /// forgotten here and in the store. Without a store all stays as it is.
    pub(crate) async fn refused(&self, refused: &Secret) -> Option<Secret> {
        let persistent = self.cache.0.persistent.as_ref()?;
        let mut budget = persistent.budget();
        let turn = persistent.turn(&self.ident, &mut budget).await;
        let ends = self.slot.lock().ends;
        let look = persistent.look(&self.ident, &mut budget).await;
        let other = match &look {
            LoadResult::Found(record)
                if record.token.expose_secret() != refused.expose_secret() =>
            {
                let mut held = self.slot.lock();
                if held.ends != ends {
                    return None;
                }
                if held.holds(refused) {
                    held.token = None;
                }
                held.adopt(record);
                held.token.as_ref().map(|kept| kept.token.clone())
            }
            LoadResult::Found(_) => {
                persistent.remove(&self.ident, &mut budget).await;
                None
            }
            LoadResult::Absent
            | LoadResult::Foreign
            | LoadResult::Damaged
            | LoadResult::Unknown => None,
        };
        drop(turn);
        if other.is_some() {
            return other;
        }
        let mut held = self.slot.lock();
        if held.holds(refused) {
            held.end();
        }
        held.token.as_ref().map(|kept| kept.token.clone())
    }

    /// Writes it to the store, if there is one, unless the person is forgotten before.
    async fn save(&self, kept: &Kept, ends: u64, budget: &mut Budget) {
        let Some(persistent) = &self.cache.0.persistent else {
            return;
        };
        let Record { token, obtained } = kept.record();
        let wanted = || self.slot.lock().ends == ends;
        let saved = persistent
            .save_if(&self.ident, &token, obtained, budget, wanted)
            .await;
        let mut held = self.slot.lock();
        if held.ends == ends {
            held.stored |= saved;
        }
    }
}

impl TokenCache {
    /// Whether a person can be served by account alone.
    pub(crate) fn has_store(&self) -> bool {
        self.0.persistent.is_some()
    }

    /// The place of a refresh token. Without a store each credential has its own.
    fn slot(&self, ident: &Ident) -> Arc<Slot> {
        if !self.has_store() {
            return Arc::default();
        }
        let mut slots = self.slots();
        if let Some(slot) = slots.get(ident) {
            return Arc::clone(slot);
        }
        if slots.len() >= self.0.capacity {
            make_room(&mut slots, self.0.capacity);
        }
        Arc::clone(slots.entry(ident.clone()).or_default())
    }

    /// The refresh tokens of a partition, as an export has them.
    pub(super) fn refresh_tokens(&self, partition: &CachePartition) -> Vec<(Ident, Record)> {
        let slots = self.slots();
        let of = slots
            .iter()
            .filter(|(ident, _)| ident.partition == partition.as_str());
        of.filter_map(|(ident, slot)| Some((ident.clone(), slot.lock().token.as_ref()?.record())))
            .collect()
    }

    /// Puts an exported one back unless there is a newer one. A cache without a store keeps none.
    pub(super) fn put_refresh_token(&self, ident: &Ident, record: &Record) {
        self.slot(ident).lock().adopt_unstored(record);
    }

    pub(super) fn forget_refresh_tokens(&self, partition: &CachePartition) {
        self.slots().retain(|ident, slot| {
            let stays = ident.partition != partition.as_str();
            if !stays {
                slot.lock().end();
            }
            // One in use must stay to be found again by those who sign in anew.
            stays || Arc::strong_count(slot) > 1
        });
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Ident, Arc<Slot>>> {
        self.0
            .refresh_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text names a refresh token of the partition that it says it is in.
pub(super) fn is_refresh_token(found: &Ident) -> bool {
    let Ok(parts) = serde_json::from_str::<Vec<String>>(&found.entry) else {
        return false;
    };
    let [kind, authority, tenant, client, account] = &parts[..] else {
        return false;
    };
    let Ok(client) = client.parse::<ClientId>() else {
        return false;
    };
    // Nothing but the one spelling counts.
    kind == KIND && ident(authority, tenant, &client, account) == *found
}

fn ident(authority: &str, tenant: &str, client: &ClientId, home_account_id: &str) -> Ident {
    let client = client.to_string();
    let entry = serde_json::json!([KIND, authority, tenant, client, home_account_id]);
    Ident {
        partition: CachePartition::account(home_account_id).to_string(),
        entry: entry.to_string(),
    }
}

/// Drops a sixteenth of what nobody uses, the oldest first; the store still has it.
fn make_room(slots: &mut HashMap<Ident, Arc<Slot>>, capacity: usize) {
    let mut idle: Vec<(Option<Timestamp>, Ident)> = slots
        .iter()
        .filter(|(_, slot)| Arc::strong_count(slot) == 1)
        .map(|(ident, slot)| {
            let obtained = slot.lock().token.as_ref().map(|kept| kept.obtained);
            (obtained, ident.clone())
        })
        .collect();
    idle.sort_unstable_by_key(|(obtained, _)| *obtained);
    for (_, ident) in idle.into_iter().take((capacity / 16).max(1)) {
        slots.remove(&ident);
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn replace(&mut self, token: Secret, obtained: Timestamp) {
        *self = Self {
            token: Some(Kept { token, obtained }),
            stored: false,
            ended: false,
            ends: self.ends,
        };
    }

    fn holds(&self, token: &Secret) -> bool {
        self.token.as_ref().is_some_and(|kept| kept.token == *token)
    }

    /// Takes what the store has if it is newer.
    fn adopt(&mut self, record: &Record) {
        self.adopt_unstored(record);
        self.stored = true;
    }

    fn adopt_unstored(&mut self, record: &Record) {
        let newer = |kept: &Kept| kept.obtained < record.obtained;
        if self.token.as_ref().is_none_or(newer) {
            let token = Secret::from(record.token.expose_secret());
            self.replace(token, record.obtained);
        }
    }

    fn end(&mut self) {
        let ended = self.token.is_some() || self.ended;
        *self = Self {
            ended,
            ends: self.ends + 1,
            ..Self::default()
        };
    }
}

impl Kept {
    const fn new(token: Secret, obtained: Timestamp) -> Self {
        Self { token, obtained }
    }

    /// As a store has it, like any token: with an end, after which it has lain idle too long.
    fn record(&self) -> Record {
        let expires_on = self.obtained.saturating_add(LONGEST_IDLE);
        Record {
            token: AccessToken::new(self.token.clone(), expires_on),
            obtained: self.obtained,
        }
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

const KIND: &str = "refresh-token";
/// What Entra gives a refresh token that is not used.
const LONGEST_IDLE: Duration = Duration::days(90);
