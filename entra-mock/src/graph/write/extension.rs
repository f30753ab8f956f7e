//! Registering and removing directory extensions.

use super::{
    super::{Call, extension, route::Root, unsupported},
    Answer, Plan, Step, access,
    body::json,
    target,
};
use crate::{odata::Refusal, store::Kind};

pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    item: Option<&str>,
) -> Result<Plan, Refusal> {
    let (below, method) = match item {
        None => ("/extensionProperties", "POST"),
        Some(_) => ("/extensionProperties/{id}", "DELETE"),
    };
    if call.request.method != method {
        return Err(unsupported(call.request));
    }
    let (app, id, _) = target(call, root, kind, below)?;
    access::check_links(call, kind, app)?;
    let (definitions, answer) = match item {
        None => {
            let (definitions, answer) = extension::define(call, app, &json(call)?)?;
            (definitions, Answer::Json(201, answer))
        }
        Some(item) => (extension::without(app, item)?, Answer::NoContent),
    };
    let values = vec![(extension::DEFINITIONS.to_owned(), Some(definitions.into()))];
    Ok(Plan::new(answer).with(Step::Update(kind, id.to_owned(), values)))
}
