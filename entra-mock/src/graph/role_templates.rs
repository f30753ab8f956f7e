//! `directoryRoleTemplates`: the built-in role definitions in their older form.

use serde_json::{Map, Value, json};

use super::call::{Call, JSON};
use crate::{
    odata::{GraphError, Options, Query},
    permissions::authorize,
    store::{Kind, Object},
    wire::Reply,
};

/// Responds with all templates, or with one.
pub(super) fn respond(call: Call<'_>, id: Option<&str>) -> Result<Reply, GraphError> {
    let path = match id {
        None => "/directoryRoleTemplates",
        Some(_) => "/directoryRoleTemplates/{id}",
    };
    authorize(call.caller, "GET", path, false)?;
    let query = Query::parse(call.request.query.as_deref(), Options(&[]))?;
    debug_assert!(query.select.is_none(), "no option is supported");
    let mut templates = call
        .state
        .store
        .all(Kind::RoleDefinition)
        .filter(|definition| definition.get("isBuiltIn") == Some(&Value::Bool(true)));
    let body = match id {
        None => {
            let items: Vec<_> = templates.map(template).collect();
            json!({ "@odata.context": call.context("directoryRoleTemplates"), "value": items })
        }
        Some(id) => {
            let found = templates
                .find(|definition| definition.get("id").and_then(Value::as_str) == Some(id));
            let found = found.ok_or_else(|| GraphError::not_found(id))?;
            let mut body = template(found);
            let context = call.context("directoryRoleTemplates/$entity");
            body.insert("@odata.context".to_owned(), context.into());
            body.into()
        }
    };
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

fn template(definition: &Object) -> Map<String, Value> {
    ["id", "description", "displayName"]
        .into_iter()
        .map(|name| {
            (
                name.to_owned(),
                definition.get(name).cloned().unwrap_or_default(),
            )
        })
        .chain([("deletedDateTime".to_owned(), Value::Null)])
        .collect()
}
