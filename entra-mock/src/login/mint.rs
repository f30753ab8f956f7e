//! Access tokens: claims, signature, and the token response.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    agent,
    application_claims::ApplicationClaims,
    claims,
    client::Client,
    context::{Context, Version},
    discovery::issuer_at,
    error::LoginError,
    resource::Resource,
};
use crate::{permissions::ApplicationRoles, state::State};

/// An issued token.
#[derive(Debug)]
pub(super) struct IssuedToken {
    token: String,
    lifetime: Duration,
    resource: String,
    /// The claim `uti`, which is also in the sign-in log.
    pub(super) id: String,
    /// The other members of a user's token response: scope, refresh token, ID token.
    more: Map<String, Value>,
}

impl IssuedToken {
    /// A token for a user.
    pub(super) fn for_user(
        token: String,
        lifetime: Duration,
        resource: String,
        id: String,
        more: Map<String, Value>,
    ) -> Self {
        Self {
            token,
            lifetime,
            resource,
            id,
            more,
        }
    }

    /// Returns one string of the response.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match name {
            "access_token" => Some(&self.token),
            name => self.more.get(name)?.as_str(),
        }
    }

    /// Returns the token response: numbers at v2, strings and more members at v1.
    pub(super) fn body(&self, context: &Context<'_>) -> Map<String, Value> {
        let mut body = self.members(context);
        body.insert("access_token".into(), self.token.clone().into());
        body
    }

    /// Returns the same response as JSON. The token is by far the longest part of it, and has nothing to be escaped.
    pub(super) fn json(&self, context: &Context<'_>) -> String {
        let members = Value::from(self.members(context)).to_string();
        // There are always other members.
        let rest = members.strip_prefix('{').unwrap_or_default();
        [r#"{"access_token":""#, &self.token, r#"","#, rest].concat()
    }

    /// The members of the response but for the token.
    fn members(&self, context: &Context<'_>) -> Map<String, Value> {
        let seconds = self.lifetime.as_secs();
        let mut body = Map::new();
        body.insert("token_type".into(), "Bearer".into());
        if context.version == Version::V1 {
            let now = context.now.unix_timestamp();
            body.insert("expires_in".into(), seconds.to_string().into());
            body.insert("ext_expires_in".into(), seconds.to_string().into());
            body.insert(
                "expires_on".into(),
                (now + seconds.cast_signed()).to_string().into(),
            );
            body.insert("not_before".into(), (now - BACKDATED).to_string().into());
            body.insert("resource".into(), self.resource.clone().into());
        } else {
            body.insert("expires_in".into(), seconds.into());
            body.insert("ext_expires_in".into(), seconds.into());
            if self.lifetime >= LONG_LIVED {
                body.insert("refresh_in".into(), (seconds / 2).into());
            }
        }
        body.extend(self.more.clone());
        body
    }
}

/// Issues an application token.
pub(super) fn for_application(
    context: &Context<'_>,
    state: &State,
    client: &Client,
    resource: &Resource,
    roles: &ApplicationRoles,
    capabilities: &[String],
) -> Result<IssuedToken, LoginError> {
    let mut more = Map::new();
    if resource.is_graph() && !capabilities.is_empty() {
        more.insert("xms_cc".to_owned(), capabilities.into());
    }
    agent::claims(state, client, None, &mut |name, value| {
        more.insert(name.to_owned(), value)
    });
    issue(context, state, client, resource, (None, more), roles)
}

/// Issues an exchange token, which an agent identity presents as a client assertion.
pub(super) fn exchange(
    context: &Context<'_>,
    state: &State,
    client: &Client,
    resource: &Resource,
    audience: &str,
    more: Map<String, Value>,
) -> Result<IssuedToken, LoginError> {
    let roles = ApplicationRoles::default();
    issue(
        context,
        state,
        client,
        resource,
        (Some(audience), more),
        &roles,
    )
}

/// Issues a token of an application, with its audience if that does not follow from the resource, and further claims.
fn issue(
    context: &Context<'_>,
    state: &State,
    client: &Client,
    resource: &Resource,
    (audience, more): (Option<&str>, Map<String, Value>),
    roles: &ApplicationRoles,
) -> Result<IssuedToken, LoginError> {
    let id = state.random.token(22);
    let lifetime = state.token_lifetime;
    let tenant = state.tenant_id.to_string();
    let now = context.now.unix_timestamp();
    let issuer = issuer_at(context.base(), resource.version, &tenant);
    let is_v1 = resource.version == Version::V1;
    let is_graph = resource.is_graph();
    let authentication = client.authentication.claim();
    let own_audience = match resource.version {
        Version::V1 => &resource.identifier,
        Version::V2 => &resource.app_id,
    };
    let claims = ApplicationClaims {
        aio: state.random.token(60),
        app_displayname: is_graph.then_some(&client.display_name),
        appid: is_v1.then_some(&client.app_id),
        appidacr: is_v1.then_some(authentication),
        aud: audience.unwrap_or(own_audience),
        azp: (!is_v1).then_some(&client.app_id),
        azpacr: (!is_v1).then_some(authentication),
        exp: now + lifetime.as_secs().cast_signed(),
        iat: now - BACKDATED,
        idp: is_v1.then_some(&issuer),
        idtyp: resource.with_idtyp.then_some("app"),
        iss: &issuer,
        nbf: now - BACKDATED,
        oid: &client.service_principal_id,
        rh: format!("1.{}.", state.random.token(43)),
        sub: &client.service_principal_id,
        tenant_region_scope: is_graph.then_some("EU"),
        tid: &tenant,
        uti: &id,
        ver: if is_v1 { "1.0" } else { "2.0" },
        wids: is_graph
            .then(|| claims::directory_roles_of_application(state, &client.service_principal_id)),
        more,
    };

    let token = sign_with_roles(state, &claims, roles, resource.version)
        .ok_or_else(|| LoginError::new(90_033, "No signing key is available."))?;
    Ok(IssuedToken {
        token,
        lifetime,
        resource: resource.identifier.clone(),
        id,
        more: Map::new(),
    })
}

/// Signs a compact RS256 JWT. v1 tokens name their key twice.
pub(super) fn sign(state: &State, claims: &Map<String, Value>, version: Version) -> Option<String> {
    sign_with_roles(state, claims, &ApplicationRoles::default(), version)
}

fn sign_with_roles(
    state: &State,
    claims: &impl Serialize,
    roles: &ApplicationRoles,
    version: Version,
) -> Option<String> {
    let key = state.keys.signing()?;
    // A key id is base64url, so nothing of it has to be escaped.
    let kid = &key.kid;
    let header = match version {
        Version::V1 => format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT","x5t":"{kid}"}}"#),
        Version::V2 => format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT"}}"#),
    };
    let claims = serde_json::to_string(claims).ok()?;
    let rest = match roles.encoded.as_str() {
        "" => claims,
        // The roles have opened the object already. There are always other claims.
        _ => [&roles.rest, claims.strip_prefix('{')?].concat(),
    };
    let mut message = String::with_capacity(roles.encoded.len() + 2 * rest.len() + SIGNED);
    URL_SAFE_NO_PAD.encode_string(header, &mut message);
    message.push('.');
    message.push_str(&roles.encoded);
    URL_SAFE_NO_PAD.encode_string(rest, &mut message);
    key.sign(message)
}

/// More than header and signature of a token need.
const SIGNED: usize = 600;
/// Tokens are valid from a little before the request, for clocks that run behind.
pub(super) const BACKDATED: i64 = 300;
/// From this lifetime on, the response has `refresh_in`.
const LONG_LIVED: Duration = Duration::from_secs(2 * 3600);
