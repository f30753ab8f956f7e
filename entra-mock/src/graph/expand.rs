//! `$expand`: related objects inside an object.

use serde_json::Value;

use super::{
    Call,
    rows::Around,
    shape::{Look, Shape},
};
use crate::{
    odata::{Expand, Refusal},
    permissions::{self, authorize, sees_hidden_members},
    schema::{Kind, Relationship},
    store::Object,
};

/// One checked expansion.
#[derive(Debug)]
pub(super) struct Expansion {
    relationship: &'static Relationship,
    shapes: Vec<(Kind, Shape)>,
    levels: u32,
}

impl Expansion {
    pub(super) fn new(
        call: Call<'_>,
        expand: &Expand,
        kinds: &[Kind],
        own: bool,
    ) -> Result<Self, Refusal> {
        let name = expand.relationship.as_str();
        let Some(relationship) = kinds
            .iter()
            .find_map(|kind| kind.entity().relationship(name))
        else {
            return Err(unknown(name, kinds));
        };
        authorize(call.caller, "GET", &relationship.path(), own)?;
        if expand.levels > 1 && relationship.name != "manager" {
            return Err(Refusal::bad_request(
                "$levels is supported for the relationship 'manager' only.",
            ));
        }
        let mut shapes = Vec::new();
        let mut refused = None;
        for kind in relationship.kinds {
            match Shape::new(*kind, expand.select.as_deref(), false) {
                Ok(shape) => shapes.push((*kind, shape)),
                Err(refusal) => refused = Some(refusal),
            }
        }
        match refused {
            Some(refusal) if shapes.is_empty() => Err(refusal),
            _ => Ok(Self {
                relationship,
                shapes,
                levels: expand.levels,
            }),
        }
    }

    /// Writes the expanded property behind the object's own ones; a single relation that leads
    /// nowhere is left out.
    pub(super) fn write(&self, out: &mut Vec<u8>, call: Call<'_>, object: &Object) {
        let Some(id) = object.get("id").and_then(Value::as_str) else {
            return;
        };
        if self.relationship.many {
            out.extend_from_slice(format!(",\"{}\":[", self.relationship.name).as_bytes());
            for (number, (kind, item)) in self
                .relationship
                .visible(&call.state.store, id, sees_hidden_members(call.caller))
                .take(MOST_EXPANDED)
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

    /// Manager, manager's manager and so on; a circle ends where it closes.
    fn write_chain(&self, out: &mut Vec<u8>, call: Call<'_>, id: &str) {
        let mut seen = vec![id.to_owned()];
        let mut open = 0;
        while open < self.levels as usize {
            let from = seen.last().cloned().unwrap_or_default();
            let Some((kind, item)) = self.relationship.objects(&call.state.store, &from).next()
            else {
                break;
            };
            let next = item
                .get("id")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
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
        let reach = permissions::reach(call.caller, kind, item);
        let look = Look {
            context: None,
            typed: self.relationship.polymorphic,
            reach,
        };
        match self.shapes.iter().find(|(other, _)| *other == kind) {
            Some((_, shape)) => shape.open(out, item, look, &Around(&call.state.store)),
            None => out.push(b'{'),
        }
    }
}

/// A relationship that Graph has and the fake tenant does not is told from one that nobody has.
fn unknown(name: &str, kinds: &[Kind]) -> Refusal {
    let entity = kinds.first().copied().unwrap_or(Kind::User).entity();
    if kinds
        .iter()
        .any(|kind| kind.entity().navigation(name).is_some())
        || name == "*"
    {
        return Refusal::new(
            501,
            "NotImplemented",
            format!(
                "The fake tenant does not support $expand={name} on {}.",
                entity.set
            ),
        );
    }
    Refusal::no_property("Parsing OData Select and Expand failed", name, entity.name)
}

/// Graph cuts an expanded collection here, without a next link.
const MOST_EXPANDED: usize = 20;
