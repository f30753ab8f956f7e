//! `tenantRelationships`: the public information of a tenant. The directory knows its own tenant only.

use serde_json::json;

use super::{
    call::{Call, JSON},
    route::TenantName,
};
use crate::{odata::GraphError, permissions::authorize, wire::Reply};

/// Responds with the information of this tenant, or 404 for another one.
pub(super) fn respond(call: Call<'_>, name: &TenantName) -> Result<Reply, GraphError> {
    let (path, name) = match name {
        TenantName::Id(id) => (BY_ID, id),
        TenantName::Domain(domain) => (BY_DOMAIN, domain),
    };
    authorize(call.caller, "GET", path, false)?;
    let is_id = name.parse::<entra_core::Guid>().is_ok();
    if is_id != (path == BY_ID) {
        return Err(GraphError::bad_request(format!(
            "Invalid value '{name}' for the parameter of the function."
        )));
    }
    if !call.state.is_named(name) {
        return Err(GraphError::not_found(name));
    }
    let body = json!({
        "@odata.context": call.context("microsoft.graph.tenantInformation"),
        "tenantId": call.state.tenant_id.to_string(),
        "federationBrandName": null,
        "displayName": call.state.tenant_name,
        "defaultDomainName": call.state.default_domain()
    });
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// The paths as in the table of operations.
const BY_ID: &str = "/tenantRelationships/findTenantInformationByTenantId(tenantId={id})";
const BY_DOMAIN: &str = "/tenantRelationships/findTenantInformationByDomainName(domainName={id})";
