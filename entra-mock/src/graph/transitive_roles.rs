//! `transitiveRoleAssignments` of beta: the role assignments of a principal and of its groups.

use serde_json::json;

use super::{
    call::{Call, JSON, unsupported},
    projection::{Projection, RenderOptions},
    relations::groups_above,
    rows::EvalContext,
};
use crate::{
    odata::{Expr, GraphError, Literal, Op, Options, Query, check_filter, matches, parse_filter},
    permissions::{AccessLevel, authorize},
    store::{Kind, Object},
    wire::Reply,
};

/// Responds with the assignments that a filter on the principal selects.
pub(super) fn respond(call: Call<'_>) -> Result<Reply, GraphError> {
    if !call.beta {
        return Err(unsupported(call.request));
    }
    authorize(call.caller, "GET", PATH, false)?;
    let options = Options(&["$count", "$filter", "$select"]);
    let query = Query::parse(call.request.query.as_deref(), options)?;
    // As the page says.
    if !call.eventual {
        return Err(GraphError::not_found(NAME));
    }
    let kind = Kind::RoleAssignment;
    let filter = query.filter.as_deref().map(parse_filter).transpose()?;
    let (Some(filter), true) = (filter, query.count) else {
        return Err(GraphError::needs_advanced(NAME));
    };
    check_filter(kind.entity(), &filter, true, true)?;
    let Some(principal) = principal_of(&filter) else {
        return Err(GraphError::unsupported_query(
            "The filter must compare principalId with a value.",
        ));
    };
    let store = &call.state.store;
    let groups: Vec<&Object> = groups_above(store, principal, false).collect();
    let holds = |assignment: &&Object| {
        let holder = &assignment["principalId"];
        let held = holder == principal || groups.iter().any(|group| group["id"] == *holder);
        let mut own = (*assignment).clone();
        own.insert("principalId".to_owned(), principal.into());
        held && matches(&filter, &own, &EvalContext::of(call))
    };
    let found: Vec<&Object> = store.all(kind).filter(holds).collect();
    let projection = Projection::new(kind, query.select.as_deref(), false)?;
    let context = json!(call.context(&PATH[1..])).to_string();
    let mut out = format!(
        "{{\"@odata.context\":{context},\"@odata.count\":{},\"value\":[",
        found.len()
    )
    .into_bytes();
    for (number, assignment) in found.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        let options = RenderOptions {
            context: None,
            typed: false,
            access_level: AccessLevel::Everything,
        };
        projection.open(&mut out, assignment, options, &EvalContext::of(call));
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(out))
}

/// The principal that every match has.
fn principal_of(filter: &Expr) -> Option<&str> {
    match filter {
        Expr::And(left, right) => principal_of(left).or_else(|| principal_of(right)),
        Expr::Compare {
            path,
            op: Op::Eq,
            value: Literal::Text(id) | Literal::Guid(id),
        } if path.text().eq_ignore_ascii_case("principalId") => Some(id),
        _ => None,
    }
}

const NAME: &str = "transitiveRoleAssignments";
/// The path as in the table of operations.
const PATH: &str = "/roleManagement/directory/transitiveRoleAssignments";
