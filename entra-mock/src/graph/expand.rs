//! `$expand`: related objects inside of an object.

use super::{
    call::Call,
    projection::{Projection, RenderOptions},
    rows::EvalContext,
    security_attributes,
    sign_in_activity::{ACTIVITY, check_activity},
};
use crate::{
    odata::{Expand, GraphError},
    permissions::{self, authorize, sees_hidden_members},
    schema::{Kind, Relationship},
    store::Object,
};

/// One checked expansion.
#[derive(Debug)]
pub(super) struct Expansion {
    relationship: &'static Relationship,
    projections: Vec<(Kind, Projection)>,
    levels: u32,
}

impl Expansion {
    pub(super) fn new(
        call: Call<'_>,
        expand: &Expand,
        kinds: &[Kind],
        own: bool,
    ) -> Result<Self, GraphError> {
        let name = expand.relationship.as_str();
        let Some(relationship) = kinds
            .iter()
            .find_map(|kind| kind.entity().relationship(name))
        else {
            return Err(unknown(name, kinds));
        };
        authorize(call.caller, "GET", &relationship.path(), own)?;
        if expand.levels > 1 && relationship.name != "manager" {
            return Err(GraphError::bad_request(
                "$levels is supported for the relationship 'manager' only.",
            ));
        }
        let mut projections = Vec::new();
        let mut rejected = None;
        for kind in relationship.kinds {
            match Projection::new(*kind, expand.select.as_deref(), false) {
                Ok(mut projection) => {
                    if projection.shows(ACTIVITY) {
                        check_activity(call)?;
                    }
                    security_attributes::hide(call, &mut projection);
                    projections.push((*kind, projection));
                }
                Err(error) => rejected = Some(error),
            }
        }
        match rejected {
            Some(error) if projections.is_empty() => Err(error),
            _ => Ok(Self {
                relationship,
                projections,
                levels: expand.levels,
            }),
        }
    }

    /// Writes the expanded property after the object's own properties. A single-valued relationship
    /// without a target is omitted.
    pub(super) fn write(&self, out: &mut Vec<u8>, call: Call<'_>, object: &Object) {
        let Some(id) = object.text("id") else {
            return;
        };
        if self.relationship.many {
            out.extend_from_slice(format!(",\"{}\":[", self.relationship.name).as_bytes());
            for (number, (kind, item)) in self
                .relationship
                .visible(&call.state.store, id, sees_hidden_members(call.caller))
                .take(most_expanded(self.relationship))
                .enumerate()
            {
                if number > 0 {
                    out.push(b',');
                }
                self.open_item(out, call, kind, item);
                out.push(b'}');
            }
            out.push(b']');
        } else {
            self.write_chain(out, call, id);
        }
    }

    /// Writes the manager, the manager's manager and so on. Stops at a user that was written
    /// before.
    fn write_chain(&self, out: &mut Vec<u8>, call: Call<'_>, id: &str) {
        let mut seen = vec![id.to_owned()];
        let mut open = 0;
        while open < self.levels as usize {
            let from = seen.last().cloned().unwrap_or_default();
            let Some((kind, item)) = self.relationship.objects(&call.state.store, &from).next()
            else {
                break;
            };
            let next = item.text("id").unwrap_or_default().to_owned();
            if seen.contains(&next) {
                break;
            }
            out.extend_from_slice(format!(",\"{}\":", self.relationship.name).as_bytes());
            self.open_item(out, call, kind, item);
            seen.push(next);
            open += 1;
        }
        out.extend(std::iter::repeat_n(b'}', open));
    }

    fn open_item(&self, out: &mut Vec<u8>, call: Call<'_>, kind: Kind, item: &Object) {
        let access_level = permissions::access_level(call.caller, kind, item);
        let options = RenderOptions {
            context: None,
            typed: self.relationship.polymorphic,
            access_level,
        };
        match self.projections.iter().find(|(other, _)| *other == kind) {
            Some((_, projection)) => projection.open(out, item, options, &EvalContext::of(call)),
            None => out.push(b'{'),
        }
    }
}

/// Distinguishes a relationship that only the fake tenant lacks from one that does not exist in
/// Graph.
fn unknown(name: &str, kinds: &[Kind]) -> GraphError {
    let entity = kinds.first().copied().unwrap_or(Kind::User).entity();
    if kinds
        .iter()
        .any(|kind| kind.entity().navigation(name).is_some())
        || name == "*"
    {
        return GraphError::new(
            501,
            "NotImplemented",
            format!(
                "The fake tenant does not support $expand={name} on {}.",
                entity.set
            ),
        );
    }
    GraphError::no_property("Parsing OData Select and Expand failed", name, entity.name)
}

/// Where Graph truncates an expanded collection, without a next link (microsoft-graph-docs-contrib issues
/// 2851 and 7850).
fn most_expanded(relationship: &Relationship) -> usize {
    match relationship.name {
        "registeredDevices" => 100,
        _ => 20,
    }
}
