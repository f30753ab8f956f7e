//! A cached token beside the least it could cost (a read lock, an expiry check and an `Arc` clone)
//! and beside azure_identity's.
//!
//! What is measured is the processor time of all threads, where the system tells it: so a call that
//! makes two threads wait for one cache line costs what it costs, though the threads share the work,
//! and what else runs on the machine counts for less. Only two threads that run at the same time get
//! in each other's way, so on a busy machine the second group wants the processors to itself:
//! `chrt -f 10 cargo bench -p entra-auth --bench cached_token`.

#![expect(clippy::unwrap_used, reason = "a measurement that fails may panic")]

use std::{
    collections::HashMap,
    fs,
    hint::black_box,
    sync::{Arc, RwLock},
    time::{Duration, Instant, SystemTime},
};

use azure_core::{
    credentials::{Secret, TokenCredential as _},
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport,
        headers::Headers,
    },
};
use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use entra_auth::ClientSecretCredential;
use entra_core::{ScriptedTransport, TokenCredential as _, TokenRequest};
use tokio::runtime::{Builder, Runtime};

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const CLIENT: &str = "22222222-2222-2222-2222-222222222222";
const SCOPE: &str = "https://graph.microsoft.com/.default";
const RESPONSE: &str = r#"{"token_type":"Bearer","access_token":"aaaa.bbbb.cccc","expires_in":86399,"refresh_in":43199}"#;

const TASKS: u64 = 64;
/// How many calls a task makes before it lets the others have the thread.
const CALLS: u64 = 64;

/// A call that is measured. A task has one of its own.
trait Call: Clone + Send + Sync + 'static {
    fn call(&self) -> impl Future<Output = ()> + Send;
}

#[derive(Clone)]
struct Floor(Arc<RwLock<Held>>);

#[derive(Clone)]
struct Held {
    secret: Arc<str>,
    expires: SystemTime,
}

impl Call for Floor {
    async fn call(&self) {
        let held = self.0.read().unwrap();
        if held.expires > SystemTime::now() {
            let copy = held.clone();
            drop(held);
            black_box(copy.secret);
        }
    }
}

/// The same with an expiry on both clocks: one alone serves an expired token after the wall clock was
/// set back, or after the machine was suspended.
#[derive(Clone)]
struct BothClocks(Floor, Instant);

impl Call for BothClocks {
    async fn call(&self) {
        if self.1 > Instant::now() {
            self.0.call().await;
        }
    }
}

#[derive(Clone)]
struct Ours(ClientSecretCredential, TokenRequest);

impl Call for Ours {
    async fn call(&self) {
        black_box(self.0.token(&self.1).await.unwrap());
    }
}

#[derive(Clone)]
struct Azure(Arc<azure_identity::ClientSecretCredential>);

impl Call for Azure {
    async fn call(&self) {
        black_box(self.0.get_token(&[SCOPE], None).await.unwrap());
    }
}

/// Responses azure_identity's one request.
#[derive(Debug)]
struct Scripted;

#[async_trait::async_trait]
impl HttpClient for Scripted {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (status, headers) = (StatusCode::Ok, Headers::new());
        Ok(AsyncRawResponse::from_bytes(status, headers, RESPONSE))
    }
}

fn floor() -> Floor {
    Floor(Arc::new(RwLock::new(Held {
        secret: "aaaa.bbbb.cccc".into(),
        expires: SystemTime::now() + Duration::from_secs(86_399),
    })))
}

fn ours() -> Ours {
    let transport = ScriptedTransport::new().then(200, &[], RESPONSE);
    let credential = ClientSecretCredential::builder(TENANT, CLIENT, "s3cr3t")
        .transport(Arc::new(transport))
        .build()
        .unwrap();
    Ours(credential, TokenRequest::new([SCOPE]))
}

fn azure() -> Azure {
    let options = azure_identity::ClientSecretCredentialOptions {
        client_options: ClientOptions {
            transport: Some(Transport::new(Arc::new(Scripted))),
            ..ClientOptions::default()
        },
    };
    let secret = Secret::new("s3cr3t");
    let credential =
        azure_identity::ClientSecretCredential::new(TENANT, CLIENT.into(), secret, Some(options));
    Azure(credential.unwrap())
}

fn one_task(runtime: &Runtime, iterations: u64, call: &impl Call) -> Duration {
    runtime.block_on(async {
        let meter = Meter::start();
        for _ in 0..iterations {
            call.call().await;
        }
        meter.stop()
    })
}

/// Runs the calls in 64 tasks on two threads, which yield to each other as tasks do that have
/// something to wait for.
fn many_tasks(runtime: &Runtime, iterations: u64, call: &impl Call) -> Duration {
    let turns = iterations.div_ceil(TASKS * CALLS);
    runtime.block_on(async {
        let meter = Meter::start();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let call = call.clone();
                tokio::spawn(async move {
                    for _ in 0..turns {
                        for _ in 0..CALLS {
                            call.call().await;
                        }
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let spent = meter.stop();
        // Whole turns are run; a share of them was requested.
        spent.mul_f64(iterations as f64 / (turns * TASKS * CALLS) as f64)
    })
}

/// The processor time of all threads of this process, or else the time.
enum Meter {
    Processor(HashMap<String, u64>),
    Clock(Instant),
}

impl Meter {
    fn start() -> Self {
        spent().map_or_else(|| Self::Clock(Instant::now()), Self::Processor)
    }

    fn stop(self) -> Duration {
        match self {
            Self::Clock(started) => started.elapsed(),
            Self::Processor(before) => {
                let since = |(thread, now): (String, u64)| {
                    now - before.get(&thread).copied().unwrap_or_default()
                };
                Duration::from_nanos(spent().unwrap().into_iter().map(since).sum())
            }
        }
    }
}

/// The nanoseconds that each thread has run, as Linux counts them.
fn spent() -> Option<HashMap<String, u64>> {
    fs::read_dir("/proc/self/task")
        .ok()?
        .map(|thread| {
            let path = thread.ok()?.path();
            let figures = fs::read_to_string(path.join("schedstat")).ok()?;
            let ran = figures.split(' ').next()?.parse().ok()?;
            Some((path.file_name()?.to_str()?.to_owned(), ran))
        })
        .collect()
}

type Driver<C> = fn(&Runtime, u64, &C) -> Duration;

fn measure<C: Call>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    (name, call): (&str, &C),
    runtime: &Runtime,
    drive: Driver<C>,
) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| drive(runtime, iterations, call));
    });
}

fn cached_token(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (floor, ours, azure) = (floor(), ours(), azure());
    let both = BothClocks(floor.clone(), Instant::now() + Duration::from_secs(86_399));
    // The first call fetches.
    runtime.block_on(async { tokio::join!(ours.call(), azure.call()) });

    let mut group = criterion.benchmark_group("one task");
    measure(&mut group, ("floor", &floor), &runtime, one_task);
    measure(
        &mut group,
        ("floor, both clocks", &both),
        &runtime,
        one_task,
    );
    measure(&mut group, ("entra-auth", &ours), &runtime, one_task);
    measure(&mut group, ("azure_identity", &azure), &runtime, one_task);
    group.finish();

    let mut group = criterion.benchmark_group("64 tasks on 2 threads");
    measure(&mut group, ("floor", &floor), &runtime, many_tasks);
    measure(
        &mut group,
        ("floor, both clocks", &both),
        &runtime,
        many_tasks,
    );
    measure(&mut group, ("entra-auth", &ours), &runtime, many_tasks);
    measure(&mut group, ("azure_identity", &azure), &runtime, many_tasks);
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(3));
    targets = cached_token
}
criterion_main!(benches);
