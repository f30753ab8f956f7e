//! What can be done to a group beside changing properties.

use super::{
    ASSIGN_LICENSE, DELETE_PHOTO, GET_PHOTO, GET_PHOTO_METADATA, GET_PHOTO_OF_SIZE, LIST_PHOTOS,
    OneGroup, RENEW, SET_PHOTO, VALIDATE_PROPERTIES,
};
use crate::{
    areas::{directory_objects::GroupNames, licenses::LicensePlace, photos::PhotoPlace},
    model::Body,
    operation::Operation,
    place::Object,
    request::{Request, read_nothing},
};

impl LicensePlace for OneGroup {
    const ASSIGN_LICENSE: &'static Operation = &ASSIGN_LICENSE;
}

impl PhotoPlace for OneGroup {
    const GET_PHOTO: &'static Operation = &GET_PHOTO;
    const GET_PHOTO_METADATA: &'static Operation = &GET_PHOTO_METADATA;
    const LIST_PHOTOS: &'static Operation = &LIST_PHOTOS;
    const GET_PHOTO_OF_SIZE: &'static Operation = &GET_PHOTO_OF_SIZE;
    const SET_PHOTO: &'static Operation = &SET_PHOTO;
    const DELETE_PHOTO: &'static Operation = &DELETE_PHOTO;
}

impl Object<OneGroup> {
    /// A request that moves the group's expiration by the lifetime that the tenant's policy sets:
    /// [`POST /groups/{id}/renew`](https://learn.microsoft.com/graph/api/group-renew).
    ///
    /// Needs `Group.ReadWrite.All`.
    #[inline]
    pub fn renew(&self) -> Request<()> {
        let call = self.call(&["renew"], &RENEW);
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that checks whether this Microsoft 365 group could have these names instead of its own:
    /// [`POST /groups/{id}/validateProperties`](https://learn.microsoft.com/graph/api/group-validateproperties).
    /// If it could not, Graph returns an error with [`Error::details`](crate::Error::details).
    ///
    /// Needs `Group.Read.All`.
    #[inline]
    pub fn validate_names(&self, names: GroupNames) -> Request<()> {
        let target = self.target().clone().join(&["validateProperties"]);
        names.request(&target, &VALIDATE_PROPERTIES, Body::default())
    }
}
