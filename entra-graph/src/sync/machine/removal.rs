//! Removals that waited for the end of a run.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    super::{
        change::{ObjectKind, RemovalReason, SyncChange},
        rows::{self, Entry, LinkEntry, Presence, Removal},
        state::Phase,
    },
    Machine,
    sweep::RESTORABLE_FOR,
};

impl Machine<'_> {
    /// Whether an object was removed and may return.
    pub(in crate::sync) fn is_gone(&self, kind: ObjectKind, id: &str) -> bool {
        let entry = self.view.entry(&rows::object(kind, id));
        entry.is_some_and(|entry| entry.presence == Presence::Gone)
    }

    /// Whether an object is gone or about to be, and may return.
    pub(super) fn is_away(&self, kind: ObjectKind, id: &str) -> bool {
        let waiting = self.view.get(&rows::removal(kind, id)).map(Removal::read);
        self.is_gone(kind, id)
            || matches!(
                waiting,
                Some(Removal::Reason(
                    RemovalReason::Restorable | RemovalReason::Missing
                ))
            )
    }

    /// Whether the group or the member of a membership is gone or about to be, and may return.
    pub(super) fn is_end_away(&self, group: &str, member: &str, link: &LinkEntry) -> bool {
        self.is_away(ObjectKind::Group, group) || self.is_member_away(member, link)
    }

    fn is_member_away(&self, member: &str, link: &LinkEntry) -> bool {
        let kind = self.member_kind(link);
        kind.is_some_and(|kind| self.is_away(kind, member))
    }

    /// Whether memberships of an object that returns may have been forgotten, as Graph did not list them. When a kind is
    /// copied once more, all groups are read in any case.
    fn was_forgotten(&self, kind: ObjectKind) -> bool {
        let until = self.state.feed(kind).and_then(|feed| feed.forgotten_until);
        self.synced.contains(&kind)
            && until.is_some_and(|until| self.now.saturating_sub(until) <= RESTORABLE_FOR)
    }

    /// Judges the memberships of an object that returns. Of those that a full round did not contain in the meantime it
    /// is not known whether they hold: they are forgotten, unless they are handed out and their removal waits, or their
    /// other end is away too. Then all groups are read again, unless the row is of a full round that has them. So they
    /// are for a group in any case: what changed just before it was deleted came with no row. And so they are for an object
    /// that was deleted before it was ever read.
    pub(super) fn doubt(&mut self, kind: ObjectKind, id: &str, has_all: bool) {
        // Memberships of a kind that was not copied are handed out also while the object is gone.
        let is_out = self.is_gone(kind, id) && self.synced.contains(&kind);
        let groups = self.view.scan(&rows::groups_of(id));
        let groups = groups
            .iter()
            .map(|(key, _)| (rows::last(key).to_owned(), id.to_owned()));
        let mut links: Vec<(String, String)> = groups.collect();
        if kind == ObjectKind::Group {
            let members = self.view.scan(&rows::links_of(id));
            let members = members
                .iter()
                .map(|(key, _)| (id.to_owned(), rows::last(key).to_owned()));
            links.extend(members);
        }
        let is_unknown = self
            .view
            .entry(&rows::object(kind, id))
            .is_some_and(|entry| entry.seen == rows::NEVER);
        let mut is_any = kind == ObjectKind::Group || is_unknown || self.was_forgotten(kind);
        for (group, member) in links {
            let link = self.view.link(&rows::link(&group, &member));
            let is_in_doubt = link.as_ref().is_some_and(LinkEntry::is_in_doubt);
            let is_swept = self.view.get(&rows::unlink(&group, &member)) == Some(rows::SWEPT);
            if !is_in_doubt && !is_swept {
                continue;
            }
            let is_other_away = if group != id {
                self.is_away(ObjectKind::Group, &group)
            } else {
                let link = link.as_ref().filter(|_| member != id);
                link.is_some_and(|link| self.is_member_away(&member, link))
            };
            if is_other_away {
                // No full round has it before that one returns.
                continue;
            }
            is_any = true;
            if is_out {
                let member_type = link.and_then(|link| link.member_type);
                self.mark_edge(&member, member_type.as_deref());
                self.forget_link(&group, &member);
                self.remember_forgotten(member_type.as_deref());
            }
        }
        if is_any
            && !has_all
            && let Some(groups) = self.state.feed_mut(ObjectKind::Group)
        {
            groups.has_returned = true;
            if groups.phase == Phase::Idle {
                groups.done = false;
            }
        }
    }

    /// A membership was forgotten for the full round that follows. If its group or its member is deleted again by then, that
    /// round lacks it too: the group can be restored for a month, and a member that was deleted before, for one more.
    fn remember_forgotten(&mut self, member_type: Option<&str>) {
        let kind = member_type.and_then(ObjectKind::of_type);
        let until = self.now + RESTORABLE_FOR;
        if let Some(feed) = kind.and_then(|kind| self.state.feed_mut(kind)) {
            feed.forgotten_until = feed.forgotten_until.max(Some(until));
        }
    }

    /// Takes back removals of memberships that a full round did not contain, since Graph forbids to read the members: a
    /// deleted one cannot be told from one that left.
    pub(in crate::sync) fn recall(&mut self, found: Vec<(String, String)>) {
        for (key, value) in found {
            self.view.load(key.clone(), Some(value));
            self.view.delete(key);
        }
        if let Some(groups) = self.state.feed_mut(ObjectKind::Group) {
            groups.is_unsure = true;
        }
    }

    /// The rows that the removal of memberships needs.
    pub(in crate::sync) fn unlink_keys(waiting: &[(String, String)]) -> Vec<String> {
        let ends = waiting.iter().filter_map(|(key, _)| rows::parts(key));
        ends.flat_map(|(group, member)| {
            [
                rows::link(group, member),
                rows::reverse(member, group),
                rows::object(ObjectKind::Group, group),
                rows::removal(ObjectKind::Group, group),
            ]
        })
        .collect()
    }

    /// The members of memberships that are removed.
    pub(in crate::sync) fn unlink_member_keys(&self, waiting: &[(String, String)]) -> Vec<String> {
        let ends = waiting.iter().filter_map(|(key, _)| rows::parts(key));
        ends.filter_map(|(group, member)| {
            let link = self.view.link(&rows::link(group, member))?;
            let kind = ObjectKind::of_type(link.member_type.as_deref()?)?;
            let is_synced = self.synced.contains(&kind);
            is_synced.then(|| [rows::object(kind, member), rows::removal(kind, member)])
        })
        .flatten()
        .collect()
    }

    /// The members of memberships that a full round did not contain, and of whose deletion no row has come.
    pub(in crate::sync) fn swept_members(
        &self,
        waiting: &[(String, String)],
    ) -> BTreeMap<ObjectKind, BTreeSet<String>> {
        let mut members: BTreeMap<ObjectKind, BTreeSet<String>> = BTreeMap::new();
        for (key, value) in waiting {
            let Some((group, member)) = rows::parts(key).filter(|_| value == rows::SWEPT) else {
                continue;
            };
            let Some(link) = self.view.link(&rows::link(group, member)) else {
                continue;
            };
            let Some(kind) = self.member_kind(&link) else {
                continue;
            };
            let removal = self.view.get(&rows::removal(kind, member));
            let is_final = matches!(
                removal.map(Removal::read),
                Some(Removal::Bookkeeping | Removal::Reason(RemovalReason::Deleted))
            );
            if !is_final && !self.is_end_away(group, member, &link) {
                members.entry(kind).or_default().insert(member.to_owned());
            }
        }
        members
    }

    /// Removes memberships that waited. `absent` are members that Graph does not find.
    pub(in crate::sync) fn remove_links(
        &mut self,
        waiting: &[(String, String)],
        absent: &HashSet<String>,
    ) {
        for (key, value) in waiting {
            if let Some((group, member)) = rows::parts(key) {
                let link = self.view.link(&rows::link(group, member));
                let is_absent = absent.contains(member);
                if value == rows::SWEPT
                    && let Some(link) = &link
                    && (is_absent || self.is_end_away(group, member, link))
                {
                    // Graph does not list deleted members. The removal of the object takes the membership along.
                    if is_absent
                        && let Some(kind) = self.member_kind(link)
                        && self.view.get(&rows::object(kind, member)).is_none()
                    {
                        // It never had a row, and without one nothing would say when it cannot return any more.
                        self.put_gone(kind, member, 0);
                    }
                    let entry = LinkEntry::in_doubt(link.member_type.clone());
                    self.view.put(rows::link(group, member), entry.write());
                    self.view.delete(key.clone());
                    continue;
                }
                if let Some(link) = link
                    && self.is_present(ObjectKind::Group, group)
                    && self.is_visible(link.member_type.as_deref(), member)
                {
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

    /// Forgets a membership, and marks its member: the group connected it with others, even if it is not in the copy.
    pub(super) fn forget_link(&mut self, group: &str, member: &str) {
        let key = rows::link(group, member);
        if self.view.get(&key).is_some() {
            let link = self.view.link(&key);
            self.mark(member, link.and_then(|link| link.member_type));
            self.state.links = self.state.links.saturating_sub(1);
            self.view.delete(key);
        }
        self.view.delete(rows::reverse(member, group));
        self.view.delete(rows::unlink(group, member));
    }

    /// Whether memberships of objects of this kind are handed out as Graph lists them, since it is not copied.
    pub(in crate::sync) fn ignores(&self, kind: ObjectKind) -> bool {
        kind.is_member() && !self.synced.contains(&kind)
    }

    /// The memberships that the removal of an object forgets: all, if it cannot return. Those of a kind that is not copied
    /// end when Graph no longer lists them.
    pub(in crate::sync) fn removal_scans(
        &self,
        kind: ObjectKind,
        id: &str,
        removal: Removal,
    ) -> Vec<String> {
        let forgets = matches!(
            removal,
            Removal::Bookkeeping | Removal::Reason(RemovalReason::Deleted)
        );
        let mut scans = Vec::new();
        if forgets && kind != ObjectKind::AppRoleAssignment && !self.ignores(kind) {
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
            if self.ignores(kind) {
                self.hand_out_again(id);
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

    /// Hands out the memberships again that a removed object of a kind that is not copied took along: Graph lists them.
    fn hand_out_again(&mut self, id: &str) {
        for (key, member_type) in self.view.scan(&rows::groups_of(id)) {
            let group = rows::last(&key);
            if self.is_present(ObjectKind::Group, group) {
                let member_type = (!member_type.is_empty()).then_some(member_type);
                self.add_member(group, id, member_type);
            }
        }
        // The object has a mark, so those that are left are computed and handed out next.
        for (key, _) in self.view.scan(&rows::transitive_of(id)) {
            self.view.put(key, rows::UNSEEN);
        }
    }
}
