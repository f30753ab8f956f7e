use std::{fmt, sync::Arc, time::SystemTime};

use entra_core::{ClientId, IntoId, TenantId};
use serde_json::Value;

use super::{
    builder::{TokenValidatorBuilder, TokenValidatorSetup},
    error::{TokenValidationError, TokenValidationErrorKind},
    jwt::Unverified,
    keys::Source,
    policy::{Policy, Use},
    token::{TokenVersion, ValidatedToken},
};
use crate::{builder::CredentialBuilder, moment::Moment, settings::Settings};

/// Validates tokens: ID tokens after a sign-in, or access tokens that callers send to an API of yours.
///
/// Building one sends no request; the keys of the sign-in service are fetched at the first token and
/// cached. Cheap to clone; clones share their keys.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_auth::{TokenValidator, validate::TokenValidationErrorKind};
/// # let tenant = entra_mock::FakeTenant::start().await;
/// # let api = tenant.register_app("Tasks").expose_scope("Tasks.Read");
/// # let app = tenant.register_app("Board").delegated_permission_of(&api, "Tasks.Read").with_secret();
/// # let scope = format!("api://{}/Tasks.Read", api.client_id());
/// # let sent = tenant.tokens_for(&app, "adele@contoso.com", [scope]).access_token().clone();
/// # let (tenant_id, client_id) = (tenant.id(), api.client_id());
/// let validator = TokenValidator::access_tokens(tenant_id, [format!("api://{client_id}")])
/// #   .clock(tenant.clock())
///     .cloud(tenant.cloud())
///     .scopes_any(["Tasks.Read", "Tasks.Write"])
///     .build()?;
/// let token = validator.validate(sent.expose_secret()).await?;
/// assert!(token.has_scope("Tasks.Read") && !token.is_app_only());
///
/// let forged = validator.validate("eyJhbGciOiJub25lIn0.e30.").await.unwrap_err();
/// assert_eq!(forged.kind(), TokenValidationErrorKind::Algorithm);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TokenValidator(pub(super) Arc<Inner>);

pub(super) struct Inner {
    /// The same source as for version 1 if only one version is accepted.
    pub(super) v1: Arc<Source>,
    pub(super) v2: Arc<Source>,
    pub(super) policy: Policy,
    pub(super) settings: Arc<Settings>,
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

    /// The claims of the token if it is valid. The nonce of an ID token is not checked.
    ///
    /// # Errors
    /// If the token is invalid or the keys cannot be fetched; see [`TokenValidationError::kind`].
    pub async fn validate(&self, token: &str) -> Result<ValidatedToken, TokenValidationError> {
        let inner = &*self.0;
        let unverified = Unverified::parse(token)?;
        let (source, version) = inner.source(&unverified);
        let now = Moment::now(&*inner.settings.clock);
        let (keys, position) = match source.ready(&unverified.kid, now) {
            Some(found) => found,
            // Boxed, because this rare future is large.
            None => Box::pin(source.find(Some(&unverified.kid), &inner.settings)).await?,
        };
        let key = keys
            .get(position)
            .filter(|key| key.has_signed(unverified.message, &unverified.signature))
            .ok_or_else(|| bad_signature(&unverified))?;
        inner.policy.check(
            unverified,
            version,
            &keys.issuer,
            key.issuer.as_ref(),
            inner
                .settings
                .clock
                .system_time()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default(),
        )
    }

    /// The claims of the ID token if it is valid and has this nonce. Without a nonce it is not checked.
    ///
    /// # Errors
    /// As [`validate`](Self::validate); [`TokenValidationErrorKind::Nonce`] for another sign-in's token,
    /// [`TokenValidationErrorKind::TokenUse`] when this validator is for access tokens.
    pub async fn validate_id_token(
        &self,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<ValidatedToken, TokenValidationError> {
        if self.0.policy.token_use != Use::Identity {
            return Err(TokenValidationError::new(
                TokenValidationErrorKind::TokenUse,
                "this validator is for access tokens",
                "build one with `TokenValidator::id_tokens`",
            ));
        }
        let token = self.validate(token).await?;
        match nonce {
            Some(nonce) if token.claim("nonce").and_then(Value::as_str) != Some(nonce) => {
                Err(TokenValidationError::new(
                    TokenValidationErrorKind::Nonce,
                    "the token belongs to another sign-in",
                    "have the user sign in again; if it happens often, check that no browser's sign-in is finished with the state of another",
                ))
            }
            _ => Ok(token),
        }
    }
}

impl TokenValidator {
    /// Whether every authorization response of the sign-in service has the parameter `iss`
    /// (`authorization_response_iss_parameter_supported`, RFC 9207).
    pub(crate) async fn has_issuer_parameter(&self) -> Result<bool, TokenValidationError> {
        let inner = &*self.0;
        let (published, _) = Box::pin(inner.v2.find(None, &inner.settings)).await?;
        Ok(published.has_issuer_parameter)
    }
}

impl fmt::Debug for TokenValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenValidator")
            .field("policy", &self.0.policy)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// Which keys to use. The version claim of the token only selects one of the configured sources.
    fn source(&self, token: &Unverified<'_>) -> (&Arc<Source>, Option<TokenVersion>) {
        if !self.policy.is_entra {
            return (&self.v2, None);
        }
        match token.claims.get("ver").and_then(Value::as_str) {
            Some("1.0") => (&self.v1, Some(TokenVersion::V1)),
            _ => (&self.v2, Some(TokenVersion::V2)),
        }
    }
}

fn bad_signature(token: &Unverified<'_>) -> TokenValidationError {
    let fix = if token.is_graph_token {
        "this is a token for Microsoft Graph, which only Graph can validate; have the client request a scope of this API, such as api://…/.default"
    } else {
        "the token was changed in transit or is forged"
    };
    TokenValidationError::new(
        TokenValidationErrorKind::Signature,
        "the signature is invalid",
        fix,
    )
}

/// The application of Microsoft that sends change notifications, in every tenant.
const NOTIFICATION_PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
