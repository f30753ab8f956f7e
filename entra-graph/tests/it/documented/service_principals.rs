//! The documented requests of service principals, app role assignments and permission grants.

use entra_core::Timestamp;
use entra_graph::{
    NewAppRoleAssignment, NewCertificate, NewDelegatedPermissionClassification,
    NewOAuth2PermissionGrant, NewPassword, NewServicePrincipal, NewSigningKey, ServicePrincipal,
    types::PermissionClassificationType,
};

use super::{FOUR, GraphClient, NoSignature, PLACEHOLDER, Send, Sent, id, ids, key};

/// How many requests these pages have.
pub(super) const REQUESTS: usize = 26;

const API: &str = "943603e4-e787-4fe9-93d1-e30f749aae39";
const NIL: &str = "00000000-0000-0000-0000-000000000000";

pub(super) fn requests() -> Vec<(&'static str, Vec<Send>)> {
    let mut requests = assignments();
    requests.extend(permission_grants());
    requests.extend(objects());
    requests.extend(classifications());
    requests
}

fn classifications() -> Vec<(&'static str, Vec<Send>)> {
    vec![
        (
            "serviceprincipal-post-delegatedpermissionclassifications.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .delegated_permission_classifications()
                .create(NewDelegatedPermissionClassification::new(
                    "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
                    "User.Read",
                    PermissionClassificationType::Low
                )))],
        ),
        (
            "serviceprincipal-delete-delegatedpermissionclassifications.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .delete_delegated_permission_classification("{id}"))],
        ),
    ]
}

fn objects() -> Vec<(&'static str, Vec<Send>)> {
    vec![
        (
            "serviceprincipal-post-serviceprincipals.md",
            vec![send!(|graph| graph.service_principals().create(
                NewServicePrincipal::of("65415bb1-9267-4313-bbf5-ae259732ee12")
            ))],
        ),
        (
            "serviceprincipal-update.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .update()
                .set(ServicePrincipal::APP_ROLE_ASSIGNMENT_REQUIRED, true))],
        ),
        (
            "serviceprincipal-delete.md",
            vec![send!(|graph| graph.service_principal("{id}").delete())],
        ),
        (
            "serviceprincipal-addkey.md",
            vec![
                send!(|graph| graph
                    .service_principal("{id}")
                    .add_key(NewCertificate::from_der(key()).unwrap(), &NoSignature)),
                send!(|graph| graph
                    .service_principal("{id}")
                    .add_signing_key(NewSigningKey::from_pfx(key(), "MKTr0w1..."), &NoSignature)),
            ],
        ),
        (
            "serviceprincipal-removekey.md",
            vec![send!(|graph| graph.service_principal("{id}").remove_key(
                "f0b0b335-1d71-4883-8f98-567911bfdca6".parse().unwrap(),
                &NoSignature
            ))],
        ),
        (
            "serviceprincipal-addtokensigningcertificate.md",
            vec![send!(|graph| graph
                .service_principal("004375c5-6e2e-4dec-95e3-626838cb9f80")
                .add_token_signing_certificate(
                    "CN=customDisplayName",
                    Timestamp::from_unix_timestamp(1_706_140_800).ok()
                ))],
        ),
        (
            "serviceprincipal-checkmembergroups.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .check_member_groups([id(PLACEHOLDER)]))],
        ),
        (
            "serviceprincipal-checkmemberobjects.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .check_member_objects(ids(&FOUR)))],
        ),
        (
            "serviceprincipal-getmembergroups.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .get_member_groups(true))],
        ),
        (
            "serviceprincipal-getmemberobjects.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .get_member_objects(true))],
        ),
        (
            "serviceprincipal-addpassword.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .add_password(NewPassword::named("Password friendly name")))],
        ),
        (
            "serviceprincipal-removepassword.md",
            vec![send!(|graph| graph
                .service_principal("{id}")
                .remove_password(
                    "f0b0b335-1d71-4883-8f98-567911bfdca6".parse().unwrap()
                ))],
        ),
    ]
}

fn permission_grants() -> Vec<(&'static str, Vec<Send>)> {
    vec![
        (
            "oauth2permissiongrant-post.md",
            vec![send!(|graph| graph.oauth2_permission_grants().create(
                NewOAuth2PermissionGrant::for_all_users(
                    "ef969797-201d-4f6b-960c-e9ed5f31dab5",
                    API,
                    ["DelegatedPermissionGrant.ReadWrite.All"]
                )
            ))],
        ),
        (
            "oauth2permissiongrant-update.md",
            vec![send!(|graph| graph
                .oauth2_permission_grant("l5eW7x0ga0-WDOntXzHateQDNpSH5-lPk9HjD3Sarjk")
                .set_scopes(["User.ReadBasic.All", "Group.ReadWrite.All"]))],
        ),
        (
            "oauth2permissiongrant-delete.md",
            vec![send!(|graph| graph
                .oauth2_permission_grant("l5eW7x0ga0-WDOntXzHateQDNpSH5-lPk9HjD3Sarjk")
                .delete())],
        ),
    ]
}

fn assignments() -> Vec<(&'static str, Vec<Send>)> {
    vec![
        (
            "serviceprincipal-post-approleassignedto.md",
            vec![send!(|graph| graph
                .service_principal("9028d19c-26a9-4809-8e3f-20ff73e2d75e")
                .app_role_assigned_to()
                .create(NewAppRoleAssignment::new(
                    "33ad69f9-da99-4bed-acd0-3f24235cb296",
                    "9028d19c-26a9-4809-8e3f-20ff73e2d75e",
                    "ef7437e6-4f94-4a0a-a110-a439eb2aa8f7"
                )))],
        ),
        (
            "serviceprincipal-post-approleassignments.md",
            vec![send!(|graph| graph
                .service_principal("9028d19c-26a9-4809-8e3f-20ff73e2d75e")
                .app_role_assignments()
                .create(NewAppRoleAssignment::new(
                    "9028d19c-26a9-4809-8e3f-20ff73e2d75e",
                    "8fce32da-1246-437b-99cd-76d1d4677bd5",
                    "498476ce-e0fe-48b0-b801-37ba7e2685c6"
                )))],
        ),
        (
            "serviceprincipal-delete-approleassignedto.md",
            vec![send!(|graph| graph
                .service_principal("{resource-SP-id}")
                .app_role_assigned_to()
                .delete("{appRoleAssignment-id}"))],
        ),
        (
            "serviceprincipal-delete-approleassignments.md",
            vec![send!(|graph| graph
                .service_principal("{servicePrincipal-id}")
                .app_role_assignments()
                .delete("{appRoleAssignment-id}"))],
        ),
        (
            "group-post-approleassignments.md",
            vec![send!(|graph| graph
                .group("7679d9a4-2323-44cd-b5c2-673ec88d8b12")
                .app_role_assignments()
                .create(NewAppRoleAssignment::default_access(
                    "7679d9a4-2323-44cd-b5c2-673ec88d8b12",
                    "076e8b57-bac8-49d7-9396-e3449b685055"
                )))],
        ),
        (
            "group-delete-approleassignments.md",
            vec![send!(|graph| graph
                .group("{id}")
                .app_role_assignments()
                .delete("{id}"))],
        ),
        (
            "user-post-approleassignments.md",
            vec![send!(|graph| graph
                .user("cde330e5-2150-4c11-9c5b-14bfdc948c79")
                .app_role_assignments()
                .create(NewAppRoleAssignment::new(
                    "cde330e5-2150-4c11-9c5b-14bfdc948c79",
                    "8e881353-1735-45af-af21-ee1344582a4d",
                    NIL
                )))],
        ),
        (
            "user-delete-approleassignments.md",
            vec![send!(|graph| graph
                .user("{id}")
                .app_role_assignments()
                .delete("{id}"))],
        ),
    ]
}
