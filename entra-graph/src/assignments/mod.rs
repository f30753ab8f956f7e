//! Who is assigned to which application: the app role assignments of users, groups and service principals.

mod model;

pub use model::AppRoleAssignment;

use crate::entity::{Entity, EntityInfo, capable};

impl Entity for AppRoleAssignment {
    const INFO: EntityInfo = EntityInfo::directory("app role assignment", "app role assignments");
}

capable!(AppRoleAssignment: Selectable, Filterable, Toppable, Countable);
