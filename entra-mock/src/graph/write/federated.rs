//! Federated identity credentials of an application.

use serde_json::{Value, json};

use super::{
    super::{
        call::{Call, unsupported},
        lookup::item_of,
        route::Root,
        unsourced,
    },
    access,
    body::{Draft, Purpose, invalid, required},
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    login::ClaimsExpression,
    odata::GraphError,
    schema::{APPLICATION_OF, Relationship},
    store::{Kind, Object},
};

/// POST to the credentials of an application.
pub(super) fn create(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (application, id, _) = target(call, root, kind, BELOW)?;
    access::check_links(call, kind, application)?;
    let draft = Draft::read(call, KIND, Purpose::Create)?;
    insert(call, id, draft)
}

/// PATCH of one credential, with upsert by its name.
pub(super) fn update(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    relationship: &Relationship,
    key: &str,
) -> Result<Plan, GraphError> {
    let (application, id, _) = target(call, root, kind, ITEM)?;
    access::check_links(call, kind, application)?;
    let item = match item_of(call, relationship, id, key) {
        Ok((_, item)) => item,
        Err(_)
            if super::update::creates_if_missing(call)
                && key.parse::<entra_core::Guid>().is_err() =>
        {
            let mut draft = Draft::read(call, KIND, Purpose::Create)?;
            draft.set_key(call, KIND, "name", key)?;
            return insert(call, id, draft);
        }
        Err(error) => return Err(error),
    };
    let draft = Draft::read(call, KIND, Purpose::Update)?;
    if draft.names("name") && draft.text("name") != item["name"].as_str() {
        return Err(GraphError::bad_request(
            "Property 'name' is read-only and cannot be set.",
        ));
    }
    let mut after = item.clone();
    for (name, value) in &draft.values {
        match value {
            Some(value) => after.insert(name.clone(), value.clone()),
            None => after.remove(name),
        };
    }
    check(call, id, &after)?;
    let own = item["id"].as_str().unwrap_or_default().to_owned();
    let names = KIND.entity().activities;
    Ok(Plan::new(PlannedResponse::NoContent)
        .with(Step::Update(KIND, own, draft.values))
        .audited_as(names.category, names.update))
}

/// DELETE of one credential.
pub(super) fn delete(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    relationship: &Relationship,
    key: &str,
) -> Result<Plan, GraphError> {
    let (application, id, _) = target(call, root, kind, ITEM)?;
    access::check_links(call, kind, application)?;
    let (_, item) = item_of(call, relationship, id, key)?;
    let own = item["id"].as_str().unwrap_or_default().to_owned();
    let names = KIND.entity().activities;
    Ok(Plan::new(PlannedResponse::NoContent)
        .with(Step::Delete(KIND, own))
        .audited_as(names.category, names.purge))
}

/// Handles a request for the items of a relationship, or `None` if it is not this one.
pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    relationship: &Relationship,
    item: Option<&str>,
) -> Result<Plan, GraphError> {
    if relationship.name != NAME {
        return Err(unsupported(call.request));
    }
    match (call.request.method.as_str(), item) {
        ("POST", None) => create(call, root, kind),
        ("PATCH", Some(key)) => update(call, root, kind, relationship, key),
        ("DELETE", Some(key)) => delete(call, root, kind, relationship, key),
        _ => Err(unsupported(call.request)),
    }
}

/// Returns the deletions of all credentials of an application, for its purge.
pub(super) fn deletions(call: Call<'_>, application: &Object) -> Vec<Step> {
    let id = application["id"].as_str().unwrap_or_default();
    of(call, id)
        .filter_map(|item| Some(Step::Delete(KIND, item["id"].as_str()?.to_owned())))
        .collect()
}

fn insert(call: Call<'_>, application: &str, draft: Draft) -> Result<Plan, GraphError> {
    let entity = KIND.entity();
    for property in entity.properties.iter().filter(|item| item.required) {
        draft.require(entity, property.name)?;
    }
    let mut object = Object::new();
    object.insert("id".to_owned(), call.state.new_id().into());
    object.insert(APPLICATION_OF.to_owned(), application.into());
    for (name, value) in draft.values {
        if let Some(value) = value {
            object.insert(name, value);
        }
    }
    check(call, application, &object)?;
    if of(call, application).count() >= MAX {
        return Err(unsourced::too_many_federated_credentials(MAX));
    }
    let context = format!("applications('{application}')/federatedIdentityCredentials/$entity");
    let mut response = json!({
        "@odata.context": call.context(&context), "id": object["id"], "name": object["name"],
        "issuer": object["issuer"], "subject": object["subject"], "description": object["description"],
        "audiences": object["audiences"],
    });
    if call.beta {
        response["claimsMatchingExpression"] = object["claimsMatchingExpression"].clone();
    }
    let names = entity.activities;
    Ok(Plan::new(PlannedResponse::Json(201, response))
        .with(Step::Insert(KIND, object))
        .audited_as(names.category, names.add))
}

/// Checks the form of a credential, and that its name and its issuer with subject are unique in the
/// application.
fn check(call: Call<'_>, application: &str, item: &Object) -> Result<(), GraphError> {
    let entity = KIND.entity();
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    let is_friendly = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    if !text("name").bytes().all(is_friendly) {
        return Err(invalid(entity, "name"));
    }
    if item["audiences"]
        .as_array()
        .is_none_or(|all| all.len() != 1)
    {
        return Err(invalid(entity, "audiences"));
    }
    check_match(call, item)?;
    for other in of(call, application).filter(|other| other["id"] != item["id"]) {
        let same = |name: &str| other[name] == item[name];
        if same("name") {
            return Err(GraphError::new(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                format!(
                    "FederatedIdentityCredential with name '{}' already exists.",
                    text("name")
                ),
            ));
        }
        if same("issuer") && same("subject") && !item["subject"].is_null() {
            return Err(unsourced::same_issuer_and_subject());
        }
    }
    Ok(())
}

/// Checks that a credential has a subject or, in beta, an expression.
fn check_match(call: Call<'_>, item: &Object) -> Result<(), GraphError> {
    let entity = KIND.entity();
    let expression = &item[EXPRESSION];
    match (item["subject"].is_null(), expression.is_null()) {
        (false, true) => return Ok(()),
        (true, true) => return Err(required(entity, "subject")),
        (false, false) => return Err(unsourced::subject_and_expression()),
        (true, false) => {}
    }
    let issuer = item["issuer"].as_str().unwrap_or_default();
    let parsed = expression["value"]
        .as_str()
        .and_then(ClaimsExpression::parse)
        .filter(|_| expression["languageVersion"] == 1 && call.beta);
    let known = |claim: &str| claim == "sub" || claim == "job_workflow_ref" && issuer == GITHUB;
    let valid = parsed.is_some_and(|expression| expression.claims().all(known))
        && takes_expressions(issuer);
    if valid {
        Ok(())
    } else {
        Err(invalid(entity, EXPRESSION))
    }
}

/// Whether Entra takes expressions for an issuer (page "Flexible federated identity credentials").
fn takes_expressions(issuer: &str) -> bool {
    let host = issuer.strip_prefix("https://").unwrap_or_default();
    let own_gitlab = host.strip_prefix("gitlab.").is_some_and(|rest| {
        let name = rest.strip_suffix(".com").or(rest.strip_suffix(".ca"));
        name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
    });
    issuer == GITHUB
        || own_gitlab
        || ["gitlab.com", "app.terraform.io", "app.eu.terraform.io"].contains(&host)
}

fn of<'a>(call: Call<'a>, application: &'a str) -> impl Iterator<Item = &'a Object> {
    call.state
        .store
        .all(KIND)
        .filter(move |item| item.get(APPLICATION_OF).and_then(Value::as_str) == Some(application))
}

const EXPRESSION: &str = "claimsMatchingExpression";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const KIND: Kind = Kind::FederatedCredential;
const NAME: &str = "federatedIdentityCredentials";
const BELOW: &str = "/federatedIdentityCredentials";
const ITEM: &str = "/federatedIdentityCredentials/{id}";
/// The documented maximum per application.
const MAX: usize = 20;
