//! Change notifications of the fake tenant, over HTTP on loopback: receiver, supervisor, sync and token validator together.

use std::time::Duration;

use entra_auth::{ClientSecretCredential, SelfSignedCertificate, TokenValidator};
use entra_graph::{
    GraphClient, NewSubscription, NewUser, Subscription, User,
    notifications::{
        DecryptionKey, EncryptionCertificate, NotificationEvent, Notifications, Receiver,
        ReceiverBuilder, SubscriptionResource, Supervisor, WakeCause, Wakes,
    },
    sync::{DirectorySync, MemoryStore},
    types::{ChangeType, PasswordProfile},
};
use entra_mock::{App, FakeTenant, NotificationOptions};

use crate::journal::assert_no_findings;

const CLIENT_STATE: &str = "kZ0xQ1vJ5nW8";

fn start(tenant: &FakeTenant) -> (App, GraphClient) {
    let app = tenant
        .register_app("Copy")
        .application_permission("User.ReadWrite.All")
        .application_permission("User.Read.All")
        .application_permission("Group.Read.All")
        .with_secret();
    let credential = ClientSecretCredential::builder(tenant.id(), app.client_id(), app.secret())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let graph = GraphClient::builder(credential)
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    (app, graph)
}

/// Serves a receiver, and returns its URL.
async fn serve(receiver: ReceiverBuilder) -> (String, Notifications) {
    let (endpoint, notifications) = receiver.build().unwrap().into_queue();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notifications", listener.local_addr().unwrap());
    let app: axum::Router = endpoint.route("/notifications");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, notifications)
}

async fn hire(graph: &GraphClient, name: &str) -> User {
    let password = PasswordProfile::new("zq4#correct-7Vx!horse");
    let mail = format!("{name}@contoso.com");
    let new = NewUser::new(name, &mail, name, password);
    graph.users().create(new).send().await.unwrap()
}

#[tokio::test]
async fn a_copy_follows_the_tenant_by_its_notifications() {
    let tenant = FakeTenant::start().await;
    let (_, graph) = start(&tenant);
    let (url, notifications) = serve(Receiver::builder(CLIENT_STATE).clock(tenant.clock())).await;
    let resources = [
        SubscriptionResource::users(),
        SubscriptionResource::groups(),
    ];
    let subscriptions =
        resources.map(|resource| NewSubscription::new(resource, &*url, CLIENT_STATE));
    let supervisor = Supervisor::new(&graph, subscriptions).unwrap();
    let mut wakes = Wakes::new(&graph, notifications)
        .recheck(None)
        .supervisor(supervisor);
    let mut sync = DirectorySync::new(&graph).select_users(User::DISPLAY_NAME);
    let mut store = MemoryStore::new();

    let wake = wakes.next().await.unwrap();
    assert_eq!(wake.cause, WakeCause::Start);
    assert!(wakes.supervised().unwrap().last_error().is_none());
    sync.run(&mut store).await.unwrap();

    for name in ["robin", "sasha", "kim"] {
        hire(&graph, name).await;
    }
    let report = tenant.deliver_due_notifications().await;
    assert_eq!((report.failed, report.dropped), (0, 0));
    let wake = wakes.next().await.unwrap();
    assert_eq!(wake.cause, WakeCause::Changes);
    assert!(wake.notifications >= 3, "{wake:?}");
    assert_eq!(sync.run(&mut store).await.unwrap().upserts, 3);

    // All of them are lost: the silence finds it out.
    tenant.set_notification_options(NotificationOptions::documented().dropped_every(1));
    hire(&graph, "alex").await;
    tenant.deliver_due_notifications().await;
    let wake = wakes.next().await.unwrap();
    assert_eq!((wake.cause, wake.notifications), (WakeCause::Silence, 0));
    assert_eq!(sync.run(&mut store).await.unwrap().upserts, 1);
    assert_no_findings(&tenant);
}

#[tokio::test]
async fn an_expired_subscription_that_graph_still_lists_is_replaced_once() {
    let tenant = FakeTenant::start().await;
    tenant.set_notification_options(NotificationOptions::documented().expired_listed());
    let (_, graph) = start(&tenant);
    let (url, _notifications) = serve(Receiver::builder(CLIENT_STATE).clock(tenant.clock())).await;
    let new = || NewSubscription::new(SubscriptionResource::users(), &*url, CLIENT_STATE);
    let hour = Duration::from_secs(3600);
    let old = graph.subscribe(new().lifetime(hour)).send().await.unwrap();
    tenant.clock().advance(hour * 2);
    let listed = async || {
        let items = graph.subscriptions().list().items();
        let all: Vec<Subscription> = items.try_collect().await.unwrap();
        all.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [&*old.id], "although it expired");

    let mut supervisor = Supervisor::new(&graph, [new()]).unwrap();
    let created = || {
        let requests = tenant.requests().to("/subscriptions");
        requests.method("POST").count()
    };
    let before = created();
    for _ in 0..10 {
        let wait = supervisor.run_due().await;
        assert!(
            supervisor.last_error().is_none(),
            "{:?}",
            supervisor.last_error()
        );
        tenant.clock().advance(wait);
    }
    assert_eq!(created() - before, 1);
    let state = supervisor.state();
    let kept: Vec<&str> = state.subscription_ids().collect();
    assert_eq!(kept.len(), 1);
    assert_ne!(kept, [&*old.id]);
    assert!(
        supervisor.take_gap(),
        "what changed after the old one expired"
    );
}

#[tokio::test]
async fn resource_data_of_the_tenant_is_verified_and_decrypted() {
    let tenant = FakeTenant::start().await;
    let options = NotificationOptions::documented().synthetic_resource();
    tenant.set_notification_options(options);
    let (app, graph) = start(&tenant);
    let certificate = SelfSignedCertificate::rsa("CN=notifications")
        .generate()
        .unwrap();
    let key = certificate.private_key_pem_unencrypted().unwrap();
    let key = DecryptionKey::from_pem("2026", key.expose_secret()).unwrap();
    let verifier = TokenValidator::notification_tokens(tenant.id(), app.client_id())
        .cloud(tenant.cloud())
        .clock(tenant.clock())
        .build()
        .unwrap();
    let receiver = Receiver::builder(CLIENT_STATE)
        .decryption_key(key)
        .validation_tokens(verifier, [app.client_id()])
        .clock(tenant.clock());
    let (url, mut notifications) = serve(receiver).await;
    let resource = SubscriptionResource::other("synthetic/users", Duration::from_secs(4_320 * 60));
    let public = EncryptionCertificate::from_pem("2026", certificate.public_pem()).unwrap();
    let new = NewSubscription::new(resource, &*url, CLIENT_STATE)
        .change_types([ChangeType::Created, ChangeType::Updated])
        .lifecycle_notification_url(&*url)
        .include_resource_data(&public);
    let subscription = graph.subscribe(new).send().await.unwrap();

    for (number, name) in ["robin", "sasha"].into_iter().enumerate() {
        let user = hire(&graph, name).await;
        let fetched = || {
            ["/keys", "/.well-known/openid-configuration"]
                .map(|path| tenant.requests().to(path).count())
        };
        let before = fetched();
        tenant.deliver_due_notifications().await;
        let Some(NotificationEvent::Change(change)) = notifications.next().await else {
            panic!("no change");
        };
        assert_eq!(change.subscription_id, subscription.id);
        assert_eq!(change.resource_id.as_deref(), Some(&*user.id));
        let content: User = change.content.unwrap().read().unwrap();
        assert_eq!(content.display_name.as_deref(), Some(name));
        // Metadata and keys are fetched for the first notification, and cached.
        let now = fetched();
        match number {
            0 => assert!(now.iter().zip(before).all(|(now, before)| *now > before)),
            _ => assert_eq!(now, before),
        }
    }
    assert_eq!(notifications.counts().rejected, 0);

    tenant.set_notification_options(options.duplicated());
    hire(&graph, "kim").await;
    tenant.deliver_due_notifications().await;
    assert!(matches!(
        notifications.next().await,
        Some(NotificationEvent::Change(_))
    ));
    assert!(tenant.remove_subscription(&subscription.id));
    tenant.deliver_due_notifications().await;
    let event = notifications.next().await;
    assert!(
        matches!(event, Some(NotificationEvent::Lifecycle(_))),
        "{event:?}"
    );
    assert_eq!(notifications.counts().rejected, 1, "the copy");
}
