//! The body that assigns licences, to users and to groups.

use entra_core::{Guid, bytes::Bytes};

use crate::{model::Body, objects::types::AssignedLicense};

pub(super) fn body(add: &[AssignedLicense], remove: &[Guid]) -> Bytes {
    let mut body = Body::default();
    body.set::<Vec<AssignedLicense>>("addLicenses", add);
    body.set::<Vec<Guid>>("removeLicenses", remove);
    body.into_bytes()
}
