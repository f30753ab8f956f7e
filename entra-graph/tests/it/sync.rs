//! A local copy of the directory: what it hands out, and what it survives.

mod bookkeeping;
mod connections;
mod copy;
mod costs;
mod delays;
mod errors;
mod foreign;
mod guard;
mod guard_connections;
mod guard_memberships;
mod guard_rounds;
mod kinds;
mod oddities;
mod permissions;
mod properties;
mod random;
mod restored;
mod rounds;
mod scope;
mod scope_edges;
mod scripted;
mod transitive;
mod world;

use entra_graph::GraphClient;
use entra_mock::FakeTenant;

use crate::support::AppCredential;
use copy::Copy;

/// A tenant, a client that may read and change it, and the tenant's own view.
async fn tenant_and_graph() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let graph = client(&tenant);
    (tenant, graph)
}

fn client(tenant: &FakeTenant) -> GraphClient {
    let app = tenant
        .register_app("Sync")
        .application_permission("Directory.ReadWrite.All")
        .application_permission("User.ReadWrite.All")
        .application_permission("User.DeleteRestore.All")
        .application_permission("Group.ReadWrite.All")
        .application_permission("Application.Read.All")
        .application_permission("Device.Read.All")
        .with_secret();
    GraphClient::builder(AppCredential::new(tenant, &app))
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap()
}
