//! What the application may read, which can change while a copy is kept.

use super::{
    super::{
        change::{ObjectKind, SyncNote},
        rows::{self, Entry, Presence},
    },
    Content, FeedPage, Machine,
};

impl Machine<'_> {
    /// Graph forbids to read a kind, so its round is over for this run.
    pub(in crate::sync) fn forbid(&mut self, kind: ObjectKind) {
        if let Some(feed) = self.state.feed_mut(kind) {
            feed.is_forbidden = true;
            feed.done = true;
        }
        // With a scope, groups were read before: a full round of theirs took deleted members for ones that left.
        if self.scope.is_some()
            && let Some(groups) = self.state.feed_mut(ObjectKind::Group)
        {
            groups.is_unsure |= groups.full;
        }
    }

    /// Whether Graph forbids to read a kind that memberships are handed out by.
    pub(in crate::sync) fn is_any_forbidden(&self) -> bool {
        let mut feeds = self.state.feeds.iter();
        feeds.any(|feed| feed.is_forbidden && self.synced.contains(&feed.kind))
    }

    /// Graph allows to read a kind.
    pub(in crate::sync) fn allow(&mut self, kind: ObjectKind) {
        if let Some(feed) = self.state.feed_mut(kind) {
            feed.is_forbidden = false;
        }
    }

    /// Counts the objects of a page of a full round that have each property, and those that were known before.
    pub(super) fn count_properties(&mut self, kind: ObjectKind, page: &FeedPage) {
        let Some(feed) = self.state.feed_mut(kind) else {
            return;
        };
        let round = feed.round;
        for row in &page.rows {
            let Content::Present(present) = &row.content else {
                continue;
            };
            let before = self.view.entry(&rows::object(kind, &row.id));
            let is_known = |entry: &Entry| entry.presence != Presence::Gone && entry.seen != round;
            feed.known += u64::from(before.as_ref().is_some_and(is_known));
            for name in present.names.iter().filter(|name| *name != "id") {
                match feed.counted.get_mut(name) {
                    Some(count) => *count += 1,
                    None => {
                        feed.counted.insert(name.clone(), 1);
                    }
                }
            }
        }
    }

    /// Notes whether a page of groups was read with the permission to see hidden members. Returns whether all groups must
    /// be read again, since a round of changes has it, and an earlier one did not.
    pub(in crate::sync) fn look(&mut self, page: &FeedPage, has_permission: bool) -> bool {
        let Some(groups) = self.state.feed_mut(ObjectKind::Group) else {
            return false;
        };
        if has_permission {
            if !groups.full && groups.sight.without {
                return true;
            }
            groups.sight.add(true);
            return false;
        }
        groups.sight.add(false);
        for row in &page.rows {
            if let Content::Present(present) = &row.content
                && present.object.hides_members()
            {
                self.notes.push(SyncNote::MembersUnreadable {
                    group: row.id.clone(),
                });
            }
        }
        false
    }
}
