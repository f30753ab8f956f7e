//! Tenant restrictions: headers of a company's proxy that list the tenants its users can sign in to.
//!
//! Source: the pages "Restrict access to a tenant" and "Tenant restrictions v2" of the Entra documentation.

use super::{context::Context, error::LoginError};

/// Returns an error if a proxy allows other tenants only.
pub(super) fn check(context: &Context<'_>) -> Result<(), LoginError> {
    let request = context.request;
    let state = context.read();
    let mut allowed = request.list("restrict-access-to-tenants").peekable();
    if allowed.peek().is_some() && !allowed.any(|tenant| state.is_named(tenant)) {
        let text = format!(
            "Access to the tenant '{}' is denied by the restrictions of the network.",
            state.tenant_name
        );
        return Err(LoginError::new(500_021, text));
    }
    // `{tenant of the company}:{id of its policy}`; without the policy, no other tenant is allowed.
    match request.header("sec-restrict-tenant-access-policy") {
        Some(policy) if !state.is_named(policy.split(':').next().unwrap_or_default().trim()) => {
            let text = format!(
                "Access to the tenant '{}' is denied by the tenant restrictions policy of the user's company.",
                state.tenant_name
            );
            Err(LoginError::new(500_022, text))
        }
        _ => Ok(()),
    }
}
