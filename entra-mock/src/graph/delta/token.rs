//! The content of a delta or skip token.

use serde_json::{Value, json};

use super::super::call::Call;
use crate::{
    odata::{GraphError, Seal},
    store::Kind,
};

/// The query of a series of rounds, from its first request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) select: Option<Vec<String>>,
    /// Only the objects with these ids.
    pub(super) ids: Option<Vec<String>>,
}

/// The state of a series of rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) scope: Scope,
    /// Whether the round lists the existing objects.
    pub(super) full: bool,
    /// The first change of the round.
    pub(super) from: u64,
    /// The first change of the next round.
    pub(super) until: u64,
    /// Changes that this round withholds, and those that the last one withheld.
    pub(super) withheld: Option<Range>,
    pub(super) late: Option<Late>,
    /// Whether the withheld changes are of objects that were missing from a round of all objects.
    pub(super) complete_later: bool,
    pub(super) position: Option<RoundPosition>,
    /// The number up to which the client can know the changes, exclusive. Pages show each object as it is then, so it can be
    /// higher than the end of the round.
    known: u64,
    /// When the token was issued, in seconds.
    issued: i64,
}

/// Changes from one number up to another, exclusive.
pub(super) type Range = (u64, u64);

/// Changes that an earlier round withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) range: Range,
    /// Whether the objects were missing from a round of all objects, so that they are shown complete.
    pub(super) complete: bool,
}

/// How far the round has advanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoundPosition {
    /// The last object: its serial number in the first round, the number of its last change in a
    /// later one.
    pub(super) object: u64,
    /// How many links of that object were shown, if it has more.
    pub(super) links: Option<usize>,
    /// The number of the change log at that time: shows whether links have moved since.
    pub(super) seen: u64,
}

impl RoundPosition {
    /// The position before the first object.
    pub(super) const fn first() -> Self {
        Self {
            object: 0,
            links: None,
            seen: 0,
        }
    }

    /// The position behind every object.
    pub(super) const fn behind_all() -> Self {
        Self {
            object: u64::MAX,
            links: None,
            seen: 0,
        }
    }
}

impl State {
    pub(super) fn full(scope: Scope, next: u64, now: i64) -> Self {
        Self {
            scope,
            full: true,
            from: next,
            until: next,
            withheld: None,
            late: None,
            complete_later: false,
            position: None,
            known: next,
            issued: now,
        }
    }

    /// The state of a delta link.
    pub(super) fn between_rounds(scope: Scope, next: u64, now: i64) -> Self {
        Self {
            full: false,
            ..Self::full(scope, next, now)
        }
    }

    /// The state after this round. `withheld` are the changes that were made while it was read, which the next
    /// round withholds too.
    pub(super) fn end(&self, withheld: Option<Range>, now: i64) -> Self {
        Self {
            withheld,
            // After a round of all objects, the objects that were missing from it are complete.
            late: self.withheld.map(|range| Late {
                range,
                complete: self.complete_later,
            }),
            complete_later: self.full,
            known: self.known,
            ..Self::between_rounds(self.scope.clone(), self.until, now)
        }
    }

    /// Starts a round with the changes so far.
    pub(super) fn begin(self, next: u64) -> Self {
        Self {
            until: next,
            ..self
        }
    }

    pub(super) fn at(&self, position: RoundPosition) -> Self {
        Self {
            position: Some(position),
            ..self.clone()
        }
    }

    pub(super) fn seal(&self, call: Call<'_>, kind: Kind) -> String {
        let position = self
            .position
            .map(|position| json!([position.object, position.links, position.seen]))
            .unwrap_or_default();
        // With a replication delay, an earlier page can have shown a later version of the directory.
        let known = self.known.max(call.state.store.changes.next());
        let content = json!([
            VERSION,
            kind.entity().set,
            self.scope.select,
            self.scope.ids,
            self.full,
            self.from,
            self.until,
            position,
            [
                json!(self.withheld),
                json!(self.late.map(|late| (late.range, late.complete))),
                json!(self.complete_later),
                json!(call.state.delta_epoch),
                json!(known),
            ],
            call.now.unix_timestamp(),
            // Each response has a different token, even if nothing changed.
            call.state.random.token(6),
        ]);
        Seal::of(&call.state.tenant_id.to_string()).seal(&content.to_string())
    }

    /// The state at the start of the same round for other objects.
    pub(super) fn restarted(&self, scope: Scope) -> Self {
        Self {
            scope,
            position: None,
            ..self.clone()
        }
    }

    /// Reads the token of a page in a round, or of the link between two rounds.
    pub(super) fn open(
        call: Call<'_>,
        kind: Kind,
        token: &str,
        page: bool,
    ) -> Result<Self, GraphError> {
        let state = Self::read(call, kind, token)?;
        match state.position.is_some() == page {
            true => Ok(state),
            false => Err(wrong()),
        }
    }

    pub(super) fn read(call: Call<'_>, kind: Kind, token: &str) -> Result<Self, GraphError> {
        let content = Seal::of(&call.state.tenant_id.to_string())
            .open(token)
            .ok_or_else(wrong)?;
        let parts: Value = serde_json::from_str(&content).map_err(|_| wrong())?;
        let fits = parts[0] == VERSION && parts[1] == kind.entity().set;
        if !fits {
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
            position: parts[7].as_array().map(|position| RoundPosition {
                object: position[0].as_u64().unwrap_or_default(),
                links: position[1]
                    .as_u64()
                    .map(|links| usize::try_from(links).unwrap_or(usize::MAX)),
                seen: position[2].as_u64().unwrap_or_default(),
            }),
            withheld: range(&parts[8][0]),
            late: range(&parts[8][1][0]).map(|range| Late {
                range,
                complete: parts[8][1][1] == true,
            }),
            complete_later: parts[8][2] == true,
            known: parts[8][4].as_u64().ok_or_else(wrong)?,
            issued: parts[9].as_i64().ok_or_else(wrong)?,
        };
        let age = call.now.unix_timestamp() - state.issued;
        let epoch = parts[8][3].as_u64().unwrap_or_default();
        let is_forgotten = !call.state.has_delta_link(epoch, state.known);
        if age > LIFETIME || is_forgotten || state.from < call.state.store.changes.oldest() {
            return Err(state.expired(call, kind));
        }
        Ok(state)
    }

    /// Returns 410 for an expired token, with the URL to start again.
    fn expired(&self, call: Call<'_>, kind: Kind) -> GraphError {
        let has_location = !call.state.delta_oddities.resync_without_location;
        let mut error = GraphError::new(
            410,
            if has_location {
                "syncStateNotFound"
            } else {
                "SyncStateNotFound"
            },
            "The sync state generation is not found; a full synchronization is required.",
        );
        if !has_location {
            return error;
        }
        let mut location = format!("{}/{}/delta?$deltatoken=", call.root(), kind.entity().set);
        if let Some(select) = &self.scope.select {
            location.push_str(&format!("&$select={}", select.join(",")));
        }
        if let Some(ids) = &self.scope.ids {
            let filter: Vec<String> = ids.iter().map(|id| format!("id%20eq%20'{id}'")).collect();
            location.push_str(&format!("&$filter={}", filter.join("%20or%20")));
        }
        error.location = Some(location);
        error
    }
}

/// 400 for a token that is not one of this list.
pub(super) fn wrong() -> GraphError {
    GraphError::bad_request("The specified delta or skip token is invalid.")
}

fn range(value: &Value) -> Option<Range> {
    Some((value[0].as_u64()?, value[1].as_u64()?))
}

const VERSION: u8 = 3;
/// Seven days from the issue of each token.
const LIFETIME: i64 = 7 * 86_400;
