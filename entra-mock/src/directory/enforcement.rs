//! Which conditional access policies of the directory the sign-in side enforces: those that it can express.
//!
//! It knows users, groups, workload identities and applications as conditions, and some controls. A policy with another
//! condition or an alternative of controls is recorded only, since enforcing a part of it would be another policy.

use std::time::Duration;

use entra_core::Guid;
use serde_json::Value;

use crate::{
    grants::{Control, Policy},
    state::State,
    store::{Kind, Object},
};

impl State {
    /// Enforces a policy as the directory has it now, or no longer.
    pub(crate) fn enforce_policy(&mut self, id: &str) {
        self.policies.retain(|policy| policy.id != id);
        let policy = self.store.get(Kind::ConditionalAccessPolicy, id);
        let enforced = policy.and_then(|policy| enforced(id, policy));
        self.policies.extend(enforced.into_iter().flatten());
    }
}

/// Returns a policy for each control, or `None` if the policy is not enforced.
fn enforced(id: &str, policy: &Object) -> Option<Vec<Policy>> {
    let conditions = &policy["conditions"];
    const KNOWN: &[&str] = &[
        "applications",
        "clientApplications",
        "clientAppTypes",
        "users",
    ];
    let is_enforced = policy["state"] == "enabled"
        && has_only(conditions, KNOWN)
        && is_for_every_client(&conditions["clientAppTypes"]);
    if !is_enforced {
        return None;
    }
    let principals = principals(conditions)?;
    let apps = apps(&conditions["applications"])?;
    let controls = controls(policy)?.into_iter();
    let policies = controls.map(|control| Policy {
        id: id.to_owned(),
        control,
        principals: principals.clone(),
        apps: apps.clone(),
    });
    Some(policies.collect())
}

/// The users, groups and service principals of a policy; empty for all users.
fn principals(conditions: &Value) -> Option<Vec<String>> {
    let (users, workloads) = (&conditions["users"], &conditions["clientApplications"]);
    if !has_only(users, &["includeGroups", "includeUsers"])
        || !has_only(workloads, &["includeServicePrincipals"])
    {
        return None;
    }
    let included = texts(&users["includeUsers"]);
    let workloads = texts(&workloads["includeServicePrincipals"]);
    if included == ["All"] && workloads.is_empty() {
        return Some(Vec::new());
    }
    let mut names = included;
    names.retain(|name| *name != "None");
    names.extend(texts(&users["includeGroups"]));
    names.extend(workloads);
    ids(&names)
}

/// The client ids of a policy; empty for all applications.
fn apps(applications: &Value) -> Option<Vec<String>> {
    if !has_only(applications, &["includeApplications"]) {
        return None;
    }
    let included = texts(&applications["includeApplications"]);
    match included == ["All"] {
        true => Some(Vec::new()),
        false => ids(&included),
    }
}

/// The controls of a policy, all of which it requires.
fn controls(policy: &Object) -> Option<Vec<Control>> {
    let (grant, session) = (&policy["grantControls"], &policy["sessionControls"]);
    const KNOWN: &[&str] = &["builtInControls", "customAuthenticationFactors", "operator"];
    if !has_only(grant, KNOWN) {
        return None;
    }
    let built_in = texts(&grant["builtInControls"]).into_iter();
    let built_in = built_in.map(|name| match name {
        "block" => Some(Control::Block),
        "mfa" => Some(Control::SecondFactor),
        "compliantDevice" => Some(Control::CompliantDevice),
        "domainJoinedDevice" => Some(Control::HybridJoinedDevice),
        "approvedApplication" => Some(Control::ApprovedApplication),
        "passwordChange" => Some(Control::PasswordChange),
        _ => None,
    });
    let mut controls = built_in.collect::<Option<Vec<_>>>()?;
    if !texts(&grant["customAuthenticationFactors"]).is_empty() {
        controls.push(Control::Custom);
    }
    if controls.len() > 1 && grant["operator"] != "AND" {
        return None;
    }
    if session["secureSignInSession"]["isEnabled"] == true {
        controls.push(Control::TokenProtection);
    }
    let frequency = &session["signInFrequency"];
    if frequency["isEnabled"] == true {
        let unit = match frequency["type"].as_str()? {
            "hours" => 3_600,
            "days" => 86_400,
            _ => return None,
        };
        let seconds = frequency["value"].as_u64()?.saturating_mul(unit);
        controls.push(Control::Frequency(Duration::from_secs(seconds)));
    }
    Some(controls)
}

/// Whether the policy applies to browsers and to the other clients of today.
fn is_for_every_client(types: &Value) -> bool {
    let types = texts(types);
    let has = |name: &str| types.contains(&name);
    types.is_empty() || has("all") || has("browser") && has("mobileAppsAndDesktopClients")
}

/// Whether every member beside the known ones says nothing.
fn has_only(value: &Value, known: &[&str]) -> bool {
    value.as_object().is_none_or(|members| {
        members.iter().all(|(name, value)| {
            known.contains(&name.as_str()) || name.contains('@') || is_empty(value)
        })
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

/// The ids in the spelling of the directory, or `None` if there are none or other names among them.
fn ids(names: &[&str]) -> Option<Vec<String>> {
    let ids = names
        .iter()
        .map(|name| Some(name.parse::<Guid>().ok()?.to_string()));
    ids.collect::<Option<Vec<_>>>()
        .filter(|ids| !ids.is_empty())
}

#[cfg(test)]
mod tests {
    use entra_core::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{directory::AccessRule, state::License};

    fn id(number: u32) -> String {
        format!("00000000-0000-4000-8000-{number:012}")
    }

    fn object(value: &Value) -> Object {
        value.as_object().cloned().unwrap().into()
    }

    fn state() -> State {
        let mut state = State::new("Contoso", &["contoso.com"], License::P2, 1);
        for (kind, number) in [
            (Kind::User, 1),
            (Kind::Group, 2),
            (Kind::ServicePrincipal, 3),
        ] {
            let new = object(&json!({"id": id(number), "displayName": "One"}));
            state.store.insert(kind, new).unwrap();
        }
        state
    }

    #[test]
    fn a_policy_of_the_tenant_is_enforced_as_graph_lists_it() {
        let controls = [
            Control::Block,
            Control::SecondFactor,
            Control::CompliantDevice,
            Control::HybridJoinedDevice,
            Control::ApprovedApplication,
            Control::TokenProtection,
            Control::PasswordChange,
            Control::Custom,
            Control::Frequency(Duration::from_secs(7_200)),
        ];
        for control in controls {
            for principals in [vec![], vec![id(1), id(2)], vec![id(3)]] {
                for apps in [vec![], vec![id(4)]] {
                    let mut state = state();
                    let rule = AccessRule {
                        control,
                        principals: principals.clone(),
                        apps,
                    };
                    let added = state.add_access_rule(Timestamp::UNIX_EPOCH, rule);
                    let before = state.policies.clone();
                    state.enforce_policy(&added);
                    assert_eq!(state.policies, before);
                }
            }
        }
    }

    #[test]
    fn a_policy_that_the_sign_in_side_cannot_express_is_not_enforced() {
        let policy = || {
            json!({
                "state": "enabled",
                "conditions": {
                    "users": {"includeUsers": ["All"], "excludeUsers": []},
                    "applications": {"includeApplications": ["All"]},
                    "clientAppTypes": ["all"], "locations": null
                },
                "grantControls": {"operator": "OR", "builtInControls": ["block"]}
            })
        };
        assert_eq!(
            enforced("a", &object(&policy())).map(|all| all.len()),
            Some(1)
        );
        for (pointer, value) in [
            ("/state", json!("disabled")),
            ("/state", json!("enabledForReportingButNotEnforced")),
            ("/conditions/users/excludeUsers", json!([id(1)])),
            ("/conditions/users/includeUsers", json!(["None"])),
            (
                "/conditions/users/includeUsers",
                json!(["GuestsOrExternalUsers"]),
            ),
            (
                "/conditions/applications/includeApplications",
                json!(["Office365"]),
            ),
            ("/conditions/clientAppTypes", json!(["exchangeActiveSync"])),
            (
                "/conditions/locations",
                json!({"includeLocations": [id(5)]}),
            ),
            (
                "/grantControls/builtInControls",
                json!(["mfa", "compliantDevice"]),
            ),
            ("/grantControls/builtInControls", json!(["riskRemediation"])),
        ] {
            let mut changed = policy();
            *changed.pointer_mut(pointer).unwrap() = value;
            let found = enforced("a", &object(&changed)).unwrap_or_default();
            assert!(found.is_empty(), "{pointer}: {changed}");
        }
        let mut both = policy();
        both["grantControls"] =
            json!({"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]});
        assert_eq!(enforced("a", &object(&both)).map(|all| all.len()), Some(2));
    }
}
