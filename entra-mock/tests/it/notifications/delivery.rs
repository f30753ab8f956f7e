//! What is sent, when, and how often.

use std::time::Duration;

use entra_mock::NotificationOptions;
use serde_json::Value;
use wiremock::ResponseTemplate;

use super::Fixture;

#[tokio::test]
async fn changes_after_the_creation_are_sent_in_one_request_with_their_client_state() {
    let fixture = Fixture::new().await;
    fixture.touch("adele@contoso.com", "before");
    let created = fixture.subscribe(&fixture.body("/users", 60)).await;
    fixture.touch("adele@contoso.com", "after");
    fixture.touch("bruno@contoso.com", "after");
    fixture.tenant.add_group("Staff");
    let report = fixture.tenant.deliver_due_notifications().await;
    assert_eq!((report.delivered, report.failed, report.dropped), (2, 0, 0));
    let queries = fixture.receiver.seen.lock().unwrap().queries.clone();
    assert_eq!(queries, ["tenant=a%20b"]);
    let bodies = fixture.receiver.take();
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0].get("validationTokens"), None);
    let items = bodies[0]["value"].as_array().unwrap();
    let adele = fixture.tenant.user("adele@contoso.com").id().to_string();
    assert_eq!(items[0]["subscriptionId"], created["id"]);
    assert_eq!(
        items[0]["subscriptionExpirationDateTime"],
        created["expirationDateTime"]
    );
    assert_eq!(items[0]["clientState"], "canary-9b1f-state");
    assert_eq!(items[0]["changeType"], "updated");
    assert_eq!(items[0]["tenantId"], fixture.tenant.id().to_string());
    assert_eq!(items[0]["resource"], format!("Users/{adele}"));
    assert_eq!(
        items[0]["resourceData"]["@odata.type"],
        "#Microsoft.Graph.User"
    );
    assert_eq!(
        items[0]["resourceData"]["@odata.id"],
        format!("Users/{adele}")
    );
    assert_eq!(items[0]["resourceData"]["id"], adele);
    assert_ne!(items[0]["id"], items[1]["id"]);
    // Nothing is sent twice.
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(fixture.receiver.take().len(), 0);
}

#[tokio::test]
async fn a_soft_deletion_is_an_update_and_only_the_purge_is_a_deletion() {
    let fixture = Fixture::new().await;
    fixture.subscribe(&fixture.body("users", 60)).await;
    let id = fixture.tenant.add_user("Zoe Zimmer").id().to_string();
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(fixture.receiver.take_all("changeType"), ["updated"]);
    let deleted = fixture.send("DELETE", &format!("/users/{id}"), None).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(fixture.receiver.take_all("changeType"), ["updated"]);
    let bruno = fixture.tenant.user("bruno@contoso.com").id().to_string();
    assert!(fixture.tenant.remove("users", &bruno).unwrap());
    fixture.tenant.deliver_due_notifications().await;
    assert_eq!(fixture.receiver.take_all("changeType"), ["deleted"]);
}

#[tokio::test]
async fn membership_changes_are_updates_of_the_group() {
    let fixture = Fixture::new().await;
    let staff = fixture.tenant.add_group("Staff");
    let other = fixture.tenant.add_group("Other");
    for resource in [
        "groups".to_owned(),
        format!("groups/{}/members", staff.id()),
    ] {
        fixture.subscribe(&fixture.body(&resource, 60)).await;
    }
    let adele = fixture.tenant.user("adele@contoso.com");
    staff.add_member(adele.id());
    other.add_member(adele.id());
    fixture.tenant.deliver_due_notifications().await;
    let items = fixture.receiver.take_items();
    let of = |group: &str| -> Vec<&Value> {
        let resource = format!("Groups/{group}");
        items
            .iter()
            .filter(|item| item["resource"] == resource)
            .collect()
    };
    let (staff, other) = (of(&staff.id().to_string()), of(&other.id().to_string()));
    assert_eq!((staff.len(), other.len()), (2, 1));
    let members = &staff[0]["resourceData"]["members@delta"];
    assert_eq!(members[0]["id"], adele.id().to_string());
}

#[tokio::test]
async fn rejected_notifications_are_sent_again_every_ten_minutes_for_four_hours() {
    let fixture = Fixture::new().await;
    fixture.subscribe(&fixture.body("users", 41_000)).await;
    fixture.touch("adele@contoso.com", "after");
    fixture
        .receiver
        .respond_with(vec![ResponseTemplate::new(503); 100]);
    let mut attempts = 0;
    loop {
        let report = fixture.tenant.deliver_due_notifications().await;
        attempts += fixture.receiver.take().len();
        if report.dropped == 1 {
            assert_eq!(report.failed, 0);
            break;
        }
        assert_eq!((report.delivered, report.failed), (0, 1));
        let next = report.next.unwrap();
        assert_eq!(Some(next), fixture.tenant.next_notification());
        // Nothing is sent before the next attempt is due.
        fixture.advance_minutes(9);
        let early = fixture.tenant.deliver_due_notifications().await;
        assert_eq!((early.delivered, early.failed, early.dropped), (0, 0, 0));
        fixture.advance_minutes(1);
    }
    assert_eq!(attempts, 25);
    assert_eq!(fixture.tenant.pending_notifications(), 0);
}

#[tokio::test]
async fn a_notification_is_sent_again_until_the_receiver_accepts_it_in_time() {
    let fixture = Fixture::new().await;
    fixture.subscribe(&fixture.body("users", 41_000)).await;
    fixture.touch("adele@contoso.com", "after");
    let redirect =
        ResponseTemplate::new(307).insert_header("location", fixture.receiver.url().as_str());
    let mut bodies = Vec::new();
    for response in [ResponseTemplate::new(404), redirect] {
        fixture.receiver.respond_with([response]);
        let report = fixture.tenant.deliver_due_notifications().await;
        assert_eq!((report.delivered, report.failed), (0, 1));
        bodies.extend(fixture.receiver.take());
        fixture.advance_minutes(10);
    }
    let never = ResponseTemplate::new(202).set_delay(Duration::from_secs(600));
    fixture.receiver.respond_with([never]);
    let short = NotificationOptions::documented().delivery_timeout(Duration::from_millis(100));
    fixture.tenant.set_notification_options(short);
    let report = fixture.tenant.deliver_due_notifications().await;
    assert_eq!((report.delivered, report.failed), (0, 1));
    fixture.receiver.respond_with([]);
    fixture.set_options(NotificationOptions::documented());
    fixture.receiver.take();
    fixture.advance_minutes(10);
    let report = fixture.tenant.deliver_due_notifications().await;
    assert_eq!((report.delivered, report.failed), (1, 0));
    bodies.extend(fixture.receiver.take());
    assert!(bodies.len() >= 3, "{}", bodies.len());
    assert!(
        bodies.iter().all(|body| *body == bodies[0]),
        "the same notification, with its id"
    );
}

#[tokio::test]
async fn notifications_of_expired_and_deleted_subscriptions_are_not_sent() {
    let fixture = Fixture::new().await;
    fixture.subscribe(&fixture.body("users", 30)).await;
    let deleted = fixture.subscribe(&fixture.body("users", 60)).await;
    fixture.touch("adele@contoso.com", "after");
    fixture
        .receiver
        .respond_with(vec![ResponseTemplate::new(503); 2]);
    fixture.tenant.deliver_due_notifications().await;
    fixture.receiver.take();
    let path = format!("/subscriptions/{}", deleted["id"].as_str().unwrap());
    assert_eq!(fixture.send("DELETE", &path, None).await.status, 204);
    fixture.advance_minutes(31);
    fixture.touch("adele@contoso.com", "later");
    let report = fixture.tenant.deliver_due_notifications().await;
    assert_eq!((report.delivered, report.failed), (0, 0));
    assert_eq!(fixture.receiver.take().len(), 0);
    assert_eq!(fixture.tenant.pending_notifications(), 0);
}

#[tokio::test]
async fn switches_drop_duplicate_reorder_and_delay_notifications() {
    let documented = NotificationOptions::documented;
    let users = [
        "adele@contoso.com",
        "bruno@contoso.com",
        "clara@contoso.com",
    ];
    for (options, minutes, expected) in [
        (documented(), 0, vec![0, 1, 2]),
        (documented().dropped_every(2), 0, vec![0, 2]),
        (documented().duplicated(), 0, vec![0, 0, 1, 1, 2, 2]),
        (documented().reordered(), 0, vec![2, 1, 0]),
        (documented().late(Duration::from_secs(600)), 0, vec![]),
        (
            documented().late(Duration::from_secs(600)),
            10,
            vec![0, 1, 2],
        ),
    ] {
        let fixture = Fixture::with(options).await;
        fixture.subscribe(&fixture.body("users", 60)).await;
        for user in users {
            fixture.touch(user, "after");
        }
        fixture.advance_minutes(minutes);
        let report = fixture.tenant.deliver_due_notifications().await;
        let expected: Vec<String> = expected
            .into_iter()
            .map(|at: usize| format!("Users/{}", fixture.tenant.user(users[at]).id()))
            .collect();
        assert_eq!(
            fixture.receiver.take_all("resource"),
            expected,
            "{options:?}"
        );
        assert_eq!(
            report.dropped,
            usize::from(options == documented().dropped_every(2))
        );
    }
}

#[tokio::test]
async fn paused_time_of_a_test_does_not_time_receivers_out() {
    let fixture = Fixture::new().await;
    fixture.subscribe(&fixture.body("users", 60)).await;
    fixture.touch("adele@contoso.com", "after");
    tokio::time::pause();
    let report = fixture.tenant.deliver_due_notifications().await;
    assert_eq!(report.delivered, 1);
}
