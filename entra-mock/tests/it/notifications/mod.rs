//! Change notifications: subscriptions, and what receivers get.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use entra_mock::{App, FakeTenant, NotificationOptions};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

mod content;
mod delivery;
mod lifecycle;
mod servers;
mod subscriptions;

use crate::support::{Response, fetch, http, token};

/// A receiver of notifications that confirms every validation and accepts everything, unless told otherwise.
pub(crate) struct Receiver {
    server: MockServer,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// The tokens of all validation requests.
    tokens: Vec<String>,
    /// The queries of all other requests.
    queries: Vec<String>,
    bodies: Vec<Value>,
    /// The next responses to notifications; then 202.
    responses: VecDeque<ResponseTemplate>,
    /// The response to a validation, instead of the token.
    validation: Option<ResponseTemplate>,
}

struct Responder(Arc<Mutex<Seen>>);

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut seen = self.0.lock().unwrap();
        assert_eq!(request.method.as_str(), "POST");
        let token = request
            .url
            .query_pairs()
            .find(|(name, _)| name == "validationToken");
        if let Some((_, token)) = token {
            seen.tokens.push(token.clone().into_owned());
            let confirmed =
                ResponseTemplate::new(200).set_body_raw(token.as_bytes().to_vec(), "text/plain");
            return seen.validation.clone().unwrap_or(confirmed);
        }
        seen.queries
            .push(request.url.query().unwrap_or_default().to_owned());
        seen.bodies
            .push(serde_json::from_slice(&request.body).unwrap());
        let accepted = ResponseTemplate::new(202);
        seen.responses.pop_front().unwrap_or(accepted)
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let server = MockServer::start().await;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let responder = Responder(Arc::clone(&seen));
        Mock::given(any())
            .respond_with(responder)
            .mount(&server)
            .await;
        Self { server, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/notify?tenant=a%20b", self.server.uri())
    }

    fn lifecycle_url(&self) -> String {
        format!("{}/lifecycle", self.server.uri())
    }

    fn respond_to_validation(&self, response: ResponseTemplate) {
        self.seen.lock().unwrap().validation = Some(response);
    }

    /// Responds to the next notifications with these responses, and then with 202.
    fn respond_with(&self, responses: impl IntoIterator<Item = ResponseTemplate>) {
        self.seen.lock().unwrap().responses = responses.into_iter().collect();
    }

    fn tokens(&self) -> Vec<String> {
        self.seen.lock().unwrap().tokens.clone()
    }

    /// Returns the bodies of the requests with notifications since the last call.
    pub(crate) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.seen.lock().unwrap().bodies)
    }

    /// Returns all notifications since the last call.
    fn take_items(&self) -> Vec<Value> {
        let bodies = self.take();
        bodies
            .iter()
            .flat_map(|body| body["value"].as_array().unwrap().clone())
            .collect()
    }

    /// Returns property values of all notifications since the last call.
    fn take_all(&self, name: &str) -> Vec<String> {
        let items = self.take_items();
        items
            .iter()
            .map(|item| item[name].as_str().unwrap_or("null").to_owned())
            .collect()
    }
}

/// A tenant with an application that can read users and groups, its token, and a receiver.
struct Fixture {
    tenant: FakeTenant,
    app: App,
    token: String,
    receiver: Receiver,
}

impl Fixture {
    async fn new() -> Self {
        let tenant = FakeTenant::start().await;
        let app = tenant
            .register_app("Sync")
            .application_permission("User.Read.All")
            .application_permission("Group.Read.All")
            .application_permission("User.ReadWrite.All")
            .with_secret();
        let token = token(&tenant, &app).await;
        let receiver = Receiver::start().await;
        let fixture = Self {
            tenant,
            app,
            token,
            receiver,
        };
        fixture.set_options(NotificationOptions::documented());
        fixture
    }

    /// Sets switches, with time for a receiver on a busy machine.
    fn set_options(&self, options: NotificationOptions) {
        let long = Duration::from_secs(120);
        let options = options.handshake_timeout(long).delivery_timeout(long);
        self.tenant.set_notification_options(options);
    }

    async fn with(options: NotificationOptions) -> Self {
        let fixture = Self::new().await;
        fixture.set_options(options);
        fixture
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        send(&self.tenant, &self.token, method, path, body).await
    }

    /// The body of a subscription that lives this many minutes.
    fn body(&self, resource: &str, minutes: i64) -> Value {
        json!({
            "changeType": "updated,deleted",
            "notificationUrl": self.receiver.url(),
            "resource": resource,
            "expirationDateTime": self.in_minutes(minutes),
            "clientState": "canary-9b1f-state",
        })
    }

    fn in_minutes(&self, minutes: i64) -> String {
        in_minutes(&self.tenant, minutes)
    }

    async fn subscribe(&self, body: &Value) -> Value {
        let created = self.send("POST", "/subscriptions", Some(body)).await;
        assert_eq!(created.status, 201, "{}", created.text);
        created.body
    }

    /// Subscribes with a lifecycle URL too.
    async fn subscribe_with_lifecycle(&self, resource: &str, minutes: i64) -> String {
        let mut body = self.body(resource, minutes);
        body["lifecycleNotificationUrl"] = self.receiver.lifecycle_url().into();
        let created = self.subscribe(&body).await;
        created["id"].as_str().unwrap().to_owned()
    }

    async fn rejected(&self, body: &Value) -> (u16, String, String) {
        let response = self.send("POST", "/subscriptions", Some(body)).await;
        let error = &response.body["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (response.status, text("code"), text("message"))
    }

    fn touch(&self, user: &str, title: &str) {
        let id = self.tenant.user(user).id().to_string();
        self.tenant
            .set_property("users", &id, "jobTitle", title.into())
            .unwrap();
    }

    async fn listed(&self) -> Vec<Value> {
        let listed = self.send("GET", "/subscriptions", None).await;
        assert_eq!(listed.status, 200, "{}", listed.text);
        listed.body["value"].as_array().unwrap().clone()
    }

    fn advance_minutes(&self, minutes: u64) {
        self.tenant
            .clock()
            .advance(Duration::from_secs(60 * minutes));
    }

    async fn renew_token(&mut self) {
        self.token = token(&self.tenant, &self.app).await;
    }
}

fn in_minutes(tenant: &FakeTenant, minutes: i64) -> String {
    use entra_core::Clock as _;
    let time = tenant.clock().now() + entra_core::time::Duration::minutes(minutes);
    let seconds = time.unix_timestamp();
    let time = entra_core::Timestamp::from_unix_timestamp(seconds).unwrap();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

async fn send(
    tenant: &FakeTenant,
    token: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Response {
    let url = format!("{}/v1.0{path}", tenant.uri());
    let request = http()
        .request(method.parse().unwrap(), url)
        .bearer_auth(token);
    fetch(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}
