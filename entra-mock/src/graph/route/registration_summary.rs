//! The functions that count who registered which authentication methods.

use crate::odata::GraphError;

/// A call of one of the two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::graph) struct RegistrationSummary {
    pub(in crate::graph) by_method: bool,
    /// The types of users: `all`, `member` or `guest`.
    pub(in crate::graph) types: &'static str,
    /// The roles of users: `all`, `privilegedAdmin`, `admin` or `user`.
    pub(in crate::graph) roles: &'static str,
}

impl RegistrationSummary {
    /// Parses the function call in a path. Its parameters are optional.
    pub(in crate::graph) fn parse(segment: &str) -> Result<Option<Self>, GraphError> {
        let (name, arguments) = match segment.split_once('(') {
            Some((name, arguments)) => (name, arguments.strip_suffix(')')),
            None => (segment, Some("")),
        };
        let by_method = name.eq_ignore_ascii_case(BY_METHOD);
        let Some(arguments) =
            arguments.filter(|_| by_method || name.eq_ignore_ascii_case(BY_FEATURE))
        else {
            return Ok(None);
        };
        let mut summary = Self {
            by_method,
            types: "all",
            roles: "all",
        };
        for argument in arguments.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            let value = value.trim().trim_matches('\'');
            let member = |members: &[&'static str]| {
                let mut members = members.iter().copied();
                members.find(|member| *member == value)
            };
            let found = match name.trim() {
                "includedUserTypes" => member(&TYPES).map(|value| summary.types = value),
                "includedUserRoles" => member(&ROLES).map(|value| summary.roles = value),
                _ => None,
            };
            if found.is_none() {
                return Err(GraphError::bad_request(format!(
                    "Invalid value '{value}' for the parameter of the function."
                )));
            }
        }
        Ok(Some(summary))
    }
}

pub(in crate::graph) const BY_METHOD: &str = "usersRegisteredByMethod";
pub(in crate::graph) const BY_FEATURE: &str = "usersRegisteredByFeature";
const TYPES: [&str; 3] = ["all", "member", "guest"];
const ROLES: [&str; 4] = ["all", "privilegedAdmin", "admin", "user"];
