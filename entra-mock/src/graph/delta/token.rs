//! What a delta or skip token holds.

use serde_json::{Value, json};

use super::super::Call;
use crate::{
    odata::{Refusal, Seal},
    store::Kind,
};

/// What a series of rounds is about; said once, in its first request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) select: Option<Vec<String>>,
    /// Only these objects.
    pub(super) ids: Option<Vec<String>>,
}

/// Where a series of rounds stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) scope: Scope,
    /// Whether the round lists what exists.
    pub(super) full: bool,
    /// The first change of the round.
    pub(super) from: u64,
    /// The first change of the next round.
    pub(super) until: u64,
    pub(super) place: Option<Place>,
    /// When the token was made, in seconds.
    issued: i64,
}

/// How far the round has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The last object: its serial number in a full round, its last change in another.
    pub(super) object: u64,
    /// How many of that object's links were shown, if there are more.
    pub(super) links: Option<usize>,
    /// The number that the change log had then: whether links have moved since.
    pub(super) seen: u64,
}

impl State {
    pub(super) fn full(scope: Scope, next: u64, now: i64) -> Self {
        Self {
            scope,
            full: true,
            from: next,
            until: next,
            place: None,
            issued: now,
        }
    }

    /// The state behind a delta link.
    pub(super) fn between_rounds(scope: Scope, next: u64, now: i64) -> Self {
        Self {
            full: false,
            ..Self::full(scope, next, now)
        }
    }

    /// Begins a round with the changes so far.
    pub(super) fn begin(self, next: u64) -> Self {
        Self {
            until: next,
            ..self
        }
    }

    pub(super) fn at(&self, place: Place) -> Self {
        Self {
            place: Some(place),
            ..self.clone()
        }
    }

    pub(super) fn seal(&self, call: Call<'_>, kind: Kind) -> String {
        let place = self
            .place
            .map(|place| json!([place.object, place.links, place.seen]))
            .unwrap_or_default();
        let content = json!([
            VERSION,
            kind.entity().set,
            self.scope.select,
            self.scope.ids,
            self.full,
            self.from,
            self.until,
            place,
            call.now.unix_timestamp(),
            // The token is another one in every answer, also when nothing changed.
            call.state.random.token(6),
        ]);
        Seal::of(&call.state.tenant_id.to_string()).seal(&content.to_string())
    }

    pub(super) fn open(
        call: Call<'_>,
        kind: Kind,
        token: &str,
        page: bool,
    ) -> Result<Self, Refusal> {
        let wrong = || Refusal::bad_request("The specified delta or skip token is invalid.");
        let content = Seal::of(&call.state.tenant_id.to_string())
            .open(token)
            .ok_or_else(wrong)?;
        let parts: Value = serde_json::from_str(&content).map_err(|_| wrong())?;
        let fits = parts[0] == VERSION && parts[1] == kind.entity().set;
        if !fits || parts[7].is_null() == page {
            return Err(wrong());
        }
        let texts = |value: &Value| -> Option<Vec<String>> {
            let items = value.as_array()?;
            Some(
                items
                    .iter()
                    .filter_map(|item| item.as_str().map(str::to_owned))
                    .collect(),
            )
        };
        let state = Self {
            scope: Scope {
                select: texts(&parts[2]),
                ids: texts(&parts[3]),
            },
            full: parts[4] == true,
            from: parts[5].as_u64().ok_or_else(wrong)?,
            until: parts[6].as_u64().ok_or_else(wrong)?,
            place: parts[7].as_array().map(|place| Place {
                object: place[0].as_u64().unwrap_or_default(),
                links: place[1]
                    .as_u64()
                    .map(|links| usize::try_from(links).unwrap_or(usize::MAX)),
                seen: place[2].as_u64().unwrap_or_default(),
            }),
            issued: parts[8].as_i64().ok_or_else(wrong)?,
        };
        let age = call.now.unix_timestamp() - state.issued;
        if age > LIFETIME || state.from < call.state.store.changes.oldest() {
            return Err(state.expired(call, kind));
        }
        Ok(state)
    }

    /// 410 for a token that is too old: the client is sent back to the start.
    fn expired(&self, call: Call<'_>, kind: Kind) -> Refusal {
        let mut refusal = Refusal::new(
            410,
            "syncStateNotFound",
            "The sync state generation is not found; a full synchronization is required.",
        );
        let mut location = format!("{}/{}/delta?$deltatoken=", call.root(), kind.entity().set);
        if let Some(select) = &self.scope.select {
            location.push_str(&format!("&$select={}", select.join(",")));
        }
        if let Some(ids) = &self.scope.ids {
            let filter: Vec<String> = ids.iter().map(|id| format!("id%20eq%20'{id}'")).collect();
            location.push_str(&format!("&$filter={}", filter.join("%20or%20")));
        }
        refusal.location = Some(location);
        refusal
    }
}

const VERSION: u8 = 1;
/// Seven days, from the making of each token.
const LIFETIME: i64 = 7 * 86_400;
