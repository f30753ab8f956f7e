//! What every model shares: one declaration per property gives field, constant and wire form.
//!
//! The macros below stay small on purpose. Per property they expand to a field, a constant, and one
//! line each in five matches; everything else is written and compiled once.
//!
//! Methods that many programs never call are `#[inline]`, so that only programs that use a type generate
//! its code: a program that reads users builds nothing for audit logs.

mod additional;
mod body;
mod decode;

mod expanded;
mod names;
mod open_enum;
mod page;
mod read;
mod row;
mod target;
mod value;
mod write;

use std::fmt;

use serde::ser::SerializeMap;

pub use additional::{AdditionalData, Json};
pub(crate) use body::Body;
pub use body::{BodyValue, SecretBuffer, Settable};
pub(crate) use decode::{read_document, without_bom, without_error};
pub use expanded::Expanded;
pub(crate) use names::NameTable;
pub(crate) use open_enum::open_enum;
pub use page::PageBody;
pub(crate) use read::{COMPLETE, ODATA_TYPE, into, read, type_name};
pub use row::{
    Countable, Entity, Expandable, Filterable, Orderable, Row, Searchable, Selectable, Toppable,
};
pub(crate) use row::{capable, row as entity_row};
pub(crate) use target::{
    DecodeAborted, DecodeTarget, Elements, FieldSlot, List, Object, Text, Typed,
};
pub(crate) use value::{Encoded, Secrets, Value};
pub(crate) use write::{encode, put, put_id};

/// What the [`model!`] macro writes for each type, beside its [`Object`].
pub(crate) trait Model: Object + Default {
    /// The OData type, empty for a complex type.
    const TYPE: &'static str;
    const NAMES: &'static NameTable;

    fn put_fields<M: SerializeMap>(&self, map: &mut M, secrets: Secrets) -> Result<(), M::Error>;

    fn debug_fields(&self, out: &mut fmt::DebugStruct<'_, '_>);

    /// Whether anything beside the id has a value.
    fn has_values(&self) -> bool;

    fn additional(&self) -> &AdditionalData;

    fn is_bare(&self) -> bool {
        !self.has_values() && self.additional().only_annotations()
    }

    fn was_null(&self, field: &str) -> bool {
        Self::NAMES
            .position_of_field(field)
            .is_some_and(|index| self.additional().was_null(index))
    }
}

/// Declares a complex type, a part of an entity.
///
/// ```text
/// complex! {
///     /// What it is.
///     AssignedLicense {
///         /// What the property says.
///         sku_id: String as Guid = SKU_ID("skuId");
///     }
/// }
/// ```
/// `field: Type [as ConstantType] = CONSTANT("wireName"[, "support row"]) [set|create|update [never null]];` The
/// constant's type is the field's type unless it differs: a GUID stored as text, or the content of a `Box`. The
/// last words say when the property can be set: always, only in a create, only in an update; without them,
/// never. `set never null` and `update never null` are for properties that always have a value, which no update clears. Each property is also a builder method of that name, for values in request bodies.
macro_rules! complex {
    ($(#[$meta:meta])* $name:ident { $($body:tt)* }) => {
        $crate::model::model! {
            $(#[$meta])*
            $name [] "" { $($body)* } {}
        }

        $crate::model::model!(@setters $name { $($body)* });
    };
}

/// Declares an entity: a complex type with an id, its own OData type and relations.
///
/// `always [..]` names properties that every such object has: when they came as null, the caller
/// may see the object but not read it.
///
/// `id unfiltered` behind it is for types whose page documents no `$filter` on the id.
macro_rules! entity {
    (
        $(#[$meta:meta])*
        $name:ident: $odata_type:literal, always [$($always:ident),* $(,)?] $(, id $unfiltered:ident)? { $($body:tt)* }
        $(relations { $($relations:tt)* })?
    ) => {
        $crate::model::model! {
            $(#[$meta])*
            $name [id $($unfiltered)?] $odata_type { $($body)* } { $($($relations)*)? }
        }

        impl $name {
            /// Whether the caller may see this object but not read it: Graph then sends its id and
            /// type, and null for everything else.
            ///
            /// A select must name a property that every such object has, such as the display name, for
            /// this to be told from an object without values.
            #[must_use]
            #[inline]
            pub fn is_limited(&self) -> bool {
                $crate::model::Model::is_bare(self)
                    && [$($crate::model::Model::was_null(self, stringify!($always))),*].contains(&true)
            }
        }

        impl $name {
            /// Whether the response has an `error` property.
            #[inline]
            pub(crate) fn has_error(&self) -> bool {
                $crate::model::Model::additional(self).has_error()
            }

            pub(crate) const fn additional_mut(&mut self) -> &mut $crate::model::AdditionalData {
                &mut self.additional
            }

            pub(crate) fn object_id(&self) -> &str {
                &self.id
            }
        }

        $crate::model::entity_row!($name);
    };
}

/// The common part of [`complex!`] and [`entity!`].
macro_rules! model {
    (
        $(#[$meta:meta])*
        $name:ident [$($id:ident $($unfiltered:ident)?)?] $odata_type:literal {
            $(
                $(#[$doc:meta])*
                $field:ident: $type:ty $(as $kind:ty)? = $constant:ident($wire:literal $(, $support:literal)?) $($access:ident $($never:ident $null:ident)?)?;
            )*
        } {
            $(
                $(#[$relation_doc:meta])*
                $relation:ident: $relation_type:ty = $relation_constant:ident($relation_wire:literal);
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $(
                /// The object id, empty only if the server left it out.
                pub $id: String,
            )?
            $($(#[$doc])* pub $field: Option<$type>,)*
            $($(#[$relation_doc])* pub $relation: Option<$relation_type>,)*
            additional: $crate::model::AdditionalData,
        }

        impl $name {
            $(
                #[doc = concat!("The object ", stringify!($id), ".")]
                pub const ID: $crate::odata::Property<Self, String, $crate::odata::ReadOnly> = $crate::odata::Property::new(
                    stringify!($id),
                    $crate::model::model!(@id $($unfiltered)?),
                );
            )?
            $(
                $(#[$doc])*
                pub const $constant: $crate::odata::Property<Self, $crate::model::model!(@kind $type $(, $kind)?), $crate::model::model!(@access $($access $($never $null)?)?)> =
                    $crate::odata::Property::new($wire, $crate::model::model!(@support $($support)?));
            )*
            $(
                $(#[$relation_doc])*
                pub const $relation_constant: $crate::odata::NavigationProperty<Self> = $crate::odata::NavigationProperty::new(
                    $relation_wire,
                    &<$relation_type as $crate::odata::Described>::INFO,
                );
            )*

            /// The wire names of all declared properties.
            pub const ALL: &'static [&'static str] = &[$(stringify!($id),)? $($wire),*];

            /// The properties and when they can be set: `set`, `create`, `update`, or empty for never.
            #[cfg(test)]
            #[allow(dead_code, reason = "compared for the types whose facts say it")]
            pub(crate) const ACCESS: &'static [(&'static str, &'static str)] =
                &[$(($wire, stringify!($($access)?))),*];

            /// Annotations and properties that this type does not know; they survive a round trip.
            #[must_use]
            pub const fn additional(&self) -> &$crate::model::AdditionalData {
                &self.additional
            }
        }

        const _: () = {
            #[derive(Clone, Copy)]
            #[expect(non_camel_case_types, reason = "the variants are the fields")]
            enum Field { $($id,)? $($field,)* $($relation,)* }

            impl $crate::model::Model for $name {
                const TYPE: &'static str = $odata_type;
                const NAMES: &'static $crate::model::NameTable = &$crate::model::NameTable::new(
                    &[$(stringify!($id),)? $($wire,)* $($relation_wire),*],
                    &[$(stringify!($id),)? $(stringify!($field),)* $(stringify!($relation)),*],
                );

                fn put_fields<M: serde::ser::SerializeMap>(
                    &self,
                    map: &mut M,
                    secrets: $crate::model::Secrets,
                ) -> Result<(), M::Error> {
                    let nulls = &self.additional;
                    $($crate::model::put_id(map, &self.$id, nulls, Field::$id as usize)?;)?
                    $($crate::model::put(map, $wire, &self.$field, nulls, (Field::$field as usize, secrets))?;)*
                    $($crate::model::put(map, $relation_wire, &self.$relation, nulls, (Field::$relation as usize, secrets))?;)*
                    Ok(())
                }

                #[inline]
                fn debug_fields(&self, out: &mut std::fmt::DebugStruct<'_, '_>) {
                    $(out.field(stringify!($id), &self.$id);)?
                    $(if let Some(value) = &self.$field { out.field(stringify!($field), value); })*
                    $(if let Some(value) = &self.$relation { out.field(stringify!($relation), value); })*
                }

                #[inline]
                fn has_values(&self) -> bool {
                    $(self.$field.as_ref().is_some_and($crate::model::Value::is_meaningful) ||)*
                    $(self.$relation.is_some() ||)*
                    false
                }

                #[inline]
                fn additional(&self) -> &$crate::model::AdditionalData {
                    &self.additional
                }
            }

            impl $crate::model::Object for $name {
                #[inline]
                fn names(&self) -> &'static $crate::model::NameTable {
                    <Self as $crate::model::Model>::NAMES
                }

                #[inline]
                fn property(&mut self, index: usize) -> $crate::model::FieldSlot<'_> {
                    const FIELDS: &[Field] =
                        &[$(Field::$id,)? $(Field::$field,)* $(Field::$relation),*];
                    match FIELDS[index] {
                        $(Field::$id => $crate::model::FieldSlot::Id(&mut self.$id),)?
                        $(Field::$field => $crate::model::Value::field_slot(&mut self.$field),)*
                        $(Field::$relation => $crate::model::Value::field_slot(&mut self.$relation),)*
                    }
                }

                #[inline]
                fn extra(&mut self) -> Option<&mut $crate::model::AdditionalData> {
                    Some(&mut self.additional)
                }

                #[inline]
                fn odata_type(&self) -> &'static str {
                    $odata_type
                }

                #[inline]
                fn mark_cut(&mut self, _name: &str) {
                    $(if _name == $relation_wire && let Some(value) = &mut self.$relation {
                        $crate::model::Value::mark_cut(value);
                    })*
                }

                #[inline]
                fn mark_complete(&mut self, _name: &str) {
                    $(if _name == $relation_wire && let Some(value) = &mut self.$relation {
                        $crate::model::Value::mark_complete(value);
                    })*
                }
            }
        };

        impl $crate::model::DecodeTarget for $name {
            #[inline]
            fn field_slot(&mut self) -> $crate::model::FieldSlot<'_> {
                $crate::model::FieldSlot::Object(self)
            }
        }

        /// Shows what is set, and leaves the rest out.
        impl std::fmt::Debug for $name {
            #[inline]
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut out = f.debug_struct(stringify!($name));
                $crate::model::Model::debug_fields(self, &mut out);
                self.additional.debug_fields(&mut out);
                out.finish()
            }
        }

        impl $crate::model::Value for $name {
            #[inline]
            fn field_slot(slot: &mut Option<Self>) -> $crate::model::FieldSlot<'_> {
                $crate::model::FieldSlot::Object(slot.insert(Self::default()))
            }

            fn encode<S: serde::Serializer>(
                &self,
                serializer: S,
                secrets: $crate::model::Secrets,
            ) -> Result<S::Ok, S::Error> {
                $crate::model::encode(self, serializer, secrets)
            }
        }

        $crate::model::model!(@serde $name);
    };

    (@setters $name:ident { $(
        $(#[$doc:meta])*
        $field:ident: $type:ty $(as $kind:ty)? = $constant:ident($wire:literal $(, $support:literal)?) $($access:ident $($never:ident $null:ident)?)?;
    )* }) => {
        impl $name {
            $(
                #[doc = concat!("The same value with `", $wire, "`, for a request body.")]
                #[must_use]
                #[inline]
                pub fn $field(mut self, value: impl Into<$type>) -> Self {
                    self.$field = Some(value.into());
                    self
                }
            )*
        }

        impl $crate::model::Settable for $name {}

        impl $crate::model::BodyValue<$name> for $name {
            #[inline]
            fn write_into(&self, body: &mut $crate::model::SecretBuffer) {
                body.push_value(self);
            }
        }
    };

    (@kind $type:ty) => { $type };
    (@kind $type:ty, $kind:ty) => { $kind };

    (@access) => { $crate::odata::ReadOnly };
    (@access set) => { $crate::odata::Writable };
    (@access create) => { $crate::odata::CreateOnly };
    (@access update) => { $crate::odata::UpdateOnly };
    (@access set never null) => { $crate::odata::Required };
    (@access update never null) => { $crate::odata::UpdateRequired };

    (@id) => { $crate::odata::Support::parse("eq") };
    (@id unfiltered) => { $crate::odata::Support::NONE };

    (@support) => { $crate::odata::Support::NONE };
    (@support $support:literal) => { $crate::odata::Support::parse($support) };

    (@serde $name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::model::read(deserializer)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::model::Value::encode(self, serializer, $crate::model::Secrets::LeaveOut)
            }
        }
    };
}

pub(crate) use {complex, entity, model};
