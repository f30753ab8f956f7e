//! A cached token beside the least it could cost: a read lock, an expiry check and an `Arc` clone.

#![expect(clippy::unwrap_used, reason = "a measurement that fails may panic")]

use std::{
    hint::black_box,
    sync::{Arc, RwLock},
    time::{Duration, Instant, SystemTime},
};

use criterion::{Criterion, criterion_group, criterion_main};
use entra_auth::ClientSecretCredential;
use entra_core::{ScriptedTransport, TokenCredential, TokenRequest};
use tokio::runtime::{Builder, Runtime};

const TASKS: u32 = 64;
const SCOPE: &str = "https://graph.microsoft.com/.default";

#[derive(Clone)]
struct Floor {
    secret: Arc<str>,
    expires: SystemTime,
}

fn floor(shared: &RwLock<Floor>) -> Option<Floor> {
    let held = shared.read().ok()?;
    (held.expires > SystemTime::now()).then(|| held.clone())
}

fn credential() -> ClientSecretCredential {
    let transport = ScriptedTransport::new().then(
        200,
        &[],
        r#"{"token_type":"Bearer","access_token":"aaaa.bbbb.cccc","expires_in":86399,"refresh_in":43199}"#,
    );
    ClientSecretCredential::builder(
        "11111111-1111-1111-1111-111111111111",
        "22222222-2222-2222-2222-222222222222",
        "s3cr3t",
    )
    .transport(Arc::new(transport))
    .build()
    .unwrap()
}

/// Runs `iterations` calls spread over 64 tasks on two threads.
fn spread<F, W>(runtime: &Runtime, iterations: u64, work: W) -> Duration
where
    W: Fn(u64) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let share = iterations / u64::from(TASKS) + 1;
    let started = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(work(share))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    started.elapsed()
}

fn cached_token(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let shared = Arc::new(RwLock::new(Floor {
        secret: "aaaa.bbbb.cccc".into(),
        expires: SystemTime::now() + Duration::from_secs(86_399),
    }));
    let credential = credential();
    let request = TokenRequest::new([SCOPE]);
    runtime.block_on(credential.token(&request)).unwrap();

    let mut single = criterion.benchmark_group("one task");
    single.bench_function("floor", |bencher| {
        bencher.iter_custom(|iterations| {
            let started = Instant::now();
            runtime.block_on(async {
                for _ in 0..iterations {
                    black_box(floor(&shared).map(|held| held.secret));
                }
            });
            started.elapsed()
        });
    });
    single.bench_function("token", |bencher| {
        bencher.iter_custom(|iterations| {
            let started = Instant::now();
            runtime.block_on(async {
                for _ in 0..iterations {
                    black_box(credential.token(&request).await.unwrap());
                }
            });
            started.elapsed()
        });
    });
    single.finish();

    let mut many = criterion.benchmark_group("64 tasks on 2 threads");
    many.bench_function("floor", |bencher| {
        bencher.iter_custom(|iterations| {
            spread(&runtime, iterations, |share| {
                let shared = Arc::clone(&shared);
                async move {
                    for _ in 0..share {
                        black_box(floor(&shared));
                    }
                }
            })
        });
    });
    many.bench_function("token", |bencher| {
        bencher.iter_custom(|iterations| {
            spread(&runtime, iterations, |share| {
                let (credential, request) = (credential.clone(), request.clone());
                async move {
                    for _ in 0..share {
                        black_box(credential.token(&request).await.unwrap());
                    }
                }
            })
        });
    });
    many.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(3));
    targets = cached_token
}
criterion_main!(benches);
