//! How many users registered which authentication methods, or are capable of which features.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Call, list::JSON};
use crate::{
    odata::GraphError,
    permissions::{authorize, not_premium},
    state::License,
    store::{Kind, Object},
    wire::Reply,
};

/// A call of one of the two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RegistrationSummary {
    by_method: bool,
    /// The types of users: `all`, `member` or `guest`.
    types: &'static str,
    /// The roles of users: `all`, `privilegedAdmin`, `admin` or `user`.
    roles: &'static str,
}

impl RegistrationSummary {
    /// Parses the function call in a path. Its parameters are optional.
    pub(super) fn parse(segment: &str) -> Result<Option<Self>, GraphError> {
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

    fn includes(self, details: &Object) -> bool {
        let admin = details["isAdmin"] == true;
        let role = match self.roles {
            "all" => true,
            "user" => !admin,
            _ => admin,
        };
        role && (self.types == "all" || details["userType"] == self.types)
    }
}

pub(super) fn respond(call: Call<'_>, summary: RegistrationSummary) -> Result<Reply, GraphError> {
    let name = if summary.by_method {
        BY_METHOD
    } else {
        BY_FEATURE
    };
    let path = format!("/reports/authenticationMethods/{name}");
    authorize(call.caller, "GET", &path, false)?;
    if call.state.license == License::Free {
        return Err(not_premium());
    }
    let users: Vec<&Object> = call
        .state
        .store
        .all(Kind::UserRegistrationDetails)
        .filter(|details| summary.includes(details))
        .collect();
    let (kind, list, counts) = match summary.by_method {
        true => ("Method", "userRegistrationMethodCounts", by_method(&users)),
        false => (
            "Feature",
            "userRegistrationFeatureCounts",
            by_feature(&users),
        ),
    };
    let body = json!({
        "@odata.context": call.context(&format!("microsoft.graph.userRegistration{kind}Summary")),
        "totalUserCount": users.len(), "userTypes": summary.types, "userRoles": summary.roles, list: counts
    });
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

fn by_method(users: &[&Object]) -> Vec<Value> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for user in users {
        let methods = user["methodsRegistered"].as_array().into_iter().flatten();
        for method in methods.filter_map(Value::as_str).chain(["password"]) {
            *counts.entry(method).or_default() += 1;
        }
    }
    let count = |(method, count)| json!({ "authenticationMethod": method, "userCount": count });
    counts.into_iter().map(count).collect()
}

fn by_feature(users: &[&Object]) -> Vec<Value> {
    let count = |(feature, property): (&str, &str)| {
        let capable = users.iter().filter(|user| user[property] == true).count();
        json!({ "feature": feature, "userCount": capable })
    };
    FEATURES.into_iter().map(count).collect()
}

const BY_METHOD: &str = "usersRegisteredByMethod";
const BY_FEATURE: &str = "usersRegisteredByFeature";
const TYPES: [&str; 3] = ["all", "member", "guest"];
const ROLES: [&str; 4] = ["all", "privilegedAdmin", "admin", "user"];
const FEATURES: [(&str, &str); 5] = [
    ("ssprRegistered", "isSsprRegistered"),
    ("ssprEnabled", "isSsprEnabled"),
    ("ssprCapable", "isSsprCapable"),
    ("passwordlessCapable", "isPasswordlessCapable"),
    ("mfaCapable", "isMfaCapable"),
];
