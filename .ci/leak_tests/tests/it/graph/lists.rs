//! Lists, changes, requests and responses.

use entra_core::{
    ScriptedTransport, StaticCredential,
    http::{HeaderValue, Method, header},
};
use entra_graph::{
    Application, GraphClient, NewApplication, NewUser, User, types::PasswordProfile,
};

use super::ID;
use crate::shown::{Shown, behind_proxy, canary_text};

/// Links with secrets of their own, and bodies that no log may have.
pub(super) async fn cases(shown: &Shown) {
    let credential = || StaticCredential::new(&canary_text("graph-token"));
    let builder = GraphClient::builder(credential()).transport(behind_proxy());
    shown.debug(&builder);
    shown.debug(&builder.build().unwrap());
    let next = format!(
        r#"{{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken={}"}}"#,
        canary_text("next-link")
    );
    let echo = format!(
        r#"{{"error":{{"code":"Request_BadRequest","message":"no"}},"extra":"{}"}}"#,
        canary_text("body")
    );
    let transport = ScriptedTransport::new()
        .then(200, &[], next)
        .then(400, &[], echo);
    let graph = GraphClient::builder(credential())
        .transport(transport)
        .build()
        .unwrap();
    let list = graph.users().list();
    shown.debug(&list);
    let mut pages = list.pages();
    shown.debug(&pages);
    let page = pages.try_next().await.unwrap().unwrap();
    shown.debug(&page);
    shown.debug(&pages.resume_token().unwrap());
    let state = format!(
        r#"{{"value":[],"@odata.deltaLink":"https://graph.microsoft.com/v1.0/users/delta?$deltatoken={}"}}"#,
        canary_text("delta-link")
    );
    let delta = GraphClient::builder(credential())
        .transport(ScriptedTransport::new().then(200, &[], state))
        .build()
        .unwrap()
        .users()
        .delta();
    shown.debug(&delta);
    let mut changes = delta.changes();
    shown.debug(&changes);
    assert!(changes.try_next().await.unwrap().is_none());
    shown.debug(&changes);
    shown.debug(&changes.state().unwrap());
    let get = graph.user(ID).get().select(User::DISPLAY_NAME);
    shown.debug(&get);
    shown.error(&get.send().await.unwrap_err());
    values(shown, &graph).await;
    super::notifications::cases(shown, &graph).await;
}

/// Requests with passwords and other values, alone and in batches, and responses as they came.
async fn values(shown: &Shown, graph: &GraphClient) {
    let password = canary_text("password");
    let profile = PasswordProfile::new(password.as_str());
    shown.debug(&profile);
    let user = NewUser::new("Adele", "adele@contoso.com", "adele", profile);
    shown.debug(&user);
    let create = graph.users().create(user);
    shown.debug(&create);
    shown.debug(&graph.users());
    shown.debug(&graph.user(ID));
    shown.debug(&graph.users().count());
    shown.debug(&graph.users().list().items());
    shown.debug(&graph.user(ID).get().settled());
    let update = graph
        .user(ID)
        .update()
        .set(User::DISPLAY_NAME, password.as_str());
    shown.debug(&update);
    let upsert = graph.application(ID).upsert(NewApplication::new(&password));
    shown.debug(&upsert);
    let mut batch = graph.batch();
    let entry = batch.add(create);
    shown.debug(&entry);
    shown.debug(&batch);
    let responses = format!(
        r#"{{"responses":[{{"id":"0","status":201,"body":{{"id":"{ID}","passwordProfile":{{"password":"{password}"}}}}}}]}}"#
    );
    let graph = scripted(ScriptedTransport::new().then(200, &[], responses));
    let mut batch = graph.batch();
    let entry = batch.add(graph.user(ID).get());
    let responses = batch.send().await.unwrap();
    shown.debug(&responses);
    shown.debug(&responses.get(entry).unwrap());

    let body = canary_text("raw-body");
    let echo = ScriptedTransport::new().then(200, &[("set-cookie", &body)], body.clone());
    let graph = scripted(echo);
    let raw = graph
        .raw(Method::POST, "/users")
        .query("key", canary_text("raw-query"))
        .header(header::COOKIE, HeaderValue::from_str(&body).unwrap())
        .body(HeaderValue::from_static("text/plain"), body);
    shown.debug(&raw);
    shown.debug(&raw.send().await.unwrap());
    shown.debug(&Application::PASSWORD_CREDENTIALS);
}

fn scripted(transport: ScriptedTransport) -> GraphClient {
    GraphClient::builder(StaticCredential::new(&canary_text("graph-token")))
        .transport(transport)
        .build()
        .unwrap()
}
