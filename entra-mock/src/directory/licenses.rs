//! The licences of users: those that were assigned directly, and those that their groups give them.

use entra_core::Timestamp;
use serde_json::{Value, json};

use crate::{
    state::{State, iso},
    store::{Kind, Object, Relation},
};

/// What changes if the licences of a user do.
#[derive(Debug)]
pub(crate) struct LicenseChange {
    /// New values of the user's properties.
    pub(crate) values: Vec<(String, Option<Value>)>,
    /// By SKU id, how many more or fewer units are consumed.
    pub(crate) units: Vec<(String, i64)>,
}

/// What a user or a group with licences leaves behind when it is removed.
#[derive(Debug)]
pub(super) struct LicenseSource {
    /// By SKU id, the change of the consumed units.
    units: Vec<(String, i64)>,
    /// The members of a licensed group, who inherit its licences.
    members: Vec<String>,
}

/// The licences that a user has directly, in the form of `assignedLicenses`.
pub(crate) fn direct(user: &Object) -> Vec<Value> {
    let states = list(user, STATES);
    let assigned =
        |entry: &Value| json!({ "disabledPlans": entry["disabledPlans"], "skuId": entry["skuId"] });
    let direct = states
        .iter()
        .filter(|state| state["assignedByGroup"].is_null());
    // A licence without a state was set together with the user.
    let stateless = list(user, LICENSES)
        .iter()
        .filter(|licence| !states.iter().any(|state| is_same_sku(state, licence)));
    direct.chain(stateless).map(assigned).collect()
}

/// Whether a user has a licence by a group.
pub(crate) fn inherits(user: &Object, sku: &str) -> bool {
    list(user, STATES)
        .iter()
        .any(|state| !state["assignedByGroup"].is_null() && sku_of(state).eq_ignore_ascii_case(sku))
}

impl State {
    /// Returns what changes for a user who has these licences directly, and those of the groups.
    pub(crate) fn license_change(
        &self,
        now: Timestamp,
        user: &Object,
        direct: &[Value],
    ) -> LicenseChange {
        let before = list(user, LICENSES);
        let old = list(user, STATES);
        let mut states: Vec<Value> = direct
            .iter()
            .map(|licence| assignment(now, old, licence, &Value::Null, None))
            .collect();
        for group in self.licensing_groups(user) {
            for licence in list(group, LICENSES) {
                // One unit is enough for all sources of a licence.
                let is_covered = before
                    .iter()
                    .chain(states.iter().filter(|state| is_active(state)))
                    .any(|other| is_same_sku(other, licence));
                let fault = (!is_covered && !self.has_free_unit(sku_of(licence)))
                    .then_some("CountViolation");
                states.push(assignment(now, old, licence, &group["id"], fault));
            }
        }
        let mut licences: Vec<Value> = Vec::new();
        for state in states.iter().filter(|state| is_active(state)) {
            let known = licences
                .iter_mut()
                .find(|licence| is_same_sku(licence, state));
            match known {
                // A plan is enabled if one source enables it.
                Some(licence) => {
                    let other = state["disabledPlans"].as_array();
                    let is_disabled =
                        |plan: &Value| other.is_some_and(|plans| plans.contains(plan));
                    if let Some(plans) = licence["disabledPlans"].as_array_mut() {
                        plans.retain(is_disabled);
                    }
                }
                None => licences.push(
                    json!({ "disabledPlans": state["disabledPlans"], "skuId": state["skuId"] }),
                ),
            }
        }
        let missing_in = |licences: &[Value], licence: &Value| {
            !licences.iter().any(|other| is_same_sku(other, licence))
        };
        let added = licences.iter().filter(|one| missing_in(before, one));
        let removed = before.iter().filter(|one| missing_in(&licences, one));
        let units = added
            .map(|licence| (sku_of(licence).to_owned(), 1))
            .chain(removed.map(|licence| (sku_of(licence).to_owned(), -1)))
            .collect();
        let values = vec![
            (LICENSES.to_owned(), Some(Value::from(licences))),
            (STATES.to_owned(), Some(Value::from(states))),
        ];
        LicenseChange { values, units }
    }

    /// Gives a user the licences of the groups, and takes those that no group gives any more.
    pub(crate) fn inherit_licenses(&mut self, now: Timestamp, user: &str) {
        let Some(object) = self.store.get(Kind::User, user) else {
            return;
        };
        let states = list(object, STATES);
        let inherits = states
            .iter()
            .any(|state| !state["assignedByGroup"].is_null());
        if !inherits && self.licensing_groups(object).next().is_none() {
            return;
        }
        let change = self.license_change(now, object, &direct(object));
        let is_changed =
            |(name, value): &(String, Option<Value>)| object.get(name) != value.as_ref();
        if !change.values.iter().any(is_changed) {
            return;
        }
        self.store.update(Kind::User, user, |object| {
            for (name, value) in change.values {
                if let Some(value) = value {
                    object.insert(name, value);
                }
            }
        });
        self.consume_units(&change.units);
    }

    /// The same for each user who is a direct member of a group.
    pub(crate) fn inherit_licenses_of_group(&mut self, now: Timestamp, group: &str) {
        for user in self.user_members(group) {
            self.inherit_licenses(now, &user);
        }
    }

    /// Follows a change of a user's licences by other ways than Graph: what the user had frees its units, what the user
    /// has consumes them, and a direct assignment that is gone is none.
    pub(super) fn follow_licenses_of_user(
        &mut self,
        now: Timestamp,
        user: &str,
        freed: &[(String, i64)],
    ) {
        let Some(object) = self.store.get(Kind::User, user) else {
            return;
        };
        let consumed = units_of(object, 1);
        let (held, states) = (list(object, LICENSES), list(object, STATES));
        let is_kept = |state: &&Value| {
            !state["assignedByGroup"].is_null() || held.iter().any(|one| is_same_sku(one, state))
        };
        let kept: Vec<Value> = states.iter().filter(is_kept).cloned().collect();
        if kept.len() != states.len() {
            self.store.update(Kind::User, user, |object| {
                object.insert(STATES.to_owned(), kept.into());
            });
        }
        // First what is consumed: a count stops at 0.
        self.consume_units(&consumed);
        self.consume_units(freed);
        self.inherit_licenses(now, user);
    }

    /// Returns what holds licences because of an object. It is taken before the object is removed, since its links go
    /// with it.
    pub(super) fn license_source(&self, kind: Kind, id: &str) -> LicenseSource {
        let user = self.store.get(kind, id).filter(|_| kind == Kind::User);
        let members = if kind == Kind::Group && self.has_licenses(kind, id) {
            self.user_members(id)
        } else {
            Vec::new()
        };
        LicenseSource {
            units: user.map(|user| units_of(user, -1)).unwrap_or_default(),
            members,
        }
    }

    /// Frees the units of a removed user, and takes from the members what a removed group gave them.
    pub(super) fn end_licenses(&mut self, now: Timestamp, source: &LicenseSource) {
        self.consume_units(&source.units);
        for member in &source.members {
            self.inherit_licenses(now, member);
        }
    }

    /// Whether licences are assigned to an object.
    pub(super) fn has_licenses(&self, kind: Kind, id: &str) -> bool {
        let object = self.store.get(kind, id);
        object.is_some_and(|object| !list(object, LICENSES).is_empty())
    }

    /// The users who are direct members of a group. Licences do not reach members of nested groups.
    fn user_members(&self, group: &str) -> Vec<String> {
        self.store
            .linked_objects(Relation::Members, group)
            .filter(|(kind, _)| *kind == Kind::User)
            .filter_map(|(_, user)| user.text("id").map(str::to_owned))
            .collect()
    }

    /// Changes the numbers of consumed units. A product without such a number is not counted.
    pub(super) fn consume_units(&mut self, units: &[(String, i64)]) {
        for (sku, change) in units {
            let counted = self.product(sku).and_then(|product| {
                let used = product["consumedUnits"].as_i64()?;
                Some((product.text("id")?.to_owned(), used))
            });
            let Some((id, used)) = counted else {
                continue;
            };
            let used = (used + change).max(0);
            self.store.update(Kind::SubscribedSku, &id, |product| {
                product.insert("consumedUnits".to_owned(), used.into());
            });
        }
    }

    /// The product with this SKU id.
    pub(crate) fn product(&self, sku: &str) -> Option<&Object> {
        self.store.all(Kind::SubscribedSku).find(|product| {
            let id = product.text("skuId");
            id.is_some_and(|id| id.eq_ignore_ascii_case(sku))
        })
    }

    fn has_free_unit(&self, sku: &str) -> bool {
        self.product(sku).is_none_or(|product| {
            let used = product["consumedUnits"].as_i64().unwrap_or(0);
            let units = product["prepaidUnits"]["enabled"].as_i64();
            units.is_none_or(|units| used < units)
        })
    }

    /// The groups with licences that a user is a direct member of.
    fn licensing_groups(&self, user: &Object) -> impl Iterator<Item = &Object> {
        let id = user.text("id").unwrap_or_default();
        self.store
            .linking_objects(Relation::Members, id)
            .filter(|(kind, group)| *kind == Kind::Group && !list(group, LICENSES).is_empty())
            .map(|(_, group)| group)
    }
}

/// The units that the licences of a user consume, with `change` as the number for each.
pub(super) fn units_of(user: &Object, change: i64) -> Vec<(String, i64)> {
    list(user, LICENSES)
        .iter()
        .map(|licence| (sku_of(licence).to_owned(), change))
        .collect()
}

/// The state of an assignment: the known one, or one that starts now.
fn assignment(
    now: Timestamp,
    known: &[Value],
    licence: &Value,
    group: &Value,
    fault: Option<&str>,
) -> Value {
    let error = fault.unwrap_or("None");
    let is_same = |state: &&Value| {
        is_same_sku(state, licence)
            && state["disabledPlans"] == licence["disabledPlans"]
            && state["assignedByGroup"] == *group
            && state["error"] == error
    };
    known.iter().find(is_same).cloned().unwrap_or_else(|| {
        json!({
            "skuId": licence["skuId"], "disabledPlans": licence["disabledPlans"], "assignedByGroup": group,
            "state": fault.map_or("Active", |_| "Error"), "error": error, "lastUpdatedDateTime": iso(now)
        })
    })
}

fn is_active(state: &Value) -> bool {
    state["state"] != "Error"
}

fn is_same_sku(one: &Value, other: &Value) -> bool {
    sku_of(one).eq_ignore_ascii_case(sku_of(other))
}

fn sku_of(licence: &Value) -> &str {
    licence["skuId"].as_str().unwrap_or_default()
}

fn list<'a>(object: &'a Object, name: &str) -> &'a [Value] {
    let items = object.get(name).and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

const LICENSES: &str = "assignedLicenses";
const STATES: &str = "licenseAssignmentStates";
