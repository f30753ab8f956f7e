//! Sweeps: what a full round did not contain.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    super::{
        change::{ObjectKind, RemovalReason, SyncChange, SyncNote},
        rows::{self, Entry, LinkEntry, Presence, Removal},
        state::Phase,
    },
    Machine,
};

impl Machine<'_> {
    /// The rows that a part of the memberships needs to be handed out by other kinds.
    pub(in crate::sync) fn revise_keys(found: &[(String, String)]) -> Vec<String> {
        let keys = found.iter().filter_map(|(key, value)| {
            let (group, member) = rows::parts(key)?;
            let link = LinkEntry::read(value)?;
            let kind = link.member_type.as_deref().and_then(ObjectKind::of_type);
            let mut keys = vec![rows::object(ObjectKind::Group, group)];
            keys.extend(kind.map(|kind| rows::object(kind, member)));
            // It is forgotten if its member is gone, and of a kind that is no longer copied.
            keys.push(rows::link(group, member));
            keys.push(rows::reverse(member, group));
            keys.push(rows::unlink(group, member));
            Some(keys)
        });
        keys.flatten().collect()
    }

    /// Hands out memberships that are visible by the kinds that are copied now and were not before, and removes others.
    /// Returns the members that are no longer visible.
    pub(in crate::sync) fn revise(
        &mut self,
        found: &[(String, String)],
        before: &[ObjectKind],
    ) -> BTreeSet<String> {
        let mut hidden = BTreeSet::new();
        for (key, value) in found {
            let (Some((group, member)), Some(link)) = (rows::parts(key), LinkEntry::read(value))
            else {
                continue;
            };
            let kind = link.member_type.as_deref().and_then(ObjectKind::of_type);
            let is_copied = kind.is_some_and(|kind| self.synced.contains(&kind));
            let was_visible = match kind.filter(|kind| before.contains(kind)) {
                Some(kind) => self.is_present(kind, member),
                None => true,
            };
            let is_gone = kind.is_some_and(|kind| self.is_gone(kind, member));
            if !is_copied && !was_visible && (is_gone || link.is_in_doubt()) {
                // Graph does not list a deleted member. If it has returned, the full round that follows brings it.
                self.forget_link(group, member);
                continue;
            }
            let is_visible = self.is_visible(link.member_type.as_deref(), member);
            if was_visible == is_visible {
                continue;
            }
            // Also where the group is not in the copy: others above it can be.
            self.mark(member, link.member_type.clone());
            if !is_visible {
                hidden.insert(member.to_owned());
            }
            if !self.is_present(ObjectKind::Group, group) {
                continue;
            }
            if is_visible {
                self.add_member(group, member, link.member_type);
            } else {
                self.changes.push(SyncChange::MemberRemoved {
                    group: group.to_owned(),
                    member: member.to_owned(),
                });
            }
        }
        hidden
    }

    /// Marks the assignments of a service principal as seen, since they could not be read.
    pub(in crate::sync) fn keep(&mut self, kind: ObjectKind, service_principal: &str) {
        let Some(round) = self.state.feed(kind).map(|feed| feed.round) else {
            return;
        };
        for (key, value) in self.view.scan(&rows::objects_of(kind, service_principal)) {
            if let Some(entry) = Entry::read(&value) {
                let entry = Entry {
                    seen: round,
                    ..entry
                };
                self.view.put(key, entry.write());
            }
        }
    }

    /// The rows that a part of a sweep over objects needs.
    pub(in crate::sync) fn sweep_keys(kind: ObjectKind, found: &[(String, String)]) -> Vec<String> {
        let removal = |(key, _): &(String, String)| rows::removal(kind, rows::last(key));
        found.iter().map(removal).collect()
    }

    /// The objects that the full round did not contain, and that were not removed by a row of it. Groups that are not in the
    /// copy are among them, since they connect others.
    pub(in crate::sync) fn missing(
        &self,
        kind: ObjectKind,
        found: &[(String, String)],
    ) -> Vec<String> {
        let round = self.state.feed(kind).map(|feed| feed.round);
        let ids = found.iter().filter_map(|(key, value)| {
            let entry = Entry::read(value)?;
            let id = rows::last(key);
            let counts = match entry.presence {
                Presence::Present => true,
                Presence::Hidden => kind == ObjectKind::Group,
                Presence::Gone => false,
            };
            let is_missing = counts
                && Some(entry.seen) != round
                && self.view.get(&rows::removal(kind, id)).is_none();
            is_missing.then(|| id.to_owned())
        });
        ids.collect()
    }

    /// Looks for objects that the full round did not contain. `existing` are those that Graph has all the same: it
    /// withholds changes that are made while a round is read. `found` is the next part of all objects.
    pub(in crate::sync) fn sweep_objects(
        &mut self,
        kind: ObjectKind,
        found: &[(String, String)],
        existing: &HashSet<String>,
        is_last: bool,
    ) {
        let Some(feed) = self.state.feed(kind) else {
            return;
        };
        let round = feed.round;
        let mut counted = match feed.phase {
            Phase::SweepingObjects { present, .. } => present,
            _ => 0,
        };
        for (key, value) in found {
            let id = rows::last(key);
            let Some(entry) = Entry::read(value) else {
                self.view
                    .put(rows::removal(kind, id), Removal::Bookkeeping.write());
                continue;
            };
            counted += u64::from(entry.presence == Presence::Present);
            if entry.seen == round || self.view.get(&rows::removal(kind, id)).is_some() {
                continue;
            }
            let removal = match entry.presence {
                Presence::Present | Presence::Hidden if existing.contains(id) => continue,
                Presence::Present => {
                    self.mark_edge_group(kind, id);
                    Removal::Reason(RemovalReason::Missing)
                }
                Presence::Hidden if self.connects(kind) => {
                    self.mark_edge_group(kind, id);
                    Removal::Reason(RemovalReason::Missing)
                }
                Presence::Hidden => {
                    self.mark_edge_group(kind, id);
                    self.put_gone(kind, id, entry.seen);
                    continue;
                }
                Presence::Gone if self.is_final(&entry) => Removal::Bookkeeping,
                Presence::Gone => continue,
            };
            self.view.put(rows::removal(kind, id), removal.write());
        }
        let next = match found.last() {
            Some((key, _)) if !is_last => Phase::SweepingObjects {
                after: Some(key.clone()),
                present: counted,
            },
            _ if kind == ObjectKind::Group => Phase::SweepingLinks {
                after: None,
                links: 0,
            },
            _ => Phase::Idle,
        };
        if let Some(feed) = self.state.feed_mut(kind) {
            if !matches!(next, Phase::SweepingObjects { .. }) {
                feed.present = counted;
            }
            feed.phase = next.clone();
        }
        if next == Phase::Idle {
            self.state.finish(kind);
        }
    }

    /// Whether an object that is gone cannot be restored any more.
    fn is_final(&self, entry: &Entry) -> bool {
        let since: i64 = entry.detail.parse().unwrap_or_default();
        self.now - since > RESTORABLE_FOR
    }

    /// The rows that a part of a sweep over memberships needs.
    pub(in crate::sync) fn link_sweep_keys(found: &[(String, String)]) -> Vec<String> {
        let keys = found.iter().filter_map(|(key, value)| {
            let (group, member) = rows::parts(key)?;
            let mut keys = vec![
                rows::unlink(group, member),
                rows::object(ObjectKind::Group, group),
            ];
            if let Some(link) = LinkEntry::read(value).filter(LinkEntry::is_in_doubt) {
                keys.push(rows::removal(ObjectKind::Group, group));
                let kind = link.member_type.as_deref().and_then(ObjectKind::of_type);
                if let Some(kind) = kind {
                    keys.push(rows::object(kind, member));
                    keys.push(rows::removal(kind, member));
                }
            }
            Some(keys)
        });
        keys.flatten().collect()
    }

    /// Whether a membership is in doubt, and no full round can have it: one of its ends is deleted.
    fn stays_in_doubt(&self, group: &str, member: &str, link: Option<&LinkEntry>) -> bool {
        link.is_some_and(|link| link.is_in_doubt() && self.is_end_away(group, member, link))
    }

    /// The groups that lose memberships by the full round, and whether it contained others of theirs, among these.
    pub(in crate::sync) fn losing_groups(
        &self,
        found: &[(String, String)],
    ) -> BTreeMap<String, bool> {
        let mut losing = BTreeSet::new();
        let mut groups: BTreeMap<String, bool> = BTreeMap::new();
        for (key, value) in found {
            let Some((group, member)) = rows::parts(key) else {
                continue;
            };
            let entry = LinkEntry::read(value);
            let is_seen = entry.as_ref().is_some_and(|entry| self.is_seen(entry));
            *groups.entry(group.to_owned()).or_default() |= is_seen;
            let loses = !is_seen
                && !self.stays_in_doubt(group, member, entry.as_ref())
                && self.view.get(&rows::unlink(group, member)).is_none()
                && !self.is_unknown(group, entry.as_ref());
            // A group that is not there has no members to lose.
            let group_entry = self.view.entry(&rows::object(ObjectKind::Group, group));
            if loses && group_entry.is_some_and(|group| group.presence != Presence::Gone) {
                losing.insert(group);
            }
        }
        groups.retain(|group, _| losing.contains(&**group));
        groups
    }

    /// Whether the last round of groups contained a membership.
    pub(in crate::sync) fn is_seen(&self, link: &LinkEntry) -> bool {
        let groups = self.state.feed(ObjectKind::Group);
        groups.is_some_and(|groups| groups.round == link.seen)
    }

    /// Whether the full round says nothing about a membership: it did not contain its group, or without properties, or
    /// Graph forbids to read members of this kind, so that a deleted one cannot be told from one that left.
    fn is_unknown(&self, group: &str, link: Option<&LinkEntry>) -> bool {
        let round = self.state.feed(ObjectKind::Group).map(|feed| feed.round);
        let group = self.view.entry(&rows::object(ObjectKind::Group, group));
        let is_withheld = group.is_some_and(|group| {
            group.is_limited || group.presence != Presence::Gone && Some(group.seen) != round
        });
        is_withheld || self.is_of_forbidden_kind(link)
    }

    /// Whether Graph forbids to read the member of a membership.
    pub(in crate::sync) fn is_of_forbidden_kind(&self, link: Option<&LinkEntry>) -> bool {
        let member_type = link.and_then(|link| link.member_type.as_deref());
        let kind = member_type.and_then(ObjectKind::of_type);
        kind.filter(|kind| self.synced.contains(kind))
            .and_then(|kind| self.state.feed(kind))
            .is_some_and(|feed| feed.is_forbidden)
    }

    /// Looks for memberships that the full round did not contain, without those of groups whose members cannot be read.
    pub(in crate::sync) fn sweep_links(
        &mut self,
        found: &[(String, String)],
        unreadable: &BTreeSet<String>,
        is_last: bool,
    ) {
        let mut is_unsure = false;
        for group in unreadable {
            self.notes.push(SyncNote::MembersUnreadable {
                group: group.clone(),
            });
        }
        let Some(feed) = self.state.feed(ObjectKind::Group) else {
            return;
        };
        let mut counted = match feed.phase {
            Phase::SweepingLinks { links, .. } => links,
            _ => 0,
        };
        for (key, value) in found {
            let Some((group, member)) = rows::parts(key) else {
                continue;
            };
            counted += 1;
            let entry = LinkEntry::read(value);
            if self.closure {
                // So a full round also puts right what was computed from the memberships.
                let member_type = entry.as_ref().and_then(|entry| entry.member_type.clone());
                self.mark(member, member_type);
            }
            let member_type = entry.as_ref().and_then(|entry| entry.member_type.clone());
            if member_type.as_deref().and_then(ObjectKind::of_type) != Some(ObjectKind::User) {
                // As above. Users are judged by the rows of their own rounds.
                self.mark_edge(member, member_type.as_deref());
            }
            let unlink = rows::unlink(group, member);
            let is_seen = entry.as_ref().is_some_and(|entry| self.is_seen(entry));
            let stays_in_doubt = self.stays_in_doubt(group, member, entry.as_ref());
            if is_seen || stays_in_doubt || self.view.get(&unlink).is_some() {
                continue;
            }
            if unreadable.contains(group) || self.is_unknown(group, entry.as_ref()) {
                is_unsure |= self.is_of_forbidden_kind(entry.as_ref());
                continue;
            }
            // Also of deleted members, which Graph does not list: these are told apart once all rounds are complete.
            self.view.put(unlink, rows::SWEPT);
            self.mark_edge(member, member_type.as_deref());
        }
        let next = match found.last() {
            Some((key, _)) if !is_last => Phase::SweepingLinks {
                after: Some(key.clone()),
                links: counted,
            },
            _ => Phase::Idle,
        };
        if let Some(feed) = self.state.feed_mut(ObjectKind::Group) {
            feed.is_unsure |= is_unsure;
        }
        if next == Phase::Idle {
            self.state.links = counted;
            self.state.finish(ObjectKind::Group);
        } else if let Some(feed) = self.state.feed_mut(ObjectKind::Group) {
            feed.phase = next;
        }
    }
}

/// Thirty days, and one for clocks and delays.
pub(super) const RESTORABLE_FOR: i64 = 31 * 86_400;
