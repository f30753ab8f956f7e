use std::{fmt, sync::Arc};

use entra_core::{ClientId, ObjectId, Timestamp};

use super::FakeTenant;
use crate::{directory::SignInRecord, engine::Engine, store::Kind};

impl FakeTenant {
    /// Records a successful interactive sign-in of a user to an application at the current time.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// use std::time::Duration;
    /// use entra_core::Clock;
    ///
    /// let tenant = entra_mock::FakeTenant::start().await;
    /// let app = tenant.register_app("Ticket shop");
    /// let adele = tenant.user("adele@contoso.com");
    /// tenant.add_sign_in(adele.id(), app.client_id()).at(tenant.clock().now() - Duration::from_secs(3600)).failed(50126);
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the user or the application does not exist.
    #[track_caller]
    #[expect(clippy::panic, reason = "a wrong id must fail the test at its line")]
    pub fn add_sign_in(&self, user: ObjectId, app: ClientId) -> SignInHandle {
        let now = self.engine.now();
        let mut state = self.engine.write();
        let (user_id, app_id) = (user.to_string(), app.to_string());
        let service_principal = state
            .store
            .find(Kind::ServicePrincipal, "appId", &app_id)
            .and_then(|object| object.get("id")?.as_str().map(str::to_owned));
        let (Some(service_principal_id), Some(Kind::User)) =
            (service_principal, state.store.kind_of(&user_id))
        else {
            drop(state);
            panic!("the tenant has no user {user} or no application {app}");
        };
        let record = RecordedSignIn {
            user_id,
            service_principal_id,
            at: now,
            error_code: 0,
        };
        let id = record.write(&mut state);
        drop(state);
        SignInHandle {
            engine: Arc::clone(&self.engine),
            id,
            record,
        }
    }
}

/// An entry of the sign-in log. The methods take effect at once.
#[derive(Clone)]
pub struct SignInHandle {
    engine: Arc<Engine>,
    id: String,
    record: RecordedSignIn,
}

#[derive(Clone)]
struct RecordedSignIn {
    user_id: String,
    service_principal_id: String,
    at: Timestamp,
    error_code: u32,
}

impl RecordedSignIn {
    fn write(&self, state: &mut crate::state::State) -> String {
        let record = SignInRecord {
            user_id: &self.user_id,
            service_principal_id: &self.service_principal_id,
            at: self.at,
            error_code: self.error_code,
        };
        state.record_sign_in(&record).unwrap_or_default()
    }
}

impl SignInHandle {
    /// Changes the time of the sign-in.
    pub fn at(mut self, time: Timestamp) -> Self {
        self.record.at = time;
        self.rewrite()
    }

    /// Makes the sign-in fail with an AADSTS code, such as 50126 for a wrong password.
    pub fn failed(mut self, code: u32) -> Self {
        self.record.error_code = code;
        self.rewrite()
    }

    /// The id of the log entry.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn rewrite(mut self) -> Self {
        let mut state = self.engine.write();
        state.store.remove(Kind::SignIn, &self.id);
        self.id = self.record.write(&mut state);
        drop(state);
        self
    }
}

impl fmt::Debug for SignInHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
