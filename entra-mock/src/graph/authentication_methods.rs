//! The authentication methods of a user, and the report of who registered which.

use entra_core::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    call::{Call, JSON},
    lookup,
    route::{MethodsPath, Route},
};
use crate::{
    account,
    directory::roles::GLOBAL_ADMINISTRATOR,
    odata::{GraphError, Options, Query},
    permissions::authorize,
    state::{State, iso},
    store::{Kind, Object},
    wire::Reply,
};

/// Responds to the authentication methods of a user.
pub(super) fn respond(
    call: Call<'_>,
    route: &Route,
    path: &MethodsPath,
) -> Result<Reply, GraphError> {
    let own = lookup::is_own(call, &route.root);
    let (segment, id) = (path.segment, path.id.as_deref());
    let below = if id.is_some() { "/{id}" } else { "" };
    let row = format!(
        "{}/authentication/{segment}{below}",
        Kind::User.entity().object_path()
    );
    authorize(call.caller, "GET", &row, own)?;
    let (_, user) = lookup::find(call, &route.root)?;
    Query::parse(call.request.query.as_deref(), Options(&[]))?;
    let user_id = user.text("id").unwrap_or_default();
    let context = call.context(&format!("users('{user_id}')/authentication/{segment}"));
    let methods = named(path, user);
    let body = match id {
        None => json!({ "@odata.context": context, "value": methods }),
        Some(id) => {
            let found = methods.into_iter().find(|method| {
                let own = method["id"].as_str();
                own.is_some_and(|own| lookup::is_same_id(own, id))
            });
            let Some(Value::Object(mut method)) = found else {
                return Err(GraphError::not_found(id));
            };
            method.insert("@odata.context".into(), format!("{context}/$entity").into());
            method.into()
        }
    };
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// The methods of a user that a path names, before the id.
fn named(path: &MethodsPath, user: &Object) -> Vec<Value> {
    let mut methods = methods(user);
    if let Some(name) = path.of_type {
        let name = format!("#microsoft.graph.{name}");
        methods.retain(|method| method["@odata.type"] == *name);
    }
    methods
}

/// A password, and what the user registered.
fn methods(user: &Object) -> Vec<Value> {
    let mut methods = vec![json!({
        "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
        "id": PASSWORD_METHOD,
        "createdDateTime": user.get("createdDateTime").cloned().unwrap_or_default(),
        "password": null
    })];
    let registered = user.get(account::METHODS).and_then(Value::as_array);
    methods.extend(registered.into_iter().flatten().cloned());
    methods
}

impl State {
    /// Brings the report of registered methods up to date with the users.
    pub(super) fn update_registration_details(&mut self, now: Timestamp) {
        let administrators = self.holders_of(GLOBAL_ADMINISTRATOR);
        let details: Vec<(String, Map<String, Value>)> = self
            .store
            .all(Kind::User)
            .filter_map(|user| {
                let id = user.get("id")?.as_str()?.to_owned();
                let is_administrator = administrators.contains(&*id);
                Some((id, registration(user, is_administrator, now)))
            })
            .collect();
        let kind = Kind::UserRegistrationDetails;
        let gone: Vec<String> = self
            .store
            .all(kind)
            .filter_map(|object| object.get("id")?.as_str())
            .filter(|id| self.store.get(Kind::User, id).is_none())
            .map(str::to_owned)
            .collect();
        for id in gone {
            self.store.remove(kind, &id);
        }
        for (id, new) in details {
            if self.store.get(kind, &id).is_none() {
                // The id is that of a user and free, so storing it cannot fail.
                let _ = self.store.insert(kind, new);
                continue;
            }
            self.store.update(kind, &id, |object| {
                let unchanged = new
                    .iter()
                    .filter(|(name, _)| *name != "lastUpdatedDateTime")
                    .all(|(name, value)| object.get(name) == Some(value));
                if !unchanged {
                    for (name, value) in new {
                        object.insert(name, value);
                    }
                }
            });
        }
    }
}

fn registration(user: &Object, is_administrator: bool, now: Timestamp) -> Map<String, Value> {
    let of_user = |name: &str| user.get(name).cloned().unwrap_or_default();
    let registered: Vec<&str> = user
        .get(account::METHODS)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|method| registered_name(method["@odata.type"].as_str()?))
        .collect();
    let has = |names: &[&str]| registered.iter().any(|name| names.contains(name));
    let second_factor = has(&SECOND_FACTORS);
    let user_type = if of_user("userType") == "Guest" {
        "guest"
    } else {
        "member"
    };
    let preferred = if has(&["microsoftAuthenticatorPush"]) {
        "push"
    } else if has(&["mobilePhone"]) {
        "sms"
    } else {
        "none"
    };
    let details = json!({
        "id": of_user("id"),
        "isAdmin": is_administrator,
        "isMfaCapable": second_factor,
        "isMfaRegistered": second_factor,
        "isPasswordlessCapable": has(&["fido2", "windowsHelloForBusiness"]),
        "isSsprCapable": false,
        "isSsprEnabled": false,
        "isSsprRegistered": !registered.is_empty(),
        "isSystemPreferredAuthenticationMethodEnabled": false,
        "lastUpdatedDateTime": iso(now),
        "methodsRegistered": registered,
        "systemPreferredAuthenticationMethods": [],
        "userDisplayName": of_user("displayName"),
        "userPreferredMethodForSecondaryAuthentication": preferred,
        "userPrincipalName": of_user("userPrincipalName"),
        "userType": user_type
    });
    match details {
        Value::Object(details) => details,
        _ => Map::new(),
    }
}

/// The name of a method in the report, by its type.
fn registered_name(odata_type: &str) -> Option<&'static str> {
    let name = odata_type
        .strip_prefix("#microsoft.graph.")?
        .strip_suffix("AuthenticationMethod")?;
    Some(match name {
        "email" => "email",
        "fido2" => "fido2",
        "microsoftAuthenticator" => "microsoftAuthenticatorPush",
        "phone" => "mobilePhone",
        "softwareOath" => "softwareOneTimePasscode",
        "temporaryAccessPass" => "temporaryAccessPass",
        "windowsHelloForBusiness" => "windowsHelloForBusiness",
        _ => return None,
    })
}

/// Whether a request reads the report.
pub(super) fn is_report(route: &Route) -> bool {
    use super::route::Root;
    matches!(
        route.root,
        Root::Set(Kind::UserRegistrationDetails) | Root::Object(Kind::UserRegistrationDetails, _)
    )
}

const SECOND_FACTORS: [&str; 5] = [
    "fido2",
    "microsoftAuthenticatorPush",
    "mobilePhone",
    "softwareOneTimePasscode",
    "windowsHelloForBusiness",
];
/// The id of every user's password, as documented.
const PASSWORD_METHOD: &str = "28c10230-6103-485e-b985-444c60001490";
