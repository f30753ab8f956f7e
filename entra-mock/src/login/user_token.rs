//! Tokens of users: access tokens and ID tokens.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{
    account, agent,
    claims::{self, TokenKind},
    context::{Context, Version},
    continuous_access,
    discovery::issuer_at,
    error::LoginError,
    mint::{BACKDATED, sign},
    resource::Resource,
    token_subject::TokenSubject,
};
use crate::{account::generation, random::Random, state::State, store::Kind};

/// Issues an access token with these scopes and app roles. Returns the token and its id.
pub(super) fn access(
    context: &Context<'_>,
    state: &State,
    token_subject: &TokenSubject<'_>,
    resource: &Resource,
    scopes: &[String],
    roles: Vec<String>,
) -> Result<(String, String), LoginError> {
    let (client, user) = (token_subject.client, token_subject.user);
    let user_id = &token_subject.subject.user_id;
    let roles = claims::roles(state, user_id, &resource.app_id, TokenKind::Access, roles);
    let property = |name: &str| user.get(name).cloned();
    let tenant = state.tenant_id.to_string();
    let issuer = issuer_at(context.base(), resource.version, &tenant);
    let id = state.random.token(22);

    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    let lifetime = state.token_lifetime.as_secs().cast_signed();
    add_times(context, lifetime, &mut claim);
    claim("iss", issuer.into());
    let aio = continuous_access::aio(&state.random, generation(user));
    claim("aio", aio.into());
    match resource.version {
        Version::V1 => {
            claim("aud", resource.identifier.clone().into());
            claim("acr", "1".into());
            claim("amr", account::methods(token_subject.subject));
            claim("appid", client.app_id.clone().into());
            claim("appidacr", client.authentication.claim().into());
            claim("ipaddr", "127.0.0.1".into());
            for (name, value) in [
                ("family_name", property("surname")),
                ("given_name", property("givenName")),
                ("unique_name", property("userPrincipalName")),
                ("upn", property("userPrincipalName")),
            ] {
                if let Some(value) = value {
                    claim(name, value);
                }
            }
            claim("ver", "1.0".into());
        }
        Version::V2 => {
            claim("aud", resource.app_id.clone().into());
            claim("azp", client.app_id.clone().into());
            claim("azpacr", client.authentication.claim().into());
            claim("preferred_username", account::sign_in_name(user).into());
            claim("ver", "2.0".into());
        }
    }
    if resource.is_graph() {
        claim("app_displayname", client.display_name.clone().into());
        claim("idtyp", "user".into());
        claim("tenant_region_scope", "EU".into());
        let user = &token_subject.subject.user_id;
        claim("wids", claims::directory_roles(state, user).into());
    }
    claim("name", property("displayName").unwrap_or_default());
    claim("oid", token_subject.subject.user_id.clone().into());
    claim("rh", format!("1.{}.", state.random.token(43)).into());
    if !roles.is_empty() {
        claim("roles", roles.into());
    }
    // Graph is also the resource of the OpenID Connect scopes.
    let mut scopes = scopes.to_vec();
    if resource.is_graph() {
        scopes.extend(token_subject.requested.identity_words().map(str::to_owned));
    }
    claim("scp", scopes.join(" ").into());
    claim(
        "sub",
        pairwise(&token_subject.subject.user_id, &resource.app_id).into(),
    );
    claim("tid", tenant.into());
    claim("uti", id.clone().into());
    claims::add(
        state,
        token_subject,
        &resource.app_id,
        TokenKind::Access,
        &mut claim,
    );
    agent::claims(state, client, Some(user), &mut claim);
    if !token_subject.capabilities.is_empty()
        && (resource.is_graph()
            || claims::is_wanted(state, &resource.app_id, TokenKind::Access, "xms_cc"))
    {
        claim("xms_cc", token_subject.capabilities.into());
    }

    let token = sign(state, &claims, resource.version).ok_or_else(no_key)?;
    Ok((token, id))
}

/// Issues an ID token of the version of the endpoint. `hashes` are the claims that bind it to a code and an
/// access token.
pub(super) fn identity(
    context: &Context<'_>,
    state: &State,
    token_subject: &TokenSubject<'_>,
    roles: Vec<String>,
    nonce: Option<&str>,
    hashes: &[(&'static str, String)],
) -> Result<String, LoginError> {
    let (client, user, requested) = (
        token_subject.client,
        token_subject.user,
        token_subject.requested,
    );
    let user_id = &token_subject.subject.user_id;
    let roles = claims::roles(state, user_id, &client.app_id, TokenKind::Id, roles);
    let property = |name: &str| user.get(name).cloned();
    let tenant = state.tenant_id.to_string();

    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    add_times(context, ID_TOKEN_LIFETIME, &mut claim);
    claim("aud", client.app_id.clone().into());
    claim(
        "iss",
        issuer_at(context.base(), context.version, &tenant).into(),
    );
    claim("aio", state.random.token(60).into());
    if requested.profile {
        claim("name", property("displayName").unwrap_or_default());
        claim("oid", token_subject.subject.user_id.clone().into());
    }
    match context.version {
        Version::V1 => {
            claim("amr", account::methods(token_subject.subject));
            claim("ipaddr", "127.0.0.1".into());
            for (name, property) in [
                ("family_name", property("surname")),
                ("given_name", property("givenName")),
                ("unique_name", property("userPrincipalName")),
                ("upn", property("userPrincipalName")),
            ] {
                if let Some(value) = property {
                    claim(name, value);
                }
            }
        }
        Version::V2 if requested.profile => {
            claim("preferred_username", account::sign_in_name(user).into());
        }
        Version::V2 => {}
    }
    for (name, hash) in hashes {
        claim(name, hash.clone().into());
    }
    let guest = account::is_guest(user);
    if let (true, Some(mail)) = (requested.email || guest, property("mail")) {
        claim("email", mail);
    }
    if let Some(nonce) = nonce {
        claim("nonce", nonce.into());
    }
    claim("rh", format!("1.{}.", state.random.token(43)).into());
    if !roles.is_empty() {
        claim("roles", roles.into());
    }
    claim(
        "sub",
        pairwise(&token_subject.subject.user_id, &client.app_id).into(),
    );
    claim("tid", tenant.clone().into());
    claim("uti", state.random.token(22).into());
    let ver = match context.version {
        Version::V1 => "1.0",
        Version::V2 => "2.0",
    };
    claim("ver", ver.into());
    if guest {
        claim(
            "idp",
            format!("https://sts.windows.net/{GUESTS_HOME}/").into(),
        );
    }
    claims::add(
        state,
        token_subject,
        &client.app_id,
        TokenKind::Id,
        &mut claim,
    );

    sign(state, &claims, context.version).ok_or_else(no_key)
}

/// The left half of a SHA-256 hash.
pub(super) fn half_hash(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let (left, _) = hash.as_ref().split_at(16);
    URL_SAFE_NO_PAD.encode(left)
}

/// `client_info`: the ids by which clients identify accounts, those of the user's home tenant.
pub(super) fn client_info(state: &State, user_id: &str) -> String {
    let guest = state
        .store
        .get(Kind::User, user_id)
        .is_some_and(account::is_guest);
    let info = if guest {
        json!({ "uid": id_at_home(user_id), "utid": GUESTS_HOME })
    } else {
        json!({ "uid": user_id, "utid": state.tenant_id.to_string() })
    };
    URL_SAFE_NO_PAD.encode(info.to_string())
}

/// Returns the invented object id that a guest has in the home tenant, always the same.
fn id_at_home(user_id: &str) -> String {
    let hash = digest(&SHA256, format!("{user_id}/{GUESTS_HOME}").as_bytes());
    let mut seed = [0; 8];
    seed.copy_from_slice(hash.as_ref().split_at(8).0);
    Random::new(u64::from_le_bytes(seed)).guid().to_string()
}

fn add_times(
    context: &Context<'_>,
    lifetime: i64,
    claim: &mut impl FnMut(&str, Value) -> Option<Value>,
) {
    let now = context.now.unix_timestamp();
    claim("iat", (now - BACKDATED).into());
    claim("nbf", (now - BACKDATED).into());
    claim("exp", (now + lifetime).into());
}

/// Returns the pairwise `sub` of a user for one application.
pub(super) fn pairwise(user_id: &str, app_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, format!("{user_id}/{app_id}").as_bytes()))
}

fn no_key() -> LoginError {
    LoginError::new(90_033, "No signing key is available.")
}

const ID_TOKEN_LIFETIME: i64 = 3600;
/// The invented home tenant of all guests.
const GUESTS_HOME: &str = "b1f0c3de-2222-4d6e-9d3a-0f7c1f1d2e3f";
