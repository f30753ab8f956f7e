use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{error::Error, odata::Property};

/// Additional properties and annotations that a model does not declare, as raw JSON.
///
/// Directory extensions and properties newer than this crate are here, and annotations such as
/// `@odata.id`. Empty, it holds no allocation.
#[derive(Clone, Default, PartialEq)]
pub struct AdditionalData {
    /// Declared properties that were an explicit null in the response, by position.
    nulls: [u64; 2],
    /// Whether `@odata.type` came and named the model's own type.
    pub(super) typed: bool,
    pub(super) rest: Vec<(Box<str>, Json)>,
}

/// A JSON value as raw text.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl AdditionalData {
    /// The JSON text of a property, whose name may be in any case.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.rest
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, json)| json.as_str())
    }

    /// A property decoded as `T`, such as a directory extension; absent and null give `None`.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the value is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        match self.get(name) {
            None | Some("null") => Ok(None),
            Some(text) => {
                serde_json::from_str(text).map_err(|source| Error::decode_property(name, source))
            }
        }
    }

    /// A property decoded as the type that it was declared with; absent and null give `None`.
    ///
    /// ```
    /// use entra_core::ClientId;
    /// use entra_graph::{Property, User};
    /// # let app: ClientId = "25883231-668a-43a7-80b2-5685c3f874bc".parse()?;
    /// let cost_center: Property<User, String> = Property::extension(app, "costCenter");
    /// # let user = User::default();
    /// let value: Option<String> = user.additional().property(&cost_center)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the value has another type.
    pub fn property<E, T: DeserializeOwned, A>(
        &self,
        property: &Property<E, T, A>,
    ) -> Result<Option<T>, Error> {
        self.decode(property.name())
    }

    /// Whether there is an `error` that is not null: it takes the place of content.
    #[inline]
    pub(crate) fn has_error(&self) -> bool {
        self.get("error").is_some_and(|error| error != "null")
    }

    /// Takes a property out.
    #[inline]
    pub(crate) fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.rest.iter().position(|(known, _)| **known == *name)?;
        Some(self.rest.remove(at).1)
    }

    /// Takes out the properties whose names have this suffix; the returned names are without it.
    #[inline]
    pub(crate) fn take_suffixed(&mut self, suffix: &str) -> Vec<(String, Json)> {
        let mut taken = Vec::new();
        self.rest
            .retain(|(name, json)| match name.strip_suffix(suffix) {
                Some(relation) => {
                    taken.push((relation.to_owned(), json.clone()));
                    false
                }
                None => true,
            });
        taken
    }

    /// Names and JSON texts, in the order of the response.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rest
            .iter()
            .map(|(name, json)| (&**name, json.as_str()))
    }

    /// Whether there are no additional properties.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(super) fn push(&mut self, name: Box<str>, json: Json) {
        self.rest.push((name, json));
    }

    pub(super) const fn set_null(&mut self, index: usize) {
        self.nulls[index / 64] |= 1 << (index % 64);
    }

    pub(super) const fn was_null(&self, index: usize) -> bool {
        self.nulls[index / 64] & (1 << (index % 64)) != 0
    }

    /// Whether there are annotations at most.
    #[inline]
    pub(super) fn only_annotations(&self) -> bool {
        self.rest.iter().all(|(name, _)| name.contains('@'))
    }

    #[inline]
    pub(crate) fn debug_fields(&self, out: &mut fmt::DebugStruct<'_, '_>) {
        for (name, json) in &self.rest {
            out.field(name, json);
        }
    }
}

impl fmt::Debug for AdditionalData {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Json {
    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value decoded as `T`.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the value is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.as_str())
            .map_err(|source| Error::decode_property("value", source))
    }
}

/// Compares the texts; other white space makes another value.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Json {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
