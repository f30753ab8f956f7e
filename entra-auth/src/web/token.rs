use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tower_layer::Layer;
use tower_service::Service;

use crate::validate::{
    ProtectedResource, TokenValidationError, TokenValidator, ValidatedToken, bearer_header,
};

/// A layer that validates bearer tokens, for the routes of an API.
///
/// A request without a valid token does not reach the handler. The response is that of RFC 6750: 401
/// with `WWW-Authenticate`, or 403 for a valid token that lacks a scope or role. The rules of the
/// validator apply to all routes; a layer can require more for some of them.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use axum::{Router, routing::{get, post}};
/// use entra_auth::TokenValidator;
/// use entra_auth::web::{Caller, BearerAuthLayer};
/// # let tenant = "11111111-1111-1111-1111-111111111111";
/// let tokens = BearerAuthLayer::new(TokenValidator::access_tokens(tenant, ["api://tasks"]).build()?);
///
/// async fn list(caller: Caller) -> String {
///     format!("tasks of {:?}", caller.token().oid())
/// }
/// let api: Router = Router::new()
///     .route("/tasks", get(list))
///     // Users need a scope, services an application permission.
///     .route_layer(tokens.clone().scopes(["Tasks.Read"]).app_permissions(["Tasks.Read.All"]));
/// # drop(api);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BearerAuthLayer(Arc<Requirements>);

#[derive(Clone)]
struct Requirements {
    validator: TokenValidator,
    scopes: Option<Vec<String>>,
    app_permissions: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    resource: Option<ProtectedResource>,
}

impl BearerAuthLayer {
    /// Accepts every token that the validator accepts.
    #[must_use]
    pub fn new(validator: TokenValidator) -> Self {
        Self(Arc::new(Requirements {
            validator,
            scopes: None,
            app_permissions: None,
            roles: None,
            resource: None,
        }))
    }

    /// Adds to each 401 and 403 where the [metadata](super::metadata_routes) of the API is and which scopes a
    /// request needs, in full form, so that a client which knows only the URL of the API can get a token.
    ///
    /// This holds for the rejections of handlers behind the layer as well.
    #[must_use]
    pub fn protected_resource(self, resource: &ProtectedResource) -> Self {
        self.with(|requirements| requirements.resource = Some(resource.clone()))
    }

    /// Accepts tokens of users with one of these scopes, and app-only tokens only with
    /// [`app_permissions`](Self::app_permissions).
    #[must_use]
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(self, any_of: I) -> Self {
        self.with(|requirements| requirements.scopes = Some(strings(any_of)))
    }

    /// Accepts app-only tokens with one of these permissions, and tokens of users only with
    /// [`scopes`](Self::scopes).
    #[must_use]
    pub fn app_permissions<I: IntoIterator<Item: Into<String>>>(self, any_of: I) -> Self {
        self.with(|requirements| requirements.app_permissions = Some(strings(any_of)))
    }

    /// Requires users to have one of these app roles, in addition to the scopes.
    #[must_use]
    pub fn roles<I: IntoIterator<Item: Into<String>>>(self, any_of: I) -> Self {
        self.with(|requirements| requirements.roles = Some(strings(any_of)))
    }

    /// Validates the token of a request's headers, for routes without the layer.
    ///
    /// # Errors
    /// [`BearerAuthRejection`], which is the response to send.
    pub async fn check(&self, headers: &HeaderMap) -> Result<ValidatedToken, BearerAuthRejection> {
        let checked = async {
            let token = bearer(headers)?;
            let token = self.0.validator.validate(token).await?;
            self.0.check(&token)?;
            Ok(token)
        };
        checked
            .await
            .map_err(|rejection| self.0.with_challenge(rejection))
    }

    fn with(mut self, change: impl FnOnce(&mut Requirements)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl fmt::Debug for BearerAuthLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerAuthLayer")
            .field("scopes", &self.0.scopes)
            .field("app_permissions", &self.0.app_permissions)
            .field("roles", &self.0.roles)
            .field("resource", &self.0.resource)
            .finish_non_exhaustive()
    }
}

impl Requirements {
    /// The rejection with the challenge of the layer.
    fn with_challenge(&self, rejection: BearerAuthRejection) -> BearerAuthRejection {
        let challenge = self.resource.as_ref().map(|resource| ResourceChallenge {
            resource: resource.clone(),
            scopes: resource.joined(self.scopes.iter().flatten()),
        });
        BearerAuthRejection {
            challenge: challenge.or(rejection.challenge),
            ..rejection
        }
    }

    fn check(&self, token: &ValidatedToken) -> Result<(), BearerAuthRejection> {
        let lists = [&self.scopes, &self.app_permissions, &self.roles];
        if lists.iter().all(|list| list.is_none()) {
            return Ok(());
        }
        if token.is_app_only() {
            return match &self.app_permissions {
                Some(any_of) => Ok(token.require_role(&borrowed(any_of))?),
                None => Err(BearerAuthRejection::lacks("A token of a user is required")),
            };
        }
        if !token.is_for_user() {
            return Err(BearerAuthRejection::lacks(
                "It is not clear whether the token is a user's or app-only",
            ));
        }
        if self.scopes.is_none() && self.roles.is_none() {
            return Err(BearerAuthRejection::lacks("An app-only token is required"));
        }
        if let Some(any_of) = &self.scopes {
            token.require_scope(&borrowed(any_of))?;
        }
        if let Some(any_of) = &self.roles {
            token.require_role(&borrowed(any_of))?;
        }
        Ok(())
    }
}

/// The caller of a request that [`BearerAuthLayer`] has accepted, as an argument of a handler.
///
/// Without that layer the response is a 500, and an error is logged.
#[derive(Clone, Debug)]
pub struct Caller(ValidatedToken);

impl Caller {
    /// The claims of the token.
    #[must_use]
    pub const fn token(&self) -> &ValidatedToken {
        &self.0
    }

    /// The claims of the token, by value.
    #[must_use]
    pub fn into_token(self) -> ValidatedToken {
        self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = BearerAuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, BearerAuthRejection> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler needs a caller, but its route has no `BearerAuthLayer`");
            BearerAuthRejection::new(Cause::NoLayer)
        })
    }
}

/// Why a request was rejected, as the response to send.
#[derive(Clone, Debug)]
pub struct BearerAuthRejection {
    cause: Cause,
    challenge: Option<ResourceChallenge>,
}

/// Where a client finds out how to get a token.
#[derive(Clone, Debug)]
struct ResourceChallenge {
    resource: ProtectedResource,
    /// The scopes that the layer requires, in full form.
    scopes: String,
}

#[derive(Clone, Debug)]
enum Cause {
    /// There is no token.
    Missing,
    /// The header is malformed.
    Malformed,
    Invalid(TokenValidationError),
    Insufficient(&'static str),
    Challenge(String),
    NoLayer,
}

impl ResourceChallenge {
    /// The header of a response with this status: at a 401 the client requests a token.
    fn header(&self, parameters: Vec<(&str, &str)>, status: StatusCode) -> String {
        let scopes = self.scopes.clone();
        let scopes = match status {
            StatusCode::UNAUTHORIZED => self.resource.with_offline_access(scopes),
            _ => scopes,
        };
        self.resource.header(parameters, &scopes)
    }
}

impl BearerAuthRejection {
    /// A claims challenge: the client has to get a token that satisfies these claims (JSON) and try
    /// again. Clients with the capability `cp1` (see [`ValidatedToken::supports_cae`]) handle it.
    ///
    /// ```
    /// use entra_auth::web::BearerAuthRejection;
    /// let wants_mfa = BearerAuthRejection::claims_challenge(r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#);
    /// assert_eq!(wants_mfa.status(), 401);
    /// ```
    #[must_use]
    pub fn claims_challenge(claims: &str) -> Self {
        Self::new(Cause::Challenge(STANDARD.encode(claims)))
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.cause {
            Cause::Missing | Cause::Challenge(_) => StatusCode::UNAUTHORIZED,
            Cause::Malformed => StatusCode::BAD_REQUEST,
            Cause::Invalid(error) => {
                StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::UNAUTHORIZED)
            }
            Cause::Insufficient(_) => StatusCode::FORBIDDEN,
            Cause::NoLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Why the token is invalid, if it is.
    #[must_use]
    pub const fn invalid_token(&self) -> Option<&TokenValidationError> {
        match &self.cause {
            Cause::Invalid(error) => Some(error),
            _ => None,
        }
    }

    /// The header `WWW-Authenticate` of the response.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<String> {
        let parameters = match &self.cause {
            // RFC 6750, 3.1: without a token there is no error code.
            Cause::Missing => Vec::new(),
            Cause::Malformed => vec![
                ("error", "invalid_request"),
                ("error_description", "The Authorization header is malformed"),
            ],
            Cause::Invalid(error) => {
                return match &self.challenge {
                    Some(challenge) if error.required_scopes().next().is_some() => {
                        challenge.resource.www_authenticate_error(error)
                    }
                    Some(challenge) => {
                        let parameters = error.header_parameters()?;
                        Some(challenge.header(parameters, self.status()))
                    }
                    None => error.www_authenticate(),
                };
            }
            Cause::Insufficient(what) => vec![
                ("error", "insufficient_scope"),
                ("error_description", *what),
            ],
            Cause::Challenge(claims) => {
                vec![
                    ("error", "insufficient_claims"),
                    ("claims", claims.as_str()),
                ]
            }
            Cause::NoLayer => return None,
        };
        Some(match &self.challenge {
            Some(challenge) => challenge.header(parameters, self.status()),
            None => bearer_header(&parameters),
        })
    }

    const fn new(cause: Cause) -> Self {
        Self {
            cause,
            challenge: None,
        }
    }

    const fn lacks(what: &'static str) -> Self {
        Self::new(Cause::Insufficient(what))
    }
}

impl From<TokenValidationError> for BearerAuthRejection {
    fn from(error: TokenValidationError) -> Self {
        Self::new(Cause::Invalid(error))
    }
}

impl fmt::Display for BearerAuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Missing => f.write_str("the request has no bearer token"),
            Cause::Malformed => f.write_str("the request's Authorization header is malformed"),
            Cause::Invalid(_) => f.write_str("the request's token is not accepted"),
            Cause::Insufficient(_) => {
                f.write_str("the request's token is of another kind of caller")
            }
            Cause::Challenge(_) => f.write_str("the request's token lacks claims"),
            Cause::NoLayer => f.write_str("the route has no `BearerAuthLayer`"),
        }
    }
}

impl std::error::Error for BearerAuthRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Invalid(error) => Some(error),
            _ => None,
        }
    }
}

impl IntoResponse for BearerAuthRejection {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        if let Some(value) = self.www_authenticate()
            && let Ok(value) = HeaderValue::try_from(value)
        {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // A rejection of a handler gets the challenge of the layer.
        response.extensions_mut().insert(self);
        response
    }
}

impl<S> Layer<S> for BearerAuthLayer {
    type Service = BearerAuth<S>;

    fn layer(&self, inner: S) -> BearerAuth<S> {
        BearerAuth {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service behind a [`BearerAuthLayer`].
#[derive(Clone, Debug)]
pub struct BearerAuth<S> {
    inner: S,
    layer: BearerAuthLayer,
}

impl<S> Service<Request> for BearerAuth<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        // The service that was polled ready; a clone may not be ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            match layer.check(request.headers()).await {
                Ok(token) => {
                    request.extensions_mut().insert(Caller(token));
                    let mut response = inner.call(request).await?;
                    if layer.0.resource.is_some()
                        && let Some(rejection) = response.extensions().get::<BearerAuthRejection>()
                        && rejection.challenge.is_none()
                        && let Some(value) =
                            layer.0.with_challenge(rejection.clone()).www_authenticate()
                        && let Ok(value) = HeaderValue::try_from(value)
                    {
                        response
                            .headers_mut()
                            .insert(header::WWW_AUTHENTICATE, value);
                    }
                    Ok(response)
                }
                Err(rejection) => {
                    let reason = rejection.invalid_token().map(tracing::field::display);
                    tracing::debug!(%rejection, reason, "a request was rejected");
                    Ok(rejection.into_response())
                }
            }
        })
    }
}

/// The token of the Authorization header. Tokens at the other places of RFC 6750 (form, query) may
/// be logged.
fn bearer(headers: &HeaderMap) -> Result<&str, BearerAuthRejection> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (all.next(), all.next());
    let Some(value) = first else {
        return Err(BearerAuthRejection::new(Cause::Missing));
    };
    let malformed = || BearerAuthRejection::new(Cause::Malformed);
    if second.is_some() {
        return Err(malformed());
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|value| value.trim().split_once(' '))
        .ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(BearerAuthRejection::new(Cause::Missing));
    }
    match token.trim() {
        token if token.is_empty() || token.contains(' ') => Err(malformed()),
        token => Ok(token),
    }
}

fn borrowed(strings: &[String]) -> Vec<&str> {
    strings.iter().map(String::as_str).collect()
}

fn strings<I: IntoIterator<Item: Into<String>>>(strings: I) -> Vec<String> {
    strings.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer_of(values: &[&'static str]) -> Result<String, StatusCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(header::AUTHORIZATION, value);
        }
        bearer(&headers)
            .map(str::to_owned)
            .map_err(|rejection| rejection.status())
    }

    #[test]
    fn a_token_is_read_from_exactly_one_authorization_header() {
        assert_eq!(bearer_of(&["Bearer abc"]).unwrap(), "abc");
        assert_eq!(bearer_of(&["bearer  abc "]).unwrap(), "abc");
        for missing in [&[] as &[_], &["Basic abc"]] {
            assert_eq!(
                bearer_of(missing),
                Err(StatusCode::UNAUTHORIZED),
                "{missing:?}"
            );
        }
        for malformed in [
            &["Bearer"] as &[_],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a", "Bearer b"],
            &["Bearer \u{e9}"],
        ] {
            assert_eq!(
                bearer_of(malformed),
                Err(StatusCode::BAD_REQUEST),
                "{malformed:?}"
            );
        }
    }

    #[test]
    fn each_rejection_has_the_www_authenticate_header_of_rfc_6750() {
        let header = |cause| {
            BearerAuthRejection::new(cause)
                .www_authenticate()
                .unwrap_or_default()
        };
        assert_eq!(header(Cause::Missing), "Bearer");
        assert!(header(Cause::Malformed).contains(r#"error="invalid_request""#));
        assert!(header(Cause::Insufficient("x")).contains(r#"error="insufficient_scope""#));
        let challenge = BearerAuthRejection::claims_challenge("{}").into_response();
        assert_eq!(
            challenge.headers()[header::WWW_AUTHENTICATE],
            r#"Bearer error="insufficient_claims", claims="e30=""#
        );
        assert_eq!(header(Cause::NoLayer), "");
    }
}
