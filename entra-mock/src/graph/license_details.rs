//! The licences of a user with their service plans, from the tenant's products.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, JSON},
    lookup,
    route::Route,
    subject::selection,
};
use crate::{
    odata::{GraphError, Options, Query},
    permissions::authorize,
    store::{Kind, Object},
    wire::Reply,
};

/// Responds to `licenseDetails` of a user.
pub(super) fn respond(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let own = lookup::is_own(call, &route.root);
    let path = format!("{}/licenseDetails", Kind::User.entity().object_path());
    authorize(call.caller, "GET", &path, own)?;
    let (_, user) = lookup::find(call, &route.root)?;
    let query = Query::parse(call.request.query.as_deref(), Options(&["$select"]))?;
    let unknown = query.select.iter().flatten().find(|name| {
        *name != "*"
            && !PROPERTIES
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    });
    if let Some(name) = unknown {
        let clause = "Parsing OData Select and Expand failed";
        return Err(GraphError::no_property(clause, name, "licenseDetails"));
    }
    let shown = |name: &str| {
        query.select.as_ref().is_none_or(|names| {
            names
                .iter()
                .any(|selected| selected == "*" || selected.eq_ignore_ascii_case(name))
        })
    };
    let licences = user.get("assignedLicenses").and_then(Value::as_array);
    let items: Vec<Map<String, Value>> = licences
        .into_iter()
        .flatten()
        .filter_map(|licence| details(call, licence))
        .map(|details| {
            details
                .into_iter()
                .filter(|(name, _)| shown(name))
                .collect()
        })
        .collect();
    let id = user.text("id").unwrap_or_default();
    let context = call.context(&format!(
        "users('{id}')/licenseDetails{}",
        selection(&query)
    ));
    let body = json!({ "@odata.context": context, "value": items });
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// Returns one licence if the tenant has the product.
fn details(call: Call<'_>, licence: &Value) -> Option<Map<String, Value>> {
    let sku = licence["skuId"].as_str()?;
    let product = call
        .state
        .store
        .all(Kind::SubscribedSku)
        .find(|product| product.get("skuId").and_then(Value::as_str) == Some(sku))?;
    let disabled = |plan: &Value| {
        licence["disabledPlans"]
            .as_array()
            .is_some_and(|plans| plans.contains(&plan["servicePlanId"]))
    };
    let plans: Vec<Value> = plans(product)
        .map(|plan| {
            let mut plan = plan.clone();
            plan["provisioningStatus"] = if disabled(&plan) {
                "Disabled".into()
            } else {
                "Success".into()
            };
            plan
        })
        .collect();
    let values = [
        product["id"].clone(),
        sku.into(),
        product["skuPartNumber"].clone(),
        plans.into(),
    ];
    Some(
        PROPERTIES
            .into_iter()
            .map(str::to_owned)
            .zip(values)
            .collect(),
    )
}

fn plans(product: &Object) -> impl Iterator<Item = &Value> {
    product
        .get("servicePlans")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

const PROPERTIES: [&str; 4] = ["id", "skuId", "skuPartNumber", "servicePlans"];
