//! The single sign-on session of one browser: the people it knows, behind a cookie.

use std::time::Duration;

use entra_core::Timestamp;

use super::{
    account,
    context::Context,
    grants::{Account, Flow, Session, Subject},
};
use crate::{directory::later, state::State};

/// A browser, known by its cookie.
pub(super) struct Browser<'a> {
    context: &'a Context<'a>,
    /// Browsers do not tell the ports of a host apart, so tenants side by side need names of their
    /// own for their cookies.
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

    /// The people whose sessions still hold, in the order of their sign-ins.
    pub(super) fn people(&self) -> Vec<Subject> {
        let state = self.context.read();
        self.session(&state)
            .into_iter()
            .flat_map(|session| &session.accounts)
            .map(|account| &account.subject)
            .filter(|subject| account::of(&state, subject).is_ok())
            .cloned()
            .collect()
    }

    /// Adds a sign-in under a new session id, so that an id that somebody has planted before is
    /// worth nothing; gives the cookie. A person who is known already stays in the same session.
    pub(super) fn remember(&mut self, subject: &mut Subject, keep: bool) -> String {
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

    /// Notes that a person has gone on to an application, which wants to hear of the sign-out; the
    /// session lives on from now.
    pub(super) fn took_part(&self, subject: &Subject, app_id: &str) {
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

    /// Ends the sessions of these people; gives them with the applications they had gone on to,
    /// and the cookie.
    pub(super) fn forget(&self, people: &[String]) -> (Vec<Account>, String) {
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
            .partition(|account| people.contains(&account.subject.user_id));
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

    /// A ticket for the next page of a sign-in that has come as far as this person, good in this
    /// browser and for this request.
    pub(super) fn flow(&self, subject: &Subject, request: &str) -> String {
        let mut state = self.context.write();
        let id = state.random.token(43);
        let flow = Flow {
            session: self.id.clone().unwrap_or_default(),
            request: request.to_owned(),
            subject: subject.clone(),
            expires_on: later(self.context.now, FLOW_LIFETIME),
        };
        state.grants.flows.insert(id.clone(), flow);
        id
    }

    /// The person that a ticket speaks for.
    pub(super) fn subject_of(&self, flow: &str, request: &str) -> Option<Subject> {
        let state = self.context.read();
        let flow = state.grants.flows.get(flow)?;
        let fits = self.id.as_ref() == Some(&flow.session)
            && flow.request == request
            && flow.expires_on > self.context.now
            && account::of(&state, &flow.subject).is_ok();
        fits.then(|| flow.subject.clone())
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
/// How long somebody may think about a page.
const FLOW_LIFETIME: Duration = Duration::from_secs(3600);
