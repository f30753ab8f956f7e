//! Transitive memberships: which groups an object is in, directly or through other groups.
//!
//! A membership or an object that enters or leaves the copy marks the members whose groups must be computed again. The
//! marks are in the store, and so are the results, so a step computes a few members and hands out what differs. A
//! group whose own groups changed marks its members. Groups that contain each other end that: the second time, nothing
//! differs.
//!
//! A group that exists and is not in the copy, such as one that does not pass the filter, still connects its members with
//! the groups above it. So its own results are kept too, as not handed out, and its memberships mark members as well.

use super::{
    super::{
        change::{ObjectKind, SyncChange},
        rows::{self, LinkEntry, Presence},
    },
    Machine,
};

/// What the caller knows of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sync) enum MemberSight {
    /// It is in the copy, or of a kind that is not copied.
    Visible,
    /// It is a group that exists, and is not in the copy: its memberships are not handed out, and connect others.
    Connecting,
    /// It is not in the copy. If it was, it took its memberships along.
    Left,
}

impl Machine<'_> {
    /// Whether objects of this kind connect others, also if they are not in the copy: then transitive memberships end
    /// with them, so their removal waits like that of others.
    pub(super) fn connects(&self, kind: ObjectKind) -> bool {
        self.closure && kind == ObjectKind::Group
    }

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

    /// Marks the member of a membership that is new, if it is visible, or a group, which connects others.
    pub(super) fn mark_connection(&mut self, member: &str, member_type: Option<String>) {
        let kind = member_type.as_deref().and_then(ObjectKind::of_type);
        if kind == Some(ObjectKind::Group) || self.is_visible(member_type.as_deref(), member) {
            self.mark(member, member_type);
        }
    }

    /// Marks a group that exists again, without being in the copy, and its members.
    pub(super) fn mark_connecting(&mut self, group: &str) {
        if !self.closure {
            return;
        }
        let member_type = ObjectKind::Group.type_name().to_owned();
        self.mark(group, Some(member_type));
        for (key, value) in self.view.scan(&rows::links_of(group)) {
            let member_type = LinkEntry::read(&value).and_then(|link| link.member_type);
            self.mark_connection(rows::last(&key), member_type);
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

    /// Whether an object with this key is in the copy, or exists, as far as it is known.
    pub(in crate::sync) fn presence(&self, key: &str) -> Option<Presence> {
        self.view.entry(key).map(|entry| entry.presence)
    }

    /// What the caller knows of a member with a mark.
    pub(in crate::sync) fn sight_of(&self, mark: &(String, String)) -> MemberSight {
        let Some(key) = self.marked_key(mark) else {
            return MemberSight::Visible;
        };
        let is_group = ObjectKind::of_type(&mark.1) == Some(ObjectKind::Group);
        match self.presence(&key) {
            Some(Presence::Present) => MemberSight::Visible,
            Some(Presence::Hidden) if is_group => MemberSight::Connecting,
            _ => MemberSight::Left,
        }
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
        for (key, value) in found {
            if value != rows::UNSEEN
                && let Some((member, group)) = rows::parts(key)
            {
                // A member that left the copy since they were computed has a mark.
                let is_there = self
                    .marked_member(member)
                    .is_none_or(|key| self.presence(&key) == Some(Presence::Present));
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

    /// Takes transitive memberships of a member back that is no longer visible, since its kind is copied now and it is
    /// not in the copy. No removed object takes these along.
    pub(in crate::sync) fn hide_transitive(&mut self, member: &str) {
        for (key, value) in self.view.scan(&rows::transitive_of(member)) {
            let group = rows::last(&key).to_owned();
            if value != rows::UNSEEN && self.is_present(ObjectKind::Group, &group) {
                self.changes.push(SyncChange::TransitiveMemberRemoved {
                    group,
                    member: member.to_owned(),
                });
            }
            self.view.put(key, rows::UNSEEN);
        }
    }

    /// Hands out how the groups of a member differ from those that were computed before.
    pub(in crate::sync) fn close(
        &mut self,
        mark: &(String, String),
        sight: MemberSight,
        groups: Vec<String>,
    ) {
        let member = rows::last(&mark.0).to_owned();
        let member_type = (!mark.1.is_empty()).then(|| mark.1.clone());
        let is_visible = sight == MemberSight::Visible;
        let before = self.view.scan(&rows::transitive_of(&member));
        let mut differs = false;
        for (key, value) in &before {
            let group = rows::last(key);
            if groups.iter().any(|known| known == group) {
                continue;
            }
            differs = true;
            // A group that left the copy took its memberships along.
            if is_visible && value != rows::UNSEEN && self.is_present(ObjectKind::Group, group) {
                self.changes.push(SyncChange::TransitiveMemberRemoved {
                    group: group.to_owned(),
                    member: member.clone(),
                });
            }
            self.view.delete(key.clone());
        }
        for group in groups {
            let key = rows::transitive(&member, &group);
            let old = self.view.get(&key);
            differs |= old.is_none();
            let was_seen = old.is_some_and(|old| old != rows::UNSEEN);
            if !is_visible {
                self.view.put(key, rows::UNSEEN);
            } else if !was_seen {
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
        if differs && is_group && sight != MemberSight::Left {
            self.view.put(rows::marked_group(&member), "");
        }
        self.view.delete(mark.0.clone());
    }
}
