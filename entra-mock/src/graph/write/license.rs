//! Licences of users and groups.

use serde_json::{Value, json};

use super::{
    super::{
        call::Call,
        projection::{Projection, RenderOptions},
        route::{self, Root},
        rows::EvalContext,
        security_attributes,
    },
    access,
    body::{json as body_of, malformed},
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    odata::GraphError,
    permissions::AccessLevel,
    schema::Returned,
    state::iso,
    store::{Kind, Object},
};

/// `assignLicense`: assigns and removes licences, all or none.
pub(super) fn assign(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id, _) = target(call, root, kind, "/assignLicense")?;
    access::check_links(call, kind, object)?;
    let body = body_of(call)?;
    let list = |name: &str| {
        body.get(name).and_then(Value::as_array).ok_or_else(|| {
            malformed(format!(
                "The parameter '{name}' of the operation 'assignLicense' is missing."
            ))
        })
    };
    let (added, removed) = (list("addLicenses")?, list("removeLicenses")?);
    let mut licences: Vec<Value> = object
        .get("assignedLicenses")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let is_user = kind == Kind::User;
    let located = object.get("usageLocation").is_some();
    if is_user && !added.is_empty() && !located {
        return Err(GraphError::bad_request(
            "License assignment cannot be done for user with invalid usage location.",
        ));
    }
    // How many more, or fewer, units of each SKU are consumed than before.
    let mut used: Vec<(String, i64)> = Vec::new();
    let mut removed_ids = Vec::new();
    for sku in removed {
        let sku = sku
            .as_str()
            .ok_or_else(|| malformed("The parameter 'removeLicenses' must hold SKU ids."))?;
        let sku = route::guid(sku)?;
        let before = licences.len();
        licences.retain(|licence| !has_id(licence, &sku));
        if licences.len() == before {
            return Err(GraphError::bad_request(
                "User does not have a corresponding license.",
            ));
        }
        used.push((sku.clone(), -1));
        removed_ids.push(sku);
    }
    for licence in added {
        let sku = licence["skuId"]
            .as_str()
            .ok_or_else(|| malformed("A license to add has no 'skuId'."))?;
        let sku = route::guid(sku)?;
        if removed_ids.contains(&sku) {
            return Err(GraphError::bad_request(format!(
                "License {sku} is both added and removed."
            )));
        }
        let product = find(call, &sku).ok_or_else(|| {
            GraphError::bad_request(format!(
                "License {sku} does not correspond to a valid company License."
            ))
        })?;
        let disabled = disabled_plans(licence, product)?;
        let replaced = licences.iter().position(|licence| has_id(licence, &sku));
        match replaced {
            Some(at) => {
                licences.remove(at);
            }
            None => used.push((sku.clone(), 1)),
        }
        licences.push(json!({ "disabledPlans": disabled, "skuId": sku }));
    }

    let states: Vec<Value> = licences
        .iter()
        .map(|licence| {
            json!({
                "skuId": licence["skuId"], "disabledPlans": licence["disabledPlans"], "assignedByGroup": null,
                "state": "Active", "error": "None", "lastUpdatedDateTime": iso(call.now)
            })
        })
        .collect();
    let mut values = vec![("assignedLicenses".to_owned(), Some(Value::from(licences)))];
    if is_user {
        values.push(("licenseAssignmentStates".to_owned(), Some(states.into())));
    }
    let response = if is_user {
        let mut after = object.clone();
        for (name, value) in &values {
            after.insert(name.clone(), value.clone().unwrap_or_default());
        }
        PlannedResponse::Json(200, whole(call, &after)?)
    } else {
        PlannedResponse::Object {
            status: 202,
            id: id.to_owned(),
            typed: false,
            secrets: Vec::new(),
        }
    };
    let mut plan = Plan::new(response).with(Step::Update(kind, id.to_owned(), values));
    if is_user {
        for (sku, change) in used {
            if let Some(step) = count(call, &sku, change)? {
                plan = plan.with(step);
            }
        }
    }
    let (category, name) = if is_user {
        ("UserManagement", "Change user license")
    } else {
        ("GroupManagement", "Set group license")
    };
    Ok(plan.audited_as(category, name))
}

/// `reprocessLicenseAssignment`: does nothing, because assignments are never pending.
pub(super) fn reprocess(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, _, _) = target(call, root, kind, "/reprocessLicenseAssignment")?;
    access::check_links(call, kind, object)?;
    let response = PlannedResponse::Json(200, whole(call, object)?);
    Ok(Plan::new(response))
}

/// A user with all properties of the directory, as these actions return it.
fn whole(call: Call<'_>, user: &Object) -> Result<Value, GraphError> {
    let properties = Kind::User.entity().properties.iter();
    let names: Vec<String> = properties
        .filter(|property| matches!(property.returned, Returned::Always | Returned::OnSelect))
        // Sign-ins take a permission of their own.
        .filter(|property| {
            !["signInActivity", security_attributes::PROPERTY].contains(&property.name)
        })
        .map(|property| property.name.to_owned())
        .collect();
    let projection = Projection::new(Kind::User, Some(&names), true)?;
    let options = RenderOptions {
        context: Some(&call.context("users/$entity")),
        typed: false,
        access_level: AccessLevel::Everything,
    };
    let mut out = Vec::new();
    projection.open(&mut out, user, options, &EvalContext::of(call));
    out.push(b'}');
    Ok(serde_json::from_slice(&out).unwrap_or_default())
}

fn find<'a>(call: Call<'a>, sku: &str) -> Option<&'a Object> {
    call.state
        .store
        .all(Kind::SubscribedSku)
        .find(|product| product.get("skuId").and_then(Value::as_str) == Some(sku))
}

fn has_id(licence: &Value, sku: &str) -> bool {
    licence["skuId"]
        .as_str()
        .is_some_and(|id| id.eq_ignore_ascii_case(sku))
}

/// Returns the plans to disable, all of which the product must have.
fn disabled_plans(licence: &Value, product: &Object) -> Result<Vec<String>, GraphError> {
    let plans = licence["disabledPlans"].as_array();
    plans
        .into_iter()
        .flatten()
        .map(|plan| {
            let plan = route::guid(plan.as_str().unwrap_or_default())?;
            let known = product["servicePlans"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|known| known["servicePlanId"] == plan.as_str());
            if known {
                Ok(plan)
            } else {
                Err(GraphError::bad_request(format!(
                    "The service plan {plan} is not part of the license."
                )))
            }
        })
        .collect()
}

/// Consumes a unit of a product, or releases one.
fn count(call: Call<'_>, sku: &str, change: i64) -> Result<Option<Step>, GraphError> {
    let Some(product) = find(call, sku) else {
        return Ok(None);
    };
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let used = number(&product["consumedUnits"]) + change;
    let units = product["prepaidUnits"]["enabled"].as_i64();
    if change > 0 && units.is_some_and(|units| used > units) {
        return Err(GraphError::bad_request(format!(
            "Subscription with SKU {sku} does not have any available licenses."
        )));
    }
    let id = product["id"].as_str().unwrap_or_default().to_owned();
    let values = vec![("consumedUnits".to_owned(), Some(used.max(0).into()))];
    Ok(Some(Step::Update(Kind::SubscribedSku, id, values)))
}
