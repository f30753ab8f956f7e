//! The documented requests of directory roles.

use entra_graph::{
    NewDirectoryRole, NewUnifiedRoleAssignment, NewUnifiedRoleDefinition, UnifiedRoleDefinition,
    types::UnifiedRolePermission,
};

use super::{GraphClient, Send, Sent, guid};

pub(super) fn requests() -> [(&'static str, Vec<Send>); 8] {
    const NAME: &str = "Application Registration Support Administrator";
    const PURPOSE: &str = "Update basic properties of application registrations";
    fn permission() -> UnifiedRolePermission {
        UnifiedRolePermission::default()
            .allowed_resource_actions(["microsoft.directory/applications/basic/read".to_owned()])
    }
    [
        (
            "directoryrole-delete-member.md",
            vec![send!(|graph| graph
                .directory_role("f8e85ed8-f66f-4058-b170-3efae8b9c6e5")
                .members()
                .remove("bb165b45-151c-4cf6-9911-cd7188912848"))],
        ),
        (
            "directoryrole-post-directoryroles.md",
            vec![send!(|graph| graph.directory_roles().create(
                NewDirectoryRole::from_template(guid("fe930be7-5e62-47db-91af-98c3a49a38b1"))
            ))],
        ),
        (
            "directoryrole-post-members.md",
            vec![send!(|graph| graph
                .directory_role("fe8f10bf-c9c2-47eb-95cb-c26cc85f1830")
                .members()
                .add("15c1a2d5-9101-44b2-83ab-885db8a647ca"))],
        ),
        (
            "rbacapplication-post-roleassignments.md",
            vec![
                send!(|graph| graph
                    .role_assignments()
                    .create(NewUnifiedRoleAssignment::new(
                        guid("c2cf284d-6c41-4e6b-afac-4b80928c9034"),
                        guid("f8ca5a85-489a-49a0-b555-0a6d81e56f0d")
                    ))),
                send!(|graph| graph.role_assignments().create(
                    NewUnifiedRoleAssignment::new(
                        guid("fe930be7-5e62-47db-91af-98c3a49a38b1"),
                        guid("f8ca5a85-489a-49a0-b555-0a6d81e56f0d")
                    )
                    .over_administrative_unit("5d107bba-d8e2-4e13-b6ae-884be90e5d1a")
                )),
                send!(|graph| graph.role_assignments().create(
                    NewUnifiedRoleAssignment::new(
                        guid("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"),
                        guid("6b937a9d-c731-465b-a844-2d5b5368c161")
                    )
                    .over_application("661e1310-bd76-4795-89a7-8f3c8f855bfc")
                )),
            ],
        ),
        (
            "rbacapplication-post-roledefinitions.md",
            vec![send!(|graph| graph
                .role_definitions()
                .create(NewUnifiedRoleDefinition::new(NAME, &[permission()]))
                .set(UnifiedRoleDefinition::DESCRIPTION, PURPOSE))],
        ),
        (
            "unifiedroleassignment-delete.md",
            vec![send!(|graph| graph
                .role_assignment("lAPpYvVpN0KRkAEhdxReEJC2sEqbR_9Hr48lds9SGHI-1")
                .delete())],
        ),
        (
            "unifiedroledefinition-delete.md",
            vec![send!(|graph| graph
                .role_definition("f189965f-f560-4c59-9101-933d4c87a91a")
                .delete())],
        ),
        (
            "unifiedroledefinition-update.md",
            vec![send!(|graph| graph
                .role_definition("0d55728d-3e24-4309-9b1b-5ac09921475a")
                .update()
                .set(UnifiedRoleDefinition::DESCRIPTION, PURPOSE)
                .set(UnifiedRoleDefinition::DISPLAY_NAME, NAME)
                .set(
                    UnifiedRoleDefinition::ROLE_PERMISSIONS,
                    [permission()]
                ))],
        ),
    ]
}
