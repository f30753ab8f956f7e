//! Selects the rows of one page, and counts rows, through an index where one helps.
//!
//! Which way is taken never changes the result: rows without `$orderby` are in insertion order, and
//! rows with the same keys too.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    candidates::Candidates,
    rows::{self, EvalContext, Row, RowFilter, Source},
};
use crate::{
    collation::SortKey,
    odata::{Order, Position, RowPosition},
    schema::Kind,
    store::{Object, Ordered, Store},
};

/// The rows of a list that match a filter.
pub(super) struct Matching<'a, 'f> {
    pub(super) eval_context: EvalContext<'a>,
    pub(super) store: &'a Store,
    pub(super) source: Source<'a>,
    pub(super) filter: &'f RowFilter,
}

/// The rows of one page. If there are more, the place and keys of its last row.
pub(super) type Page<'a> = (Vec<Row<'a>>, Option<(RowPosition, Vec<SortKey<'static>>)>);

impl<'a> Matching<'a, '_> {
    /// Returns the number of rows that match.
    pub(super) fn count(&self) -> usize {
        if self.filter.is_open()
            && let Some(length) = self.source.len(self.store)
        {
            return length;
        }
        match self.candidates() {
            Some(candidates) if candidates.is_exact() && !self.filter.searched => candidates.len(),
            Some(candidates) => candidates.rows().filter(|row| self.matches(row)).count(),
            None => self
                .source
                .rows(self.store, None)
                .filter(|row| self.matches(row))
                .count(),
        }
    }

    /// Returns the page after a position, or the first page.
    pub(super) fn page(
        &self,
        order: Option<&Order>,
        position: Option<&Position>,
        size: usize,
    ) -> Page<'a> {
        match order {
            None => self.in_insertion_order(position.map(|position| position.place), size),
            Some(order) => self.in_order(order, position, size),
        }
    }

    fn in_insertion_order(&self, after: Option<RowPosition>, size: usize) -> Page<'a> {
        if let Some(candidates) = self.candidates()
            && self.is_cheaper(&candidates, size)
        {
            let later = candidates
                .rows()
                .filter(|row| after.is_none_or(|after| row.0 > after))
                .map(|row| Reverse(ByPosition(row)));
            let mut heap: BinaryHeap<_> = later.collect();
            let rows = std::iter::from_fn(|| Some(heap.pop()?.0.0));
            return first_rows(rows.filter(|row| self.matches(row)), size);
        }
        if let (Source::All(kind), true) = (&self.source, self.filter.is_open()) {
            return first_rows(rows::all(self.store, *kind, after), size);
        }
        let rows = self.source.rows(self.store, after);
        first_rows(rows.filter(|row| self.matches(row)), size)
    }

    fn in_order(&self, order: &Order, position: Option<&Position>, size: usize) -> Page<'a> {
        if let Some(candidates) = self.candidates()
            && self.is_cheaper(&candidates, size)
        {
            return smallest_rows(
                candidates.rows().filter(|row| self.matches(row)),
                order,
                position,
                size,
            );
        }
        let Some((property, value, descending)) = order.first() else {
            return self.in_insertion_order(position.map(|position| position.place), size);
        };
        match self.source {
            Source::All(kind) => {
                let ordered = self.store.ordered(kind, property, value);
                let start = position.and_then(|position| start(order, position));
                let rows = Walk::new(kind, ordered, descending, start.as_ref());
                let rows = rows.filter(|row| self.matches(row));
                if order.is_simple() {
                    return with_keys(first_rows(rows, size), order);
                }
                grouped_rows(rows, order, position, size)
            }
            Source::Log(kind, from, to, whole) if kind.log_time() == Some(property) => {
                // Records without a time have the lowest place in the log.
                let time = position.map(|position| match position.keys.first() {
                    Some(SortKey::Number(time)) => *time,
                    _ => i64::MIN,
                });
                let place = |((time, serial), object): ((i64, u64), &'a Object)| {
                    (RowPosition::Log(time, serial), kind, object)
                };
                if descending {
                    let to = time.map_or(to, |time| time.min(to));
                    let rows = self.store.log(kind, (from, to), None, whole).map(place);
                    let rows = rows.filter(|row| self.matches(row));
                    return grouped_rows(rows, order, position, size);
                }
                let from = time.map_or(from, |time| time.max(from));
                let rows = self.store.log_from_oldest(kind, (from, to), whole);
                let rows = rows.map(place).filter(|row| self.matches(row));
                grouped_rows(rows, order, position, size)
            }
            _ => smallest_rows(
                self.source
                    .rows(self.store, None)
                    .filter(|row| self.matches(row)),
                order,
                position,
                size,
            ),
        }
    }

    fn candidates(&self) -> Option<Candidates<'a>> {
        match (&self.source, &self.filter.filter) {
            (Source::All(kind), Some(filter)) => Candidates::of(self.store, *kind, filter),
            _ => None,
        }
    }

    /// Whether reading all candidates costs less than reading rows until the page is full, if the
    /// rows that match are spread evenly.
    fn is_cheaper(&self, candidates: &Candidates<'a>, size: usize) -> bool {
        let all = self.source.len(self.store).unwrap_or(usize::MAX);
        let found = candidates.len();
        found.saturating_mul(found) <= all.saturating_mul(size)
    }

    fn matches(&self, row: &Row<'_>) -> bool {
        self.filter.matches(row.1, row.2, &self.eval_context)
    }
}

/// A row that is compared by its position.
struct ByPosition<'a>(Row<'a>);

impl PartialEq for ByPosition<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByPosition<'_> {}

impl PartialOrd for ByPosition<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByPosition<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.0.cmp(&other.0.0)
    }
}

/// The objects of a kind in the order of an index. Objects with the same key are in insertion order,
/// also if the order is descending.
struct Walk<'a> {
    kind: Kind,
    ordered: Ordered<'a>,
    at: usize,
    end: usize,
    /// In a descending order: the number of objects that come after those up to `end`.
    below: usize,
}

/// Where a walk starts.
struct Start<'k> {
    key: &'k SortKey<'static>,
    /// After the object with this number and the key, or, without a number, at the first one with the
    /// key.
    serial: Option<u64>,
}

fn start<'k>(order: &Order, position: &'k Position) -> Option<Start<'k>> {
    let key = position.keys.first()?;
    let serial = match position.place {
        RowPosition::Serial(serial) if order.is_simple() => Some(serial),
        _ => None,
    };
    Some(Start { key, serial })
}

impl<'a> Walk<'a> {
    fn new(kind: Kind, ordered: Ordered<'a>, descending: bool, start: Option<&Start<'_>>) -> Self {
        let length = ordered.len();
        let walk = |ordered, at, end, below| Self {
            kind,
            ordered,
            at,
            end,
            below,
        };
        let Some(Start { key, serial }) = start else {
            return match descending {
                true => walk(ordered, 0, 0, length),
                false => walk(ordered, 0, length, 0),
            };
        };
        let first = ordered.partition(|other| other.compare(key).is_lt());
        let at = serial.map_or(first, |serial| ordered.after(key, serial));
        if !descending {
            return walk(ordered, at, length, 0);
        }
        let end = ordered.partition_in(first..length, |other| other.compare(key).is_le());
        walk(ordered, at, end, first)
    }

    /// Finds the first object with the same key as the one before `end`. Few have the same key.
    fn group_start(&self, end: usize) -> usize {
        let key = self.ordered.key(end - 1);
        let is_same = |at: usize| self.ordered.key(at).compare(&key).is_eq();
        let mut start = end - 1;
        while start > 0 && end - start < NEAR && is_same(start - 1) {
            start -= 1;
        }
        if start > 0 && end - start >= NEAR {
            return self
                .ordered
                .partition_in(0..start, |other| other.compare(&key).is_lt());
        }
        start
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        if self.at >= self.end {
            if self.below == 0 {
                return None;
            }
            self.end = self.below;
            self.at = self.group_start(self.end);
            self.below = self.at;
        }
        let (serial, object) = self.ordered.row(self.at)?;
        self.at += 1;
        Some((RowPosition::Serial(serial), self.kind, object))
    }
}

/// The first rows of an iterator that is in the order of the list.
fn first_rows<'a>(mut rows: impl Iterator<Item = Row<'a>>, size: usize) -> Page<'a> {
    let mut page: Vec<Row<'a>> = Vec::with_capacity(size.min(LARGE));
    page.extend(rows.by_ref().take(size));
    let more = rows.next().is_some();
    let last = page.last().filter(|_| more).map(|row| (row.0, Vec::new()));
    (page, last)
}

/// Adds the keys of the last row.
fn with_keys<'a>((page, last): Page<'a>, order: &Order) -> Page<'a> {
    let last = last.and_then(|(place, _)| {
        let keys = order.keys(page.last()?.2);
        Some((place, keys.into_iter().map(SortKey::into_owned).collect()))
    });
    (page, last)
}

type Keyed<'a> = (Vec<SortKey<'a>>, Row<'a>);

fn compare(order: &Order, left: &Keyed<'_>, right: &Keyed<'_>) -> std::cmp::Ordering {
    order
        .compare(&left.0, &right.0)
        .then(left.1.0.cmp(&right.1.0))
}

fn is_behind((keys, row): &Keyed<'_>, order: &Order, position: Option<&Position>) -> bool {
    position.is_none_or(|last| {
        order
            .compare(keys, &last.keys)
            .then(row.0.cmp(&last.place))
            .is_gt()
    })
}

/// The page after a position from rows that are in the order of the first key only.
fn grouped_rows<'a>(
    rows: impl Iterator<Item = Row<'a>>,
    order: &Order,
    position: Option<&Position>,
    size: usize,
) -> Page<'a> {
    let mut page: Vec<Keyed<'a>> = Vec::new();
    let mut group: Vec<Keyed<'a>> = Vec::new();
    let sort = |group: &mut Vec<Keyed<'a>>| {
        group.sort_unstable_by(|left, right| compare(order, left, right));
    };
    for row in rows {
        let keyed = (order.keys(row.2), row);
        let is_same = |other: &Keyed<'_>| match (keyed.0.first(), other.0.first()) {
            (Some(left), Some(right)) => left.compare(right).is_eq(),
            _ => true,
        };
        if !group.last().is_none_or(is_same) {
            sort(&mut group);
            page.append(&mut group);
            if page.len() > size {
                break;
            }
        }
        if is_behind(&keyed, order, position) {
            group.push(keyed);
        }
    }
    sort(&mut group);
    page.append(&mut group);
    let more = page.len() > size;
    page.truncate(size);
    finished(page, more)
}

/// The smallest rows after a position, from rows in any order.
fn smallest_rows<'a>(
    rows: impl Iterator<Item = Row<'a>>,
    order: &Order,
    position: Option<&Position>,
    size: usize,
) -> Page<'a> {
    let mut page: Vec<Keyed<'a>> = rows
        .map(|row| (order.keys(row.2), row))
        .filter(|keyed| is_behind(keyed, order, position))
        .collect();
    let more = page.len() > size;
    if more {
        page.select_nth_unstable_by(size, |left, right| compare(order, left, right));
        page.truncate(size);
    }
    page.sort_unstable_by(|left, right| compare(order, left, right));
    finished(page, more)
}

fn finished(page: Vec<Keyed<'_>>, more: bool) -> Page<'_> {
    let last = page.last().filter(|_| more).map(|(keys, row)| {
        let keys = keys.iter().cloned().map(SortKey::into_owned).collect();
        (row.0, keys)
    });
    (page.into_iter().map(|(_, row)| row).collect(), last)
}

/// How many rows a usual page has at most.
const LARGE: usize = 1_000;
/// Up to how many objects with the same key are found one by one.
const NEAR: usize = 8;
