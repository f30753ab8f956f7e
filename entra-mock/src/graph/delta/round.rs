//! The rows of one page.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{super::call::Call, RoundPosition, State, View};
use crate::{
    schema::Relation,
    store::{Event, Kind, Object},
};

/// One page, and where the next one starts if the round continues.
pub(super) struct Rows<'a> {
    pub(super) rows: Vec<Row<'a>>,
    pub(super) next: Option<RoundPosition>,
}

/// One row of a page.
pub(super) enum Row<'a> {
    Present {
        object: &'a Object,
        /// The properties that changed, or `None` if the object is new to the client.
        changed: Option<HashSet<&'static str>>,
        links: Vec<(&'static str, Vec<Value>)>,
    },
    Removed {
        id: &'a str,
        reason: &'static str,
    },
}

/// What happened to one object in a round.
#[derive(Default)]
struct Changes<'a> {
    last: u64,
    /// Whether it was created or restored.
    fresh: bool,
    /// Whether it was restored and its links are not shown with it.
    without_links: bool,
    properties: HashSet<&'static str>,
    /// The links that were added or removed, each with its latest event only.
    links: Vec<(Relation, Kind, &'a str, bool)>,
}

pub(super) fn page<'a>(call: Call<'a>, kind: Kind, state: &State, view: &View<'_>) -> Rows<'a> {
    let scoped = |id: &str| {
        state
            .scope
            .ids
            .as_ref()
            .is_none_or(|ids| ids.iter().any(|other| other == id))
    };
    let mut page = Page::new(call, state);
    if state.position.is_none() {
        page.add_oddities(kind, &scoped);
    }
    if state.full {
        let changed = page.changed_during_round(kind);
        // The object whose links did not fit comes again.
        let after = match state.position {
            Some(RoundPosition {
                object,
                links: Some(_),
                ..
            }) => object.checked_sub(1),
            Some(RoundPosition { object, .. }) => Some(object),
            None => None,
        };
        for (serial, object) in call.state.store.after(kind, after) {
            let id = object["id"].as_str().unwrap_or_default();
            let is_begun = state
                .position
                .is_some_and(|position| position.object == serial && position.links.is_some());
            if changed.contains(id) && !is_begun {
                continue;
            }
            if scoped(id) && page.add(serial, id, object, None, view) {
                break;
            }
        }
        return page.end();
    }
    let is_silent = page.is_silent(kind);
    let changes = collect(call, kind, state);
    let mut ordered: Vec<(&str, Changes<'_>)> =
        changes.into_iter().filter(|(id, _)| scoped(id)).collect();
    ordered.sort_unstable_by_key(|(_, changes)| changes.last);
    for (id, changes) in ordered {
        let done = state.position.is_some_and(|position| {
            changes.last < position.object
                || changes.last == position.object && position.links.is_none()
        });
        if done {
            continue;
        }
        let store = &call.state.store;
        let full = match store.get(kind, id) {
            Some(object) if changes.fresh && !changes.without_links => {
                page.ended_links = changes.ended_links();
                page.add(changes.last, id, object, None, view)
            }
            Some(object) => page.add(changes.last, id, object, Some(changes), view),
            None if is_silent => continue,
            None if store.deleted(id).is_some() => page.remove(changes.last, id, "changed"),
            None => page.remove(changes.last, id, "deleted"),
        };
        if full {
            break;
        }
    }
    page.end()
}

fn collect<'a>(call: Call<'a>, kind: Kind, state: &State) -> HashMap<&'a str, Changes<'a>> {
    let mut found: HashMap<&str, Changes<'_>> = HashMap::new();
    let store = &call.state.store;
    let (late, complete) = state
        .late
        .map_or(((0, 0), false), |late| (late.range, late.complete));
    let is_withheld = |number: u64| {
        state
            .withheld
            .is_some_and(|(from, to)| (from..to).contains(&number))
    };
    let late_changes = store.changes.range(late.0, late.1);
    let own_changes = store
        .changes
        .range(state.from, state.until)
        .filter(|change| !is_withheld(change.sequence));
    for change in late_changes.chain(own_changes) {
        if change.kind != kind {
            continue;
        }
        let is_late = change.sequence < late.1;
        let changes = found.entry(&change.id).or_default();
        changes.last = change.sequence;
        changes.fresh |= is_late && complete;
        match &change.what {
            Event::Restored if call.state.delta_oddities.restored_memberships_silent => {
                changes.without_links |= !changes.fresh;
                changes.fresh = true;
            }
            Event::Created | Event::Restored => {
                changes.fresh = true;
                changes.without_links = false;
            }
            Event::Deleted | Event::Purged => {}
            Event::Updated(properties) => {
                changes
                    .properties
                    .extend(properties.iter().map(|(name, _)| *name));
            }
            Event::Linked(relation, other, id) | Event::Unlinked(relation, other, id) => {
                let linked = if is_late {
                    // An older change must not undo a newer one that was shown before.
                    store.is_linked(*relation, &change.id, id)
                } else {
                    matches!(change.what, Event::Linked(..))
                };
                let is_purged = store.any(id).is_none() && store.deleted(id).is_none();
                if linked || !is_purged || !call.state.delta_oddities.purged_members_silent {
                    changes.link(*relation, *other, id, linked);
                }
            }
        }
    }
    found
}

impl<'a> Changes<'a> {
    fn link(&mut self, relation: Relation, kind: Kind, id: &'a str, linked: bool) {
        self.links
            .retain(|(other, _, other_id, _)| *other != relation || *other_id != id);
        self.links.push((relation, kind, id, linked));
    }

    fn ended_links(&self) -> Vec<(Relation, Kind, &'a str)> {
        let ended = self.links.iter().filter(|(_, _, _, linked)| !linked);
        ended
            .map(|(relation, kind, id, _)| (*relation, *kind, *id))
            .collect()
    }
}

/// A page while it is filled.
struct Page<'a, 's> {
    call: Call<'a>,
    state: &'s State,
    rows: Vec<Row<'a>>,
    links: usize,
    last: Option<RoundPosition>,
    full: bool,
    /// The links that the next complete object had and has no longer.
    ended_links: Vec<(Relation, Kind, &'a str)>,
}

impl<'a, 's> Page<'a, 's> {
    fn new(call: Call<'a>, state: &'s State) -> Self {
        Self {
            call,
            state,
            rows: Vec::new(),
            links: 0,
            last: None,
            full: false,
            ended_links: Vec::new(),
        }
    }

    /// Whether rounds of changes do not report deletions.
    const fn is_silent(&self, kind: Kind) -> bool {
        matches!(kind, Kind::User) && self.call.state.delta_oddities.deletions_silent
    }

    /// Adds what a round has beside its own items.
    fn add_oddities(&mut self, kind: Kind, scoped: &dyn Fn(&str) -> bool) {
        let oddities = self.call.state.delta_oddities;
        let store = &self.call.state.store;
        let log = &store.changes;
        let (from, until) = if self.state.full && oddities.removed_users_in_first_round {
            (0, self.state.from)
        } else if !self.state.full && oddities.repeated_items {
            (self.state.from.saturating_sub(REPEATED), self.state.from)
        } else {
            return;
        };
        let mut shown = HashSet::new();
        for change in log.range(from, until).filter(|change| change.kind == kind) {
            let id = &*change.id;
            if shown.len() == MAX_ADDITIONAL || !scoped(id) || !shown.insert(id) {
                continue;
            }
            match store.get(kind, id) {
                Some(object) if !self.state.full => self.rows.push(Row::Present {
                    object,
                    changed: None,
                    links: Vec::new(),
                }),
                Some(_) => {}
                None if !self.state.full && self.is_silent(kind) => {}
                None => {
                    let restorable = store.deleted(id).is_some();
                    let reason = if restorable { "changed" } else { "deleted" };
                    self.rows.push(Row::Removed { id, reason });
                }
            }
        }
    }

    /// The objects that changed since the round began, if those are missing from it.
    fn changed_during_round(&self, kind: Kind) -> HashSet<&'a str> {
        if !self.call.state.delta_oddities.changes_during_round {
            return HashSet::new();
        }
        let log = &self.call.state.store.changes;
        log.range(self.state.from, log.next())
            .filter(|change| change.kind == kind)
            .map(|change| &*change.id)
            .collect()
    }

    /// The members that a group once had, if a round of all groups shows them.
    fn former_links(&self, id: &str) -> Vec<(Relation, Kind, &'a str)> {
        if !self.state.full
            || !self
                .call
                .state
                .delta_oddities
                .removed_members_in_first_round
        {
            return Vec::new();
        }
        let store = &self.call.state.store;
        let mut former = Vec::new();
        for change in store.changes.range(0, self.state.from) {
            if let Event::Unlinked(relation, kind, other) = &change.what
                && *change.id == *id
                && !store.is_linked(*relation, id, other)
                && !former.contains(&(*relation, *kind, &**other))
            {
                former.push((*relation, *kind, &**other));
            }
        }
        former
    }

    fn end(self) -> Rows<'a> {
        Rows {
            next: self.last.filter(|_| self.full),
            rows: self.rows,
        }
    }

    /// Whether one more row does not fit, so that the page ends before it.
    fn is_full(&mut self) -> bool {
        self.full = self.rows.len() >= MAX_OBJECTS || self.links >= MAX_LINKS;
        self.full
    }

    fn remove(&mut self, serial: u64, id: &'a str, reason: &'static str) -> bool {
        if self.is_full() {
            return true;
        }
        self.rows.push(Row::Removed { id, reason });
        self.last = Some(RoundPosition {
            object: serial,
            links: None,
            seen: self.call.state.store.changes.next(),
        });
        false
    }

    /// Adds an object, complete or with its changes. Returns whether the page ends here.
    fn add(
        &mut self,
        serial: u64,
        id: &'a str,
        object: &'a Object,
        changes: Option<Changes<'a>>,
        view: &View<'_>,
    ) -> bool {
        if self.is_full() {
            return true;
        }
        let mut links: Vec<(&'static str, Vec<Value>)> = Vec::new();
        let mut rest = None;
        let shown = |relation: Relation| {
            view.links
                .iter()
                .find(|item| item.written() == Some(relation) && view.shows_links(item, object))
                .map(|item| item.name)
        };
        let changed = match changes {
            Some(changes) => {
                for (relation, kind, other, linked) in changes.links {
                    // A link that was added before the object was deleted can have ended since.
                    if changes.without_links
                        && linked
                        && !self.call.state.store.is_linked(relation, id, other)
                    {
                        continue;
                    }
                    let Some(name) = shown(relation) else {
                        continue;
                    };
                    let mut item = link(kind, other);
                    if !linked {
                        item["@removed"] = json!({ "reason": "deleted" });
                    }
                    push(&mut links, name, item);
                }
                if links.is_empty() && !changes.fresh && !view.is_tracked(&changes.properties) {
                    return false;
                }
                // A restored object is new to the client.
                (!changes.fresh).then_some(changes.properties)
            }
            None => {
                let skip = self.shown_links(serial, id);
                let all = view
                    .links
                    .iter()
                    .filter(|item| view.shows_links(item, object))
                    .filter_map(|item| Some((item.name, item.written()?)))
                    .flat_map(|(name, relation)| {
                        let others = self.call.state.store.linked_objects(relation, id);
                        others.map(move |(kind, other)| (name, kind, other))
                    });
                let room = MAX_LINKS - self.links;
                let mut all = all.skip(skip);
                for (name, kind, other) in all.by_ref().take(room) {
                    let id = other["id"].as_str().unwrap_or_default();
                    push(&mut links, name, link(kind, id));
                }
                let more = all.next().is_some();
                rest = more.then_some(skip + room);
                let mut ended = std::mem::take(&mut self.ended_links);
                ended.extend(self.former_links(id));
                for (relation, kind, other) in ended.into_iter().filter(|_| !more) {
                    if let Some(name) = shown(relation) {
                        let mut item = link(kind, other);
                        item["@removed"] = json!({ "reason": "deleted" });
                        push(&mut links, name, item);
                    }
                }
                None
            }
        };
        self.links += links.iter().map(|(_, items)| items.len()).sum::<usize>();
        self.rows.push(Row::Present {
            object,
            changed,
            links,
        });
        self.last = Some(RoundPosition {
            object: serial,
            links: rest,
            seen: self.call.state.store.changes.next(),
        });
        self.full = rest.is_some();
        self.full
    }

    /// Returns how many links of an object the earlier pages of the round have shown. If a link was
    /// removed since, the others have moved, and all are shown again.
    fn shown_links(&self, serial: u64, id: &str) -> usize {
        let Some(RoundPosition {
            object,
            links: Some(links),
            seen,
        }) = self.state.position
        else {
            return 0;
        };
        let log = &self.call.state.store.changes;
        let moved = log
            .range(seen, log.next())
            .any(|change| &*change.id == id && matches!(change.what, Event::Unlinked(..)));
        if object == serial && !moved { links } else { 0 }
    }
}

fn link(kind: Kind, id: &str) -> Value {
    json!({ "@odata.type": format!("#microsoft.graph.{}", kind.entity().name), "id": id })
}

fn push(links: &mut Vec<(&'static str, Vec<Value>)>, name: &'static str, item: Value) {
    match links.iter_mut().find(|(other, _)| *other == name) {
        Some((_, items)) => items.push(item),
        None => links.push((name, vec![item])),
    }
}

/// The page size of public reports. `$top` has no effect.
const MAX_OBJECTS: usize = 200;
const MAX_LINKS: usize = 500;
/// How many items a round has beside its own.
const MAX_ADDITIONAL: usize = 20;
/// How many changes before a round are repeated in it.
const REPEATED: u64 = 10;
