//! Reads and checks authorize requests, and decides where an error goes.

use url::{Url, form_urlencoded};

use super::{
    client::{self, Client},
    context::{Context, plain_text},
    discovery,
    error::LoginError,
    grants::Challenge,
    redirect::{self, Mode, Platform, ResponseTarget},
    resource_parameter,
    scope::RequestedScopes,
    user_grant,
};
use crate::{state::State, store::Kind, wire::WireRequest};

/// A valid authorize request.
#[derive(Debug)]
pub(super) struct Authorization {
    pub(super) client: Client,
    pub(super) platform: Platform,
    /// The redirect URI as it was sent.
    pub(super) redirect_uri: String,
    pub(super) back: ResponseTarget,
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

/// The parameters of query and form. The query takes precedence.
pub(super) struct Parameters {
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn read(request: &WireRequest) -> Self {
        let parse = |bytes: &[u8]| -> Vec<(String, String)> {
            form_urlencoded::parse(bytes)
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect()
        };
        let form = if request.method == "POST" {
            parse(&request.body)
        } else {
            Vec::new()
        };
        Self {
            query: parse(request.query.as_deref().unwrap_or_default().as_bytes()),
            form,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .chain(&self.form)
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns a field that only the tenant's own pages send.
    pub(super) fn posted(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns all parameters of the application as a query, for the URL that the pages post to.
    pub(super) fn to_query(&self) -> String {
        let own = |name: &str| OWN_FIELDS.contains(&name);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(
                self.query
                    .iter()
                    .chain(&self.form)
                    .filter(|(name, _)| !own(name)),
            )
            .finish()
    }
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
        back.mode = mode(parameters).map_err(|error| stop(&back, error))?;
        let to_client = |error| stop(&back, error);
        check_response_type(&state, &client, parameters).map_err(to_client)?;
        let scope = parameters
            .get("scope")
            .ok_or_else(|| to_client(missing("scope")))?;
        let requested = RequestedScopes::parse(scope).map_err(to_client)?;
        resource_parameter::check(&state, context, parameters.get("resource"), &requested)
            .map_err(to_client)?;
        let challenge = challenge(parameters, platform).map_err(to_client)?;
        let prompt = prompt(parameters).map_err(to_client)?;
        Ok(Self {
            client,
            platform,
            redirect_uri,
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

fn unknown_address() -> LoginError {
    LoginError::new(50_011, "The redirect URI is not an absolute URL.")
}

fn mode(parameters: &Parameters) -> Result<Mode, LoginError> {
    match parameters.get("response_mode") {
        None | Some("query") => Ok(Mode::Query),
        Some("fragment") => Ok(Mode::Fragment),
        Some("form_post") => Ok(Mode::FormPost),
        Some(other) => Err(LoginError::new(
            70_007,
            format!(
                "The response_mode '{}' is not supported.",
                plain_text(other)
            ),
        )),
    }
}

/// Only `code` is supported: the other response types are for older applications, which must enable
/// them in their registration.
fn check_response_type(
    state: &State,
    client: &Client,
    parameters: &Parameters,
) -> Result<(), LoginError> {
    let Some(kind) = parameters.get("response_type") else {
        let text = "The request must contain the parameter 'response_type'.";
        return Err(LoginError::new(900_144, text));
    };
    let mut words: Vec<&str> = kind.split_whitespace().collect();
    words.sort_unstable();
    let setting = match words.as_slice() {
        ["code"] => return Ok(()),
        ["id_token"] | ["code", "id_token"] => "enableIdTokenIssuance",
        ["token"] | ["id_token", "token"] | ["code", "token"] => "enableAccessTokenIssuance",
        _ => {
            let text = format!("The response_type '{}' is unknown.", plain_text(kind));
            return Err(LoginError::new(70_005, text));
        }
    };
    let application = state.store.find(Kind::Application, "appId", &client.app_id);
    let enabled = application.and_then(|application| {
        application
            .get("web")?
            .get("implicitGrantSettings")?
            .get(setting)
    }) == Some(&true.into());
    Err(if enabled {
        LoginError::new(
            70_005,
            format!(
                "entra-mock does not support the response_type '{}'; use 'code'.",
                plain_text(kind)
            ),
        )
    } else {
        LoginError::new(
            700_054,
            format!(
                "The response_type '{}' is not enabled for the application.",
                plain_text(kind)
            ),
        )
    })
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

/// Fields of the tenant's own pages.
const OWN_FIELDS: [&str; 7] = [
    "step", "login", "passwd", "keep", "flow", "account", "everyone",
];
