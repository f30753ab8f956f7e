//! Provisioning of a service principal: synchronization jobs, templates and their schemas.
//!
//! Every service principal has one template, that of its application, for an application with SCIM. What a job has done is in the
//! provisioning log; the fake tenant runs no cycles by itself.

use serde_json::{Value, json};

use super::{
    call::{Call, JSON, unsupported},
    lookup,
    route::Route,
};
use crate::{
    odata::{GraphError, Options, Query},
    permissions::authorize,
    store::{Kind, Object},
    wire::Reply,
};

/// Internal property of a service principal with its jobs by id.
pub(super) const JOBS: &str = "~synchronizationJobs";
/// Internal property of a service principal with the schemas that replaced those of the template, by job.
pub(super) const SCHEMAS: &str = "~synchronizationSchemas";
/// Internal property of an application with the schema that replaced that of its template.
pub(super) const TEMPLATE_SCHEMA: &str = "~synchronizationTemplateSchema";
/// The only template.
pub(super) const TEMPLATE: &str = "scim";

/// Returns the path of an operation below `synchronization`, with `{id}` for ids.
pub(super) fn pattern(segments: &[String]) -> String {
    let mut path = String::from("/synchronization");
    for (at, segment) in segments.iter().enumerate() {
        path.push('/');
        path.push_str(if at == 1 { "{id}" } else { segment });
    }
    path
}

/// Responds to a read below `synchronization`.
pub(super) fn respond(
    call: Call<'_>,
    route: &Route,
    segments: &[String],
) -> Result<Reply, GraphError> {
    let super::route::Root::Object(kind, _) = &route.root else {
        return Err(unsupported(call.request));
    };
    let path = format!("{}{}", kind.entity().object_path(), pattern(segments));
    if crate::permissions::operation("GET", &path).is_none() {
        return Err(unsupported(call.request));
    }
    authorize(call.caller, "GET", &path, false)?;
    // Or an application, which has the same templates and no jobs.
    let (_, principal) = lookup::find(call, &route.root)?;
    Query::parse(call.request.query.as_deref(), Options(&[]))?;
    let names: Vec<&str> = segments.iter().map(String::as_str).collect();
    let id = principal["id"].as_str().unwrap_or_default();
    let set = kind.entity().set;
    let context = |below: &str| call.context(&format!("{set}('{id}')/synchronization/{below}"));
    let (value, below) = match names[..] {
        ["jobs"] => (Value::Array(jobs(principal)), "jobs".to_owned()),
        ["templates"] => (json!([template(principal)]), "templates".to_owned()),
        ["jobs", job] => (find(principal, job)?, "jobs/$entity".to_owned()),
        ["templates", name] => (
            template_of(principal, name)?,
            "templates/$entity".to_owned(),
        ),
        ["jobs", job, "schema"] => {
            find(principal, job)?;
            let replaced = principal.get(SCHEMAS).and_then(|all| all.get(job));
            let schema = replaced.cloned().unwrap_or_else(schema);
            (schema, format!("jobs('{job}')/schema/$entity"))
        }
        ["templates", name, "schema"] => {
            template_of(principal, name)?;
            let schema = template_schema(call, principal).unwrap_or_else(schema);
            (schema, format!("templates('{name}')/schema/$entity"))
        }
        _ => return Err(unsupported(call.request)),
    };
    let body = match value {
        Value::Object(mut item) => {
            item.insert("@odata.context".into(), context(&below).into());
            item.into()
        }
        items => json!({ "@odata.context": context(&below), "value": items }),
    };
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// The jobs of a service principal.
pub(super) fn jobs(principal: &Object) -> Vec<Value> {
    let jobs = principal.get(JOBS).and_then(Value::as_array);
    jobs.cloned().unwrap_or_default()
}

/// Returns one job, or 404.
pub(super) fn find(principal: &Object, id: &str) -> Result<Value, GraphError> {
    jobs(principal)
        .into_iter()
        .find(|job| job["id"] == id)
        .ok_or_else(|| GraphError::not_found(id))
}

/// The schema that replaced that of the template, of an application or of its service principal.
pub(super) fn template_schema(call: Call<'_>, of: &Object) -> Option<Value> {
    let app_id = of["appId"].as_str()?;
    let application = call.state.store.find(Kind::Application, "appId", app_id)?;
    application.get(TEMPLATE_SCHEMA).cloned()
}

/// Returns the template of that name, or 404.
pub(super) fn template_of(principal: &Object, name: &str) -> Result<Value, GraphError> {
    if name == TEMPLATE {
        Ok(template(principal))
    } else {
        Err(GraphError::not_found(name))
    }
}

fn template(principal: &Object) -> Value {
    json!({
        "id": TEMPLATE, "applicationId": principal["appId"], "default": true, "description": "Users and groups by SCIM",
        "discoverable": true, "factoryTag": "CustomSCIM", "metadata": [],
    })
}

/// Users with their names.
fn schema() -> Value {
    let attribute = |name: &str| json!({ "name": name, "type": "String" });
    json!({
        "id": TEMPLATE, "version": "1",
        "directories": [
            { "id": "source", "name": "Microsoft Entra ID", "objects": [{ "name": "User", "attributes": [attribute("userPrincipalName"), attribute("displayName")] }] },
            { "id": "target", "name": "customappsso", "objects": [{ "name": "User", "attributes": [attribute("userName"), attribute("displayName")] }] },
        ],
        "synchronizationRules": [{
            "id": RULE, "name": "USER_OUTBOUND_USER", "sourceDirectoryName": "Microsoft Entra ID", "targetDirectoryName": "customappsso",
            "objectMappings": [{ "enabled": true, "sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": [] }],
        }],
    })
}

/// The id of the only synchronization rule.
pub(super) const RULE: &str = "03f7d90d-bf71-41b1-bda6-aaf0ddbee5d8";
