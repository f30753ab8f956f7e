//! `$skiptoken`: the start of the next page, authenticated so that a client cannot invent one.

use serde_json::{Value, json};

use super::{error::GraphError, seal::Seal};
use crate::collation::SortKey;

/// The position of a row in its unsorted list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RowPosition {
    /// A growing number.
    Serial(u64),
    /// Time and serial number in a log, newest first.
    Log(i64, u64),
}

/// The last row of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) place: RowPosition,
    /// The sort keys, if the list is sorted.
    pub(crate) keys: Vec<SortKey<'static>>,
    /// Whether the first page was an advanced query; then all pages are.
    pub(crate) advanced: bool,
}

/// Creates and opens page tokens of one query of one tenant.
#[derive(Debug)]
pub(crate) struct PageKey {
    seal: Seal,
    query: String,
}

impl PageKey {
    /// `query` is everything that must be the same on each page.
    pub(crate) fn new(tenant: &str, query: String) -> Self {
        Self {
            seal: Seal::of(tenant),
            query,
        }
    }

    pub(crate) fn seal(&self, position: &Position) -> String {
        let (kind, time, serial) = match position.place {
            RowPosition::Serial(serial) => (0, 0, serial),
            RowPosition::Log(time, serial) => (1, time, serial),
        };
        let keys: Vec<Value> = position
            .keys
            .iter()
            .map(|key| match key {
                SortKey::Null => Value::Null,
                SortKey::Number(number) => json!(number),
                SortKey::Text(text) => json!(text),
            })
            .collect();
        let content = json!([
            VERSION,
            self.seal.digest(&self.query),
            kind,
            time,
            serial,
            keys,
            u8::from(position.advanced)
        ])
        .to_string();
        self.seal.seal(&content)
    }

    pub(crate) fn open(&self, token: &str) -> Result<Position, GraphError> {
        let content = self.seal.open(token).ok_or_else(malformed)?;
        let parts: Value = serde_json::from_str(&content).map_err(|_| malformed())?;
        if parts[0] != VERSION || parts[1].as_str() != Some(&self.seal.digest(&self.query)) {
            return Err(GraphError::new(
                400,
                "Directory_ExpiredPageToken",
                "The specified page token value has expired and cannot be included in your request.",
            ));
        }
        let keys = parts[5]
            .as_array()
            .into_iter()
            .flatten()
            .map(|key| match key {
                Value::Number(number) => number.as_i64().map_or(SortKey::Null, SortKey::Number),
                Value::String(text) => SortKey::Text(text.clone().into()),
                _ => SortKey::Null,
            })
            .collect();
        let serial = parts[4].as_u64().unwrap_or_default();
        let place = if parts[2] == 0 {
            RowPosition::Serial(serial)
        } else {
            RowPosition::Log(parts[3].as_i64().unwrap_or_default(), serial)
        };
        Ok(Position {
            place,
            keys,
            advanced: parts[6] == 1,
        })
    }
}

fn malformed() -> GraphError {
    GraphError::bad_request("The specified page token value is invalid.")
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position() -> Position {
        Position {
            place: RowPosition::Log(-5, u64::MAX),
            keys: vec![
                SortKey::Text("Ä'\"".into()),
                SortKey::Null,
                SortKey::Number(i64::MIN),
            ],
            advanced: true,
        }
    }

    #[test]
    fn a_token_is_valid_for_its_own_query_only() {
        let key = PageKey::new("tenant", "/users?$top=5".into());
        let token = key.seal(&position());
        assert_eq!(key.open(&token), Ok(position()));
        assert!(!token.contains("users"));
        let other = PageKey::new("tenant", "/groups?$top=5".into())
            .open(&token)
            .unwrap_err();
        assert_eq!(other.code, "Directory_ExpiredPageToken");
        let foreign = PageKey::new("elsewhere", "/users?$top=5".into())
            .open(&token)
            .unwrap_err();
        assert_eq!(foreign.code, "Request_BadRequest");
    }

    proptest! {
        #[test]
        fn a_changed_token_is_rejected(at in 0_usize..200, with in "[A-Za-z0-9_-]") {
            let key = PageKey::new("tenant", "/users".into());
            let token = key.seal(&position());
            let at = at % token.len();
            let mut changed = token.clone();
            changed.replace_range(at..=at, &with);
            if let Ok(opened) = key.open(&changed) {
                prop_assert_eq!(opened, position());
            }
        }

        #[test]
        fn invented_tokens_return_400(token in "[ -~]{0,80}") {
            prop_assert_eq!(PageKey::new("tenant", "/users".into()).open(&token).unwrap_err().status, 400);
        }
    }
}
