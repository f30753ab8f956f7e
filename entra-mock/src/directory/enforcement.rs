//! Which conditional access policies of the directory the sign-in side enforces: those that it can express.
//!
//! It knows users, groups, roles, workload identities and applications as conditions, with exclusions, and some controls.
//! A policy with another condition or control is recorded only, since enforcing a part of it would be another policy.

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
        // A caller may spell the id in upper case.
        let is_same = |policy: &Policy| policy.id.eq_ignore_ascii_case(id);
        self.policies.retain(|policy| !is_same(policy));
        self.report_only
            .retain(|other, _| !other.eq_ignore_ascii_case(id));
        let policy = self.store.get(Kind::ConditionalAccessPolicy, id);
        self.report_only.extend(policy.and_then(report_only));
        let enforced = policy.and_then(|policy| {
            let id = policy.text("id").unwrap_or(id);
            enforced(id, policy).ok()
        });
        self.policies.extend(enforced.into_iter().flatten());
    }

    /// Brings the enforced policies of a stored tenant up to date: the version which stored it may have recorded one
    /// only, or have enforced one that the directory does not have so.
    #[cfg(feature = "server")]
    pub(crate) fn enforce_recorded_policies(&mut self) {
        let store = &self.store;
        self.policies.retain(|policy| {
            store
                .get(Kind::ConditionalAccessPolicy, &policy.id)
                .is_some()
        });
        let listed = self.store.all(Kind::ConditionalAccessPolicy);
        let differing = listed.filter_map(|policy| {
            let id = policy.text("id")?;
            let wanted = enforced(id, policy).is_ok_and(|policies| !policies.is_empty());
            (wanted != self.is_enforced(id)).then(|| id.to_owned())
        });
        let differing: Vec<String> = differing.collect();
        for id in &differing {
            self.enforce_policy(id);
        }
        let listed = self.store.all(Kind::ConditionalAccessPolicy);
        self.report_only = listed.filter_map(report_only).collect();
    }

    /// Whether a policy has an effect on sign-ins.
    #[cfg(feature = "server")]
    pub(crate) fn is_enforced(&self, id: &str) -> bool {
        self.policies.iter().any(|policy| policy.id == id)
    }

    /// The enabled policies that are not enforced: name, and the part that the sign-in side cannot express.
    pub(crate) fn recorded_policies(&self) -> Vec<(String, String)> {
        let policies = self.store.all(Kind::ConditionalAccessPolicy);
        let recorded = policies.filter_map(|policy| {
            let name = policy.text("displayName").unwrap_or_default();
            Some((name.to_owned(), unsupported_part(policy)?))
        });
        recorded.collect()
    }
}

/// The path of the part of an enabled policy that the sign-in side cannot express, so that the policy is not enforced.
pub(crate) fn unsupported_part(policy: &Object) -> Option<String> {
    enforced("", policy).err()
}

/// Returns the id of a report-only policy and what it would enforce, or `None` if the sign-in side cannot express it.
fn report_only(policy: &Object) -> Option<(String, Vec<Policy>)> {
    if policy.text("state") != Some("enabledForReportingButNotEnforced") {
        return None;
    }
    let id = policy.text("id")?;
    Some((id.to_owned(), effects(id, policy).ok()?))
}

/// Returns a policy for each control; none if the policy has no effect on any sign-in.
///
/// # Errors
/// The path of a part that the sign-in side cannot express.
fn enforced(id: &str, policy: &Object) -> Result<Vec<Policy>, String> {
    if policy["state"] != "enabled" {
        return Ok(Vec::new());
    }
    effects(id, policy)
}

/// The same for a policy in any state, as if it was enabled.
fn effects(id: &str, policy: &Object) -> Result<Vec<Policy>, String> {
    let conditions = &policy["conditions"];
    const KNOWN: &[&str] = &[
        "applications",
        "clientApplications",
        "clientAppTypes",
        "locations",
        "platforms",
        "users",
    ];
    has_only("conditions", conditions, KNOWN)?;
    for (name, list) in [
        ("locations", "includeLocations"),
        ("platforms", "includePlatforms"),
    ] {
        includes_all(&format!("conditions/{name}"), &conditions[name], list)?;
    }
    let controls = controls(policy)?;
    let has_clients = has_clients(&conditions["clientAppTypes"])?;
    let principals = principals(conditions)?;
    let apps = apps(&conditions["applications"])?;
    let (true, Some(principals), Some(apps)) = (has_clients, principals, apps) else {
        return Ok(Vec::new());
    };
    let policies = controls.into_iter().map(|control| Policy {
        id: id.to_owned(),
        control,
        principals: principals.included.clone(),
        apps: apps.included.clone(),
        excluded_principals: principals.excluded.clone(),
        excluded_apps: apps.excluded.clone(),
    });
    Ok(policies.collect())
}

/// For what a policy is.
struct Scope {
    /// Empty for everything.
    included: Vec<String>,
    excluded: Vec<String>,
}

/// The users, groups, roles and service principals of a policy, or `None` if it is for none.
fn principals(conditions: &Value) -> Result<Option<Scope>, String> {
    const USERS: &str = "conditions/users";
    const WORKLOADS: &str = "conditions/clientApplications";
    let (users, workloads) = (&conditions["users"], &conditions["clientApplications"]);
    let (include, exclude) = (
        ["includeUsers", "includeGroups", "includeRoles"],
        ["excludeUsers", "excludeGroups", "excludeRoles"],
    );
    has_only(USERS, users, &[include, exclude].concat())?;
    let known = ["includeServicePrincipals", "excludeServicePrincipals"];
    has_only(WORKLOADS, workloads, &known)?;
    let mut excluded = ids(USERS, users, &exclude)?;
    excluded.extend(ids(WORKLOADS, workloads, &known[1..])?);
    let workloads = ids(WORKLOADS, workloads, &known[..1])?;
    if texts(&users["includeUsers"]).contains(&"All") {
        return match workloads.is_empty() {
            true => Ok(Some(Scope {
                included: Vec::new(),
                excluded,
            })),
            false => Err(WORKLOADS.to_owned()),
        };
    }
    let mut included = ids(USERS, users, &include)?;
    included.extend(workloads);
    Ok((!included.is_empty()).then_some(Scope { included, excluded }))
}

/// The client ids of a policy, or `None` if it is for no application.
fn apps(applications: &Value) -> Result<Option<Scope>, String> {
    const APPLICATIONS: &str = "conditions/applications";
    let known = ["includeApplications", "excludeApplications"];
    has_only(APPLICATIONS, applications, &known)?;
    let excluded = ids(APPLICATIONS, applications, &known[1..])?;
    let for_all = texts(&applications["includeApplications"]).contains(&"All");
    let included = match for_all {
        true => Vec::new(),
        false => ids(APPLICATIONS, applications, &known[..1])?,
    };
    Ok((for_all || !included.is_empty()).then_some(Scope { included, excluded }))
}

/// The controls of a policy, all of which it requires.
fn controls(policy: &Object) -> Result<Vec<Control>, String> {
    let (grant, session) = (&policy["grantControls"], &policy["sessionControls"]);
    const KNOWN: &[&str] = &["builtInControls", "customAuthenticationFactors", "operator"];
    has_only("grantControls", grant, KNOWN)?;
    let built_in = texts(&grant["builtInControls"]).into_iter();
    let built_in = built_in.map(|name| match name {
        "block" => Ok(Control::Block),
        "mfa" => Ok(Control::SecondFactor),
        "compliantDevice" => Ok(Control::CompliantDevice),
        "domainJoinedDevice" => Ok(Control::HybridJoinedDevice),
        "approvedApplication" => Ok(Control::ApprovedApplication),
        "passwordChange" => Ok(Control::PasswordChange),
        _ => Err("grantControls/builtInControls".to_owned()),
    });
    let mut controls = built_in.collect::<Result<Vec<_>, _>>()?;
    if !texts(&grant["customAuthenticationFactors"]).is_empty() {
        controls.push(Control::Custom);
    }
    if controls.len() > 1 && grant["operator"] != "AND" {
        if controls.contains(&Control::Block) {
            return Err("grantControls/operator".to_owned());
        }
        // No client of the fake tenant meets another control than the second factor.
        let wanted = |control: &Control| *control == Control::SecondFactor;
        let met = controls.iter().position(wanted).unwrap_or_default();
        controls = vec![controls.swap_remove(met)];
    }
    let members = session.as_object().into_iter().flatten();
    let set = members.filter(|(name, value)| {
        // This one is about an outage of the sign-in service.
        name.as_str() != "disableResilienceDefaults"
            && !is_annotation(name)
            && !is_empty(value)
            && value["isEnabled"] != false
    });
    for (name, value) in set {
        match name.as_str() {
            "secureSignInSession" => controls.push(Control::TokenProtection),
            "signInFrequency" => controls.push(frequency(value)?),
            _ => return Err(format!("sessionControls/{name}")),
        }
    }
    Ok(controls)
}

/// The control of a sign-in frequency in hours or days.
fn frequency(value: &Value) -> Result<Control, String> {
    let unit = match value["type"].as_str() {
        Some("hours") => Some(3_600),
        Some("days") => Some(86_400),
        _ => None,
    };
    // The other one counts from the last second factor.
    let is_of_sign_in = value["authenticationType"] != "secondaryAuthentication";
    let seconds = value["value"]
        .as_u64()
        // No sign-in is younger than zero hours: every user would sign in again and again.
        .filter(|number| *number > 0 && is_of_sign_in)
        .zip(unit)
        .map(|(number, unit)| number.saturating_mul(unit));
    seconds
        .map(|seconds| Control::Frequency(Duration::from_secs(seconds)))
        .ok_or_else(|| "sessionControls/signInFrequency".to_owned())
}

/// Whether the policy applies to browsers and to the other clients of today. The clients of old protocols do not sign in
/// at the endpoints of the fake tenant.
fn has_clients(types: &Value) -> Result<bool, String> {
    let types = texts(types);
    let has = |name: &str| types.contains(&name);
    let every = types.is_empty() || has("all");
    let browsers = every || has("browser");
    match (browsers, every || has("mobileAppsAndDesktopClients")) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        _ => Err("conditions/clientAppTypes".to_owned()),
    }
}

/// Returns an error unless a condition includes everything and excludes nothing, so that it is none.
fn includes_all(path: &str, condition: &Value, list: &str) -> Result<(), String> {
    has_only(path, condition, &[list])?;
    let included = texts(&condition[list]);
    let is_none = included.is_empty();
    match is_none || included.iter().any(|name| name.eq_ignore_ascii_case("all")) {
        true => Ok(()),
        false => Err(format!("{path}/{list}")),
    }
}

/// Returns an error if a member beside the known ones says something.
fn has_only(path: &str, value: &Value, known: &[&str]) -> Result<(), String> {
    let mut members = value.as_object().into_iter().flatten();
    let other = members.find(|(name, value)| {
        !known.contains(&name.as_str()) && !is_annotation(name) && !is_empty(value)
    });
    match other {
        None => Ok(()),
        Some((name, _)) => Err(format!("{path}/{name}")),
    }
}

/// Whether a member is about another one. A reference to an object is a value.
fn is_annotation(name: &str) -> bool {
    name.contains('@') && !name.ends_with("@odata.bind")
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

/// The ids of some lists in the spelling of the directory.
fn ids(path: &str, value: &Value, lists: &[&str]) -> Result<Vec<String>, String> {
    let mut ids = Vec::new();
    for list in lists {
        for name in texts(&value[*list]) {
            match name.parse::<Guid>() {
                Ok(id) => ids.push(id.to_string()),
                Err(_) if name == "None" => {}
                Err(_) => return Err(format!("{path}/{list}")),
            }
        }
    }
    Ok(ids)
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

    fn block_everything() -> Value {
        json!({
            "state": "enabled",
            "conditions": {
                "users": {"includeUsers": ["All"], "excludeUsers": []},
                "applications": {"includeApplications": ["All"]},
                "clientAppTypes": ["all"], "locations": null
            },
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}
        })
    }

    /// What is made of the policy that blocks everything after a change.
    fn changed(changes: &[(&str, Value)]) -> Result<Vec<Policy>, String> {
        let mut policy = block_everything();
        for (pointer, value) in changes {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            policy.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        enforced("a", &object(&policy))
    }

    #[test]
    fn what_a_report_only_policy_would_enforce_follows_the_policy() {
        let mut state = state();
        let kind = Kind::ConditionalAccessPolicy;
        let mut policy = block_everything();
        policy["id"] = json!(id(7));
        policy["state"] = json!("enabledForReportingButNotEnforced");
        state.insert_unrestricted(kind, policy).unwrap();
        let known = |state: &State| -> Option<Vec<Control>> {
            let policies = state.report_only.get(&id(7))?;
            Some(policies.iter().map(|policy| policy.control).collect())
        };
        let blocks = Some(vec![Control::Block]);
        assert_eq!(known(&state), blocks);
        assert!(state.policies.is_empty());
        let set = |state: &mut State, name: &str, value: Value| {
            let properties = [(name.to_owned(), value)].into_iter().collect();
            state.set_unrestricted(kind, &id(7), properties).unwrap();
        };
        set(&mut state, "state", json!("enabled"));
        assert_eq!(known(&state), None);
        assert_eq!(state.policies.len(), 1);
        set(
            &mut state,
            "state",
            json!("enabledForReportingButNotEnforced"),
        );
        assert_eq!(known(&state), blocks);
        assert!(state.remove_unrestricted(kind, &id(7)));
        assert_eq!(known(&state), None);
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_policy_that_was_stored_as_recorded_only_is_enforced_when_it_is_loaded() {
        let mut state = state();
        let rule = AccessRule {
            control: Control::SecondFactor,
            principals: vec![],
            apps: vec![],
        };
        state.add_access_rule(Timestamp::UNIX_EPOCH, rule);
        let before = state.policies.clone();
        let mut policy = block_everything();
        policy["id"] = json!(id(7));
        let kind = Kind::ConditionalAccessPolicy;
        state.store.insert(kind, object(&policy)).unwrap();
        state.enforce_recorded_policies();
        assert_eq!(state.policies[..1], before[..]);
        assert_eq!(state.policies[1].id, id(7));
        assert_eq!(state.policies.len(), 2);
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_policy_that_the_directory_no_longer_has_enabled_is_not_enforced_when_it_is_loaded() {
        let mut state = state();
        let kind = Kind::ConditionalAccessPolicy;
        let mut policy = block_everything();
        policy["id"] = json!(id(7));
        state.store.insert(kind, object(&policy)).unwrap();
        state.enforce_policy(&id(7));
        let removed = Policy {
            id: id(8),
            ..state.policies[0].clone()
        };
        state.policies.push(removed);
        state.store.update(kind, &id(7), |policy| {
            policy.insert("state".to_owned(), "disabled".into());
        });
        state.enforce_recorded_policies();
        assert!(state.policies.is_empty());
    }

    #[test]
    fn an_exclusion_is_part_of_the_policy() {
        let users = json!({
            "includeUsers": ["All"], "excludeUsers": [id(1)], "excludeGroups": [id(2)], "excludeRoles": [id(6)]
        });
        let apps = json!({"includeApplications": ["All"], "excludeApplications": [id(4)]});
        let found = changed(&[
            ("/conditions/users", users),
            ("/conditions/applications", apps),
        ]);
        let expected = Policy {
            id: "a".into(),
            control: Control::Block,
            principals: vec![],
            apps: vec![],
            excluded_principals: vec![id(1), id(2), id(6)],
            excluded_apps: vec![id(4)],
        };
        assert_eq!(found, Ok(vec![expected]));
    }

    #[test]
    fn a_condition_that_includes_everything_is_none() {
        let plain = changed(&[]);
        assert_eq!(plain.as_ref().map(Vec::len), Ok(1));
        for (pointer, value) in [
            (
                "/conditions/locations",
                json!({"includeLocations": ["All"], "excludeLocations": []}),
            ),
            (
                "/conditions/platforms",
                json!({"includePlatforms": ["all"], "excludePlatforms": []}),
            ),
            ("/conditions/devices", json!({"deviceFilter": null})),
            (
                "/conditions/clientAppTypes",
                json!(["browser", "mobileAppsAndDesktopClients"]),
            ),
            (
                "/sessionControls",
                json!({"disableResilienceDefaults": true, "persistentBrowser": {"mode": "never", "isEnabled": false}}),
            ),
        ] {
            assert_eq!(changed(&[(pointer, value)]), plain, "{pointer}");
        }
    }

    #[test]
    fn a_choice_of_controls_is_the_one_that_a_client_can_meet() {
        let with = |operator: &str, controls: &[&str]| {
            let grant = json!({"operator": operator, "builtInControls": controls});
            let policies = changed(&[("/grantControls", grant)])?;
            let controls = policies.into_iter().map(|policy| policy.control);
            Ok::<Vec<Control>, String>(controls.collect())
        };
        let both = ["compliantDevice", "mfa"];
        assert_eq!(with("OR", &both), Ok(vec![Control::SecondFactor]));
        assert_eq!(
            with("AND", &both),
            Ok(vec![Control::CompliantDevice, Control::SecondFactor])
        );
        assert_eq!(
            with("OR", &["domainJoinedDevice", "compliantDevice"]),
            Ok(vec![Control::HybridJoinedDevice])
        );
        assert_eq!(
            with("OR", &["mfa", "block"]),
            Err("grantControls/operator".into())
        );
    }

    #[test]
    fn a_policy_that_applies_to_no_sign_in_is_enforced_without_effect() {
        for (pointer, value) in [
            ("/state", json!("disabled")),
            ("/state", json!("enabledForReportingButNotEnforced")),
            ("/conditions/users/includeUsers", json!(["None"])),
            (
                "/conditions/applications/includeApplications",
                json!(["None"]),
            ),
            (
                "/conditions/clientAppTypes",
                json!(["exchangeActiveSync", "other"]),
            ),
            ("/grantControls", Value::Null),
        ] {
            assert_eq!(changed(&[(pointer, value)]), Ok(vec![]), "{pointer}");
        }
    }

    #[test]
    fn a_policy_that_the_sign_in_side_cannot_express_is_not_enforced_and_says_why() {
        for (pointer, value, part) in [
            (
                "/conditions/users/includeUsers",
                json!(["GuestsOrExternalUsers"]),
                "",
            ),
            (
                "/conditions/users/excludeUsers",
                json!(["GuestsOrExternalUsers"]),
                "",
            ),
            (
                "/conditions/users/excludeGuestsOrExternalUsers",
                json!({"guestOrExternalUserTypes": "internalGuest"}),
                "",
            ),
            (
                "/conditions/applications/includeApplications",
                json!(["Office365"]),
                "",
            ),
            (
                "/conditions/applications/includeUserActions",
                json!(["urn:user:registerdevice"]),
                "",
            ),
            ("/conditions/clientAppTypes", json!(["browser"]), ""),
            ("/conditions/userRiskLevels", json!(["high"]), ""),
            (
                "/conditions/locations",
                json!({"includeLocations": [id(5)]}),
                "/includeLocations",
            ),
            (
                "/conditions/locations",
                json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
                "/excludeLocations",
            ),
            (
                "/conditions/platforms",
                json!({"includePlatforms": ["iOS"]}),
                "/includePlatforms",
            ),
            ("/grantControls/termsOfUse", json!([id(5)]), ""),
            (
                "/grantControls/builtInControls",
                json!(["riskRemediation"]),
                "",
            ),
            (
                "/grantControls/authenticationStrength@odata.bind",
                json!("x"),
                "",
            ),
            (
                "/sessionControls",
                json!({"persistentBrowser": {"mode": "never", "isEnabled": true}}),
                "/persistentBrowser",
            ),
            (
                "/sessionControls",
                json!({"signInFrequency": {"frequencyInterval": "everyTime", "isEnabled": true}}),
                "/signInFrequency",
            ),
            (
                "/sessionControls",
                json!({"signInFrequency": {"value": 0, "type": "hours", "isEnabled": true}}),
                "/signInFrequency",
            ),
        ] {
            let found = changed(&[(pointer, value)]);
            let expected = format!("{pointer}{part}");
            let expected = expected.trim_start_matches('/').to_owned();
            assert_eq!(found, Err(expected));
        }
    }

    #[test]
    fn a_second_factor_with_an_unknown_session_control_is_not_half_enforced() {
        let found = changed(&[
            (
                "/grantControls",
                json!({"operator": "OR", "builtInControls": ["mfa"]}),
            ),
            (
                "/sessionControls",
                json!({"persistentBrowser": {"mode": "always", "isEnabled": true}}),
            ),
        ]);
        assert_eq!(found, Err("sessionControls/persistentBrowser".into()));
    }
}
