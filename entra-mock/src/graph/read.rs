//! Single objects.

use serde_json::Value;

use super::{
    applied_policies,
    call::{Call, JSON, unsupported},
    expand::Expansion,
    lookup::{find, is_item, is_own},
    projection::{self, Projection, RenderOptions},
    route::{Root, Route, Target},
    rows::EvalContext,
    security_attributes,
    sign_in_activity::{ACTIVITY, check_activity},
    subject::selection,
};
use crate::{
    odata::{GraphError, Options, Query},
    permissions::{self, AccessLevel, authorize, authorize_operation, sees_hidden_members},
    schema::{Kind, Relationship},
    store::Object,
    wire::{Body, Reply},
};

/// Responds with one object by its key.
pub(super) fn respond(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let own = is_own(call, &route.root);
    let path = match &route.root {
        Root::Object(kind, _) => kind.entity().object_path(),
        Root::Any(_) => "/directoryObjects/{id}".to_owned(),
        Root::Deleted(id) => return deleted(call, id),
        Root::Set(_) | Root::AnySet | Root::DeletedSet(_) => return Err(unsupported(call.request)),
    };
    // A collection whose objects have no path of their own.
    let Some(operation) = permissions::operation("GET", &path) else {
        return Err(unsupported(call.request));
    };
    authorize_operation(call.caller, operation, own)?;
    let (kind, object) = find(call, &route.root)?;
    let query = View::query(call, kind)?;
    check_key(call, kind, &route.root, object, &query)?;
    let typed = matches!(route.root, Root::Any(_));
    let set = if typed {
        "directoryObjects"
    } else {
        kind.entity().set
    };
    let access_level = permissions::access_level(call.caller, kind, object);
    let view = View::of_query(call, kind, own, &query)?;
    Ok(view.reply(call, object, set, typed, access_level))
}

/// Checks the rules of two properties of users that come from other services.
fn check_key(
    call: Call<'_>,
    kind: Kind,
    root: &Root,
    object: &Object,
    query: &Query,
) -> Result<(), GraphError> {
    let selects = |name: &str| {
        query
            .select
            .iter()
            .flatten()
            .any(|selected| selected.eq_ignore_ascii_case(name))
    };
    let by_name =
        matches!(root, Root::Object(_, key) if key.value.parse::<entra_core::Guid>().is_err());
    if kind == Kind::User && by_name && selects(ACTIVITY) {
        check_activity(call)?;
        return Err(GraphError::new(
            400,
            "400",
            "Get By Key only supports UserId and the key has to be a valid Guid",
        ));
    }
    // Guests, synchronized and unlicensed users have no mailbox, although they exist.
    let licensed = || {
        let licences = object.get("assignedLicenses").and_then(Value::as_array);
        licences.is_some_and(|licences| !licences.is_empty())
    };
    if kind == Kind::User && selects("mailboxSettings") && !licensed() {
        return Err(GraphError::new(
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        ));
    }
    Ok(())
}

/// Responds with one deleted object, with the permission that its type needs.
fn deleted(call: Call<'_>, id: &str) -> Result<Reply, GraphError> {
    let Some((kind, object)) = call.state.store.deleted(id) else {
        return Err(GraphError::not_found(id));
    };
    let path = "/directory/deletedItems/{id}";
    permissions::authorize_kind(call.caller, kind, "GET", path, false)?;
    let access_level = AccessLevel::Everything;
    let view = View::new(call, kind, false)?;
    Ok(view.reply(call, object, "directoryObjects", true, access_level))
}

/// Responds with the target of a single-valued relationship, or with one of many targets by its id.
pub(super) fn related(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let Target::Related { relationship, id } = &route.target else {
        return Err(unsupported(call.request));
    };
    let own = is_own(call, &route.root);
    // One item can have permissions of its own.
    let item_path = format!("{}/{{id}}", relationship.path());
    let path = if id.is_some() && permissions::operation("GET", &item_path).is_some() {
        item_path
    } else {
        relationship.path()
    };
    authorize(call.caller, "GET", &path, own)?;
    let (_, from) = find(call, &route.root)?;
    let from_id = from.text("id").unwrap_or_default();
    let wanted = |object: &Object| {
        id.as_ref()
            .is_none_or(|key| is_item(relationship, object, key))
    };
    let found = relationship
        .visible(&call.state.store, from_id, sees_hidden_members(call.caller))
        .find(|(_, object)| wanted(object));
    let Some((kind, object)) = found else {
        return Err(GraphError::not_found(
            id.as_deref().unwrap_or(relationship.name),
        ));
    };
    render(
        call,
        kind,
        object,
        related_set(relationship, kind),
        relationship.polymorphic,
        false,
    )
}

fn render(
    call: Call<'_>,
    kind: Kind,
    object: &Object,
    set: &str,
    typed: bool,
    own: bool,
) -> Result<Reply, GraphError> {
    let access_level = permissions::access_level(call.caller, kind, object);
    Ok(View::new(call, kind, own)?.reply(call, object, set, typed, access_level))
}

/// What the query options of a request show of one object.
///
/// A write makes it before it changes anything, so that an invalid option makes the whole request
/// fail.
pub(super) struct View {
    projection: Projection,
    expansion: Option<Expansion>,
    selection: String,
}

impl View {
    pub(super) fn new(call: Call<'_>, kind: Kind, own: bool) -> Result<Self, GraphError> {
        Self::of_query(call, kind, own, &Self::query(call, kind)?)
    }

    /// Parses the query options of a request for one object.
    fn query(call: Call<'_>, kind: Kind) -> Result<Query, GraphError> {
        let options = Options(kind.entity().object_options);
        Query::parse(call.request.query.as_deref(), options)
    }

    fn of_query(call: Call<'_>, kind: Kind, own: bool, query: &Query) -> Result<Self, GraphError> {
        let mut projection = Projection::new(kind, query.select.as_deref(), true)?;
        if call.beta {
            projection.add_beta();
        }
        if projection.shows(ACTIVITY) {
            check_activity(call)?;
        }
        security_attributes::hide(call, &mut projection);
        applied_policies::hide(call, &mut projection);
        let expansion = query
            .expand
            .as_ref()
            .map(|expand| Expansion::new(call, expand, &[kind], own))
            .transpose()?;
        Ok(Self {
            projection,
            expansion,
            selection: selection(query),
        })
    }

    /// Responds with an object, as far as `access_level` allows.
    pub(super) fn reply(
        &self,
        call: Call<'_>,
        object: &Object,
        set: &str,
        typed: bool,
        access_level: AccessLevel,
    ) -> Reply {
        let context = call.context(&[set, &self.selection, "/$entity"].concat());
        let mut out = Vec::with_capacity(2_048);
        if access_level != AccessLevel::Everything
            || !self.write_known(&mut out, call, object, &context, typed)
        {
            self.projection.open(
                &mut out,
                object,
                RenderOptions {
                    context: Some(&context),
                    typed,
                    access_level,
                },
                &EvalContext::of(call),
            );
            if let Some(expansion) = &self.expansion {
                expansion.write(&mut out, call, object);
            }
            out.push(b'}');
        }
        let properties = self.expansion.is_none();
        let properties = properties.then(|| self.projection.count(object));
        Reply::new(200)
            .with_header("content-type", JSON)
            .with_body(Body::from(out).with_properties(properties))
    }
}

impl View {
    /// Writes an object that a list has shown, with all its properties and a context. Returns `false` if none has.
    fn write_known(
        &self,
        out: &mut Vec<u8>,
        call: Call<'_>,
        object: &Object,
        context: &str,
        typed: bool,
    ) -> bool {
        let identity = self.projection.identity(typed);
        let identity = identity.filter(|_| self.expansion.is_none());
        let Some((identity, version)) = identity.zip(object.version()) else {
            return false;
        };
        let rendered = call.state.rendered.read();
        let Some(found) = rendered.reader(identity).find(version) else {
            return false;
        };
        let json = rendered.buffer(found.buffer);
        let Some([b'{', members @ ..]) = json.and_then(|json| json.get(found.range)) else {
            return false;
        };
        out.extend_from_slice(b"{\"@odata.context\":");
        projection::write_text(out, context);
        if members != b"}" {
            out.push(b',');
        }
        out.extend_from_slice(members);
        true
    }
}

fn related_set(relationship: &Relationship, kind: Kind) -> &'static str {
    if relationship.polymorphic {
        "directoryObjects"
    } else {
        kind.entity().set
    }
}
