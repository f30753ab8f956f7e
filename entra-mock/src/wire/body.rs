//! The body of a response, in pieces that responses share.

use std::{borrow::Cow, fmt, ops::Deref, sync::OnceLock};

use bytes::Bytes;

/// The bytes of a response. Everything reads it as one slice; a frontend sends the pieces without copying them.
#[derive(Clone, Default)]
pub(crate) struct Body {
    first: Bytes,
    /// None of them is empty.
    more: Vec<Bytes>,
    /// All pieces in one, once something has read all of them.
    joined: OnceLock<Bytes>,
    properties: Option<usize>,
}

impl Body {
    pub(crate) fn of_pieces(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let mut pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
        Self {
            first: pieces.next().unwrap_or_default(),
            more: pieces.collect(),
            joined: OnceLock::new(),
            properties: None,
        }
    }

    /// Says how many properties the object has, or the first object of a list.
    pub(crate) fn with_properties(mut self, properties: Option<usize>) -> Self {
        self.properties = properties;
        self
    }

    /// How many properties the object has, or the first object of a list, if what wrote the body has said it.
    pub(crate) fn properties(&self) -> Option<usize> {
        self.properties
    }

    /// The length, which is known without reading the body.
    pub(crate) fn length(&self) -> usize {
        self.first.len() + self.more.iter().map(Bytes::len).sum::<usize>()
    }

    /// Returns the start of the body: at least this many bytes, or all of it.
    pub(crate) fn start(&self, length: usize) -> Cow<'_, [u8]> {
        if self.more.is_empty() || self.first.len() >= length {
            return Cow::Borrowed(&self.first);
        }
        let mut start = Vec::with_capacity(length);
        for piece in std::iter::once(&self.first).chain(&self.more) {
            let missing = length - start.len();
            start.extend_from_slice(&piece[..piece.len().min(missing)]);
        }
        Cow::Owned(start)
    }

    /// Returns the first piece and the others.
    #[cfg(any(test, feature = "_frontend"))]
    pub(crate) fn into_pieces(self) -> (Bytes, std::vec::IntoIter<Bytes>) {
        (self.first, self.more.into_iter())
    }

    /// Returns the body as one piece.
    #[cfg(any(test, feature = "_frontend"))]
    pub(crate) fn into_whole(self) -> Bytes {
        self.whole().clone()
    }

    fn whole(&self) -> &Bytes {
        if self.more.is_empty() {
            return &self.first;
        }
        self.joined.get_or_init(|| {
            let mut whole = Vec::with_capacity(self.length());
            for piece in std::iter::once(&self.first).chain(&self.more) {
                whole.extend_from_slice(piece);
            }
            whole.into()
        })
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.whole()
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::of_pieces([bytes.into()])
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It can hold tokens and secrets.
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(texts: &[&'static str]) -> Body {
        Body::of_pieces(texts.iter().map(|text| Bytes::from_static(text.as_bytes())))
    }

    #[test]
    fn pieces_read_as_one_slice() {
        let body = pieces(&["", "ab", "", "cde", "f"]);
        assert_eq!(&*body, b"abcdef");
        assert_eq!(body, Body::from("abcdef"));
        assert_eq!(body.length(), 6);
        assert_eq!(pieces(&[]), Body::default());
        let (first, more) = body.clone().into_pieces();
        assert_eq!((&*first, more.len()), (&b"ab"[..], 2));
        assert_eq!(&*body.into_whole(), b"abcdef");
    }

    #[test]
    fn the_start_is_as_long_as_it_must_be() {
        let body = pieces(&["abc", "de", "f"]);
        for (length, expected) in [
            (0, "abc"),
            (3, "abc"),
            (4, "abcd"),
            (6, "abcdef"),
            (9, "abcdef"),
        ] {
            assert_eq!(&*body.start(length), expected.as_bytes(), "{length}");
        }
    }

    #[test]
    fn the_debug_form_shows_no_byte() {
        assert!(!format!("{:?}", pieces(&["canary"])).contains("canary"));
    }
}
