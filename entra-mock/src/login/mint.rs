//! Access tokens: claims, signature, and the token response.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    agent, claims,
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
        body.insert("access_token".into(), self.token.clone().into());
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
    issue(context, state, client, resource, more, &roles.json)
}

/// Issues an exchange token, which an agent identity presents as a client assertion.
pub(super) fn exchange(
    context: &Context<'_>,
    state: &State,
    client: &Client,
    resource: &Resource,
    more: Map<String, Value>,
) -> Result<IssuedToken, LoginError> {
    issue(context, state, client, resource, more, "")
}

/// Issues a token of an application with these further claims. `roles` is a JSON array, or empty.
fn issue(
    context: &Context<'_>,
    state: &State,
    client: &Client,
    resource: &Resource,
    more: Map<String, Value>,
    roles: &str,
) -> Result<IssuedToken, LoginError> {
    let id = state.random.token(22);
    let lifetime = state.token_lifetime;
    let tenant = state.tenant_id.to_string();
    let (now, expiry) = (
        context.now.unix_timestamp(),
        context.now.unix_timestamp() + lifetime.as_secs().cast_signed(),
    );
    let issuer = issuer_at(context.base(), resource.version, &tenant);

    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("iss", issuer.clone().into());
    claim("iat", (now - BACKDATED).into());
    claim("nbf", (now - BACKDATED).into());
    claim("exp", expiry.into());
    claim("aio", state.random.token(60).into());
    match resource.version {
        Version::V1 => {
            claim("aud", resource.identifier.clone().into());
            claim("appid", client.app_id.clone().into());
            claim("appidacr", client.authentication.claim().into());
            claim("idp", issuer.into());
            claim("ver", "1.0".into());
        }
        Version::V2 => {
            claim("aud", resource.app_id.clone().into());
            claim("azp", client.app_id.clone().into());
            claim("azpacr", client.authentication.claim().into());
            claim("ver", "2.0".into());
        }
    }
    if resource.with_idtyp {
        claim("idtyp", "app".into());
    }
    if resource.is_graph() {
        claim("app_displayname", client.display_name.clone().into());
        claim("tenant_region_scope", "EU".into());
        let roles = claims::directory_roles_of_application(state, &client.service_principal_id);
        claim("wids", roles.into());
    }
    claim("oid", client.service_principal_id.clone().into());
    claim("sub", client.service_principal_id.clone().into());
    claim("rh", format!("1.{}.", state.random.token(43)).into());
    claim("tid", tenant.into());
    claim("uti", id.clone().into());
    claims.extend(more);

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
    sign_with_roles(state, claims, "", version)
}

fn sign_with_roles(
    state: &State,
    claims: &Map<String, Value>,
    roles: &str,
    version: Version,
) -> Option<String> {
    let key = state.keys.signing()?;
    let mut header = Map::new();
    header.insert("typ".into(), "JWT".into());
    header.insert("alg".into(), "RS256".into());
    if version == Version::V1 {
        header.insert("x5t".into(), key.kid.clone().into());
    }
    header.insert("kid".into(), key.kid.clone().into());
    let mut payload = serde_json::to_vec(claims).ok()?;
    if !roles.is_empty() {
        // There are always other claims.
        payload.pop();
        payload.extend_from_slice(b",\"roles\":");
        payload.extend_from_slice(roles.as_bytes());
        payload.push(b'}');
    }
    let mut message = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?);
    message.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut message);
    key.sign(message)
}

/// Tokens are valid from a little before the request, for clocks that run behind.
pub(super) const BACKDATED: i64 = 300;
/// From this lifetime on, the response has `refresh_in`.
const LONG_LIVED: Duration = Duration::from_secs(2 * 3600);
