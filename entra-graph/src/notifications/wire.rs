//! What Graph sends, as documented for `changeNotificationCollection`.

use std::{borrow::Cow, fmt, marker::PhantomData};

use entra_core::Secret;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

/// A body: notifications, each of which is read alone, so that an invalid one does not take others along.
#[derive(Deserialize)]
pub(super) struct Collection<'a> {
    #[serde(borrow)]
    pub(super) value: Vec<&'a RawValue>,
    #[serde(borrow, default, rename = "validationTokens")]
    validation_tokens: Option<Vec<Cow<'a, str>>>,
}

/// One notification.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) subscription_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) subscription_expiration_date_time: Option<Cow<'a, str>>,
    pub(super) client_state: Option<Secret>,
    #[serde(borrow)]
    pub(super) change_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) resource: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) tenant_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) resource_data: Option<ResourceData<'a>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) encrypted_content: Option<EncryptedContent<'a>>,
    #[serde(borrow)]
    pub(super) lifecycle_event: Option<Cow<'a, str>>,
}

/// Which object changed.
#[derive(Deserialize)]
pub(super) struct ResourceData<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "@odata.type")]
    pub(super) odata_type: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "@odata.etag")]
    pub(super) etag: Option<Cow<'a, str>>,
}

/// The changed resource, encrypted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EncryptedContent<'a> {
    #[serde(borrow)]
    pub(super) data: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) data_signature: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) data_key: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) encryption_certificate_id: Cow<'a, str>,
}

impl<'a> Collection<'a> {
    /// Returns `None` for a body that is not a collection of notifications.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let Object(collection) = serde_json::from_slice(body).ok()?;
        Some(collection)
    }

    pub(super) fn validation_tokens(&self) -> &[Cow<'a, str>] {
        self.validation_tokens.as_deref().unwrap_or_default()
    }
}

impl<'a> Item<'a> {
    pub(super) fn read(item: &'a RawValue) -> Option<Self> {
        let Object(item) = serde_json::from_str(item.get()).ok()?;
        Some(item)
    }
}

/// Reads an object only. What serde derives also reads an array, as the values in the order of the fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// An object or null.
fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let object = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(object.map(|Object(object)| object))
}
