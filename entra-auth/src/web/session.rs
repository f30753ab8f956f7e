use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use entra_core::{Clock, SecureRandom, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    sign_in::{Identity, SignedIn},
    store::{EncryptedStore, Seal, StoreError, StoreErrorKind, StoreKey, hashed},
    user::Account,
};

/// What is kept of somebody who has signed in, until the session ends. It holds no token.
#[derive(Serialize, Deserialize)]
pub struct Session {
    identity: Identity,
    account: Account,
    connection: String,
    user: Value,
    since: i64,
    until: i64,
}

impl Session {
    /// Who it is, as validated at the sign-in.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the user's tokens are keyed by.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// The name of the connection that the user signed in with.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// When the session began.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        Timestamp::from_unix_timestamp(self.since).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// When it ends by itself.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        Timestamp::from_unix_timestamp(self.until).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What the gate said of the user; none if it is of another type.
    #[must_use]
    pub fn user<P: DeserializeOwned>(&self) -> Option<P> {
        P::deserialize(&self.user).ok()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("identity", &self.identity)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Every session, wherever they are kept.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) store: Arc<dyn EncryptedStore>,
    pub(super) seal: Seal,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn SecureRandom>,
    pub(super) lifetime: Duration,
}

/// What the browser holds of a session: unguessable, and only its digest is in the store.
///
/// The first part is the same for all sessions that one session at Entra has led to, so that they
/// can be ended together.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SessionId {
    group: String,
    id: String,
}

impl Sessions {
    /// A new session under a new id.
    pub(super) async fn begin(
        &self,
        signed_in: &SignedIn,
        connection: &str,
        user: Value,
    ) -> Result<SessionId, StoreError> {
        let identity = signed_in.identity().clone();
        let group = match &identity.sid {
            Some(sid) => group(&identity.issuer, sid),
            None => self.random()?,
        };
        let ticket = SessionId {
            group,
            id: self.random()?,
        };
        let now = self.clock.now();
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        let session = Session {
            identity,
            account: signed_in.account().clone(),
            connection: connection.to_owned(),
            user,
            since: now.unix_timestamp(),
            until: now.unix_timestamp().saturating_add(lifetime),
        };
        let entry = serde_json::to_vec(&session)
            .map_err(|_| StoreError::configuration("a session cannot be written as JSON"))?;
        let key = ticket.key();
        let entry = self.seal.close(&key, Zeroizing::new(entry))?;
        self.store.save(&key, &entry, self.lifetime).await?;
        Ok(ticket)
    }

    /// The session of a ticket, if it is still there.
    pub(super) async fn find(
        &self,
        ticket: &SessionId,
    ) -> Result<Option<Arc<Session>>, StoreError> {
        let key = ticket.key();
        let Some(entry) = self.store.load(&key).await?.map(Zeroizing::new) else {
            return Ok(None);
        };
        // An entry of another key or version stays where it is: other replicas may be able to read
        // it. Here its user signs in again.
        let session = match self.seal.open(&key, &entry) {
            Ok(entry) => serde_json::from_slice::<Session>(&entry).ok(),
            Err(error) if error.kind() == StoreErrorKind::Damaged => {
                tracing::warn!(%error, "a session is damaged and is quarantined");
                self.store.quarantine(&key, &entry).await?;
                None
            }
            Err(error) => {
                tracing::warn!(%error, "a session cannot be read here");
                None
            }
        };
        let now = self.clock.now().unix_timestamp();
        Ok(session.filter(|session| now < session.until).map(Arc::new))
    }

    pub(super) async fn end(&self, ticket: &SessionId) -> Result<(), StoreError> {
        self.store.remove(&ticket.key()).await
    }

    /// Ends what a session at Entra has led to.
    pub(super) async fn end_all(&self, issuer: &str, sid: &str) -> Result<(), StoreError> {
        let any = SessionId {
            group: group(issuer, sid),
            id: String::new(),
        };
        self.store.remove_partition(any.key().partition()).await
    }

    /// 32 random bytes as 43 characters, which nobody guesses.
    fn random(&self) -> Result<String, StoreError> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(|source| {
            StoreError::configuration("a session could not be given an unguessable id")
                .with_source(source)
        })?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl SessionId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (group, id) = text.split_once('.')?;
        let plain = |part: &str| {
            part.len() <= 64
                && !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        (plain(group) && plain(id)).then(|| Self {
            group: group.to_owned(),
            id: id.to_owned(),
        })
    }

    pub(super) fn to_text(&self) -> String {
        format!("{}.{}", self.group, self.id)
    }

    fn key(&self) -> StoreKey {
        StoreKey::new(&format!("web session {}", self.group), &self.id)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId")
    }
}

fn group(issuer: &str, sid: &str) -> String {
    hashed(&serde_json::json!([issuer, sid]).to_string())
}
