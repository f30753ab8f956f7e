//! The pages of a round, to notice one that does not end.

use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use super::machine::{Content, FeedPage, Link};

/// The pages of a round, to notice one that does not end.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    round: u64,
    last: Option<String>,
    links: HashSet<u64>,
    /// How many pages without rows came one after the other.
    empty: u32,
    contents: HashMap<u64, u32>,
}

impl Pages {
    /// Whether a page shows that the round does not end: it leads to itself or to an earlier page, the same rows come
    /// again and again, or no rows at all.
    pub(super) fn is_endless(&mut self, round: u64, link: Option<&str>, page: &FeedPage) -> bool {
        if self.round != round {
            *self = Self {
                round,
                ..Self::default()
            };
        }
        let Link::Next(next) = &page.link else {
            return false;
        };
        // A step that was not committed reads its page again.
        if self.last.as_deref() == link && link.is_some() {
            return Some(next.as_str()) == link;
        }
        self.last = link.map(str::to_owned);
        if let Some(link) = link
            && !self.links.insert(hash(&link))
        {
            return true;
        }
        if page.rows.is_empty() {
            self.empty += 1;
            return self.empty > MOST_EMPTY_PAGES || Some(next.as_str()) == link;
        }
        self.empty = 0;
        let mut content = DefaultHasher::new();
        for row in &page.rows {
            row.id.hash(&mut content);
            if let Content::Present(present) = &row.content {
                present.digest.hash(&mut content);
                for link in &present.links {
                    (&link.id, link.removed).hash(&mut content);
                }
            }
        }
        let times = self.contents.entry(content.finish()).or_default();
        *times += 1;
        *times > MOST_EQUAL_PAGES || Some(next.as_str()) == link
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Graph sends some pages without rows, and a round of nothing else does not advance.
const MOST_EMPTY_PAGES: u32 = 1_000;
/// How often the same rows may come as a page of a round: Graph repeats items, but not for ever.
const MOST_EQUAL_PAGES: u32 = 3;
