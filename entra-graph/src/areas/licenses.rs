//! The body that assigns licences, to users and to groups.

use entra_core::{Guid, IntoId, bytes::Bytes};

use crate::{error::Error, model::Body, objects::types::AssignedLicense};

/// What a call that only assigns removes, and one that only removes assigns.
pub(super) const NO_LICENSES: [AssignedLicense; 0] = [];
pub(super) const NO_SKUS: [Guid; 0] = [];

pub(super) fn body<L, S>(
    add: impl IntoIterator<Item = L>,
    remove: impl IntoIterator<Item = S>,
) -> Result<Bytes, Error>
where
    L: Into<AssignedLicense>,
    S: IntoId<Guid>,
{
    let add: Vec<AssignedLicense> = add.into_iter().map(Into::into).collect();
    for license in &add {
        id_of(license.sku_id.as_deref().unwrap_or_default())?;
        for plan in license.disabled_plans.iter().flatten() {
            plan.as_str()
                .into_id()
                .map_err(Error::from)
                .map(|_: Guid| ())?;
        }
    }
    let remove = remove.into_iter().map(id_of);
    let remove = remove.collect::<Result<Vec<Guid>, Error>>()?;
    let mut body = Body::default();
    body.set::<Vec<AssignedLicense>>("addLicenses", &add);
    body.set::<Vec<Guid>>("removeLicenses", &remove);
    Ok(body.into_bytes())
}

fn id_of(sku: impl IntoId<Guid>) -> Result<Guid, Error> {
    sku.into_id().map_err(|error| {
        Error::query(format!(
            "{error}; a licence is assigned by the `sku_id` of a `SubscribedSku`, not by its name"
        ))
    })
}
