//! Provisioning of applications against the fake tenant.

use entra_graph::{
    GraphClient, NewSynchronizationJob, ServicePrincipal, SynchronizationJob,
    SynchronizationTemplate,
    types::{
        KeyValuePair, SynchronizationJobRestartScope, SynchronizationJobSubject,
        SynchronizationSchedule, SynchronizationScheduleState,
        SynchronizationSecretKeyStringValuePair, SynchronizationStatusCode,
    },
};
use entra_mock::FakeTenant;

use crate::support::AppCredential;

async fn graph(permission: &str) -> (FakeTenant, GraphClient, String) {
    let tenant = FakeTenant::start().await;
    let app = tenant
        .register_app("Provisioning")
        .application_permission(permission)
        .application_permission("Application.Read.All")
        .application_permission("User.Read.All");
    let credential = AppCredential::new(&tenant, &app.with_secret());
    let builder = GraphClient::builder(credential).cloud(tenant.cloud());
    let graph = builder.clock(tenant.clock()).build().unwrap();
    let named = ServicePrincipal::DISPLAY_NAME.eq("Expense Desk");
    let found = graph.service_principals().list().filter(named).items();
    let found: Vec<ServicePrincipal> = found.try_collect().await.unwrap();
    (tenant, graph, found[0].id.clone())
}

fn secrets() -> [SynchronizationSecretKeyStringValuePair; 2] {
    [
        SynchronizationSecretKeyStringValuePair::new("BaseAddress", "https://scim.example.com"),
        SynchronizationSecretKeyStringValuePair::new("SecretToken", "canary-of-scim"),
    ]
}

#[tokio::test]
async fn a_job_is_created_started_paused_restarted_and_deleted() {
    let (_tenant, graph, id) = graph("Synchronization.ReadWrite.All").await;
    let principal = graph.service_principal(&id);
    let templates = principal.synchronization_templates().list().items();
    let templates: Vec<SynchronizationTemplate> = templates.try_collect().await.unwrap();
    let template = principal.synchronization_template(&templates[0].id);
    assert!(
        template
            .get()
            .send()
            .await
            .unwrap()
            .application_id
            .is_some()
    );
    let schema = template.schema().get().send().await.unwrap();
    assert_eq!(schema.directories.unwrap().len(), 2);

    let new = NewSynchronizationJob::from_template(&templates[0].id);
    let created = principal.synchronization_jobs().create(new);
    let created: SynchronizationJob = created.send().await.unwrap();
    let schedule = created.schedule.as_ref().unwrap();
    assert_eq!(schedule.state, Some(SynchronizationScheduleState::Disabled));
    principal
        .set_synchronization_secrets(&secrets())
        .send()
        .await
        .unwrap();
    let job = principal.synchronization_job(&created.id);
    job.validate_credentials(&[]).send().await.unwrap();
    job.validate_credentials(&secrets()).send().await.unwrap();
    principal
        .acquire_synchronization_access_token(&secrets())
        .send()
        .await
        .unwrap();
    let code = async || job.get().send().await.unwrap().status.unwrap().code;
    job.start().send().await.unwrap();
    assert_eq!(code().await, Some(SynchronizationStatusCode::Active));
    job.pause().send().await.unwrap();
    assert_eq!(code().await, Some(SynchronizationStatusCode::Paused));
    let scopes = [
        SynchronizationJobRestartScope::Watermark,
        SynchronizationJobRestartScope::Escrows,
    ];
    job.restart(&scopes).send().await.unwrap();
    job.restart(&[]).send().await.unwrap();
    assert_eq!(code().await, Some(SynchronizationStatusCode::Active));
    let jobs = principal.synchronization_jobs().list().items();
    let jobs: Vec<SynchronizationJob> = jobs.try_collect().await.unwrap();
    assert_eq!(jobs.len(), 1);
    job.delete().send().await.unwrap();
    assert!(job.get_opt().await.unwrap().is_none());
}

#[tokio::test]
async fn a_user_is_provisioned_on_demand() {
    let (_tenant, graph, id) = graph("Synchronization.ReadWrite.All").await;
    let principal = graph.service_principal(&id);
    let new = NewSynchronizationJob::from_template("scim");
    let created = principal.synchronization_jobs().create(new).send().await;
    let job = principal.synchronization_job(&created.unwrap().id);
    let schema = job.schema().get().send().await.unwrap();
    let rules = schema.synchronization_rules.unwrap();
    let rule: serde_json::Value = serde_json::to_value(&rules[0]).unwrap();
    let adele = graph.user("adele@contoso.com").get().send().await.unwrap();
    let subject = SynchronizationJobSubject::user(adele.id);
    let result = job
        .provision_on_demand(rule["id"].as_str().unwrap(), [subject])
        .send()
        .await
        .unwrap();
    assert!(result.key.unwrap().contains("Success"));
}

#[tokio::test]
async fn the_schedule_and_the_schema_of_a_job_are_changed() {
    let (_tenant, graph, id) = graph("Synchronization.ReadWrite.All").await;
    let principal = graph.service_principal(&id);
    let new = NewSynchronizationJob::from_template("scim");
    let created = principal.synchronization_jobs().create(new).send().await;
    let job = principal.synchronization_job(&created.unwrap().id);
    let schedule = SynchronizationSchedule::default()
        .interval("PT1H")
        .state(SynchronizationScheduleState::Active);
    let setting = KeyValuePair::default().name("Quarantine").value("off");
    job.update()
        .set(SynchronizationJob::SCHEDULE, &schedule)
        .set(SynchronizationJob::SYNCHRONIZATION_JOB_SETTINGS, [setting])
        .send()
        .await
        .unwrap();
    let changed = job.get().send().await.unwrap();
    let read = changed.schedule.unwrap();
    assert_eq!(read.interval.as_deref(), Some("PT1H"));
    assert_eq!(read.state, schedule.state);
    let settings = changed.synchronization_job_settings.unwrap();
    assert_eq!(settings[0].name.as_deref(), Some("Quarantine"));

    let mut schema = job.schema().get().send().await.unwrap();
    let version = schema.version.clone();
    schema.directories.as_mut().unwrap().truncate(1);
    job.set_schema(&schema).send().await.unwrap();
    let replaced = job.schema().get().send().await.unwrap();
    assert_eq!(replaced.directories, schema.directories);
    assert_eq!(replaced.synchronization_rules, schema.synchronization_rules);
    assert_ne!(replaced.version, version);
    // The template, and so another job, has the schema that it had.
    let template = principal.synchronization_template("scim").schema();
    let template = template.get().send().await.unwrap();
    assert_eq!(template.directories.unwrap().len(), 2);
}

/// The schema of a template is that of the jobs that are created later, not of those that exist.
#[tokio::test]
async fn the_schema_of_a_template_is_changed_at_its_application() {
    let (tenant, graph, _) = graph("Synchronization.ReadWrite.All").await;
    let app = tenant.register_app("Shop");
    let application = graph.application(app.client_id());
    let principal = graph.service_principal(app.service_principal_id());
    let create = async || {
        let new = NewSynchronizationJob::from_template("scim");
        let created = principal.synchronization_jobs().create(new).send().await;
        principal.synchronization_job(&created.unwrap().id)
    };
    let before = create().await;
    let templates = application.synchronization_templates().list().items();
    let templates: Vec<SynchronizationTemplate> = templates.try_collect().await.unwrap();
    let template = application.synchronization_template(&templates[0].id);
    let read = template.get().send().await.unwrap();
    let client_id = app.client_id().to_string();
    assert_eq!(read.application_id, Some(client_id));

    let mut schema = template.schema().get().send().await.unwrap();
    schema.directories.as_mut().unwrap().truncate(1);
    template.set_schema(&schema).send().await.unwrap();
    let after = create().await;
    let of_principal = principal.synchronization_template("scim").schema();
    let of_principal = of_principal.get().send().await.unwrap();
    assert_eq!(of_principal.directories, schema.directories);
    let schema_of = async |job: &Job| job.schema().get().send().await.unwrap();
    assert_eq!(schema_of(&after).await.directories, schema.directories);
    assert_eq!(schema_of(&before).await.directories.unwrap().len(), 2);
    let absent = application.synchronization_template("absent");
    assert!(absent.get_opt().await.unwrap().is_none());
    let error = absent.set_schema(&schema).send().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

type Job = entra_graph::query::Object<entra_graph::places::OneSynchronizationJob>;

#[tokio::test]
async fn a_job_cannot_be_created_with_the_permission_to_read() {
    let (_tenant, graph, id) = graph("Synchronization.Read.All").await;
    let jobs = graph.service_principal(&id).synchronization_jobs();
    assert!(jobs.list().items().try_collect::<Vec<_>>().await.is_ok());
    let new = NewSynchronizationJob::from_template("scim");
    let error = jobs.create(new).send().await.unwrap_err();
    assert_eq!(error.code(), Some("Authorization_RequestDenied"));
    assert!(format!("{error:#}").contains("Synchronization.ReadWrite.All"));
}

#[test]
fn a_credential_shows_its_value_only_in_requests() {
    let [_, secret] = secrets();
    assert!(!format!("{secret:?}").contains("canary"));
    assert!(!serde_json::to_string(&secret).unwrap().contains("canary"));
}
