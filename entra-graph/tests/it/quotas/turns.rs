//! The governor of quotas: who comes next at a limit.

use std::time::Duration;

use entra_core::{ManualClock, Timestamp};
use futures_util::future::join_all;

use super::{Service, read_sign_ins};

#[tokio::test]
async fn requests_are_sent_in_the_order_in_which_they_asked() {
    let clock = ManualClock::stepped(Timestamp::now_utc());
    let service = Service::ok(&clock);
    let graph = service.client();
    read_sign_ins(&graph, 5).await;
    let mut tasks = Vec::new();
    for number in 0..20 {
        let graph = graph.clone();
        tasks.push(tokio::spawn(async move {
            let id = format!("{number:02}");
            graph.audit_logs().sign_in(&*id).get().send_opt().await
        }));
        // On one thread, the task asks before the next one.
        tokio::task::yield_now().await;
    }
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    let paths = service.paths();
    assert_eq!(paths.len(), 25);
    assert!(paths.is_sorted(), "{paths:?}");
}

#[tokio::test]
async fn a_task_with_many_requests_does_not_hold_up_another_task() {
    let clock = ManualClock::stepped(Timestamp::now_utc());
    let service = Service::ok(&clock);
    let graph = service.client();
    read_sign_ins(&graph, 5).await;
    let job = tokio::spawn({
        let graph = graph.clone();
        async move { read_sign_ins(&graph, 40).await }
    });
    // On one thread, all of the job's requests arrive before the next one.
    tokio::task::yield_now().await;
    let mut tasks = Vec::new();
    for number in 0..3 {
        let graph = graph.clone();
        tasks.push(tokio::spawn(async move {
            let id = format!("other-{number}");
            graph.audit_logs().sign_in(&*id).get().send_opt().await
        }));
    }
    while !job.is_finished() || !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    job.await.unwrap();
    let paths = service.paths();
    assert_eq!(paths.len(), 48);
    let last = paths.iter().rposition(|path| path.contains("other-"));
    // Five that were there before, then the job and each other task in turn.
    assert!(last.unwrap() < 5 + 1 + 4, "{paths:?}");
}

#[tokio::test]
async fn a_task_with_ten_requests_at_once_does_not_take_the_shares_of_others() {
    let clock = ManualClock::stepped(Timestamp::now_utc());
    let service = Service::ok(&clock);
    let graph = service.client();
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let graph = graph.clone();
            tokio::spawn(async move {
                // One has ten times as many requests at a time as each of the others.
                let at_once = if task == 0 { 10 } else { 1 };
                loop {
                    let requests = (0..at_once).map(|_| {
                        let id = format!("task-{task}");
                        let entry = graph.audit_logs().sign_in(&*id);
                        async move { entry.get().send_opt().await }
                    });
                    join_all(requests).await;
                }
            })
        })
        .collect();
    while service.paths().len() < 100 {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.abort();
    }
    let paths = service.paths();
    for task in 0..4 {
        let path = format!("task-{task}");
        let share = paths[..100]
            .iter()
            .filter(|sent| sent.ends_with(&path))
            .count();
        // In the order of arrival, the first one would have 77.
        assert!(
            (15..=45).contains(&share),
            "task {task} has {share} of 100: {paths:?}"
        );
    }
}

#[tokio::test]
async fn a_request_that_is_given_up_does_not_hold_up_the_next() {
    let clock = ManualClock::stepped(Timestamp::now_utc());
    let service = Service::ok(&clock);
    let graph = service.client();
    read_sign_ins(&graph, 5).await;
    let spawn = || {
        let graph = graph.clone();
        tokio::spawn(async move { graph.audit_logs().sign_ins().list().send().await })
    };
    let (first, second) = (spawn(), spawn());
    tokio::task::yield_now().await;
    first.abort();
    while !second.is_finished() {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    second.await.unwrap().unwrap();
    assert_eq!(service.paths().len(), 6);
}
