//! One operation of the control API.

use super::{
    call::{Call, PathParameters},
    error::Outcome,
    schema::{Field, Schema},
};

/// One operation of the control API.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// The path after `/_entra-mock`, with its parameters in braces.
    pub(crate) path: &'static str,
    /// The words of `entra-mock ctl` for this route.
    pub(crate) command: &'static str,
    /// The fields of the body or query that the command takes by position, after the parameters of the path.
    pub(crate) positional: &'static [&'static str],
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Field],
    /// The body, or [`Schema::Nothing`].
    pub(crate) request: &'static Schema,
    /// The status of a response without an error.
    pub(crate) status: u16,
    /// Its body, or [`Schema::Nothing`].
    pub(crate) response: &'static Schema,
    pub(crate) respond: fn(&Call<'_>) -> Outcome,
}

impl Route {
    pub(crate) const fn get(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        response: &'static Schema,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "GET",
            path,
            command,
            positional: &[],
            summary,
            query: &[],
            request: &Schema::Nothing,
            status: 200,
            response,
            respond,
        }
    }

    pub(crate) const fn post(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "POST",
            ..Self::get(path, command, summary, &Schema::Nothing, respond)
        }
        .no_content()
    }

    pub(crate) const fn put(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "PUT",
            ..Self::post(path, command, summary, respond)
        }
    }

    pub(crate) const fn patch(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "PATCH",
            ..Self::post(path, command, summary, respond)
        }
    }

    pub(crate) const fn delete(
        path: &'static str,
        command: &'static str,
        summary: &'static str,
        respond: fn(&Call<'_>) -> Outcome,
    ) -> Self {
        Self {
            method: "DELETE",
            ..Self::post(path, command, summary, respond)
        }
    }

    pub(crate) const fn taking(mut self, request: &'static Schema) -> Self {
        self.request = request;
        self
    }

    pub(crate) const fn returning(mut self, response: &'static Schema) -> Self {
        self.status = 200;
        self.response = response;
        self
    }

    /// As [`returning`](Self::returning), for a route that creates something.
    pub(crate) const fn creating(mut self, response: &'static Schema) -> Self {
        self.status = 201;
        self.response = response;
        self
    }

    pub(crate) const fn with_query(mut self, query: &'static [Field]) -> Self {
        self.query = query;
        self
    }

    pub(crate) const fn with_positional(mut self, positional: &'static [&'static str]) -> Self {
        self.positional = positional;
        self
    }

    const fn no_content(mut self) -> Self {
        self.status = 204;
        self
    }

    /// The names of the parameters in the path.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Returns the decoded parameters if the path is one of this route.
    pub(crate) fn matches(&self, segments: &[&str]) -> Option<PathParameters> {
        let own: Vec<&'static str> = self.path.split('/').skip(1).collect();
        if own.len() != segments.len() {
            return None;
        }
        let mut parameters = Vec::new();
        for (own, sent) in own.into_iter().zip(segments) {
            match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
                Some(_) if sent.is_empty() => return None,
                Some(name) => parameters.push((name, decoded(sent))),
                None if own == *sent => {}
                None => return None,
            }
        }
        Some(parameters)
    }
}

fn decoded(segment: &str) -> String {
    // A plus is a plus in a path.
    let escaped = segment.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={escaped}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
