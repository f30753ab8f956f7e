//! The UserInfo endpoint of OpenID Connect, which is on Graph's host.
//!
//! Source: the page "UserInfo endpoint" of the Microsoft identity platform.

use serde_json::{Map, Value, json};

use super::{account, context::Context, user_token, verify};
use crate::{
    store::{Kind, Object},
    wire::Reply,
};

/// `/oidc/userinfo`, for a token of Graph with the scope `openid`.
pub(super) fn respond(context: &Context<'_>) -> Reply {
    let state = context.read();
    let caller = match verify::caller(&state, context.now, context.request) {
        Ok(caller) => caller,
        Err(problem) => return error(401, "InvalidAuthenticationToken", problem.message()),
    };
    let user = caller
        .user_id
        .as_deref()
        .and_then(|id| state.store.get(Kind::User, id));
    let has = |scope: &str| caller.scopes.iter().any(|known| known == scope);
    let (Some(user), true) = (user, has("openid")) else {
        let text = "Insufficient privileges to complete the operation.";
        return error(403, "Authorization_RequestDenied", text);
    };
    let mut claims = Map::new();
    let sub = user_token::pairwise(
        caller.user_id.as_deref().unwrap_or_default(),
        &caller.app_id,
    );
    claims.insert("sub".to_owned(), sub.into());
    if has("profile") {
        for (claim, property) in [
            ("name", "displayName"),
            ("family_name", "surname"),
            ("given_name", "givenName"),
        ] {
            put(&mut claims, user, claim, property);
        }
        let picture = "https://graph.microsoft.com/v1.0/me/photo/$value";
        claims.insert("picture".to_owned(), picture.into());
    }
    if has("email") || account::is_guest(user) {
        put(&mut claims, user, "email", "mail");
    }
    Reply::json(200, &claims.into())
}

fn put(claims: &mut Map<String, Value>, user: &Object, claim: &str, property: &str) {
    if let Some(value) = user.get(property).filter(|value| value.is_string()) {
        claims.insert(claim.to_owned(), value.clone());
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({ "error": { "code": code, "message": message } });
    Reply::json(status, &body).with_header("www-authenticate", "Bearer realm=\"\"")
}
