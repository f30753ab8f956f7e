//! The rules of redirect URIs, and the limits of registrations by who can sign in (documentation, "Redirect URI
//! restrictions" and "Validation differences by supported account types").
//!
//! Only what a request adds is judged, and what no rule forbids is accepted: custom schemes, `urn:` names, fragments.

use std::collections::HashMap;

use serde_json::Value;
use url::{Host, Url};

use super::{
    super::unsourced::{outside_limits, wrong_redirect_uri},
    body::{Draft, texts},
};
use crate::{directory::DEFAULT_AUDIENCE, odata::GraphError, store::Object};

/// Checks a new application, or changes of one.
pub(super) fn check(before: Option<&Object>, draft: &Draft) -> Result<(), GraphError> {
    let mut content = Content {
        before,
        draft,
        is_personal: false,
        becomes_personal: false,
    };
    // Which audience an application has whose creation names none is documented by an example only. Its limits start
    // when a request names an audience.
    let is_personal = |audience: Option<&Value>| {
        let audience = audience.and_then(Value::as_str);
        audience.is_some_and(|audience| audience.contains("Personal"))
    };
    let was_named = content.old(DEFAULT_AUDIENCE).is_none();
    let was_personal = was_named && is_personal(content.old("signInAudience"));
    content.is_personal = if draft.names("signInAudience") {
        is_personal(draft.get("signInAudience"))
    } else {
        was_personal
    };
    content.becomes_personal = content.is_personal && !was_personal;
    check_redirect_uris(content)?;
    check_permissions(content)?;
    if content.is_personal {
        check_personal(content)?;
    }
    Ok(())
}

/// An application as it will be.
#[derive(Clone, Copy)]
struct Content<'a> {
    before: Option<&'a Object>,
    draft: &'a Draft,
    /// Whether personal accounts can sign in.
    is_personal: bool,
    /// Whether that is new, so that its limits are for what the application has already, too.
    becomes_personal: bool,
}

impl<'a> Content<'a> {
    fn old(self, name: &str) -> Option<&'a Value> {
        self.before.and_then(|application| application.get(name))
    }

    fn value(self, name: &str) -> Option<&'a Value> {
        if self.draft.names(name) {
            self.draft.get(name)
        } else {
            self.old(name)
        }
    }

    /// Whether the limits of a property are to be checked.
    fn is_judged(self, name: &str) -> bool {
        self.draft.names(name) || self.becomes_personal
    }

    /// The redirect URIs of a platform.
    fn redirect_uris(self, platform: &str) -> Vec<&'a str> {
        texts(part(self.value(platform), "redirectUris")).collect()
    }

    fn old_redirect_uris(self, platform: &str) -> Vec<&'a str> {
        texts(part(self.old(platform), "redirectUris")).collect()
    }
}

fn part<'a>(value: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    value.and_then(|value| value.get(name))
}

fn list(value: Option<&Value>) -> &[Value] {
    value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The items that a list did not have before, by their ids.
fn added<'a>(new: &'a [Value], old: &'a [Value]) -> impl Iterator<Item = &'a Value> {
    new.iter()
        .filter(move |one| !old.iter().any(|other| other["id"] == one["id"]))
}

fn check_redirect_uris(content: Content<'_>) -> Result<(), GraphError> {
    if !PLATFORMS.iter().any(|platform| content.is_judged(platform)) {
        return Ok(());
    }
    // Whether each URI of the platforms before is new.
    let mut elsewhere: HashMap<&str, bool> = HashMap::new();
    let (mut count, mut has_new) = (0, false);
    for platform in PLATFORMS {
        let old = content.old_redirect_uris(platform);
        let uris = content.redirect_uris(platform);
        count += uris.len();
        for uri in &uris {
            let is_new = !old.contains(uri);
            if elsewhere
                .get(uri)
                .is_some_and(|other_is_new| is_new || *other_is_new)
            {
                return Err(wrong_redirect_uri(uri, "belongs to another platform"));
            }
            has_new |= is_new;
            let reason = reason_against(uri).filter(|_| is_new).or_else(|| {
                let is_judged = content.is_personal && (is_new || content.becomes_personal);
                reason_for_personal(uri).filter(|_| is_judged)
            });
            if let Some(reason) = reason {
                return Err(wrong_redirect_uri(uri, reason));
            }
        }
        elsewhere.extend(uris.into_iter().map(|uri| (uri, !old.contains(&uri))));
    }
    let most = if content.is_personal {
        MOST_PERSONAL_URIS
    } else {
        MOST_URIS
    };
    if (has_new || content.becomes_personal) && count > most {
        return Err(outside_limits(&format!("{most} redirect URIs")));
    }
    Ok(())
}

/// Why no application can add a redirect URI, if that is so.
fn reason_against(uri: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(uri) else {
        return Some("is not a valid URI");
    };
    if uri.chars().count() > LONGEST_URI {
        return Some("is longer than 256 characters");
    }
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(_)) | None => false,
    };
    // Applications of a device have schemes of their own.
    match url.scheme() {
        "http" if !is_local => Some("must start with https, unless it is of localhost"),
        "http" | "https" if uri.contains(['!', '$', '\'', '(', ')', ',', ';']) => {
            Some("has a character that is not supported")
        }
        _ => None,
    }
}

/// Why an application for personal accounts cannot have a redirect URI, if that is so.
fn reason_for_personal(uri: &str) -> Option<&'static str> {
    let url = Url::parse(uri).ok()?;
    if !["http", "https"].contains(&url.scheme()) {
        return None;
    }
    if url.query().is_some() {
        return Some("has a query, which personal accounts do not support");
    }
    url.host_str()
        .is_some_and(|host| host.contains('*'))
        .then_some("has a wildcard, which personal accounts do not support")
}

/// The APIs and permissions that an application lists.
fn check_permissions(content: Content<'_>) -> Result<(), GraphError> {
    if !content.is_judged("requiredResourceAccess") {
        return Ok(());
    }
    let apis = list(content.value("requiredResourceAccess"));
    let counts: Vec<usize> = apis
        .iter()
        .map(|api| list(api.get("resourceAccess")).len())
        .collect();
    let total: usize = counts.iter().sum();
    let most = if content.is_personal {
        MOST_PERSONAL_PERMISSIONS
    } else {
        MOST_PERMISSIONS
    };
    if apis.len() > MOST_APIS {
        return Err(outside_limits(&format!("permissions of {MOST_APIS} APIs")));
    }
    if total > most {
        return Err(outside_limits(&format!("{most} permissions")));
    }
    if content.is_personal && counts.iter().any(|count| *count > MOST_PERSONAL_OF_API) {
        return Err(outside_limits(&format!(
            "{MOST_PERSONAL_OF_API} permissions of one API"
        )));
    }
    Ok(())
}

/// What an application has that personal accounts sign in to.
fn check_personal(content: Content<'_>) -> Result<(), GraphError> {
    // What such an application has already can be disabled and removed.
    let old = |value: Option<&'_ Value>| -> Vec<Value> {
        match content.becomes_personal {
            true => Vec::new(),
            false => list(value).to_vec(),
        }
    };
    let roles = old(content.old("appRoles"));
    if added(list(content.value("appRoles")), &roles)
        .next()
        .is_some()
    {
        return Err(outside_limits("0 app roles"));
    }
    let name = content.value("displayName").and_then(Value::as_str);
    if content.is_judged("displayName")
        && name.is_some_and(|name| name.chars().count() > LONGEST_PERSONAL_NAME)
    {
        return Err(outside_limits(&format!(
            "a name of {LONGEST_PERSONAL_NAME} characters"
        )));
    }
    let scopes = list(part(content.value("api"), "oauth2PermissionScopes"));
    let old_scopes = old(part(content.old("api"), "oauth2PermissionScopes"));
    let new: Vec<&Value> = added(scopes, &old_scopes).collect();
    let is_long = |scope: &&Value| {
        let value = scope["value"].as_str().unwrap_or_default();
        value.chars().count() > LONGEST_PERSONAL_SCOPE
    };
    let is_one_too_many = !new.is_empty() && scopes.len() > MOST_PERSONAL_SCOPES;
    if is_one_too_many || new.iter().any(is_long) {
        return Err(outside_limits(&format!(
            "{MOST_PERSONAL_SCOPES} scopes of {LONGEST_PERSONAL_SCOPE} characters"
        )));
    }
    Ok(())
}

const PLATFORMS: [&str; 3] = ["web", "spa", "publicClient"];
const LONGEST_URI: usize = 256;
const MOST_URIS: usize = 256;
const MOST_APIS: usize = 50;
const MOST_PERMISSIONS: usize = 400;
const MOST_PERSONAL_URIS: usize = 100;
const MOST_PERSONAL_PERMISSIONS: usize = 200;
const MOST_PERSONAL_OF_API: usize = 30;
const MOST_PERSONAL_SCOPES: usize = 100;
const LONGEST_PERSONAL_SCOPE: usize = 40;
const LONGEST_PERSONAL_NAME: usize = 90;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_is_rejected_by_its_scheme_host_and_characters() {
        for (uri, personal, is_rejected) in [
            ("https://orders.contoso.com/cb", true, false),
            ("http://orders.contoso.com/cb", false, true),
            ("http://localhost", true, false),
            ("http://localhost:53124/cb", false, false),
            ("http://127.0.0.1:8400", false, false),
            ("http://[::1]:8400/cb", false, true),
            ("http://orders.localhost/cb", false, true),
            ("http://192.168.0.1/cb", false, true),
            ("https://[::1]/cb", false, false),
            ("https://orders.contoso.com/cb!", false, true),
            ("https://orders.contoso.com/$cb", false, true),
            ("https://orders.contoso.com/'cb'", false, true),
            ("https://orders.contoso.com/(cb)", false, true),
            ("https://orders.contoso.com/a,b", false, true),
            ("http://localhost/a;b", false, true),
            ("https://*.contoso.com/cb", false, false),
            ("https://*.contoso.com/cb", true, true),
            ("https://orders.contoso.com/cb?a=1", false, false),
            ("https://orders.contoso.com/cb?a=1", true, true),
            ("msauth.com.contoso.orders://auth?a=1", true, false),
            ("msauth.com.contoso.orders://auth/(a)", false, false),
            ("https://orders.contoso.com/#cb", false, false),
            ("urn:ietf:wg:oauth:2.0:oob", false, false),
        ] {
            let of_personal = || reason_for_personal(uri).filter(|_| personal);
            let why = reason_against(uri).or_else(of_personal);
            assert_eq!(why.is_some(), is_rejected, "{uri}: {why:?}");
        }
    }
}
