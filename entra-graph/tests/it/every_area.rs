//! A client that may read and write what every area holds.

use entra_graph::GraphClient;
use entra_mock::FakeTenant;

use crate::support::AppCredential;

mod expanded_relations;
mod place_options;
mod settled_places;

async fn client() -> (FakeTenant, GraphClient) {
    let tenant = FakeTenant::start().await;
    let app = PERMISSIONS
        .iter()
        .fold(tenant.register_app("Everything"), |app, name| {
            app.application_permission(name)
        });
    let credential = AppCredential::new(&tenant, &app.with_secret());
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    (tenant, graph)
}

const PERMISSIONS: [&str; 21] = [
    "AdministrativeUnit.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "CustomSecAttributeDefinition.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Device.ReadWrite.All",
    "Directory.Read.All",
    "Domain.ReadWrite.All",
    "Group.ReadWrite.All",
    "IdentityRiskEvent.Read.All",
    "IdentityRiskyUser.Read.All",
    "OrgContact.Read.All",
    "Organization.ReadWrite.All",
    "Policy.Read.All",
    "Policy.ReadWrite.ApplicationConfiguration",
    "RoleManagement.ReadWrite.Directory",
    "Synchronization.ReadWrite.All",
    "User.Read.All",
    "User.ReadWrite.All",
];
