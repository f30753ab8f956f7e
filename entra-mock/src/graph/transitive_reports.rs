//! `transitiveReports/$count`: how many users and contacts are below one, on any level.

use std::collections::HashSet;

use super::{
    call::{Call, unsupported},
    lookup,
    route::{Root, Route},
};
use crate::{
    odata::{GraphError, Options, Query},
    permissions::authorize,
    schema::Relation,
    wire::Reply,
};

pub(super) fn respond(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let Root::Object(kind, _) = &route.root else {
        return Err(unsupported(call.request));
    };
    let path = format!("{}/transitiveReports/$count", kind.entity().object_path());
    authorize(call.caller, "GET", &path, lookup::is_own(call, &route.root))?;
    let (_, top) = lookup::find(call, &route.root)?;
    Query::parse(call.request.query.as_deref(), Options(&[]))?;
    if !call.eventual {
        return Err(GraphError::bad_request(
            "$count is not currently supported.",
        ));
    }
    let top = top["id"].as_str().unwrap_or_default();
    let mut seen = HashSet::from([top]);
    let mut waiting = vec![top];
    while let Some(manager) = waiting.pop() {
        let reports = call.state.store.linking_objects(Relation::Manager, manager);
        for (_, report) in reports {
            let id = report["id"].as_str().unwrap_or_default();
            if seen.insert(id) {
                waiting.push(id);
            }
        }
    }
    Ok(Reply::new(200)
        .with_header("content-type", "text/plain")
        .with_body((seen.len() - 1).to_string()))
}
