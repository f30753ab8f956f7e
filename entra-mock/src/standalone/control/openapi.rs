//! The OpenAPI document of the control API, made from the table of routes.

use serde_json::{Map, Value, json};

use super::{
    PREFIX,
    route::Route,
    schema::{Field, Schema, required},
    table,
};

/// Returns the document (OpenAPI 3.0).
pub(crate) fn document() -> Value {
    let mut named = Map::new();
    let error = ERROR.document(&mut named);
    let mut paths = Map::new();
    for route in table::all() {
        let operations = paths
            .entry(route.path)
            .or_insert_with(|| Value::Object(Map::new()));
        operations[route.method.to_ascii_lowercase()] = operation(route, &error, &mut named);
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "entra-mock control API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Controls one fake Microsoft Entra tenant: the one at whose address it is called.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": PREFIX }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": named,
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "The token that the server prints and that its environment file exports as ENTRA_MOCK_CONTROL_TOKEN.",
            } },
        },
    })
}

fn operation(route: &Route, error: &Value, named: &mut Map<String, Value>) -> Value {
    let mut parameters: Vec<Value> = route
        .parameters()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(route.query.iter().map(|field| {
        json!({
            "name": field.name, "in": "query", "required": field.required,
            "description": field.about, "schema": field.schema.document(named),
        })
    }));
    let mut success = json!({ "description": "Done." });
    if !matches!(route.response, Schema::Nothing) {
        success["content"] =
            json!({ "application/json": { "schema": route.response.document(named) } });
    }
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [route.command.split(' ').next()],
        "parameters": parameters,
        "responses": {
            route.status.to_string(): success,
            "default": {
                "description": "Nothing was changed; the error says how to fix it.",
                "content": { "application/json": { "schema": error } },
            },
        },
        "x-entra-mock-command": command_line(route),
    });
    if !matches!(route.request, Schema::Nothing) {
        let required = route.request.fields().iter().any(|field| field.required);
        let schema = route.request.document(named);
        operation["requestBody"] = json!({ "required": required, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

/// `usersAdd` for the command `users add`.
fn operation_id(route: &Route) -> String {
    let mut id = String::new();
    for word in route.command.split([' ', '-']) {
        match id.is_empty() {
            true => id.push_str(word),
            false => {
                let (first, rest) = word.split_at(1);
                id.push_str(&first.to_ascii_uppercase());
                id.push_str(rest);
            }
        }
    }
    id
}

fn command_line(route: &Route) -> String {
    let parameters = route.parameters().chain(route.positional.iter().copied());
    parameters.fold(format!("entra-mock ctl {}", route.command), |line, name| {
        format!("{line} <{name}>")
    })
}

/// The body of an error.
const ERROR: Schema = Schema::Named(
    "Error",
    &Schema::Object(&[required("error", &Schema::Object(FIELDS), "What happened.")]),
);
const FIELDS: &[Field] = &[
    required("code", &Schema::Text, "A stable name of the kind of error."),
    required("message", &Schema::Text, "What happened."),
    required("fix", &Schema::Text, "How to fix it."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_exactly_the_operations_of_the_router() {
        let document = document();
        let mut listed = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let sent = path.replace(['{', '}'], "");
                let (found, parameters) = table::find(&method.to_ascii_uppercase(), &sent).unwrap();
                assert_eq!(
                    (found.path, found.summary),
                    (path.as_str(), operation["summary"].as_str().unwrap())
                );
                assert_eq!(parameters.len(), path.matches('{').count());
                listed += 1;
            }
        }
        assert_eq!(listed, table::all().count());
    }

    #[test]
    fn every_reference_of_the_document_leads_to_a_schema() {
        let text = document().to_string();
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let references: Vec<&str> = text
            .split("#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(references.len() > 50);
        for name in references {
            assert!(schemas.get(name).is_some_and(Value::is_object), "{name}");
        }
    }

    #[test]
    fn operation_ids_are_the_commands_in_camel_case() {
        let ids: Vec<String> = table::all().map(operation_id).collect();
        assert!(ids.contains(&"clockAdvance".to_owned()), "{ids:?}");
        assert!(
            ids.iter()
                .all(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        );
    }
}
