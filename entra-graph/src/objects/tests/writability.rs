//! When properties can be set, by the models.

// The tables of entra-mock are compared with the documentation in the same way.
#[path = "../../../../entra-mock/src/schema/tests/documented_writability.rs"]
mod documented_writability;

use documented_writability::is_that_of_the_documentation;

use crate::objects::{
    AppRoleAssignment, Application, Device, Group, OAuth2PermissionGrant, ServicePrincipal, User,
};

#[test]
fn properties_can_be_set_when_the_documentation_says_so() {
    is_that_of_the_documentation(&[
        ("user", User::ACCESS.to_vec()),
        ("group", Group::ACCESS.to_vec()),
        ("application", Application::ACCESS.to_vec()),
        ("device", Device::ACCESS.to_vec()),
        ("servicePrincipal", ServicePrincipal::ACCESS.to_vec()),
        ("appRoleAssignment", AppRoleAssignment::ACCESS.to_vec()),
        (
            "oAuth2PermissionGrant",
            OAuth2PermissionGrant::ACCESS.to_vec(),
        ),
        #[cfg(feature = "administrative-units")]
        (
            "administrativeUnit",
            crate::objects::AdministrativeUnit::ACCESS.to_vec(),
        ),
    ]);
}
