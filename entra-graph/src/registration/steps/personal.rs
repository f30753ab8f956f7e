//! The limits of a registration that personal accounts sign in to. If that is new, they are for what it has already, too.

use serde_json::Value;

use super::{
    super::{
        action::{Action, Step},
        check::{LONGEST_PERSONAL_NAME, MOST_PERSONAL_SCOPES, MOST_PERSONAL_SECRETS, is_personal},
        parts::{Audience, has_ended},
        settings::{body, differences},
        wire::{items, text},
    },
    Situation, Work,
    limits::{
        LONGEST_PERSONAL_SCOPE, MOST_PERSONAL_OF_API, MOST_PERSONAL_PERMISSIONS,
        MOST_PERSONAL_URIS, rejected_for_personal,
    },
};

impl Situation<'_> {
    /// Whether personal accounts can sign in once the blueprint is applied.
    pub(super) fn takes_personal_accounts(&self, application: &Value) -> bool {
        let current = Audience::of(text(application, "signInAudience"));
        self.blueprint.audience.or(current).is_some_and(is_personal)
    }

    /// Whether the registration is there, and for no personal accounts yet.
    pub(super) fn becomes_personal(&self, application: &Value) -> bool {
        let audience = text(application, "signInAudience");
        self.blueprint.audience.is_some_and(is_personal)
            && !audience.is_empty()
            && !audience.contains("Personal")
    }

    /// Judges what the first update leaves, for it changes the audience too.
    pub(super) fn new_audience(&self, application: &Value, work: &mut Work) {
        if !self.becomes_personal(application) {
            return;
        }
        for why in faults(application, &self.updated(application)) {
            work.stops.push(format!(
                "the registration {why}, so its audience cannot be changed to one with personal Microsoft accounts; remove that first, or keep the audience"
            ));
        }
    }

    /// Judges what is new in a registration that has personal accounts already, also where the blueprint names no audience.
    pub(super) fn new_for_personal(&self, application: &Value, work: &mut Work) {
        if !self.takes_personal_accounts(application) || self.becomes_personal(application) {
            return;
        }
        let name = &self.blueprint.name;
        if name.chars().count() > LONGEST_PERSONAL_NAME && text(application, "displayName") != name
        {
            work.stops.push(format!(
                "a registration for personal Microsoft accounts has a name of at most {LONGEST_PERSONAL_NAME} characters"
            ));
        }
        let api = &application["api"];
        if self.blueprint.api.token_version == Some(1) && api["requestedAccessTokenVersion"] != 1 {
            work.stops.push(
                "a registration for personal Microsoft accounts has access tokens of version 2"
                    .to_owned(),
            );
        }
        let old = items(api, "oauth2PermissionScopes");
        let is_new = |value: &str| !old.iter().any(|one| text(one, "value") == value);
        let mut listed = self.blueprint.api.scopes.iter();
        let updated = self.updated(application);
        let count = items(&updated["api"], "oauth2PermissionScopes").len();
        if count > MOST_PERSONAL_SCOPES && listed.any(|one| is_new(&one.value)) {
            work.stops.push(format!(
                "the registration would have {count} scopes, and one for personal Microsoft accounts has at most {MOST_PERSONAL_SCOPES}"
            ));
        }
    }

    /// Judges the secrets that the steps add.
    pub(super) fn secrets_for_personal(&self, application: &Value, work: &mut Work) {
        if !self.takes_personal_accounts(application) {
            return;
        }
        let adds = |step: &&Step| matches!(step.action, Action::AddSecret(_));
        let added = work.steps.iter().filter(adds).count();
        let secrets = items(application, "passwordCredentials").iter();
        let valid = secrets.filter(|one| !has_ended(one, self.now)).count();
        if added > 0 && valid + added > MOST_PERSONAL_SECRETS {
            work.stops.push(format!(
                "the registration would have {} valid secrets, and one for personal Microsoft accounts has at most {MOST_PERSONAL_SECRETS}; remove one that no program uses",
                valid + added
            ));
        }
    }

    /// The application as the first update leaves it.
    fn updated(&self, application: &Value) -> Value {
        let [main, _] = differences(self.blueprint, self.names, application);
        let mut updated = application.clone();
        overlay(&mut updated, body(&main));
        updated
    }
}

/// Why an application as it is left cannot have personal accounts. What is new in it is judged by the other rules.
fn faults(application: &Value, left: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut count = 0;
    for platform in ["web", "spa", "publicClient"] {
        let old = items(&application[platform], "redirectUris");
        let uris = items(&left[platform], "redirectUris");
        count += uris.len();
        for uri in uris.iter().filter(|uri| old.contains(uri)) {
            let uri = uri.as_str().unwrap_or_default();
            if rejected_for_personal(uri).is_some() {
                faults.push(format!(
                    "has the redirect URI {uri} with a query or a wildcard"
                ));
            }
        }
    }
    if count > MOST_PERSONAL_URIS {
        faults.push(format!(
            "has {count} redirect URIs instead of at most {MOST_PERSONAL_URIS}"
        ));
    }
    if !items(left, "appRoles").is_empty() {
        faults.push("has app roles".to_owned());
    }
    let scopes = items(&left["api"], "oauth2PermissionScopes");
    if scopes.len() > MOST_PERSONAL_SCOPES {
        faults.push(format!(
            "has {} scopes instead of at most {MOST_PERSONAL_SCOPES}",
            scopes.len()
        ));
    }
    let old = items(&application["api"], "oauth2PermissionScopes");
    let values = scopes.iter().map(|scope| text(scope, "value"));
    for value in values.filter(|value| value.chars().count() > LONGEST_PERSONAL_SCOPE) {
        if old.iter().any(|scope| text(scope, "value") == value) {
            faults.push(format!(
                "has the scope {value:?}, which is longer than {LONGEST_PERSONAL_SCOPE} characters"
            ));
        }
    }
    let apis = items(left, "requiredResourceAccess").iter();
    let counts: Vec<usize> = apis.map(|api| items(api, "resourceAccess").len()).collect();
    let total: usize = counts.iter().sum();
    if total > MOST_PERSONAL_PERMISSIONS {
        faults.push(format!(
            "has {total} permissions instead of at most {MOST_PERSONAL_PERMISSIONS}"
        ));
    }
    if counts.iter().any(|count| *count > MOST_PERSONAL_OF_API) {
        faults.push(format!(
            "has more than {MOST_PERSONAL_OF_API} permissions of one API"
        ));
    }
    faults
}

/// Sets what an update changes.
fn overlay(object: &mut Value, update: Value) {
    match (object, update) {
        (Value::Object(object), Value::Object(update)) => {
            for (name, value) in update {
                overlay(object.entry(name).or_insert(Value::Null), value);
            }
        }
        (object, update) => *object = update,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_registration_has_is_judged_when_personal_accounts_come() {
        let access = |count: usize| vec![json!({"id": "1", "type": "Scope"}); count];
        let long = "x".repeat(41);
        let scope = |value: &str| json!({"api": {"oauth2PermissionScopes": [{"value": value}]}});
        for (application, expected) in [
            (
                json!({"web": {"redirectUris": ["https://a.contoso.com/cb"]}}),
                None,
            ),
            (
                json!({"web": {"redirectUris": ["https://a.contoso.com/cb?a=1"]}}),
                Some("with a query"),
            ),
            (
                json!({"spa": {"redirectUris": ["https://*.contoso.com/cb"]}}),
                Some("a wildcard"),
            ),
            (
                json!({"publicClient": {"redirectUris": vec!["https://a.contoso.com/"; 101]}}),
                Some("101 redirect URIs"),
            ),
            (
                json!({"appRoles": [{"value": "Approver"}]}),
                Some("app roles"),
            ),
            (scope("Read"), None),
            (scope(&long), Some("longer than 40")),
            (
                json!({"requiredResourceAccess": [{"resourceAccess": access(31)}]}),
                Some("of one API"),
            ),
            (
                json!({"requiredResourceAccess": vec![json!({"resourceAccess": access(30)}); 7]}),
                Some("210 permissions"),
            ),
        ] {
            let faults = faults(&application, &application);
            let found = faults.first().map(String::as_str);
            match (found, expected) {
                (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
                _ => assert_eq!(found.is_some(), expected.is_some(), "{application}"),
            }
        }
    }

    #[test]
    fn an_update_replaces_lists_and_keeps_other_properties() {
        let mut object = json!({"web": {"redirectUris": ["a"], "logoutUrl": "b"}, "appRoles": [1]});
        overlay(
            &mut object,
            json!({"web": {"redirectUris": []}, "api": {"x": 1}}),
        );
        let expected = json!({
            "web": {"redirectUris": [], "logoutUrl": "b"}, "appRoles": [1], "api": {"x": 1},
        });
        assert_eq!(object, expected);
    }
}
