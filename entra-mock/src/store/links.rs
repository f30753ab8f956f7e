//! Links between objects, in both directions.

use super::{Event, Kind, Links, Relation, Store, handles, text};

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
            let before = self.forward.get(&(relation, from)).cloned();
            for before in before.iter().flat_map(|handles| handles.iter()) {
                self.remove_link(relation, from, *before);
            }
        }
        handles::add(&mut self.forward, (relation, from), to);
        handles::add(&mut self.backward, (relation, to), from);
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
        let forward = self
            .forward
            .get(&(relation, from))
            .map_or(&[][..], |handles| handles);
        let backward = self
            .backward
            .get(&(relation, to))
            .map_or(&[][..], |handles| handles);
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
        remove_from(&mut self.backward, (relation, to), from);
        let remove_link = remove_from(&mut self.forward, (relation, from), to);
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
            stored.and_then(|stored| text(&stored.object, "id").map(str::to_owned))
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
        let other = text(&to.object, "id").unwrap_or_default().into();
        let (kind, what) = (from.kind, event(relation, to.kind, other));
        let id = text(&from.object, "id").unwrap_or_default().to_owned();
        self.changes.record(kind, &id, what);
    }

    /// Removes every link of an object and returns them.
    pub(super) fn remove_links(&mut self, handle: u32, own_id: &str) -> Vec<Link> {
        let mut remove_link = Vec::new();
        for relation in Relation::ALL {
            for (outgoing, others) in [
                (true, self.forward.remove(&(relation, handle))),
                (false, self.backward.remove(&(relation, handle))),
            ] {
                for &other in others.iter().flat_map(|handles| handles.iter()) {
                    let links = if outgoing {
                        &mut self.backward
                    } else {
                        &mut self.forward
                    };
                    remove_from(links, (relation, other), handle);
                    let id = self
                        .stored(other)
                        .and_then(|stored| text(&stored.object, "id"))
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

fn remove_from(links: &mut Links, key: (Relation, u32), handle: u32) -> bool {
    let Some(found) = links.get_mut(&key) else {
        return false;
    };
    let removed = found.remove(handle);
    if found.is_empty() {
        links.remove(&key);
    }
    removed
}
