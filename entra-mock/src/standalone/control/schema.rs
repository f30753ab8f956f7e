//! Shapes of JSON values: what a route takes and returns. Requests are checked with them, and the OpenAPI document
//! shows them.

use serde_json::{Map, Value, json};

use super::{duration, error::ControlError, timestamp};

/// The shape of a JSON value.
#[derive(Debug)]
pub(crate) enum Schema {
    Text,
    /// A duration such as `90s` or `1h30m`.
    Duration,
    /// A date and time in RFC 3339.
    Time,
    Integer,
    Boolean,
    OneOf(&'static [&'static str]),
    List(&'static Self),
    /// An object with these fields and no others.
    Object(&'static [Field]),
    /// An object with these fields and any other ones, such as the properties of a Graph object.
    Open(&'static [Field]),
    /// A schema that the document lists under this name.
    Named(&'static str, &'static Self),
    /// No content.
    Nothing,
}

/// One field of an object, or one parameter of a query.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) schema: &'static Schema,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
}

/// A field that must be there.
pub(crate) const fn required(
    name: &'static str,
    schema: &'static Schema,
    about: &'static str,
) -> Field {
    Field {
        name,
        schema,
        required: true,
        about,
    }
}

/// A field that can be missing.
pub(crate) const fn optional(
    name: &'static str,
    schema: &'static Schema,
    about: &'static str,
) -> Field {
    Field {
        name,
        schema,
        required: false,
        about,
    }
}

impl Schema {
    /// The fields of an object.
    pub(crate) fn fields(&self) -> &'static [Field] {
        match self {
            Self::Object(fields) | Self::Open(fields) => fields,
            Self::Named(_, schema) => schema.fields(),
            _ => &[],
        }
    }

    /// Returns an error that names the first value of another shape, and what is expected there.
    pub(crate) fn check(&self, path: &str, value: &Value) -> Result<(), ControlError> {
        let fits = match self {
            Self::Text => value.is_string(),
            Self::Integer => value.is_u64(),
            Self::Boolean => value.is_boolean(),
            Self::Duration => value
                .as_str()
                .is_some_and(|text| duration::parse(text).is_some()),
            Self::Time => value
                .as_str()
                .is_some_and(|text| timestamp::parse(text).is_some()),
            Self::OneOf(names) => value.as_str().is_some_and(|text| names.contains(&text)),
            Self::List(item) => return check_list(path, item, value),
            Self::Object(fields) => return check_object(path, fields, false, value),
            Self::Open(fields) => return check_object(path, fields, true, value),
            Self::Named(_, schema) => return schema.check(path, value),
            Self::Nothing => value.is_null(),
        };
        match fits {
            true => Ok(()),
            false => Err(ControlError::invalid(
                path,
                &format!("the value of {path} must be {}", self.expected()),
            )),
        }
    }

    /// What a value of this shape looks like, for an error or a line of help.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Integer => "a whole number that is not negative".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Duration => "a duration such as \"90s\", \"1h30m\" or \"2d\"".to_owned(),
            Self::Time => "a time such as \"2026-11-30T08:00:00Z\"".to_owned(),
            Self::OneOf(names) => format!("one of {}", names.join(", ")),
            Self::List(item) => format!("a list; each item must be {}", item.expected()),
            Self::Object(_) | Self::Open(_) => "an object".to_owned(),
            Self::Named(_, schema) => schema.expected(),
            Self::Nothing => "missing".to_owned(),
        }
    }

    /// The JSON Schema; named ones are collected in `named` and referred to.
    pub(crate) fn document(&self, named: &mut Map<String, Value>) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Integer => json!({ "type": "integer", "minimum": 0 }),
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Duration => json!({
                "type": "string", "pattern": duration::PATTERN, "example": "1h30m",
                "description": "A duration: numbers with the units d, h, m, s and ms.",
            }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
            Self::OneOf(names) => json!({ "type": "string", "enum": names }),
            Self::List(item) => json!({ "type": "array", "items": item.document(named) }),
            Self::Object(fields) => object(fields, false, named),
            Self::Open(fields) => object(fields, true, named),
            Self::Named(name, schema) => {
                if !named.contains_key(*name) {
                    // The place is taken first: a schema may contain itself.
                    named.insert((*name).to_owned(), Value::Null);
                    let document = schema.document(named);
                    named.insert((*name).to_owned(), document);
                }
                json!({ "$ref": format!("#/components/schemas/{name}") })
            }
            Self::Nothing => json!({}),
        }
    }
}

fn object(fields: &[Field], open: bool, named: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut document = field.schema.document(named);
        if document.get("$ref").is_some() {
            document = json!({ "allOf": [document] });
        }
        document["description"] = field.about.into();
        properties.insert(field.name.to_owned(), document);
    }
    let mut document =
        json!({ "type": "object", "properties": properties, "additionalProperties": open });
    let names: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    if !names.is_empty() {
        document["required"] = names.into();
    }
    document
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

fn check_list(path: &str, item: &Schema, value: &Value) -> Result<(), ControlError> {
    let Some(items) = value.as_array() else {
        let expected = format!("the value of {path} must be a list");
        return Err(ControlError::invalid(path, &expected));
    };
    items
        .iter()
        .enumerate()
        .try_for_each(|(number, value)| item.check(&format!("{path}[{number}]"), value))
}

fn check_object(
    path: &str,
    fields: &'static [Field],
    open: bool,
    value: &Value,
) -> Result<(), ControlError> {
    let Some(members) = value.as_object() else {
        let expected = format!("the value of {path} must be an object");
        return Err(ControlError::invalid(path, &expected));
    };
    let inside = |name: &str| match path {
        "the body" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    for (name, value) in members {
        match fields.iter().find(|field| field.name == name) {
            Some(field) => field.schema.check(&inside(name), value)?,
            None if open => {}
            None => {
                let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                return Err(ControlError::unknown_field(&inside(name), &known));
            }
        }
    }
    match fields
        .iter()
        .find(|field| field.required && !members.contains_key(field.name))
    {
        Some(field) => Err(ControlError::missing(
            &inside(field.name),
            &field.schema.expected(),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Schema = Schema::Object(&[
        required("name", &Schema::Text, "The name."),
        optional("by", &Schema::Duration, "How long."),
        optional("at", &Schema::Time, "When."),
        optional("count", &Schema::Integer, "How many."),
        optional(
            "kinds",
            &Schema::List(&Schema::OneOf(&["a", "b"])),
            "Which.",
        ),
    ]);

    fn complaint(value: &Value) -> String {
        SHAPE.check("the body", value).unwrap_err().message
    }

    #[test]
    fn a_value_of_the_shape_is_accepted() {
        for value in [
            json!({ "name": "x" }),
            json!({ "name": "x", "by": "1h30m", "at": "2026-11-30T08:00:00Z", "count": 3, "kinds": ["a", "b"] }),
        ] {
            assert!(SHAPE.check("the body", &value).is_ok(), "{value}");
        }
    }

    #[test]
    fn the_error_of_another_shape_names_the_place_and_what_is_expected() {
        for (value, part) in [
            (json!({}), "name is missing"),
            (json!([]), "the body must be an object"),
            (json!({ "name": 1 }), "the value of name must be a text"),
            (json!({ "name": "x", "more": 1 }), "there is no field more"),
            (
                json!({ "name": "x", "by": "soon" }),
                "by must be a duration",
            ),
            (json!({ "name": "x", "by": 5 }), "by must be a duration"),
            (
                json!({ "name": "x", "at": "2026-11-30" }),
                "at must be a time",
            ),
            (
                json!({ "name": "x", "count": -1 }),
                "count must be a whole number",
            ),
            (
                json!({ "name": "x", "count": 1.5 }),
                "count must be a whole number",
            ),
            (json!({ "name": "x", "kinds": "a" }), "kinds must be a list"),
            (
                json!({ "name": "x", "kinds": ["a", "c"] }),
                "kinds[1] must be one of a, b",
            ),
        ] {
            assert!(
                complaint(&value).contains(part),
                "{value}: {}",
                complaint(&value)
            );
        }
    }
}
