//! The JSON of objects that lists have shown.
//!
//! It is found by the version of an object, which names its content, so no write has to invalidate it. JSON stays in
//! the buffer of the page that it was rendered for: objects that follow one another in a list do so there, and a later
//! page takes them as one piece.

use std::{
    collections::VecDeque,
    fmt,
    num::NonZeroU64,
    ops::Range,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use bytes::Bytes;
use hashbrown::HashMap;

/// The rendered objects of a tenant.
#[derive(Default)]
pub(crate) struct RenderedObjects(RwLock<Pages>);

/// The rendered objects while they are read.
pub(crate) struct RenderedGuard<'a>(RwLockReadGuard<'a, Pages>);

/// Finds the objects of one projection.
pub(crate) struct RenderedReader<'a> {
    pages: &'a Pages,
    projection: u64,
    /// The page of the object that was found last, and the objects that follow there.
    page: u64,
    following: &'a [RenderedObject],
}

/// Where the JSON of an object is.
#[derive(Clone, Debug)]
pub(crate) struct RenderedJson {
    pub(crate) buffer: u64,
    pub(crate) range: Range<usize>,
}

/// Newly rendered objects in one buffer.
#[derive(Debug)]
pub(crate) struct NewlyRendered {
    pub(crate) buffer: Bytes,
    pub(crate) objects: Vec<RenderedObject>,
}

/// An object in a buffer.
#[derive(Debug)]
pub(crate) struct RenderedObject {
    pub(crate) projection: u64,
    pub(crate) version: NonZeroU64,
    pub(crate) range: Range<usize>,
}

#[derive(Default)]
struct Pages {
    /// From the oldest to the newest.
    pages: VecDeque<NewlyRendered>,
    /// The number of the oldest page.
    oldest: u64,
    /// Page and place of each object, by projection and version.
    places: HashMap<(u64, NonZeroU64), (u64, usize)>,
    bytes: usize,
}

impl RenderedObjects {
    pub(crate) fn read(&self) -> RenderedGuard<'_> {
        // A panic while the lock was held leaves at worst JSON that nothing finds.
        RenderedGuard(self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds newly rendered objects, and removes the oldest pages while there are too many.
    pub(crate) fn add(&self, rendered: Vec<NewlyRendered>) {
        if rendered.is_empty() {
            return;
        }
        let mut pages = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for page in rendered {
            pages.add(page);
        }
        pages.shrink(MAX_BYTES);
    }
}

impl RenderedGuard<'_> {
    pub(crate) fn reader(&self, projection: u64) -> RenderedReader<'_> {
        RenderedReader {
            pages: &self.0,
            projection,
            page: 0,
            following: &[],
        }
    }

    /// Returns a buffer.
    pub(crate) fn buffer(&self, number: u64) -> Option<&Bytes> {
        self.0.page(number).map(|page| &page.buffer)
    }
}

impl RenderedReader<'_> {
    /// Returns the JSON of the object with this version, if it is there.
    pub(crate) fn find(&mut self, version: NonZeroU64) -> Option<RenderedJson> {
        let is_it = |object: &RenderedObject| {
            object.version == version && object.projection == self.projection
        };
        if !self.following.first().is_some_and(is_it) {
            let (page, at) = *self.pages.places.get(&(self.projection, version))?;
            self.following = self.pages.page(page)?.objects.get(at..)?;
            self.page = page;
        }
        let (object, following) = self.following.split_first()?;
        self.following = following;
        Some(RenderedJson {
            buffer: self.page,
            range: object.range.clone(),
        })
    }
}

impl RenderedReader<'_> {
    /// Returns the JSON of all objects with these versions, if they are in one buffer in this order with nothing but
    /// commas between them.
    pub(crate) fn find_row(
        &mut self,
        mut versions: impl Iterator<Item = Option<NonZeroU64>>,
    ) -> Option<RenderedJson> {
        let mut row = self.find(versions.next()??)?;
        for version in versions {
            let (next, following) = self.following.split_first()?;
            let is_next = Some(next.version) == version
                && next.projection == self.projection
                && next.range.start == row.range.end + 1;
            if !is_next {
                return None;
            }
            row.range.end = next.range.end;
            self.following = following;
        }
        Some(row)
    }
}

impl Pages {
    fn page(&self, number: u64) -> Option<&NewlyRendered> {
        let at = usize::try_from(number.checked_sub(self.oldest)?).ok()?;
        self.pages.get(at)
    }

    fn add(&mut self, mut page: NewlyRendered) {
        page.objects.shrink_to_fit();
        let number = self.oldest + self.pages.len() as u64;
        for (at, object) in page.objects.iter().enumerate() {
            // Another request can have rendered it at the same time. The newest page is removed last.
            let key = (object.projection, object.version);
            self.places.insert(key, (number, at));
        }
        self.bytes += size(&page);
        self.pages.push_back(page);
    }

    /// Removes the oldest pages until they use at most this many bytes.
    fn shrink(&mut self, most: usize) {
        while self.bytes > most
            && let Some(page) = self.pages.pop_front()
        {
            for object in &page.objects {
                let key = (object.projection, object.version);
                if self
                    .places
                    .get(&key)
                    .is_some_and(|place| place.0 == self.oldest)
                {
                    self.places.remove(&key);
                }
            }
            self.oldest += 1;
            self.bytes -= size(&page);
        }
    }
}

/// The bytes of a page, with the places of its objects.
fn size(page: &NewlyRendered) -> usize {
    PAGE_OVERHEAD + page.buffer.len() + page.objects.len() * OBJECT_OVERHEAD
}

impl fmt::Debug for RenderedObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It follows from the objects.
        f.debug_struct("RenderedObjects").finish_non_exhaustive()
    }
}

/// The bytes of a page beside its buffer and its objects.
const PAGE_OVERHEAD: usize = 256;
/// The bytes of an object beside its JSON, and of its place: a map is up to half empty.
const OBJECT_OVERHEAD: usize = size_of::<RenderedObject>() + 2 * 33;
/// The JSON of about 20,000 users.
const MAX_BYTES: usize = 10 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(number: u64) -> NonZeroU64 {
        NonZeroU64::new(number).unwrap()
    }

    /// A page that shows these versions; the JSON of each is its number.
    fn page(projection: u64, versions: &[u64]) -> NewlyRendered {
        let mut buffer = Vec::new();
        let mut objects = Vec::new();
        for number in versions {
            let start = buffer.len();
            buffer.extend_from_slice(format!("{projection}:{number}").as_bytes());
            objects.push(RenderedObject {
                projection,
                version: version(*number),
                range: start..buffer.len(),
            });
            buffer.push(b',');
        }
        NewlyRendered {
            buffer: buffer.into(),
            objects,
        }
    }

    fn find(
        guard: &RenderedGuard<'_>,
        reader: &mut RenderedReader<'_>,
        number: u64,
    ) -> Option<String> {
        let found = reader.find(version(number))?;
        let json = guard.buffer(found.buffer).unwrap()[found.range].to_vec();
        Some(String::from_utf8(json).unwrap())
    }

    #[test]
    fn the_json_of_each_projection_is_found_by_version() {
        let rendered = RenderedObjects::default();
        rendered.add(vec![page(1, &[63, 64, 65, 700])]);
        rendered.add(vec![page(2, &[64]), page(1, &[66, 65, 62])]);
        let guard = rendered.read();
        let mut first = guard.reader(1);
        for number in [700, 62, 63, 64, 65, 66, 63] {
            let expected = Some(format!("1:{number}"));
            assert_eq!(find(&guard, &mut first, number), expected);
        }
        assert_eq!(find(&guard, &mut first, 67), None);
        assert_eq!(find(&guard, &mut first, 6_400), None);
        let mut second = guard.reader(2);
        assert_eq!(find(&guard, &mut second, 63), None);
        assert_eq!(find(&guard, &mut second, 64).as_deref(), Some("2:64"));
    }

    #[test]
    fn neighbours_of_one_page_are_neighbours_in_memory() {
        let rendered = RenderedObjects::default();
        rendered.add(vec![page(1, &[1, 2, 3])]);
        let guard = rendered.read();
        let mut reader = guard.reader(1);
        let found: Vec<_> = [1, 2, 3]
            .iter()
            .map(|number| reader.find(version(*number)).unwrap())
            .collect();
        for pair in found.windows(2) {
            assert_eq!(pair[0].buffer, pair[1].buffer);
            assert_eq!(pair[0].range.end + 1, pair[1].range.start);
        }
    }

    proptest! {
        #[test]
        fn the_memory_is_bounded_and_counted(
            pages in prop::collection::vec((1_u64..4, prop::collection::vec(1_u64..2_000, 1..40)), 1..40),
            most in 0_usize..20_000,
        ) {
            let mut all = Pages::default();
            for (projection, versions) in &pages {
                all.add(page(*projection, versions));
                all.shrink(most);
                prop_assert!(all.bytes <= most);
                prop_assert_eq!(all.bytes, all.pages.iter().map(size).sum::<usize>());
                for ((projection, version), (number, at)) in &all.places {
                    let object = &all.page(*number).unwrap().objects[*at];
                    prop_assert_eq!((object.projection, object.version), (*projection, *version));
                }
                for object in all.pages.iter().flat_map(|page| &page.objects) {
                    prop_assert!(all.places.contains_key(&(object.projection, object.version)));
                }
            }
        }
    }
}
