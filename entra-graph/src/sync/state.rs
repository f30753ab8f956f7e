//! The state of a sync between two steps.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::change::ObjectKind;

/// The state of a sync, with exactly one link per kind of objects.
///
/// A store saves it with the changes of its step, in one transaction, as whatever serde writes. It is sensitive,
/// because the links contain the query; `Debug` does not show them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    pub(super) version: u8,
    /// The address of Graph, since links lead to it.
    pub(super) graph: String,
    /// The number of steps so far.
    pub(super) step: u64,
    /// The number of the last round that began.
    pub(super) round: u64,
    /// Whether the removals that wait have passed the guard and are being handed out.
    pub(super) removing: bool,
    /// Whether transitive memberships must be computed before anything else.
    pub(super) closing: bool,
    /// Whether they are computed at all.
    pub(super) closure: bool,
    /// Whether some of them were taken back, since they are no longer computed.
    #[serde(default)]
    pub(super) is_forgetting: bool,
    /// The kinds that are copied, by which memberships were handed out.
    pub(super) synced: Vec<ObjectKind>,
    /// Where memberships are handed out by other kinds, since other ones are copied now.
    pub(super) revising: Option<Revision>,
    /// The number of memberships in the bookkeeping, or [`UNCOUNTED`].
    pub(super) links: u64,
    /// How many sets of removals passed with an approval. It is part of the next token, so that none works twice.
    #[serde(default)]
    pub(super) approvals: u64,
    /// The scope that the groups with a mark are in.
    pub(super) scope: Option<String>,
    /// The last member at the edge of the scope that this run looked at.
    pub(super) edge: Option<String>,
    pub(super) feeds: Vec<FeedState>,
}

/// How far memberships are handed out by other kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Revision {
    /// The kinds that are copied now.
    pub(super) synced: Vec<ObjectKind>,
    /// The last membership that was looked at.
    pub(super) after: Option<String>,
}

/// The state of one kind of objects.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FeedState {
    pub(super) kind: ObjectKind,
    /// A digest of what is read: properties and filter. Empty if all objects are to be read again.
    pub(super) scope: String,
    pub(super) phase: Phase,
    /// Whether the kind needs no more steps in the current run.
    pub(super) done: bool,
    /// The next page of the round, or the start of the next round. `None` for the first page of a full round.
    pub(super) link: Option<String>,
    /// Whether the round reads all objects.
    pub(super) full: bool,
    /// The number of the round.
    pub(super) round: u64,
    /// The rows of the round so far.
    pub(super) rows: u64,
    /// The number of objects in the copy.
    pub(super) present: u64,
    /// About how many rows the round has.
    pub(super) estimate: Option<u64>,
    /// When the last full round began, in seconds.
    pub(super) full_since: i64,
    /// Whether Graph forbade to read the kind when it was last tried.
    pub(super) is_forbidden: bool,
    /// Of groups: whether memberships stayed after the last full round, since Graph forbade to read their members.
    pub(super) is_unsure: bool,
    /// Of groups: with what the pages since the last full round were read.
    pub(super) sight: Sight,
    /// Of groups: whether some returned, or objects whose memberships the last full round did not contain.
    #[serde(default)]
    pub(super) has_returned: bool,
    /// Of kinds of members: until when memberships of objects that may return were forgotten, in seconds. That was while
    /// the kind was not copied, and once more when an object returned.
    #[serde(default)]
    pub(super) forgotten_until: Option<i64>,
    /// Of users, and of groups if those in groups count: whether the last full round took those of a scope only.
    #[serde(default)]
    pub(super) is_scoped: bool,
    /// How many objects of the last complete full round have each property.
    #[serde(default)]
    pub(super) properties: BTreeMap<String, u64>,
    /// The same, of the rows of this full round.
    #[serde(default)]
    pub(super) counted: BTreeMap<String, u64>,
    /// How many rows of this full round are of objects that were known before it.
    #[serde(default)]
    pub(super) known: u64,
}

/// Whether pages of groups were read with the permission to see hidden members, as far as the tokens say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sight {
    /// A page was read with it.
    pub(super) with: bool,
    /// A page was read without it.
    pub(super) without: bool,
}

/// What the next step of a kind does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Phase {
    /// Reads the next page.
    Paging,
    /// Looks for objects that the full round did not contain.
    SweepingObjects { after: Option<String>, present: u64 },
    /// Looks for memberships that the full round did not contain.
    SweepingLinks { after: Option<String>, links: u64 },
    /// Waits for the next round.
    Idle,
}

impl SyncState {
    pub(super) fn new(graph: &str) -> Self {
        Self {
            version: VERSION,
            graph: graph.to_owned(),
            step: 0,
            round: 0,
            removing: false,
            closing: false,
            closure: false,
            is_forgetting: false,
            synced: Vec::new(),
            revising: None,
            links: 0,
            approvals: 0,
            scope: None,
            edge: None,
            feeds: Vec::new(),
        }
    }

    /// Whether this version of the crate wrote the state, for this address of Graph.
    pub(super) fn fits(&self, graph: &str) -> bool {
        self.version == VERSION && self.graph == graph
    }

    /// A number that no round has had, also when an earlier state was lost and its rows are still there.
    pub(super) fn next_round(&mut self, now: i64) -> u64 {
        let now = u64::try_from(now).unwrap_or_default();
        self.round = (self.round + 1).max(now);
        self.round
    }

    pub(super) fn feed(&self, kind: ObjectKind) -> Option<&FeedState> {
        self.feeds.iter().find(|feed| feed.kind == kind)
    }

    pub(super) fn feed_mut(&mut self, kind: ObjectKind) -> Option<&mut FeedState> {
        self.feeds.iter_mut().find(|feed| feed.kind == kind)
    }

    /// Begins a run of these kinds.
    pub(super) fn begin_run(&mut self, synced: &[ObjectKind]) {
        self.edge = None;
        for feed in &mut self.feeds {
            feed.done = false;
        }
        for kind in synced {
            if self.feed(*kind).is_none() {
                self.feeds.push(FeedState::full(*kind, String::new(), 0, 0));
            }
        }
    }

    /// Memberships are handed out by these kinds from now on. While a kind was ignored, memberships of its objects ended and
    /// came as Graph listed them, and it lists none of a deleted object. So all groups are read again when a kind is no
    /// longer copied, and when it is once more.
    pub(super) fn hand_out_by(&mut self, synced: &[ObjectKind], now: i64) {
        for kind in self.synced.iter().filter(|kind| kind.is_member()) {
            // After a lost state it was copied, and not read since.
            if !synced.contains(kind) && !self.feeds.iter().any(|feed| feed.kind == *kind) {
                let mut feed = FeedState::full(*kind, String::new(), 0, 0);
                feed.done = true;
                self.feeds.push(feed);
            }
        }
        let mut reads_groups = false;
        for feed in self.feeds.iter_mut().filter(|feed| feed.kind.is_member()) {
            let was_copied = self.synced.contains(&feed.kind);
            let is_copied = synced.contains(&feed.kind);
            let leaves = was_copied && !is_copied;
            let returns = is_copied && !was_copied && feed.forgotten_until.is_some();
            if leaves || returns {
                feed.forgotten_until = feed.forgotten_until.max(Some(now));
                reads_groups = true;
            }
        }
        self.synced = synced.to_vec();
        if reads_groups && let Some(groups) = self.feed_mut(ObjectKind::Group) {
            groups.scope.clear();
        }
    }

    /// Begins to hand out the removals that wait, with an approval if they needed one.
    pub(super) const fn begin_removals(&mut self, is_approved: bool) {
        self.removing = true;
        if is_approved {
            self.approvals += 1;
        }
    }

    /// Ends the round of a kind for this run.
    pub(super) fn finish(&mut self, kind: ObjectKind) {
        if let Some(feed) = self.feed_mut(kind) {
            feed.phase = Phase::Idle;
            // Otherwise one more round comes in this run.
            feed.done = !feed.has_returned;
        }
    }

    /// The number of steps so far. A step [follows](super::Step::follows) the state of its number.
    #[must_use]
    pub const fn step(&self) -> u64 {
        self.step
    }

    /// How many objects of a kind are in the copy.
    #[must_use]
    pub fn present(&self, kind: ObjectKind) -> u64 {
        self.feed(kind).map_or(0, |feed| feed.present)
    }
}

impl FeedState {
    /// The state before the first page of a full round.
    pub(super) const fn full(kind: ObjectKind, scope: String, round: u64, now: i64) -> Self {
        Self {
            kind,
            scope,
            phase: Phase::Paging,
            done: false,
            link: None,
            full: true,
            round,
            rows: 0,
            present: 0,
            estimate: None,
            full_since: now,
            is_forbidden: false,
            is_unsure: false,
            sight: Sight {
                with: false,
                without: false,
            },
            has_returned: false,
            forgotten_until: None,
            is_scoped: false,
            properties: BTreeMap::new(),
            counted: BTreeMap::new(),
            known: 0,
        }
    }

    /// Ends the count of properties of a full round. Returns those that many objects had, and that none has now.
    pub(super) fn compare_properties(&mut self) -> Vec<String> {
        let counted = std::mem::take(&mut self.counted);
        let before = std::mem::take(&mut self.properties);
        let known = std::mem::take(&mut self.known);
        // Without objects, nothing is known of properties.
        if counted.is_empty() {
            self.properties = before;
            return Vec::new();
        }
        let missing = before.into_iter().filter(|(_, count)| *count > FEW);
        let missing = missing.map(|(name, _)| name);
        let missing = missing.filter(|name| !counted.contains_key(name));
        let missing: Vec<String> = missing.collect();
        self.properties = counted;
        // The objects of another directory never had them.
        if known == 0 { Vec::new() } else { missing }
    }
}

impl Sight {
    /// Adds a page that was read with or without the permission.
    pub(super) const fn add(&mut self, has_permission: bool) {
        if has_permission {
            self.with = true;
        } else {
            self.without = true;
        }
    }

    /// Whether all pages showed hidden members.
    pub(super) const fn is_clear(self) -> bool {
        self.with && !self.without
    }

    /// Whether some pages showed them, and others did not.
    pub(super) const fn is_mixed(self) -> bool {
        self.with && self.without
    }
}

impl fmt::Debug for SyncState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncState")
            .field("step", &self.step)
            .field("round", &self.round)
            .field("removing", &self.removing)
            .field("links", &self.links)
            .field("feeds", &self.feeds)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FeedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedState")
            .field("kind", &self.kind)
            .field("phase", &self.phase)
            .field("full", &self.full)
            .field("round", &self.round)
            .field("present", &self.present)
            .finish_non_exhaustive()
    }
}

/// The number of memberships until a full round of groups has counted them, since the state was lost: some.
pub(super) const UNCOUNTED: u64 = 1 << 40;
/// So many objects can lose a property by chance.
const FEW: u64 = 5;
const VERSION: u8 = 1;
