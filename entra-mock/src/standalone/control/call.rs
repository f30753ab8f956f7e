//! One checked request to the control API.

use std::{sync::Arc, time::Duration};

use entra_core::{Timestamp, time::format_description::well_known::Rfc3339};
use serde_json::{Map, Value};

use super::{
    Control, duration,
    error::ControlError,
    route::{Found, PathParameters, Route},
    schema::Schema,
};
use crate::{engine::Engine, standalone::hosted::Hosted, wire::WireRequest};

/// A request whose body and query have the shapes of its route.
pub(crate) struct Call<'a> {
    /// The whole server.
    pub(crate) control: &'a Arc<Control>,
    /// The tenant at whose address the request arrived.
    pub(crate) tenant: &'a Arc<Hosted>,
    parameters: PathParameters,
    query: Map<String, Value>,
    body: Value,
}

impl<'a> Call<'a> {
    /// Reads body and query of a request.
    pub(crate) fn read(
        control: &'a Arc<Control>,
        tenant: &'a Arc<Hosted>,
        (route, parameters): Found,
        request: &WireRequest,
    ) -> Result<Self, ControlError> {
        Ok(Self {
            control,
            tenant,
            parameters,
            query: query(route, request.query.as_deref().unwrap_or_default())?,
            body: body(route, &request.body)?,
        })
    }

    pub(crate) fn engine(&self) -> &'a Arc<Engine> {
        &self.tenant.engine
    }

    /// A parameter of the path.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    /// The whole body.
    pub(crate) const fn body(&self) -> &Value {
        &self.body
    }

    /// The members of the body that are not among these names: properties of a Graph object.
    pub(crate) fn properties_except(&self, names: &[&str]) -> Map<String, Value> {
        let mut members = self.body.as_object().cloned().unwrap_or_default();
        members.retain(|name, _| !names.contains(&name.as_str()));
        members
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.body
            .get(name)
            .or_else(|| self.query.get(name))
            .filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.field(name)?.as_bool()
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.field(name)?.as_u64()
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        duration::parse(self.text(name)?)
    }

    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        Timestamp::parse(self.text(name)?, &Rfc3339).ok()
    }

    /// A list of texts; empty if it is missing.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let items = self.field(name).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }
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

/// Returns a text as a value of a simple type.
pub(crate) fn typed(schema: &Schema, text: &str) -> Value {
    match schema {
        Schema::Integer => text
            .parse::<u64>()
            .map_or_else(|_| text.into(), Value::from),
        Schema::Boolean => text
            .parse::<bool>()
            .map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}
