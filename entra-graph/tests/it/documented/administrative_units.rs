//! The documented requests of administrative units.

use entra_graph::{AdministrativeUnit, NewAdministrativeUnit, NewScopedRoleMembership, Reference};

use super::{GraphClient, PLACEHOLDER, Send, Sent, id};

pub(super) fn requests() -> [(&'static str, Vec<Send>); 8] {
    let create = send!(|graph| graph
        .administrative_units()
        .create(NewAdministrativeUnit::new(
            "Seattle District Technical Schools"
        ))
        .set(
            AdministrativeUnit::DESCRIPTION,
            "Seattle district technical schools administration"
        )
        .set(AdministrativeUnit::VISIBILITY, "HiddenMembership"));
    [
        (
            "administrativeunit-delete-members.md",
            vec![send!(|graph| graph
                .administrative_unit("{id1}")
                .members()
                .remove("{id2}"))],
        ),
        (
            "administrativeunit-delete-scopedrolemembers.md",
            vec![send!(|graph| graph
                .administrative_unit("{id}")
                .scoped_role_member("{id}")
                .delete())],
        ),
        (
            "administrativeunit-post-scopedrolemembers.md",
            vec![send!(|graph| graph
                .administrative_unit("{id}")
                .scoped_role_members()
                .create(NewScopedRoleMembership::new(
                    id(PLACEHOLDER),
                    id(PLACEHOLDER)
                )))],
        ),
        (
            "administrativeunit-delete.md",
            vec![send!(|graph| graph.administrative_unit("{id}").delete())],
        ),
        (
            "administrativeunit-post-administrativeunits.md",
            vec![create],
        ),
        ("directory-post-administrativeunits.md", vec![create]),
        (
            "administrativeunit-post-members.md",
            vec![send!(|graph| graph
                .administrative_unit("{id}")
                .members()
                .add(Reference::group("{id}")))],
        ),
        (
            "administrativeunit-update.md",
            vec![send!(|graph| graph
                .administrative_unit("4d7ea995-bc0f-45c0-8c3e-132e93bf95f8")
                .update()
                .set(
                    AdministrativeUnit::DISPLAY_NAME,
                    "Greater Seattle District Technical Schools"
                ))],
        ),
    ]
}
