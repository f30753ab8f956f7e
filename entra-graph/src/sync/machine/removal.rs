//! Removals that waited for the end of a run.

use super::{
    super::{
        change::{ObjectKind, RemovalReason, SyncChange},
        rows::{self, Entry, Presence, Removal},
    },
    Machine,
};

impl Machine<'_> {
    /// The rows that the removal of memberships needs.
    pub(in crate::sync) fn unlink_keys(waiting: &[(String, String)]) -> Vec<String> {
        let ends = waiting.iter().filter_map(|(key, _)| rows::parts(key));
        ends.flat_map(|(group, member)| {
            [
                rows::link(group, member),
                rows::reverse(member, group),
                rows::object(ObjectKind::Group, group),
            ]
        })
        .collect()
    }

    /// The members of memberships that are removed.
    pub(in crate::sync) fn unlink_member_keys(&self, waiting: &[(String, String)]) -> Vec<String> {
        let ends = waiting.iter().filter_map(|(key, _)| rows::parts(key));
        ends.filter_map(|(group, member)| {
            let link = self.view.link(&rows::link(group, member))?;
            self.member_key(link.member_type.as_deref(), member)
        })
        .collect()
    }

    /// Removes memberships that waited.
    pub(in crate::sync) fn remove_links(&mut self, waiting: &[(String, String)]) {
        for (key, _) in waiting {
            if let Some((group, member)) = rows::parts(key) {
                if let Some(link) = self.view.link(&rows::link(group, member))
                    && self.is_present(ObjectKind::Group, group)
                    && self.is_visible(link.member_type.as_deref(), member)
                {
                    self.mark(member, link.member_type.clone());
                    self.changes.push(SyncChange::MemberRemoved {
                        group: group.to_owned(),
                        member: member.to_owned(),
                    });
                }
                self.forget_link(group, member);
            }
            self.view.delete(key.clone());
        }
    }

    fn forget_link(&mut self, group: &str, member: &str) {
        let key = rows::link(group, member);
        if self.view.get(&key).is_some() {
            self.state.links = self.state.links.saturating_sub(1);
            self.view.delete(key);
        }
        self.view.delete(rows::reverse(member, group));
        self.view.delete(rows::unlink(group, member));
    }

    /// The memberships that the removal of an object forgets: all, if it cannot return.
    pub(in crate::sync) fn removal_scans(
        kind: ObjectKind,
        id: &str,
        removal: Removal,
    ) -> Vec<String> {
        let forgets = matches!(
            removal,
            Removal::Bookkeeping | Removal::Reason(RemovalReason::Deleted)
        );
        let mut scans = Vec::new();
        if forgets && kind != ObjectKind::AppRoleAssignment {
            scans.push(rows::groups_of(id));
            if kind == ObjectKind::Group {
                scans.push(rows::links_of(id));
            }
        }
        scans
    }

    /// The other sides of memberships that are forgotten.
    pub(in crate::sync) fn forgotten_keys(found: &[(String, String)]) -> Vec<String> {
        let keys = found.iter().filter_map(|(key, _)| {
            let (from, to) = rows::parts(key)?;
            let (group, member) = if key.starts_with(rows::LINKS) {
                (from, to)
            } else {
                (to, from)
            };
            Some([
                rows::link(group, member),
                rows::reverse(member, group),
                rows::unlink(group, member),
            ])
        });
        keys.flatten().collect()
    }

    /// Removes an object that waited. `links` are the memberships to forget, and if they are not all of them, the
    /// object waits for another step.
    pub(in crate::sync) fn remove_object(
        &mut self,
        kind: ObjectKind,
        id: &str,
        removal: Removal,
        links: &[(String, String)],
        are_all: bool,
    ) {
        for (key, _) in links {
            if let Some((from, to)) = rows::parts(key) {
                if key.starts_with(rows::LINKS) {
                    let link = self.view.link(&rows::link(from, to));
                    self.mark(to, link.and_then(|link| link.member_type));
                    self.forget_link(from, to);
                } else {
                    self.forget_link(to, from);
                }
            }
        }
        if !are_all {
            return;
        }
        let key = rows::object(kind, id);
        let old = self.view.entry(&key);
        if let (Removal::Reason(reason), Some(old)) = (removal, &old)
            && old.presence == Presence::Present
        {
            self.changes.push(SyncChange::Removed {
                kind,
                id: rows::public(id).to_owned(),
                reason,
            });
            self.mark_removed(kind, id);
            if let Some(feed) = self.state.feed_mut(kind) {
                feed.present = feed.present.saturating_sub(1);
            }
        }
        match (removal, old) {
            (Removal::Reason(RemovalReason::Restorable | RemovalReason::Missing), Some(old))
                if kind != ObjectKind::AppRoleAssignment =>
            {
                self.put_gone(kind, id, old.seen);
            }
            (Removal::Reason(RemovalReason::OutOfScope), Some(old)) => {
                let entry = Entry {
                    presence: Presence::Hidden,
                    seen: old.seen,
                    is_limited: old.is_limited,
                    detail: String::new(),
                };
                self.view.put(key, entry.write());
            }
            _ => {
                self.view.delete(key);
                self.view.delete(rows::scoped(id));
            }
        }
        self.view.delete(rows::removal(kind, id));
    }
}
