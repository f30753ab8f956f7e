//! The types of entra-mock.

use entra_auth::ClientSecretCredential;
use entra_core::{
    HttpTransport as _, ReqwestTransport, TokenCredential, TokenRequest, bytes::Bytes, http,
};
use entra_mock::{
    AccessPolicy, ControlClient, DeltaOddities, FakeTenant, Fault, NotificationOptions, Scenario,
    Server,
};
use serde_json::json;

use crate::{
    Reason,
    shown::{Shown, canary, canary_text},
};

pub(crate) const WITHOUT_CASE: &[Reason] = &[(
    "ServerError",
    "an operation of the server's own files and sockets, which have no secrets in their names",
)];

pub(crate) async fn cases(shown: &Shown) {
    shown.debug(&FakeTenant::builder());
    // A seed of its own: the ids that these handles show are session ids of the other tenant otherwise.
    let tenant = FakeTenant::builder().random_seed(2).start().await;
    let app = tenant
        .register_app("Shop")
        .redirect_uri("https://shop.example/callback")
        .delegated_permission("User.Read")
        .with_secret();
    shown.secret(app.secret().expose_secret());
    let user = tenant.user("adele@contoso.com");
    user.set_password(&canary("password"));
    shown.debug(&user);
    shown.debug(&app);
    shown.debug(&tenant.add_group("Staff"));
    shown.debug(&tenant.add_contact("Robin", "robin@fabrikam.example"));
    shown.debug(&tenant.add_device("Laptop", Some(user.id())));
    shown.debug(&tenant.add_sign_in(user.id(), app.client_id()));
    let policy = AccessPolicy::block().user(&tenant.user("clara@contoso.com"));
    shown.debug(&policy);
    shown.debug(&tenant.add_access_policy(policy));
    let agent = tenant.add_agent_identity(&app, "Agent");
    shown.debug(&agent);
    shown.debug(&tenant.add_agent_user(&agent, "Agent user"));
    let tokens = tenant.tokens_for(&app, "adele@contoso.com", ["User.Read", "offline_access"]);
    shown.secret(tokens.access_token().expose_secret());
    if let Some(token) = tokens.refresh_token() {
        shown.secret(token.expose_secret());
    }
    shown.debug(&tokens);
    let authorize = format!(
        "{}/oauth2/v2.0/authorize?client_id={}&response_type=code&scope=openid%20User.Read&redirect_uri=https%3A%2F%2Fshop.example%2Fcallback&state=canary-zyx-state-of-the-flow",
        tenant
            .cloud()
            .authority()
            .join(&tenant.id().to_string())
            .unwrap(),
        app.client_id(),
    );
    let back = tenant.sign_in_at(&authorize, "adele@contoso.com");
    shown.secret(&back.parameter("code").unwrap());
    shown.debug(&back);
    shown.error(
        &tenant
            .try_sign_in_at(&authorize, "unknown@contoso.com")
            .unwrap_err(),
    );
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let scope = TokenRequest::new([tenant.cloud().graph_scope()]);
    let token = credential.token(&scope).await.unwrap();
    shown.secret(token.expose_secret());
    shown.debug(&tenant.requests());
    shown.debug(tenant.requests().iter().next().unwrap());
    shown.display(&tenant.requests().needed_permissions());
    let exposing = format!(
        "{}/v1.0/users?access_token={}",
        tenant.uri(),
        canary_text("url")
    );
    let exposing = http::Request::get(exposing).body(Bytes::new()).unwrap();
    ReqwestTransport::default().send(exposing).await.unwrap();
    let findings = tenant.findings();
    shown.display(&findings);
    let finding = findings
        .iter()
        .find(|finding| finding.rule == "secret-in-url")
        .unwrap();
    shown.debug(finding);
    shown.display(&finding.requests[0]);
    shown.debug(&finding.severity);
    shown.debug(&findings.to_json());
    shown.debug(&findings.to_sarif());
    let password = json!({ "displayName": 7, "noSuchProperty": "canary-zyx-2", "passwordProfile": { "password": "canary-zyx-1" } });
    shown.error(&tenant.insert("users", password).unwrap_err());
    shown.debug(&DeltaOddities::all());
    shown.debug(&NotificationOptions::documented());
    shown.debug(&tenant.deliver_due_notifications().await);
    let password = canary("scenario-password");
    let users = format!(
        "users: [{{ name: a, displayName: A, password: '{}' }}]",
        password.expose_secret()
    );
    shown.debug(&Scenario::from_yaml(&users).unwrap());
    let wrong = format!("{users}\nplanets: 1");
    shown.error(&Scenario::from_yaml(&wrong).unwrap_err());
    let fault = Fault::on("/users");
    shown.debug(&fault);
    shown.debug(&fault.status(503));
    shown.debug(&tenant.responder());
    shown.debug(&tenant);
    let server = Server::builder().port(0);
    shown.debug(&server);
    let server = server.start().await.unwrap();
    shown.debug(&server);
    let token = server.control_token().clone();
    shown.secret(token.expose_secret());
    let client = ControlClient::new(&server.control_uri(), token).unwrap();
    shown.debug(&client);
    // The password is a field of the command, so that an error could repeat it.
    let words = ["users", "password", "unknown", "canary-zyx-password"].map(str::to_owned);
    shown.error(&client.run(&words).await.unwrap_err());
    server.stop().await;
}
