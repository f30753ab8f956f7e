//! `revokeSignInSessions`.

use serde_json::json;

use super::{
    super::{Call, route::Root},
    Answer, Plan, Step, access, target,
};
use crate::{odata::Refusal, store::Kind};

pub(super) fn revoke(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, Refusal> {
    let (object, id, own) = target(call, root, kind, "/revokeSignInSessions")?;
    if !own {
        access::check_delete(call, kind, object)?;
    }
    let answer = json!({ "@odata.context": call.context("Edm.Boolean"), "value": true });
    Ok(Plan::new(Answer::Json(200, answer))
        .with(Step::RevokeSessions(id.to_owned()))
        .known_as(
            "UserManagement",
            "Update StsRefreshTokenValidFrom Timestamp",
        ))
}
