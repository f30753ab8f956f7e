//! What all grants on a person's behalf have in common: the checks, the answer, the log entry.

use entra_core::Timestamp;
use serde_json::{Map, Value};

use super::{
    account,
    client::{Client, Proof},
    consent::{self, Allowed},
    context::Context,
    discovery::Tenant,
    error::LoginError,
    grants::{RefreshToken, Subject},
    mint::Issued,
    policy, resource,
    scope::Asked,
    user_sign_in::{self, Event},
    user_token::{self, About},
};
use crate::{directory::later, state::State, store::Kind};

/// What a grant has established.
pub(super) struct Order<'a> {
    pub(super) client: &'a Client,
    pub(super) subject: &'a Subject,
    pub(super) asked: &'a Asked,
    pub(super) nonce: Option<&'a str>,
    /// How it goes into the sign-in log; none if it is there already.
    pub(super) event: Option<Event>,
    /// The end of its refresh tokens, if that does not move.
    pub(super) fixed_end: Option<Timestamp>,
    pub(super) client_info: bool,
    /// What the client says it can do, in its `claims` parameter.
    pub(super) capabilities: &'a [String],
}

/// Issues the tokens, or says why not; both leave an entry in the sign-in log.
pub(super) fn issue(context: &Context<'_>, order: &Order<'_>) -> Result<Issued, LoginError> {
    match prepare(context, order) {
        Ok((issued, refresh, allowed)) => {
            if let Some(event) = order.event {
                let record = user_sign_in::record(
                    context,
                    order.client,
                    &order.subject.user_id,
                    event,
                    Some(&allowed.resource),
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
            let event = order.event.unwrap_or(Event::Silent);
            let record = user_sign_in::record(
                context,
                order.client,
                &order.subject.user_id,
                event,
                None,
                &Err(error.clone()),
            );
            context.write().write_sign_in(record);
            Err(error)
        }
    }
}

/// Whether people sign in through this tenant segment to this application.
pub(super) fn check_tenant(
    state: &State,
    tenant: &Tenant,
    client: &Client,
) -> Result<(), LoginError> {
    let Tenant::Alias(alias) = tenant else {
        return Ok(());
    };
    let application = state.store.find(Kind::Application, "appId", &client.app_id);
    let audience = application
        .and_then(|application| application.get("signInAudience")?.as_str())
        .unwrap_or("AzureADMultipleOrgs");
    if audience == "AzureADMyOrg" {
        let text = format!(
            "The application '{}' is for one tenant: use the tenant's own endpoint, not '{alias}'.",
            client.app_id
        );
        return Err(LoginError::new(50_194, text));
    }
    if *alias == "consumers" {
        let text = "There are no personal accounts here, only those of the tenant.";
        return Err(LoginError::new(50_020, text));
    }
    Ok(())
}

type Refresh = Option<(String, RefreshToken)>;

fn prepare(
    context: &Context<'_>,
    order: &Order<'_>,
) -> Result<(Issued, Refresh, Allowed), LoginError> {
    let state = context.read();
    let user = account::of(&state, order.subject)?;
    let user_id = &order.subject.user_id;
    let client = order.client;
    let first = order.asked.first();
    let resource = resource::find(&state, context, &first.identifier).ok();
    let mut apps = vec![client.app_id.as_str()];
    apps.extend(resource.as_ref().map(|resource| resource.app_id.as_str()));
    policy::check_block(&state, user_id, &apps)?;
    account::check_second_factor(&state, user, order.subject, &apps)?;
    let own_roles = account::roles(&state, user_id, &client.service_principal_id)?;
    let allowed = consent::look_up(&state, context, client, user_id, &first)?;
    allowed.check(client)?;
    let roles = account::roles(&state, user_id, &allowed.resource.service_principal_id)?;

    let about = About {
        client,
        user,
        subject: order.subject,
        asked: order.asked,
        capabilities: order.capabilities,
    };
    let (token, id) = user_token::access(
        context,
        &state,
        &about,
        &allowed.resource,
        &allowed.names,
        roles,
    )?;
    let mut more = Map::new();
    let mut put = |name: &str, value: String| more.insert(name.to_owned(), Value::String(value));
    put(
        "scope",
        scope(
            order.asked,
            &allowed,
            first.prefix.as_deref(),
            first.default,
        ),
    );
    let mut refresh = None;
    if order.asked.offline_access {
        let text = format!("1.A{}", state.random.token(160));
        put("refresh_token", text.clone());
        refresh = Some((text, refresh_token(context, order)));
    }
    if order.asked.openid {
        let token = user_token::identity(context, &state, &about, own_roles, order.nonce)?;
        put("id_token", token);
    }
    if order.client_info {
        put("client_info", user_token::client_info(&state, user_id));
    }
    let issued = Issued::for_user(
        token,
        state.token_lifetime,
        allowed.resource.identifier.clone(),
        id,
        more,
    );
    Ok((issued, refresh, allowed))
}

/// The scopes in the spelling they were asked in, for clients look their tokens up by it.
fn scope(asked: &Asked, allowed: &Allowed, prefix: Option<&str>, default: bool) -> String {
    let spelt = |name: &str| match prefix {
        Some(prefix) => format!("{prefix}/{name}"),
        None => name.to_owned(),
    };
    let mut words: Vec<String> = allowed.names.iter().map(|name| spelt(name)).collect();
    if default {
        words.push(spelt(".default"));
    }
    words.extend(asked.identity_words().map(str::to_owned));
    words.join(" ")
}

fn refresh_token(context: &Context<'_>, order: &Order<'_>) -> RefreshToken {
    RefreshToken {
        client_id: order.client.app_id.clone(),
        asked: order.asked.clone(),
        subject: order.subject.clone(),
        public: order.client.proof == Proof::Public,
        expires_on: order
            .fixed_end
            .unwrap_or_else(|| later(context.now, REFRESH_TOKEN_LIFETIME)),
        fixed_end: order.fixed_end.is_some(),
    }
}

/// Ninety days without use.
const REFRESH_TOKEN_LIFETIME: std::time::Duration = std::time::Duration::from_secs(90 * 24 * 3600);
