//! Reads body and query of a request in the shapes of its route.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    Control,
    call::Call,
    error::ControlError,
    route::Route,
    schema::{Schema, typed},
    table::Found,
};
use crate::{standalone::hosted::Hosted, wire::WireRequest};

/// Reads a request.
pub(crate) fn read<'a>(
    control: &'a Arc<Control>,
    tenant: &'a Arc<Hosted>,
    (route, parameters): Found,
    request: &WireRequest,
) -> Result<Call<'a>, ControlError> {
    let query = query(route, request.query.as_deref().unwrap_or_default())?;
    let body = body(route, &request.body)?;
    let base = request.base.clone();
    Ok(Call::new(control, tenant, base, parameters, query, body))
}

fn body(route: &Route, bytes: &[u8]) -> Result<Value, ControlError> {
    let empty = bytes.iter().all(u8::is_ascii_whitespace);
    if matches!(route.request, Schema::Nothing) {
        // Some clients send an empty object with every POST.
        return match empty || bytes == b"{}" {
            true => Ok(Value::Null),
            false => Err(ControlError::new(
                400,
                "unexpectedBody",
                format!("{} {} takes no body", route.method, route.path),
                "send the request without a body",
            )),
        };
    }
    let value = match empty {
        true => Value::Object(Map::new()),
        false => serde_json::from_slice(bytes).map_err(|error| {
            ControlError::new(
                400,
                "invalidJson",
                format!("the body is not JSON: {error}"),
                "send a JSON object in UTF-8",
            )
        })?,
    };
    route.request.check("the body", &value)?;
    Ok(value)
}

/// Returns the parameters of a query as values of their types.
fn query(route: &Route, query: &str) -> Result<Map<String, Value>, ControlError> {
    let mut values = Map::new();
    for (name, text) in url::form_urlencoded::parse(query.as_bytes()) {
        let Some(field) = route.query.iter().find(|field| field.name == name) else {
            let known: Vec<&str> = route.query.iter().map(|field| field.name).collect();
            return Err(ControlError::unknown_field(&name, &known));
        };
        let value = typed(field.schema, &text);
        field.schema.check(&name, &value)?;
        values.insert(name.into_owned(), value);
    }
    Ok(values)
}
