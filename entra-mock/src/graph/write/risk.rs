//! The actions of risky users and of sign-ins: dismiss, confirm as compromised, confirm as safe.

use serde_json::{Value, json};

use super::{
    super::call::{Call, unsupported},
    access, body,
    plan::{Plan, PlannedResponse, Step},
};
use crate::{
    directory::object,
    odata::GraphError,
    permissions::{authorize, not_premium},
    state::{License, iso},
    store::Kind,
};

pub(super) fn plan(call: Call<'_>, kind: Kind, action: &str) -> Result<Plan, GraphError> {
    let path = format!("/{}/{action}", kind.entity().set);
    authorize(call.caller, "POST", &path, false)?;
    if call.state.license != License::P2 {
        return Err(not_premium());
    }
    if kind == Kind::SignIn {
        return of_sign_ins(call, action);
    }
    let (level, state, detail, activity) = match action {
        "dismiss" => (
            "none",
            "dismissed",
            "adminDismissedAllRiskForUser",
            "DismissUser",
        ),
        "confirmCompromised" => (
            "high",
            "confirmedCompromised",
            "adminConfirmedUserCompromised",
            "ConfirmAccountCompromised",
        ),
        "confirmSafe" => (
            "none",
            "confirmedSafe",
            "adminConfirmedAccountSafe",
            "ConfirmSafe",
        ),
        _ => return Err(unsupported(call.request)),
    };
    let mut plan = Plan::new(PlannedResponse::NoContent).audited_as(CATEGORY, activity);
    for id in ids(call, "userIds")? {
        let user = call
            .state
            .store
            .get(Kind::User, &id)
            .ok_or_else(|| GraphError::not_found(&id))?;
        access::check_links(call, Kind::RiskyUser, user)?;
        let part = |name: &str| user.get(name).cloned().unwrap_or_default();
        let risk = [
            ("riskDetail", Value::from(detail)),
            ("riskLastUpdatedDateTime", iso(call.now).into()),
            ("riskLevel", level.into()),
            ("riskState", state.into()),
        ];
        let mut risky = object([
            ("id", id.clone().into()),
            ("isDeleted", false.into()),
            ("isProcessing", false.into()),
            ("userDisplayName", part("displayName")),
            ("userPrincipalName", part("userPrincipalName")),
        ]);
        for (name, value) in &risk {
            risky.insert((*name).to_owned(), value.clone());
        }
        let mut item = risky.clone();
        let by = call
            .caller
            .user_id
            .as_ref()
            .or(call.caller.service_principal_id.as_ref());
        for (name, value) in [
            ("id", Value::from(call.state.new_id())),
            ("userId", id.clone().into()),
            ("initiatedBy", json!(by)),
            (
                "activity",
                json!({ "detail": detail, "riskEventTypes": [] }),
            ),
        ] {
            item.insert(name.to_owned(), value);
        }
        plan = plan.about(Kind::User, id.clone());
        let change = match call.state.store.get(Kind::RiskyUser, &id) {
            Some(_) => {
                let values = risk.map(|(name, value)| (name.to_owned(), Some(value)));
                Step::Update(Kind::RiskyUser, id, values.into())
            }
            None => Step::Insert(Kind::RiskyUser, risky),
        };
        plan = plan
            .with(change)
            .with(Step::Insert(Kind::RiskyUserHistoryItem, item));
    }
    Ok(plan)
}

/// The same for sign-ins, by their ids.
fn of_sign_ins(call: Call<'_>, action: &str) -> Result<Plan, GraphError> {
    let (level, state, detail, activity) = match action {
        // The documented list has no activity for it.
        "dismiss" => ("none", "dismissed", "adminDismissedRiskForSignIn", None),
        "confirmCompromised" => (
            "high",
            "confirmedCompromised",
            "adminConfirmedSigninCompromised",
            Some("ConfirmCompromised"),
        ),
        "confirmSafe" => (
            "none",
            "confirmedSafe",
            "adminConfirmedSigninSafe",
            Some("ConfirmSafe"),
        ),
        _ => return Err(unsupported(call.request)),
    };
    let mut plan = Plan::new(PlannedResponse::NoContent);
    if let Some(name) = activity {
        plan = plan.audited_as(CATEGORY, name);
    }
    for id in ids(call, "requestIds")? {
        let sign_in = call.state.store.get(Kind::SignIn, &id);
        let sign_in = sign_in.ok_or_else(|| GraphError::not_found(&id))?;
        access::check_links(call, Kind::RiskyUser, sign_in)?;
        let risk = [
            ("riskDetail", detail),
            ("riskLevelAggregated", level),
            ("riskState", state),
        ];
        let values = risk.map(|(name, value)| (name.to_owned(), Some(value.into())));
        plan = plan.about(Kind::SignIn, id.clone()).with(Step::Update(
            Kind::SignIn,
            id,
            values.into(),
        ));
    }
    Ok(plan)
}

/// The category of the activities in the audit log.
const CATEGORY: &str = "Other";

/// The ids of the body, each once.
fn ids(call: Call<'_>, parameter: &str) -> Result<Vec<String>, GraphError> {
    let body = body::json(call)?;
    if let Some(name) = body.keys().find(|name| *name != parameter) {
        return Err(body::unknown(name));
    }
    let invalid = || {
        GraphError::bad_request(format!(
            "The value of the parameter '{parameter}' is invalid."
        ))
    };
    let ids = body
        .get(parameter)
        .and_then(Value::as_array)
        .ok_or_else(invalid)?;
    let mut all: Vec<String> = Vec::with_capacity(ids.len());
    for id in ids {
        let id = id.as_str().ok_or_else(invalid)?.to_ascii_lowercase();
        if !all.contains(&id) {
            all.push(id);
        }
    }
    if all.is_empty() {
        return Err(invalid());
    }
    Ok(all)
}
