//! The rules of users: names, passwords, mail.

use serde_json::{Value, json};

use super::{
    super::call::Call,
    body::{Draft, invalid, required, texts},
    password,
};
use crate::{
    account::PASSWORD,
    odata::GraphError,
    schema::TextForm,
    state::{State, iso},
    store::{Kind, Object},
};

/// Returns the required properties that a body can omit: users with sign-in identities of their own
/// get a generated user principal name.
pub(super) fn optional_at_creation(kind: Kind, draft: &Draft) -> &'static [&'static str] {
    if kind == Kind::User && draft.get("identities").is_some() {
        &["accountEnabled", "mailNickname", "userPrincipalName"]
    } else {
        &[]
    }
}

/// Checks a new user and adds the properties that every user has.
pub(super) fn complete(call: Call<'_>, id: &str, draft: &mut Draft) -> Result<(), GraphError> {
    let entity = Kind::User.entity();
    if draft.get("identities").is_some() {
        let domain = call
            .state
            .domains
            .last()
            .map_or_else(String::new, Clone::clone);
        draft.set_if_absent("accountEnabled", true);
        draft.set_if_absent("mailNickname", id);
        draft.set_if_absent("userPrincipalName", format!("{id}@{domain}"));
    }
    check(call.state, draft)?;
    let profile = draft.get("passwordProfile").cloned();
    let secret = profile
        .as_ref()
        .and_then(|profile| profile.get("password"))
        .and_then(Value::as_str)
        .ok_or_else(|| required(entity, "passwordProfile"))?;
    password::check(secret, draft.text("passwordPolicies").unwrap_or_default())?;
    draft.set(PASSWORD, secret);
    draft.set("passwordProfile", password::profile(profile.as_ref()));
    draft.set("lastPasswordChangeDateTime", iso(call.now));
    draft.set("signInSessionsValidFromDateTime", iso(call.now));
    draft.set_if_absent("userType", "Member");
    if let Some(mail) = draft.text("mail") {
        draft.set("proxyAddresses", json!([format!("SMTP:{mail}")]));
    }
    set_identity(draft, None);
    Ok(())
}

/// Checks changes of a user and adds the changes that follow from them.
pub(super) fn adjust(call: Call<'_>, user: &Object, draft: &mut Draft) -> Result<(), GraphError> {
    check(call.state, draft)?;
    if let Some(profile) = draft.get("passwordProfile").cloned() {
        if let Some(secret) = profile.get("password").and_then(Value::as_str) {
            // Null clears the policies for this password too.
            let policies = match draft.names("passwordPolicies") {
                true => draft.text("passwordPolicies").unwrap_or_default(),
                false => password::policies(user),
            };
            password::check(secret, policies)?;
            draft.set(PASSWORD, secret);
            draft.set("lastPasswordChangeDateTime", iso(call.now));
        }
        draft.set("passwordProfile", password::profile(Some(&profile)));
    }
    if draft.names("mail") {
        let addresses = with_primary(user, draft.text("mail"));
        draft.set("proxyAddresses", addresses);
    }
    if draft.names("userPrincipalName") {
        set_identity(draft, Some(user));
    }
    Ok(())
}

fn check(state: &State, draft: &Draft) -> Result<(), GraphError> {
    let entity = Kind::User.entity();
    if let Some(name) = draft.text("userPrincipalName") {
        let (_, domain) = name.split_once('@').unwrap_or((name, ""));
        if !state
            .domains
            .iter()
            .any(|known| known.eq_ignore_ascii_case(domain))
        {
            return Err(GraphError::bad_request(
                "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.",
            ));
        }
        // The parameter of a restore is not a property of a body.
        if !TextForm::UserPrincipalName.fits(name) {
            return Err(invalid(entity, "userPrincipalName"));
        }
    }
    let check = |name: &str, fits: fn(&str) -> bool| match draft.text(name) {
        Some(text) if !fits(text) => Err(invalid(entity, name)),
        _ => Ok(()),
    };
    check("usageLocation", |text| {
        text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
    })?;
    check("userType", |text| ["Member", "Guest"].contains(&text))?;
    check("mail", is_address)?;
    check("ageGroup", |text| {
        ["Minor", "NotAdult", "Adult"].contains(&text)
    })?;
    check("consentProvidedForMinor", |text| {
        ["Granted", "Denied", "NotRequired"].contains(&text)
    })?;
    check("passwordPolicies", |text| {
        text.split(',').all(|policy| {
            ["None", "DisablePasswordExpiration", "DisableStrongPassword"].contains(&policy.trim())
        })
    })
}

fn is_address(text: &str) -> bool {
    let is_alias = |text| TextForm::Alias.fits(text);
    text.split_once('@')
        .is_some_and(|(local, domain)| is_alias(local) && domain.contains('.') && is_alias(domain))
}

/// Returns the addresses of a user with a new primary one; the previous one stays as a secondary.
fn with_primary(user: &Object, mail: Option<&str>) -> Vec<String> {
    let mut addresses: Vec<String> = texts(user.get("proxyAddresses"))
        .map(|address| match address.strip_prefix("SMTP:") {
            Some(before) => format!("smtp:{before}"),
            None => address.to_owned(),
        })
        .collect();
    if let Some(mail) = mail {
        let primary = format!("SMTP:{mail}");
        addresses.retain(|address| !address.eq_ignore_ascii_case(&primary));
        addresses.insert(0, primary);
    }
    addresses
}

/// Returns the changes that give a user another user principal name.
pub(super) fn renamed(
    call: Call<'_>,
    user: &Object,
    name: &str,
) -> Result<Vec<(String, Option<Value>)>, GraphError> {
    let mut draft = Draft::default();
    draft.set("userPrincipalName", name);
    check(call.state, &draft)?;
    set_identity(&mut draft, Some(user));
    Ok(draft.values)
}

/// Sets the identity that belongs to the user principal name.
fn set_identity(draft: &mut Draft, user: Option<&Object>) {
    let Some(name) = draft.text("userPrincipalName") else {
        return;
    };
    let domain = name.split('@').next_back().unwrap_or_default();
    let own =
        json!({ "signInType": "userPrincipalName", "issuer": domain, "issuerAssignedId": name });
    let before = draft
        .get("identities")
        .or_else(|| user.and_then(|user| user.get("identities")))
        .and_then(Value::as_array);
    let mut identities: Vec<Value> = before
        .into_iter()
        .flatten()
        .filter(|identity| identity["signInType"] != "userPrincipalName")
        .cloned()
        .collect();
    identities.push(own);
    draft.set("identities", identities);
}
