//! Which requests go together into one request of `$batch`.

use std::collections::{BTreeMap, HashMap};

/// How many requests Graph takes in one.
pub(super) const MOST: usize = 20;

/// Splits requests that can be sent now, by index, into requests of `$batch`.
///
/// `after` names for each the others of this round that it depends on, all of them smaller. Requests that
/// depend on each other stay together, since Graph preserves their order within one request only. Where they are more
/// than 20, the first 20 go now; none of these depends on one that stays behind.
#[inline]
pub(super) fn chunks(ready: &[usize], after: impl Fn(usize) -> Vec<usize>) -> Vec<Vec<usize>> {
    let place: HashMap<usize, usize> = ready.iter().copied().zip(0..).collect();
    // Each place leads to an earlier one of its group, the first of a group to itself.
    let mut earlier: Vec<usize> = (0..ready.len()).collect();
    for (at, &item) in ready.iter().enumerate() {
        for other in after(item) {
            if let Some(&other) = place.get(&other) {
                let (one, other) = (first(&mut earlier, at), first(&mut earlier, other));
                earlier[one.max(other)] = one.min(other);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, &item) in ready.iter().enumerate() {
        let group = first(&mut earlier, at);
        groups.entry(group).or_default().push(item);
    }
    let (single, mut linked): (Vec<_>, Vec<_>) =
        groups.into_values().partition(|group| group.len() == 1);
    for group in &mut linked {
        group.truncate(MOST);
    }
    let mut chunks = pack(linked);
    let single: Vec<usize> = single.into_iter().flatten().collect();
    chunks.extend(single.chunks(MOST).map(<[usize]>::to_vec));
    chunks
}

/// The first place of a group. The way to it gets shorter, so that any number of places costs little.
#[inline]
fn first(earlier: &mut [usize], mut at: usize) -> usize {
    while earlier[at] != at {
        earlier[at] = earlier[earlier[at]];
        at = earlier[at];
    }
    at
}

/// Puts groups into the first chunk with room for the whole group.
#[inline]
fn pack(groups: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let mut chunks: Vec<Vec<usize>> = Vec::new();
    for group in groups {
        match chunks
            .iter_mut()
            .find(|chunk| chunk.len() + group.len() <= MOST)
        {
            Some(chunk) => chunk.extend(group),
            None => chunks.push(group),
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(count: usize, after: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let ready: Vec<usize> = (0..count).collect();
        chunks(&ready, |item| after[item].clone())
    }

    #[test]
    fn pairs_fill_chunks_of_twenty_and_none_is_torn() {
        let after: Vec<Vec<usize>> = (0..22)
            .map(|item| {
                if item % 2 == 1 {
                    vec![item - 1]
                } else {
                    Vec::new()
                }
            })
            .collect();
        let sizes: Vec<usize> = plan(22, &after).iter().map(Vec::len).collect();
        assert_eq!(sizes, [20, 2]);
    }

    #[test]
    fn independent_requests_fill_chunks_of_twenty() {
        let sizes = |count| {
            let chunks = plan(count, &vec![Vec::new(); count]);
            chunks.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert!(sizes(0).is_empty());
        assert_eq!(sizes(20), [20]);
        assert_eq!(sizes(21), [20, 1]);
        assert_eq!(sizes(45), [20, 20, 5]);
    }

    #[test]
    fn of_a_long_chain_the_first_twenty_go_first() {
        let after: Vec<Vec<usize>> = (0_usize..25)
            .map(|item| item.checked_sub(1).into_iter().collect())
            .collect();
        assert_eq!(plan(25, &after), [(0..20).collect::<Vec<_>>()]);
    }

    proptest! {
        #[test]
        fn no_chunk_is_too_large_and_none_lacks_what_it_depends_on(
            seeds in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 0..80),
        ) {
            let after: Vec<Vec<usize>> = seeds
                .iter()
                .enumerate()
                .map(|(item, picks)| if item == 0 { Vec::new() } else { picks.iter().map(|pick| pick.index(item)).collect() })
                .collect();
            let chunks = plan(seeds.len(), &after);
            let mut seen = std::collections::HashSet::new();
            for chunk in &chunks {
                prop_assert!(chunk.len() <= MOST && !chunk.is_empty());
                for item in chunk {
                    prop_assert!(seen.insert(*item), "sent twice");
                    for needed in &after[*item] {
                        prop_assert!(chunk.contains(needed), "{needed} is not with {item}");
                    }
                }
            }
            prop_assert!(seeds.is_empty() || !chunks.is_empty());
        }
    }
}
