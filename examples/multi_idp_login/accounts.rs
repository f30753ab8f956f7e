//! The users of the product: each signs in with one connection or with a password of the product.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aws_lc_rs::pbkdf2;
use entra_auth::{
    entra_core::{self, Clock, Secret, SecureRandom, SystemRandom},
    sign_in::Identity,
};

/// The users, and whether passwords are allowed.
#[derive(Debug)]
pub(crate) struct Accounts {
    all: Mutex<Vec<Account>>,
    /// The setting "Allow sign-in with a password".
    pub(crate) passwords: bool,
    clock: Arc<dyn Clock>,
    /// Compared for a login that is unknown, so that it takes as long as a wrong password.
    unknown_login: PasswordHash,
}

/// A user of the product.
#[derive(Clone, Debug)]
struct Account {
    login: String,
    name: String,
    method: Method,
    /// Tenant and object ID of the user, once known: from then on the user name does not matter.
    key: Option<String>,
    failures: u8,
    blocked: Option<Instant>,
}

/// How a user signs in.
#[derive(Clone, Debug)]
enum Method {
    Connection(String),
    Password(PasswordHash),
}

/// Where a login is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// To the sign-in page of this connection.
    Connection(String),
    /// To the page that asks for the password; also for a login that does not exist.
    Password,
    /// Nowhere: passwords are not allowed, and the login has no connection.
    NotSetUp,
}

impl Accounts {
    /// No users yet.
    pub(crate) fn new(passwords: bool, clock: Arc<dyn Clock>) -> Result<Self, entra_core::Error> {
        Ok(Self {
            all: Mutex::default(),
            passwords,
            clock,
            unknown_login: PasswordHash::new(&Secret::from(""))?,
        })
    }

    /// Adds a user who signs in with a connection, by the user name there.
    pub(crate) fn add(&self, login: &str, name: &str, connection: &str) {
        self.push(login, name, Method::Connection(connection.to_owned()));
    }

    /// Adds a user who signs in with a password.
    pub(crate) fn add_with_password(
        &self,
        login: &str,
        name: &str,
        password: &Secret,
    ) -> Result<(), entra_core::Error> {
        let hash = PasswordHash::new(password)?;
        self.push(login, name, Method::Password(hash));
        Ok(())
    }

    fn push(&self, login: &str, name: &str, method: Method) {
        self.lock().push(Account {
            login: login.to_lowercase(),
            name: name.to_owned(),
            method,
            key: None,
            failures: 0,
            blocked: None,
        });
    }

    pub(crate) fn next_step(&self, login: &str) -> NextStep {
        let login = login.trim().to_lowercase();
        let all = self.lock();
        let account = all.iter().find(|account| account.login == login);
        match account.map(|account| &account.method) {
            Some(Method::Connection(name)) => NextStep::Connection(name.clone()),
            _ if self.passwords => NextStep::Password,
            _ => NextStep::NotSetUp,
        }
    }

    /// The name of the user whom a connection has signed in, if that user is assigned to the connection.
    ///
    /// The first sign-in links the account to the object ID. Until then the user name counts, which the
    /// administrators of the connection's tenant give out.
    pub(crate) fn signed_in(&self, connection: &str, identity: &Identity) -> Option<String> {
        let user_name = identity.username.as_deref().map(str::to_lowercase);
        let key = identity.key();
        let mut all = self.lock();
        let assigned = |account: &Account| matches!(&account.method, Method::Connection(name) if name == connection);
        let known = all
            .iter()
            .position(|account| assigned(account) && account.key.as_ref() == Some(&key))
            .or_else(|| {
                all.iter().position(|account| {
                    assigned(account)
                        && account.key.is_none()
                        && Some(&account.login) == user_name.as_ref()
                })
            })?;
        let account = all.get_mut(known)?;
        account.key = Some(key);
        Some(account.name.clone())
    }

    /// The name of a user with the right password. Takes about a second, so call it where that may block.
    pub(crate) fn with_password(&self, login: &str, password: &Secret) -> Option<String> {
        if !self.passwords {
            return None;
        }
        let login = login.trim().to_lowercase();
        let hash = self.attempt(&login);
        let is_right =
            hash.as_ref().unwrap_or(&self.unknown_login).is_of(password) && hash.is_some();
        if !is_right {
            return None;
        }
        let mut all = self.lock();
        let account = all.iter_mut().find(|account| account.login == login)?;
        (account.failures, account.blocked) = (0, None);
        Some(account.name.clone())
    }

    /// The hash to compare with, unless the login is unknown or blocked.
    ///
    /// An attempt counts as a failure before its password is compared: the comparison takes long, and many at once would
    /// all be made before the first one counts.
    fn attempt(&self, login: &str) -> Option<PasswordHash> {
        let mut all = self.lock();
        let account = all.iter_mut().find(|account| account.login == login)?;
        let Method::Password(hash) = &account.method else {
            return None;
        };
        // It does not extend the block, with which others could keep the user out for ever.
        if account
            .blocked
            .is_some_and(|since| self.clock.elapsed(since) <= BLOCKED)
        {
            return None;
        }
        let hash = hash.clone();
        account.failures = account.failures.saturating_add(1);
        account.blocked = None;
        if account.failures >= MOST_FAILURES {
            (account.failures, account.blocked) = (0, Some(self.clock.monotonic()));
        }
        Some(hash)
    }

    /// The name of a user who has signed in with a password before, if that is still allowed.
    pub(crate) fn name_of(&self, login: &str) -> Option<String> {
        let all = self.lock();
        let account = all.iter().find(|account| account.login == login)?;
        let is_allowed = self.passwords && matches!(account.method, Method::Password(_));
        is_allowed.then(|| account.name.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Account>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A password as it is stored: PBKDF2 with HMAC-SHA-256, as OWASP advises.
#[derive(Clone)]
struct PasswordHash {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl PasswordHash {
    fn new(password: &Secret) -> Result<Self, entra_core::Error> {
        let (mut salt, mut hash) = ([0; 16], [0; 32]);
        SystemRandom.fill(&mut salt)?;
        let text = password.expose_secret().as_bytes();
        pbkdf2::derive(ALGORITHM, ROUNDS, &salt, text, &mut hash);
        Ok(Self { salt, hash })
    }

    fn is_of(&self, password: &Secret) -> bool {
        let text = password.expose_secret().as_bytes();
        pbkdf2::verify(ALGORITHM, ROUNDS, &self.salt, text, &self.hash).is_ok()
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

const ALGORITHM: pbkdf2::Algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
/// After so many wrong passwords the login is blocked for a while.
const MOST_FAILURES: u8 = 5;
const BLOCKED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use entra_auth::entra_core::ManualClock;

    use super::*;

    #[test]
    fn passwords_that_are_guessed_at_once_are_counted_before_they_are_compared() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
        let accounts = Accounts::new(true, clock).unwrap();
        accounts
            .add_with_password("robin@example.com", "Robin", &Secret::from("right"))
            .unwrap();
        let compared = (0..20).filter(|_| accounts.attempt("robin@example.com").is_some());
        assert_eq!(compared.count(), usize::from(MOST_FAILURES));
    }
}
