//! Profile photos, stored beside their objects.

use std::sync::Arc;

use super::Store;

/// The bytes of an image with its metadata.
#[derive(Clone, Debug)]
pub(crate) struct Photo {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) content_type: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The entity tag, in quotes.
    pub(crate) tag: String,
}

impl Photo {
    /// The content type of a stored photo.
    #[cfg(feature = "server")]
    pub(super) fn known_type(name: &str) -> Option<&'static str> {
        ["image/jpeg", "image/png"]
            .into_iter()
            .find(|known| *known == name)
    }
}

impl Store {
    /// The photo of an object.
    pub(crate) fn photo(&self, id: &str) -> Option<&Photo> {
        self.photos.get(id)
    }

    /// Sets or removes the photo of an object.
    pub(crate) fn set_photo(&mut self, id: &str, photo: Option<Photo>) {
        self.touched.photo(id);
        match photo {
            Some(photo) => self.photos.insert(id.into(), photo),
            None => self.photos.remove(id),
        };
    }
}
