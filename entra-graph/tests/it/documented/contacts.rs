//! The documented requests of organizational contacts.

use super::{GraphClient, OTHER_PLACEHOLDER, PLACEHOLDER, Send, Sent, id};

pub(super) fn requests() -> [(&'static str, Vec<Send>); 3] {
    [
        (
            "orgcontact-checkmembergroups.md",
            vec![send!(|graph| graph.contact("{id}").check_member_groups([
                id(PLACEHOLDER),
                id(OTHER_PLACEHOLDER)
            ]))],
        ),
        (
            "orgcontact-getmembergroups.md",
            vec![send!(|graph| graph
                .contact("{id}")
                .get_member_groups(false))],
        ),
        (
            "orgcontact-getmemberobjects.md",
            vec![send!(|graph| graph
                .contact("{id}")
                .get_member_objects(false))],
        ),
    ]
}
