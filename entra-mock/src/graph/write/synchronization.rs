//! Changes of provisioning: jobs are created, changed, started, paused, restarted and deleted; their schemas are
//! replaced; credentials are checked and stored; one user is provisioned on demand.

use serde_json::{Map, Value, json};

use super::{
    super::{
        call::{Call, unsupported},
        route::Root,
        synchronization::{
            JOBS, RULE, SCHEMAS, TEMPLATE, TEMPLATE_SCHEMA, find, jobs, pattern, template_of,
            template_schema,
        },
        unsourced,
    },
    access,
    body::{json as body, malformed},
    directory_objects::check_parameters,
    plan::{Plan, PlannedResponse, Step},
    target::target,
};
use crate::{
    odata::GraphError,
    store::{Kind, Object},
    time::ticks,
};

pub(super) fn plan(
    call: Call<'_>,
    root: &Root,
    kind: Kind,
    segments: &[String],
) -> Result<Plan, GraphError> {
    let (principal, id, _) = target(call, root, kind, &pattern(segments))?;
    check_caller(call, kind, principal)?;
    let names: Vec<&str> = segments.iter().map(String::as_str).collect();
    let change = Change {
        call,
        principal,
        step: |values| Step::Update(kind, id.to_owned(), values),
    };
    match (call.request.method.as_str(), &names[..]) {
        ("POST", ["jobs"]) => change.create(),
        ("PATCH", ["jobs", job]) => change.update(job),
        ("DELETE", ["jobs", job]) => change.delete(job),
        ("PUT", ["jobs", job, "schema"]) => change.replace_schema(job),
        ("PUT", ["templates", name, "schema"]) => change.replace_template_schema(name),
        ("POST", ["jobs", job, "start"]) => {
            change.set_state(job, "Active", "Enable/start provisioning configuration")
        }
        ("POST", ["jobs", job, "pause"]) => {
            change.set_state(job, "Paused", "Disable/pause provisioning configuration")
        }
        ("POST", ["jobs", job, "restart"]) => change.restart(job),
        ("POST", ["jobs", job, "provisionOnDemand"]) => change.provision(job),
        ("POST", ["jobs", job, "validateCredentials"]) => {
            find(principal, job)?;
            change.check_credentials(&[
                "useSavedCredentials",
                "credentials",
                "applicationIdentifier",
                "templateId",
            ])
        }
        ("POST", ["acquireAccessToken"]) => change.check_credentials(&["credentials"]),
        ("PUT", ["secrets"]) => change.store_secrets(),
        _ => Err(unsupported(call.request)),
    }
}

/// The permissions for provisioning cover every service principal; those for the own applications only
/// what the caller owns.
fn check_caller(call: Call<'_>, kind: Kind, principal: &Object) -> Result<(), GraphError> {
    let everywhere = call.caller.has_any(&["Synchronization.ReadWrite.All"]);
    if !call.caller.is_delegated() && everywhere {
        return Ok(());
    }
    access::check_links(call, kind, principal)
}

struct Change<'a, F> {
    call: Call<'a>,
    principal: &'a Object,
    step: F,
}

impl<F: Fn(Vec<(String, Option<Value>)>) -> Step> Change<'_, F> {
    fn with_jobs(
        &self,
        jobs: Vec<Value>,
        response: PlannedResponse,
        activity: &'static str,
    ) -> Plan {
        let values = vec![(JOBS.to_owned(), Some(jobs.into()))];
        Plan::new(response)
            .with((self.step)(values))
            .audited_as("ProvisioningManagement", activity)
    }

    /// A new job is disabled, and has a schedule that never runs.
    fn create(&self) -> Result<Plan, GraphError> {
        let body = body(self.call)?;
        check_parameters(&body, "jobs", &["templateId"])?;
        let template = text(&body, "templateId", "jobs")?;
        if template != TEMPLATE {
            return Err(unsourced::unknown_template(template));
        }
        let tenant = self.call.state.tenant_id.to_string().replace('-', "");
        let mut job = json!({
            "id": format!("{template}.{tenant}.{}", self.call.state.new_id()), "templateId": template,
            "schedule": { "expiration": null, "interval": NEVER, "state": "Disabled" },
            "status": {
                "code": "NotConfigured", "countSuccessiveCompleteFailures": 0, "escrowsPruned": false, "lastExecution": null,
                "lastSuccessfulExecution": null, "lastSuccessfulExecutionWithExports": null, "progress": [], "quarantine": null,
                "steadyStateFirstAchievedTime": NO_TIME, "steadyStateLastAchievedTime": NO_TIME,
                "synchronizedEntryCountByType": [], "troubleshootingUrl": null,
            },
            "synchronizationJobSettings": [],
        });
        let mut all = jobs(self.principal);
        all.push(job.clone());
        let id = self.principal["id"].as_str().unwrap_or_default();
        let context = format!("servicePrincipals('{id}')/synchronization/jobs/$entity");
        job["@odata.context"] = self.call.context(&context).into();
        let mut values = vec![(JOBS.to_owned(), Some(all.into()))];
        // The schema of the template at this time; later changes of the template are for later jobs.
        if let Some(schema) = template_schema(self.call, self.principal) {
            values.push(self.with_schema(&job["id"], schema));
        }
        let response = PlannedResponse::Json(201, job);
        Ok(Plan::new(response)
            .with((self.step)(values))
            .audited_as("ProvisioningManagement", "Add provisioning configuration"))
    }

    /// Changes the schedule and the settings; the rest of a job is the service's.
    fn update(&self, id: &str) -> Result<Plan, GraphError> {
        find(self.principal, id)?;
        let body = body(self.call)?;
        check_parameters(&body, "jobs", &["schedule", "synchronizationJobSettings"])?;
        let mut all = jobs(self.principal);
        for job in all.iter_mut().filter(|job| job["id"] == id) {
            if let Some(schedule) = body.get("schedule") {
                change_schedule(job, schedule)?;
            }
            if let Some(settings) = body.get("synchronizationJobSettings") {
                check_settings(settings)?;
                job["synchronizationJobSettings"] = settings.clone();
            }
        }
        Ok(self.with_jobs(all, PlannedResponse::NoContent, CHANGED))
    }

    /// The schemas of jobs with that of one more.
    fn with_schema(&self, job: &Value, schema: Value) -> (String, Option<Value>) {
        let mut all = self.principal.get(SCHEMAS).cloned();
        let all = all.get_or_insert_with(|| json!({}));
        all[job.as_str().unwrap_or_default()] = schema;
        (SCHEMAS.to_owned(), Some(all.take()))
    }

    fn replace_schema(&self, id: &str) -> Result<Plan, GraphError> {
        let job = find(self.principal, id)?;
        let values = vec![self.with_schema(&job["id"], self.new_schema()?)];
        Ok(Plan::new(PlannedResponse::NoContent)
            .with((self.step)(values))
            .audited_as("ProvisioningManagement", CHANGED))
    }

    /// Jobs that are created from the template from now on have the new schema.
    fn replace_template_schema(&self, name: &str) -> Result<Plan, GraphError> {
        template_of(self.principal, name)?;
        let values = vec![(TEMPLATE_SCHEMA.to_owned(), Some(self.new_schema()?))];
        Ok(Plan::new(PlannedResponse::NoContent)
            .with((self.step)(values))
            .audited_as("ProvisioningManagement", CHANGED))
    }

    /// A whole new schema: what it leaves out is gone. Its version is the service's.
    fn new_schema(&self) -> Result<Value, GraphError> {
        let mut schema = body(self.call)?;
        for list in ["directories", "synchronizationRules"] {
            let items = schema.get(list).and_then(Value::as_array);
            if !items.is_some_and(|items| items.iter().all(|item| item["name"].is_string())) {
                return Err(malformed(format!("The value of '{list}' is not valid.")));
            }
        }
        schema.insert("id".into(), TEMPLATE.into());
        schema.insert("version".into(), self.call.state.new_id().into());
        Ok(Value::Object(schema))
    }

    fn delete(&self, id: &str) -> Result<Plan, GraphError> {
        find(self.principal, id)?;
        let mut all = jobs(self.principal);
        all.retain(|job| job["id"] != id);
        let mut values = vec![(JOBS.to_owned(), Some(all.into()))];
        if let Some(mut schemas) = self.principal.get(SCHEMAS).cloned() {
            if let Some(schemas) = schemas.as_object_mut() {
                schemas.remove(id);
            }
            values.push((SCHEMAS.to_owned(), Some(schemas)));
        }
        Ok(Plan::new(PlannedResponse::NoContent)
            .with((self.step)(values))
            .audited_as(
                "ProvisioningManagement",
                "Delete provisioning configuration",
            ))
    }

    /// Starts or pauses a job; a start ends its quarantine.
    fn set_state(&self, id: &str, state: &str, activity: &'static str) -> Result<Plan, GraphError> {
        find(self.principal, id)?;
        let mut all = jobs(self.principal);
        for job in all.iter_mut().filter(|job| job["id"] == id) {
            job["schedule"]["state"] = state.into();
            job["schedule"]["interval"] = INTERVAL.into();
            job["status"]["code"] = state.into();
            job["status"]["quarantine"] = Value::Null;
        }
        Ok(self.with_jobs(all, PlannedResponse::NoContent, activity))
    }

    fn restart(&self, id: &str) -> Result<Plan, GraphError> {
        let body = body(self.call)?;
        check_parameters(&body, "restart", &["criteria"])?;
        let scope = &body.get("criteria").unwrap_or(&Value::Null)["resetScope"];
        let known = |name: &str| SCOPES.contains(&name.trim());
        let valid = match scope {
            Value::Null => true,
            scope => scope
                .as_str()
                .is_some_and(|names| names.is_empty() || names.split(',').all(known)),
        };
        if !valid {
            return Err(malformed("The value of 'resetScope' is not valid."));
        }
        self.set_state(id, "Active", "Enable/restart provisioning configuration")
    }

    /// Provisions users of the tenant. The response has JSON documents as texts.
    fn provision(&self, id: &str) -> Result<Plan, GraphError> {
        find(self.principal, id)?;
        let body = body(self.call)?;
        check_parameters(&body, "provisionOnDemand", &["parameters"])?;
        let parameters = body.get("parameters").and_then(Value::as_array);
        let parameters = parameters.filter(|all| !all.is_empty()).ok_or_else(|| {
            malformed("The parameter 'parameters' of the operation 'provisionOnDemand' is missing.")
        })?;
        let subjects: Vec<&Value> = parameters
            .iter()
            .flat_map(|item| item["subjects"].as_array().into_iter().flatten())
            .collect();
        let rules = parameters.iter().all(|item| item["ruleId"] == RULE);
        let named = |subject: &&Value| {
            subject["objectId"].is_string() && subject["objectTypeName"].is_string()
        };
        if subjects.is_empty() || !rules || !subjects.iter().all(named) {
            return Err(malformed("The value of 'parameters' is not valid."));
        }
        let store = &self.call.state.store;
        let found = subjects.iter().all(|subject| {
            store
                .any(subject["objectId"].as_str().unwrap_or_default())
                .is_some()
        });
        let result = match found {
            true => json!({ "result": "Success", "details": {} }),
            false => json!({ "result": "Failure", "details": { "errorCode": "EntryNotFound" } }),
        };
        let steps = json!({ "action": "Create", "provisioningSteps": [], "statusInfo": { "status": result["result"] } });
        let response = json!({
            "@odata.context": self.call.context("microsoft.graph.stringKeyStringValuePair"),
            "key": result.to_string(), "value": steps.to_string(),
        });
        Ok(Plan::new(PlannedResponse::Json(200, response)))
    }

    fn check_credentials(&self, parameters: &[&str]) -> Result<Plan, GraphError> {
        let body = body(self.call)?;
        check_parameters(&body, "credentials", parameters)?;
        if body.get("useSavedCredentials") != Some(&Value::Bool(true)) {
            check_pairs(body.get("credentials"))?;
        }
        Ok(Plan::new(PlannedResponse::NoContent))
    }

    /// Stores the credentials for the target system. No response shows them, so they are only checked.
    fn store_secrets(&self) -> Result<Plan, GraphError> {
        let body = body(self.call)?;
        check_parameters(&body, "secrets", &["value"])?;
        check_pairs(body.get("value"))?;
        let mut all = jobs(self.principal);
        for job in &mut all {
            if job["status"]["code"] == "NotConfigured" {
                job["status"]["code"] = "NotRun".into();
            }
        }
        Ok(self.with_jobs(all, PlannedResponse::NoContent, CHANGED))
    }
}

/// Takes over the parts of a schedule that are sent. A job that runs or no longer runs has the state of that.
fn change_schedule(job: &mut Value, schedule: &Value) -> Result<(), GraphError> {
    let invalid = || malformed("The value of 'schedule' is not valid.");
    for (name, value) in schedule.as_object().ok_or_else(invalid)? {
        let text = value.as_str();
        let valid = match name.as_str() {
            "expiration" => value.is_null() || text.is_some_and(|text| ticks(text).is_some()),
            "interval" => text.is_some_and(|text| text.starts_with('P')),
            "state" => text.is_some_and(|state| STATES.contains(&state)),
            _ => name.starts_with('@'),
        };
        if !valid {
            return Err(invalid());
        }
        if !name.starts_with('@') {
            job["schedule"][name] = value.clone();
        }
        if let ("state", Some(state)) = (name.as_str(), text) {
            let code = if state == "Active" { state } else { "Paused" };
            job["status"]["code"] = code.into();
        }
    }
    Ok(())
}

/// Checks a list of names and texts.
fn check_settings(settings: &Value) -> Result<(), GraphError> {
    let valid = |pair: &Value| {
        pair["name"].is_string() && (pair["value"].is_string() || pair["value"].is_null())
    };
    if settings.as_array().is_some_and(|all| all.iter().all(valid)) {
        Ok(())
    } else {
        Err(malformed(
            "The value of 'synchronizationJobSettings' is not valid.",
        ))
    }
}

/// Checks a list of keys and texts.
fn check_pairs(pairs: Option<&Value>) -> Result<(), GraphError> {
    let valid = |pair: &Value| {
        let key = pair["key"].as_str();
        key.is_some_and(|key| !key.is_empty())
            && (pair["value"].is_string() || pair["value"].is_null())
    };
    let listed = pairs.and_then(Value::as_array);
    if listed.is_some_and(|pairs| !pairs.is_empty() && pairs.iter().all(valid)) {
        Ok(())
    } else {
        Err(malformed(
            "The credentials are not a list of keys and values.",
        ))
    }
}

fn text<'a>(
    body: &'a Map<String, Value>,
    name: &str,
    operation: &str,
) -> Result<&'a str, GraphError> {
    body.get(name).and_then(Value::as_str).ok_or_else(|| {
        malformed(format!(
            "The parameter '{name}' of the operation '{operation}' is missing."
        ))
    })
}

/// The activity of changes of settings, credentials, schedules and schemas.
const CHANGED: &str = "Update provisioning setting or credentials";
/// The states of a schedule.
const STATES: [&str; 3] = ["Active", "Disabled", "Paused"];
/// The interval of a job that is not scheduled (page "Create synchronizationJob").
const NEVER: &str = "P10675199DT2H48M5.4775807S";
const INTERVAL: &str = "PT40M";
const NO_TIME: &str = "0001-01-01T00:00:00Z";
/// What a restart can reset. `None` and `ConnectorDataStore` are not for use.
const SCOPES: [&str; 5] = [
    "Escrows",
    "Watermark",
    "QuarantineState",
    "Full",
    "ForceDeletes",
];
