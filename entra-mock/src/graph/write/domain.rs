//! The rules of domains: creation, verification, the default domain, deletion.

use serde_json::{Value, json};

use super::{
    super::{Call, route::Root, unsourced},
    Plan, PlannedResponse, Step, access,
    body::{Draft, invalid},
    target,
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
    if !is_domain_name(&name) || name.ends_with(INITIAL) {
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

/// Checks that nothing uses a domain, and returns the deletion of its federation settings.
pub(super) fn removed_with(call: Call<'_>, domain: &Object) -> Result<Vec<Step>, GraphError> {
    let id = name(domain);
    if domain["isDefault"] == true || domain["isInitial"] == true {
        return Err(unsourced::undeletable_domain(id));
    }
    let references = Kind::Domain.entity().relationships.iter();
    let used = references
        .filter(|relationship| relationship.source == Source::InDomain)
        .any(|relationship| relationship.objects(&call.state.store, id).next().is_some());
    if used {
        return Err(unsourced::referenced_domain(id));
    }
    let kind = Kind::DomainFederation;
    Ok(call
        .state
        .store
        .all(kind)
        .filter(|settings| settings[DOMAIN_OF] == id)
        .filter_map(|settings| Some(Step::Delete(kind, settings["id"].as_str()?.to_owned())))
        .collect())
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

/// Whether a text is a fully qualified domain name.
fn is_domain_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

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
