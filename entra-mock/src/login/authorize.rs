//! The authorize endpoint: a person at a browser signs in, and the application gets a code.

use std::time::Duration;

use super::{
    Version, account,
    authorization::{Authorization, Parameters, Prompt, Stop},
    consent::{self, Allowed},
    context::Context,
    error::{LoginError, not_supported},
    ledger::{Code, Session, Subject},
    page::{self, html},
    policy, resource,
    user_sign_in::{self, Event},
    user_token,
};
use crate::{directory::later, wire::Reply};

/// `/{tenant}/oauth2/v2.0/authorize`
pub(super) fn respond(context: &Context<'_>, segment: &str) -> Reply {
    let parameters = Parameters::read(context.request);
    let request = match read(context, segment, &parameters) {
        Ok(request) => request,
        Err(reply) => return *reply,
    };
    let visit = Visit {
        context,
        request: &request,
        parameters: &parameters,
    };
    visit.step()
}

/// The same for a person who signs in with everything it takes and consents to what is asked.
#[cfg(feature = "wiremock")]
pub(super) fn respond_for(context: &Context<'_>, segment: &str, user_name: &str) -> Reply {
    let parameters = Parameters::read(context.request);
    let request = match read(context, segment, &parameters) {
        Ok(request) => request,
        Err(reply) => return *reply,
    };
    let visit = Visit {
        context,
        request: &request,
        parameters: &parameters,
    };
    let found = {
        let state = context.read();
        account::find(&state, user_name)
            .map(|user| account::subject(&state, user, context.now, true))
    };
    match found {
        Ok(subject) => visit.go_on(&subject, Event::Interactive, None, true),
        Err(error) => page_error(context, &error),
    }
}

fn read(
    context: &Context<'_>,
    segment: &str,
    parameters: &Parameters,
) -> Result<Authorization, Box<Reply>> {
    if context.version == Version::V1 {
        let what = format!("{} {}", context.request.method, context.request.path);
        return Err(Box::new(not_supported(&what)));
    }
    Authorization::read(context, segment, parameters).map_err(|stop| {
        Box::new(match stop {
            Stop::Page(error) => page_error(context, &error),
            Stop::Back(back, error) => back.refusal(context, &error),
        })
    })
}

/// A refusal that only the person sees.
fn page_error(context: &Context<'_>, error: &LoginError) -> Reply {
    let nonce = context.read().random.token(16);
    html(400, page::error(error, context), &nonce)
}

/// One request of a browser.
struct Visit<'a> {
    context: &'a Context<'a>,
    request: &'a Authorization,
    parameters: &'a Parameters,
}

impl Visit<'_> {
    fn step(&self) -> Reply {
        match self.parameters.posted("step") {
            Some("password") => self.password(),
            Some("second-factor") => match self.session() {
                Some(subject) => {
                    let subject = Subject {
                        mfa: true,
                        ..subject
                    };
                    let cookie = self.remember(&subject);
                    self.go_on(&subject, Event::Interactive, Some(cookie), false)
                }
                None => self.sign_in_page(None),
            },
            Some("consent") => match self.session() {
                Some(subject) => self.go_on(&subject, Event::Interactive, None, true),
                None => self.sign_in_page(None),
            },
            Some("decline") => self.back(
                &LoginError::new(65_004, "The person declined to consent.").with_subcode("cancel"),
            ),
            Some("cancel") => self.back(
                &LoginError::new(65_004, "The person did not sign in.").with_subcode("cancel"),
            ),
            _ => self.first(),
        }
    }

    /// The browser comes from the application.
    fn first(&self) -> Reply {
        let prompt = self.request.prompt;
        let subject = match prompt {
            Prompt::Login | Prompt::SelectAccount => None,
            _ => self.session().filter(|subject| self.is_recent(subject)),
        };
        match (subject, prompt) {
            (Some(subject), Prompt::None) => self.go_on(&subject, Event::Silent, None, false),
            (Some(subject), _) => self.go_on(&subject, Event::Interactive, None, false),
            (None, Prompt::None) => self.back(&LoginError::new(
                50_058,
                "A silent sign-in was asked for, but the browser has no session, or several.",
            )),
            (None, _) => self.sign_in_page(None),
        }
    }

    fn password(&self) -> Reply {
        let (name, password) = (
            self.parameters.posted("login").unwrap_or_default(),
            self.parameters.posted("passwd").unwrap_or_default(),
        );
        let checked = {
            let state = self.context.read();
            account::check_password(&state, name, password)
                .map(|user| account::subject(&state, user, self.context.now, false))
        };
        match checked {
            Ok(subject) => {
                let cookie = self.remember(&subject);
                self.go_on(&subject, Event::Interactive, Some(cookie), false)
            }
            Err(error) => {
                user_sign_in::refused(self.context, &self.request.client, name, &error);
                self.sign_in_page(Some(&error))
            }
        }
    }

    /// Somebody is known; what else does it take?
    fn go_on(
        &self,
        subject: &Subject,
        event: Event,
        cookie: Option<String>,
        consented: bool,
    ) -> Reply {
        let silent = self.request.prompt == Prompt::None;
        let reply = match self.check(subject) {
            Err(Refused::Person(error)) => {
                self.log(subject, event, Err(error.clone()));
                self.sign_in_page(Some(&error))
            }
            Err(Refused::Request(error)) => {
                self.log(subject, event, Err(error.clone()));
                match error.code {
                    // The application can do something about these.
                    70_011 | 500_011 | 50_001 => self.back(&error),
                    _ => page_error(self.context, &error),
                }
            }
            Err(Refused::SecondFactor(error)) if silent => {
                self.back(&error.named("interaction_required"))
            }
            Err(Refused::SecondFactor(_)) => self.page(page::second_factor(&self.action())),
            Ok(allowed) => {
                let missing: Vec<&Allowed> = allowed
                    .iter()
                    .filter(|allowed| !allowed.missing.is_empty())
                    .collect();
                let ask = !missing.is_empty()
                    || (self.request.prompt == Prompt::Consent && !allowed.is_empty());
                if consented || !ask {
                    self.accept(subject, &missing);
                    self.code(subject, event)
                } else if silent {
                    let error = LoginError::new(65_001, "The person has not consented yet.");
                    self.back(&error.named("consent_required"))
                } else {
                    self.ask_for_consent(subject, &allowed)
                }
            }
        };
        match cookie {
            Some(cookie) => reply.with_header("set-cookie", cookie),
            None => reply,
        }
    }

    fn check(&self, subject: &Subject) -> Result<Vec<Allowed>, Refused> {
        let state = self.context.read();
        let client = &self.request.client;
        let user = account::of(&state, subject).map_err(Refused::Person)?;
        let resources: Vec<_> = self
            .request
            .asked
            .resources
            .iter()
            .filter_map(|asked| resource::find(&state, self.context, &asked.identifier).ok())
            .collect();
        let mut apps = vec![client.app_id.as_str()];
        apps.extend(resources.iter().map(|resource| resource.app_id.as_str()));
        policy::check_block(&state, &subject.user_id, &apps).map_err(Refused::Request)?;
        account::check_second_factor(&state, user, subject, &apps)
            .map_err(Refused::SecondFactor)?;
        account::roles(&state, &subject.user_id, &client.service_principal_id)
            .map_err(Refused::Request)?;
        consent::look_up_all(
            &state,
            self.context,
            client,
            &subject.user_id,
            &self.request.asked,
        )
        .map_err(Refused::Request)
    }

    fn ask_for_consent(&self, subject: &Subject, allowed: &[Allowed]) -> Reply {
        let state = self.context.read();
        let for_admins = allowed.iter().any(|allowed| {
            allowed
                .missing
                .iter()
                .any(|name| consent::is_for_admins(&state, &allowed.resource, name))
        });
        let admin = account::of(&state, subject).is_ok_and(account::is_admin);
        drop(state);
        if for_admins && !admin {
            let text = format!(
                "The application '{}' needs a permission that only an administrator can grant.",
                self.request.client.display_name
            );
            let error = LoginError::new(90_094, text);
            self.log(subject, Event::Interactive, Err(error.clone()));
            return page_error(self.context, &error);
        }
        let wishes: Vec<String> = allowed
            .iter()
            .flat_map(|allowed| {
                let names = match self.request.prompt {
                    Prompt::Consent => allowed.names.iter().chain(&allowed.missing),
                    _ => [].iter().chain(&allowed.missing),
                };
                names.map(|name| format!("{}: {name}", allowed.resource.display_name))
            })
            .collect();
        self.page(page::consent(
            &self.request.client.display_name,
            &wishes,
            &self.action(),
        ))
    }

    fn accept(&self, subject: &Subject, missing: &[&Allowed]) {
        let mut state = self.context.write();
        for allowed in missing {
            // The id of a grant is fresh, so storing it cannot fail.
            let _ = state.consent(
                &self.request.client.service_principal_id,
                &allowed.resource.service_principal_id,
                &allowed.missing,
                Some(&subject.user_id),
            );
        }
    }

    fn code(&self, subject: &Subject, event: Event) -> Reply {
        let request = self.request;
        let (code, client_info) = {
            let mut state = self.context.write();
            let code = format!("1.A{}", state.random.token(140));
            let entry = Code {
                client_id: request.client.app_id.clone(),
                redirect_uri: request.redirect_uri.clone(),
                platform: request.platform,
                challenge: request.challenge.clone(),
                nonce: request.nonce.clone(),
                asked: request.asked.clone(),
                subject: subject.clone(),
                expires_on: later(self.context.now, CODE_LIFETIME),
                redeemed: false,
            };
            state.ledger.codes.insert(code.clone(), entry);
            (code, user_token::client_info(&state, &subject.user_id))
        };
        self.log(subject, event, Ok(()));
        let mut values = vec![("code", code)];
        if request.client_info {
            values.push(("client_info", client_info));
        }
        request.back.success(self.context, values)
    }

    fn log(&self, subject: &Subject, event: Event, outcome: Result<(), LoginError>) {
        let outcome = outcome.map(|()| self.context.read().random.token(22));
        let record = user_sign_in::record(
            self.context,
            &self.request.client,
            &subject.user_id,
            event,
            None,
            &outcome,
        );
        self.context.write().write_sign_in(record);
    }

    /// The one person of the browser's session whom the request can mean.
    fn session(&self) -> Option<Subject> {
        let id = self.cookie()?;
        let state = self.context.read();
        let session = state
            .ledger
            .sessions
            .get(&id)
            .filter(|session| session.expires_on > self.context.now)?;
        let hint = self.request.login_hint.as_deref();
        let mut fitting = session.accounts.iter().filter(|subject| {
            let Ok(user) = account::of(&state, subject) else {
                return false;
            };
            let name = user.get("userPrincipalName").and_then(|name| name.as_str());
            let named = |hint: &str| name.is_some_and(|name| name.eq_ignore_ascii_case(hint));
            let opaque = format!("O.{}", subject.user_id);
            hint.is_none_or(|hint| named(hint) || hint == opaque)
        });
        match (fitting.next(), fitting.next()) {
            (Some(subject), None) => Some(subject.clone()),
            _ => None,
        }
    }

    /// Adds a sign-in to the browser's session, under a new id; gives the cookie.
    fn remember(&self, subject: &Subject) -> String {
        let old = self.cookie();
        let mut state = self.context.write();
        let mut accounts = old
            .and_then(|id| state.ledger.sessions.get(&id))
            .map(|session| session.accounts.clone())
            .unwrap_or_default();
        accounts.retain(|known| known.user_id != subject.user_id);
        accounts.push(subject.clone());
        let id = state.random.token(43);
        let expires_on = later(self.context.now, SESSION_LIFETIME);
        state.ledger.sessions.insert(
            id.clone(),
            Session {
                accounts,
                expires_on,
            },
        );
        let secure = if self.context.base().starts_with("https:") {
            "; Secure"
        } else {
            ""
        };
        format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax{secure}")
    }

    fn cookie(&self) -> Option<String> {
        self.context
            .request
            .header("cookie")?
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE)
            .map(|(_, value)| value.to_owned())
    }

    fn is_recent(&self, subject: &Subject) -> bool {
        let age = (self.context.now - subject.auth_time).whole_seconds();
        self.request.max_age.is_none_or(|most| age <= most)
    }

    fn sign_in_page(&self, error: Option<&LoginError>) -> Reply {
        if self.request.prompt == Prompt::None {
            let error = error.cloned().unwrap_or_else(|| {
                LoginError::new(
                    50_058,
                    "A silent sign-in was asked for, but nobody is signed in.",
                )
            });
            return self.back(&error.named("login_required"));
        }
        let name = self
            .parameters
            .posted("login")
            .or(self.request.login_hint.as_deref())
            .unwrap_or_default();
        self.page(page::sign_in(
            &self.request.client.display_name,
            name,
            &self.action(),
            error,
        ))
    }

    fn page(&self, page: String) -> Reply {
        let nonce = self.context.read().random.token(16);
        html(200, page, &nonce)
    }

    fn back(&self, error: &LoginError) -> Reply {
        self.request.back.refusal(self.context, error)
    }

    /// Where our pages post to: this request once more.
    fn action(&self) -> String {
        format!(
            "{}?{}",
            self.context.request.path,
            self.parameters.to_query()
        )
    }
}

/// Why somebody who is known gets no code.
enum Refused {
    /// The account: another one may do.
    Person(LoginError),
    SecondFactor(LoginError),
    Request(LoginError),
}

const COOKIE: &str = "ESTSAUTHPERSISTENT";
const CODE_LIFETIME: Duration = Duration::from_secs(600);
/// Of a session that is not kept when the browser closes.
const SESSION_LIFETIME: Duration = Duration::from_secs(24 * 3600);
