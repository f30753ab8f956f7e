//! The grant of a device without a browser: a person types a code elsewhere.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    Version, account, client,
    context::Context,
    discovery::{self, Tenant},
    error::{LoginError, not_supported, success},
    form::Form,
    grants::{DeviceAnswer, DeviceRequest, Subject},
    mint::Issued,
    page,
    scope::Asked,
    token::Refusal,
    user_grant::{self, Order},
    user_sign_in::{self, Event},
};
use crate::{directory::later, state::State, wire::Reply};

/// `/{tenant}/oauth2/v2.0/devicecode`
pub(super) fn start(context: &Context<'_>, segment: &str) -> Reply {
    match begin(context, segment) {
        Ok(body) => success(context, body),
        Err(Refusal::Error(error)) => error.render(context),
        Err(Refusal::NotSupported(what)) => not_supported(&what),
    }
}

fn begin(context: &Context<'_>, segment: &str) -> Result<Map<String, Value>, Refusal> {
    if context.version == Version::V1 {
        return Err(Refusal::NotSupported(format!(
            "POST {}",
            context.request.path
        )));
    }
    if context.request.method != "POST" {
        let text = "This endpoint takes POST requests only.";
        return Err(LoginError::new(900_561, text).into());
    }
    let tenant = discovery::tenant(context, segment)?;
    let form = Form::read(context.request);
    let client_id = form.client_id()?;
    let asked = Asked::parse(form.require("scope")?)?;
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
            asked,
            expires_on: later(context.now, LIFETIME),
            last_poll: None,
            answer: DeviceAnswer::Pending,
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

/// A poll at the token endpoint.
pub(super) fn respond(
    context: &Context<'_>,
    tenant: &Tenant,
    form: &Form,
) -> Result<Issued, Refusal> {
    let device_code = form.require("device_code")?;
    let client = client::identify(context, form)?;
    user_grant::check_tenant(&context.read(), tenant, &client)?;
    client.check_proof(client.allows_public_flows(&context.read()))?;
    let (subject, asked) = poll(context, device_code, &client.app_id)?;
    let order = Order {
        client: &client,
        subject: &subject,
        asked: &asked,
        nonce: None,
        event: Some(Event::Interactive),
        fixed_end: None,
        client_info: form.get("client_info") == Some("1"),
        capabilities: &form.capabilities(),
    };
    Ok(user_grant::issue(context, &order)?)
}

fn poll(
    context: &Context<'_>,
    device_code: &str,
    client_id: &str,
) -> Result<(Subject, Asked), LoginError> {
    let mut state = context.write();
    let request = state
        .grants
        .devices
        .get_mut(device_code)
        .filter(|request| request.client_id == client_id)
        .ok_or_else(|| LoginError::new(70_018, "The device code is unknown."))?;
    if request.expires_on <= context.now && request.answer != DeviceAnswer::Redeemed {
        let text = "The device code has expired: nobody signed in with it in time.";
        return Err(LoginError::new(70_020, text));
    }
    match request.answer.clone() {
        DeviceAnswer::Approved(subject) => {
            request.answer = DeviceAnswer::Redeemed;
            Ok((subject, request.asked.clone()))
        }
        DeviceAnswer::Declined => {
            let text = "The person declined to sign in.";
            Err(LoginError::new(65_004, text).named("authorization_declined"))
        }
        DeviceAnswer::Redeemed => Err(LoginError::new(
            54_005,
            "The device code was redeemed already; it is good once.",
        )),
        DeviceAnswer::Pending => {
            // A second of tolerance: timers and networks are not exact.
            let too_fast = request
                .last_poll
                .is_some_and(|last| context.now < later(last, INTERVAL - Duration::from_secs(1)));
            request.last_poll = Some(context.now);
            Err(if too_fast {
                LoginError::new(0, "The device asks too often.").named("slow_down")
            } else {
                LoginError::new(70_016, "Nobody has signed in with the code yet.")
            })
        }
    }
}

impl State {
    /// Answers the open request with this user code; whether there is one.
    pub(super) fn answer_device(
        &mut self,
        now: entra_core::Timestamp,
        user_code: &str,
        answer: DeviceAnswer,
    ) -> bool {
        let user_code = user_code.trim();
        let request = self.grants.devices.values_mut().find(|request| {
            request.user_code.eq_ignore_ascii_case(user_code)
                && request.expires_on > now
                && request.answer == DeviceAnswer::Pending
        });
        request.map(|request| request.answer = answer).is_some()
    }

    /// Lets a person approve or decline a device, without the page.
    #[cfg(feature = "wiremock")]
    pub(crate) fn settle_device(
        &mut self,
        now: entra_core::Timestamp,
        user_code: &str,
        user_name: Option<&str>,
    ) -> bool {
        let answer = match user_name {
            None => DeviceAnswer::Declined,
            Some(name) => match account::find(self, name) {
                Ok(user) => DeviceAnswer::Approved(account::subject(self, user, now, true)),
                Err(_) => return false,
            },
        };
        self.answer_device(now, user_code, answer)
    }
}

/// `/devicelogin`: the page where a person enters the code.
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
    let answer = if declined {
        Ok(DeviceAnswer::Declined)
    } else {
        sign_in(context, &form, code).map(DeviceAnswer::Approved)
    };
    match answer {
        Err(error) => show(code, Some(error.text())),
        Ok(answer) => {
            if !context.write().answer_device(context.now, code, answer) {
                return show(code, Some("The code is not right, or it has expired."));
            }
            let (title, text) = if declined {
                (
                    "Declined",
                    "Nothing was signed in. You can close this window.",
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

/// The application whose device shows this code and still waits.
fn app_of(context: &Context<'_>, code: &str) -> Option<String> {
    let state = context.read();
    let request = state.grants.devices.values().find(|request| {
        request.user_code.eq_ignore_ascii_case(code.trim())
            && request.expires_on > context.now
            && request.answer == DeviceAnswer::Pending
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
        // Whoever types a code at a page can give a second factor there, too.
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
            user_sign_in::refused(context, &client, name, error);
        }
    }
    found
}

const LIFETIME: Duration = Duration::from_secs(900);
const INTERVAL: Duration = Duration::from_secs(5);
/// Without letters and digits that look alike.
const USER_CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
