//! Applications: redirect URIs, permissions, consent and credentials.

use serde_json::Value;

use super::{
    View,
    directory::{name_of, text},
    escape,
    page::{self, code, facts, link, table},
};
use crate::{
    state::State,
    store::{Kind, Object},
    time::{TICKS, ticks},
    wire::Reply,
};

pub(super) fn list(view: &View<'_>) -> Reply {
    let rows: Vec<Vec<String>> = {
        let state = view.tenant.engine.read();
        let applications = state.store.all(Kind::Application);
        applications
            .map(|application| {
                let app_id = text(application, "appId");
                let expiry = credentials(view, application)
                    .into_iter()
                    .map(|credential| credential.days)
                    .min();
                vec![
                    link(
                        "/application",
                        "id",
                        app_id,
                        text(application, "displayName"),
                    ),
                    code(app_id),
                    expiry.map_or_else(
                        || "<span class=\"soft\">no credential</span>".to_owned(),
                        days,
                    ),
                ]
            })
            .collect()
    };
    let caption = format!("App registrations: {}", rows.len());
    view.document("Applications")
        .with(&table(
            &caption,
            &["Name", "Client ID", "Next credential expires"],
            &rows,
        ))
        .reply(200)
}

pub(super) fn one(view: &View<'_>) -> Reply {
    let app_id = view.parameter("id");
    let state = view.tenant.engine.read();
    let application = state.store.find(Kind::Application, "appId", app_id);
    let principal = state.store.find(Kind::ServicePrincipal, "appId", app_id);
    let Some(shown) = application.or(principal) else {
        drop(state);
        return view
            .document("Application not found")
            .with(&format!(
                "<p>The tenant has no application {}.</p>",
                code(app_id)
            ))
            .reply(404);
    };
    let name = text(shown, "displayName").to_owned();
    let object_link = |object: Option<&Object>| match object {
        Some(object) => link("/object", "id", text(object, "id"), text(object, "id")),
        None => "<span class=\"soft\">none</span>".to_owned(),
    };
    let about = facts(&[
        ("Client ID", code(app_id)),
        ("App registration", object_link(application)),
        ("Enterprise application", object_link(principal)),
    ]);
    let redirects: Vec<String> = [
        ("web", "web"),
        ("spa", "single-page"),
        ("publicClient", "public client"),
    ]
    .iter()
    .flat_map(|(property, platform)| {
        let uris = application.and_then(|app| app.get(property)?.get("redirectUris")?.as_array());
        let uris = uris.into_iter().flatten().filter_map(Value::as_str);
        uris.map(move |uri| format!("{} ({platform})", code(uri)))
            .collect::<Vec<_>>()
    })
    .collect();
    let requested = application
        .map(|app| requested(&state, app))
        .unwrap_or_default();
    let (roles, consent) = principal
        .map(|principal| granted(&state, principal))
        .unwrap_or_default();
    let credentials: Vec<Vec<String>> = [application, principal]
        .into_iter()
        .flatten()
        .flat_map(|object| credentials(view, object))
        .map(|credential| {
            vec![
                credential.kind.to_owned(),
                escape(&credential.name),
                code(&credential.id),
                days(credential.days),
            ]
        })
        .collect();
    drop(state);
    view.document(&name)
        .with(&about)
        .with("<h2>Redirect URIs</h2>")
        .with(&page::list(&redirects))
        .with("<h2>Requested permissions</h2>")
        .with(&page::list(&requested))
        .with("<h2>Granted application permissions</h2>")
        .with(&page::list(&roles))
        .with("<h2>Consent to delegated permissions</h2>")
        .with(&page::list(&consent))
        .with("<h2>Credentials</h2>")
        .with(&table(
            "Values are never shown",
            &["Type", "Name", "Id", "Expires"],
            &credentials,
        ))
        .reply(200)
}

/// The permissions that a registration asks for, by name.
fn requested(state: &State, application: &Object) -> Vec<String> {
    let access = application
        .get("requiredResourceAccess")
        .and_then(Value::as_array);
    let mut names = Vec::new();
    for resource in access.into_iter().flatten() {
        let api = state.store.find(
            Kind::ServicePrincipal,
            "appId",
            resource["resourceAppId"].as_str().unwrap_or_default(),
        );
        for item in resource["resourceAccess"].as_array().into_iter().flatten() {
            let id = item["id"].as_str().unwrap_or_default();
            let (list, kind) = match item["type"].as_str() {
                Some("Role") => ("appRoles", "application"),
                _ => ("oauth2PermissionScopes", "delegated"),
            };
            let name = api.and_then(|api| permission(api, list, id));
            names.push(format!("{} ({kind})", escape(name.unwrap_or(id))));
        }
    }
    names.sort_unstable();
    names
}

fn permission<'o>(api: &'o Object, list: &str, id: &str) -> Option<&'o str> {
    let mut items = api.get(list)?.as_array()?.iter();
    items.find(|item| item["id"] == id)?.get("value")?.as_str()
}

/// The application permissions, and the consents to delegated ones, of an enterprise application.
fn granted(state: &State, principal: &Object) -> (Vec<String>, Vec<String>) {
    let id = text(principal, "id");
    let mut roles: Vec<String> = state
        .store
        .assignments_of(id)
        .map(|assignment| {
            let api = state
                .store
                .get(Kind::ServicePrincipal, text(assignment, "resourceId"));
            let role = text(assignment, "appRoleId");
            let name = api
                .and_then(|api| permission(api, "appRoles", role))
                .unwrap_or(role);
            format!(
                "{} of {}",
                escape(name),
                escape(api.map_or("an unknown API", |api| text(api, "displayName")))
            )
        })
        .collect();
    roles.sort_unstable();
    let consents = state
        .store
        .all(Kind::OAuth2PermissionGrant)
        .filter(|grant| text(grant, "clientId") == id)
        .map(|grant| {
            let user = match text(grant, "principalId") {
                "" => "all users".to_owned(),
                user => name_of(state, user),
            };
            format!(
                "{} for {}",
                escape(text(grant, "scope").trim()),
                escape(&user)
            )
        });
    (roles, consents.collect())
}

struct Credential {
    kind: &'static str,
    name: String,
    id: String,
    /// Days until it expires; negative if it has expired.
    days: i64,
}

fn credentials(view: &View<'_>, object: &Object) -> Vec<Credential> {
    let now = view.now.unix_timestamp();
    let of = |property: &str, kind: &'static str| -> Vec<Credential> {
        let items = object.get(property).and_then(Value::as_array);
        let items = items.into_iter().flatten();
        items
            .filter_map(|item| {
                let end = ticks(item["endDateTime"].as_str()?)? / TICKS;
                Some(Credential {
                    kind,
                    name: item["displayName"]
                        .as_str()
                        .unwrap_or("without a name")
                        .to_owned(),
                    id: item["keyId"].as_str().unwrap_or_default().to_owned(),
                    days: (end - now).div_euclid(86_400),
                })
            })
            .collect()
    };
    let mut all = of("passwordCredentials", "secret");
    all.extend(of("keyCredentials", "certificate"));
    all
}

fn days(days: i64) -> String {
    match days {
        ..0 => "<span class=\"bad\">expired</span>".to_owned(),
        0..30 => format!("<span class=\"warn\">in {days} days</span>"),
        _ => format!("in {days} days"),
    }
}
