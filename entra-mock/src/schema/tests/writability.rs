//! When properties can be set, by the tables of the types.

use super::documented_writability::is_that_of_the_documentation;
use crate::schema::{Kind, Writable};

#[test]
fn properties_can_be_set_when_the_documentation_says_so() {
    let access = |kind: Kind| {
        let properties = kind.entity().properties.iter().map(|property| {
            let when = match property.writable {
                Writable::Never => "",
                Writable::AtCreation => "create",
                Writable::AtUpdate => "update",
                Writable::Always => "set",
            };
            (property.name, when)
        });
        (kind.entity().name, properties.collect())
    };
    is_that_of_the_documentation(&[
        access(Kind::User),
        access(Kind::Group),
        access(Kind::Application),
        access(Kind::ServicePrincipal),
        access(Kind::AdministrativeUnit),
        access(Kind::Device),
        access(Kind::AppRoleAssignment),
        access(Kind::OAuth2PermissionGrant),
    ]);
}
