//! Reads and checks authorize requests, and decides where an error goes.

use url::Url;

use super::{
    client::{self, Client},
    context::{Context, Version, plain_text},
    discovery,
    error::LoginError,
    parameters::Parameters,
    redirect::{self, Mode, Platform, ResponseTarget},
    resource_parameter,
    response_type::ResponseType,
    scope::RequestedScopes,
    tenant_restrictions, user_grant,
};
use crate::{grants::Challenge, state::State};

/// A valid authorize request.
#[derive(Debug)]
pub(super) struct Authorization {
    pub(super) client: Client,
    pub(super) platform: Platform,
    /// The redirect URI as it was sent.
    pub(super) redirect_uri: String,
    pub(super) back: ResponseTarget,
    pub(super) response_type: ResponseType,
    pub(super) requested: RequestedScopes,
    pub(super) challenge: Option<Challenge>,
    pub(super) nonce: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) login_hint: Option<String>,
    pub(super) domain_hint: Option<String>,
    pub(super) sid: Option<String>,
    pub(super) max_age: Option<i64>,
    pub(super) client_info: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    /// As few pages as possible.
    Auto,
    /// No page at all.
    None,
    Login,
    SelectAccount,
    Consent,
}

/// Where the error of an authorize request goes.
pub(super) enum AuthorizeError {
    /// To a page: the redirect URI is not trusted.
    Page(LoginError),
    /// To the application.
    Back(Box<ResponseTarget>, LoginError),
}

impl Authorization {
    pub(super) fn read(
        context: &Context<'_>,
        segment: &str,
        parameters: &Parameters,
    ) -> Result<Self, AuthorizeError> {
        let missing = |name: &str| {
            LoginError::new(
                900_144,
                format!("The request must contain the parameter '{name}'."),
            )
        };
        check_request(context, parameters).map_err(AuthorizeError::Page)?;
        let tenant = discovery::tenant(context, segment).map_err(AuthorizeError::Page)?;
        let client_id = parameters
            .get("client_id")
            .ok_or_else(|| AuthorizeError::Page(missing("client_id")))?;
        let state = context.read();
        let client = client::find(&state, client_id).map_err(AuthorizeError::Page)?;
        user_grant::check_tenant(&state, &tenant, &client).map_err(AuthorizeError::Page)?;
        let (platform, redirect_uri) =
            redirect_address(&state, &client, parameters).map_err(AuthorizeError::Page)?;
        let address =
            Url::parse(&redirect_uri).map_err(|_| AuthorizeError::Page(unknown_address()))?;

        let mut back = ResponseTarget {
            address,
            mode: Mode::Query,
            state: parameters.get("state").map(str::to_owned),
        };
        let stop =
            |back: &ResponseTarget, error| AuthorizeError::Back(Box::new(back.clone()), error);
        let response_type = ResponseType::read(parameters).map_err(|error| stop(&back, error))?;
        back.mode = response_type
            .mode(parameters)
            .map_err(|error| stop(&back, error))?;
        let to_client = |error| stop(&back, error);
        response_type
            .check(&state, &client, parameters)
            .map_err(to_client)?;
        let requested = match (context.version, parameters.get("scope")) {
            (Version::V1, _) => match parameters.get("resource") {
                Some(identifier) => RequestedScopes::of_resource(identifier),
                None => Ok(RequestedScopes::of_v1_identity()),
            },
            (Version::V2, Some(scope)) => RequestedScopes::parse(scope),
            (Version::V2, None) => Err(missing("scope")),
        };
        let requested = requested.map_err(to_client)?;
        resource_parameter::check(&state, context, parameters.get("resource"), &requested)
            .map_err(to_client)?;
        let challenge = match response_type.code {
            true => challenge(parameters, platform).map_err(to_client)?,
            false => None,
        };
        let prompt = prompt(parameters).map_err(to_client)?;
        check_hints(parameters).map_err(to_client)?;
        Ok(Self {
            client,
            platform,
            redirect_uri,
            response_type,
            requested,
            challenge,
            nonce: parameters.get("nonce").map(str::to_owned),
            prompt,
            login_hint: parameters.get("login_hint").map(str::to_owned),
            domain_hint: parameters.get("domain_hint").map(str::to_owned),
            sid: parameters.get("sid").map(str::to_owned),
            max_age: parameters.get("max_age").and_then(|age| age.parse().ok()),
            client_info: parameters.get("client_info") == Some("1"),
            back,
        })
    }
}

/// Returns the redirect URI of a request, or the first registered one.
pub(super) fn redirect_address(
    state: &State,
    client: &Client,
    parameters: &Parameters,
) -> Result<(Platform, String), LoginError> {
    match parameters.get("redirect_uri") {
        Some(address) if Url::parse(address).is_err() => {
            let text = format!(
                "'redirect_uri' value must be a valid absolute URI, not '{}'.",
                plain_text(address)
            );
            Err(LoginError::new(90_102, text))
        }
        Some(address) => redirect::platform(state, &client.app_id, address)
            .map(|platform| (platform, address.to_owned()))
            .ok_or_else(|| {
                let text = format!(
                    "The redirect URI '{}' specified in the request does not match the redirect URIs configured for the application '{}'.",
                    plain_text(address),
                    client.app_id
                );
                LoginError::new(50_011, text)
            }),
        // Without a redirect URI the registration decides.
        None => redirect::registered(state, &client.app_id)
            .into_iter()
            .next()
            .ok_or_else(|| {
                let text = format!(
                    "No redirect URI is registered for the application '{}'.",
                    client.app_id
                );
                LoginError::new(500_113, text)
            }),
    }
}

/// Checks what makes a request invalid whatever its client is.
fn check_request(context: &Context<'_>, parameters: &Parameters) -> Result<(), LoginError> {
    tenant_restrictions::check(context)?;
    let query = context.request.query.as_deref().unwrap_or_default();
    if query.len() > LONGEST_QUERY {
        let text = "The query string of the request is too long.";
        return Err(LoginError::new(90_015, text));
    }
    if parameters.get("grant_type").is_some() {
        let text = "A code is redeemed by a POST request to the token endpoint, not to the authorize endpoint.";
        return Err(LoginError::new(90_056, text));
    }
    Ok(())
}

/// Checks the parameters that restrict which session is used.
fn check_hints(parameters: &Parameters) -> Result<(), LoginError> {
    if let Some(sid) = parameters.get("sid") {
        if sid.parse::<entra_core::Guid>().is_err() {
            let text = "The session id 'sid' cannot be parsed.";
            return Err(LoginError::new(90_007, text));
        }
        if parameters.get("login_hint").is_some() {
            let text = "The parameters 'sid' and 'login_hint' cannot be used together.";
            return Err(LoginError::new(90_005, text));
        }
    }
    match parameters.get("max_age").map(str::parse::<i64>) {
        Some(Err(_)) => {
            let text = "The parameter 'max_age' is not a number of seconds.";
            Err(LoginError::new(90_100, text))
        }
        _ => Ok(()),
    }
}

fn unknown_address() -> LoginError {
    LoginError::new(50_011, "The redirect URI is not an absolute URL.")
}

fn challenge(parameters: &Parameters, platform: Platform) -> Result<Option<Challenge>, LoginError> {
    let method = parameters.get("code_challenge_method");
    let Some(text) = parameters.get("code_challenge") else {
        return match (method, platform) {
            (Some(_), _) => Err(LoginError::new(
                50_147,
                "The request has a code_challenge_method, but no code_challenge.",
            )),
            (None, Platform::Spa) => Err(LoginError::new(
                9_002_325,
                "A single-page application must use PKCE.",
            )),
            (None, _) => Ok(None),
        };
    };
    let hashed = match method {
        Some("S256") => true,
        None | Some("plain") => false,
        Some(other) => {
            let text = format!(
                "The code_challenge_method '{}' is unknown.",
                plain_text(other)
            );
            return Err(LoginError::new(501_491, text));
        }
    };
    if !(43..=128).contains(&text.len()) {
        let text = "The code_challenge must be 43 to 128 characters long.";
        return Err(LoginError::new(501_491, text));
    }
    Ok(Some(Challenge {
        text: text.to_owned(),
        hashed,
    }))
}

fn prompt(parameters: &Parameters) -> Result<Prompt, LoginError> {
    match parameters.get("prompt") {
        None => Ok(Prompt::Auto),
        Some("none") => Ok(Prompt::None),
        Some("login") => Ok(Prompt::Login),
        Some("select_account") => Ok(Prompt::SelectAccount),
        Some("consent") => Ok(Prompt::Consent),
        Some(other) => Err(LoginError::new(
            90_023,
            format!("The prompt '{}' is not supported.", plain_text(other)),
        )),
    }
}

/// In bytes; the limit of the service is not documented.
const LONGEST_QUERY: usize = 16 * 1024;
