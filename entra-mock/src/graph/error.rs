//! Error answers as Graph words them.

use entra_core::{Timestamp, time::UtcOffset};
use serde_json::json;

use super::TokenProblem;
use crate::{odata::Refusal, wire::Reply};

pub(super) fn reply(
    refusal: &Refusal,
    now: Timestamp,
    request_id: &str,
    client_request_id: &str,
) -> Reply {
    let mut body = json!({
        "error": {
            "code": refusal.code,
            "message": refusal.message,
            "innerError": {
                "date": inner_date(now),
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }
    });
    if !refusal.details.is_empty() {
        let details = refusal.details.iter().map(|detail| {
            let mut entry = json!({ "code": detail.code, "target": detail.target });
            if !detail.message.is_empty() {
                entry["message"] = detail.message.clone().into();
            }
            entry
        });
        body["error"]["details"] = details.collect();
    }
    let reply = Reply::new(refusal.status)
        .with_header("content-type", "application/json")
        .with_body(body.to_string());
    match &refusal.location {
        Some(location) => reply.with_header("location", location.clone()),
        None => reply,
    }
}

/// The error of a token that was not accepted.
pub(super) fn unauthorized(problem: TokenProblem) -> Refusal {
    Refusal::new(401, "InvalidAuthenticationToken", problem.message())
}

/// The challenge beside a 401: where tokens come from.
pub(super) fn challenge(base: &str) -> String {
    format!(
        "Bearer realm=\"\", authorization_uri=\"{base}/common/oauth2/authorize\", client_id=\"{GRAPH}\""
    )
}

/// `Sat, 21 Nov 2026 02:08:02 GMT`.
pub(super) fn http_date(now: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let now = now.to_offset(UtcOffset::UTC);
    let day = DAYS[usize::from(now.weekday().number_days_from_monday())];
    let month = MONTHS[usize::from(u8::from(now.month())) - 1];
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        now.day(),
        now.year(),
        now.hour(),
        now.minute(),
        now.second()
    )
}

/// Graph leaves the zone out here, and clients have stumbled over it.
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

/// Graph's own application id.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_graph_s_forms() {
        let now = Timestamp::from_unix_timestamp(1_795_226_882).unwrap();
        assert_eq!(http_date(now), "Sat, 21 Nov 2026 02:08:02 GMT");
        assert_eq!(inner_date(now), "2026-11-21T02:08:02");
    }
}
