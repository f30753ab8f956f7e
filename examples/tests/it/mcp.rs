//! The example of an MCP server.

use entra_mock::FakeTenant;
use tokio::net::TcpListener;

use crate::{journal::assert_no_findings, mcp_server::embedded};

#[tokio::test]
async fn a_client_that_knows_only_the_url_signs_its_user_in_and_calls_tools() {
    let tenant = FakeTenant::start().await;
    let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/mcp", socket.local_addr().unwrap());
    let mut out = Vec::new();
    let server = embedded(&tenant, socket, &url, &mut out).await.unwrap();
    server.abort();
    let out = String::from_utf8(out).unwrap();
    let place = url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp");
    for line in [
        format!(
            "without a token: 401 Bearer resource_metadata=\"{place}\", scope=\"{url}/Notes.Use offline_access\""
        ),
        "with a token of adele@contoso.com: 200".to_owned(),
        "add_note: The note is added.".to_owned(),
        "list_notes: water the plants".to_owned(),
    ] {
        assert!(out.lines().any(|found| found == line), "{line}: {out}");
    }
    assert_no_findings(&tenant);
}
