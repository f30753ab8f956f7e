//! The groups of a user.

use std::collections::HashSet;

use super::client::text;
use crate::{state::State, store::Relation};

/// Returns every group of a user, also through other groups; the nearest first.
pub(super) fn groups_of(state: &State, user_id: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    let mut next = 0;
    let mut open = user_id.to_owned();
    loop {
        for group in state
            .store
            .linking_objects(Relation::Members, &open)
            .filter_map(|(_, group)| text(group, "id"))
        {
            if known.insert(group.to_owned()) {
                found.push(group.to_owned());
            }
        }
        match found.get(next) {
            Some(group) => open.clone_from(group),
            None => return found,
        }
        next += 1;
    }
}
