//! Delta queries: the existing objects first, then the changes, in rounds.
//!
//! A round is fixed when it starts: the first one pages through the existing objects, a later one
//! through the changes up to the latest number of the change log. Later changes belong to the next
//! round, so none is lost; a change can also show in the current round, like the replays of Graph.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    call::{Call, JSON},
    projection::{KEYS, Projection, without_keys},
    security_attributes,
};
use crate::{
    odata::{Expr, GraphError, Literal, Op, Options, Query, parse_filter},
    permissions::{self, AccessLevel, authorize, is_basic, sees_members},
    schema::{Relationship, Returned, is_extension},
    store::{Kind, Object},
    wire::Reply,
};

mod objects;
mod round;
mod token;

pub(super) use objects::respond as respond_of_objects;

use round::{Row, Rows};
use token::{RoundPosition, Scope, State};

/// Responds with one page of a round.
pub(super) fn respond(call: Call<'_>, kind: Kind) -> Result<Reply, GraphError> {
    let path = format!("/{}/delta", kind.entity().set);
    authorize(call.caller, "GET", &path, false)?;
    let request = Request::read(call, |query| {
        Ok(Scope {
            select: query.select,
            ids: query.filter.as_deref().map(filtered_ids).transpose()?,
        })
    })?;
    let log = &call.state.store.changes;
    let now = call.now.unix_timestamp();
    let visible = visible_until(call);
    let state = match request {
        Request::Start(scope) => {
            scope.check(kind)?;
            State::full(scope, visible, now)
        }
        Request::Latest(scope) => {
            scope.check(kind)?;
            let state = State::between_rounds(scope, log.next(), now);
            return Ok(reply(call, kind, &state, &[], false));
        }
        Request::Page(token) => State::open(call, kind, &token, true)?,
        Request::Round(token) => {
            let state = State::open(call, kind, &token, false)?;
            let until = visible.max(state.from);
            state.begin(until)
        }
    };
    let minimal = call.request.prefers("return=minimal");
    let view = View::new(call, kind, &state, minimal && !state.full);
    let Rows { rows, next } = round::page(call, kind, &state, &view);
    let mut values: Vec<Value> = rows.iter().filter_map(|row| view.render(row)).collect();
    disturb(call, &mut values);
    let next = next.or_else(|| endless(call, kind, &view, true));
    let ended = next.is_none();
    let next = next.map(|position| state.at(position));
    let between = after_round(call, &state);
    let link = next.as_ref().unwrap_or(&between);
    Ok(reply(call, kind, link, &values, !ended))
}

/// The position after the last page of a type, if a switch of the tenant lets its round never end.
fn endless(
    call: Call<'_>,
    kind: Kind,
    view: &View<'_>,
    is_last_type: bool,
) -> Option<RoundPosition> {
    let oddities = call.state.delta_oddities;
    if oddities.never_ending_members && kind == Kind::Group && !view.links.is_empty() {
        return Some(RoundPosition::first());
    }
    let is_endless = oddities.never_ending_empty_pages && is_last_type;
    is_endless.then(RoundPosition::behind_all)
}

/// Changes a page as the switches of the tenant say.
fn disturb(call: Call<'_>, values: &mut Vec<Value>) {
    let oddities = call.state.delta_oddities;
    if oddities.shuffled_items {
        values.reverse();
    }
    if oddities.repeated_items {
        values.extend(values.first().cloned());
    }
}

/// The state of the delta link at the end of a round.
fn after_round(call: Call<'_>, state: &State) -> State {
    let during = (state.until, call.state.store.changes.next());
    let is_withheld = call.state.delta_oddities.changes_during_round && during.0 < during.1;
    state.end(is_withheld.then_some(during), call.now.unix_timestamp())
}

/// The number up to which changes are old enough to be shown.
fn visible_until(call: Call<'_>) -> u64 {
    let log = &call.state.store.changes;
    let delay = call.state.delta_oddities.delay;
    if delay.is_zero() {
        return log.next();
    }
    log.range(0, log.next())
        .find(|change| call.now - change.at < delay)
        .map_or(log.next(), |change| change.sequence)
}

/// The kind of request: a new round of something, or the next page of one.
enum Request<S> {
    Start(S),
    Latest(S),
    Page(String),
    Round(String),
}

impl<S: Default + PartialEq> Request<S> {
    fn read(
        call: Call<'_>,
        scope_of: impl FnOnce(Query) -> Result<S, GraphError>,
    ) -> Result<Self, GraphError> {
        let query = call.request.query.as_deref().unwrap_or_default();
        let (mut page, mut round) = (None, None);
        let mut rest = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if name.eq_ignore_ascii_case("$skiptoken") {
                page = Some(value.into_owned());
            } else if name.eq_ignore_ascii_case("$deltatoken") {
                round = Some(value.into_owned());
            } else {
                rest.append_pair(&name, &value);
            }
        }
        let query = Query::parse(Some(&rest.finish()), Options(&["$filter", "$select"]))?;
        let scope = scope_of(query)?;
        let plain = scope == S::default();
        match (page, round.filter(|token| !token.is_empty())) {
            (None, None) => Ok(Self::Start(scope)),
            (None, Some(token)) if token.eq_ignore_ascii_case("latest") => Ok(Self::Latest(scope)),
            (Some(token), None) if plain => Ok(Self::Page(token)),
            (None, Some(token)) if plain => Ok(Self::Round(token)),
            (Some(_), Some(_)) => Err(GraphError::bad_request(
                "A skip token and a delta token cannot be used together.",
            )),
            _ => Err(GraphError::bad_request(
                "Query options are part of the token and cannot be sent with it.",
            )),
        }
    }
}

impl Scope {
    /// Checks that every name is a property of the type, or a relationship that delta tracks.
    fn check(&self, kind: Kind) -> Result<(), GraphError> {
        let select = self.select.as_deref();
        Projection::new(kind, select, true)?;
        for name in select.unwrap_or_default() {
            let entity = kind.entity();
            let known = name == "*"
                || entity.property(name).is_some()
                || is_extension(name)
                || tracked_relationships(kind).any(|item| item.name.eq_ignore_ascii_case(name));
            if !known {
                return Err(GraphError::bad_request(format!(
                    "The property '{name}' cannot be tracked by a delta query."
                )));
            }
        }
        Ok(())
    }
}

/// Reads `id eq '…'` clauses, joined by `or`.
fn filtered_ids(text: &str) -> Result<Vec<String>, GraphError> {
    fn collect(filter: &Expr, ids: &mut Vec<String>) -> bool {
        match filter {
            Expr::Or(left, right) => collect(left, ids) && collect(right, ids),
            Expr::Compare {
                path,
                op: Op::Eq,
                value: Literal::Text(id),
            } if path.scope == 0
                && path.segments.len() == 1
                && path.segments[0].eq_ignore_ascii_case("id") =>
            {
                ids.push(id.to_ascii_lowercase());
                true
            }
            _ => false,
        }
    }
    let mut ids = Vec::new();
    if !collect(&parse_filter(text)?, &mut ids) {
        return Err(GraphError::unsupported_query(
            "Delta queries can be filtered by 'id eq' joined with 'or' only.",
        ));
    }
    check_count(&ids)?;
    Ok(ids)
}

fn check_count(ids: &[String]) -> Result<(), GraphError> {
    if ids.len() > MAX_IDS {
        return Err(GraphError::unsupported_query(format!(
            "A delta query can be filtered by at most {MAX_IDS} ids."
        )));
    }
    Ok(())
}

/// The relationships of a type whose links a delta query can track: those that can be written.
fn tracked_relationships(kind: Kind) -> impl Iterator<Item = &'static Relationship> {
    kind.entity()
        .relationships
        .iter()
        .filter(|relationship| relationship.written().is_some())
}

/// Which properties and links of each object are shown.
struct View<'a> {
    call: Call<'a>,
    kind: Kind,
    /// The selected properties, or `None` for the default ones.
    names: Vec<String>,
    selected: bool,
    minimal: bool,
    links: Vec<&'static Relationship>,
}

impl<'a> View<'a> {
    fn new(call: Call<'a>, kind: Kind, state: &State, minimal: bool) -> Self {
        let entity = kind.entity();
        let requested = state.scope.select.as_ref();
        let has_star = requested.is_some_and(|names| names.iter().any(|name| name == "*"));
        let shrinks = has_star
            && kind == Kind::User
            && state.position.is_some()
            && call.state.delta_oddities.select_star_shrinks;
        let select = requested.filter(|_| !has_star);
        let mut names: Vec<String> = match select {
            None if shrinks => SHRUNK.map(str::to_owned).to_vec(),
            Some(select) => select
                .iter()
                .filter_map(|name| match entity.property(name) {
                    Some(property) if property.returned == Returned::Never => None,
                    Some(property) => Some(property.name.to_owned()),
                    None => is_extension(name).then(|| name.clone()),
                })
                .collect(),
            None => entity
                .properties
                .iter()
                .filter(|property| property.returned == Returned::Always)
                .map(|property| property.name.to_owned())
                .collect(),
        };
        // A hidden property is not tracked either: a row must not tell that it changed.
        names.retain(|name| !security_attributes::is_hidden(call, name));
        let links = tracked_relationships(kind)
            .filter(|relationship| match select {
                Some(select) => select
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(relationship.name)),
                // Only groups show their members without `$select`.
                None => relationship.name == "members",
            })
            .collect();
        Self {
            call,
            kind,
            names,
            selected: select.is_some(),
            minimal,
            links,
        }
    }

    /// Whether a change of these properties is tracked.
    fn is_tracked(&self, changed: &HashSet<&str>) -> bool {
        if self.selected {
            self.names.iter().any(|name| is_changed(changed, name))
        } else {
            let mut changed = changed.iter();
            changed.any(|name| !security_attributes::is_hidden(self.call, name))
        }
    }

    fn render(&self, row: &Row<'_>) -> Option<Value> {
        let (object, changed) = match row {
            Row::Removed { id, reason } => {
                return Some(json!({ "@removed": { "reason": reason }, "id": id }));
            }
            Row::Present {
                object, changed, ..
            } => (*object, changed.as_ref()),
        };
        let access_level = permissions::access_level(self.call.caller, self.kind, object);
        let mut shown = Map::new();
        for name in &self.names {
            let visible = match access_level {
                AccessLevel::Everything => true,
                AccessLevel::Basic => is_basic(name),
                AccessLevel::Existence => false,
            };
            let touched = changed.is_some_and(|changed| is_changed(changed, name));
            if !visible || name == "id" || self.minimal && changed.is_some() && !touched {
                continue;
            }
            // A property that was never set is absent; a property that was cleared is null.
            let stored = object.stored_ignoring_case(name);
            match stored.map(|stored| stored.with(Value::clone)) {
                Some(value) if name == KEYS => shown.insert(name.clone(), without_keys(&value)),
                Some(value) => shown.insert(name.clone(), value),
                None if touched => shown.insert(name.clone(), Value::Null),
                None => None,
            };
        }
        shown.insert("id".to_owned(), object["id"].clone());
        if let Row::Present { links, .. } = row {
            for (name, items) in links {
                shown.insert(format!("{name}@delta"), items.clone().into());
            }
        }
        Some(Value::Object(shown))
    }

    /// Whether the caller may see the links of a relationship.
    fn shows_links(&self, relationship: &Relationship, object: &Object) -> bool {
        relationship.name != "members" || sees_members(self.call.caller, object)
    }
}

/// Whether a change names a property. An extension can be selected in another letter case.
fn is_changed(changed: &HashSet<&str>, name: &str) -> bool {
    changed.contains(name)
        || is_extension(name) && changed.iter().any(|other| other.eq_ignore_ascii_case(name))
}

fn reply(call: Call<'_>, kind: Kind, link: &State, values: &[Value], more: bool) -> Reply {
    let set = kind.entity().set;
    let token = link.seal(call, kind);
    let (name, option) = if more {
        ("@odata.nextLink", "$skiptoken")
    } else {
        ("@odata.deltaLink", "$deltatoken")
    };
    let context = match &link.scope.select {
        Some(select) => format!("{set}({})", select.join(",")),
        None => set.to_owned(),
    };
    let body = json!({
        "@odata.context": call.context(&context),
        name: format!("{}/{set}/delta?{option}={token}", call.root()),
        "value": values,
    });
    Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string())
}

/// What is left of users on further pages of `$select=*`. Which four properties these were is not known.
const SHRUNK: [&str; 4] = ["id", "displayName", "mail", "userPrincipalName"];
/// The maximum number of ids in a filter.
const MAX_IDS: usize = 50;
