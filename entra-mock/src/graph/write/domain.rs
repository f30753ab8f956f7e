//! The rules of domains: creation, verification, the default domain, deletion.

use serde_json::{Value, json};

use super::{
    super::{call::Call, route::Root, unsourced},
    access,
    body::{Draft, invalid, json as json_body, malformed},
    directory_objects::check_parameters,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    directory::domains,
    odata::GraphError,
    schema::{DOMAIN_OF, Source},
    store::{Kind, Object},
};

/// Checks the name of a new domain and adds the properties that every domain has. A subdomain of a
/// verified domain is verified at once.
pub(super) fn complete(call: Call<'_>, draft: &mut Draft) -> Result<String, GraphError> {
    let name = draft.text("id").unwrap_or_default().to_ascii_lowercase();
    if !domains::is_domain_name(&name) || name.ends_with(INITIAL) {
        return Err(invalid(Kind::Domain.entity(), "id"));
    }
    if call.state.store.get(Kind::Domain, &name).is_some() {
        return Err(GraphError::conflict("id"));
    }
    let below_verified = call.state.domains.iter().any(|domain| {
        name.strip_suffix(domain.as_str())
            .is_some_and(|rest| rest.ends_with('.'))
    });
    let new = domains::domain(&name);
    for (property, value) in new.iter() {
        draft.set(property, value.clone());
    }
    draft.set("isVerified", below_verified);
    Ok(name)
}

/// Checks changes of a domain: it must be verified, and can be made the default domain only.
pub(super) fn adjust(domain: &Object, draft: &Draft) -> Result<(), GraphError> {
    let entity = Kind::Domain.entity();
    if domain["isVerified"] != true {
        return Err(unsourced::unverified_domain(name(domain)));
    }
    if draft.names("isDefault") && draft.flag("isDefault") != Some(true) {
        return Err(invalid(entity, "isDefault"));
    }
    for days in [
        "passwordNotificationWindowInDays",
        "passwordValidityPeriodInDays",
    ] {
        if draft
            .get(days)
            .and_then(Value::as_i64)
            .is_some_and(|days| days < 1)
        {
            return Err(invalid(entity, days));
        }
    }
    Ok(())
}

/// Returns the change of the domain that was the default one before.
pub(super) fn dependent_changes(call: Call<'_>, domain: &Object, draft: &Draft) -> Option<Step> {
    let before = call
        .state
        .store
        .all(Kind::Domain)
        .find(|other| other["isDefault"] == true && other["id"] != domain["id"])?;
    draft.names("isDefault").then(|| {
        let changes = vec![("isDefault".to_owned(), Some(false.into()))];
        Step::Update(Kind::Domain, name(before).to_owned(), changes)
    })
}

/// POST to `verify`: succeeds if the DNS zone has a verification record.
pub(super) fn verify(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (domain, id, _) = target(call, root, kind, "/verify")?;
    access::check_links(call, kind, domain)?;
    if domain["isVerified"] == true {
        return Err(unsourced::verified_domain(id));
    }
    if call.state.unpublished_records.contains(id) {
        return Err(unsourced::missing_dns_records(id));
    }
    let changes = [("isRoot", true), ("isVerified", true)]
        .map(|(name, value)| (name.to_owned(), Some(Value::from(value))));
    let mut verified = serde_json::to_value(domain).unwrap_or_default();
    let context = call.context("domains/$entity");
    for (name, value) in [
        ("@odata.context", Value::from(context)),
        ("availabilityStatus", "AvailableImmediately".into()),
        ("isRoot", true.into()),
        ("isVerified", true.into()),
    ] {
        verified[name] = value;
    }
    Ok(Plan::new(PlannedResponse::Json(200, verified))
        .with(Step::Update(kind, id.to_owned(), changes.into()))
        .audited_as("DirectoryManagement", "Verify domain"))
}

/// POST to `promote`: makes a verified subdomain a root domain.
pub(super) fn promote(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (domain, id, _) = target(call, root, kind, "/promote")?;
    access::check_links(call, kind, domain)?;
    if domain["isVerified"] != true {
        return Err(unsourced::unverified_domain(id));
    }
    if domain["isRoot"] == true {
        return Err(unsourced::root_domain(id));
    }
    let response = json!({ "@odata.context": call.context("Edm.Boolean"), "value": true });
    let changes = vec![("isRoot".to_owned(), Some(true.into()))];
    Ok(Plan::new(PlannedResponse::Json(200, response))
        .with(Step::Update(kind, id.to_owned(), changes))
        .audited_as("DirectoryManagement", "Promote sub domain to root domain"))
}

/// POST to `forceDelete`: gives everything with a name in the domain one in the initial domain, and deletes the domain.
pub(super) fn force_delete(call: Call<'_>, root: &Root, kind: Kind) -> Result<Plan, GraphError> {
    let (domain, id, _) = target(call, root, kind, "/forceDelete")?;
    access::check_links(call, kind, domain)?;
    if domain["isDefault"] == true || domain["isInitial"] == true {
        return Err(unsourced::undeletable_domain(id));
    }
    let body = json_body(call)?;
    check_parameters(&body, "forceDelete", &["disableUserAccounts"])?;
    let disable = match body.get("disableUserAccounts") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(disable)) => *disable,
        Some(_) => {
            return Err(malformed(
                "The value of 'disableUserAccounts' is not a Boolean.",
            ));
        }
    };
    let store = &call.state.store;
    let mut domains = store.all(Kind::Domain);
    let initial = domains.find(|other| other["isInitial"] == true);
    let initial = initial.map(name).unwrap_or_default();
    let used: Vec<(Kind, &Object)> = references(call, id).collect();
    if used.len() > MOST_RENAMED {
        return Err(unsourced::too_many_references(id));
    }
    let single = |app: &Object| app["signInAudience"] == "AzureADMyOrg";
    if used
        .iter()
        .any(|(kind, object)| *kind == Kind::Application && !single(object))
    {
        return Err(unsourced::multitenant_reference(id));
    }
    let mut plan = Plan::new(PlannedResponse::NoContent)
        .with(Step::Delete(kind, id.to_owned()))
        .audited_as("DirectoryManagement", deletion_activity(domain));
    for (kind, object) in used {
        let mut changes: Vec<(String, Option<Value>)> = RENAMED
            .iter()
            .filter_map(|property| {
                let value = object.get(property)?;
                let renamed = renamed(value, id, initial);
                (renamed != *value).then(|| ((*property).to_owned(), Some(renamed)))
            })
            .collect();
        for (property, value) in &changes {
            let taken = value.as_ref().and_then(Value::as_str);
            if property == "userPrincipalName"
                && taken.is_some_and(|name| store.find(Kind::User, property, name).is_some())
            {
                return Err(GraphError::conflict(property));
            }
        }
        if kind == Kind::User && disable {
            changes.push(("accountEnabled".to_owned(), Some(false.into())));
        }
        plan = plan.with(Step::Update(kind, name(object).to_owned(), changes));
    }
    plan.steps.extend(federation_steps(call, id));
    Ok(plan)
}

/// A name, an address or an identifier URI, or several, in another domain.
fn renamed(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| renamed(item, from, to)).collect(),
        Value::String(text) => {
            let at = text.to_ascii_lowercase().rfind(from);
            let inside = at.filter(|at| text[..*at].ends_with(['@', '/', '.']));
            match inside {
                Some(at) => format!("{}{to}{}", &text[..at], &text[at + from.len()..]).into(),
                None => value.clone(),
            }
        }
        other => other.clone(),
    }
}

fn references<'a>(call: Call<'a>, id: &'a str) -> impl Iterator<Item = (Kind, &'a Object)> {
    let relationships = Kind::Domain.entity().relationships.iter();
    relationships
        .filter(|relationship| relationship.source == Source::InDomain)
        .flat_map(move |relationship| relationship.objects(&call.state.store, id))
}

/// The deletion of the federation settings of a domain.
fn federation_steps(call: Call<'_>, id: &str) -> Vec<Step> {
    let kind = Kind::DomainFederation;
    call.state
        .store
        .all(kind)
        .filter(|settings| settings[DOMAIN_OF] == id)
        .filter_map(|settings| Some(Step::Delete(kind, settings["id"].as_str()?.to_owned())))
        .collect()
}

/// Checks that nothing uses a domain, and returns the deletion of its federation settings.
pub(super) fn removed_with(call: Call<'_>, domain: &Object) -> Result<Vec<Step>, GraphError> {
    let id = name(domain);
    if domain["isDefault"] == true || domain["isInitial"] == true {
        return Err(unsourced::undeletable_domain(id));
    }
    if references(call, id).next().is_some() {
        return Err(unsourced::referenced_domain(id));
    }
    Ok(federation_steps(call, id))
}

/// The name of a deletion in the audit log.
pub(super) fn deletion_activity(domain: &Object) -> &'static str {
    if domain["isVerified"] == true {
        "Remove verified domain"
    } else {
        Kind::Domain.entity().activities.purge
    }
}

/// Checks new or changed federation settings of a domain: it must be verified and not the default one,
/// and has one set of settings at most.
pub(super) fn check_federation(
    call: Call<'_>,
    domain: &Object,
    settings: &Object,
) -> Result<(), GraphError> {
    let entity = Kind::DomainFederation.entity();
    let id = name(domain);
    if domain["isVerified"] != true {
        return Err(unsourced::unverified_domain(id));
    }
    if domain["isDefault"] == true {
        return Err(unsourced::federated_default_domain(id));
    }
    let mut others = call.state.store.all(Kind::DomainFederation);
    if others.any(|other| other[DOMAIN_OF] == id && other["id"] != settings["id"]) {
        return Err(unsourced::existing_federation(id));
    }
    let is_absolute = |name: &str| {
        settings[name]
            .as_str()
            .is_none_or(|text| text.contains(':'))
    };
    match URIS.into_iter().find(|name| !is_absolute(name)) {
        Some(name) => Err(invalid(entity, name)),
        None => Ok(()),
    }
}

/// Returns the change of a domain that gets or loses its federation settings.
pub(super) fn authentication_change(domain: &Object, federated: bool) -> Step {
    let value = if federated { "Federated" } else { "Managed" };
    let changes = vec![("authenticationType".to_owned(), Some(json!(value)))];
    Step::Update(Kind::Domain, name(domain).to_owned(), changes)
}

fn name(domain: &Object) -> &str {
    domain["id"].as_str().unwrap_or_default()
}

/// The documented maximum of objects that a forced deletion renames.
const MOST_RENAMED: usize = 1_000;
/// The properties that a forced deletion moves to the initial domain.
const RENAMED: [&str; 4] = [
    "userPrincipalName",
    "mail",
    "proxyAddresses",
    "identifierUris",
];
/// Only Entra itself creates such domains.
const INITIAL: &str = ".onmicrosoft.com";
const URIS: [&str; 6] = [
    "activeSignInUri",
    "issuerUri",
    "metadataExchangeUri",
    "passiveSignInUri",
    "passwordResetUri",
    "signOutUri",
];
