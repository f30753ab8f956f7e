//! Subscriptions to change notifications: create, renew, reauthorize, delete.

use serde_json::{Map, Value, json};

use super::{
    super::{
        call::{Call, unsupported},
        lookup,
        route::{Root, Route, Target},
        unsourced,
    },
    body::{Draft, Purpose, malformed},
    plan::{Plan, PlannedResponse, Step},
};
use crate::{
    notifications::{
        EncryptionCertificate, NotSubscribable, SubscribedResource, change_types, internal,
    },
    odata::GraphError,
    permissions::{authorize, denied},
    schema::IdForm,
    state::iso,
    store::{Kind, Object},
    time::{TICKS, ticks, ticks_of},
    wire::HandshakeOutcome,
};

/// A request without any fault, except that receivers may not confirm these URLs.
struct Checked {
    urls: Vec<String>,
    plan: Plan,
}

pub(super) fn plan(call: Call<'_>, route: &Route) -> Result<Plan, GraphError> {
    let Checked { urls, plan } = checked(call, route)?;
    for url in &urls {
        check_handshake(call, url)?;
    }
    Ok(plan)
}

/// The URLs that receivers must confirm before the request is handled.
pub(in crate::graph) fn validated_urls(call: Call<'_>, route: &Route) -> Vec<String> {
    checked(call, route).map_or_else(|_| Vec::new(), |checked| checked.urls)
}

fn checked(call: Call<'_>, route: &Route) -> Result<Checked, GraphError> {
    match (call.request.method.as_str(), &route.root, &route.target) {
        ("POST", Root::Set(_), Target::List { .. }) => create(call),
        ("PATCH", Root::Object(..), Target::Object) => renew(call, &route.root),
        ("DELETE", Root::Object(..), Target::Object) => delete(call, &route.root),
        ("POST", Root::Object(..), Target::Command("reauthorize")) => {
            reauthorize(call, &route.root)
        }
        _ => Err(unsupported(call.request)),
    }
}

fn create(call: Call<'_>) -> Result<Checked, GraphError> {
    authorize(call.caller, "POST", "/subscriptions", false)?;
    let mut draft = Draft::read(call, KIND, Purpose::Create)?;
    let entity = KIND.entity();
    for property in entity.properties.iter().filter(|item| item.required) {
        draft.require(entity, property.name)?;
    }
    let text = |name: &str| draft.text(name).unwrap_or_default().to_owned();
    let (resource, path) = resource(call, &text("resource"))?;
    check_permission(call, &resource)?;
    if change_types(&text("changeType")).is_none() {
        return Err(unsourced::invalid_change_type(&text("changeType")));
    }
    check_content(&draft, &resource)?;
    let expiration = expiration(call, &text("expirationDateTime"), &resource)?;
    let mut urls = vec![text("notificationUrl")];
    urls.extend(draft.text("lifecycleNotificationUrl").map(str::to_owned));
    for url in &urls {
        check_url(call, url)?;
    }
    check_count(call, &text("resource"))?;

    let id = call.state.new_id();
    let client_state = take(&mut draft, "clientState");
    let certificate = take(&mut draft, "encryptionCertificate");
    draft.set("expirationDateTime", expiration);
    draft.set("applicationId", call.caller.app_id.clone());
    let creator = call.caller.user_id.as_ref();
    let creator = creator.or(call.caller.service_principal_id.as_ref());
    draft.set("creatorId", creator.cloned().unwrap_or_default());
    draft.set("notificationContentType", "application/json");
    draft.set_if_absent("includeResourceData", false);
    draft.set_if_absent("latestSupportedTlsVersion", "v1_2");
    draft.set(internal::AUTHORIZED, ticks_of(call.now));
    draft.set(internal::BASE, call.request.base.clone());
    draft.set(internal::RESOURCE, path);
    draft.set(internal::SINCE, call.state.store.changes.next());
    if let Some(user) = &call.caller.user_id {
        draft.set(internal::USER, user.clone());
    }
    let mut object = Object::new();
    object.insert("id".to_owned(), id.into());
    for (name, value) in draft.values {
        if let Some(value) = value {
            object.insert(name, value);
        }
    }
    let response = shown(call, &object, client_state.clone());
    for (name, value) in [
        (internal::CLIENT_STATE, client_state),
        (internal::CERTIFICATE, certificate),
    ] {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    }
    Ok(Checked {
        urls,
        plan: Plan::new(PlannedResponse::Json(201, response)).with(Step::Insert(KIND, object)),
    })
}

/// PATCH: another expiration, which reauthorizes too; another notification URL or certificate.
fn renew(call: Call<'_>, root: &Root) -> Result<Checked, GraphError> {
    let (object, id, resource) = existing(call, root, "PATCH", ITEM)?;
    let mut draft = Draft::read(call, KIND, Purpose::Update)?;
    if draft.values.is_empty() {
        return Err(malformed("The body has no property to update."));
    }
    if let Some(text) = draft.text("expirationDateTime") {
        let expiration = expiration(call, text, &resource)?;
        draft.set("expirationDateTime", expiration);
    }
    if let Some(text) = draft.text("encryptionCertificate") {
        check_certificate(text)?;
    }
    let mut urls = Vec::new();
    if let Some(url) = draft.text("notificationUrl") {
        check_url(call, url)?;
        urls.push(url.to_owned());
    } else {
        urls.extend(renewal_urls(call, object));
    }
    let certificate = take(&mut draft, "encryptionCertificate");
    let mut values = draft.values;
    if certificate.is_some() {
        values.push((internal::CERTIFICATE.to_owned(), certificate));
    }
    let mut after = object.clone();
    for (name, value) in &values {
        match value {
            Some(value) => after.insert(name.clone(), value.clone()),
            None => after.remove(name),
        };
    }
    values.extend(authorized(call, object));
    let response = PlannedResponse::Json(200, shown(call, &after, None));
    Ok(Checked {
        urls,
        plan: Plan::new(response).with(Step::Update(KIND, id, values)),
    })
}

fn reauthorize(call: Call<'_>, root: &Root) -> Result<Checked, GraphError> {
    let (object, id, _) = existing(call, root, "POST", REAUTHORIZE)?;
    let step = Step::Update(KIND, id, authorized(call, object));
    Ok(Checked {
        urls: renewal_urls(call, object).into_iter().collect(),
        plan: Plan::new(PlannedResponse::NoContent).with(step),
    })
}

fn delete(call: Call<'_>, root: &Root) -> Result<Checked, GraphError> {
    let (_, id, _) = existing(call, root, "DELETE", ITEM)?;
    Ok(Checked {
        urls: Vec::new(),
        plan: Plan::new(PlannedResponse::NoContent).with(Step::Delete(KIND, id)),
    })
}

/// Returns a subscription of the caller that has not expired, with its id and resource.
fn existing<'a>(
    call: Call<'a>,
    root: &Root,
    method: &str,
    path: &str,
) -> Result<(&'a Object, String, SubscribedResource), GraphError> {
    authorize(call.caller, method, path, false)?;
    let (_, object) = lookup::find(call, root)?;
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let path = text(internal::RESOURCE).or_else(|| text("resource"));
    let resource = SubscribedResource::parse(path.unwrap_or_default(), None, true)
        .map_err(|_| unsupported(call.request))?;
    // Without the permission it can still be deleted.
    if method != "DELETE" {
        check_permission(call, &resource)?;
    }
    let id = text("id").unwrap_or_default().to_owned();
    Ok((object, id, resource))
}

/// The changes of a subscription that its application has authorized again. Changes during a pause are lost.
fn authorized(call: Call<'_>, object: &Object) -> Vec<(String, Option<Value>)> {
    let mut values = vec![
        (
            internal::AUTHORIZED.to_owned(),
            Some(ticks_of(call.now).into()),
        ),
        (internal::CHALLENGED.to_owned(), None),
        (internal::PAUSED.to_owned(), None),
    ];
    if object.get(internal::PAUSED).is_some() {
        let next = call.state.store.changes.next();
        values.push((internal::SINCE.to_owned(), Some(next.into())));
    }
    values
}

/// The URLs that a switch validates again at each renewal.
fn renewal_urls(call: Call<'_>, object: &Object) -> Option<String> {
    let url = object.get("notificationUrl").and_then(Value::as_str);
    url.filter(|_| call.state.notifications.options.validates_renewals)
        .map(str::to_owned)
}

/// Parses the resource; returns it with its path, in which objects have their ids.
fn resource(call: Call<'_>, text: &str) -> Result<(SubscribedResource, String), GraphError> {
    let synthetic = call.state.notifications.options.synthetic_resource;
    let user = call.caller.user_id.as_deref();
    let mut resource = SubscribedResource::parse(text, user, synthetic).map_err(|problem| {
        match problem {
            NotSubscribable::Invalid => unsourced::invalid_resource(text),
            NotSubscribable::NoUser => GraphError::new(
                400,
                "BadRequest",
                "/me request is only valid with delegated authentication flow.",
            ),
            NotSubscribable::Unsupported => GraphError::new(
                501,
                "NotImplemented",
                format!(
                    "The fake tenant does not support subscriptions to '{text}'. It supports users, users/{{id}}, groups, groups/{{id}}, groups/{{id}}/members and groups/{{id}}/owners."
                ),
            ),
        }
    })?;
    if let Some(key) = &resource.key {
        let id = object_id(call, &resource, key).ok_or_else(|| GraphError::not_found(key))?;
        resource.key = Some(id);
    }
    let path = resource.path();
    Ok((resource, path))
}

/// Returns the id of the object that a resource names by id or user principal name.
fn object_id(call: Call<'_>, resource: &SubscribedResource, key: &str) -> Option<String> {
    let store = &call.state.store;
    let kind = resource.kind();
    let entity = kind.entity();
    let named = || {
        let property = entity.key.filter(|_| entity.id == IdForm::GuidOrKey)?;
        store.find(kind, property, key)
    };
    let object = store.get(kind, key).or_else(named)?;
    Some(object.get("id")?.as_str()?.to_owned())
}

fn check_permission(call: Call<'_>, resource: &SubscribedResource) -> Result<(), GraphError> {
    if call.caller.has_any(&[resource.permission()]) {
        Ok(())
    } else {
        Err(denied())
    }
}

/// Checks the properties of notifications with content. Users and groups have none.
fn check_content(draft: &Draft, resource: &SubscribedResource) -> Result<(), GraphError> {
    if draft.flag("includeResourceData") != Some(true) {
        return Ok(());
    }
    if !resource.is_rich() {
        let text = draft.text("resource").unwrap_or_default();
        return Err(unsourced::no_content(text));
    }
    for name in ["encryptionCertificate", "encryptionCertificateId"] {
        if draft.text(name).is_none_or(str::is_empty) {
            return Err(unsourced::content_needs(name));
        }
    }
    check_certificate(draft.text("encryptionCertificate").unwrap_or_default())
}

fn check_certificate(text: &str) -> Result<(), GraphError> {
    match EncryptionCertificate::read(text) {
        Some(_) => Ok(()),
        None => Err(unsourced::invalid_certificate()),
    }
}

/// Checks a new expiration, and shortens one that is too long if a switch says so.
fn expiration(
    call: Call<'_>,
    text: &str,
    resource: &SubscribedResource,
) -> Result<String, GraphError> {
    let expires = ticks(text).ok_or_else(|| unsourced::invalid_expiration(text))?;
    let now = ticks_of(call.now);
    if expires <= now {
        return Err(unsourced::invalid_expiration(text));
    }
    let most = resource.most_minutes();
    if expires - now <= most * 60 * TICKS {
        return Ok(text.to_owned());
    }
    if call.state.notifications.options.clamped_lifetime {
        return Ok(iso(call.now + entra_core::time::Duration::minutes(most)));
    }
    // As observed for resources of Outlook.
    Err(GraphError::new(
        400,
        "ExtensionError",
        format!("Subscription expiration can only be {most} minutes in the future."),
    ))
}

/// Checks that notifications can be sent to a URL. Graph takes HTTPS only; a receiver on a loopback address can use HTTP.
fn check_url(call: Call<'_>, text: &str) -> Result<(), GraphError> {
    let url = url::Url::parse(text).map_err(|_| unsourced::invalid_notification_url(text))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost")
        }
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(unsourced::invalid_notification_url(text)),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(unsourced::invalid_notification_url(text)),
    }
    if loopback || call.state.notifications.options.any_host {
        return Ok(());
    }
    Err(GraphError::new(
        400,
        "InvalidRequest",
        format!(
            "The fake tenant sends notifications to loopback addresses only, not to {text}. A test can allow other hosts: NotificationOptions::any_host."
        ),
    ))
}

/// Checks the documented limits: 100 subscriptions of an application in a tenant, 1,000 in a tenant.
fn check_count(call: Call<'_>, resource: &str) -> Result<(), GraphError> {
    let active = |object: &&Object| {
        let expires = object
            .get("expirationDateTime")
            .and_then(Value::as_str)
            .and_then(ticks);
        expires.is_some_and(|expires| expires > ticks_of(call.now))
    };
    let all = || call.state.store.all(KIND).filter(active);
    let own = all().filter(|object| object["applicationId"] == call.caller.app_id.as_str());
    let limit = if own.count() >= MOST_OF_APPLICATION {
        MOST_OF_APPLICATION
    } else if all().count() >= MOST {
        MOST
    } else {
        return Ok(());
    };
    Err(GraphError::new(
        403,
        "ExtensionError",
        format!(
            "Operation: Create; Exception: [Status Code: Forbidden; Reason: App '{}' has reached its limit of '{limit}' '{}' subscription on tenant '{}']",
            call.caller.app_id,
            resource.to_ascii_uppercase(),
            call.state.tenant_id
        ),
    ))
}

/// Checks that every receiver at a URL has confirmed it.
fn check_handshake(call: Call<'_>, url: &str) -> Result<(), GraphError> {
    let mut outcomes = call
        .request
        .handshakes
        .iter()
        .filter(|handshake| handshake.url == url)
        .map(|handshake| &handshake.outcome)
        .peekable();
    if outcomes.peek().is_none() {
        return Err(failed_validation(
            "Notification endpoint must respond with 200 OK to validation request.",
        ));
    }
    outcomes.try_for_each(|outcome| match outcome {
        HandshakeOutcome::Confirmed => Ok(()),
        HandshakeOutcome::TimedOut => Err(GraphError::new(
            400,
            "InvalidRequest",
            "Subscription validation request timed out.",
        )),
        HandshakeOutcome::NotOk => Err(failed_validation(
            "Notification endpoint must respond with 200 OK to validation request.",
        )),
        HandshakeOutcome::WrongResponse => Err(failed_validation(
            "Response must exactly match validationToken query parameter.",
        )),
        HandshakeOutcome::NotSent(reason) => Err(failed_validation(reason)),
    })
}

fn failed_validation(reason: &str) -> GraphError {
    GraphError::new(
        400,
        "ValidationError",
        format!("Subscription validation request failed. {reason}"),
    )
}

/// Removes a value from a draft.
fn take(draft: &mut Draft, name: &str) -> Option<Value> {
    let at = draft.values.iter().position(|(other, _)| other == name)?;
    draft.values.swap_remove(at).1
}

/// The response with a subscription: all properties, those without a value as null.
fn shown(call: Call<'_>, object: &Object, client_state: Option<Value>) -> Value {
    let mut response: Map<String, Value> = KIND
        .entity()
        .properties
        .iter()
        .map(|property| (property.name.to_owned(), object[property.name].clone()))
        .collect();
    response.insert("clientState".to_owned(), client_state.into());
    response.insert(
        "@odata.context".to_owned(),
        json!(call.context("subscriptions/$entity")),
    );
    Value::Object(response)
}

const KIND: Kind = Kind::Subscription;
const ITEM: &str = "/subscriptions/{id}";
const REAUTHORIZE: &str = "/subscriptions/{id}/reauthorize";
const MOST_OF_APPLICATION: usize = 100;
const MOST: usize = 1_000;
