//! Transitive memberships: which groups an object is in, directly or through other groups.
//!
//! A membership or an object that enters or leaves the copy marks the members whose groups must be computed again. The
//! marks are in the store, and so are the results, so a step computes a few members and hands out what differs. A
//! group whose own groups changed marks its members. Groups that contain each other end that: the second time, nothing
//! differs.

use super::{
    super::{
        change::{ObjectKind, SyncChange},
        rows::{self, LinkEntry, Presence},
    },
    Machine,
};

impl Machine<'_> {
    /// Marks a member whose groups must be computed again.
    pub(super) fn mark(&mut self, member: &str, member_type: Option<String>) {
        if self.closure {
            let value = member_type.unwrap_or_default();
            self.view.put(rows::marked(member), value);
        }
    }

    /// Marks an object that left the copy, and the members of a group that did.
    pub(super) fn mark_removed(&mut self, kind: ObjectKind, id: &str) {
        if self.closure && kind != ObjectKind::AppRoleAssignment {
            self.view.put(rows::marked(id), kind.type_name());
            if kind == ObjectKind::Group {
                self.view.put(rows::marked_group(id), "");
            }
        }
    }

    /// Marks some members of a group. `found` are its next memberships.
    pub(in crate::sync) fn mark_members(
        &mut self,
        group: &str,
        found: &[(String, String)],
        is_last: bool,
    ) {
        for (key, value) in found {
            let member_type = LinkEntry::read(value).and_then(|link| link.member_type);
            self.mark(rows::last(key), member_type);
        }
        match found.last() {
            Some((key, _)) if !is_last => self.view.put(rows::marked_group(group), key.as_str()),
            _ => self.view.delete(rows::marked_group(group)),
        }
    }

    /// The object of a member with a mark, if its kind is copied.
    pub(in crate::sync) fn marked_key(&self, mark: &(String, String)) -> Option<String> {
        self.member_key(Some(&mark.1), rows::last(&mark.0))
    }

    /// Whether an object with this key is in the copy.
    pub(in crate::sync) fn is_key_present(&self, key: &str) -> bool {
        self.view
            .entry(key)
            .is_some_and(|entry| entry.presence == Presence::Present)
    }

    /// The objects of members with a mark, of these transitive memberships.
    pub(in crate::sync) fn forget_keys(&self, found: &[(String, String)]) -> Vec<String> {
        let members = found.iter().filter_map(|(key, _)| rows::parts(key));
        members
            .filter_map(|(member, _)| self.marked_member(member))
            .collect()
    }

    /// The object of a member, if it has a mark and its kind is copied.
    fn marked_member(&self, member: &str) -> Option<String> {
        let mark = rows::marked(member);
        let member_type = self.view.get(&mark)?.to_owned();
        self.marked_key(&(mark, member_type))
    }

    /// Takes transitive memberships back, without those that a removed group or member took along.
    pub(in crate::sync) fn forget_transitive(&mut self, found: &[(String, String)]) {
        for (key, _) in found {
            if let Some((member, group)) = rows::parts(key) {
                // A member that left the copy since they were computed has a mark.
                let is_there = self
                    .marked_member(member)
                    .is_none_or(|key| self.is_key_present(&key));
                if is_there && self.is_present(ObjectKind::Group, group) {
                    self.changes.push(SyncChange::TransitiveMemberRemoved {
                        group: group.to_owned(),
                        member: member.to_owned(),
                    });
                }
            }
            self.view.delete(key.clone());
        }
    }

    /// Hands out how the groups of a member differ from those that were computed before. `groups` is `None` for a
    /// member that left the copy, which took its memberships along.
    pub(in crate::sync) fn close(&mut self, mark: &(String, String), groups: Option<Vec<String>>) {
        let member = rows::last(&mark.0).to_owned();
        let member_type = (!mark.1.is_empty()).then(|| mark.1.clone());
        let before = self.view.scan(&rows::transitive_of(&member));
        let left = groups.is_none();
        let groups = groups.unwrap_or_default();
        let mut differs = false;
        for (key, _) in &before {
            let group = rows::last(key);
            if groups.iter().any(|known| known == group) {
                continue;
            }
            differs = true;
            // A group that left the copy took its memberships along.
            if !left && self.is_present(ObjectKind::Group, group) {
                self.changes.push(SyncChange::TransitiveMemberRemoved {
                    group: group.to_owned(),
                    member: member.clone(),
                });
            }
            self.view.delete(key.clone());
        }
        for group in groups {
            let key = rows::transitive(&member, &group);
            if self.view.get(&key).is_none() {
                differs = true;
                self.view.put(key, "");
                self.changes.push(SyncChange::TransitiveMemberAdded {
                    group,
                    member: member.clone(),
                    member_type: member_type.clone(),
                });
            }
        }
        let is_group =
            member_type.as_deref().and_then(ObjectKind::of_type) == Some(ObjectKind::Group);
        if differs && is_group && !left {
            self.view.put(rows::marked_group(&member), "");
        }
        self.view.delete(mark.0.clone());
    }
}
