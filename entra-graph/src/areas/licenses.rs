//! Licences that users have, and that groups give to their members: `assignLicense`.

use entra_core::{Guid, Idempotency, IntoId, bytes::Bytes};

use crate::{
    error::Error,
    model::Body,
    objects::types::AssignedLicense,
    operation::Operation,
    place::{Object, Single},
    request::{Request, read_entity},
};

/// A place whose object can be assigned licences.
#[diagnostic::on_unimplemented(
    message = "the object at `{Self}` has no licences",
    note = "users and groups have them: `graph.user(id).assign_licenses(..)`"
)]
pub trait LicensePlace: Single {
    /// The operation that assigns and removes them.
    const ASSIGN_LICENSE: &'static Operation;
}

impl<P: LicensePlace> Object<P> {
    /// A request that assigns licences, by SKU id; its response is the user or the group:
    /// [`POST /users/{id}/assignLicense`](https://learn.microsoft.com/graph/api/user-assignlicense),
    /// [`POST /groups/{id}/assignLicense`](https://learn.microsoft.com/graph/api/group-assignlicense).
    ///
    /// Needs `LicenseAssignment.ReadWrite.All`. A user needs a usage location
    /// ([`User::USAGE_LOCATION`](crate::User::USAGE_LOCATION)). The members of a group get the licences of
    /// the group some time after the response.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_graph::{User, types::AssignedLicense};
    /// let skus = graph.subscribed_skus().list().items().try_collect::<Vec<_>>().await?;
    /// let sku = skus.iter().find(|sku| sku.sku_part_number.as_deref() == Some("AAD_PREMIUM_P2"));
    /// let p2 = sku.and_then(|sku| sku.sku_id.as_deref()).ok_or("the tenant has no such licence")?;
    ///
    /// let adele = graph.user("adele@contoso.com");
    /// adele.update().set(User::USAGE_LOCATION, "DE").send().await?;
    /// adele.assign_licenses([p2]).send().await?;
    /// # let plans: Vec<String> = Vec::new();
    /// adele.assign_licenses([AssignedLicense::new(p2).without_plans(plans)]).send().await?;
    /// adele.remove_licenses([p2]).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn assign_licenses<L: Into<AssignedLicense>>(
        &self,
        licenses: impl IntoIterator<Item = L>,
    ) -> Request<P::Item> {
        self.change_licenses(licenses, NO_SKUS)
    }

    /// A request that removes licences, by SKU id; see [`assign_licenses`](Self::assign_licenses).
    ///
    /// Needs `LicenseAssignment.ReadWrite.All`. Graph rejects the removal of a licence that is not there, so it is sent again
    /// only if it was surely not processed.
    pub fn remove_licenses<S: IntoId<Guid>>(
        &self,
        skus: impl IntoIterator<Item = S>,
    ) -> Request<P::Item> {
        self.change_licenses(NO_LICENSES, skus)
    }

    /// A request that assigns and removes licences in one step, such as to replace one by another; see
    /// [`assign_licenses`](Self::assign_licenses).
    ///
    /// Needs `LicenseAssignment.ReadWrite.All`. It is sent again as [`remove_licenses`](Self::remove_licenses) is.
    pub fn change_licenses<L, S>(
        &self,
        add: impl IntoIterator<Item = L>,
        remove: impl IntoIterator<Item = S>,
    ) -> Request<P::Item>
    where
        L: Into<AssignedLicense>,
        S: IntoId<Guid>,
    {
        let call = body(add, remove).and_then(|(body, removes)| {
            let mut call = self.call(&["assignLicense"], P::ASSIGN_LICENSE)?;
            if !removes {
                call.idempotency = Idempotency::Idempotent;
            }
            Ok(call.with_json(body))
        });
        Request::new(self.target().client.clone(), call, read_entity)
    }
}

/// The body, and whether it removes licences.
fn body<L, S>(
    add: impl IntoIterator<Item = L>,
    remove: impl IntoIterator<Item = S>,
) -> Result<(Bytes, bool), Error>
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
    Ok((body.into_bytes(), !remove.is_empty()))
}

fn id_of(sku: impl IntoId<Guid>) -> Result<Guid, Error> {
    sku.into_id().map_err(|error| {
        Error::query(format!(
            "{error}; a licence is assigned by the `sku_id` of a `SubscribedSku`, not by its name"
        ))
    })
}

/// What a call that only assigns removes, and one that only removes assigns.
const NO_LICENSES: [AssignedLicense; 0] = [];
const NO_SKUS: [Guid; 0] = [];
