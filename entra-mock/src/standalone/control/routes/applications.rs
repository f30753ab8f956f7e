//! Applications: registration, credentials, and what they expose.

use std::time::Duration;

use entra_core::{Secret, Timestamp};
use serde_json::{Value, json};

use super::{
    super::{
        call::Call,
        error::{ControlError, Outcome},
        route::Route,
        schema::{Schema, optional, required},
    },
    access::{grant_role, grant_scope},
    shapes::{self, OBJECT, OBJECTS, PROPERTIES, app},
};
use crate::{
    directory::{AppIds, GRAPH_APP_ID, SeedError},
    keys,
    login::{self, Certificate},
    schema::APPLICATION_OF,
    state::State,
    store::{Kind, Object},
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::get("/applications", "applications list", "Lists the applications.", &OBJECTS, |call| {
        Ok(shapes::list(&call.engine().read(), Kind::Application))
    }),
    &Route::post(
        "/applications",
        "applications add",
        "Registers an application with its service principal. Every property of an application in Microsoft Graph can be set.",
        add,
    )
    .taking(&NEW_APPLICATION)
    .with_positional(&["displayName"])
    .creating(&REGISTERED),
    &Route::get(
        "/applications/{application}",
        "applications get",
        "Returns an application, by object id, client id or display name.",
        &OBJECT,
        |call| {
            let state = call.engine().read();
            let ids = app(&state, call.parameter("application"))?;
            shapes::get(&state, Kind::Application, &ids.object_id)
        },
    ),
    &Route::patch(
        "/applications/{application}",
        "applications set",
        "Sets properties of an application. Null removes one.",
        change,
    )
    .taking(&PROPERTIES)
    .returning(&OBJECT),
    &Route::delete(
        "/applications/{application}",
        "applications remove",
        "Deletes an application with its service principal.",
        remove,
    ),
    &Route::post("/applications/{application}/secrets", "secrets add", "Adds a client secret.", |call| {
        let validity = call.duration("validFor").unwrap_or(SECRET_VALIDITY);
        let now = call.tenant.now();
        let mut state = call.engine().write();
        let ids = app(&state, call.parameter("application"))?;
        let secret = state.add_secret(now, &ids.object_id, validity);
        Ok(json!({ "secret": secret.expose_secret() }))
    })
    .taking(&NEW_SECRET)
    .with_positional(&["validFor"])
    .creating(&SECRET),
    &Route::delete(
        "/applications/{application}/secrets",
        "secrets clear",
        "Removes all client secrets. Tokens issued before remain valid.",
        |call| {
            update(call, |application| {
                application.remove("passwordCredentials");
                application.remove("~secrets");
            })
        },
    ),
    &Route::post(
        "/applications/{application}/certificates",
        "certificates add",
        "Registers a certificate in PEM. A private key in it is ignored.",
        add_certificate,
    )
    .taking(&CERTIFICATE)
    .with_positional(&["certificate"]),
    &Route::delete(
        "/applications/{application}/certificates",
        "certificates clear",
        "Removes all certificates. Tokens issued before remain valid.",
        |call| update(call, login::remove_all),
    ),
    &Route::post(
        "/applications/{application}/certificates/revoke",
        "certificates revoke",
        "Marks all certificates as revoked by their issuer. They stay registered.",
        |call| update(call, login::revoke_all),
    ),
    &Route::get(
        "/test-certificate",
        "certificates test",
        "Returns the certificate and the private key of a fixed test pair, which are public in the source of entra-mock.",
        &Schema::Object(&[required("pem", &Schema::Text, "Key and certificate in PEM.")]),
        |_| Ok(json!({ "pem": keys::client_pem() })),
    ),
    &Route::post(
        "/applications/{application}/federated-credentials",
        "federated-credentials add",
        "Trusts tokens of another issuer with this subject.",
        add_federated,
    )
    .taking(&FEDERATED)
    .with_positional(&["issuer", "subject"]),
    &Route::post(
        "/applications/{application}/identifier-uris",
        "identifier-uris add",
        "Adds an Application ID URI, such as the URL of an MCP server.",
        |call| {
            let mut state = call.engine().write();
            let ids = app(&state, call.parameter("application"))?;
            state.add_identifier_uri(&ids, call.text("uri").unwrap_or_default());
            Ok(Value::Null)
        },
    )
    .taking(&Schema::Object(&[required("uri", &Schema::Text, "The URI.")]))
    .with_positional(&["uri"]),
    &Route::post(
        "/applications/{application}/scopes",
        "scopes add",
        "Exposes a scope of the application as an API, under api://{client id}.",
        |call| {
            let mut state = call.engine().write();
            let ids = app(&state, call.parameter("application"))?;
            state.expose_scope(&ids, call.text("name").unwrap_or_default());
            Ok(Value::Null)
        },
    )
    .taking(&NAME)
    .with_positional(&["name"]),
    &Route::post(
        "/applications/{application}/app-roles",
        "app-roles add",
        "Adds an app role for applications and users.",
        |call| {
            let mut state = call.engine().write();
            let ids = app(&state, call.parameter("application"))?;
            state.expose_app_role(&ids, call.text("name").unwrap_or_default());
            Ok(Value::Null)
        },
    )
    .taking(&NAME)
    .with_positional(&["name"]),
    &Route::post(
        "/applications/{application}/disable",
        "applications disable",
        "Disables the service principal, so that it gets no more tokens.",
        |call| set_enabled(call, false),
    ),
    &Route::post(
        "/applications/{application}/enable",
        "applications enable",
        "Enables the service principal again.",
        |call| set_enabled(call, true),
    ),
];

const NEW_APPLICATION: Schema = Schema::Named(
    "NewApplication",
    &Schema::Open(&[
        required("displayName", &Schema::Text, "The name."),
        optional(
            "secret",
            &Schema::Boolean,
            "Whether it gets a client secret.",
        ),
        optional(
            "redirectUris",
            &Schema::List(&Schema::Text),
            "Redirect URIs of a web application.",
        ),
        optional(
            "publicRedirectUris",
            &Schema::List(&Schema::Text),
            "Redirect URIs of a mobile or desktop application.",
        ),
        optional(
            "spaRedirectUris",
            &Schema::List(&Schema::Text),
            "Redirect URIs of a single-page application.",
        ),
        optional(
            "applicationPermissions",
            &Schema::List(&Schema::Text),
            "Application permissions of Microsoft Graph, with admin consent.",
        ),
        optional(
            "delegatedPermissions",
            &Schema::List(&Schema::Text),
            "Delegated permissions of Microsoft Graph, with admin consent.",
        ),
    ]),
);
const REGISTERED: Schema = Schema::Named(
    "RegisteredApplication",
    &Schema::Object(&[
        required("id", &Schema::Text, "The object id."),
        required("appId", &Schema::Text, "The client id."),
        required(
            "servicePrincipalId",
            &Schema::Text,
            "The object id of the service principal.",
        ),
        optional(
            "secret",
            &Schema::Text,
            "The client secret, if one was wanted.",
        ),
        required("application", &OBJECT, "The application."),
    ]),
);
const NEW_SECRET: Schema = Schema::Object(&[optional(
    "validFor",
    &Schema::Duration,
    "How long it is valid; 180 days unless set.",
)]);
const SECRET: Schema = Schema::Object(&[required("secret", &Schema::Text, "The client secret.")]);
const CERTIFICATE: Schema = Schema::Object(&[required(
    "certificate",
    &Schema::Text,
    "An X.509 certificate with an RSA key.",
)]);
const FEDERATED: Schema = Schema::Object(&[
    required("issuer", &Schema::Text, "The issuer."),
    required("subject", &Schema::Text, "The subject of its tokens."),
    optional(
        "audience",
        &Schema::Text,
        "The audience; api://AzureADTokenExchange unless set.",
    ),
]);
const NAME: Schema = Schema::Object(&[required("name", &Schema::Text, "The name, as in a token.")]);
const OWN_FIELDS: [&str; 7] = [
    "displayName",
    "secret",
    "redirectUris",
    "publicRedirectUris",
    "spaRedirectUris",
    "applicationPermissions",
    "delegatedPermissions",
];
const SECRET_VALIDITY: Duration = Duration::from_secs(180 * 24 * 3600);

fn add(call: &Call<'_>) -> Outcome {
    let now = call.tenant.now();
    let mut state = call.engine().write();
    let name = call.text("displayName").unwrap_or_default();
    let ids = state.add_app(now, name).map_err(SeedError::from)?;
    match complete(&mut state, call, &ids, now) {
        Ok(body) => Ok(body),
        Err(error) => {
            delete(&mut state, &ids);
            Err(error)
        }
    }
}

/// Gives a new application everything that the request asks for.
fn complete(state: &mut State, call: &Call<'_>, ids: &AppIds, now: Timestamp) -> Outcome {
    state.set_unrestricted(
        Kind::Application,
        &ids.object_id,
        call.properties_except(&OWN_FIELDS),
    )?;
    for (field, platform) in [
        ("redirectUris", "web"),
        ("publicRedirectUris", "publicClient"),
        ("spaRedirectUris", "spa"),
    ] {
        let addresses = call.texts(field);
        if !addresses.is_empty() {
            state.update_application(&ids.object_id, |application| {
                application[platform]["redirectUris"] = json!(addresses);
            });
        }
    }
    for permission in call.texts("applicationPermissions") {
        grant_role(
            state,
            now,
            &ids.service_principal_id,
            GRAPH_APP_ID,
            &permission,
        )?;
    }
    for permission in call.texts("delegatedPermissions") {
        grant_scope(
            state,
            &ids.service_principal_id,
            GRAPH_APP_ID,
            &permission,
            None,
        )?;
    }
    let secret = (call.flag("secret") == Some(true))
        .then(|| state.add_secret(now, &ids.object_id, SECRET_VALIDITY));
    // The body can have a client id of its own.
    let app_id = app(state, &ids.object_id)?.app_id;
    let mut body = json!({
        "id": ids.object_id, "appId": app_id, "servicePrincipalId": ids.service_principal_id,
        "application": shapes::get(state, Kind::Application, &ids.object_id)?,
    });
    if let Some(secret) = secret.as_ref().map(Secret::expose_secret) {
        body["secret"] = secret.into();
    }
    Ok(body)
}

fn change(call: &Call<'_>) -> Outcome {
    let mut state = call.engine().write();
    let ids = app(&state, call.parameter("application"))?;
    state.set_unrestricted(
        Kind::Application,
        &ids.object_id,
        call.properties_except(&[]),
    )?;
    shapes::get(&state, Kind::Application, &ids.object_id)
}

fn remove(call: &Call<'_>) -> Outcome {
    let mut state = call.engine().write();
    let ids = app(&state, call.parameter("application"))?;
    delete(&mut state, &ids);
    Ok(Value::Null)
}

fn delete(state: &mut State, ids: &AppIds) {
    state
        .store
        .remove(Kind::ServicePrincipal, &ids.service_principal_id);
    state.store.remove(Kind::Application, &ids.object_id);
}

fn update(call: &Call<'_>, change: impl FnOnce(&mut Object)) -> Outcome {
    let mut state = call.engine().write();
    let ids = app(&state, call.parameter("application"))?;
    state
        .store
        .update(Kind::Application, &ids.object_id, change);
    Ok(Value::Null)
}

fn set_enabled(call: &Call<'_>, enabled: bool) -> Outcome {
    let mut state = call.engine().write();
    let ids = app(&state, call.parameter("application"))?;
    state.store.update(
        Kind::ServicePrincipal,
        &ids.service_principal_id,
        |principal| {
            principal.insert("accountEnabled".to_owned(), enabled.into());
        },
    );
    Ok(Value::Null)
}

fn add_certificate(call: &Call<'_>) -> Outcome {
    let pem = call.text("certificate").unwrap_or_default();
    let Some(certificate) = Certificate::read(pem.as_bytes()) else {
        return Err(ControlError::new(
            400,
            "invalidCertificate",
            "the text has no X.509 certificate with an RSA key",
            "send the certificate in PEM, from BEGIN CERTIFICATE to END CERTIFICATE",
        ));
    };
    let mut state = call.engine().write();
    let ids = app(&state, call.parameter("application"))?;
    state.add_certificate(&ids.object_id, &certificate);
    Ok(Value::Null)
}

fn add_federated(call: &Call<'_>) -> Outcome {
    let text = |name: &str| call.text(name).unwrap_or_default().to_owned();
    let audience = call
        .text("audience")
        .unwrap_or("api://AzureADTokenExchange");
    let mut state = call.engine().write();
    let ids = app(&state, call.parameter("application"))?;
    let id = state.new_id();
    let credential = crate::directory::object([
        ("id", id.clone().into()),
        ("name", id.into()),
        ("issuer", text("issuer").into()),
        ("subject", text("subject").into()),
        ("audiences", json!([audience])),
        (APPLICATION_OF, ids.object_id.into()),
    ]);
    state
        .store
        .insert(Kind::FederatedCredential, credential)
        .map_err(SeedError::from)?;
    Ok(Value::Null)
}
