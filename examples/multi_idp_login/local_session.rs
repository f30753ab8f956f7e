//! Sessions of users who signed in with a password. Those of the connections are entra-auth's own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue, header};
use entra_auth::entra_core::{self, Clock, Guid, SystemRandom, Timestamp};

/// The sessions, by the random id in the cookie.
#[derive(Debug)]
pub(crate) struct LocalSessions {
    all: Mutex<HashMap<String, (String, Timestamp)>>,
    clock: Arc<dyn Clock>,
    secure: bool,
}

impl LocalSessions {
    /// The sessions of a site at this address.
    pub(crate) fn new(url: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            all: Mutex::default(),
            clock,
            secure: url.starts_with("https:"),
        }
    }

    /// Begins a session, and returns the header that sets its cookie.
    pub(crate) fn begin(&self, login: &str) -> Result<HeaderValue, entra_core::Error> {
        let id = format!(
            "{}{}",
            Guid::random(&SystemRandom)?,
            Guid::random(&SystemRandom)?
        );
        let now = self.clock.now();
        let mut all = self.lock();
        all.retain(|_, (_, until)| *until > now);
        all.insert(id.clone(), (login.trim().to_lowercase(), now + LIFETIME));
        drop(all);
        Ok(self.cookie(&id, LIFETIME.as_secs()))
    }

    /// The login of the session that the browser has.
    pub(crate) fn login(&self, headers: &HeaderMap) -> Option<String> {
        let id = self.id(headers)?;
        let now = self.clock.now();
        let all = self.lock();
        let (login, until) = all.get(id)?;
        (*until > now).then(|| login.clone())
    }

    /// Ends the session, and returns the header that removes its cookie.
    pub(crate) fn end(&self, headers: &HeaderMap) -> HeaderValue {
        self.forget(headers);
        self.cookie("", 0)
    }

    /// Ends the session where no header can be set: its cookie is worthless then.
    pub(crate) fn forget(&self, headers: &HeaderMap) {
        if let Some(id) = self.id(headers) {
            self.lock().remove(id);
        }
    }

    fn id<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let cookies = headers.get_all(header::COOKIE).iter();
        cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find(|(name, _)| *name == self.name())
            .map(|(_, id)| id)
    }

    const fn name(&self) -> &'static str {
        match self.secure {
            true => "__Host-contact-center",
            false => "contact-center",
        }
    }

    fn cookie(&self, id: &str, seconds: u64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!(
            "{}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
            self.name()
        );
        HeaderValue::try_from(cookie).unwrap_or(HeaderValue::from_static(""))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (String, Timestamp)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const LIFETIME: Duration = Duration::from_secs(8 * 3600);
