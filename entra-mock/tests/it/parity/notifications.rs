//! Change notifications that behave as Graph's do.

use super::{Claim, claims::row};

const AREA: &str = "Graph: change notifications";

pub(super) const CLAIMS: &[Claim] = &[
    row(
        AREA,
        "A receiver must return the validation token as plain text before a subscription is created",
        "webhook delivery page",
        "the_token_alone_is_not_enough_without_plain_text",
    ),
    row(
        AREA,
        "Both URLs are validated, with a token each",
        "resource data page",
        "both_urls_are_validated_with_a_token_each",
    ),
    row(
        AREA,
        "A subscription needs the read permission of its resource",
        "subscription create page",
        "each_resource_needs_its_own_read_permission",
    ),
    row(
        AREA,
        "Users and groups have no resource data, and lifetimes end at 41,760 minutes",
        "change notifications overview",
        "invalid_subscriptions_are_rejected_before_any_validation",
    ),
    row(
        AREA,
        "An application has at most 100 subscriptions in a tenant",
        "change notifications overview",
        "an_application_can_have_100_subscriptions_in_a_tenant",
    ),
    row(
        AREA,
        "An application sees its own subscriptions",
        "subscription list page",
        "an_application_sees_and_changes_its_own_subscriptions_only",
    ),
    row(
        AREA,
        "Renewal sets the expiry, reauthorization does not, and an expired subscription is gone; a switch lists it",
        "subscription update page, reports",
        "subscriptions_are_renewed_deleted_and_expire",
    ),
    row(
        AREA,
        "A soft deletion is reported as an update, a purge as a deletion",
        "change notifications overview",
        "a_soft_deletion_is_an_update_and_only_the_purge_is_a_deletion",
    ),
    row(
        AREA,
        "Changed members are updates of the group",
        "change notifications overview",
        "membership_changes_are_updates_of_the_group",
    ),
    row(
        AREA,
        "What is not accepted comes again for four hours",
        "webhook delivery page",
        "rejected_notifications_are_sent_again_every_ten_minutes_for_four_hours",
    ),
    row(
        AREA,
        "A receiver has three seconds",
        "webhook delivery page",
        "a_notification_is_sent_again_until_the_receiver_accepts_it_in_time",
    ),
    row(
        AREA,
        "Notifications get lost, come twice, late and in another order, by switches",
        "webhook delivery page, reports",
        "switches_drop_duplicate_reorder_and_delay_notifications",
    ),
    row(
        AREA,
        "Delivery pauses when `reauthorizationRequired` is ignored",
        "lifecycle notifications page",
        "a_subscription_asks_for_reauthorization_and_pauses_if_that_is_ignored",
    ),
    row(
        AREA,
        "A lost permission asks for reauthorization and ends the notifications",
        "lifecycle notifications page",
        "a_lost_permission_asks_for_reauthorization_and_ends_the_notifications",
    ),
    row(
        AREA,
        "Resource data is encrypted for the certificate and signed, with a validation token",
        "resource data page",
        "rich_notifications_are_encrypted_and_authenticated",
    ),
    row(
        AREA,
        "Validation tokens have the version that the application asks for",
        "reports",
        "an_application_with_v2_tokens_gets_validation_tokens_of_version_2",
    ),
];
