use std::fmt;

use serde::{
    Deserializer, Serializer,
    de::{self, MapAccess, Visitor},
};

use crate::{
    Application, Device, Group, ServicePrincipal, User,
    entity::{Entity, EntityInfo, Row, capable},
    model::{Json, Model, ODATA_TYPE, Value, entity, model, type_name},
    odata::{Property, Support},
};

/// Declares [`DirectoryObject`]: a variant per type that this crate knows.
macro_rules! directory_objects {
    ($($(#[$doc:meta])* $variant:ident = $cast:literal;)*) => {
        /// An object of any type, as members, owners and managers are.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum DirectoryObject {
            $($(#[$doc])* $variant(Box<$variant>),)*
            /// Of a type that this crate does not know, or sent without its type.
            Other(Box<OtherObject>),
        }

        impl DirectoryObject {
            /// The object id, empty only if the server left it out.
            #[must_use]
            pub fn id(&self) -> &str {
                match self {
                    $(Self::$variant(object) => &object.id,)*
                    Self::Other(object) => &object.id,
                }
            }

            /// The name shown to people.
            #[must_use]
            pub fn display_name(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(object) => object.display_name.as_deref(),)*
                    Self::Other(object) => object.display_name.as_deref(),
                }
            }

            /// Whether the caller may see this object but not read it: Graph then sends its id
            /// and type, and null for everything else.
            #[must_use]
            pub fn is_limited(&self) -> bool {
                match self {
                    $(Self::$variant(object) => object.is_limited(),)*
                    Self::Other(object) => object.is_limited(),
                }
            }

            /// Reads an object of the type that was named first in it.
            fn of_type<'de, A: MapAccess<'de>>(
                odata_type: &str,
                annotations: Vec<(Box<str>, Json)>,
                map: &mut A,
            ) -> Result<Self, A::Error> {
                Ok(match odata_type {
                    $(<$variant as Model>::TYPE => Self::$variant(rest(annotations, map)?),)*
                    _ => Self::Other(rest(annotations, map)?),
                })
            }

            /// Reads an object from its text, its type being known by now.
            fn parse<E: de::Error>(odata_type: &str, text: &str) -> Result<Self, E> {
                let object = match odata_type {
                    $(<$variant as Model>::TYPE => serde_json::from_str(text).map(Self::$variant),)*
                    _ => serde_json::from_str(text).map(Self::Other),
                };
                object.map_err(E::custom)
            }
        }

        impl Value for DirectoryObject {
            fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(Typed)
            }

            fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(object) => object.encode(serializer),)*
                    Self::Other(object) => object.encode(serializer),
                }
            }
        }

        $(
            impl DirectoryEntity for $variant {
                const CAST: &'static str = $cast;
            }
        )*
    };
}

directory_objects! {
    /// A person, or an account that stands for one.
    User = "microsoft.graph.user";
    /// A group.
    Group = "microsoft.graph.group";
    /// A computer or phone.
    Device = "microsoft.graph.device";
    /// An app registration.
    Application = "microsoft.graph.application";
    /// An app as the tenant has it.
    ServicePrincipal = "microsoft.graph.servicePrincipal";
}

entity! {
    /// An object of a type that this crate does not know.
    OtherObject: "", always [display_name] {
        /// When the object was deleted, if it can still be restored.
        deleted_date_time: entra_core::Timestamp = DELETED_DATE_TIME("deletedDateTime");
        /// The name shown to people.
        display_name: String = DISPLAY_NAME("displayName");
    }
}

/// An entity that collections of mixed types can be narrowed to.
pub trait DirectoryEntity: Entity {
    /// The type's name in a path.
    #[doc(hidden)]
    const CAST: &'static str;
}

impl OtherObject {
    /// The type that Graph named, such as `#microsoft.graph.orgContact`.
    #[must_use]
    pub fn odata_type(&self) -> Option<String> {
        let json = self.additional().get(ODATA_TYPE)?;
        Some(type_name(json).into_owned())
    }
}

impl DirectoryObject {
    /// The object id.
    pub const ID: Property<Self, String> = Property::new("id", Support::parse("eq+"));
    /// The name shown to people.
    pub const DISPLAY_NAME: Property<Self, String> = Property::new(
        "displayName",
        Support::parse("eq+ startsWith+ null+ orderby+ search+"),
    );
    /// The mail address of a user or a group.
    pub const MAIL: Property<Self, String> =
        Property::new("mail", Support::parse("eq+ startsWith+ endsWith+ null+"));
    /// The sign-in name of a user.
    pub const USER_PRINCIPAL_NAME: Property<Self, String> = Property::new(
        "userPrincipalName",
        Support::parse("eq+ startsWith+ endsWith+"),
    );
    /// The application (client) id of a service principal or an application.
    pub const APP_ID: Property<Self, String> = Property::new("appId", Support::parse("eq+"));
    /// Whether a user, device or service principal may sign in.
    pub const ACCOUNT_ENABLED: Property<Self, bool> =
        Property::new("accountEnabled", Support::parse("eq+"));

    /// The object as a user, if it is one.
    #[must_use]
    pub fn as_user(&self) -> Option<&User> {
        match self {
            Self::User(user) => Some(user),
            _ => None,
        }
    }

    /// The object as a group, if it is one.
    #[must_use]
    pub fn as_group(&self) -> Option<&Group> {
        match self {
            Self::Group(group) => Some(group),
            _ => None,
        }
    }

    /// The object as a device, if it is one.
    #[must_use]
    pub fn as_device(&self) -> Option<&Device> {
        match self {
            Self::Device(device) => Some(device),
            _ => None,
        }
    }

    /// The object as an app registration, if it is one.
    #[must_use]
    pub fn as_application(&self) -> Option<&Application> {
        match self {
            Self::Application(application) => Some(application),
            _ => None,
        }
    }

    /// The object as an app of the tenant, if it is one.
    #[must_use]
    pub fn as_service_principal(&self) -> Option<&ServicePrincipal> {
        match self {
            Self::ServicePrincipal(service_principal) => Some(service_principal),
            _ => None,
        }
    }
}

impl Entity for DirectoryObject {
    const INFO: EntityInfo = EntityInfo::directory("directory object", "directory objects");
}

capable!(DirectoryObject: Selectable, Filterable, Orderable, Searchable, Toppable, Countable);

impl Default for DirectoryObject {
    fn default() -> Self {
        Self::Other(Box::default())
    }
}

impl Row for DirectoryObject {
    fn decode_into<'de, D: Deserializer<'de>>(
        deserializer: D,
        slot: &mut Self,
    ) -> Result<(), D::Error> {
        *slot = Self::decode(deserializer)?;
        Ok(())
    }
}

model!(@serde DirectoryObject);

/// Chooses the type by `@odata.type`, which Graph sends before the first property.
struct Typed;

impl<'de> Visitor<'de> for Typed {
    type Value = DirectoryObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DirectoryObject, A::Error> {
        let mut entries: Vec<(Box<str>, Json)> = Vec::new();
        while let Some(name) = map.next_key::<Box<str>>()? {
            let json: Json = map.next_value()?;
            let names_type = &*name == ODATA_TYPE;
            let property = !name.starts_with('@');
            entries.push((name, json));
            if property {
                return unordered(entries, map);
            }
            if names_type {
                let odata_type = odata_type(&entries);
                return DirectoryObject::of_type(&odata_type, entries, &mut map);
            }
        }
        DirectoryObject::of_type("", entries, &mut map)
    }
}

/// Reads the properties that follow into an object that has its annotations already.
fn rest<'de, T: Model, A: MapAccess<'de>>(
    annotations: Vec<(Box<str>, Json)>,
    map: &mut A,
) -> Result<Box<T>, A::Error> {
    let mut object = Box::<T>::default();
    for (name, json) in annotations {
        object.take_unknown(name, json);
    }
    object.take_rest(map)?;
    Ok(object)
}

/// The rare case: properties came before the type, or there is none.
#[cold]
fn unordered<'de, A: MapAccess<'de>>(
    mut entries: Vec<(Box<str>, Json)>,
    mut map: A,
) -> Result<DirectoryObject, A::Error> {
    while let Some(entry) = map.next_entry()? {
        entries.push(entry);
    }
    let members: Vec<String> = entries
        .iter()
        .map(|(name, json)| {
            serde_json::to_string(name).map(|name| format!("{name}:{}", json.as_str()))
        })
        .collect::<Result<_, _>>()
        .map_err(de::Error::custom)?;
    let text = format!("{{{}}}", members.join(","));
    DirectoryObject::parse(&odata_type(&entries), &text)
}

fn odata_type(entries: &[(Box<str>, Json)]) -> String {
    entries
        .iter()
        .find(|(name, _)| **name == *ODATA_TYPE)
        .map(|(_, json)| type_name(json.as_str()).into_owned())
        .unwrap_or_default()
}
