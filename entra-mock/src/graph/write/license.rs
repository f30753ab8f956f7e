//! Licences of users and groups.

use serde_json::{Map, Value, json};

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
    directory_objects,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    directory::licenses::{self, LicenseChange},
    odata::GraphError,
    permissions::AccessLevel,
    schema::{Returned, mismatches},
    store::{Kind, Object},
};

/// `assignLicense`: assigns and removes licences, all or none.
pub(super) fn assign(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id, _) = target(call, root, kind, "/assignLicense")?;
    access::check_links(call, kind, object)?;
    let body = body_of(call)?;
    directory_objects::check_parameters(
        &body,
        "assignLicense",
        &["addLicenses", "removeLicenses"],
    )?;
    let list = |name: &str| {
        body.get(name).and_then(Value::as_array).ok_or_else(|| {
            malformed(format!(
                "The parameter '{name}' of the operation 'assignLicense' is missing."
            ))
        })
    };
    let (added, removed) = (list("addLicenses")?, list("removeLicenses")?);
    check_added(&body)?;
    let is_user = kind == Kind::User;
    let located = object.get("usageLocation").is_some();
    if is_user && !added.is_empty() && !located {
        return Err(GraphError::bad_request(
            "License assignment cannot be done for user with invalid usage location.",
        ));
    }
    let mut licences = if is_user {
        licenses::direct(object)
    } else {
        let own = object.get("assignedLicenses").and_then(Value::as_array);
        own.cloned().unwrap_or_default()
    };
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
                if is_user && licenses::inherits(object, &sku) {
                    INHERITED
                } else {
                    "User does not have a corresponding license."
                },
            ));
        }
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
        let product = call.state.product(&sku).ok_or_else(|| {
            GraphError::bad_request(format!(
                "License {sku} does not correspond to a valid company License."
            ))
        })?;
        let disabled = disabled_plans(licence, product)?;
        licences.retain(|licence| !has_id(licence, &sku));
        licences.push(json!({ "disabledPlans": disabled, "skuId": sku }));
    }

    let LicenseChange { values, units } = if is_user {
        call.state.license_change(call.now, object, &licences)
    } else {
        let licences = Some(Value::from(licences));
        LicenseChange {
            values: vec![("assignedLicenses".to_owned(), licences)],
            units: Vec::new(),
        }
    };
    let response = if is_user {
        PlannedResponse::Json(200, whole(call, &changed(object, &values))?)
    } else {
        PlannedResponse::Object {
            status: 202,
            id: id.to_owned(),
            typed: false,
            secrets: Vec::new(),
        }
    };
    let mut plan = Plan::new(response).with(Step::Update(kind, id.to_owned(), values));
    for (sku, change) in units {
        plan.steps.extend(count(call, &sku, change)?);
    }
    let (category, name) = if is_user {
        ("UserManagement", "Change user license")
    } else {
        ("GroupManagement", "Set group license")
    };
    Ok(plan.audited_as(category, name))
}

/// What Graph says of a licence that comes from a group (CIPP issue 4090).
const INHERITED: &str = "User license is inherited from a group membership and it cannot be removed directly from the user.";

/// `reprocessLicenseAssignment`: gives a user the licences of the groups that there was no unit for.
pub(super) fn reprocess(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id, _) = target(call, root, kind, "/reprocessLicenseAssignment")?;
    access::check_links(call, kind, object)?;
    let direct = licenses::direct(object);
    let LicenseChange { values, units } = call.state.license_change(call.now, object, &direct);
    // A user who never had licences has no lists of them.
    let none = json!([]);
    let is_changed = |(name, value): &(String, Option<Value>)| {
        object.get(name).unwrap_or(&none) != value.as_ref().unwrap_or(&none)
    };
    if !values.iter().any(is_changed) {
        let response = PlannedResponse::Json(200, whole(call, object)?);
        return Ok(Plan::new(response));
    }
    let response = PlannedResponse::Json(200, whole(call, &changed(object, &values))?);
    let mut plan = Plan::new(response).with(Step::Update(kind, id.to_owned(), values));
    for (sku, change) in units {
        plan.steps.extend(count(call, &sku, change)?);
    }
    Ok(plan.audited_as("UserManagement", "Change user license"))
}

fn changed(object: &Object, values: &[(String, Option<Value>)]) -> Object {
    let mut after = object.clone();
    for (name, value) in values {
        after.insert(name.clone(), value.clone().unwrap_or_default());
    }
    after
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

/// Checks the members of the licences to add.
fn check_added(body: &Map<String, Value>) -> Result<(), GraphError> {
    let added = body.get("addLicenses").unwrap_or(&Value::Null);
    let property = ("assignedLicenses", added);
    match mismatches(Kind::User.entity(), [property]).first() {
        None => Ok(()),
        Some(mismatch) => Err(malformed(format!(
            "The parameter 'addLicenses' of the operation 'assignLicense' is invalid: {mismatch}."
        ))),
    }
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
    let Some(product) = call.state.product(sku) else {
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
