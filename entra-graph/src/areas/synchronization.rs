//! Provisioning of applications: `/servicePrincipals/{id}/synchronization`, and the templates of an application:
//! `/applications/{id}/synchronization/templates`.

use entra_core::url::Url;

use super::{applications::OneApplication, service_principals::OneServicePrincipal};
use crate::{
    key::Key,
    model::{Body, Json},
    objects::{
        SynchronizationJob, SynchronizationSchema, SynchronizationTemplate,
        types::{
            StringKeyStringValuePair, SynchronizationJobApplicationParameters,
            SynchronizationJobRestartCriteria, SynchronizationJobRestartScope,
            SynchronizationJobSubject, SynchronizationSecretKeyStringValuePair,
        },
    },
    operation::{Operation, operations},
    place::{Collection, Object, Single, places, singles},
    request::{Request, read_nothing, read_value},
    verbs::{New, NewBody},
};

operations! {
    LIST_JOBS = "synchronization-synchronization-list-jobs" GET "/servicePrincipals/{id}/synchronization/jobs" => Collection("synchronizationJob"),
        delegated ["Synchronization.Read.All"], application ["Synchronization.Read.All"];
    CREATE_JOB = "synchronization-synchronization-post-jobs" POST "/servicePrincipals/{id}/synchronization/jobs" => Object("synchronizationJob"),
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    GET_JOB = "synchronization-synchronizationjob-get" GET "/servicePrincipals/{id}/synchronization/jobs/{id}" => Object("synchronizationJob"),
        delegated ["Synchronization.Read.All"], application ["Synchronization.Read.All"];
    UPDATE_JOB = "synchronization-synchronizationjob-update" PATCH "/servicePrincipals/{id}/synchronization/jobs/{id}" => Nothing,
        both ["Synchronization.ReadWrite.All"];
    DELETE_JOB = "synchronization-synchronizationjob-delete" DELETE "/servicePrincipals/{id}/synchronization/jobs/{id}" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    START = "synchronization-synchronizationjob-start" POST(Idempotent) "/servicePrincipals/{id}/synchronization/jobs/{id}/start" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    PAUSE = "synchronization-synchronizationjob-pause" POST(Idempotent) "/servicePrincipals/{id}/synchronization/jobs/{id}/pause" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    RESTART = "synchronization-synchronizationjob-restart" POST(Idempotent) "/servicePrincipals/{id}/synchronization/jobs/{id}/restart" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    PROVISION_ON_DEMAND = "synchronization-synchronizationjob-provisionondemand" POST "/servicePrincipals/{id}/synchronization/jobs/{id}/provisionOnDemand" => Value,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    VALIDATE_CREDENTIALS = "synchronization-synchronizationjob-validatecredentials" POST(Idempotent) "/servicePrincipals/{id}/synchronization/jobs/{id}/validateCredentials" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    SET_SECRETS = "synchronization-serviceprincipal-put-synchronization" PUT "/servicePrincipals/{id}/synchronization/secrets" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    ACQUIRE_ACCESS_TOKEN = "synchronization-synchronization-acquireaccesstoken" POST "/servicePrincipals/{id}/synchronization/acquireAccessToken" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    LIST_TEMPLATES = "synchronization-synchronization-list-templates" GET "/servicePrincipals/{id}/synchronization/templates" => Collection("synchronizationTemplate"),
        delegated ["Synchronization.Read.All"], application ["Synchronization.Read.All"];
    GET_TEMPLATE = "synchronization-synchronizationtemplate-get" GET "/servicePrincipals/{id}/synchronization/templates/{id}" => Object("synchronizationTemplate"),
        delegated ["Synchronization.Read.All"], application ["Synchronization.Read.All"];
    GET_JOB_SCHEMA = "synchronization-synchronizationschema-get" GET "/servicePrincipals/{id}/synchronization/jobs/{id}/schema" => Object("synchronizationSchema"),
        both ["Synchronization.Read.All"];
    SET_JOB_SCHEMA = "synchronization-synchronizationschema-update" PUT "/servicePrincipals/{id}/synchronization/jobs/{id}/schema" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
    GET_TEMPLATE_SCHEMA = "synchronization-synchronizationschema-get-template" GET "/servicePrincipals/{id}/synchronization/templates/{id}/schema" => Object("synchronizationSchema"),
        both ["Synchronization.Read.All"];
    LIST_OWN_TEMPLATES = "synchronization-synchronization-list-templates-application" GET "/applications/{id}/synchronization/templates" => Collection("synchronizationTemplate"),
        both ["Synchronization.Read.All"];
    GET_OWN_TEMPLATE = "synchronization-synchronizationtemplate-get-application" GET "/applications/{id}/synchronization/templates/{id}" => Object("synchronizationTemplate"),
        both ["Synchronization.Read.All"];
    GET_OWN_TEMPLATE_SCHEMA = "synchronization-synchronizationschema-get-application" GET "/applications/{id}/synchronization/templates/{id}/schema" => Object("synchronizationSchema"),
        both ["Synchronization.Read.All"];
    SET_OWN_TEMPLATE_SCHEMA = "synchronization-synchronizationschema-update-application" PUT "/applications/{id}/synchronization/templates/{id}/schema" => Nothing,
        delegated ["Synchronization.ReadWrite.All"],
        application ["Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"];
}

places! {
    /// `/servicePrincipals/{id}/synchronization/jobs`.
    SynchronizationJobs: SynchronizationJob { list LIST_JOBS, create(NewSynchronizationJob) CREATE_JOB read GET_JOB }
    /// `/servicePrincipals/{id}/synchronization/templates`.
    SynchronizationTemplates: SynchronizationTemplate { list LIST_TEMPLATES }
    /// `/applications/{id}/synchronization/templates`.
    ApplicationSynchronizationTemplates: SynchronizationTemplate { list LIST_OWN_TEMPLATES }
}

singles! {
    /// `/servicePrincipals/{id}/synchronization/jobs/{id}`.
    OneSynchronizationJob: SynchronizationJob { get GET_JOB, update UPDATE_JOB, delete DELETE_JOB }
    /// `/servicePrincipals/{id}/synchronization/jobs/{id}/schema`.
    SynchronizationJobSchema: SynchronizationSchema { get GET_JOB_SCHEMA }
    /// `/servicePrincipals/{id}/synchronization/templates/{id}`.
    OneSynchronizationTemplate: SynchronizationTemplate { get GET_TEMPLATE }
    /// `/servicePrincipals/{id}/synchronization/templates/{id}/schema`.
    SynchronizationTemplateSchema: SynchronizationSchema { get GET_TEMPLATE_SCHEMA }
    /// `/applications/{id}/synchronization/templates/{id}`.
    OneApplicationSynchronizationTemplate: SynchronizationTemplate { get GET_OWN_TEMPLATE }
    /// `/applications/{id}/synchronization/templates/{id}/schema`.
    ApplicationSynchronizationTemplateSchema: SynchronizationSchema { get GET_OWN_TEMPLATE_SCHEMA }
}

/// What a synchronization job is created from.
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId, token: &str) -> Result<(), entra_graph::Error> {
/// use entra_graph::{NewSynchronizationJob, types::SynchronizationSecretKeyStringValuePair};
/// let principal = graph.service_principal(client_id);
/// let job = principal.synchronization_jobs().create(NewSynchronizationJob::from_template("scim")).send().await?;
/// principal.set_synchronization_secrets(&[
///     SynchronizationSecretKeyStringValuePair::new("BaseAddress", "https://scim.example.com"),
///     SynchronizationSecretKeyStringValuePair::new("SecretToken", token),
/// ]).send().await?;
/// principal.synchronization_job(&job.id).start().send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewSynchronizationJob {
    body: Body,
}

impl NewSynchronizationJob {
    /// A job from the id of a template of its service principal. It is disabled until it is started.
    pub fn from_template(template_id: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(SynchronizationJob::TEMPLATE_ID.into_name(), template_id);
        Self { body }
    }
}

impl New<SynchronizationJob> for NewSynchronizationJob {
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}

impl Object<OneServicePrincipal> {
    /// The synchronization jobs, which provision users and groups to the application:
    /// [`GET /servicePrincipals/{id}/synchronization/jobs`](https://learn.microsoft.com/graph/api/synchronization-synchronization-list-jobs).
    ///
    /// Needs `Synchronization.Read.All`; creating needs `Synchronization.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it.
    #[must_use]
    pub fn synchronization_jobs(&self) -> Collection<SynchronizationJobs> {
        Collection::new(self.target().clone().join(&["synchronization", "jobs"]))
    }

    /// One synchronization job, by id:
    /// [`GET /servicePrincipals/{id}/synchronization/jobs/{id}`](https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-get).
    ///
    /// Needs `Synchronization.Read.All`; updating its schedule or settings needs `Synchronization.ReadWrite.All`, and
    /// so does deleting, which `Application.ReadWrite.OwnedBy` also permits to an application that owns it.
    #[must_use]
    pub fn synchronization_job(&self, id: impl Into<Key>) -> Object<OneSynchronizationJob> {
        let target = self.target().clone().join(&["synchronization"]);
        Object::new(target.key("jobs", &id.into()))
    }

    /// What jobs can be created from:
    /// [`GET /servicePrincipals/{id}/synchronization/templates`](https://learn.microsoft.com/graph/api/synchronization-synchronization-list-templates).
    ///
    /// Needs `Synchronization.Read.All`.
    #[must_use]
    pub fn synchronization_templates(&self) -> Collection<SynchronizationTemplates> {
        let target = self.target().clone();
        Collection::new(target.join(&["synchronization", "templates"]))
    }

    /// One template, by id:
    /// [`GET /servicePrincipals/{id}/synchronization/templates/{id}`](https://learn.microsoft.com/graph/api/synchronization-synchronizationtemplate-get).
    ///
    /// Needs `Synchronization.Read.All`.
    #[must_use]
    pub fn synchronization_template(
        &self,
        id: impl Into<Key>,
    ) -> Object<OneSynchronizationTemplate> {
        let target = self.target().clone().join(&["synchronization"]);
        Object::new(target.key("templates", &id.into()))
    }

    /// A request that sets the credentials for the system that objects are provisioned to, all of them:
    /// [`PUT /servicePrincipals/{id}/synchronization/secrets`](https://learn.microsoft.com/graph/api/synchronization-serviceprincipal-put-synchronization).
    ///
    /// Needs `Synchronization.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    pub fn set_synchronization_secrets(
        &self,
        secrets: &[SynchronizationSecretKeyStringValuePair],
    ) -> Request<()> {
        let mut body = Body::default();
        body.set::<Vec<SynchronizationSecretKeyStringValuePair>>("value", secrets);
        send(self, &["synchronization", "secrets"], &SET_SECRETS, body)
    }

    /// A request that gets an OAuth token for the system that objects are provisioned to, and stores it:
    /// [`POST /servicePrincipals/{id}/synchronization/acquireAccessToken`](https://learn.microsoft.com/graph/api/synchronization-synchronization-acquireaccesstoken).
    ///
    /// Needs `Synchronization.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    pub fn acquire_synchronization_access_token(
        &self,
        credentials: &[SynchronizationSecretKeyStringValuePair],
    ) -> Request<()> {
        let mut body = Body::default();
        body.set::<Vec<SynchronizationSecretKeyStringValuePair>>("credentials", credentials);
        let path = ["synchronization", "acquireAccessToken"];
        send(self, &path, &ACQUIRE_ACCESS_TOKEN, body)
    }
}

impl Object<OneSynchronizationJob> {
    /// A request that starts the job, or continues it after a pause or quarantine:
    /// [`POST …/jobs/{id}/start`](https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-start).
    ///
    /// Needs `Synchronization.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    pub fn start(&self) -> Request<()> {
        let call = self.call(&["start"], &START);
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that pauses the job; its progress stays:
    /// [`POST …/jobs/{id}/pause`](https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-pause).
    ///
    /// Needs `Synchronization.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    pub fn pause(&self) -> Request<()> {
        let call = self.call(&["pause"], &PAUSE);
        Request::new(self.target().client.clone(), call, read_nothing)
    }

    /// A request that starts the job from its beginning and resets this, or without any scope the quarantine, the
    /// watermark and the objects with errors:
    /// [`POST …/jobs/{id}/restart`](https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-restart).
    ///
    /// Needs `Synchronization.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    pub fn restart(&self, reset: &[SynchronizationJobRestartScope]) -> Request<()> {
        let names: Vec<&str> = reset.iter().map(|scope| scope.as_str()).collect();
        let scope = SynchronizationJobRestartScope::from(&*names.join(","));
        let criteria = SynchronizationJobRestartCriteria::default().reset_scope(scope);
        let mut body = Body::default();
        body.set::<SynchronizationJobRestartCriteria>("criteria", &criteria);
        send(self, &["restart"], &RESTART, body)
    }

    /// A request that provisions these objects at once, by one rule of the [`schema`](Object::schema):
    /// [`POST …/jobs/{id}/provisionOnDemand`](https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-provisionondemand).
    ///
    /// The response has the result and the steps as JSON documents in two texts. Graph takes 5 such requests in 10
    /// seconds. Needs `Synchronization.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that
    /// owns it.
    pub fn provision_on_demand(
        &self,
        rule_id: &str,
        subjects: impl IntoIterator<Item = SynchronizationJobSubject>,
    ) -> Request<StringKeyStringValuePair> {
        let subjects: Vec<SynchronizationJobSubject> = subjects.into_iter().collect();
        let parameters = SynchronizationJobApplicationParameters::default()
            .rule_id(rule_id)
            .subjects(subjects);
        let mut body = Body::default();
        body.set::<Vec<SynchronizationJobApplicationParameters>>("parameters", &[parameters]);
        let call = self
            .call(&["provisionOnDemand"], &PROVISION_ON_DEMAND)
            .map(|call| call.with_json(body.into_bytes()));
        Request::new(self.target().client.clone(), call, read_value)
    }

    /// A request that checks whether these credentials work; without any, the stored ones:
    /// [`POST …/jobs/{id}/validateCredentials`](https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-validatecredentials).
    ///
    /// Needs `Synchronization.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    pub fn validate_credentials(
        &self,
        credentials: &[SynchronizationSecretKeyStringValuePair],
    ) -> Request<()> {
        let mut body = Body::default();
        body.set::<bool>("useSavedCredentials", &credentials.is_empty());
        if !credentials.is_empty() {
            body.set::<Vec<SynchronizationSecretKeyStringValuePair>>("credentials", credentials);
        }
        send(self, &["validateCredentials"], &VALIDATE_CREDENTIALS, body)
    }

    /// What the job synchronizes, and how:
    /// [`GET …/jobs/{id}/schema`](https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-get).
    ///
    /// Needs `Synchronization.Read.All`.
    #[must_use]
    pub fn schema(&self) -> Object<SynchronizationJobSchema> {
        self.single("schema")
    }

    /// A request that replaces the whole [`schema`](Self::schema), such as one that was read and changed:
    /// [`PUT …/jobs/{id}/schema`](https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-update).
    ///
    /// What the schema leaves out is gone afterwards. Needs `Synchronization.ReadWrite.All`, or
    /// `Application.ReadWrite.OwnedBy` for an application that owns it.
    pub fn set_schema(&self, schema: &SynchronizationSchema) -> Request<()> {
        send(self, &["schema"], &SET_JOB_SCHEMA, whole(schema))
    }
}

impl Object<OneSynchronizationTemplate> {
    /// What jobs of the template synchronize at first:
    /// [`GET …/templates/{id}/schema`](https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-get).
    ///
    /// Needs `Synchronization.Read.All`.
    #[must_use]
    pub fn schema(&self) -> Object<SynchronizationTemplateSchema> {
        self.single("schema")
    }
}

impl Object<OneApplication> {
    /// The templates of the application, from which jobs of its service principals in any tenant are created:
    /// [`GET /applications/{id}/synchronization/templates`](https://learn.microsoft.com/graph/api/synchronization-synchronization-list-templates).
    ///
    /// Needs `Synchronization.Read.All`.
    #[must_use]
    pub fn synchronization_templates(&self) -> Collection<ApplicationSynchronizationTemplates> {
        let target = self.target().clone();
        Collection::new(target.join(&["synchronization", "templates"]))
    }

    /// One template of the application, by id:
    /// [`GET /applications/{id}/synchronization/templates/{id}`](https://learn.microsoft.com/graph/api/synchronization-synchronizationtemplate-get).
    ///
    /// Needs `Synchronization.Read.All`.
    #[must_use]
    pub fn synchronization_template(
        &self,
        id: impl Into<Key>,
    ) -> Object<OneApplicationSynchronizationTemplate> {
        let target = self.target().clone().join(&["synchronization"]);
        Object::new(target.key("templates", &id.into()))
    }
}

impl Object<OneApplicationSynchronizationTemplate> {
    /// What jobs of the template synchronize at first:
    /// [`GET …/templates/{id}/schema`](https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-get).
    ///
    /// Needs `Synchronization.Read.All`.
    #[must_use]
    pub fn schema(&self) -> Object<ApplicationSynchronizationTemplateSchema> {
        self.single("schema")
    }

    /// A request that replaces the whole [`schema`](Self::schema), such as one that was read and changed:
    /// [`PUT …/templates/{id}/schema`](https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-update).
    ///
    /// What the schema leaves out is gone afterwards. Microsoft documents that the caller must be an
    /// owner of the application.
    ///
    /// Needs `Synchronization.ReadWrite.All`, or `Application.ReadWrite.OwnedBy` for an application that owns it.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, client_id: entra_core::ClientId) -> Result<(), entra_graph::Error> {
    /// let template = graph.application(client_id).synchronization_template("scim");
    /// let mut schema = template.schema().get().send().await?;
    /// schema.directories.get_or_insert_default().truncate(2);
    /// template.set_schema(&schema).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_schema(&self, schema: &SynchronizationSchema) -> Request<()> {
        send(self, &["schema"], &SET_OWN_TEMPLATE_SCHEMA, whole(schema))
    }
}

/// The body that replaces a schema.
fn whole(schema: &SynchronizationSchema) -> Body {
    let mut body = Body::default();
    if !schema.id.is_empty() {
        body.set::<String>("id", schema.id.as_str());
    }
    if let Some(version) = &schema.version {
        body.set::<String>(SynchronizationSchema::VERSION.into_name(), version);
    }
    if let Some(directories) = &schema.directories {
        body.set::<Vec<Json>>(SynchronizationSchema::DIRECTORIES.into_name(), directories);
    }
    if let Some(rules) = &schema.synchronization_rules {
        let name = SynchronizationSchema::SYNCHRONIZATION_RULES.into_name();
        body.set::<Vec<Json>>(name, rules);
    }
    // Annotations describe the response that the schema came from.
    for (name, json) in schema.additional().iter() {
        if !name.contains('@') {
            body.set_json(name.to_owned(), json);
        }
    }
    body
}

fn send<P: Single>(
    object: &Object<P>,
    below: &[&str],
    operation: &'static Operation,
    body: Body,
) -> Request<()> {
    let call = object
        .call(below, operation)
        .map(|call| call.with_json(body.into_bytes()));
    Request::new(object.target().client.clone(), call, read_nothing)
}
