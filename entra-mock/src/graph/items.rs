//! Writes the items of a list. JSON that a list has shown before is not rendered again, and a long row of it is not
//! even copied. A whole page that was shown before is one piece of memory.

use std::{num::NonZeroU64, ops::Range};

use bytes::Bytes;

use crate::{
    store::{NewlyRendered, RenderedGuard, RenderedJson, RenderedObject},
    wire::Body,
};

/// The body of a list while it is written.
pub(super) struct ItemWriter<'a> {
    rendered: &'a RenderedGuard<'a>,
    pieces: Vec<Bytes>,
    /// What follows the last piece.
    open: Vec<u8>,
    /// The objects that were rendered into `open`.
    new: Vec<RenderedObject>,
    added: Vec<NewlyRendered>,
    /// Known JSON that follows `open` and is not written yet.
    run: Option<RenderedJson>,
    is_first: bool,
}

impl<'a> ItemWriter<'a> {
    /// Starts with what comes before the first item.
    pub(super) fn new(rendered: &'a RenderedGuard<'a>, head: Vec<u8>) -> Self {
        Self {
            rendered,
            pieces: Vec::new(),
            open: head,
            new: Vec::new(),
            added: Vec::new(),
            run: None,
            is_first: true,
        }
    }

    /// Adds an item whose JSON is known.
    pub(super) fn add_known(&mut self, json: RenderedJson) {
        if let Some(run) = &mut self.run
            && run.buffer == json.buffer
            && run.range.end + 1 == json.range.start
        {
            // Between two neighbours of one buffer is one byte: their comma.
            run.range.end = json.range.end;
            return;
        }
        self.end_run(b"");
        self.separate();
        self.run = Some(json);
    }

    /// Adds an item that a function writes. `identity` is its projection and version, if its JSON can be used again.
    pub(super) fn add_new(
        &mut self,
        identity: Option<(u64, NonZeroU64)>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.end_run(b"");
        self.separate();
        let start = self.open.len();
        write(&mut self.open);
        if let Some((projection, version)) = identity {
            self.new.push(RenderedObject {
                projection,
                version,
                range: start..self.open.len(),
            });
        }
    }

    /// Ends with what comes after the last item. Returns the body and what was rendered.
    pub(super) fn finish(mut self, tail: &[u8]) -> (Body, Vec<NewlyRendered>) {
        self.end_run(tail);
        self.end_piece();
        (Body::of_pieces(self.pieces), self.added)
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.open.push(b',');
        }
    }

    /// Writes the known JSON that is not written yet, and then `next`.
    fn end_run(&mut self, next: &[u8]) {
        let rendered = self.rendered;
        if let Some(RenderedJson { buffer, range }) = self.run.take()
            && let Some(buffer) = rendered.buffer(buffer)
        {
            if range.len() >= COPIED {
                return self.add_piece(buffer, range, next);
            }
            self.open.extend_from_slice(&buffer[range]);
        }
        self.open.extend_from_slice(next);
    }

    /// Adds a part of a buffer without copying it, and then `next`. If what comes before or after it here is around it
    /// there too, that is in the same piece.
    fn add_piece(&mut self, buffer: &Bytes, mut range: Range<usize>, next: &[u8]) {
        if self.new.is_empty() && buffer[..range.start].ends_with(&self.open) {
            range.start -= self.open.len();
            self.open.clear();
        }
        self.end_piece();
        if buffer[range.end..].starts_with(next) {
            range.end += next.len();
        } else {
            self.open.extend_from_slice(next);
        }
        self.pieces.push(buffer.slice(range));
    }

    fn end_piece(&mut self) {
        let mut open = std::mem::take(&mut self.open);
        if open.is_empty() {
            return;
        }
        let new = std::mem::take(&mut self.new);
        let used: usize = new.iter().map(|object| object.range.len()).sum();
        let is_kept = 2 * used > open.len();
        if is_kept {
            // It stays in memory.
            open.shrink_to_fit();
        } else if used > 0 {
            // Most of it is copies of known JSON, which would stay in memory with the little that is new.
            self.added.push(apart(&open, new.iter()));
        }
        let piece = Bytes::from(open);
        if is_kept {
            self.added.push(NewlyRendered {
                buffer: piece.clone(),
                objects: new,
            });
        }
        self.pieces.push(piece);
    }
}

/// Copies these objects out of a buffer. Between neighbours stays one comma.
fn apart<'a>(buffer: &[u8], objects: impl Iterator<Item = &'a RenderedObject>) -> NewlyRendered {
    let mut json = Vec::new();
    let objects = objects.map(|object| {
        if !json.is_empty() {
            json.push(b',');
        }
        let start = json.len();
        json.extend_from_slice(&buffer[object.range.clone()]);
        RenderedObject {
            range: start..json.len(),
            ..*object
        }
    });
    let objects = objects.collect();
    json.shrink_to_fit();
    NewlyRendered {
        buffer: json.into(),
        objects,
    }
}

/// Shorter JSON is copied: a piece of its own would cost more.
const COPIED: usize = 4_096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::RenderedObjects;

    fn json(version: u64, length: usize) -> Vec<u8> {
        format!("{{\"{version}\":\"{}\"}}", "x".repeat(length)).into_bytes()
    }

    /// Writes the items with these versions, as a list does.
    fn write(rendered: &RenderedObjects, versions: &[(u64, bool)], length: usize) -> Body {
        let guard = rendered.read();
        let mut reader = guard.reader(7);
        let mut items = ItemWriter::new(&guard, b"[".to_vec());
        for (version, reusable) in versions {
            let key = NonZeroU64::new(*version).unwrap();
            match reader.find(key).filter(|_| *reusable) {
                Some(json) => items.add_known(json),
                None => items.add_new(reusable.then_some((7, key)), |out| {
                    out.extend_from_slice(&json(*version, length));
                }),
            }
        }
        let (body, new) = items.finish(b"]");
        drop(guard);
        rendered.add(new);
        body
    }

    #[test]
    fn a_page_that_was_shown_is_one_piece_and_so_is_a_part_of_it() {
        let rendered = RenderedObjects::default();
        let versions: Vec<_> = (1..200).map(|version| (version, true)).collect();
        let first = write(&rendered, &versions, 100);
        let second = write(&rendered, &versions, 100);
        assert_eq!(first, second);
        assert_eq!(second.into_pieces().1.len(), 0);
        let part = write(&rendered, &versions[50..150], 100);
        assert_eq!(part.into_pieces().1.len(), 2);
    }

    proptest! {
        #[test]
        fn a_list_is_the_same_whatever_was_shown_before(
            pages in prop::collection::vec(prop::collection::vec((1_u64..150, any::<bool>()), 0..80), 1..8),
            length in 0_usize..600,
        ) {
            let rendered = RenderedObjects::default();
            for page in &pages {
                let mut sorted = page.clone();
                sorted.sort_unstable();
                for page in [page, &sorted] {
                    let items: Vec<Vec<u8>> = page.iter().map(|(version, _)| json(*version, length)).collect();
                    let expected = [b"[".as_slice(), &items.join(&b','), b"]"].concat();
                    let body = write(&rendered, page, length);
                    prop_assert_eq!(&*body, expected.as_slice());
                }
            }
        }
    }
}
