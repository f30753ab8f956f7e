//! Passwords: their rules, and the change of the own password.

use serde_json::{Value, json};

use super::{
    super::{call::Call, route::Root, unsourced},
    body::{json as body_of, malformed},
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    account::PASSWORD,
    odata::GraphError,
    state::iso,
    store::{Kind, Object},
};

/// Changes the signed-in user's own password.
pub(super) fn change(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (user, id, _) = target(call, root, kind, "/changePassword")?;
    let body = body_of(call)?;
    let part = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                malformed(format!(
                    "The parameter '{name}' of the operation 'changePassword' is missing."
                ))
            })
    };
    let (current, new) = (part("currentPassword")?, part("newPassword")?);
    if let Some(other) = body
        .keys()
        .find(|name| !["currentPassword", "newPassword"].contains(&name.as_str()))
    {
        return Err(malformed(format!(
            "The parameter '{other}' in the request payload is not a valid parameter for the operation 'changePassword'."
        )));
    }
    if user.get(PASSWORD).and_then(Value::as_str) != Some(current) {
        return Err(unsourced::wrong_current_password());
    }
    check(new, policies(user))?;
    if new == current {
        return Err(GraphError::bad_request(
            "The specified password was used before. Please provide a different password.",
        ));
    }
    let mut profile = profile(user.get("passwordProfile"));
    profile["forceChangePasswordNextSignIn"] = false.into();
    profile["forceChangePasswordNextSignInWithMfa"] = false.into();
    let values = vec![
        (PASSWORD.to_owned(), Some(new.into())),
        ("passwordProfile".to_owned(), Some(profile)),
        (
            "lastPasswordChangeDateTime".to_owned(),
            Some(iso(call.now).into()),
        ),
    ];
    Ok(Plan::new(PlannedResponse::NoContent)
        .with(Step::RevokeSessions(id.to_owned()))
        .with(Step::Update(kind, id.to_owned(), values))
        .audited_as("UserManagement", "Change user password"))
}

/// Checks the documented rules: 8 to 256 characters of three of four classes.
pub(super) fn check(password: &str, policies: &str) -> Result<(), GraphError> {
    let classes: [fn(char) -> bool; 4] = [
        |char| char.is_ascii_lowercase(),
        |char| char.is_ascii_uppercase(),
        |char| char.is_ascii_digit(),
        |char| !char.is_ascii_alphanumeric() && char.is_ascii_graphic() || char == ' ',
    ];
    let used = classes
        .iter()
        .filter(|class| password.chars().any(**class))
        .count();
    let strong = used >= 3 || policies.contains("DisableStrongPassword");
    let printable = password
        .chars()
        .all(|char| char.is_ascii_graphic() || char == ' ');
    if (8..=256).contains(&password.len()) && strong && printable {
        return Ok(());
    }
    Err(GraphError::bad_request(
        "The specified password does not comply with password complexity requirements. Please provide a different password.",
    ))
}

/// Returns the stored part of a password profile: everything except the password.
pub(super) fn profile(value: Option<&Value>) -> Value {
    let part = |name: &str, otherwise: bool| {
        value
            .and_then(|value| value.get(name))
            .and_then(Value::as_bool)
            .unwrap_or(otherwise)
    };
    json!({
        "password": null,
        "forceChangePasswordNextSignIn": part("forceChangePasswordNextSignIn", true),
        "forceChangePasswordNextSignInWithMfa": part("forceChangePasswordNextSignInWithMfa", false),
    })
}

pub(super) fn policies(user: &Object) -> &str {
    user.get("passwordPolicies")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_password_has_eight_characters_of_three_classes() {
        for good in [
            "Passw0rd",
            "passw0rd!",
            "PASSW0RD!",
            "Pass word",
            "aB3!aB3!",
        ] {
            assert!(check(good, "").is_ok(), "{good}");
        }
        let long = format!("Aa1{}", "x".repeat(254));
        for bad in [
            "Passw0r",
            "password",
            "passw0rd",
            "PASSWORD!",
            "Pässw0rd!",
            long.as_str(),
        ] {
            assert!(check(bad, "").is_err(), "{bad}");
        }
        assert!(check("password", "DisableStrongPassword").is_ok());
        assert!(check("passwor", "DisableStrongPassword").is_err());
    }
}
