//! The rules for the claims of a token whose signature is valid.

use std::{collections::BTreeSet, time::Duration};

use entra_core::{Guid, Timestamp, format_rfc3339, time::Duration as SignedDuration};
use serde_json::Value;

use super::{
    claims::{self, Claims},
    error::{TokenValidationError, TokenValidationErrorKind as Kind},
    issuer::{Issuer, Match},
    jwt::Unverified,
    token::{Caller, NO_SCOPE, TokenVersion, ValidatedToken, lacks_role},
};

#[derive(Debug)]
pub(super) struct Policy {
    pub(super) is_entra: bool,
    pub(super) token_use: Use,
    pub(super) versions: BTreeSet<TokenVersion>,
    pub(super) audiences: Vec<String>,
    pub(super) tenants: Tenants,
    pub(super) leeway: Duration,
    pub(super) clients: Option<Vec<String>>,
    pub(super) scopes_any: Vec<String>,
    pub(super) scopes_all: Vec<String>,
    pub(super) roles_any: Vec<String>,
    pub(super) roles_all: Vec<String>,
    pub(super) app_permissions_any: Vec<String>,
    pub(super) caller: CallerRule,
    /// The claim `roles` has groups, not app roles.
    pub(super) groups_as_roles: bool,
    /// Whether a token must name its subject.
    pub(super) needs_subject: bool,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Identity,
    Access,
}

/// Which tenants are accepted.
#[derive(Debug)]
pub(super) enum Tenants {
    /// The tenant of the issuer.
    OfIssuer,
    Listed(Vec<Guid>),
    /// All tenants except that of personal accounts.
    Organizations,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerRule {
    Any,
    Application,
    User,
}

impl Policy {
    /// Checks the claims of a token that is signed with one of the issuer's keys.
    pub(super) fn check(
        &self,
        token: Unverified<'_>,
        version: Option<TokenVersion>,
        issuer: &Issuer,
        key_issuer: Option<&Issuer>,
        now: Duration,
    ) -> Result<ValidatedToken, TokenValidationError> {
        let claims = &token.claims;
        let tenant = self.check_issuer(claims, version, issuer, key_issuer)?;
        self.check_tenant(tenant)?;
        self.check_audience(claims)?;
        let expires_on = self.check_time(claims, now)?;
        let subject = claims::text(claims, "sub")?;
        if self.needs_subject && subject.is_none_or(str::is_empty) {
            return Err(TokenValidationError::malformed("the token has no subject"));
        }
        if self.is_entra {
            claims::guid(claims, "oid")?;
            claims::check_list(claims, "roles")?;
        }
        let caller = caller(claims, self.token_use, self.is_entra)?;
        self.check_use(&token, version)?;
        let token = ValidatedToken {
            claims: token.claims,
            expires_on,
            tenant,
            version,
            caller,
            groups_as_roles: self.groups_as_roles,
        };
        self.check_client(&token)?;
        self.check_rights(&token)?;
        Ok(token)
    }

    fn check_issuer(
        &self,
        claims: &Claims,
        version: Option<TokenVersion>,
        issuer: &Issuer,
        key_issuer: Option<&Issuer>,
    ) -> Result<Option<Guid>, TokenValidationError> {
        let iss = claims::text(claims, "iss")?
            .ok_or_else(|| TokenValidationError::malformed("the token has no issuer"))?;
        if let Some(version) = version {
            if !self.versions.contains(&version) {
                return Err(other_version(version));
            }
            let claimed = claims::text(claims, "ver")?;
            if !matches!(claimed, None | Some("1.0" | "2.0")) {
                return Err(other_issuer(iss));
            }
        }
        let tenant = match issuer.compare(iss) {
            Match::Yes(tenant) => tenant,
            Match::OtherTenant(tenant) => return Err(other_tenant(tenant)),
            Match::No => return Err(other_issuer(iss)),
        };
        if let Some(key_issuer) = key_issuer
            && !matches!(key_issuer.compare(iss), Match::Yes(_))
        {
            return Err(TokenValidationError::new(
                Kind::Issuer,
                "the token is signed with a key of another issuer",
                "the key is valid for another tenant's tokens only: the token may be forged",
            ));
        }
        if self.is_entra
            && let Some(claimed) = claims::guid(claims, "tid")?
            && Some(claimed) != tenant
        {
            return Err(TokenValidationError::new(
                Kind::Issuer,
                "the issuer and the tenant of the token differ",
                "have the client get a new token: Entra does not issue such tokens",
            ));
        }
        Ok(tenant)
    }

    fn check_tenant(&self, tenant: Option<Guid>) -> Result<(), TokenValidationError> {
        let is_accepted = match (&self.tenants, tenant) {
            (Tenants::OfIssuer | Tenants::Any, _) => true,
            (Tenants::Listed(listed), Some(tenant)) => listed.contains(&tenant),
            (Tenants::Organizations, Some(tenant)) => tenant != PERSONAL_ACCOUNTS,
            (Tenants::Listed(_) | Tenants::Organizations, None) => false,
        };
        match is_accepted {
            true => Ok(()),
            false => Err(other_tenant(tenant.unwrap_or(Guid::NIL))),
        }
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), TokenValidationError> {
        let named: &[Value] = match claims.get("aud") {
            Some(one @ Value::String(_)) => std::slice::from_ref(one),
            Some(Value::Array(all)) if all.iter().all(Value::is_string) => all,
            _ => return Err(TokenValidationError::malformed("the token has no audience")),
        };
        let is_own = |value: &Value| {
            value
                .as_str()
                .is_some_and(|named| self.audiences.iter().any(|own| same_audience(own, named)))
        };
        if !named.iter().any(is_own) {
            let first = named.first().and_then(Value::as_str).unwrap_or_default();
            return Err(other_audience(first));
        }
        // One of several audiences could forward a token to another (OpenID Connect Core, 3.1.3.7).
        if self.token_use == Use::Identity
            && named.len() > 1
            && claims.get("azp").is_none_or(|azp| !is_own(azp))
        {
            return Err(TokenValidationError::new(
                Kind::Audience,
                "the ID token is for several applications and was issued to another one",
                "have the sign-in service issue ID tokens for one application",
            ));
        }
        Ok(())
    }

    fn check_time(
        &self,
        claims: &Claims,
        now: Duration,
    ) -> Result<Timestamp, TokenValidationError> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let leeway = i64::try_from(self.leeway.as_secs()).unwrap_or(i64::MAX);
        let expires_on = claims::time(claims, "exp")?
            .ok_or_else(|| TokenValidationError::malformed("the token has no expiry"))?;
        let here =
            Timestamp::from_unix_timestamp(now).map_or_else(|_| "no date".to_owned(), rfc3339);
        let issued_ago = claims::time(claims, "iat")?.map(|issued_at| {
            SignedDuration::seconds(now.saturating_sub(issued_at.unix_timestamp()))
        });
        if expires_on.unix_timestamp().saturating_add(leeway) <= now {
            return Err(TokenValidationError::outside_validity(
                Kind::Expired,
                format!(
                    "the token expired at {}, and this machine's clock shows {here}",
                    rfc3339(expires_on)
                ),
                "have the client get a new token; if it just did, synchronize the clock of this machine",
                issued_ago,
            ));
        }
        for name in ["nbf", "iat"] {
            if let Some(from) = claims::time(claims, name)?
                && from.unix_timestamp().saturating_sub(leeway) > now
            {
                return Err(TokenValidationError::outside_validity(
                    Kind::NotYetValid,
                    format!(
                        "the token is not valid before {}, and this machine's clock shows {here}",
                        rfc3339(from)
                    ),
                    "synchronize the clock of this machine",
                    issued_ago,
                ));
            }
        }
        Ok(expires_on)
    }

    /// An ID token identifies a user to one application and is not accepted by an API, and vice versa.
    fn check_use(
        &self,
        token: &Unverified<'_>,
        version: Option<TokenVersion>,
    ) -> Result<(), TokenValidationError> {
        let claims = &token.claims;
        let has = |name: &str| claims.contains_key(name);
        let is_expected_use = match (self.token_use, version) {
            (Use::Identity, _) => {
                let is_access = token.is_typed_access_token
                    || ["scp", "azpacr", "appidacr"].into_iter().any(has)
                    || (self.is_entra && has("idtyp"));
                !is_access
            }
            (Use::Access, Some(TokenVersion::V1)) => has("appid"),
            (Use::Access, Some(TokenVersion::V2)) => has("azp"),
            (Use::Access, None) => !has("nonce") && !has("at_hash"),
        };
        if is_expected_use {
            return Ok(());
        }
        let (summary, fix) = match self.token_use {
            Use::Identity => (
                "this is an access token, and an ID token is required",
                "use `id_token` of the token response",
            ),
            Use::Access => (
                "this is not an access token",
                "have the client request a scope of this API and send `access_token`, not `id_token`",
            ),
        };
        Err(TokenValidationError::new(Kind::TokenUse, summary, fix))
    }

    fn check_client(&self, token: &ValidatedToken) -> Result<(), TokenValidationError> {
        let Some(clients) = &self.clients else {
            return Ok(());
        };
        let client = token.app_id();
        if client.is_some_and(|client| clients.iter().any(|known| known == client)) {
            return Ok(());
        }
        let client = client.unwrap_or_default();
        Err(TokenValidationError::new(
            Kind::Client,
            format!("the application {} is not accepted", quoted(client)),
            "add its client id to `clients` if it should have access",
        ))
    }

    fn check_rights(&self, token: &ValidatedToken) -> Result<(), TokenValidationError> {
        if self.token_use == Use::Access {
            match (self.caller, token.caller) {
                (CallerRule::Application, Caller::User | Caller::Unclear) => {
                    return Err(TokenValidationError::new(
                        Kind::AppOnlyRequired,
                        "the token is not app-only, or does not say so",
                        "have the client use the client credentials grant; add the optional claim idtyp to the API's registration",
                    ));
                }
                (CallerRule::User, Caller::Application | Caller::Unclear) => {
                    return Err(TokenValidationError::new(
                        Kind::UserRequired,
                        "the token is not a user's",
                        "have the client sign a user in",
                    ));
                }
                _ => {}
            }
            if token.caller != Caller::User && !self.app_permissions_any.is_empty() {
                return match has_any(token, &self.app_permissions_any) {
                    true => Ok(()),
                    false => Err(lacks_role(&self.app_permissions_any)),
                };
            }
            let user_rules = [
                &self.scopes_any,
                &self.scopes_all,
                &self.roles_any,
                &self.roles_all,
            ];
            if !self.app_permissions_any.is_empty() && user_rules.iter().all(|list| list.is_empty())
            {
                return Err(TokenValidationError::new(
                    Kind::AppOnlyRequired,
                    "the token is a user's, and only application permissions are accepted",
                    "have the client use the client credentials grant, or accept users with `scopes_any`",
                ));
            }
            let is_listed = self.clients.is_some();
            if !is_listed && token.scopes().next().is_none() && token.roles().next().is_none() {
                return Err(TokenValidationError::new(
                    Kind::Role,
                    "the token has neither scopes nor app roles",
                    "give the application an app role of this API, or name it in `clients`",
                ));
            }
        }
        let (any, all) = (&self.scopes_any, &self.scopes_all);
        if !any.is_empty() && !any.iter().any(|scope| token.has_scope(scope)) {
            return Err(TokenValidationError::lacks_scope(any, NO_SCOPE));
        }
        if !all.iter().all(|scope| token.has_scope(scope)) {
            return Err(TokenValidationError::lacks_scope(
                all,
                "the token lacks a scope",
            ));
        }
        if !self.roles_any.is_empty() && !has_any(token, &self.roles_any) {
            return Err(lacks_role(&self.roles_any));
        }
        if !self.roles_all.iter().all(|role| token.has_role(role)) {
            return Err(lacks_role(&self.roles_all));
        }
        Ok(())
    }
}

/// Whether a token is a user's or app-only. Only Entra's `idtyp` says so explicitly; without it, an
/// app-only token has no scopes, and its subject is the service principal itself.
fn caller(claims: &Claims, token_use: Use, is_entra: bool) -> Result<Caller, TokenValidationError> {
    if token_use == Use::Identity {
        return Ok(Caller::User);
    }
    if !is_entra {
        let text = |name| claims.get(name).and_then(Value::as_str);
        let client = text("client_id").or_else(|| text("azp"));
        return Ok(match client.is_some() && client == text("sub") {
            true => Caller::Application,
            false => Caller::User,
        });
    }
    let scopes = claims::text(claims, "scp")?;
    let is_self = claims::text(claims, "oid")? == claims::text(claims, "sub")?;
    Ok(match (claims::text(claims, "idtyp")?, scopes) {
        (Some("app"), _) => Caller::Application,
        (Some("user") | None, Some(_)) => Caller::User,
        (None, None) if is_self => Caller::Application,
        _ => Caller::Unclear,
    })
}

fn has_any(token: &ValidatedToken, roles: &[String]) -> bool {
    roles.iter().any(|role| token.has_role(role))
}

/// Tokens of version 1 repeat the requested identifier, possibly with a trailing slash.
fn same_audience(own: &str, named: &str) -> bool {
    named == own
        || (own.contains("://") && named.trim_end_matches('/') == own.trim_end_matches('/'))
}

fn other_version(version: TokenVersion) -> TokenValidationError {
    let (number, fix) = match version {
        TokenVersion::V1 => (
            1,
            "set requestedAccessTokenVersion to 2 in the API's registration, or accept version 1",
        ),
        TokenVersion::V2 => (2, "accept version 2"),
    };
    TokenValidationError::new(
        Kind::Issuer,
        format!("the token is of version {number}"),
        fix,
    )
}

fn other_issuer(iss: &str) -> TokenValidationError {
    TokenValidationError::new(
        Kind::Issuer,
        format!("the token is from {}, another issuer", quoted(iss)),
        "check tenant, cloud and token version of the validator",
    )
}

fn other_tenant(tenant: Guid) -> TokenValidationError {
    TokenValidationError::new(
        Kind::Tenant,
        format!("the token is from tenant {tenant}, which is not accepted"),
        "add the tenant to `tenants` if it should have access, or have the user sign in with another account",
    )
}

fn other_audience(named: &str) -> TokenValidationError {
    let fix = match named.trim_end_matches('/') {
        "https://graph.microsoft.com" | "00000003-0000-0000-c000-000000000000" => {
            "this is a token for Microsoft Graph; have the client request a scope of this API, such as api://…/.default"
        }
        _ => {
            "have the client request a scope of this application, or add the identifier to the audiences if it is this application's"
        }
    };
    TokenValidationError::new(
        Kind::Audience,
        format!(
            "the token is for {}, not for this application",
            quoted(named)
        ),
        fix,
    )
}

/// An id for a log line, shortened and escaped.
fn quoted(id: &str) -> String {
    let short: String = id.chars().take(MAX_QUOTED_CHARS).collect();
    format!("{short:?}")
}

const MAX_QUOTED_CHARS: usize = 100;
/// The tenant of personal Microsoft accounts, 9188040d-6c67-4c5b-b112-36a304b66dad.
const PERSONAL_ACCOUNTS: Guid = Guid::from_bytes([
    0x91, 0x88, 0x04, 0x0d, 0x6c, 0x67, 0x4c, 0x5b, 0xb1, 0x12, 0x36, 0xa3, 0x04, 0xb6, 0x6d, 0xad,
]);

/// In the format of RFC 3339.
fn rfc3339(time: Timestamp) -> String {
    format_rfc3339(time).unwrap_or_else(|| time.to_string())
}
