//! What the tenant has, for the messages of tests that name what it does not have.

use serde_json::Value;

use crate::{
    state::State,
    store::{Kind, Object},
};

/// The most names in a message.
const MOST: usize = 20;

/// `; it has a, b, c`: the objects of a kind, by a property.
pub(super) fn it_has(state: &State, kind: Kind, property: &str) -> String {
    let names = state
        .store
        .all(kind)
        .filter_map(|object| object.get(property)?.as_str());
    listed(&names.collect::<Vec<_>>())
}

/// The permissions of a resource, by client id or object id, whose name begins as this one does.
pub(super) fn permissions_like(state: &State, list: &str, resource: &str, name: &str) -> String {
    let principal = state
        .store
        .get(Kind::ServicePrincipal, resource)
        .or_else(|| state.store.find(Kind::ServicePrincipal, "appId", resource));
    let all: Vec<&str> = principal.map(|one| values(one, list)).unwrap_or_default();
    let area = |text: &str| {
        text.split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let similar: Vec<&str> = all
        .iter()
        .copied()
        .filter(|one| area(one) == area(name))
        .collect();
    match similar.is_empty() && all.len() <= MOST {
        true => listed(&all),
        false => listed(&similar),
    }
}

fn values<'a>(principal: &'a Object, list: &str) -> Vec<&'a str> {
    let permissions = principal.get(list).and_then(Value::as_array);
    let values = permissions.into_iter().flatten();
    values.filter_map(|one| one["value"].as_str()).collect()
}

fn listed(names: &[&str]) -> String {
    let more = match names.len() > MOST {
        true => ", …",
        false => "",
    };
    match names.is_empty() {
        true => String::new(),
        false => format!(
            "; it has {}{more}",
            names[..names.len().min(MOST)].join(", ")
        ),
    }
}
