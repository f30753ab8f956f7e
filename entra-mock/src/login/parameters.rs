//! The parameters of requests that browsers send.

use url::form_urlencoded;

use crate::wire::WireRequest;

/// The parameters of query and form. The query takes precedence.
pub(super) struct Parameters {
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn read(request: &WireRequest) -> Self {
        let parse = |bytes: &[u8]| -> Vec<(String, String)> {
            form_urlencoded::parse(bytes)
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect()
        };
        let form = if request.method == "POST" {
            parse(&request.body)
        } else {
            Vec::new()
        };
        Self {
            query: parse(request.query.as_deref().unwrap_or_default().as_bytes()),
            form,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .chain(&self.form)
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns a field that only the tenant's own pages send.
    pub(super) fn posted(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns all parameters of the application as a query, for the URL that the pages post to.
    pub(super) fn to_query(&self) -> String {
        let own = |name: &str| OWN_FIELDS.contains(&name);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(
                self.query
                    .iter()
                    .chain(&self.form)
                    .filter(|(name, _)| !own(name)),
            )
            .finish()
    }
}

/// Fields of the tenant's own pages.
const OWN_FIELDS: [&str; 7] = [
    "step", "login", "passwd", "keep", "flow", "account", "everyone",
];
