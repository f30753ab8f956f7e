//! Delegated permissions: whether users or an administrator consented to them.

use entra_core::Guid;

use super::{
    covering::{Kind, narrowest},
    directory::{Directory, Known},
    finding::{Check, Finding},
    permissions::is_named,
};
use crate::{
    client::GraphClient,
    error::Error,
    key::{Key, is_graph},
    objects::{OAuth2PermissionGrant, ServicePrincipal, User},
};

/// The delegated permissions that the product needs.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) scopes: Vec<Scope<'a>>,
    /// The product identifies users by `sub`, not by `oid`.
    pub(super) by_sub: bool,
    /// The users of the product that the test was given.
    pub(super) users: &'a [String],
}

/// A delegated permission as a product requests it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    text: &'a str,
    /// The API, if it is another one than Microsoft Graph.
    api: Option<&'a str>,
    name: &'a str,
}

impl<'a> Scope<'a> {
    /// Reads `User.Read`, the same after the root of Graph (the one of the cloud is given), and `api://…/Name`.
    pub(super) fn read(text: &'a str, graph: &str) -> Self {
        let Some((api, name)) = text.rsplit_once('/') else {
            return Self {
                text,
                api: None,
                name: text,
            };
        };
        let plain = |uri: &str| uri.trim_end_matches('/').to_ascii_lowercase();
        let is_graph = is_graph(api) || plain(graph) == plain(api);
        Self {
            text,
            api: (!is_graph).then_some(api),
            name,
        }
    }

    /// The name of a permission of Microsoft Graph without the root; one of another API as it is.
    pub(super) fn without_root(text: &'a str, graph: &str) -> &'a str {
        let scope = Self::read(text, graph);
        match scope.api {
            None => scope.name,
            Some(_) => text,
        }
    }

    /// Whether it is this permission of Microsoft Graph.
    pub(super) fn is_of_graph(&self, name: &str) -> bool {
        self.api.is_none() && self.name.eq_ignore_ascii_case(name)
    }
}

/// Checks the delegated permissions that the product needs.
pub(super) async fn findings(
    wanted: &Wanted<'_>,
    reader: Option<&GraphClient>,
    directory: &Directory,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let requests = |name: &str| wanted.scopes.iter().any(|scope| scope.is_of_graph(name));
    if !wanted.by_sub && requests("openid") {
        findings.extend(object_id(requests("profile"), directory));
    }
    let mut apis = Apis {
        reader,
        known: Vec::new(),
    };
    for scope in &wanted.scopes {
        if !IDENTITY.iter().any(|name| scope.is_of_graph(name)) {
            findings.push(consent(scope, wanted.users, &mut apis, directory).await);
        }
    }
    findings
}

/// The APIs of the scopes, each looked up once.
struct Apis<'r> {
    reader: Option<&'r GraphClient>,
    known: Vec<(String, Known<ServicePrincipal>)>,
}

impl Apis<'_> {
    async fn find(&mut self, identifier: &str) -> &Known<ServicePrincipal> {
        let name = identifier.trim_end_matches('/');
        let at = match self.known.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                let api = api(name, self.reader).await;
                self.known.push((name.to_owned(), api));
                self.known.len() - 1
            }
        };
        &self.known[at].1
    }
}

/// What keeps the object id of the user out of ID tokens.
fn object_id(requests_profile: bool, directory: &Directory) -> Option<Finding> {
    let portal = "API permissions > Add a permission > Microsoft Graph > Delegated permissions > OpenId permissions > profile, then Grant admin consent";
    if !requests_profile {
        return Some(
            Finding::error(
                Check::Claims,
                "ID tokens have no oid: the scope profile is not requested",
            )
            .because("Entra adds oid, name and preferred_username to an ID token only with the scope profile, and without oid the product cannot identify a user")
            .fix(format!("request the scopes openid and profile together; {portal}")),
        );
    }
    // A sign-in that requests the registered permissions (`.default`) gets what is granted, and no more.
    let (Known::Yes(consents), Known::Yes(graph)) = (&directory.consents, &directory.graph) else {
        return None;
    };
    let granted = Granted::of(graph, consents);
    (granted.for_all("openid") && !granted.for_all("profile")).then(|| {
        Finding::warning(
            Check::Claims,
            "admin consent has openid without profile: ID tokens have no oid until users consent to profile themselves",
        )
        .because("with the scope .default a token has only what is granted; where users may not consent, the sign-in stops with AADSTS90094")
        .fix(portal)
        .call("PATCH /oauth2PermissionGrants/{id} {\"scope\": \"openid profile …\"}")
    })
}

async fn consent(
    scope: &Scope<'_>,
    users: &[String],
    apis: &mut Apis<'_>,
    directory: &Directory,
) -> Finding {
    let need = scope.text;
    let reader = apis.reader;
    let unknown = |why: &str| {
        Finding::unknown(
            Check::Consent,
            format!("it is not known whether users or an administrator consented to {need}"),
        )
        .because(why)
    };
    if scope.name == ".default" {
        return unknown(
            "it stands for all permissions that the registration lists; name those that the product needs",
        );
    }
    let may_not_read = "the test may not read the grants of delegated permissions";
    let Known::Yes(consents) = &directory.consents else {
        return unknown(may_not_read);
    };
    let Some(identifier) = scope.api else {
        let Known::Yes(graph) = &directory.graph else {
            return unknown(may_not_read);
        };
        let granted = Granted::of(graph, consents);
        return judge(scope, &granted, users, reader).await;
    };
    match apis.find(identifier).await {
        Known::Yes(api) => {
            let granted = Granted::of(api, consents);
            judge(scope, &granted, users, reader).await
        }
        Known::No => Finding::error(
            Check::Api,
            format!("the API {identifier} was not found: its name is misspelt, or it has no service principal in this tenant"),
        )
        .because(format!("the product requests {need}"))
        .fix("Expose an API > compare the Application ID URI; an API of another organization needs consent in this tenant first"),
        Known::Unknown(why) => unknown(why),
    }
}

/// The service principal of an API, by its client id or Application ID URI without a slash at its end. Some APIs have a
/// URI with the slash, which a scope does not show: `https://management.azure.com/user_impersonation`.
async fn api(identifier: &str, reader: Option<&GraphClient>) -> Known<ServicePrincipal> {
    let Some(reader) = reader else {
        return Known::Unknown("there is no token to read the API with".to_owned());
    };
    let properties = (
        ServicePrincipal::APP_ID,
        ServicePrincipal::OAUTH2_PERMISSION_SCOPES,
    );
    if let Ok(client_id) = identifier.parse::<Guid>() {
        let api = reader.service_principal(Key::app_id(client_id.to_string()));
        return api.get().select(properties).send_opt().await.into();
    }
    for name in [identifier.to_owned(), format!("{identifier}/")] {
        let named = reader
            .service_principals()
            .list()
            .filter(ServicePrincipal::SERVICE_PRINCIPAL_NAMES.any(|one| one.eq(name.as_str())))
            .select(properties.clone());
        let named: Result<Vec<ServicePrincipal>, Error> = named.items().try_collect().await;
        match named {
            Ok(mut named) => match (named.pop(), named.is_empty()) {
                (Some(api), true) => return Known::Yes(api),
                (None, _) => {}
                (Some(_), false) => {
                    return Known::Unknown(format!("several APIs are called {name}"));
                }
            },
            Err(error) => return Known::Unknown(error.to_string()),
        }
    }
    Known::No
}

/// What an application is granted of one API.
#[derive(Debug)]
struct Granted<'a> {
    api: &'a ServicePrincipal,
    grants: Vec<&'a OAuth2PermissionGrant>,
}

impl<'a> Granted<'a> {
    fn of(api: &'a ServicePrincipal, consents: &'a [OAuth2PermissionGrant]) -> Self {
        let own = consents
            .iter()
            .filter(|grant| grant.resource_id.as_deref() == Some(api.id.as_str()));
        Self {
            api,
            grants: own.collect(),
        }
    }

    fn of_type(&self, kind: &'static str) -> impl Iterator<Item = &'a OAuth2PermissionGrant> {
        let grants = self.grants.iter().copied();
        grants.filter(move |grant| grant.consent_type.as_deref() == Some(kind))
    }

    /// The permissions that an administrator granted for all users.
    fn names_for_all(&self) -> Vec<String> {
        self.of_type("AllPrincipals")
            .flat_map(OAuth2PermissionGrant::scopes)
            .map(str::to_owned)
            .collect()
    }

    fn for_all(&self, name: &str) -> bool {
        self.of_type("AllPrincipals").any(|grant| has(grant, name))
    }

    /// The object ids of the users, if it is granted for single users only.
    fn single_users(&self, name: &str) -> Vec<&'a str> {
        self.of_type("Principal")
            .filter(|grant| has(grant, name))
            .filter_map(|grant| grant.principal_id.as_deref())
            .collect()
    }
}

fn has(grant: &OAuth2PermissionGrant, name: &str) -> bool {
    grant.scopes().any(|scope| scope.eq_ignore_ascii_case(name))
}

async fn judge(
    scope: &Scope<'_>,
    granted: &Granted<'_>,
    users: &[String],
    reader: Option<&GraphClient>,
) -> Finding {
    let (need, name) = (scope.text, scope.name);
    let mut offered = granted.api.oauth2_permission_scopes.iter().flatten();
    let Some(offered) = offered.find(|one| is_named(one.value.as_deref(), name)) else {
        return not_offered(scope);
    };
    if granted.for_all(name) {
        return Finding::ok(Check::Consent, format!("{need} is granted for all users"));
    }
    let single = granted.single_users(name);
    if offered.kind.as_deref() == Some("Admin") {
        if !single.is_empty() {
            return for_single_users(need, &single, users, reader).await;
        }
        let wider = match scope.api {
            None => granted.names_for_all(),
            Some(_) => Vec::new(),
        };
        return match narrowest(name, &wider, Kind::Delegated) {
            Some((wider, _)) => covered(need, wider),
            None => admin_consent(need),
        };
    }
    let some = if single.is_empty() {
        ""
    } else {
        " so far for some of them"
    };
    Finding::note(
        Check::Consent,
        format!(
            "users consent to {need} themselves{some}, unless the tenant turned user consent off"
        ),
    )
    .fix("API permissions > Grant admin consent, so that users are not prompted")
}

fn not_offered(scope: &Scope<'_>) -> Finding {
    let (need, name) = (scope.text, scope.name);
    match scope.api {
        // The permissions of Graph are the same everywhere.
        None => Finding::error(
            Check::Api,
            format!("the scope {need} does not exist on Microsoft Graph"),
        )
        .settled()
        .because("a scope without a resource is one of Microsoft Graph; it is misspelt, or belongs to another API")
        .fix("write the scope of another API in full, such as api://{client id}/Tasks.Read (Expose an API)"),
        Some(api) => Finding::error(
            Check::Api,
            format!("the scope {name} does not exist on the API {api}"),
        )
        .because("its name is misspelt, or the API exposes it no longer")
        .fix("compare the name with App registrations > the API > Expose an API"),
    }
    .code(650_053)
}

/// A permission that only administrators may consent to, and that has no consent for all users.
async fn for_single_users(
    need: &str,
    granted: &[&str],
    users: &[String],
    reader: Option<&GraphClient>,
) -> Finding {
    let mut without = Vec::new();
    let mut is_known = !users.is_empty();
    for user in users {
        match id_of(user, reader).await {
            Some(id) if granted.iter().any(|one| one.eq_ignore_ascii_case(&id)) => {}
            Some(_) => without.push(user.as_str()),
            None => is_known = false,
        }
    }
    if !without.is_empty() {
        return admin_consent(need).because(format!(
            "it is granted to some users only, not to {}, and users may not consent to it themselves",
            without.join(", ")
        ));
    }
    if is_known {
        return Finding::ok(
            Check::Consent,
            format!("{need} is granted to {}", users.join(", ")),
        );
    }
    Finding::unknown(
        Check::Consent,
        format!(
            "{need} is granted to some users only: it is not known whether the product has others"
        ),
    )
    .because("other users may not consent to it themselves")
    .fix("API permissions > Grant admin consent, if more than those users sign in")
    .call("POST /oauth2PermissionGrants {\"consentType\": \"AllPrincipals\"}")
}

/// The object id of a user; `None` if it cannot be read.
async fn id_of(user: &str, reader: Option<&GraphClient>) -> Option<String> {
    if let Ok(id) = user.parse::<Guid>() {
        return Some(id.to_string());
    }
    let user = reader?.user(user).get().select(User::ID);
    Some(user.send_opt().await.ok()??.id.to_string())
}

/// A permission that is not granted, and a wider one that is.
fn covered(need: &str, wider: &str) -> Finding {
    Finding::unknown(
        Check::Consent,
        format!("{need} is not granted by name: it is not known whether {wider}, which allows more, is enough"),
    )
    .because(format!(
        "a sign-in with the scope .default gets {wider}; one that requests {need} by name stops until an administrator consents to it"
    ))
    .fix(format!("request .default, or API permissions > add {need} > Grant admin consent"))
}

fn admin_consent(need: &str) -> Finding {
    Finding::error(Check::Consent, format!("admin consent needed for {need}"))
        .because("users may not consent to it themselves")
        .fix("API permissions > Grant admin consent, or open the admin consent URL as an administrator")
        .call("POST /oauth2PermissionGrants {\"consentType\": \"AllPrincipals\"}")
}

const IDENTITY: [&str; 4] = ["openid", "profile", "email", "offline_access"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_of_graph_by_name_root_or_client_id() {
        let root = "https://localhost:8443/";
        for text in [
            "User.Read",
            "user.read",
            "https://graph.microsoft.com/User.Read",
            "https://Graph.Microsoft.com//User.Read",
            "https://graph.microsoft.us/User.Read",
            "https://localhost:8443/User.Read",
            "00000003-0000-0000-c000-000000000000/User.Read",
        ] {
            assert!(Scope::read(text, root).is_of_graph("User.Read"), "{text}");
            let name = Scope::without_root(text, root);
            assert!(name.eq_ignore_ascii_case("User.Read"), "{text}: {name}");
        }
        let other = "api://orders/User.Read";
        assert_eq!(Scope::without_root(other, root), other);
        for (text, api) in [
            ("api://orders/User.Read", "api://orders"),
            (
                "https://contoso.com/orders/User.Read",
                "https://contoso.com/orders",
            ),
            (
                "535fb089-9ff3-47b6-9bfb-4f1264799865/User.Read",
                "535fb089-9ff3-47b6-9bfb-4f1264799865",
            ),
        ] {
            let scope = Scope::read(text, root);
            assert_eq!((scope.api, scope.name), (Some(api), "User.Read"));
            assert!(!scope.is_of_graph("User.Read"));
        }
    }
}
