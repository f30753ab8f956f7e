//! Registers and removes directory extensions.

use super::{
    super::{
        call::{Call, unsupported},
        extension,
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
        None => ("/extensionProperties", "POST"),
        Some(_) => ("/extensionProperties/{id}", "DELETE"),
    };
    if call.request.method != method {
        return Err(unsupported(call.request));
    }
    let (app, id, _) = target(call, root, kind, below)?;
    access::check_links(call, kind, app)?;
    let (definitions, response) = match item {
        None => {
            let (definitions, response) = extension::define(call, app, &json(call)?)?;
            (definitions, PlannedResponse::Json(201, response))
        }
        Some(item) => (extension::without(app, item)?, PlannedResponse::NoContent),
    };
    let values = vec![(extension::DEFINITIONS.to_owned(), Some(definitions.into()))];
    Ok(Plan::new(response).with(Step::Update(kind, id.to_owned(), values)))
}
