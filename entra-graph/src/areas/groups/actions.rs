//! What can be done to a group beside changing properties.

use entra_core::{Guid, IntoId, bytes::Bytes};

use super::{ASSIGN_LICENSE, GET_PHOTO, OneGroup, RENEW, SET_PHOTO, VALIDATE_PROPERTIES};
use crate::{
    areas::{
        directory_objects::GroupNames,
        licenses::{self, NO_LICENSES, NO_SKUS},
    },
    model::Body,
    objects::{Group, types::AssignedLicense},
    place::Object,
    request::{Request, as_bytes, read_bytes, read_entity, read_nothing, with_bytes},
};

impl Object<OneGroup> {
    /// A request that assigns licences to the members, by SKU id; its response is the group, while the
    /// members follow in the background. This is
    /// [`POST /groups/{id}/assignLicense`](https://learn.microsoft.com/graph/api/group-assignlicense).
    ///
    /// Takes `LicenseAssignment.ReadWrite.All`.
    #[inline]
    pub fn assign_licenses<L: Into<AssignedLicense>>(
        &self,
        licenses: impl IntoIterator<Item = L>,
    ) -> Request<Group> {
        self.change_licenses(licenses, NO_SKUS)
    }

    /// A request that removes licences, by SKU id; see [`assign_licenses`](Self::assign_licenses).
    ///
    /// Takes `LicenseAssignment.ReadWrite.All`.
    #[inline]
    pub fn remove_licenses<S: IntoId<Guid>>(
        &self,
        skus: impl IntoIterator<Item = S>,
    ) -> Request<Group> {
        self.change_licenses(NO_LICENSES, skus)
    }

    /// A request that assigns and removes licences in one step, such as to replace one by another; see
    /// [`assign_licenses`](Self::assign_licenses).
    ///
    /// Takes `LicenseAssignment.ReadWrite.All`.
    #[inline]
    pub fn change_licenses<L, S>(
        &self,
        add: impl IntoIterator<Item = L>,
        remove: impl IntoIterator<Item = S>,
    ) -> Request<Group>
    where
        L: Into<AssignedLicense>,
        S: IntoId<Guid>,
    {
        let call = licenses::body(add, remove).and_then(|body| {
            let call = self.call(&["assignLicense"], &ASSIGN_LICENSE)?;
            Ok(call.with_json(body))
        });
        Request::new(self.target().client.clone(), call, read_entity)
    }

    /// A request that moves the group's expiration by the lifetime that the tenant's policy sets:
    /// [`POST /groups/{id}/renew`](https://learn.microsoft.com/graph/api/group-renew).
    ///
    /// Takes `Group.ReadWrite.All`.
    #[inline]
    pub fn renew(&self) -> Request<()> {
        let call = self.call(&["renew"], &RENEW);
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that checks whether this Microsoft 365 group could have these names instead of its own:
    /// [`POST /groups/{id}/validateProperties`](https://learn.microsoft.com/graph/api/group-validateproperties).
    /// If it could not, Graph returns an error with [`Error::details`](crate::Error::details).
    ///
    /// Takes `Group.Read.All`.
    #[inline]
    pub fn validate_names(&self, names: GroupNames) -> Request<()> {
        let target = self.target().clone().join(&["validateProperties"]);
        names.request(&target, &VALIDATE_PROPERTIES, Body::default())
    }

    /// A request for the largest photo of a Microsoft 365 group, as the bytes of an image:
    /// [`GET /groups/{id}/photo/$value`](https://learn.microsoft.com/graph/api/profilephoto-get).
    ///
    /// Takes `ProfilePhoto.Read.All`. [`send_opt`](Request::send_opt) returns `None` if there is no photo.
    #[inline]
    pub fn photo(&self) -> Request<Bytes> {
        let call = self.call(&["photo", "$value"], &GET_PHOTO).map(as_bytes);
        Request::new(self.target().client.clone(), call, read_bytes)
    }

    /// A request that sets the photo to these bytes of a JPEG image, at most 4 MB:
    /// [`PUT /groups/{id}/photo/$value`](https://learn.microsoft.com/graph/api/profilephoto-update).
    ///
    /// Takes `ProfilePhoto.ReadWrite.All`.
    #[inline]
    pub fn set_photo(&self, jpeg: impl Into<Bytes>) -> Request<()> {
        let jpeg = jpeg.into();
        let call = self
            .call(&["photo", "$value"], &SET_PHOTO)
            .map(|call| with_bytes(call, "image/jpeg", jpeg));
        Request::new(self.target().client.clone(), call, read_nothing)
    }
}
