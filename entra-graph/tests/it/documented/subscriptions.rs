//! The documented requests of subscriptions.

use std::time::Duration;

use entra_graph::{NewSubscription, notifications::SubscriptionResource, types::ChangeType};

use super::{GraphClient, Send, Sent};

const ID: &str = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07";

pub(super) fn requests() -> [(&'static str, Vec<Send>); 4] {
    let create = send!(|graph| {
        let messages = SubscriptionResource::other(
            "me/mailFolders('Inbox')/messages",
            Duration::from_secs(4_230 * 60),
        );
        let new = NewSubscription::new(
            messages,
            "https://webhook.azurewebsites.net/api/send/myNotifyClient",
            "secretClientValue",
        );
        let new = new.change_types([ChangeType::Created]);
        graph.subscribe(new.lifetime(Duration::from_secs(3600)))
    });
    let renew = send!(|graph| graph
        .subscription("{id}")
        .renew(Duration::from_secs(49 * 3600)));
    [
        (
            "subscription-delete.md",
            vec![send!(|graph| graph.subscription(ID).delete())],
        ),
        ("subscription-post-subscriptions.md", vec![create]),
        (
            "subscription-reauthorize.md",
            vec![send!(|graph| graph
                .subscription("{subscriptionsId}")
                .reauthorize())],
        ),
        ("subscription-update.md", vec![renew]),
    ]
}
