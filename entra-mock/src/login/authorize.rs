//! The authorize endpoint: a user signs in with a browser, and the application gets a code.

use std::time::Duration;

use super::{
    account,
    applied_policies::SignInUser,
    authorization::{Authorization, AuthorizeError, Prompt},
    browser::Browser,
    client::{Client, ClientAuthentication, text},
    consent::{self, ConsentResult},
    context::Context,
    error::LoginError,
    identify::{Decision, IdentifiedUser, Identify, Progress, SignInHints},
    page::{self, Page},
    parameters::Parameters,
    policy,
    resource::{self, Resource},
    scope::RequestedScopes,
    user_grant::{self, FrontChannel, UserTokenRequest},
    user_sign_in::{self, Event},
    user_token,
};
use crate::{
    directory::later,
    grants::{Code, Subject},
    state::State,
    store::Kind,
    wire::Reply,
};

/// `/{tenant}/oauth2[/v2.0]/authorize`
pub(super) fn respond(context: &Context<'_>, segment: &str) -> Reply {
    let parameters = Parameters::read(context.request);
    match read(context, segment, &parameters) {
        Ok(request) => AuthorizeContext::new(context, &request, &parameters).step(),
        Err(reply) => *reply,
    }
}

/// Responds as if this user had signed in with everything required and consented.
pub(super) fn respond_for(context: &Context<'_>, segment: &str, user_name: &str) -> Reply {
    let parameters = Parameters::read(context.request);
    let request = match read(context, segment, &parameters) {
        Ok(request) => request,
        Err(reply) => return *reply,
    };
    let sign_in = AuthorizeContext::new(context, &request, &parameters);
    let found = {
        let state = context.read();
        account::find(&state, user_name)
            .map(|user| account::subject(&state, user, context.now, true))
    };
    match found {
        Ok(subject) => sign_in.proceed(&IdentifiedUser {
            subject,
            cookie: None,
            decision: Decision::Accept,
        }),
        Err(error) => page_error(context, &error),
    }
}

fn read(
    context: &Context<'_>,
    segment: &str,
    parameters: &Parameters,
) -> Result<Authorization, Box<Reply>> {
    Authorization::read(context, segment, parameters).map_err(|stop| {
        Box::new(match stop {
            AuthorizeError::Page(error) => page_error(context, &error),
            AuthorizeError::Back(back, error) => back.error_response(context, &error),
        })
    })
}

/// Shows an error that does not go to the application.
pub(super) fn page_error(context: &Context<'_>, error: &LoginError) -> Reply {
    page::error(error, None, None, context).reply(context)
}

/// One authorize request of a browser.
struct AuthorizeContext<'a> {
    context: &'a Context<'a>,
    request: &'a Authorization,
    parameters: &'a Parameters,
    identify: Identify<'a>,
}

impl<'a> AuthorizeContext<'a> {
    fn new(
        context: &'a Context<'a>,
        request: &'a Authorization,
        parameters: &'a Parameters,
    ) -> Self {
        let identify = Identify {
            context,
            parameters,
            hints: SignInHints {
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
            Progress::IdentifiedUser(known) => self.proceed(&known),
            Progress::Page(page) if self.is_silent() => {
                // The browser has a session, but it is not recent enough.
                drop(page);
                self.back(&LoginError::new(50_058, NO_RECENT_SIGN_IN))
            }
            Progress::Page(page) => self.show(*page),
            Progress::Cancelled => self.back(
                &LoginError::new(65_004, "The user canceled the sign-in.").with_subcode("cancel"),
            ),
            Progress::NoSession(error) => self.back(&error),
            Progress::AccountError(error) => self.show_error(&error),
        }
    }

    /// Continues with an identified user: checks the account, then consent.
    fn proceed(&self, known: &IdentifiedUser) -> Reply {
        let subject = &known.subject;
        let reply = match (known.decision, self.check(subject)) {
            (Decision::Decline, _) => self.back(
                &LoginError::new(65_004, "The user declined to consent.").with_subcode("cancel"),
            ),
            (_, Err(CodeError::Account(error))) => {
                self.log(subject, Err(error.clone()));
                if self.is_silent() {
                    self.back(&error.named("login_required"))
                } else if error.is_disabled_account() {
                    self.show_error(&error)
                } else {
                    self.show(self.identify.first_page(Some(error.text())))
                }
            }
            (_, Err(CodeError::SecondFactor(error))) if self.is_silent() => {
                self.back(&error.named("interaction_required"))
            }
            (_, Err(CodeError::SecondFactor(_))) => self.show(self.identify.second_factor(subject)),
            (_, Err(CodeError::Request(error))) => {
                self.log(subject, Err(error.clone()));
                match error.code {
                    // The application can handle these errors.
                    70_011 | 500_011 | 500_014 | 650_053 => self.back(&error),
                    _ if self.is_silent() => self.back(&error.named("interaction_required")),
                    _ => self.show_error(&error),
                }
            }
            (decision, Ok(consent_result)) => self.complete(subject, decision, &consent_result),
        };
        match &known.cookie {
            Some(cookie) => reply.with_header("set-cookie", cookie.clone()),
            None => reply,
        }
    }

    /// Continues when only consent can be missing.
    fn complete(
        &self,
        subject: &Subject,
        decision: Decision,
        consent_result: &[ConsentResult],
    ) -> Reply {
        let missing: Vec<&ConsentResult> = consent_result
            .iter()
            .filter(|consent_result| !consent_result.missing.is_empty())
            .collect();
        let ask = !missing.is_empty() || self.request.prompt == Prompt::Consent;
        // The user who accepts must be allowed to consent: a form can be posted without its page.
        let allowed = {
            let state = self.context.read();
            consent::check_administrator(&state, &self.request.client, subject, consent_result)
        };
        if !self.is_silent()
            && let Err(error) = allowed
        {
            self.log(subject, Err(error.clone()));
            return self.show_error(&error);
        }
        if decision == Decision::Accept || !ask {
            self.accept(subject, &missing);
            return self.succeed(subject);
        }
        if self.is_silent() {
            let error = LoginError::new(
                65_001,
                "The user or administrator has not consented to use the application.",
            );
            return self.back(&error.named("consent_required"));
        }
        self.ask_for_consent(subject, consent_result)
    }

    fn check(&self, subject: &Subject) -> Result<Vec<ConsentResult>, CodeError> {
        let state = self.context.read();
        let client = &self.request.client;
        let user = account::of(&state, subject).map_err(CodeError::Account)?;
        let resources = self.resources(&state);
        let mut apps = vec![client.app_id.as_str()];
        apps.extend(resources.iter().map(|resource| resource.app_id.as_str()));
        policy::check_block(&state, &subject.user_id, &apps).map_err(CodeError::Request)?;
        policy::check_frequency(&state, self.context.now, subject, &apps)
            .map_err(CodeError::Account)?;
        account::check_second_factor(&state, user, subject, &apps)
            .map_err(CodeError::SecondFactor)?;
        account::roles(&state, &subject.user_id, &client.service_principal_id)
            .map_err(CodeError::Request)?;
        consent::look_up_all(
            &state,
            self.context,
            client,
            &subject.user_id,
            &self.request.requested,
        )
        .map_err(|error| CodeError::Request(without_such_scope(error)))
        .and_then(|results| {
            check_registration(client, &results).map_err(CodeError::Request)?;
            Ok(results)
        })
    }

    /// The resources that the request names and the tenant has.
    fn resources(&self, state: &State) -> Vec<Resource> {
        let requested = self.request.requested.resources.iter();
        requested
            .filter_map(|requested| resource::find(state, self.context, &requested.identifier).ok())
            .collect()
    }

    fn ask_for_consent(&self, subject: &Subject, consent_result: &[ConsentResult]) -> Reply {
        let state = self.context.read();
        let admin = account::of(&state, subject).is_ok_and(|user| account::is_admin(&state, user));
        let client = &self.request.client;
        let scopes = consent_result.iter().flat_map(|consent_result| {
            let names = match self.request.prompt {
                Prompt::Consent => consent_result.names.iter().chain(&consent_result.missing),
                _ => [].iter().chain(&consent_result.missing),
            };
            names.map(move |name| (&consent_result.resource, name))
        });
        let permissions = consent::listed_permissions(&state, &self.request.requested, scopes);
        let publisher = publisher(&state, client);
        drop(state);
        let user_name = self.identify.name_of(subject);
        let flow = self
            .identify
            .browser
            .create_ticket(subject, &self.identify.action);
        self.show(page::consent(&page::Consent {
            user_name: &user_name,
            app: &client.display_name,
            publisher: &publisher,
            permissions: &permissions,
            for_all: false,
            offer_all: admin,
            flow: &flow,
            action: &self.identify.action,
        }))
    }

    fn accept(&self, subject: &Subject, missing: &[&ConsentResult]) {
        let mut state = self.context.write();
        let everyone = self.parameters.posted("everyone") == Some("1")
            && account::of(&state, subject).is_ok_and(|user| account::is_admin(&state, user));
        let user_id = (!everyone).then_some(subject.user_id.as_str());
        for consent_result in missing {
            // The id of a grant is new, so storing it cannot fail.
            let _ = state.consent(
                &self.request.client.service_principal_id,
                &consent_result.resource.service_principal_id,
                &consent_result.missing,
                user_id,
            );
        }
    }

    /// Sends a code, tokens or both to the application.
    fn succeed(&self, subject: &Subject) -> Reply {
        let request = self.request;
        self.identify
            .browser
            .add_application(subject, &request.client.app_id);
        let code = request
            .response_type
            .code
            .then(|| self.create_code(subject));
        let tokens = match request.response_type.has_token() {
            true => self.front_channel_tokens(subject, code.as_deref()),
            false => Ok(Vec::new()),
        };
        let mut values = match tokens {
            Ok(tokens) => tokens,
            Err(error) => {
                self.log(subject, Err(error.clone()));
                return self.back(&error);
            }
        };
        self.log(subject, Ok(()));
        values.extend(code.map(|code| ("code", code)));
        if request.client_info {
            let client_info = user_token::client_info(&self.context.read(), &subject.user_id);
            values.push(("client_info", client_info));
        }
        request.back.success(self.context, values, &subject.sid)
    }

    /// Issues the tokens of the implicit and hybrid flows, as the parameters of the response.
    fn front_channel_tokens(
        &self,
        subject: &Subject,
        code: Option<&str>,
    ) -> Result<Vec<(&'static str, String)>, LoginError> {
        let response_type = self.request.response_type;
        // A browser has no credential of the application, and a refresh token never goes through it.
        let client = Client {
            authentication: ClientAuthentication::Public,
            ..self.request.client.clone()
        };
        let requested = RequestedScopes {
            offline_access: false,
            openid: response_type.id_token,
            ..self.request.requested.clone()
        };
        let token_request = UserTokenRequest {
            client: &client,
            subject,
            requested: &requested,
            nonce: self.request.nonce.as_deref(),
            // This endpoint records the sign-in, whatever its outcome.
            event: None,
            failure: None,
            fixed_end: None,
            client_info: false,
            capabilities: Vec::new(),
            front_channel: Some(FrontChannel {
                code,
                access_token: response_type.access_token,
            }),
        };
        let issued = user_grant::issue(self.context, &token_request)?;
        let mut names = Vec::new();
        if response_type.access_token {
            names.extend(["access_token", "token_type", "expires_in", "scope"]);
        }
        if response_type.id_token {
            names.push("id_token");
        }
        let body = issued.body(self.context);
        let value = |name: &str| match body.get(name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Ok(names
            .into_iter()
            .filter_map(|name| Some((name, value(name)?)))
            .collect())
    }

    fn create_code(&self, subject: &Subject) -> String {
        let request = self.request;
        let mut state = self.context.write();
        let code = format!("1.A{}", state.random.token(140));
        let entry = Code {
            client_id: request.client.app_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            platform: request.platform,
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
            requested: request.requested.clone(),
            subject: subject.clone(),
            expires_on: later(self.context.now, CODE_LIFETIME),
            redeemed: false,
        };
        state.grants.codes.insert(code.clone(), entry);
        code
    }

    fn log(&self, subject: &Subject, outcome: Result<(), LoginError>) {
        let outcome = outcome.map(|()| self.context.read().random.token(22));
        let event = if self.is_silent() {
            Event::Silent
        } else {
            Event::Interactive
        };
        let resources = self.resources(&self.context.read());
        let apps: Vec<&str> = resources
            .iter()
            .map(|resource| resource.app_id.as_str())
            .collect();
        let record = user_sign_in::record(
            self.context,
            &self.request.client,
            SignInUser::of(subject),
            event,
            None,
            &apps,
            &outcome,
        );
        self.context.write().write_sign_in(record);
    }

    fn is_silent(&self) -> bool {
        self.request.prompt == Prompt::None
    }

    /// Shows a page of this sign-in whose last form leads back to the application.
    fn show(&self, page: Page) -> Reply {
        page.allowing_redirect_to(&self.request.back.address)
            .reply(self.context)
    }

    /// Shows an error to the user, who can sign in with another account.
    fn show_error(&self, error: &LoginError) -> Reply {
        let client = &self.request.client;
        let app = Some((client.display_name.as_str(), client.app_id.as_str()));
        let switch_account = self.identify.switch_account();
        self.show(page::error(error, app, Some(&switch_account), self.context))
    }

    fn back(&self, error: &LoginError) -> Reply {
        self.request.back.error_response(self.context, error)
    }
}

/// Returns the publisher of an application as stored in the directory.
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

/// Changes the error for a scope that its resource does not expose into that of this endpoint.
fn without_such_scope(error: LoginError) -> LoginError {
    match error.code {
        70_011 => LoginError::new(650_053, error.text()),
        _ => error,
    }
}

/// Returns an error if a client requests `.default` of a resource of which it neither lists nor has a permission.
fn check_registration(client: &Client, results: &[ConsentResult]) -> Result<(), LoginError> {
    let misconfigured = results
        .iter()
        .find(|result| result.missing.iter().any(|name| name == ".default"));
    match misconfigured {
        None => Ok(()),
        Some(result) => {
            let text = format!(
                "Misconfigured application. The client '{}' has not listed any permissions for '{}' in the requested permissions in its application registration, or an administrator has not consented in the tenant.",
                client.app_id, result.resource.display_name
            );
            Err(LoginError::new(650_056, text))
        }
    }
}

/// Why an identified user gets no code.
enum CodeError {
    /// The account is invalid; another one may work.
    Account(LoginError),
    SecondFactor(LoginError),
    Request(LoginError),
}

const NO_RECENT_SIGN_IN: &str =
    "A silent sign-in request was sent, but no user has signed in recently enough.";
const CODE_LIFETIME: Duration = Duration::from_secs(600);
