//! The rows that can match a filter, found through an index.

use std::ops::Range;

use super::rows::Row;
use crate::{
    collation::SortKey,
    odata::{Expr, Function, Literal, Op, Path, RowPosition, function_holds},
    schema::{Kind, Property, Type},
    store::{Ordered, Store},
};

/// Positions in an index that hold every row that a filter matches.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    kind: Kind,
    ordered: Ordered<'a>,
    positions: Positions,
}

/// Ranges in order, which do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Positions {
    ranges: Vec<Range<usize>>,
    /// Whether the filter matches all rows there.
    exact: bool,
}

impl<'a> Candidates<'a> {
    /// Returns the fewest candidates that one index gives; `None` if the filter fits no index.
    pub(super) fn of(store: &'a Store, kind: Kind, filter: &Expr) -> Option<Self> {
        properties(kind, filter)
            .into_iter()
            .filter_map(|property| {
                let ordered = store.ordered(kind, property.name, property.value);
                let positions = positions(filter, property, &ordered)?;
                Some(Self {
                    kind,
                    ordered,
                    positions,
                })
            })
            .min_by_key(|candidates| (candidates.len(), !candidates.positions.exact))
    }

    pub(super) fn len(&self) -> usize {
        self.positions.ranges.iter().map(Range::len).sum()
    }

    /// Whether the filter matches all of them.
    pub(super) fn is_exact(&self) -> bool {
        self.positions.exact
    }

    /// Returns the candidates in the order of the index.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'a>> + '_ {
        self.positions
            .ranges
            .iter()
            .cloned()
            .flatten()
            .filter_map(|at| {
                let (serial, object) = self.ordered.row(at)?;
                Some((RowPosition::Serial(serial), self.kind, object))
            })
    }
}

impl Positions {
    fn exact(range: Range<usize>) -> Self {
        Self {
            ranges: Some(range)
                .filter(|range| !range.is_empty())
                .into_iter()
                .collect(),
            exact: true,
        }
    }

    fn and(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        for left in &self.ranges {
            for right in &other.ranges {
                let both = left.start.max(right.start)..left.end.min(right.end);
                if !both.is_empty() {
                    ranges.push(both);
                }
            }
        }
        Self {
            ranges,
            exact: self.exact && other.exact,
        }
    }

    fn or(mut self, other: Self) -> Self {
        self.ranges.extend(other.ranges);
        self.ranges.sort_unstable_by_key(|range| range.start);
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(self.ranges.len());
        for range in self.ranges {
            match ranges.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => ranges.push(range),
            }
        }
        Self {
            ranges,
            exact: self.exact && other.exact,
        }
    }

    /// All other positions of an index; `None` if that would lose rows that match.
    fn not(&self, length: usize) -> Option<Self> {
        if !self.exact {
            return None;
        }
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut start = 0;
        for range in &self.ranges {
            ranges.push(start..range.start);
            start = range.end;
        }
        ranges.push(start..length);
        ranges.retain(|range| !range.is_empty());
        Some(Self {
            ranges,
            exact: true,
        })
    }
}

/// Returns the properties of a filter that can have an index: declared, with one value, and of a
/// type that has an order.
fn properties(kind: Kind, filter: &Expr) -> Vec<&'static Property> {
    fn collect(kind: Kind, filter: &Expr, found: &mut Vec<&'static Property>) {
        match filter {
            Expr::And(left, right) | Expr::Or(left, right) => {
                collect(kind, left, found);
                collect(kind, right, found);
            }
            Expr::Not(inner) => collect(kind, inner, found),
            Expr::Compare { path, .. }
            | Expr::In { path, .. }
            | Expr::Call { path, .. }
            | Expr::Flag(path) => {
                let property = name(path)
                    .and_then(|name| kind.entity().property(name))
                    .filter(|property| !property.many && property.value != Type::Complex);
                if let Some(property) = property
                    && !found.iter().any(|other| other.name == property.name)
                {
                    found.push(property);
                }
            }
            Expr::Lambda { .. } | Expr::Count { .. } => {}
        }
    }
    let mut found = Vec::new();
    collect(kind, filter, &mut found);
    found
}

/// Returns the positions that can match a filter; `None` if every row can.
fn positions(filter: &Expr, property: &Property, ordered: &Ordered<'_>) -> Option<Positions> {
    let of = |filter: &Expr| positions(filter, property, ordered);
    let uses =
        |path: &Path| name(path).is_some_and(|name| name.eq_ignore_ascii_case(property.name));
    let equal = |literal: &Literal| {
        let key = key(property.value, literal)?;
        Some(Positions::exact(equal_to(ordered, &key)))
    };
    match filter {
        Expr::And(left, right) => match (of(left), of(right)) {
            (Some(left), Some(right)) => Some(left.and(&right)),
            (Some(one), None) | (None, Some(one)) => Some(Positions {
                exact: false,
                ..one
            }),
            (None, None) => None,
        },
        Expr::Or(left, right) => Some(of(left)?.or(of(right)?)),
        Expr::Not(inner) => of(inner)?.not(ordered.len()),
        // A value without an order has the key of null too.
        Expr::Compare {
            path,
            op: Op::Eq,
            value: Literal::Null,
        } if uses(path) => Some(Positions {
            exact: false,
            ..Positions::exact(equal_to(ordered, &SortKey::Null))
        }),
        Expr::Compare { path, op, value } if uses(path) => {
            let key = key(property.value, value)?;
            match op {
                Op::Eq => equal(value),
                Op::Ne => equal(value)?.not(ordered.len()),
                Op::Gt | Op::Ge | Op::Lt | Op::Le => {
                    Some(Positions::exact(compared(ordered, &key, *op)))
                }
            }
        }
        Expr::In { path, values } if uses(path) => {
            let none = Positions::exact(0..0);
            values
                .iter()
                .try_fold(none, |found, value| Some(found.or(equal(value)?)))
        }
        Expr::Call {
            function: Function::StartsWith,
            path,
            value,
        } if uses(path) && property.value == Type::Text && value.is_ascii() => {
            Some(Positions::exact(starting_with(ordered, value)))
        }
        Expr::Flag(path) if uses(path) => equal(&Literal::Boolean(true)),
        _ => None,
    }
}

fn equal_to(ordered: &Ordered<'_>, key: &SortKey<'_>) -> Range<usize> {
    let start = ordered.partition(|other| other.compare(key).is_lt());
    let end = ordered.partition_in(start..ordered.len(), |other| other.compare(key).is_le());
    start..end
}

/// The positions of keys that compare with a key of the same type.
fn compared(ordered: &Ordered<'_>, key: &SortKey<'_>, op: Op) -> Range<usize> {
    let (first, behind) = match key {
        SortKey::Null => return 0..0,
        // An empty text sorts before every other text, and after every number.
        SortKey::Number(_) => (
            SortKey::Number(i64::MIN),
            Some(SortKey::Text(String::new().into())),
        ),
        SortKey::Text(_) => (SortKey::Text(String::new().into()), None),
    };
    let before = |bound: &SortKey<'_>| ordered.partition(|other| other.compare(bound).is_lt());
    let up_to = |bound: &SortKey<'_>| ordered.partition(|other| other.compare(bound).is_le());
    let end = || behind.as_ref().map_or(ordered.len(), before);
    match op {
        Op::Gt => up_to(key)..end(),
        Op::Ge => before(key)..end(),
        Op::Lt => before(&first)..before(key),
        Op::Le => before(&first)..up_to(key),
        Op::Eq | Op::Ne => 0..0,
    }
}

/// The positions of texts that start with an ASCII text, ignoring case.
fn starting_with(ordered: &Ordered<'_>, start: &str) -> Range<usize> {
    let key = SortKey::Text(start.into());
    let first = ordered.partition(|other| other.compare(&key).is_lt());
    let end = ordered.partition_in(first..ordered.len(), |other| {
        matches!(other, SortKey::Text(text) if function_holds(Function::StartsWith, text, start))
    });
    first..end
}

/// The key of a literal, if values of that type are compared with it as the index compares them.
fn key(value: Type, literal: &Literal) -> Option<SortKey<'_>> {
    match (value, literal) {
        (Type::Text, Literal::Text(text)) | (Type::Guid, Literal::Guid(text)) => {
            Some(SortKey::Text(text.into()))
        }
        (Type::Date, Literal::Date(number)) | (Type::Int, Literal::Int(number)) => {
            Some(SortKey::Number(*number))
        }
        (Type::Boolean, Literal::Boolean(value)) => Some(SortKey::Number(i64::from(*value))),
        _ => None,
    }
}

/// The property of a path that names one of the object itself.
fn name(path: &Path) -> Option<&str> {
    match path.segments.as_slice() {
        [name] if path.scope == 0 => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn positions_of(members: &[bool]) -> Positions {
        let mut found = Positions::exact(0..0);
        for (at, member) in members.iter().enumerate() {
            if *member {
                found = found.or(Positions::exact(at..at + 1));
            }
        }
        found
    }

    fn members(positions: &Positions, length: usize) -> Vec<bool> {
        let contains = |at: usize| positions.ranges.iter().any(|range| range.contains(&at));
        (0..length).map(contains).collect()
    }

    proptest! {
        #[test]
        fn ranges_combine_like_sets(pairs in prop::collection::vec(any::<(bool, bool)>(), 0..12)) {
            let (left, right): (Vec<bool>, Vec<bool>) = pairs.iter().copied().unzip();
            let length = pairs.len();
            let (first, second) = (positions_of(&left), positions_of(&right));
            let both: Vec<bool> = pairs.iter().map(|(left, right)| *left && *right).collect();
            let either: Vec<bool> = pairs.iter().map(|(left, right)| *left || *right).collect();
            let others: Vec<bool> = left.iter().map(|member| !member).collect();
            prop_assert_eq!(members(&first.and(&second), length), both);
            prop_assert_eq!(members(&first.clone().or(second), length), either);
            prop_assert_eq!(members(&first.not(length).unwrap(), length), others);
        }
    }

    #[test]
    fn the_complement_of_inexact_positions_is_unknown() {
        let inexact = Positions {
            exact: false,
            ..Positions::exact(1..2)
        };
        assert_eq!(inexact.not(3), None);
        assert!(!inexact.and(&Positions::exact(0..3)).exact);
        assert!(!inexact.or(Positions::exact(0..3)).exact);
    }
}
