//! Error responses in the form of Graph.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use entra_core::{Timestamp, time::UtcOffset};
use serde_json::json;

use crate::{
    odata::GraphError,
    permissions::TokenProblem,
    time::{push_two_digits, push_year},
    wire::Reply,
};

pub(super) fn reply(
    error: &GraphError,
    now: Timestamp,
    request_id: &str,
    client_request_id: &str,
) -> Reply {
    let mut body = json!({
        "error": {
            "code": error.code,
            "message": error.message,
            "innerError": {
                "date": inner_date(now),
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }
    });
    if !error.details.is_empty() {
        let details = error.details.iter().map(|detail| {
            let mut entry = json!({ "code": detail.code, "target": detail.target });
            if !detail.message.is_empty() {
                entry["message"] = detail.message.clone().into();
            }
            entry
        });
        body["error"]["details"] = details.collect();
    }
    let reply = Reply::new(error.status)
        .with_header("content-type", "application/json")
        .with_body(body.to_string());
    match &error.location {
        Some(location) => reply.with_header("location", location.clone()),
        None => reply,
    }
}

/// Returns the error for a token that was not accepted.
pub(super) fn unauthorized(problem: TokenProblem) -> GraphError {
    GraphError::new(401, "InvalidAuthenticationToken", problem.message())
}

/// Returns the challenge of a 401 response.
///
/// For a revoked token it has the claims that a client requests the next token with.
pub(super) fn challenge(base: &str, problem: Option<TokenProblem>) -> String {
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"{base}/common/oauth2/authorize\", client_id=\"{GRAPH}\""
    );
    let Some(TokenProblem::Revoked { since }) = problem else {
        return challenge;
    };
    let claims =
        json!({ "access_token": { "nbf": { "essential": true, "value": since.to_string() } } });
    format!(
        "{challenge}, error=\"insufficient_claims\", claims=\"{}\"",
        STANDARD.encode(claims.to_string())
    )
}

/// Formats `Sat, 21 Nov 2026 02:08:02 GMT`.
pub(crate) fn http_date(now: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let now = now.to_offset(UtcOffset::UTC);
    let day = DAYS[usize::from(now.weekday().number_days_from_monday())];
    let month = MONTHS[usize::from(u8::from(now.month())) - 1];
    let mut date = String::with_capacity("Sat, 21 Nov 2026 02:08:02 GMT".len());
    date.extend([day, ", "]);
    push_two_digits(&mut date, now.day());
    date.extend([" ", month, " "]);
    push_year(&mut date, now.year());
    for (before, number) in [(' ', now.hour()), (':', now.minute()), (':', now.second())] {
        date.push(before);
        push_two_digits(&mut date, number);
    }
    date.push_str(" GMT");
    date
}

/// Formats the date of `innerError`. Graph omits the time zone there, which has broken clients.
fn inner_date(now: Timestamp) -> String {
    let now = now.to_offset(UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    )
}

/// Application id of Microsoft Graph.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_formats_of_graph() {
        let now = Timestamp::from_unix_timestamp(1_795_226_882).unwrap();
        assert_eq!(http_date(now), "Sat, 21 Nov 2026 02:08:02 GMT");
        assert_eq!(inner_date(now), "2026-11-21T02:08:02");
    }
}
