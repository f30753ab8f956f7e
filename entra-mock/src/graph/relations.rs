//! The items of relationships.

use std::collections::{HashSet, VecDeque};

use serde_json::Value;

use crate::{
    permissions::hides_members,
    schema::{Kind, Relation, Relationship, Source},
    store::{Object, Store},
};

impl Relationship {
    /// Returns the objects of a relationship that the caller may see. Without `Member.Read.Hidden`
    /// the members of groups with hidden membership are omitted without an error.
    pub(super) fn visible<'a>(
        &self,
        store: &'a Store,
        id: &'a str,
        sees_hidden: bool,
    ) -> Box<dyn Iterator<Item = (Kind, &'a Object)> + 'a> {
        let objects = self.objects(store, id);
        if sees_hidden {
            return objects;
        }
        match self.source {
            Source::Out(Relation::Members) => Box::new(shown_members(store, id)),
            // A nested group with hidden members does not show them either.
            Source::Down => Box::new(reachable(id, move |id| shown_members(store, id))),
            Source::In(Relation::Members) | Source::Up => {
                Box::new(objects.filter(|(_, group)| !hides_members(group)))
            }
            Source::Out(_)
            | Source::In(_)
            | Source::AssignmentsOf
            | Source::AssignmentsTo
            | Source::Children(_)
            | Source::Grants(_)
            | Source::Named(_)
            | Source::InDomain
            | Source::RootDomain => objects,
        }
    }

    /// Returns the objects of a relationship in a stable order.
    pub(super) fn objects<'a>(
        &self,
        store: &'a Store,
        id: &'a str,
    ) -> Box<dyn Iterator<Item = (Kind, &'a Object)> + 'a> {
        match self.source {
            Source::Out(relation) => Box::new(store.linked_objects(relation, id)),
            Source::In(relation) => Box::new(
                store
                    .linking_objects(relation, id)
                    .filter(|(kind, _)| self.kinds.contains(kind)),
            ),
            Source::Down => Box::new(reachable(id, |id| {
                store.linked_objects(Relation::Members, id)
            })),
            Source::Up => Box::new(reachable(id, move |from| {
                // The members of a group in an administrative unit are not members of the unit.
                store
                    .linking_objects(Relation::Members, from)
                    .filter(move |(kind, _)| *kind == Kind::Group || from == id)
            })),
            Source::AssignmentsOf => Box::new(
                store
                    .assignments_of(id)
                    .map(|item| (Kind::AppRoleAssignment, item)),
            ),
            Source::AssignmentsTo => Box::new(
                store
                    .assignments_to(id)
                    .map(|item| (Kind::AppRoleAssignment, item)),
            ),
            Source::Children(property) => {
                let kinds = self.kinds.iter().copied();
                Box::new(kinds.flat_map(move |kind| {
                    store
                        .all(kind)
                        .filter(move |item| {
                            item.get(property).and_then(|value| value.as_str()) == Some(id)
                        })
                        .map(move |item| (kind, item))
                }))
            }
            Source::Named(property) => Box::new(
                store
                    .any(id)
                    .and_then(|(_, object)| object.get(property))
                    .into_iter()
                    .flat_map(|value| match value {
                        Value::Array(ids) => ids.as_slice(),
                        id => std::slice::from_ref(id),
                    })
                    .filter_map(|id| store.any(id.as_str()?))
                    .filter(|(kind, _)| self.kinds.contains(kind)),
            ),
            Source::InDomain => Box::new(in_domain(store, id)),
            Source::RootDomain => Box::new(
                store
                    .all(Kind::Domain)
                    .filter(move |domain| {
                        let is_root = |domain: &Object| domain["isRoot"] == true;
                        is_root(domain)
                            && is_below(id, domain)
                            && !store.get(Kind::Domain, id).is_some_and(is_root)
                    })
                    .map(|domain| (Kind::Domain, domain)),
            ),
            Source::Grants(property) => Box::new(
                store
                    .all(Kind::OAuth2PermissionGrant)
                    .filter(move |grant| {
                        grant.get(property).and_then(|value| value.as_str()) == Some(id)
                    })
                    .map(|grant| (Kind::OAuth2PermissionGrant, grant)),
            ),
        }
    }
}

/// Whether a name is below a domain.
fn is_below(name: &str, domain: &Object) -> bool {
    let root = domain["id"].as_str().unwrap_or_default();
    name.strip_suffix(root)
        .is_some_and(|rest| rest.ends_with('.'))
}

/// Returns the objects that have a name, an address or an identifier URI in a domain.
fn in_domain<'a>(store: &'a Store, domain: &'a str) -> impl Iterator<Item = (Kind, &'a Object)> {
    let kinds: [(Kind, &[&str]); 3] = [
        (Kind::User, &["userPrincipalName", "mail", "proxyAddresses"]),
        (Kind::Group, &["mail", "proxyAddresses"]),
        (Kind::Application, &["identifierUris"]),
    ];
    kinds.into_iter().flat_map(move |(kind, properties)| {
        store
            .all(kind)
            .filter(move |object| {
                properties
                    .iter()
                    .any(|name| texts(object.get(name)).any(|text| is_in_domain(text, domain)))
            })
            .map(move |object| (kind, object))
    })
}

/// The text of a property, or the texts of a list.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    items.iter().filter_map(Value::as_str)
}

/// Whether the domain of an address or a URI is this one.
fn is_in_domain(text: &str, domain: &str) -> bool {
    let host = match (text.rsplit_once('@'), text.split_once("://")) {
        (Some((_, host)), _) => host,
        (None, Some((_, rest))) => rest.split(['/', ':']).next().unwrap_or_default(),
        (None, None) => return false,
    };
    host.eq_ignore_ascii_case(domain)
}

/// Returns the groups above an object, each once. With `security_only`, only through security
/// groups: a chain with another kind of group grants nothing.
pub(super) fn groups_above<'a>(
    store: &'a Store,
    id: &'a str,
    security_only: bool,
) -> impl Iterator<Item = &'a Object> {
    reachable(id, move |id| {
        store
            .linking_objects(Relation::Members, id)
            .filter(move |(kind, group)| {
                *kind == Kind::Group
                    && (!security_only
                        || group.get("securityEnabled").and_then(|is| is.as_bool()) == Some(true))
            })
    })
    .map(|(_, group)| group)
}

/// Returns the containers of an object that are not groups, such as administrative units.
pub(super) fn other_containers<'a>(
    store: &'a Store,
    id: &'a str,
) -> impl Iterator<Item = &'a Object> {
    store
        .linking_objects(Relation::Members, id)
        .filter(|(kind, _)| *kind != Kind::Group)
        .map(|(_, object)| object)
}

/// Returns the direct members of a group, none if it hides them.
fn shown_members<'a>(store: &'a Store, id: &str) -> impl Iterator<Item = (Kind, &'a Object)> {
    let hidden = store
        .any(id)
        .is_some_and(|(_, object)| hides_members(object));
    store
        .linked_objects(Relation::Members, id)
        .filter(move |_| !hidden)
}

/// Returns everything that can be reached, breadth first. A cycle ends where it started, and the
/// start is not part of the result.
fn reachable<'a, I>(
    start: &'a str,
    next: impl Fn(&'a str) -> I,
) -> impl Iterator<Item = (Kind, &'a Object)>
where
    I: Iterator<Item = (Kind, &'a Object)>,
{
    let mut seen = HashSet::from([start]);
    let mut waiting = VecDeque::from([start]);
    let mut found = Vec::new();
    while let Some(id) = waiting.pop_front() {
        for (kind, object) in next(id) {
            let Some(id) = object.text("id") else {
                continue;
            };
            if seen.insert(id) {
                found.push((kind, object));
                if kind == Kind::Group {
                    waiting.push_back(id);
                }
            }
        }
    }
    found.into_iter()
}
