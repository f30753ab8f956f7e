//! A list of directory objects in parts by their creation, to be read at once.

use entra_core::Timestamp;

use super::{List, partition::Ticks};
use crate::{
    error::Error,
    model::{Countable, Entity, Filterable},
    objects::{Device, Group, User},
    odata::{Filter, Property, ReadOnly},
    request::{Request, as_text, read_number},
};

/// An object with a time of creation, which never changes: users, groups and devices.
#[diagnostic::on_unimplemented(
    message = "lists of `{Self}` cannot be partitioned by creation",
    note = "users, groups and devices can; logs are partitioned by time with `partitioned`"
)]
pub trait Created: Entity + Filterable + Countable {
    /// The time of creation.
    #[doc(hidden)]
    fn created() -> Property<Self, Timestamp, ReadOnly>
    where
        Self: Sized;

    /// Matches the objects of before this time, and those without a time if Graph documents a comparison with null.
    #[doc(hidden)]
    fn before(_first: Ticks) -> Option<Filter<Self>>
    where
        Self: Sized,
    {
        None
    }
}

impl Created for User {
    fn created() -> Property<Self, Timestamp, ReadOnly> {
        Self::CREATED_DATE_TIME
    }

    fn before(first: Ticks) -> Option<Filter<Self>> {
        let created = Self::CREATED_DATE_TIME;
        let earlier = created.le(first.plus(-1).time());
        Some(earlier.or(created.is_null()))
    }
}

impl Created for Group {
    fn created() -> Property<Self, Timestamp, ReadOnly> {
        Self::CREATED_DATE_TIME
    }
}

impl Created for Device {
    fn created() -> Property<Self, Timestamp, ReadOnly> {
        Self::REGISTRATION_DATE_TIME
    }
}

impl<E: Created> List<E> {
    /// The list in at most so many parts of about equal size, by when the objects were created: every object is in exactly one
    /// part, whatever is created, changed and deleted while they are read.
    ///
    /// Where to divide is found out by one to four requests of 20 counts each. Objects without a time of creation are in
    /// the first part, and objects that are created meanwhile belong to the last. The parts can be read at once; together
    /// they are not sorted. As they take advanced queries, they cannot be expanded.
    ///
    /// For groups and devices, Microsoft documents no filter for objects without a time. Two to four further requests of
    /// three counts find out whether the first part has them; if objects are missing, the list is one part.
    ///
    /// Microsoft's pages contradict each other about filtering groups by their creation: should Graph return 400 for it, read the
    /// list as it is.
    ///
    /// ```
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support.rs")); }
    /// # support::block_on(async {
    /// # let graph = support::graph().await;
    /// use futures_util::future::try_join_all;
    /// let parts = graph.users().list().partitioned_by_creation(4).await?;
    /// let parts = parts.into_iter().map(|part| part.items().try_collect::<Vec<_>>());
    /// let users: Vec<_> = try_join_all(parts).await?.into_iter().flatten().collect();
    /// assert!(!users.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every kind of [`Error`], of the counts; `Query` for a list that is expanded.
    pub async fn partitioned_by_creation(self, parts: usize) -> Result<Vec<Self>, Error> {
        if parts < 2 {
            return Ok(vec![self]);
        }
        if let Some(relation) = self.expanded() {
            return Err(Error::query(format!(
                "$expand={relation} cannot be combined with the advanced query of a part: read the list whole, or without it"
            )));
        }
        let end = Ticks::of(self.client().now()).whole_second();
        let mut spans = vec![Span {
            start: EARLIEST,
            end,
            count: 0,
        }];
        for round in 0..MOST_ROUNDS {
            let (heavy, pieces) = match round {
                0 => (vec![0], COUNTS),
                _ => (heaviest(&spans, parts), COUNTS / MOST_HEAVY),
            };
            if heavy.is_empty() {
                break;
            }
            let mut divided: Vec<Span> = Vec::new();
            for index in &heavy {
                divided.extend(spans[*index].pieces(pieces));
            }
            self.count_spans(&mut divided).await?;
            let mut index = 0;
            spans.retain(|_| {
                index += 1;
                !heavy.contains(&(index - 1))
            });
            spans.extend(divided);
            spans.sort_unstable_by_key(|span| span.start);
        }
        let bounds = bounds(&spans, parts);
        if let Some(first) = bounds.first()
            && E::before(*first).is_none()
            && self.loses_objects(*first).await?
        {
            return Ok(vec![self]);
        }
        Ok(self.divided(&bounds))
    }

    /// Whether objects are neither in the first part nor in the others: the negation that the first part takes does not
    /// have those without a time.
    ///
    /// What changes between the counts can look the same, and can hide it, so two results in a row have to agree.
    async fn loses_objects(&self, first: Ticks) -> Result<bool, Error> {
        let mut before = None;
        for _ in 0..MOST_LOOKS {
            let lists = [
                self.clone(),
                self.clone().filter(first_part(first)),
                self.clone().filter(E::created().ge(first.time())),
            ];
            let counts = self.counts(lists).await?;
            let in_parts: u64 = counts.iter().skip(1).sum();
            let loses = counts.first().is_some_and(|all| *all > in_parts);
            if before == Some(loses) {
                return Ok(loses);
            }
            before = Some(loses);
        }
        Ok(true)
    }

    /// Counts the objects of each span, all in one request.
    async fn count_spans(&self, spans: &mut [Span]) -> Result<(), Error> {
        let lists: Vec<Self> = spans
            .iter()
            .map(|span| self.clone().filter(Self::within(span.start, span.end)))
            .collect();
        let counts = self.counts(lists).await?;
        for (span, count) in spans.iter_mut().zip(counts) {
            span.count = count;
        }
        Ok(())
    }

    /// The number of items of each list, all in one request.
    async fn counts(&self, lists: impl IntoIterator<Item = Self>) -> Result<Vec<u64>, Error> {
        let client = self.client().clone();
        let mut batch = client.batch();
        let mut entries = Vec::new();
        for list in lists {
            let call = list.number_call().map(as_text);
            entries.push(batch.add(Request::new(client.clone(), call, read_number)));
        }
        let responses = batch.send().await?;
        let counts = entries.into_iter().map(|entry| responses.get(entry));
        counts.collect()
    }

    fn within(start: Ticks, end: Ticks) -> Filter<E> {
        let created = E::created();
        created
            .ge(start.time())
            .and(created.le(end.plus(-1).time()))
    }

    /// The parts between these bounds.
    fn divided(self, bounds: &[Ticks]) -> Vec<Self> {
        let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else {
            return vec![self];
        };
        let created = E::created();
        let mut filters = vec![first_part(*first)];
        for pair in bounds.windows(2) {
            filters.push(Self::within(pair[0], pair[1]));
        }
        filters.push(created.ge(last.time()));
        filters
            .into_iter()
            .map(|filter| self.clone().filter(filter))
            .collect()
    }
}

/// Matches the objects of before this time, and those without one.
fn first_part<E: Created>(first: Ticks) -> Filter<E> {
    E::before(first).unwrap_or_else(|| !E::created().ge(first.time()))
}

/// A time from its start up to its end, exclusive, and how many objects were created in it.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: Ticks,
    end: Ticks,
    count: u64,
}

impl Span {
    /// Equal pieces of whole seconds.
    fn pieces(&self, pieces: usize) -> impl Iterator<Item = Self> + use<> {
        let Self { start, end, .. } = *self;
        let seconds = start.seconds_to(end);
        let bound = move |piece: usize| {
            let part = seconds * i128::try_from(piece).unwrap_or(0);
            start.plus_seconds(part / i128::try_from(pieces).unwrap_or(1))
        };
        (0..pieces)
            .map(move |piece| Self {
                start: bound(piece),
                end: bound(piece + 1),
                count: 0,
            })
            .filter(|span| span.start < span.end)
    }
}

/// The spans that hold more than half of a part and can be divided, the largest ones.
#[inline]
fn heaviest(spans: &[Span], parts: usize) -> Vec<usize> {
    let total: u64 = spans.iter().map(|span| span.count).sum();
    let parts = u64::try_from(parts).unwrap_or(u64::MAX);
    let mut heavy: Vec<usize> = (0..spans.len())
        .filter(|index| {
            let span = spans[*index];
            span.count > total / parts.saturating_mul(2) && span.start.seconds_to(span.end) > 1
        })
        .collect();
    heavy.sort_unstable_by_key(|index| std::cmp::Reverse(spans[*index].count));
    heavy.truncate(MOST_HEAVY);
    heavy
}

/// Where to divide, between spans in order, so that the parts are about equal.
#[inline]
fn bounds(spans: &[Span], parts: usize) -> Vec<Ticks> {
    let total: u64 = spans.iter().map(|span| span.count).sum();
    let parts = u64::try_from(parts).unwrap_or(u64::MAX);
    let mut bounds = Vec::new();
    let (mut before, mut next) = (0, 1);
    for pair in spans.windows(2) {
        before += pair[0].count;
        let due = u128::from(before) * u128::from(parts) >= u128::from(total) * u128::from(next);
        if due && before > 0 && before < total {
            bounds.push(pair[1].start);
            next = before.saturating_mul(parts) / total.max(1) + 1;
        }
    }
    bounds
}

/// The year 2000, before the first directory.
const EARLIEST: Ticks = Ticks::of_second(946_684_800);
const MOST_ROUNDS: usize = 4;
/// How often objects that are in no part are looked for, until two results agree.
const MOST_LOOKS: usize = 4;
/// How many counts go in one request.
const COUNTS: usize = 20;
/// How many spans are divided in one round, each into four.
const MOST_HEAVY: usize = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(counts: &[u64]) -> Vec<Span> {
        let start = EARLIEST;
        (0..)
            .zip(counts)
            .map(|(number, count)| Span {
                start: start.plus_seconds(number * 100),
                end: start.plus_seconds((number + 1) * 100),
                count: *count,
            })
            .collect()
    }

    #[test]
    fn parts_are_divided_between_spans() {
        let cases: [(&[u64], usize, &[i128]); 6] = [
            (&[10, 10, 10, 10], 2, &[200]),
            (&[10, 10, 10, 10], 4, &[100, 200, 300]),
            (&[40, 0, 0, 40], 2, &[100]),
            (&[0, 0, 5, 0], 4, &[]),
            (&[0, 0, 0], 3, &[]),
            (&[100, 1, 1, 1], 4, &[100]),
        ];
        for (counts, parts, expected) in cases {
            let start = EARLIEST;
            let bounds = bounds(&spans(counts), parts);
            let seconds: Vec<i128> = bounds
                .iter()
                .map(|bound| start.seconds_to(*bound))
                .collect();
            assert_eq!(seconds, expected, "{counts:?} in {parts}");
        }
    }

    #[test]
    fn the_heaviest_spans_hold_more_than_half_of_a_part_and_can_be_divided() {
        let mut spans_of_four = spans(&[25, 26, 30, 19]);
        assert_eq!(heaviest(&spans_of_four, 2), [2, 1]);
        spans_of_four[2].end = spans_of_four[2].start.plus_seconds(1);
        assert_eq!(heaviest(&spans_of_four, 2), [1]);
        assert_eq!(heaviest(&spans(&[10; 10]), 10).len(), MOST_HEAVY);
    }

    #[test]
    fn the_end_of_a_part_belongs_to_the_next_one() {
        let within = List::<User>::within(EARLIEST, EARLIEST.plus_seconds(1));
        assert_eq!(
            within.to_string(),
            "createdDateTime ge 2000-01-01T00:00:00Z and createdDateTime le 2000-01-01T00:00:00.9999999Z"
        );
    }

    proptest! {
        #[test]
        fn no_part_is_larger_than_its_share_and_one_span(
            counts in prop::collection::vec(0_u64..1_000, 1..60),
            parts in 1_usize..12,
        ) {
            let spans = spans(&counts);
            let bounds = bounds(&spans, parts);
            prop_assert!(bounds.len() < parts);
            prop_assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
            let total: u64 = counts.iter().sum();
            let most = counts.iter().max().copied().unwrap_or_default();
            let mut starts = vec![spans[0].start];
            starts.extend(&bounds);
            for (number, start) in starts.iter().enumerate() {
                let end = starts.get(number + 1).copied().unwrap_or(spans[spans.len() - 1].end);
                let count: u64 = spans
                    .iter()
                    .filter(|span| span.start >= *start && span.start < end)
                    .map(|span| span.count)
                    .sum();
                prop_assert!(count <= total / parts as u64 + most + 1, "{count} of {total}");
            }
        }

        #[test]
        fn pieces_cover_a_span_without_overlap(seconds in 1_i128..10_000, pieces in 1_usize..30) {
            let start = EARLIEST;
            let end = start.plus_seconds(seconds);
            let mut next = start;
            for piece in (Span { start, end, count: 0 }).pieces(pieces) {
                prop_assert_eq!(piece.start, next);
                next = piece.end;
            }
            prop_assert_eq!(next, end);
        }
    }
}
