//! Directory extensions: properties that applications register at run time.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, JSON},
    lookup,
    route::Route,
};
use crate::{
    odata::GraphError,
    permissions::authorize,
    store::{Kind, Object},
    time::ticks,
    wire::Reply,
};

/// Checks the value of an extension property for an object of a type.
pub(super) fn check(
    call: Call<'_>,
    kind: Kind,
    name: &str,
    value: &Value,
) -> Result<(), GraphError> {
    let definition = find(call, name).filter(|definition| {
        let targets = definition["targetObjects"].as_array();
        targets.is_some_and(|targets| {
            targets
                .iter()
                .any(|target| *target == kind.entity().title().as_str())
        })
    });
    let Some(definition) = definition else {
        return Err(GraphError::bad_request(format!(
            "The following extension properties are not available: {name}."
        )));
    };
    let many = definition["isMultiValued"] == true;
    let items: Vec<&Value> = match value {
        Value::Null => Vec::new(),
        Value::Array(items) if many => items.iter().collect(),
        Value::Array(_) => return Err(wrong(kind, name)),
        single if !many => vec![single],
        _ => return Err(wrong(kind, name)),
    };
    let data_type = definition["dataType"].as_str().unwrap_or_default();
    if items.iter().all(|item| fits(data_type, item)) {
        Ok(())
    } else {
        Err(wrong(kind, name))
    }
}

fn find<'a>(call: Call<'a>, name: &str) -> Option<&'a Value> {
    let digits = name.strip_prefix("extension_")?.split('_').next()?;
    let part = |range| digits.get(range);
    let app_id = [
        part(0..8)?,
        part(8..12)?,
        part(12..16)?,
        part(16..20)?,
        part(20..32)?,
    ]
    .join("-");
    let app = call.state.store.find(Kind::Application, "appId", &app_id)?;
    definitions(app).find(|definition| definition["name"] == name)
}

fn definitions(app: &Object) -> impl Iterator<Item = &Value> {
    app.get(DEFINITIONS)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn fits(data_type: &str, value: &Value) -> bool {
    match data_type {
        "Boolean" => value.is_boolean(),
        "DateTime" => value.as_str().is_some_and(|text| ticks(text).is_some()),
        "Integer" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        "LargeInteger" => value.as_i64().is_some(),
        "String" | "Binary" => value
            .as_str()
            .is_some_and(|text| !text.is_empty() && text.len() <= MAX_TEXT),
        _ => false,
    }
}

fn wrong(kind: Kind, name: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Invalid value specified for property '{name}' of resource '{}'.",
        kind.entity().title()
    ))
}

/// The extension definitions of all applications, each with its type.
pub(super) fn all(call: Call<'_>) -> impl Iterator<Item = Value> {
    let apps = call.state.store.all(Kind::Application);
    apps.flat_map(|app| definitions(app).map(move |item| definition_json(item, app)))
        .map(|mut item| {
            item["@odata.type"] = "#microsoft.graph.extensionProperty".into();
            item
        })
}

/// Responds with the extension definitions of an application, or with one of them.
pub(super) fn respond(
    call: Call<'_>,
    route: &Route,
    id: Option<&str>,
) -> Result<Reply, GraphError> {
    let below = if id.is_some() { "/{id}" } else { "" };
    authorize(call.caller, "GET", &format!("{PATH}{below}"), false)?;
    let (_, app) = lookup::find(call, &route.root)?;
    let context = context(call, app);
    let body = match id {
        Some(id) => {
            let definition = definitions(app).find(|definition| has_id(definition, id));
            let mut definition_json =
                definition_json(definition.ok_or_else(|| GraphError::not_found(id))?, app);
            definition_json["@odata.context"] = format!("{context}/$entity").into();
            definition_json
        }
        None => {
            let items: Vec<Value> = definitions(app)
                .map(|item| definition_json(item, app))
                .collect();
            json!({ "@odata.context": context, "value": items })
        }
    };
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// Returns the definitions of an application after a POST, and the response to it.
pub(super) fn define(
    call: Call<'_>,
    app: &Object,
    body: &Map<String, Value>,
) -> Result<(Vec<Value>, Value), GraphError> {
    let wrong = |name: &str| {
        GraphError::bad_request(format!(
            "Invalid value specified for property '{name}' of resource 'ExtensionProperty'."
        ))
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    const KNOWN: [&str; 4] = ["name", "dataType", "targetObjects", "isMultiValued"];
    if let Some(other) = body
        .keys()
        .find(|name| !KNOWN.contains(&name.as_str()) && !name.starts_with('@'))
    {
        return Err(GraphError::bad_request(format!(
            "Property '{other}' does not exist as a declared property or extension property."
        )));
    }
    let name = text("name").filter(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || char == '_')
    });
    let name = name.ok_or_else(|| wrong("name"))?;
    let data_type = text("dataType").filter(|name| DATA_TYPES.contains(name));
    let data_type = data_type.ok_or_else(|| wrong("dataType"))?;
    let targets = body.get("targetObjects").and_then(Value::as_array);
    let targets = targets.filter(|targets| {
        !targets.is_empty()
            && targets
                .iter()
                .all(|target| TARGETS.iter().any(|known| target == known))
    });
    let targets = targets.ok_or_else(|| wrong("targetObjects"))?;
    let many = match body.get("isMultiValued") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(many)) => *many,
        Some(_) => return Err(wrong("isMultiValued")),
    };
    let app_id = app["appId"].as_str().unwrap_or_default().replace('-', "");
    let full = format!("extension_{app_id}_{name}");
    if definitions(app).any(|definition| definition["name"] == full.as_str()) {
        return Err(GraphError::conflict("name"));
    }
    let definition = json!({
        "id": call.state.new_id(), "name": full, "dataType": data_type, "isMultiValued": many, "targetObjects": targets
    });
    let mut response = definition_json(&definition, app);
    response["@odata.context"] = format!("{}/$entity", context(call, app)).into();
    let mut all: Vec<Value> = definitions(app).cloned().collect();
    all.push(definition);
    Ok((all, response))
}

/// Returns the definitions without one of them.
pub(super) fn without(app: &Object, id: &str) -> Result<Vec<Value>, GraphError> {
    let all: Vec<Value> = definitions(app).cloned().collect();
    let left: Vec<Value> = all
        .iter()
        .filter(|definition| !has_id(definition, id))
        .cloned()
        .collect();
    if left.len() == all.len() {
        return Err(GraphError::not_found(id));
    }
    Ok(left)
}

fn has_id(definition: &Value, key: &str) -> bool {
    let id = definition["id"].as_str();
    id.is_some_and(|id| lookup::is_same_id(id, key))
}

/// Returns a definition in the form of Graph.
fn definition_json(definition: &Value, app: &Object) -> Value {
    json!({
        "id": definition["id"], "deletedDateTime": null, "appDisplayName": app["displayName"],
        "dataType": definition["dataType"], "isMultiValued": definition["isMultiValued"],
        "isSyncedFromOnPremises": false, "name": definition["name"], "targetObjects": definition["targetObjects"],
    })
}

fn context(call: Call<'_>, app: &Object) -> String {
    let id = app["id"].as_str().unwrap_or_default();
    call.context(&format!("applications('{id}')/extensionProperties"))
}

/// Internal property with an application's definitions.
pub(super) const DEFINITIONS: &str = "~extensionProperties";
const PATH: &str = "/applications/{id}/extensionProperties";
const DATA_TYPES: [&str; 6] = [
    "Binary",
    "Boolean",
    "DateTime",
    "Integer",
    "LargeInteger",
    "String",
];
const TARGETS: [&str; 6] = [
    "User",
    "Group",
    "AdministrativeUnit",
    "Application",
    "Device",
    "Organization",
];
const MAX_TEXT: usize = 256;
