use std::{collections::BTreeSet, sync::Arc, time::Duration};

use entra_core::{ClientId, Cloud, Guid, IntoId, InvalidId, TenantId, url::Url};

use super::{
    keys::{ExpectedIssuer, MetadataLocation, SigningKeys},
    policy::{CallerRule, Policy, Tenants, Use},
    token::TokenVersion,
    validator::{Inner, TokenValidator},
};
use crate::{
    Error,
    builder::{CloudClient, Configure, CredentialBuilder},
};

/// Configures a [`TokenValidator`]: the common options, and which tokens it accepts.
pub type TokenValidatorBuilder = CredentialBuilder<TokenValidator>;

impl Configure for TokenValidator {
    type Setup = TokenValidatorSetup;
}

impl CloudClient for TokenValidator {}

#[derive(Clone, Debug)]
pub(crate) struct TokenValidatorSetup {
    tenant: Result<TenantId, InvalidId>,
    audiences: Result<Vec<String>, InvalidId>,
    token_use: Use,
    versions: BTreeSet<TokenVersion>,
    tenants: Option<Result<Vec<TenantId>, InvalidId>>,
    any_tenant: bool,
    own_keys_of: Option<Result<ClientId, InvalidId>>,
    leeway: Duration,
    lists: Lists,
    app_only: bool,
    user_only: bool,
    groups_as_roles: bool,
    needs_subject: bool,
    keys: SigningKeys,
}

/// Lists of accepted values. An empty list would reject every token, so it is an error.
#[derive(Clone, Debug, Default)]
struct Lists {
    clients: Option<Vec<String>>,
    scopes_any: Option<Vec<String>>,
    scopes_all: Option<Vec<String>>,
    roles_any: Option<Vec<String>>,
    roles_all: Option<Vec<String>>,
    app_permissions_any: Option<Vec<String>>,
}

impl TokenValidator {
    /// Validates ID tokens that this application receives when users sign in.
    pub fn id_tokens(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
    ) -> TokenValidatorBuilder {
        let client = client_id.into_id();
        CredentialBuilder::new(TokenValidatorSetup::new(
            tenant.into_id(),
            client.map(|client| vec![client.to_string()]),
            Use::Identity,
        ))
    }

    /// Validates access tokens that callers send to an API with these identifiers: its client id in
    /// tokens of version 2, its Application ID URI (`api://…`) in those of version 1.
    ///
    /// A token with neither scopes nor app roles is rejected unless
    /// [`clients`](TokenValidatorBuilder::clients) names its application: Entra issues such a token to
    /// every application that requests one.
    pub fn access_tokens<A>(tenant: impl IntoId<TenantId>, audiences: A) -> TokenValidatorBuilder
    where
        A: IntoIterator<Item: ToString>,
    {
        let audiences = audiences.into_iter().map(|audience| audience.to_string());
        let audiences = Ok(audiences.collect());
        CredentialBuilder::new(TokenValidatorSetup::new(
            tenant.into_id(),
            audiences,
            Use::Access,
        ))
    }

    /// Validates the tokens that Microsoft Graph sends with change notifications, for the application that subscribed
    /// (`validationTokens`).
    ///
    /// They are access tokens of Graph's publisher of notifications, of either version, and need not have a subject. The
    /// receiver of `entra-graph` takes the validator as its verifier. For the tenants of many customers, set
    /// [`tenants`](TokenValidatorBuilder::tenants) on an authority such as `organizations`.
    ///
    /// ```
    /// # fn example() -> Result<(), entra_auth::Error> {
    /// use entra_auth::TokenValidator;
    /// let (tenant_id, client_id) = ("22222222-2222-2222-2222-222222222222", "11111111-1111-1111-1111-111111111111");
    /// let verifier = TokenValidator::notification_tokens(tenant_id, client_id).build()?;
    /// # drop(verifier); Ok(()) }
    /// ```
    ///
    /// Source: [change notifications with resource data](https://learn.microsoft.com/graph/change-notifications-with-resource-data#validation-tokens-in-the-change-notification).
    pub fn notification_tokens(
        tenant: impl IntoId<TenantId>,
        client_id: impl IntoId<ClientId>,
    ) -> TokenValidatorBuilder {
        CredentialBuilder::new(TokenValidatorSetup::from_service(
            tenant.into_id(),
            client_id.into_id(),
            NOTIFICATION_PUBLISHER,
        ))
    }
}

impl CredentialBuilder<TokenValidator> {
    /// Signing keys to share with other validators; not shared unless set.
    pub fn keys(mut self, keys: &SigningKeys) -> Self {
        self.setup.keys = keys.clone();
        self
    }

    /// Accepts only these tenants, by their GUIDs. An authority for many tenants (`common`,
    /// `organizations`) needs this, or [`any_tenant`](Self::any_tenant).
    pub fn tenants<I>(mut self, tenants: I) -> Self
    where
        I: IntoIterator,
        I::Item: IntoId<TenantId>,
    {
        let tenants = tenants.into_iter().map(|tenant| tenant.into_id());
        self.setup.tenants = Some(tenants.collect());
        self
    }

    /// Accepts every tenant of the authority. Anyone can create a tenant, so decide by `tid` and `oid`
    /// what a caller may do.
    pub fn any_tenant(mut self) -> Self {
        self.setup.any_tenant = true;
        self
    }

    /// The accepted token versions: unless set, both for access tokens, and 2 for ID tokens.
    pub fn versions(mut self, versions: impl IntoIterator<Item = TokenVersion>) -> Self {
        self.setup.versions = versions.into_iter().collect();
        self
    }

    /// The allowed clock skew: 5 minutes unless set, an hour at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.setup.leeway = leeway;
        self
    }

    /// Uses the signing keys of this application alone, which an application with mapped claims has.
    pub fn own_signing_keys(mut self, client_id: impl IntoId<ClientId>) -> Self {
        self.setup.own_keys_of = Some(client_id.into_id());
        self
    }

    /// Accepts only access tokens of these client applications, by client id (`azp`, `appid`).
    pub fn clients<I>(mut self, client_ids: I) -> Self
    where
        I: IntoIterator<Item: ToString>,
    {
        self.setup.lists.clients =
            strings(client_ids).map(|ids| ids.into_iter().map(canonical).collect());
        self
    }

    /// Accepts tokens of users with one of these scopes.
    pub fn scopes_any<I: IntoIterator<Item: ToString>>(mut self, scopes: I) -> Self {
        self.setup.lists.scopes_any = strings(scopes);
        self
    }

    /// Accepts tokens of users with all of these scopes.
    pub fn scopes_all<I: IntoIterator<Item: ToString>>(mut self, scopes: I) -> Self {
        self.setup.lists.scopes_all = strings(scopes);
        self
    }

    /// Accepts tokens of users and applications with one of these app roles.
    pub fn roles_any<I: IntoIterator<Item: ToString>>(mut self, roles: I) -> Self {
        self.setup.lists.roles_any = strings(roles);
        self
    }

    /// Accepts tokens of users and applications with all of these app roles.
    pub fn roles_all<I: IntoIterator<Item: ToString>>(mut self, roles: I) -> Self {
        self.setup.lists.roles_all = strings(roles);
        self
    }

    /// Accepts app-only tokens with one of these application permissions, in place of scopes and roles.
    /// Together with [`scopes_any`](Self::scopes_any) an API serves both users and services; without a
    /// rule for scopes or roles, tokens of users are rejected.
    pub fn app_permissions_any<I: IntoIterator<Item: ToString>>(mut self, roles: I) -> Self {
        self.setup.lists.app_permissions_any = strings(roles);
        self
    }

    /// Accepts only app-only tokens.
    pub fn app_only(mut self) -> Self {
        self.setup.app_only = true;
        self
    }

    /// Accepts only tokens of users.
    ///
    /// A token of another provider than Entra does not say whether it is app-only: it counts as app-only
    /// if its subject is the client, and as a user's otherwise. If such a provider gives applications
    /// other subjects, require a scope as well.
    pub fn user_only(mut self) -> Self {
        self.setup.user_only = true;
        self
    }

    /// The registration emits groups as roles (`emit_as_roles`): the claim `roles` then holds groups in
    /// place of app roles, so a valid token has no app role. Without this setting a group with the name of
    /// a role would count as that role. The values are in
    /// [`ValidatedToken::claim`](super::ValidatedToken::claim)`("roles")`.
    ///
    /// Entra leaves the app roles of users and of applications out of such tokens, so a rule for roles
    /// or application permissions is an error of the configuration.
    pub fn groups_as_roles(mut self) -> Self {
        self.setup.groups_as_roles = true;
        self
    }

    /// Builds the validator. Sends no request.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an invalid id, an empty
    /// list, rules that no token can meet, and an authority for many tenants without
    /// [`tenants`](Self::tenants) or [`any_tenant`](Self::any_tenant).
    pub fn build(self) -> Result<TokenValidator, Error> {
        let (settings, setup) = (self.options.settings()?, self.setup);
        let tenant = setup.tenant.clone()?;
        let audiences = setup.audiences.clone()?;
        if audiences.is_empty() || audiences.iter().any(|audience| audience.trim().is_empty()) {
            return Err(Error::configuration(
                "an audience is missing",
                "give the client id, or the Application ID URI such as api://…, from the registration's page Expose an API",
            ));
        }
        setup.check_rules()?;
        let cloud = &settings.cloud;
        let tenants = setup.accepted_tenants(cloud, &tenant)?;
        let own_keys_of = setup.own_keys_of.clone().transpose()?;
        let is_entra = cloud.is_entra();
        let source = |version| {
            let location = metadata_location(cloud, &tenant, version, own_keys_of);
            setup.keys.at(location)
        };
        let accepted =
            |version| (is_entra && setup.versions.contains(&version)).then(|| source(version));
        let sources = match (accepted(TokenVersion::V1), accepted(TokenVersion::V2)) {
            (Some(v1), v2) => (Arc::clone(&v1), v2.unwrap_or(v1)),
            (None, Some(v2)) => (Arc::clone(&v2), v2),
            (None, None) => {
                let only = source(TokenVersion::V2);
                (Arc::clone(&only), only)
            }
        };
        // If there is no transport, it fails here and not at the first token.
        settings.transport()?;
        let caller = match (setup.app_only, setup.user_only) {
            (true, _) => CallerRule::Application,
            (_, true) => CallerRule::User,
            _ => CallerRule::Any,
        };
        let lists = setup.lists;
        Ok(TokenValidator(Arc::new(Inner {
            v1: sources.0,
            v2: sources.1,
            policy: Policy {
                is_entra,
                token_use: setup.token_use,
                versions: setup.versions,
                audiences,
                tenants,
                leeway: setup.leeway,
                clients: lists.clients,
                scopes_any: lists.scopes_any.unwrap_or_default(),
                scopes_all: lists.scopes_all.unwrap_or_default(),
                roles_any: lists.roles_any.unwrap_or_default(),
                roles_all: lists.roles_all.unwrap_or_default(),
                app_permissions_any: lists.app_permissions_any.unwrap_or_default(),
                caller,
                groups_as_roles: setup.groups_as_roles,
                needs_subject: setup.needs_subject,
            },
            settings: Arc::new(settings),
        })))
    }
}

impl TokenValidatorSetup {
    pub(super) fn new(
        tenant: Result<TenantId, InvalidId>,
        audiences: Result<Vec<String>, InvalidId>,
        token_use: Use,
    ) -> Self {
        let versions = match token_use {
            Use::Identity => BTreeSet::from([TokenVersion::V2]),
            Use::Access => BTreeSet::from([TokenVersion::V1, TokenVersion::V2]),
        };
        Self {
            tenant,
            audiences: audiences.map(|all| all.into_iter().map(canonical).collect()),
            token_use,
            versions,
            tenants: None,
            any_tenant: false,
            own_keys_of: None,
            leeway: LEEWAY,
            lists: Lists::default(),
            app_only: false,
            user_only: false,
            groups_as_roles: false,
            needs_subject: true,
            keys: SigningKeys::new(),
        }
    }

    /// For access tokens from this application, which need not have a subject.
    pub(super) fn from_service(
        tenant: Result<TenantId, InvalidId>,
        audience: Result<ClientId, InvalidId>,
        client_id: &str,
    ) -> Self {
        let audiences = audience.map(|audience| vec![audience.to_string()]);
        let mut setup = Self::new(tenant, audiences, Use::Access);
        setup.lists.clients = Some(vec![client_id.to_owned()]);
        setup.needs_subject = false;
        setup
    }

    fn check_rules(&self) -> Result<(), Error> {
        let Lists {
            clients,
            scopes_any,
            scopes_all,
            roles_any,
            roles_all,
            app_permissions_any,
        } = &self.lists;
        let for_access = [clients, scopes_any, scopes_all, app_permissions_any];
        let all = for_access.into_iter().chain([roles_any, roles_all]);
        // A value of white space is often an environment variable that is not set.
        let is_blank =
            |list: &Vec<String>| list.is_empty() || list.iter().any(|item| item.trim().is_empty());
        if all.flatten().any(is_blank) || self.versions.is_empty() {
            return Err(Error::configuration(
                "a list of accepted values is empty or contains an empty value",
                "add a value, or remove the setting",
            ));
        }
        if self.token_use == Use::Identity
            && (self.app_only || self.user_only || for_access.into_iter().any(Option::is_some))
        {
            return Err(Error::configuration(
                "a rule for access tokens is set for ID tokens",
                "ID tokens have neither clients nor scopes, and are always a user's: use roles, or validate access tokens",
            ));
        }
        let roles = [roles_any, roles_all, app_permissions_any];
        if self.groups_as_roles && roles.into_iter().any(Option::is_some) {
            return Err(Error::configuration(
                "a rule for app roles is set, and the tokens have groups in place of app roles",
                "remove the rule or `groups_as_roles`; to have app roles in tokens, remove emit_as_roles from the registration's optional claims",
            ));
        }
        let scopes = scopes_any.is_some() || scopes_all.is_some();
        if (self.app_only && (self.user_only || scopes))
            || (self.user_only && app_permissions_any.is_some())
        {
            return Err(Error::configuration(
                "no token meets the rules: users have scopes, and applications have application permissions",
                "remove one of the rules",
            ));
        }
        if self.leeway > MAX_LEEWAY {
            return Err(Error::configuration(
                "the leeway is longer than an hour",
                "synchronize the clock of this machine; a leeway of a few minutes is enough then",
            ));
        }
        Ok(())
    }

    fn accepted_tenants(&self, cloud: &Cloud, tenant: &TenantId) -> Result<Tenants, Error> {
        let listed = self.tenants.clone().transpose()?;
        if let Some(listed) = listed {
            let guids: Option<Vec<Guid>> = listed.iter().map(TenantId::guid).collect();
            return match guids {
                Some(guids) if !guids.is_empty() && !self.any_tenant => Ok(Tenants::Listed(guids)),
                _ => Err(Error::configuration(
                    "the list of tenants is empty, names one by its domain, or comes with `any_tenant`",
                    "give the GUIDs of the tenants; a domain may move to another tenant",
                )),
            };
        }
        if !cloud.is_entra() || !tenant.is_alias() {
            return Ok(Tenants::OfIssuer);
        }
        match (tenant.to_string().as_str(), self.any_tenant) {
            ("consumers", _) => Ok(Tenants::OfIssuer),
            ("organizations", true) => Ok(Tenants::Organizations),
            (_, true) => Ok(Tenants::Any),
            (alias, false) => Err(Error::configuration(
                format!(
                    "`{alias}` stands for many tenants, and no setting says which of them are accepted"
                ),
                "list them with `tenants`, or set `any_tenant`",
            )),
        }
    }
}

/// The URL of a tenant's metadata.
fn metadata_location(
    cloud: &Cloud,
    tenant: &TenantId,
    version: TokenVersion,
    own_keys_of: Option<ClientId>,
) -> MetadataLocation {
    let mut metadata: Url = cloud.authority().clone();
    let root = metadata.path().to_owned();
    let version_path = match (cloud.is_entra(), version) {
        (false, _) => String::new(),
        (true, TokenVersion::V1) => format!("{tenant}/"),
        (true, TokenVersion::V2) => format!("{tenant}/v2.0/"),
    };
    metadata.set_path(&format!(
        "{root}{version_path}.well-known/openid-configuration"
    ));
    if let Some(client) = own_keys_of {
        metadata.set_query(Some(&format!("appid={client}")));
    }
    let issuer = match (cloud.is_entra(), tenant.guid(), tenant.is_alias()) {
        (false, ..) => ExpectedIssuer::Provider(cloud.authority().to_string()),
        (true, Some(tenant), _) => ExpectedIssuer::Tenant(tenant),
        (true, None, true) if tenant.to_string() != "consumers" => ExpectedIssuer::EveryTenant,
        (true, None, _) => ExpectedIssuer::SomeTenant,
    };
    MetadataLocation { metadata, issuer }
}

/// A client id in the spelling of Entra's tokens.
fn canonical(text: String) -> String {
    match text.parse::<Guid>() {
        Ok(guid) => guid.to_string(),
        Err(_) => text,
    }
}

fn strings(items: impl IntoIterator<Item: ToString>) -> Option<Vec<String>> {
    Some(items.into_iter().map(|item| item.to_string()).collect())
}

/// The default of Microsoft's own validation libraries.
const LEEWAY: Duration = Duration::from_secs(300);
const MAX_LEEWAY: Duration = Duration::from_secs(3600);
/// The application of Microsoft that sends change notifications, in every tenant.
const NOTIFICATION_PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
