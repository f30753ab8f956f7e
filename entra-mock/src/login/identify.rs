//! Who is at the browser: the steps from a request to a person who is known.

use super::{
    account,
    authorization::{Parameters, Prompt},
    browser::Browser,
    client::{Client, text},
    context::{Context, plain_text},
    error::LoginError,
    grants::Subject,
    page::{self, Page, Tile},
    user_sign_in,
};
use crate::state::State;

/// Whom a request would like to see, and how.
pub(super) struct Wanted<'a> {
    pub(super) client: &'a Client,
    pub(super) prompt: Prompt,
    pub(super) login_hint: Option<&'a str>,
    pub(super) domain_hint: Option<&'a str>,
    pub(super) sid: Option<&'a str>,
    pub(super) max_age: Option<i64>,
}

/// Where a sign-in has come to.
pub(super) enum Progress {
    Known(Box<Known>),
    /// The browser shows a page next.
    Page(Box<Page>),
    /// The person has gone away.
    Cancelled,
    /// Nobody is known, and nobody may be asked.
    Nobody(LoginError),
    /// A refusal for this person, whom another account may help.
    Refused(LoginError),
}

/// A person who is known.
pub(super) struct Known {
    pub(super) subject: Subject,
    /// The cookie to set, if the session is new.
    pub(super) cookie: Option<String>,
    pub(super) answer: Answer,
}

/// What the person has said to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    None,
    Accept,
    Decline,
}

/// One step of a sign-in.
pub(super) struct Identify<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) parameters: &'a Parameters,
    pub(super) wanted: Wanted<'a>,
    /// Where the pages post to: the request once more.
    pub(super) action: String,
    pub(super) browser: Browser<'a>,
}

impl Identify<'_> {
    pub(super) fn step(&mut self) -> Progress {
        let posted = |name: &str| self.parameters.posted(name);
        if let Some(id) = posted("account") {
            return self.picked(id);
        }
        match posted("step") {
            Some("username") => self.user_name(),
            Some("password") => self.password(),
            Some("other") => self.page(self.user_name_page("", None)),
            Some("cancel") => Progress::Cancelled,
            Some("second-factor") => self.go_on(Answer::None, true),
            Some("consent") => self.go_on(Answer::Accept, false),
            Some("decline") => self.go_on(Answer::Decline, false),
            _ => self.first(),
        }
    }

    /// The browser comes from the application.
    fn first(&self) -> Progress {
        let people = self.browser.people();
        let fitting: Vec<&Subject> = people.iter().filter(|known| self.fits(known)).collect();
        match (self.wanted.prompt, fitting.as_slice()) {
            (Prompt::None, [one]) if self.is_recent(one) => self.known((*one).clone()),
            (Prompt::None, _) => Progress::Nobody(LoginError::new(
                50_058,
                "A silent sign-in was asked for, but the browser has no session, or several.",
            )),
            (Prompt::SelectAccount, _) if !people.is_empty() => self.picker(&people),
            (Prompt::Login, _) | (_, []) => self.ask(),
            (_, [one]) if self.is_recent(one) => self.known((*one).clone()),
            (_, [one]) => self.page(self.password_page(&self.name_of(one), None)),
            (_, several) => {
                let several: Vec<Subject> = several.iter().copied().cloned().collect();
                self.picker(&several)
            }
        }
    }

    /// Asks for the password at once where the application has said who comes.
    fn ask(&self) -> Progress {
        let hint = match self.wanted.prompt {
            Prompt::SelectAccount => None,
            _ => self.wanted.login_hint,
        };
        let Some(hint) = hint else {
            return self.page(self.user_name_page("", None));
        };
        let state = self.context.read();
        let name = account::find(&state, hint)
            .or_else(|error| account::hinted(&state, hint).ok_or(error))
            .map(account::sign_in_name);
        match name {
            Ok(name) => self.page(self.password_page(name, None)),
            Err(_) => self.page(self.user_name_page(hint, None)),
        }
    }

    fn picked(&self, id: &str) -> Progress {
        let people = self.browser.people();
        match people.into_iter().find(|known| known.user_id == id) {
            None => self.page(self.user_name_page("", None)),
            // To pick an account is no sign-in where one was demanded.
            Some(known) if self.wanted.prompt == Prompt::Login || !self.is_recent(&known) => {
                self.page(self.password_page(&self.name_of(&known), None))
            }
            Some(known) => self.known(known),
        }
    }

    fn user_name(&self) -> Progress {
        let name = self.parameters.posted("login").unwrap_or_default().trim();
        if name.is_empty() {
            return self.page(self.user_name_page("", Some("Enter your email or user name.")));
        }
        let state = self.context.read();
        match account::find(&state, name) {
            Ok(user) => self.page(self.password_page(account::sign_in_name(user), None)),
            Err(error) => self.nobody(&state, name, &error),
        }
    }

    fn password(&mut self) -> Progress {
        let name = self
            .parameters
            .posted("login")
            .unwrap_or_default()
            .to_owned();
        let Some(password) = self.parameters.posted("passwd") else {
            return self.page(self.password_page(&name, Some("Enter your password.")));
        };
        match account::authenticate(self.context, &name, password) {
            Ok(mut subject) => {
                let keep = self.parameters.posted("keep") == Some("1");
                let cookie = self.browser.remember(&mut subject, keep);
                Progress::Known(Box::new(Known {
                    subject,
                    cookie: Some(cookie),
                    answer: Answer::None,
                }))
            }
            Err(error) => {
                user_sign_in::refused(self.context, self.wanted.client, &name, &error);
                if error.code == 50_034 {
                    return self.nobody(&self.context.read(), &name, &error);
                }
                self.page(self.password_page(&name, Some(error.text())))
            }
        }
    }

    /// Somebody has answered a page that only a known person sees.
    fn go_on(&mut self, answer: Answer, second_factor: bool) -> Progress {
        let flow = self.parameters.posted("flow").unwrap_or_default();
        let Some(mut subject) = self.browser.subject_of(flow, &self.action) else {
            // Too late, or not from our page: from the beginning.
            return self.first();
        };
        let cookie = second_factor.then(|| {
            subject.mfa = true;
            self.browser.remember(&mut subject, false)
        });
        Progress::Known(Box::new(Known {
            subject,
            cookie,
            answer,
        }))
    }

    fn known(&self, subject: Subject) -> Progress {
        Progress::Known(Box::new(Known {
            subject,
            cookie: None,
            answer: Answer::None,
        }))
    }

    /// A name that the tenant does not know: of its own domain it is misspelt, of another one it
    /// belongs to another tenant.
    fn nobody(&self, state: &State, name: &str, error: &LoginError) -> Progress {
        let domain = name.rsplit_once('@').map(|(_, domain)| domain.trim());
        let foreign = domain.is_some_and(|domain| {
            domain.contains('.')
                && !state
                    .domains
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(domain))
        });
        if !foreign {
            return self.page(self.user_name_page(name, Some(error.text())));
        }
        let text = format!(
            "The account '{}' belongs to another directory and does not exist in the tenant '{}', so it cannot use the application '{}' ({}) there. It must be invited as a guest first.",
            plain_text(name),
            state.tenant_name,
            self.wanted.client.app_id,
            self.wanted.client.display_name,
        );
        Progress::Refused(LoginError::new(50_020, text))
    }

    /// The page of the second step, for somebody whose password was right.
    pub(super) fn second_factor(&self, subject: &Subject) -> Page {
        let flow = self.browser.flow(subject, &self.action);
        page::second_factor(&self.name_of(subject), &flow, &self.action)
    }

    /// The first page once more, with a complaint.
    pub(super) fn start_again(&self, error: Option<&str>) -> Page {
        self.user_name_page("", error)
    }

    /// The way to another account from a page that refuses this one.
    pub(super) fn again(&self) -> page::Again<'_> {
        page::Again {
            action: &self.action,
        }
    }

    /// The name by which somebody signs in.
    pub(super) fn name_of(&self, subject: &Subject) -> String {
        let state = self.context.read();
        account::of(&state, subject)
            .map(|user| account::sign_in_name(user).to_owned())
            .unwrap_or_default()
    }

    fn picker(&self, people: &[Subject]) -> Progress {
        let tiles = tiles(&self.context.read(), people);
        let app = &self.wanted.client.display_name;
        self.page(page::sign_in_picker(app, &tiles, &self.action))
    }

    fn user_name_page(&self, name: &str, error: Option<&str>) -> Page {
        page::user_name(&self.wanted.client.display_name, name, &self.action, error)
    }

    fn password_page(&self, name: &str, error: Option<&str>) -> Page {
        let keep = self.parameters.posted("keep") == Some("1");
        let app = &self.wanted.client.display_name;
        page::password(app, name, keep, &self.action, error)
    }

    fn page(&self, page: Page) -> Progress {
        Progress::Page(Box::new(page))
    }

    fn is_recent(&self, subject: &Subject) -> bool {
        let age = (self.context.now - subject.auth_time).whole_seconds();
        self.wanted.max_age.is_none_or(|most| age <= most)
    }

    /// Whether the request can mean this person.
    fn fits(&self, subject: &Subject) -> bool {
        let wanted = &self.wanted;
        let state = self.context.read();
        let Ok(user) = account::of(&state, subject) else {
            return false;
        };
        let name = account::sign_in_name(user);
        let principal = text(user, "userPrincipalName").unwrap_or_default();
        let hinted = |hint: &str| {
            name.eq_ignore_ascii_case(hint)
                || principal.eq_ignore_ascii_case(hint)
                || hint == account::login_hint(&subject.user_id)
        };
        let domain = name.rsplit_once('@').map_or("", |(_, domain)| domain);
        wanted.login_hint.is_none_or(hinted)
            && wanted.sid.is_none_or(|sid| sid == subject.sid)
            && wanted.domain_hint.is_none_or(|hint| {
                hint.eq_ignore_ascii_case("organizations") || hint.eq_ignore_ascii_case(domain)
            })
    }
}

/// The accounts of a browser as a picker shows them.
pub(super) fn tiles(state: &State, people: &[Subject]) -> Vec<Tile> {
    people
        .iter()
        .filter_map(|subject| {
            let user = account::of(state, subject).ok()?;
            Some(Tile {
                id: subject.user_id.clone(),
                display_name: text(user, "displayName").unwrap_or_default().to_owned(),
                user_name: account::sign_in_name(user).to_owned(),
            })
        })
        .collect()
}
