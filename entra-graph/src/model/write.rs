//! Writes models as JSON.

use serde::{Serializer, ser::SerializeMap};

use super::{AdditionalData, Encoded, Model, ODATA_TYPE, Secrets, Value};

pub(crate) fn encode<T: Model, S: Serializer>(
    model: &T,
    serializer: S,
    secrets: Secrets,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    let extra = model.additional();
    if extra.typed {
        map.serialize_entry(ODATA_TYPE, T::TYPE)?;
    }
    model.put_fields(&mut map, secrets)?;
    for (name, json) in &extra.rest {
        map.serialize_entry(name, json)?;
    }
    map.end()
}

pub(crate) fn put<T: Value, M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: &Option<T>,
    nulls: &AdditionalData,
    (index, secrets): (usize, Secrets),
) -> Result<(), M::Error> {
    match value {
        Some(_) if T::SECRET && secrets == Secrets::LeaveOut => Ok(()),
        Some(value) => map.serialize_entry(name, &Encoded(value, secrets)),
        None if nulls.was_null(index) => map.serialize_entry(name, &()),
        None => Ok(()),
    }
}

pub(crate) fn put_id<M: SerializeMap>(
    map: &mut M,
    id: &str,
    nulls: &AdditionalData,
    index: usize,
) -> Result<(), M::Error> {
    if !id.is_empty() {
        return map.serialize_entry("id", id);
    }
    if nulls.was_null(index) {
        return map.serialize_entry("id", &());
    }
    Ok(())
}
