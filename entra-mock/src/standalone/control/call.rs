//! One checked request to the control API.

use std::{sync::Arc, time::Duration};

use entra_core::Timestamp;
use serde_json::{Map, Value};

use super::{Control, duration, timestamp};
use crate::{engine::Engine, standalone::hosted::Hosted};

/// A request whose body and query have the shapes of its route.
pub(crate) struct Call<'a> {
    /// The whole server.
    pub(crate) control: &'a Arc<Control>,
    /// The tenant at whose address the request arrived.
    pub(crate) tenant: &'a Arc<Hosted>,
    /// Scheme, host and port that the request was sent to.
    base: String,
    parameters: PathParameters,
    query: Map<String, Value>,
    body: Value,
}

impl<'a> Call<'a> {
    /// A request whose query and body were checked.
    pub(crate) const fn new(
        control: &'a Arc<Control>,
        tenant: &'a Arc<Hosted>,
        base: String,
        parameters: PathParameters,
        query: Map<String, Value>,
        body: Value,
    ) -> Self {
        Self {
            control,
            tenant,
            base,
            parameters,
            query,
            body,
        }
    }

    pub(crate) fn engine(&self) -> &'a Arc<Engine> {
        &self.tenant.engine
    }

    /// The address that the request was sent to, such as `https://localhost:8443`. In another container it is not the one
    /// that the server has for itself.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A parameter of the path.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    /// The whole body.
    pub(crate) const fn body(&self) -> &Value {
        &self.body
    }

    /// The members of the body that are not among these names: properties of a Graph object.
    pub(crate) fn properties_except(&self, names: &[&str]) -> Map<String, Value> {
        let mut members = self.body.as_object().cloned().unwrap_or_default();
        members.retain(|name, _| !names.contains(&name.as_str()));
        members
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.body
            .get(name)
            .or_else(|| self.query.get(name))
            .filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.field(name)?.as_bool()
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.field(name)?.as_u64()
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        duration::parse(self.text(name)?)
    }

    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        timestamp::parse(self.text(name)?)
    }

    /// A list of texts; empty if it is missing.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let items = self.field(name).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }
}

/// The parameters in the path of a request, decoded.
pub(crate) type PathParameters = Vec<(&'static str, String)>;
