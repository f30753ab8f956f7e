//! Lists: query options, filtering, ordering and pages.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    Call,
    expand::Expansion,
    read,
    relations::Relationship,
    route::{Root, Route, Target},
    rows::{self, Around, Row, Sieve, Source},
    shape::{self, Look, Shape},
    unsupported,
};
use crate::{
    odata::{
        Expr, Key, Options, Order, PageKey, Position, Query, Refusal, Search, TICKS, check_filter,
        parse_filter, ticks_of,
    },
    permissions::{self, authorize, denied, is_basic, not_premium, only_basic_profiles},
    schema::Entity,
    state::License,
    store::{Kind, Object},
    wire::Reply,
};

/// Answers a list.
pub(super) fn respond(call: Call<'_>, route: &Route) -> Result<Reply, Refusal> {
    let subject = Subject::of(call, route)?;
    let query = Query::parse(call.request.query.as_deref(), subject.options())?;
    let plan = Plan::new(call, &subject, &query)?;
    let store = &call.state.store;
    let source = subject.source(call, plan.sieve.filter.as_ref());

    let sealed = PageKey::new(
        &call.state.tenant_id.to_string(),
        format!("{route:?}?{}", query.identity()),
    );
    let position = query
        .skip_token
        .as_deref()
        .map(|token| sealed.open(token))
        .transpose()?;
    if position
        .as_ref()
        .is_some_and(|position| position.advanced && !plan.advanced)
    {
        return Err(Refusal::unsupported_query(
            "The page token belongs to an advanced query: ConsistencyLevel: eventual must be sent with every page.",
        ));
    }
    let around = Around(store);
    let fits = |row: &Row<'_>| plan.sieve.lets(row.1, row.2, &around);
    let count = (plan.counted && position.is_none()).then(|| match source.len(store) {
        Some(length) if plan.sieve.is_open() => length,
        _ => source.rows(store, None).filter(fits).count(),
    });

    let (page, next) = match &plan.order {
        None => {
            let after = position.as_ref().map(|position| position.place);
            let mut rows = source.rows(store, after).filter(fits);
            let page: Vec<Row<'_>> = rows.by_ref().take(plan.page_size).collect();
            let more = rows.next().is_some();
            let last = page.last().filter(|_| more).map(|row| (row.0, Vec::new()));
            (page, last)
        }
        Some(order) => sorted_page(
            source.rows(store, None).filter(fits),
            order,
            position.as_ref(),
            plan.page_size,
        ),
    };
    let next = next.map(|(place, keys)| {
        let token = sealed.seal(&Position {
            place,
            keys,
            advanced: plan.advanced,
        });
        format!(
            "{}{}?{}",
            call.request.base,
            call.request.path,
            query.next(&token)
        )
    });
    Ok(plan.render(call, &subject, &query, &page, count, next))
}

/// Answers `…/$count`: plain text, and only with the header.
pub(super) fn count(call: Call<'_>, route: &Route) -> Result<Reply, Refusal> {
    let subject = Subject::of(call, route)?;
    if !subject.directory() {
        return Err(unsupported(call.request));
    }
    let query = Query::parse(
        call.request.query.as_deref(),
        Options(&["$filter", "$search"]),
    )?;
    if !call.eventual {
        return Err(Refusal::bad_request("$count is not currently supported."));
    }
    let sieve = sieve(call, &subject, &query, true)?;
    let store = &call.state.store;
    let source = subject.source(call, sieve.filter.as_ref());
    let count = match source.len(store) {
        Some(length) if sieve.is_open() => length,
        _ => {
            let around = Around(store);
            source
                .rows(store, None)
                .filter(|row| sieve.lets(row.1, row.2, &around))
                .count()
        }
    };
    Ok(Reply::new(200)
        .with_header("content-type", "text/plain")
        .with_body(count.to_string()))
}

/// What is listed.
struct Subject<'a> {
    /// The object whose relationship it is.
    of: Option<(Kind, &'a Object)>,
    relationship: Option<&'static Relationship>,
    cast: Option<Kind>,
    /// The types an item may have.
    kinds: Vec<Kind>,
    own: bool,
}

impl<'a> Subject<'a> {
    /// Finds out what is meant, whether the caller may read it, and whether it exists.
    fn of(call: Call<'a>, route: &Route) -> Result<Self, Refusal> {
        let (Target::List { relationship, cast } | Target::Count { relationship, cast }) =
            route.target
        else {
            return Err(unsupported(call.request));
        };
        let (of, own) = match (&route.root, relationship) {
            (Root::Set(kind), _) => {
                authorize(call.caller, &format!("/{}", Entity::of(*kind).set), false)?;
                if *kind == Kind::SignIn && call.state.license == License::Free {
                    return Err(not_premium());
                }
                return Ok(Self {
                    of: None,
                    relationship: None,
                    cast: None,
                    kinds: vec![*kind],
                    own: false,
                });
            }
            (root, Some(relationship)) => {
                let own = read::is_own(call, root);
                authorize(call.caller, &relationship.permission_path(), own)?;
                (Some(read::find(call, root)?), own)
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
        })
    }

    fn entity(&self) -> &'static Entity {
        Entity::of(self.kinds.first().copied().unwrap_or(Kind::User))
    }

    fn directory(&self) -> bool {
        self.entity().directory
    }

    fn typed(&self) -> bool {
        self.relationship
            .is_some_and(|relationship| relationship.polymorphic)
    }

    /// The options its row in the documentation has.
    fn options(&self) -> Options {
        match self.kinds.as_slice() {
            [Kind::SignIn] => Options(&["$filter", "$top"]),
            [Kind::DirectoryAudit] => Options(&["$filter", "$orderby", "$top"]),
            [Kind::SubscribedSku | Kind::Organization] => Options(&["$select"]),
            [Kind::AppRoleAssignment | Kind::OAuth2PermissionGrant] => {
                Options(&["$count", "$filter", "$select", "$top"])
            }
            _ => Options(&[
                "$count", "$expand", "$filter", "$orderby", "$search", "$select", "$top",
            ]),
        }
    }

    fn page_sizes(&self, with_activity: bool) -> PageSizes {
        match self.kinds.as_slice() {
            [Kind::SignIn | Kind::DirectoryAudit] => PageSizes {
                default: 1_000,
                most: 1_000,
            },
            [Kind::SubscribedSku | Kind::Organization] => PageSizes {
                default: usize::MAX,
                most: usize::MAX,
            },
            _ if with_activity => PageSizes {
                default: 100,
                most: 500,
            },
            _ => PageSizes {
                default: 100,
                most: 999,
            },
        }
    }

    fn source(&self, call: Call<'a>, filter: Option<&Expr>) -> Source<'a> {
        if let (Some((_, object)), Some(relationship)) = (self.of, self.relationship) {
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
            return Source::Related(relationship, id, self.cast);
        }
        let kind = self.kinds.first().copied().unwrap_or(Kind::User);
        let time = match kind {
            Kind::SignIn => "createdDateTime",
            Kind::DirectoryAudit => "activityDateTime",
            _ => {
                let pinned =
                    filter.and_then(|filter| rows::pinned(&call.state.store, kind, filter));
                return pinned.map_or(Source::All(kind), |objects| Source::Found(kind, objects));
            }
        };
        let (from, to) = filter.map_or((i64::MIN, i64::MAX), |filter| rows::range(filter, time));
        Source::Log(kind, from.max(oldest_record(call)), to)
    }

    /// The list's name in `@odata.context`.
    fn context(&self, query: &Query) -> String {
        let name = match (self.relationship, self.cast, self.of) {
            (Some(relationship), None, Some((kind, object))) if !relationship.polymorphic => {
                let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
                // Documented like this: below its own set for some, as a set of its own for others.
                match (kind, relationship.name) {
                    (_, "oauth2PermissionGrants") => "oauth2PermissionGrants".to_owned(),
                    (Kind::User | Kind::ServicePrincipal, "appRoleAssignments") => {
                        "appRoleAssignments".to_owned()
                    }
                    (kind, name) => format!("{}('{id}')/{name}", Entity::of(kind).set),
                }
            }
            (Some(_), None, _) => "directoryObjects".to_owned(),
            _ => self.entity().set.to_owned(),
        };
        format!("{name}{}", selection(query))
    }
}

/// `(id,displayName,manager())`, or nothing without `$select` and `$expand`.
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

/// How far back the tenant's licence lets anyone look into a log.
pub(super) fn oldest_record(call: Call<'_>) -> i64 {
    let days = if call.state.license == License::Free {
        7
    } else {
        30
    };
    ticks_of(call.now) - days * 86_400 * TICKS
}

struct PageSizes {
    default: usize,
    most: usize,
}

/// A checked query.
struct Plan {
    sieve: Sieve,
    order: Option<Order>,
    shapes: Vec<(Kind, Shape)>,
    expansion: Option<Expansion>,
    page_size: usize,
    advanced: bool,
    counted: bool,
}

impl Plan {
    fn new(call: Call<'_>, subject: &Subject<'_>, query: &Query) -> Result<Self, Refusal> {
        let advanced =
            subject.directory() && call.eventual && (query.count || query.search.is_some());
        if subject.directory() && query.search.is_some() && !call.eventual {
            return Err(Refusal::unsupported_query(
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ));
        }
        let shapes = shapes(&subject.kinds, query.select.as_deref())?;
        let sieve = sieve(call, subject, query, advanced)?;
        let order = match &query.order_by {
            None => None,
            Some(text) => {
                let filtered = query.filter.is_some();
                let order = Order::parse(text, subject.entity(), advanced, filtered)?;
                require_advanced(subject, "$orderby", advanced)?;
                only_basics(call, subject, order.properties())?;
                Some(order)
            }
        };
        if subject.cast.is_some() {
            require_advanced(subject, "cast", advanced)?;
        }
        let expansion = query
            .expand
            .as_ref()
            .map(|expand| Expansion::new(call, expand, &subject.kinds, subject.own))
            .transpose()?;
        if advanced
            && query
                .expand
                .as_ref()
                .is_some_and(|expand| expand.levels == 1)
        {
            return Err(Refusal::unsupported_query(
                "$expand is not supported together with advanced query parameters.",
            ));
        }
        let selects_activity = shapes.iter().any(|(_, shape)| shape.shows(ACTIVITY));
        let filters_activity = query
            .filter
            .as_ref()
            .is_some_and(|filter| filter.contains(ACTIVITY));
        if selects_activity || filters_activity {
            check_activity(call)?;
        }
        let sizes = subject.page_sizes(selects_activity || filters_activity);
        let page_size = match query.top.map(|top| top as usize) {
            None => sizes.default,
            Some(top) if (1..=sizes.most).contains(&top) => top,
            Some(top) => {
                return Err(Refusal::unsupported_query(format!(
                    "Invalid page size specified: '{top}'. Must be between 1 and {} inclusive.",
                    sizes.most
                )));
            }
        };
        Ok(Self {
            sieve,
            order,
            shapes,
            expansion,
            page_size,
            advanced,
            counted: query.count && advanced,
        })
    }

    fn render(
        &self,
        call: Call<'_>,
        subject: &Subject<'_>,
        query: &Query,
        page: &[Row<'_>],
        count: Option<usize>,
        next: Option<String>,
    ) -> Reply {
        let around = Around(&call.state.store);
        let mut out = Vec::with_capacity(512 + page.len() * 512);
        out.extend_from_slice(b"{\"@odata.context\":");
        shape::write(
            &mut out,
            &Value::String(call.context(&subject.context(query))),
        );
        if let Some(count) = count {
            out.extend_from_slice(format!(",\"@odata.count\":{count}").as_bytes());
        }
        if let Some(next) = next {
            out.extend_from_slice(b",\"@odata.nextLink\":");
            shape::write(&mut out, &Value::String(next));
        }
        out.extend_from_slice(b",\"value\":[");
        for (number, (_, kind, object)) in page.iter().enumerate() {
            let Some((_, shape)) = self.shapes.iter().find(|(other, _)| other == kind) else {
                continue;
            };
            if number > 0 {
                out.push(b',');
            }
            let reach = permissions::reach(call.caller, *kind, object);
            let look = Look {
                context: None,
                typed: subject.typed(),
                reach,
            };
            shape.open(&mut out, object, look, &around);
            if let Some(expansion) = &self.expansion {
                expansion.write(&mut out, call, object);
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
        Reply::new(200)
            .with_header("content-type", JSON)
            .with_body(out)
    }
}

/// The shapes of all types an item may have; a name is unknown only if none of them knows it.
fn shapes(kinds: &[Kind], select: Option<&[String]>) -> Result<Vec<(Kind, Shape)>, Refusal> {
    let Some(select) = select.filter(|_| kinds.len() > 1) else {
        return kinds
            .iter()
            .map(|kind| Ok((*kind, Shape::new(*kind, select, false)?)))
            .collect();
    };
    for name in select {
        let names = std::slice::from_ref(name);
        let mut tried = kinds
            .iter()
            .map(|kind| Shape::new(*kind, Some(names), false));
        let first = tried.next();
        if let Some(Err(refusal)) = first
            && !tried.any(|shape| shape.is_ok())
        {
            return Err(refusal);
        }
    }
    let known = |kind: Kind| -> Vec<String> {
        let knows =
            |name: &&String| Shape::new(kind, Some(std::slice::from_ref(*name)), false).is_ok();
        select.iter().filter(knows).cloned().collect()
    };
    kinds
        .iter()
        .map(|kind| Ok((*kind, Shape::new(*kind, Some(&known(*kind)), false)?)))
        .collect()
}

fn sieve(
    call: Call<'_>,
    subject: &Subject<'_>,
    query: &Query,
    advanced: bool,
) -> Result<Sieve, Refusal> {
    let mut sieve = Sieve::default();
    if let Some(text) = &query.filter {
        require_advanced(subject, "$filter", advanced)?;
        if AUDIT_FILTERS_NEED_PREMIUM
            && subject.kinds == [Kind::DirectoryAudit]
            && call.state.license == License::Free
        {
            return Err(not_premium());
        }
        let filter = parse_filter(text)?;
        let mut refused = None;
        for kind in &subject.kinds {
            match check_filter(Entity::of(*kind), &filter, advanced) {
                Ok(uses) => {
                    only_basics(call, subject, uses.properties.iter().map(String::as_str))?;
                    sieve.filtered_kinds.push(*kind);
                }
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        if let Some(refusal) = refused.filter(|_| sieve.filtered_kinds.is_empty()) {
            return Err(refusal);
        }
        sieve.filter = Some(filter);
    }
    if let Some(text) = &query.search {
        let mut refused = None;
        for kind in &subject.kinds {
            match Search::parse(text, Entity::of(*kind)) {
                Ok(search) => {
                    only_basics(call, subject, search.properties().into_iter())?;
                    sieve.searches.push((*kind, search));
                }
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        if let Some(refusal) = refused.filter(|_| sieve.searches.is_empty()) {
            return Err(refusal);
        }
        sieve.searched = true;
    }
    Ok(sieve)
}

fn require_advanced(subject: &Subject<'_>, what: &str, advanced: bool) -> Result<(), Refusal> {
    if !advanced
        && subject
            .relationship
            .is_some_and(Relationship::needs_advanced)
    {
        return Err(Refusal::needs_advanced(what));
    }
    Ok(())
}

/// Who sees only basic profiles may not find out the rest by filtering or sorting.
fn only_basics<'n>(
    call: Call<'_>,
    subject: &Subject<'_>,
    names: impl Iterator<Item = &'n str>,
) -> Result<(), Refusal> {
    let guarded = subject.kinds.contains(&Kind::User) && only_basic_profiles(call.caller);
    let mut names = names;
    if guarded && !names.all(is_basic) {
        Err(denied())
    } else {
        Ok(())
    }
}

/// `signInActivity` comes from the logs, with their permission and licence.
pub(super) fn check_activity(call: Call<'_>) -> Result<(), Refusal> {
    if !call.caller.has_any(&["AuditLog.Read.All"]) {
        return Err(denied());
    }
    if call.state.license == License::Free {
        Err(not_premium())
    } else {
        Ok(())
    }
}

/// The smallest rows behind a position, and where they end if there are more.
fn sorted_page<'a>(
    rows: impl Iterator<Item = Row<'a>>,
    order: &Order,
    position: Option<&Position>,
    page_size: usize,
) -> (Vec<Row<'a>>, Option<(crate::odata::Place, Vec<Key>)>) {
    let compare = |left: &(Vec<Key>, Row<'a>), right: &(Vec<Key>, Row<'a>)| -> Ordering {
        order
            .compare(&left.0, &right.0)
            .then(left.1.0.cmp(&right.1.0))
    };
    let mut behind: Vec<(Vec<Key>, Row<'a>)> = rows
        .map(|row| (order.keys(row.2), row))
        .filter(|(keys, row)| {
            position.is_none_or(|last| {
                order
                    .compare(keys, &last.keys)
                    .then(row.0.cmp(&last.place))
                    .is_gt()
            })
        })
        .collect();
    let more = behind.len() > page_size;
    if more {
        behind.select_nth_unstable_by(page_size, compare);
        behind.truncate(page_size);
    }
    behind.sort_unstable_by(compare);
    let last = behind
        .last()
        .filter(|_| more)
        .map(|(keys, row)| (row.0, keys.clone()));
    (behind.into_iter().map(|(_, row)| row).collect(), last)
}

pub(super) const ACTIVITY: &str = "signInActivity";

pub(super) const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// Documented in passing only: a filter on the audit log is refused without P1.
const AUDIT_FILTERS_NEED_PREMIUM: bool = true;
