//! `/directoryObjects/delta`: the changes of objects of several types.
//!
//! A round takes the types one after the other, and all of them up to the same number of the change log. So its tokens are
//! those of one type, with the types of the round and the number of the current one.

use serde_json::{Map, Value, json};

use super::{
    super::{
        call::{Call, JSON},
        route::qualified,
    },
    Request, Row, Rows, Scope, State, View, after_round, check_count, disturb, endless, round,
    token::wrong,
    tracked_relationships, visible_until,
};
use crate::{
    odata::{Expr, GraphError, Literal, Op, Seal, parse_filter},
    permissions::{authorize, denied},
    schema::{IdForm, is_extension},
    store::Kind,
    wire::Reply,
};

/// Responds with one page of a round.
pub(in crate::graph) fn respond(call: Call<'_>) -> Result<Reply, GraphError> {
    authorize(call.caller, "GET", PATH, false)?;
    let request = Request::read(call, |query| {
        let filtered = Selection::of_filter(query.filter.as_deref())?;
        Ok(Selection {
            select: query.select,
            ..filtered
        })
    })?;
    let now = call.now.unix_timestamp();
    let visible = visible_until(call);
    let mut series = match request {
        Request::Start(selection) => {
            selection.check(call)?;
            let state = State::full(selection.scope(selection.first()), visible, now);
            Series::new(selection, state)
        }
        Request::Latest(selection) => {
            selection.check(call)?;
            let next = call.state.store.changes.next();
            let scope = selection.scope(selection.first());
            let series = Series::new(selection, State::between_rounds(scope, next, now));
            return Ok(series.reply(call, &[], false));
        }
        Request::Page(token) => Series::open(call, &token, true)?,
        Request::Round(token) => {
            let Series {
                selection,
                at,
                state,
            } = Series::open(call, &token, false)?;
            let until = visible.max(state.from);
            let state = state.begin(until);
            Series {
                selection,
                at,
                state,
            }
        }
    };
    series.selection.check(call)?;
    let mut values = Vec::new();
    let more = series.read_page(call, &mut values);
    disturb(call, &mut values);
    Ok(series.reply(call, &values, more))
}

/// The query of a series of rounds, from its first request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Selection {
    /// `microsoft.graph.user/surname`, or a name without a type for all types that have it.
    select: Option<Vec<String>>,
    /// Only objects of these types; every type if it is empty.
    kinds: Vec<Kind>,
    /// Only the objects with these ids.
    ids: Option<Vec<String>>,
}

impl Selection {
    /// Reads `isof('…')` and `id eq '…'` clauses, joined by `or`. Objects of these types and with these ids are shown.
    fn of_filter(filter: Option<&str>) -> Result<Self, GraphError> {
        let mut selection = Self::default();
        if let Some(text) = filter {
            selection.add(&parse_filter(text)?)?;
            check_count(selection.ids.as_deref().unwrap_or_default())?;
        }
        Ok(selection)
    }

    fn add(&mut self, filter: &Expr) -> Result<(), GraphError> {
        match filter {
            Expr::Or(left, right) => {
                self.add(left)?;
                self.add(right)
            }
            Expr::Compare {
                path,
                op: Op::Eq,
                value: Literal::Text(value),
            } if path.scope == 0 => match path.text().as_str() {
                "@odata.type" => {
                    let kind = kind_of(value.trim_start_matches('#'))?;
                    if !self.kinds.contains(&kind) {
                        self.kinds.push(kind);
                    }
                    Ok(())
                }
                name if name.eq_ignore_ascii_case("id") => {
                    let ids = self.ids.get_or_insert_default();
                    ids.push(value.clone());
                    Ok(())
                }
                _ => Err(unsupported_filter()),
            },
            _ => Err(unsupported_filter()),
        }
    }

    fn kinds(&self) -> Vec<Kind> {
        match self.kinds.is_empty() {
            true => TYPES.iter().map(|(kind, _)| *kind).collect(),
            false => self.kinds.clone(),
        }
    }

    fn first(&self) -> Kind {
        self.kinds.first().copied().unwrap_or(TYPES[0].0)
    }

    /// The query as that of one type.
    fn scope(&self, kind: Kind) -> Scope {
        let own = |name: &String| match name.split_once('/') {
            Some((of, name)) => is_type(of, kind).then(|| name.to_owned()),
            None => has(kind, name).then(|| name.clone()),
        };
        let select = self.select.as_ref();
        // GUIDs are in lower case in the directory; the ids of assignments are case-sensitive.
        let spelled = |id: &String| match kind.entity().id == IdForm::CaseSensitive {
            true => id.clone(),
            false => id.to_ascii_lowercase(),
        };
        let ids = self.ids.as_ref();
        Scope {
            select: select.map(|names| names.iter().filter_map(own).collect()),
            ids: ids.map(|ids| ids.iter().map(spelled).collect()),
        }
    }

    /// Checks that the caller may read every type, and that each selected name is a property of one.
    fn check(&self, call: Call<'_>) -> Result<(), GraphError> {
        let kinds = self.kinds();
        for (kind, least) in TYPES {
            if kinds.contains(kind) && !call.caller.has_any(&[*least, "Directory.Read.All"]) {
                return Err(denied());
            }
        }
        for name in self.select.iter().flatten() {
            let is_known = kinds.iter().any(|kind| match name.split_once('/') {
                Some((of, _)) => is_type(of, *kind),
                None => has(*kind, name),
            });
            if !is_known {
                return Err(GraphError::bad_request(format!(
                    "The property '{name}' cannot be tracked by a delta query."
                )));
            }
        }
        kinds
            .iter()
            .try_for_each(|kind| self.scope(*kind).check(*kind))
    }

    /// The URL that starts the series again.
    fn start(&self, call: Call<'_>) -> String {
        let mut url = format!("{}{PATH}?$deltatoken=", call.root());
        if let Some(select) = &self.select {
            url.push_str(&format!("&$select={}", select.join(",")));
        }
        let types = self.kinds.iter().map(|kind| {
            let name = kind.entity().name;
            format!("isof('microsoft.graph.{name}')")
        });
        let ids = self.ids.iter().flatten();
        let ids = ids.map(|id| format!("id%20eq%20'{id}'"));
        let terms: Vec<String> = types.chain(ids).collect();
        if !terms.is_empty() {
            url.push_str(&format!("&$filter={}", terms.join("%20or%20")));
        }
        url
    }
}

/// A series of rounds, and how far it is.
struct Series {
    selection: Selection,
    /// The number of the current type.
    at: usize,
    /// The state of that type.
    state: State,
}

impl Series {
    fn new(selection: Selection, state: State) -> Self {
        Self {
            selection,
            at: 0,
            state,
        }
    }

    fn kind(&self) -> Kind {
        let kinds = self.selection.kinds();
        kinds.get(self.at).copied().unwrap_or(Kind::User)
    }

    /// Reads the rows of the next page: those of one type, after types without rows. Returns whether the round continues.
    fn read_page(&mut self, call: Call<'_>, values: &mut Vec<Value>) -> bool {
        let minimal = call.request.prefers("return=minimal") && !self.state.full;
        let count = self.selection.kinds().len();
        loop {
            let kind = self.kind();
            let view = View::new(call, kind, &self.state, minimal);
            let Rows { rows, next } = round::page(call, kind, &self.state, &view);
            let is_last_type = self.at + 1 == count;
            let next = next.or_else(|| endless(call, kind, &view, is_last_type));
            for mut shown in rows.iter().filter_map(|row| render(&view, row)) {
                shown["@odata.type"] = format!("#microsoft.graph.{}", kind.entity().name).into();
                values.push(shown);
            }
            if let Some(position) = next {
                self.state = self.state.at(position);
                return true;
            }
            self.at += 1;
            let ended = self.at == count;
            let state = match ended {
                true => after_round(call, &self.state),
                false => self.state.clone(),
            };
            if ended {
                self.at = 0;
            }
            self.state = state.restarted(self.selection.scope(self.kind()));
            if ended || !values.is_empty() {
                return !ended;
            }
        }
    }

    fn reply(&self, call: Call<'_>, values: &[Value], more: bool) -> Reply {
        let (name, option) = match more {
            true => ("@odata.nextLink", "$skiptoken"),
            false => ("@odata.deltaLink", "$deltatoken"),
        };
        let context = match &self.selection.select {
            Some(select) => format!("directoryObjects({})", select.join(",")),
            None => "directoryObjects".to_owned(),
        };
        let body = json!({
            "@odata.context": call.context(&context),
            name: format!("{}{PATH}?{option}={}", call.root(), self.seal(call)),
            "value": values,
        });
        Reply::new(200)
            .with_header("content-type", JSON)
            .with_body(body.to_string())
    }

    fn seal(&self, call: Call<'_>) -> String {
        let kinds = self.selection.kinds.iter();
        let kinds: Vec<&str> = kinds.map(|kind| kind.entity().name).collect();
        let content = json!([
            PATH,
            kinds,
            self.selection.select,
            self.selection.ids,
            self.at,
            self.state.seal(call, self.kind()),
        ]);
        Seal::of(&call.state.tenant_id.to_string()).seal(&content.to_string())
    }

    /// Reads the token of a page in a round, or of the link between two rounds.
    fn open(call: Call<'_>, token: &str, page: bool) -> Result<Self, GraphError> {
        let content = Seal::of(&call.state.tenant_id.to_string()).open(token);
        let content = content.ok_or_else(wrong)?;
        let parts: Value = serde_json::from_str(&content).map_err(|_| wrong())?;
        if parts[0] != PATH {
            return Err(wrong());
        }
        let names = texts(&parts[1]).unwrap_or_default();
        let selection = Selection {
            select: texts(&parts[2]),
            kinds: names.iter().filter_map(|name| tracked(name)).collect(),
            ids: texts(&parts[3]),
        };
        let at = parts[4].as_u64().ok_or_else(wrong)?;
        let at = usize::try_from(at).map_err(|_| wrong())?;
        let kind = selection.kinds().get(at).copied().ok_or_else(wrong)?;
        let inner = parts[5].as_str().ok_or_else(wrong)?;
        let state = State::read(call, kind, inner).map_err(|mut error| {
            if error.location.is_some() {
                error.location = Some(selection.start(call));
            }
            error
        })?;
        let is_in_round = at > 0 || state.position.is_some();
        if is_in_round != page {
            return Err(wrong());
        }
        Ok(Self {
            selection,
            at,
            state,
        })
    }
}

/// The type that an `isof` names.
fn kind_of(name: &str) -> Result<Kind, GraphError> {
    qualified(name).and_then(tracked).ok_or_else(|| {
        GraphError::unsupported_query(format!(
            "The type '{name}' cannot be tracked by a delta query."
        ))
    })
}

/// The type of that name, if it is one of those.
fn tracked(name: &str) -> Option<Kind> {
    let mut kinds = TYPES.iter().map(|(kind, _)| *kind);
    kinds.find(|kind| kind.entity().name.eq_ignore_ascii_case(name))
}

/// Renders a row. The permission for app role assignments shows them complete here, though not in the lists of
/// assignments.
fn render(view: &View<'_>, row: &Row<'_>) -> Option<Value> {
    if view.kind != Kind::AppRoleAssignment {
        return view.render(row);
    }
    let Row::Present { object, .. } = row else {
        return view.render(row);
    };
    let properties = view.names.iter();
    let mut shown: Map<String, Value> = properties
        .filter_map(|name| Some((name.clone(), object.value(name)?)))
        .collect();
    shown.insert("id".to_owned(), object.value("id")?);
    Some(Value::Object(shown))
}

fn is_type(name: &str, kind: Kind) -> bool {
    qualified(name).is_some_and(|name| name.eq_ignore_ascii_case(kind.entity().name))
}

/// Whether a delta of a type can show a property or a relationship of that name.
fn has(kind: Kind, name: &str) -> bool {
    name == "*"
        || kind.entity().property(name).is_some()
        || kind.entity().open && is_extension(name)
        || tracked_relationships(kind).any(|item| item.name.eq_ignore_ascii_case(name))
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array()?.iter();
    Some(
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
    )
}

fn unsupported_filter() -> GraphError {
    GraphError::unsupported_query(
        "Delta queries of directory objects can be filtered by 'isof' and 'id eq' joined with 'or' only.",
    )
}

const PATH: &str = "/directoryObjects/delta";

/// The types, and the least permission for each (page "directoryObject: delta").
const TYPES: &[(Kind, &str)] = &[
    (Kind::User, "User.Read.All"),
    (Kind::Group, "Group.Read.All"),
    (Kind::Application, "Application.Read.All"),
    (Kind::ServicePrincipal, "Application.Read.All"),
    (Kind::Device, "Device.Read.All"),
    (Kind::OrgContact, "OrgContact.Read.All"),
    (Kind::AdministrativeUnit, "AdministrativeUnit.Read.All"),
    (Kind::DirectoryRole, "RoleManagement.Read.Directory"),
    (Kind::AppRoleAssignment, "User.Read.All"),
];
