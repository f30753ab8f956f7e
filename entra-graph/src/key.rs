//! The key of one object: its id, or an alternate key.

use entra_core::{ClientId, Guid, ObjectId};

/// The key of one object: its id, or an alternate key.
///
/// ```
/// use entra_graph::Key;
/// let by_id = Key::from("8f9c…");
/// let by_app_id = Key::app_id("4f1c…");
/// # let _ = (by_id, by_app_id);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    name: Option<&'static str>,
    value: String,
}

impl Key {
    /// The application (client) id of an application or a service principal.
    pub fn app_id(id: impl Into<String>) -> Self {
        Self::alternate("appId", id)
    }

    /// The device id, which the device sets at registration.
    pub fn device_id(id: impl Into<String>) -> Self {
        Self::alternate("deviceId", id)
    }

    /// The unique name of an application or a group.
    pub fn unique_name(name: impl Into<String>) -> Self {
        Self::alternate("uniqueName", name)
    }

    /// The name of a federated identity credential.
    pub fn name(name: impl Into<String>) -> Self {
        Self::alternate("name", name)
    }

    /// The template of an activated directory role.
    #[cfg(feature = "role-management")]
    pub fn role_template_id(id: impl Into<String>) -> Self {
        Self::alternate("roleTemplateId", id)
    }

    fn alternate(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            name: Some(name),
            value: value.into(),
        }
    }

    /// Whether this is an object id, as far as its form tells.
    #[inline]
    pub(crate) fn is_object_id(&self) -> bool {
        self.name.is_none() && self.value.parse::<Guid>().is_ok()
    }

    pub(crate) const fn is_alternate(&self) -> bool {
        self.name.is_some()
    }

    /// The path segments of the object in this collection.
    #[inline]
    pub(crate) fn segments(&self, collection: &str) -> Result<(String, Option<String>), String> {
        let value = self.value.as_str();
        if !is_segment(value) {
            return Err(format!(
                "{value:?} is not an id: one object of /{collection} is named by its id or another key"
            ));
        }
        let quoted = value.replace('\'', "''");
        Ok(match self.name {
            Some(name) => (format!("{collection}({name}='{quoted}')"), None),
            // A segment that starts with a dollar sign would be an operator.
            None if value.starts_with('$') => (format!("{collection}('{quoted}')"), None),
            None => (collection.to_owned(), Some(value.to_owned())),
        })
    }
}

/// The client id of Microsoft Graph, the same in every tenant.
#[cfg(any(feature = "connection", feature = "registration"))]
pub(crate) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// Whether an API is Microsoft Graph: by its root in a cloud of Microsoft, or by its client id.
#[cfg(any(feature = "connection", feature = "registration"))]
pub(crate) fn is_graph(api: &str) -> bool {
    let plain = api.trim_end_matches('/');
    GRAPH.iter().any(|one| one.eq_ignore_ascii_case(plain))
}

#[cfg(any(feature = "connection", feature = "registration"))]
const GRAPH: [&str; 5] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
    GRAPH_APP_ID,
];

/// Whether a text can be one segment of a path.
///
/// An empty one or dots would address the collection or its parent. A URL drops tabs and line breaks, so a text with
/// a control character would name another object, or be dots without seeming so.
pub(crate) fn is_segment(text: &str) -> bool {
    !matches!(text.trim(), "" | "." | "..") && !text.chars().any(char::is_control)
}

macro_rules! key_from {
    ($($type:ty),*) => {$(
        impl From<$type> for Key {
            #[inline]
            fn from(id: $type) -> Self {
                Self {
                    name: None,
                    value: id.to_string(),
                }
            }
        }
    )*};
}

key_from!(&str, String, &String, ObjectId, &ObjectId, Guid);

/// An application (client) id is an alternate key.
impl From<ClientId> for Key {
    #[inline]
    fn from(id: ClientId) -> Self {
        Self::app_id(id.to_string())
    }
}
