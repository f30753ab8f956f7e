//! Profile photos of users and Microsoft 365 groups.

use entra_core::bytes::Bytes;

use crate::{
    operation::Operation,
    place::{Object, Single},
    request::{Request, as_bytes, read_bytes, read_nothing, with_bytes},
};

/// A place whose object has a profile photo.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` has no photo",
    note = "users and Microsoft 365 groups have one: `graph.user(id).photo()`"
)]
pub trait PhotoPlace: Single {
    /// The operation that reads its bytes.
    const GET_PHOTO: &'static Operation;
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
