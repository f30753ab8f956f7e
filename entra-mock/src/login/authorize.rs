//! The authorize endpoint: a person at a browser signs in, and the application gets a code.

use std::time::Duration;

use super::{
    Version, account,
    authorization::{Authorization, Parameters, Prompt, Stop},
    browser::Browser,
    client::{Client, text},
    consent::{self, Allowed},
    context::Context,
    error::{LoginError, not_supported},
    grants::{Code, Subject},
    identify::{Answer, Identify, Known, Progress, Wanted},
    page::{self, Page},
    policy, resource,
    user_sign_in::{self, Event},
    user_token,
};
use crate::{directory::later, state::State, store::Kind, wire::Reply};

/// `/{tenant}/oauth2/v2.0/authorize`
pub(super) fn respond(context: &Context<'_>, segment: &str) -> Reply {
    let parameters = Parameters::read(context.request);
    match read(context, segment, &parameters) {
        Ok(request) => Visit::new(context, &request, &parameters).step(),
        Err(reply) => *reply,
    }
}

/// The same for a person who signs in with everything it takes and consents to what is asked.
#[cfg(feature = "wiremock")]
pub(super) fn respond_for(context: &Context<'_>, segment: &str, user_name: &str) -> Reply {
    let parameters = Parameters::read(context.request);
    let request = match read(context, segment, &parameters) {
        Ok(request) => request,
        Err(reply) => return *reply,
    };
    let visit = Visit::new(context, &request, &parameters);
    let found = {
        let state = context.read();
        account::find(&state, user_name)
            .map(|user| account::subject(&state, user, context.now, true))
    };
    match found {
        Ok(subject) => visit.go_on(&Known {
            subject,
            cookie: None,
            answer: Answer::Accept,
        }),
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
pub(super) fn page_error(context: &Context<'_>, error: &LoginError) -> Reply {
    page::error(error, None, None, context).reply(context)
}

/// One request of a browser.
struct Visit<'a> {
    context: &'a Context<'a>,
    request: &'a Authorization,
    parameters: &'a Parameters,
    identify: Identify<'a>,
}

impl<'a> Visit<'a> {
    fn new(
        context: &'a Context<'a>,
        request: &'a Authorization,
        parameters: &'a Parameters,
    ) -> Self {
        let identify = Identify {
            context,
            parameters,
            wanted: Wanted {
                client: &request.client,
                prompt: request.prompt,
                login_hint: request.login_hint.as_deref(),
                domain_hint: request.domain_hint.as_deref(),
                sid: request.sid.as_deref(),
                max_age: request.max_age,
            },
            action: format!("{}?{}", context.request.path, parameters.to_query()),
            browser: Browser::of(context),
        };
        Self {
            context,
            request,
            parameters,
            identify,
        }
    }

    fn step(mut self) -> Reply {
        match self.identify.step() {
            Progress::Known(known) => self.go_on(&known),
            Progress::Page(page) if self.is_silent() => {
                // Somebody is known, but not recently enough.
                drop(page);
                self.back(&LoginError::new(50_058, NOBODY))
            }
            Progress::Page(page) => self.show(*page),
            Progress::Cancelled => self.back(
                &LoginError::new(65_004, "The person did not sign in.").with_subcode("cancel"),
            ),
            Progress::Nobody(error) => self.back(&error),
            Progress::Refused(error) => self.refuse(&error),
        }
    }

    /// Somebody is known; what else does it take?
    fn go_on(&self, known: &Known) -> Reply {
        let subject = &known.subject;
        let reply = match (known.answer, self.check(subject)) {
            (Answer::Decline, _) => self.back(
                &LoginError::new(65_004, "The person declined to consent.").with_subcode("cancel"),
            ),
            (_, Err(Refused::Person(error))) => {
                self.log(subject, Err(error.clone()));
                if self.is_silent() {
                    self.back(&error.named("login_required"))
                } else {
                    self.show(self.identify.start_again(Some(error.text())))
                }
            }
            (_, Err(Refused::SecondFactor(error))) if self.is_silent() => {
                self.back(&error.named("interaction_required"))
            }
            (_, Err(Refused::SecondFactor(_))) => self.show(self.identify.second_factor(subject)),
            (_, Err(Refused::Request(error))) => {
                self.log(subject, Err(error.clone()));
                match error.code {
                    // The application can do something about these.
                    70_011 | 500_011 | 50_001 => self.back(&error),
                    _ if self.is_silent() => self.back(&error.named("interaction_required")),
                    _ => self.refuse(&error),
                }
            }
            (answer, Ok(allowed)) => self.settle(subject, answer, &allowed),
        };
        match &known.cookie {
            Some(cookie) => reply.with_header("set-cookie", cookie.clone()),
            None => reply,
        }
    }

    /// Consent is all that can be missing now.
    fn settle(&self, subject: &Subject, answer: Answer, allowed: &[Allowed]) -> Reply {
        let missing: Vec<&Allowed> = allowed
            .iter()
            .filter(|allowed| !allowed.missing.is_empty())
            .collect();
        let ask = !missing.is_empty() || self.request.prompt == Prompt::Consent;
        // The user who accepts must be allowed to: a form can be posted without its page.
        if !self.is_silent()
            && let Err(error) = self.check_administrator(subject, allowed)
        {
            self.log(subject, Err(error.clone()));
            return self.refuse(&error);
        }
        if answer == Answer::Accept || !ask {
            self.accept(subject, &missing);
            return self.code(subject);
        }
        if self.is_silent() {
            let error = LoginError::new(65_001, "The person has not consented yet.");
            return self.back(&error.named("consent_required"));
        }
        self.ask_for_consent(subject, allowed)
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

    /// Some scopes only an administrator can grant.
    fn check_administrator(
        &self,
        subject: &Subject,
        allowed: &[Allowed],
    ) -> Result<(), LoginError> {
        let state = self.context.read();
        let for_admins = allowed.iter().any(|allowed| {
            allowed
                .missing
                .iter()
                .any(|name| consent::is_for_admins(&state, &allowed.resource, name))
        });
        let administrator = account::of(&state, subject).is_ok_and(account::is_admin);
        if administrator || !for_admins {
            return Ok(());
        }
        let text = format!(
            "The application '{}' needs a permission that only an administrator can grant.",
            self.request.client.display_name
        );
        Err(LoginError::new(90_094, text))
    }

    fn ask_for_consent(&self, subject: &Subject, allowed: &[Allowed]) -> Reply {
        let state = self.context.read();
        let admin = account::of(&state, subject).is_ok_and(account::is_admin);
        let client = &self.request.client;
        let mut wishes = consent::identity_wishes(&self.request.asked);
        for allowed in allowed {
            let names = match self.request.prompt {
                Prompt::Consent => allowed.names.iter().chain(&allowed.missing),
                _ => [].iter().chain(&allowed.missing),
            };
            wishes.extend(names.map(|name| consent::wish(&state, &allowed.resource, name)));
        }
        let publisher = publisher(&state, client);
        drop(state);
        let user_name = self.identify.name_of(subject);
        let flow = self.identify.browser.flow(subject, &self.identify.action);
        self.show(page::consent(&page::Consent {
            user_name: &user_name,
            app: &client.display_name,
            publisher: &publisher,
            wishes: &wishes,
            for_all: false,
            offer_all: admin,
            flow: &flow,
            action: &self.identify.action,
        }))
    }

    fn accept(&self, subject: &Subject, missing: &[&Allowed]) {
        let mut state = self.context.write();
        let everyone = self.parameters.posted("everyone") == Some("1")
            && account::of(&state, subject).is_ok_and(account::is_admin);
        let person = (!everyone).then_some(subject.user_id.as_str());
        for allowed in missing {
            // The id of a grant is fresh, so storing it cannot fail.
            let _ = state.consent(
                &self.request.client.service_principal_id,
                &allowed.resource.service_principal_id,
                &allowed.missing,
                person,
            );
        }
    }

    fn code(&self, subject: &Subject) -> Reply {
        let request = self.request;
        self.identify
            .browser
            .took_part(subject, &request.client.app_id);
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
            state.grants.codes.insert(code.clone(), entry);
            (code, user_token::client_info(&state, &subject.user_id))
        };
        self.log(subject, Ok(()));
        let mut values = vec![("code", code)];
        if request.client_info {
            values.push(("client_info", client_info));
        }
        request.back.success(self.context, values, &subject.sid)
    }

    fn log(&self, subject: &Subject, outcome: Result<(), LoginError>) {
        let outcome = outcome.map(|()| self.context.read().random.token(22));
        let event = if self.is_silent() {
            Event::Silent
        } else {
            Event::Interactive
        };
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

    fn is_silent(&self) -> bool {
        self.request.prompt == Prompt::None
    }

    /// A page of this sign-in, whose last form leads back to the application.
    fn show(&self, page: Page) -> Reply {
        page.leading_to(&self.request.back.address)
            .reply(self.context)
    }

    /// A refusal that only the person sees, who may try as somebody else.
    fn refuse(&self, error: &LoginError) -> Reply {
        let client = &self.request.client;
        let app = Some((client.display_name.as_str(), client.app_id.as_str()));
        let again = self.identify.again();
        self.show(page::error(error, app, Some(&again), self.context))
    }

    fn back(&self, error: &LoginError) -> Reply {
        self.request.back.refusal(self.context, error)
    }
}

/// Who has published an application, as far as the directory knows.
pub(super) fn publisher(state: &State, client: &Client) -> String {
    let principal = state
        .store
        .get(Kind::ServicePrincipal, &client.service_principal_id);
    let verified = principal.and_then(|principal| {
        principal
            .get("verifiedPublisher")?
            .get("displayName")?
            .as_str()
    });
    let application = state.store.find(Kind::Application, "appId", &client.app_id);
    verified
        .or_else(|| application.and_then(|application| text(application, "publisherDomain")))
        .unwrap_or("Unverified")
        .to_owned()
}

/// Why somebody who is known gets no code.
enum Refused {
    /// The account: another one may do.
    Person(LoginError),
    SecondFactor(LoginError),
    Request(LoginError),
}

const NOBODY: &str = "A silent sign-in was asked for, but nobody has signed in recently enough.";
const CODE_LIFETIME: Duration = Duration::from_secs(600);
