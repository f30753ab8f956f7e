//! What Entra rejects of what a blueprint adds, found before the first write.
//!
//! Only what is new is judged: what the registration has was accepted. Where the documentation has no rule, Graph
//! decides.

use entra_core::url::{Host, Url};
use serde_json::Value;

use super::{
    super::wire::{items, text},
    Situation, Work,
};

impl Situation<'_> {
    pub(super) fn limits(&self, application: &Value, work: &mut Work) {
        self.redirect_uris(application, work);
        self.entitlements(application, work);
        self.permissions(application, work);
        self.group_claims(application, work);
        self.names_of_federated(work);
        self.new_for_personal(application, work);
        for uri in &self.blueprint.api.uris {
            let registered = uri.replace("{client-id}", text(application, "appId"));
            let is_new = !items(application, "identifierUris")
                .iter()
                .any(|one| *one == *registered);
            if is_new && uri.ends_with('/') {
                work.stops.push(format!(
                    "the application ID URI {uri} ends with a slash, which Entra rejects; leave it out"
                ));
            }
        }
    }

    fn redirect_uris(&self, application: &Value, work: &mut Work) {
        let platforms = [
            ("Web", "web", &self.blueprint.web.redirect_uris),
            (
                "Single-page application",
                "spa",
                &self.blueprint.spa.redirect_uris,
            ),
            (
                "Mobile and desktop applications",
                "publicClient",
                &self.blueprint.public_client.redirect_uris,
            ),
        ];
        let has = |path: &str, uri: &str| {
            items(&application[path], "redirectUris")
                .iter()
                .any(|one| *one == *uri)
        };
        let personal = self.takes_personal_accounts(application);
        let mut added = 0;
        for (_, path, uris) in platforms {
            for uri in uris.iter().filter(|uri| !has(path, uri)) {
                added += 1;
                let elsewhere = platforms
                    .iter()
                    .find(|(_, other, _)| *other != path && has(other, uri));
                if let Some((name, ..)) = elsewhere
                    && !self.blueprint.remove_unlisted
                {
                    work.stops.push(format!(
                        "the redirect URI {uri} is registered for {name}, and it belongs to one platform; remove it there, or set remove_unlisted"
                    ));
                }
                if let Some(why) = rejected(uri, personal) {
                    work.stops.push(format!("the redirect URI {uri} {why}"));
                }
                if let Some(why) = doubtful(uri) {
                    work.warnings.push(format!("the redirect URI {uri} {why}"));
                }
            }
        }
        let kept: usize = platforms
            .iter()
            .map(|(_, path, uris)| {
                let current = items(&application[*path], "redirectUris").iter();
                let stays = |one: &&Value| {
                    let uri = one.as_str().unwrap_or_default();
                    !self.blueprint.remove_unlisted || uris.iter().any(|own| own == uri)
                };
                current.filter(stays).count()
            })
            .sum();
        let most = if personal {
            MOST_PERSONAL_URIS
        } else {
            MOST_URIS
        };
        if added > 0 && kept + added > most {
            work.stops.push(format!(
                "the registration would have {} redirect URIs, and it takes at most {most}",
                kept + added
            ));
        }
    }

    fn entitlements(&self, application: &Value, work: &mut Work) {
        let is_new =
            |list: &[Value], value: &str| !list.iter().any(|one| text(one, "value") == value);
        let personal = self.takes_personal_accounts(application);
        let scopes = items(&application["api"], "oauth2PermissionScopes");
        for one in &self.blueprint.api.scopes {
            if !is_new(scopes, &one.value) {
                continue;
            }
            let texts = [&one.display_name, &one.description];
            if let Some(why) = wrong_entitlement(&one.value, texts, personal) {
                work.stops.push(format!("the scope {:?} {why}", one.value));
            }
        }
        let roles = items(application, "appRoles");
        for one in &self.blueprint.app_roles {
            let texts = [&one.display_name, &one.description];
            if is_new(roles, &one.value) && personal {
                work.stops.push(format!(
                    "the app role {:?} cannot be added to a registration for personal Microsoft accounts",
                    one.value
                ));
            }
            if is_new(roles, &one.value)
                && let Some(why) = wrong_entitlement(&one.value, texts, false)
            {
                work.stops
                    .push(format!("the app role {:?} {why}", one.value));
            }
        }
    }

    fn permissions(&self, application: &Value, work: &mut Work) {
        let current = items(application, "requiredResourceAccess");
        let is_required = |app_id: &str, id: &str| {
            current
                .iter()
                .filter(|one| text(one, "resourceAppId").eq_ignore_ascii_case(app_id))
                .flat_map(|one| items(one, "resourceAccess"))
                .any(|one| text(one, "id").eq_ignore_ascii_case(id))
        };
        let apis = &self.names.apis;
        let adds = apis.iter().any(|api| {
            let mut listed = api.delegated.iter().chain(&api.application);
            listed.any(|one| !is_required(&api.app_id, &one.id))
        });
        if !adds {
            return;
        }
        let counts: Vec<usize> = apis
            .iter()
            .map(|api| api.delegated.len() + api.application.len())
            .collect();
        let personal = self.takes_personal_accounts(application);
        let most = if personal {
            MOST_PERSONAL_PERMISSIONS
        } else {
            MOST_PERMISSIONS
        };
        let total: usize = counts.iter().sum();
        if apis.len() > MOST_APIS {
            work.stops.push(format!(
                "a registration has permissions of at most {MOST_APIS} APIs, and the blueprint lists {}",
                apis.len()
            ));
        } else if total > most {
            work.stops.push(format!(
                "a registration has at most {most} permissions, and the blueprint lists {total}"
            ));
        } else if personal && counts.iter().any(|count| *count > MOST_PERSONAL_OF_API) {
            work.stops.push(format!(
                "a registration for personal Microsoft accounts has at most {MOST_PERSONAL_OF_API} permissions of one API"
            ));
        }
    }

    fn group_claims(&self, application: &Value, work: &mut Work) {
        let Some(groups) = &self.blueprint.claims.groups else {
            return;
        };
        let is_known = |one: &str| GROUPS.iter().any(|known| known.eq_ignore_ascii_case(one));
        if text(application, "groupMembershipClaims") != groups
            && !groups.split(',').map(str::trim).all(is_known)
        {
            work.stops.push(format!(
                "{groups:?} is not a choice of group claims, which are {}",
                GROUPS.join(", ")
            ));
        }
    }

    fn names_of_federated(&self, work: &mut Work) {
        for one in &self.blueprint.federated_credentials {
            let is_present = self.found.federated.iter().any(|other| {
                other.name.as_deref() == Some(&one.name)
                    || other.issuer.as_deref() == Some(&one.issuer)
                        && other.subject.as_deref() == Some(&one.subject)
            });
            let is_friendly = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            let is_valid = (3..=120).contains(&one.name.len()) && one.name.bytes().all(is_friendly);
            if !is_present && !is_valid {
                work.stops.push(format!(
                    "the name {:?} of a federated credential has to be 3 to 120 letters, digits, dashes, dots and underscores",
                    one.name
                ));
            }
        }
    }
}

/// Why Entra rejects a redirect URI. Any other scheme than http and https is accepted: brokers have schemes of their own, on
/// more than one platform.
fn rejected(uri: &str, personal: bool) -> Option<&'static str> {
    let parsed = Url::parse(uri).ok()?;
    if uri.chars().count() > LONGEST_URI {
        return Some("is longer than 256 characters");
    }
    match parsed.scheme() {
        "http" if !is_loopback(&parsed) => {
            Some("is http, which is for localhost and 127.0.0.1 only; use https")
        }
        "http" | "https" if uri.contains(UNSUPPORTED) => {
            Some("has one of the characters ! $ ' ( ) , ; which Entra does not take")
        }
        _ => personal.then(|| rejected_for_personal(uri)).flatten(),
    }
}

/// Why a registration for personal accounts cannot have a redirect URI.
pub(super) fn rejected_for_personal(uri: &str) -> Option<&'static str> {
    let uri = Url::parse(uri).ok()?;
    if !["http", "https"].contains(&uri.scheme()) {
        return None;
    }
    if uri.query().is_some() {
        return Some(
            "has a query, which a registration for personal Microsoft accounts does not take",
        );
    }
    has_wildcard(&uri).then_some(
        "has a wildcard, which a registration for personal Microsoft accounts does not take",
    )
}

/// What Entra may accept and a product will probably not want.
fn doubtful(uri: &str) -> Option<&'static str> {
    let parsed = Url::parse(uri).ok()?;
    if has_wildcard(&parsed) {
        return Some("has a wildcard, so codes can go to any host that fits");
    }
    if parsed.fragment().is_some() {
        return Some("has a fragment, which OAuth 2.0 does not allow in a redirect URI");
    }
    None
}

fn has_wildcard(uri: &Url) -> bool {
    uri.host_str().is_some_and(|host| host.contains('*'))
}

/// Whether a host is one of this device that Entra takes with http.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(_)) | None => false,
    }
}

/// Why Entra rejects a scope or an app role.
fn wrong_entitlement(value: &str, texts: [&String; 2], personal: bool) -> Option<&'static str> {
    if texts.iter().any(|one| one.trim().is_empty()) {
        return Some("needs a display name and a description");
    }
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("needs a value of letters, digits and punctuation without spaces");
    }
    if value.starts_with('.') {
        return Some("has a value that starts with a dot");
    }
    if value.len() > 120 {
        return Some("has a value of more than 120 characters");
    }
    (personal && value.len() > LONGEST_PERSONAL_SCOPE).then_some(
        "has a value of more than 40 characters, which a registration for personal Microsoft accounts does not take",
    )
}

const GROUPS: [&str; 5] = [
    "SecurityGroup",
    "ApplicationGroup",
    "DirectoryRole",
    "All",
    "None",
];
const LONGEST_URI: usize = 256;
const UNSUPPORTED: [char; 7] = ['!', '$', '\'', '(', ')', ',', ';'];
const MOST_URIS: usize = 256;
pub(super) const MOST_PERSONAL_URIS: usize = 100;
const MOST_APIS: usize = 50;
const MOST_PERMISSIONS: usize = 400;
pub(super) const MOST_PERSONAL_PERMISSIONS: usize = 200;
pub(super) const LONGEST_PERSONAL_SCOPE: usize = 40;
pub(super) const MOST_PERSONAL_OF_API: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_that_entra_rejects_is_told_from_one_that_it_may_accept() {
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
            ("msauth://com.contoso.orders/c2ln%3D", false, false),
            ("msauth.com.contoso.orders://auth", true, false),
            (
                "ms-appx-web://microsoft.aad.brokerplugin/S-1-15-2-1",
                false,
                false,
            ),
            ("brk-multihub://localhost:3000", false, false),
            ("urn:ietf:wg:oauth:2.0:oob", false, false),
        ] {
            let why = rejected(uri, personal);
            assert_eq!(why.is_some(), is_rejected, "{uri}: {why:?}");
        }
        let long = format!("https://orders.contoso.com/{}", "x".repeat(240));
        assert!(rejected(&long, false).is_some());
        assert!(doubtful("https://*.contoso.com/cb").is_some());
        assert!(doubtful("https://orders.contoso.com/#cb").is_some());
        assert!(doubtful("https://orders.contoso.com/cb").is_none());
    }

    #[test]
    fn a_value_that_tokens_cannot_have_is_named() {
        let (name, empty) = ("Read".to_owned(), String::new());
        for (value, texts, personal, is_wrong) in [
            ("Orders.Read", [&name, &name], true, false),
            ("", [&name, &name], false, true),
            ("Read orders", [&name, &name], false, true),
            (".Read", [&name, &name], false, true),
            ("Read", [&name, &empty], false, true),
            ("Read", [&empty, &name], false, true),
        ] {
            let why = wrong_entitlement(value, texts, personal);
            assert_eq!(why.is_some(), is_wrong, "{value}: {why:?}");
        }
        let long = "x".repeat(41);
        assert!(wrong_entitlement(&long, [&name, &name], true).is_some());
        assert!(wrong_entitlement(&long, [&name, &name], false).is_none());
    }
}
