//! The rules for what is accepted and rejected.

use entra_core::{Guid, Timestamp};
use entra_graph::notifications::{NotificationEvent, Verified};
use serde_json::Value;

use crate::{CLIENT_STATE, NOW, TENANT, token_tenant};

/// Each accepted notification is one of the body, in its order: with the client state, of the tenant, not of a subscription that
/// expired long ago, and with valid tokens if there are any or it has resource data.
pub fn check_accepted(accepted: &[NotificationEvent], body: &[u8]) {
    for event in accepted {
        let tenant = match event {
            NotificationEvent::Change(change) => change.tenant_id,
            NotificationEvent::Lifecycle(lifecycle) => lifecycle.tenant_id,
            other => panic!("{other:?} came of a request"),
        };
        assert_eq!(tenant, Some(guid(TENANT)), "another tenant was accepted");
    }
    // It has more rules than the receiver, for what is not read.
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let items = body["value"].as_array().expect("a collection");
    let tokens: Vec<&str> = match &body["validationTokens"] {
        Value::Null => Vec::new(),
        tokens => {
            let tokens = tokens.as_array().expect("a list of tokens");
            tokens
                .iter()
                .map(|token| token.as_str().expect("a token"))
                .collect()
        }
    };
    if !accepted.is_empty() {
        assert!(
            tokens.iter().all(|token| token_tenant(token).is_some()),
            "a notification was accepted beside an invalid token"
        );
    }
    let tenants: Vec<Guid> = tokens
        .iter()
        .filter_map(|token| token_tenant(token))
        .collect();
    let mut rest = items.iter();
    for event in accepted {
        assert!(
            rest.any(|item| is_genuine(item) && is_of(event, item)),
            "no genuine notification is {event:?}"
        );
        let has_content =
            matches!(event, NotificationEvent::Change(change) if change.content.is_some());
        assert!(
            !has_content || tenants.contains(&guid(TENANT)),
            "resource data was accepted without a token"
        );
    }
}

/// A stranger learns nothing from a rejection, and a log has one line for it.
pub fn check_rejections(verified: &Verified) {
    for (reason, count) in &verified.rejected {
        let text = reason.to_string();
        assert!(
            *count > 0 && !text.is_empty() && !text.chars().any(char::is_control),
            "{text:?}"
        );
    }
    assert_eq!(
        verified.rejected_count(),
        verified.rejected.values().sum::<usize>()
    );
}

fn is_genuine(item: &Value) -> bool {
    let text = |name: &str| item[name].as_str();
    let expires = match &item["subscriptionExpirationDateTime"] {
        Value::Null => true,
        Value::String(text) => expires(text).is_some_and(|expires| expires >= NOW - 4 * 3_600),
        _ => false,
    };
    text("clientState") == Some(CLIENT_STATE)
        && text("tenantId").and_then(|id| id.parse().ok()) == Some(guid(TENANT))
        && expires
}

/// Whether an event is what a notification says.
#[must_use]
pub fn is_of(event: &NotificationEvent, item: &Value) -> bool {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let expired = |time: Option<Timestamp>| {
        time.map(Timestamp::unix_timestamp)
            == item["subscriptionExpirationDateTime"]
                .as_str()
                .and_then(expires)
    };
    match event {
        NotificationEvent::Change(change) => {
            item["lifecycleEvent"].is_null()
                && text(&item["subscriptionId"]).as_ref() == Some(&change.subscription_id)
                && text(&item["changeType"]).as_deref() == Some(change.change_type.as_str())
                && text(&item["resource"]).as_ref() == Some(&change.resource)
                && text(&item["resourceData"]["id"]) == change.resource_id
                && text(&item["resourceData"]["@odata.type"]) == change.resource_type
                && item["encryptedContent"].is_null() == change.content.is_none()
                && expired(change.subscription_expires_on)
        }
        NotificationEvent::Lifecycle(lifecycle) => {
            text(&item["subscriptionId"]).as_ref() == Some(&lifecycle.subscription_id)
                && text(&item["lifecycleEvent"]).as_deref() == Some(lifecycle.event.as_str())
                && expired(lifecycle.subscription_expires_on)
        }
        _ => false,
    }
}

fn expires(text: &str) -> Option<i64> {
    let format = entra_core::time::format_description::well_known::Rfc3339;
    Timestamp::parse(text, &format)
        .ok()
        .map(Timestamp::unix_timestamp)
}

fn guid(text: &str) -> Guid {
    text.parse().expect("a GUID")
}
