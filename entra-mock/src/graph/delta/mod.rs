//! Delta queries: what exists, then what changed, in rounds.
//!
//! A round is fixed when it begins: a full one pages through what exists, a later one through the
//! changes up to the number that the change log had then. What changes meanwhile comes in the next
//! round, so nothing is lost; it may show in this one as well, as Graph's own replays do.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{Call, list::JSON, shape::Shape};
use crate::{
    odata::{Expr, Literal, Op, Options, Query, Refusal, parse_filter},
    permissions::{self, Reach, authorize, is_basic, sees_members},
    schema::{Relationship, Returned, is_extension},
    store::{Kind, Object},
    wire::Reply,
};

mod round;
mod token;

use round::{Row, Rows};
use token::{Place, Scope, State};

/// Answers one page of a round.
pub(super) fn respond(call: Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
    let path = format!("/{}/delta", kind.entity().set);
    authorize(call.caller, "GET", &path, false)?;
    let request = Request::read(call)?;
    let log = &call.state.store.changes;
    let now = call.now.unix_timestamp();
    let state = match request {
        Request::Start(scope) => {
            scope.check(kind)?;
            State::full(scope, log.next(), now)
        }
        Request::Latest(scope) => {
            scope.check(kind)?;
            let state = State::between_rounds(scope, log.next(), now);
            return Ok(reply(call, kind, &state, &[], false));
        }
        Request::Page(token) => State::open(call, kind, &token, true)?,
        Request::Round(token) => State::open(call, kind, &token, false)?.begin(log.next()),
    };
    let minimal = call
        .request
        .header("prefer")
        .is_some_and(|prefer| prefer.to_ascii_lowercase().contains("return=minimal"));
    let view = View::new(call, kind, &state.scope, minimal && !state.full);
    let Rows { rows, next } = round::page(call, kind, &state, &view);
    let values: Vec<Value> = rows.iter().filter_map(|row| view.render(row)).collect();
    let ended = next.is_none();
    let next = next.map(|place| state.at(place));
    let between = State::between_rounds(state.scope.clone(), state.until, now);
    let link = next.as_ref().unwrap_or(&between);
    Ok(reply(call, kind, link, &values, !ended))
}

/// What a request asks for.
enum Request {
    Start(Scope),
    Latest(Scope),
    Page(String),
    Round(String),
}

impl Request {
    fn read(call: Call<'_>) -> Result<Self, Refusal> {
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
        let scope = Scope {
            select: query.select,
            ids: query.filter.as_deref().map(filtered_ids).transpose()?,
        };
        let plain = scope == Scope::default();
        match (page, round.filter(|token| !token.is_empty())) {
            (None, None) => Ok(Self::Start(scope)),
            (None, Some(token)) if token.eq_ignore_ascii_case("latest") => Ok(Self::Latest(scope)),
            (Some(token), None) if plain => Ok(Self::Page(token)),
            (None, Some(token)) if plain => Ok(Self::Round(token)),
            (Some(_), Some(_)) => Err(Refusal::bad_request(
                "A skip token and a delta token cannot be used together.",
            )),
            _ => Err(Refusal::bad_request(
                "Query options are part of the token and cannot be sent with it.",
            )),
        }
    }
}

impl Scope {
    /// Every name is a property of the type, or a relationship that delta follows.
    fn check(&self, kind: Kind) -> Result<(), Refusal> {
        let select = self.select.as_deref();
        Shape::new(kind, select, true)?;
        for name in select.unwrap_or_default() {
            let entity = kind.entity();
            let known = name == "*"
                || entity.property(name).is_some()
                || is_extension(name)
                || followed(kind).any(|item| item.name.eq_ignore_ascii_case(name));
            if !known {
                return Err(Refusal::bad_request(format!(
                    "The property '{name}' cannot be tracked by a delta query."
                )));
            }
        }
        Ok(())
    }
}

/// `id eq '…'`, joined by `or`.
fn filtered_ids(text: &str) -> Result<Vec<String>, Refusal> {
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
        return Err(Refusal::unsupported_query(
            "Delta queries can be filtered by 'id eq' joined with 'or' only.",
        ));
    }
    if ids.len() > MOST_IDS {
        return Err(Refusal::unsupported_query(format!(
            "A delta query can be filtered by at most {MOST_IDS} ids."
        )));
    }
    Ok(ids)
}

/// The relationships of a type whose links a delta query can follow: those that are written.
fn followed(kind: Kind) -> impl Iterator<Item = &'static Relationship> {
    kind.entity()
        .relationships
        .iter()
        .filter(|relationship| relationship.written().is_some())
}

/// What of each object is shown.
struct View<'a> {
    call: Call<'a>,
    kind: Kind,
    /// The properties, or nothing for the default ones.
    names: Vec<String>,
    selected: bool,
    minimal: bool,
    links: Vec<&'static Relationship>,
}

impl<'a> View<'a> {
    fn new(call: Call<'a>, kind: Kind, scope: &Scope, minimal: bool) -> Self {
        let entity = kind.entity();
        let select = scope
            .select
            .as_ref()
            .filter(|names| !names.iter().any(|name| name == "*"));
        let names = match select {
            Some(select) => select
                .iter()
                .filter_map(|name| match entity.property(name) {
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
        let links = followed(kind)
            .filter(|relationship| match select {
                Some(select) => select
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(relationship.name)),
                // Only groups show their members without being asked.
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

    /// Whether a change of these properties is one that is followed.
    fn follows(&self, changed: &HashSet<&str>) -> bool {
        if self.selected {
            self.names
                .iter()
                .any(|name| changed.contains(name.as_str()))
        } else {
            !changed.is_empty()
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
        let reach = permissions::reach(self.call.caller, self.kind, object);
        let mut shown = Map::new();
        for name in &self.names {
            let visible = match reach {
                Reach::Everything => true,
                Reach::Basic => is_basic(name),
                Reach::Existence => false,
            };
            let touched = changed.is_some_and(|changed| changed.contains(name.as_str()));
            if !visible || name == "id" || self.minimal && changed.is_some() && !touched {
                continue;
            }
            // What was never set is absent, null is what was cleared.
            match object.get(name) {
                Some(value) => shown.insert(name.clone(), value.clone()),
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

    /// Whether the caller may know the links of a relationship.
    fn shows_links(&self, relationship: &Relationship, object: &Object) -> bool {
        relationship.name != "members" || sees_members(self.call.caller, object)
    }
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

/// How many ids a filter takes.
const MOST_IDS: usize = 50;
