//! Subscriptions to change notifications: `/subscriptions`.

mod certificate;
mod expiry;
mod new;
mod resource;

use std::time::Duration;

use crate::{
    client::GraphClient,
    key::Key,
    model::Body,
    objects::Subscription,
    operation::operations,
    place::{Collection, Object, places, singles},
    request::{Request, Target, read_entity, read_nothing},
};
pub use certificate::EncryptionCertificate;
pub(crate) use certificate::valid_id;
use expiry::expires_after;
pub use new::NewSubscription;
pub use resource::SubscriptionResource;
pub(crate) use resource::is_same_resource;

// Each takes the permission that reads the subscribed resource; those that write it are no substitute.
operations! {
    LIST = "subscription-list" GET "/subscriptions" => Collection("subscription"),
        both ["User.Read.All", "Group.Read.All"];
    /// A subscription to a resource whose permissions this crate does not know.
    CREATE = "subscription-post-subscriptions" POST "/subscriptions" => Object("subscription"),
        both [];
    CREATE_FOR_USERS = "subscription-post-subscriptions-users" POST "/subscriptions" => Object("subscription"),
        both ["User.Read.All"];
    CREATE_FOR_GROUPS = "subscription-post-subscriptions-groups" POST "/subscriptions" => Object("subscription"),
        both ["Group.Read.All"];
    GET = "subscription-get" GET "/subscriptions/{id}" => Object("subscription"),
        both ["User.Read.All", "Group.Read.All"];
    UPDATE = "subscription-update" PATCH "/subscriptions/{id}" => Object("subscription"),
        both ["User.Read.All", "Group.Read.All"];
    DELETE = "subscription-delete" DELETE "/subscriptions/{id}" => Nothing,
        both ["User.Read.All", "Group.Read.All"];
    REAUTHORIZE = "subscription-reauthorize" POST(Idempotent) "/subscriptions/{id}/reauthorize" => Nothing,
        both ["User.Read.All", "Group.Read.All"];
}

places! {
    /// `/subscriptions`.
    Subscriptions: Subscription { list LIST }
}

singles! {
    /// `/subscriptions/{id}`.
    OneSubscription: Subscription { get GET, update UPDATE, delete DELETE }
}

impl GraphClient {
    /// A request that subscribes to changes of a resource:
    /// [`POST /subscriptions`](https://learn.microsoft.com/graph/api/subscription-post-subscriptions).
    ///
    /// Needs the permission that reads the resource: `User.Read.All` for users, `Group.Read.All` for groups. A
    /// permission that writes is not enough. Before it responds, Graph sends a request to each notification URL, which
    /// must respond within 10 seconds: the [`Receiver`](crate::notifications::Receiver) must run already. Each request
    /// creates a new subscription, also for the same resource.
    ///
    /// ```
    /// # async fn example(graph: &entra_graph::GraphClient, client_state: entra_core::Secret) -> Result<(), entra_graph::Error> {
    /// use entra_graph::{NewSubscription, notifications::SubscriptionResource};
    /// let url = "https://app.example.com/notifications";
    /// let new = NewSubscription::new(SubscriptionResource::users(), url, client_state);
    /// let subscription = graph.subscribe(new.lifecycle_notification_url(url)).send().await?;
    /// println!("{} until {:?}", subscription.id, subscription.expiration_date_time);
    /// # Ok(()) }
    /// ```
    pub fn subscribe(&self, new: NewSubscription) -> Request<Subscription> {
        Request::new(self.clone(), new.into_call(self), read_entity)
    }

    /// The subscriptions of this application, in the tenant of the token:
    /// [`GET /subscriptions`](https://learn.microsoft.com/graph/api/subscription-list).
    ///
    /// Needs the permission that reads the subscribed resource, such as `User.Read.All`. Graph was seen to list expired
    /// subscriptions, and to leave out active ones.
    #[must_use]
    pub fn subscriptions(&self) -> Collection<Subscriptions> {
        Collection::new(Target::root(self).join(&["subscriptions"]))
    }

    /// One subscription, by id:
    /// [`GET /subscriptions/{id}`](https://learn.microsoft.com/graph/api/subscription-get).
    ///
    /// Needs the permission that reads the subscribed resource, such as `User.Read.All`.
    #[must_use]
    pub fn subscription(&self, id: impl Into<Key>) -> Object<OneSubscription> {
        Object::new(Target::root(self).key("subscriptions", &id.into()))
    }
}

impl Object<OneSubscription> {
    /// A request that lets the subscription expire after this time, counted from now, and reauthorizes it:
    /// [`PATCH /subscriptions/{id}`](https://learn.microsoft.com/graph/api/subscription-update).
    ///
    /// Needs the permission that reads the subscribed resource. The longest time is that of the resource
    /// ([`SubscriptionResource::maximum_lifetime`]). Graph returns 404 for an expired subscription: create it again.
    pub fn renew(&self, lifetime: Duration) -> Request<Subscription> {
        self.renewal(lifetime, None)
    }

    /// The same request, which also sets another certificate for resource data.
    ///
    /// Needs the permission that reads the subscribed resource. Graph can use the old certificate for some time: the
    /// receiver needs both keys until no notification names the old one.
    pub fn renew_with_certificate(
        &self,
        lifetime: Duration,
        certificate: &EncryptionCertificate,
    ) -> Request<Subscription> {
        self.renewal(lifetime, Some(certificate))
    }

    fn renewal(
        &self,
        lifetime: Duration,
        certificate: Option<&EncryptionCertificate>,
    ) -> Request<Subscription> {
        let client = &self.target().client;
        let call = expires_after(client, lifetime).and_then(|expires| {
            let mut body = Body::default();
            body.set(Subscription::EXPIRATION_DATE_TIME.into_name(), &expires);
            if let Some(certificate) = certificate {
                certificate.write_into(&mut body);
            }
            Ok(self.call(&[], &UPDATE)?.with_json(body.into_bytes()))
        });
        Request::new(client.clone(), call, read_entity)
    }

    /// A request that reauthorizes the subscription, without a later expiry:
    /// [`POST /subscriptions/{id}/reauthorize`](https://learn.microsoft.com/graph/api/subscription-reauthorize).
    ///
    /// Needs the permission that reads the subscribed resource. [`renew`](Object::renew) does both.
    pub fn reauthorize(&self) -> Request<()> {
        let call = self.call(&["reauthorize"], &REAUTHORIZE);
        Request::new(self.target().client.clone(), call, read_nothing)
    }
}
