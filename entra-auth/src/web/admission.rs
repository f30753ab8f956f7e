//! Checks at each request whether the user of a session still has access, and from time to time asks
//! the application and the sign-in service again.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::timeout;

use super::{
    app::Site,
    authorize::{AccessDenied, SignInContext},
    session::{Access, ConnectionIdentity, Session},
    session_id::SessionId,
};
use crate::{
    sign_in::{Identity, SignInClient},
    store::StoreError,
};

/// Why the session of a request cannot be determined at the moment.
#[derive(Debug)]
pub(super) enum LookUpError {
    Store(StoreError),
    /// The user's access was not confirmed for too long.
    AccessUnknown,
}

impl From<StoreError> for LookUpError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Site {
    /// The session with this id, if its user still has access.
    pub(super) async fn session(
        &self,
        id: &SessionId,
    ) -> Result<Option<Arc<Session>>, LookUpError> {
        let Some(session) = self.sessions.find(id).await? else {
            return Ok(None);
        };
        let Some(client) = self.connection_of(&session) else {
            return Ok(None);
        };
        let session = session.completed_by(&client);
        match self.sessions.access(&session) {
            Access::Confirmed => self.sessions.touch(id, &session).await,
            Access::Due => return Box::pin(self.check(id, session, client)).await,
            Access::Postponed => {}
            Access::Unknown => return Err(LookUpError::AccessUnknown),
        }
        Ok(Some(Arc::new(session)))
    }

    /// The connection that the session's user signed in with, if it is unchanged and admits users of
    /// that tenant.
    pub(super) fn connection_of(&self, session: &Session) -> Option<SignInClient> {
        let record = session.record();
        let client = self.same_connection(&record.connection, &record.origin)?;
        client.admits(session.identity()).then_some(client)
    }

    pub(super) fn same_connection(
        &self,
        name: &str,
        origin: &ConnectionIdentity,
    ) -> Option<SignInClient> {
        let client = self.connections.by_name(name)?;
        (ConnectionIdentity::of(&client) == *origin).then_some(client)
    }

    /// Asks the sign-in service and the application about the user again.
    async fn check(
        &self,
        id: &SessionId,
        session: Session,
        connection: SignInClient,
    ) -> Result<Option<Arc<Session>>, LookUpError> {
        let Some(_check) = self.sessions.begin_check(id) else {
            // Another request checks the user; this one does not wait for it.
            return self.while_unconfirmed(session);
        };
        // Another check may have ended since this session was read.
        let Some(session) = self.sessions.find(id).await? else {
            return Ok(None);
        };
        let session = session.completed_by(&connection);
        if self.sessions.access(&session) != Access::Due {
            return self.while_unconfirmed(session);
        }
        let name = connection.name().to_owned();
        match self.ask_about_user(&session, connection).await {
            Ok((identity, user)) => {
                let session = self.sessions.confirm(id, session, identity, user).await;
                Ok(Some(Arc::new(session)))
            }
            Err(denied) if !denied.ends_session() || self.may_check_later(&denied, &session) => {
                let what = "the access of a user could not be checked";
                match denied.is_temporary() {
                    true => tracing::warn!(connection = name, %denied, "{what}"),
                    // It stays like this until an administrator acts.
                    false => {
                        let detail = denied.detail();
                        tracing::error!(connection = name, %denied, detail, "{what}");
                    }
                }
                self.sessions.postpone(id, &session).await;
                self.while_unconfirmed(session)
            }
            Err(denied) => {
                tracing::info!(
                    connection = name, user = %session.identity().key(), %denied,
                    "a session ended because its user has no access any more"
                );
                // If it stays in the store, the next request checks again.
                if let Err(error) = self.sessions.end(id).await {
                    tracing::error!(%error, "a session could not be ended");
                }
                Ok(None)
            }
        }
    }

    /// The identity of the session's user by the sign-in service, and what the application stores of them.
    /// A request waits for it, so both have a time limit.
    async fn ask_about_user(
        &self,
        session: &Session,
        connection: SignInClient,
    ) -> Result<(Identity, Value), AccessDenied> {
        let signed_in = connection
            .renew_within(
                RENEWAL_LIMIT,
                session.since(),
                session.account(),
                session.identity(),
            )
            .await?;
        let identity = signed_in.identity().clone();
        let context = SignInContext {
            signed_in,
            connection,
            is_recheck: true,
            language: None,
        };
        let check = timeout(CHECK_LIMIT, self.authorize.authorize(context));
        Ok((identity, check.await??))
    }

    /// Whether the check is postponed because another replica may still have the tokens, as after a loss of
    /// the token store. When a session cannot go on unconfirmed, its user signs in again.
    fn may_check_later(&self, denied: &AccessDenied, session: &Session) -> bool {
        denied.may_have_lost_tokens() && self.sessions.postponed(session) == Access::Postponed
    }

    /// The session while its user is being checked or cannot be checked.
    fn while_unconfirmed(&self, session: Session) -> Result<Option<Arc<Session>>, LookUpError> {
        match self.sessions.postponed(&session) {
            Access::Unknown => Err(LookUpError::AccessUnknown),
            _ => Ok(Some(Arc::new(session))),
        }
    }
}

/// How long the sign-in service may take for a re-check.
const RENEWAL_LIMIT: Duration = Duration::from_secs(5);
/// How long the application's check may take for a re-check.
const CHECK_LIMIT: Duration = Duration::from_secs(10);
