//! Requests on runtimes that come, stand still and go, and without any.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use entra_core::TokenCredential;
use tokio::runtime::Builder;

use crate::support::{Random, Service, builder, decode, graph, number, poll_once};

#[test]
fn waiters_survive_the_shutdown_of_another_runtime() {
    let service = Service::closed();
    let credential = builder(&service).build().unwrap();
    let first = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    first.block_on(async {
        let request = graph();
        let mut call = credential.token(&request);
        assert!(poll_once(&mut call).await.is_none());
        // The request is under way on this runtime.
        while service.count() == 0 {
            tokio::task::yield_now().await;
        }
    });
    let waiter = std::thread::spawn({
        let credential = credential.clone();
        move || {
            Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async { number(&credential, &graph()).await })
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(50));
    first.shutdown_background();
    while service.count() < 2 {
        std::thread::yield_now();
    }
    service.open();
    assert_eq!(waiter.join().unwrap(), 2, "the waiter asked itself");
}

#[test]
fn idle_runtime_does_not_block_callers_on_another() {
    let service = Service::closed();
    let credential = builder(&service).build().unwrap();
    let still = Builder::new_current_thread().enable_all().build().unwrap();
    still.block_on(async {
        let request = graph();
        let mut call = credential.token(&request);
        assert!(poll_once(&mut call).await.is_none());
    });
    service.open();
    // Its clock jumps ahead when nothing else can happen.
    let other = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    other.block_on(async {
        let started = tokio::time::Instant::now();
        assert_eq!(number(&credential, &graph()).await, 1);
        let patience = std::time::Duration::from_secs(15);
        assert!(started.elapsed() >= patience, "it was waited for");
    });
    // The first runtime moves on and its late response replaces nothing.
    still.block_on(async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert_eq!(number(&credential, &graph()).await, 1);
    });
}

#[test]
fn panicking_transport_fails_the_call_and_blocks_no_caller() {
    #[derive(Debug)]
    struct Panics;
    #[async_trait::async_trait]
    impl entra_core::HttpTransport for Panics {
        async fn send(
            &self,
            _: entra_core::http::Request<entra_core::bytes::Bytes>,
        ) -> Result<entra_core::http::Response<entra_core::bytes::Bytes>, entra_core::TransportError>
        {
            panic!("a defect in the transport");
        }
    }
    let credential = entra_auth::ClientSecretCredential::builder(
        crate::support::TENANT,
        crate::support::CLIENT,
        "s3cr3t",
    )
    .transport(Arc::new(Panics))
    .build()
    .unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(credential.token(&graph())).unwrap_err();
    assert!(error.is_transient());
    assert!(error.fix().unwrap().contains("panic"));
}

#[test]
fn callers_without_a_runtime_take_over_a_dropped_request() {
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let service = Service::new();
        service.yield_first(random.below(10));
        let credential = builder(&service).build().unwrap();
        let request = graph();
        let mut calls: Vec<Option<Call<'_>>> = (0..6)
            .map(|_| Some(Call::new(credential.token(&request))))
            .collect();
        let mut dropped = 0;
        loop {
            let woken: Vec<usize> = calls
                .iter()
                .enumerate()
                .filter(|(_, call)| call.as_ref().is_some_and(Call::is_woken))
                .map(|(at, _)| at)
                .collect();
            let waiting = calls.iter().flatten().count();
            if waiting == 0 {
                break;
            }
            assert!(
                !woken.is_empty(),
                "seed {seed}: {waiting} callers that are never woken"
            );
            let at = woken[usize::try_from(random.below(woken.len() as u64)).unwrap()];
            let done = match calls[at].as_mut().unwrap().poll() {
                Poll::Ready(token) => {
                    assert!(decode(&token.unwrap()).0 >= 1);
                    true
                }
                Poll::Pending => false,
            };
            if done {
                calls[at] = None;
            } else if random.below(6) == 0 && waiting > 1 {
                calls[at] = None;
                dropped += 1;
            }
        }
        assert!(service.count() <= 1 + dropped, "seed {seed}");
    }
}

type TokenFuture<'a> = Pin<
    Box<
        dyn Future<Output = Result<entra_core::AccessToken, entra_core::CredentialError>>
            + Send
            + 'a,
    >,
>;

/// A call that is polled by hand, and only after it was woken.
struct Call<'a> {
    future: TokenFuture<'a>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<'a> Call<'a> {
    fn new(future: TokenFuture<'a>) -> Self {
        Self {
            future,
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }

    fn poll(&mut self) -> Poll<Result<entra_core::AccessToken, entra_core::CredentialError>> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
