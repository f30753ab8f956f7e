//! Objects whose type derives from that of their collection, such as named locations of addresses or of countries.

use serde_json::Value;

use super::{
    super::{call::Call, unsourced},
    body::{self, Draft},
};
use crate::{
    odata::GraphError,
    schema::{EntityType, Type, is_required},
    store::Object,
};

/// Completes a new object: its type, and the properties that only this type has.
pub(super) fn complete(
    call: Call<'_>,
    entity: &EntityType,
    draft: &mut Draft,
) -> Result<(), GraphError> {
    let types = entity.derived_types();
    if types.is_empty() {
        return Ok(());
    }
    let body = body::json(call)?;
    let named = body.get(TYPE).and_then(Value::as_str).unwrap_or_default();
    let own = types.iter().copied().find(|own| body::is_type(named, own));
    let own = own.ok_or_else(|| unsourced::missing_type(entity.name, &types))?;
    check(entity, own, draft)?;
    let properties = entity.properties.iter();
    for property in properties.filter(|property| property.derived == Some(own)) {
        if property.value == Type::Boolean {
            draft.set_if_absent(property.name, false);
        } else if is_required(entity, property.name) {
            draft.require(entity, property.name)?;
        }
    }
    draft.set(TYPE, format!("#microsoft.graph.{own}"));
    Ok(())
}

/// Checks that an update has properties of the object's own type only.
pub(super) fn adjust(
    call: Call<'_>,
    entity: &EntityType,
    object: &Object,
    draft: &Draft,
) -> Result<(), GraphError> {
    let types = entity.derived_types();
    let stored = object.text(TYPE).unwrap_or_default();
    let Some(own) = types.into_iter().find(|own| body::is_type(stored, own)) else {
        return Ok(());
    };
    let body = body::json(call)?;
    let named = body.get(TYPE).and_then(Value::as_str);
    if named.is_some_and(|named| !body::is_type(named, own)) {
        return Err(body::incompatible_type(own));
    }
    check(entity, own, draft)
}

fn check(entity: &EntityType, own: &str, draft: &Draft) -> Result<(), GraphError> {
    for (name, _) in &draft.values {
        let of = entity.property(name).and_then(|property| property.derived);
        if of.is_some_and(|of| of != own) {
            return Err(body::unknown(name));
        }
    }
    Ok(())
}

const TYPE: &str = "@odata.type";
