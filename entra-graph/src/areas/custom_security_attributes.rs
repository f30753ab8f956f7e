//! Custom security attributes: sets, definitions and predefined values below `/directory`, and values of users and service principals.

use entra_core::url::Url;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    client::GraphClient,
    error::Error,
    key::Key,
    model::{Body, Json},
    objects::{
        AllowedValue, AttributeSet, CustomSecurityAttributeDefinition, ServicePrincipal, User,
        types::{CustomSecurityAttributeStatus, CustomSecurityAttributeType},
    },
    odata::Property,
    operation::operations,
    place::{Collection, Object, places, singles},
    request::Target,
    verbs::{New, NewBody},
};

operations! {
    LIST_SETS = "directory-list-attributesets" GET "/directory/attributeSets" => Collection("attributeSet"),
        both ["CustomSecAttributeDefinition.Read.All"];
    CREATE_SET = "directory-post-attributesets" POST "/directory/attributeSets" => Object("attributeSet"),
        both ["CustomSecAttributeDefinition.ReadWrite.All"];
    GET_SET = "attributeset-get" GET "/directory/attributeSets/{id}" => Object("attributeSet"),
        both ["CustomSecAttributeDefinition.Read.All"];
    UPDATE_SET = "attributeset-update" PATCH "/directory/attributeSets/{id}" => Nothing,
        both ["CustomSecAttributeDefinition.ReadWrite.All"];
    LIST_DEFINITIONS = "directory-list-customsecurityattributedefinitions" GET "/directory/customSecurityAttributeDefinitions" => Collection("customSecurityAttributeDefinition"),
        both ["CustomSecAttributeDefinition.Read.All"];
    CREATE_DEFINITION = "directory-post-customsecurityattributedefinitions" POST "/directory/customSecurityAttributeDefinitions" => Object("customSecurityAttributeDefinition"),
        both ["CustomSecAttributeDefinition.ReadWrite.All"];
    GET_DEFINITION = "customsecurityattributedefinition-get" GET "/directory/customSecurityAttributeDefinitions/{id}" => Object("customSecurityAttributeDefinition"),
        both ["CustomSecAttributeDefinition.Read.All"];
    UPDATE_DEFINITION = "customsecurityattributedefinition-update" PATCH "/directory/customSecurityAttributeDefinitions/{id}" => Nothing,
        both ["CustomSecAttributeDefinition.ReadWrite.All"];
    LIST_VALUES = "customsecurityattributedefinition-list-allowedvalues" GET "/directory/customSecurityAttributeDefinitions/{id}/allowedValues" => Collection("allowedValue"),
        both ["CustomSecAttributeDefinition.Read.All"];
    CREATE_VALUE = "customsecurityattributedefinition-post-allowedvalues" POST "/directory/customSecurityAttributeDefinitions/{id}/allowedValues" => Object("allowedValue"),
        both ["CustomSecAttributeDefinition.ReadWrite.All"];
    GET_VALUE = "allowedvalue-get" GET "/directory/customSecurityAttributeDefinitions/{id}/allowedValues/{id}" => Object("allowedValue"),
        both ["CustomSecAttributeDefinition.Read.All"];
    UPDATE_VALUE = "allowedvalue-update" PATCH "/directory/customSecurityAttributeDefinitions/{id}/allowedValues/{id}" => Nothing,
        both ["CustomSecAttributeDefinition.ReadWrite.All"];
}

places! {
    /// `/directory/attributeSets`.
    AttributeSets: AttributeSet { list LIST_SETS, create(NewAttributeSet) CREATE_SET read GET_SET }
    /// `/directory/customSecurityAttributeDefinitions`.
    CustomSecurityAttributeDefinitions: CustomSecurityAttributeDefinition { list LIST_DEFINITIONS, create(NewCustomSecurityAttributeDefinition) CREATE_DEFINITION read GET_DEFINITION }
    /// `/directory/customSecurityAttributeDefinitions/{id}/allowedValues`.
    AllowedValues: AllowedValue { list LIST_VALUES, create(NewAllowedValue) CREATE_VALUE read GET_VALUE }
}

singles! {
    /// `/directory/attributeSets/{id}`.
    OneAttributeSet: AttributeSet { get GET_SET, update UPDATE_SET }
    /// `/directory/customSecurityAttributeDefinitions/{id}`.
    OneCustomSecurityAttributeDefinition: CustomSecurityAttributeDefinition { get GET_DEFINITION, update UPDATE_DEFINITION }
    /// `/directory/customSecurityAttributeDefinitions/{id}/allowedValues/{id}`.
    OneAllowedValue: AllowedValue { get GET_VALUE, update UPDATE_VALUE }
}

/// What a set of custom security attributes is created from; further properties are set on the
/// [`Create`](crate::query::Create).
#[derive(Clone, Debug)]
pub struct NewAttributeSet {
    body: Body,
}

impl NewAttributeSet {
    /// A set from its name: up to 32 letters and digits, which cannot be changed. A set cannot be deleted.
    pub fn new(id: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(AttributeSet::ID.into_name(), id);
        Self { body }
    }
}

impl New<AttributeSet> for NewAttributeSet {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

/// What a custom security attribute is created from; further properties are set on the
/// [`Create`](crate::query::Create).
#[derive(Clone, Debug)]
pub struct NewCustomSecurityAttributeDefinition {
    body: Body,
}

impl NewCustomSecurityAttributeDefinition {
    /// An attribute with a single value that objects can be filtered by, from its set, its name and its type. It cannot be
    /// deleted, only deprecated.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads as `new(\"Engineering\", \"Project\", CustomSecurityAttributeType::Text)`"
    )]
    pub fn new(attribute_set: &str, name: &str, value_type: CustomSecurityAttributeType) -> Self {
        type Definition = CustomSecurityAttributeDefinition;
        let mut body = Body::default();
        body.set::<String>(Definition::ATTRIBUTE_SET.into_name(), attribute_set);
        body.set::<String>(Definition::NAME.into_name(), name);
        body.set::<CustomSecurityAttributeType>(Definition::VALUE_TYPE.into_name(), &value_type);
        body.set::<CustomSecurityAttributeStatus>(
            Definition::STATUS.into_name(),
            &CustomSecurityAttributeStatus::Available,
        );
        body.set(Definition::IS_COLLECTION.into_name(), &false);
        body.set(Definition::IS_SEARCHABLE.into_name(), &true);
        body.set(Definition::USE_PRE_DEFINED_VALUES_ONLY.into_name(), &false);
        Self { body }
    }

    /// The same attribute, with predefined values only.
    #[must_use]
    pub fn predefined<'v>(mut self, values: impl IntoIterator<Item = &'v str>) -> Self {
        type Definition = CustomSecurityAttributeDefinition;
        let values = values
            .into_iter()
            .map(|value| serde_json::json!({ "id": value, "isActive": true }));
        let values: Vec<Value> = values.collect();
        self.body
            .set(Definition::USE_PRE_DEFINED_VALUES_ONLY.into_name(), &true);
        self.body
            .set_json("allowedValues", &Value::from(values).to_string());
        self
    }
}

impl New<CustomSecurityAttributeDefinition> for NewCustomSecurityAttributeDefinition {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

/// What a predefined value is created from.
#[derive(Clone, Debug)]
pub struct NewAllowedValue {
    body: Body,
}

impl NewAllowedValue {
    /// A value that can be assigned. It cannot be deleted, only deactivated.
    pub fn new(value: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(AllowedValue::ID.into_name(), value);
        body.set(AllowedValue::IS_ACTIVE.into_name(), &true);
        Self { body }
    }
}

impl New<AllowedValue> for NewAllowedValue {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl GraphClient {
    /// All sets of custom security attributes:
    /// [`GET /directory/attributeSets`](https://learn.microsoft.com/graph/api/directory-list-attributesets).
    ///
    /// Needs `CustomSecAttributeDefinition.Read.All`; creating needs `CustomSecAttributeDefinition.ReadWrite.All`. A user
    /// also needs the role Attribute Definition Administrator or Reader; Global Administrator does not include it.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{NewAttributeSet, NewCustomSecurityAttributeDefinition, types::CustomSecurityAttributeType};
    /// graph.attribute_sets().create(NewAttributeSet::new("Engineering")).send().await?;
    /// let project = NewCustomSecurityAttributeDefinition::new("Engineering", "Project", CustomSecurityAttributeType::Text)
    ///     .predefined(["Baker", "Cascade"]);
    /// graph.custom_security_attribute_definitions().create(project).send().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn attribute_sets(&self) -> Collection<AttributeSets> {
        Collection::new(directory(self).join(&["attributeSets"]))
    }

    /// One set of custom security attributes, by its name:
    /// [`GET /directory/attributeSets/{id}`](https://learn.microsoft.com/graph/api/attributeset-get).
    ///
    /// Needs `CustomSecAttributeDefinition.Read.All`; updating needs `CustomSecAttributeDefinition.ReadWrite.All`.
    #[must_use]
    pub fn attribute_set(&self, id: impl Into<Key>) -> Object<OneAttributeSet> {
        Object::new(directory(self).key("attributeSets", &id.into()))
    }

    /// The definitions of all custom security attributes:
    /// [`GET /directory/customSecurityAttributeDefinitions`](https://learn.microsoft.com/graph/api/directory-list-customsecurityattributedefinitions).
    ///
    /// Needs `CustomSecAttributeDefinition.Read.All`; creating needs `CustomSecAttributeDefinition.ReadWrite.All`.
    #[must_use]
    pub fn custom_security_attribute_definitions(
        &self,
    ) -> Collection<CustomSecurityAttributeDefinitions> {
        Collection::new(directory(self).join(&["customSecurityAttributeDefinitions"]))
    }

    /// The definition of one custom security attribute, by its id, such as `Engineering_Project`:
    /// [`GET /directory/customSecurityAttributeDefinitions/{id}`](https://learn.microsoft.com/graph/api/customsecurityattributedefinition-get).
    ///
    /// Needs `CustomSecAttributeDefinition.Read.All`; updating needs `CustomSecAttributeDefinition.ReadWrite.All`.
    #[must_use]
    pub fn custom_security_attribute_definition(
        &self,
        id: impl Into<Key>,
    ) -> Object<OneCustomSecurityAttributeDefinition> {
        Object::new(directory(self).key("customSecurityAttributeDefinitions", &id.into()))
    }
}

impl Object<OneCustomSecurityAttributeDefinition> {
    /// The predefined values of the attribute:
    /// [`GET /directory/customSecurityAttributeDefinitions/{id}/allowedValues`](https://learn.microsoft.com/graph/api/customsecurityattributedefinition-list-allowedvalues).
    ///
    /// Needs `CustomSecAttributeDefinition.Read.All`; creating needs `CustomSecAttributeDefinition.ReadWrite.All`.
    #[must_use]
    pub fn allowed_values(&self) -> Collection<AllowedValues> {
        self.collection("allowedValues")
    }

    /// One predefined value:
    /// [`GET /directory/customSecurityAttributeDefinitions/{id}/allowedValues/{id}`](https://learn.microsoft.com/graph/api/allowedvalue-get).
    ///
    /// Needs `CustomSecAttributeDefinition.Read.All`; updating needs `CustomSecAttributeDefinition.ReadWrite.All`.
    #[must_use]
    pub fn allowed_value(&self, value: impl Into<Key>) -> Object<OneAllowedValue> {
        Object::new(self.target().clone().key("allowedValues", &value.into()))
    }
}

/// Declares access to the custom security attributes of a type.
macro_rules! attributes {
    ($model:ident, $what:literal, $read:literal) => {
        impl $model {
            #[doc = concat!("The value of one custom security attribute; `None` if the ", $what, " has none, or if the caller lacks the")]
            /// permission `CustomSecAttributeAssignment.Read.All`. The property must be selected.
            ///
            /// ```
            /// # async fn example(graph: &entra_graph::GraphClient, id: &str) -> Result<(), entra_graph::Error> {
            #[doc = concat!("use entra_graph::", stringify!($model), ";")]
            #[doc = concat!("let object = graph.", $read, "(id).get()")]
            #[doc = concat!("    .select(", stringify!($model), "::CUSTOM_SECURITY_ATTRIBUTES).send().await?;")]
            /// let projects: Option<Vec<String>> = object.custom_security_attribute("Engineering", "Project")?;
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the value is not a `T`.
            pub fn custom_security_attribute<T: DeserializeOwned>(
                &self,
                set: &str,
                name: &str,
            ) -> Result<Option<T>, Error> {
                value_of(self.custom_security_attributes.as_ref(), set, name)
            }

            /// One custom security attribute, to filter by. Values are case-sensitive.
            ///
            /// ```
            #[doc = concat!("use entra_graph::", stringify!($model), ";")]
            #[doc = concat!("let filter = ", stringify!($model), "::by_custom_security_attribute::<String>(\"Engineering\", \"Project\").eq(\"Baker\");")]
            /// assert_eq!(filter.to_string(), "customSecurityAttributes/Engineering/Project eq 'Baker'");
            /// ```
            #[must_use]
            pub fn by_custom_security_attribute<T>(set: &str, name: &str) -> Property<Self, T> {
                Property::inside(Self::CUSTOM_SECURITY_ATTRIBUTES.into_name(), set, name)
            }
        }
    };
}

attributes!(ServicePrincipal, "service principal", "service_principal");
attributes!(User, "user", "user");

fn value_of<T: DeserializeOwned>(
    attributes: Option<&Json>,
    set: &str,
    name: &str,
) -> Result<Option<T>, Error> {
    let Some(json) = attributes else {
        return Ok(None);
    };
    let sets: Value = serde_json::from_str(json.as_str())
        .map_err(|source| Error::decode("the custom security attributes are not JSON", source))?;
    let value = member(&sets, set).and_then(|values| member(values, name));
    serde_json::from_value(value.cloned().unwrap_or_default())
        .map_err(|source| Error::decode("the custom security attribute has another type", source))
}

/// The member of an object with this name, in any case, as Graph compares names.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let name = name.to_lowercase();
    let mut members = object.as_object()?.iter();
    let found = members.find(|(known, _)| known.to_lowercase() == name);
    found.map(|(_, value)| value)
}

fn directory(client: &GraphClient) -> Target {
    Target::root(client).join(&["directory"])
}
