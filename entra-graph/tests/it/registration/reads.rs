//! The reads by which permissions are verified.

use std::time::Duration;

use entra_core::CredentialMaterial;
use entra_graph::{
    Key, ServicePrincipal,
    registration::{AppRegistration, CheckOutcome},
};
use entra_mock::FakeTenant;

use super::{ENOUGH, factory::Factory, graph_of};

/// A name that begins like that of a permission with a read does not make the read possible.
#[tokio::test]
async fn a_granted_permission_never_fails_the_verification() {
    let tenant = FakeTenant::start().await;
    let graph = graph_of(&tenant, ENOUGH).await;
    let api = graph.service_principal(Key::app_id("00000003-0000-0000-c000-000000000000"));
    let api = api.get().select(ServicePrincipal::APP_ROLES).send().await;
    let roles = api.unwrap().app_roles.unwrap_or_default();
    let names: Vec<String> = roles
        .into_iter()
        .filter_map(|role| role.value)
        .filter(|name| name.contains(".Read"))
        .filter(|name| STARTS.iter().any(|start| name.starts_with(*start)))
        .collect();
    let apps: Vec<_> = names
        .iter()
        .map(|name| {
            let app = tenant.register_app(name).application_permission(name);
            app.with_secret()
        })
        .collect();
    // Old enough that one token is enough.
    tenant.clock().advance(Duration::from_secs(86_400));
    let graph = graph_of(&tenant, ENOUGH).await;
    let factory = Factory::of(&tenant);
    let mut works = Vec::new();
    for (name, app) in names.iter().zip(&apps) {
        let blueprint = AppRegistration::new(name.as_str())
            .client_id(app.client_id())
            .application([name.as_str()]);
        let secret = CredentialMaterial::Secret(app.secret());
        let verified = blueprint.verify(&graph, &factory, &secret).await.unwrap();
        assert!(verified.is_ok(), "{verified}");
        if verified.checks()[0].outcome() == CheckOutcome::Works {
            works.push(name.as_str());
        }
    }
    for name in ["User.Read.All", "GroupMember.Read.All", "Device.Read.All"] {
        assert!(works.contains(&name), "{name}: {works:?}");
    }
    for name in ["GroupMember.ReadWrite.All", "RoleManagement.Read.Exchange"] {
        assert!(names.iter().any(|one| one == name), "{name}: {names:?}");
        assert!(!works.contains(&name), "{name}: {works:?}");
    }
}

/// How the permissions begin that have a cheap read.
const STARTS: [&str; 10] = [
    "AdministrativeUnit.",
    "Application.",
    "AuditLog.",
    "Device.",
    "Directory.",
    "Group",
    "Organization.",
    "Policy.Read.All",
    "RoleManagement.",
    "User.",
];
