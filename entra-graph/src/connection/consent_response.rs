//! The response to the admin consent.

use entra_core::{Guid, url::form_urlencoded};

use super::finding::{Check, Finding};

/// Judges the query of the URL to which the administrator was sent, by the tenant ID of the connection.
pub(super) fn finding(query: &str, expected: Option<Guid>) -> Finding {
    let query = query.trim_start_matches('?');
    let get = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    if let Some(error) = get("error") {
        return Finding::error(Check::Consent, "the administrator's consent was not given")
            .because(get("error_description").unwrap_or(error))
            .fix("open the admin consent URL again as a Privileged Role Administrator or Global Administrator");
    }
    let is_given = get("admin_consent").is_some_and(|given| given.eq_ignore_ascii_case("true"));
    let given_in = get("tenant").and_then(|tenant| tenant.parse::<Guid>().ok());
    let (true, Some(given_in)) = (is_given, given_in) else {
        return Finding::unknown(
            Check::Consent,
            "the response to the admin consent is not complete",
        );
    };
    match expected {
        Some(expected) if expected == given_in => {
            Finding::ok(Check::Consent, format!("admin consent done in the tenant {given_in}"))
        }
        Some(expected) => Finding::error(
            Check::Consent,
            format!("the wrong directory: consent was given in the tenant {given_in}"),
        )
        .because(format!("the connection is for the tenant {expected}"))
        .fix("sign in with an account of the right directory and consent again"),
        None => Finding::unknown(
            Check::Consent,
            format!("it is not known whether the consent in the tenant {given_in} is for this connection"),
        )
        .because("the tenant ID of the connection is not known")
        .fix("enter the Tenant ID in the connection: Overview > Tenant ID"),
    }
}
