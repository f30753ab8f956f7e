//! The copy in SQLite: one transaction for each step, so that changes, bookkeeping and state belong together.

use std::path::Path;

use entra_graph::sync::{Step, SyncChange, SyncState, SyncStore};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

/// A database file with the copy (`objects`, `members`), the log of its changes, and what the sync keeps.
pub(crate) struct Database {
    connection: Connection,
}

/// Why the database failed.
#[derive(Debug)]
pub(crate) enum DatabaseError {
    Sqlite(rusqlite::Error),
    Json(serde_json::Error),
    Object(entra_graph::Error),
    /// Another process has written a step since this one was computed.
    Overtaken,
}

impl Database {
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let connection = Connection::open(path)?;
        // Keys are compared byte by byte, which is what a sync needs and SQLite's default. With less than FULL, a power cut
        // could undo changes that were exported already, and give their sequence numbers to others.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS sync_state (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL);
             CREATE TABLE IF NOT EXISTS sync_rows (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS objects (
                 kind TEXT NOT NULL, id TEXT NOT NULL, object TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS members (
                 group_id TEXT NOT NULL, member_id TEXT NOT NULL, PRIMARY KEY (group_id, member_id)) WITHOUT ROWID;
             CREATE INDEX IF NOT EXISTS groups_of_members ON members (member_id);
             CREATE TABLE IF NOT EXISTS changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, change TEXT NOT NULL);",
        )?;
        Ok(Self { connection })
    }

    /// The number of objects and of memberships.
    pub(crate) fn counts(&self) -> Result<(i64, i64), DatabaseError> {
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            self.connection.query_row(&sql, [], |row| row.get(0))
        };
        Ok((count("objects")?, count("members")?))
    }

    /// The sequence number of the last change, 0 without one.
    pub(crate) fn last_sequence(&self) -> Result<i64, DatabaseError> {
        // SQLite keeps it here, also when old changes were deleted from the table.
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'changes'";
        let last = self.connection.query_row(sql, [], |row| row.get(0));
        Ok(last.optional()?.unwrap_or_default())
    }

    /// The changes after a sequence number, each with its own.
    pub(crate) fn changes_since(
        &self,
        sequence: i64,
        mut each: impl FnMut(i64, String) -> Result<(), std::io::Error>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let sql = "SELECT sequence, change FROM changes WHERE sequence > ?1 ORDER BY sequence";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([sequence])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get(1)?)?;
        }
        Ok(())
    }
}

impl SyncStore for Database {
    type Error = DatabaseError;

    async fn state(&mut self) -> Result<Option<SyncState>, DatabaseError> {
        state_of(&self.connection)
    }

    async fn get(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, DatabaseError> {
        let sql = "SELECT value FROM sync_rows WHERE key = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let values = keys
            .iter()
            .map(|key| statement.query_row([key], |row| row.get(0)).optional());
        Ok(values.collect::<Result<_, _>>()?)
    }

    async fn scan(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, DatabaseError> {
        // Every key is ASCII, so this is greater than all keys with the prefix.
        let end = format!("{prefix}\u{7f}");
        let sql = "SELECT key, value FROM sync_rows WHERE key >= ?1 AND key < ?2 AND key > ?3 ORDER BY key LIMIT ?4";
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(
            params![prefix, end, after.unwrap_or_default(), limit],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    async fn commit(&mut self, step: &Step) -> Result<(), DatabaseError> {
        // No other process writes between the comparison and the step.
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        if state_of(&transaction)?.map_or(0, |state| state.step()) != step.follows() {
            return Err(DatabaseError::Overtaken);
        }
        for (key, value) in step.rows() {
            match value {
                Some(value) => transaction
                    .prepare_cached("INSERT INTO sync_rows VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2")?
                    .execute([key, value])?,
                None => transaction
                    .prepare_cached("DELETE FROM sync_rows WHERE key = ?1")?
                    .execute([key])?,
            };
        }
        for change in step.changes() {
            apply(&transaction, change)?;
        }
        let state = serde_json::to_string(step.state())?;
        let sql = "INSERT INTO sync_state VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET state = ?1";
        transaction.execute(sql, [state])?;
        transaction.commit()?;
        Ok(())
    }
}

/// The state of the last step.
fn state_of(connection: &Connection) -> Result<Option<SyncState>, DatabaseError> {
    let sql = "SELECT state FROM sync_state";
    let text: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

/// Applies one change to the tables, and logs it.
fn apply(transaction: &Transaction<'_>, change: &SyncChange) -> Result<(), DatabaseError> {
    let log = "INSERT INTO changes (change) VALUES (?1)";
    transaction
        .prepare_cached(log)?
        .execute([serde_json::to_string(change)?])?;
    match change {
        SyncChange::Upsert(object) => {
            let sql = "INSERT INTO objects VALUES (?1, ?2, ?3) ON CONFLICT (kind, id) DO UPDATE SET object = ?3";
            let json = object.to_json().map_err(DatabaseError::Object)?;
            let json = json.to_string();
            transaction.prepare_cached(sql)?.execute([
                &object.kind().to_string(),
                object.id(),
                &json,
            ])?;
        }
        SyncChange::Removed { kind, id, .. } => {
            transaction
                .prepare_cached("DELETE FROM objects WHERE kind = ?1 AND id = ?2")?
                .execute([&kind.to_string(), id])?;
            transaction
                .prepare_cached("DELETE FROM members WHERE group_id = ?1 OR member_id = ?1")?
                .execute([id])?;
        }
        SyncChange::MemberAdded { group, member, .. } => {
            transaction
                .prepare_cached("INSERT INTO members VALUES (?1, ?2)")?
                .execute([group, member])?;
        }
        SyncChange::MemberRemoved { group, member } => {
            transaction
                .prepare_cached("DELETE FROM members WHERE group_id = ?1 AND member_id = ?2")?
                .execute([group, member])?;
        }
        // A kind of change that a later version of the crate adds.
        _ => {}
    }
    Ok(())
}

impl std::fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "SQLite failed: {error}"),
            Self::Json(error) => write!(f, "the database holds invalid JSON: {error}"),
            Self::Object(error) => std::fmt::Display::fmt(error, f),
            Self::Overtaken => f.write_str(
                "another process keeps this copy too\n  fix: run one at a time for a database",
            ),
        }
    }
}

impl std::error::Error for DatabaseError {}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<serde_json::Error> for DatabaseError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_on_the_disk_when_its_commit_returns() {
        let folder = format!("entra-directory-sync-pragma-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let database = Database::open(&folder.join("copy.db")).unwrap();
        let pragma = &database.connection;
        let journal: String = pragma
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        let synchronous: i64 = pragma
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .unwrap();
        drop(database);
        let _ = std::fs::remove_dir_all(&folder);
        // 2 is FULL.
        assert_eq!((journal.as_str(), synchronous), ("wal", 2));
    }
}
