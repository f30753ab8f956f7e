//! The form of a change in the archive, which exists only in memory.

use std::{fmt::Display, sync::Arc};

use entra_core::{Timestamp, time::Duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{Actor, Change, Event};
use crate::{
    schema::{Kind, Relation},
    store::name::Name,
};

/// A change: sequence, time in seconds and nanoseconds, actor, kind, id, event.
type Row<'a> = (
    u64,
    i64,
    i64,
    Option<ActorRow>,
    usize,
    std::borrow::Cow<'a, str>,
    EventRow,
);
type ActorRow = (String, Option<String>, Option<String>);

#[derive(Deserialize, Serialize)]
enum EventRow {
    Created,
    Updated(Vec<String>),
    Deleted,
    Restored,
    Purged,
    Linked(usize, usize, String),
    Unlinked(usize, usize, String),
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let actor = self.by.as_ref().map(|by| {
            let (principal, user) = (by.service_principal_id.clone(), by.user_id.clone());
            (by.app_id.clone(), principal, user)
        });
        let row: Row<'_> = (
            self.sequence,
            self.at.unix_timestamp(),
            i64::from(self.at.nanosecond()),
            actor,
            self.kind as usize,
            (&*self.id).into(),
            event_row(&self.what),
        );
        row.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let row = Row::deserialize(deserializer)?;
        let (sequence, seconds, nanoseconds, actor, kind_number, id, event) = row;
        let at = Timestamp::from_unix_timestamp(seconds).map_err(invalid)?;
        let by = actor.map(|(app_id, service_principal_id, user_id)| {
            Arc::new(Actor {
                app_id,
                service_principal_id,
                user_id,
            })
        });
        Ok(Self {
            sequence,
            at: at + Duration::nanoseconds(nanoseconds),
            by,
            kind: kind(kind_number)?,
            id: id.into(),
            what: to_event(event)?,
        })
    }
}

fn event_row(event: &Event) -> EventRow {
    let of_link = |relation: &Relation, kind: &Kind, id: &str| {
        let mut all = Relation::ALL.iter();
        let relation = all
            .position(|other| other == relation)
            .unwrap_or(usize::MAX);
        (relation, *kind as usize, id.to_owned())
    };
    match event {
        Event::Created => EventRow::Created,
        Event::Updated(properties) => {
            let names = properties.iter().map(|(name, _)| (*name).to_owned());
            EventRow::Updated(names.collect())
        }
        Event::Deleted => EventRow::Deleted,
        Event::Restored => EventRow::Restored,
        Event::Purged => EventRow::Purged,
        Event::Linked(relation, kind, id) => {
            let (relation, kind, id) = of_link(relation, kind, id);
            EventRow::Linked(relation, kind, id)
        }
        Event::Unlinked(relation, kind, id) => {
            let (relation, kind, id) = of_link(relation, kind, id);
            EventRow::Unlinked(relation, kind, id)
        }
    }
}

fn to_event<E: Error>(row: EventRow) -> Result<Event, E> {
    Ok(match row {
        EventRow::Created => Event::Created,
        EventRow::Updated(names) => {
            let names = names.iter().map(|name| (Name::of(name).text(), None));
            Event::Updated(names.collect())
        }
        EventRow::Deleted => Event::Deleted,
        EventRow::Restored => Event::Restored,
        EventRow::Purged => Event::Purged,
        EventRow::Linked(of, other, id) => Event::Linked(relation(of)?, kind(other)?, id.into()),
        EventRow::Unlinked(of, other, id) => {
            Event::Unlinked(relation(of)?, kind(other)?, id.into())
        }
    })
}

fn kind<E: Error>(number: usize) -> Result<Kind, E> {
    let kind = Kind::ALL.get(number).copied();
    kind.ok_or_else(|| E::custom("the kind does not exist"))
}

fn relation<E: Error>(number: usize) -> Result<Relation, E> {
    let relation = Relation::ALL.get(number).copied();
    relation.ok_or_else(|| E::custom("the relation does not exist"))
}

fn invalid<E: Error>(error: impl Display) -> E {
    E::custom(error)
}
