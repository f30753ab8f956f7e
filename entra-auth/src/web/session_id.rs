use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::store::StoreKey;

/// The value of the session's cookie. It is random, and the store has its digest only.
///
/// The first part is equal for all sessions of a user, so that they can be ended together. The last
/// part is the connection, so that a sign-out can redirect to Entra while the store is down.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SessionId {
    user_digest: String,
    id: String,
    connection: String,
}

impl SessionId {
    pub(super) const fn new(user_digest: String, id: String, connection: String) -> Self {
        Self {
            user_digest,
            id,
            connection,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (Some(user_digest), Some(id), Some(name), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let is_plain = |part: &str| {
            part.len() <= MAX_PART_BYTES
                && !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let connection = Some(name).filter(|name| name.len() <= MAX_NAME_BYTES)?;
        let connection = String::from_utf8(URL_SAFE_NO_PAD.decode(connection).ok()?).ok()?;
        (is_plain(user_digest) && is_plain(id))
            .then(|| Self::new(user_digest.to_owned(), id.to_owned(), connection))
    }

    pub(super) fn to_text(&self) -> String {
        let name = URL_SAFE_NO_PAD.encode(&self.connection);
        format!("{}.{}.{name}", self.user_digest, self.id)
    }

    /// The name of the connection in the cookie, which the browser's user can change.
    pub(super) fn connection(&self) -> &str {
        &self.connection
    }

    pub(super) fn key(&self, site: &str) -> StoreKey {
        StoreKey::new(&self.partition(site), &self.id)
    }

    pub(super) fn state_key(&self, site: &str) -> StoreKey {
        StoreKey::new(&self.partition(site), &format!("{} state", self.id))
    }

    /// The entry that says whose tokens a sign-out removes.
    pub(super) fn owner_key(&self, site: &str) -> StoreKey {
        StoreKey::new(&self.partition(site), &format!("{} tokens", self.id))
    }

    /// The part that only the browser knows.
    pub(super) fn secret(&self) -> &str {
        &self.id
    }

    fn partition(&self, site: &str) -> String {
        format!("web sessions at {site} of {}", self.user_digest)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId")
    }
}

const MAX_PART_BYTES: usize = 64;
/// The encoded length of a name of 128 characters.
const MAX_NAME_BYTES: usize = 700;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_session_cookie_can_hold_is_a_session_id() {
        let name = URL_SAFE_NO_PAD.encode("the other one");
        let whole = format!("gr-0_up.Id-0_9.{name}");
        let id = SessionId::parse(&whole);
        let id = id.as_ref();
        assert_eq!(id.map(SessionId::to_text).as_deref(), Some(whole.as_str()));
        assert_eq!(id.map(SessionId::connection), Some("the other one"));
        assert_eq!(id.map(|id| format!("{id:?}")).as_deref(), Some("SessionId"));
        let long = "x".repeat(MAX_PART_BYTES + 1);
        let longest = "x".repeat(MAX_PART_BYTES);
        assert!(SessionId::parse(&format!("{longest}.{longest}.{name}")).is_some());
        let long_name = "A".repeat(MAX_NAME_BYTES + 2);
        for bad in [
            format!("{long}.i.{name}"),
            format!("g.{long}.{name}"),
            format!(".i.{name}"),
            format!("g..{name}"),
            format!("g/.i.{name}"),
            format!("g.i\u{e4}.{name}"),
            format!("g.i.{long_name}"),
            "g.i.*".to_owned(),
            "g.i".to_owned(),
            format!("g.i.{name}.x"),
        ] {
            assert!(SessionId::parse(&bad).is_none(), "{bad}");
        }
    }
}
