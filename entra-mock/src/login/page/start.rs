//! The start page of the tenant.

use super::{Page, markup::escape};

/// The addresses that a user of the fake tenant needs. It contains no credentials.
pub(in crate::login) fn start(base: &str, tenant_id: &str, domain: &str) -> Page {
    let (base, tenant_id) = (escape(base), escape(tenant_id));
    let content = format!(
        "<h1>entra-mock is running</h1>\n\
         <p>This is a fake Microsoft Entra tenant for tests. Point your application at these addresses.</p>\n\
         <dl>\n<dt>Tenant ID</dt><dd id=\"tenant-id\">{tenant_id}</dd>\n\
         <dt>Primary domain</dt><dd>{domain}</dd>\n\
         <dt>Authority</dt><dd id=\"authority\">{base}/{tenant_id}</dd>\n\
         <dt>OpenID Connect metadata</dt><dd><a href=\"/{tenant_id}/v2.0/.well-known/openid-configuration\">{base}/{tenant_id}/v2.0/.well-known/openid-configuration</a></dd>\n\
         <dt>Microsoft Graph</dt><dd id=\"graph\">{base}/v1.0</dd>\n\
         <dt>Device sign-in</dt><dd><a href=\"/devicelogin\">{base}/devicelogin</a></dd>\n</dl>\n\
         <p class=\"soft\">The client id, the secrets and the passwords are in the output of the server, or in its environment file.</p>",
        domain = escape(domain),
    );
    Page::new("Start", content).wide()
}
