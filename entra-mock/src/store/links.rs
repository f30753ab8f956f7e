//! Links between objects, in both directions.

use super::{Event, Kind, Relation, Store};

/// A link between an object and another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) relation: Relation,
    /// Whether the link starts at the object.
    pub(super) outgoing: bool,
    pub(super) other: Box<str>,
}

impl Store {
    /// Links two objects. An existing link and an unknown id change nothing.
    pub(crate) fn link(&mut self, relation: Relation, from: &str, to: &str) -> bool {
        let (Some(from), Some(to)) = (self.handle(from), self.handle(to)) else {
            return false;
        };
        if self.has_link(relation, from, to) {
            return false;
        }
        if relation == Relation::Manager {
            let before = self.forward.get(&(relation, from)).to_vec();
            for before in before {
                self.remove_link(relation, from, before);
            }
        }
        self.forward.add((relation, from), to);
        self.backward.add((relation, to), from);
        self.touch_link(relation, from, to);
        self.record_link(relation, from, to, Event::Linked);
        true
    }

    /// Whether one object links to another.
    pub(crate) fn is_linked(&self, relation: Relation, from: &str, to: &str) -> bool {
        match (self.handle(from), self.handle(to)) {
            (Some(from), Some(to)) => self.has_link(relation, from, to),
            _ => false,
        }
    }

    fn has_link(&self, relation: Relation, from: u32, to: u32) -> bool {
        // One of the two can be a group of a hundred thousand members: search the shorter list.
        let forward = self.forward.get(&(relation, from));
        let backward = self.backward.get(&(relation, to));
        if forward.len() < backward.len() {
            forward.contains(&to)
        } else {
            backward.contains(&from)
        }
    }

    /// Removes a link. Returns `false` if it does not exist.
    pub(crate) fn unlink(&mut self, relation: Relation, from: &str, to: &str) -> bool {
        let (Some(from), Some(to)) = (self.handle(from), self.handle(to)) else {
            return false;
        };
        self.remove_link(relation, from, to)
    }

    fn remove_link(&mut self, relation: Relation, from: u32, to: u32) -> bool {
        self.backward.remove(&(relation, to), from);
        let remove_link = self.forward.remove(&(relation, from), to);
        if remove_link {
            self.touch_link(relation, from, to);
            self.record_link(relation, from, to, Event::Unlinked);
        }
        remove_link
    }

    fn touch_link(&mut self, relation: Relation, from: u32, to: u32) {
        if !self.touched.is_enabled() {
            return;
        }
        let id = |handle| {
            let stored = self.stored(handle);
            stored.and_then(|stored| stored.object.text("id").map(str::to_owned))
        };
        if let (Some(from), Some(to)) = (id(from), id(to)) {
            self.touched.link(relation, &from, &to);
        }
    }

    fn record_link(
        &mut self,
        relation: Relation,
        from: u32,
        to: u32,
        event: fn(Relation, Kind, Box<str>) -> Event,
    ) {
        if self.changes.is_paused() {
            return;
        }
        let (Some(from), Some(to)) = (self.stored(from), self.stored(to)) else {
            return;
        };
        let other = to.object.text("id").unwrap_or_default().into();
        let (kind, what) = (from.kind, event(relation, to.kind, other));
        let id = from.object.text("id").unwrap_or_default().to_owned();
        self.changes.record(kind, &id, what);
    }

    /// Removes every link of an object and returns them.
    pub(super) fn remove_links(&mut self, handle: u32, own_id: &str) -> Vec<Link> {
        let mut remove_link = Vec::new();
        for relation in Relation::ALL {
            for (outgoing, others) in [
                (true, self.forward.take(&(relation, handle))),
                (false, self.backward.take(&(relation, handle))),
            ] {
                for other in others {
                    let links = if outgoing {
                        &mut self.backward
                    } else {
                        &mut self.forward
                    };
                    links.remove(&(relation, other), handle);
                    let id = self
                        .stored(other)
                        .and_then(|stored| stored.object.text("id"))
                        .map(Box::<str>::from);
                    if let Some(other) = &id {
                        let (from, to) = match outgoing {
                            true => (own_id, &**other),
                            false => (&**other, own_id),
                        };
                        self.touched.link(relation, from, to);
                    }
                    remove_link.extend(id.map(|other| Link {
                        relation,
                        outgoing,
                        other,
                    }));
                }
            }
        }
        remove_link
    }
}
