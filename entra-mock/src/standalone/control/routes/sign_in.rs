//! Sign-ins without a browser, tokens without a request, and what they need: devices, federated issuers, managed
//! identities and entries of the log.

use serde_json::{Map, Value, json};
use url::Url;

use super::{
    super::{
        call::Call,
        error::{ControlError, Outcome},
        route::Route,
        schema::{Schema, optional, required},
    },
    shapes::{self, OBJECT, app},
};
use crate::{
    directory::{SeedError, SignInRecord},
    frontend::REAL_NAMES,
    login::{self, Direct, DirectRedirect},
    store::Kind,
};

pub(super) const ROUTES: &[&Route] = &[
    &Route::post(
        "/sign-ins/follow",
        "sign-ins follow",
        "Follows an authorize or admin consent URL as a user who passes multifactor authentication and consents, and returns the redirect.",
        follow,
    )
    .taking(&Schema::Object(&[
        required("url", &Schema::Text, "The URL, as the application under test made it."),
        required("user", &Schema::Text, "The user principal name."),
    ]))
    .with_positional(&["url", "user"])
    .returning(&REDIRECT),
    &Route::post(
        "/tokens",
        "tokens issue",
        "Issues tokens of an application for a user without any request, with a grant for each scope without consent.",
        tokens,
    )
    .taking(&Schema::Object(&[
        required("application", &Schema::Text, "The application, by object id, client id or display name."),
        required("user", &Schema::Text, "The user principal name."),
        required("scopes", &Schema::List(&Schema::Text), "The scopes, such as User.Read and offline_access."),
    ]))
    .with_positional(&["application", "user"])
    .returning(&TOKENS),
    &Route::post("/device-codes/{code}/approve", "device-codes approve", "Approves a device as a user.", |call| {
        complete(call, call.text("user"))
    })
    .taking(&Schema::Object(&[required("user", &Schema::Text, "The user principal name.")]))
    .with_positional(&["user"]),
    &Route::post("/device-codes/{code}/decline", "device-codes decline", "Declines a device.", |call| {
        complete(call, None)
    }),
    &Route::post(
        "/federated-tokens",
        "federated-tokens issue",
        "Issues a token of another identity provider, whose key the tenant trusts from now on. It is valid for ten minutes.",
        federated,
    )
    .taking(&Schema::Object(&[
        required("issuer", &Schema::Text, "The issuer."),
        required("subject", &Schema::Text, "The subject."),
        optional("claims", &Schema::Open(&[]), "More claims, or other values for the usual ones; null removes one."),
    ]))
    .with_positional(&["issuer", "subject"])
    .returning(&Schema::Object(&[required("token", &Schema::Text, "A client assertion.")])),
    &Route::post(
        "/federated-issuers",
        "federated-issuers trust",
        "Trusts these keys as the published keys of another identity provider, in place of those before.",
        |call| {
            let keys = call.body()["keys"].as_array().cloned().unwrap_or_default();
            let issuer = call.text("issuer").unwrap_or_default().to_owned();
            call.engine().write().issuers.insert(issuer, keys);
            Ok(Value::Null)
        },
    )
    .taking(&Schema::Object(&[
        required("issuer", &Schema::Text, "The issuer."),
        required("keys", &Schema::List(&JWK), "The RSA keys of its JWKS."),
    ]))
    .with_positional(&["issuer"]),
    &Route::post(
        "/managed-identities",
        "managed-identities serve",
        "Serves managed identities of these applications as App Service does, and returns the variables for it. The first one is the identity of the host.",
        managed_identities,
    )
    .taking(&Schema::Object(&[required("applications", &Schema::List(&Schema::Text), "The applications.")]))
    .returning(&Schema::Object(&[
        required("IDENTITY_ENDPOINT", &Schema::Text, "The URL of the token endpoint."),
        required("IDENTITY_HEADER", &Schema::Text, "The secret that a process must send."),
    ])),
    &Route::post("/sign-ins", "sign-ins add", "Records an interactive sign-in of a user in the log.", record)
        .taking(&Schema::Object(&[
            required("user", &Schema::Text, "The user, by id or user principal name."),
            required("application", &Schema::Text, "The application, by object id, client id or display name."),
            optional("at", &Schema::Time, "When; now unless set."),
            optional("errorCode", &Schema::Integer, "The AADSTS number of a sign-in that failed."),
        ]))
        .with_positional(&["user", "application"])
        .creating(&OBJECT),
];

const JWK: Schema = Schema::Named(
    "PublishedKey",
    &Schema::Open(&[
        required(
            "kid",
            &Schema::Text,
            "The key id, as in the header of its tokens.",
        ),
        required("n", &Schema::Text, "The modulus in base64url."),
        required("e", &Schema::Text, "The exponent in base64url."),
    ]),
);
const REDIRECT: Schema = Schema::Named(
    "Redirect",
    &Schema::Object(&[
        required(
            "address",
            &Schema::Text,
            "The URL of the redirect or, for a form post, of the form.",
        ),
        required(
            "posted",
            &Schema::Boolean,
            "Whether the parameters are sent as a form.",
        ),
        required("parameters", &Schema::Open(&[]), "The parameters, decoded."),
    ]),
);
const TOKENS: Schema = Schema::Named(
    "Tokens",
    &Schema::Object(&[
        required("accessToken", &Schema::Text, "The access token."),
        optional(
            "refreshToken",
            &Schema::Text,
            "The refresh token, if offline_access was requested.",
        ),
        optional(
            "idToken",
            &Schema::Text,
            "The ID token, if openid was requested.",
        ),
    ]),
);

/// The tenant at an address of it.
fn direct<'a>(call: &'a Call<'_>, base: String) -> Direct<'a> {
    Direct {
        state: call.engine().state(),
        now: call.tenant.now(),
        base,
    }
}

/// Returns the address of the tenant that a URL leads to: that of the request if the URL is relative.
fn address_in(call: &Call<'_>, url: &str) -> Result<String, ControlError> {
    let Ok(url) = Url::parse(url) else {
        return Ok(call.base().to_owned());
    };
    let own = [call.base(), call.tenant.uri.as_str()];
    let mut own = own.iter().filter_map(|own| Url::parse(own).ok());
    let address = url.origin().ascii_serialization();
    if own.any(|own| is_address_of(&own, &url)) {
        return Ok(address);
    }
    let text = format!(
        "the URL leads to {address}, not to the tenant at {}",
        call.base()
    );
    Err(ControlError::invalid("url", &text))
}

/// Whether a URL leads to a server at this address: by the same name, by another name of the same machine, or by a name
/// of Microsoft that a hosts file redirects, where the port is that of HTTPS.
fn is_address_of(own: &Url, url: &Url) -> bool {
    let is_local = |host: &str| ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let (Some(own_host), Some(host)) = (own.host_str(), url.host_str()) else {
        return false;
    };
    let is_redirected =
        url.scheme() == "https" && url.port().is_none() && REAL_NAMES.contains(&host);
    own.scheme() == url.scheme()
        && own.port_or_known_default() == url.port_or_known_default()
        && (own_host == host || is_local(own_host) && is_local(host) || is_redirected)
}

fn follow(call: &Call<'_>) -> Outcome {
    let text = |name: &str| call.text(name).unwrap_or_default();
    let address = address_in(call, text("url"))?;
    match login::follow(&direct(call, address), text("url"), text("user")) {
        Ok(redirected) => Ok(shown(&redirected)),
        Err(page) => Err(ControlError::new(
            409,
            "signInStopped",
            format!("the sign-in of {} ended on a page: {page}", text("user")),
            "correct what the page names, such as the redirect URI, the consent or the account",
        )),
    }
}

fn shown(redirected: &DirectRedirect) -> Value {
    let parameters: Map<String, Value> = redirected
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    json!({ "address": redirected.address, "posted": redirected.posted, "parameters": parameters })
}

fn tokens(call: &Call<'_>) -> Outcome {
    let text = |name: &str| call.text(name).unwrap_or_default();
    let client = app(&call.engine().read(), text("application"))?.app_id;
    let scopes = call.texts("scopes").join(" ");
    let direct = direct(call, call.base().to_owned());
    let tokens = login::tokens_for(&direct, &client, text("user"), &scopes).map_err(|error| {
        let fix =
            "correct what the error names: the user, a scope, an access policy or the assignment";
        ControlError::new(409, "signInRejected", error, fix)
    })?;
    let mut body = json!({ "accessToken": tokens.access_token });
    for (name, token) in [
        ("refreshToken", tokens.refresh_token),
        ("idToken", tokens.id_token),
    ] {
        if let Some(token) = token {
            body[name] = token.into();
        }
    }
    Ok(body)
}

fn complete(call: &Call<'_>, user: Option<&str>) -> Outcome {
    let code = call.parameter("code");
    let direct = direct(call, call.base().to_owned());
    login::decide_device(&direct, code, user).map_err(|error| {
        ControlError::new(
            404,
            "notFound",
            format!("the device with the code {code:?} cannot be decided: {error}"),
            "send the user_code of a devicecode response, and the user principal name of a user who can consent",
        )
    })?;
    Ok(Value::Null)
}

fn federated(call: &Call<'_>) -> Outcome {
    let text = |name: &str| call.text(name).unwrap_or_default();
    let now = call.tenant.now().unix_timestamp();
    let mut token = json!({
        "iss": text("issuer"), "sub": text("subject"), "aud": "api://AzureADTokenExchange",
        "iat": now, "nbf": now, "exp": now + 600,
    });
    for (name, value) in call.body()["claims"].as_object().into_iter().flatten() {
        token[name] = value.clone();
    }
    if let Some(token) = token.as_object_mut() {
        token.retain(|_, value| !value.is_null());
    }
    let issuer = text("issuer").to_owned();
    call.engine()
        .write()
        .issuers
        .insert(issuer, login::published_keys());
    Ok(json!({ "token": login::issue_federated(&token) }))
}

fn managed_identities(call: &Call<'_>) -> Outcome {
    let mut state = call.engine().write();
    let mut identities = Vec::new();
    for name in call.texts("applications") {
        let ids = app(&state, &name)?;
        let resource = login::managed_identity_resource_id(&ids.app_id);
        identities.push([ids.app_id, ids.service_principal_id, resource]);
    }
    state.identities = identities;
    let header = state.random.token(32);
    state.identity_header.clone_from(&header);
    Ok(
        json!({ "IDENTITY_ENDPOINT": format!("{}/msi/token", call.base()), "IDENTITY_HEADER": header }),
    )
}

fn record(call: &Call<'_>) -> Outcome {
    let text = |name: &str| call.text(name).unwrap_or_default();
    let at = call.time("at").unwrap_or_else(|| call.tenant.now());
    let code = call.number("errorCode").unwrap_or_default();
    let Ok(error_code) = u32::try_from(code) else {
        return Err(ControlError::invalid(
            "errorCode",
            "errorCode must be an AADSTS number",
        ));
    };
    let mut state = call.engine().write();
    let user = shapes::id_of(&state, Kind::User, text("user"))?;
    let service_principal = app(&state, text("application"))?.service_principal_id;
    let sign_in = SignInRecord {
        user_id: &user,
        service_principal_id: &service_principal,
        at,
        error_code,
    };
    let id = state.record_sign_in(&sign_in).map_err(SeedError::from)?;
    shapes::get(&state, Kind::SignIn, &id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_several_names_at_its_port() {
        for (own, url, expected) in [
            ("https://localhost:8443", "https://localhost:8443/t", true),
            ("https://localhost:8443", "https://127.0.0.1:8443/t", true),
            ("https://localhost:8443", "https://[::1]:8443/t", true),
            ("https://mock:8443", "https://MOCK:8443/t", true),
            ("https://localhost:443", "https://localhost/t", true),
            (
                "https://localhost:443",
                "https://login.microsoftonline.com/t",
                true,
            ),
            (
                "https://localhost:8443",
                "https://login.microsoftonline.com/t",
                false,
            ),
            ("https://localhost:8443", "https://localhost:8444/t", false),
            ("https://localhost:8443", "http://localhost:8443/t", false),
            ("https://localhost:8443", "https://mock:8443/t", false),
            ("https://localhost:443", "https://evil.example/t", false),
        ] {
            let parse = |text: &str| Url::parse(text).unwrap();
            assert_eq!(
                is_address_of(&parse(own), &parse(url)),
                expected,
                "{own} {url}"
            );
        }
    }
}
