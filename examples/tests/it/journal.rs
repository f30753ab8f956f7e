//! What the journal of a fake tenant shows.

use entra_mock::FakeTenant;

/// The writes to Graph, such as `POST /v1.0/applications`.
pub(crate) fn writes(tenant: &FakeTenant) -> Vec<String> {
    let requests = tenant.requests().within("/v1.0/");
    requests
        .iter()
        .filter(|request| request.method != "GET")
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}
