//! Request bodies: what is set, what is cleared, and secrets in memory that is overwritten.

use std::{borrow::Cow, io};

use entra_core::{ClientId, Guid, ObjectId, Secret, Timestamp, bytes::Bytes};
use zeroize::Zeroize;

use super::{Encoded, Json, Secrets, Value};

/// A value that can be sent for a property of type `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent for a property of type `{T}`",
    note = "use a value of the type that the property constant names"
)]
pub trait BodyValue<T> {
    /// Appends the value as JSON.
    #[doc(hidden)]
    fn write_into(&self, body: &mut SecretBuffer);
}

/// A type that a property in a request body can have, and how it is cleared.
pub trait Settable {
    /// What clears such a property: `null`, or no elements.
    #[doc(hidden)]
    const CLEARED: &'static str = "null";
}

/// The JSON of a request body, by property. Setting a property again replaces the value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    properties: Vec<(Cow<'static, str>, SecretBuffer)>,
}

/// Bytes that are overwritten when they are dropped or grow out of their memory. `Debug` shows the length.
#[derive(Clone, Default)]
#[doc(hidden)]
pub struct SecretBuffer(Vec<u8>);

impl Body {
    pub(crate) fn set<T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: &(impl BodyValue<T> + ?Sized),
    ) {
        let mut json = SecretBuffer::default();
        value.write_into(&mut json);
        self.put(name.into(), json);
    }

    /// Sets a property to JSON text as it stands.
    pub(crate) fn set_json(&mut self, name: impl Into<Cow<'static, str>>, json: &str) {
        let mut buffer = SecretBuffer::default();
        buffer.push(json.as_bytes());
        self.put(name.into(), buffer);
    }

    /// Sets a property to an object.
    pub(crate) fn set_body(&mut self, name: impl Into<Cow<'static, str>>, body: &Self) {
        self.put(name.into(), body.write());
    }

    /// Sets a property that takes any number of values of one kind.
    pub(crate) fn set_strings<S: AsRef<str>>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        values: &[S],
    ) {
        let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
        self.set::<Vec<String>>(name, values.as_slice());
    }

    /// The properties with their JSON.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.properties
            .iter()
            .map(|(name, json)| (name.as_ref(), json.as_ref()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }

    /// The body as a JSON object. The bytes are overwritten when the last copy is dropped.
    #[inline]
    pub(crate) fn into_bytes(self) -> Bytes {
        self.write().into_bytes()
    }

    /// Written into memory that is large enough from the start, so that nothing is copied.
    #[inline]
    fn write(&self) -> SecretBuffer {
        let length: usize = self
            .properties
            .iter()
            .map(|(name, json)| name.len() + json.0.len() + 4)
            .sum();
        let mut out = SecretBuffer(Vec::with_capacity(length + 2));
        out.push(b"{");
        for (at, (name, json)) in self.properties.iter().enumerate() {
            if at > 0 {
                out.push(b",");
            }
            out.push_json(name);
            out.push(b":");
            out.push(&json.0);
        }
        out.push(b"}");
        out
    }

    #[inline]
    fn put(&mut self, name: Cow<'static, str>, json: SecretBuffer) {
        let mut properties = self.properties.iter_mut();
        match properties.find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some(property) => *property = (name, json),
            None => self.properties.push((name, json)),
        }
    }
}

impl SecretBuffer {
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            // A growing `Vec` would leave a copy of the old bytes in memory.
            let mut larger = Vec::with_capacity(needed.max(64).next_power_of_two());
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    /// Appends a value with its secrets.
    pub(crate) fn push_value(&mut self, value: &impl Value) {
        self.push_json(&Encoded(value, Secrets::Write));
    }

    #[inline]
    pub(crate) fn push_json(&mut self, value: &(impl serde::Serialize + ?Sized)) {
        // No value of this crate fails to be written: all have text as keys, and every time has a form.
        if serde_json::to_writer(&mut *self, value).is_err() {
            self.push(b"null");
        }
    }

    #[inline]
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for SecretBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for SecretBuffer {
    #[inline]
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl io::Write for SecretBuffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for SecretBuffer {
    #[inline]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretBuffer({} bytes)", self.0.len())
    }
}

macro_rules! body_values {
    ($($type:ty),*) => {$(
        impl BodyValue<Self> for $type {
            #[inline]
            fn write_into(&self, body: &mut SecretBuffer) {
                body.push_value(self);
            }
        }
    )*};
}

macro_rules! settable {
    ($($type:ty),*) => {$(impl Settable for $type {})*};
}

settable!(bool, i32, i64, f64, String, Timestamp, Secret, Json, Guid);

/// Collections are never null in Graph; a cleared one is empty.
impl<T> Settable for Vec<T> {
    const CLEARED: &'static str = "[]";
}

body_values!(bool, i32, i64, f64, String, Timestamp, Secret, Json);

impl BodyValue<String> for str {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        body.push_json(self);
    }
}

macro_rules! ids {
    ($($id:ty => $($target:ty),*;)*) => {$($(
        impl BodyValue<$target> for $id {
            #[inline]
            fn write_into(&self, body: &mut SecretBuffer) {
                body.push_json(&self.to_string());
            }
        }
    )*)*};
}

ids! {
    Guid => Guid, String;
    ClientId => Guid, String;
    ObjectId => Guid, String;
}

/// The text of a GUID.
impl BodyValue<Guid> for str {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        body.push_json(self);
    }
}

impl BodyValue<Guid> for String {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        body.push_json(self.as_str());
    }
}

impl BodyValue<Secret> for str {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        body.push_json(self);
    }
}

impl BodyValue<Json> for serde_json::Value {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        body.push_json(self);
    }
}

impl<T, V: BodyValue<T> + ?Sized> BodyValue<T> for &V {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        (**self).write_into(body);
    }
}

impl<T, V: BodyValue<T>> BodyValue<Vec<T>> for [V] {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        body.push(b"[");
        for (at, value) in self.iter().enumerate() {
            if at > 0 {
                body.push(b",");
            }
            value.write_into(body);
        }
        body.push(b"]");
    }
}

impl<T, V: BodyValue<T>, const N: usize> BodyValue<Vec<T>> for [V; N] {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        self.as_slice().write_into(body);
    }
}

impl<T, V: BodyValue<T>> BodyValue<Vec<T>> for Vec<V> {
    #[inline]
    fn write_into(&self, body: &mut SecretBuffer) {
        self.as_slice().write_into(body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T>(value: &(impl BodyValue<T> + ?Sized)) -> String {
        let mut body = Body::default();
        body.set::<T>("x", value);
        String::from_utf8(body.into_bytes().to_vec()).unwrap_or_default()
    }

    #[test]
    fn a_buffer_grows_in_powers_of_two_and_stays_while_there_is_room() {
        let mut buffer = SecretBuffer::default();
        buffer.push(&[b'a'; 1]);
        assert_eq!(buffer.0.capacity(), 64);
        let place = buffer.0.as_ptr();
        buffer.push(&[b'a'; 63]);
        assert_eq!(buffer.0.as_ptr(), place, "sixty-four bytes have room");
        buffer.push(&[b'a'; 10]);
        assert_eq!(buffer.0.capacity(), 128);
        assert_eq!(buffer.0, [b'a'; 74]);
    }

    #[test]
    fn a_body_is_written_into_memory_of_its_own_length() {
        let mut body = Body::default();
        for name in ["displayName", "department", "x"] {
            body.set::<String>(name, "a value that is longer than its name");
        }
        let out = body.write();
        let (length, room) = (out.0.len(), out.0.capacity());
        assert!(length <= room && room <= length + 1, "{length} of {room}");
    }

    #[test]
    fn every_way_to_give_a_value_writes_it() {
        let guid = "11111111-1111-1111-1111-111111111111";
        let quoted = format!(r#"{{"x":"{guid}"}}"#);
        assert_eq!(written::<Guid>(guid), quoted);
        assert_eq!(written::<Guid>(&guid.to_owned()), quoted);
        assert_eq!(written::<Secret>("canary"), r#"{"x":"canary"}"#);
        let list = r#"{"x":["a","b"]}"#;
        assert_eq!(written::<Vec<String>>(&vec!["a", "b"]), list);
        assert_eq!(written::<Vec<String>>(&["a", "b"]), list);
        assert_eq!(written::<Vec<String>>(["a", "b"].as_slice()), list);
        assert_eq!(written::<bool>(&true), r#"{"x":true}"#);
        assert_eq!(
            written::<Json>(&serde_json::json!({ "a": 1 })),
            r#"{"x":{"a":1}}"#
        );
    }

    #[test]
    fn debug_shows_the_length_and_no_byte_of_a_value() {
        let mut body = Body::default();
        body.set::<Secret>("password", "canary-of-a-body");
        let text = format!("{body:?}");
        assert!(text.contains("SecretBuffer(18 bytes)"), "{text}");
        assert!(!text.contains("canary-of-a-body"), "{text}");
    }
}
