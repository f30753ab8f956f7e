//! What a checked request changes, and how it is audited and responded to.

use serde_json::Value;

use crate::{
    schema::Relation,
    state::State,
    store::{Kind, Object, Photo},
};

/// The effect of a checked request.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) activity: Option<Activity>,
    /// The objects that the audit names, each in an entry of its own. If there are none, it names the object of the first
    /// step.
    pub(super) subjects: Vec<(Kind, String)>,
    pub(super) response: PlannedResponse,
}

/// One change.
#[derive(Debug)]
pub(super) enum Step {
    Insert(Kind, Object),
    /// New values of properties. `None` removes a property.
    Update(Kind, String, Vec<(String, Option<Value>)>),
    Delete(Kind, String),
    /// With new values of properties. `None` removes a property.
    Restore(String, Vec<(String, Option<Value>)>),
    Purge(String),
    Link(Relation, String, String),
    Unlink(Relation, String, String),
    RevokeSessions(String),
    Photo(String, Option<Photo>),
}

/// The name of the request in the directory's audit log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activity {
    pub(super) name: &'static str,
    pub(super) category: &'static str,
    pub(super) operation: &'static str,
}

/// The response to the client.
#[derive(Debug)]
pub(super) enum PlannedResponse {
    NoContent,
    /// 200 without a body.
    Empty,
    /// The object after the changes.
    Object {
        status: u16,
        id: String,
        /// Whether to write `@odata.type`, for an object of one of several types.
        typed: bool,
        /// The values of the new object's secrets, in the order of its credentials.
        secrets: Vec<String>,
    },
    Json(u16, Value),
    /// A new application with its service principal.
    Instance {
        application: String,
        principal: String,
    },
    /// The object of a collection below another object, with that collection's context.
    Contained {
        status: u16,
        id: String,
        set: String,
    },
}

impl Step {
    /// Returns the object that a step changes, before the change.
    pub(super) fn subject(&self, state: &State) -> Option<(Kind, String)> {
        match self {
            Self::Insert(kind, object) => Some((*kind, object["id"].as_str()?.to_owned())),
            Self::Update(kind, id, _) | Self::Delete(kind, id) => Some((*kind, id.clone())),
            Self::Restore(id, _) | Self::Purge(id) => {
                state.store.deleted(id).map(|(kind, _)| (kind, id.clone()))
            }
            Self::Link(_, id, _)
            | Self::Unlink(_, id, _)
            | Self::RevokeSessions(id)
            | Self::Photo(id, _) => Some((state.store.kind_of(id)?, id.clone())),
        }
    }
}

impl Plan {
    pub(super) fn new(response: PlannedResponse) -> Self {
        Self {
            steps: Vec::new(),
            activity: None,
            subjects: Vec::new(),
            response,
        }
    }

    pub(super) fn about(mut self, kind: Kind, id: String) -> Self {
        self.subjects.push((kind, id));
        self
    }

    /// The kind of the object in the response, if there is one.
    pub(super) fn shown(&self, state: &State) -> Option<Kind> {
        let (PlannedResponse::Object { id, .. } | PlannedResponse::Contained { id, .. }) =
            &self.response
        else {
            return None;
        };
        let inserted = self.steps.iter().find_map(|step| match step {
            Step::Insert(kind, object) if object.get("id")? == id.as_str() => Some(*kind),
            _ => None,
        });
        let store = &state.store;
        let deleted = || store.deleted(id).map(|(kind, _)| kind);
        inserted.or_else(|| store.kind_of(id)).or_else(deleted)
    }

    pub(super) fn with(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(super) fn audited_as(mut self, category: &'static str, name: &'static str) -> Self {
        let operation = match name.split(' ').next() {
            _ if name == "Remove service principal"
                || name.ends_with("verified domain") && name.starts_with("Remove") =>
            {
                "Delete"
            }
            Some("Add" | "Invite" | "Restore") => "Add",
            Some("Delete" | "Hard") => "Delete",
            Some("Remove") => "Unassign",
            _ => "Update",
        };
        self.activity = Some(Activity {
            name,
            category,
            operation,
        });
        self
    }
}
