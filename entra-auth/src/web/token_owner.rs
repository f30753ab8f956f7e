//! Whose tokens a sign-out removes. Every replica can read it, also one that lacks the key of the session.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

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
            let partition = self.owner_partition(&session.digest());
            let seal = owner_seal(session.secret());
            let key = StoreKey::new(&partition, &owner_name(&record.origin));
            self.write_sealed((&seal, &key), &entry.1, lifetime, budget)
                .await?;
            let key = StoreKey::new(&partition, LAST_OWNER);
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
        self.owner_at_entra(session, &owner_name(connection)).await
    }

    /// The connection and the user of the last sign-in of a session at Entra. It is an error if they cannot be
    /// read here.
    pub(super) async fn last_token_owner(
        &self,
        session: &EntraSession,
    ) -> Result<Option<(String, TokenOwner)>, StoreError> {
        self.owner_at_entra(session, LAST_OWNER).await
    }

    /// An entry of a session at Entra. That of a session which an earlier version began is among its marks, and
    /// goes with them.
    async fn owner_at_entra<T: DeserializeOwned>(
        &self,
        session: &EntraSession,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        let digest = session.digest();
        let seal = owner_seal(session.secret());
        let budget = &mut self.store.budget();
        for partition in [
            self.owner_partition(&digest),
            self.entra_session_partition(&digest),
        ] {
            let key = StoreKey::new(&partition, name);
            let found = self.read_strictly(&seal, &key, budget).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
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

    /// Forgets the users of a session at Entra, whose tokens at these connections were removed, and the last one
    /// if that was read. Another sign-in may have written more entries meanwhile, which stay.
    pub(super) async fn forget_owners(
        &self,
        session: &EntraSession,
        origins: &[ConnectionIdentity],
        has_last: bool,
    ) -> Result<(), StoreError> {
        let partition = self.owner_partition(&session.digest());
        let mut names: Vec<String> = origins.iter().map(owner_name).collect();
        if has_last {
            names.push(LAST_OWNER.to_owned());
        }
        let budget = &mut self.store.budget();
        for name in names {
            let key = StoreKey::new(&partition, &name);
            self.remove(&key, budget).await?;
        }
        Ok(())
    }

    fn owner_partition(&self, digest: &str) -> String {
        format!(
            "owners of tokens at {} of the session at Entra {digest}",
            self.site
        )
    }
}

/// The name of the entry of the user at a connection, whatever the connection's name is later.
fn owner_name(origin: &ConnectionIdentity) -> String {
    format!("tokens {}", origin.to_text())
}

/// Encrypts with a key made of the secret.
fn owner_seal(secret: &str) -> Seal {
    Seal::new(vec![EncryptionKey::derived_from("owner of tokens", secret)])
}

/// The name of the entry of the user and the connection that signed in last, which is found also after the
/// connection was removed.
const LAST_OWNER: &str = "tokens";

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use entra_core::{SystemClock, SystemRandom};
    use serde_json::json;

    use super::*;
    use crate::{
        sign_in::ReturnPath,
        store::GuardedStore,
        web::{memory::Memory, session::Limits},
    };

    const TENANT: &str = "11111111-1111-1111-1111-111111111111";

    fn sessions() -> Sessions {
        let day = Duration::from_secs(86_400);
        Sessions {
            site: "shop".to_owned(),
            store: GuardedStore::with_default_limit(Arc::new(Memory::new(
                Arc::new(SystemClock),
                100,
            ))),
            seal: Seal::new(vec![EncryptionKey::new([1; 32])]),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            limits: Limits {
                lifetime: day,
                idle: day,
                recheck: day,
            },
            checking: Mutex::default(),
        }
    }

    /// A session of a connection with this client id.
    fn record(client: &str) -> SessionRecord {
        let account = json!({
            "home_account_id": client, "tenant": TENANT, "username": null, "name": null,
        });
        let origin = json!({
            "authority": "https://login.example", "tenant": TENANT, "client": client,
        });
        serde_json::from_value(json!({
            "account": account, "connection": client, "origin": origin, "entra_session": null,
            "return_path": ReturnPath::root(), "since": 0, "until": 0,
        }))
        .unwrap()
    }

    async fn owner(
        sessions: &Sessions,
        at: &EntraSession,
        record: &SessionRecord,
    ) -> Option<String> {
        let owner = sessions.token_owner(at, &record.origin).await.unwrap();
        owner.map(|owner| owner.account.home_account_id)
    }

    #[tokio::test]
    async fn each_connection_of_a_session_has_its_owner_until_it_is_forgotten() {
        let sessions = sessions();
        let at = EntraSession::new("https://login.example", "s-1");
        let (one, two) = (
            record("22222222-2222-2222-2222-222222222222"),
            record("33333333-3333-3333-3333-333333333333"),
        );
        for record in [&one, &two] {
            let id = SessionId::new("u".to_owned(), "i".to_owned(), String::new());
            let budget = &mut sessions.store.budget();
            sessions
                .write_owner(&id, record, Some(&at), budget)
                .await
                .unwrap();
        }
        for record in [&one, &two] {
            let home = owner(&sessions, &at, record).await;
            assert_eq!(home.as_deref(), Some(record.connection.as_str()));
        }
        let last = sessions.last_token_owner(&at).await.unwrap();
        assert_eq!(last.map(|last| last.0), Some(two.connection.clone()));
        // What was not read stays.
        sessions
            .forget_owners(&at, std::slice::from_ref(&one.origin), false)
            .await
            .unwrap();
        assert_eq!(owner(&sessions, &at, &one).await, None);
        assert!(owner(&sessions, &at, &two).await.is_some());
        assert!(sessions.last_token_owner(&at).await.unwrap().is_some());
        sessions
            .forget_owners(&at, std::slice::from_ref(&two.origin), true)
            .await
            .unwrap();
        assert_eq!(owner(&sessions, &at, &two).await, None);
        assert!(sessions.last_token_owner(&at).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_owner_of_a_session_of_an_earlier_version_is_among_its_marks() {
        let sessions = sessions();
        let at = EntraSession::new("https://login.example", "s-1");
        let one = record("22222222-2222-2222-2222-222222222222");
        let partition = sessions.entra_session_partition(&at.digest());
        let entry = (one.connection.clone(), TokenOwner::of(&one));
        let seal = owner_seal(at.secret());
        let (lifetime, budget) = (sessions.limits.lifetime, &mut sessions.store.budget());
        let key = StoreKey::new(&partition, &owner_name(&one.origin));
        sessions
            .write_sealed((&seal, &key), &entry.1, lifetime, budget)
            .await
            .unwrap();
        let key = StoreKey::new(&partition, LAST_OWNER);
        sessions
            .write_sealed((&seal, &key), &entry, lifetime, budget)
            .await
            .unwrap();
        assert!(owner(&sessions, &at, &one).await.is_some());
        assert!(sessions.last_token_owner(&at).await.unwrap().is_some());
        sessions.end_entra_session(&at).await.unwrap();
        assert_eq!(owner(&sessions, &at, &one).await, None);
    }
}
