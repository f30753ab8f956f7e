use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value, json};

use crate::model::{BodyValue, Json, SecretBuffer, open_enum};

open_enum! {
    /// Whether a custom security attribute can be assigned.
    CustomSecurityAttributeStatus {
        /// It can.
        Available = "Available";
        /// It cannot; assigned values stay.
        Deprecated = "Deprecated";
    }
}

open_enum! {
    /// The type of the values of a custom security attribute.
    CustomSecurityAttributeType {
        /// `true` or `false`.
        Boolean = "Boolean";
        /// Whole numbers of 32 bits.
        Integer = "Integer";
        /// Text of up to 64 characters.
        Text = "String";
    }
}

/// Values of custom security attributes for an update, by set and name. Attributes that are not named stay unchanged.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
/// use entra_graph::{User, types::CustomSecurityAttributes};
/// let attributes = CustomSecurityAttributes::default()
///     .set("Engineering", "Project", ["Baker", "Cascade"])
///     .set("Engineering", "CostCenter", 1001)
///     .set("Engineering", "Certification", true)
///     .clear("Marketing", "Region");
/// graph.user("adele@contoso.com").update()
///     .set(User::CUSTOM_SECURITY_ATTRIBUTES, attributes)
///     .send().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct CustomSecurityAttributes {
    sets: BTreeMap<String, Map<String, Value>>,
}

/// A value of a custom security attribute: text, a number, `true` or `false`, or a list of texts or numbers. An empty
/// list removes all values of an attribute that can have several.
#[derive(Clone, PartialEq)]
pub struct CustomSecurityAttributeValue {
    value: Value,
    odata_type: Option<&'static str>,
}

impl CustomSecurityAttributes {
    /// Sets an attribute.
    #[must_use]
    pub fn set(
        mut self,
        set: &str,
        name: &str,
        value: impl Into<CustomSecurityAttributeValue>,
    ) -> Self {
        let CustomSecurityAttributeValue { value, odata_type } = value.into();
        let values = self.values(set);
        values.remove(&annotation(name));
        if let Some(odata_type) = odata_type {
            values.insert(annotation(name), odata_type.into());
        }
        values.insert(name.to_owned(), value);
        self
    }

    /// Removes the value of an attribute that has a single one.
    #[must_use]
    pub fn clear(mut self, set: &str, name: &str) -> Self {
        let values = self.values(set);
        values.remove(&annotation(name));
        values.insert(name.to_owned(), Value::Null);
        self
    }

    fn values(&mut self, set: &str) -> &mut Map<String, Value> {
        self.sets.entry(set.to_owned()).or_insert_with(|| {
            let mut values = Map::new();
            values.insert("@odata.type".to_owned(), SET_TYPE.into());
            values
        })
    }
}

impl BodyValue<Json> for CustomSecurityAttributes {
    fn write_into(&self, body: &mut SecretBuffer) {
        body.push_json(&self.sets);
    }
}

impl From<&str> for CustomSecurityAttributeValue {
    fn from(value: &str) -> Self {
        Self::single(value.into())
    }
}

impl From<String> for CustomSecurityAttributeValue {
    fn from(value: String) -> Self {
        Self::single(value.into())
    }
}

impl From<bool> for CustomSecurityAttributeValue {
    fn from(value: bool) -> Self {
        Self::single(value.into())
    }
}

impl From<i32> for CustomSecurityAttributeValue {
    fn from(value: i32) -> Self {
        Self {
            value: value.into(),
            odata_type: Some("#Int32"),
        }
    }
}

impl<const N: usize> From<[&str; N]> for CustomSecurityAttributeValue {
    fn from(values: [&str; N]) -> Self {
        Self {
            value: json!(values.as_slice()),
            odata_type: Some(TEXTS),
        }
    }
}

impl From<Vec<String>> for CustomSecurityAttributeValue {
    fn from(values: Vec<String>) -> Self {
        Self {
            value: values.into(),
            odata_type: Some(TEXTS),
        }
    }
}

impl From<Vec<i32>> for CustomSecurityAttributeValue {
    fn from(values: Vec<i32>) -> Self {
        Self {
            value: values.into(),
            odata_type: Some("#Collection(Int32)"),
        }
    }
}

impl CustomSecurityAttributeValue {
    const fn single(value: Value) -> Self {
        Self {
            value,
            odata_type: None,
        }
    }
}

/// Shows the names of sets, and no values.
impl fmt::Debug for CustomSecurityAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.sets.keys()).finish()
    }
}

/// Does not show the value.
impl fmt::Debug for CustomSecurityAttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomSecurityAttributeValue")
            .finish_non_exhaustive()
    }
}

fn annotation(name: &str) -> String {
    format!("{name}@odata.type")
}

const SET_TYPE: &str = "#Microsoft.DirectoryServices.CustomSecurityAttributeValue";
const TEXTS: &str = "#Collection(String)";
