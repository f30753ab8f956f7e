//! The authorization code grant.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    client::ClientAuthentication,
    client_authentication,
    context::Context,
    discovery::Tenant,
    error::LoginError,
    form::Form,
    mint::IssuedToken,
    redirect::Platform,
    resource_parameter,
    scope::RequestedScopes,
    token_error::TokenError,
    user_grant::{self, UserTokenRequest},
};
use crate::{
    directory::later,
    grants::{Challenge, Code},
};

pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<IssuedToken, TokenError> {
    let text = form.require("code")?;
    // The form of the code is checked first.
    if !is_shaped_like_a_code(text) {
        return Err(LoginError::new(9_002_313, "The code is malformed.")
            .named("invalid_grant")
            .into());
    }
    if form.is_empty("scope") {
        let text = "The code cannot be redeemed with an empty scope. Leave the parameter out, or name a scope.";
        return Err(LoginError::new(28_003, text).into());
    }
    form.client_id()?;
    let client = client_authentication::identify(context, form)?;
    user_grant::check_tenant(&context.read(), tenant, &client)?;
    let redirect_uri = form.require("redirect_uri")?;
    let code = find(context, text, &client.app_id)?;
    if redirect_uri != code.redirect_uri {
        let text = "The redirect_uri does not match the one of the authorize request.";
        return Err(LoginError::new(500_112, text).into());
    }
    check_platform(context, code.platform, client.authentication)?;
    client.check_authentication(code.platform != Platform::Web)?;
    check_verifier(code.challenge.as_ref(), form.get("code_verifier"))?;
    let requested = RequestedScopes::of_redemption(context, form, &code.requested)?;
    resource_parameter::check(&context.read(), context, form.get("resource"), &requested)?;
    redeem(context, text)?;

    let fixed_end =
        (code.platform == Platform::Spa).then(|| later(context.now, SPA_REFRESH_TOKEN_LIFETIME));
    let token_request = UserTokenRequest {
        nonce: code.nonce.as_deref(),
        fixed_end,
        // The page has recorded the sign-in; a failure from here on is another entry.
        ..UserTokenRequest::of_form(form, &client, &code.subject, &requested, None)
    };
    Ok(user_grant::issue(context, &token_request)?)
}

/// Checks that the platform of the redirect URI fits the request: a browser or a server.
pub(super) fn check_platform(
    context: &Context<'_>,
    platform: Platform,
    authentication: ClientAuthentication,
) -> Result<(), LoginError> {
    let from_browser = context.request.header("origin").is_some();
    match platform {
        Platform::Spa if !from_browser => Err(LoginError::new(
            9_002_327,
            "Tokens for a single-page application can only be redeemed by cross-origin requests, which have an Origin header.",
        )),
        Platform::Web | Platform::Public if from_browser => Err(LoginError::new(
            9_002_326,
            "Cross-origin token redemption is permitted only for redirect URIs of the type single-page application.",
        )),
        Platform::Public | Platform::Spa if authentication != ClientAuthentication::Public => {
            Err(LoginError::new(
                700_025,
                "The redirect URI belongs to a public client, which must not send a client secret or client assertion.",
            ))
        }
        _ => Ok(()),
    }
}

fn find(context: &Context<'_>, text: &str, client_id: &str) -> Result<Code, LoginError> {
    let state = context.read();
    let code = state
        .grants
        .codes
        .get(text)
        .filter(|code| code.client_id == client_id)
        .ok_or_else(|| {
            LoginError::new(
                70_000,
                "The code is unknown, or belongs to another application.",
            )
        })?;
    if code.redeemed {
        return Err(redeemed());
    }
    if code.expires_on <= context.now {
        return Err(LoginError::new(
            70_008,
            "The code has expired. The user must sign in again.",
        ));
    }
    Ok(code.clone())
}

/// Marks a code as redeemed. Of many concurrent requests, one succeeds.
fn redeem(context: &Context<'_>, text: &str) -> Result<(), LoginError> {
    let mut state = context.write();
    match state.grants.codes.get_mut(text) {
        Some(code) if !code.redeemed => {
            code.redeemed = true;
            Ok(())
        }
        _ => Err(redeemed()),
    }
}

fn redeemed() -> LoginError {
    LoginError::new(
        54_005,
        "The code was already redeemed. It can be used once.",
    )
}

fn check_verifier(challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<(), LoginError> {
    let mismatch = || {
        LoginError::new(
            501_481,
            "The code_verifier does not match the code_challenge of the authorize request.",
        )
    };
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
        // A verifier without a challenge: the challenge was removed on the way.
        _ => return Err(mismatch()),
    };
    if !(43..=128).contains(&verifier.len()) {
        let text = "The code_verifier must be 43 to 128 characters long.";
        return Err(LoginError::new(501_491, text));
    }
    let found = if challenge.hashed {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
    } else {
        verifier.to_owned()
    };
    if found == challenge.text {
        Ok(())
    } else {
        Err(mismatch())
    }
}

fn is_shaped_like_a_code(text: &str) -> bool {
    text.len() > 60
        && text.starts_with("1.A")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// 24 hours, regardless of use.
const SPA_REFRESH_TOKEN_LIFETIME: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use std::{
        sync::{Barrier, RwLock},
        thread,
    };

    use entra_core::Timestamp;

    use super::{super::context::Version, *};
    use crate::{
        grants::Subject,
        state::{License, State},
        wire::WireRequest,
    };

    #[test]
    fn one_of_hundreds_of_threads_redeems_a_code() {
        const RACERS: usize = 300;
        let now = Timestamp::UNIX_EPOCH;
        let mut state = State::new("Contoso", &["contoso.com"], License::P2, 1);
        let code = Code {
            client_id: String::new(),
            redirect_uri: String::new(),
            platform: Platform::Web,
            challenge: None,
            nonce: None,
            requested: RequestedScopes::default(),
            subject: Subject {
                user_id: String::new(),
                mfa: false,
                auth_time: now,
                generation: 0,
                sid: String::new(),
            },
            expires_on: now,
            redeemed: false,
        };
        state.grants.codes.insert("code".into(), code);
        let state = RwLock::new(state);
        let request = WireRequest {
            method: "POST".into(),
            path: "/".into(),
            query: None,
            headers: Vec::new(),
            body: Vec::new(),
            base: "https://localhost".into(),
            handshakes: Vec::new(),
        };
        let context = Context::new(&state, now, &request, Version::V2);
        let start = Barrier::new(RACERS);
        let race = || {
            start.wait();
            redeem(&context, "code")
        };
        let outcomes: Vec<_> = thread::scope(|scope| {
            let racers: Vec<_> = (0..RACERS).map(|_| scope.spawn(race)).collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });
        let lost = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert_eq!(
            lost.filter(|error| error.code == 54_005).count(),
            RACERS - 1
        );
    }
}
