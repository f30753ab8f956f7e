//! A Redis server that is killed, hangs and comes back while tokens are on their way: no user is
//! lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entra_auth::{
    ErrorKind, TokenCache,
    store::{EncryptedStore, StoreKey},
    user::UserCredential,
};
use entra_core::{TokenCredential, TokenRequest};
use entra_mock::{App, FakeTenant};

use crate::{
    redis_server::Server,
    store_refresh::{ADELE, replica, sign_in},
    support::{Service, builder, graph, number},
    user_code::shop,
};

fn fresh() -> TokenRequest {
    TokenRequest::new(["User.Read"]).with_force_refresh()
}

/// The user at a replica that was just started, and its cache.
async fn resumed(
    server: &Server,
    (tenant, app): (&FakeTenant, &App),
    user: &UserCredential,
) -> Result<Option<UserCredential>, entra_auth::Error> {
    let flow = replica(tenant, app, &server.cache());
    flow.resume(user.account()).await
}

/// The same, as soon as the server responds within the time limit of a replica that has just started.
async fn resumed_soon(
    server: &Server,
    shop: (&FakeTenant, &App),
    user: &UserCredential,
) -> UserCredential {
    loop {
        // A store that cannot be read never means that the user is signed out.
        match resumed(server, shop, user).await {
            Ok(user) => return user.unwrap(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Service),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn killed_and_restarted_redis_loses_no_session() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let (tenant, app) = shop().await;
    let cache = server.cache();
    let user = sign_in(&tenant, &replica(&tenant, &app, &cache), ADELE).await;
    let other = resumed(&server, (&tenant, &app), &user).await.unwrap();
    assert!(other.is_some());
    assert_eq!(cache.store_failures(), 0);

    server.kill();
    // Here the memory has what is needed, also for new tokens; elsewhere nothing is known for now.
    user.token(&TokenRequest::new(["User.Read"])).await.unwrap();
    user.token(&fresh()).await.unwrap();
    user.token(&fresh()).await.unwrap();
    assert!(cache.store_failures() > 0);
    let error = resumed(&server, (&tenant, &app), &user).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service);

    server.restart().await;
    let other = resumed(&server, (&tenant, &app), &user).await.unwrap();
    let other = other.unwrap();
    other.token(&fresh()).await.unwrap();
    user.token(&fresh()).await.unwrap();
    let third = resumed(&server, (&tenant, &app), &user).await.unwrap();
    third.unwrap().token(&fresh()).await.unwrap();
}

#[tokio::test]
async fn redis_killed_while_it_hangs_fails_no_call() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let (tenant, app) = shop().await;
    let user = sign_in(&tenant, &replica(&tenant, &app, &server.cache()), ADELE).await;
    let service = Service::new();
    let cache = server.cache();
    let app_only = Arc::new(builder(&service).cache(&cache).build().unwrap());
    assert_eq!(number(&app_only, &graph()).await, 1);

    server.signal("-STOP");
    let calls: Vec<_> = (0..8)
        .map(|number| {
            let (user, app_only) = (user.clone(), Arc::clone(&app_only));
            tokio::spawn(async move {
                let request = TokenRequest::new([format!("api-{number}/.default")]);
                app_only.token(&request).await.unwrap();
                user.token(&fresh()).await.unwrap();
            })
        })
        .collect();
    // Some of them have sent their commands by now, and wait for responses that never come.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    server.kill();
    for call in calls {
        call.await.unwrap();
    }
    assert!(cache.store_failures() > 0);

    server.restart().await;
    let other = resumed_soon(&server, (&tenant, &app), &user).await;
    other.token(&fresh()).await.unwrap();
}

#[tokio::test]
async fn hanging_redis_is_skipped_and_used_again_later() {
    let Some(server) = Server::start().await else {
        return;
    };
    let (tenant, app) = shop().await;
    let cache = server.cache();
    let user = sign_in(&tenant, &replica(&tenant, &app, &cache), ADELE).await;

    server.signal("-STOP");
    for _ in 0..3 {
        user.token(&fresh()).await.unwrap();
    }
    assert!(cache.store_failures() > 0);
    server.signal("-CONT");
    // A replica that starts now finds the user; one that skips the server asks it again later.
    let other = resumed_soon(&server, (&tenant, &app), &user).await;
    other.token(&fresh()).await.unwrap();
    let last = cache.last_store_failure().unwrap().to_string();
    assert!(last.contains("skipped"), "{last}");
    // However long the pause is: sooner or later a token is stored again.
    let key = loop {
        let before = cache.store_failures();
        user.token(&fresh()).await.unwrap();
        if cache.store_failures() == before {
            break user.account().clone();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(key, *other.account());
    user.token(&fresh()).await.unwrap();
}

#[tokio::test]
async fn emptied_redis_signs_out_no_user_of_a_running_process() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let service = Service::new();
    let cache = server.cache();
    let credential = builder(&service).cache(&cache).build().unwrap();
    assert_eq!(number(&credential, &graph()).await, 1);
    let (tenant, app) = shop().await;
    let user = sign_in(&tenant, &replica(&tenant, &app, &cache), ADELE).await;
    server.kill();
    server.empty();
    server.restart().await;
    assert_eq!(number(&credential, &graph()).await, 1, "the memory has it");
    let again = builder(&service).cache(&server.cache()).build().unwrap();
    assert_eq!(number(&again, &graph()).await, 2);
    // The first uses may still fail at the lost connection; then other replicas know the user again.
    let other = loop {
        user.token(&fresh()).await.unwrap();
        match resumed(&server, (&tenant, &app), &user).await {
            Ok(Some(other)) => break other,
            Ok(None) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::Service),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    other.token(&fresh()).await.unwrap();
}

#[tokio::test]
async fn hanging_redis_is_skipped_after_one_look_up_whatever_the_limit() {
    let Some(server) = Server::start().await else {
        return;
    };
    let service = Service::new();
    let mut replicas = Vec::new();
    // With the longer limit, a replica without a connection gets the error of the store itself first.
    for limit in [2, 10].map(Duration::from_secs) {
        for is_connected in [true, false] {
            let cache = TokenCache::builder().store(server.store());
            let cache = cache.store_timeout(limit).build();
            let credential = builder(&service).cache(&cache).build().unwrap();
            if is_connected {
                credential.token(&graph()).await.unwrap();
            }
            replicas.push((limit, is_connected, credential));
        }
    }
    server.signal("-STOP");
    let look_ups = replicas
        .into_iter()
        .map(|(limit, is_connected, credential)| {
            tokio::spawn(async move {
                let other = |name: &str| TokenRequest::new([format!("{name}/.default")]);
                let started = Instant::now();
                credential.token(&other("first")).await.unwrap();
                let first = started.elapsed();
                credential.token(&other("second")).await.unwrap();
                (limit, is_connected, first, started.elapsed() - first)
            })
        });
    let look_ups: Vec<_> = look_ups.collect();
    for look_up in look_ups {
        let (limit, is_connected, first, second) = look_up.await.unwrap();
        let case = format!("{limit:?} {is_connected}: {first:?} {second:?}");
        assert!(first < limit + Duration::from_secs(1), "{case}");
        assert!(second < Duration::from_secs(1), "{case}");
    }
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn an_entry_expires_by_the_clock_of_redis_beside_others_that_live_longer() {
    let Some(server) = Server::start().await else {
        return;
    };
    let store = server.store();
    // One hash: the partition of a user has sessions, their states and tokens.
    let (short, long) = (
        StoreKey::new("user", "state"),
        StoreKey::new("user", "record"),
    );
    store.save(&long, b"record", HOUR).await.unwrap();
    store
        .save(&short, b"state", Duration::from_millis(200))
        .await
        .unwrap();
    let expiry = async {
        while store.load(&short).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    // Only without an expiry does the limit end the wait.
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, expiry).await.unwrap();
    assert_eq!(store.load(&long).await.unwrap().unwrap(), b"record");
    // Written again, it is valid again; a time beyond the range of clocks is accepted.
    store.save(&short, b"state", HOUR).await.unwrap();
    assert_eq!(store.load(&short).await.unwrap().unwrap(), b"state");
    let century = Duration::from_secs(100 * 365 * 24 * 3600);
    store.save(&short, b"", century).await.unwrap();
    assert_eq!(store.load(&short).await.unwrap().unwrap(), b"");
    let absent = StoreKey::new("user", "nothing");
    assert!(store.load(&absent).await.unwrap().is_none());
}

#[tokio::test]
async fn expired_entries_leave_a_hash_that_grows() {
    let Some(server) = Server::start().await else {
        return;
    };
    let store = server.store();
    let long = StoreKey::new("kiosk", "long");
    store.save(&long, b"long", HOUR).await.unwrap();
    for number in 0..300 {
        let short = StoreKey::new("kiosk", &number.to_string());
        let moment = Duration::from_millis(1);
        store.save(&short, b"short", moment).await.unwrap();
    }
    assert!(server.fields(&long) <= 160, "{}", server.fields(&long));
    assert_eq!(store.load(&long).await.unwrap().unwrap(), b"long");
    // Entries that have not expired stay, however many there are.
    for number in 0..300 {
        let entry = StoreKey::new("busy", &number.to_string());
        store.save(&entry, b"entry", HOUR).await.unwrap();
    }
    assert_eq!(server.fields(&StoreKey::new("busy", "0")), 300);
}

#[tokio::test]
async fn an_entry_in_redis_that_is_larger_than_any_is_not_read() {
    let Some(server) = Server::start().await else {
        return;
    };
    let store = server.store();
    let key = StoreKey::new("user", "entry");
    let mut entry = vec![7; 4 << 20];
    store.save(&key, &entry, HOUR).await.unwrap();
    assert!(
        store
            .load(&key)
            .await
            .unwrap()
            .is_some_and(|found| found == entry)
    );
    entry.push(7);
    store.save(&key, &entry, HOUR).await.unwrap();
    assert!(store.load(&key).await.unwrap().is_none());
    // The next entry takes its place.
    store.save(&key, b"next", HOUR).await.unwrap();
    assert_eq!(store.load(&key).await.unwrap().unwrap(), b"next");
}
