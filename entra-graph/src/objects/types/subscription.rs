use crate::model::open_enum;

open_enum! {
    /// What happened to a resource that is subscribed to.
    ChangeType {
        /// It was created. For users and groups Graph sends `updated` instead.
        Created = "created";
        /// It was changed. For users and groups also: created, soft deleted or restored.
        Updated = "updated";
        /// It was deleted; for users and groups, for good.
        Deleted = "deleted";
    }
}

open_enum! {
    /// What a lifecycle notification says about a subscription.
    LifecycleEventType {
        /// Notifications were lost: read what changed by other means, such as a delta query.
        Missed = "missed";
        /// Graph removed the subscription: create it again.
        SubscriptionRemoved = "subscriptionRemoved";
        /// Graph stops sending notifications soon unless the subscription is renewed or reauthorized.
        ReauthorizationRequired = "reauthorizationRequired";
    }
}
