use serde::{Deserialize, Serializer};

use super::{
    application::Application, device::Device, group::Group, service_principal::ServicePrincipal,
    user::User,
};
use crate::{
    error::Error,
    model::{
        AdditionalData, DecodeTarget, Entity, FieldSlot, Model, ODATA_TYPE, Object, Secrets, Typed,
        Value, capable, entity, entity_row, model, type_name,
    },
    odata::{Described, EntityInfo, Property, ReadOnly, Support},
};

/// Declares [`DirectoryObject`] with a variant per known type.
macro_rules! directory_objects {
    ($($(#[$doc:meta])* $variant:ident = $cast:literal $(, derived $($derived:literal)*)?;)*) => {
        /// A directory object of any type, such as a member, an owner or a manager.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum DirectoryObject {
            $($(#[$doc])* $variant(Box<$variant>),)*
            /// An object of a type that has no variant, or without a type.
            Other(Box<OtherObject>),
        }

        impl DirectoryObject {
            /// The object id, empty only if the server left it out.
            #[must_use]
            #[inline]
            pub fn id(&self) -> &str {
                match self {
                    $(Self::$variant(object) => &object.id,)*
                    Self::Other(object) => &object.id,
                }
            }

            /// The display name.
            #[must_use]
            #[inline]
            pub fn display_name(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(object) => object.display_name.as_deref(),)*
                    Self::Other(object) => object.display_name.as_deref(),
                }
            }

            #[inline]
            fn has_error(&self) -> bool {
                match self {
                    $(Self::$variant(object) => object.has_error(),)*
                    Self::Other(object) => object.has_error(),
                }
            }

            #[inline]
            fn additional_mut(&mut self) -> &mut AdditionalData {
                match self {
                    $(Self::$variant(object) => object.additional_mut(),)*
                    Self::Other(object) => object.additional_mut(),
                }
            }

            #[inline]
            fn object_id(&self) -> &str {
                self.id()
            }

            /// Whether the caller may see this object but not read it: Graph then sends its id
            /// and type, and null for everything else.
            #[must_use]
            #[inline]
            pub fn is_limited(&self) -> bool {
                match self {
                    $(Self::$variant(object) => object.is_limited(),)*
                    Self::Other(object) => object.is_limited(),
                }
            }
        }

        impl Typed for DirectoryObject {
            #[inline]
            fn of_type(&mut self, odata_type: &str) -> &mut dyn Object {
                *self = match odata_type {
                    $(<$variant as Model>::TYPE $($(| $derived)*)? => Self::$variant(Box::default()),)*
                    _ => Self::Other(Box::default()),
                };
                match self {
                    $(Self::$variant(object) => &mut **object,)*
                    Self::Other(object) => &mut **object,
                }
            }
        }

        impl Value for DirectoryObject {
            #[inline]
            fn field_slot(slot: &mut Option<Self>) -> FieldSlot<'_> {
                FieldSlot::Typed(slot.insert(Self::default()))
            }

            fn encode<S: Serializer>(
                &self,
                serializer: S,
                secrets: Secrets,
            ) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(object) => object.encode(serializer, secrets),)*
                    Self::Other(object) => object.encode(serializer, secrets),
                }
            }
        }

        $(
            impl DirectoryEntity for $variant {
                const CAST: &'static str = $cast;
                $(const DERIVED: &'static [&'static str] = &[$($derived),*];)?
            }
        )*
    };
}

directory_objects! {
    /// A user; an agent's user account is one too.
    User = "microsoft.graph.user", derived "#microsoft.graph.agentUser";
    /// A group.
    Group = "microsoft.graph.group";
    /// A computer or phone.
    Device = "microsoft.graph.device";
    /// An app registration.
    Application = "microsoft.graph.application", derived "#microsoft.graph.agentIdentityBlueprint";
    /// A service principal, such as an enterprise application.
    ServicePrincipal = "microsoft.graph.servicePrincipal",
        derived "#microsoft.graph.agentIdentity" "#microsoft.graph.agentIdentityBlueprintPrincipal";
}

entity! {
    /// An object of a type that this crate does not know.
    OtherObject: "", always [display_name] {
        /// When the object was deleted, if it can still be restored.
        deleted_date_time: entra_core::Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// The display name.
        display_name: String = DISPLAY_NAME("displayName");
    }
}

/// An entity that collections of mixed types can be narrowed to.
pub trait DirectoryEntity: Entity {
    /// The type's name in a path.
    #[doc(hidden)]
    const CAST: &'static str;
    /// The types that are of this one too, as Graph names them.
    #[doc(hidden)]
    const DERIVED: &'static [&'static str] = &[];
}

impl OtherObject {
    /// The type that Graph named, such as `#microsoft.graph.orgContact`.
    #[must_use]
    #[inline]
    pub fn odata_type(&self) -> Option<String> {
        let json = self.additional().get(ODATA_TYPE)?;
        Some(type_name(json).into_owned())
    }
}

impl DirectoryObject {
    /// The object id.
    pub const ID: Property<Self, String, ReadOnly> = Property::new("id", Support::parse("eq+"));
    /// The display name.
    pub const DISPLAY_NAME: Property<Self, String, ReadOnly> = Property::new(
        "displayName",
        Support::parse("eq+ startsWith+ null+ orderby+ search+"),
    );
    /// The mail address of a user or a group.
    pub const MAIL: Property<Self, String, ReadOnly> =
        Property::new("mail", Support::parse("eq+ startsWith+ endsWith+ null+"));
    /// The sign-in name of a user.
    pub const USER_PRINCIPAL_NAME: Property<Self, String, ReadOnly> = Property::new(
        "userPrincipalName",
        Support::parse("eq+ startsWith+ endsWith+"),
    );
    /// The application (client) id of a service principal or an application.
    pub const APP_ID: Property<Self, String, ReadOnly> =
        Property::new("appId", Support::parse("eq+"));
    /// When the object was deleted; of related objects only.
    pub const DELETED_DATE_TIME: Property<Self, entra_core::Timestamp, ReadOnly> =
        Property::new("deletedDateTime", Support::NONE);
    /// Whether a user, device or service principal may sign in.
    pub const ACCOUNT_ENABLED: Property<Self, bool, ReadOnly> =
        Property::new("accountEnabled", Support::parse("eq+"));

    /// The object as a user, if it is one.
    #[must_use]
    #[inline]
    pub fn as_user(&self) -> Option<&User> {
        match self {
            Self::User(user) => Some(user),
            _ => None,
        }
    }

    /// The object as a group, if it is one.
    #[must_use]
    #[inline]
    pub fn as_group(&self) -> Option<&Group> {
        match self {
            Self::Group(group) => Some(group),
            _ => None,
        }
    }

    /// The object as a device, if it is one.
    #[must_use]
    #[inline]
    pub fn as_device(&self) -> Option<&Device> {
        match self {
            Self::Device(device) => Some(device),
            _ => None,
        }
    }

    /// The object as an app registration, if it is one.
    #[must_use]
    #[inline]
    pub fn as_application(&self) -> Option<&Application> {
        match self {
            Self::Application(application) => Some(application),
            _ => None,
        }
    }

    /// The object as a service principal, if it is one.
    #[must_use]
    #[inline]
    pub fn as_service_principal(&self) -> Option<&ServicePrincipal> {
        match self {
            Self::ServicePrincipal(service_principal) => Some(service_principal),
            _ => None,
        }
    }
}

impl DirectoryObject {
    /// The object as an entity that has no variant here, such as one of a feature of this crate; `None` if it
    /// is of another type.
    ///
    /// ```
    /// # #[cfg(feature = "administrative-units")]
    /// # fn example(object: &entra_graph::DirectoryObject) -> Result<(), entra_graph::Error> {
    /// use entra_graph::AdministrativeUnit;
    /// if let Some(unit) = object.downcast::<AdministrativeUnit>()? {
    ///     println!("{:?}", unit.description);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when a property has another type than the entity's.
    pub fn downcast<E: DirectoryEntity>(&self) -> Result<Option<E>, Error> {
        let json = serde_json::to_string(self)
            .map_err(|source| Error::decode("the object cannot be written", source))?;
        let named: TypeName = serde_json::from_str(&json)
            .map_err(|source| Error::decode("the object has no type", source))?;
        let is_type = named.odata_type.is_some_and(|name| {
            name.trim_start_matches('#') == E::CAST || E::DERIVED.contains(&name.as_str())
        });
        is_type.then(|| E::read_one(json.as_bytes())).transpose()
    }
}

#[derive(Deserialize)]
struct TypeName {
    #[serde(rename = "@odata.type")]
    odata_type: Option<String>,
}

impl Described for DirectoryObject {
    const INFO: EntityInfo = EntityInfo::directory("directory object", "directory objects");
}

capable!(DirectoryObject: Selectable, Filterable, Orderable, Searchable, Toppable, Countable);

impl Default for DirectoryObject {
    #[inline]
    fn default() -> Self {
        Self::Other(Box::default())
    }
}

impl DecodeTarget for DirectoryObject {
    #[inline]
    fn field_slot(&mut self) -> FieldSlot<'_> {
        FieldSlot::Typed(self)
    }
}

entity_row!(DirectoryObject);

model!(@serde DirectoryObject);
