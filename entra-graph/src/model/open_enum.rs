/// Declares an enum that preserves unknown members.
///
/// ```text
/// open_enum! {
///     /// What it says.
///     UserPurpose {
///         /// When it is so.
///         Shared = "shared";
///     }
/// }
/// ```
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$doc:meta])* $variant:ident = $wire:literal;)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A member that this version of the crate does not know.
            Other(String),
        }

        impl $name {
            /// The member's name on the wire.
            #[must_use]
            #[inline]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            #[inline]
            fn from(name: &str) -> Self {
                match name {
                    $($wire => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::odata::Literal<$name> for $name {
            #[inline]
            fn to_odata(&self) -> String {
                $crate::odata::Literal::<String>::to_odata(self.as_str())
            }
        }

        impl $crate::model::Value for $name {
            #[inline]
            fn field_slot(slot: &mut Option<Self>) -> $crate::model::FieldSlot<'_> {
                $crate::model::FieldSlot::Text(slot)
            }

            fn encode<S: serde::Serializer>(&self, serializer: S, _: $crate::model::Secrets) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::model::Text for Option<$name> {
            #[inline]
            fn take(&mut self, text: &str) -> bool {
                *self = Some(text.into());
                true
            }

            #[inline]
            fn expected(&self) -> &'static str {
                "a text"
            }
        }

        impl $crate::model::Settable for $name {}

        impl $crate::model::BodyValue<$name> for $name {
            #[inline]
            fn write_into(&self, body: &mut $crate::model::SecretBuffer) {
                body.push_value(self);
            }
        }

        $crate::model::model!(@serde $name);
    };
}

pub(crate) use open_enum;
