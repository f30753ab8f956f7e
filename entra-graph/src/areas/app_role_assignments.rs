//! App role assignments, which are below users, groups and service principals.

use entra_core::{Guid, url::Url};

use crate::{
    client::Call,
    error::Error,
    key::is_segment,
    model::{Body, BodyValue},
    objects::AppRoleAssignment,
    operation::Operation,
    place::{Collection, Place},
    request::{Request, read_nothing},
    verbs::{FoundBy, List, New, NewBody},
};

/// What an app role assignment is created from: the object ids of principal and resource, and the id of
/// the app role.
///
/// ```
/// # fn example(graph: &entra_graph::GraphClient, robin: entra_core::ObjectId, desk: entra_core::ObjectId) {
/// use entra_graph::NewAppRoleAssignment;
/// let assign = graph.user(robin).app_role_assignments()
///     .create(NewAppRoleAssignment::default_access(robin, desk));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewAppRoleAssignment {
    body: Body,
}

impl NewAppRoleAssignment {
    /// Assigns an app role of a resource to a principal: a user, a group or a service principal.
    ///
    /// The resource is the service principal whose [`app_roles`](crate::ServicePrincipal::app_roles) has the
    /// role. Graph returns an error if the principal has the role already.
    pub fn new(
        principal_id: impl BodyValue<Guid>,
        resource_id: impl BodyValue<Guid>,
        app_role_id: impl BodyValue<Guid>,
    ) -> Self {
        let mut body = Body::default();
        body.set(AppRoleAssignment::PRINCIPAL_ID.into_name(), &principal_id);
        body.set(AppRoleAssignment::RESOURCE_ID.into_name(), &resource_id);
        body.set(AppRoleAssignment::APP_ROLE_ID.into_name(), &app_role_id);
        Self { body }
    }

    /// Assigns a principal to a resource that has no app roles for such principals.
    pub fn default_access(
        principal_id: impl BodyValue<Guid>,
        resource_id: impl BodyValue<Guid>,
    ) -> Self {
        Self::new(principal_id, resource_id, Guid::NIL)
    }
}

impl New<AppRoleAssignment> for NewAppRoleAssignment {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }

    // Graph has no read of one assignment.
    const FOUND_BY: FoundBy<AppRoleAssignment> = FoundBy::List(same_names);
}

/// The assignments of principals with the name of this one's, or to its resource: which of the two a list can be filtered by
/// depends on whose list it is.
fn same_names(
    list: List<AppRoleAssignment>,
    created: &AppRoleAssignment,
) -> List<AppRoleAssignment> {
    if list.is_at("appRoleAssignedTo") {
        return match created.principal_display_name.as_deref() {
            Some(name) => list.filter(AppRoleAssignment::PRINCIPAL_DISPLAY_NAME.eq(name)),
            None => list,
        };
    }
    let resource = created.resource_id.as_deref();
    match resource.and_then(|id| id.parse::<Guid>().ok()) {
        Some(id) => list.filter(AppRoleAssignment::RESOURCE_ID.eq(id)),
        None => list,
    }
}

/// A place with app role assignments that can be deleted.
pub trait AssignmentPlace: Place<Item = AppRoleAssignment> {
    /// The operation that deletes one.
    const DELETE: &'static Operation;
}

impl<P: AssignmentPlace> Collection<P> {
    /// A request that deletes an assignment, by the [`id`](AppRoleAssignment::id) of the assignment.
    ///
    /// Needs `AppRoleAssignment.ReadWrite.All`. Tokens that have the role keep it until they expire.
    pub fn delete(&self, id: &str) -> Request<()> {
        let call = if is_segment(id) {
            let url = self.target().clone().join(&[id]).url();
            url.map(|url| Call::new(P::DELETE, url))
        } else {
            Err(Error::query(format!(
                "{id:?} is not the id of an app role assignment"
            )))
        };
        Request::new(self.target().client.clone(), call, read_nothing)
    }
}
