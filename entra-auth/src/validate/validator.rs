use std::{fmt, sync::Arc, time::SystemTime};

use serde_json::Value;

use super::{
    error::{TokenValidationError, TokenValidationErrorKind},
    jwt::Unverified,
    keys::Source,
    policy::{Policy, Use},
    token::{TokenVersion, ValidatedToken},
};
use crate::{moment::Moment, settings::Settings};

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
