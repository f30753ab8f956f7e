//! The device authorization grant: a user enters a code in a browser on another device.

use std::time::Duration;

use entra_core::Timestamp;
use serde_json::{Map, Value};

use super::{
    account, client, client_authentication, consent,
    context::{Context, Version},
    discovery::{self, Tenant},
    error::{LoginError, not_supported, success},
    form::Form,
    mint::IssuedToken,
    page::{self, RequestedPermission},
    resource_parameter,
    scope::RequestedScopes,
    token_error::TokenError,
    user_grant::{self, UserTokenRequest},
    user_sign_in::{self, Event},
};
use crate::{
    directory::later,
    grants::{DeviceDecision, DeviceRequest, Subject},
    state::State,
    wire::Reply,
};

/// `/{tenant}/oauth2/v2.0/devicecode`
pub(super) fn start(context: &Context<'_>, segment: &str) -> Reply {
    match begin(context, segment) {
        Ok(body) => success(context, body),
        Err(TokenError::Error(error)) => error.render(context),
        Err(TokenError::NotSupported(what)) => not_supported(&what),
    }
}

fn begin(context: &Context<'_>, segment: &str) -> Result<Map<String, Value>, TokenError> {
    if context.request.method != "POST" {
        let text = "This endpoint accepts POST requests only.";
        return Err(LoginError::new(900_561, text).into());
    }
    let tenant = discovery::tenant(context, segment)?;
    let form = Form::read(context.request);
    let client_id = form.client_id()?;
    let requested = match (RequestedScopes::of_form(context, &form)?, context.version) {
        (Some(requested), _) => requested,
        (None, Version::V1) => return Err(LoginError::missing_parameter("resource").into()),
        (None, Version::V2) => return Err(LoginError::missing_parameter("scope").into()),
    };
    let client = client::find(&context.read(), client_id)?;
    user_grant::check_tenant(&context.read(), &tenant, &client)?;
    let requested = requested.for_one_resource(&context.read(), context)?;
    resource_parameter::check(&context.read(), context, form.get("resource"), &requested)?;
    let mut state = context.write();
    let (device_code, user_code) = (
        format!("1.D{}", state.random.token(120)),
        state.random.text(9, USER_CODE_LETTERS),
    );
    state.grants.devices.insert(
        device_code.clone(),
        DeviceRequest {
            device_code: device_code.clone(),
            user_code: user_code.clone(),
            client_id: client.app_id,
            requested,
            expires_on: later(context.now, LIFETIME),
            last_poll: None,
            decision: DeviceDecision::Pending,
        },
    );
    let address = format!("{}/devicelogin", context.base());
    let message =
        format!("To sign in, open the page {address} in a browser and enter the code {user_code}.");
    let mut body = Map::new();
    body.insert("user_code".into(), user_code.into());
    body.insert("device_code".into(), device_code.into());
    match context.version {
        Version::V1 => {
            body.insert("verification_url".into(), address.into());
            body.insert("expires_in".into(), LIFETIME.as_secs().to_string().into());
            body.insert("interval".into(), INTERVAL.as_secs().to_string().into());
        }
        Version::V2 => {
            body.insert("verification_uri".into(), address.into());
            body.insert("expires_in".into(), LIFETIME.as_secs().into());
            body.insert("interval".into(), INTERVAL.as_secs().into());
        }
    }
    body.insert("message".into(), message.into());
    Ok(body)
}

/// Responds to a poll at the token endpoint.
pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<IssuedToken, TokenError> {
    // The v1 endpoint calls it `code`.
    let device_code = match (context.version, form.get("code")) {
        (Version::V1, Some(code)) => code,
        _ => form.require("device_code")?,
    };
    let client = client_authentication::identify(context, form)?;
    user_grant::check_tenant(&context.read(), tenant, &client)?;
    client.check_authentication(client.allows_public_flows(&context.read()))?;
    let (subject, requested) = poll(context, device_code, &client.app_id)?;
    let token_request = UserTokenRequest::of_form(
        form,
        &client,
        &subject,
        &requested,
        Some(Event::Interactive),
    );
    Ok(user_grant::issue(context, &token_request)?)
}

fn poll(
    context: &Context<'_>,
    device_code: &str,
    client_id: &str,
) -> Result<(Subject, RequestedScopes), LoginError> {
    let mut state = context.write();
    let request = state
        .grants
        .devices
        .get_mut(device_code)
        .filter(|request| request.client_id == client_id)
        .ok_or_else(|| LoginError::new(70_018, "The device code is unknown."))?;
    if request.expires_on <= context.now && request.decision != DeviceDecision::Redeemed {
        let text = "The device code expired before a user signed in with it.";
        return Err(LoginError::new(70_020, text));
    }
    match request.decision.clone() {
        DeviceDecision::Approved(subject) => {
            request.decision = DeviceDecision::Redeemed;
            Ok((subject, request.requested.clone()))
        }
        DeviceDecision::Declined => {
            let text = "The user declined to sign in.";
            Err(LoginError::new(65_004, text).named("authorization_declined"))
        }
        DeviceDecision::Redeemed => Err(LoginError::new(
            54_005,
            "The device code was already redeemed. It can be used once.",
        )),
        DeviceDecision::Pending => {
            // One second of tolerance: timers and networks are not exact.
            let too_fast = request
                .last_poll
                .is_some_and(|last| context.now < later(last, INTERVAL - Duration::from_secs(1)));
            request.last_poll = Some(context.now);
            Err(if too_fast {
                LoginError::new(0, "The device polls too often.").named("slow_down")
            } else {
                LoginError::new(70_016, "No user has signed in with the code yet.")
            })
        }
    }
}

/// `/devicelogin`: the page where a user enters the code, signs in and consents.
pub(super) fn page(context: &Context<'_>) -> Reply {
    let form = Form::read(context.request);
    let name = form.get("login").unwrap_or_default();
    let show = |code: &str, message: Option<&str>| {
        let app = app_of(context, code);
        let app = app
            .as_ref()
            .map(|(app, permissions)| (app.as_str(), permissions.as_slice()));
        page::device(code, app, name, message).reply(context)
    };
    if context.request.method != "POST" {
        let code = context.query("otc").unwrap_or_default();
        return show(&code, None);
    }
    let code = form.get("otc").unwrap_or_default();
    let declined = form.get("step") == Some("decline");
    // The lock is free again before the sign-in.
    let found = pending(&context.read(), context.now, code).map(|_| ());
    let decided = match declined {
        true => decide(context, code, None),
        false => found
            .and_then(|()| sign_in(context, &form, code))
            .and_then(|subject| decide(context, code, Some(&subject))),
    };
    match decided {
        Err(error) if error.is_disabled_account() => {
            page::error(&error, None, None, context).reply(context)
        }
        Err(error) if ON_THE_PAGE.contains(&error.code) => {
            let text = format!("AADSTS{}: {}", error.code, error.text());
            show(code, Some(&text))
        }
        Err(error) => show(code, Some(error.text())),
        Ok(()) => {
            let (title, text) = if declined {
                (
                    "Declined",
                    "The sign-in was canceled. You can close this window.",
                )
            } else {
                (
                    "You are signed in",
                    "Go back to the device. You can close this window.",
                )
            };
            page::message(title, text).reply(context)
        }
    }
}

/// Approves the pending request with this user code as a user, who consents, or declines it.
pub(super) fn decide(
    context: &Context<'_>,
    user_code: &str,
    subject: Option<&Subject>,
) -> Result<(), LoginError> {
    let mut consents = Vec::new();
    if let Some(subject) = subject {
        let state = context.read();
        let request = pending(&state, context.now, user_code)?;
        let client = client::find(&state, &request.client_id)?;
        let (user, requested) = (&subject.user_id, &request.requested);
        let results = consent::look_up_all(&state, context, &client, user, requested)?;
        consent::check_administrator(&state, &client, subject, &results)?;
        consents = results
            .into_iter()
            .filter(|result| !result.missing.is_empty())
            .map(|result| (client.service_principal_id.clone(), result))
            .collect();
    }
    let mut state = context.write();
    let id = pending(&state, context.now, user_code)?.device_code.clone();
    for (client, result) in consents {
        let (resource, user) = (&result.resource.service_principal_id, subject);
        let user = user.map(|subject| subject.user_id.as_str());
        // The id of a grant is new, so storing it cannot fail.
        let _ = state.consent(&client, resource, &result.missing, user);
    }
    if let Some(request) = state.grants.devices.get_mut(&id) {
        request.decision = match subject {
            Some(subject) => DeviceDecision::Approved(subject.clone()),
            None => DeviceDecision::Declined,
        };
    }
    Ok(())
}

/// Returns the request with this user code, which must wait for its user.
fn pending<'a>(
    state: &'a State,
    now: Timestamp,
    user_code: &str,
) -> Result<&'a DeviceRequest, LoginError> {
    let user_code = user_code.trim();
    if user_code.is_empty() {
        return Err(LoginError::new(90_119, "The user code is empty."));
    }
    // If two requests have the same code, the pending one counts.
    let requests = state.grants.devices.values();
    let mut found: Vec<&DeviceRequest> = requests
        .filter(|request| request.user_code.eq_ignore_ascii_case(user_code))
        .collect();
    found.sort_by_key(|request| request.decision != DeviceDecision::Pending);
    let Some(request) = found.first() else {
        let text = "That code didn't work. Check the code and try again.";
        return Err(LoginError::new(70_018, text));
    };
    if request.decision != DeviceDecision::Pending {
        let text = "The request of this device was approved or declined already.";
        return Err(LoginError::new(90_120, text));
    }
    if request.expires_on <= now {
        let text = "The code has expired. Start again on the device.";
        return Err(LoginError::new(70_019, text));
    }
    Ok(request)
}

/// Returns the application of the pending device with this code, and what it can do without consent so far.
fn app_of(context: &Context<'_>, code: &str) -> Option<(String, Vec<RequestedPermission>)> {
    let state = context.read();
    let request = pending(&state, context.now, code).ok()?;
    let client = client::find(&state, &request.client_id).ok()?;
    let results = consent::look_up_all(&state, context, &client, "", &request.requested);
    let results = results.unwrap_or_default();
    let scopes = results.iter().flat_map(|result| {
        let missing = result.missing.iter();
        missing.map(move |name| (&result.resource, name))
    });
    let permissions = consent::listed_permissions(&state, &RequestedScopes::default(), scopes);
    Some((client.display_name, permissions))
}

fn sign_in(context: &Context<'_>, form: &Form, code: &str) -> Result<Subject, LoginError> {
    let (name, password) = (
        form.get("login").unwrap_or_default(),
        form.get("passwd").unwrap_or_default(),
    );
    let found = account::authenticate(context, name, password).map(|subject| Subject {
        // A user who enters a code on a page can also pass multifactor authentication there.
        mfa: true,
        ..subject
    });
    if let Err(error) = &found {
        let mut state = context.write();
        let client = state
            .grants
            .devices
            .values_mut()
            .find(|request| request.user_code.eq_ignore_ascii_case(code.trim()))
            .map(|request| request.client_id.clone());
        let client = client.and_then(|id| client::find(&state, &id).ok());
        drop(state);
        if let Some(client) = client {
            user_sign_in::record_failure(context, &client, name, error);
        }
    }
    found
}

const LIFETIME: Duration = Duration::from_secs(900);
const INTERVAL: Duration = Duration::from_secs(5);
/// The errors that the page shows with their number. A wrong password has none there.
const ON_THE_PAGE: [u32; 4] = [70_019, 90_094, 90_119, 90_120];
/// Without letters and digits that look alike.
const USER_CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
