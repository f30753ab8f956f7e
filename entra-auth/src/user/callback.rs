//! What the browser brings back from a sign-in, which anybody may have written.

use entra_core::{Secret, Timestamp, url::form_urlencoded};
use serde_json::json;

use super::flow_state::FlowState;
use crate::{Error, ErrorKind, token_endpoint::refused, wire::Refusal};

/// The code of a callback that belongs to this flow.
pub(super) fn code(callback: &str, flow: &FlowState, now: Timestamp) -> Result<Secret, Error> {
    if callback.len() > LONGEST {
        return Err(foreign("it is longer than any answer of the service"));
    }
    let parameters = parameters(callback);
    let get = |name: &str| -> Result<Option<&str>, Error> {
        let mut found = parameters.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(foreign("it has a parameter twice")),
            (found, _) => Ok(found.map(|(_, value)| value.as_str())),
        }
    };
    // Whose answer it is comes first: an error, too, may be an attacker's invention.
    let state = get("state")?.ok_or_else(|| foreign("it has no state"))?;
    if Secret::from(state) != Secret::from(flow.state.as_str()) {
        return Err(foreign(
            "its state is another one than that of this browser's sign-in",
        ));
    }
    if now >= flow.expires_on {
        return Err(
            Error::new(ErrorKind::InteractionRequired, "the sign-in took too long")
                .with(|inner| inner.fix = Some("start the sign-in anew".into())),
        );
    }
    if let Some(error) = get("error")? {
        let description = get("error_description")?.unwrap_or_default();
        return Err(refusal(error, description, get("error_subcode")?));
    }
    match get("code")? {
        Some(code) if !code.is_empty() => Ok(Secret::from(code)),
        _ => Err(foreign("it has neither a code nor an error")),
    }
}

/// The parameters of a full address, of a query or of a form's body.
fn parameters(callback: &str) -> Vec<(String, String)> {
    let text = match callback.split_once('?') {
        Some((_, query)) => query.split('#').next().unwrap_or_default(),
        None => callback,
    };
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

fn refusal(error: &str, description: &str, subcode: Option<&str>) -> Error {
    let body = json!({ "error": error, "error_description": description, "suberror": subcode });
    let refusal = Refusal::parse(body.to_string().as_bytes()).unwrap_or_default();
    let declined = error == "access_denied" && refusal.codes.first() != Some(&ADMIN_NEEDED);
    let error = refused(refusal);
    if !declined {
        return error;
    }
    let summary = match subcode {
        Some("cancel") => "the person cancelled the sign-in",
        _ => "the person or a policy declined the sign-in",
    };
    error.with(|inner| {
        inner.summary = summary.into();
        inner.fix =
            Some("let the person try again, or ask an admin to consent for everyone".into());
    })
}

fn foreign(what: &'static str) -> Error {
    Error::new(
        ErrorKind::Refused,
        "the callback does not belong to this sign-in",
    )
    .with(|inner| {
        inner.cause = Some(what.into());
        inner.fix = Some(
            "start the sign-in anew; if it lasts, see that the browser keeps the session's cookie"
                .into(),
        );
    })
}

/// An answer with a code, state and client information is far shorter.
const LONGEST: usize = 64 * 1024;
const ADMIN_NEEDED: u32 = 90_094;

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> FlowState {
        FlowState {
            state: "s-1".to_owned(),
            nonce: "n".to_owned(),
            verifier: Secret::from("v"),
            redirect_uri: "https://a.example/cb".to_owned(),
            scopes: Vec::new(),
            tenant: "contoso.com".parse().unwrap(),
            expires_on: Timestamp::UNIX_EPOCH + entra_core::time::Duration::seconds(600),
        }
    }

    fn read(callback: &str) -> Result<String, Error> {
        code(callback, &flow(), Timestamp::UNIX_EPOCH).map(|code| code.expose().to_owned())
    }

    #[test]
    fn a_code_is_found_in_an_address_a_query_and_a_form() {
        for callback in [
            "https://a.example/cb?code=c%2B1&state=s-1&session_state=x",
            "?state=s-1&code=c%2B1",
            "code=c%2B1&state=s-1",
            "https://a.example/cb?code=c%2B1&state=s-1#fragment",
        ] {
            assert_eq!(read(callback).unwrap(), "c+1", "{callback}");
        }
    }

    #[test]
    fn a_callback_of_somebody_else_is_refused_before_anything_is_read_from_it() {
        for callback in [
            "",
            "code=c",
            "code=c&state=",
            "code=c&state=s-2",
            "code=c&state=S-1",
            "code=c&state=s-1&state=s-1",
            "code=c&code=d&state=s-1",
            "error=access_denied&state=other",
            "state=s-1",
            "state=s-1&code=",
            &format!("state=s-1&code={}", "c".repeat(LONGEST)),
        ] {
            let error = read(callback).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{callback:.40}");
            assert!(error.to_string().contains("does not belong"), "{error}");
        }
    }

    #[test]
    fn an_error_of_the_service_keeps_number_and_words() {
        let answer = "error=access_denied&error_subcode=cancel&state=s-1&error_description=AADSTS65004%3A+No.%0D%0ATrace+ID%3A+x";
        let error = read(answer).unwrap_err();
        assert_eq!(error.aadsts_code(), Some(65_004));
        assert_eq!(error.service_message(), Some("AADSTS65004: No."));
        assert!(error.to_string().starts_with("the person cancelled"));
        let error =
            read("error=login_required&state=s-1&error_description=AADSTS50058%3A+x").unwrap_err();
        assert!(error.is_interaction_required());
        let odd = read("error=%1b%5B31m&state=s-1").unwrap_err();
        assert_eq!(odd.oauth_error(), None);
    }

    #[test]
    fn a_flow_ends_after_its_time() {
        let late = flow().expires_on;
        let error = code("code=c&state=s-1", &flow(), late).unwrap_err();
        assert!(error.is_interaction_required());
    }
}
