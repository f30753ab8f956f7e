//! APIs other than Microsoft Graph that the application gets tokens for.

use std::sync::Arc;

use entra_core::{AccessToken, TokenCredential, TokenRequest};

use super::{
    codes,
    directory::Directory,
    finding::{Check, Finding},
    jwt,
    settings::Api,
};

/// Gets a token for another API and judges its version.
pub(super) async fn finding(
    api: &Api,
    credential: &Arc<dyn TokenCredential>,
    directory: &Directory,
) -> Finding {
    if !api.is_identifier() {
        return Finding::error(
            Check::Api,
            "the identifier of an API is neither a URI nor a client id",
        )
        .because("it is neither sent nor repeated, because it may be a secret")
        .fix("Expose an API > copy the Application ID URI")
        .settled();
    }
    let name = &api.identifier;
    let request = TokenRequest::new([format!("{name}/.default")]).with_force_refresh();
    let error = match credential.token(&request).await {
        Ok(token) => return token_version(api, &token),
        Err(error) => error,
    };
    let application = directory.name().unwrap_or("the application").to_owned();
    let finding = match error.code() {
        Some(500_011) => Finding::error(
            Check::Api,
            format!("the API {name} was not found: its name is misspelt, or it has no service principal in this tenant"),
        )
        .fix("Expose an API > compare the Application ID URI; an API of another organization needs consent in this tenant first"),
        Some(650_052) => Finding::error(Check::Api, format!("the API {name} has no service principal in this tenant"))
            .fix("consent to the API once: open its admin consent URL as an administrator"),
        Some(500_014 | 50_001) => Finding::error(Check::Api, format!("the API {name} is disabled in this tenant"))
            .fix("Enterprise applications > the API > Properties > Enabled for users to sign in > Yes"),
        Some(501_051) => Finding::error(
            Check::Assignment,
            format!("assignment missing: application \"{application}\" is not assigned to {name}"),
        )
        .because("the API requires assignment, also of applications")
        .fix("in the API's registration add an app role for applications, then API permissions > add it > Grant admin consent")
        .call("POST /servicePrincipals/{API}/appRoleAssignedTo"),
        _ => Finding::unknown(Check::Api, format!("there is no token for the API {name}"))
            .because(codes::causes(&error)),
    };
    finding.of(&error)
}

fn token_version(api: &Api, token: &AccessToken) -> Finding {
    let name = &api.identifier;
    let Some(claims) = jwt::claims(token.expose_secret()) else {
        return Finding::unknown(Check::Api, format!("the token for {name} cannot be read"));
    };
    let version = match jwt::text(&claims, "ver") {
        "1.0" => 1,
        "2.0" => 2,
        _ => return Finding::unknown(Check::Api, format!("the token for {name} names no version")),
    };
    let issuer = jwt::text(&claims, "iss");
    match api.token_version {
        Some(expected) if expected != version => Finding::error(
            Check::Api,
            format!("token version: {name} gets tokens of version {version}, and accepts version {expected}"),
        )
        .because(format!("the issuer is {issuer}, the audience {}", jwt::list(&claims, "aud").join(" ")))
        .fix(format!(
            "App registrations > the API > Manifest > api.requestedAccessTokenVersion = {}",
            if expected == 2 { "2" } else { "null" }
        ))
        .call("PATCH /applications/{id} {\"api\": {\"requestedAccessTokenVersion\": …}}"),
        _ => Finding::ok(Check::Api, format!("{name} gets tokens of version {version}"))
            .because(format!("the issuer is {issuer}")),
    }
}
