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

/// Asserts that the fake tenant has nothing to say about the requests so far. The permissions are the choice of the test.
#[track_caller]
pub(crate) fn assert_no_findings(tenant: &FakeTenant) {
    let findings = tenant.findings();
    let about_requests = findings.without("unused-permissions");
    about_requests.without("broad-permission").assert_none();
}
