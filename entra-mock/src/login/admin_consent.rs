//! The admin consent endpoints: an administrator grants all permissions of an application.

use url::Url;

use super::{
    account,
    authorization::{Prompt, redirect_address},
    authorize::{page_error, publisher},
    browser::Browser,
    client::{self, Client},
    consent::{self, Grant},
    context::{Context, Version},
    discovery::{self, Tenant},
    error::LoginError,
    identify::{Decision, IdentifiedUser, Identify, Progress, SignInHints},
    page::{self, Page},
    parameters::Parameters,
    policy,
    redirect::{Mode, ResponseTarget},
    scope::RequestedScopes,
    user_grant,
};
use crate::wire::Reply;

/// `/{tenant}[/v2.0]/adminconsent`
pub(super) fn respond(context: &Context<'_>, segment: &str) -> Reply {
    with_sign_in(context, segment, |with_sign_in| with_sign_in.step())
}

/// Responds as if this user had signed in with everything required and accepted.
pub(super) fn respond_for(context: &Context<'_>, segment: &str, user_name: &str) -> Reply {
    let found = {
        let state = context.read();
        account::find(&state, user_name)
            .map(|user| account::subject(&state, user, context.now, true))
    };
    match found {
        Ok(subject) => with_sign_in(context, segment, |with_sign_in| {
            with_sign_in.proceed(&IdentifiedUser {
                subject,
                cookie: None,
                decision: Decision::Accept,
            })
        }),
        Err(error) => page_error(context, &error),
    }
}

fn with_sign_in(
    context: &Context<'_>,
    segment: &str,
    go: impl FnOnce(AdminConsentContext<'_>) -> Reply,
) -> Reply {
    let parameters = Parameters::read(context.request);
    let request = match Request::read(context, segment, &parameters) {
        Ok(request) => request,
        Err(error) => return page_error(context, &error),
    };
    let grants = match request.grants(context) {
        Ok(grants) => grants,
        Err(error) => return request.error_response(context, &error),
    };
    go(AdminConsentContext {
        context,
        request: &request,
        grants,
        identify: Identify {
            context,
            parameters: &parameters,
            hints: SignInHints {
                client: &request.client,
                prompt: Prompt::Auto,
                login_hint: parameters.get("login_hint"),
                domain_hint: None,
                sid: None,
                max_age: None,
            },
            action: format!("{}?{}", context.request.path, parameters.to_query()),
            browser: Browser::of(context),
        },
    })
}

struct Request {
    client: Client,
    back: ResponseTarget,
    /// The scopes of the v2.0 endpoint. `None` at the v1 endpoint: everything that is registered.
    scope: Option<String>,
}

impl Request {
    fn read(
        context: &Context<'_>,
        segment: &str,
        parameters: &Parameters,
    ) -> Result<Self, LoginError> {
        let tenant = discovery::tenant(context, segment)?;
        if matches!(tenant, Tenant::Alias("common" | "consumers")) {
            let text = "Admin consent is for one organization: name it in the URL, or use 'organizations'.";
            return Err(LoginError::new(50_059, text));
        }
        let missing = |name: &str| {
            let text = format!("The request must contain the parameter '{name}'.");
            LoginError::new(900_144, text)
        };
        let client_id = parameters
            .get("client_id")
            .ok_or_else(|| missing("client_id"))?;
        let state = context.read();
        let client = client::find(&state, client_id)?;
        user_grant::check_tenant(&state, &tenant, &client)?;
        let (_, address) = redirect_address(&state, &client, parameters)?;
        let address = Url::parse(&address)
            .map_err(|_| LoginError::new(50_011, "The redirect URI is not an absolute URL."))?;
        let scope = match context.version {
            Version::V1 => None,
            Version::V2 => Some(
                parameters
                    .get("scope")
                    .ok_or_else(|| missing("scope"))?
                    .to_owned(),
            ),
        };
        Ok(Self {
            client,
            back: ResponseTarget {
                address,
                mode: Mode::Query,
                state: parameters.get("state").map(str::to_owned),
            },
            scope,
        })
    }

    /// Everything that an administrator would grant.
    fn grants(&self, context: &Context<'_>) -> Result<Vec<Grant>, LoginError> {
        let state = context.read();
        match &self.scope {
            None => consent::registered_grants(&state, context, &self.client),
            Some(scope) => {
                let requested = RequestedScopes::parse(scope)?;
                consent::requested_grants(&state, context, &self.client, &requested)
            }
        }
    }

    fn error_response(&self, context: &Context<'_>, error: &LoginError) -> Reply {
        // The two endpoints use different errors for a declined consent.
        let name = match (error.code, context.version) {
            (65_004, Version::V1) => "permission_denied",
            (65_004, Version::V2) => "consent_required",
            _ => error.oauth().0,
        };
        self.send(
            context,
            vec![
                ("error", name.to_owned()),
                ("error_description", error.description(context)),
            ],
        )
    }

    fn send(&self, context: &Context<'_>, values: Vec<(&'static str, String)>) -> Reply {
        let mut all = vec![("admin_consent", "True".to_owned())];
        all.extend(values);
        if let Some(state) = &self.back.state {
            all.push(("state", state.clone()));
        }
        self.back.send(context, &all)
    }
}

struct AdminConsentContext<'a> {
    context: &'a Context<'a>,
    request: &'a Request,
    grants: Vec<Grant>,
    identify: Identify<'a>,
}

impl AdminConsentContext<'_> {
    fn step(mut self) -> Reply {
        match self.identify.step() {
            Progress::IdentifiedUser(known) => {
                let reply = self.proceed(&known);
                match known.cookie {
                    Some(cookie) => reply.with_header("set-cookie", cookie),
                    None => reply,
                }
            }
            Progress::Page(page) => self.show(*page),
            Progress::Cancelled => self.declined(),
            Progress::NoSession(error) | Progress::AccountError(error) => self.show_error(&error),
        }
    }

    fn proceed(&self, known: &IdentifiedUser) -> Reply {
        let subject = &known.subject;
        let client = &self.request.client;
        if known.decision == Decision::Decline {
            return self.declined();
        }
        let checked = {
            let state = self.context.read();
            let apps = [client.app_id.as_str()];
            account::of(&state, subject).and_then(|user| {
                policy::check_block(&state, &subject.user_id, &apps)?;
                account::check_second_factor(&state, user, subject, &apps)?;
                let mut grants = self.grants.iter();
                let all = grants.all(|grant| grant.can_be_given_by(&state, &subject.user_id));
                Ok(all && account::is_admin(&state, user))
            })
        };
        match checked {
            Err(error) if error.code == 50_076 => self.show(self.identify.second_factor(subject)),
            Err(error) => self.show_error(&error),
            Ok(false) => {
                let text = format!(
                    "Only an administrator can consent for the organization to the permissions of the application '{}'.",
                    client.display_name
                );
                self.show_error(&LoginError::new(90_094, text))
            }
            Ok(true) if known.decision == Decision::Accept => self.accept(),
            Ok(true) => {
                let flow = self
                    .identify
                    .browser
                    .create_ticket(subject, &self.identify.action);
                self.ask_for_consent(&self.identify.name_of(subject), &flow)
            }
        }
    }

    fn ask_for_consent(&self, user_name: &str, flow: &str) -> Reply {
        let (permissions, publisher) = {
            let state = self.context.read();
            let permissions: Vec<_> = self
                .grants
                .iter()
                .flat_map(|grant| grant.permissions(&state))
                .collect();
            (permissions, publisher(&state, &self.request.client))
        };
        self.show(page::consent(&page::Consent {
            user_name,
            app: &self.request.client.display_name,
            publisher: &publisher,
            permissions: &permissions,
            for_all: true,
            offer_all: false,
            flow,
            action: &self.identify.action,
        }))
    }

    fn accept(&self) -> Reply {
        let mut state = self.context.write();
        for grant in &self.grants {
            state.grant(self.context.now, &self.request.client, grant);
        }
        let tenant = state.tenant_id.to_string();
        drop(state);
        let mut values = vec![("tenant", tenant)];
        if let Some(scope) = &self.request.scope {
            values.push(("scope", scope.clone()));
        }
        self.request.send(self.context, values)
    }

    fn declined(&self) -> Reply {
        let text = "The administrator declined to consent.";
        self.request
            .error_response(self.context, &LoginError::new(65_004, text))
    }

    fn show(&self, page: Page) -> Reply {
        page.allowing_redirect_to(&self.request.back.address)
            .reply(self.context)
    }

    fn show_error(&self, error: &LoginError) -> Reply {
        let client = &self.request.client;
        let app = Some((client.display_name.as_str(), client.app_id.as_str()));
        let switch_account = self.identify.switch_account();
        self.show(page::error(error, app, Some(&switch_account), self.context))
    }
}
