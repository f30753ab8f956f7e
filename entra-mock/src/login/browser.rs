//! The single sign-on sessions of one browser, behind a cookie.

use std::time::Duration;

use entra_core::Timestamp;

use super::{account, context::Context};
use crate::{
    directory::later,
    grants::{Account, Flow, Session, Subject},
    state::State,
};

/// A browser, identified by its cookie.
pub(super) struct Browser<'a> {
    context: &'a Context<'a>,
    /// Browsers do not separate cookies by port, so each tenant on a host needs its own cookie
    /// name.
    cookie_name: String,
    id: Option<String>,
}

impl<'a> Browser<'a> {
    pub(super) fn of(context: &'a Context<'a>) -> Self {
        let tenant = context.read().tenant_id.to_string();
        let cookie_name = format!("{COOKIE}-{}", &tenant[..8]);
        let id = context
            .request
            .headers
            .iter()
            .filter(|(name, _)| name == "cookie")
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == cookie_name)
            .map(|(_, value)| value.to_owned());
        Self {
            context,
            cookie_name,
            id,
        }
    }

    /// Returns the users with valid sessions, in the order of their sign-ins.
    pub(super) fn accounts(&self) -> Vec<Subject> {
        let state = self.context.read();
        self.session(&state)
            .into_iter()
            .flat_map(|session| &session.accounts)
            .map(|account| &account.subject)
            .filter(|subject| account::of(&state, subject).is_ok())
            .cloned()
            .collect()
    }

    /// Adds a sign-in under a new session id, so that a planted session id is useless, and returns
    /// the cookie. A user who is already signed in keeps the session.
    pub(super) fn start_session(&mut self, subject: &mut Subject, keep: bool) -> String {
        let mut state = self.context.write();
        let old = self
            .id
            .as_deref()
            .and_then(|id| state.grants.sessions.remove(id))
            .filter(|session| session.expires_on > self.context.now);
        let keep = keep || old.as_ref().is_some_and(|session| session.keep);
        let mut accounts = old.map_or_else(Vec::new, |session| session.accounts);
        let known = accounts
            .iter()
            .position(|known| known.subject.user_id == subject.user_id)
            .map(|at| accounts.remove(at));
        let apps = known.map_or_else(Vec::new, |known| {
            subject.sid = known.subject.sid;
            known.apps
        });
        accounts.push(Account {
            subject: subject.clone(),
            apps,
        });
        let id = state.random.token(64);
        let session = Session {
            accounts,
            keep,
            expires_on: later(self.context.now, lifetime(keep)),
        };
        state.grants.sessions.insert(id.clone(), session);
        drop(state);
        let cookie = self.cookie(&id, keep.then_some(lifetime(keep)));
        self.id = Some(id);
        cookie
    }

    /// Records that a user has signed in to an application, which takes part in the sign-out.
    /// Extends the session.
    pub(super) fn add_application(&self, subject: &Subject, app_id: &str) {
        let mut state = self.context.write();
        let Some(session) = self
            .id
            .as_deref()
            .and_then(|id| state.grants.sessions.get_mut(id))
        else {
            return;
        };
        session.expires_on = later(self.context.now, lifetime(session.keep));
        let known = session
            .accounts
            .iter_mut()
            .find(|known| known.subject.user_id == subject.user_id);
        if let Some(known) = known
            && !known.apps.iter().any(|app| app == app_id)
        {
            known.apps.push(app_id.to_owned());
        }
    }

    /// Ends the sessions of these users. Returns them with the applications they were signed in to,
    /// and the cookie.
    pub(super) fn end_sessions(&self, accounts: &[String]) -> (Vec<Account>, String) {
        let mut state = self.context.write();
        let session = self
            .id
            .as_deref()
            .and_then(|id| state.grants.sessions.get_mut(id));
        let Some(session) = session else {
            return (Vec::new(), self.cookie("", Some(Duration::ZERO)));
        };
        let (gone, left): (Vec<Account>, Vec<Account>) = std::mem::take(&mut session.accounts)
            .into_iter()
            .partition(|account| accounts.contains(&account.subject.user_id));
        session.accounts = left;
        let (empty, keep) = (session.accounts.is_empty(), session.keep);
        let id = self.id.clone().unwrap_or_default();
        if empty {
            state.grants.sessions.remove(&id);
            return (gone, self.cookie("", Some(Duration::ZERO)));
        }
        let cookie = self.cookie(&id, keep.then_some(lifetime(keep)));
        (gone, cookie)
    }

    /// Creates a ticket for the next page of a sign-in that has identified this user. It is valid
    /// in this browser and for this request.
    pub(super) fn create_ticket(&self, subject: &Subject, request: &str) -> String {
        let mut state = self.context.write();
        let id = state.random.token(43);
        let create_ticket = Flow {
            session: self.id.clone().unwrap_or_default(),
            request: request.to_owned(),
            subject: subject.clone(),
            expires_on: later(self.context.now, FLOW_LIFETIME),
        };
        state.grants.flows.insert(id.clone(), create_ticket);
        id
    }

    /// Returns the user of a ticket.
    pub(super) fn ticket_subject(&self, create_ticket: &str, request: &str) -> Option<Subject> {
        let state = self.context.read();
        let create_ticket = state.grants.flows.get(create_ticket)?;
        let fits = self.id.as_ref() == Some(&create_ticket.session)
            && create_ticket.request == request
            && create_ticket.expires_on > self.context.now
            && account::of(&state, &create_ticket.subject).is_ok();
        fits.then(|| create_ticket.subject.clone())
    }

    /// Whether a ticket of this browser has expired.
    pub(super) fn has_expired(&self, ticket: &str) -> bool {
        let state = self.context.read();
        state.grants.flows.get(ticket).is_some_and(|ticket| {
            self.id.as_ref() == Some(&ticket.session) && ticket.expires_on <= self.context.now
        })
    }

    fn session<'s>(&self, state: &'s State) -> Option<&'s Session> {
        let session = state.grants.sessions.get(self.id.as_deref()?)?;
        is_open(session, self.context.now).then_some(session)
    }

    fn cookie(&self, id: &str, lifetime: Option<Duration>) -> String {
        let secure = if self.context.base().starts_with("https:") {
            "; Secure"
        } else {
            ""
        };
        let name = &self.cookie_name;
        let age = lifetime.map_or_else(String::new, |lifetime| {
            format!("; Max-Age={}", lifetime.as_secs())
        });
        format!("{name}={id}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")
    }
}

fn is_open(session: &Session, now: Timestamp) -> bool {
    session.expires_on > now
}

const fn lifetime(keep: bool) -> Duration {
    if keep {
        Duration::from_secs(90 * 24 * 3600)
    } else {
        Duration::from_secs(24 * 3600)
    }
}

const COOKIE: &str = "ESTSAUTHPERSISTENT";
/// How long a user can take for a page.
const FLOW_LIFETIME: Duration = Duration::from_secs(3600);
