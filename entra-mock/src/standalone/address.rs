//! The addresses of the tenants, as clients reach them.

use url::Url;

use super::hosted::Hosted;

/// The host of an address such as `https://localhost:8443`, without the port.
pub(crate) fn host(base: &str) -> String {
    let base = Url::parse(base).ok();
    let host = base.as_ref().and_then(Url::host_str);
    host.unwrap_or("localhost").to_owned()
}

/// The address of a tenant for a client that reached the tenant `called` at `base`. In another container, and behind a
/// port that a container publishes, it is not the one that the server has for itself.
///
/// The others have the same host. Under which ports they are published is not known.
pub(crate) fn of(tenant: &Hosted, called: &Hosted, base: &str) -> String {
    if tenant.id == called.id {
        return base.to_owned();
    }
    // The address of the server itself always has a port.
    match (tenant.uri.split_once("://"), tenant.uri.rsplit_once(':')) {
        (Some((scheme, _)), Some((_, port))) => format!("{scheme}://{}:{port}", host(base)),
        _ => tenant.uri.clone(),
    }
}
