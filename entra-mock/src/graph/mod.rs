//! Microsoft Graph v1.0, and the same paths in beta: from a request to a response.
//!
//! Checks are in Graph's order: token, permission, existence, then the query. A request that Graph has and the
//! fake tenant does not support returns 501, never an empty success.

pub(crate) use batch::is_batch;
pub(crate) use error::http_date;
pub(crate) use handshakes::{handshakes, may_need_handshake};
#[cfg(test)]
pub(crate) use write::SPECIAL as PROPERTY_PERMISSIONS;

use std::sync::{Mutex, PoisonError, RwLock};

use entra_core::Timestamp;

use crate::{
    fault::Faults,
    odata::GraphError,
    quota::{self, Consumer, Outcome, Price},
    state::State,
    store::Kind,
    wire::{Reply, WireRequest},
};

mod applied_policies;
mod authentication_methods;
mod batch;
mod call;
mod candidates;
mod delta;
mod domain_records;
mod error;
mod expand;
mod extension;
mod handshakes;
mod items;
mod license_details;
mod list;
mod lock;
mod lookup;
mod membership;
mod metadata_level;
mod methods;
mod paging;
mod payload;
mod permission_classifications;
mod photo;
mod projection;
mod read;
mod references;
mod registration_summary;
mod relations;
mod role_templates;
mod route;
mod rows;
mod scoped_role_members;
mod security_attributes;
mod segments;
mod service;
mod sign_in_activity;
mod subject;
mod subscriptions;
mod synchronization;
mod tenant_information;
mod transitive_reports;
mod transitive_roles;
mod unsourced;
mod write;

pub(crate) use crate::permissions::{Caller, TokenProblem};
use call::{Call, split_version, unsupported, version};
use lock::{read_lock, write_lock};
use route::{Root, Route, Target};
use service::Document;

/// Responds to one request below `/v1.0` or `/beta`.
///
/// A read holds the tenant's lock for reading. A write holds it for writing from its first check to
/// its last change. The items of a batch lock it one after the other.
///
/// Quotas are not counted here: a request that several replicas try is one request.
pub(crate) fn respond(
    tenant: &RwLock<State>,
    faults: &Mutex<Faults>,
    now: Timestamp,
    request: &WireRequest,
    caller: Result<&Caller, TokenProblem>,
    charge: &Charge,
) -> Reply {
    let request_id = read_lock(tenant).random.guid().to_string();
    let client_request_id = request
        .header("client-request-id")
        .unwrap_or(&request_id)
        .to_owned();
    let served = match &charge.outcome {
        Outcome::Throttled(_) => Err(throttled()),
        Outcome::Served(_) => dispatch(tenant, faults, now, request, caller),
    };
    let reply = served.unwrap_or_else(|error| {
        let v1 = version(&request.path, "/v1.0").filter(|_| error.status == 501);
        let beta = version(&request.path, "/beta").filter(|_| error.status == 501);
        let allowed = v1
            .or(beta)
            .and_then(|path| methods::allowed_instead(&request.method, path));
        // Beta has more segments than the table.
        let unknown = v1.and_then(segments::unknown);
        let reply = |error: &GraphError| error::reply(error, now, &request_id, &client_request_id);
        match allowed {
            Some(allowed) => {
                let allowed: Vec<&str> = allowed.into_iter().collect();
                reply(&methods::not_allowed()).with_header("allow", allowed.join(", "))
            }
            None if unknown.is_some() => reply(&segment_not_found(&unknown.unwrap_or_default())),
            None if error.status == 401 => reply(&error).with_header(
                "www-authenticate",
                error::challenge(&request.base, caller.err()),
            ),
            None => reply(&error),
        }
    });
    let reply = match &charge.outcome {
        Outcome::Throttled(reason) => reason.add_to(reply),
        Outcome::Served(used) => quota::with_used(reply, *used),
    };
    let reply = if is_batch(request) {
        reply
    } else {
        metadata_level::apply(request, reply)
    };
    let reply = match reply
        .headers
        .iter()
        .any(|(name, value)| *name == "content-type" && value.starts_with("application/json"))
    {
        true => reply.with_header("odata-version", "4.0"),
        false => reply,
    };
    let reply = match charge.price.units {
        0 => reply,
        units => reply.with_header("x-ms-resource-unit", units.to_string()),
    };
    reply
        .with_header("request-id", request_id)
        .with_header("client-request-id", client_request_id)
        .with_header("x-ms-ags-diagnostic", DIAGNOSTIC)
        .with_header("date", error::http_date(now))
}

/// Whether the first segment of a path that is not Graph's is in the place of the version: a collection, if a client
/// has left the version out, or a version that Graph does not have.
pub(crate) fn lacks_version(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let Some(first) = segments.next() else {
        return false;
    };
    let is_version = first
        .strip_prefix(['v', 'V'])
        .is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()));
    // Metadata is that of the sign-in side, whatever stands before it.
    (is_version || segments::is_root(first)) && !segments.any(|segment| segment == ".well-known")
}

/// Responds to such a path.
pub(crate) fn invalid_version(
    tenant: &RwLock<State>,
    now: Timestamp,
    request: &WireRequest,
) -> Reply {
    let request_id = read_lock(tenant).random.guid().to_string();
    let client_request_id = request.header("client-request-id").unwrap_or(&request_id);
    let first = request.path.split('/').find(|segment| !segment.is_empty());
    let message = format!("Invalid version: {}", first.unwrap_or_default());
    let error = GraphError::new(400, "BadRequest", message);
    error::reply(&error, now, &request_id, client_request_id)
        .with_header("request-id", request_id.clone())
        .with_header("client-request-id", client_request_id.to_owned())
}

/// What a request costs, and whether its caller has that much left.
#[derive(Debug)]
pub(crate) struct Charge {
    price: Price,
    outcome: Outcome,
}

/// Counts a request against the quotas of its caller, once for each request that arrives. A batch costs what its items
/// cost, and a request without a valid token nothing.
pub(crate) fn charge(
    tenant: &RwLock<State>,
    now: Timestamp,
    request: &WireRequest,
    caller: Result<&Caller, TokenProblem>,
) -> Charge {
    let (Ok(caller), false) = (caller, is_batch(request)) else {
        return Charge {
            price: Price::default(),
            outcome: Outcome::Served(None),
        };
    };
    let price = Price::of(&request.method, &request.path, request.query.as_deref());
    let state = read_lock(tenant);
    let mut quotas = state.quotas.lock().unwrap_or_else(PoisonError::into_inner);
    if !quotas.enforced {
        return Charge {
            price,
            outcome: Outcome::Served(None),
        };
    }
    let consumer = Consumer {
        app_id: &caller.app_id,
        tenant_id: &state.tenant_id.to_string(),
        users: state.store.len(Kind::User),
    };
    let outcome = quotas.charge(now, consumer, price);
    Charge { price, outcome }
}

fn throttled() -> GraphError {
    GraphError::new(
        429,
        "TooManyRequests",
        "Too many requests. Wait as long as the Retry-After header says, and send the request again.",
    )
}

fn dispatch(
    tenant: &RwLock<State>,
    faults: &Mutex<Faults>,
    now: Timestamp,
    request: &WireRequest,
    caller: Result<&Caller, TokenProblem>,
) -> Result<Reply, GraphError> {
    let Some((version, path)) = split_version(&request.path) else {
        return Err(unsupported(request));
    };
    if let Some(segment) = segment_of_a_version(path) {
        return Err(segment_not_found(segment));
    }
    if let Some(document) = Document::at(path).filter(|_| request.method == "GET") {
        return Ok(document.reply(request, version));
    }
    let is_batch = is_batch(request);
    let caller = caller.map_err(error::unauthorized)?;
    if is_batch {
        return batch::respond(faults, request, version, |request| {
            let charge = charge(tenant, now, request, Ok(caller));
            respond(tenant, faults, now, request, Ok(caller), &charge)
        });
    }
    let Some(route) = Route::parse(path)? else {
        return Err(unsupported(request));
    };
    let action = matches!(route.target, Target::Action(_));
    let listed = match &route.root {
        Root::Set(kind) => kind.is_listed(),
        _ => true,
    };
    if request.method == "GET" && (action || !listed) {
        return Err(unsupported(request));
    }
    let route = route.resolve_me(caller)?;
    if read_lock(tenant).has_expired(now) {
        let mut state = write_lock(tenant);
        state.store.changes.stamp(now, None);
        state.purge_expired(now);
    }
    if request.method == "GET" && authentication_methods::is_report(&route) {
        write_lock(tenant).update_registration_details(now);
    }
    if request.method == "GET" || action && request.method == "POST" {
        let state = read_lock(tenant);
        return read_only(Call::new(&state, now, caller, request), &route);
    }
    let mut state = write_lock(tenant);
    write::respond(&mut state, now, request, caller, &route)
}

fn read_only(call: Call<'_>, route: &Route) -> Result<Reply, GraphError> {
    match &route.target {
        Target::Action(action) => membership::respond(call, route, *action),
        Target::List { .. } => list::respond(call, route),
        Target::Count { .. } => list::count(call, route),
        Target::Object => read::respond(call, route),
        Target::Related { .. } => read::related(call, route),
        Target::Delta(kind) => delta::respond(call, *kind),
        Target::ObjectsDelta => delta::respond_of_objects(call),
        Target::Photo(path) => photo::respond(call, route, path),
        Target::Extensions(id) => extension::respond(call, route, id.as_deref()),
        Target::AuthenticationMethods(path) => authentication_methods::respond(call, route, path),
        Target::DnsRecords(list) => domain_records::respond(call, route, *list),
        Target::PermissionClassifications(id) => {
            permission_classifications::respond(call, route, id.as_deref())
        }
        Target::Synchronization(segments) => synchronization::respond(call, route, segments),
        Target::LicenseDetails => license_details::respond(call, route),
        Target::RegistrationSummary(summary) => registration_summary::respond(call, *summary),
        Target::ScopedRoleMembers(id) => scoped_role_members::respond(call, route, id.as_deref()),
        Target::TransitiveRoleAssignments => transitive_roles::respond(call),
        Target::TransitiveReports => transitive_reports::respond(call, route),
        Target::TenantInformation(name) => tenant_information::respond(call, name),
        Target::RoleTemplates(id) => role_templates::respond(call, id.as_deref()),
        Target::Reference { .. } => references::respond(call, route),
        Target::Command(_) => Err(unsupported(call.request)),
    }
}

/// The first segment of a path below the version, if it is a version again: a client has put the version
/// into the relative URL of a batch request, or twice into its Graph root.
fn segment_of_a_version(path: &str) -> Option<&str> {
    let first = path.split('/').find(|segment| !segment.is_empty())?;
    ["v1.0", "beta"]
        .iter()
        .any(|version| first.eq_ignore_ascii_case(version))
        .then_some(first)
}

/// Returns 400 for a segment that Graph does not have (msgraph-sdk-javascript issue 1178).
fn segment_not_found(segment: &str) -> GraphError {
    GraphError::new(
        400,
        "BadRequest",
        format!("Resource not found for the segment '{segment}'."),
    )
}

const DIAGNOSTIC: &str = r#"{"ServerInfo":{"DataCenter":"Loopback","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"ENTRAMOCK"}}"#;

#[cfg(test)]
mod tests;
