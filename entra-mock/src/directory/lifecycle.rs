//! Deletes, restores and purges objects.

use std::time::Duration;

use entra_core::Timestamp;
use serde_json::Value;

use super::{earlier, licenses};
use crate::{
    schema::{Deletion, IdForm},
    state::{State, iso},
    store::{Conflict, Kind, Object},
};

impl State {
    /// Deletes an object: permanently, or into the deleted items if its type allows that.
    pub(crate) fn delete(&mut self, kind: Kind, id: &str) -> bool {
        let Some(object) = self.store.get(kind, id) else {
            return false;
        };
        let soft = is_soft_deleted(kind, object);
        // A deleted user keeps the licences, and consumes none.
        let source = self.license_source(kind, id);
        self.remove_role_assignments_of(id);
        let now = self.store.changes.now();
        let at = iso(now);
        let deleted = if soft {
            self.store.delete(kind, id, |object| {
                object.insert("deletedDateTime".into(), at.into());
                rename(kind, object, |prefix, name| format!("{prefix}{name}"));
            })
        } else {
            self.store.remove(kind, id)
        };
        self.end_licenses(now, &source);
        deleted
    }

    /// Restores a deleted object with these changes. `None` removes a property.
    pub(crate) fn restore(
        &mut self,
        id: &str,
        changes: Vec<(String, Option<Value>)>,
    ) -> Result<(), Conflict> {
        let kind = self.store.deleted(id).map(|(kind, _)| kind);
        let change = |object: &mut Object| {
            if let Some(kind) = kind {
                restored_properties(kind, object);
            }
            apply(object, changes);
        };
        if self.delta_oddities.restored_memberships_silent {
            self.store.restore_without_word(id, change)?;
        } else {
            self.store.restore(id, change)?;
        }
        self.restore_role_assignments_of(id);
        let now = self.store.changes.now();
        if kind == Some(Kind::User) {
            // Licences are restored even if no unit is left (page "Restore or remove a recently deleted user").
            let user = self.store.get(Kind::User, id);
            let consumed = user.map(|user| licenses::units_of(user, 1));
            self.consume_units(&consumed.unwrap_or_default());
            self.inherit_licenses(now, id);
        }
        if kind == Some(Kind::Group) && self.has_licenses(Kind::Group, id) {
            self.inherit_licenses_of_group(now, id);
        }
        Ok(())
    }

    /// Returns the conflict that prevents the restore of a deleted object with these changes, if there is one.
    pub(crate) fn restore_conflict(
        &self,
        id: &str,
        changes: &[(String, Option<Value>)],
    ) -> Option<Conflict> {
        let (kind, object) = self.store.deleted(id)?;
        let mut object = object.clone();
        restored_properties(kind, &mut object);
        apply(&mut object, changes.to_vec());
        self.store.conflict(kind, &object)
    }

    /// Purges objects that were deleted more than 30 days ago.
    pub(crate) fn purge_expired(&mut self, now: Timestamp) {
        for id in self.store.deleted_before(earlier(now, RESTORABLE_FOR)) {
            self.store.purge(&id);
        }
    }

    /// Whether an object was deleted more than 30 days ago.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        !self
            .store
            .deleted_before(earlier(now, RESTORABLE_FOR))
            .is_empty()
    }
}

/// Whether an object goes to the deleted items when it is deleted.
pub(crate) fn is_soft_deleted(kind: Kind, object: &Object) -> bool {
    match kind.entity().deletion {
        Deletion::Hard => false,
        Deletion::Soft { .. } => true,
        Deletion::SoftIfUnified => object["groupTypes"]
            .as_array()
            .is_some_and(|types| types.iter().any(|name| name == "Unified")),
    }
}

fn apply(object: &mut Object, changes: Vec<(String, Option<Value>)>) {
    for (name, value) in changes {
        match value {
            Some(value) => object.insert(name, value),
            None => object.remove(&name),
        };
    }
}

fn restored_properties(kind: Kind, object: &mut Object) {
    object.remove("deletedDateTime");
    rename(kind, object, |prefix, name| {
        name.strip_prefix(prefix).unwrap_or(name).to_owned()
    });
}

/// Prefixes the name of a deleted user with its object id, so that another user can have the name.
fn rename(kind: Kind, object: &mut Object, change: impl FnOnce(&str, &str) -> String) {
    let entity = kind.entity();
    let Some(key) = entity.key.filter(|_| entity.id == IdForm::GuidOrKey) else {
        return;
    };
    let prefix = object["id"].as_str().unwrap_or_default().replace('-', "");
    if let Some(name) = object.get(key).and_then(Value::as_str) {
        let name = change(&prefix, name);
        object.insert(key.to_owned(), name.into());
    }
}

const RESTORABLE_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::License;

    #[test]
    fn permanently_deleted_objects_are_not_among_the_deleted_items() {
        let mut state = State::new("Contoso", &["contoso.com"], License::P2, 1);
        for (kind, groups) in [
            (Kind::Device, json!(null)),
            (Kind::Group, json!([])),
            (Kind::Group, json!(["DynamicMembership"])),
        ] {
            let id = state.new_id();
            let object = json!({"id": id, "groupTypes": groups});
            let object = object.as_object().cloned().unwrap_or_default();
            assert_eq!(state.store.insert(kind, object), Ok(()));
            assert!(state.delete(kind, &id));
            assert!(state.store.deleted(&id).is_none(), "{kind:?} {groups}");
            assert!(!state.delete(kind, &id));
        }
    }
}
