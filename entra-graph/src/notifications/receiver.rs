//! The receiver: a function from requests to responses, and the check of what they carried.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use entra_core::{
    ClientId, Clock, Guid, IntoId, InvalidId, JwtError, JwtVerifier, Secret, SystemClock,
    Timestamp,
    bytes::Bytes,
    http::{HeaderValue, Method, Response, StatusCode, header},
    time::format_description::well_known::Rfc3339,
};
use serde_json::value::RawValue;

use super::{
    content::DecryptionKey,
    event::{ChangeNotification, LifecycleNotification, NotificationEvent},
    handshake::{self, plain},
    rejection::RejectionReason,
    seen::{Digest, Seen, digest_of},
    tokens::{TokenProblem, ValidationTokens},
    wire::{Collection, Item},
};
use crate::error::Error;

/// Receives change notifications: it responds to requests, and validates and decrypts what they carry.
///
/// It does no input or output and fits any web server. [`respond`](Self::respond) is to be called at once, since Graph waits
/// for three seconds; [`verify`](Self::verify) can take longer, when it fetches signing keys.
/// [`into_queue`](Self::into_queue) has both with a queue between them, and is what most programs need.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use entra_core::{bytes::Bytes, http::Method};
/// use entra_graph::notifications::{NotificationEvent, Receiver};
///
/// let receiver = Receiver::builder("kZ0xQ1vJ5nW8").build()?;
/// let handshake = receiver.respond(&Method::POST, Some("validationToken=hello+world"), Bytes::new());
/// assert_eq!(handshake.response.body(), "hello world");
///
/// let body = r##"{"value":[{
///     "subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07", "clientState": "kZ0xQ1vJ5nW8",
///     "changeType": "updated", "resource": "Users/33333333-3333-3333-3333-333333333333",
///     "tenantId": "22222222-2222-2222-2222-222222222222",
///     "resourceData": { "@odata.type": "#Microsoft.Graph.User", "id": "33333333-3333-3333-3333-333333333333" }
/// }]}"##;
/// let received = receiver.respond(&Method::POST, None, Bytes::from(body));
/// assert_eq!(received.response.status(), 202);
/// let verified = receiver.verify(&received.delivery.unwrap()).await?;
/// let NotificationEvent::Change(change) = &verified.accepted[0] else { panic!() };
/// assert_eq!(change.resource_id.as_deref(), Some("33333333-3333-3333-3333-333333333333"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Receiver {
    client_states: Vec<Secret>,
    keys: BTreeMap<String, DecryptionKey>,
    tenants: Option<Vec<Guid>>,
    tokens: Option<ValidationTokens>,
    requires_tokens: bool,
    body_limit: usize,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

/// Settings of a [`Receiver`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct ReceiverBuilder {
    client_states: Vec<Secret>,
    keys: Vec<DecryptionKey>,
    tenants: Option<Result<Vec<Guid>, InvalidId>>,
    verifier: Option<Arc<dyn JwtVerifier>>,
    client_ids: Result<Vec<ClientId>, InvalidId>,
    requires_tokens: bool,
    body_limit: usize,
    remembered: usize,
    clock: Arc<dyn Clock>,
}

/// The response to a request, and what the request carried.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received {
    /// What to send back at once.
    pub response: Response<Bytes>,
    /// What to verify afterwards; `None` for a handshake and for a request that was rejected.
    pub delivery: Option<Delivery>,
}

/// Notifications that are not verified yet.
#[derive(Clone)]
pub struct Delivery {
    body: Bytes,
}

/// What [`Receiver::verify`] made of a delivery.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// The accepted notifications, in their order.
    pub accepted: Vec<NotificationEvent>,
    /// How many were rejected, by reason.
    pub rejected: BTreeMap<RejectionReason, usize>,
}

impl Receiver {
    /// A receiver of notifications that carry this secret, which their subscriptions were created with.
    pub fn builder(client_state: impl Into<Secret>) -> ReceiverBuilder {
        ReceiverBuilder {
            client_states: vec![client_state.into()],
            keys: Vec::new(),
            tenants: None,
            verifier: None,
            client_ids: Ok(Vec::new()),
            requires_tokens: false,
            body_limit: 1024 * 1024,
            remembered: 65_536,
            clock: Arc::new(SystemClock),
        }
    }

    /// The response to a request, and what it carried.
    ///
    /// - `200` and the token for a handshake, `400` for an invalid one;
    /// - `202` for notifications, whether they are genuine or not, so that a forger learns nothing;
    /// - `400` for a body that is not a collection of notifications, `413` for one that is too large, `405` for any method but POST.
    #[must_use]
    pub fn respond(&self, method: &Method, query: Option<&str>, body: Bytes) -> Received {
        let only = |response| Received {
            response,
            delivery: None,
        };
        if method != Method::POST {
            let mut response = plain(
                StatusCode::METHOD_NOT_ALLOWED,
                Bytes::from_static(b"notifications are posted"),
            );
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("POST"));
            return only(response);
        }
        if let Some(response) = query.and_then(handshake::respond) {
            return only(response);
        }
        if body.len() > self.body_limit {
            return only(too_large());
        }
        if Collection::read(&body).is_none() {
            return only(plain(
                StatusCode::BAD_REQUEST,
                Bytes::from_static(b"the body is not a collection of notifications"),
            ));
        }
        Received {
            response: plain(StatusCode::ACCEPTED, Bytes::new()),
            delivery: Some(Delivery { body }),
        }
    }

    /// The genuine notifications of a delivery.
    ///
    /// Each must carry a client state of the receiver. If one contains resource data, or the receiver requires them, all
    /// validation tokens of the delivery must be valid, with one for the tenant of each such notification.
    ///
    /// # Errors
    /// [`JwtError`] of kind [`Unavailable`](entra_core::JwtErrorKind::Unavailable) if the signing keys cannot be fetched now:
    /// verify the delivery again later.
    pub async fn verify(&self, delivery: &Delivery) -> Result<Verified, JwtError> {
        let mut verified = Verified::default();
        let Some(collection) = Collection::read(&delivery.body) else {
            verified.reject(RejectionReason::Malformed);
            return Ok(verified);
        };
        let mut items = Vec::with_capacity(collection.value.len());
        for raw in &collection.value {
            match self.admit(raw) {
                Ok(item) => items.push(item),
                Err(reason) => verified.reject(reason),
            }
        }
        let needs_tokens =
            |item: &Item<'_>| self.requires_tokens || item.encrypted_content.is_some();
        let tokens = collection.validation_tokens();
        // Tokens are verified only for those who know the client state, as it costs more.
        let tenants = match &self.tokens {
            Some(validation) if !items.is_empty() && !tokens.is_empty() => {
                match validation.tenants(tokens, &*self.clock).await {
                    Ok(tenants) => tenants,
                    Err(TokenProblem::Unavailable(error)) => return Err(error),
                    Err(TokenProblem::Invalid) => {
                        for _ in items {
                            verified.reject(RejectionReason::TokenInvalid);
                        }
                        return Ok(verified);
                    }
                }
            }
            _ => Default::default(),
        };
        for item in items {
            let tenant = item.tenant_id.as_deref().and_then(|id| id.parse().ok());
            let has_token = tenant.is_some_and(|tenant| tenants.contains(&tenant));
            let event = match needs_tokens(&item) && !has_token {
                true => Err(RejectionReason::TokenMissing),
                false => self.accept(&item, tenant),
            };
            match event {
                Ok(event) => verified.accepted.push(event),
                Err(reason) => verified.reject(reason),
            }
        }
        Ok(verified)
    }

    /// The most bytes of one request body.
    #[must_use]
    pub const fn body_limit(&self) -> usize {
        self.body_limit
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Reads a notification, and checks what needs no token.
    fn admit<'a>(&self, raw: &'a RawValue) -> Result<Item<'a>, RejectionReason> {
        let item = Item::read(raw).ok_or(RejectionReason::Malformed)?;
        let Some(claimed) = &item.client_state else {
            return Err(RejectionReason::ClientState);
        };
        // Each is compared, so that the time does not tell which one is similar.
        let matches = self
            .client_states
            .iter()
            .fold(false, |known, state| known | (state == claimed));
        if !matches {
            return Err(RejectionReason::ClientState);
        }
        let tenant = match item.tenant_id.as_deref() {
            Some(id) => Some(id.parse::<Guid>().map_err(|_| RejectionReason::Malformed)?),
            None => None,
        };
        if let Some(tenants) = &self.tenants
            && !tenant.is_some_and(|tenant| tenants.contains(&tenant))
        {
            return Err(RejectionReason::Tenant);
        }
        let expires = expires(&item)?;
        if expires.is_some_and(|expires| self.clock.now() - expires > LONGEST_RETRY) {
            return Err(RejectionReason::Expired);
        }
        Ok(item)
    }

    /// Decrypts a notification, and rejects one that was accepted before.
    fn accept(
        &self,
        item: &Item<'_>,
        tenant_id: Option<Guid>,
    ) -> Result<NotificationEvent, RejectionReason> {
        let subscription_id = item.subscription_id.clone().into_owned();
        let subscription_expires_on = expires(item)?;
        if let Some(event) = &item.lifecycle_event {
            // They come again until they are acted upon.
            return Ok(NotificationEvent::Lifecycle(LifecycleNotification {
                subscription_id,
                subscription_expires_on,
                tenant_id,
                event: (&**event).into(),
            }));
        }
        let (Some(change_type), Some(resource)) = (&item.change_type, &item.resource) else {
            return Err(RejectionReason::Malformed);
        };
        let content = match &item.encrypted_content {
            Some(content) => {
                let key = self
                    .keys
                    .get(&*content.encryption_certificate_id)
                    .ok_or(RejectionReason::UnknownCertificate)?;
                Some(key.decrypt(content)?)
            }
            None => None,
        };
        // Two changes of one object without data can be equal to the byte, so these count as the same only with an id.
        let identity = match (&item.encrypted_content, &item.id) {
            (Some(content), _) => Some(digest_of(&[
                content.data.as_bytes(),
                content.data_signature.as_bytes(),
            ])),
            (None, Some(id)) => Some(identity(item, id)),
            (None, None) => None,
        };
        if let Some(identity) = identity {
            let now = self.clock.monotonic();
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if !seen.insert(identity, now) {
                return Err(RejectionReason::Duplicate);
            }
        }
        let data = item.resource_data.as_ref();
        let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.clone().map(Into::into);
        Ok(NotificationEvent::Change(ChangeNotification {
            subscription_id,
            subscription_expires_on,
            tenant_id,
            change_type: (&**change_type).into(),
            resource: resource.clone().into_owned(),
            resource_id: data.and_then(|data| owned(&data.id)),
            resource_type: data.and_then(|data| owned(&data.odata_type)),
            content,
        }))
    }
}

impl ReceiverBuilder {
    /// Also accepts this client state, such as that of subscriptions which are being replaced.
    pub fn client_state(mut self, client_state: impl Into<Secret>) -> Self {
        self.client_states.push(client_state.into());
        self
    }

    /// A key for resource data; several while certificates are rotated. It needs
    /// [`validation_tokens`](Self::validation_tokens).
    pub fn decryption_key(mut self, key: DecryptionKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Verifies validation tokens for these applications, the ones that created the subscriptions (or their
    /// `notificationUrlAppId`).
    ///
    /// The verifier checks signature, issuer and lifetime, and caches the signing keys, such as `TokenValidator` of
    /// entra-auth:
    ///
    /// ```text
    /// TokenValidator::notification_tokens(tenant_id, client_id).build()?
    /// ```
    ///
    /// A token that was verified is not verified again for an hour, or until it expires: Graph sends one for hours.
    pub fn validation_tokens<I>(
        mut self,
        verifier: impl JwtVerifier,
        client_ids: impl IntoIterator<Item = I>,
    ) -> Self
    where
        I: IntoId<ClientId>,
    {
        self.verifier = Some(Arc::new(verifier));
        self.client_ids = client_ids.into_iter().map(IntoId::into_id).collect();
        self
    }

    /// Rejects notifications without a validation token, also those without resource data. Graph sends tokens for them if
    /// their subscription has a [`notificationUrlAppId`](crate::NewSubscription::validation_tokens_for).
    pub const fn require_validation_tokens(mut self) -> Self {
        self.requires_tokens = true;
        self
    }

    /// Accepts only these tenants, by their GUIDs.
    pub fn tenants<I: IntoId<Guid>>(mut self, tenants: impl IntoIterator<Item = I>) -> Self {
        self.tenants = Some(tenants.into_iter().map(IntoId::into_id).collect());
        self
    }

    /// The most bytes of one request body; 1 MiB unless set.
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How many accepted notifications are remembered, to reject them when they come again; 65,536 unless set, which take 3
    /// MB.
    pub const fn remember(mut self, count: usize) -> Self {
        self.remembered = count;
        self
    }

    /// The clock for expiries and waits.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The receiver.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an empty client state or id, for keys or required
    /// tokens without a verifier, and for two keys of one name.
    pub fn build(self) -> Result<Receiver, Error> {
        let invalid = |message: &str| Error::from(entra_core::Error::configuration(message));
        if self.client_states.iter().any(Secret::is_empty) {
            return Err(invalid(
                "the client state is empty, so any sender could send notifications; give the receiver the client state of the subscription",
            ));
        }
        let needs_verifier = self.requires_tokens || !self.keys.is_empty();
        if needs_verifier && self.verifier.is_none() {
            return Err(invalid(
                "resource data and required tokens need a verifier: call `validation_tokens`",
            ));
        }
        let client_ids = self.client_ids?;
        if self.verifier.is_some() && client_ids.is_empty() {
            return Err(invalid(
                "validation tokens need the client id of an application",
            ));
        }
        let count = self.keys.len();
        let keys: BTreeMap<String, DecryptionKey> = self
            .keys
            .into_iter()
            .map(|key| (key.id().to_owned(), key))
            .collect();
        if keys.len() != count {
            return Err(invalid("two decryption keys have the same id"));
        }
        Ok(Receiver {
            client_states: self.client_states,
            keys,
            tenants: self.tenants.transpose()?,
            tokens: self
                .verifier
                .map(|verifier| ValidationTokens::new(verifier, client_ids)),
            requires_tokens: self.requires_tokens,
            body_limit: self.body_limit,
            clock: self.clock,
            seen: Mutex::new(Seen::new(self.remembered)),
        })
    }
}

impl Receiver {
    /// The application that sends change notifications: `appid` or `azp` of validation tokens.
    pub const PUBLISHER: &str = super::tokens::PUBLISHER;
}

impl Delivery {
    /// The bytes that it occupies.
    pub(super) fn size(&self) -> usize {
        self.body.len()
    }
}

impl Verified {
    fn reject(&mut self, reason: RejectionReason) {
        *self.rejected.entry(reason).or_default() += 1;
    }

    /// How many notifications were rejected.
    #[must_use]
    pub fn rejected_count(&self) -> usize {
        self.rejected.values().sum()
    }
}

pub(super) fn too_large() -> Response<Bytes> {
    plain(
        StatusCode::PAYLOAD_TOO_LARGE,
        Bytes::from_static(b"the body is too large"),
    )
}

/// What is the same each time Graph sends a notification with an id: not the spaces between, and not the expiry of its
/// subscription, which can be renewed meanwhile.
fn identity(item: &Item<'_>, id: &str) -> Digest {
    let data = item.resource_data.as_ref();
    let parts = [
        item.tenant_id.as_deref(),
        Some(&*item.subscription_id),
        Some(id),
        item.change_type.as_deref(),
        item.resource.as_deref(),
        data.and_then(|data| data.id.as_deref()),
        data.and_then(|data| data.etag.as_deref()),
    ];
    digest_of(&parts.map(|part| part.unwrap_or_default().as_bytes()))
}

/// When the subscription expires, if the notification says so.
fn expires(item: &Item<'_>) -> Result<Option<Timestamp>, RejectionReason> {
    let Some(text) = item.subscription_expiration_date_time.as_deref() else {
        return Ok(None);
    };
    Timestamp::parse(text, &Rfc3339)
        .map(Some)
        .map_err(|_| RejectionReason::Malformed)
}

/// Shows names and numbers only.
impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("keys", &self.keys.keys())
            .field("tenants", &self.tenants)
            .field(
                "client_ids",
                &self.tokens.as_ref().map(ValidationTokens::client_ids),
            )
            .field("requires_tokens", &self.requires_tokens)
            .finish_non_exhaustive()
    }
}

/// Shows the names of keys only.
impl fmt::Debug for ReceiverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("keys", &self.keys)
            .field("requires_tokens", &self.requires_tokens)
            .finish_non_exhaustive()
    }
}

/// Shows the length only: the body has secrets.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delivery({} bytes)", self.body.len())
    }
}

/// How long Graph tries to deliver a notification.
const LONGEST_RETRY: Duration = Duration::from_secs(4 * 3600);
