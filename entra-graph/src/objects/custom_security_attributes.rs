use super::types::{CustomSecurityAttributeStatus, CustomSecurityAttributeType};
use crate::{
    model::{Expanded, capable, entity},
    odata::{Described, EntityInfo},
};

entity! {
    /// A named set of custom security attributes. The id is the name.
    AttributeSet: "#microsoft.graph.attributeSet", always [] {
        /// What the set is for.
        description: String = DESCRIPTION("description") set;
        /// How many attributes the set can have.
        max_attributes_per_set: i32 = MAX_ATTRIBUTES_PER_SET("maxAttributesPerSet") set;
    }
}

entity! {
    /// The definition of a custom security attribute. The id is the set and the name, joined by an underscore.
    CustomSecurityAttributeDefinition: "#microsoft.graph.customSecurityAttributeDefinition", always [name] {
        /// The set of the attribute.
        attribute_set: String = ATTRIBUTE_SET("attributeSet", "eq") create;
        /// What the attribute is for.
        description: String = DESCRIPTION("description") set;
        /// Whether an object can have several values.
        is_collection: bool = IS_COLLECTION("isCollection") create;
        /// Whether objects can be filtered by the attribute.
        is_searchable: bool = IS_SEARCHABLE("isSearchable") create;
        /// The name.
        name: String = NAME("name", "eq") create;
        /// Whether the attribute can be assigned.
        status: CustomSecurityAttributeStatus = STATUS("status", "eq") set never null;
        /// The type of the values.
        value_type: CustomSecurityAttributeType = VALUE_TYPE("type", "eq") create;
        /// Whether only predefined values can be assigned; an update can change it to `false` only.
        use_pre_defined_values_only: bool = USE_PRE_DEFINED_VALUES_ONLY("usePreDefinedValuesOnly") set;
    }
    relations {
        /// The predefined values, when expanded.
        allowed_values: Expanded<AllowedValue> = ALLOWED_VALUES("allowedValues");
    }
}

entity! {
    /// A predefined value of a custom security attribute. The id is the value.
    AllowedValue: "#microsoft.graph.allowedValue", always [is_active] {
        /// Whether the value can be assigned.
        is_active: bool = IS_ACTIVE("isActive") set;
    }
}

impl Described for AttributeSet {
    const INFO: EntityInfo = EntityInfo::other("attribute set", "attribute sets", None);
}

impl Described for CustomSecurityAttributeDefinition {
    const INFO: EntityInfo = EntityInfo::other(
        "custom security attribute",
        "custom security attributes",
        None,
    );
}

impl Described for AllowedValue {
    const INFO: EntityInfo = EntityInfo::other("predefined value", "predefined values", None)
        .with_no_list_options(&["$select"])
        .with_no_object_options(&["$select"]);
}

capable!(AttributeSet: Selectable, Toppable);
capable!(CustomSecurityAttributeDefinition: Selectable, Filterable, Expandable, Toppable);
