//! The device authorization grant: a user enters a code in a browser on another device.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    Version, account, client,
    context::Context,
    discovery::{self, Tenant},
    error::{LoginError, not_supported, success},
    form::Form,
    grants::{DeviceDecision, DeviceRequest, Subject},
    mint::IssuedToken,
    page,
    scope::RequestedScopes,
    token::TokenError,
    user_grant::{self, UserTokenRequest},
    user_sign_in::{self, Event},
};
use crate::{directory::later, state::State, wire::Reply};

/// `/{tenant}/oauth2/v2.0/devicecode`
pub(super) fn start(context: &Context<'_>, segment: &str) -> Reply {
    match begin(context, segment) {
        Ok(body) => success(context, body),
        Err(TokenError::Error(error)) => error.render(context),
        Err(TokenError::NotSupported(what)) => not_supported(&what),
    }
}

fn begin(context: &Context<'_>, segment: &str) -> Result<Map<String, Value>, TokenError> {
    if context.version == Version::V1 {
        return Err(TokenError::NotSupported(format!(
            "POST {}",
            context.request.path
        )));
    }
    if context.request.method != "POST" {
        let text = "This endpoint accepts POST requests only.";
        return Err(LoginError::new(900_561, text).into());
    }
    let tenant = discovery::tenant(context, segment)?;
    let form = Form::read(context.request);
    let client_id = form.client_id()?;
    let requested = RequestedScopes::parse(form.require("scope")?)?;
    let mut state = context.write();
    let client = client::find(&state, client_id)?;
    user_grant::check_tenant(&state, &tenant, &client)?;
    let (device_code, user_code) = (
        format!("1.D{}", state.random.token(120)),
        state.random.text(9, USER_CODE_LETTERS),
    );
    state.grants.devices.insert(
        device_code.clone(),
        DeviceRequest {
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
    body.insert("verification_uri".into(), address.into());
    body.insert("expires_in".into(), LIFETIME.as_secs().into());
    body.insert("interval".into(), INTERVAL.as_secs().into());
    body.insert("message".into(), message.into());
    Ok(body)
}

/// Responds to a poll at the token endpoint.
pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<IssuedToken, TokenError> {
    let device_code = form.require("device_code")?;
    let client = client::identify(context, form)?;
    user_grant::check_tenant(&context.read(), tenant, &client)?;
    client.check_authentication(client.allows_public_flows(&context.read()))?;
    let (subject, requested) = poll(context, device_code, &client.app_id)?;
    let token_request = UserTokenRequest {
        client: &client,
        subject: &subject,
        requested: &requested,
        nonce: None,
        event: Some(Event::Interactive),
        fixed_end: None,
        client_info: form.get("client_info") == Some("1"),
        capabilities: &form.capabilities(),
    };
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

impl State {
    /// Approves or declines the pending request with this user code. Returns whether there is one.
    pub(super) fn decide_device(
        &mut self,
        now: entra_core::Timestamp,
        user_code: &str,
        decision: DeviceDecision,
    ) -> bool {
        let user_code = user_code.trim();
        let request = self.grants.devices.values_mut().find(|request| {
            request.user_code.eq_ignore_ascii_case(user_code)
                && request.expires_on > now
                && request.decision == DeviceDecision::Pending
        });
        request.map(|request| request.decision = decision).is_some()
    }

    /// Approves or declines a device without the page.
    pub(crate) fn complete_device(
        &mut self,
        now: entra_core::Timestamp,
        user_code: &str,
        user_name: Option<&str>,
    ) -> bool {
        let decision = match user_name {
            None => DeviceDecision::Declined,
            Some(name) => match account::find(self, name) {
                Ok(user) => DeviceDecision::Approved(account::subject(self, user, now, true)),
                Err(_) => return false,
            },
        };
        self.decide_device(now, user_code, decision)
    }
}

/// `/devicelogin`: the page where a user enters the code.
pub(super) fn page(context: &Context<'_>) -> Reply {
    let form = Form::read(context.request);
    let name = form.get("login").unwrap_or_default();
    let show = |code: &str, message: Option<&str>| {
        let app = app_of(context, code);
        page::device(code, app.as_deref(), name, message).reply(context)
    };
    if context.request.method != "POST" {
        let code = context.query("otc").unwrap_or_default();
        return show(&code, None);
    }
    let code = form.get("otc").unwrap_or_default();
    let declined = form.get("step") == Some("decline");
    let decision = if declined {
        Ok(DeviceDecision::Declined)
    } else {
        sign_in(context, &form, code).map(DeviceDecision::Approved)
    };
    match decision {
        Err(error) if error.is_disabled_account() => {
            page::error(&error, None, None, context).reply(context)
        }
        Err(error) => show(code, Some(error.text())),
        Ok(decision) => {
            if !context.write().decide_device(context.now, code, decision) {
                return show(
                    code,
                    Some("That code didn't work. Check the code and try again."),
                );
            }
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

/// Returns the application of the pending device with this code.
fn app_of(context: &Context<'_>, code: &str) -> Option<String> {
    let state = context.read();
    let request = state.grants.devices.values().find(|request| {
        request.user_code.eq_ignore_ascii_case(code.trim())
            && request.expires_on > context.now
            && request.decision == DeviceDecision::Pending
    })?;
    let client = client::find(&state, &request.client_id).ok()?;
    Some(client.display_name)
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
/// Without letters and digits that look alike.
const USER_CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
