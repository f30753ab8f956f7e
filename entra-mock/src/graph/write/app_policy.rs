//! App management policies: the rules of their own bodies, and what they restrict for applications
//! and service principals.

use serde_json::Value;

use super::{
    super::{call::Call, unsourced},
    body::{Draft, invalid, required, texts},
};
use crate::{
    odata::GraphError,
    schema::{EntityType, Relation, SINGLE_ID},
    state::iso,
    store::{Kind, Object},
    time::{TICKS, ticks},
};

/// Checks the restrictions of a new or changed policy, and adds the parts that a body can omit.
pub(super) fn complete(entity: &EntityType, draft: &mut Draft) -> Result<(), GraphError> {
    for name in [
        "restrictions",
        "applicationRestrictions",
        "servicePrincipalRestrictions",
    ] {
        let Some(mut restrictions) = draft.get(name).cloned() else {
            continue;
        };
        for list in ["passwordCredentials", "keyCredentials"] {
            for item in restrictions[list].as_array_mut().into_iter().flatten() {
                let kind = item["restrictionType"]
                    .as_str()
                    .ok_or_else(|| required(entity, name))?;
                let limited = kind.ends_with("Lifetime");
                let lifetime = item["maxLifetime"].as_str().map(duration);
                if limited != lifetime.is_some() || lifetime == Some(None) {
                    return Err(invalid(entity, name));
                }
                if item["state"].is_null() {
                    item["state"] = ENABLED.into();
                }
            }
        }
        draft.set(name, restrictions);
    }
    Ok(())
}

/// Checks a new client secret.
pub(super) fn check_password(
    call: Call<'_>,
    kind: Kind,
    object: Option<&Object>,
    credential: &Value,
) -> Result<(), GraphError> {
    let Some(policy) = Policy::of(call, kind, object) else {
        return Ok(());
    };
    policy.check_type("passwordCredentials", "passwordAddition")?;
    policy.check_lifetime("passwordCredentials", "passwordLifetime", credential)
}

/// Checks a new key.
pub(super) fn check_key(
    call: Call<'_>,
    kind: Kind,
    object: Option<&Object>,
    credential: &Value,
) -> Result<(), GraphError> {
    let Some(policy) = Policy::of(call, kind, object) else {
        return Ok(());
    };
    if credential["type"] == "Symmetric" {
        policy.check_type("passwordCredentials", "symmetricKeyAddition")?;
        return policy.check_lifetime("passwordCredentials", "symmetricKeyLifetime", credential);
    }
    policy.check_lifetime("keyCredentials", "asymmetricKeyLifetime", credential)
}

/// Checks the identifier URIs that a request adds. That they name the application, the tenant or a
/// verified domain is checked without a policy.
pub(super) fn check_identifier_uris(
    call: Call<'_>,
    before: Option<&Object>,
    app_id: &str,
    draft: &Draft,
) -> Result<(), GraphError> {
    let Some(policy) = Policy::of(call, Kind::Application, before) else {
        return Ok(());
    };
    let api = draft
        .get("api")
        .or_else(|| before.and_then(|object| object.get("api")));
    let version_2 = api.is_some_and(|api| api["requestedAccessTokenVersion"] == 2);
    let restricted = policy
        .identifier_uris("nonDefaultUriAddition")
        .filter(|item| policy.applies(item))
        .is_some_and(|item| !(version_2 && item["excludeAppsReceivingV2Tokens"] == true));
    if !restricted {
        return Ok(());
    }
    let defaults = [
        format!("api://{app_id}"),
        format!("api://{}/{app_id}", call.state.tenant_id),
    ];
    let old: Vec<&str> = texts(before.and_then(|object| object.get("identifierUris"))).collect();
    let added = texts(draft.get("identifierUris")).filter(|uri| !old.contains(uri));
    for uri in added {
        if !defaults.iter().any(|own| own.eq_ignore_ascii_case(uri)) {
            return Err(unsourced::not_a_default_uri(uri));
        }
    }
    Ok(())
}

/// The policy that applies to one object.
struct Policy<'a> {
    call: Call<'a>,
    id: &'a str,
    restrictions: &'a Value,
    /// When the object was created.
    created: i64,
}

impl<'a> Policy<'a> {
    /// Returns the enabled policy of an object, or of a new one: the assigned policy instead of the
    /// tenant's default.
    fn of(call: Call<'a>, kind: Kind, object: Option<&Object>) -> Option<Self> {
        let store = &call.state.store;
        let assigned = object.and_then(|object| {
            let id = object["id"].as_str()?;
            let mut policies = store.linked_objects(Relation::AppManagementPolicies, id);
            policies.next().map(|(_, policy)| policy)
        });
        let property = kind.entity().application?.restrictions;
        let (policy, property) = match assigned {
            Some(policy) => (policy, "restrictions"),
            None => (
                store.get(Kind::TenantAppManagementPolicy, SINGLE_ID)?,
                property,
            ),
        };
        let now = iso(call.now);
        let created = match object {
            Some(object) => object["createdDateTime"].as_str().unwrap_or(UNKNOWN),
            None => &now,
        };
        (policy["isEnabled"] == true).then(|| Self {
            call,
            id: policy["id"].as_str().unwrap_or_default(),
            restrictions: &policy[property],
            created: ticks(created).unwrap_or_default(),
        })
    }

    fn check_type(&self, list: &str, kind: &str) -> Result<(), GraphError> {
        if self.active(list, kind).next().is_none() {
            return Ok(());
        }
        // The code and the text up to the id are reported by several tools.
        Err(GraphError::new(
            400,
            "CredentialTypeNotAllowedAsPerAppPolicy",
            format!(
                "Credential type not allowed as per assigned policy '{}'.",
                self.id
            ),
        ))
    }

    fn check_lifetime(&self, list: &str, kind: &str, credential: &Value) -> Result<(), GraphError> {
        let time = |name: &str| credential[name].as_str().and_then(ticks);
        let lifetime = time("endDateTime").zip(time("startDateTime"));
        let lifetime = lifetime.map(|(end, start)| end.saturating_sub(start));
        let exceeded = self
            .active(list, kind)
            .filter_map(|item| duration(item["maxLifetime"].as_str()?))
            .any(|most| lifetime.is_none_or(|lifetime| lifetime > most));
        if !exceeded {
            return Ok(());
        }
        Err(GraphError::new(
            400,
            "CredentialInvalidLifetimeAsPerAppPolicy",
            format!(
                "Credential lifetime exceeds the max value allowed as per assigned policy '{}'.",
                self.id
            ),
        ))
    }

    /// The restrictions of a type that apply to the object and the caller.
    fn active<'p>(&'p self, list: &str, kind: &'p str) -> impl Iterator<Item = &'p Value> {
        self.restrictions[list]
            .as_array()
            .into_iter()
            .flatten()
            .filter(move |item| item["restrictionType"] == kind && self.applies(item))
    }

    fn identifier_uris(&self, name: &str) -> Option<&Value> {
        let direct = &self.restrictions["identifierUris"][name];
        let nested = &self.restrictions["applicationRestrictions"]["identifierUris"][name];
        [direct, nested].into_iter().find(|item| item.is_object())
    }

    fn applies(&self, item: &Value) -> bool {
        let enabled = item["state"].as_str().is_none_or(|state| state == ENABLED);
        let since = item["restrictForAppsCreatedAfterDateTime"].as_str();
        let covered = since
            .and_then(ticks)
            .is_none_or(|since| self.created >= since);
        enabled && covered && !self.exempts_caller(&item["excludeActors"])
    }

    /// Whether a custom security attribute of the caller has the value of an exemption.
    fn exempts_caller(&self, exemptions: &Value) -> bool {
        let store = &self.call.state.store;
        let caller = self.call.caller;
        let id = caller
            .user_id
            .as_ref()
            .or(caller.service_principal_id.as_ref());
        let Some((_, actor)) = id.and_then(|id| store.any(id)) else {
            return false;
        };
        let listed = exemptions["customSecurityAttributes"].as_array();
        listed.into_iter().flatten().any(|exemption| {
            let name = exemption["id"].as_str().and_then(|id| id.split_once('_'));
            let Some((set, name)) = name else {
                return false;
            };
            let own = &actor["customSecurityAttributes"][set][name];
            let wanted = &exemption["value"];
            !wanted.is_null()
                && (own == wanted || own.as_array().is_some_and(|values| values.contains(wanted)))
        })
    }
}

/// Reads a duration of days and times in ISO 8601, such as `P4DT12H30M5S`, in ticks.
fn duration(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    let mut total = 0_i64;
    let mut any = false;
    for (mut rest, units) in [(days, &DAYS[..]), (time, &TIMES[..])] {
        for (unit, seconds) in units {
            let Some((number, after)) = rest.split_once(*unit) else {
                continue;
            };
            let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
            total = total.checked_add(number.checked_mul(*seconds)?)?;
            rest = after;
            any = true;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    any.then(|| total.checked_mul(TICKS))?
}

const DAYS: [(char, i64); 1] = [('D', 86_400)];
const TIMES: [(char, i64); 3] = [('H', 3_600), ('M', 60), ('S', 1)];
const ENABLED: &str = "enabled";
/// Objects without a time of creation count as created then (page "Update
/// tenantAppManagementPolicy").
const UNKNOWN: &str = "2019-01-01T00:00:00Z";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_days_and_times_are_read() {
        let day = 86_400 * TICKS;
        for (text, expected) in [
            ("P90D", Some(90 * day)),
            (
                "P4DT12H30M5S",
                Some(4 * day + (12 * 3_600 + 30 * 60 + 5) * TICKS),
            ),
            ("PT36H", Some(36 * 3_600 * TICKS)),
            ("P0D", Some(0)),
            ("P", None),
            ("PT", None),
            ("P1", None),
            ("P-1D", None),
            ("90D", None),
            ("P1DT", None),
            ("PT5S6M", None),
            ("P99999999999999999D", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
