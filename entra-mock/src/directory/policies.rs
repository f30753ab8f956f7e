//! The tenant's default policies.

use serde_json::json;

use super::object;
use crate::{schema::SINGLE_ID, state::State, store::Kind};

impl State {
    /// Stores the default app management policy, which always exists and restricts nothing.
    pub(crate) fn add_default_policies(&mut self) {
        self.store.changes.pause(true);
        let none = json!({ "passwordCredentials": [], "keyCredentials": [] });
        let policy = object([
            ("id", SINGLE_ID.into()),
            ("displayName", "Default app management tenant policy".into()),
            (
                "description",
                "Restrictions on the credentials of all applications and service principals."
                    .into(),
            ),
            ("isEnabled", false.into()),
            ("applicationRestrictions", none.clone()),
            ("servicePrincipalRestrictions", none),
        ]);
        let stored = self.store.insert(Kind::TenantAppManagementPolicy, policy);
        debug_assert_eq!(stored, Ok(()), "there is one default policy");
        self.store.changes.pause(false);
    }
}
