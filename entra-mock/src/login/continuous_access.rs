//! Continuous access evaluation: Graph rejects a token after an event of its user or its service principal,
//! if the client can handle claims challenges (capability `cp1`).
//!
//! Source: the pages "Continuous access evaluation" and "Claims challenges and claims requests".

use entra_core::Timestamp;
use serde_json::{Map, Value};

use super::policy;
use crate::{
    account::generation, directory::GRAPH_APP_ID, permissions::TokenProblem, random::Random,
    state::State, store::Kind,
};

/// Returns the claim `aio` of a user's token. It is opaque to clients, and Graph finds in it which sessions the
/// token belongs to.
pub(super) fn aio(random: &Random, generation: u64) -> String {
    format!("{}.{generation}", random.token(60))
}

/// Returns an error if the user or the service principal of a token lost the access since it was issued.
///
/// The claims are those of a token of Graph that is valid otherwise.
pub(super) fn check(
    state: &State,
    now: Timestamp,
    claims: &Map<String, Value>,
) -> Result<(), TokenProblem> {
    let capable = claims
        .get("xms_cc")
        .and_then(Value::as_array)
        .is_some_and(|capabilities| capabilities.iter().any(|one| one == CAPABILITY));
    if !capable || has_access(state, claims) {
        return Ok(());
    }
    Err(TokenProblem::Revoked {
        since: now.unix_timestamp(),
    })
}

fn has_access(state: &State, claims: &Map<String, Value>) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    // One of the versions of tokens has the one claim, the other has the other.
    let client = match text("appid") {
        "" => text("azp"),
        client => client,
    };
    let apps = [client, GRAPH_APP_ID];
    let id = text("oid");
    let enabled = |kind: Kind| {
        let object = state.store.get(kind, id);
        object.filter(|object| object.get("accountEnabled") != Some(&Value::Bool(false)))
    };
    if !claims.contains_key("scp") {
        return enabled(Kind::ServicePrincipal).is_some()
            && policy::check_workload(state, id, &apps).is_ok();
    }
    let issued = text("aio").rsplit_once('.');
    let issued = issued.and_then(|(_, generation)| generation.parse().ok());
    enabled(Kind::User).is_some_and(|user| issued == Some(generation(user)))
        && policy::check_block(state, id, &apps).is_ok()
}

/// The capability to handle claims challenges, in lower case.
const CAPABILITY: &str = "cp1";
