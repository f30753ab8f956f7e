//! The sign-out endpoint: ends a browser's session and notifies the applications that took part.

use serde_json::{Map, Value};
use url::Url;

use super::{
    account,
    browser::Browser,
    client::text,
    context::{Context, Version},
    discovery::issuer_at,
    identify::tiles,
    page,
    parameters::Parameters,
    redirect,
    verify::signed_claims,
};
use crate::{
    grants::{Account, Subject},
    state::State,
    store::Kind,
    wire::Reply,
};

/// `/{tenant}/oauth2[/v2.0]/logout`
pub(super) fn respond(context: &Context<'_>) -> Reply {
    let parameters = Parameters::read(context.request);
    let browser = Browser::of(context);
    let accounts = browser.accounts();
    let hint = parameters
        .get("id_token_hint")
        .and_then(|token| signed_claims(&context.read(), token).ok())
        .unwrap_or_default();
    let next = next(context, &parameters, &hint);

    let Some(users_to_sign_out) = users_to_sign_out(&parameters, &accounts, &hint) else {
        let tiles = tiles(&context.read(), &accounts);
        let action = format!("{}?{}", context.request.path, parameters.to_query());
        let page = page::sign_out_picker(&tiles, &action);
        return match &next {
            Some(next) => page.allowing_redirect_to(next).reply(context),
            None => page.reply(context),
        };
    };
    let (gone, cookie) = browser.end_sessions(&users_to_sign_out);
    let frames = frames(context, &gone);
    let reply = match &next {
        Some(next) if frames.is_empty() => Reply::new(302)
            .with_header("location", next.to_string())
            .with_header("cache-control", "no-store, no-cache"),
        _ => page::signed_out(&frames, next.as_ref()).reply(context),
    };
    reply.with_header("set-cookie", cookie)
}

/// Returns the users to sign out, or `None` if the user must choose first.
fn users_to_sign_out(
    parameters: &Parameters,
    accounts: &[Subject],
    hint: &Map<String, Value>,
) -> Option<Vec<String>> {
    let ids = |accounts: &mut dyn Iterator<Item = &Subject>| -> Vec<String> {
        accounts.map(|known| known.user_id.clone()).collect()
    };
    if let Some(id) = parameters.posted("account") {
        return Some(vec![id.to_owned()]);
    }
    if accounts.len() < 2 || parameters.posted("step") == Some("all") {
        return Some(ids(&mut accounts.iter()));
    }
    let of_hint = |known: &&Subject| {
        let is = |name: &str, value: &str| hint.get(name).and_then(Value::as_str) == Some(value);
        is("sid", &known.sid)
            || is("oid", &known.user_id)
            || parameters.get("logout_hint") == Some(&account::login_hint(&known.user_id))
    };
    let by_login_hint = ids(&mut accounts.iter().filter(of_hint));
    (!by_login_hint.is_empty()).then_some(by_login_hint)
}

/// Returns where the browser goes next: a registered redirect URI, of the application that the
/// request names if it names one.
fn next(context: &Context<'_>, parameters: &Parameters, hint: &Map<String, Value>) -> Option<Url> {
    let requested = parameters.get("post_logout_redirect_uri")?;
    let state = context.read();
    let named = hint
        .get("aud")
        .and_then(Value::as_str)
        .or_else(|| parameters.get("client_id"));
    let is_known = |app_id: &str| redirect::platform(&state, app_id, requested).is_some();
    let known = match named {
        Some(app_id) => is_known(app_id),
        None => state
            .store
            .all(Kind::ServicePrincipal)
            .filter_map(|principal| text(principal, "appId"))
            .any(is_known),
    };
    let mut address = Url::parse(requested).ok().filter(|_| known)?;
    if let Some(value) = parameters.get("state") {
        address.query_pairs_mut().append_pair("state", value);
    }
    Some(address)
}

/// Returns the front-channel logout URLs to load, with the session id of each application.
fn frames(context: &Context<'_>, gone: &[Account]) -> Vec<Url> {
    let state = context.read();
    let issuer = issuer_at(context.base(), Version::V2, &state.tenant_id.to_string());
    gone.iter()
        .flat_map(|account| account.apps.iter().map(move |app| (account, app)))
        .filter_map(|(account, app)| {
            let mut address = logout_address(&state, app)?;
            address
                .query_pairs_mut()
                .append_pair("iss", &issuer)
                .append_pair("sid", &account.subject.sid);
            Some(address)
        })
        .collect()
}

fn logout_address(state: &State, app_id: &str) -> Option<Url> {
    let application = state.store.find(Kind::Application, "appId", app_id)?;
    let address = application.get("web")?.get("logoutUrl")?.as_str()?;
    Url::parse(address).ok()
}
