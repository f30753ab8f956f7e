//! Errors of the control API: a code, what happened, and how to fix it.

use std::io;

use serde_json::{Value, json};

use crate::{
    directory::{SeedError, SeedErrorCause},
    wire::Reply,
};

/// Why a request was not carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ControlError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) fix: String,
}

impl ControlError {
    pub(crate) fn new(
        status: u16,
        code: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// A value of the request has another shape or form.
    pub(crate) fn invalid(place: &str, message: &str) -> Self {
        let fix = format!("change {place}; GET /_entra-mock/openapi.json has the schema");
        Self::new(400, "invalidValue", message, fix)
    }

    pub(crate) fn unknown_field(name: &str, known: &[&str]) -> Self {
        let fix = match known.is_empty() {
            true => "leave it out: this request has no fields".to_owned(),
            false => format!("use one of {}", known.join(", ")),
        };
        Self::new(
            400,
            "unknownField",
            format!("there is no field {name}"),
            fix,
        )
    }

    pub(crate) fn missing(name: &str, expected: &str) -> Self {
        let fix = format!("add {name}, which must be {expected}");
        Self::new(400, "missingField", format!("{name} is missing"), fix)
    }

    /// There is no such thing; `list` is the path that lists those that there are.
    pub(crate) fn not_found(what: &str, name: &str, list: &str) -> Self {
        Self::new(
            404,
            "notFound",
            format!("there is no {what} {name:?}"),
            format!("GET /_entra-mock{list} lists those that there are"),
        )
    }

    pub(crate) fn reply(&self) -> Reply {
        let error =
            json!({ "error": { "code": self.code, "message": self.message, "fix": self.fix } });
        let reply = Reply::json(self.status, &error);
        match self.status {
            401 => reply.with_header("www-authenticate", "Bearer realm=\"entra-mock\""),
            _ => reply,
        }
    }
}

impl From<SeedError> for ControlError {
    fn from(error: SeedError) -> Self {
        let (status, code, fix) = match error.cause() {
            SeedErrorCause::Conflict => (
                409,
                "conflict",
                "choose another value, or delete the object that has it",
            ),
            SeedErrorCause::NotFound => (404, "notFound", "list the collection to see its objects"),
            SeedErrorCause::Invalid => (
                400,
                "invalidObject",
                "use the properties and types of Microsoft Graph v1.0",
            ),
        };
        let message = error.to_string();
        Self::new(status, code, message, fix)
    }
}

impl From<io::Error> for ControlError {
    fn from(error: io::Error) -> Self {
        let message = format!("the state file cannot be written: {error}");
        Self::new(
            503,
            "stateFile",
            message,
            "make room on the disk, then restart the server",
        )
    }
}

/// The result of a route.
pub(crate) type Outcome = Result<Value, ControlError>;
