//! The steps from an authorize request to an identified user.

use super::{
    account,
    authorization::Prompt,
    browser::Browser,
    client::{Client, text},
    context::{Context, plain_text},
    error::LoginError,
    page::{self, AccountTile, Page},
    parameters::Parameters,
    user_sign_in,
};
use crate::{grants::Subject, state::State};

/// The parameters of a request that restrict which user signs in, and how.
pub(super) struct SignInHints<'a> {
    pub(super) client: &'a Client,
    pub(super) prompt: Prompt,
    pub(super) login_hint: Option<&'a str>,
    pub(super) domain_hint: Option<&'a str>,
    pub(super) sid: Option<&'a str>,
    pub(super) max_age: Option<i64>,
}

/// The state of a sign-in.
pub(super) enum Progress {
    IdentifiedUser(Box<IdentifiedUser>),
    /// The browser shows a page.
    Page(Box<Page>),
    /// The user canceled.
    Cancelled,
    /// No session is usable, and no page may be shown.
    NoSession(LoginError),
    /// An error of this account; another account may work.
    AccountError(LoginError),
}

/// A user who has been identified.
pub(super) struct IdentifiedUser {
    pub(super) subject: Subject,
    /// The cookie to set, if the session is new.
    pub(super) cookie: Option<String>,
    pub(super) decision: Decision,
}

/// The user's decision on the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    None,
    Accept,
    Decline,
}

/// One step of a sign-in.
pub(super) struct Identify<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) parameters: &'a Parameters,
    pub(super) hints: SignInHints<'a>,
    /// The URL that the pages post to: the request itself.
    pub(super) action: String,
    pub(super) browser: Browser<'a>,
}

impl Identify<'_> {
    pub(super) fn step(&mut self) -> Progress {
        let posted = |name: &str| self.parameters.posted(name);
        if let Some(id) = posted("account") {
            return self.account_selected(id);
        }
        match posted("step") {
            Some("username") => self.user_name(),
            Some("password") => self.password(),
            Some("other") => self.page(self.user_name_page("", None)),
            Some("cancel") => Progress::Cancelled,
            Some("second-factor") => self.proceed(Decision::None, true),
            Some("consent") => self.proceed(Decision::Accept, false),
            Some("decline") => self.proceed(Decision::Decline, false),
            _ => self.first(),
        }
    }

    /// The first request, from the application.
    fn first(&self) -> Progress {
        let accounts = self.browser.accounts();
        let fitting: Vec<&Subject> = accounts
            .iter()
            .filter(|known| self.matches_hints(known))
            .collect();
        match (self.hints.prompt, fitting.as_slice()) {
            (Prompt::None, [one]) if self.is_recent(one) => self.known((*one).clone()),
            (Prompt::None, []) if self.hints.sid.is_some() => {
                let text = "The application requested a user session which does not exist.";
                Progress::NoSession(LoginError::new(160_021, text))
            }
            (Prompt::None, _) => Progress::NoSession(LoginError::new(
                50_058,
                "A silent sign-in request was sent, but not exactly one user is signed in.",
            )),
            (Prompt::SelectAccount, _) if !accounts.is_empty() => self.picker(&accounts),
            (Prompt::Login, _) | (_, []) => self.ask_for_credentials(),
            (_, [one]) if self.is_recent(one) => self.known((*one).clone()),
            (_, [one]) => self.page(self.password_page(&self.name_of(one), None)),
            (_, several) => {
                let several: Vec<Subject> = several.iter().copied().cloned().collect();
                self.picker(&several)
            }
        }
    }

    /// Shows the password page directly if the application has sent a login hint.
    fn ask_for_credentials(&self) -> Progress {
        let hint = match self.hints.prompt {
            Prompt::SelectAccount => None,
            _ => self.hints.login_hint,
        };
        let Some(hint) = hint else {
            return self.page(self.user_name_page("", None));
        };
        let state = self.context.read();
        let name = account::find(&state, hint)
            .or_else(|error| account::by_login_hint(&state, hint).ok_or(error))
            .map(account::sign_in_name);
        match name {
            Ok(name) => self.page(self.password_page(name, None)),
            Err(_) => self.page(self.user_name_page(hint, None)),
        }
    }

    fn account_selected(&self, id: &str) -> Progress {
        let accounts = self.browser.accounts();
        match accounts.into_iter().find(|known| known.user_id == id) {
            None => {
                let text =
                    "AADSTS16001: The selected account is not signed in any more. Sign in again.";
                self.page(self.user_name_page("", Some(text)))
            }
            // Selecting an account is not a sign-in if one is required.
            Some(known) if self.hints.prompt == Prompt::Login || !self.is_recent(&known) => {
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
            Err(error) => self.unknown_name(&state, name, &error),
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
                let cookie = self.browser.start_session(&mut subject, keep);
                Progress::IdentifiedUser(Box::new(IdentifiedUser {
                    subject,
                    cookie: Some(cookie),
                    decision: Decision::None,
                }))
            }
            Err(error) => {
                user_sign_in::record_failure(self.context, self.hints.client, &name, &error);
                if error.code == 50_034 {
                    return self.unknown_name(&self.context.read(), &name, &error);
                }
                if error.is_disabled_account() {
                    return Progress::AccountError(error);
                }
                self.page(self.password_page(&name, Some(error.text())))
            }
        }
    }

    /// Continues after a page that only an identified user sees.
    fn proceed(&mut self, decision: Decision, second_factor: bool) -> Progress {
        let flow = self.parameters.posted("flow").unwrap_or_default();
        let Some(mut subject) = self.browser.ticket_subject(flow, &self.action) else {
            if self.browser.has_expired(flow) {
                let text = "AADSTS50089: The sign-in took too long. Sign in again.";
                return self.page(self.first_page(Some(text)));
            }
            // Not from our page: start from the beginning.
            return self.first();
        };
        let cookie = second_factor.then(|| {
            subject.mfa = true;
            self.browser.start_session(&mut subject, false)
        });
        Progress::IdentifiedUser(Box::new(IdentifiedUser {
            subject,
            cookie,
            decision,
        }))
    }

    fn known(&self, subject: Subject) -> Progress {
        Progress::IdentifiedUser(Box::new(IdentifiedUser {
            subject,
            cookie: None,
            decision: Decision::None,
        }))
    }

    /// Handles a name that the tenant does not know: in a verified domain it is misspelled, in
    /// another domain it belongs to another tenant.
    fn unknown_name(&self, state: &State, name: &str, error: &LoginError) -> Progress {
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
            "The user account '{}' does not exist in the tenant '{}' and cannot access the application '{}' ({}) in that tenant. The account needs to be added as an external user in the tenant first.",
            plain_text(name),
            state.tenant_name,
            self.hints.client.app_id,
            self.hints.client.display_name,
        );
        Progress::AccountError(LoginError::new(50_020, text))
    }

    /// The page of the second step, after a correct password.
    pub(super) fn second_factor(&self, subject: &Subject) -> Page {
        let flow = self.browser.create_ticket(subject, &self.action);
        page::second_factor(&self.name_of(subject), &flow, &self.action)
    }

    /// The first page again, with an error.
    pub(super) fn first_page(&self, error: Option<&str>) -> Page {
        self.user_name_page("", error)
    }

    /// The link to another account on an error page.
    pub(super) fn switch_account(&self) -> page::SwitchAccount<'_> {
        page::SwitchAccount {
            action: &self.action,
        }
    }

    /// The name that a user signs in with.
    pub(super) fn name_of(&self, subject: &Subject) -> String {
        let state = self.context.read();
        account::of(&state, subject)
            .map(|user| account::sign_in_name(user).to_owned())
            .unwrap_or_default()
    }

    fn picker(&self, accounts: &[Subject]) -> Progress {
        let tiles = tiles(&self.context.read(), accounts);
        let app = &self.hints.client.display_name;
        self.page(page::sign_in_picker(app, &tiles, &self.action))
    }

    fn user_name_page(&self, name: &str, error: Option<&str>) -> Page {
        page::user_name(&self.hints.client.display_name, name, &self.action, error)
    }

    fn password_page(&self, name: &str, error: Option<&str>) -> Page {
        let keep = self.parameters.posted("keep") == Some("1");
        let app = &self.hints.client.display_name;
        page::password(app, name, keep, &self.action, error)
    }

    fn page(&self, page: Page) -> Progress {
        Progress::Page(Box::new(page))
    }

    fn is_recent(&self, subject: &Subject) -> bool {
        let age = (self.context.now - subject.auth_time).whole_seconds();
        self.hints.max_age.is_none_or(|most| age <= most)
    }

    /// Whether the request can be for this user.
    fn matches_hints(&self, subject: &Subject) -> bool {
        let hints = &self.hints;
        let state = self.context.read();
        let Ok(user) = account::of(&state, subject) else {
            return false;
        };
        let name = account::sign_in_name(user);
        let principal = text(user, "userPrincipalName").unwrap_or_default();
        let by_login_hint = |hint: &str| {
            name.eq_ignore_ascii_case(hint)
                || principal.eq_ignore_ascii_case(hint)
                || hint == account::login_hint(&subject.user_id)
        };
        let domain = name.rsplit_once('@').map_or("", |(_, domain)| domain);
        hints.login_hint.is_none_or(by_login_hint)
            && hints.sid.is_none_or(|sid| sid == subject.sid)
            && hints.domain_hint.is_none_or(|hint| {
                hint.eq_ignore_ascii_case("organizations") || hint.eq_ignore_ascii_case(domain)
            })
    }
}

/// Returns the accounts of a browser for the account picker.
pub(super) fn tiles(state: &State, accounts: &[Subject]) -> Vec<AccountTile> {
    accounts
        .iter()
        .filter_map(|subject| {
            let user = account::of(state, subject).ok()?;
            Some(AccountTile {
                id: subject.user_id.clone(),
                display_name: text(user, "displayName").unwrap_or_default().to_owned(),
                user_name: account::sign_in_name(user).to_owned(),
            })
        })
        .collect()
}
