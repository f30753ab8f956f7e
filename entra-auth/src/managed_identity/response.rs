//! Responses of a host's token endpoint. Each kind of host has its own format.

use std::time::Duration;

use entra_core::{
    AccessToken, Response, Timestamp,
    http::StatusCode,
    parse_rfc3339,
    time::{Date, Month, Time, UtcOffset},
};
use serde_json::{Value, json};

use super::{ManagedIdentityId, ManagedIdentitySource, endpoint::Endpoint};
use crate::{
    Aadsts, Error, ErrorKind,
    aadsts::Class,
    redact::without,
    skew::ClockDifference,
    token_endpoint::{with_message, with_tries},
    wire::{OAuthError, without_bom},
};

/// Reads the token or the error of a response.
pub(super) fn read(
    endpoint: &Endpoint,
    identity: &ManagedIdentityId,
    response: &Response,
    now: Timestamp,
) -> Result<AccessToken, Error> {
    if response.status != StatusCode::OK {
        return Err(response_error(endpoint, response));
    }
    let unusable = |what: &'static str, fix: &'static str| {
        Error::new(
            ErrorKind::Protocol,
            format!("the response of {} cannot be used", endpoint.source),
        )
        .with(|inner| {
            inner.status = Some(response.status.as_u16());
            inner.cause = Some(what.into());
            inner.fix = Some(fix.into());
            inner.correlation_id = Some(response.client_request_id.clone());
        })
    };
    let malformed = |what| {
        unusable(
            what,
            "check that no other service responds at the host's token endpoint",
        )
    };
    // The body holds a token, so nothing of it goes into an error.
    let body: Value = serde_json::from_slice(without_bom(&response.body))
        .map_err(|_| malformed("the body is not JSON"))?;
    let token = body["access_token"]
        .as_str()
        .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(|| malformed("access_token is missing or no header can carry it"))?;
    let difference = ClockDifference::of_response(response, now);
    let expires_on = expiry(&body, now, difference)
        .ok_or_else(|| malformed("it does not say when it expires"))?;
    if expires_on <= now {
        return Err(unusable(
            "the token has already expired by the clock of this machine",
            "check the clock of this machine",
        ));
    }
    check_echo(endpoint, identity, &body)?;

    let lifetime = Duration::try_from(expires_on - now).unwrap_or_default();
    let token = AccessToken::new(token, expires_on);
    let refresh_in = seconds(&body["refresh_in"])
        .filter(|refresh| *refresh > Duration::ZERO && *refresh < lifetime)
        .or_else(|| (lifetime >= LONG_LIVED).then_some(lifetime / 2));
    Ok(match refresh_in {
        Some(refresh_in) => token.with_refresh_on(now + refresh_in),
        None => token,
    })
}

/// Old agents of Azure Arc ignore the choice of an identity and give a token of the machine's own.
fn check_echo(
    endpoint: &Endpoint,
    identity: &ManagedIdentityId,
    body: &Value,
) -> Result<(), Error> {
    let (name, wanted) = match identity {
        ManagedIdentityId::System => return Ok(()),
        ManagedIdentityId::Client(id) => ("client_id", id.to_string()),
        ManagedIdentityId::Object(id) => ("object_id", id.to_string()),
        ManagedIdentityId::Resource(id) => ("msi_res_id", id.clone()),
    };
    let echoed = body[name].as_str().unwrap_or_default();
    if endpoint.source != ManagedIdentitySource::AzureArc || echoed.eq_ignore_ascii_case(&wanted) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Rejected,
        "Azure Arc's agent gave a token of another identity",
    )
    .with(|inner| {
        inner.cause =
            Some("this version of the agent knows the machine's own identity only".into());
        inner.fix =
            Some("update the Connected Machine agent, or use the machine's own identity".into());
    }))
}

fn response_error(endpoint: &Endpoint, response: &Response) -> Error {
    let (status, source) = (response.status, endpoint.source);
    let error_response = parse(&response.body).without_secrets(|text| endpoint.redact(text));
    let entry = known(&error_response);
    let message = error_response.message.unwrap_or_default();
    let says = |text: &str| message.to_ascii_lowercase().contains(text);
    let oauth = error_response.oauth_error.as_deref();

    let (kind, summary, fix): (_, String, &'static str) = if status == StatusCode::TOO_MANY_REQUESTS
    {
        (
            ErrorKind::Throttled,
            format!("{source} asked to slow down"),
            "use one credential for the whole process, so that its tokens are shared",
        )
    } else if !entry.is_some_and(is_final)
        && (status.is_server_error() || matches!(status.as_u16(), 404 | 408 | 410))
    {
        (
            ErrorKind::Service,
            format!("{source} failed to give a token"),
            "try again later; a host that has just started needs a while",
        )
    } else if says("unreachable") {
        // The response of Docker Desktop's network in place of a metadata service.
        (
            ErrorKind::Unavailable,
            "no managed identity: the network has no metadata service".to_owned(),
            "run on Azure, or sign in with another credential",
        )
    } else if says("identity not found") || says("no user assigned or delegated") {
        (
            match source {
                ManagedIdentitySource::Imds => ErrorKind::Unavailable,
                _ => ErrorKind::Rejected,
            },
            format!("{source} has no such managed identity"),
            "enable the system-assigned identity or assign the requested one, and name it by its client, object or resource id",
        )
    } else if let Some(entry) = entry {
        (
            entry.class().kind(),
            entry.summary().to_owned(),
            entry.fix(),
        )
    } else if oauth == Some("invalid_resource") {
        (
            ErrorKind::Rejected,
            "the resource is invalid".to_owned(),
            "request one resource as {resource}/.default, by the name it has in this tenant",
        )
    } else if oauth == Some("bad_request_102") {
        (
            ErrorKind::Rejected,
            format!("{source} saw no Metadata header"),
            "check that no proxy stands between this process and the host's token endpoint",
        )
    } else if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
        (
            ErrorKind::Rejected,
            format!("{source} does not take this process for one of its own"),
            "leave the variables of the host as it sets them, and start the process on that host",
        )
    } else {
        (
            ErrorKind::Rejected,
            format!("{source} returned an error in place of a token"),
            "see what the host's message says, and that the identity is assigned",
        )
    };
    let message = Some(message).filter(|message| !message.is_empty());
    // Cloud Shell signs in as its user, and a message may name the account, and Arc's agent knows a key that is not redacted.
    let is_printed = !matches!(
        source,
        ManagedIdentitySource::CloudShell | ManagedIdentitySource::AzureArc
    );
    let said = message.as_deref().filter(|_| is_printed);
    let cause = with_message(entry.and_then(Aadsts::cause), said, fix);
    Error::new(kind, with_tries(summary.into(), response)).with(|inner| {
        inner.status = Some(status.as_u16());
        inner.codes = error_response.codes;
        inner.oauth_error = error_response.oauth_error;
        inner.cause = cause.map(Into::into);
        inner.fix = Some(fix.into());
        inner.retryable = entry.is_some_and(Aadsts::is_retryable);
        inner.retry_after = response.retry_after;
        inner.service_message = message;
        inner.is_of_application = true;
        inner.correlation_id = error_response
            .correlation_id
            .or_else(|| Some(response.client_request_id.clone()));
    })
}

/// Whether Entra's number in the body says that the host gives no token, whatever the status: App Service passes
/// such an error on as one of its own (500).
pub(super) fn has_final_error(body: &[u8]) -> bool {
    known(&parse(body)).is_some_and(is_final)
}

fn known(error_response: &OAuthError) -> Option<&'static Aadsts> {
    let mut codes = error_response.codes.iter();
    codes.find_map(|code| Aadsts::lookup(*code))
}

fn is_final(entry: &Aadsts) -> bool {
    !entry.is_retryable() && !matches!(entry.class(), Class::Service | Class::Throttled)
}

/// Converts the three formats of error responses to that of the token endpoint.
fn parse(body: &[u8]) -> OAuthError {
    let body: Value = serde_json::from_slice(without_bom(body)).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let error = text(&body["error"]).or_else(|| text(&body["error"]["code"]));
    let message = text(&body["error_description"])
        .or_else(|| text(&body["message"]))
        .or_else(|| text(&body["error"]["message"]));
    let spoken = json!({
        // Some code must be there; this one is no OAuth error and is not shown.
        "error": error.as_deref().unwrap_or("-"),
        "error_description": message,
        "correlation_id": text(&body["correlationId"])
            .or_else(|| text(&body["correlation_id"]))
            // Of Service Fabric.
            .or_else(|| text(&body["error"]["correlationId"])),
    });
    let mut error_response = OAuthError::parse(spoken.to_string().as_bytes()).unwrap_or_default();
    error_response.oauth_error = error_response.oauth_error.filter(|error| error != "-");
    error_response
}

impl Endpoint {
    fn redact(&self, text: String) -> String {
        match &self.secret {
            Some(secret) => without(&text, &[secret.expose_secret().trim()]),
            None => text,
        }
    }
}

/// When the token expires by this machine's clock: by its lifetime, which holds whatever that clock shows, or by the
/// time in the response if that is earlier. That time is in seconds since 1970, or a date in one of several
/// forms. Where it stands alone, a clock that differs from the host's is allowed for.
fn expiry(body: &Value, now: Timestamp, difference: Option<ClockDifference>) -> Option<Timestamp> {
    let on = &body["expires_on"];
    let epoch = seconds(on).and_then(|since| i64::try_from(since.as_secs()).ok());
    let date = || date(on.as_str()?.trim());
    let on = epoch
        .and_then(|since| Timestamp::from_unix_timestamp(since).ok())
        .or_else(date);
    let by_lifetime = seconds(&body["expires_in"])
        .filter(|lifetime| !lifetime.is_zero() && *lifetime <= LONGEST)
        .map(|lifetime| now + lifetime);
    match (on, by_lifetime) {
        (Some(on), Some(by_lifetime)) if on > now => Some(on.min(by_lifetime)),
        // A host gives no expired token, so the clock is ahead.
        (Some(_), Some(by_lifetime)) => Some(by_lifetime),
        // A clock that is wrong would make the token valid for longer, or not at all.
        (Some(on), None) => match difference.filter(|difference| difference.is_wrong()) {
            Some(difference) => on.checked_add(difference.ahead()),
            None => Some(on),
        },
        (None, by_lifetime) => by_lifetime,
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(number)
        .ok()
        .map(|duration| Duration::from_secs(duration.as_secs()))
}

/// `2026-01-02T03:04:05Z`, `2026-01-02 03:04:05 +00:00` or `1/2/2026 3:04:05 AM +00:00`.
fn date(text: &str) -> Option<Timestamp> {
    if let Some(time) = parse_rfc3339(&text.replacen(' ', "T", 1).replace(' ', "")) {
        return Some(time);
    }
    let mut parts = text.split_whitespace();
    let (day, clock) = (parts.next()?, parts.next()?);
    let numbers = |text: &str, mark| -> Option<[u16; 3]> {
        let parts: Vec<u16> = text
            .split(mark)
            .map_while(|part| part.parse().ok())
            .collect();
        parts.try_into().ok()
    };
    let [month, day, year] = numbers(day, '/')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let mut rest = parts.peekable();
    let hour = match rest.next_if(|half| matches!(*half, "AM" | "PM")) {
        Some("PM") if hour < 12 => hour + 12,
        Some("AM") if hour == 12 => 0,
        _ => hour,
    };
    if rest
        .next()
        .is_some_and(|offset| !matches!(offset, "+00:00" | "Z"))
    {
        return None;
    }
    let small = |number: u16| u8::try_from(number).ok();
    let month = Month::try_from(small(month)?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, small(day)?).ok()?;
    let time = Time::from_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    Some(date.with_time(time).assume_offset(UtcOffset::UTC))
}

/// From here on a token is renewed at half of its life.
const LONG_LIVED: Duration = Duration::from_secs(2 * 3600);
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_of_a_token_is_read_in_every_known_format() {
        let now = Timestamp::UNIX_EPOCH;
        for on in [
            json!("1767323045"),
            json!(1_767_323_045),
            json!("2026-01-02T03:04:05Z"),
            json!("2026-01-02 03:04:05 +00:00"),
            json!("1/2/2026 3:04:05 AM +00:00"),
            json!("01/02/2026 03:04:05 +00:00"),
        ] {
            let end = expiry(&json!({ "expires_on": on }), now, None).unwrap();
            assert_eq!(end.unix_timestamp(), 1_767_323_045, "{on}");
        }
        let pm = date("12/31/2026 11:59:59 PM +00:00").unwrap();
        assert_eq!((pm.hour(), pm.minute()), (23, 59));
        assert_eq!(date("1/2/2026 12:00:00 AM +00:00").unwrap().hour(), 0);
        let fallback = expiry(
            &json!({ "expires_on": "soon", "expires_in": "60" }),
            now,
            None,
        );
        assert_eq!(fallback.unwrap().unix_timestamp(), 60);
        // A clock that is right, behind, ahead, and a lifetime that is of no use.
        for (on, lifetime, expected) in [
            (3_600, json!("3599"), 3_599),
            (3_500, json!(3_600), 3_500),
            (90_000, json!("3600"), 3_600),
            (-82_800, json!(3_600), 3_600),
            (3_600, json!("0"), 3_600),
            (3_600, json!("soon"), 3_600),
        ] {
            let now = Timestamp::from_unix_timestamp(1_767_323_045).unwrap_or(now);
            let on = (now.unix_timestamp() + on).to_string();
            let end = expiry(
                &json!({ "expires_on": on, "expires_in": lifetime }),
                now,
                None,
            )
            .unwrap();
            assert_eq!((end - now).whole_seconds(), expected, "{on} {lifetime}");
        }
        // Without a lifetime, the host's clock tells.
        for (ahead, expected) in [
            (0, 3_600),
            (20, 3_600),
            (-86_400, 3_600 - 86_400),
            (86_400, 90_000),
        ] {
            let now = Timestamp::from_unix_timestamp(1_767_323_045).unwrap_or(now);
            let on = (now.unix_timestamp() + 3_600).to_string();
            let difference = ClockDifference::new(entra_core::time::Duration::seconds(ahead));
            let end = expiry(&json!({ "expires_on": on }), now, Some(difference)).unwrap();
            assert_eq!((end - now).whole_seconds(), expected, "{ahead}");
        }
        for bad in [
            json!({}),
            json!({ "expires_in": 0 }),
            json!({ "expires_on": "soon" }),
            json!({ "expires_on": "13/32/2026 3:04:05 AM +00:00" }),
            json!({ "expires_on": "1/2/2026 3:04:05 AM +02:00" }),
            json!({ "expires_on": 1e300 }),
            json!({ "expires_in": 1e17 }),
            json!({ "expires_in": -1 }),
        ] {
            assert_eq!(expiry(&bad, now, None), None, "{bad}");
        }
    }

    #[test]
    fn a_number_of_entra_is_final_unless_the_service_failed() {
        for (message, expected) in [
            ("AADSTS500011: no such resource", true),
            ("AADSTS90033: a temporary failure", false),
            ("AADSTS700213: too new", false),
            ("AADSTS99999991: unknown", false),
            ("busy", false),
        ] {
            let body = json!({ "statusCode": 500, "message": message }).to_string();
            assert_eq!(has_final_error(body.as_bytes()), expected, "{message}");
        }
        assert!(!has_final_error(b"<html>"));
    }

    #[test]
    fn three_formats_of_error_responses_are_read() {
        let read = |body: Value| {
            let error_response = parse(body.to_string().as_bytes());
            (
                error_response.oauth_error,
                error_response.message,
                error_response.codes,
            )
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            read(json!({ "error": "invalid_request", "error_description": "Identity not found" })),
            (text("invalid_request"), text("Identity not found"), vec![])
        );
        assert_eq!(
            read(json!({ "statusCode": 500, "message": "AADSTS500011: no such resource" })),
            (None, text("AADSTS500011: no such resource"), vec![500_011])
        );
        assert_eq!(
            read(json!({ "error": { "code": "BadRequest", "message": "no audience" } })),
            (text("BadRequest"), text("no audience"), vec![])
        );
        assert_eq!(parse(b"<html>").message, None);
        let fabric =
            br#"{"error":{"correlationId":"c-1","code":"SecretHeaderNotFound","message":"m"}}"#;
        let fabric = parse(fabric);
        assert_eq!(fabric.oauth_error.as_deref(), Some("SecretHeaderNotFound"));
        assert_eq!(fabric.correlation_id.as_deref(), Some("c-1"));
    }
}
