//! The rows of a list, and which of them match.

use serde_json::{Map, Value, json};

use super::call::Call;
use crate::{
    odata::{DerivedValues, Expr, Literal, Op, RowPosition, Search, matches},
    permissions::sees_hidden_members,
    schema::{Kind, Relation, Relationship},
    store::{LatestSignIns, Object, SignInTime, Store},
};

/// An unsorted list.
#[derive(Clone, Debug)]
pub(super) enum Source<'a> {
    /// All objects of a kind.
    All(Kind),
    /// The deleted items of a kind.
    Deleted(Kind),
    /// A log between two times in ticks, newest first, and whether it includes records that v1.0
    /// does not list.
    Log(Kind, i64, i64, bool),
    /// Objects found through an index.
    Found(Kind, Vec<&'a Object>),
    /// The targets of a relationship, and whether hidden memberships are included.
    Related(&'static Relationship, &'a str, Option<Kind>, bool),
}

/// One row with its position.
pub(super) type Row<'a> = (RowPosition, Kind, &'a Object);

impl<'a> Source<'a> {
    /// Returns the rows after `after`. Starting anywhere costs no more than starting at the first
    /// row.
    pub(super) fn rows(
        &self,
        store: &'a Store,
        after: Option<RowPosition>,
    ) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
        let serial = match after {
            Some(RowPosition::Serial(serial)) => Some(serial),
            _ => None,
        };
        let skip = serial.map_or(0, |serial| {
            usize::try_from(serial + 1).unwrap_or(usize::MAX)
        });
        match self {
            Self::All(kind) => Box::new(all(store, *kind, after)),
            Self::Deleted(kind) => {
                let kind = *kind;
                let items = store.deleted_after(kind, serial);
                Box::new(
                    items.map(move |(serial, object)| (RowPosition::Serial(serial), kind, object)),
                )
            }
            Self::Log(kind, from, to, whole) => {
                let kind = *kind;
                let position = match after {
                    Some(RowPosition::Log(time, serial)) => Some((time, serial)),
                    _ => None,
                };
                let log = store.log(kind, (*from, *to), position, *whole);
                Box::new(log.map(move |((time, serial), object)| {
                    (RowPosition::Log(time, serial), kind, object)
                }))
            }
            Self::Found(kind, objects) => {
                let (kind, objects) = (*kind, objects.clone());
                Box::new(numbered(
                    objects.into_iter().map(move |object| (kind, object)),
                    skip,
                ))
            }
            Self::Related(relationship, id, cast, sees_hidden) => {
                let cast = *cast;
                let objects = relationship.visible(store, id, *sees_hidden);
                // Casting first keeps the numbers those of the list that is shown.
                Box::new(numbered(
                    objects.filter(move |(kind, _)| cast.is_none_or(|cast| cast == *kind)),
                    skip,
                ))
            }
        }
    }

    /// Returns the number of rows if it is known without reading them.
    pub(super) fn len(&self, store: &Store) -> Option<usize> {
        match self {
            Self::All(kind) => Some(store.len(*kind)),
            Self::Found(_, objects) => Some(objects.len()),
            _ => None,
        }
    }
}

/// All objects of a kind after a position.
pub(super) fn all(
    store: &Store,
    kind: Kind,
    after: Option<RowPosition>,
) -> impl Iterator<Item = Row<'_>> {
    let serial = match after {
        Some(RowPosition::Serial(serial)) => Some(serial),
        _ => None,
    };
    store
        .after(kind, serial)
        .map(move |(serial, object)| (RowPosition::Serial(serial), kind, object))
}

/// Which rows match. A kind without an entry never matches.
#[derive(Debug, Default)]
pub(super) struct RowFilter {
    pub(super) filter: Option<Expr>,
    /// The kinds to which the filter can apply.
    pub(super) filtered_kinds: Vec<Kind>,
    pub(super) searches: Vec<(Kind, Search)>,
    pub(super) searched: bool,
}

impl RowFilter {
    pub(super) fn is_open(&self) -> bool {
        self.filter.is_none() && !self.searched
    }

    pub(super) fn matches(
        &self,
        kind: Kind,
        object: &Object,
        eval_context: &dyn DerivedValues,
    ) -> bool {
        if let Some(filter) = &self.filter
            && !(self.filtered_kinds.contains(&kind) && matches(filter, object, eval_context))
        {
            return false;
        }
        !self.searched
            || self
                .searches
                .iter()
                .any(|(other, search)| *other == kind && search.matches(object))
    }
}

/// Evaluates what an object does not contain itself from the rest of the tenant.
#[derive(Clone, Copy)]
pub(super) struct EvalContext<'a> {
    store: &'a Store,
    /// Whether the caller may see the members of groups with hidden membership.
    sees_hidden: bool,
}

impl<'a> EvalContext<'a> {
    pub(super) fn of(call: Call<'a>) -> Self {
        Self {
            store: &call.state.store,
            sees_hidden: sees_hidden_members(call.caller),
        }
    }

    /// With everything, as no caller limits it.
    #[cfg(test)]
    pub(super) fn unlimited(store: &'a Store) -> Self {
        Self {
            store,
            sees_hidden: true,
        }
    }
}

impl DerivedValues for EvalContext<'_> {
    fn derived(&self, object: &Object, name: &str) -> Option<Value> {
        if !is_derived(name) {
            return None;
        }
        let id = object.text("id")?;
        match name {
            name if name.eq_ignore_ascii_case("signInActivity") => {
                self.store.latest_sign_ins(id).as_ref().map(activity)
            }
            name if name.eq_ignore_ascii_case("manager") => Some(reference(
                self.store.linked_objects(Relation::Manager, id).next()?,
            )),
            name if name.eq_ignore_ascii_case("createdOnBehalfOf") => {
                let mut creators = self.store.linked_objects(Relation::CreatedOnBehalfOf, id);
                Some(reference(creators.next()?))
            }
            name if name.eq_ignore_ascii_case("createdObjects") => {
                let created = self.store.linking_objects(Relation::CreatedOnBehalfOf, id);
                Some(created.map(reference).collect())
            }
            _ => None,
        }
    }

    fn related(&self, object: &Object, relationship: &str) -> usize {
        let Some(id) = object.text("id") else {
            return 0;
        };
        let Some(kind) = self.store.kind_of(id) else {
            return 0;
        };
        // A filter must not tell how many members a hidden membership has.
        kind.entity()
            .relationship(relationship)
            .map_or(0, |relationship| {
                relationship
                    .visible(self.store, id, self.sees_hidden)
                    .count()
            })
    }
}

/// Whether a property follows from other objects, so that it can change without its own object.
pub(super) fn is_derived(name: &str) -> bool {
    DERIVED.iter().any(|other| other.eq_ignore_ascii_case(name))
}

const DERIVED: [&str; 4] = [
    "signInActivity",
    "manager",
    "createdOnBehalfOf",
    "createdObjects",
];

/// What a filter compares of a related object.
fn reference((_, object): (Kind, &Object)) -> Value {
    json!({"id": object.text("id"), "deletedDateTime": object.text("deletedDateTime")})
}

/// Returns the objects that a filter selects through an index: `id eq`, or a key with `eq` or `in`,
/// alone or combined with more clauses by `and`.
pub(super) fn pinned<'a>(store: &'a Store, kind: Kind, filter: &Expr) -> Option<Vec<&'a Object>> {
    let keys = keys(kind, filter)?;
    let mut found: Vec<&Object> = Vec::new();
    for (property, value) in keys {
        if let Some(object) = store.find(kind, property, value)
            && !found.iter().any(|other| std::ptr::eq(*other, object))
        {
            found.push(object);
        }
    }
    Some(found)
}

/// Returns the time range of a log that a filter selects, in ticks.
pub(super) fn range(filter: &Expr, property: &str) -> (i64, i64) {
    match filter {
        Expr::And(left, right) => {
            let (left, right) = (range(left, property), range(right, property));
            (left.0.max(right.0), left.1.min(right.1))
        }
        Expr::Compare {
            path,
            op,
            value: Literal::Date(ticks),
        } if path.scope == 0
            && path.segments.len() == 1
            && path.segments[0].eq_ignore_ascii_case(property) =>
        {
            match op {
                Op::Eq => (*ticks, *ticks),
                Op::Ge | Op::Gt => (*ticks, i64::MAX),
                Op::Le | Op::Lt => (i64::MIN, *ticks),
                Op::Ne => (i64::MIN, i64::MAX),
            }
        }
        _ => (i64::MIN, i64::MAX),
    }
}

/// Whether a filter uses a property of the object.
pub(super) fn uses(filter: &Expr, property: &str) -> bool {
    let is_property = |path: &crate::odata::Path| {
        path.scope == 0
            && path
                .segments
                .first()
                .is_some_and(|name| name.eq_ignore_ascii_case(property))
    };
    match filter {
        Expr::And(left, right) | Expr::Or(left, right) => {
            uses(left, property) || uses(right, property)
        }
        Expr::Not(inner) => uses(inner, property),
        Expr::Lambda { path, body, .. } => {
            is_property(path) || body.as_ref().is_some_and(|body| uses(body, property))
        }
        Expr::Compare { path, .. }
        | Expr::In { path, .. }
        | Expr::Call { path, .. }
        | Expr::Count { path, .. }
        | Expr::Flag(path) => is_property(path),
    }
}

fn keys(kind: Kind, filter: &Expr) -> Option<Vec<(&'static str, &str)>> {
    let key_of = |path: &crate::odata::Path| {
        let [name] = path.segments.as_slice() else {
            return None;
        };
        ["id"]
            .into_iter()
            .chain(kind.alternate_keys())
            .find(|key| path.scope == 0 && key.eq_ignore_ascii_case(name))
    };
    match filter {
        Expr::And(left, right) => keys(kind, left).or_else(|| keys(kind, right)),
        Expr::Or(left, right) => {
            let mut both = keys(kind, left)?;
            both.extend(keys(kind, right)?);
            Some(both)
        }
        Expr::Compare {
            path,
            op: Op::Eq,
            value: Literal::Text(text),
        } => Some(vec![(key_of(path)?, text)]),
        Expr::In { path, values } => {
            let key = key_of(path)?;
            values
                .iter()
                .map(|value| {
                    if let Literal::Text(text) = value {
                        Some((key, text.as_str()))
                    } else {
                        None
                    }
                })
                .collect()
        }
        _ => None,
    }
}

fn numbered<'a>(
    objects: impl Iterator<Item = (Kind, &'a Object)> + 'a,
    skip: usize,
) -> impl Iterator<Item = Row<'a>> + 'a {
    objects
        .zip(0_u64..)
        .skip(skip)
        .map(|((kind, object), number)| (RowPosition::Serial(number), kind, object))
}

fn activity(latest: &LatestSignIns) -> Value {
    let mut activity = Map::new();
    for (name, moment) in [
        ("lastSignIn", &latest.interactive),
        ("lastNonInteractiveSignIn", &latest.silent),
        ("lastSuccessfulSignIn", &latest.successful),
    ] {
        let part = |read: fn(&SignInTime) -> &str| {
            moment
                .as_ref()
                .map_or(Value::Null, |moment| read(moment).into())
        };
        activity.insert(format!("{name}DateTime"), part(|moment| &moment.time));
        activity.insert(
            format!("{name}RequestId"),
            part(|moment| &moment.request_id),
        );
    }
    Value::Object(activity)
}
