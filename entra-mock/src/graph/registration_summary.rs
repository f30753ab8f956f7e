//! How many users registered which authentication methods, or are capable of which features.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    call::{Call, JSON},
    route::{BY_FEATURE, BY_METHOD, RegistrationSummary},
};
use crate::{
    odata::GraphError,
    permissions::{authorize, not_premium},
    state::License,
    store::{Kind, Object},
    wire::Reply,
};

/// Whether the function counts a user.
fn includes(summary: RegistrationSummary, details: &Object) -> bool {
    let admin = details["isAdmin"] == true;
    let role = match summary.roles {
        "all" => true,
        "user" => !admin,
        _ => admin,
    };
    role && (summary.types == "all" || details["userType"] == summary.types)
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
        .filter(|details| includes(summary, details))
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

const FEATURES: [(&str, &str); 5] = [
    ("ssprRegistered", "isSsprRegistered"),
    ("ssprEnabled", "isSsprEnabled"),
    ("ssprCapable", "isSsprCapable"),
    ("passwordlessCapable", "isPasswordlessCapable"),
    ("mfaCapable", "isMfaCapable"),
];
