//! The tenants of the server. Each one has an address of its own, so that clients need no option to use it.

use std::{io, sync::Arc, time::Duration};

use entra_core::Clock as _;
use serde_json::{Value, json};

use super::super::{
    Control, Host, PREFIX,
    call::Call,
    error::{ControlError, Outcome},
    route::Route,
    schema::{Schema, optional, required},
};
use crate::{
    directory::domains,
    frontend::Listener,
    seed::{Company, Scenario, ScenarioError, Seed},
    standalone::{
        address,
        adjustable_clock::AdjustableClock,
        hosted::{Hosted, Recipe},
    },
    state::License,
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get("/tenant", "tenants current", "Returns the tenant at whose address it is called.", &TENANT, |call| {
        Ok(shown(call, call.tenant))
    }),
    &Route::get("/tenants", "tenants list", "Lists the tenants of the server.", &TENANTS, |call| {
        let tenants = call.control.tenants();
        Ok(json!({ "value": tenants.iter().map(|tenant| shown(call, tenant)).collect::<Vec<_>>() }))
    }),
    &Route::post(
        "/tenants",
        "tenants add",
        "Makes a tenant with an address, an application and a user of its own, and returns what a client needs.",
        add,
    )
    .taking(&NEW_TENANT)
    .creating(&TENANT),
    &Route::get("/tenants/{id}", "tenants get", "Returns a tenant with what a client needs.", &TENANT, |call| {
        let id = call.parameter("id");
        let tenants = call.control.tenants();
        let found = tenants.iter().find(|tenant| id.parse() == Ok(tenant.id));
        found
            .map(|tenant| shown(call, tenant))
            .ok_or_else(|| ControlError::not_found("tenant", id, "/tenants"))
    }),
    &Route::delete(
        "/tenants/{id}",
        "tenants remove",
        "Removes a tenant that was made at run time, and closes its address.",
        remove,
    ),
];

const NEW_TENANT: Schema = Schema::Named(
    "NewTenant",
    &Schema::Object(&[
        optional(
            "seed",
            &Schema::OneOf(&["contoso", "empty", "enterprise"]),
            "The initial content; that of the server unless set.",
        ),
        optional(
            "scenario",
            &Schema::Text,
            "The initial content as the text of a scenario file, in YAML or JSON, in place of a seed.",
        ),
        optional(
            "users",
            &Schema::Integer,
            "Fills the tenant up to this number of users.",
        ),
        optional(
            "randomSeed",
            &Schema::Integer,
            "The same number gives the same tenant, ids included; a new one unless set.",
        ),
        optional(
            "license",
            &Schema::OneOf(&["free", "p1", "p2"]),
            "The directory licence.",
        ),
        optional(
            "quotas",
            &Schema::Boolean,
            "Whether callers are throttled by the documented limits.",
        ),
        optional(
            "name",
            &Schema::Text,
            "The name of the organization; Contoso unless set.",
        ),
        optional(
            "domain",
            &Schema::Text,
            "The domain of its users; contoso.com unless set.",
        ),
    ]),
);
const TENANT: Schema = Schema::Named(
    "Tenant",
    &Schema::Object(&[
        required("id", &Schema::Text, "The tenant id."),
        required("domain", &Schema::Text, "The domain of its users."),
        required(
            "uri",
            &Schema::Text,
            "The authority host: AZURE_AUTHORITY_HOST.",
        ),
        required(
            "graph",
            &Schema::Text,
            "The root of Microsoft Graph: ENTRA_GRAPH_URL.",
        ),
        required(
            "control",
            &Schema::Text,
            "The control API of this tenant: ENTRA_MOCK_CONTROL_URL.",
        ),
        required(
            "clientId",
            &Schema::Text,
            "The client id of an application with every permission.",
        ),
        required("clientSecret", &Schema::Text, "Its secret."),
        required(
            "user",
            &Schema::Text,
            "The user principal name of a user without multifactor authentication.",
        ),
        required("password", &Schema::Text, "The password of that user."),
        required("group", &Schema::Text, "A group of that user."),
    ]),
);
const TENANTS: Schema =
    Schema::Object(&[required("value", &Schema::List(&TENANT), "The tenants.")]);

/// Returns what a client needs of a tenant, at the address by which the caller reaches it.
fn shown(call: &Call<'_>, tenant: &Hosted) -> Value {
    let app = &tenant.app;
    let uri = address::of(tenant, call.tenant, call.base());
    let password = app.current_password(&tenant.engine.read());
    json!({
        "id": tenant.id.to_string(), "domain": tenant.domain(), "uri": uri,
        "graph": format!("{uri}/v1.0"), "control": format!("{uri}{PREFIX}"),
        "clientId": app.app_id, "clientSecret": app.secret.expose_secret(),
        "user": app.user, "password": password.expose_secret(), "group": app.group,
    })
}

fn add(call: &Call<'_>) -> Outcome {
    let host = call.control.host();
    let existing = call.control.tenants();
    if existing.len() >= MOST {
        return Err(ControlError::new(
            409,
            "tooManyTenants",
            format!("the server has {MOST} tenants already"),
            "remove tenants that are no longer used",
        ));
    }
    let clock = AdjustableClock::default();
    let recipe = recipe(call, &host.recipe, clock.now())?;
    let (state, app) = recipe
        .make()
        .ok_or_else(|| failed("the tenant could not be made"))?;
    if existing.iter().any(|tenant| tenant.id == state.tenant_id) {
        return Err(ControlError::new(
            409,
            "conflict",
            "the server has a tenant of this random seed",
            "choose another randomSeed, or leave it out for a new one",
        ));
    }
    // This runs on a thread for blocking work, inside of the server's runtime.
    let runtime = tokio::runtime::Handle::current();
    let listener = runtime.block_on(listener(host))?;
    let scheme = if host.tls.is_some() { "https" } else { "http" };
    // A client in another container reaches the new tenant under the name by which it reached this one.
    let name = address::host(call.base());
    let uri = format!("{scheme}://{name}:{}", listener.port());
    let clock = Arc::new(clock);
    let engine = Arc::new(recipe.engine(&clock, state));
    let tenant = Hosted::new(uri, engine, clock, app, recipe);
    Ok(shown(call, &Control::serve(call.control, listener, tenant)))
}

fn failed(error: impl Into<String>) -> ControlError {
    ControlError::new(500, "tenantFailed", error, "try again")
}

/// Binds a port for a new tenant: a free one of the range of the server, or any free one.
async fn listener(host: &Host) -> Result<Listener, ControlError> {
    let no_port = |error: io::Error| failed(format!("no free port: {error}"));
    let Some(ports) = &host.tenant_ports else {
        return Listener::bind(host.listen, 0).await.map_err(no_port);
    };
    let mut tries = 0;
    loop {
        for port in ports.clone() {
            match Listener::bind(host.listen, port).await {
                Ok(listener) => return Ok(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(no_port(error)),
            }
        }
        tries += 1;
        if tries > RETRIES {
            let (first, last) = (ports.start(), ports.end());
            return Err(ControlError::new(
                409,
                "noFreePort",
                format!("every port from {first} to {last} is in use"),
                "remove tenants that are no longer used, or start the server with a larger range of tenant ports",
            ));
        }
        // The port of a tenant that was just removed is free in a moment.
        tokio::time::sleep(RETRY).await;
    }
}

/// How often and after what time a range without a free port is tried again.
const RETRIES: u32 = 20;
const RETRY: Duration = Duration::from_millis(50);

fn recipe(
    call: &Call<'_>,
    default: &Recipe,
    now: entra_core::Timestamp,
) -> Result<Recipe, ControlError> {
    let invalid = |error: ScenarioError| {
        ControlError::new(
            400,
            "invalidScenario",
            format!("the scenario is not valid: {error}"),
            "correct the line; scenario.schema.json of entra-mock describes the format",
        )
    };
    let scenario = match (call.text("scenario"), call.text("seed")) {
        (Some(_), Some(_)) => {
            return Err(ControlError::invalid(
                "seed",
                "a scenario replaces the seed: send one of them",
            ));
        }
        (Some(text), None) => Some(Scenario::from_yaml(text).map_err(invalid)?),
        (None, Some(_)) => None,
        (None, None) => default.scenario.clone(),
    };
    let mut company = default.company.clone();
    if let Some(name) = call.text("name") {
        company.name = name.to_owned();
    }
    if let Some(domain) = call.text("domain") {
        if !domains::is_domain_name(domain) {
            return Err(ControlError::invalid(
                "domain",
                "domain must be a domain name, such as fabrikam.com",
            ));
        }
        company = Company {
            domain: domain.to_ascii_lowercase(),
            ..company
        };
        if let Some(scenario) = &scenario {
            scenario.check_for(&company).map_err(invalid)?;
        }
    }
    Ok(Recipe {
        scenario,
        notification_options: default.notification_options,
        seed: match call.text("seed") {
            Some("empty") => Seed::Empty,
            Some("enterprise") => Seed::Enterprise,
            Some(_) => Seed::Contoso,
            None => default.seed,
        },
        company,
        users: call
            .number("users")
            .and_then(|users| usize::try_from(users).ok())
            .unwrap_or(0),
        random_seed: call
            .number("randomSeed")
            .unwrap_or_else(|| call.control.next_random_seed()),
        license: match call.text("license") {
            Some("free") => License::Free,
            Some("p1") => License::P1,
            Some(_) => License::P2,
            None => default.license,
        },
        enforce_quotas: call.flag("quotas").unwrap_or(default.enforce_quotas),
        resource_rule: default.resource_rule,
        plain_casts: default.plain_casts,
        log_capacity: default.log_capacity,
        journal_bodies: default.journal_bodies,
        made_at: now,
    })
}

fn remove(call: &Call<'_>) -> Outcome {
    let id = call.parameter("id");
    if call
        .control
        .tenants()
        .first()
        .is_some_and(|first| id.parse() == Ok(first.id))
    {
        return Err(ControlError::new(
            409,
            "firstTenant",
            "the tenant that the server started with cannot be removed",
            "stop the server, or reset the tenant with POST /_entra-mock/reset",
        ));
    }
    let Some(tenant) = call.control.take_tenant(id) else {
        return Err(ControlError::not_found("tenant", id, "/tenants"));
    };
    // The request can be one of this tenant's own, which the stop would wait for.
    tokio::runtime::Handle::current().spawn(async move { tenant.stop().await });
    Ok(Value::Null)
}

/// Each one has a port and a directory of its own.
const MOST: usize = 500;
