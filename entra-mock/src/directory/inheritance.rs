//! What a service principal takes from the application registration of the same tenant.

use serde_json::{Map, Value, json};

use super::{object, set};
use crate::{
    state::State,
    store::{Kind, Object},
};

/// Properties of a service principal, with the values of its application.
pub(crate) type Inherited = [(&'static str, Value); 8];

/// The properties that a service principal takes from its application.
pub(crate) fn inherited(application: &Object) -> Inherited {
    let list = |value: &Value| match value {
        Value::Array(_) => value.clone(),
        _ => json!([]),
    };
    let names: Vec<&str> = application["appId"]
        .as_str()
        .into_iter()
        .chain(texts(&application["identifierUris"]))
        .collect();
    let redirect_uris: Vec<&str> = ["web", "spa", "publicClient"]
        .into_iter()
        .flat_map(|platform| texts(&application[platform]["redirectUris"]))
        .collect();
    [
        ("appDisplayName", application["displayName"].clone()),
        ("appDescription", application["description"].clone()),
        ("appRoles", list(&application["appRoles"])),
        (
            "oauth2PermissionScopes",
            list(&application["api"]["oauth2PermissionScopes"]),
        ),
        ("replyUrls", json!(redirect_uris)),
        (NAMES, json!(names)),
        ("signInAudience", application["signInAudience"].clone()),
        ("info", application["info"].clone()),
    ]
}

/// The new values of a service principal after a change of its application.
pub(crate) fn inherited_changes(
    principal: &Object,
    before: &Object,
    after: &Object,
) -> Vec<(&'static str, Value)> {
    inherited(before)
        .into_iter()
        .zip(inherited(after))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| match name {
            NAMES => (name, with_own(&principal[NAMES], &old, &new)),
            _ => (name, new),
        })
        .collect()
}

impl State {
    /// Changes an application, and with it what its service principal takes from it. Returns `false`
    /// and changes nothing if the application does not exist or would get a value that another object
    /// has.
    pub(crate) fn update_application(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Object),
    ) -> bool {
        let Some(before) = self.store.get(Kind::Application, id).cloned() else {
            return false;
        };
        if !self.store.update(Kind::Application, id, change) {
            return false;
        }
        let fits = self.pass_on(id, &before);
        if !fits {
            self.store
                .update(Kind::Application, id, |application| *application = before);
        }
        fits
    }

    /// Gives the service principal that is already there what a new application has.
    pub(super) fn pass_on_new(&mut self, id: &str) {
        let app_id = self
            .store
            .get(Kind::Application, id)
            .and_then(|application| application.value("appId"));
        if let Some(app_id) = app_id {
            self.pass_on(id, &object([("appId", app_id)]));
        }
    }

    /// Adds what a new service principal takes from its application, where it has nothing of its own.
    pub(super) fn inherit(&self, principal: &mut Map<String, Value>) {
        let application = principal
            .get("appId")
            .and_then(Value::as_str)
            .and_then(|app_id| self.store.find(Kind::Application, "appId", app_id));
        let properties = application.map(inherited).into_iter().flatten();
        for (name, value) in properties.filter(|(_, value)| !value.is_null()) {
            principal.entry(name).or_insert(value);
        }
    }

    /// Gives the service principal the changes of its application since `before`. Returns `false` if
    /// another service principal has the client id.
    fn pass_on(&mut self, application: &str, before: &Object) -> bool {
        let Some(application) = self.store.get(Kind::Application, application) else {
            return true;
        };
        let principal = before
            .text("appId")
            .and_then(|app_id| self.store.find(Kind::ServicePrincipal, "appId", app_id));
        let Some(principal) = principal else {
            return true;
        };
        let changes = inherited_changes(principal, before, application);
        let app_id = application.value("appId");
        if changes.is_empty() && app_id == before.value("appId") {
            return true;
        }
        let Some(id) = principal.text("id").map(str::to_owned) else {
            return true;
        };
        self.store.update(Kind::ServicePrincipal, &id, |principal| {
            if let Some(app_id) = app_id {
                set(principal, "appId", app_id);
            }
            for (name, value) in changes {
                set(principal, name, value);
            }
        })
    }
}

/// Adds the names that a service principal has beyond those of its application.
fn with_own(names: &Value, old: &Value, new: &Value) -> Value {
    let mut all: Vec<&str> = texts(new).collect();
    let from_application: Vec<&str> = texts(old).collect();
    for name in texts(names) {
        if !from_application.contains(&name) && !all.contains(&name) {
            all.push(name);
        }
    }
    json!(all)
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str)
}

const NAMES: &str = "servicePrincipalNames";
