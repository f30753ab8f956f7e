//! How each kind of objects is read: its address, its page, and what of a row counts as a change.

use std::{fmt, sync::Arc};

use entra_core::url::Url;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    change::{ObjectKind, RemovalReason, SyncedObject},
    group_scope::GroupScope,
    machine::{Content, FeedPage, Link, PresentRow, Row},
    rows,
};
use crate::{
    client::{GraphClient, Reply},
    delta::{Change, Delta, Round},
    error::Error,
    model::Entity,
    objects::{AppRoleAssignment, Device, Group, ServicePrincipal, User},
    operation::Operation,
};

/// Which objects pass.
pub(super) type Predicate = Arc<dyn Fn(&SyncedObject) -> bool + Send + Sync>;

/// One kind of objects to copy.
#[derive(Clone)]
pub(super) struct Feed {
    pub(super) kind: ObjectKind,
    pub(super) source: Source,
    /// The name of the filter, and the filter.
    pub(super) filter: Option<(String, Predicate)>,
    /// The groups whose users are copied, if another scope reads the kind again.
    pub(super) within: Option<Arc<GroupScope>>,
    /// Whether the kind was not chosen, and is read because another one needs it.
    pub(super) implied: bool,
}

/// Where the objects of a kind are read.
#[derive(Clone)]
pub(super) enum Source {
    /// A delta query.
    Delta {
        operation: &'static Operation,
        /// The first page of a full round.
        start: Result<Url, Error>,
        read: fn(&GraphClient, &Reply) -> Result<FeedPage, Error>,
    },
    /// The lists of assignments of all service principals in the copy. `directoryObjects/delta` tracks assignments only
    /// with users, and its permission is that of users.
    Assignments,
}

impl Feed {
    /// The assignments to all service principals in the copy.
    pub(super) const fn assignments() -> Self {
        Self {
            kind: ObjectKind::AppRoleAssignment,
            source: Source::Assignments,
            filter: None,
            within: None,
            implied: false,
        }
    }

    /// Whether every round reads all objects.
    pub(super) const fn is_list(&self) -> bool {
        matches!(self.source, Source::Assignments)
    }

    /// A change feed of Graph.
    pub(super) fn delta<E: Synced>(delta: &Delta<E>) -> Self {
        let (start, operation) = delta.start_of_full_round();
        Self {
            kind: E::KIND,
            source: Source::Delta {
                operation,
                start,
                read: read_page::<E>,
            },
            filter: None,
            within: None,
            implied: false,
        }
    }

    /// A digest of what is read. A state of another one begins with a full round.
    pub(super) fn scope(&self) -> String {
        let query = match &self.source {
            Source::Delta { start, .. } => start.as_ref().ok().and_then(Url::query),
            Source::Assignments => None,
        };
        let filter = self.filter.as_ref().map(|(name, _)| name.as_str());
        let within = self.within.as_ref().map(|scope| scope.name());
        digest(format!("{:?} {query:?} {filter:?} {within:?}", self.kind).as_bytes())
    }

    /// Whether the properties of the objects of a page can be read, and whether these pass the filter.
    pub(super) fn judge(&self, page: &mut FeedPage) {
        if self.selects_any(self.kind.always()) {
            for row in &mut page.rows {
                if let Content::Present(present) = &mut row.content
                    && present.links.is_empty()
                    && present.object.is_bare()
                {
                    // A delta query leaves out what it does not show, and these every object has.
                    present.is_limited = true;
                }
            }
        }
        let Some((_, passes)) = &self.filter else {
            return;
        };
        for row in &mut page.rows {
            if let Content::Present(present) = &mut row.content
                && !present.is_limited
            {
                present.in_scope = passes(&present.object);
            }
        }
    }

    /// Whether any of these properties is read.
    fn selects_any(&self, properties: &[&str]) -> bool {
        let Source::Delta { start, .. } = &self.source else {
            return false;
        };
        let Ok(start) = start else { return false };
        let mut query = start.query_pairs();
        let Some((_, select)) = query.find(|(name, _)| name == "$select") else {
            // The default properties.
            return !properties.is_empty();
        };
        select.split(',').any(|name| properties.contains(&name))
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("kind", &self.kind)
            .field("filter", &self.filter.as_ref().map(|(name, _)| name))
            .finish_non_exhaustive()
    }
}

/// A model that a sync copies.
pub(super) trait Synced: Entity {
    const KIND: ObjectKind;

    fn wrap(self) -> SyncedObject;
}

macro_rules! synced {
    ($($name:ident)*) => {$(
        impl Synced for $name {
            const KIND: ObjectKind = ObjectKind::$name;

            fn wrap(self) -> SyncedObject {
                SyncedObject::$name(Box::new(self))
            }
        }
    )*};
}

synced!(User Group Device ServicePrincipal AppRoleAssignment);

fn read_page<E: Synced>(client: &GraphClient, reply: &Reply) -> Result<FeedPage, Error> {
    let round = Round::<E>::read(client, reply)?;
    let link = match (round.next, round.end) {
        (Some(next), _) => Link::Next(next.into()),
        (None, end) => Link::End(end.map(Into::into)),
    };
    let rows: Result<Vec<Row>, Error> = round.changes.into_iter().filter_map(row).collect();
    Ok(FeedPage { rows: rows?, link })
}

fn row<E: Synced>(change: Change<E>) -> Option<Result<Row, Error>> {
    let (id, content) = match change {
        Change::Removed { id, reason } => (id, Content::Removed(RemovalReason::from(&reason))),
        Change::Upsert(changed) => {
            let present = match present(changed.object.wrap()) {
                Ok(present) => present,
                Err(error) => return Some(Err(error)),
            };
            let id = present.object.id().to_owned();
            let links = changed.links;
            (
                id,
                Content::Present(Box::new(PresentRow { links, ..present })),
            )
        }
        Change::Restart => return None,
    };
    let links: &[_] = match &content {
        Content::Present(present) => &present.links,
        Content::Removed(_) => &[],
    };
    let mut ids = std::iter::once(&id).chain(links.iter().map(|link| &link.id));
    if let Some(bad) = ids.find(|id| !is_id(id)) {
        let source = format!("the id is {bad:?}");
        return Some(Err(Error::decode("a row has an invalid id", source)));
    }
    Some(Ok(Row { id, content }))
}

/// A row of an assignment to a service principal.
///
/// # Errors
/// `Decode` for a value that JSON cannot hold, and for an invalid id.
pub(super) fn assignment(
    service_principal: &str,
    assignment: AppRoleAssignment,
) -> Result<Row, Error> {
    let id = assignment.id.clone();
    if !is_id(&id) {
        let source = format!("the id is {id:?}");
        return Err(Error::decode("an assignment has an invalid id", source));
    }
    Ok(Row {
        id: rows::assignment(service_principal, &id),
        content: Content::Present(Box::new(present(assignment.wrap())?)),
    })
}

/// Whether a text can be an id: a GUID, or the URL-safe base64 of some bytes.
pub(super) fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(fits)
}

/// A row of an object without links.
///
/// # Errors
/// `Decode` for a value that JSON cannot hold.
pub(super) fn present(object: SyncedObject) -> Result<PresentRow, Error> {
    let mut text = Vec::new();
    let mut is_blank = true;
    let mut names = Vec::new();
    if let Value::Object(values) = object.to_json()? {
        // A property that is null says that it was cleared.
        is_blank = !values
            .keys()
            .any(|name| name != "id" && !name.contains('@'));
        let mut values: Vec<_> = values
            .into_iter()
            .filter(|(name, value)| counts(name, value))
            .collect();
        values.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (name, value) in values {
            let name = Value::String(name);
            write(&name, &mut text);
            write(&value, &mut text);
            if let Value::String(name) = name {
                names.push(name);
            }
        }
    }
    Ok(PresentRow {
        is_blank,
        names,
        is_limited: object.is_limited(),
        in_scope: true,
        digest: digest(&text),
        links: Vec::new(),
        object,
    })
}

/// Whether a property is part of what is copied. A property that was never set is absent, one that was cleared is
/// null, and annotations say nothing of the object.
fn counts(name: &str, value: &Value) -> bool {
    !value.is_null() && !name.contains('@')
}

/// Writes a value in one form only: the properties of objects in the order of their names.
fn write(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(values) => {
            let mut values: Vec<_> = values.iter().collect();
            values.sort_unstable_by_key(|(name, _)| *name);
            text.push(b'{');
            for (name, value) in values {
                write(&Value::String(name.clone()), text);
                write(value, text);
            }
            text.push(b'}');
        }
        Value::Array(values) => {
            text.push(b'[');
            for value in values {
                write(value, text);
            }
            text.push(b']');
        }
        other => {
            text.extend_from_slice(other.to_string().as_bytes());
            text.push(b',');
        }
    }
}

/// The first half of the SHA-256 of some bytes, in hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().take(16).fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::User;

    fn user(json: &str) -> PresentRow {
        let user: User = serde_json::from_str(json).unwrap_or_default();
        present(user.wrap()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn order_nulls_and_annotations_do_not_change_the_digest_and_values_do() {
        let one = user(r#"{"id":"1","displayName":"A","x":{"b":1,"a":2}}"#);
        for same in [
            r#"{"displayName":"A","x":{"a":2,"b":1},"id":"1"}"#,
            r#"{"id":"1","displayName":"A","jobTitle":null,"x":{"b":1,"a":2},"@odata.type":"y","x@odata.type":"z"}"#,
        ] {
            assert_eq!(user(same).digest, one.digest, "{same}");
        }
        for other in [
            r#"{"id":"1","displayName":"B","x":{"b":1,"a":2}}"#,
            r#"{"id":"1","displayName":"A","x":{"b":1,"a":3}}"#,
            r#"{"id":"1","displayName":"A"}"#,
        ] {
            assert_ne!(user(other).digest, one.digest, "{other}");
        }
    }

    #[test]
    fn a_row_with_nothing_but_an_id_is_blank() {
        assert!(user(r#"{"id":"1","@odata.type":"x"}"#).is_blank);
        for row in [
            r#"{"id":"1","displayName":"A"}"#,
            r#"{"id":"1","displayName":null}"#,
            r#"{"id":"1","extension":null}"#,
        ] {
            assert!(!user(row).is_blank, "{row}");
        }
    }
}
