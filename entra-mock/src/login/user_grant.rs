//! The common part of all grants for users: checks, token response, log entry.

use entra_core::Timestamp;
use serde_json::{Map, Value};

use super::{
    account,
    applied_policies::SignInUser,
    client::{Client, ClientAuthentication},
    client_authentication,
    consent::{self, ConsentResult},
    context::{Context, Version},
    discovery::Tenant,
    error::LoginError,
    form::Form,
    mint::IssuedToken,
    policy, resource,
    scope::RequestedScopes,
    token_error::TokenError,
    token_subject::TokenSubject,
    user_sign_in::{self, Event},
    user_token, v1,
};
use crate::{
    directory::later,
    grants::{RefreshToken, Subject},
    state::State,
    store::Kind,
};

/// A token request of a user whose grant was checked.
pub(super) struct UserTokenRequest<'a> {
    pub(super) client: &'a Client,
    pub(super) subject: &'a Subject,
    pub(super) requested: &'a RequestedScopes,
    pub(super) nonce: Option<&'a str>,
    /// The kind of entry in the sign-in log, or `None` if it is written already.
    pub(super) event: Option<Event>,
    /// The kind of entry if there are no tokens, or `None` if the caller writes it.
    pub(super) failure: Option<Event>,
    /// The expiry of its refresh tokens, if that does not move.
    pub(super) fixed_end: Option<Timestamp>,
    pub(super) client_info: bool,
    /// The client capabilities from the `claims` parameter.
    pub(super) capabilities: Vec<String>,
    /// Set if the tokens go to the browser in the response of the authorize endpoint.
    pub(super) front_channel: Option<FrontChannel<'a>>,
}

impl<'a> UserTokenRequest<'a> {
    /// A request to the token endpoint.
    pub(super) fn of_form(
        form: &Form,
        client: &'a Client,
        subject: &'a Subject,
        requested: &'a RequestedScopes,
        event: Option<Event>,
    ) -> Self {
        Self {
            client,
            subject,
            requested,
            nonce: None,
            event,
            failure: Some(event.unwrap_or(Event::Silent)),
            fixed_end: None,
            client_info: form.get("client_info") == Some("1"),
            capabilities: form.capabilities(),
            front_channel: None,
        }
    }
}

/// What an ID token is returned with in the response of the authorize endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrontChannel<'a> {
    pub(super) code: Option<&'a str>,
    pub(super) access_token: bool,
}

impl FrontChannel<'_> {
    /// Returns the hashes that bind an ID token to what it is returned with (OpenID Connect Core, section
    /// 3.3.2.11).
    fn hashes(self, access_token: &str) -> Vec<(&'static str, String)> {
        let code = self
            .code
            .map(|code| ("c_hash", user_token::half_hash(code)));
        let token = self
            .access_token
            .then(|| ("at_hash", user_token::half_hash(access_token)));
        code.into_iter().chain(token).collect()
    }
}

/// Returns the client of a grant that only confidential clients may use, after its authentication.
pub(super) fn confidential_client(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<Client, TokenError> {
    let client = client_authentication::identify(context, form)?;
    check_tenant(&context.read(), tenant, &client)?;
    client.check_authentication(false)?;
    Ok(client)
}

/// Issues the tokens or returns an error. The request says which of them are recorded in the sign-in log.
pub(super) fn issue(
    context: &Context<'_>,
    token_request: &UserTokenRequest<'_>,
) -> Result<IssuedToken, LoginError> {
    match prepare(context, token_request) {
        Ok((issued, refresh, consent_result)) => {
            if let Some(event) = token_request.event {
                let record = user_sign_in::record(
                    context,
                    token_request.client,
                    SignInUser::of(token_request.subject),
                    event,
                    Some(&consent_result.resource),
                    &[consent_result.resource.app_id.as_str()],
                    &Ok(issued.id.clone()),
                );
                context.write().write_sign_in(record);
            }
            if let Some((text, token)) = refresh {
                context.write().grants.refresh_tokens.insert(text, token);
            }
            Ok(issued)
        }
        Err(error) => {
            if let Some(event) = token_request.failure {
                let resource = {
                    let first = token_request.requested.first();
                    resource::find(&context.read(), context, &first.identifier).ok()
                };
                let app_id = resource.as_ref().map(|resource| resource.app_id.as_str());
                let record = user_sign_in::record(
                    context,
                    token_request.client,
                    SignInUser::of(token_request.subject),
                    event,
                    resource.as_ref(),
                    app_id.as_slice(),
                    &Err(error.clone()),
                );
                context.write().write_sign_in(record);
            }
            Err(error)
        }
    }
}

/// Checks that users can sign in to this application through this tenant segment.
pub(super) fn check_tenant(
    state: &State,
    tenant: &Tenant,
    client: &Client,
) -> Result<(), LoginError> {
    let application = state.store.find(Kind::Application, "appId", &client.app_id);
    let audience = application
        .and_then(|application| application.get("signInAudience")?.as_str())
        .unwrap_or("AzureADMultipleOrgs");
    if audience == "PersonalMicrosoftAccount" && !matches!(tenant, Tenant::Alias("consumers")) {
        let text = format!(
            "Application '{}' ({}) is configured for use by Microsoft Account users only. Use the /consumers endpoint to serve this request.",
            client.app_id, client.display_name
        );
        return Err(LoginError::new(9_002_346, text));
    }
    let Tenant::Alias(alias) = tenant else {
        return Ok(());
    };
    if audience == "AzureADMyOrg" {
        let text = format!(
            "The application '{}' is not configured as a multitenant application. Use the endpoint of its tenant, not '{alias}'.",
            client.app_id
        );
        return Err(LoginError::new(50_194, text));
    }
    if *alias == "consumers" && audience == "AzureADMultipleOrgs" {
        let text = format!(
            "Application '{}' ({}) is configured for use by Microsoft Entra users only. Do not use the /consumers endpoint to serve this request.",
            client.app_id, client.display_name
        );
        return Err(LoginError::new(9_002_332, text));
    }
    if *alias == "consumers" {
        let text = "Personal Microsoft accounts are not supported, only accounts of the tenant.";
        return Err(LoginError::new(50_020, text));
    }
    Ok(())
}

type Refresh = Option<(String, RefreshToken)>;

fn prepare(
    context: &Context<'_>,
    token_request: &UserTokenRequest<'_>,
) -> Result<(IssuedToken, Refresh, ConsentResult), LoginError> {
    let state = context.read();
    let user = account::of(&state, token_request.subject)?;
    let user_id = &token_request.subject.user_id;
    let client = token_request.client;
    let first = token_request.requested.first();
    let resource = resource::find(&state, context, &first.identifier).ok();
    let mut apps = vec![client.app_id.as_str()];
    apps.extend(resource.as_ref().map(|resource| resource.app_id.as_str()));
    policy::check_block(&state, user_id, &apps)?;
    policy::check_frequency(&state, context.now, token_request.subject, &apps)?;
    account::check_second_factor(&state, user, token_request.subject, &apps)?;
    let own_roles = account::roles(&state, user_id, &client.service_principal_id)?;
    let consent_result = consent::look_up(&state, context, client, user_id, &first)?;
    if context.version == Version::V1 {
        v1::check_resource(&state, client, &consent_result)?;
    }
    consent_result.check(client)?;
    let roles = account::roles(
        &state,
        user_id,
        &consent_result.resource.service_principal_id,
    )?;

    let token_subject = TokenSubject {
        client,
        user,
        subject: token_request.subject,
        requested: token_request.requested,
        capabilities: &token_request.capabilities,
        front_channel: token_request.front_channel.is_some(),
    };
    let (token, id) = user_token::access(
        context,
        &state,
        &token_subject,
        &consent_result.resource,
        &consent_result.names,
        roles,
    )?;
    let mut more = Map::new();
    let mut put = |name: &str, value: String| more.insert(name.to_owned(), Value::String(value));
    put(
        "scope",
        scope(
            token_request.requested,
            &consent_result,
            first.prefix.as_deref(),
            // At the v1 endpoint a client requests a resource and no scope.
            first.default && context.version == Version::V2,
        ),
    );
    let hashes = token_request
        .front_channel
        .map_or_else(Vec::new, |front_channel| front_channel.hashes(&token));
    let mut refresh = None;
    if token_request.requested.offline_access {
        let text = format!("1.A{}", state.random.token(160));
        put("refresh_token", text.clone());
        refresh = Some((text, refresh_token(context, token_request)));
    }
    if token_request.requested.openid {
        let token = user_token::identity(
            context,
            &state,
            &token_subject,
            own_roles,
            token_request.nonce,
            &hashes,
        )?;
        put("id_token", token);
    }
    if token_request.client_info {
        put("client_info", user_token::client_info(&state, user_id));
    }
    let issued = IssuedToken::for_user(
        token,
        state.token_lifetime,
        consent_result.resource.identifier.clone(),
        id,
        more,
    );
    Ok((issued, refresh, consent_result))
}

/// Returns the scopes in the requested spelling, because clients cache tokens by it.
fn scope(
    requested: &RequestedScopes,
    consent_result: &ConsentResult,
    prefix: Option<&str>,
    default: bool,
) -> String {
    let canonical_spelling = |name: &str| match prefix {
        Some(prefix) => format!("{prefix}/{name}"),
        None => name.to_owned(),
    };
    let mut words: Vec<String> = consent_result
        .names
        .iter()
        .map(|name| canonical_spelling(name))
        .collect();
    if default {
        words.push(canonical_spelling(".default"));
    }
    words.extend(requested.identity_words().map(str::to_owned));
    words.join(" ")
}

fn refresh_token(context: &Context<'_>, token_request: &UserTokenRequest<'_>) -> RefreshToken {
    RefreshToken {
        client_id: token_request.client.app_id.clone(),
        requested: token_request.requested.clone(),
        subject: token_request.subject.clone(),
        public: token_request.client.authentication == ClientAuthentication::Public,
        expires_on: token_request
            .fixed_end
            .unwrap_or_else(|| later(context.now, REFRESH_TOKEN_LIFETIME)),
        fixed_end: token_request.fixed_end.is_some(),
    }
}

/// Ninety days without use.
const REFRESH_TOKEN_LIFETIME: std::time::Duration = std::time::Duration::from_secs(90 * 24 * 3600);
