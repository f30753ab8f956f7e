//! `$ref` of a relationship: where its objects are, without their properties.

use serde_json::{Value, json};

use super::{
    call::{Call, JSON, unsupported},
    list, read,
    route::{Route, Target},
};
use crate::{
    odata::GraphError,
    schema::{Kind, Relationship},
    wire::Reply,
};

/// Responds with the references of a relationship, or with that of its only target. Options, pages and permissions are
/// those of the relationship itself.
pub(super) fn respond(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    let Target::Reference {
        relationship,
        id: None,
    } = route.target.clone()
    else {
        return Err(unsupported(call.request));
    };
    let target = match relationship.many {
        true => Target::List {
            relationship: Some(relationship),
            cast: None,
        },
        false => Target::Related {
            relationship,
            id: None,
        },
    };
    let objects = Route {
        target,
        ..route.clone()
    };
    let reply = match relationship.many {
        true => list::respond(call, &objects)?,
        false => read::related(call, &objects)?,
    };
    let Ok(shown) = serde_json::from_slice::<Value>(&reply.body) else {
        return Ok(reply);
    };
    let body = match shown["value"].as_array() {
        Some(items) => {
            let items = items.iter().map(|item| reference(call, relationship, item));
            let mut body = json!({
                "@odata.context": call.context("Collection($ref)"),
                "value": items.collect::<Vec<_>>(),
            });
            for name in ["@odata.count", "@odata.nextLink"] {
                if let Some(value) = shown.get(name) {
                    body[name] = value.clone();
                }
            }
            body
        }
        None => {
            let mut body = reference(call, relationship, &shown);
            body["@odata.context"] = call.context("$ref").into();
            body
        }
    };
    Ok(Reply::new(200)
        .with_header("content-type", JSON)
        .with_body(body.to_string()))
}

/// The address of an object. That of a directory object is the one which Graph writes into new users (page "Assign
/// Microsoft Entra roles to groups").
fn reference(call: Call<'_>, relationship: &Relationship, item: &Value) -> Value {
    let id = item["id"].as_str().unwrap_or_default();
    let named = item["@odata.type"]
        .as_str()
        .and_then(|name| Kind::of_type(name.strip_prefix("#microsoft.graph.")?));
    let kind = named.or_else(|| relationship.kinds.first().copied());
    let entity = kind.unwrap_or(Kind::User).entity();
    let address = match entity.directory {
        true => format!(
            "{}/v2/{}/directoryObjects/{id}/Microsoft.DirectoryServices.{}",
            call.request.base,
            call.state.tenant_id,
            entity.title()
        ),
        false => format!("{}/{}/{id}", call.root(), entity.set),
    };
    json!({ "@odata.id": address })
}
