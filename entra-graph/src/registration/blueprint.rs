//! The blueprint: what an administrator would enter in the portal, as one value.

use entra_core::ClientId;
use serde::{Deserialize, Serialize};

use super::parts::{
    Api, AppRoleBlueprint, Audience, Certificate, Claims, DeletedChoice, Enterprise,
    FederatedCredential, Lifetime, MICROSOFT_GRAPH, Permissions, Platform, PublicPlatform,
    ScopeBlueprint, SecretBlueprint, WebPlatform, is_default,
};
use crate::typed_id::TypedId;

/// An app registration with its enterprise application, permissions, consent and credentials: everything that
/// an integrator's guide asks an administrator to enter by hand.
///
/// [`plan`](Self::plan) compares it with a tenant and [`Plan::apply`](super::Plan::apply) makes the difference.
/// What the blueprint does not mention stays as it is.
///
/// ```no_run
/// # async fn example(admin_graph: entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
/// use entra_graph::registration::{AppRegistration, Audience, EnvFile, Lifetime};
/// let blueprint = AppRegistration::new("TOTAL")
///     .audience(Audience::ThisTenant)
///     .web_redirect_uri("https://app.example.com/auth/oidc/callback")
///     .delegated(["openid", "profile", "email", "GroupMember.Read.All"])
///     .secret("TOTAL integration", Lifetime::months(24))
///     .grant_admin_consent();
/// let plan = blueprint.plan(&admin_graph).await?;
/// println!("{plan}");
/// let applied = plan.apply(&mut EnvFile::new(".env")).await?;
/// println!("client id {}", applied.client_id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a blueprint does nothing until it is planned and applied"]
pub struct AppRegistration {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) unique_name: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) client_id: Option<ClientId>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) directory: Option<TypedId>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) audience: Option<Audience>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) description: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) notes: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) tags: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) web: WebPlatform,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) spa: Platform,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) public_client: PublicPlatform,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) permissions: Vec<Permissions>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) grant_admin_consent: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) api: Api,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) app_roles: Vec<AppRoleBlueprint>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) claims: Claims,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) secrets: Vec<SecretBlueprint>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) certificates: Vec<Certificate>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) federated_credentials: Vec<FederatedCredential>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) owners: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) enterprise: Enterprise,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) remove_unlisted: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) if_deleted: DeletedChoice,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) sole_writer: bool,
}

impl AppRegistration {
    /// A single-tenant registration with this display name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The key under which the registration is created and found again (`uniqueName`), instead of one made of
    /// the display name. It cannot be changed later.
    pub fn unique_name(mut self, name: impl Into<String>) -> Self {
        self.unique_name = Some(name.into());
        self
    }

    /// Adopts the registration with this client id; it is an error if the tenant does not have it.
    pub fn client_id(mut self, id: ClientId) -> Self {
        self.client_id = Some(id);
        self
    }

    /// The directory that it is for: a tenant ID or a verified domain. A plan in another one stops, and
    /// [`destroy`](Self::destroy), [`rotate`](Self::rotate), [`retire`](Self::retire) and the like fail there, so that an
    /// administrator of several tenants does not change the wrong one.
    ///
    /// Whether a domain is one of the token's tenant is read from the organization. A token without
    /// `Organization.Read.All` needs no permission either: the sign-in service says which tenant has the domain.
    pub fn directory(mut self, tenant: impl Into<String>) -> Self {
        self.directory = Some(TypedId::new(tenant));
        self
    }

    /// Which accounts can sign in. Without it a new registration is for those of this tenant alone, and one that exists
    /// keeps its own.
    pub const fn audience(mut self, audience: Audience) -> Self {
        self.audience = Some(audience);
        self
    }

    /// The description that users see.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Notes for administrators.
    pub fn notes(mut self, text: impl Into<String>) -> Self {
        self.notes = Some(text.into());
        self
    }

    /// A tag.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// A redirect URI of the web platform.
    pub fn web_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.web.redirect_uris.push(uri.into());
        self
    }

    /// A redirect URI of the single-page application platform.
    pub fn spa_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.spa.redirect_uris.push(uri.into());
        self
    }

    /// A redirect URI of the mobile and desktop platform, such as `http://localhost`.
    pub fn public_client_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.public_client.redirect_uris.push(uri.into());
        self
    }

    /// Whether public client flows, such as the device code flow, are allowed.
    pub const fn allow_public_client_flows(mut self, allow: bool) -> Self {
        self.public_client.allow_flows = Some(allow);
        self
    }

    /// The front-channel logout URL.
    pub fn logout_url(mut self, url: impl Into<String>) -> Self {
        self.web.logout_url = Some(url.into());
        self
    }

    /// The home page URL.
    pub fn home_page_url(mut self, url: impl Into<String>) -> Self {
        self.web.home_page_url = Some(url.into());
        self
    }

    /// Whether the authorization endpoint issues ID tokens (hybrid flow).
    pub const fn issue_id_tokens(mut self, issue: bool) -> Self {
        self.web.id_tokens = Some(issue);
        self
    }

    /// Delegated permissions of Microsoft Graph by name, such as `GroupMember.Read.All`.
    pub fn delegated<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.delegated_of(MICROSOFT_GRAPH, names)
    }

    /// Application permissions of Microsoft Graph by name.
    pub fn application<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.application_of(MICROSOFT_GRAPH, names)
    }

    /// Delegated permissions by name of an API: its client id or an application ID URI. Its service principal
    /// must be in the tenant.
    pub fn delegated_of<S: Into<String>>(
        mut self,
        api: &str,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        let names = names.into_iter().map(Into::into);
        self.permissions_of(api).delegated.extend(names);
        self
    }

    /// Application permissions by name of an API: its client id or an application ID URI.
    pub fn application_of<S: Into<String>>(
        mut self,
        api: &str,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        let names = names.into_iter().map(Into::into);
        self.permissions_of(api).application.extend(names);
        self
    }

    fn permissions_of(&mut self, api: &str) -> &mut Permissions {
        let at = self.permissions.iter().position(|one| one.api == api);
        let at = at.unwrap_or_else(|| {
            self.permissions.push(Permissions {
                api: api.to_owned(),
                ..Permissions::default()
            });
            self.permissions.len() - 1
        });
        &mut self.permissions[at]
    }

    /// Grants admin consent for all permissions of the blueprint, in the name of the organization.
    pub const fn grant_admin_consent(mut self) -> Self {
        self.grant_admin_consent = true;
        self
    }

    /// An application ID URI; `api://{client-id}` stands for the one with the new client id.
    pub fn app_id_uri(mut self, uri: impl Into<String>) -> Self {
        self.api.uris.push(uri.into());
        self
    }

    /// The version of access tokens for its API: 1 or 2.
    pub const fn access_token_version(mut self, version: u8) -> Self {
        self.api.token_version = Some(version);
        self
    }

    /// A delegated permission that its API offers.
    pub fn scope(mut self, scope: ScopeBlueprint) -> Self {
        self.api.scopes.push(scope);
        self
    }

    /// An app role that it defines.
    pub fn app_role(mut self, role: AppRoleBlueprint) -> Self {
        self.app_roles.push(role);
        self
    }

    /// An optional claim of ID tokens.
    pub fn id_token_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.in_id_tokens.push(name.into());
        self
    }

    /// An optional claim of access tokens.
    pub fn access_token_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.in_access_tokens.push(name.into());
        self
    }

    /// Which groups go into tokens: `SecurityGroup`, `ApplicationGroup`, `DirectoryRole`, `All` or `None`.
    pub fn group_claims(mut self, groups: impl Into<String>) -> Self {
        self.claims.groups = Some(groups.into());
        self
    }

    /// A client secret with this description and lifetime. [`Plan::apply`](super::Plan::apply) adds it if the sink does
    /// not hold the value of a valid one, and gives the value to the sink. If the sink does not know what it holds
    /// ([`SinkEntry::Unknown`](super::SinkEntry::Unknown)), a valid one of this description counts.
    pub fn secret(mut self, description: impl Into<String>, lifetime: Lifetime) -> Self {
        self.secrets.push(SecretBlueprint {
            description: description.into(),
            lifetime,
        });
        self
    }

    /// A certificate that the application signs in with.
    ///
    /// The first one of a registration is written as a whole list, which another run at the same time could replace. So a
    /// registration that another run created within the last five minutes is left to that run until then, and a first
    /// certificate that is added to an older one is looked after for two minutes; [`sole_writer`](Self::sole_writer) does
    /// without both.
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificates.push(certificate);
        self
    }

    /// A federated identity credential.
    pub fn federated_credential(mut self, credential: FederatedCredential) -> Self {
        self.federated_credentials.push(credential);
        self
    }

    /// An owner: a user principal name, or the object id of a user or service principal.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owners.push(owner.into());
        self
    }

    /// Creates it from an application of the gallery, by its display name or the id of its template, instead of
    /// from nothing. [`ApplicationTemplate::NOT_IN_GALLERY`](crate::ApplicationTemplate::NOT_IN_GALLERY) is the
    /// template of the portal's "Create your own application", for SAML and provisioning. It cannot be changed later.
    ///
    /// Graph has no call that creates it once only. So [`Plan::apply`](super::Plan::apply) waits two minutes before it writes
    /// more, and of several runs at the same time all follow the oldest one; [`sole_writer`](Self::sole_writer) does without.
    pub fn gallery_template(mut self, template: impl Into<String>) -> Self {
        self.enterprise.template = Some(template.into());
        self
    }

    /// Whether only assigned users can sign in.
    pub const fn assignment_required(mut self, required: bool) -> Self {
        self.enterprise.assignment_required = Some(required);
        self
    }

    /// Whether users see it in My Apps.
    pub const fn visible_to_users(mut self, visible: bool) -> Self {
        self.enterprise.visible = Some(visible);
        self
    }

    /// Assigns a user, by user principal name or object id, with default access. Where the registration has app roles for
    /// users, Entra rejects that and the plan stops: use [`assign_user_to`](Self::assign_user_to).
    pub fn assign_user(self, user: impl Into<String>) -> Self {
        self.assign_user_to(user, "")
    }

    /// Assigns a user to an app role of this registration, by the value of the role.
    pub fn assign_user_to(mut self, user: impl Into<String>, role: impl Into<String>) -> Self {
        self.enterprise.assign(Some(user.into()), None, role.into());
        self
    }

    /// Assigns a group, by object id or display name, with default access, as [`assign_user`](Self::assign_user) does.
    pub fn assign_group(self, group: impl Into<String>) -> Self {
        self.assign_group_to(group, "")
    }

    /// Assigns a group to an app role of this registration, by the value of the role.
    pub fn assign_group_to(mut self, group: impl Into<String>, role: impl Into<String>) -> Self {
        self.enterprise
            .assign(None, Some(group.into()), role.into());
        self
    }

    /// Also removes redirect URIs, application ID URIs, permissions, consents, roles, scopes, optional claims, assignments and
    /// federated credentials that the blueprint does not list, and owners if it lists any. Secrets and certificates are never removed, nor are permissions that
    /// other applications have for its API. A caller that may write only what it owns stays an owner: an application with
    /// `Application.ReadWrite.OwnedBy`, and a user who is not Global, Application or Cloud Application Administrator.
    pub const fn remove_unlisted(mut self) -> Self {
        self.remove_unlisted = true;
        self
    }

    /// What to do with a deleted registration that has the same key, instead of restoring it.
    pub const fn if_deleted(mut self, choice: DeletedChoice) -> Self {
        self.if_deleted = choice;
        self
    }

    /// Declares that no other program creates this registration or changes its credentials at the same time, so that
    /// the list of certificates may be written as a whole.
    pub const fn sole_writer(mut self) -> Self {
        self.sole_writer = true;
        self
    }

    /// The display name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The unique name under which it is created and found.
    #[must_use]
    pub fn key(&self) -> String {
        self.unique_name.clone().unwrap_or_else(|| slug(&self.name))
    }

    /// Who can sign in to a registration that does not exist yet.
    pub(super) fn audience_when_new(&self) -> Audience {
        self.audience.unwrap_or_default()
    }

    /// The display name of a registration that was created from a gallery template and has no tag yet: an
    /// interrupted run finds it by this name.
    pub(super) fn name_until_marked(&self) -> String {
        let mark = self.derived_id("template", &self.name);
        format!("{} [{}]", self.name, mark.get(..8).unwrap_or_default())
    }

    /// The id of a new role or scope: the same each time, so that a repeated or concurrent run makes no second one.
    /// It has to be unique within its application only.
    pub(super) fn derived_id(&self, kind: &str, value: &str) -> String {
        // FNV-1a, of 128 bits.
        let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        for byte in [self.key().as_str(), kind, value].join("\n").bytes() {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
        let mut bytes = hash.to_be_bytes();
        // A GUID of version 8, whose content is free (RFC 9562).
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        entra_core::Guid::from_bytes(bytes).to_string()
    }

    /// The tag that marks registrations of this blueprint.
    pub(super) fn owner_tag(&self) -> String {
        format!("{OWNER_TAG}{}", self.key())
    }
}

/// The text in lower case, with a dash for everything but letters and digits.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

pub(super) const OWNER_TAG: &str = "registration:";
