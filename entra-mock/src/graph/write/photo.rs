//! Sets and deletes profile photos.

use super::{
    super::{
        call::{Call, unsupported},
        photo,
        route::{PhotoPath, Root},
    },
    access,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{odata::GraphError, store::Kind};

pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    path: &PhotoPath,
) -> Result<Plan, GraphError> {
    if *path != PhotoPath::Value(None) {
        return Err(unsupported(call.request));
    }
    let (object, id, own) = target(call, root, kind, path.below())?;
    if !own {
        access::check_photo(call, kind, object)?;
    }
    photo::check_match(call, id)?;
    let id = id.to_owned();
    match call.request.method.as_str() {
        "PUT" | "PATCH" => {
            let photo = photo::read_photo(call)?;
            Ok(Plan::new(PlannedResponse::Empty).with(Step::Photo(id, Some(photo))))
        }
        "DELETE" if call.state.store.photo(&id).is_none() => Err(photo::not_found()),
        "DELETE" => Ok(Plan::new(PlannedResponse::NoContent).with(Step::Photo(id, None))),
        _ => Err(unsupported(call.request)),
    }
}
