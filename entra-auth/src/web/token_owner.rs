//! Whose tokens a sign-out removes. Every replica can read it, also one that lacks the key of the session.

use serde::{Deserialize, Serialize};

use super::{
    entra_session::EntraSession,
    session::{ConnectionIdentity, SessionRecord, Sessions},
    session_id::SessionId,
};
use crate::{
    store::{Budget, EncryptionKey, Seal, StoreError, StoreKey},
    user::Account,
};

/// The user whose tokens are removed when a session ends.
///
/// It is encrypted with a key made of what a sign-out presents: the cookie of the session, or issuer and
/// `sid`. The store has digests of these only. An attacker who can write to the store could put another user
/// here, whose tokens are then removed, but could not sign in as that user. So nothing else of a session has such
/// a key.
#[derive(Serialize, Deserialize)]
pub(super) struct TokenOwner {
    pub(super) origin: ConnectionIdentity,
    /// Without the names of the user.
    pub(super) account: Account,
}

impl TokenOwner {
    pub(super) fn of(record: &SessionRecord) -> Self {
        Self {
            origin: record.origin.clone(),
            account: Account {
                username: None,
                name: None,
                ..record.account.clone()
            },
        }
    }
}

impl Sessions {
    /// Stores the owner for a sign-out here, and for one at the sign-in service.
    pub(super) async fn write_owner(
        &self,
        id: &SessionId,
        record: &SessionRecord,
        entra_session: Option<&EntraSession>,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        let lifetime = self.limits.lifetime;
        let entry = (record.connection.clone(), TokenOwner::of(record));
        if let Some(session) = entra_session {
            let digest = session.digest();
            let seal = owner_seal(session.secret());
            let key = self.owner_key(&digest, &record.origin);
            self.write_sealed((&seal, &key), &entry.1, lifetime, budget)
                .await?;
            let key = self.last_owner_key(&digest);
            self.write_sealed((&seal, &key), &entry, lifetime, budget)
                .await?;
        }
        let (key, seal) = (id.owner_key(&self.site), owner_seal(id.secret()));
        self.write_sealed((&seal, &key), &entry, lifetime, budget)
            .await
    }

    /// The connection and the user of a session. It is an error if they cannot be read here.
    pub(super) async fn owner_of(
        &self,
        id: &SessionId,
    ) -> Result<Option<(String, TokenOwner)>, StoreError> {
        let (key, seal) = (id.owner_key(&self.site), owner_seal(id.secret()));
        let budget = &mut self.store.budget();
        self.read_strictly(&seal, &key, budget).await
    }

    /// The user of a session at Entra, whose tokens at this connection are to be removed. It is an error if there
    /// is one that cannot be read here.
    pub(super) async fn token_owner(
        &self,
        session: &EntraSession,
        connection: &ConnectionIdentity,
    ) -> Result<Option<TokenOwner>, StoreError> {
        let key = self.owner_key(&session.digest(), connection);
        let seal = owner_seal(session.secret());
        let budget = &mut self.store.budget();
        self.read_strictly(&seal, &key, budget).await
    }

    /// The connection and the user of the last sign-in of a session at Entra. It is an error if they cannot be
    /// read here.
    pub(super) async fn last_token_owner(
        &self,
        session: &EntraSession,
    ) -> Result<Option<(String, TokenOwner)>, StoreError> {
        let key = self.last_owner_key(&session.digest());
        let seal = owner_seal(session.secret());
        let budget = &mut self.store.budget();
        self.read_strictly(&seal, &key, budget).await
    }

    /// Ends a session whose tokens are to be removed. Whose they are stays in the store.
    pub(super) async fn end_without_owner(&self, id: &SessionId) -> Result<(), StoreError> {
        self.remove_session(id, &mut self.store.budget()).await
    }

    /// Forgets the user of a session, whose tokens were removed.
    pub(super) async fn forget_owner(&self, id: &SessionId) -> Result<(), StoreError> {
        let budget = &mut self.store.budget();
        self.remove(&id.owner_key(&self.site), budget).await
    }

    /// Forgets the users of a session at Entra, whose tokens were removed.
    pub(super) async fn forget_owners(&self, session: &EntraSession) -> Result<(), StoreError> {
        self.remove_partition_of(&self.last_owner_key(&session.digest()))
            .await
    }

    /// The entry of the user and the connection that signed in last, which is found also after the
    /// connection was removed.
    fn last_owner_key(&self, digest: &str) -> StoreKey {
        StoreKey::new(&self.owner_partition(digest), "tokens")
    }

    /// The entry of the user at a connection, whatever its name is later.
    fn owner_key(&self, digest: &str, origin: &ConnectionIdentity) -> StoreKey {
        let name = format!("tokens {}", origin.to_text());
        StoreKey::new(&self.owner_partition(digest), &name)
    }

    fn owner_partition(&self, digest: &str) -> String {
        format!(
            "owners of tokens at {} of the session at Entra {digest}",
            self.site
        )
    }
}

/// Encrypts with a key made of the secret.
fn owner_seal(secret: &str) -> Seal {
    Seal::new(vec![EncryptionKey::derived_from("owner of tokens", secret)])
}
