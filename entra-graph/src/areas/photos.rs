//! Profile photos of users and Microsoft 365 groups.

use entra_core::bytes::Bytes;

use super::directory_objects::read_whole;
use crate::{
    error::Error,
    key::is_segment,
    objects::ProfilePhoto,
    operation::Operation,
    place::{Object, Single},
    request::{Request, as_bytes, read_bytes, read_entity, read_nothing, with_bytes},
};

/// A place whose object has a profile photo.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` has no photo",
    note = "users and Microsoft 365 groups have one: `graph.user(id).photo()`"
)]
pub trait PhotoPlace: Single {
    /// The operation that reads its bytes.
    const GET_PHOTO: &'static Operation;
    /// The operation that reads its size.
    const GET_PHOTO_METADATA: &'static Operation;
    /// The operation that lists its sizes.
    const LIST_PHOTOS: &'static Operation;
    /// The operation that reads the bytes of one size.
    const GET_PHOTO_OF_SIZE: &'static Operation;
    /// The operation that sets it.
    const SET_PHOTO: &'static Operation;
    /// The operation that removes it.
    const DELETE_PHOTO: &'static Operation;
}

impl<P: PhotoPlace> Object<P> {
    /// A request for the largest photo, as the bytes of an image:
    /// [`GET /users/{id}/photo/$value`, `GET /groups/{id}/photo/$value`](https://learn.microsoft.com/graph/api/profilephoto-get).
    ///
    /// Needs `ProfilePhoto.Read.All`. [`send_opt`](Request::send_opt) returns `None` if there is no photo.
    pub fn photo(&self) -> Request<Bytes> {
        let call = self.call(&["photo", "$value"], P::GET_PHOTO).map(as_bytes);
        Request::new(self.target().client.clone(), call, read_bytes)
    }

    /// A request for the size of the largest photo:
    /// [`GET /users/{id}/photo`, `GET /groups/{id}/photo`](https://learn.microsoft.com/graph/api/profilephoto-get).
    ///
    /// Its annotations `@odata.mediaContentType` and `@odata.mediaEtag` are [additional data](ProfilePhoto::additional): by the
    /// tag, a caller sees whether the photo has changed. Needs `ProfilePhoto.Read.All`. [`send_opt`](Request::send_opt) returns
    /// `None` if there is no photo.
    #[inline]
    pub fn photo_metadata(&self) -> Request<ProfilePhoto> {
        let call = self.call(&["photo"], P::GET_PHOTO_METADATA);
        Request::new(self.target().client.clone(), call, read_entity)
    }

    /// A request for the sizes that the photo can be read in:
    /// [`GET /users/{id}/photos`, `GET /groups/{id}/photos`](https://learn.microsoft.com/graph/api/group-list-photos).
    ///
    /// Needs `ProfilePhoto.Read.All`.
    #[inline]
    pub fn photos(&self) -> Request<Vec<ProfilePhoto>> {
        let call = self.call(&["photos"], P::LIST_PHOTOS);
        Request::new(self.target().client.clone(), call, read_whole)
    }

    /// A request for the photo in one of its [sizes](Self::photos), such as `48x48`:
    /// [`GET /users/{id}/photos/{size}/$value`, `GET /groups/{id}/photos/{size}/$value`](https://learn.microsoft.com/graph/api/profilephoto-get).
    ///
    /// Needs `ProfilePhoto.Read.All`. [`send_opt`](Request::send_opt) returns `None` without a photo in this size.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// let adele = graph.user("adele@contoso.com");
    /// let thumbnail = adele.photo_of_size("48x48").send_opt().await?;
    /// # Ok(()) }
    /// ```
    #[inline]
    pub fn photo_of_size(&self, size: &str) -> Request<Bytes> {
        let call = match is_segment(size) {
            true => self.call(&["photos", size, "$value"], P::GET_PHOTO_OF_SIZE),
            false => Err(Error::query(format!("{size:?} is not a size of a photo"))),
        };
        Request::new(self.target().client.clone(), call.map(as_bytes), read_bytes)
    }

    /// A request that sets the photo to these bytes of a JPEG image, at most 4 MB:
    /// [`PUT /users/{id}/photo/$value`, `PUT /groups/{id}/photo/$value`](https://learn.microsoft.com/graph/api/profilephoto-update).
    ///
    /// Needs `ProfilePhoto.ReadWrite.All`.
    pub fn set_photo(&self, jpeg: impl Into<Bytes>) -> Request<()> {
        let jpeg = jpeg.into();
        let call = self
            .call(&["photo", "$value"], P::SET_PHOTO)
            .map(|call| with_bytes(call, "image/jpeg", jpeg));
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that removes the photo:
    /// [`DELETE /users/{id}/photo/$value`, `DELETE /groups/{id}/photo/$value`](https://learn.microsoft.com/graph/api/profilephoto-delete).
    ///
    /// Needs `ProfilePhoto.ReadWrite.All`.
    #[inline]
    pub fn delete_photo(&self) -> Request<()> {
        let call = self.call(&["photo", "$value"], P::DELETE_PHOTO);
        Request::new(self.target().client.clone(), call, read_nothing)
    }
}
