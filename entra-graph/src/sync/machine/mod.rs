//! The rules of a sync as a pure state machine: pages and rows in, changes and rows out.
//!
//! Nothing here sends or reads anything. The driver reads ahead what [`Machine::page_keys`] and its siblings name.
//!
//! What makes the copy right:
//! - An object or membership that is new is handed out at once. A removal waits in the store (`p/`, `q/`) until all
//!   rounds of the run are complete and the guard has seen all of them; a later row of the same object cancels it.
//! - A membership is handed out only while both ends are in the copy. So a member that arrives later than its group
//!   row, a soft-deleted one and a restored one need no rows of the group, which Graph does not reliably send.
//! - A full round of groups lacks deleted members, so it says nothing of their memberships. These are in doubt, also if
//!   Graph has not reported the deletion yet and only does not find the member: when the object returns they are
//!   forgotten, and one more full round brings those that it has. While the other end is deleted, they stay in doubt.
//! - A full round marks what it contains with its number; what has another number afterwards is missing.
//! - Memberships of members of a kind that is not copied are those that Graph lists. So a kind that is no longer copied
//!   leaves before the rounds of a run, memberships of gone members are forgotten, and a full round of groups follows. A
//!   removal of an object that waited then takes none of those that are left along. When the kind is copied again, all groups
//!   are read once more, and so they are when an object returns that may have been deleted in the meantime.

mod closure;
mod removal;
mod scope;
mod sight;
mod sweep;

pub(super) use closure::MemberSight;

use std::collections::HashMap;

use super::{
    change::{ObjectKind, RemovalReason, SyncChange, SyncNote, SyncedObject},
    rows::{self, Entry, LinkEntry, Presence, Removal},
    state::{FeedState, Phase, SyncState},
    view::View,
};
use crate::delta::LinkChange;

/// A page of a round, as the machine reads it.
#[derive(Clone, Debug)]
pub(super) struct FeedPage {
    pub(super) rows: Vec<Row>,
    pub(super) link: Link,
}

/// Where a round goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The next page.
    Next(String),
    /// The round is over; the next one begins here.
    End(Option<String>),
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Removed(RemovalReason),
    Present(Box<PresentRow>),
}

#[derive(Clone, Debug)]
pub(super) struct PresentRow {
    pub(super) object: SyncedObject,
    pub(super) digest: String,
    /// The properties that have a value.
    pub(super) names: Vec<String>,
    /// Whether the row names no property beside its id.
    pub(super) is_blank: bool,
    /// Whether Graph withheld the properties.
    pub(super) is_limited: bool,
    /// Whether the object passes the filter of its kind.
    pub(super) in_scope: bool,
    pub(super) links: Vec<LinkChange>,
}

/// One step while it is computed.
#[derive(Debug)]
pub(super) struct Machine<'c> {
    pub(super) view: View,
    pub(super) changes: Vec<SyncChange>,
    pub(super) notes: Vec<SyncNote>,
    pub(super) state: SyncState,
    /// The kinds that are copied.
    synced: &'c [ObjectKind],
    /// The current time in seconds.
    now: i64,
    /// Whether transitive memberships are computed.
    closure: bool,
    /// Whether only users of some groups are copied, and if so, whether those of nested groups are too.
    scope: Option<Nested>,
    /// Where each object is in `changes`.
    upserts: HashMap<String, usize>,
}

impl<'c> Machine<'c> {
    pub(super) fn new(state: SyncState, synced: &'c [ObjectKind], closure: bool, now: i64) -> Self {
        Self {
            view: View::default(),
            changes: Vec::new(),
            notes: Vec::new(),
            state,
            synced,
            now,
            closure,
            scope: None,
            upserts: HashMap::new(),
        }
    }

    /// Only users of some groups are copied.
    pub(super) const fn scoped(mut self, scope: Option<Nested>) -> Self {
        self.scope = scope;
        self
    }

    /// The rows that a page needs.
    pub(super) fn page_keys(&self, kind: ObjectKind, page: &FeedPage) -> Vec<String> {
        let mut keys = Vec::new();
        for row in &page.rows {
            keys.push(rows::object(kind, &row.id));
            keys.push(rows::removal(kind, &row.id));
            let Content::Present(present) = &row.content else {
                continue;
            };
            for link in &present.links {
                keys.push(rows::link(&row.id, &link.id));
                keys.push(rows::unlink(&row.id, &link.id));
                keys.extend(self.member_key(link.odata_type.as_deref(), &link.id));
            }
        }
        keys
    }

    /// The memberships that a page needs: those of objects that enter the copy, or return.
    pub(super) fn page_scans(&self, kind: ObjectKind, page: &FeedPage) -> Vec<String> {
        if self.state.links == 0 || kind == ObjectKind::AppRoleAssignment {
            return Vec::new();
        }
        let mut scans = Vec::new();
        for row in &page.rows {
            let Content::Present(present) = &row.content else {
                continue;
            };
            let entry = self.view.entry(&rows::object(kind, &row.id));
            let enters = present.in_scope
                && entry
                    .as_ref()
                    .is_none_or(|entry| entry.presence != Presence::Present);
            if enters || self.is_away(kind, &row.id) {
                scans.push(rows::groups_of(&row.id));
                // A group that was never known has no members here.
                if kind == ObjectKind::Group && entry.is_some() {
                    scans.push(rows::links_of(&row.id));
                }
            }
        }
        scans
    }

    /// The objects at the other ends of memberships that were read, and what is known of memberships of objects of a
    /// kind that return.
    pub(super) fn end_keys(&self, kind: ObjectKind, scans: &[String]) -> Vec<String> {
        let mut keys = Vec::new();
        for prefix in scans {
            let returning = rows::parts(prefix).map(|(id, _)| id);
            let returning = returning.filter(|id| self.is_away(kind, id));
            for (key, value) in self.view.scan(prefix) {
                let other = rows::last(&key);
                if let Some(id) = returning {
                    let (group, member) = if prefix.starts_with(rows::LINKS) {
                        (id, other)
                    } else {
                        (other, id)
                    };
                    keys.push(rows::link(group, member));
                    keys.push(rows::reverse(member, group));
                    keys.push(rows::unlink(group, member));
                }
                let other_kind = if prefix.starts_with(rows::LINKS) {
                    LinkEntry::read(&value).and_then(|link| self.member_kind(&link))
                } else {
                    Some(ObjectKind::Group)
                };
                if let Some(other_kind) = other_kind {
                    keys.push(rows::object(other_kind, other));
                    if returning.is_some() {
                        keys.push(rows::removal(other_kind, other));
                    }
                }
            }
        }
        keys.retain(|key| !self.view.has(key));
        keys
    }

    /// The kind of the member of a membership, if it is copied.
    fn member_kind(&self, link: &LinkEntry) -> Option<ObjectKind> {
        let kind = ObjectKind::of_type(link.member_type.as_deref()?)?;
        self.synced.contains(&kind).then_some(kind)
    }

    /// The key of a member, if its kind is copied.
    fn member_key(&self, member_type: Option<&str>, id: &str) -> Option<String> {
        let kind = ObjectKind::of_type(member_type?)?;
        self.synced.contains(&kind).then(|| rows::object(kind, id))
    }

    /// Applies one page of a round.
    pub(super) fn page(&mut self, kind: ObjectKind, page: FeedPage) {
        let Some((round, full)) = self.state.feed(kind).map(|feed| (feed.round, feed.full)) else {
            return;
        };
        let count = page.rows.len() as u64;
        if full {
            self.count_properties(kind, &page);
        }
        self.apply(kind, page.rows, round, full);
        if let Some(feed) = self.state.feed_mut(kind) {
            feed.rows += count;
            match page.link {
                Link::Next(link) => feed.link = Some(link),
                Link::End(link) => {
                    feed.link = link;
                    if full {
                        let missing = feed.compare_properties();
                        if !missing.is_empty() {
                            let properties = missing;
                            let note = SyncNote::PropertiesMissing { kind, properties };
                            self.notes.push(note);
                        }
                        feed.phase = Phase::SweepingObjects {
                            after: None,
                            present: 0,
                        };
                    } else {
                        self.state.finish(kind);
                    }
                }
            }
        }
    }

    fn apply(&mut self, kind: ObjectKind, rows: Vec<Row>, round: u64, full: bool) {
        for row in rows {
            match row.content {
                Content::Removed(reason) => self.removed(kind, &row.id, reason),
                Content::Present(present) => self.present(kind, &row.id, *present, round, full),
            }
        }
    }

    fn removed(&mut self, kind: ObjectKind, id: &str, reason: RemovalReason) {
        let Some(entry) = self.view.entry(&rows::object(kind, id)) else {
            // Graph also reports objects that were never reported before. One that may return can have been in groups.
            if reason == RemovalReason::Restorable && kind != ObjectKind::AppRoleAssignment {
                self.put_gone(kind, id, rows::NEVER);
            }
            return;
        };
        if entry.presence != Presence::Gone {
            self.mark_edge_group(kind, id);
        }
        let removal = match entry.presence {
            Presence::Present => Removal::Reason(reason),
            Presence::Hidden if self.connects(kind) => Removal::Reason(reason),
            // Nothing to hand out; purged objects do not return, so their memberships are forgotten.
            _ if reason == RemovalReason::Deleted => Removal::Bookkeeping,
            Presence::Hidden => return self.put_gone(kind, id, entry.seen),
            Presence::Gone => return,
        };
        self.view.put(rows::removal(kind, id), removal.write());
    }

    /// Remembers an object that is not in the copy and may return.
    fn put_gone(&mut self, kind: ObjectKind, id: &str, seen: u64) {
        let entry = Entry {
            presence: Presence::Gone,
            seen,
            is_limited: false,
            detail: self.now.to_string(),
        };
        self.view.put(rows::object(kind, id), entry.write());
        if kind == ObjectKind::Group {
            // It connected its members with the groups above, also if it was not in the copy.
            self.mark_removed(kind, id);
        }
    }

    fn present(&mut self, kind: ObjectKind, id: &str, row: PresentRow, round: u64, full: bool) {
        let key = rows::object(kind, id);
        let old = self.view.entry(&key);
        let was_present = old
            .as_ref()
            .is_some_and(|old| old.presence == Presence::Present);
        let entry = |presence, detail: String| {
            Entry {
                presence,
                seen: round,
                is_limited: row.is_limited,
                detail,
            }
            .write()
        };
        let removal = rows::removal(kind, id);
        // A full round of groups has the memberships itself.
        let has_all = full && kind == ObjectKind::Group;
        if self.is_further_part(&row, old.as_ref(), round, full) {
            // Whether it passes the filter was judged by the row that has its properties.
            let leaves = Removal::Reason(RemovalReason::OutOfScope);
            if self.view.get(&removal).map(Removal::read) != Some(leaves) {
                self.returned(kind, id, removal, has_all);
            }
            self.links(id, row.links, round, full);
            return;
        }
        let was_hidden = old
            .as_ref()
            .is_some_and(|old| old.presence == Presence::Hidden);
        let is_gone = |old: &Entry| old.presence == Presence::Gone;
        if old.as_ref().is_some_and(is_gone) {
            self.mark_edge_group(kind, id);
            self.doubt(kind, id, has_all);
        }
        self.returned(kind, id, removal, has_all);
        if row.is_limited {
            self.notes.push(SyncNote::Limited {
                kind,
                id: id.to_owned(),
            });
        }
        match old {
            Some(old)
                if was_present && row.in_scope && (row.is_limited || old.detail == row.digest) =>
            {
                if full && old.seen != round || old.is_limited != row.is_limited {
                    self.view.put(key, entry(Presence::Present, old.detail));
                }
            }
            Some(old) if was_present && !row.in_scope => {
                let removal = Removal::Reason(RemovalReason::OutOfScope);
                self.view.put(rows::removal(kind, id), removal.write());
                self.view.put(key, entry(Presence::Present, old.detail));
            }
            _ if row.in_scope && !row.is_limited => {
                self.view.put(key, entry(Presence::Present, row.digest));
                self.upsert(row.object);
                if !was_present {
                    if let Some(feed) = self.state.feed_mut(kind) {
                        feed.present += 1;
                    }
                    self.announce(kind, id);
                }
            }
            _ => {
                self.view.put(key, entry(Presence::Hidden, String::new()));
                if kind == ObjectKind::Group && !was_hidden {
                    self.mark_connecting(id);
                }
            }
        }
        self.links(id, row.links, round, full);
    }

    /// Whether a row is a further part of a large group, which has the same properties as the first one, here none. The
    /// first row of a full round has all that are set. Of one that was seen before, a row of a round of changes would
    /// name those that were cleared.
    fn is_further_part(
        &self,
        row: &PresentRow,
        old: Option<&Entry>,
        round: u64,
        full: bool,
    ) -> bool {
        row.is_blank
            && !row.links.is_empty()
            && old.is_some_and(|old| old.presence != Presence::Gone && !(full && old.seen != round))
    }

    /// Cancels the removal of an object that Graph has. `has_all` as in [`doubt`](Self::doubt).
    fn returned(&mut self, kind: ObjectKind, id: &str, removal: String, has_all: bool) {
        if self.view.get(&removal).is_some() {
            self.mark_edge_group(kind, id);
            if self.is_away(kind, id) {
                self.doubt(kind, id, has_all);
            }
            self.view.delete(removal);
        }
    }

    fn links(&mut self, group: &str, links: Vec<LinkChange>, round: u64, full: bool) {
        for link in links {
            if link.relation == MEMBERS {
                self.link(group, link, round, full);
            }
        }
    }

    fn upsert(&mut self, object: SyncedObject) {
        let key = rows::object(object.kind(), object.id());
        if let Some(at) = self.upserts.get(&key)
            && let Some(change) = self.changes.get_mut(*at)
        {
            *change = SyncChange::Upsert(object);
            return;
        }
        self.upserts.insert(key, self.changes.len());
        self.changes.push(SyncChange::Upsert(object));
    }

    /// Hands out the memberships of an object that entered the copy.
    fn announce(&mut self, kind: ObjectKind, id: &str) {
        for (key, member_type) in self.view.scan(&rows::groups_of(id)) {
            let group = rows::last(&key);
            let member_type = (!member_type.is_empty()).then_some(member_type);
            // Also for a group that is not in the copy: others above it can be.
            self.mark(id, member_type.clone());
            // Memberships of a kind that was not copied before are handed out already.
            if self.synced.contains(&kind) && self.is_present(ObjectKind::Group, group) {
                self.add_member(group, id, member_type);
            }
        }
        if kind != ObjectKind::Group {
            return;
        }
        for (key, value) in self.view.scan(&rows::links_of(id)) {
            let member = rows::last(&key);
            let member_type = LinkEntry::read(&value).and_then(|link| link.member_type);
            self.mark_connection(member, member_type.clone());
            // A group that is a member of itself came with the groups above.
            if member != id && self.is_visible(member_type.as_deref(), member) {
                self.add_member(id, member, member_type);
            }
        }
    }

    fn add_member(&mut self, group: &str, member: &str, member_type: Option<String>) {
        self.changes.push(SyncChange::MemberAdded {
            group: group.to_owned(),
            member: member.to_owned(),
            member_type,
        });
    }

    fn link(&mut self, group: &str, link: LinkChange, round: u64, full: bool) {
        let key = rows::link(group, &link.id);
        let unlink = rows::unlink(group, &link.id);
        let old = self.view.link(&key);
        if link.removed {
            // A first round also lists former members, as removed.
            let waits = self.view.get(&unlink).is_some();
            if let Some(old) = old
                && !(full && waits)
            {
                // So in a full round it says no more than if the member was not there: it can be deleted.
                self.view.put(unlink, if full { rows::SWEPT } else { "" });
                self.mark_edge(&link.id, old.member_type.as_deref());
            }
            return;
        }
        let is_new = old.is_none();
        if is_new || self.view.get(&unlink).is_some() {
            let known = old.as_ref().and_then(|old| old.member_type.as_deref());
            self.mark_edge(&link.id, link.odata_type.as_deref().or(known));
        }
        self.view.delete(unlink);
        let is_in_doubt = old.as_ref().is_some_and(LinkEntry::is_in_doubt);
        if !is_new && !full && !is_in_doubt {
            return;
        }
        let entry = LinkEntry {
            seen: round,
            member_type: link
                .odata_type
                .or_else(|| old.as_ref()?.member_type.clone()),
        };
        if old.as_ref() == Some(&entry) {
            return;
        }
        self.view.put(key, entry.write());
        if is_new {
            let member_type = entry.member_type.clone();
            self.view.put(
                rows::reverse(&link.id, group),
                member_type.clone().unwrap_or_default(),
            );
            self.state.links += 1;
            self.mark_connection(&link.id, member_type.clone());
            if self.is_present(ObjectKind::Group, group)
                && self.is_visible(member_type.as_deref(), &link.id)
            {
                self.add_member(group, &link.id, member_type);
            }
        }
    }

    fn is_present(&self, kind: ObjectKind, id: &str) -> bool {
        self.view
            .entry(&rows::object(kind, id))
            .is_some_and(|entry| entry.presence == Presence::Present)
    }

    /// Whether a member is in the copy, or of a kind that is not copied.
    fn is_visible(&self, member_type: Option<&str>, id: &str) -> bool {
        match self.member_key(member_type, id) {
            Some(key) => self
                .view
                .entry(&key)
                .is_some_and(|entry| entry.presence == Presence::Present),
            None => true,
        }
    }

    /// Begins a full round of a kind; its part of the copy stays until the round is complete.
    pub(super) fn begin_full(&mut self, kind: ObjectKind, scope: String) {
        let round = self.state.next_round(self.now);
        let mut feed = FeedState::full(kind, scope, round, self.now);
        feed.is_scoped = match kind {
            ObjectKind::User => self.scope.is_some(),
            ObjectKind::Group => self.scope == Some(true),
            ObjectKind::Device | ObjectKind::ServicePrincipal | ObjectKind::AppRoleAssignment => {
                false
            }
        };
        match self.state.feed_mut(kind) {
            Some(old) => {
                if old.scope == feed.scope {
                    feed.properties = std::mem::take(&mut old.properties);
                }
                feed.present = old.present;
                feed.forgotten_until = old.forgotten_until;
                feed.estimate = (old.present > 0).then_some(old.present);
                *old = feed;
            }
            None => self.state.feeds.push(feed),
        }
    }

    /// Begins a round with the changes since the last one.
    pub(super) fn begin_changes(&mut self, kind: ObjectKind) {
        let round = self.state.next_round(self.now);
        if let Some(feed) = self.state.feed_mut(kind) {
            feed.phase = Phase::Paging;
            feed.done = false;
            feed.full = false;
            feed.round = round;
            feed.rows = 0;
            feed.estimate = None;
        }
    }
}

/// Whether the members of groups in a group count as its own.
pub(super) type Nested = bool;

const MEMBERS: &str = "members";
