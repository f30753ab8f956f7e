//! The subject of a list: a collection, or a relationship of one object.

use super::{
    call::{Call, unsupported},
    lookup::{self, oldest_record},
    route::{Root, Route, Target},
    rows::{self, Source},
    subscriptions,
};
use crate::{
    odata::{Expr, GraphError, Options, Query},
    permissions::{authorize, authorize_kind, not_premium, sees_hidden_members},
    schema::{Context, EntityType, Kind, PageSizes, Premium, Relationship},
    state::License,
    store::Object,
};

/// What is listed.
pub(super) struct Subject<'a> {
    /// The object whose relationship is listed.
    pub(super) of: Option<(Kind, &'a Object)>,
    pub(super) relationship: Option<&'static Relationship>,
    pub(super) cast: Option<Kind>,
    /// The types that an item can have.
    pub(super) kinds: Vec<Kind>,
    pub(super) own: bool,
    /// Whether these are deleted items.
    pub(super) deleted: bool,
}

impl<'a> Subject<'a> {
    /// Resolves a route, checks the permission of the caller, then that the object exists.
    pub(super) fn of(call: Call<'a>, route: &Route) -> Result<Self, GraphError> {
        let (Target::List { relationship, cast } | Target::Count { relationship, cast }) =
            route.target
        else {
            return Err(unsupported(call.request));
        };
        let (of, own) = match (&route.root, relationship) {
            (Root::Set(kind), _) => {
                authorize(
                    call.caller,
                    "GET",
                    &format!("/{}", kind.entity().set),
                    false,
                )?;
                if kind.entity().premium == Premium::Always && call.state.license == License::Free {
                    return Err(not_premium());
                }
                return Ok(Self {
                    of: None,
                    relationship: None,
                    cast: None,
                    kinds: vec![*kind],
                    own: false,
                    deleted: false,
                });
            }
            (Root::DeletedSet(kind), _) => {
                let path = format!(
                    "/directory/deletedItems/microsoft.graph.{}",
                    kind.entity().name
                );
                authorize_kind(call.caller, *kind, "GET", &path, false)?;
                return Ok(Self {
                    of: None,
                    relationship: None,
                    cast: None,
                    kinds: vec![*kind],
                    own: false,
                    deleted: true,
                });
            }
            (root, Some(relationship)) => {
                let own = lookup::is_own(call, root);
                authorize(call.caller, "GET", &relationship.path(), own)?;
                (Some(lookup::find(call, root)?), own)
            }
            _ => return Err(unsupported(call.request)),
        };
        let kinds = match (cast, relationship) {
            (Some(cast), _) => vec![cast],
            (None, relationship) => relationship
                .map(|item| item.kinds.to_vec())
                .unwrap_or_default(),
        };
        Ok(Self {
            of,
            relationship,
            cast,
            kinds,
            own,
            deleted: false,
        })
    }

    pub(super) fn entity(&self) -> &'static EntityType {
        self.kinds.first().copied().unwrap_or(Kind::User).entity()
    }

    pub(super) fn directory(&self) -> bool {
        self.entity().directory
    }

    pub(super) fn typed(&self) -> bool {
        self.relationship
            .is_some_and(|relationship| relationship.polymorphic)
    }

    /// The query options in the documentation of this list.
    pub(super) fn options(&self) -> Options {
        Options(self.entity().list_options)
    }

    pub(super) fn page_sizes(&self, with_activity: bool) -> PageSizes {
        match self.entity().pages {
            None => PageSizes {
                default: usize::MAX,
                most: usize::MAX,
            },
            Some(_) if with_activity => ACTIVITY_PAGES,
            Some(sizes) => sizes,
        }
    }

    pub(super) fn source(&self, call: Call<'a>, filter: Option<&Expr>) -> Source<'a> {
        if let (Some((_, object)), Some(relationship)) = (self.of, self.relationship) {
            let id = object.text("id").unwrap_or_default();
            let sees_hidden = sees_hidden_members(call.caller);
            return Source::Related(relationship, id, self.cast, sees_hidden);
        }
        let kind = self.kinds.first().copied().unwrap_or(Kind::User);
        if self.deleted {
            return Source::Deleted(kind);
        }
        let Some(time) = kind.log_time() else {
            if kind == Kind::Subscription {
                return Source::Found(kind, subscriptions::listed(call));
            }
            let pinned = filter.and_then(|filter| rows::pinned(&call.state.store, kind, filter));
            return pinned.map_or(Source::All(kind), |objects| Source::Found(kind, objects));
        };
        let (from, to) = filter.map_or((i64::MIN, i64::MAX), |filter| rows::range(filter, time));
        // Beta lists interactive sign-ins only, unless the filter names event types.
        let whole = call.beta && filter.is_some_and(|filter| rows::uses(filter, EVENT_TYPES));
        Source::Log(kind, from.max(oldest_record(call)), to, whole)
    }

    /// The name of the list in `@odata.context`.
    pub(super) fn context(&self, query: &Query) -> String {
        let name = match (self.relationship, self.cast, self.of) {
            (Some(relationship), None, Some((kind, object))) if !relationship.polymorphic => {
                let id = object.text("id").unwrap_or_default();
                let name = relationship.name;
                match relationship.context {
                    Context::Below => format!("{}('{id}')/{name}", kind.entity().set),
                    Context::CollectionOfLists | Context::Collection => name.to_owned(),
                }
            }
            (Some(_), None, _) => "directoryObjects".to_owned(),
            _ => self.entity().set.to_owned(),
        };
        format!("{name}{}", selection(query))
    }
}

const EVENT_TYPES: &str = "signInEventTypes";

/// The page size of a list with `signInActivity`.
const ACTIVITY_PAGES: PageSizes = PageSizes {
    default: 100,
    most: 500,
};

/// Formats `(id,displayName,manager())`, or nothing without `$select` and `$expand`.
pub(super) fn selection(query: &Query) -> String {
    let expanded = query.expand.as_ref().map(|expand| {
        let inner = expand
            .select
            .as_ref()
            .map(|names| names.join(","))
            .unwrap_or_default();
        format!("{}({inner})", expand.relationship)
    });
    let names: Vec<String> = query
        .select
        .iter()
        .flatten()
        .cloned()
        .chain(expanded)
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("({})", names.join(","))
    }
}
