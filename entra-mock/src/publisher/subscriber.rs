//! A stored subscription as its notifications need it.

use serde_json::Value;

use crate::{
    directory::GRAPH_APP_ID,
    notifications::{EncryptionCertificate, SubscribedResource, change_types, internal},
    state::State,
    store::{Kind, Object},
    time::ticks,
};

/// One subscription.
#[derive(Clone, Debug)]
pub(super) struct Subscriber {
    pub(super) id: String,
    pub(super) app_id: String,
    pub(super) delegated: bool,
    pub(super) resource: SubscribedResource,
    pub(super) change_types: Vec<String>,
    pub(super) url: String,
    pub(super) lifecycle_url: Option<String>,
    pub(super) client_state: Value,
    /// In ticks, and as the client wrote it.
    pub(super) expires: i64,
    pub(super) expiration: String,
    pub(super) since: u64,
    pub(super) base: String,
    /// With its id.
    pub(super) certificate: Option<(String, EncryptionCertificate)>,
    /// The audience of validation tokens, if notifications have them.
    pub(super) audience: Option<String>,
    pub(super) authorized: i64,
    pub(super) challenged: Option<i64>,
    pub(super) paused: bool,
}

impl Subscriber {
    /// Returns all subscriptions, the oldest first.
    pub(super) fn all(state: &State) -> Vec<Self> {
        let subscriptions = state.store.all(Kind::Subscription);
        subscriptions.filter_map(Self::read).collect()
    }

    pub(super) fn read(object: &Object) -> Option<Self> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let owned = |name: &str| text(name).map(str::to_owned);
        let number = |name: &str| object.get(name).and_then(Value::as_i64);
        let resource = text(internal::RESOURCE).or_else(|| text("resource"))?;
        let expires = ticks(text("expirationDateTime")?)?;
        let app_id = owned("applicationId").unwrap_or_default();
        let includes_content = object.get("includeResourceData") == Some(&Value::Bool(true));
        let certificate = text(internal::CERTIFICATE)
            .filter(|_| includes_content)
            .and_then(EncryptionCertificate::read)
            .map(|certificate| {
                (
                    owned("encryptionCertificateId").unwrap_or_default(),
                    certificate,
                )
            });
        let audience =
            owned("notificationUrlAppId").or_else(|| includes_content.then(|| app_id.clone()));
        Some(Self {
            id: owned("id")?,
            delegated: object.get(internal::USER).is_some(),
            resource: SubscribedResource::parse(resource, None, true).ok()?,
            change_types: change_types(text("changeType")?)?,
            url: owned("notificationUrl")?,
            lifecycle_url: owned("lifecycleNotificationUrl"),
            client_state: object[internal::CLIENT_STATE].clone(),
            expires,
            expiration: owned("expirationDateTime")?,
            since: object
                .get(internal::SINCE)
                .and_then(Value::as_u64)
                .unwrap_or_default(),
            base: owned(internal::BASE).unwrap_or_default(),
            certificate,
            audience,
            authorized: number(internal::AUTHORIZED).unwrap_or(expires),
            challenged: number(internal::CHALLENGED),
            paused: object.get(internal::PAUSED).is_some(),
            app_id,
        })
    }

    /// Whether its application still has the permission for the resource. Delegated permissions are not checked
    /// after the creation.
    pub(super) fn is_permitted(&self, state: &State) -> bool {
        let store = &state.store;
        let service = |app_id: &str| store.find(Kind::ServicePrincipal, "appId", app_id);
        if self.delegated {
            return service(&self.app_id).is_some();
        }
        let (Some(own), Some(graph)) = (service(&self.app_id), service(GRAPH_APP_ID)) else {
            return false;
        };
        let permission = self.resource.permission();
        let role = graph["appRoles"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|role| role["value"] == permission);
        let Some(role) = role else { return false };
        store
            .assignments_of(own["id"].as_str().unwrap_or_default())
            .any(|assignment| {
                assignment["resourceId"] == graph["id"] && assignment["appRoleId"] == role["id"]
            })
    }
}
