//! What a subscription is created from.

use std::{fmt, time::Duration};

use entra_core::{
    ClientId, IntoId, InvalidId, Secret,
    url::{Host, Url},
};

use super::{EncryptionCertificate, SubscriptionResource, expiry::expires_after};
use crate::{
    client::{Call, GraphClient},
    error::Error,
    model::Body,
    objects::{
        Subscription,
        types::{ChangeType, LifecycleEventType},
    },
    request::Target,
};

/// What a subscription is created from: the resource, where notifications are sent to, and a secret that each of them
/// carries.
///
/// What Graph would reject is an error before anything is sent.
#[derive(Clone)]
pub struct NewSubscription {
    resource: SubscriptionResource,
    notification_url: String,
    client_state: Secret,
    change_types: Vec<ChangeType>,
    lifetime: Option<Duration>,
    lifecycle_notification_url: Option<String>,
    certificate: Option<EncryptionCertificate>,
    token_audience: Option<Result<ClientId, InvalidId>>,
    needed_events: Vec<LifecycleEventType>,
}

impl NewSubscription {
    /// A subscription to updates and deletions of a resource, with the longest lifetime.
    ///
    /// The URL must be `https` (`http` on loopback only). Its query is sent with each notification. The client state has 1
    /// to 128 characters; generate it, and give the same one to the receiver.
    pub fn new(
        resource: SubscriptionResource,
        notification_url: impl Into<String>,
        client_state: impl Into<Secret>,
    ) -> Self {
        Self {
            resource,
            notification_url: notification_url.into(),
            client_state: client_state.into(),
            change_types: vec![ChangeType::Updated, ChangeType::Deleted],
            lifetime: None,
            lifecycle_notification_url: None,
            certificate: None,
            token_audience: None,
            needed_events: Vec::new(),
        }
    }

    /// Other changes than updates and deletions.
    #[must_use]
    pub fn change_types(mut self, types: impl IntoIterator<Item = ChangeType>) -> Self {
        self.change_types = types.into_iter().collect();
        self
    }

    /// After what time it expires; [`SubscriptionResource::default_lifetime`] unless set.
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Where lifecycle notifications are sent to, which can be the same URL. It cannot be set later.
    #[must_use]
    pub fn lifecycle_notification_url(mut self, url: impl Into<String>) -> Self {
        self.lifecycle_notification_url = Some(url.into());
        self
    }

    /// Notifications contain the changed resource, encrypted with this certificate. Users and groups have none.
    #[must_use]
    pub fn include_resource_data(mut self, certificate: &EncryptionCertificate) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// Notifications carry validation tokens for this application, also without resource data (`notificationUrlAppId`).
    #[must_use]
    pub fn validation_tokens_for(mut self, client_id: impl IntoId<ClientId>) -> Self {
        self.token_audience = Some(client_id.into_id());
        self
    }

    /// Says that the program relies on this lifecycle event: it is an error if the resource does not have it. Users and
    /// groups have `reauthorizationRequired` only.
    #[must_use]
    pub fn needs_lifecycle_event(mut self, event: LifecycleEventType) -> Self {
        self.needed_events.push(event);
        self
    }

    /// What it is about.
    #[must_use]
    pub const fn resource(&self) -> &SubscriptionResource {
        &self.resource
    }

    pub(crate) fn notification_url(&self) -> &str {
        &self.notification_url
    }

    pub(crate) const fn client_state(&self) -> &Secret {
        &self.client_state
    }

    pub(crate) const fn certificate(&self) -> Option<&EncryptionCertificate> {
        self.certificate.as_ref()
    }

    pub(crate) fn chosen_lifetime(&self) -> Duration {
        self.lifetime
            .unwrap_or_else(|| self.resource.default_lifetime())
    }

    /// With a lifecycle notification URL, if it has none.
    pub(crate) fn with_lifecycle(mut self) -> Self {
        let url = &self.notification_url;
        self.lifecycle_notification_url
            .get_or_insert_with(|| url.clone());
        self
    }

    /// Everything that a change of would need another subscription, without the client state.
    pub(crate) fn outline(&self) -> Vec<String> {
        vec![
            self.resource.path().to_owned(),
            self.joined_types(),
            self.notification_url.clone(),
            self.lifecycle_notification_url.clone().unwrap_or_default(),
            self.certificate.is_some().to_string(),
            match &self.token_audience {
                Some(Ok(id)) => id.to_string(),
                _ => String::new(),
            },
        ]
    }

    pub(crate) fn joined_types(&self) -> String {
        let types: Vec<&str> = self.change_types.iter().map(ChangeType::as_str).collect();
        types.join(",")
    }

    /// # Errors
    /// `Query` for what Graph would reject.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let path = self.resource.valid_path()?;
        check_url("notification URL", &self.notification_url)?;
        if let Some(url) = &self.lifecycle_notification_url {
            check_url("lifecycle notification URL", url)?;
        }
        let length = self.client_state.expose_secret().chars().count();
        if !(1..=128).contains(&length) {
            return Err(Error::query(format!(
                "the client state has {length} characters; it must have 1 to 128"
            )));
        }
        if self.change_types.is_empty() {
            return Err(Error::query(
                "the subscription reports no changes: name a change type",
            ));
        }
        let longest = self.resource.maximum_lifetime();
        if self.chosen_lifetime() > longest {
            return Err(Error::query(format!(
                "a subscription to {path} lives for at most {} minutes",
                longest.as_secs() / 60
            )));
        }
        if self.certificate.is_some() && !self.resource.has_resource_data() {
            return Err(Error::query(format!(
                "notifications about {path} cannot include resource data; read the changes by a delta query instead"
            )));
        }
        let events = self.resource.lifecycle_events();
        if let Some(event) = self
            .needed_events
            .iter()
            .find(|event| !events.contains(event))
        {
            return Err(Error::query(format!(
                "subscriptions to {path} have no lifecycle event {event}; run a delta query after a silence instead"
            )));
        }
        if let Some(Err(error)) = &self.token_audience {
            return Err(error.clone().into());
        }
        Ok(())
    }

    pub(super) fn into_call(self, client: &GraphClient) -> Result<Call, Error> {
        self.check()?;
        let expires = expires_after(client, self.chosen_lifetime())?;
        let mut body = Body::default();
        body.set::<String>(Subscription::CHANGE_TYPE.into_name(), &self.joined_types());
        body.set::<String>(
            Subscription::NOTIFICATION_URL.into_name(),
            &self.notification_url,
        );
        body.set::<String>(Subscription::RESOURCE.into_name(), self.resource.path());
        body.set(Subscription::EXPIRATION_DATE_TIME.into_name(), &expires);
        body.set::<Secret>(Subscription::CLIENT_STATE.into_name(), &self.client_state);
        body.set::<String>(
            Subscription::LATEST_SUPPORTED_TLS_VERSION.into_name(),
            "v1_2",
        );
        if let Some(url) = &self.lifecycle_notification_url {
            body.set::<String>(Subscription::LIFECYCLE_NOTIFICATION_URL.into_name(), url);
        }
        if let Some(certificate) = &self.certificate {
            body.set(Subscription::INCLUDE_RESOURCE_DATA.into_name(), &true);
            certificate.write_into(&mut body);
        }
        if let Some(Ok(id)) = &self.token_audience {
            body.set::<String>(Subscription::NOTIFICATION_URL_APP_ID.into_name(), id);
        }
        let url = Target::root(client).join(&["subscriptions"]).url()?;
        Ok(Call::new(self.resource.operation(), url).with_json(body.into_bytes()))
    }
}

/// Shows neither the client state nor the queries of the URLs.
impl fmt::Debug for NewSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSubscription")
            .field("resource", &self.resource)
            .field("change_types", &self.change_types)
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

fn check_url(what: &str, url: &str) -> Result<(), Error> {
    let parsed =
        Url::parse(url).map_err(|_| Error::query(format!("the {what} is not an absolute URL")))?;
    let is_loopback = match parsed.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if is_loopback => Ok(()),
        _ => Err(Error::query(format!(
            "the {what} must be https (http on loopback only)"
        ))),
    }
}
