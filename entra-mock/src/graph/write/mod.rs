//! Requests that change something.
//!
//! A request is first read and checked against the current tenant, which gives a [`Plan`]. Only
//! then are all changes applied, under the same lock. So a request that fails changes nothing.

use std::sync::Arc;

use entra_core::Timestamp;
use serde_json::Value;

use super::{
    call::{Call, unsupported},
    read,
    route::{Root, Route, Target},
    subscriptions,
};
use crate::{
    odata::GraphError,
    permissions::{AccessLevel, Caller},
    state::State,
    store::{Actor, Kind},
    wire::{Reply, WireRequest},
};

mod access;
mod app_policy;
mod application;
mod application_template;
mod assignment;
mod audit;
mod body;
mod conditional_access;
mod contained;
mod create;
mod credentials;
mod delete;
mod derived;
mod directory_objects;
mod domain;
mod extension;
mod federated;
mod grant;
mod group;
mod invitation;
mod keys;
mod license;
mod password;
mod permission_classification;
mod photo;
mod plan;
mod reference;
mod registration_limits;
mod risk;
mod role;
mod scoped_role;
mod security_attribute;
mod service_principal;
mod session;
mod signing_certificate;
mod subscription;
mod synchronization;
mod target;
mod update;
mod user;

#[cfg(test)]
pub(crate) use access::SPECIAL;
pub(super) use subscription::validated_urls;

use plan::{Plan, PlannedResponse, Step};

/// Checks a request, applies its changes, and responds.
pub(super) fn respond(
    state: &mut State,
    now: Timestamp,
    request: &WireRequest,
    caller: &Caller,
    route: &Route,
) -> Result<Reply, GraphError> {
    let call = Call::new(state, now, caller, request);
    let plan = plan(call, route)?;
    #[cfg(test)]
    if let Some(activity) = plan.activity {
        audit::check_documented(activity.category, activity.name);
    }
    let shown = plan.shown(state);
    let view = shown
        .map(|kind| read::View::new(call, kind, false))
        .transpose()?;
    state.store.changes.stamp(now, Some(actor(caller)));
    let first = state.store.changes.next();
    let subjects: Vec<_> = match plan.subjects.is_empty() {
        true => {
            let subject = plan.steps.first().and_then(|step| step.subject(state));
            subject.into_iter().collect()
        }
        false => plan.subjects,
    };
    let named = plan
        .steps
        .first()
        .map(|step| audit::named_objects(state, step))
        .unwrap_or_default();
    for step in plan.steps {
        apply(state, now, step);
    }
    if let Some(activity) = plan.activity {
        for subject in &subjects {
            audit::record(state, now, caller, activity, subject, &named, first);
        }
    }
    finish(
        Call::new(state, now, caller, request),
        plan.response,
        view.as_ref(),
    )
}

fn plan(call: Call<'_>, route: &Route) -> Result<Plan, GraphError> {
    if subscriptions::is_subscription(route) {
        return subscription::plan(call, route);
    }
    match (call.request.method.as_str(), &route.root, &route.target) {
        ("POST", Root::Set(kind), Target::List { .. }) => create::plan(call, *kind),
        ("PATCH", Root::Object(kind, key), Target::Object) => {
            update::plan(call, &route.root, *kind, key)
        }
        ("DELETE", Root::Object(..) | Root::Any(_), Target::Object) => {
            delete::plan(call, &route.root)
        }
        (
            "POST",
            Root::Object(kind, _),
            Target::List {
                relationship: Some(relationship),
                cast: None,
            },
        ) if assignment::holds(relationship) => {
            assignment::create(call, &route.root, *kind, relationship)
        }
        (
            "DELETE",
            Root::Object(kind, _),
            Target::Related {
                relationship,
                id: Some(id),
            },
        ) if assignment::holds(relationship) => {
            assignment::delete(call, &route.root, *kind, relationship, id)
        }
        ("DELETE", Root::Deleted(id), Target::Object) => delete::purge(call, id),
        ("POST", Root::Deleted(id), Target::Command("restore")) => delete::restore(call, id),
        (
            "POST" | "PUT" | "DELETE",
            Root::Object(kind, _),
            Target::Reference { relationship, id },
        ) => reference::plan(call, &route.root, *kind, relationship, id.as_deref()),
        (
            "POST",
            Root::Object(kind, _),
            Target::List {
                relationship: Some(relationship),
                cast: None,
            },
        ) => contained::plan(call, &route.root, *kind, relationship, None),
        (
            "PATCH" | "DELETE",
            Root::Object(kind, _),
            Target::Related {
                relationship,
                id: Some(id),
            },
        ) => contained::plan(call, &route.root, *kind, relationship, Some(id)),
        (_, Root::Object(kind, _), Target::Photo(path)) => {
            photo::plan(call, &route.root, *kind, path)
        }
        (_, Root::Object(kind, _), Target::ScopedRoleMembers(id)) => {
            scoped_role::plan(call, &route.root, *kind, id.as_deref())
        }
        (_, Root::Object(kind, _), Target::Synchronization(segments)) => {
            synchronization::plan(call, &route.root, *kind, segments)
        }
        (_, Root::Object(kind, _), Target::PermissionClassifications(id)) => {
            permission_classification::plan(call, &route.root, *kind, id.as_deref())
        }
        (_, Root::Object(kind, _), Target::Extensions(id)) => {
            extension::plan(call, &route.root, *kind, id.as_deref())
        }
        ("POST", Root::Set(kind), Target::Command(command)) => match *command {
            "dismiss" | "confirmCompromised" | "confirmSafe" => risk::plan(call, *kind, command),
            _ => Err(unsupported(call.request)),
        },
        ("POST", Root::AnySet, Target::Command(command)) => match *command {
            "getAvailableExtensionProperties" => directory_objects::available_extensions(call),
            "getByIds" => directory_objects::get_by_ids(call),
            "getUserOwnedObjects" => delete::deleted_of_owner(call),
            "validateProperties" => directory_objects::validate_new(call),
            _ => Err(unsupported(call.request)),
        },
        ("PUT", Root::Object(kind, _), Target::Command("logo")) => {
            application::set_logo(call, &route.root, *kind)
        }
        ("POST", Root::Object(kind, _), Target::Command(command)) => match *command {
            "validateProperties" => directory_objects::validate_existing(call, &route.root, *kind),
            "revokeSignInSessions" => session::revoke(call, &route.root, *kind),
            "changePassword" => password::change(call, &route.root, *kind),
            "assignLicense" => license::assign(call, &route.root, *kind),
            "reprocessLicenseAssignment" => license::reprocess(call, &route.root, *kind),
            "addTokenSigningCertificate" => signing_certificate::add(call, &route.root, *kind),
            "instantiate" => application_template::instantiate(call, &route.root, *kind),
            "addKey" => keys::add(call, &route.root, *kind),
            "removeKey" => keys::remove(call, &route.root, *kind),
            "setVerifiedPublisher" => application::set_publisher(call, &route.root, *kind),
            "unsetVerifiedPublisher" => application::unset_publisher(call, &route.root, *kind),
            "addPassword" => credentials::add_password(call, &route.root, *kind),
            "removePassword" => credentials::remove_password(call, &route.root, *kind),
            "renew" => group::renew(call, &route.root, *kind),
            "verify" => domain::verify(call, &route.root, *kind),
            "promote" => domain::promote(call, &route.root, *kind),
            "forceDelete" => domain::force_delete(call, &route.root, *kind),
            _ => Err(unsupported(call.request)),
        },
        _ => Err(unsupported(call.request)),
    }
}

/// Applies one step. Everything was checked, so no step can fail.
fn apply(state: &mut State, now: Timestamp, step: Step) {
    let changes_domains = matches!(
        step,
        Step::Insert(Kind::Domain, _)
            | Step::Update(Kind::Domain, ..)
            | Step::Delete(Kind::Domain, _)
    );
    let policy = written_policy(&step);
    let group = licensed_group(&step);
    let done = match step {
        Step::Insert(kind, object) => state.store.insert(kind, object).is_ok(),
        Step::Update(kind, id, values) => state.store.update(kind, &id, |object| {
            for (name, value) in values {
                match value {
                    Some(value) => object.insert(name, value),
                    None => object.remove(&name),
                };
            }
        }),
        Step::Delete(kind, id) => state.delete(kind, &id),
        Step::Restore(id, changes) => state.restore(&id, changes).is_ok(),
        Step::Purge(id) => state.store.purge(&id),
        Step::Link(relation, from, to) => {
            let done = state.store.link(relation, &from, &to);
            state.inherit_licenses(now, &to);
            done
        }
        Step::Unlink(relation, from, to) => {
            let done = state.store.unlink(relation, &from, &to);
            state.inherit_licenses(now, &to);
            done
        }
        Step::RevokeSessions(id) => state.revoke_sessions(now, &id),
        Step::Photo(id, photo) => {
            state.store.set_photo(&id, photo);
            true
        }
    };
    debug_assert!(done, "a checked step failed");
    if changes_domains {
        state.update_domains();
    }
    if let Some(policy) = policy {
        state.enforce_policy(&policy);
    }
    if let Some(group) = group {
        state.inherit_licenses_of_group(now, &group);
    }
}

/// The id of the group whose licences a step changes.
fn licensed_group(step: &Step) -> Option<String> {
    let Step::Update(kind, id, values) = step else {
        return None;
    };
    let has_licenses = values.iter().any(|(name, _)| name == "assignedLicenses");
    (*kind == Kind::Group && has_licenses).then(|| id.clone())
}

/// The id of the conditional access policy that a step changes.
fn written_policy(step: &Step) -> Option<String> {
    const KIND: Kind = Kind::ConditionalAccessPolicy;
    match step {
        Step::Insert(KIND, policy) => policy.text("id").map(str::to_owned),
        Step::Update(KIND, id, _) | Step::Delete(KIND, id) => Some(id.clone()),
        _ => None,
    }
}

fn finish(
    call: Call<'_>,
    response: PlannedResponse,
    view: Option<&read::View>,
) -> Result<Reply, GraphError> {
    // A caller that may write an object may see the result.
    let access_level = AccessLevel::Everything;
    match response {
        PlannedResponse::NoContent => Ok(Reply::new(204)),
        PlannedResponse::Empty => Ok(Reply::new(200)),
        PlannedResponse::Json(status, value) => Ok(Reply::json(status, &value)),
        PlannedResponse::Instance {
            application,
            principal,
        } => {
            let part = |id: &str| -> Result<Value, GraphError> {
                let (kind, object) = call
                    .state
                    .store
                    .any(id)
                    .ok_or_else(|| GraphError::not_found(id))?;
                let view = read::View::new(call, kind, false)?;
                let set = kind.entity().set;
                let reply = view.reply(call, object, set, false, access_level);
                let mut part: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                if let Some(part) = part.as_object_mut() {
                    part.remove("@odata.context");
                }
                Ok(part)
            };
            let value = serde_json::json!({
                "@odata.context": call.context("microsoft.graph.applicationServicePrincipal"),
                "application": part(&application)?,
                "servicePrincipal": part(&principal)?,
            });
            Ok(Reply::json(201, &value))
        }
        PlannedResponse::Contained { status, id, set } => {
            let shown = call.state.store.any(&id).zip(view);
            let ((_, object), view) = shown.ok_or_else(|| GraphError::not_found(&id))?;
            let mut reply = view.reply(call, object, &set, false, access_level);
            reply.status = status;
            Ok(reply)
        }
        PlannedResponse::Object {
            status,
            id,
            typed,
            secrets,
        } => {
            let shown = call.state.store.any(&id).zip(view);
            let ((kind, object), view) = shown.ok_or_else(|| GraphError::not_found(&id))?;
            let set = if typed {
                "directoryObjects"
            } else {
                kind.entity().set
            };
            let mut reply = view.reply(call, object, set, typed, access_level);
            reply.status = status;
            if !secrets.is_empty() {
                let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                // `$select` may leave them out.
                let shown = body.get_mut("passwordCredentials");
                let shown = shown.and_then(Value::as_array_mut);
                for (credential, secret) in shown.into_iter().flatten().zip(secrets) {
                    credential["secretText"] = secret.into();
                }
                reply.body = body.to_string().into();
            }
            if status == 201 && kind.entity().object {
                let class = kind.entity().title();
                let location = format!(
                    "{}/v2/{}/directoryObjects/{id}/Microsoft.DirectoryServices.{class}",
                    call.request.base, call.state.tenant_id
                );
                reply = reply.with_header("location", location);
            }
            Ok(reply)
        }
    }
}

fn actor(caller: &Caller) -> Arc<Actor> {
    Arc::new(Actor {
        app_id: caller.app_id.clone(),
        service_principal_id: caller.service_principal_id.clone(),
        user_id: caller.user_id.clone(),
    })
}
