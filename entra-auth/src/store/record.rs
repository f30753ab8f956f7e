use entra_core::{AccessToken, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    StoreError, StoreKey,
    seal::{damaged, unreadable},
};
use crate::moment::{Moment, is_from_the_future};

/// Whose entry it is and what for, in full; a store sees its digest only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EntryId {
    /// The text that names the partition.
    pub(crate) partition: String,
    /// The text that names the entry and all that a token depends on.
    pub(crate) entry: String,
}

/// A token as a store keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) token: AccessToken,
    /// When it was issued, on the wall clock of who got it.
    pub(crate) obtained: Timestamp,
    /// When it was issued or read here; `None` until it is first read with a clock.
    pub(crate) seen: Option<Moment>,
    /// Of a refresh token: the id of the mark of the user's last sign-out before the sign-in, and an
    /// empty text if there was no mark. `None` if it is not known.
    pub(crate) last_sign_out: Option<String>,
}

impl EntryId {
    #[inline]
    pub(crate) fn store_key(&self) -> StoreKey {
        StoreKey::new(&self.partition, &self.entry)
    }
}

impl Record {
    /// A token that was issued at this moment.
    pub(crate) const fn new(token: AccessToken, obtained: Moment) -> Self {
        Self {
            token,
            obtained: obtained.wall(),
            seen: Some(obtained),
            last_sign_out: None,
        }
    }

    /// The time for this token, from which it counts by both clocks; none if it is from a clock
    /// that was ahead, so that its age is unknown.
    #[inline]
    pub(crate) fn time_at(&mut self, now: Moment) -> Option<Timestamp> {
        if self.seen.is_none() {
            if is_from_the_future(self.obtained, now.wall()) {
                return None;
            }
            self.seen = Some(now);
        }
        self.seen.map(|seen| seen.time_at(now))
    }

    /// The entry's bytes. It names itself in full, so that nothing else can pass for it.
    #[inline]
    pub(crate) fn encode(&self, entry_id: &EntryId) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let wire = RecordJson {
            version: VERSION,
            partition: &entry_id.partition,
            entry: &entry_id.entry,
            token: self.token.expose_secret(),
            obtained: self.obtained.unix_timestamp(),
            expires_on: self.token.expires_on().unix_timestamp(),
            refresh_on: self.token.refresh_on().map(Timestamp::unix_timestamp),
            last_sign_out: self.last_sign_out.as_deref(),
        };
        // Big enough from the start: a buffer that grows leaves copies of the token behind.
        let size = 2 * (wire.token.len() + entry_id.partition.len() + entry_id.entry.len()) + 256;
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        serde_json::to_writer(&mut *bytes, &wire)
            .map_err(|_| StoreError::unavailable("an entry could not be written"))?;
        Ok(bytes)
    }

    /// The token in an entry, if it is the entry that was requested.
    #[inline]
    pub(crate) fn decode(entry_id: &EntryId, bytes: &[u8]) -> Result<Self, StoreError> {
        let (found, record) = Self::read(bytes)?;
        if found != *entry_id {
            return Err(damaged("an entry belongs elsewhere"));
        }
        Ok(record)
    }

    /// An entry and whose it says it is.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Result<(EntryId, Self), StoreError> {
        // The parser's own error may quote the entry.
        let Version { version } =
            serde_json::from_slice(bytes).map_err(|_| damaged("an entry is damaged"))?;
        if version != VERSION {
            return Err(unreadable(
                "an entry has a format that this version does not know; it is left as it is",
            ));
        }
        let read: RecordFields =
            serde_json::from_slice(bytes).map_err(|_| damaged("an entry is damaged"))?;
        let time = |seconds| {
            Timestamp::from_unix_timestamp(seconds).map_err(|_| damaged("an entry is damaged"))
        };
        let text = read.token.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(damaged("an entry is damaged"));
        }
        let mut token = AccessToken::new(read.token, time(read.expires_on)?);
        if let Some(refresh_on) = read.refresh_on {
            token = token.with_refresh_on(time(refresh_on)?);
        }
        let entry_id = EntryId {
            partition: read.partition,
            entry: read.entry,
        };
        let obtained = time(read.obtained)?;
        Ok((
            entry_id,
            Self {
                token,
                obtained,
                seen: None,
                last_sign_out: read.last_sign_out,
            },
        ))
    }
}

#[derive(Serialize)]
struct RecordJson<'a> {
    version: u32,
    partition: &'a str,
    entry: &'a str,
    token: &'a str,
    obtained: i64,
    expires_on: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_on: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_out: Option<&'a str>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct RecordFields {
    partition: String,
    entry: String,
    token: Secret,
    obtained: i64,
    expires_on: i64,
    refresh_on: Option<i64>,
    last_sign_out: Option<String>,
}

const VERSION: u32 = 1;
