//! Lifecycle events.

use entra_mock::NotificationOptions;
use serde_json::json;

use super::{Fixture, send};
use crate::support::token;

const USER_READ_ALL: &str = "df021288-bdef-4463-88db-98f22de89214";

#[tokio::test]
async fn a_subscription_asks_for_reauthorization_and_pauses_if_that_is_ignored() {
    let mut fixture = Fixture::new().await;
    let id = fixture.subscribe_with_lifecycle("users", 4_000).await;
    fixture.subscribe(&fixture.body("users", 4_000)).await;
    assert!(fixture.tenant.next_notification().is_some());
    fixture.advance_minutes(999);
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(fixture.receiver.take().len(), 0);
    fixture.advance_minutes(1);
    fixture.tenant.deliver_due_notifications().await;
    let items = fixture.receiver.take_items();
    assert_eq!(items.len(), 1, "only the subscription with a lifecycle URL");
    assert_eq!(items[0]["lifecycleEvent"], "reauthorizationRequired");
    assert_eq!(items[0]["subscriptionId"], id);
    assert_eq!(items[0]["clientState"], "canary-9b1f-state");
    assert_eq!(items[0].get("resourceData"), None);
    // The next one comes after a quarter of the rest; from then on the subscription is paused.
    fixture.advance_minutes(750);
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(
        fixture.receiver.take_all("lifecycleEvent"),
        ["reauthorizationRequired"]
    );
    fixture.touch("adele@contoso.com", "during the pause");
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(
        fixture.receiver.take_all("changeType").len(),
        1,
        "the other subscription"
    );
    fixture.renew_token().await;
    let reauthorize = format!("/subscriptions/{id}/reauthorize");
    assert_eq!(fixture.send("POST", &reauthorize, None).await.status, 204);
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(
        fixture.receiver.take().len(),
        0,
        "changes during the pause are lost"
    );
    fixture.touch("adele@contoso.com", "after the pause");
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(fixture.receiver.take_all("changeType").len(), 2);
}

/// Takes permissions of Microsoft Graph away from the application, by the ids of their roles.
async fn revoke(fixture: &Fixture, is_lost: impl Fn(&str) -> bool) {
    let administrator = fixture
        .tenant
        .register_app("Administrator")
        .application_permission("AppRoleAssignment.ReadWrite.All")
        .application_permission("Application.Read.All")
        .with_secret();
    let token = token(&fixture.tenant, &administrator).await;
    let principal = fixture.app.service_principal_id();
    let path = format!("/servicePrincipals/{principal}/appRoleAssignments");
    let listed = send(&fixture.tenant, &token, "GET", &path, None).await;
    let assignments = listed.body["value"].as_array().unwrap().iter();
    for assignment in assignments.filter(|one| is_lost(one["appRoleId"].as_str().unwrap())) {
        let path = format!("{path}/{}", assignment["id"].as_str().unwrap());
        let deleted = send(&fixture.tenant, &token, "DELETE", &path, None).await;
        assert_eq!(deleted.status, 204, "{}", deleted.text);
    }
}

#[tokio::test]
async fn a_lost_permission_asks_for_reauthorization_and_ends_the_notifications() {
    let mut fixture = Fixture::new().await;
    let id = fixture.subscribe_with_lifecycle("groups", 4_000).await;
    revoke(&fixture, |_| true).await;
    fixture.tenant.add_group("Staff");
    fixture.tenant.deliver_due_notifications().await;
    let items = fixture.receiver.take_items();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["lifecycleEvent"], "reauthorizationRequired");
    fixture.tenant.add_group("Other");
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(fixture.receiver.take().len(), 0);
    fixture.renew_token().await;
    let reauthorize = format!("/subscriptions/{id}/reauthorize");
    assert_eq!(fixture.send("POST", &reauthorize, None).await.status, 403);
}

#[tokio::test]
async fn a_subscription_without_its_permission_can_only_be_deleted() {
    let mut fixture = Fixture::new().await;
    let created = fixture.subscribe(&fixture.body("groups", 60)).await;
    revoke(&fixture, |role| role != USER_READ_ALL).await;
    fixture.renew_token().await;
    let path = format!("/subscriptions/{}", created["id"].as_str().unwrap());
    let later = json!({"expirationDateTime": fixture.in_minutes(90)});
    assert_eq!(fixture.send("PATCH", &path, Some(&later)).await.status, 403);
    assert_eq!(fixture.send("DELETE", &path, None).await.status, 204);
}

#[tokio::test]
async fn the_synthetic_resource_has_the_events_missed_and_removed() {
    let options = NotificationOptions::documented().synthetic_resource();
    let fixture = Fixture::with(options.dropped_every(1)).await;
    let id = fixture
        .subscribe_with_lifecycle("synthetic/users", 4_000)
        .await;
    let plain = fixture.subscribe_with_lifecycle("users", 4_000).await;
    fixture.touch("adele@contoso.com", "one");
    fixture.touch("adele@contoso.com", "two");
    let report = fixture.tenant.deliver_due_notifications().await;
    assert_eq!(report.dropped, 4);
    let items = fixture.receiver.take_items();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["lifecycleEvent"], "missed");
    assert_eq!(items[0]["subscriptionId"], id);

    assert!(fixture.tenant.remove_subscription(&id));
    assert!(fixture.tenant.remove_subscription(&plain));
    assert!(!fixture.tenant.remove_subscription(&plain));
    assert!(fixture.listed().await.is_empty());
    fixture.tenant.deliver_due_notifications().await;
    let items = fixture.receiver.take_items();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["lifecycleEvent"], "subscriptionRemoved");
    assert_eq!(items[0]["subscriptionId"], id);
}
