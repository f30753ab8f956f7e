//! The edge of a scope of groups: which members may have entered or left it.
//!
//! The scope follows from memberships, and Graph sends no row of a user for those. So a membership that comes or goes
//! marks its member, and a group that does marks its members. The marks are in the store, and are looked at when the
//! rounds of a run are over: see `scope` of the driver.

use super::{
    super::{
        change::{ObjectKind, RemovalReason},
        rows::{self, LinkEntry, Presence, Removal},
    },
    FeedPage, Machine,
};

impl Machine<'_> {
    /// Marks a member of a group whose membership came or goes.
    pub(super) fn mark_edge(&mut self, member: &str, member_type: Option<&str>) {
        let Some(nested) = self.scope else { return };
        let matters = match member_type.map(ObjectKind::of_type) {
            // Users that were never read come with a row of their own, after the groups.
            Some(Some(ObjectKind::User)) => self
                .state
                .feed(ObjectKind::User)
                .is_some_and(|feed| feed.round > 0),
            Some(Some(ObjectKind::Group)) => nested,
            Some(_) => false,
            None => true,
        };
        if matters {
            let value = member_type.unwrap_or_default();
            self.view.put(rows::edge(member), value);
        }
    }

    /// Marks the members of a group that came or goes.
    pub(super) fn mark_edge_group(&mut self, kind: ObjectKind, id: &str) {
        if self.scope.is_some() && kind == ObjectKind::Group {
            self.view.put(rows::edge_group(id), "");
        }
    }

    /// Marks some members of a group that came or goes. `found` are its next memberships.
    pub(in crate::sync) fn mark_edges(
        &mut self,
        group: &str,
        found: &[(String, String)],
        is_last: bool,
    ) {
        // Marks can now be before the last one that was looked at.
        self.state.edge = None;
        for (key, value) in found {
            let member_type = LinkEntry::read(value).and_then(|link| link.member_type);
            self.mark_edge(rows::last(key), member_type.as_deref());
        }
        match found.last() {
            Some((key, _)) if !is_last => self.view.put(rows::edge_group(group), key.as_str()),
            _ => self.view.delete(rows::edge_group(group)),
        }
    }

    /// The rows that members with a mark need.
    pub(in crate::sync) fn edge_keys(marks: &[(String, String)]) -> Vec<String> {
        let ids = marks.iter().map(|(key, _)| rows::last(key));
        ids.flat_map(|id| {
            [
                rows::object(ObjectKind::User, id),
                rows::removal(ObjectKind::User, id),
                rows::object(ObjectKind::Group, id),
                rows::scoped(id),
            ]
        })
        .collect()
    }

    /// Settles a member with a mark, unless it is a user whose properties must be read first: then it returns `true`,
    /// and the mark stays.
    pub(in crate::sync) fn settle(&mut self, mark: &(String, String), is_in_scope: bool) -> bool {
        let id = rows::last(&mark.0);
        let is_group = match ObjectKind::of_type(&mark.1) {
            Some(kind) => kind == ObjectKind::Group,
            None => self
                .view
                .get(&rows::object(ObjectKind::Group, id))
                .is_some(),
        };
        if is_group {
            let scoped = rows::scoped(id);
            if self.view.get(&scoped).is_some() != is_in_scope {
                if is_in_scope {
                    self.view.put(scoped, "");
                } else {
                    self.view.delete(scoped);
                }
                self.view.put(rows::edge_group(id), "");
            }
        }
        let removal = rows::removal(ObjectKind::User, id);
        let waiting = self.view.get(&removal).map(Removal::read);
        let leaves = Removal::Reason(RemovalReason::OutOfScope);
        let user = self.view.entry(&rows::object(ObjectKind::User, id));
        match user.map(|user| user.presence) {
            Some(Presence::Present) if !is_in_scope && waiting.is_none() => {
                self.view.put(removal, leaves.write());
            }
            // Another filter may be why it leaves.
            Some(Presence::Present) if is_in_scope && waiting == Some(leaves) => {
                self.view.delete(removal);
                return true;
            }
            Some(Presence::Hidden) if is_in_scope => return true,
            _ => {}
        }
        self.view.delete(mark.0.clone());
        false
    }

    /// Applies rows of users that entered the scope.
    pub(in crate::sync) fn entered(&mut self, page: FeedPage) {
        let round = self
            .state
            .feed(ObjectKind::User)
            .map_or(0, |feed| feed.round);
        for row in &page.rows {
            self.view.delete(rows::edge(&row.id));
        }
        self.apply(ObjectKind::User, page.rows, round, false);
    }

    /// Forgets which groups were in another scope. `found` are some of them.
    pub(in crate::sync) fn forget_scope(&mut self, found: Vec<(String, String)>) {
        for (key, value) in found {
            self.view.load(key.clone(), Some(value));
            self.view.delete(key);
        }
    }
}
