//! DELETE of an object, and what becomes of deleted items.

use super::{
    super::{Call, read, route::Root, unsupported},
    Answer, Plan, Step, access,
};
use crate::{
    directory::lifecycle::is_kept,
    odata::Refusal,
    permissions::authorize_kind,
    store::{Kind, Object},
};

pub(super) fn plan(call: Call<'_>, root: &Root) -> Result<Plan, Refusal> {
    let served = |kind: Kind| {
        let path = kind.entity().object_path();
        let operations = kind.entity().operations;
        operations
            .iter()
            .any(|row| row.method == "DELETE" && row.path == path)
            .then_some(path)
            .ok_or_else(|| unsupported(call.request))
    };
    if let Root::Object(kind, _) = root {
        authorize_kind(call.caller, *kind, "DELETE", &served(*kind)?, false)?;
    }
    let (kind, object) = read::find(call, root)?;
    authorize_kind(call.caller, kind, "DELETE", &served(kind)?, false)?;
    access::check_delete(call, kind, object)?;
    let names = kind.entity().activities;
    let name = if is_kept(kind, object) || kind == Kind::Group {
        names.delete
    } else {
        names.purge
    };
    Ok(Plan::new(Answer::NoContent)
        .with(Step::Delete(kind, id(object)))
        .known_as(names.category, name))
}

pub(super) fn purge(call: Call<'_>, deleted: &str) -> Result<Plan, Refusal> {
    let (kind, object) = find(call, deleted)?;
    authorize_kind(call.caller, kind, "DELETE", ITEM, false)?;
    access::check_delete(call, kind, object)?;
    let names = kind.entity().activities;
    Ok(Plan::new(Answer::NoContent)
        .with(Step::Purge(id(object)))
        .known_as(names.category, names.purge))
}

pub(super) fn restore(call: Call<'_>, deleted: &str) -> Result<Plan, Refusal> {
    let (kind, object) = find(call, deleted)?;
    authorize_kind(call.caller, kind, "POST", RESTORE, false)?;
    access::check_delete(call, kind, object)?;
    if let Some(conflict) = call.state.restore_conflict(deleted) {
        return Err(conflict.into());
    }
    let names = kind.entity().activities;
    let answer = Answer::Object {
        status: 200,
        id: id(object),
        typed: true,
    };
    Ok(Plan::new(answer)
        .with(Step::Restore(id(object)))
        .known_as(names.category, names.restore))
}

fn find<'a>(call: Call<'a>, id: &str) -> Result<(Kind, &'a Object), Refusal> {
    let found = call.state.store.deleted(id);
    found.ok_or_else(|| Refusal::not_found(id))
}

fn id(object: &Object) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}

/// The paths of deleted items, as operations have them.
pub(in crate::graph) const ITEM: &str = "/directory/deletedItems/{id}";
const RESTORE: &str = "/directory/deletedItems/{id}/restore";
