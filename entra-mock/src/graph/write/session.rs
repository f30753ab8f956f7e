//! `revokeSignInSessions`.

use serde_json::json;

use super::{
    super::{call::Call, route::Root},
    access,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{directory::sensitive_actions::SensitiveAction, odata::GraphError, store::Kind};

pub(super) fn revoke(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (object, id, own) = target(call, root, kind, "/revokeSignInSessions")?;
    if !own {
        access::check_sensitive(call, object, SensitiveAction::ResetPassword)?;
    }
    let response = json!({ "@odata.context": call.context("Edm.Boolean"), "value": true });
    Ok(Plan::new(PlannedResponse::Json(200, response))
        .with(Step::RevokeSessions(id.to_owned()))
        .audited_as(
            "UserManagement",
            "Update StsRefreshTokenValidFrom Timestamp",
        ))
}
