//! Error responses of Graph.

/// An error response: status, `error.code` and `error.message`.
///
/// The documentation tells clients to depend on the code. The messages follow Graph's patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The entries of `error.details`.
    pub(crate) details: Vec<Detail>,
    /// The `Location` header, if the response has one.
    pub(crate) location: Option<String>,
}

/// One entry of `error.details`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) target: String,
}

impl GraphError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: Vec::new(),
            location: None,
        }
    }

    /// 400 for a value that another object has.
    pub(crate) fn conflict(property: &str) -> Self {
        let message =
            format!("Another object with the same value for property {property} already exists.");
        let mut error = Self::bad_request(message.clone());
        error.details.push(Detail {
            code: "ObjectConflict",
            message,
            target: property.to_owned(),
        });
        error
    }

    /// 404 for an unknown id.
    pub(crate) fn not_found(id: &str) -> Self {
        Self::new(
            404,
            "Request_ResourceNotFound",
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    /// 400 for a malformed request or an unknown name.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// 400 for a well-formed query that is not supported, or only as an advanced query.
    pub(crate) fn unsupported_query(message: impl Into<String>) -> Self {
        Self::new(400, "Request_UnsupportedQuery", message)
    }

    /// 400 for an operator that needs the `ConsistencyLevel` header and `$count`.
    pub(crate) fn needs_advanced(operator: &str) -> Self {
        Self::unsupported_query(format!(
            "Operator '{operator}' is not supported because the required parameters might be missing. \
             Try adding the $count=true query parameter and the ConsistencyLevel:eventual header."
        ))
    }

    /// 400 for a property that does not support this `$filter`.
    pub(crate) fn filter_clause(property: &str, resource: &str) -> Self {
        Self::unsupported_query(format!(
            "Unsupported or invalid query filter clause specified for property '{property}' of resource '{resource}'."
        ))
    }

    /// 400 for a property that the type does not have.
    pub(crate) fn no_property(clause: &str, name: &str, entity: &str) -> Self {
        Self::bad_request(format!(
            "{clause}: Could not find a property named '{name}' on type 'microsoft.graph.{entity}'."
        ))
    }
}
