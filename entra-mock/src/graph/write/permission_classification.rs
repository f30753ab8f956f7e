//! Classifies delegated permissions, and removes their classifications.

use super::{
    super::{
        call::{Call, unsupported},
        permission_classifications as classifications,
        route::Root,
    },
    access,
    body::json,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{odata::GraphError, store::Kind};

pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    item: Option<&str>,
) -> Result<Plan, GraphError> {
    let (below, method) = match item {
        None => ("/delegatedPermissionClassifications", "POST"),
        Some(_) => ("/delegatedPermissionClassifications/{id}", "DELETE"),
    };
    if call.request.method != method {
        return Err(unsupported(call.request));
    }
    let (principal, id, _) = target(call, root, kind, below)?;
    access::check_administrator(call)?;
    let (listed, response) = match item {
        None => {
            let (all, response) = classifications::classified(call, principal, &json(call)?)?;
            (all, PlannedResponse::Json(201, response))
        }
        Some(item) => (
            classifications::without(principal, item)?,
            PlannedResponse::NoContent,
        ),
    };
    let values = vec![(
        classifications::CLASSIFICATIONS.to_owned(),
        Some(listed.into()),
    )];
    // The list of activities has none for classifications.
    let names = kind.entity().activities;
    Ok(Plan::new(response)
        .with(Step::Update(kind, id.to_owned(), values))
        .audited_as(names.category, names.update))
}
